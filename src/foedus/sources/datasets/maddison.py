"""Maddison Project Database 2018: one row a country-year."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    Column("countrycode", "text", "ISO 3166 code of the country, or the project's own",
           required=True),
    Column("country", "text", "Name of the country", required=True),
    year(),
    Column("cgdppc", "float64", "GDP a head by several benchmarks, for comparing levels", low=0,
           unit="2011 US dollars"),
    Column("rgdpnapc", "float64", "GDP a head by national growth rates, for comparing growth",
           low=0, unit="2011 US dollars"),
    Column("pop", "float64", "Population, mid-year", low=0, unit="thousands of persons"),
    Column("i_cig", "text", "How cgdppc was found between benchmarks"),
    Column("i_bm", "text", "What the benchmark of the year is"),
)  # fmt: skip


@source("maddison", tables={"country_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the country-years."""
    return {"country_years": read_table(files, facts, "maddison-data.csv", COLUMNS)}
