"""Leaders in office by year, and how they came and went."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.state_facts import state_flags
from foedus.covariates.values import StateYears, Values
from foedus.panels.spans import each_year
from foedus.sources.state_codes import cow_of_gw

_IRREGULAR_IN = ("Irregular", "Foreign Imposition")
_IRREGULAR_OUT = ("Irregular", "Foreign")


def _column(name: str, kind: Any, says: str, unit: str = "0/1") -> ColumnSpec:
    return ColumnSpec(name, kind, says, unit=unit, level="state", absent="missing")


COLUMNS = [
    _column("leaders", "count", "Leaders in office on any day of the year, each time in office "
            "once.", "leaders"),
    _column("leader_new", "flag", "1 if a leader comes into office this year."),
    _column("leader_irregular_entry", "flag", "1 if a leader comes into office this year against "
            "the rules or is imposed by another state."),
    _column("leader_irregular_exit", "flag", "1 if a leader is removed this year against the rules "
            "or by another state."),
    _column("leader_tenure", "count", "Days that the leader of the option's day has been in office "
            "by then.", "days"),
    _column("leader_age", "count", "Age of that leader in the year, by year of birth.", "years"),
    _column("leader_female", "flag", "1 if that leader is a woman."),
]  # fmt: skip


@covariate(
    name="leader",
    title="Leaders: who is new, how they came and went, how long they have been in office",
    columns=COLUMNS,
    sources=["archigos"],
    citations=["goemans_gleditsch_chiozza_2009"],
    options={
        "day": Option(
            "december",
            "Whose tenure, age and sex: the leader's on 31 December, or on 1 January.",
            ("december", "january"),
        ),
    },
    examples=[
        Example(
            "Theodore Roosevelt succeeds McKinley on 14 September 1901.",
            {"ccode": 2, "year": 1901},
            {"leaders": 2, "leader_new": 1, "leader_irregular_entry": 0, "leader_tenure": 108,
             "leader_age": 43, "leader_female": 0},
            unit="state-year",
        ),
        Example(
            "On New Year's Day McKinley had been in office for almost four years.",
            {"ccode": 2, "year": 1901},
            {"leader_tenure": 1398, "leader_age": 58},
            unit="state-year",
            options={"day": "january"},
        ),
        Example(
            "Thatcher in 1980.",
            {"ccode": 200, "year": 1980},
            {"leaders": 1, "leader_new": 0, "leader_female": 1},
            unit="state-year",
        ),
    ],
)  # fmt: skip
def leader(context: Context) -> dict[str, Values]:
    """Make the columns; a state-year without a leader in the list is missing."""
    rows = _in_office(context)
    year = pl.col("year")
    day = pl.date(year, 12, 31) if context.options["day"] == "december" else pl.date(year, 1, 1)
    began = pl.col("start").dt.year() == year
    # The list marks those in office when it ends with an end too: they did not leave.
    left = (pl.col("end").dt.year() == year) & (pl.col("exit") != "Still in Office")
    counts = rows.group_by("ccode", "year").agg(
        leaders=pl.len(),
        leader_new=began.any().cast(pl.Int8),
        leader_irregular_entry=(began & pl.col("entry").is_in(_IRREGULAR_IN)).any().cast(pl.Int8),
        leader_irregular_exit=(left & pl.col("exit").is_in(_IRREGULAR_OUT)).any().cast(pl.Int8),
    )
    # ASSUME: of two leaders on one day (one leaves, the next comes) the later comer counts.
    there = (
        rows.with_columns(day=day)
        .filter((pl.col("start") <= pl.col("day")) & (pl.col("day") <= pl.col("end")))
        .sort("ccode", "year", "start", "obsid")
        .group_by("ccode", "year", maintain_order=True)
        .last()
        .with_columns(
            leader_tenure=(pl.col("day") - pl.col("start")).dt.total_days(),
            leader_age=year - pl.col("yrborn"),
            leader_female=(pl.col("gender") == "F").cast(pl.Int8),
        )
    )
    kinds: dict[str, type] = {
        "leaders": np.int16, "leader_new": np.int8, "leader_irregular_entry": np.int8,
        "leader_irregular_exit": np.int8, "leader_tenure": np.int32, "leader_age": np.int16,
        "leader_female": np.int8,
    }  # fmt: skip
    return {
        name: StateYears(state_flags(context, counts if name in counts.columns else there, name,
                                     kinds[name]))
        for name in sorted(context.wanted)
    }  # fmt: skip


def _in_office(context: Context) -> pl.DataFrame:
    """Return one row a time in office and a year, with the state's COW number in that year."""
    listed = context.table("archigos", "leaders")
    first, last = listed["start"].dt.year().to_numpy(), listed["end"].dt.year().to_numpy()
    span, year = each_year(first, last)
    rows = listed[span].with_columns(year=pl.Series(year, dtype=pl.Int32))
    return rows.with_columns(ccode=cow_of_gw(pl.col("gwcode"), pl.col("year"))).drop_nulls("ccode")
