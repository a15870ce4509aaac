"""State capitals: who sat where and when, with coordinates in the derived file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from foedus.sources import dates
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

CCODE = Column("ccode", "int32", "COW state number", low=1, high=999, required=True)
CAPITAL = Column("capital", "text", "Name of the capital", required=True)
NAME = Column("statenme", "text", "Name of the state", required=True)

SPELLS = (
    CCODE,
    CAPITAL,
    Column("start", "date", "First day", "stdate", required=True),
    Column("end", "date", "Last day, itself included", "enddate", required=True),
    Column("lat", "float64", "Latitude", unit="degrees north", low=-90, high=90, required=True),
    Column("lng", "float64", "Longitude", unit="degrees east", low=-180, high=180, required=True),
    NAME,
)
ORIGINAL = (
    Column("ccode", "int32", "COW state number; missing for states COW doesn't list", low=1,
           high=999),
    Column("gwcode", "int32", "Gleditsch-Ward state number; missing for states it doesn't list",
           low=1, high=999),
    CAPITAL,
    NAME,
    Column("styear", "int16", "Year in which the capital begins", low=1800, high=2100,
           required=True),
    Column("stmon", "int8", "Month in which the capital begins", low=1, high=12),
    Column("stday", "int8", "Day on which the capital begins", low=1, high=31),
    Column("endyear", "int16", "Year in which the capital ends", low=1800, high=2100,
           required=True),
    Column("endmon", "int8", "Month in which the capital ends", low=1, high=12),
    Column("endday", "int8", "Day on which the capital ends", low=1, high=31),
    Column("start_min", "date", "First day the beginning may mean", derived=True),
    Column("end_max", "date", "Last day the end may mean", derived=True),
    Column("comments", "text", "The maker's comment"),
)  # fmt: skip


@source("capitals", tables={"spells": SPELLS, "original": ORIGINAL})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the spells with coordinates and the maker's original list."""
    spells = read_table(files, facts, "cow_capitals.csv", SPELLS)
    assert spells.raw is not None
    dates.check_order(spells.raw, spells.frame, "start", "end")
    original = read_table(files, facts, "capitals.csv", ORIGINAL)
    assert original.raw is not None
    frame = original.frame.with_columns(
        start_min=dates.earliest("styear", "stmon", "stday"),
        end_max=dates.latest("endyear", "endmon", "endday"),
    )
    dates.check_exists(original.raw, frame, "start_min", "styear", "stmon", "stday")
    dates.check_exists(original.raw, frame, "end_max", "endyear", "endmon", "endday")
    return {"spells": spells, "original": Rows(frame.sort(pl.col("_row")), original.raw)}
