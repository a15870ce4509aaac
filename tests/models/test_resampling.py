"""Bootstraps and randomization: against refits, brute force, and what they are for."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from foedus.errors import EstimationError, UsageError
from foedus.models import estimate
from foedus.models.resampling import pairs_bootstrap, randomization_test, wild_bootstrap


def dyad_years(seed: int, states: int = 16, years: int = 4, effect: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(states, 1)
    first, second = np.tile(first, years), np.tile(second, years)
    n = first.size
    pull, tie = rng.normal(size=states), rng.normal(size=states)
    ally = (tie[first] + tie[second] + rng.normal(size=n) > 1).astype(float)
    z = effect * ally + pull[first] + pull[second] + rng.normal(size=n)
    return pd.DataFrame(
        {
            "ccode1": first, "ccode2": second, "year": np.repeat(np.arange(years), n // years),
            "ally": ally, "x": rng.normal(size=n), "z": z, "y": (z > 0.5).astype(int),
        }
    )  # fmt: skip


@pytest.mark.parametrize(("estimator", "outcome"), [("ols", "z"), ("logit", "y")])
def test_pairs_are_refits_of_clusters_drawn(estimator: str, outcome: str) -> None:
    data = dyad_years(1)
    result = estimate(f"{outcome} ~ ally + x", data, estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pairs_bootstrap(result, data, "ccode1", draws=5, seed=3)
    rng = np.random.default_rng(3)
    for row in found.estimates:
        chosen = rng.integers(0, 15, 15)
        parts = [data[data["ccode1"] == state] for state in chosen]
        again = estimate(f"{outcome} ~ ally + x", pd.concat(parts), estimator)
        assert_allclose(row, again.params, rtol=1e-7)


def test_drawing_states_gives_errors_like_the_dyadic_ones() -> None:
    data = dyad_years(7, states=40, years=2)
    result = estimate("z ~ ally + x", data, "ols", ["dyadic", "classical"])
    found = pairs_bootstrap(result, data, draws=300)
    made = found.covariance()
    ratio = np.sqrt(np.diag(made.vcov)) / result.std_errors("dyadic")
    classical = np.sqrt(np.diag(made.vcov)) / result.std_errors("classical")
    assert 0.7 < ratio[1] < 1.5
    assert classical[1] > 1.5
    low, high = found.interval("ally")
    assert low < result.coef["ally"] < high
    assert "300 draws" in made.convention


def test_wild_signs_are_flipped_restricted_residuals_in_least_squares() -> None:
    data = dyad_years(5, states=9)
    result = estimate("z ~ ally + x", data, "ols")
    found = wild_bootstrap(result, data, "ally", "ccode1", draws=10_000)
    assert found.draws == 2**8
    assert found.method.endswith("all signs")
    # by brute force: the coefficient of ally in the wild samples, up to studentising
    X = result.fit.X
    rest = X[:, [0, 2]]
    u = result.fit.y - rest @ np.linalg.lstsq(rest, result.fit.y, rcond=None)[0]
    freed = X[:, 1] - rest @ np.linalg.lstsq(rest, X[:, 1], rcond=None)[0]
    cluster = data["ccode1"].to_numpy()
    scores = np.array([(freed * u)[cluster == c].sum() for c in range(8)])
    signs = 1 - 2.0 * ((np.arange(256)[:, None] >> np.arange(8)) & 1)

    def t(s: np.ndarray) -> np.ndarray:
        return s.sum(axis=1) / np.sqrt(((s - s.mean(axis=1, keepdims=True)) ** 2).sum(axis=1))

    there, drawn = t(scores[None, :])[0], t(signs * scores)
    assert_allclose(found.statistic, there)
    assert found.p_value == np.mean(np.abs(drawn) >= abs(there) * (1 - 1e-10))


def test_wild_bootstrap_holds_the_hypothesis_it_is_given() -> None:
    data = dyad_years(5, states=14)
    result = estimate("y ~ ally + x", data, "logit")
    at = wild_bootstrap(result, data, "x", "ccode1", null=float(result.coef["x"]), draws=999)
    assert abs(at.statistic) < 1e-5
    assert at.p_value > 0.95


def test_relabelled_states_find_no_effect_where_there_is_none() -> None:
    none = [
        randomization_test(
            estimate("z ~ ally + x", data, "ols"), data, "ally", draws=39, seed=1
        ).p_value
        for data in (dyad_years(seed, states=12, years=2) for seed in range(12))
    ]
    assert np.mean(np.array(none) <= 0.1) <= 0.4
    strong = dyad_years(3, effect=3.0)
    found = randomization_test(estimate("z ~ ally + x", strong, "ols"), strong, "ally", draws=39)
    assert found.p_value == 1 / 40


def test_what_cannot_be_drawn_from_is_refused() -> None:
    data = dyad_years(2).assign(one=1)
    result = estimate("z ~ ally", data, "ols")
    with pytest.raises(EstimationError, match="only 1 group"):
        pairs_bootstrap(result, data, "one")
    with pytest.raises(UsageError, match="no term"):
        wild_bootstrap(result, data, "nothing", "ccode1")
    with pytest.warns(UserWarning, match="prefer the wild"):
        pairs_bootstrap(result, data, "ccode1", draws=4)
