"""Pacts between two states, partners, formation and answers to pacts, against plain loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.covariates.alliance_formation import within_next
from foedus.covariates.distance import haversine_km
from tests.covariates.alliance_worlds import (
    CAPITALS,
    CINC,
    CODES,
    COVERED,
    OBLIGATIONS,
    POLITY,
    RIVALS,
    Treaty,
    column,
    matrix,
    present,
    small_tables,
    tied,
    worlds,
)

YEARS = (1816, 1838)
NAMES = (*OBLIGATIONS, "any")


def rival(one: int, other: int, year: int, short: str) -> bool:
    return any(
        {one, other} == {a, b} and first <= year <= last for a, b, first, last in RIVALS[short]
    )


def known_max(values: list[Any]) -> Any:
    """1 if any is, None if none is and one is unknown, else 0."""
    if 1 in values:
        return 1
    return None if None in values else 0


@settings(max_examples=12, deadline=None)
@given(worlds())
def test_counts_ages_and_provisions(treaties: list[Treaty]) -> None:
    tables = small_tables(treaties)
    got = {
        name: column(tables, "directed-dyad-year", f"alliance_bonds.bond_{name}", (1817, 1832))
        for name in ("pacts", "age", "age_youngest", "bilateral", "wartime", "bases", "length",
                     "fixed_term", "military_contact", "institution", "depth")
    }  # fmt: skip
    for (one, other, year), count in got["pacts"].items():
        pacts = [each for each in treaties if each.bound(one, other, year)]
        assert count == len(pacts)
        key = (one, other, year)
        ages = [
            year - max(each.members[one][0], each.members[other][0]) for each in pacts
        ]  # fmt: skip
        assert got["age"][key] == (max(ages) if ages else None)
        assert got["age_youngest"][key] == (min(ages) if ages else None)
        coded = [each.coded for each in pacts]
        assert got["bilateral"][key] == known_max([int(c["bilat"] == 1) for c in coded])
        assert got["wartime"][key] == known_max([c["wartime"] for c in coded])
        bases = [None if c["base"] is None else int(c["base"] > 0) for c in coded]
        assert got["bases"][key] == known_max(bases)
        met = [None if c["milcon"] is None else int(c["milcon"] >= 2) for c in coded]
        assert got["military_contact"][key] == known_max(met)
        assert got["fixed_term"][key] == known_max([int(c["speclgth"] == 1) for c in coded])
        assert got["length"][key] == (max(c["length"] for c in coded) if coded else None)
        depths = [
            (c["milcon"] / 3 + (c["base"] > 0) + (c["intcom"] > 0)) / 8
            for c in coded
            if c["milcon"] is not None and c["base"] is not None
        ]
        expected = max(depths) if depths else None
        assert got["depth"][key] == (pytest.approx(expected, abs=1e-6) if depths else None)


@settings(max_examples=12, deadline=None)
@given(worlds())
def test_tethers(treaties: list[Treaty]) -> None:
    tables = small_tables(treaties)
    for short, last in (("td", 1837), ("tss", 1838)):
        got = column(tables, "dyad-year", f"alliance_tether.bond_tether_{short}", (1817, 1832))
        for (one, other, year), flag in got.items():
            begun = [
                max(each.members[one][0], each.members[other][0])
                for each in treaties
                if each.bound(one, other, year)
            ]
            assert all(first <= last for first in begun)
            assert flag == int(any(rival(one, other, first, short) for first in begun))
    got = column(tables, "dyad-year", "alliance_tether.bond_after_war", (1822, 1832))
    for (one, other, year), flag in got.items():
        begun = [
            max(each.members[one][0], each.members[other][0])
            for each in treaties
            if each.bound(one, other, year)
        ]
        fought = {one, other} in ({10, 20}, {10, 230})
        found = [fought and 1821 <= first <= 1826 for first in begun]
        # The five years before a pact must lie in the wars' years, 1816-1832.
        unknown = [not 1821 <= first <= 1832 for first in begun]
        expected = 1 if any(found) else None if any(unknown) else 0
        assert flag == expected


@settings(max_examples=12, deadline=None)
@given(worlds(), st.sampled_from(NAMES))
def test_partners_and_what_two_share(treaties: list[Treaty], name: str) -> None:
    tables = small_tables(treaties)
    years = (1818, 1826)
    got = {
        of: column(tables, "state-year", f"partner_mix.{of}", years, tie=name)
        for of in ("allies_n", "allies_major", "allies_cinc", "allies_cinc_max",
                   "allies_democratic", "allies_joint_democracy", "allies_distance_min")
    }  # fmt: skip
    held = column(tables, "state-year", f"partner_counts.holds_{name}_n", years)
    owes = column(tables, "state-year", f"partner_counts.owes_{name}_n", years)
    for (one, year), count in got["allies_n"].items():
        key = (one, year)
        partners = [other for other in CODES if tied(treaties, one, other, year, name)]
        assert count == len(partners)
        assert got["allies_major"][key] == sum(other in (10, 230) for other in partners)
        assert got["allies_cinc"][key] == pytest.approx(sum(CINC[other] for other in partners))
        assert got["allies_cinc_max"][key] == max([CINC[o] for o in partners], default=0)
        known = [POLITY[other] >= 6 for other in partners if other in POLITY]
        share = sum(known) / len(known) if known else None
        assert got["allies_democratic"][key] == (share if share is None else pytest.approx(share))
        joint = None if share is None or one not in POLITY else share * (POLITY[one] >= 6)
        assert got["allies_joint_democracy"][key] == (joint and pytest.approx(joint))
        far = [_km(one, other) for other in partners]
        nearest = min(far, default=None)
        assert got["allies_distance_min"][key] == (nearest and pytest.approx(nearest))
        for counted, forward in ((held, False), (owes, True)):
            bound = {
                other
                for other in CODES
                for each in treaties
                if present(other, year)
                and each.owed(*((one, other) if forward else (other, one)), year, name)
            }
            assert counted[key] == len(bound)


def _km(one: int, other: int) -> float:
    (lat1, lng1), (lat2, lng2) = CAPITALS[one], CAPITALS[other]
    found = haversine_km(*(np.array([value]) for value in (lat1, lng1, lat2, lng2)))
    return float(found[0])


@settings(max_examples=12, deadline=None)
@given(worlds())
def test_shared_and_opposing(treaties: list[Treaty]) -> None:
    tables = small_tables(treaties)
    years = (1819, 1825)
    got = {
        of: column(
            tables, "directed-dyad-year", f"shared_partners.{of}", years, rivals="rivalry_td"
        )
        for of in ("shared_partners", "shared_partners_cinc", "shared_pacts", "rival_partners",
                   "shared_rivals", "opposing_pacts")
    }  # fmt: skip
    for (one, other, year), count in got["shared_partners"].items():
        key = (one, other, year)
        third = [k for k in CODES if k not in (one, other)]
        both = [
            k for k in third if tied(treaties, one, k, year) and tied(treaties, other, k, year)
        ]  # fmt: skip
        assert count == len(both)
        assert got["shared_partners_cinc"][key] == pytest.approx(
            sum(CINC[k] for k in both), abs=1e-6
        )
        enemies = [k for k in third if tied(treaties, one, k, year) and rival(k, other, year, "td")]
        assert got["rival_partners"][key] == len(enemies)
        foes = [k for k in third if rival(k, one, year, "td") and rival(k, other, year, "td")]
        assert got["shared_rivals"][key] == len(foes)
        pacts = [e for e in treaties if e.bound(one, other, year) and e.coded["bilat"] == 0]
        assert got["shared_pacts"][key] == len(pacts)
        against = [
            each
            for each in treaties
            if any(each.bound(one, k, year) for k in CODES)
            and other in (each.coded["statthr1"], each.coded["statthr2"])
            and not any(each.bound(other, k, year) for k in CODES)
        ]
        assert got["opposing_pacts"][key] == len(against)


def test_rivals_are_unknown_outside_their_list() -> None:
    tables = small_tables(
        [Treaty(1, {10: (1820, 1840), 20: (1820, 1840)}, dict.fromkeys((10, 20), frozenset()), {})]
    )
    got = column(tables, "dyad-year", "shared_partners.rival_partners", (1837, 1838),
                 rivals="rivalry_td")  # fmt: skip
    assert got[10, 20, 1837] is not None
    assert got[10, 20, 1838] is None


@settings(max_examples=12, deadline=None)
@given(worlds(), st.sampled_from(NAMES), st.sampled_from(["include", "exclude"]))
def test_formation_by_obligation(treaties: list[Treaty], name: str, renewals: str) -> None:
    tables = small_tables(treaties)
    of = "formation" if name == "any" else f"formation_{name}"
    got = column(tables, "directed-dyad-year", f"alliance_formation.{of}", YEARS, renewals=renewals)
    for (one, other, year), flag in got.items():
        pairs = [(one, other), (other, one)] if name == "any" else [(one, other)]
        new = any(
            each.owed(*pair, year, name)
            and max(each.members[one][0], each.members[other][0]) == year
            and not (
                renewals == "exclude" and any(old.owed(*pair, year - 1, name) for old in treaties)
            )
            for each in treaties
            for pair in pairs
        )
        assert flag == int(new)


@settings(max_examples=12, deadline=None)
@given(worlds())
def test_ends(treaties: list[Treaty]) -> None:
    tables = small_tables(treaties)
    ended = column(tables, "dyad-year", "alliance_formation.termination", YEARS)
    broken = column(tables, "dyad-year", "alliance_formation.termination_violation", YEARS)
    for (one, other, year), flag in ended.items():
        ends = [
            each
            for each in treaties
            if each.bound(one, other, year)
            and min(each.members[one][1], each.members[other][1]) == year
            and year < COVERED[1]
        ]
        assert flag == int(bool(ends))
        assert broken[one, other, year] == int(any(each.coded["term"] == 2 for each in ends))


@settings(max_examples=12, deadline=None)
@given(worlds(), st.sampled_from(["any", "defense"]), st.sampled_from(["include", "exclude"]))
def test_answers_to_pacts(treaties: list[Treaty], tie: str, accession: str) -> None:
    tables = small_tables(treaties)
    options = {"tie": tie, "accession": accession}

    def entries(who: int, without: int | None) -> list[int]:
        years = []
        for each in treaties:
            owed = any(
                owes if tie == "any" else "defense" in owes for owes in each.owes.values()
            )  # fmt: skip
            if who not in each.members or not owed:
                continue
            first = each.members[who][0]
            if accession == "exclude" and first > min(span[0] for span in each.members.values()):
                continue
            spans = [each.members[without]] if without in each.members else []
            if not any(begin <= first <= end for begin, end in spans):
                years.append(first)
        return years

    counter = column(
        tables, "directed-dyad-year", "counter_alliance.counter_pact_3", YEARS, **options
    )
    for (one, other, year), flag in counter.items():
        later = any(year < each <= year + 3 for each in entries(other, one))
        assert flag == (None if year + 3 > COVERED[1] else int(later))
    rivals = column(
        tables, "state-year", "counter_alliance.rival_pact_3", YEARS, rivals="rivalry_td", **options
    )
    for (one, year), flag in rivals.items():
        later = any(
            rival(one, other, year, "td")
            and any(year < each <= year + 3 for each in entries(other, one))
            for other in CODES
        )
        assert flag == (None if year + 3 > COVERED[1] or year > 1837 else int(later))
    entered = column(tables, "state-year", "state_pacts.new_pacts", YEARS, **options)
    for (one, year), count in entered.items():
        assert count == entries(one, None).count(year)


def test_within_next_looks_ahead_only() -> None:
    yearly = np.array([[0, 1, 0, 0, 2, 0]], np.int16)
    assert within_next(yearly, 1).tolist() == [[True, False, False, True, False, False]]
    assert within_next(yearly, 3).tolist() == [[True, True, True, True, False, False]]


@settings(max_examples=12, deadline=None)
@given(worlds())
def test_balance_of_pledges(treaties: list[Treaty]) -> None:
    tables = small_tables(treaties)
    year = 1819  # 650 isn't in the system yet
    unit, years = "directed-dyad-year", (year, year)
    got = {
        of: column(tables, unit, f"deterrent_balance.{of}", years, threats="ignore")
        for of in ("target_side_share", "target_allies_share", "sides_share", "deterrent_ratio")
    }
    for (one, other, _), share in got["target_side_share"].items():
        key = (one, other, year)
        third = [k for k in CODES if k not in (one, other) and present(k, year)]
        help_ = sum(
            CINC[k] for k in third if any(e.owed(k, other, year, "defense") for e in treaties)
        )
        aid = sum(CINC[k] for k in third if any(e.owed(k, one, year, "offense") for e in treaties))
        ours, theirs = CINC[other] + help_, CINC[one] + aid
        assert share == pytest.approx(ours / (ours + CINC[one]))
        assert got["sides_share"][key] == pytest.approx(ours / (ours + theirs))
        assert got["deterrent_ratio"][key] == pytest.approx(ours / theirs)
        allies = got["target_allies_share"][key]
        assert (allies is None) == (help_ == 0)
        if help_:
            assert allies == pytest.approx(help_ / (help_ + CINC[one]))


def test_the_helpers_agree_on_what_a_tie_is() -> None:
    pact = Treaty(1, {10: (1820, 1822), 20: (1821, 1830)},
                  {10: frozenset({"defense"}), 20: frozenset()}, {"bilat": 1})  # fmt: skip
    assert math.isclose(matrix([pact], 1821).sum(), 2)
    assert matrix([pact], 1820).sum() == 0
    assert matrix([pact], 1823).sum() == 0


@settings(max_examples=8, deadline=None)
@given(worlds())
def test_what_members_are_to_each_other(treaties: list[Treaty]) -> None:
    tables, years = small_tables(treaties), (1818, 1830)
    got = {
        of: column(tables, "alliance-year", f"alliance_cohesion.alliance_{of}", years,
                   rivals="rivalry_td")
        for of in ("s_mean", "s_min", "distance_mean", "distance_max", "largest_share",
                   "democratic", "majors", "rival_pairs")
    }  # fmt: skip
    score = column(tables, "dyad-year", "similarity.s_atop", years)
    by_number = {each.atopid: each for each in treaties}
    for (atopid, year), number in got["majors"].items():
        key = (atopid, year)
        spans = by_number[atopid].members
        inside = sorted(
            who
            for who, (first, last) in spans.items()
            if first <= year <= last and present(who, year)
        )
        pairs = [(a, b) for a in inside for b in inside if a < b]
        assert number == (sum(who in (10, 230) for who in inside) if inside else None)
        if not pairs:
            assert got["s_mean"][key] is None
            assert got["rival_pairs"][key] is None
            continue
        scores = [score[a, b, year] for a, b in pairs]
        assert got["s_mean"][key] == pytest.approx(np.mean(scores), abs=1e-6)
        assert got["s_min"][key] == pytest.approx(min(scores), abs=1e-6)
        far = [_km(a, b) for a, b in pairs]
        assert got["distance_mean"][key] == pytest.approx(np.mean(far))
        assert got["distance_max"][key] == pytest.approx(max(far))
        powers = [CINC[who] for who in inside]
        assert got["largest_share"][key] == pytest.approx(max(powers) / sum(powers))
        known = [POLITY[who] >= 6 for who in inside if who in POLITY]
        expected = pytest.approx(np.mean(known)) if known else None
        assert got["democratic"][key] == expected
        assert got["rival_pairs"][key] == sum(rival(a, b, year, "td") for a, b in pairs)


def test_rival_pairs_are_unknown_after_their_list() -> None:
    pact = Treaty(
        1, dict.fromkeys((10, 20), (1820, 1840)), dict.fromkeys((10, 20), frozenset()), {}
    )
    got = column(small_tables([pact]), "alliance-year", "alliance_cohesion.alliance_rival_pairs",
                 (1824, 1838), rivals="rivalry_td")  # fmt: skip
    assert (got[1, 1825], got[1, 1826], got[1, 1837], got[1, 1838]) == (1, 0, 0, None)
