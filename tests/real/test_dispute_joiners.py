"""Potential joiners of disputes on the real files, against readings of the raw rows."""

from __future__ import annotations

import datetime
import math
from typing import Any

import polars as pl
import pytest

from foedus.covariates.assemble import VariableRequest, build_variables
from foedus.covariates.atop import pledges
from foedus.panels.dispute_joiner_units import unseen_dispute_joiners
from foedus.panels.units import load_system
from foedus.sources.tables import Tables
from foedus.studies.measures import MeasureContext, get_measure
from foedus.studies.measures_ally_conduct import occasions
from foedus.studies.registry import get_study
from foedus.studies.run import run_design

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
        gap="dispute_joiner_gap.territory_km_b",
        cinc="nmc.cinc",
        strength="dispute_sides.cinc_a",
        states="dispute_sides.states_a",
    ).filter(pl.col("dispnum").is_in(DISPUTES))
    year = dict(of_disputes(tables, "disputes").select("dispnum", "styear").iter_rows())
    began = of_disputes(tables, "participants").filter(pl.col("orig") == 1).to_dicts()
    land = tables.get("cow_contiguity", "dyad_years").filter(pl.col("conttype") == 1)
    borders = set(land.select("ccode1", "ccode2", "year").iter_rows())
    near = tables.get("cow_mindist", "dyad_years").filter(pl.col("year").is_in(list(year.values())))
    gaps = {
        (row["ccode1"], row["ccode2"], row["year"]): row["min_distance_km"]
        for row in near.iter_rows(named=True)
    }
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
        apart = [gaps.get((*sorted((row["ccode"], other)), when)) for other in sides[0]]
        known = [one for one in apart if one is not None]
        assert row["gap"] == (pytest.approx(min(known)) if known else None)
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


def measured(tables: Tables, study: str, block: str) -> dict[str, float]:
    run = run_design(get_study(tables.project, study), tables, choices=False)
    rows = run.estimates.to_pylist()
    return {row["term"]: row["estimate"] for row in rows if row["model"] == block}


def test_the_united_states_beside_its_partners_by_the_raw_rows(tables: Tables) -> None:
    """Joined by MIDB, with force, on a side with an originator to which it owed defence."""
    found = measured(tables, "beckley_2015", "disputes")
    begun = {
        row["dispnum"]: row["start_min"]
        for row in tables.get("mid", "disputes").iter_rows(named=True)
        if 1948 <= row["styear"] <= 2010
    }
    spells: dict[int, list[dict[str, Any]]] = {}
    for row in tables.get("mid", "participants").sort("start_min").iter_rows(named=True):
        if row["dispnum"] in begun:
            spells.setdefault(row["dispnum"], []).append(row)
    owed = [row for row in pledges(tables, None, "include").to_dicts() if row["giver"] == 2]
    owed = [row for row in owed if row["defense"] == 1]
    joined, beside, force = 0, 0, 0
    for dispnum, rows in spells.items():
        own = [row for row in rows if row["ccode"] == 2]
        if not own or any(row["orig"] == 1 for row in own):
            continue
        joined += 1
        eve = begun[dispnum] - datetime.timedelta(days=1)
        partners = {row["receiver"] for row in owed if row["from_day"] <= eve <= row["to_day"]}
        began = {r["ccode"] for r in rows if r["orig"] == 1 and r["sidea"] == own[0]["sidea"]}
        if began & partners:
            beside += 1
            force += max(row["hostlev"] for row in own) >= 4
    assert found["joined"] == joined
    assert found["joined beside a defence partner"] == beside
    assert found["joined beside a defence partner with force"] == force
    assert found["begun by others"] == len(begun) - sum(
        any(row["ccode"] == 2 and row["orig"] == 1 for row in rows) for rows in spells.values()
    )


def test_wars_that_grew_by_the_raw_rows(tables: Tables) -> None:
    entry = get_measure("war_expansion")
    made = entry.run(MeasureContext(tables, entry.resolve_options({})))
    found = {row.term: row.estimate for row in made.rows}
    fights = tables.get("cow_interstate_wars", "participants").to_dicts()
    deaths: dict[int, float] = {}
    days: dict[int, list[Any]] = {}
    for row in fights:
        deaths[row["warnum"]] = deaths.get(row["warnum"], 0) + (row["batdeath"] or 0)
        days.setdefault(row["warnum"], []).append(row["start1"])
    grown = {war for war, starts in days.items() if len(set(starts)) > 1}
    assert found["wars"] == len(days)
    assert found["wars expanded"] == len(grown)
    share = sum(deaths[war] for war in grown) / sum(deaths.values())
    assert found["share of deaths"] == pytest.approx(share)


def test_what_allies_did_in_the_first_world_war_by_the_raw_rows(tables: Tables) -> None:
    """Pairs bound by any pledge on the eve of the first one's entry, members of the system."""
    options = get_measure("ally_conduct").resolve_options({"first": 1914, "last": 1914})
    made = occasions(tables, options).unique(["warnum", "one", "other"])
    made = made.filter(pl.col("warnum") == 106)
    fights = tables.get("cow_interstate_wars", "participants").filter(pl.col("warnum") == 106)
    entry = {row["ccode"]: (row["start1"], row["side"]) for row in fights.to_dicts()}
    spells = tables.get("cow_states", "states").to_dicts()
    kinds = ("defense", "offense", "neutral", "nonagg", "consul")
    bound: dict[frozenset[int], list[Any]] = {}
    for row in pledges(tables, None, "include").to_dicts():
        if any(row[kind] == 1 for kind in kinds):
            pair = frozenset((row["giver"], row["receiver"]))
            bound.setdefault(pair, []).append((row["from_day"], row["to_day"]))
    expected = {}
    for pair, spans in bound.items():
        fighting = sorted((entry[code][0], code) for code in pair if code in entry)
        if not fighting:
            continue
        day, one = fighting[0]
        eve = day - datetime.timedelta(days=1)
        (other,) = pair - {one}
        member = all(
            any(s["ccode"] == code and s["start"] <= day <= s["end"] for s in spells)
            for code in pair
        )
        if member and any(start <= eve <= end for start, end in spans):
            same = other in entry and entry[other][1] == entry[one][1]
            expected[one, other] = (
                "stayed out" if other not in entry else "beside" if same else "against"
            )
    keys = made.select("one", "other", "outcome").iter_rows()
    assert {(one, other): outcome for one, other, outcome in keys} == expected
    assert len(expected) > 15
