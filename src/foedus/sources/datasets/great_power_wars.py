"""Wars of the great powers since 1495 with their battle deaths: one row a war and year."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

WARS = (
    Column("name", "text", "Name of the war", required=True),
    year("Year in which it begins"),
    Column("battle_deaths", "int32", "Battle deaths", low=0, unit="persons", required=True),
    Column("source", "text", "List from which the deaths are taken", required=True),
)


@source("great_power_wars", tables={"wars": WARS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the list."""
    return {"wars": read_table(files, facts, "majorPowerWars.csv", WARS)}


@source("rep_cederman_2011", tables={"wars": WARS})
def read_cederman(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the same list under the name of the article that used it."""
    return {"wars": read_table(files, facts, "cederman_2011_major_power_wars.csv", WARS)}
