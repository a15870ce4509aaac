"""COW extra-state wars 4.0: one row a state in a war against a party outside the state system."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table
from foedus.sources.war_spells import spell_columns, spell_dates, with_spells

COLUMNS = (
    Column("warnum", "int32", "COW war number", "WarNum", low=1, high=9999, required=True),
    Column("warname", "text", "Name of the war", "WarName", required=True),
    Column("wartype", "int8", "Type of war", "WarType", required=True),
    Column("ccode1", "int32", "COW number of the state on side A; missing when this row has none",
           low=1, high=999),
    Column("sidea", "text", "Name of the state on side A; missing when this row has none", "SideA"),
    Column("ccode2", "int32", "COW number of a state on side B; missing when this row has none",
           low=1, high=999),
    Column("sideb", "text", "Name of the party on side B; missing when another row has it",
           "SideB"),
    *spell_dates(1),
    *spell_dates(2),
    *spell_columns(1),
    *spell_columns(2),
    Column("initiator", "int8", "1 if the party of the row began the war", "Initiator",
           required=True),
    Column("interven", "int8", "1 if other states intervened", "Interven", required=True),
    Column("transfrom", "int32", "War that became this one", "TransFrom", low=1, high=9999),
    Column("outcome", "int8", "Outcome", "Outcome", required=True),
    Column("transto", "int32", "War that this one became", "TransTo", low=1, high=9999),
    Column("wherefought", "int8", "Where it was fought", "WhereFought", required=True),
    Column("batdeath", "int32", "Battle deaths of the state", "BatDeath", unit="persons", low=0,
           thousands=True),
    Column("nonstatedeaths", "int32", "Combat deaths of the non-state side", "NonStateDeaths",
           unit="persons", low=0, thousands=True),
    Column("version", "float64", "Release stamp of the file", "Version", required=True, keep=False),
)  # fmt: skip


@source("cow_extrastate_wars", tables={"participants": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read version 4.0: cp1252, bare CR line ends, and a column name that ends in a blank."""
    rows = read_table(files, facts, "Extra-StateWarData_v4.0.csv", COLUMNS)
    return {"participants": with_spells(rows, (1, 2))}
