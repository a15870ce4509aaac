"""Alley and Fuhrmann's seven files on United States spending: yearly series, each its own table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from foedus.sources.columns import described, state, year
from foedus.sources.excel import read_excel
from foedus.sources.reading import read_delimited
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table, typed
from foedus.sources.stata import read_stata
from foedus.sources.wide import long

RIVALS_FILE = "china-cuba-sipri.csv"
US_FILE = "us-spending-sipri.csv"
_DOLLARS = "millions of constant US dollars"


def _years(last: int) -> tuple[Column, ...]:
    return tuple(
        Column(str(one), "float64", f"Military spending in {one}", unit=_DOLLARS, low=0)
        for one in range(1949, last + 1)
    )


_LONG = (
    Column("year", "int16", "Year", within_coverage=True, derived=True, required=True),
    Column("milex", "float64", "Military spending (SIPRI)", unit=_DOLLARS, low=0, derived=True,
           required=True),
)  # fmt: skip
RIVALS_WIDE = (
    Column("country", "text", "Name of the country", required=True),
    state("ccode", "COW state number"),
    *_years(2019),
)
RIVALS = (
    Column("country", "text", "Name of the country", derived=True, required=True),
    Column("ccode", "int32", "COW state number", derived=True, required=True),
    *_LONG,
)
CPI = (
    year(),
    Column("cpi_avg", "float64", "Consumer prices, mean of the year", unit="index", low=0,
           required=True),
    Column("cpi_avg_2018", "float64", "Consumer prices of 2018, the same in every row",
           unit="index", low=0, required=True),
)  # fmt: skip
FATALITIES = (
    year(),
    *described(
        """
fatalities_DMDC|Fatalities, by the Defense Manpower Data Center
fatalities_mintzhuang|Fatalities, by the column's name from Mintz and Huang
fatalities_icasualties|Fatalities, by iCasualties
fatalities_combined|Fatalities, the three put together
""",
        "int32",
        unit="persons",
        low=0,
    ),
)
FRED = (
    Column("date", "date", "Day: the end of June or September", "DATE", required=True),
    Column("gdp", "float64", "Gross domestic product of the United States", low=0,
           unit="billions of current US dollars", required=True),
    Column("budget_deficit", "float64", "Federal budget balance: below 0 a deficit",
           unit="per cent of GDP", low=-100, high=100, required=True),
)  # fmt: skip
RUSSIA = (
    year(),
    Column("russian_milex_combined", "float64", "Military spending of the Soviet Union or Russia",
           unit="as the authors scale it", low=0, required=True),
)  # fmt: skip
US_MADDISON = (
    Column("countrycode", "text", "ISO code of the country", required=True),
    Column("country", "text", "Name of the country", required=True),
    year(),
    Column("gdppc", "int32", "GDP a head", unit="2011 US dollars", low=0, thousands=True,
           required=True),
    Column("pop", "int32", "Population", unit="thousands of persons", low=0, thousands=True,
           required=True),
)  # fmt: skip
US_WIDE = (
    Column("country", "text", "Name of the country", "Country", required=True),
    *_years(2019),
)
US = (
    Column("country", "text", "Name of the country", "Country", derived=True, required=True),
    *_LONG,
)
_EARLIER: dict[int, float] = {
    1920: 57941.11, 1921: 31677.75, 1922: 14502.86, 1923: 11953.87, 1924: 11180.38,
    1925: 10600.27, 1926: 10494.79, 1927: 11145.23, 1928: 12199.98, 1929: 13500.84,
    1930: 14854.44, 1931: 15135.71, 1932: 15329.08, 1933: 14784.12, 1934: 12815.25,
    1935: 16049.83, 1936: 19811.78, 1937: 19723.88, 1938: 20690.74, 1939: 22852.99,
    1940: 41399.06, 1941: 113122.28, 1942: 405080.99, 1943: 978253.32, 1944: 1127410.23,
    1945: 1545476.0, 1946: 803641.0, 1947: 214636.0, 1948: 152027.0,
}  # fmt: skip
"""Spending before SIPRI's series begins, as the authors typed it into data/milex-data.R (millions
of constant dollars, from tables of the Center for Naval Analyses, the White House and Brooklyn
College); in none of their files."""
_UNITED_STATES, _CHINA = 2, 710
_REPUBLICANS = ((1921, 1932), (1953, 1960), (1969, 1976), (1981, 1992), (2001, 2008), (2017, 2019))
_WARS = ((1941, 1945), (1950, 1953), (1965, 1973), (1991, 1991), (1999, 1999), (2001, 2001),
         (2003, 2011))  # fmt: skip
_PRESIDENTS = (
    ("harding", 1921, 1922), ("coolidge", 1923, 1928), ("hoover", 1929, 1932),
    ("roosevelt", 1933, 1944), ("truman", 1945, 1952), ("eisenhower", 1953, 1960),
    ("kennedy", 1961, 1963), ("johnson", 1964, 1968), ("nixon", 1969, 1974), ("ford", 1975, 1976),
    ("carter", 1977, 1980), ("reagan", 1981, 1988), ("bush", 1989, 1992), ("clinton", 1993, 2000),
    ("w_bush", 2001, 2008),
)  # fmt: skip
_BILLIONS = "billions of constant US dollars"
YEARS = (
    Column("ccode", "int32", "COW state number: the United States", derived=True, required=True),
    Column("year", "int16", "Year", within_coverage=True, derived=True, required=True),
    Column("milex", "float64", "Military spending: SIPRI's from 1949, before as the authors typed "
           "it", unit=_BILLIONS, low=0, derived=True, required=True),
    Column("gdp", "float64", "Gross domestic product", low=0, derived=True,
           unit="billions of current US dollars"),
    Column("budget_deficit", "float64", "Federal budget balance: below 0 a deficit",
           unit="per cent of GDP", low=-100, high=100, derived=True),
    Column("fatalities", "int32", "Combat fatalities (fatalities_combined)", unit="persons", low=0,
           derived=True),
    Column("russia_milex", "float64", "Military spending of the Soviet Union or Russia", low=0,
           unit="as the authors scale it", derived=True),
    Column("china_milex", "float64", "Military spending of China (SIPRI)", unit=_BILLIONS, low=0,
           derived=True),
    Column("maddison_gdp", "float64", "GDP a head times population (Maddison)", low=0,
           unit="thousands of 2011 US dollars", derived=True),
    Column("republican", "int8", "1 in years of a Republican president, as the authors' script "
           "lists them", derived=True, required=True),
    Column("at_war", "int8", "1 in years of war, as the authors' script lists them", derived=True,
           required=True),
    *(
        Column(name, "int8", f"1 in {first}-{last}, the years of the president so named",
               derived=True, required=True)
        for name, first, last in _PRESIDENTS
    ),
)  # fmt: skip


@source(
    "rep_alley_fuhrmann_2021",
    tables={
        "rivals_milex": RIVALS,
        "cpi": CPI,
        "fatalities": FATALITIES,
        "fred": FRED,
        "russia_milex": RUSSIA,
        "us_maddison": US_MADDISON,
        "us_milex": US,
        "us_years": YEARS,
    },
    layouts={RIVALS_FILE: RIVALS_WIDE, US_FILE: US_WIDE},
)
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the seven files; in the two wide ones, what isn't known makes no row."""
    rivals = read_table(files, facts, RIVALS_FILE, RIVALS_WIDE)
    spending = read_table(files, facts, US_FILE, US_WIDE)
    tables = {
        "rivals_milex": Rows(long(rivals.frame, ["country", "ccode"]), rivals.raw),
        "cpi": read_stata(files["cpi_avg.dta"], CPI, facts),
        "fatalities": read_excel(files["fatalities_data.xlsx"], FATALITIES, facts),
        "fred": _fred(files["fred-data.csv"], facts),
        "russia_milex": read_table(files, facts, "russian-spending.csv", RUSSIA),
        "us_maddison": read_table(files, facts, "us-data-madison.csv", US_MADDISON),
        "us_milex": Rows(long(spending.frame, ["country"]), spending.raw),
    }
    return {**tables, "us_years": Rows(_put_together(tables), spending.raw)}


def _put_together(tables: Mapping[str, Rows]) -> pl.DataFrame:
    """Return one row a year, 1920-2019, of all that the seven files and the script say."""
    frames = {name: rows.frame for name, rows in tables.items()}
    early = pl.DataFrame({"year": list(_EARLIER), "milex": list(_EARLIER.values())})
    later = frames["us_milex"].select("year", "milex").drop_nulls("year")
    later = later.unique("year", keep="first", maintain_order=True)
    spending = pl.concat([early, later], how="vertical_relaxed")
    parts = [
        frames["fred"].select(pl.col("date").dt.year().alias("year"), "gdp", "budget_deficit"),
        frames["fatalities"].select("year", fatalities="fatalities_combined"),
        frames["russia_milex"].select("year", russia_milex="russian_milex_combined"),
        frames["rivals_milex"]
        .filter(pl.col("ccode") == _CHINA)
        .select("year", china_milex=pl.col("milex") / 1000),
        frames["us_maddison"].select(
            "year", maddison_gdp=pl.col("gdppc").cast(pl.Float64) * pl.col("pop")
        ),
    ]
    made = spending.with_columns(pl.col("year").cast(pl.Int32), pl.col("milex") / 1000)
    for part in parts:
        # A year that a file gives twice is refused where that file's own table is checked.
        once = part.with_columns(pl.col("year").cast(pl.Int32)).drop_nulls("year")
        once = once.unique("year", keep="first", maintain_order=True)
        made = made.join(once, on="year", how="left", validate="m:1")
    year = pl.col("year")
    lists = {"republican": _REPUBLICANS, "at_war": _WARS}
    lists |= {name: ((first, last),) for name, first, last in _PRESIDENTS}
    flags = {
        name: pl.any_horizontal(year.is_between(first, last) for first, last in spans).cast(pl.Int8)
        for name, spans in lists.items()
    }
    return made.sort("year").with_columns(ccode=pl.lit(_UNITED_STATES, pl.Int32), **flags)


def _fred(path: Path, facts: SourceFacts) -> Rows:
    """Read a file whose days are written 6/30/1930."""
    raw = read_delimited(path, facts, "fred-data.csv")
    if "DATE" in raw.header:
        american = pl.col("DATE").str.to_date("%m/%d/%Y", strict=False).cast(pl.String)
        raw = replace(raw, frame=raw.frame.with_columns(DATE=american.fill_null(pl.col("DATE"))))
    return Rows(typed(raw, FRED, facts), raw)
