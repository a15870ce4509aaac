"""Synthetic tails fitted side by side: each as if it were fitted by itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from foedus.models.tail_bootstrap import _drawn, bootstrap_tail, distances, fit_many, log_rows
from foedus.models.tail_laws import LAWS, _distance, _log_rows, fit_tail

N, ROWS = 60, 8
RNG = np.random.default_rng(5)
# Draws of a log-normal far above the threshold: every law has its maximum inside its family.
SAMPLE = np.floor(np.exp(RNG.normal(8.0, 1.0, 400)))
SAMPLE = np.sort(SAMPLE[SAMPLE >= 200])[: N * 6]
XMIN = 200.0


def tails(seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(SAMPLE, (ROWS, N)), axis=1)


@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("name", [law for law in LAWS if law != "truncated_powerlaw"])
def test_a_row_is_fitted_as_by_itself(name: str, discrete: bool) -> None:
    rows, law = tails(), LAWS[name]
    whole = fit_tail(SAMPLE, name, xmin=XMIN, discrete=discrete)
    p = fit_many(law, rows, whole)
    made = log_rows(law, p[..., None], rows, XMIN, discrete).sum(axis=1)
    for at in range(3):
        alone = fit_tail(rows[at], name, xmin=XMIN, discrete=discrete)
        # The single fit polishes to the last digit; differences are as good as 1e-7 a value.
        assert_allclose(made[at], alone.loglik, atol=1e-5)


@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("name", list(LAWS))
def test_rows_are_measured_as_one_by_one(name: str, discrete: bool) -> None:
    rows, law = tails(2), LAWS[name]
    fit = fit_tail(SAMPLE, name, xmin=XMIN, discrete=discrete and name != "truncated_powerlaw")
    one = np.array([fit.parameters[word] for word in law.parameters])
    p = np.repeat(one[:, None], ROWS, axis=1) * np.linspace(0.9, 1.1, ROWS)
    for integers in (False, True):
        gaps = distances(law, p, rows, XMIN, discrete, integers)
        for at in range(ROWS):
            single = _distance(law, p[:, at], rows[at], XMIN, discrete, integers)
            assert_allclose(gaps[at], single, rtol=1e-10)
    made = log_rows(law, p[..., None], rows, XMIN, discrete)
    for at in (0, ROWS - 1):
        # The truncated law's probabilities are integrated over a unit here, and are differences
        # of two integrals there.
        assert_allclose(made[at], _log_rows(law, p[:, at], rows[at], XMIN, discrete), atol=1e-6)


@pytest.mark.parametrize("discrete", [False, True])
def test_draws_of_the_truncated_law_follow_it(discrete: bool) -> None:
    fit = fit_tail(SAMPLE, "truncated_powerlaw", xmin=XMIN)
    if discrete:
        fit = fit_tail(SAMPLE[:40] // 20 + 10, "truncated_powerlaw", xmin=10.0, discrete=True)
    drawn = np.sort(_drawn(fit, 200, np.random.default_rng(3)).ravel())
    assert drawn[0] >= fit.xmin
    values = np.unique(drawn)[:: max(1, len(np.unique(drawn)) // 50)]
    share = 1.0 - np.searchsorted(drawn, values) / drawn.size
    # The standard error of a share of so many draws is at most half of one over their root.
    assert np.abs(share - fit.survival(values)).max() < 2.5 / np.sqrt(drawn.size)


def test_p_values_of_the_truth_are_even() -> None:
    """Samples of the law itself: its p-value is below a tenth in about a tenth of them."""
    low = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = XMIN * (1.0 - rng.random(50)) ** (-1.0 / 1.5)
        low += bootstrap_tail(x, fit_tail(x, xmin=XMIN), draws=200, seed=seed).p_value < 0.1
    assert low <= 10  # a binomial of 40 and a tenth is above ten in 1 of 300


def test_draws_in_blocks_are_those_of_one_run() -> None:
    fit = fit_tail(SAMPLE, "lognormal", xmin=XMIN)
    once = bootstrap_tail(SAMPLE, fit, draws=300, seed=4)
    assert once == bootstrap_tail(SAMPLE, fit, draws=300, seed=4)
    assert once.p_value > 0.05
    assert bootstrap_tail(SAMPLE, fit_tail(SAMPLE, xmin=XMIN), draws=300).p_value == 0.0
