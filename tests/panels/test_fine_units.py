"""Months and days of states and dyads: against every day of every year, one by one."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.errors import UsageError
from foedus.panels import fine_units
from foedus.panels.fine_units import FineRows, fine_rows
from foedus.panels.spine import Spine
from foedus.panels.system import StateSystem
from foedus.panels.units import get_unit, units

YEARS = (1816, 1818)
FIRST = datetime.date(1816, 1, 1)
N_DAYS = (datetime.date(1819, 1, 1) - FIRST).days
FINE = [name for name, one in units().items() if one.parent]

SPELLS = st.dictionaries(
    st.sampled_from([2, 20, 200, 365]),
    st.lists(st.integers(0, N_DAYS - 1), min_size=2, max_size=4, unique=True).filter(
        lambda days: len(days) % 2 == 0
    ),
    min_size=1,
)


def system_of(members: dict[int, list[int]]) -> StateSystem:
    """States that come and go: days of entry and exit, in turns."""
    rows = []
    for ccode, days in members.items():
        ordered = sorted(days)
        for a, b in zip(ordered[::2], ordered[1::2], strict=True):
            start, end = (FIRST + datetime.timedelta(at) for at in (a, b))
            rows.append({"ccode": ccode, "start": start, "end": end})
    return StateSystem.from_spells(pl.DataFrame(rows), (1816, 1820))


def built(system: StateSystem, name: str) -> tuple[Spine, FineRows]:
    unit = get_unit(name)
    spine = unit.build(None, system, YEARS)  # type: ignore[arg-type]
    return spine, fine_rows(spine, name)


def every_day(members: dict[int, list[int]]) -> Iterator[tuple[datetime.date, list[int]]]:
    """Each day and the states that are members on it, by the definition."""
    for at in range(N_DAYS):
        present = []
        for ccode, days in members.items():
            ordered = sorted(days)
            spells = zip(ordered[::2], ordered[1::2], strict=True)
            if any(a <= at <= b for a, b in spells):
                present.append(ccode)
        yield FIRST + datetime.timedelta(at), sorted(present)


def expected(members: dict[int, list[int]], name: str) -> list[tuple[int, ...]]:
    rows = set()
    for day, present in every_day(members):
        date = (day.year, day.month) if name.endswith("month") else (day.year, day.month, day.day)
        if name.startswith("state"):
            who: list[tuple[int, ...]] = [(one,) for one in present]
        elif name.startswith("directed"):
            who = list(itertools.permutations(present, 2))
        else:
            who = list(itertools.combinations(present, 2))
        rows |= {(*states, *date) for states in who}
    return sorted(rows)


@settings(max_examples=25, deadline=None)
@given(SPELLS, st.sampled_from(FINE))
def test_rows_are_those_of_every_day(members: dict[int, list[int]], name: str) -> None:
    spine, rows = built(system_of(members), name)
    columns = [values[rows.parent].tolist() for values in spine.keys.values()]
    columns.append(rows.month(slice(None)).tolist())
    if name.endswith("day"):
        columns.append(rows.day(slice(None)).tolist())
    assert list(zip(*columns, strict=True)) == expected(members, name)


@settings(max_examples=25, deadline=None)
@given(SPELLS, st.integers(0, N_DAYS - 1), st.integers(0, 400), st.sampled_from(FINE))
def test_a_fact_falls_on_the_rows_of_its_days(
    members: dict[int, list[int]], begins: int, length: int, name: str
) -> None:
    system = system_of(members)
    spine, rows = built(system, name)
    if spine.n_rows == 0:
        return
    places = [place.state[0] for place in spine.places]
    code = places[0] if len(places) == 1 else places[0] * system.n_states + places[1]
    days = [(FIRST + datetime.timedelta(begins + plus)) for plus in (0, length)]
    first, last = (
        fine_units.period_of(np.array([np.datetime64(day, "D").astype(int)]), rows.unit.step)
        for day in days
    )
    _, start, stop = rows.covering(np.array([code]), first, last)
    marked = np.zeros(rows.n_rows, bool)
    for one, other in zip(start, stop, strict=True):
        marked[one:other] = True
    same = np.ones(rows.n_rows, bool)
    for place, state in zip(spine.places, places, strict=True):
        same &= place.state[rows.parent] == state
    assert (marked == (same & (rows.period >= first) & (rows.period <= last))).all()


def test_a_month_in_which_a_state_leaves_and_returns_stands_once() -> None:
    spine, rows = built(system_of({2: [0, 10, 20, 25]}), "state-month")
    assert spine.n_rows == rows.n_rows == 1
    assert built(system_of({2: [0, 10, 20, 25]}), "state-day")[1].n_rows == 11 + 6


def test_too_many_rows_are_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fine_units, "MOST_ROWS", 10)
    with pytest.raises(UsageError, match=r"11 rows, more than the 10 .* fewer years"):
        built(system_of({2: [0, 10]}), "state-day")
