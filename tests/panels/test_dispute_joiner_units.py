"""Disputes × states that could have joined them."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from tests.covariates.conftest import SmallTables, day, participants, states

from foedus.panels.dispute_joiner_units import unseen_dispute_joiners
from foedus.panels.units import build_spine, load_system

# Dispute 1: 10 (A) against 20; 30 joins 20's side and comes back on the other, 50 joins before it
# is a state. Dispute 2: 40 is an originator in its second spell; 10 against it.
SPELLS = participants(
    (1, 10, 1, 1, "1820-03-01", "1821-02-01"),
    (1, 20, 0, 1, "1820-03-01", "1821-12-31"),
    (1, 30, 0, 0, "1820-05-01", "1820-06-01"),
    (1, 30, 1, 0, "1821-05-01", "1821-12-31"),
    (1, 50, 1, 0, "1821-05-01", "1821-12-31"),
    (2, 40, 1, 0, "1831-01-01", "1831-02-01"),
    (2, 40, 1, 1, "1832-01-01", "1832-02-01"),
    (2, 10, 0, 1, "1831-01-01", "1832-02-01"),
)


@pytest.fixture
def tables() -> SmallTables:
    spells = states(
        *[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30)],
        (40, "1820-03-02", "1840-12-31"),
        (50, "1820-03-02", "1820-12-31"),
        (50, "1830-01-01", "1840-12-31"),
    )
    disputes = pl.DataFrame(
        {
            "dispnum": [2, 1],
            "styear": [1831, 1820],
            "start_min": [day("1831-01-01"), day("1820-03-01")],
            "end_max": [day("1832-02-01"), day("1821-12-31")],
        },
        schema_overrides={"dispnum": pl.Int32, "styear": pl.Int16},
    )
    return SmallTables(
        {
            ("cow_states", "states"): spells,
            ("mid", "participants"): SPELLS,
            ("mid", "disputes"): disputes,
        }
    )


def spine_of(tables: Any, years: tuple[int, int] = (1816, 1836)) -> Any:
    return build_spine(tables, "dispute-joiner", years)


def test_members_on_the_first_day_that_began_nothing_have_a_row(tables: SmallTables) -> None:
    """40 and 50 enter the system a day after dispute 1 began; 40 is an originator of dispute 2."""
    spine = spine_of(tables)
    rows = list(zip(spine.keys["dispnum"].tolist(), spine.keys["ccode"].tolist(), strict=True))
    assert rows == [(1, 30), (2, 20), (2, 30), (2, 50)]
    assert spine.places[0].year.tolist() == [1820, 1831, 1831, 1831]
    assert len(spine_of(tables, (1833, 1836)).keys["ccode"]) == 0


def test_a_state_joins_once_on_the_side_of_its_first_spell(tables: SmallTables) -> None:
    extra = spine_of(tables).extra
    assert extra["joined"].tolist() == [True, False, False, False]
    assert extra["join_side"].tolist() == [2, 0, 0, 0]
    assert (extra["join_day"] - extra["start_day"])[0] == 61


def test_joiners_that_were_no_members_are_listed(tables: SmallTables) -> None:
    system = load_system(tables)  # type: ignore[arg-type]
    assert unseen_dispute_joiners(tables, system, (1816, 1836)) == [(1, 50)]  # type: ignore[arg-type]
    assert unseen_dispute_joiners(tables, system, (1830, 1836)) == []  # type: ignore[arg-type]
