"""War units on two wars small enough to read."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.covariates.conftest import SmallTables, states

from foedus.panels.system import StateSystem
from foedus.panels.units import build_spine, get_unit
from foedus.panels.war_list import NEVER, WarList

SCHEMA = {
    "warnum": pl.Int32, "warname": pl.String, "ccode": pl.Int32, "side": pl.Int8,
    "start1": pl.Date, "end1": pl.Date, "start2": pl.Date, "end2": pl.Date,
    "start1_precision": pl.String, "end1_precision": pl.String, "initiator": pl.Int8,
    "outcome": pl.Int8, "batdeath": pl.Int32,
}  # fmt: skip


def fighters(*rows: dict[str, Any]) -> pl.DataFrame:
    """Participants: what a row doesn't say is the ordinary case."""
    filled = []
    for row in rows:
        full = {
            "warname": f"War {row['warnum']}", "start2": None, "end2": None,
            "start1_precision": "day", "end1_precision": "day", "initiator": 0, "outcome": 1,
            "batdeath": 100, **row,
        }  # fmt: skip
        for name in ("start1", "end1", "start2", "end2"):
            if isinstance(full[name], str):
                full[name] = datetime.date.fromisoformat(full[name])
        filled.append(full)
    return pl.DataFrame(filled, schema=SCHEMA)


TRUCE = {"start2": "1825-02-01", "end2": "1825-02-10"}

# War 1: 10 attacks 20 on 1 March 1820; 30 joins 20 in May, changes over in July; 50, which enters
# the system in June, fights too. War 2: a truce, and a state whose deaths are unknown.
WARS = fighters(
    *[
        {"warnum": warnum, "ccode": ccode, "side": side, "start1": start, "end1": end, **more}
        for warnum, ccode, side, start, end, more in (
            (1, 10, 1, "1820-03-01", "1820-12-31", {"initiator": 1}),
            (1, 20, 2, "1820-03-01", "1820-12-31", {"outcome": 2}),
            (1, 30, 2, "1820-05-10", "1820-06-30", {"outcome": 8}),
            (1, 30, 1, "1820-07-01", "1820-12-31", {"batdeath": 50}),
            (1, 50, 1, "1820-08-01", "1820-12-31", {}),
            (2, 10, 1, "1825-01-01", "1825-01-10", {"initiator": 1, "batdeath": None, **TRUCE}),
            (2, 40, 2, "1825-01-01", "1825-01-10", TRUCE),
        )
    ]
)


@pytest.fixture
def tables() -> SmallTables:
    spells = states(
        *[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30, 40)],
        (50, "1820-06-01", "1840-12-31"),
    )
    return SmallTables(
        {("cow_states", "states"): spells, ("cow_interstate_wars", "participants"): WARS}
    )


def spine(tables: SmallTables, unit: str, years: tuple[int, int] = (1816, 1830)) -> Any:
    return build_spine(tables, unit, years)  # type: ignore[arg-type]


def test_a_war_stands_in_the_year_in_which_it_began(tables: SmallTables) -> None:
    assert spine(tables, "war").keys["warnum"].tolist() == [1, 2]
    assert spine(tables, "war", (1821, 1830)).keys["warnum"].tolist() == [2]
    assert spine(tables, "war", (1826, 1830)).n_rows == 0


def test_a_state_that_changed_sides_is_one_participant(tables: SmallTables) -> None:
    made = spine(tables, "war-participant")
    keys = list(zip(made.keys["warnum"].tolist(), made.keys["ccode"].tolist(), strict=True))
    assert keys == [(1, 10), (1, 20), (1, 30), (1, 50), (2, 10), (2, 40)]
    assert len(set(keys)) == len(keys)


def test_spells_of_one_state_are_put_together() -> None:
    entries = WarList.from_table(WARS).states
    changed = int(np.flatnonzero(entries.ccode == 30)[0])
    assert (entries.side[changed], entries.last_side[changed]) == (2, 1)
    assert entries.deaths[changed] == 150
    assert entries.spells[changed] == 2
    assert not entries.original[changed]
    assert np.isnan(entries.deaths[(entries.warnum == 2) & (entries.ccode == 10)]).all()


def test_potential_joiners_are_members_on_the_first_day_that_are_not_at_war(
    tables: SmallTables,
) -> None:
    made = spine(tables, "war-joiner")
    rows = list(zip(made.keys["warnum"].tolist(), made.keys["ccode"].tolist(), strict=True))
    # 50 fights in war 1 but enters the system after its first day; by war 2 it is a member.
    assert rows == [(1, 30), (1, 40), (2, 20), (2, 30), (2, 50)]
    assert made.extra["joined"].tolist() == [True, False, False, False, False]
    assert made.extra["joined_side"].tolist() == [2, 0, 0, 0, 0]
    assert made.extra["join_day"][0] - made.extra["start_day"][0] == 70
    assert (made.extra["join_day"][1:] == NEVER).all()


def test_rows_are_sorted_and_places_are_the_states(tables: SmallTables) -> None:
    for name in ("war", "war-participant", "war-joiner"):
        made = spine(tables, name)
        assert tuple(made.keys) == get_unit(name).keys
        columns = [values.tolist() for values in made.keys.values()]
        rows = list(zip(*columns, strict=True))
        assert rows == sorted(set(rows))
        for place in made.places:
            known = place.state >= 0
            assert (made.system.ccodes[place.state[known]] == made.keys["ccode"][known]).all()


def test_entry_year_places_a_participant(tables: SmallTables) -> None:
    late = fighters(
        {"warnum": 9, "ccode": 10, "side": 1, "start1": "1820-12-01", "end1": "1821-12-31"},
        {"warnum": 9, "ccode": 20, "side": 2, "start1": "1820-12-01", "end1": "1821-12-31"},
        {"warnum": 9, "ccode": 30, "side": 2, "start1": "1821-02-01", "end1": "1821-12-31"},
    )
    tables.frames["cow_interstate_wars", "participants"] = late
    assert spine(tables, "war-participant").places[0].year.tolist() == [1820, 1820, 1821]


def test_truces_are_not_fighting() -> None:
    wars = WarList.from_table(WARS)
    assert wars.active_days(1) == 20
    assert int(wars.last_day[1] - wars.first_day[1]) + 1 == 41


def test_an_unknown_end_leaves_the_wars_end_unknown() -> None:
    open_ended = fighters(
        {"warnum": 3, "ccode": 10, "side": 1, "start1": "1820-03-01", "end1": None},
        {"warnum": 3, "ccode": 20, "side": 2, "start1": "1820-03-01", "end1": "1820-12-31"},
    )
    assert WarList.from_table(open_ended).last_day[0] == NEVER


def test_empty_years_give_an_empty_spine(tables: SmallTables) -> None:
    made = spine(tables, "war-joiner", (1830, 1830))
    assert made.n_rows == 0


def test_system_index_of_a_stranger_is_minus_one(tables: SmallTables) -> None:
    system = StateSystem.from_spells(tables.get("cow_states", "states"), (1816, 1840))
    assert system.index(np.array([999])).tolist() == [-1]
