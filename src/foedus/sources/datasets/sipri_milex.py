"""SIPRI military spending: a wide sheet of countries by years, made long."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table
from foedus.sources.wide import long

FILE = "sipri-milex-data.csv"
UNIT = "millions of constant US dollars"
YEARS = range(1949, 2019)
WIDE = (
    Column("country", "text", "Name of the country", "Country", required=True),
    *(
        Column(str(one), "float64", f"Military spending in {one}", unit=UNIT, low=0)
        for one in YEARS
    ),
)
LONG = (
    Column("country", "text", "Name of the country, as SIPRI spells it", "Country", derived=True,
           required=True),
    Column("year", "int16", "Year", within_coverage=True, derived=True, required=True),
    Column("milex", "float64", "Military spending", unit=UNIT, low=0, derived=True, required=True),
)  # fmt: skip


@source("sipri_milex", tables={"country_years": LONG}, layouts={FILE: WIDE})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the sheet; what isn't known has no row."""
    rows = read_table(files, facts, FILE, WIDE)
    return {"country_years": Rows(long(rows.frame, ["country"]), rows.raw)}
