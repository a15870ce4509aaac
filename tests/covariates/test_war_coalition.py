"""Sides of a war as coalitions, on the small war in which state 30 changes sides."""

from __future__ import annotations

import pytest

from tests.covariates.test_war_covariates import pact, small, values


def test_a_state_counts_on_the_side_that_it_entered_on() -> None:
    tables = small()
    assert values(tables, "war", "war_coalition", "multilateral") == {1: 1, 2: 0}
    assert values(tables, "war", "war_coalition", "coalition") == {1: 1, 2: 0}
    assert values(tables, "war", "war_coalition", "attackers") == {1: 2, 2: 1}
    assert values(tables, "war", "war_coalition", "attacked") == {1: 2, 2: 1}
    assert values(tables, "war", "war_coalition", "attackers_joined") == {1: 1, 2: 0}
    assert values(tables, "war", "war_coalition", "attacked_joined") == {1: 1, 2: 0}
    # state 30 came in on the 70th day: after the first month too it is a joiner
    within = values(tables, "war", "war_coalition", "attacked_joined", first_days=30)
    assert within == {1: 1, 2: 0}


def test_partners_and_their_capabilities() -> None:
    tables = small()
    partners = values(tables, "war-participant", "war_partners", "partners")
    assert partners == {(1, 10): 1, (1, 20): 1, (1, 30): 1, (1, 50): 1, (2, 10): 0, (2, 40): 0}
    power = values(tables, "war-participant", "war_partners", "partners_cinc")
    assert power[1, 20] == pytest.approx(0.3)
    assert power[1, 10] is None  # its partner 50 has no CINC: the sum isn't known
    assert power[2, 10] == 0.0
    against = values(tables, "war-participant", "war_partners", "opponents_cinc")
    assert against[1, 10] == pytest.approx(0.1 + 0.3)
    assert against[1, 20] is None


def test_a_pact_must_stand_on_the_day_before_the_war() -> None:
    before = (
        pact(1, 20, "1818-01-01", None, defense=1),
        pact(1, 30, "1818-01-01", None),
    )
    pacts = values(small(*before), "war-participant", "war_partners", "prior_pact")
    assert pacts[1, 20] == 1
    assert pacts[1, 30] == 1  # it is owed defence, whoever owes it
    assert pacts[1, 10] == 0
    assert pacts[2, 10] is None  # alone
    on_the_day = [{**row, "start": "1820-03-01"} for row in before]
    assert values(small(*on_the_day), "war-participant", "war_partners", "prior_pact")[1, 20] == 0
    peaceful = (
        pact(1, 20, "1818-01-01", None, nonagg=1),
        pact(1, 30, "1818-01-01", None, nonagg=1),
    )
    assert values(small(*peaceful), "war-participant", "war_partners", "prior_pact")[1, 20] == 0


def test_the_result_is_the_last_spells() -> None:
    results = values(small(), "war-participant", "war_partners", "result")
    assert results[1, 20] == 0
    won = values(small(), "war-participant", "war_partners", "won")
    assert all((won[key] == 1) == (results[key] == 2) for key in won if results[key] is not None)
    assert all(won[key] is None for key in won if results[key] is None)
