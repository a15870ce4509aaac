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
    },
    layouts={RIVALS_FILE: RIVALS_WIDE, US_FILE: US_WIDE},
)
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the seven files; in the two wide ones, what isn't known makes no row."""
    rivals = read_table(files, facts, RIVALS_FILE, RIVALS_WIDE)
    spending = read_table(files, facts, US_FILE, US_WIDE)
    return {
        "rivals_milex": Rows(long(rivals.frame, ["country", "ccode"]), rivals.raw),
        "cpi": read_stata(files["cpi_avg.dta"], CPI, facts),
        "fatalities": read_excel(files["fatalities_data.xlsx"], FATALITIES, facts),
        "fred": _fred(files["fred-data.csv"], facts),
        "russia_milex": read_table(files, facts, "russian-spending.csv", RUSSIA),
        "us_maddison": read_table(files, facts, "us-data-madison.csv", US_MADDISON),
        "us_milex": Rows(long(spending.frame, ["country"]), spending.raw),
    }


def _fred(path: Path, facts: SourceFacts) -> Rows:
    """Read a file whose days are written 6/30/1930."""
    raw = read_delimited(path, facts, "fred-data.csv")
    if "DATE" in raw.header:
        american = pl.col("DATE").str.to_date("%m/%d/%Y", strict=False).cast(pl.String)
        raw = replace(raw, frame=raw.frame.with_columns(DATE=american.fill_null(pl.col("DATE"))))
    return Rows(typed(raw, FRED, facts), raw)
