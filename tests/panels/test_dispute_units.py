"""Units of disputes, and the system's years."""

from __future__ import annotations

import datetime
from typing import Any

import polars as pl
import pytest
from tests.covariates.conftest import SmallTables, participants, states

from foedus.panels.units import build_spine, get_unit

# Dispute 1: 10 (side A) against 20 from 1820; 30 joins 20 in 1821, after 10 is out, so that the two
# never stood against each other. Dispute 2: 40 against 10, twice.
SPELLS = participants(
    (1, 10, 1, 1, "1820-03-01", "1821-02-01"),
    (1, 20, 0, 1, "1820-03-01", "1821-12-31"),
    (1, 30, 0, 0, "1821-05-01", "1821-12-31"),
    (2, 40, 1, 1, "1830-01-01", "1830-02-01"),
    (2, 40, 1, 0, "1831-01-01", "1831-02-01"),
    (2, 10, 0, 1, "1830-01-01", "1831-02-01"),
).with_columns(styear=pl.col("start_min").dt.year().cast(pl.Int16))


@pytest.fixture
def tables() -> SmallTables:
    codes = [(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30)]
    spells = states(*codes, (40, "1830-06-01", "1840-12-31"))
    disputes = pl.DataFrame(
        {"dispnum": [2, 1], "styear": [1830, 1820]},
        schema={"dispnum": pl.Int32, "styear": pl.Int16},
    )
    return SmallTables(
        {
            ("cow_states", "states"): spells,
            ("mid", "participants"): SPELLS,
            ("mid", "disputes"): disputes,
        }
    )


def rows_of(tables: SmallTables, unit: str, years: tuple[int, int] = (1816, 1836)) -> list[Any]:
    spine = build_spine(tables, unit, years)  # type: ignore[arg-type]
    assert tuple(spine.keys) == get_unit(unit).keys
    rows = list(zip(*(column.tolist() for column in spine.keys.values()), strict=True))
    assert rows == sorted(set(rows))
    return rows


def test_a_dispute_stands_in_the_year_in_which_it_began(tables: SmallTables) -> None:
    assert rows_of(tables, "dispute") == [(1,), (2,)]
    assert rows_of(tables, "dispute", (1821, 1836)) == [(2,)]
    assert rows_of(tables, "dispute", (1832, 1836)) == []


def test_a_state_that_comes_back_is_one_participant(tables: SmallTables) -> None:
    assert rows_of(tables, "dispute-participant") == [(1, 10), (1, 20), (1, 30), (2, 10), (2, 40)]
    assert rows_of(tables, "dispute-participant", (1821, 1821)) == [(1, 30)]


def test_pairs_stood_against_each_other_on_the_same_day(tables: SmallTables) -> None:
    rows = rows_of(tables, "dispute-dyad-year")
    assert rows == [
        (1, 10, 20, 1820), (1, 10, 20, 1821), (1, 20, 10, 1820), (1, 20, 10, 1821),
        (2, 10, 40, 1830), (2, 10, 40, 1831), (2, 40, 10, 1830), (2, 40, 10, 1831),
    ]  # fmt: skip


def test_a_state_has_a_place_in_the_years_of_its_membership(tables: SmallTables) -> None:
    spine = build_spine(tables, "dispute-participant", (1816, 1836))  # type: ignore[arg-type]
    assert spine.places[0].state.tolist() == [0, 1, 2, 0, 3]
    assert spine.places[0].year.tolist() == [1820, 1820, 1821, 1830, 1830]
    tables.frames["cow_states", "states"] = states(
        *[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30)],
        (40, "1835-01-01", "1840-12-31"),
    )
    spine = build_spine(tables, "dispute-participant", (1816, 1836))  # type: ignore[arg-type]
    assert spine.places[0].state.tolist() == [0, 1, 2, 0, -1]


def test_order_of_input_does_not_matter(tables: SmallTables) -> None:
    before = {unit: rows_of(tables, unit) for unit in ("dispute-participant", "dispute-dyad-year")}
    tables.frames["mid", "participants"] = SPELLS.reverse()
    assert before == {unit: rows_of(tables, unit) for unit in before}


def test_the_system_has_every_year_asked_for(tables: SmallTables) -> None:
    assert rows_of(tables, "system-year", (1820, 1823)) == [(1820,), (1821,), (1822,), (1823,)]
    assert SPELLS["start_min"][0] == datetime.date(1820, 3, 1)
