"""The one-factor model of ordered items: what it finds where the truth is known, and its scores."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from foedus.covariates.alliance_latent_depth import fit_factor

LOADINGS = np.array([0.9, 0.6, 0.75, 0.4, 0.8])
CUTS = [[0.5], [-0.2, 0.8], [0.0], [-1.0, 0.0, 1.0], [1.0]]


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=n)
    noise = rng.normal(size=(n, len(LOADINGS)))
    response = factor[:, None] * LOADINGS + noise * np.sqrt(1 - LOADINGS**2)
    items = np.column_stack([np.digitize(response[:, j], cut) for j, cut in enumerate(CUTS)])
    return items, factor


def test_it_finds_the_loadings() -> None:
    items, factor = drawn(4000, 3)
    found = fit_factor(items)
    # Two standard errors of a loading are about 0.05 with 4,000 rows.
    assert np.abs(found.loadings - LOADINGS).max() < 0.06
    assert np.corrcoef(found.scores, factor)[0, 1] > 0.8


def test_a_score_is_the_expected_value_by_integration() -> None:
    items, _ = drawn(300, 5)
    items[0] = [1, 2, -1, 3, 0]
    found = fit_factor(items)

    def likelihood(value: float) -> float:
        product = stats.norm.pdf(value)
        for j, loading in enumerate(found.loadings):
            category = items[0, j]
            if category < 0:
                continue
            known = items[:, j][items[:, j] >= 0]
            shares = np.cumsum(np.bincount(known)) / len(known)
            edges = np.concatenate([[-np.inf], stats.norm.ppf(shares[:-1]), [np.inf]])
            spread = np.sqrt(1 - loading**2)
            high = stats.norm.cdf((edges[category + 1] - loading * value) / spread)
            low = stats.norm.cdf((edges[category] - loading * value) / spread)
            product *= high - low
        return float(product)

    top = integrate.quad(lambda v: v * likelihood(v), -8, 8)[0]
    below = integrate.quad(likelihood, -8, 8)[0]
    assert found.scores[0] == pytest.approx(top / below, abs=2e-4)


def test_order_of_rows_doesnt_matter() -> None:
    items, _ = drawn(200, 7)
    turned = fit_factor(items[::-1])
    np.testing.assert_allclose(fit_factor(items).scores, turned.scores[::-1], atol=1e-4)
