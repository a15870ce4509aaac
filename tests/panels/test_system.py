"""Who is in the system, and who shares a day, against a definition that looks at every day."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.panels.spans import each_year, opposing
from foedus.panels.system import StateSystem, first_day, year_of

FIRST, LAST = 1900, 1905
DAY_ONE = datetime.date(FIRST, 1, 1)
N_DAYS = (datetime.date(LAST, 12, 31) - DAY_ONE).days + 1

spell = st.tuples(
    st.sampled_from([2, 20, 200, 300]),
    st.integers(0, N_DAYS - 1),
    st.integers(0, N_DAYS - 1),
)


def system_of(spells: list[tuple[int, int, int]]) -> StateSystem:
    frame = pl.DataFrame(
        [
            {
                "ccode": ccode,
                "start": DAY_ONE + datetime.timedelta(min(a, b)),
                "end": DAY_ONE + datetime.timedelta(max(a, b)),
            }
            for ccode, a, b in spells
        ]
    )
    return StateSystem.from_spells(frame, (FIRST, LAST))


def daily(spells: list[tuple[int, int, int]], ccodes: np.ndarray) -> np.ndarray:
    """Membership by day, straight from the definition."""
    inside = np.zeros((len(ccodes), N_DAYS), dtype=bool)
    for ccode, a, b in spells:
        inside[np.flatnonzero(ccodes == ccode)[0], min(a, b) : max(a, b) + 1] = True
    return inside


@settings(max_examples=150, deadline=None)
@given(st.lists(spell, min_size=1, max_size=7))
def test_membership_and_shared_days_equal_a_count_of_days(
    spells: list[tuple[int, int, int]],
) -> None:
    system = system_of(spells)
    inside = daily(spells, system.ccodes)
    year = np.array([(DAY_ONE + datetime.timedelta(int(d))).year - FIRST for d in range(N_DAYS)])
    for at in range(LAST - FIRST + 1):
        days = inside[:, year == at]
        np.testing.assert_array_equal(system.member[:, at], days.any(axis=1))
        shared = (days[:, None, :] & days[None, :, :]).any(axis=2)
        np.fill_diagonal(shared, val=False)
        np.testing.assert_array_equal(system.together[:, :, at], shared)


def test_two_states_in_one_year_that_never_meet_are_no_dyad() -> None:
    system = system_of([(2, 0, 99), (20, 100, N_DAYS - 1)])
    assert system.member[:, 0].all()
    assert not system.together[0, 1, 0]
    assert not system.together.any()


def test_two_states_that_share_one_day_are_a_dyad_that_year_only() -> None:
    system = system_of([(2, 0, 100), (20, 100, N_DAYS - 1)])
    assert system.together[0, 1].tolist() == [True, False, False, False, False, False]


def test_a_state_that_leaves_and_returns_has_two_spells() -> None:
    system = system_of([(2, 0, 10), (2, 800, N_DAYS - 1)])
    assert system.n_states == 1
    assert system.member[0].tolist() == [True, False, True, True, True, True]


def test_index_of_a_code_that_was_never_a_member_is_minus_one() -> None:
    system = system_of([(2, 0, 10), (200, 0, 10)])
    assert system.index(np.array([2, 3, 200, 999, -9])).tolist() == [0, -1, 1, -1, -1]


@given(st.integers(1400, 2200))
def test_first_day_and_year_are_inverse(year: int) -> None:
    january = first_day(np.array([year]))
    assert year_of(january).tolist() == [year]
    assert year_of(january - 1).tolist() == [year - 1]


@given(st.lists(st.tuples(st.integers(1800, 1830), st.integers(-2, 6)), max_size=20))
def test_each_year_lists_every_year_of_every_span(spans: list[tuple[int, int]]) -> None:
    first = np.array([start for start, _ in spans], dtype=int)
    last = first + np.array([length for _, length in spans], dtype=int) - 1
    span, year = each_year(first, last)
    expected = [
        (at, y) for at, (a, b) in enumerate(zip(first, last, strict=True)) for y in range(a, b + 1)
    ]
    assert list(zip(span.tolist(), year.tolist(), strict=True)) == expected


def test_opposing_pairs_only_those_who_met_on_other_sides() -> None:
    date = datetime.date
    spells = pl.DataFrame(
        {
            "dispnum": [1, 1, 1, 1],
            "ccode": [2, 20, 200, 300],
            "sidea": [1, 0, 0, 1],
            "start": [date(1900, 1, 1), date(1900, 1, 1), date(1902, 1, 1), date(1904, 1, 1)],
            "end": [date(1902, 1, 1), date(1900, 6, 1), date(1903, 1, 1), date(1904, 2, 1)],
        }
    )
    pairs = opposing(spells, by="dispnum", side="sidea")
    met = {(a, b): years for a, b, *years in pairs.select(
        "ccode1", "ccode2", "first_year", "last_year"
    ).rows()}  # fmt: skip
    assert met == {
        (2, 20): [1900, 1900],
        (20, 2): [1900, 1900],
        (2, 200): [1902, 1902],  # the one day they share
        (200, 2): [1902, 1902],
    }
