"""Leaving out one group at a time, against refits."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from foedus.errors import UsageError
from foedus.models import estimate
from foedus.models.influence import leave_one_out


@pytest.fixture(scope="module")
def dyad_years() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    n, states = 4000, 14
    first = rng.integers(0, states, n)
    second = (first + rng.integers(1, states, n)) % states
    x, w = rng.normal(size=n), rng.normal(size=n)
    pull = rng.normal(size=states)
    eta = -1 + 0.6 * x + 0.7 * pull[first] + 0.7 * pull[second]
    return pd.DataFrame(
        {
            "ccode1": first * 10, "ccode2": second * 10, "year": rng.integers(1950, 1960, n),
            "x": x, "w": w, "prior": rng.uniform(0.5, 2, n), "z": eta + rng.normal(size=n),
            "y": (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int),
            "count": rng.poisson(np.exp(0.5 * eta)),
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("estimator", "outcome", "weights"),
    [
        ("logit", "y", None),
        ("probit", "y", "prior"),
        ("poisson", "count", None),
        ("ols", "z", None),
    ],
)
@pytest.mark.parametrize("by", ["states", "year", "dyads"])
def test_leaving_out_is_refitting(dyad_years, estimator, outcome, weights, by):
    formula = f"{outcome} ~ x + w"
    result = estimate(formula, dyad_years, estimator, weights=weights)
    found = leave_one_out(result, dyad_years, by, steps=2, exact=by == "year")
    for place in range(0, len(found.labels), 7):
        label = found.labels[place]
        sides = dyad_years[["ccode1", "ccode2"]]
        if by == "states":
            gone = (sides == label).any(axis=1)
        elif by == "year":
            gone = dyad_years["year"] == label
        else:
            gone = sides.isin(label).all(axis=1)
        rest = estimate(formula, dyad_years[~gone], estimator, weights=weights)
        away = np.abs(found.estimates[place] - rest.params) / result.std_errors()
        # the stated gap bounds what the steps have left
        assert away.max() < max(1e-6, 3 * found.gap)
        assert found.rows[place] == gone.sum()
    assert found.gap < 5e-3
    table = found.table("x")
    assert table["change_se"].abs().is_monotonic_decreasing
    assert set(table["left_out"]) == set(found.labels)


@pytest.mark.filterwarnings("ignore:.*states:UserWarning")
def test_one_step_is_near_and_says_how_near(dyad_years):
    result = estimate("y ~ x + w", dyad_years, "logit", "dyadic")
    one = leave_one_out(result, dyad_years, steps=0)
    exact = leave_one_out(result, dyad_years, exact=True)
    away = np.abs(one.estimates - exact.estimates) / result.std_errors("dyadic")
    assert 1e-6 < away.max() < 0.3
    assert exact.gap < 1e-6
    further = leave_one_out(result, dyad_years, steps=2)
    away = np.abs(further.estimates - exact.estimates) / result.std_errors()
    assert away.max() < 3 * further.gap < 1e-3
    assert_allclose(one.full, result.params)


def test_a_term_that_one_state_alone_identifies_is_missing_without_it(dyad_years):
    data = dyad_years.assign(only=np.where(dyad_years["ccode1"] == 50, dyad_years["x"] ** 2, 0.0))
    found = leave_one_out(estimate("z ~ x + only", data, "ols"), data)
    lost = np.isnan(found.estimates).any(axis=1)
    assert [label for label, gone in zip(found.labels, lost, strict=True) if gone] == [50]


OTHERS = [
    ("negbin", "count ~ x + w", {}),
    ("firth", "y ~ x + w", {}),
    ("ordered_logit", "level ~ x + w", {"weights": "prior"}),
    ("zip", "count ~ x | w", {}),
    ("cox", "wait ~ x + w", {"event": "y", "strata": "side"}),
    ("fixed_effects", "z ~ x + w | ccode1", {}),
    ("random_effects", "z ~ x + w", {"unit": "ccode1"}),
    ("heckman_two_step", "z | y ~ x | x + w", {}),
    ("quantile", "z ~ x + w", {"tau": 0.5}),
]


@pytest.mark.parametrize(("estimator", "formula", "options"), OTHERS)
def test_any_other_model_is_estimated_again(dyad_years, estimator, formula, options):
    rng = np.random.default_rng(1)
    data = dyad_years[:900].assign(
        level=lambda d: np.digitize(d["z"], [-2, -1, 0]),
        wait=lambda d: rng.exponential(np.exp(-0.3 * d["x"])) + 0.01,
        side=lambda d: np.where(d["ccode2"] > 60, "east", "west"),
    )
    data.loc[data.index[5], "x"] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = estimate(formula, data, estimator, **options)
        found = leave_one_out(result, data, "year")
        for place, year in enumerate(found.labels):
            rest = estimate(formula, data[data["year"] != year], estimator, **options)
            assert_allclose(found.estimates[place], rest.params, rtol=1e-7, atol=1e-9)
    made = found.covariance()
    away = found.estimates - found.estimates.mean(axis=0)
    assert_allclose(np.diag(made.vcov), 0.9 * (away**2).sum(axis=0), rtol=1e-9)
    assert made.clusters == (10,)
    assert found.gap == 0.0


def test_the_jackknife_by_steps_and_again_agree(dyad_years):
    """Least squares' steps are exact, so the two ways to the same covariance are one."""
    result = estimate("z ~ x + w", dyad_years, "ols", ["classical", "jackknife(year)"])
    found = leave_one_out(result, dyad_years, "year").covariance()
    assert_allclose(found.vcov, result.vcov("jackknife(year)"), rtol=1e-8)
    with pytest.raises(UsageError, match="states share rows"):
        leave_one_out(result, dyad_years).covariance()


def test_models_of_arrays_can_t_be_estimated_again(dyad_years):
    from foedus.models import fit_arrays

    X = np.column_stack([np.ones(400), dyad_years["x"][:400]])
    result = fit_arrays("firth", X, dyad_years["y"][:400])
    with pytest.raises(UsageError, match="from a formula and a frame"):
        leave_one_out(result, dyad_years[:400])
