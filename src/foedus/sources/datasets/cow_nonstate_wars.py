"""COW non-state wars 4.0: one row a war between parties that are no states."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources import dates
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table


def _parties() -> tuple[Column, ...]:
    made = []
    for side, most in (("A", 2), ("B", 5)):
        for number in range(1, most + 1):
            header = f"Side{side}{number}"
            made.append(
                Column(header.lower(), "text", f"Party {number} of side {side}", header,
                       required=number == 1)
            )  # fmt: skip
    return tuple(made)


COLUMNS = (
    Column("warnum", "int32", "COW war number", "WarNum", low=1, high=9999, required=True),
    Column("warname", "text", "Name of the war", "WarName", required=True),
    Column("wartype", "int8", "Type of war", "WarType", required=True),
    Column("wherefought", "int8", "Where it was fought", "WhereFought", required=True),
    *_parties(),
    Column("start_min", "date", "First day the beginning may mean", derived=True),
    Column("end_max", "date", "Last day the end may mean", derived=True),
    Column("start_precision", "text", "How much of the beginning is known", derived=True),
    Column("end_precision", "text", "How much of the end is known", derived=True),
    Column("startyear", "int16", "Year in which it begins", "StartYear", within_coverage=True,
           required=True),
    Column("startmonth", "int8", "Month in which it begins", "StartMonth", low=1, high=12),
    Column("startday", "int8", "Day on which it begins", "StartDay", low=1, high=31),
    Column("endyear", "int16", "Year in which it ends", "EndYear", within_coverage=True,
           required=True),
    Column("endmonth", "int8", "Month in which it ends", "EndMonth", low=1, high=12),
    Column("endday", "int8", "Day on which it ends", "EndDay", low=1, high=31),
    Column("initiator", "text", "Side that began it", "Initiator", required=True),
    Column("transfrom", "int32", "War that became this one", "TransFrom", low=1, high=9999),
    Column("transto", "int32", "War that this one became", "TransTo", low=1, high=9999),
    Column("outcome", "int8", "Outcome", "Outcome", required=True),
    Column("sideadeaths", "int32", "Combat deaths of side A", "SideADeaths", unit="persons", low=0,
           thousands=True),
    Column("sidebdeaths", "int32", "Combat deaths of side B", "SideBDeaths", unit="persons", low=0,
           thousands=True),
    Column("totalcombatdeaths", "int32", "Combat deaths of all sides", "TotalCombatDeaths",
           unit="persons", low=0, thousands=True),
    Column("version", "float64", "Release stamp of the file", "Version", required=True, keep=False),
)  # fmt: skip


@source("cow_nonstate_wars", tables={"wars": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read version 4.0."""
    rows = read_table(files, facts, "Non-StateWarData_v4.0.csv", COLUMNS)
    assert rows.raw is not None
    begin, finish = ("startyear", "startmonth", "startday"), ("endyear", "endmonth", "endday")
    frame = dates.with_span(rows.frame, rows.raw, begin, finish)
    return {"wars": Rows(frame, rows.raw)}
