"""Estimates that begin from given coefficients are those that begin from nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from foedus.errors import UsageError
from foedus.models import estimate, newton
from foedus.models.arrays import codes_of, shared_codes

FORMULAS = ("n ~ x1 + x2 + t + I(t^2)", "n ~ x1 + t", "n ~ x1 + x2 + x3 + t + I(t^2) + I(t^3)")


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    n = 6_000
    frame = pd.DataFrame({name: rng.normal(size=n) for name in ("x1", "x2", "x3")})
    frame["t"] = rng.integers(0, 60, n)
    eta = -1.0 + 0.5 * frame["x1"] - 0.3 * frame["x2"] - 0.02 * frame["t"]
    frame["count"] = rng.negative_binomial(2, 2 / (2 + np.exp(eta)))
    frame["event"] = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
    frame["level"] = eta + rng.normal(size=n)
    return frame


OUTCOMES = {
    "logit": "event",
    "probit": "event",
    "cloglog": "event",
    "ols": "level",
    "poisson": "count",
    "negbin": "count",
}


@pytest.mark.parametrize("estimator", OUTCOMES)
@pytest.mark.parametrize("large", [False, True])
def test_a_warm_start_changes_no_number(
    data: pd.DataFrame, estimator: str, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a large problem's subsample comes between."""
    if large:
        monkeypatch.setattr(newton, "LARGE", 5_000)
    formulas = [one.replace("n ~", f"{OUTCOMES[estimator]} ~") for one in FORMULAS]
    near = estimate(formulas[0], data, estimator)
    for formula in formulas:
        cold = estimate(formula, data, estimator, cov=["classical", "HC1"])
        warm = estimate(formula, data, estimator, cov=["classical", "HC1"], near=near)
        np.testing.assert_allclose(warm.params, cold.params, rtol=1e-10, atol=1e-10)
        for cov in ("classical", "HC1"):
            np.testing.assert_allclose(warm.vcov(cov), cold.vcov(cov), rtol=1e-9, atol=1e-14)
        assert warm.loglik == pytest.approx(cold.loglik, rel=1e-12)


def test_its_own_estimate_costs_one_step(data: pd.DataFrame) -> None:
    cold = estimate("event ~ x1 + x2 + t", data)
    again = estimate("event ~ x1 + x2 + t", data, near=cold)
    assert cold.iterations > 3
    assert again.iterations == 1


@pytest.mark.parametrize("far", [1e4, -1e4, 1e300])
def test_a_bad_start_is_passed_over(data: pd.DataFrame, far: float) -> None:
    for estimator, outcome in OUTCOMES.items():
        cold = estimate(f"{outcome} ~ x1 + t", data, estimator)
        warm = estimate(f"{outcome} ~ x1 + t", data, estimator, near={"x1": far})
        np.testing.assert_allclose(warm.params, cold.params, rtol=1e-10)


def test_what_can_t_begin_anywhere_says_so(data: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="a firth takes no near="):
        estimate("event ~ x1", data, "firth", near={"x1": 1.0})
    with pytest.raises(UsageError, match="near: x1 is nan"):
        estimate("event ~ x1", data, near={"x1": float("nan")})


@pytest.mark.parametrize("kind", [np.int16, np.int64, np.float64, str])
def test_two_columns_share_one_numbering(kind: type) -> None:
    rng = np.random.default_rng(3)
    first, second = (rng.choice([2, 20, 200, 710, 990], 500).astype(kind) for _ in range(2))
    one, two, n = shared_codes(first, second)
    both, n_both = codes_of(np.concatenate([first, second]))
    assert n == n_both
    assert np.array_equal(np.concatenate([one, two]), both)


@pytest.mark.parametrize("estimator", OUTCOMES)
@pytest.mark.parametrize("large", [False, True])
def test_short_cuts_to_the_top_end_there(
    data: pd.DataFrame, estimator: str, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps without a pass of their own, against Newton's method by whole passes alone."""
    formula = f"{OUTCOMES[estimator]} ~ x1 + x2 + t + I(t^2)"
    cov = ["classical", "HC1", "cluster(t)"]
    with monkeypatch.context() as plain:
        plain.setattr(newton, "STEP_CHORD", 0.0)
        plain.setattr(newton, "STEP_FINAL", 0.0)
        by_passes = estimate(formula, data, estimator, cov=cov)
    if large:
        monkeypatch.setattr(newton, "LARGE", 5_000)
    monkeypatch.setattr(newton, "STEP_CHORD", 0.05)
    near = {"(Intercept)": -0.5, "x1": 0.3}
    found = estimate(formula, data, estimator, cov=cov, near=near)
    errors = by_passes.std_errors()
    np.testing.assert_allclose(found.params / errors, by_passes.params / errors, atol=1e-10)
    for name in cov:
        np.testing.assert_allclose(found.std_errors(name), by_passes.std_errors(name), rtol=1e-9)
    assert found.loglik == pytest.approx(by_passes.loglik, rel=1e-13)


@pytest.mark.parametrize("estimator", OUTCOMES)
def test_the_gradient_alone_is_that_of_a_whole_pass(data: pd.DataFrame, estimator: str) -> None:
    from foedus.models.families import FAMILIES, NegativeBinomial
    from foedus.models.scaling import scale_columns

    family = NegativeBinomial(1.7) if estimator == "negbin" else FAMILIES[estimator]
    rng = np.random.default_rng(8)
    X = np.asfortranarray(np.column_stack([np.ones(len(data)), data[["x1", "x2", "t"]]]))
    y = data[OUTCOMES[estimator]].to_numpy(float)
    problem = newton.Problem(
        y, X, list("abcd"), scale_columns(X), rng.random(y.size), rng.normal(size=y.size)
    )
    beta = rng.normal(size=4)
    np.testing.assert_allclose(
        newton.gradient_at(family, problem, beta),
        newton.sums_at(family, problem, beta)[1],
        rtol=1e-10,
    )
