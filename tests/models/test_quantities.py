from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from foedus.errors import EstimationError, UsageError
from foedus.models import effects, estimate, first_difference, fit_arrays, predict_at, ratios

FORMULA = "y ~ defense + lndist + share"


def test_first_difference_at_means_of_the_treated(dyads: pd.DataFrame) -> None:
    result = estimate(FORMULA, dyads, "probit", cov="cluster(dyad)")
    made = first_difference(result, "defense", at="means where defense == 1 and share > 0.5")
    rows = dyads[(dyads["defense"] == 1) & (dyads["share"] > 0.5)]
    b = result.coef
    base = (
        b["(Intercept)"] + b["lndist"] * rows["lndist"].mean() + b["share"] * rows["share"].mean()
    )
    from scipy.stats import norm

    assert_allclose([made.p0, made.p1], norm.cdf([base, base + b["defense"]]))
    assert_allclose(made.percent_change, 100 * (made.p1 / made.p0 - 1))
    assert made.ci_low < made.difference < made.ci_high


def test_simulation_agrees_with_the_delta_method_and_is_seeded(dyads: pd.DataFrame) -> None:
    result = estimate(FORMULA, dyads)
    delta = first_difference(result, "defense")
    first, again, other = (
        first_difference(result, "defense", method="simulation", draws=20_000, seed=s)
        for s in (1, 1, 2)
    )
    assert first == again
    assert first != other
    # 20,000 draws know a standard error to half a percent; the curve is nearly straight here
    assert_allclose(first.std_error, delta.std_error, rtol=0.03)
    assert_allclose([first.ci_low, first.ci_high], [delta.ci_low, delta.ci_high], atol=0.01)


def test_observed_scenario_is_the_average_over_rows(dyads: pd.DataFrame) -> None:
    result = estimate(FORMULA, dyads)
    made = first_difference(result, "share", 0.2, 0.8, at="observed")
    high, low = (result.predict(dyads.assign(share=v)).mean() for v in (0.8, 0.2))
    assert_allclose(made.difference, high - low)
    simulated = first_difference(
        result, "share", 0.2, 0.8, at="observed", method="simulation", draws=4000
    )
    assert_allclose(simulated.std_error, made.std_error, rtol=0.06)


def test_a_variable_in_several_terms_moves_in_all_of_them(dyads: pd.DataFrame) -> None:
    result = estimate("y ~ defense * share + I(share^2) + region", dyads)
    step = 1e-4
    up, down = (result.predict(dyads.assign(share=dyads["share"] + s)) for s in (step, -step))
    table = effects(result).set_index(["variable", "effect"])
    assert_allclose(
        table.loc[("share", "slope"), "estimate"], (up - down).mean() / (2 * step), rtol=1e-5
    )
    on, off = (result.predict(dyads.assign(defense=v)).mean() for v in (1, 0))
    assert_allclose(table.loc[("defense", "difference"), "estimate"], on - off)
    assert "region" not in table.index.get_level_values(0)
    at_means = first_difference(result, "defense", values={"region": "asia", "share": 0.3})
    row = pd.DataFrame({"defense": [0, 1], "share": 0.3, "region": "asia"})
    assert_allclose([at_means.p0, at_means.p1], result.predict(row))


def test_the_mean_enters_functions_as_a_value(dyads: pd.DataFrame) -> None:
    result = estimate("y ~ share + I(share^2) + C(year)", dyads)
    made = predict_at(result, {"year": 1903})
    row = pd.DataFrame({"share": [dyads["share"].mean()], "year": 1903})
    assert_allclose(made.estimate, result.predict(row)[0])
    assert 0 < made.ci_low < made.estimate < made.ci_high < 1
    median = predict_at(result, at="medians")
    row = pd.DataFrame({"share": [dyads["share"].median()], "year": dyads["year"].mode()[0]})
    assert_allclose(median.estimate, result.predict(row)[0])


def test_ols_effects_are_the_coefficients(dyads: pd.DataFrame) -> None:
    result = estimate("z ~ defense + share", dyads, "ols", cov="HC1")
    table = result.effects(kind="slope")
    assert_allclose(table["estimate"], result.params[1:])
    assert_allclose(table["std_error"], result.std_errors()[1:])
    assert_allclose(table["p_value"], result.table()["p_value"][1:])


def test_array_fits_have_effects_too(dyads: pd.DataFrame) -> None:
    X = np.column_stack([np.ones(len(dyads)), dyads["defense"], dyads["lndist"], dyads["share"]])
    names = ["(Intercept)", "defense", "lndist", "share"]
    arrays = fit_arrays("logit", X, dyads["y"], names)
    frame = estimate(FORMULA, dyads)
    assert_allclose(arrays.effects()["estimate"], frame.effects()["estimate"])
    assert_allclose(
        first_difference(arrays, "defense").difference,
        first_difference(frame, "defense").difference,
    )
    assert_allclose(arrays.predict(X[:3]), frame.predict()[:3])


def test_ratios(dyads: pd.DataFrame) -> None:
    result = estimate(FORMULA, dyads, cov="HC1")
    table = ratios(result)
    assert_allclose(table["estimate"], np.exp(result.params))
    assert_allclose(table["ci_low"], np.exp(result.table()["ci_low"]))
    assert set(table["ratio"]) == {"odds ratio"}
    with pytest.raises(UsageError, match="probit"):
        ratios(estimate(FORMULA, dyads, "probit"))


def test_errors_name_the_nearest(dyads: pd.DataFrame) -> None:
    result = estimate(FORMULA, dyads)
    with pytest.raises(UsageError, match="defense"):
        first_difference(result, "defence")
    with pytest.raises(UsageError, match="means"):
        first_difference(result, "defense", at="mean")
    with pytest.raises(UsageError, match="not a variable of the model"):
        predict_at(result, at="means where z == 1")
    with pytest.raises(EstimationError, match="no row"):
        predict_at(result, at="means where share > 7")
    with pytest.raises(UsageError):
        first_difference(result, "defense", method="bootstrap")
    with pytest.raises(UsageError):
        effects(result, kind="ame")
