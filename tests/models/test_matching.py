"""Matching and weighting: against brute force, M-estimation by hand, and a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from foedus.errors import EstimationError, UsageError
from foedus.models.matching import (
    balance_table,
    doubly_robust,
    inverse_propensity,
    match_coarsened,
    match_nearest,
    propensity_score,
)


def simulate(seed: int = 1, n: int = 800) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A treatment that both variables drive; its effect is 1 (more with the first one: 0.5 x)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    d = (rng.random(n) < 1 / (1 + np.exp(0.5 - 0.8 * X[:, 0] + 0.4 * X[:, 1]))).astype(float)
    y = 1 + X @ [1.0, -1.0] + d * (1 + 0.5 * X[:, 0]) + rng.normal(size=n)
    return y, X, d


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_nearest_with_replacement_is_the_nearest(seed: int) -> None:
    _, X, d = simulate(seed, 60)
    if d.all() or not d.any():
        return
    found = match_nearest(X, d, distance="mahalanobis", replace=True)
    inverse = np.linalg.inv(np.cov(X, rowvar=False))
    for row, control in zip(*found.pairs, strict=True):
        gaps = [(X[row] - X[c]) @ inverse @ (X[row] - X[c]) for c in np.flatnonzero(d == 0)]
        own = (X[row] - X[control]) @ inverse @ (X[row] - X[control])
        assert_allclose(own, min(gaps), rtol=1e-9)
    assert_allclose(found.weights[d == 0].sum(), d.sum())


def test_without_replacement_nobody_serves_twice() -> None:
    _, X, d = simulate()
    found = match_nearest(X, d, caliper=0.2)
    left, right = found.pairs
    assert np.unique(right).size == right.size
    score = propensity_score(X, d)
    index = np.log(score / (1 - score))
    assert np.abs(index[left] - index[right]).max() <= 0.2 * index.std(ddof=1) + 1e-12
    assert found.rows_lost["treated without a match"] == int(d.sum()) - left.size
    assert set(np.unique(found.weights)) == {0.0, 1.0}


def test_exact_variables_agree() -> None:
    _, X, d = simulate()
    region = (X[:, 1] > 0).astype(int)
    left, right = match_nearest(X, d, exact=region, replace=True, ratio=2).pairs
    assert (region[left] == region[right]).all()
    assert np.bincount(left)[left].max() == 2


def test_coarsened_strata_hold_both_groups() -> None:
    y, X, d = simulate()
    found = match_coarsened(X, d, bins=[4, [-0.5, 0.5]])
    first = np.searchsorted(np.linspace(X[:, 0].min(), X[:, 0].max(), 5)[1:-1], X[:, 0], "right")
    cell = first * 10 + np.searchsorted([-0.5, 0.5], X[:, 1], "right")
    total = size = 0.0
    for c in np.unique(cell):
        t, u = (cell == c) & (d == 1), (cell == c) & (d == 0)
        if t.any() and u.any():
            total += t.sum() * (y[t].mean() - y[u].mean())
            size += t.sum()
    assert_allclose(found.effect(y), total / size, rtol=1e-10)
    assert_allclose(found.weights[d == 0].sum(), (found.weights[d == 0] > 0).sum())


@pytest.mark.parametrize("maker", [inverse_propensity, doubly_robust])
@pytest.mark.parametrize("estimand", ["ate", "att"])
def test_effects_and_errors_over_draws(maker, estimand: str) -> None:
    gaps, errors = [], []
    for seed in range(80):
        y, X, d = simulate(seed + 100, 400)
        truth = 1.0 if estimand == "ate" else 1 + 0.5 * 0.349
        found = maker(y, X, d, estimand=estimand)
        gaps.append(found.effect - truth)
        errors.append(found.std_error())
    spread = np.std(gaps, ddof=1)
    assert abs(np.mean(gaps)) < 4 * spread / np.sqrt(80)
    assert 0.8 < np.mean(errors) / spread < 1.3
    assert_allclose(found.influence.sum(), 0.0, atol=1e-9)


def test_weights_are_the_horvitz_thompson_ratio() -> None:
    y, X, d = simulate()
    p = propensity_score(X, d)
    wanted = np.average(y, weights=d / p) - np.average(y, weights=(1 - d) / (1 - p))
    found = inverse_propensity(y, X, d)
    assert_allclose(found.effect, wanted, rtol=1e-12)
    clusters = np.arange(y.size)
    assert_allclose(found.std_error(clusters), found.std_error(), rtol=1e-12)
    short = inverse_propensity(y, X, d, trim=0.15)
    assert short.sample.rows_lost == {
        "propensity outside the trimmed range": int(((p < 0.15) | (p > 0.85)).sum())
    }


def test_balance_improves() -> None:
    _, X, d = simulate()
    found = match_nearest(X, d, caliper=0.1)
    table = balance_table(X, d, found.weights, ["power", "distance"])
    before, after = (table[table["sample"] == s].set_index("variable") for s in ("all", "weighted"))
    assert (after["std_difference"].abs() < 0.1).all()
    assert (before["std_difference"].abs() > 0.2).all()
    own = (X[d == 1, 0].mean() - X[d == 0, 0].mean()) / X[d == 1, 0].std(ddof=1)
    assert_allclose(before.loc["power", "std_difference"], own)
    ratio = X[d == 1, 0].var(ddof=1) / X[d == 0, 0].var(ddof=1)
    assert_allclose(before.loc["power", "variance_ratio"], ratio)


def test_bad_input_is_refused() -> None:
    y, X, d = simulate(n=60)
    with pytest.raises(EstimationError, match="must be 0 or 1"):
        match_nearest(X, d + 1)
    with pytest.raises(EstimationError, match="both treated and untreated"):
        match_nearest(X, np.ones(60))
    with pytest.raises(EstimationError, match="must not be missing"):
        match_nearest(np.where(X > 2, np.nan, X) * np.nan, d)
    with pytest.raises(EstimationError, match="collinear"):
        match_nearest(np.column_stack([X, X[:, 0]]), d, distance="mahalanobis")
    with pytest.raises(EstimationError, match="finds a match"):
        match_nearest(X, d, exact=np.arange(60))
    with pytest.raises(EstimationError, match="coarsen more"):
        match_coarsened(X, d, bins=[None, None])
    with pytest.raises(UsageError, match="no distance"):
        match_nearest(X, d, distance="euclid")
    with pytest.raises(UsageError, match="no estimand"):
        inverse_propensity(y, X, d, estimand="late")
