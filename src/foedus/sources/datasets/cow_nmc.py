"""COW National Material Capabilities: six indicators a state-year and their index."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

INDICATORS = (
    Column("milex", "int64", "Military expenditure", low=0,
           unit="thousands of current pounds sterling to 1913, of current US dollars from 1914"),
    Column("milper", "int32", "Military personnel", unit="thousands of persons", low=0),
    Column("irst", "int32", "Iron and steel production", unit="thousands of tons", low=0),
    Column("pec", "int64", "Primary energy consumption",
           unit="thousands of coal-ton equivalents", low=0),
    Column("tpop", "float64", "Total population", unit="thousands of persons", low=0),
    Column("upop", "float64", "Urban population (cities of 100,000 and more)",
           unit="thousands of persons", low=0),
    Column("cinc", "float64",
           "Composite index of national capability: mean share of the system's six totals",
           unit="share of the system", low=0, high=1),
)  # fmt: skip
KEYS = (
    Column("ccode", "int32", "COW state number", low=1, high=999, required=True),
    Column("year", "int16", "Year", within_coverage=True, required=True),
)
COLUMNS = (
    *KEYS,
    *INDICATORS,
    Column("stateabb", "text", "COW three-letter abbreviation", required=True, keep=False),
    Column("version", "int32", "Release stamp of the file", required=True, keep=False),
)


@source("cow_nmc", tables={"state_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the abridged state-year file of version 6.0."""
    return {"state_years": read_table(files, facts, "NMC-60-abridged.csv", COLUMNS)}


DERIVED = (*KEYS, *INDICATORS)


@source("cow_nmc_7.0", tables={"state_years": DERIVED})
def read_derived(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read another project's extract of version 7.0."""
    return {"state_years": read_table(files, facts, "cow_nmc.csv", DERIVED)}


@source("cow_nmc_7.0_official", tables={"state_years": COLUMNS})
def read_official(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read version 7.0 as COW releases it; laid out as 6.0, written without a copy at hand."""
    return {"state_years": read_table(files, facts, "NMC-70-abridged.csv", COLUMNS)}
