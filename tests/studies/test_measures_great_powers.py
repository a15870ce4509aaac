"""Alliances followed by war: windows, founders, base rates, on cases that can be done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from foedus.studies.measures_great_powers import (
    DAYS_A_YEAR,
    Entries,
    Pact,
    binomials_tail,
    outcomes,
)

YEAR = round(DAYS_A_YEAR)
ENTRIES = Entries(
    warnum=np.array([1, 1, 1, 2, 3]),
    ccode=np.array([10, 20, 30, 10, 20]),
    day=np.array([100, 100, 400, 3000, 9000]),
    major_wars=np.array([100, 9000]),
)


def followed(founders: set[int], start: int, years: float = 5) -> dict[str, bool]:
    pact = Pact(1, start, 1900, frozenset(founders), True, True)
    found = outcomes(pact, np.array([start]), ENTRIES, years)
    return {name: bool(values[0]) for name, values in found.items()}


def test_a_war_on_the_day_of_signing_does_not_follow() -> None:
    assert followed({10, 20}, 99)["two allies at war"]
    assert not followed({10, 20}, 100)["two allies at war"]


def test_two_allies_must_be_in_the_same_war() -> None:
    found = followed({10, 30}, 300, years=10)  # 30 in the first war, 10 in the second
    assert found == {"an ally at war": True, "two allies at war": False, "great-power war": False}


def test_the_window_ends_with_its_last_day() -> None:
    assert followed({10}, 3000 - YEAR, years=1)["an ally at war"]
    assert not followed({10}, 3000 - YEAR - 1, years=1)["an ally at war"]


def test_a_great_power_war_counts_whoever_fights_it() -> None:
    assert followed({99}, 8999)["great-power war"]
    assert not followed({99}, 8999)["an ally at war"]


@pytest.mark.parametrize(("n", "chance", "hits"), [(14, 0.3, 1), (5, 0.27, 5), (20, 0.5, 10)])
def test_equal_chances_give_the_binomial(n: int, chance: float, hits: int) -> None:
    low = stats.binom.cdf(hits, n, chance)
    high = stats.binom.sf(hits - 1, n, chance)
    found = binomials_tail(np.full(n, chance), hits)
    assert found == pytest.approx(min(1.0, 2 * min(low, high)), abs=1e-12)


def test_unequal_chances_by_enumeration() -> None:
    chances = np.array([0.1, 0.5, 0.8])
    mass = np.zeros(4)
    for outcome in np.ndindex(2, 2, 2):
        mass[sum(outcome)] += np.prod(np.where(outcome, chances, 1 - chances))
    for hits in range(4):
        expected = min(1.0, 2 * min(mass[: hits + 1].sum(), mass[hits:].sum()))
        assert binomials_tail(chances, hits) == pytest.approx(expected, abs=1e-12)
