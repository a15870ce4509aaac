"""Thompson, Sakuwa and Suhas's strategic rivalries: spells of non-directed dyads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.registry import SourceFacts, source
from foedus.sources.rivalry_spells import split_at_the_empires_end
from foedus.sources.schema import Column, Rows, check_years, read_table

SPELLS = (
    Column("tssr_id", "int32", "Number of the rivalry", low=1, required=True),
    Column("rivalry", "text", "Name of the rivalry", required=True),
    Column("ccode1", "int32", "COW number of the state with the lower number", low=1, high=999,
           required=True),
    Column("ccode2", "int32", "COW number of the other state", low=1, high=999, required=True),
    Column("styear", "int16", "First year", "start", within_coverage=True, required=True),
    Column("endyear", "int16", "Last year, itself included", "end", within_coverage=True,
           required=True),
    Column("positional", "int8", "1 if over position; missing when not"),
    Column("spatial", "int8", "1 if over territory; missing when not"),
    Column("ideological", "int8", "1 if over ideology; missing when not"),
    Column("interventionary", "int8", "1 if over intervention; missing when not"),
    Column("principal", "int8", "1 if a principal rivalry; missing when not"),
    Column("aprin", "int8", "1 if an asymmetric principal rivalry; missing when not"),
)  # fmt: skip


@source("rivalries_tss", tables={"spells": SPELLS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the spells; one of them outlives Austria-Hungary and becomes two."""
    rows = read_table(files, facts, "tss_rivalries.csv", SPELLS)
    check_years(rows, "styear", "endyear")
    return {"spells": split_at_the_empires_end(rows)}
