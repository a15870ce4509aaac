"""Arms races of Gibler, Rider and Hutchison: spells of non-directed dyads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, check_years, read_table

SPELLS = (
    Column("race_id", "int32", "Number of the arms race", low=1, required=True),
    state("ccode1", "COW number of the state with the lower number"),
    state("ccode2", "COW number of the other state"),
    year("First year", "styear"),
    year("Last year, itself included", "endyear"),
)


@source("arms_races", tables={"spells": SPELLS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the spells."""
    rows = read_table(files, facts, "grh_arms_races.csv", SPELLS)
    check_years(rows, "styear", "endyear")
    return {"spells": rows}
