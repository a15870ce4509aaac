"""COW direct contiguity 3.2 as spells of directed dyads, known to the month."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from foedus.sources import dates
from foedus.sources.columns import state
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

SPELLS = (
    state("ccode1", "COW number of state 1"),
    state("ccode2", "COW number of state 2"),
    Column("start", "date", "First day of the month in which the spell begins", "stdate",
           required=True),
    Column("end_month", "date", "First day of the month in which the spell ends", "enddate",
           required=True),
    Column("end_max", "date", "Last day of the month in which the spell ends", derived=True),
    Column("conttype", "int8", "Type of contiguity", required=True),
)  # fmt: skip


@source("cow_contiguity_spells", tables={"spells": SPELLS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the spells; days are the first of a month, whatever the month's day was."""
    rows = read_table(files, facts, "contdir_spells.csv", SPELLS)
    assert rows.raw is not None
    dates.check_order(rows.raw, rows.frame, "start", "end_month")
    frame = rows.frame.with_columns(end_max=pl.col("end_month").dt.month_end())
    return {"spells": Rows(frame, rows.raw)}
