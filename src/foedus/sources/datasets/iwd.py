"""Reiter, Stam and Horowitz's revised inter-state wars: one row an initiator, target and year."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from foedus.sources import dates
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table


def _date_parts() -> tuple[Column, ...]:
    made = []
    for suffix, which in (("", "first"), ("02", "second")):
        for verb in ("entry", "exit"):
            made += [
                Column(f"month_{verb}{suffix}", "int8",
                       f"Month of {verb} of the {which} spell in the year", low=1, high=12,
                       required=not suffix),
                Column(f"day_{verb}{suffix}", "int8",
                       f"Day of {verb} of the {which} spell in the year", low=1, high=31,
                       required=not suffix),
            ]  # fmt: skip
    return tuple(made)


def _others(role: str, prefix: str, numbers: range) -> tuple[Column, ...]:
    made = []
    for number in numbers:
        made += [
            Column(f"{prefix}{number}name", "text", f"Name of {role} {number}"),
            Column(f"{prefix}{number}ccode", "int32", f"COW number of {role} {number}", low=1,
                   high=999),
        ]  # fmt: skip
    return tuple(made)


COLUMNS = (
    Column("larger_war_id", "int32", "Number of the larger war", low=1, required=True),
    Column("larger_war_name", "text", "Name of the larger war", required=True),
    Column("init_war_id", "int32", "Number of the initiation: one attack of one state", low=1,
           required=True),
    Column("init_war_name", "text", "Name of the initiation", required=True),
    Column("year", "int16", "Year", within_coverage=True, required=True),
    Column("annual_outcome", "int8", "How the initiator stood at the end of the year",
           required=True),
    Column("init_ccode", "int32", "COW number of the initiator", low=1, high=999, required=True),
    Column("init_name", "text", "Name of the initiator", required=True),
    Column("target_ccode", "int32", "COW number of the target", low=1, high=999, required=True),
    Column("target_name", "text", "Name of the target", required=True),
    Column("start1", "date", "First day of fighting in the year", derived=True),
    Column("end1", "date", "Last day of fighting in the year, or of its first spell",
           derived=True),
    Column("start2", "date", "First day of the second spell in the year", derived=True),
    Column("end2", "date", "Last day of the second spell in the year", derived=True),
    *_date_parts(),
    Column("joiner", "int8", "1 if the initiator joined a war that went on", required=True),
    *_others("adversary", "adv", range(2, 15)),
    *_others("ally", "ally", range(1, 17)),
    Column("version", "int8", "Release stamp of the file", required=True, keep=False),
)  # fmt: skip


@source("iwd", tables={"initiation_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the initiator-target-years; dates lie within the row's year."""
    rows = read_table(files, facts, "interstate-war-rev.csv", COLUMNS)
    assert rows.raw is not None
    second = pl.when(pl.col("month_entry02").is_not_null()).then("year")
    frame = rows.frame.with_columns(year2=second)
    for number, suffix, year in ((1, "", "year"), (2, "02", "year2")):
        begin = (year, f"month_entry{suffix}", f"day_entry{suffix}")
        finish = (year, f"month_exit{suffix}", f"day_exit{suffix}")
        frame = frame.with_columns(
            dates.earliest(*begin).alias(f"start{number}"),
            dates.latest(*finish).alias(f"end{number}"),
        )
        dates.check_exists(rows.raw, frame, f"start{number}", *begin)
        dates.check_exists(rows.raw, frame, f"end{number}", *finish)
        dates.check_order(rows.raw, frame, f"start{number}", f"end{number}")
    return {"initiation_years": Rows(frame, rows.raw)}
