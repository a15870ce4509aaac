"""Brecke's conflict catalogue: violent conflicts since 1400, one row a conflict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from foedus.sources import dates
from foedus.sources.columns import described
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    Column("name", "text", "Parties and years of the conflict", "Name", required=True),
    Column("repeat", "int16", "1 for the first row of a name and year in the file, 2 for the next",
           derived=True),
    Column("common_name", "text", "Common name of the conflict", "Common Name"),
    Column("countrycode", "int32", "COW state number, for some conflicts", "CountryCode", low=1,
           high=999),
    Column("actors", "int16", "Number of parties", "NumberActors", unit="parties", low=0),
    Column("deaths_military", "int32", "Military deaths", "MilFatalities", unit="persons", low=0),
    Column("deaths", "int32", "All deaths", "TotalFatalities", unit="persons", low=0),
    Column("start_min", "date", "First day the beginning may mean", derived=True),
    Column("end_max", "date", "Last day the end may mean", derived=True),
    Column("start_precision", "text", "How much of the beginning is known", derived=True),
    Column("end_precision", "text", "How much of the end is known", derived=True),
    Column("startyear", "int16", "Year in which it begins", "StartYear", within_coverage=True,
           required=True),
    Column("startmonth", "int8", "Month in which it begins", "StartMonth", low=1, high=12),
    Column("startday", "int8", "Day on which it begins", "StartDay", low=1, high=31),
    Column("endyear", "int16", "Year in which it ends", "EndYear", within_coverage=True),
    Column("endmonth", "int8", "Month in which it ends", "EndMonth", low=1, high=12),
    Column("endday", "int8", "Day on which it ends", "EndDay", low=1, high=31),
    Column("region", "int8", "Region", "Region"),
    Column("century", "int8", "Century: 1 for 1400 to 1499, and so on", "Century", low=1, high=7,
           required=True),
    Column("decade", "int16", "Decade: the year's first three digits", "Decade", low=140, high=200,
           required=True),
    *described("duration_days=DurationD|Duration", "int32", unit="days", low=0),
    *described("duration_months=DurationM|Duration", "int32", unit="months", low=0),
    *described("duration_years=DurationY|Duration", "int32", unit="years", low=0),
)  # fmt: skip


@source("conflict_catalogue", tables={"conflicts": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the catalogue; unknown months and days are spans of days."""
    rows = read_table(files, facts, "conflictCatalogue.csv", COLUMNS)
    assert rows.raw is not None
    begin, finish = ("startyear", "startmonth", "startday"), ("endyear", "endmonth", "endday")
    frame = dates.with_span(rows.frame, rows.raw, begin, finish)
    frame = frame.with_columns(repeat=pl.int_range(1, pl.len() + 1).over("name", "startyear"))
    return {"conflicts": Rows(frame, rows.raw)}
