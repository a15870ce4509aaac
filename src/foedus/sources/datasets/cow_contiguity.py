"""COW direct contiguity 3.2: directed dyad-years that touch by land, river or narrow water."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from foedus.sources.reading import ROW
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, check_unique, read_table

COLUMNS = (
    Column("ccode1", "int32", "COW number of the first state", "state1no", low=1, high=999,
           required=True),
    Column("ccode2", "int32", "COW number of the second state", "state2no", low=1, high=999,
           required=True),
    Column("year", "int16", "Year", within_coverage=True, required=True),
    Column("conttype", "int8", "Closest way in which the two were contiguous in the year",
           required=True),
    Column("conttype_max", "int8",
           "Farthest way in the year; other than conttype where a border moved within the year",
           derived=True),
    Column("dyad", "int32", "COW dyad number, ccode1 * 1000 + ccode2", keep=False),
    Column("state1ab", "text", "Abbreviation of the first state", keep=False),
    Column("state2ab", "text", "Abbreviation of the second state", keep=False),
    Column("version", "float64", "Release stamp of the file", required=True, keep=False),
)  # fmt: skip


@source("cow_contiguity", tables={"dyad_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the directed dyad-years; both directions stand in the file."""
    rows = read_table(files, facts, "contdird.csv", COLUMNS)
    check_unique(rows, ["ccode1", "ccode2", "year", "conttype"], facts, "dyad_years")
    # ASSUME: a pair whose type changed within the year has the closest type that year.
    frame = rows.frame.group_by("ccode1", "ccode2", "year", maintain_order=True).agg(
        pl.col("conttype").min(),
        pl.col("conttype").max().alias("conttype_max"),
        pl.col(ROW).first(),
    )
    return {"dyad_years": Rows(frame, rows.raw)}
