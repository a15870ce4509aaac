"""COW dyadic inter-state wars 4.01 (Maoz et al. 2019): one row a war, an ordered pair and a year.

Written against the documented layout; no copy of the file was at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    Column("warnum", "int32", "COW war number", low=1, required=True),
    Column("disno", "int32", "COW dispute number of the war; missing where there is none", low=0),
    Column("dyindex", "int32", "Number of the pair in the war", low=0),
    state("statea", "COW number of the first state"),
    state("stateb", "COW number of its opponent"),
    Column("warstrtmnth", "int8", "Month in which the pair's war began", low=1, high=24),
    Column("warstrtday", "int8", "Day on which it began", low=1, high=31),
    Column("warstrtyr", "int32", "Year in which it began", low=1816),
    Column("warendmnth", "int8", "Month in which it ended", low=1, high=24),
    Column("warenday", "int8", "Day on which it ended", low=1, high=31),
    Column("warendyr", "int32", "Year in which it ended", low=1816),
    year(),
    Column("warolea", "int8", "Role of the first state in the war"),
    Column("waroleb", "int8", "Role of its opponent in the war"),
    Column("wardyadrolea", "int8", "Role of the first state in the pair"),
    Column("wardyadroleb", "int8", "Role of its opponent in the pair"),
    Column("outcomea", "int8", "Outcome for the first state, in COW's list", low=0, high=9),
    Column("batdtha", "int32", "Battle deaths of the first state", unit="persons", low=0),
    Column("batdthb", "int32", "Battle deaths of its opponent", unit="persons", low=0),
    Column("changes_1", "int8", "First change to the version before, by code"),
    Column("changes_2", "int8", "Second change to the version before, by code"),
    Column("batdths", "int32", "Battle deaths of both", unit="persons", low=0),
    Column("durindx", "int32", "Duration of the pair's war", unit="days", low=0),
)


@source("cow_dyadic_wars", tables={"dyad_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the directed file."""
    return {"dyad_years": read_table(files, facts, "directed_dyadic_war.csv", COLUMNS)}
