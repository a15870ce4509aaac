"""Changes of law against a second search, every split tried, and planted changes."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray
from foedus.models.change_points import (
    burr_changes,
    burr_maxima,
    segment_changes,
    tail_quantiles,
)
from foedus.models.tail_laws import fit_tail


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_maxima_are_those_of_another_search(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.exp(rng.logistic(8, 1.2, 70)) if seed % 2 else 1000 * (rng.pareto(0.7, 70) + 1)
    _, loglik = burr_maxima(np.log(x)[None], np.ones((1, 70), dtype=bool))
    assert loglik[0] >= fit_tail(x, "inverse_burr", xmin=0.0).loglik - 1e-3


def test_parts_are_fitted_as_samples_of_their_own() -> None:
    x = np.exp(np.random.default_rng(6).logistic(5, 1.0, 40))
    inside = np.zeros((2, 40), dtype=bool)
    inside[0, :15], inside[1, 15:] = True, True
    laws, loglik = burr_maxima(np.tile(np.log(x), (2, 1)), inside)
    for at, part in enumerate((x[:15], x[15:])):
        law, alone = burr_maxima(np.log(part)[None], np.ones((1, part.size), dtype=bool))
        assert loglik[at] == pytest.approx(alone[0], abs=1e-6)
        assert laws[at] == pytest.approx(law[0], rel=1e-2)


def test_a_planted_change_is_found() -> None:
    rng = np.random.default_rng(9)
    x = np.exp(np.concatenate([rng.logistic(9, 0.8, 50), rng.logistic(6, 0.8, 40)]))
    (found,) = burr_changes(x[None], np.arange(10, 81))
    assert abs(found.at - 50) <= 1
    assert found.gain == pytest.approx(found.profile.max())
    assert (found.profile > -1e-6).all()


def test_a_change_needs_events_on_either_side() -> None:
    with pytest.raises(EstimationError, match="four of them"):
        burr_changes(np.ones((1, 10)) * 5.0, np.array([2]))


def cost(part: FloatArray, marks: FloatArray, n: int) -> float:
    """Return twice the negative log-likelihood of one segment's distribution, mark by mark."""
    total = 0.0
    for mark in marks:
        share = (part < mark).mean() + 0.5 * (part == mark).mean()
        if 0 < share < 1:
            total += part.size * (share * np.log(share) + (1 - share) * np.log(1 - share))
    return -2 * np.log(2 * n - 1) / marks.size * total


@pytest.mark.parametrize("penalty", [1.0, 4.0, 8.0])
def test_the_best_split_is_that_of_all_splits_tried(penalty: float) -> None:
    rng = np.random.default_rng(12)
    x = np.concatenate([rng.normal(0, 1, 5), rng.normal(4, 1, 4), rng.normal(0, 1, 5)])
    marks = tail_quantiles(x, int(np.ceil(4 * np.log(x.size))))
    best: tuple[float, tuple[int, ...]] = (np.inf, ())
    for number in range(7):
        for starts in combinations(range(2, x.size - 1), number):
            edges = [0, *starts, x.size]
            if min(np.diff(edges)) < 2:
                continue
            parts = [x[a:b] for a, b in pairwise(edges)]
            total = sum(cost(part, marks, x.size) for part in parts) + penalty * number
            best = min(best, (total, starts))
    assert tuple(segment_changes(x, penalty=penalty).tolist()) == best[1]


def test_no_change_costs_nothing_and_short_series_have_none() -> None:
    assert segment_changes(np.random.default_rng(1).normal(size=80), penalty=20.0).size == 0
    assert segment_changes(np.array([1.0, 9.0, 1.0]), penalty=0.1).size == 0
