"""Archigos 4.1: one row a leader's time in office."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources import dates
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    Column("obsid", "text", "Number of the time in office", required=True),
    Column("gwcode", "int32", "Gleditsch-Ward state number", low=1, high=999, required=True),
    Column("leadid", "text", "Number of the leader", required=True),
    Column("leader", "text", "Name of the leader", required=True),
    Column("yrborn", "int16", "Year of birth", low=1700, high=2015),
    Column("gender", "text", "Gender", required=True),
    Column("start", "date", "First day in office", "startdate", required=True),
    Column("end", "date", "Last day in office", "enddate", required=True),
    Column("entry", "text", "How the leader came into office", required=True),
    Column("exit", "text", "How the leader left office", required=True),
    Column("exitcode", "text", "How the leader left office, in more detail", required=True),
)  # fmt: skip


@source("archigos", tables={"leaders": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the extract; a leader leaves on or after the first day."""
    rows = read_table(files, facts, "archigos.csv", COLUMNS)
    assert rows.raw is not None
    dates.check_order(rows.raw, rows.frame, "start", "end")
    return {"leaders": rows}
