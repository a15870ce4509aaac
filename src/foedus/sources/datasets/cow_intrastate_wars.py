"""COW intra-state wars: 5.1 has one row a war, 4.1 one row a pair of participants."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table
from foedus.sources.war_spells import spell_columns, spell_dates, with_spells

_SHORT = ("Mo", "Dy", "Yr")

CURRENT = (
    Column("warnum", "float64", "COW war number; wars new in version 5 have a decimal", "WarNum",
           low=500, high=999.9, required=True),
    Column("warname", "text", "Name of the war", "WarName", required=True),
    Column("region", "int8", "Region", "V5RegionNum", required=True),
    Column("wartype", "int8", "Type of war", "WarType", required=True),
    Column("ccodea", "int32", "COW number of side A, if it is a state", "CcodeA", low=1, high=999),
    Column("sidea", "text", "Name of side A", "SideA", required=True),
    Column("sideb", "text", "Name of side B", "SideB", required=True),
    Column("intnl", "int8", "1: another state fought in the war", "Intnl", required=True),
    *(column for number in range(1, 5) for column in spell_dates(number)),
    *(column for number in range(1, 5) for column in spell_columns(number, _SHORT)),
    Column("wdurat_days", "int32", "Duration of the war", "WDuratDays", unit="days", low=1,
           required=True),
    Column("wdurat_months", "float64", "Duration of the war", "WDuratMo", unit="months", low=0,
           required=True),
    Column("nation_months", "float64", "Months of war summed over the states in it",
           "TotNatMonWar", unit="months", low=0, required=True),
    Column("transfrom", "float64", "War that became this one", "TransFrom", low=1, high=9999),
    Column("initiator", "text", "Who began the war", "Initiator"),
    Column("outcome", "int8", "Outcome", "Outcome", required=True),
    Column("transto", "float64", "War that this one became", "TransTo", low=1, high=9999),
    Column("deaths_a", "int32", "Battle deaths of side A", "DeathsSideA", unit="persons", low=0),
    Column("deaths_b", "int32", "Battle deaths of side B", "DeathsSideB", unit="persons", low=0),
    Column("deaths", "int32", "Battle deaths of all sides", "TotalBDeaths", unit="persons", low=0),
    Column("version", "float64", "Release stamp of the file", "Version", required=True, keep=False),
)  # fmt: skip

OLD = (
    Column("warnum", "int32", "COW war number", "WarNum", low=500, high=999, required=True),
    Column("warname", "text", "Name of the war", "WarName", required=True),
    Column("wartype", "int8", "Type of war", "WarType", required=True),
    Column("ccodea", "int32", "COW number of the state on side A", "CcodeA", low=1, high=999),
    Column("sidea", "text", "Participant on side A", "SideA"),
    Column("ccodeb", "int32", "COW number of the state on side B", "CcodeB", low=1, high=999),
    Column("sideb", "text", "Participant on side B", "SideB"),
    Column("intnl", "int8", "1: another state fought in the war", "Intnl", required=True),
    *spell_dates(1),
    *spell_dates(2),
    *spell_columns(1),
    *spell_columns(2),
    Column("transfrom", "int32", "War that became this one", "TransFrom", low=1, high=9999),
    Column("wherefought", "int8", "Where it was fought", "WhereFought", required=True),
    Column("initiator", "text", "Who began the war", "Initiator"),
    Column("outcome", "int8", "Outcome", "Outcome", required=True),
    Column("transto", "int32", "War that this one became", "TransTo", low=1, high=9999),
    Column("deaths_a", "int32", "Battle deaths of the participant on side A", "SideADeaths",
           unit="persons", low=0, thousands=True),
    Column("deaths_b", "int32", "Battle deaths of the participant on side B", "SideBDeaths",
           unit="persons", low=0, thousands=True),
    Column("version", "float64", "Release stamp of the file", "Version", required=True, keep=False),
)  # fmt: skip


@source("cow_intrastate_wars", tables={"wars": CURRENT})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read version 5.1."""
    rows = read_table(files, facts, "INTRA-STATE WARS v5.1 CSV.csv", CURRENT)
    return {"wars": with_spells(rows, (1, 2, 3, 4))}


@source("cow_intrastate_wars_4.1", tables={"participants": OLD})
def read_old(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read version 4.1."""
    rows = read_table(files, facts, "Intra-StateWarData_v4.1.csv", OLD)
    return {"participants": with_spells(rows, (1, 2))}
