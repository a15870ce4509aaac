"""Who could still join a war, by year and by month: against every day of two small wars."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.covariates.conftest import SmallTables, states
from tests.panels.test_war_units import WARS, fighters

from foedus.covariates.assemble import build_panel
from foedus.panels.units import build_spine, load_system
from foedus.panels.war_joiner_units import unseen_joiners
from foedus.panels.war_list import load_wars

SPELLS = (
    *[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30, 40)],
    (50, "1820-06-01", "1840-12-31"),
)  # fmt: skip


def tables_of(wars: pl.DataFrame, *spells: tuple[int, str, str]) -> SmallTables:
    return SmallTables(
        {("cow_states", "states"): states(*spells), ("cow_interstate_wars", "participants"): wars}
    )


def rows_of(tables: SmallTables, unit: str, years: tuple[int, int] = (1816, 1832)) -> list[Any]:
    spine = build_spine(tables, unit, years)  # type: ignore[arg-type]
    columns = [values.tolist() for values in spine.keys.values()]
    sides = np.where(spine.extra["joined"], spine.extra["joined_side"], 0)
    return list(zip(*columns, sides.tolist(), strict=True))


def every_day(
    wars: pl.DataFrame, spells: tuple[tuple[int, str, str], ...], monthly: bool
) -> list[Any]:
    """The definition, day by day: a member that isn't in the war yet."""
    day = datetime.date.fromisoformat
    found: dict[tuple[int, ...], int] = {}
    for (warnum,), fought in wars.sort("start1").group_by("warnum", maintain_order=True):
        first, last = fought["start1"].min(), fought["end2"].fill_null(fought["end1"]).max()
        if fought["end1"].null_count():
            last = datetime.date(1832, 12, 31)
        entry: dict[int, tuple[Any, int]] = {}
        for row in fought.iter_rows(named=True):
            entry.setdefault(row["ccode"], (row["start1"], row["side"]))
        for ccode, enters, leaves in spells:
            at = first
            while at <= last:
                begun, side = entry.get(ccode, (None, 0))
                waiting = begun is None or (at <= begun and begun > first)
                if waiting and day(enters) <= at <= day(leaves):
                    key = (int(warnum), ccode, at.year, *((at.month,) if monthly else ()))  # type: ignore[call-overload]
                    found[key] = max(found.get(key, 0), side if at == begun else 0)
                at += datetime.timedelta(1)
    return sorted((*key, side) for key, side in found.items())


@pytest.mark.parametrize("unit", ["war-joiner-year", "war-joiner-month"])
def test_rows_are_those_of_the_definition(unit: str) -> None:
    made = rows_of(tables_of(WARS, *SPELLS), unit)
    assert made == every_day(WARS, SPELLS, unit.endswith("month"))


def test_joining_stands_in_its_month_and_ends_the_risk() -> None:
    rows = rows_of(tables_of(WARS, *SPELLS), "war-joiner-month")
    assert [row[2:] for row in rows if row[:2] == (1, 30)] == [
        (1820, 3, 0),
        (1820, 4, 0),
        (1820, 5, 2),
    ]  # it changes over in July: one entry, on its first side
    assert [row[2:] for row in rows if row[:2] == (1, 50)] == [
        (1820, 6, 0),
        (1820, 7, 0),
        (1820, 8, 1),
    ]  # a state since June
    assert [row[3] for row in rows if row[:2] == (1, 40)] == list(range(3, 13))  # stays out
    assert not [row for row in rows if row[:2] in ((1, 10), (1, 20))]  # first belligerents


def test_years_asked_for_bound_the_rows_of_a_war_that_began_before() -> None:
    long = fighters(
        {"warnum": 3, "ccode": 10, "side": 1, "start1": "1820-11-01", "end1": "1822-02-01"},
        {"warnum": 3, "ccode": 20, "side": 2, "start1": "1820-11-01", "end1": "1822-02-01"},
    )
    tables = tables_of(long, *SPELLS)
    rows = rows_of(tables, "war-joiner-year", (1821, 1821))
    assert {row[2] for row in rows} == {1821}
    panel = build_panel(tables, "war-joiner-month", (1821, 1821), ["war_clock"])  # type: ignore[arg-type]
    assert panel.columns["elapsed"].min() == 2  # January 1821, two months after November


def test_a_war_without_an_end_goes_on_to_the_last_day_covered() -> None:
    open_end = fighters(
        {"warnum": 3, "ccode": 10, "side": 1, "start1": "1831-11-01", "end1": None},
        {"warnum": 3, "ccode": 20, "side": 2, "start1": "1831-11-01", "end1": None},
    )
    rows = rows_of(tables_of(open_end, *SPELLS), "war-joiner-month")
    assert rows == every_day(open_end, SPELLS, monthly=True)
    assert max(row[2:4] for row in rows) == (1832, 12)


def test_an_entry_from_outside_the_system_is_named() -> None:
    outsider = fighters(
        {"warnum": 3, "ccode": 10, "side": 1, "start1": "1820-01-01", "end1": "1820-12-31"},
        {"warnum": 3, "ccode": 20, "side": 2, "start1": "1820-01-01", "end1": "1820-12-31"},
        {"warnum": 3, "ccode": 50, "side": 2, "start1": "1820-03-01", "end1": "1820-12-31"},
        {"warnum": 3, "ccode": 99, "side": 2, "start1": "1820-03-01", "end1": "1820-12-31"},
    )
    tables = tables_of(outsider, *SPELLS)
    system = load_system(tables)  # type: ignore[arg-type]
    wars = load_wars(tables)  # type: ignore[arg-type]
    assert unseen_joiners(wars, system, 1832) == [(3, 50), (3, 99)]
    assert not [row for row in rows_of(tables, "war-joiner-year") if row[1] in (50, 99)]


def test_an_entry_without_a_day_is_marked() -> None:
    vague = fighters(
        {"warnum": 3, "ccode": 10, "side": 1, "start1": "1820-01-01", "end1": "1820-12-31"},
        {"warnum": 3, "ccode": 20, "side": 2, "start1": "1820-01-01", "end1": "1820-12-31"},
        {"warnum": 3, "ccode": 30, "side": 2, "start1": "1820-03-01", "end1": "1820-12-31",
         "start1_precision": "year"},
        {"warnum": 3, "ccode": 40, "side": 1, "start1": "1820-05-01", "end1": "1820-12-31"},
    )  # fmt: skip
    panel = build_panel(
        tables_of(vague, *SPELLS),
        "war-joiner-month",
        (1820, 1820),
        ["war_joining", "war_clock"],  # type: ignore[arg-type]
    )
    frame = pl.DataFrame(pl.from_arrow(panel.table))
    joined = frame.filter(joined=1).sort("ccode")
    assert joined["entry_dated"].to_list() == [0, 1]
    assert joined["joined_before"].to_list() == [0, 1]
    assert joined["joined_before_side2"].to_list() == [0, 1]
    assert frame.filter(joined=0)["entry_dated"].null_count() == frame.height - 2


@st.composite
def small_wars(draw: st.DrawFn) -> tuple[pl.DataFrame, tuple[tuple[int, str, str], ...]]:
    """Two originators, up to three others that come in when they like, and late states."""
    first = datetime.date(1820, 1, 1)

    def at(offset: int) -> str:
        return (first + datetime.timedelta(offset)).isoformat()

    end = draw(st.integers(1, 400))
    rows = [
        {"warnum": 3, "ccode": ccode, "side": side, "start1": at(0), "end1": at(end)}
        for ccode, side in ((10, 1), (20, 2))
    ]
    spells = [(10, "1816-01-01", "1840-12-31"), (20, "1816-01-01", "1840-12-31")]
    for ccode in (30, 40, 50):
        if draw(st.booleans()):
            entry = draw(st.integers(0, end))
            side = draw(st.sampled_from([1, 2]))
            rows.append(
                {"warnum": 3, "ccode": ccode, "side": side, "start1": at(entry), "end1": at(end)}
            )
        cuts = sorted(draw(st.lists(st.integers(-30, 430), min_size=2, max_size=4, unique=True)))
        spells += [(ccode, at(a), at(b)) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    return fighters(*rows), tuple(spells)


@settings(max_examples=30, deadline=None)
@given(small_wars(), st.sampled_from(["war-joiner-year", "war-joiner-month"]))
def test_any_small_war_gives_the_rows_of_the_definition(
    world: tuple[pl.DataFrame, tuple[tuple[int, str, str], ...]], unit: str
) -> None:
    wars, spells = world
    assert rows_of(tables_of(wars, *spells), unit) == every_day(
        wars, spells, unit.endswith("month")
    )
