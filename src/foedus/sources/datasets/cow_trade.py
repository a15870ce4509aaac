"""COW national trade 4.0: one row a state-year."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    state("ccode", "COW state number"),
    year(),
    Column("imports", "float64", "Imports from all states", low=0,
           unit="millions of current US dollars"),
    Column("exports", "float64", "Exports to all states", low=0,
           unit="millions of current US dollars"),
)  # fmt: skip


@source("cow_trade", tables={"state_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the extract."""
    return {"state_years": read_table(files, facts, "cow_trade_sy.csv.gz", COLUMNS)}
