"""Clauset's list of inter-state wars: onset year and battle deaths, a check on our own reading."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

WARS = (
    Column("warnum", "int32", "COW war number", "index", low=1, high=999, required=True),
    Column("year", "int16", "Year in which the war began", within_coverage=True, required=True),
    Column("batdeath", "int32", "Battle deaths of all sides", "battle_deaths", unit="persons",
           low=0, required=True),
    Column("end_year", "int16", "Year in which the war ended", "year#2", within_coverage=True,
           required=True),
)  # fmt: skip


@source("rep_clauset_2018", tables={"wars": WARS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the tab-separated list, two of whose columns are named year."""
    return {"wars": read_table(files, facts, "clauset_2018_wars_cow_v4.txt", WARS)}
