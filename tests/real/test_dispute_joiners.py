"""Potential joiners of disputes on the real files, against readings of the raw rows."""

from __future__ import annotations

import datetime
import math
from typing import Any

import polars as pl
import pytest

from foedus.covariates.assemble import VariableRequest, build_variables
from foedus.panels.dispute_joiner_units import unseen_dispute_joiners
from foedus.panels.units import load_system
from foedus.sources.tables import Tables

pytestmark = pytest.mark.real
YEARS = (1816, 2014)
# The July crisis, the Gulf, Suez, one of a single day, and one of many originators.
DISPUTES = (257, 3957, 200, 2, 4, 1801, 611, 4186)


def wanted(**columns: str) -> dict[str, VariableRequest]:
    split = {name: column.split(".") for name, column in columns.items()}
    return {name: VariableRequest(of, column) for name, (of, column) in split.items()}


def rows_of(tables: Tables, **columns: str) -> pl.DataFrame:
    return frame_of(build_variables(tables, "dispute-joiner", YEARS, wanted(**columns)))


def frame_of(panel: Any) -> pl.DataFrame:
    made = pl.from_arrow(panel.table)
    assert isinstance(made, pl.DataFrame)
    return made


def of_disputes(tables: Tables, name: str) -> pl.DataFrame:
    return tables.get("mid", name).filter(pl.col("dispnum").is_in(DISPUTES))


def test_joiners_are_those_of_the_raw_rows(tables: Tables) -> None:
    """Every state of MIDB that is no originator has a row and joined, but for those listed."""
    made = rows_of(tables, joined="dispute_joining.joined", side="dispute_joining.joined_side")
    raw: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in tables.get("mid", "participants").sort("start_min").iter_rows(named=True):
        raw.setdefault((row["dispnum"], row["ccode"]), []).append(row)
    joiners = {key for key, spells in raw.items() if all(one["orig"] == 0 for one in spells)}
    unseen = set(unseen_dispute_joiners(tables, load_system(tables), YEARS))
    rows = {(r["dispnum"], r["ccode"]): r for r in made.iter_rows(named=True)}
    assert {key for key, row in rows.items() if row["joined"] == 1} == joiners - unseen
    for key in joiners - unseen:
        assert rows[key]["side"] == (1 if raw[key][0]["sidea"] == 1 else 2)
    assert not rows.keys() & (raw.keys() - joiners)
    members = tables.get("cow_states", "states").to_dicts()
    for dispute in of_disputes(tables, "disputes").iter_rows(named=True):
        day = dispute["start_min"]
        there = {row["ccode"] for row in members if row["start"] <= day <= row["end"]}
        began = {c for d, c in raw if d == dispute["dispnum"]} - {
            c for d, c in joiners if d == dispute["dispnum"]
        }
        expected = {(dispute["dispnum"], ccode) for ccode in there - began}
        assert {key for key in rows if key[0] == dispute["dispnum"]} == expected


def test_pledges_of_the_day_before_by_a_reading_of_atop(tables: Tables) -> None:
    """A state owes defence where both are in a phase of a pact and its own row says so."""
    from foedus.covariates.atop import pledges

    made = rows_of(
        tables, a="dispute_joiner_ties.owes_defense_a", b="dispute_joiner_ties.owes_defense_b"
    ).filter(pl.col("dispnum").is_in(DISPUTES))
    rows = [row for row in pledges(tables, None, "include").to_dicts() if row["defense"] == 1]
    days = dict(of_disputes(tables, "disputes").select("dispnum", "start_min").iter_rows())
    began = [row for row in of_disputes(tables, "participants").to_dicts() if row["orig"] == 1]
    owed = set()
    for one in began:
        before = days[one["dispnum"]] - datetime.timedelta(days=1)
        side = "a" if one["sidea"] == 1 else "b"
        for row in rows:
            if row["receiver"] == one["ccode"] and row["from_day"] <= before <= row["to_day"]:
                owed.add((one["dispnum"], row["giver"], side))
    for row in made.iter_rows(named=True):
        for side in ("a", "b"):
            assert row[side] == ((row["dispnum"], row["ccode"], side) in owed)
    assert sum(made["a"]) > 5
    assert sum(made["b"]) > 5


def test_borders_and_strength_by_the_raw_rows(tables: Tables) -> None:
    made = rows_of(
        tables,
        border="dispute_joiner_place.contiguous_b",
        km="dispute_joiner_place.nearest_capital_km",
        reach="dispute_joiner_place.cinc_discounted",
        cinc="nmc.cinc",
        strength="dispute_sides.cinc_a",
        states="dispute_sides.states_a",
    ).filter(pl.col("dispnum").is_in(DISPUTES))
    year = dict(of_disputes(tables, "disputes").select("dispnum", "styear").iter_rows())
    began = of_disputes(tables, "participants").filter(pl.col("orig") == 1).to_dicts()
    land = tables.get("cow_contiguity", "dyad_years").filter(pl.col("conttype") == 1)
    borders = set(land.select("ccode1", "ccode2", "year").iter_rows())
    strength = {
        (row["ccode"], row["year"]): row["cinc"]
        for row in tables.get("cow_nmc", "state_years").iter_rows(named=True)
    }
    for row in made.iter_rows(named=True):
        when = year[row["dispnum"]]
        sides: dict[int, set[int]] = {0: set(), 1: set()}
        for one in began:
            if one["dispnum"] == row["dispnum"]:
                sides[one["sidea"]].add(one["ccode"])
        assert row["border"] == any((row["ccode"], other, when) in borders for other in sides[0])
        assert row["states"] == len(sides[1])
        total = sum(strength[ccode, when] for ccode in sides[1])
        assert row["strength"] == pytest.approx(total, abs=1e-9)
        if row["km"] is not None and row["cinc"]:
            speed = 250 if when <= 1918 else 375 if when <= 1945 else 500
            power = math.log10(row["km"] / 1.609344 / speed + 10 - math.e)
            assert row["reach"] == pytest.approx(row["cinc"] ** power)


def test_who_came_to_a_states_side_by_the_raw_rows(tables: Tables) -> None:
    columns = wanted(
        own="dispute_support.joiners_own",
        other="dispute_support.joiners_other",
        side="dispute_participant.side_a",
    )
    made = frame_of(build_variables(tables, "dispute-participant", YEARS, columns))
    made = made.filter(pl.col("dispnum").is_in(DISPUTES))
    spells = of_disputes(tables, "participants").sort("start_min").to_dicts()
    for row in made.iter_rows(named=True):
        states: dict[int, list[dict[str, Any]]] = {}
        for one in spells:
            if one["dispnum"] == row["dispnum"] and one["ccode"] != row["ccode"]:
                states.setdefault(one["ccode"], []).append(one)
        came = [all_[0]["sidea"] for all_ in states.values() if all(s["orig"] == 0 for s in all_)]
        assert row["own"] == came.count(row["side"])
        assert row["other"] == len(came) - came.count(row["side"])
