"""Weibull hazards with covariates in rate and shape, against definitions and other estimators."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, stats

from foedus.models import estimate
from foedus.models.weibull import _Likelihood


def spells(n: int, seed: int, theta: float = 0.0) -> pd.DataFrame:
    """Durations with rate exp(-2 + x/2), shape exp(0.3 + z/5) and gamma heterogeneity theta."""
    draw = np.random.default_rng(seed)
    x, z = draw.normal(size=n), draw.integers(0, 2, n).astype(float)
    unseen = draw.gamma(1 / theta, theta, n) if theta else np.ones(n)
    hazard = draw.exponential(size=n) / unseen
    ends = hazard ** np.exp(-0.3 - 0.2 * z) / np.exp(-2 + 0.5 * x)
    cut = draw.uniform(1, 40, n)
    return pd.DataFrame(
        {"x": x, "z": z, "t": np.minimum(ends, cut), "e": (ends <= cut).astype(float)}
    )


@pytest.mark.parametrize(("form", "times"), [("rate", 1.0), ("hazard", None)])
def test_one_shape_is_the_accelerated_weibull(form: str, times: float | None) -> None:
    data = spells(400, 1)
    ours = estimate("t ~ x | 1", data, "weibull_hazard", event="e", form=form)
    theirs = estimate("t ~ x", data, "aft_weibull", event="e")
    shape = np.exp(-theirs.coef["/lnsigma"])
    factor = shape if times is None else times
    assert ours.loglik == pytest.approx(theirs.loglik, abs=1e-8)
    assert ours.coef["x"] == pytest.approx(-theirs.coef["x"] * factor, abs=1e-8)
    assert ours.ancillary["shape"] == pytest.approx(shape, abs=1e-8)


def test_a_flag_in_rate_and_shape_is_two_separate_fits() -> None:
    data = spells(500, 2)
    both = estimate("t ~ z | z", data, "weibull_hazard", event="e")
    parts = [
        estimate("t ~ 1 | 1", data[data["z"] == flag], "weibull_hazard", event="e")
        for flag in (0, 1)
    ]
    assert both.loglik == pytest.approx(parts[0].loglik + parts[1].loglik, abs=1e-8)
    log_shapes = [part.coef["shape:(Intercept)"] for part in parts]
    assert both.coef["shape:z"] == pytest.approx(log_shapes[1] - log_shapes[0], abs=1e-7)


def test_gamma_heterogeneity_is_the_integral_over_the_gamma_density() -> None:
    time, event, start = np.array([2.0, 3.5]), np.array([True, False]), np.array([0.0, 1.5])
    rate, shape, theta = -1.2, 0.4, 0.7
    eta = np.repeat([[rate, shape, np.log(theta)]], 2, axis=0)
    got = _Likelihood(time, event, start, "rate")(eta)[0]
    gamma = stats.gamma(1 / theta, scale=theta)
    p = np.exp(shape)

    def cumulated(t: float) -> float:
        return float((np.exp(rate) * t) ** p)

    def mean(function: object) -> float:
        return float(integrate.quad(lambda v: function(v) * gamma.pdf(v), 0, np.inf)[0])  # type: ignore[operator]

    density = mean(lambda v: v * p / 2.0 * cumulated(2.0) * np.exp(-v * cumulated(2.0)))
    survived = mean(lambda v: np.exp(-v * cumulated(3.5))) / mean(
        lambda v: np.exp(-v * cumulated(1.5))
    )
    # the quadrature's own error is 1e-9
    np.testing.assert_allclose(got, np.log([density, survived]), atol=1e-7)


@pytest.mark.parametrize("form", ["rate", "hazard"])
@pytest.mark.parametrize("mixed", [False, True])
def test_derivatives_are_those_of_differences(form: str, mixed: bool) -> None:
    data = spells(30, 3)
    start = data["t"].to_numpy() * np.linspace(0, 0.8, 30)
    rows = _Likelihood(data["t"].to_numpy(), data["e"].to_numpy() == 1, start, form)
    eta = np.column_stack([-2 + 0.5 * data["x"], 0.3 + 0.2 * data["z"], np.full(30, -0.5)])
    eta = eta if mixed else eta[:, :2]
    _, first, second = rows(eta)
    step = 1e-6
    for place in range(eta.shape[1]):
        up, down = eta.copy(), eta.copy()
        up[:, place] += step
        down[:, place] -= step
        over, under = rows(up), rows(down)
        # central differences are good to step squared times the third derivative, about 1e-7
        np.testing.assert_allclose((over[0] - under[0]) / (2 * step), first[:, place], atol=1e-6)
        np.testing.assert_allclose((over[1] - under[1]) / (2 * step), second[:, place], atol=1e-6)


def test_the_maximum_is_that_of_another_optimiser_with_late_starts() -> None:
    data = spells(300, 4, theta=0.8)
    data["s"] = data["t"] * 0.3 * (data["z"] == 1)
    got = estimate("t ~ x | z", data, "weibull_hazard", event="e", start="s", heterogeneity="gamma")

    def loss(b: np.ndarray) -> float:
        theta, p = np.exp(b[4]), np.exp(b[2] + b[3] * data["z"])
        cumulated = [(np.exp(b[0] + b[1] * data["x"]) * data[at]) ** p for at in ("t", "s")]
        log = [np.log1p(theta * h) for h in cumulated]
        hazard = np.log(p / data["t"] * cumulated[0]) - log[0]
        return -float((data["e"] * hazard - log[0] / theta + log[1] / theta).sum())

    found = optimize.minimize(loss, got.coef.to_numpy() + 0.2, method="BFGS")
    assert got.loglik == pytest.approx(-found.fun, abs=1e-6)
    # BFGS stops at a gradient of 1e-5
    np.testing.assert_allclose(got.coef, found.x, atol=2e-3)


def test_no_heterogeneity_leaves_its_variance_out() -> None:
    even = spells(400, 5)
    even["t"] = np.minimum(even["t"], np.quantile(even["t"], 0.9)) ** 0.2
    got = estimate("t ~ 1 | 1", even.assign(e=1.0), "weibull_hazard", event="e",
                   heterogeneity="gamma")  # fmt: skip
    plain = estimate("t ~ 1 | 1", even.assign(e=1.0), "weibull_hazard", event="e")
    assert "/lntheta" not in got.coef.index
    assert got.loglik == plain.loglik


def test_predictions_are_medians_and_shapes() -> None:
    data = spells(300, 6, theta=0.5)
    for mixed in ("none", "gamma"):
        got = estimate("t ~ x | z", data, "weibull_hazard", event="e", heterogeneity=mixed)
        b, theta = got.coef, got.ancillary.get("theta", 0.0)
        shape = np.exp(b["shape:(Intercept)"] + b["shape:z"] * data["z"])
        np.testing.assert_allclose(got.predict(data, kind="shape"), shape)
        median = np.asarray(got.predict(data))
        cumulated = (np.exp(b["(Intercept)"] + b["x"] * data["x"]) * median) ** shape
        survived = (1 + theta * cumulated) ** (-1 / theta) if theta else np.exp(-cumulated)
        np.testing.assert_allclose(survived, 0.5)
