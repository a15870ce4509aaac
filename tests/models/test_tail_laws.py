"""Laws of tails against poweRlaw (tests/reference/make_tails.R), scipy and their definitions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

from foedus.errors import EstimationError, UsageError
from foedus.models import estimate, fit_power_law
from foedus.models.tail_bootstrap import bootstrap_tail
from foedus.models.tail_laws import (
    LAWS,
    NESTED,
    compare_laws,
    compare_periods,
    draw_tail,
    fit_tail,
)

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "tails_reference.csv"
STORED = pd.read_csv(REFERENCE)
PLACES = np.arange(1, 96)
X = np.round(1000 * (1 - (PLACES - 0.5) / 95) ** (-1 / 0.6) * (1 + 0.2 * np.sin(PLACES)))
POINTS = {
    "powerlaw": [0.7], "lognormal": [6.0, 2.0], "exponential": [0.002],
    "stretched_exponential": [800.0, 0.6], "truncated_powerlaw": [1.6, 1e-4],
    "generalized_pareto": [0.8, 900.0], "inverse_burr": [900.0, 1.3, 2.0],
}  # fmt: skip


@pytest.mark.parametrize("law", list(LAWS))
def test_density_is_the_slope_of_survival(law: str) -> None:
    xmin, p, family = 500.0, np.array(POINTS[law]), LAWS[law]
    whole, _ = integrate.quad(
        lambda u: float(np.exp(family.log_density(p, np.array([xmin * np.exp(u)]), xmin)[0] + u))
        * xmin,
        0, 40, limit=400, epsabs=1e-11,
    )  # fmt: skip
    assert_allclose(whole, 1.0, rtol=1e-7)
    x = np.array([501.0, 700.0, 2500.0, 40000.0])
    h = x * 1e-5
    up, down = (np.exp(family.log_survival(p, x + s * h, xmin)) for s in (1, -1))
    slope = -(up - down) / (2 * h)
    assert_allclose(np.exp(family.log_density(p, x, xmin)), slope, rtol=1e-5, atol=1e-14)
    assert_allclose(family.log_survival(p, np.array([xmin]), xmin), 0.0, atol=1e-12)


@pytest.mark.parametrize("law", list(LAWS))
def test_probabilities_of_whole_numbers_sum_to_their_survival(law: str) -> None:
    fit = fit_tail(X, law, xmin=1500.0, discrete=True)
    x = np.arange(1500.0, 9500.0)
    total = float(np.exp(fit.log_density(x)).sum())
    assert_allclose(total, 1.0 - float(fit.survival(9500.0)), rtol=1e-7)


@pytest.mark.parametrize(
    ("kind", "law", "discrete"),
    [
        ("conpl", "powerlaw", False),
        ("displ", "powerlaw", True),
        ("conlnorm", "lognormal", False),
        ("dislnorm", "lognormal", True),
        ("conweibull", "stretched_exponential", False),
    ],
)
def test_matches_powerlaw_package(kind: str, law: str, discrete: bool) -> None:
    rows = STORED[STORED["kind"] == kind]
    fit = fit_tail(X, law, xmin=1500.0, discrete=discrete)
    # the likelihood is what two optimisers agree on; on the log-normal's ridge ours may be higher
    wanted = float(rows["loglik"].iloc[0])
    assert fit.loglik >= wanted - 1e-7 * abs(wanted)
    assert_allclose(fit.loglik, wanted, rtol=2e-6 if len(rows) > 1 else 1e-9)
    if len(rows) == 1:
        ours = fit.parameters["alpha"]
        assert_allclose(ours, rows["estimate"].iloc[0], rtol=1e-6)


@pytest.mark.parametrize("xmin", [1500.0, 3000.0])
def test_vuong_matches_powerlaw_package(xmin: float) -> None:
    rows = STORED[(STORED["kind"] == "vuong_conpl_conexp") & (STORED["xmin"] == xmin)]
    test = compare_laws(X, fit_tail(X, xmin=xmin), fit_tail(X, "exponential", xmin=xmin))
    n = test.n_tail
    # poweRlaw divides by n - 1 where Vuong divides by n
    shrunk = test.statistic * np.sqrt((n - 1) / n)
    assert_allclose(shrunk, rows["estimate"].iloc[0], rtol=1e-4)


def test_power_law_is_that_of_the_other_module() -> None:
    for discrete in (False, True):
        law, other = fit_tail(X, discrete=discrete, least=2), fit_power_law(X, discrete=discrete)
        assert law.xmin == other.xmin
        assert_allclose(law.parameters["alpha"], other.alpha, rtol=1e-7)
        assert_allclose(law.loglik, other.loglik, rtol=1e-10)
        assert_allclose(law.ks, other.ks, rtol=1e-6)


def test_whole_samples_match_scipy() -> None:
    decay = fit_tail(X, "exponential", xmin=1500.0)
    assert_allclose(decay.parameters["rate"], 1 / (X[X >= 1500] - 1500).mean(), rtol=1e-7)
    normal = fit_tail(X, "lognormal", xmin=0.0)
    assert_allclose(normal.parameters["mu"], np.log(X).mean(), rtol=1e-7)
    assert_allclose(normal.parameters["sigma"], np.log(X).std(), rtol=1e-6)
    weibull = fit_tail(X, "stretched_exponential", xmin=0.0)
    shape, _, scale = stats.weibull_min.fit(X, floc=0)
    assert_allclose(weibull.loglik, stats.weibull_min.logpdf(X, shape, 0, scale).sum(), rtol=1e-8)
    pareto = fit_tail(X, "generalized_pareto", xmin=500.0)
    c, _, scale = stats.genpareto.fit(X[X >= 500] - 500.0, floc=0)
    top = stats.genpareto.logpdf(X[X >= 500] - 500.0, c, 0, scale).sum()
    assert pareto.loglik >= top - 1e-6
    assert_allclose(pareto.parameters["shape"], c, rtol=1e-2)


def test_search_takes_the_closest_threshold() -> None:
    fit = fit_tail(X[:60], "exponential", least=30)
    tails = [v for v in np.unique(X[:60])[:-1] if (X[:60] >= v).sum() >= 30]
    gaps = [fit_tail(X[:60], "exponential", xmin=v).ks for v in tails]
    assert fit.xmin == tails[int(np.argmin(gaps))]
    assert_allclose(fit.ks, min(gaps))


@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("law", ["powerlaw", "lognormal", "truncated_powerlaw"])
def test_draws_follow_the_law(law: str, discrete: bool) -> None:
    fit = fit_tail(X, law, xmin=1500.0, discrete=discrete)
    drawn = draw_tail(fit, 500, np.random.default_rng(4))
    assert drawn.min() >= 1500.0
    for quantile in (0.2, 0.5, 0.9):
        at = float(np.quantile(drawn, quantile))
        assert abs(float(fit.survival(at)) - (1 - quantile)) < 0.07


def test_bootstrap_accepts_the_truth_and_refuses_the_false() -> None:
    truth = fit_tail(X, xmin=1500.0)
    assert bootstrap_tail(X, truth, draws=100).p_value > 0.1
    wrong = fit_tail(X, "exponential", xmin=1500.0)
    assert bootstrap_tail(X, wrong, draws=100).p_value == 0.0
    again = bootstrap_tail(X, truth, draws=100)
    assert again == bootstrap_tail(X, truth, draws=100)


def test_nested_laws_are_compared_by_the_likelihood_ratio() -> None:
    one, two = fit_tail(X, xmin=1500.0), fit_tail(X, "truncated_powerlaw", xmin=1500.0)
    test = compare_laws(X, one, two)
    assert test.nested
    assert ("powerlaw", "truncated_powerlaw") in NESTED
    assert_allclose(test.statistic, 2 * (two.loglik - one.loglik), atol=1e-8)
    assert_allclose(test.p_value, stats.chi2.sf(test.statistic, 1), rtol=1e-10)
    with pytest.raises(UsageError, match="different tails"):
        compare_laws(X, one, fit_tail(X, "exponential", xmin=2000.0))


def test_two_periods() -> None:
    rng = np.random.default_rng(8)
    early, late = 1000 * rng.random(150) ** (-1 / 0.5), 1000 * rng.random(150) ** (-1 / 1.5)
    x, group = np.concatenate([early, late]), np.repeat([False, True], 150)
    changed = compare_periods(x, group, xmin=1000.0, permutations=199)
    assert changed.p_value < 0.001
    assert changed.p_permutation == 1 / 200
    tails = [1 / np.log(part / 1000).mean() for part in (early, late)]
    assert_allclose(changed.difference["alpha"], tails[1] - tails[0], rtol=1e-6)
    same = compare_periods(x, rng.permutation(group), xmin=1000.0, permutations=199)
    assert same.p_permutation > 0.02
    with pytest.raises(UsageError, match="one period a value"):
        compare_periods(x, group[:-1], xmin=1000.0)


def test_bad_tails_are_refused() -> None:
    with pytest.raises(UsageError, match="no law of tails"):
        fit_tail(X, "normal")
    with pytest.raises(EstimationError, match="above 0"):
        fit_tail([0.0, 1.0, 2.0])
    with pytest.raises(EstimationError, match="needs a threshold above 0"):
        fit_tail(X, xmin=0.0)
    with pytest.raises(EstimationError, match="too few distinct values"):
        fit_tail(X, "inverse_burr", xmin=float(np.sort(X)[-2]))
    with pytest.raises(EstimationError, match="whole numbers"):
        fit_tail(X + 0.5, discrete=True)


def test_regressions_hold_their_laws() -> None:
    """With a constant alone a regression is the law itself."""
    frame = pd.DataFrame({"x": X, "z": np.sin(3 * PLACES)})
    pareto = estimate("x ~ 1", frame, "pareto_tail", threshold=1500.0)
    law = fit_tail(X, xmin=1500.0)
    assert_allclose(np.exp(pareto.params[0]), law.parameters["tail"], rtol=1e-7)
    assert_allclose(pareto.loglik, law.loglik, rtol=1e-9)
    excess = estimate("x ~ 1", frame, "generalized_pareto", threshold=499.0)
    gp = fit_tail(X[X > 499], "generalized_pareto", xmin=499.0)
    assert_allclose(excess.loglik, gp.loglik, rtol=1e-8)
    assert_allclose(excess.ancillary["shape"], gp.parameters["shape"], rtol=1e-4)


@pytest.mark.parametrize("law", ["inverse_burr", "generalized_pareto", "pareto_tail"])
def test_regressions_recover_what_made_the_data(law: str) -> None:
    rng = np.random.default_rng(6)
    n = 5000
    z, u = rng.normal(size=n), rng.random(n)
    if law == "inverse_burr":
        share = u ** (1 / 1.5)
        y = np.exp(2 + 0.5 * z) * (share / (1 - share)) ** (1 / 1.2)
        truth = [2.0, 0.5, np.log(1.2), np.log(1.5)]
    elif law == "generalized_pareto":
        y = np.exp(2 + 0.5 * z) * ((1 - u) ** -0.7 - 1) / 0.7
        truth = [2.0, 0.5, 0.7]
    else:
        y = 10 * (1 - u) ** (-np.exp(-(0.2 + 0.5 * z)))
        truth = [0.2, 0.5]
    result = estimate("y ~ z", pd.DataFrame({"y": y, "z": z}), law)
    assert np.abs((result.params - truth) / result.std_errors()).max() < 4
    median = np.median(y[np.abs(z) < 0.1])
    assert_allclose(np.median(result.predict(pd.DataFrame({"z": [0.0]}))), median, rtol=0.15)
