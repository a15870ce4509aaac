"""COW state system membership: spells, major powers and the state-year list.

States leave the system and come back (France 1942-1944), so a state is its spells, never one
interval. Ends are inclusive: the last day on which the state is a member.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from foedus.sources import dates
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

CCODE = Column("ccode", "int32", "COW state number", low=1, high=999, required=True)
ABBREVIATION = Column("stateabb", "text", "COW three-letter abbreviation", required=True)
VERSION = Column("version", "int32", "Release stamp of the file", required=True, keep=False)


def _dated(first: list[Column]) -> tuple[Column, ...]:
    parts = [
        Column("styear", "int16", "Year of the first day", within_coverage=True, required=True),
        Column("stmonth", "int8", "Month of the first day", low=1, high=12, required=True),
        Column("stday", "int8", "Day of the first day", low=1, high=31, required=True),
        Column("endyear", "int16", "Year of the last day", within_coverage=True, required=True),
        Column("endmonth", "int8", "Month of the last day", low=1, high=12, required=True),
        Column("endday", "int8", "Day of the last day", low=1, high=31, required=True),
    ]
    made = [
        Column("spell", "int16", "Number of the state's spell, 1 for its first", derived=True),
        Column("start", "date", "First day of the spell", derived=True),
        Column("end", "date", "Last day of the spell, itself included", derived=True),
    ]
    return (*first, *made, *(_dropped(column) for column in parts), VERSION)


def _dropped(column: Column) -> Column:
    return Column(
        column.name, column.kind, column.definition, low=column.low, high=column.high,
        within_coverage=column.within_coverage, required=column.required, keep=False,
    )  # fmt: skip


STATES = _dated([CCODE, ABBREVIATION, Column("statenme", "text", "Name", required=True)])
MAJORS = _dated([CCODE, ABBREVIATION])
SYSTEM = (
    CCODE,
    Column("year", "int16", "Year", within_coverage=True, required=True),
    ABBREVIATION,
    VERSION,
)


@source("cow_states", tables={"states": STATES, "majors": MAJORS, "system": SYSTEM})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read membership spells, major-power spells and the state-year list."""
    return {
        "states": _spells(read_table(files, facts, "states2016.csv", STATES)),
        "majors": _spells(read_table(files, facts, "majors2016.csv", MAJORS)),
        "system": read_table(files, facts, "system2016.csv", SYSTEM),
    }


@source("cow_states_2024", tables={"states": STATES, "majors": MAJORS, "system": SYSTEM})
def read_2024(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read release 2024, laid out alike; written without a copy at hand."""
    return {
        "states": _spells(read_table(files, facts, "statelist2024.csv", STATES)),
        "majors": _spells(read_table(files, facts, "majors2024.csv", MAJORS)),
        "system": read_table(files, facts, "system2024.csv", SYSTEM),
    }


def _spells(rows: Rows) -> Rows:
    assert rows.raw is not None
    frame = rows.frame.with_columns(
        start=dates.earliest("styear", "stmonth", "stday"),
        end=dates.latest("endyear", "endmonth", "endday"),
    )
    dates.check_exists(rows.raw, frame, "start", "styear", "stmonth", "stday")
    dates.check_exists(rows.raw, frame, "end", "endyear", "endmonth", "endday")
    dates.check_order(rows.raw, frame, "start", "end")
    dates.check_no_overlap(rows.raw, frame, "ccode")
    spell = pl.col("start").rank("ordinal").over("ccode").alias("spell")
    return Rows(frame.with_columns(spell), rows.raw)
