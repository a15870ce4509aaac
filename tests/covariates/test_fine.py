"""Months and days of covariates: what holds for the year, what is dated, and the way back up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foedus.covariates.aggregate import aggregate
from foedus.covariates.assemble import build_panel, build_variables
from foedus.covariates.values import missing_of
from foedus.errors import UsageError
from tests.covariates.conftest import SmallTables, day, members, states
from tests.covariates.test_assemble import cell, nmc

Make = Callable[..., SmallTables]


@pytest.fixture
def tables(make_tables: Make) -> SmallTables:
    spells = states(
        (10, "1816-01-01", "1840-12-31"), (20, "1816-01-01", "1840-12-31"),
        (30, "1831-05-10", "1840-12-31"),
    )  # fmt: skip
    fought = pl.DataFrame(
        [
            (1, 10, 1, 1, day("1831-02-03"), day("1832-01-20"), None, None),
            (1, 20, 2, 2, day("1831-02-03"), day("1832-01-20"), None, None),
            (1, 30, 2, 2, day("1831-03-01"), day("1831-06-30"), None, None),
        ],
        schema={
            "warnum": pl.Int32, "ccode": pl.Int32, "side": pl.Int8, "initiator": pl.Int8,
            "start1": pl.Date, "end1": pl.Date, "start2": pl.Date, "end2": pl.Date,
        },
        orient="row",
    )  # fmt: skip
    treaty = {"atopid": 1, "phase": 1, "end": None}
    return make_tables(
        spells,
        atop__members=members(
            {**treaty, "member": 10, "start": "1837-11-30", "defense": 1},
            {**treaty, "member": 20, "start": "1838-02-01"},
        ),
        cow_interstate_wars__participants=fought,
        cow_nmc__state_years=nmc((10, 1838, 0.25), (20, 1838, 0.5)),
        cow_states__majors=pl.DataFrame(
            {"ccode": [10], "start": [day("1838-06-15")], "end": [day("1839-02-02")]}
        ),
    )  # fmt: skip


def build(tables: SmallTables, unit: str, *rest: Any, **named: Any) -> Any:
    return build_panel(tables, unit, *rest, **named)  # type: ignore[arg-type]


def test_a_pledge_binds_from_the_month_in_which_both_have_signed(tables: SmallTables) -> None:
    panel = build(tables, "directed-dyad-month", (1837, 1839), ["atop", "nmc"])
    owed = {month: cell(panel, "atop_defense", ccode1=10, ccode2=20, year=1838, month=month)
            for month in (1, 2, 12)}  # fmt: skip
    assert owed == {1: 0, 2: 1, 12: 1}
    assert cell(panel, "atop_defense", ccode1=20, ccode2=10, year=1838, month=3) == 0
    assert cell(panel, "atop_defense", ccode1=10, ccode2=20, year=1837, month=12) == 0
    assert cell(panel, "atop_defense", ccode1=10, ccode2=20, year=1839, month=1) is None
    assert cell(panel, "cinc1", ccode1=10, ccode2=20, year=1838, month=7) == 0.25
    assert cell(panel, "cinc1", ccode1=10, ccode2=20, year=1837, month=7) is None
    assert panel.keys == ("ccode1", "ccode2", "year", "month")
    assert "held for each month" in panel.notes["cinc1"].dating
    assert "Of the month itself" in panel.notes["atop_defense"].dating


def test_onset_is_one_month_and_the_first_in_which_both_are_states(tables: SmallTables) -> None:
    panel = build(tables, "dyad-month", (1831, 1832), ["war"])
    frame = pl.DataFrame(pl.from_arrow(panel.table)).sort("year", "month")
    of = {other: frame.filter(ccode1=10, ccode2=other) for other in (20, 30)}
    assert of[20].filter(war_onset=1).select("year", "month").rows() == [(1831, 2)]
    assert of[20].filter(war_initiated=1).select("year", "month").rows() == [(1831, 2)]
    assert of[20]["war_ongoing"].sum() == 12
    # State 30 is at war from March 1831 and a state from May.
    assert of[30].filter(war_onset=1).select("year", "month").rows() == [(1831, 5)]
    assert of[30]["war_ongoing"].sum() == 2


def test_a_day_knows_the_day(tables: SmallTables) -> None:
    panel = build(tables, "dyad-day", (1838, 1838), ["atop", "major"], "ccode2 == 20")
    frame = pl.DataFrame(pl.from_arrow(panel.table))
    assert frame.height == 365
    first = frame.filter(pl.col("atop_defense") == 1).sort("month", "day").row(0, named=True)
    assert (first["month"], first["day"]) == (2, 1)
    assert frame.filter(major1=1).height == 16 + 31 + 31 + 30 + 31 + 30 + 31
    assert frame["major2"].sum() == 0


@pytest.mark.parametrize("unit", ["directed-dyad-month", "dyad-month", "dyad-day"])
def test_months_and_days_go_up_to_the_year(tables: SmallTables, unit: str) -> None:
    asked = ((1831, 1834), ["atop", "war", "major", "nmc"])
    raised = build(tables, unit, *asked, up="year")
    yearly = build(tables, unit.rsplit("-", 1)[0] + "-year", *asked)
    assert raised.unit == yearly.unit
    assert list(raised.columns) == list(yearly.columns)
    for name, values in yearly.columns.items():
        np.testing.assert_array_equal(raised.columns[name], values, err_msg=name)
    assert "max over the" in raised.notes["war_onset"].dating


def test_days_go_up_to_the_month(tables: SmallTables) -> None:
    asked = ((1831, 1831), ["war", "major"])
    raised = build(tables, "dyad-day", *asked, up="month")
    monthly = build(tables, "dyad-month", *asked)
    for name, values in monthly.columns.items():
        np.testing.assert_array_equal(raised.columns[name], values, err_msg=name)


def test_a_filter_is_of_the_finer_rows(tables: SmallTables) -> None:
    panel = build(
        tables, "dyad-month", (1831, 1832), ["war", "nmc"], "war_ongoing == 1 and month == 3"
    )
    frame = pl.DataFrame(pl.from_arrow(panel.table))
    assert frame.select("ccode1", "ccode2", "year", "month").rows() == [(10, 20, 1831, 3)]


@pytest.mark.parametrize(("unit", "up"), [("dyad-month", "month"), ("dyad-year", "year")])
def test_what_is_not_coarser_is_refused(tables: SmallTables, unit: str, up: str) -> None:
    with pytest.raises(UsageError, match="can be aggregated up to"):
        build(tables, unit, (1831, 1832), [], up=up)


KNOWN = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=5), min_size=1, max_size=6)


@given(KNOWN)
def test_aggregates_are_those_of_each_group(groups: list[list[int]]) -> None:
    starts = np.cumsum([0, *map(len, groups)])[:-1]
    for kind in (np.int8, np.float64):
        values = np.array([value for group in groups for value in group], kind)
        for how, one in (
            ("max", max), ("min", min), ("sum", sum), ("mean", np.mean),
            ("first", lambda group: group[0]), ("last", lambda group: group[-1]),
        ):  # fmt: skip
            made = aggregate(values, starts, how)  # type: ignore[arg-type]
            assert made.tolist() == pytest.approx([one(group) for group in groups])  # type: ignore[operator]


def test_an_unknown_month_makes_an_unknown_year_unless_it_cannot_matter() -> None:
    gone = missing_of(np.dtype(np.int8))
    values = np.array([0, gone, 1, gone, 0, 0, gone, gone], np.int8)
    starts = np.array([0, 2, 4, 6])
    assert aggregate(values, starts, "max").tolist() == [gone, 1, 0, gone]
    assert aggregate(values, starts, "min").tolist() == [0, gone, 0, gone]
    assert aggregate(values, starts, "last").tolist() == [gone, gone, 0, gone]
    assert aggregate(values, starts, "sum").tolist() == [
        np.iinfo(np.int64).min, np.iinfo(np.int64).min, 0, np.iinfo(np.int64).min,
    ]  # fmt: skip
    counts = np.array([3.0, np.nan, 1.0, 2.0])
    assert np.isnan(aggregate(counts, np.array([0, 2]), "max")[0])
    assert np.isnan(aggregate(counts, np.array([0, 2]), "mean")).tolist() == [True, False]


def test_a_study_cannot_take_months_for_years(tables: SmallTables) -> None:
    with pytest.raises(UsageError, match=r"a unit by year is needed: dyad-year"):
        build_variables(tables, "dyad-month", (1831, 1832), {})  # type: ignore[arg-type]
