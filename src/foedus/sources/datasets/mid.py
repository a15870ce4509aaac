"""COW militarized interstate disputes: disputes (A) and spells of participation (B).

An unknown day is missing and the date a span: `start_min` to `start_max`, `end_min` to `end_max`.
A state can stand twice in a dispute, once a spell, so that the key of B needs the first day.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from foedus.sources import dates
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

DISPNUM = Column("dispnum", "int32", "COW dispute number", low=1, high=99999, required=True)
SPAN = (
    Column("start_min", "date", "First day the beginning may mean", derived=True),
    Column("start_max", "date", "Last day the beginning may mean", derived=True),
    Column("end_min", "date", "First day the end may mean", derived=True),
    Column("end_max", "date", "Last day the end may mean", derived=True),
)
DATES = (
    Column("stday", "int8", "Day of the beginning; missing when unknown", low=1, high=31),
    Column("stmon", "int8", "Month of the beginning", low=1, high=12),
    Column("styear", "int16", "Year of the beginning", within_coverage=True, required=True),
    Column("endday", "int8", "Day of the end; missing when unknown", low=1, high=31),
    Column("endmon", "int8", "Month of the end", low=1, high=12),
    Column("endyear", "int16", "Year of the end", within_coverage=True, required=True),
)
FATALITY = (
    Column("fatality", "int8", "Level of battle deaths"),
    Column("fatalpre", "int32", "Battle deaths where known to the man", unit="persons", low=0),
)
HOSTILITY = (
    Column("hiact", "int8", "Highest action, in COW's list of actions", low=0, high=22),
    Column("hostlev", "int8", "Level of hostility reached", required=True),
)
VERSION = Column("version", "float64", "Release stamp of the file", required=True, keep=False)


def disputes(ongoing: str) -> tuple[Column, ...]:
    """Return the columns of the dispute file; `ongoing` names the flag of the last year."""
    return (
        DISPNUM,
        *SPAN,
        *DATES,
        Column("outcome", "int8", "Outcome"),
        Column("settle", "int8", "Kind of settlement"),
        *FATALITY,
        Column("maxdur", "int32", "Longest duration the dates allow", unit="days", low=0),
        Column("mindur", "int32", "Shortest duration the dates allow", unit="days", low=0),
        *HOSTILITY,
        Column("recip", "int8", "1 if the target answered with a militarized action"),
        Column("numa", "int16", "States on side A", unit="states", low=1, high=500),
        Column("numb", "int16", "States on side B", unit="states", low=1, high=500),
        Column(ongoing, "int8", "1 if the dispute went on when the coverage ends"),
        VERSION,
    )


PARTICIPANTS = (
    DISPNUM,
    Column("ccode", "int32", "COW state number", low=1, high=999, required=True),
    Column("stabb", "text", "COW three-letter abbreviation", required=True),
    *SPAN,
    *DATES,
    Column("sidea", "int8", "1 if on the side that took the first action", required=True),
    Column("revstate", "int8", "1 if the state wanted to revise the status quo"),
    Column("revtype1", "int8", "First kind of revision wanted"),
    Column("revtype2", "int8", "Second kind of revision wanted"),
    *FATALITY,
    *HOSTILITY,
    Column("orig", "int8", "1 if in the dispute from its first day", required=True),
    VERSION,
)
DISPUTES = disputes("ongo2014")

_INCIDENT = Column("incidnum", "int32", "COW incident number", low=1, required=True)
_ACTION = (
    Column("action", "int8", "Action, in COW's list of actions", low=0, high=22),
    Column("hostlev", "int8", "Level of hostility of the action", required=True),
)
INCIDENTS = (
    DISPNUM,
    _INCIDENT,
    *SPAN,
    *DATES,
    Column("duration", "int32", "Duration", unit="days", low=0),
    Column("tbi", "int32", "Time since the incident before", unit="days", low=0),
    *FATALITY,
    *_ACTION,
    Column("numa", "int16", "States on the side that acted", unit="states", low=1, high=500),
    VERSION,
)
INCIDENT_PARTICIPANTS = (
    DISPNUM,
    _INCIDENT,
    Column("ccode", "int32", "COW state number", low=1, high=999, required=True),
    Column("stabb", "text", "COW three-letter abbreviation", required=True),
    *SPAN,
    *DATES,
    Column("insidea", "int8", "1 if on the acting side of the incident"),
    Column("sidea", "int8", "1 if on side A of the dispute"),
    *FATALITY,
    *_ACTION,
    Column("revtype1", "int8", "First kind of revision wanted"),
    Column("revtype2", "int8", "Second kind of revision wanted"),
    VERSION,
)

_OLD_LINKS = (
    Column("dispnum4", "int32", "Number in version 4's own count; missing for older disputes"),
    Column("link1", "text", "First related dispute, or war (with a W); 0 for none"),
    Column("link2", "text", "Second related dispute or war; 0 for none"),
    Column("link3", "text", "Third related dispute or war; 0 for none"),
)
_CHANGES = tuple(
    Column(f"changes_{number}", "int8", "What version 4.2 changed against 4.1, by code", low=0)
    for number in (1, 2, 3)
)
_OLD_NUMBER = Column(
    "dispnum", "int32", "COW dispute number", "dispnum3", low=1, high=99999, required=True
)
OLD_DISPUTES = (_OLD_NUMBER, *disputes("ongo2010")[1:-1], *_OLD_LINKS, *_CHANGES[:2], VERSION)
OLD_PARTICIPANTS = (_OLD_NUMBER, *PARTICIPANTS[1:-1], _OLD_LINKS[0], *_CHANGES, VERSION)


@source(
    "mid",
    tables={
        "disputes": DISPUTES,
        "participants": PARTICIPANTS,
        "incidents": INCIDENTS,
        "incident_participants": INCIDENT_PARTICIPANTS,
    },
)
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read MID 5.0: disputes, participants and, from 1993 on, their incidents."""
    return {
        "disputes": spans(read_table(files, facts, "MIDA 5.0.csv", DISPUTES)),
        "participants": spans(read_table(files, facts, "MIDB 5.0.csv", PARTICIPANTS)),
        "incidents": spans(read_table(files, facts, "MIDI 5.0.csv", INCIDENTS)),
        "incident_participants": spans(
            read_table(files, facts, "MIDIP 5.0.csv", INCIDENT_PARTICIPANTS)
        ),
    }


@source("mid_4.2", tables={"disputes": OLD_DISPUTES, "participants": OLD_PARTICIPANTS})
def read_old(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read MID 4.2."""
    return {
        "disputes": spans(read_table(files, facts, "MIDA_4.2.csv", OLD_DISPUTES)),
        "participants": spans(read_table(files, facts, "MIDB_4.2.csv", OLD_PARTICIPANTS)),
    }


def spans(rows: Rows) -> Rows:
    """Add the four dates between which a dispute or a participation began and ended."""
    assert rows.raw is not None
    begin, finish = ("styear", "stmon", "stday"), ("endyear", "endmon", "endday")
    frame = rows.frame.with_columns(
        start_min=dates.earliest(*begin),
        start_max=dates.latest(*begin),
        end_min=dates.earliest(*finish),
        end_max=dates.latest(*finish),
    )
    dates.check_exists(rows.raw, frame, "start_min", *begin)
    dates.check_exists(rows.raw, frame, "end_max", *finish)
    dates.check_order(rows.raw, frame, "start_min", "end_max")
    return Rows(
        frame.with_columns(
            # ASSUME: a spell begins before it ends, so that a month known to both narrows each.
            start_max=pl.min_horizontal("start_max", "end_max"),
            end_min=pl.max_horizontal("end_min", "start_min"),
        ),
        rows.raw,
    )
