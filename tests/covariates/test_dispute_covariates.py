"""Covariates of disputes on disputes small enough to read."""

from __future__ import annotations

import datetime
from typing import Any

import polars as pl
import pytest

from foedus.covariates.assemble import VariableRequest, build_variables
from tests.covariates.conftest import SmallTables, states

DAY = datetime.date.fromisoformat


def spell(dispnum: int, ccode: int, side: int, orig: int, start: str, end: str, **more: Any) -> Any:
    return {
        "dispnum": dispnum, "ccode": ccode, "sidea": side, "orig": orig, "start_min": DAY(start),
        "start_max": DAY(more.pop("latest", start)), "end_min": DAY(end), "end_max": DAY(end),
        "styear": int(start[:4]), "revstate": 0, "revtype1": 0, "hostlev": 3, "fatality": 0,
        "fatalpre": 0, **more,
    }  # fmt: skip


# Dispute 1 begins on an unknown day of March 1820; 20 comes back in 1821 with unknown deaths.
SPELLS = [
    spell(1, 10, 1, 1, "1820-03-01", "1821-02-01", latest="1820-03-31", revstate=1, hostlev=4),
    spell(1, 20, 0, 1, "1820-03-01", "1820-04-30", latest="1820-03-31", hostlev=1),
    spell(1, 20, 0, 0, "1821-01-10", "1821-01-19", hostlev=5, fatality=None, fatalpre=None),
    spell(1, 30, 0, 0, "1821-01-10", "1821-01-19", fatality=2, fatalpre=40),
]


@pytest.fixture
def tables() -> SmallTables:
    disputes = pl.DataFrame(
        [{"dispnum": 1, "styear": 1820, "endyear": 1821, "hostlev": 5, "fatality": None,
          "fatalpre": None, "mindur": 308, "maxdur": 338, "recip": 1, "outcome": 5, "settle": 3,
          "numa": 1, "numb": 2}],
        schema_overrides={"fatality": pl.Int8, "fatalpre": pl.Int32},
    )  # fmt: skip
    spells = states(*[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30)])
    return SmallTables(
        {
            ("cow_states", "states"): spells,
            ("mid", "participants"): pl.DataFrame(SPELLS, infer_schema_length=None),
            ("mid", "disputes"): disputes,
        }
    )


def column(tables: SmallTables, unit: str, name: str) -> dict[Any, Any]:
    covariate, _, of = name.partition(".")
    panel = build_variables(
        tables,  # type: ignore[arg-type]
        unit,
        (1816, 1836),
        {"value": VariableRequest(covariate, of, {})},
    )
    made = panel.table.to_pydict()
    keys = [made[key] for key in panel.keys]
    rows = list(zip(*keys, strict=True)) if len(keys) > 1 else keys[0]
    return dict(zip(rows, made["value"], strict=True))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dispute_begun", 1820), ("dispute_ended", 1821), ("dispute_hostility", 5),
        ("dispute_war", 1), ("dispute_fatality", None), ("dispute_deaths", None),
        ("dispute_days_min", 308), ("dispute_days_max", 338), ("dispute_reciprocated", 1),
        ("dispute_outcome", 5), ("dispute_settlement", 3), ("dispute_states_b", 2),
    ],
)  # fmt: skip
def test_a_dispute_as_a_whole(tables: SmallTables, name: str, expected: int | None) -> None:
    assert column(tables, "dispute", f"dispute.{name}") == {1: expected}
    rows = column(tables, "dispute-dyad-year", f"dispute.{name}")
    assert set(rows.values()) == {expected}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("side_a", {10: 1, 20: 0, 30: 0}),
        ("originator", {10: 1, 20: 1, 30: 0}),
        ("revisionist", {10: 1, 20: 0, 30: 0}),
        ("hostility", {10: 4, 20: 5, 30: 3}),
        ("fatality", {10: 0, 20: None, 30: 2}),
        ("deaths", {10: 0, 20: None, 30: 40}),
        ("days_min", {10: 308, 20: 41, 30: 10}),
        ("days_max", {10: 338, 20: 71, 30: 10}),
        ("spells", {10: 1, 20: 2, 30: 1}),
    ],
)
def test_a_states_part(tables: SmallTables, name: str, expected: dict[int, int | None]) -> None:
    got = column(tables, "dispute-participant", f"dispute_participant.{name}")
    assert got == {(1, ccode): value for ccode, value in expected.items()}


def test_a_pairs_part(tables: SmallTables) -> None:
    onset = column(tables, "dispute-dyad-year", "dispute_dyad.dispute_onset")
    assert onset[1, 10, 20, 1820] == 1
    assert onset[1, 10, 20, 1821] == 0
    assert onset[1, 10, 30, 1821] == 1
    initiated = column(tables, "dispute-dyad-year", "dispute_dyad.dispute_initiated")
    assert [key for key, flag in initiated.items() if flag] == [(1, 10, 20, 1820)]
    both = column(tables, "dispute-dyad-year", "dispute_dyad.both_originators")
    assert both[1, 10, 30, 1821] == 0


def test_the_two_orders_of_a_pair_mirror_each_other(tables: SmallTables) -> None:
    for name in ("side_a", "revisionist", "hostility", "fatality"):
        first = column(tables, "dispute-dyad-year", f"dispute_dyad.{name}_1")
        second = column(tables, "dispute-dyad-year", f"dispute_dyad.{name}_2")
        for (dispnum, one, other, year), value in first.items():
            assert second[dispnum, other, one, year] == value
