"""COW inter-state wars 4.0: one row a state and side of a war, with up to two spells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table
from foedus.sources.war_spells import spell_columns, spell_dates, with_spells

COLUMNS = (
    Column("warnum", "int32", "COW war number", "WarNum", low=1, high=999, required=True),
    Column("warname", "text", "Name of the war", "WarName", required=True),
    Column("wartype", "int8", "Type of war: 1, inter-state", "WarType", required=True),
    Column("ccode", "int32", "COW state number", low=1, high=999, required=True),
    Column("statename", "text", "Name of the state", "StateName", required=True),
    Column("side", "int8", "Side; a state that changed sides stands on both", "Side",
           required=True),
    *spell_dates(1),
    *spell_dates(2),
    *spell_columns(1, ends_known=True),
    *spell_columns(2, ends_known=True),
    Column("transfrom", "text", "War (or wars) that became this one", "TransFrom"),
    Column("wherefought", "int8", "Where it was fought", "WhereFought", required=True),
    Column("initiator", "int8", "1 if the state began the war, 0 if not", "Initiator",
           required=True),
    Column("outcome", "int8", "Outcome for the state", "Outcome", required=True),
    Column("transto", "int32", "War that this one became", "TransTo", low=1, high=9999),
    Column("batdeath", "int32", "Battle deaths of the state", "BatDeath", unit="persons", low=0,
           thousands=True),
    Column("version", "float64", "Release stamp of the file", "Version", required=True, keep=False),
)  # fmt: skip


@source("cow_interstate_wars", tables={"participants": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read version 4.0, whose lines end in a bare CR."""
    rows = read_table(files, facts, "Inter-StateWarData_v4.0.csv", COLUMNS)
    frame = rows.frame.with_columns(initiator=(rows.frame["initiator"] == 1).cast(int))
    return {"participants": with_spells(Rows(frame, rows.raw), (1, 2))}
