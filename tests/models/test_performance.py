"""Measures of prediction by their definitions, and out-of-sample predictions by refits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from foedus.errors import EstimationError, UsageError
from foedus.models import estimate
from foedus.models.performance import (
    calibration,
    measures,
    precision_recall_curve,
    predict_left_out,
    roc_curve,
    separation_plot,
    with_and_without,
)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(5, 60), ties=st.booleans())
def test_measures_by_definition(seed: int, n: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.4).astype(float)
    y[:2] = 0.0, 1.0
    p = rng.choice([0.2, 0.4, 0.6], n) if ties else rng.uniform(0.01, 0.99, n)
    found = measures(y, p)
    one, nil = p[y == 1], p[y == 0]
    above = (one[:, None] > nil).mean() + 0.5 * (one[:, None] == nil).mean()
    assert_allclose(found["auc"], above)
    assert_allclose(found["brier"], np.mean((y - p) ** 2))
    assert_allclose(found["log_score"], np.mean(np.log(np.where(y == 1, p, 1 - p))))
    precision = [y[p >= value].mean() for value in one]
    assert_allclose(found["average_precision"], np.mean(precision))
    roc = roc_curve(y, p)
    assert_allclose(
        np.trapezoid(roc["true_positive_rate"], roc["false_positive_rate"]), found["auc"]
    )
    assert roc.iloc[-1, 1:].tolist() == [1.0, 1.0]
    curve = precision_recall_curve(y, p)
    assert_allclose(curve["precision"].iloc[-1], y.mean())
    strips = separation_plot(y, p, strips=7)
    assert strips["events"].sum() == y.sum()
    assert (strips["predicted"].diff().dropna() > -1e-12).all()
    groups = calibration(y, p, groups=4)
    assert groups["rows"].sum() == n
    assert_allclose((groups["predicted"] * groups["rows"]).sum(), p.sum())
    assert (groups["ci_low"] <= groups["observed"] + 1e-12).all()


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    n = 900
    frame = pd.DataFrame(
        {"x": rng.normal(size=n), "w": rng.normal(size=n), "v": rng.normal(size=n)}
    )
    frame["year"] = 1950 + rng.integers(0, 6, n)
    frame["y"] = (rng.random(n) < 1 / (1 + np.exp(1 - frame["x"] - 0.8 * frame["w"]))).astype(int)
    frame.loc[5, "v"] = np.nan
    return frame


@pytest.mark.parametrize("estimator", ["logit", "probit", "ols"])
def test_rows_left_out_are_predicted_by_the_others(rows: pd.DataFrame, estimator: str) -> None:
    result = estimate("y ~ x + w + v", rows, estimator)
    ours = predict_left_out(result, rows, "year")
    used = rows.drop(index=5)
    for year in (1950, 1953):
        rest = estimate("y ~ x + w + v", used[used["year"] != year], estimator)
        here = (used["year"] == year).to_numpy()
        assert_allclose(ours[here], rest.predict(used[here]), rtol=1e-6)


def test_with_and_without_a_term(rows: pd.DataFrame) -> None:
    table = with_and_without("y ~ x + w + v", rows, ["w"], by=5).set_index(["model", "sample"])
    assert (table.loc["with", "auc"] > table.loc["without", "auc"]).all()
    assert table.loc[("with", "in"), "log_score"] > table.loc[("with", "out"), "log_score"]
    again = with_and_without("y ~ x + w + v", rows, ["w"], by=5)
    assert again.equals(table.reset_index())
    with pytest.raises(UsageError, match="not a term"):
        with_and_without("y ~ x", rows, ["w"])


def test_what_cannot_be_told_apart_is_refused() -> None:
    with pytest.raises(EstimationError, match="all outcomes are the same"):
        measures(np.ones(5), np.full(5, 0.5))
    with pytest.raises(UsageError, match="0 or 1"):
        roc_curve(np.array([0.0, 2.0]), np.array([0.1, 0.2]))


def test_impossible_numbers_of_folds_are_refused(rows: pd.DataFrame) -> None:
    result = estimate("y ~ x", rows)
    with pytest.raises(UsageError, match="folds"):
        predict_left_out(result, rows, 1)
