"""Effects given covariates against their definitions, and the influence of one unit on them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import special, stats

from foedus.errors import UsageError
from foedus.models import estimate
from foedus.models.bands import uniform_bands
from foedus.models.staggered import event_study
from foedus.models.staggered_adjusted import ADJUSTMENTS, adjusted_effect

WHO = {"unit": "unit", "time": "year", "cohort": "since"}


def simulate(seed: int, units: int = 300) -> pd.DataFrame:
    """Trends depend on x, and so does who is treated in which year; the effect is 1 + age / 2."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=units)
    late = rng.random(units) < 0.5
    since = np.where(rng.random(units) < special.expit(x), np.where(late, 5.0, 3.0), np.nan)
    unit, year = np.repeat(np.arange(units), 6), np.tile(np.arange(1.0, 7.0), units)
    age = year - since[unit]
    y = 0.4 * x[unit] * year + 0.1 * year + np.where(age >= 0, 1 + 0.5 * age, 0.0)
    y = y + rng.normal(size=units)[unit] + 0.5 * rng.normal(size=unit.size)
    return pd.DataFrame(
        {"unit": unit, "year": year, "since": since[unit], "x": x[unit], "y": y, "age": age}
    )


def weighted(change: np.ndarray, D: np.ndarray, X: np.ndarray, how: str, w: np.ndarray) -> float:
    """The effect with each unit counted w times, every step by a solver of its own."""
    c = w * (1 - D)
    b = np.linalg.solve((X.T * c) @ X, (X.T * c) @ change)
    g = np.zeros(X.shape[1])
    for _ in range(50):
        p = special.expit(X @ g)
        g = g + np.linalg.solve((X.T * (w * p * (1 - p))) @ X, X.T @ (w * (D - p)))
    p = special.expit(X @ g)
    left = change - (0.0 if how == "weighting" else X @ b)
    up = np.average(left, weights=w * D)
    if how == "regression":
        return float(up)
    return float(up - np.average(left, weights=w * (1 - D) * p / (1 - p)))


@pytest.mark.parametrize("how", ADJUSTMENTS)
def test_effect_and_influence_are_their_definitions(how: str) -> None:
    """A unit's influence is the change in the effect as it counts a little more."""
    rng = np.random.default_rng(5)
    X = np.column_stack([np.ones(80), rng.normal(size=(80, 2))])
    D = (rng.random(80) < special.expit(X @ [-0.3, 0.8, -0.4])).astype(float)
    change = X @ [0.2, 0.5, -1.0] + D + rng.normal(size=80)
    effect, influence = adjusted_effect(change, D == 1, X, how)
    assert effect == pytest.approx(weighted(change, D, X, how, np.ones(80)), rel=1e-9)
    step = 1e-5
    for unit in range(0, 80, 7):
        ahead, back = np.ones(80), np.ones(80)
        ahead[unit] += step
        back[unit] -= step
        slope = weighted(change, D, X, how, ahead) - weighted(change, D, X, how, back)
        assert influence[unit] == pytest.approx(slope / (2 * step), rel=1e-6, abs=1e-10)
    assert influence.sum() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("how", ADJUSTMENTS)
@pytest.mark.parametrize("control", ["never", "not_yet"])
def test_trends_by_a_covariate_are_taken_out(how: str, control: str) -> None:
    data = simulate(1, 1500)
    plain = event_study(data, "y", control=control, **WHO)
    made = event_study(data, "y", control=control, covariates=["x"], adjust=how, **WHO)
    for age in (0, 1):
        assert abs(made.coef[f"t+{age}"] - (1 + 0.5 * age)) < 4 * made.se()[f"t+{age}"]
        assert abs(plain.coef[f"t+{age}"] - (1 + 0.5 * age)) > 5 * plain.se()[f"t+{age}"]
    assert abs(made.coef["t-2"]) < 4 * made.se()["t-2"]


@pytest.mark.parametrize("how", ADJUSTMENTS)
def test_a_covariate_without_variation_changes_nothing(how: str) -> None:
    """Without covariates but the constant every adjustment is the difference of two means."""
    change = np.random.default_rng(1).normal(size=40)
    treated = np.arange(40) < 15
    effect, influence = adjusted_effect(change, treated, np.ones((40, 1)), how)
    up, down = change[treated], change[~treated]
    assert effect == pytest.approx(up.mean() - down.mean(), rel=1e-12)
    assert_allclose(influence[treated], (up - up.mean()) / 15, atol=1e-12)
    assert_allclose(influence[~treated], -(down - down.mean()) / 25, atol=1e-12)


def test_errors_are_the_spread_over_draws() -> None:
    values, errors = [], []
    for seed in range(80):
        made = event_study(simulate(seed), "y", covariates=["x"], **WHO)
        values.append(made.coef["average"])
        errors.append(made.se()["average"])
    # 80 draws tell a standard deviation to 8 %
    assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=0.25)


def test_what_can_t_be_adjusted_is_said() -> None:
    data = simulate(2, 120)
    data["decides"] = np.where(data["since"] == 3, 9.0, 0.0) + data["x"] / 2
    with pytest.warns(UserWarning, match="can't be adjusted and are left out: cohort 3 at 2"):
        made = event_study(data, "y", covariates=["decides"], control="never", **WHO)
    assert np.isfinite(made.params).all()
    with pytest.raises(UsageError, match="sun_abraham takes no covariates"):
        event_study(data, "y", method="sun_abraham", covariates=["x"], **WHO)
    with pytest.raises(UsageError, match="is no adjustment"):
        event_study(data, "y", covariates=["x"], adjust="both", **WHO)


# --- uniform bands --------------------------------------------------------------------------


@pytest.mark.parametrize("multiplier", ["mammen", "rademacher"])
def test_the_band_of_independent_terms_is_known(multiplier: str) -> None:
    """Means of disjoint groups of rows: the largest of six independent normals."""
    rng = np.random.default_rng(6)
    data = pd.DataFrame({"g": np.repeat(np.arange(6), 500), "row": np.arange(3000)})
    data["y"] = rng.normal(size=3000)
    made = estimate("y ~ factor(g) - 1", data, "ols", "HC0")
    band = uniform_bands(made, data, "row", draws=20_000, multiplier=multiplier)
    wanted = stats.norm.ppf((1 + 0.95 ** (1 / 6)) / 2)
    assert band["critical"].iloc[0] == pytest.approx(wanted, rel=0.02)
    assert_allclose(band["std_error"], made.std_errors("HC0"), rtol=1e-9)
    one = uniform_bands(made, data, "row", [made.terms[0]], draws=20_000, multiplier=multiplier)
    assert one["critical"].iloc[0] == pytest.approx(1.96, rel=0.02)


@pytest.mark.parametrize("method", ["callaway_santanna", "sun_abraham", "imputation", "twfe"])
def test_a_band_is_wider_than_its_intervals_and_no_wider_than_bonferroni(method: str) -> None:
    data = simulate(4)
    made = event_study(data, "y", method=method, **WHO)
    band = uniform_bands(made, data, "unit", draws=2_000)
    assert list(band["term"]) == [term for term in made.terms if term != "average"]
    assert_allclose(band["std_error"], made.se()[list(band["term"])], rtol=1e-9)
    k = len(band)
    assert 2.0 < band["critical"].iloc[0] < stats.norm.ppf(1 - 0.025 / k) * 1.05
    again = uniform_bands(made, data, "unit", draws=2_000)
    assert band.equals(again)


def test_the_band_holds_all_effects_at_once() -> None:
    held, each = 0, 0
    for seed in range(150):
        data = simulate(seed, 150)
        made = event_study(data, "y", covariates=["x"], adjust="regression", **WHO)
        band = uniform_bands(made, data, "unit", draws=500).set_index("term")
        ages = np.array([int(term[1:]) for term in band.index])
        truth = np.where(ages >= 0, 1 + 0.5 * ages, 0.0)
        gap = np.abs(band["estimate"].to_numpy() - truth)
        held += int((gap <= band["critical"] * band["std_error"]).all())
        each += int((gap <= 1.96 * band["std_error"]).all())
    # 150 draws have a standard error of 2 points at 95 %
    assert held / 150 >= 0.88
    assert each < held
