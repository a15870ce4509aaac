"""Gleditsch and Ward's states: who exists by their list, what is known of them by COW's."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from tests.covariates.conftest import COVERAGE, SmallTables, day, members, states
from tests.covariates.test_assemble import contiguity, nmc

from foedus.covariates.assemble import build_panel
from foedus.errors import UsageError

GW = pl.DataFrame(
    [
        (2, "1816-01-01", "1840-12-31"),
        (99, "1821-01-01", "1830-12-31"),  # Great Colombia: no COW state
        (340, "1830-05-01", "1840-12-31"),  # Serbia: COW 345
        (973, "1816-01-01", "1840-12-31"),  # Tuvalu: COW 947, in COW from 1835 only
    ],
    schema=["gwcode", "start", "end"],
    orient="row",
).with_columns(pl.col("start", "end").str.to_date())


@pytest.fixture
def tables() -> SmallTables:
    spells = states(
        (2, "1816-01-01", "1840-12-31"), (345, "1816-01-01", "1840-12-31"),
        (947, "1835-01-01", "1840-12-31"),
    )  # fmt: skip
    made = SmallTables(
        {
            ("cow_states", "states"): spells,
            ("gw_states", "states"): GW,
            ("cow_states", "majors"): pl.DataFrame(
                {"ccode": [2], "start": [day("1820-01-01")], "end": [day("1840-12-31")]}
            ),
            ("cow_nmc", "state_years"): nmc(
                *[(c, y, c / 1000) for c in (2, 345) for y in (1829, 1831)]
            ),
            ("cow_contiguity", "dyad_years"): contiguity((2, 345, 1831, 1), (345, 2, 1831, 1)),
            ("atop", "members"): members(
                {"atopid": 1, "member": 2, "start": "1829-01-01", "end": None, "defense": 1},
                {"atopid": 1, "member": 345, "start": "1829-01-01", "end": None, "defense": 1},
            ),
        }
    )
    made.coverages = {**COVERAGE, "gw_states": (1816, 1840)}
    return made


def built(tables: SmallTables, unit: str, *rest: Any) -> pl.DataFrame:
    panel = build_panel(tables, unit, *rest, system="gw")  # type: ignore[arg-type]
    frame = pl.from_arrow(panel.table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def test_states_exist_by_their_list_and_are_known_by_cows_number(tables: SmallTables) -> None:
    frame = built(tables, "state-year", (1829, 1831), ["nmc", "major"])
    assert frame.columns[:2] == ["gwcode", "year"]
    assert frame.select("gwcode", "year", "cinc", "major").rows() == [
        (2, 1829, 0.002, 1), (2, 1830, None, 1), (2, 1831, 0.002, 1),
        (99, 1829, None, None), (99, 1830, None, None),  # COW has no such state
        (340, 1830, None, 0), (340, 1831, 0.345, 0),
        (973, 1829, None, None), (973, 1830, None, None), (973, 1831, None, None),  # no member yet
    ]  # fmt: skip


def test_pairs_have_facts_only_if_cow_knows_both(tables: SmallTables) -> None:
    asked = ["contiguity", "atop", "atop_third_party", "capability_share"]
    frame = built(tables, "directed-dyad-year", (1831, 1831), asked)
    assert frame.select("gwcode1", "gwcode2").rows() == [
        (2, 340), (2, 973), (340, 2), (340, 973), (973, 2), (973, 340),
    ]  # fmt: skip
    known = frame.filter(gwcode1=2, gwcode2=340).row(0, named=True)
    assert (known["contiguous"], known["atop_defense"], known["target_defense_n"]) == (1, 1, 0)
    assert known["capability_share"] == pytest.approx(0.002 / 0.347)
    for row in frame.filter((pl.col("gwcode1") == 973) | (pl.col("gwcode2") == 973)).rows(
        named=True
    ):
        for column in ("contiguous", "atop_defense", "target_defense", "target_defense_n"):
            assert row[column] is None


def test_a_state_that_cow_does_not_know_has_no_capital(tables: SmallTables) -> None:
    """Its place among COW's states is none, and none is not the last."""
    tables.frames["capitals", "spells"] = pl.DataFrame(
        {
            "ccode": [2, 345, 947],
            "start": [day("1816-01-01")] * 3,
            "end": [day("1840-12-31")] * 3,
            "lat": [38.9, 44.8, -8.5],
            "lng": [-77.0, 20.5, 179.2],
        }
    )
    frame = built(tables, "dyad-year", (1829, 1830), ["capital_distance"])
    found = dict(zip(frame.select("gwcode1", "gwcode2", "year").iter_rows(),
                     frame["capital_distance_km"].to_list(), strict=True))  # fmt: skip
    assert found[2, 340, 1830] == pytest.approx(7598.6, abs=0.1)  # haversine by hand
    assert found[2, 99, 1829] is None
    assert found[2, 973, 1829] is None  # no member of COW's system yet


def test_months_of_that_system_are_refused(tables: SmallTables) -> None:
    with pytest.raises(UsageError, match="built of COW states only"):
        built(tables, "dyad-month", (1831, 1831), [])
    with pytest.raises(UsageError, match="Known: cow, gw"):
        build_panel(tables, "dyad-year", (1831, 1831), [], system="eu")  # type: ignore[arg-type]
