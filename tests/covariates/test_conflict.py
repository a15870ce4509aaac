"""Disputes, wars and years of peace on conflicts small enough to read."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.covariates.assemble import VariableRequest, build_variables
from foedus.covariates.conflict import mid_dyad_years
from foedus.covariates.peace_years import years_since
from foedus.panels.system import StateSystem
from tests.covariates.conftest import SmallTables, day, participants, states

Make = Callable[..., SmallTables]


def series(
    tables: SmallTables, covariate: str, column: str, pair: tuple[int, int], years: range,
    unit: str = "directed-dyad-year", **options: Any,
) -> list[Any]:  # fmt: skip
    panel = build_variables(
        tables,  # type: ignore[arg-type]
        unit,
        (years[0], years[-1]),
        {"value": VariableRequest(covariate, column, options)},
        where=f"ccode1 == {pair[0]} and ccode2 == {pair[1]}",
    )
    return list(panel.table["value"].to_pylist())


@pytest.fixture
def tables(make_tables: Make, four_states: pl.DataFrame) -> SmallTables:
    return make_tables(
        four_states,
        mid__participants=participants(
            (1, 10, 1, 1, "1820-05-01", "1822-02-01"),
            (1, 20, 0, 1, "1820-05-01", "1822-02-01"),
            (1, 30, 0, 0, "1821-01-01", "1821-03-01"),
            (2, 20, 1, 1, "1822-06-01", "1822-07-01"),
            (2, 10, 0, 1, "1822-06-01", "1822-07-01"),
        ),
    )


def test_onset_is_the_pairs_first_year_in_a_dispute(tables: SmallTables) -> None:
    years = range(1819, 1824)
    assert series(tables, "mid", "mid_onset", (10, 20), years) == [0, 1, 0, 1, 0]
    assert series(tables, "mid", "mid_ongoing", (10, 20), years) == [0, 1, 1, 1, 0]
    assert series(tables, "mid", "mid_onset", (20, 10), years) == [0, 1, 0, 1, 0]


def test_a_joiners_dyad_begins_when_it_joins_and_nobody_initiated_it(tables: SmallTables) -> None:
    years = range(1819, 1824)
    assert series(tables, "mid", "mid_onset", (10, 30), years) == [0, 0, 1, 0, 0]
    assert series(tables, "mid", "mid_initiated", (10, 30), years) == [0, 0, 0, 0, 0]
    assert series(tables, "mid", "mid_initiated", (10, 30), years, who="any") == [0, 0, 1, 0, 0]


def test_initiation_has_a_direction(tables: SmallTables) -> None:
    years = range(1819, 1824)
    assert series(tables, "mid", "mid_initiated", (10, 20), years) == [0, 1, 0, 0, 0]
    assert series(tables, "mid", "mid_initiated", (20, 10), years) == [0, 0, 0, 1, 0]
    undirected = series(tables, "mid", "mid_initiated", (10, 20), years, unit="dyad-year")
    assert undirected == [0, 1, 0, 1, 0]


def test_states_of_one_side_are_no_dyad(tables: SmallTables) -> None:
    assert series(tables, "mid", "mid_ongoing", (20, 30), range(1819, 1824)) == [0] * 5


def test_coverage_ends_in_its_last_year(tables: SmallTables) -> None:
    assert series(tables, "mid", "mid_onset", (10, 20), range(1835, 1839)) == [0, 0, None, None]


def test_hostility_is_zero_without_a_dispute_and_missing_when_unknown(
    make_tables: Make, four_states: pl.DataFrame
) -> None:
    rows = participants(
        (1, 10, 1, 1, "1820-05-01", "1820-06-01"), (1, 20, 0, 1, "1820-05-01", "1820-06-01")
    )
    rows = rows.with_columns(
        fatality=pl.when(pl.col("ccode") == 20).then(None).otherwise(pl.col("fatality"))
    )
    whole = pl.DataFrame({"dispnum": [1], "hostlev": [4], "fatality": [6]})
    tables = make_tables(four_states, mid__participants=rows, mid__disputes=whole)
    years, pair = range(1819, 1821), (10, 20)
    assert series(tables, "mid", "mid_hostility", pair, years, levels="dyad") == [0, 3]
    assert series(tables, "mid", "mid_fatality", pair, years, levels="dyad") == [0, None]
    assert series(tables, "mid", "mid_hostility", pair, years) == [0, 4]
    assert series(tables, "mid", "mid_fatality", pair, years) == [0, 6]


def war_rows(*rows: tuple[int, int, int, int, str, str, str | None, str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "warnum": warnum, "ccode": ccode, "side": side, "initiator": initiator,
                "start1": day(a), "end1": day(b),
                "start2": day(c) if c else None, "end2": day(d) if d else None,
            }
            for warnum, ccode, side, initiator, a, b, c, d in rows
        ],
        schema={
            "warnum": pl.Int32, "ccode": pl.Int32, "side": pl.Int8, "initiator": pl.Int8,
            "start1": pl.Date, "end1": pl.Date, "start2": pl.Date, "end2": pl.Date,
        },
    )  # fmt: skip


def test_a_war_with_a_break_is_ongoing_in_both_spells(
    make_tables: Make, four_states: pl.DataFrame
) -> None:
    wars = war_rows(
        (1, 10, 1, 1, "1820-01-01", "1820-12-31", "1823-01-01", "1823-02-01"),
        (1, 20, 2, 0, "1820-06-01", "1825-01-01", None, None),
    )
    tables = make_tables(four_states, cow_interstate_wars__participants=wars)
    years = range(1819, 1826)
    assert series(tables, "war", "war_ongoing", (10, 20), years) == [0, 1, 0, 0, 1, 0, 0]
    assert series(tables, "war", "war_onset", (10, 20), years) == [0, 1, 0, 0, 0, 0, 0]
    assert series(tables, "war", "war_initiated", (10, 20), years) == [0, 1, 0, 0, 0, 0, 0]
    assert series(tables, "war", "war_initiated", (20, 10), years) == [0] * 7


def test_peace_starts_at_zero_and_after_a_conflict(tables: SmallTables) -> None:
    got = series(tables, "peace_years", "mid_peace_years", (10, 20), range(1816, 1826))
    assert got == [0, 1, 2, 3, 4, 0, 0, 0, 1, 2]
    squared = series(tables, "peace_years", "mid_peace_years_sq", (10, 20), range(1816, 1821))
    assert squared == [0.0, 1.0, 4.0, 9.0, 16.0]


def test_peace_since_initiation_is_directed(tables: SmallTables) -> None:
    years = range(1816, 1825)
    forward = series(tables, "peace_years", "mid_peace_years", (10, 20), years, since="initiated")
    backward = series(tables, "peace_years", "mid_peace_years", (20, 10), years, since="initiated")
    assert forward == [0, 1, 2, 3, 4, 0, 1, 2, 3]
    assert backward == [0, 1, 2, 3, 4, 5, 6, 0, 1]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.booleans(), min_size=8, max_size=8),
    st.lists(st.booleans(), min_size=8, max_size=8),
    st.sampled_from(["together", "calendar", "spell"]),
)
def test_peace_years_equal_a_walk_through_the_years(
    fights: list[bool], present: list[bool], counting: str
) -> None:
    spells = [(2, "1816-01-01", "1823-12-31")]
    spells += [
        (20, f"{1816 + at}-01-01", f"{1816 + at}-12-31") for at, here in enumerate(present) if here
    ]
    system = StateSystem.from_spells(states(*spells), (1816, 1823))
    if not any(present):
        return
    event = np.zeros((2, 2, 8), np.int8)
    event[0, 1] = event[1, 0] = np.array(fights) & np.array(present)
    got = years_since(system, event, counting)[0, 1]
    length, seen = 0, False
    for at, here in enumerate(present):
        if not here:
            if counting == "spell":
                seen = False
            length += counting == "calendar"
            continue
        if not seen:
            length, seen = 0, True
        assert got[at] == length
        length = 0 if event[0, 1, at] else length + 1


spell = st.tuples(
    st.sampled_from([1, 2]),  # dispute
    st.sampled_from([10, 20, 30, 40]),  # state
    st.integers(0, 1),  # side A
    st.integers(0, 1),  # originator
    st.integers(0, 1500),  # first day after 1820-01-01
    st.integers(0, 500),  # further days
)


@settings(max_examples=100, deadline=None)
@given(st.lists(spell, min_size=1, max_size=8))
def test_dispute_dyad_years_equal_a_look_at_every_day(spells: list[Any]) -> None:
    """Two states oppose each other in a year if on some day of it both stood on other sides."""
    epoch = datetime.date(1820, 1, 1)
    rows = [
        (number, ccode, side, orig, str(epoch + datetime.timedelta(first)),
         str(epoch + datetime.timedelta(first + more)))
        for number, ccode, side, orig, first, more in spells
    ]  # fmt: skip
    facts = mid_dyad_years(participants(*rows))
    met: dict[tuple[int, int, int], set[int]] = {}
    for number, one, side_one, _, first_one, more_one in spells:
        for other_number, other, side_other, _, first_other, more_other in spells:
            if number != other_number or one == other or side_one == side_other:
                continue
            shared = range(
                max(first_one, first_other),
                min(first_one + more_one, first_other + more_other) + 1,
            )
            years = {(epoch + datetime.timedelta(day)).year for day in shared}
            met.setdefault((number, one, other), set()).update(years)
    expected = {(*key, year) for key, years in met.items() for year in years}
    got = list(
        zip(
            facts.conflict.tolist(), facts.ccode1.tolist(), facts.ccode2.tolist(),
            facts.year.tolist(), strict=True,
        )
    )  # fmt: skip
    assert len(got) == len(set(got))
    assert set(got) == expected
    onsets = {key for key, onset in zip(got, facts.onset, strict=True) if onset}
    assert onsets == {(*key, min(years)) for key, years in met.items() if years}
