"""Honoured or not, by rule, on treaties and a war small enough to read."""

from __future__ import annotations

from typing import Any

import polars as pl

from foedus.covariates.reliability import OPTIONS, Case, build_cases
from foedus.panels.system import StateSystem
from foedus.panels.war_list import WarList
from tests.covariates.conftest import members, states
from tests.covariates.test_war_covariates import pact
from tests.panels.test_war_units import fighters

# 10 attacks 20 on 1 March 1820; 30 joins 20 in May; 40 and 60 stay out.
WAR = fighters(
    {"warnum": 1, "ccode": 10, "side": 1, "initiator": 1, "start1": "1820-03-01",
     "end1": "1820-12-31"},
    {"warnum": 1, "ccode": 20, "side": 2, "start1": "1820-03-01", "end1": "1820-12-31"},
    {"warnum": 1, "ccode": 30, "side": 2, "start1": "1820-05-10", "end1": "1820-12-31"},
)  # fmt: skip
SYSTEM = StateSystem.from_spells(
    states(*[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30, 40)]), (1816, 1840)
)


def cases(
    *rows: dict[str, Any], coverage: tuple[int, int] = (1815, 1838), **options: Any
) -> list[Case]:
    chosen = {name: option.default for name, option in OPTIONS.items()} | options
    extra = {
        name: [row.get(name, 0) for row in rows] for name in ("cowwar", "defcoloc", "neucoatt")
    }
    coded = ("cowwar", "defcoloc", "neucoatt")
    frame = members(*[{k: v for k, v in row.items() if k not in coded} for row in rows])
    frame = frame.with_columns(pl.Series(name, column) for name, column in extra.items())
    return build_cases(frame, WarList.from_table(WAR), SYSTEM, chosen, coverage)


def two(one: int, other: int, **coded: int) -> list[dict[str, Any]]:
    return [pact(1, ccode, "1818-01-01", None, **coded) for ccode in (one, other)]


def only(*rows: dict[str, Any], **options: Any) -> Case:
    found = cases(*rows, **options)
    assert len(found) == 1
    return found[0]


def test_defence_of_the_attacked_is_honoured_by_joining() -> None:
    case = only(*two(20, 30, defense=1))
    assert case.invoked_by == ("defense",)
    assert case.honoured
    assert case.fought_together
    assert not case.multilateral


def test_defence_of_the_attacked_is_violated_by_staying_out() -> None:
    case = only(*two(20, 40, defense=1))
    assert case.invoked
    assert not case.honoured
    assert case.broke == (40,)


def test_defence_does_not_cover_an_attack_of_ones_own() -> None:
    case = only(*two(10, 40, defense=1))
    assert not case.invoked


def test_offence_covers_it() -> None:
    case = only(*two(10, 40, offense=1))
    assert case.invoked_by == ("offense",)
    assert case.broke == (40,)


def test_neutrality_is_kept_by_staying_out_and_broken_by_fighting() -> None:
    assert only(*two(10, 40, neutral=1)).honoured
    broken = only(*two(10, 30, neutral=1))
    assert broken.fought_each_other
    assert not broken.honoured


def test_neutrality_for_the_attacked_alone_does_not_cover_the_attacker() -> None:
    assert not only(*two(10, 40, neutral=1, neucoatt=1)).invoked
    assert only(*two(20, 40, neutral=1, neucoatt=1)).honoured


def test_nonaggression_applies_only_when_members_fight_each_other() -> None:
    assert not only(*two(20, 40, nonagg=1)).invoked
    broken = only(*two(10, 20, nonagg=1))
    assert broken.invoked_by == ("fight",)
    assert not broken.honoured


def test_consultation_alone_never_applies() -> None:
    assert not only(*two(20, 40, consul=1)).invoked


def test_a_pledge_against_others_does_not_fall_due() -> None:
    limited = two(20, 40, defense=1, defcoadv=1, statthr1=30)
    assert not only(*limited).invoked
    assert only(*limited, threats="ignore").invoked
    assert only(*two(20, 40, defense=1, defcoadv=1, statthr1=10)).invoked
    assert only(*two(20, 40, defense=1, statthr1=30)).invoked
    assert not only(*two(20, 40, defense=1, statthr1=30), threats="named").invoked


def test_conditions_that_are_not_spelled_out() -> None:
    assert only(*two(20, 40, defense=1, defcoloc=1)).invoked
    assert not only(*two(20, 40, defense=1, defcoloc=1), conditions="unmet").invoked


def test_many_members_strictly_and_leniently() -> None:
    rows = [pact(1, ccode, "1818-01-01", None, defense=1) for ccode in (20, 30, 40)]
    case = only(*rows)
    assert case.multilateral
    assert not case.honoured
    assert case.honoured_lenient
    assert case.broke == (40,)


def test_a_late_comer_is_attacked_only_if_the_option_says_so() -> None:
    rows = two(30, 40, defense=1)
    assert not only(*rows).invoked
    assert only(*rows, joiners="attacked").invoked


def test_a_pact_made_for_the_war_is_invoked_by_it() -> None:
    rows = [pact(1, ccode, "1820-04-01", None, offense=1, cowwar=1) for ccode in (20, 30)]
    assert only(*rows).honoured
    assert not only(*rows, wartime="by_attack").invoked


def test_pairing() -> None:
    late = [pact(1, ccode, "1820-04-01", None, defense=1) for ccode in (20, 40)]
    assert len(cases(*late)) == 1
    assert not only(*late).invoked
    assert cases(*late, pairing="entry") == []
    assert cases(*late, pairing="outset") == []
    assert (
        cases(pact(1, 20, "1816-01-01", "1819-12-31"), pact(1, 40, "1816-01-01", "1819-12-31"))
        == []
    )


def test_a_member_outside_the_system_owes_nothing() -> None:
    assert not only(*two(20, 60, defense=1)).invoked


def test_wars_outside_the_treaty_data_are_left_out() -> None:
    assert cases(*two(20, 30, defense=1), coverage=(1815, 1819)) == []


def test_what_members_did_before_and_after_the_pact_is_no_matter() -> None:
    # 30 fights beside 20 from 10 May; a pact between them that ends in April was not kept.
    left = [pact(1, ccode, "1818-01-01", "1820-04-01", defense=1) for ccode in (20, 30)]
    assert only(*left).broke == (30,)
    # 30 fights 10 from 10 May on; a neutrality pact that ended in April isn't broken by it.
    lapsed = [pact(1, ccode, "1818-01-01", "1820-04-01", neutral=1) for ccode in (10, 30)]
    assert only(*lapsed).honoured
    # One that ends on the eve of the fight is.
    broken = [pact(1, ccode, "1818-01-01", "1820-05-09", neutral=1) for ccode in (10, 30)]
    assert only(*broken).fought_each_other
