"""Gleditsch & Ward's list of independent states: spells of independence by day.

No copy was at hand; written against the documented layout of iisystem.dat: tab-separated, no
header, days as dd:mm:yyyy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from foedus.sources import dates
from foedus.sources.reading import read_headerless
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, typed

FILE = "iisystem.dat"
_HEADER = ("gwcode", "abbreviation", "name", "first_day", "last_day")
STATES = (
    Column("gwcode", "int32", "Gleditsch-Ward state number", low=1, high=999, required=True),
    Column("abbreviation", "text", "Three-letter abbreviation", required=True),
    Column("name", "text", "Name", required=True),
    Column("first_day", "text", "First day as the file has it", required=True, keep=False),
    Column("last_day", "text", "Last day as the file has it", required=True, keep=False),
    Column("spell", "int16", "Number of the state's spell, 1 for its first", derived=True),
    Column("start", "date", "First day of the spell", derived=True),
    Column("end", "date", "Last day of the spell, itself included", derived=True),
)


@source("gw_states", tables={"states": STATES})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the list; a day that doesn't exist or is written otherwise stops the reading."""
    raw = read_headerless(files[FILE], facts, _HEADER, FILE)
    frame = typed(raw, STATES, facts)
    frame = frame.with_columns(
        dates.parse(raw, frame, column, "%d:%m:%Y").alias(name)
        for column, name in (("first_day", "start"), ("last_day", "end"))
    )
    dates.check_order(raw, frame, "start", "end")
    dates.check_no_overlap(raw, frame, "gwcode")
    spell = pl.col("start").rank("ordinal").over("gwcode").alias("spell")
    return {"states": Rows(frame.with_columns(spell), raw)}
