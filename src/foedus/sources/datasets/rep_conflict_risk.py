"""State-years with rebellion, borders and disputes; the released file repeats rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from foedus.sources.columns import state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    state("ccode", "COW state number"),
    year(),
    Column("repeat", "int16", "1 for the first row of a state-year in the file, 2 for the next",
           derived=True),
    Column("rebel", "int8", "1: rebellion in the state-year"),
    Column("borders", "int16", "Borders of the state", low=0, high=99, unit="borders"),
    Column("disputes", "float64", "Disputes of the state, not always a whole number", low=0,
           unit="disputes"),
)  # fmt: skip


@source("rep_conflict_risk", tables={"state_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the rows and number those of one state-year."""
    rows = read_table(files, facts, "conflict-risk-data.csv", COLUMNS)
    nth = pl.int_range(1, pl.len() + 1).over("ccode", "year")
    return {"state_years": Rows(rows.frame.with_columns(repeat=nth), rows.raw)}
