"""Williams's wars with population, spending and regime of the belligerents: one row a war."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import described, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

_WORDS = {"sum": "Sum", "mea": "Mean", "med": "Median", "min": "Least", "max": "Greatest"}


def _over_belligerents(
    names: tuple[str, ...], variable: str, says: str, unit: str, low: float, high: float | None
) -> tuple[Column, ...]:
    lines = [f"{name}_{variable}|{_WORDS[name]} {says} of the belligerents" for name in names]
    return described("\n".join(lines), "float64", unit=unit, low=low, high=high)


COLUMNS = (
    Column("warnum", "int32", "COW war number", low=1, high=999, required=True),
    year("Year in which it begins"),
    Column("batdeath", "int32", "Battle deaths", low=1, unit="persons", required=True),
    Column("batdeathpc", "float64", "Battle deaths over the belligerents' population", low=0,
           high=1, unit="share", required=True),
    Column("tpop", "int64", "Population of the belligerents", low=1, unit="thousands of persons",
           required=True),
    Column("milper", "int64", "Military personnel of the belligerents", low=0,
           unit="thousands of persons", required=True),
    Column("milex", "int64", "Military spending of the belligerents, as the NMC has it", low=0,
           unit="thousands of pounds to 1913, then of US dollars", required=True),
    *_over_belligerents(("sum", "mea", "med", "min", "max"), "sdpest",
                        "surplus domestic product", "dollars", 0, None),
    *_over_belligerents(("sum", "mea", "med", "min", "max"), "wbgdp2011est", "GDP",
                        "2011 dollars", 0, None),
    *_over_belligerents(("min", "med", "mea", "max"), "polyarchy",
                        "V-Dem electoral democracy index", "", 0, 1),
    *_over_belligerents(("min", "med", "mea", "max"), "polity2", "polity2", "", -10, 10),
    Column("wpop", "int64", "Population of the world", low=1, unit="persons", required=True),
)  # fmt: skip


@source("rep_williams_2024", tables={"wars": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the author's file."""
    return {"wars": read_table(files, facts, "williams_2024_war_year.csv", COLUMNS)}
