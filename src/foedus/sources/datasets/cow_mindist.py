"""Minimum distance between two states' borders, non-directed dyad-year."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    Column("ccode1", "int32", "COW number of the state with the lower number", low=1, high=999,
           required=True),
    Column("ccode2", "int32", "COW number of the other state", low=1, high=999, required=True),
    Column("year", "int16", "Year", within_coverage=True, required=True),
    Column("min_distance_km", "float64", "Shortest distance between the two territories",
           "mindist", unit="kilometres", low=0, high=20038, required=True),
)  # fmt: skip


@source("cow_mindist", tables={"dyad_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the extract; a pair stands once a year, the lower number first."""
    return {"dyad_years": read_table(files, facts, "cow_mindist.csv.gz", COLUMNS)}
