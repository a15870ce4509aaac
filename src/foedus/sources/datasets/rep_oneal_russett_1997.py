"""Oneal and Russett's politically relevant dyad-years 1951-1985, with Beck, Katz and Tucker's time.

The file is the one that Beck, Katz and Tucker (1998) released with their re-analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    Column("dyadid", "int32", "Number of the dyad: 1000 times the first state's, plus the other's",
           low=2003, high=999999, required=True),
    Column("id", "float64", "Another number of the dyad: the first state's, the other's as "
           "thousandths", low=2, high=1000, required=True),
    state("statea", "COW number of the state with the lower number"),
    state("stateb", "COW number of the other state"),
    year(),
    Column("start", "int16", "Years since the dyad's clock began, at the year's start",
           unit="years", low=0, high=34, required=True),
    Column("stop", "int16", "Years since the dyad's clock began, at the year's end", unit="years",
           low=1, high=35, required=True),
    Column("futime", "int16", "Last year in which the dyad is observed, on the same clock",
           unit="years", low=1, high=35, required=True),
    Column("dispute", "int8", "1: the dyad is in a militarized dispute in the year",
           required=True),
    Column("allies", "int8", "1: allied, or both allied with the United States", required=True),
    Column("contig", "int8", "1: contiguous", required=True),
    Column("trade", "float64", "The lower of the two states' trade with the other over its GDP",
           unit="share of GDP", low=0, high=1, required=True),
    Column("growth", "float64", "The lower of the two states' growth of GDP", unit="share",
           low=-1, high=1, required=True),
    Column("democracy", "float64", "The lower of the two states' democracy score, -1 to 1",
           low=-1, high=1, required=True),
    Column("capratio", "float64", "Ratio of capabilities, as the authors scale it", low=0,
           required=True),
)  # fmt: skip


@source("rep_oneal_russett_1997", tables={"dyad_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the dyad-years."""
    return {"dyad_years": read_table(files, facts, "oneal_russett_1997.csv", COLUMNS)}
