"""Thompson and Dreyer's rivalries: spells of non-directed dyads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.registry import SourceFacts, source
from foedus.sources.rivalry_spells import split_at_the_empires_end
from foedus.sources.schema import Column, Rows, check_years, read_table

SPELLS = (
    Column("rivalryno", "int32", "Number of the rivalry", low=1, required=True),
    Column("rivalryname", "text", "Name of the rivalry", required=True),
    Column("ccode1", "int32", "COW number of the state with the lower number", low=1, high=999,
           required=True),
    Column("ccode2", "int32", "COW number of the other state", low=1, high=999, required=True),
    Column("styear", "int16", "First year", within_coverage=True, required=True),
    Column("endyear", "int16", "Last year, itself included", within_coverage=True, required=True),
    Column("region", "text", "Region or regions", required=True),
    Column("type1", "text", "First type", required=True),
    Column("type2", "text", "Second type; missing when there is none"),
    Column("type3", "text", "Third type; missing when there is none"),
)  # fmt: skip


@source("rivalries_td", tables={"spells": SPELLS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the spells; one of them outlives Austria-Hungary and becomes two."""
    rows = read_table(files, facts, "td_rivalries.csv", SPELLS)
    check_years(rows, "styear", "endyear")
    return {"spells": split_at_the_empires_end(rows)}
