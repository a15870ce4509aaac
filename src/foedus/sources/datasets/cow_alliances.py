"""COW Formal Alliances 4.1 (Gibler 2009): one row an alliance, an ordered pair and a year.

The file is never part of this project: its maintainer asks that software not redistribute it. It
is read when a user puts the official one into data/raw/ and accepts it by name. Written against the
documented layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

FILE = "alliance_v4.1_by_directed_yearly.csv"
COLUMNS = (
    Column("version4id", "int32", "COW alliance number of version 4", low=1, required=True),
    state("ccode1", "COW number of the state that has the obligation"),
    Column("state_name1", "text", "Its name", keep=False),
    state("ccode2", "COW number of the state to which it has it"),
    Column("state_name2", "text", "Its name", keep=False),
    Column("dyad_st_day", "int8", "Day on which the pair's alliance began", low=1, high=31),
    Column("dyad_st_month", "int8", "Month in which it began", low=1, high=12),
    Column("dyad_st_year", "int16", "Year in which it began", low=1648),
    Column("dyad_end_day", "int8", "Day on which it ended; missing while in force", low=1, high=31),
    Column("dyad_end_month", "int8", "Month in which it ended", low=1, high=12),
    Column("dyad_end_year", "int16", "Year in which it ended", low=1816),
    Column("left_censor", "int8", "1 if in force before the coverage begins"),
    Column("right_censor", "int8", "1 if in force when the coverage ends"),
    Column("defense", "int8", "1 if a defence pact (type I)"),
    Column("neutrality", "int8", "1 if a neutrality pact (type II)"),
    Column("nonaggression", "int8", "1 if a non-aggression pact (type II)"),
    Column("entente", "int8", "1 if an entente (type III)"),
    year(),
    Column("version", "text", "Release stamp of the file", keep=False),
)


@source("cow_alliances", tables={"directed_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the directed file by year."""
    return {"directed_years": read_table(files, facts, FILE, COLUMNS)}
