"""COW territorial change 6: one row a change of a territory's ruler."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    Column("number", "int32", "Number of the change", low=1, required=True),
    year(),
    Column("month", "int8", "Month", low=1, high=12),
    Column("gainer", "int32", "COW number of the state that gains", low=1, high=999),
    Column("gaintype", "int8", "What the territory is to the gainer"),
    Column("procedur", "int8", "How the territory changes hands"),
    Column("entity", "int32", "COW number of the territory", low=1, high=9999),
    Column("contgain", "int8", "1: contiguous to the gainer"),
    Column("area", "float64", "Area", unit="square kilometres", low=0),
    Column("pop", "int64", "Population", unit="persons", low=0),
    Column("portion", "int8", "Whether all of the territory changes hands", required=True),
    Column("loser", "int32", "COW number of the state that loses, or of an entity outside the "
           "system", low=1, high=9999),
    Column("losetype", "int8", "What the territory is to the loser"),
    Column("contlose", "int8", "1: contiguous to the loser"),
    Column("entry", "int8", "1: a state enters the system by the change"),
    Column("exit", "int8", "1: a state leaves the system by the change"),
    Column("indep", "int8", "1: the change makes an independent state", required=True),
    Column("conflict", "int8", "1: military forces fought over it", required=True),
    Column("version", "int8", "Release in which the row was coded", required=True),
)  # fmt: skip


@source("cow_territorial_change", tables={"changes": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read version 6."""
    return {"changes": read_table(files, facts, "tc2018.csv", COLUMNS)}
