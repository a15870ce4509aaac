"""Three democracy scores side by side: one row a state-year."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    state("ccode", "COW state number"),
    year(),
    Column("euds", "float64", "Extended Unified Democracy Score", low=-5, high=5,
           unit="standard deviations"),
    Column("aeuds", "float64", "Extended Unified Democracy Score, adjusted", low=-5, high=5,
           unit="standard deviations"),
    Column("polity2", "int8", "Polity's polity2", low=-10, high=10),
    Column("v2x_polyarchy", "float64", "V-Dem electoral democracy index", low=0, high=1),
)  # fmt: skip


@source("democracy", tables={"state_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the extract."""
    return {"state_years": read_table(files, facts, "cw_democracy.csv.gz", COLUMNS)}
