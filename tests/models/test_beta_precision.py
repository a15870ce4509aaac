"""Beta regression whose precision has terms of its own, against the density and differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import special, stats

from foedus.models import estimate


@pytest.fixture(scope="module")
def shares() -> pd.DataFrame:
    rng = np.random.default_rng(21)
    x, z, w = rng.normal(size=800), rng.normal(size=800), rng.uniform(0.5, 2, 800)
    mu, phi = special.expit(0.3 + 0.6 * x), np.exp(1.5 - 0.5 * z + 0.3 * x)
    return pd.DataFrame({"x": x, "z": z, "w": w, "y": rng.beta(mu * phi, (1 - mu) * phi)})


def loglik(b: np.ndarray, data: pd.DataFrame, weights: np.ndarray) -> float:
    mu = special.expit(b[0] + b[1] * data["x"])
    phi = np.exp(b[2] + b[3] * data["x"] + b[4] * data["z"])
    return float(weights @ stats.beta.logpdf(data["y"], mu * phi, (1 - mu) * phi))


@pytest.mark.parametrize("weighted", [False, True])
def test_is_the_maximum_of_the_density(shares: pd.DataFrame, weighted: bool) -> None:
    w = shares["w"].to_numpy() if weighted else np.ones(len(shares))
    made = estimate("y ~ x | x + z", shares, "beta_precision", weights="w" if weighted else None)
    assert made.terms == ("(Intercept)", "x", "phi:(Intercept)", "phi:x", "phi:z")
    assert made.loglik == pytest.approx(loglik(made.params, shares, w), rel=1e-12)
    step = 1e-4 * np.eye(5)

    def at(*moves: np.ndarray) -> float:
        return loglik(made.params + sum(moves), shares, w)

    slope = np.array([(at(s) - at(-s)) / 2e-4 for s in step])
    assert_allclose(slope, 0.0, atol=2e-4)
    hessian = np.array(
        [[(at(a, b) - at(a, -b) - at(-a, b) + at(-a, -b)) / 4e-8 for a in step] for b in step]
    )
    assert_allclose(made.std_errors(), np.sqrt(np.diag(np.linalg.inv(-hessian))), rtol=1e-4)


def test_a_constant_precision_is_the_other_estimator(shares: pd.DataFrame) -> None:
    one = estimate("y ~ x | 1", shares, "beta_precision", ["classical", "HC0"])
    other = estimate("y ~ x", shares, "beta", ["classical", "HC0"])
    assert_allclose(one.params, other.params, rtol=1e-8)
    for cov in ("classical", "HC0"):
        assert_allclose(one.std_errors(cov), other.std_errors(cov), rtol=1e-7)


def test_what_made_the_shares_is_found(shares: pd.DataFrame) -> None:
    made = estimate("y ~ x | x + z", shares, "beta_precision")
    truth = np.array([0.3, 0.6, 1.5, 0.3, -0.5])
    assert (np.abs(made.params - truth) < 3.5 * made.std_errors()).all()
