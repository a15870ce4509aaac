"""Robust regression against MASS::rlm (tests/reference/make_huber.R) and against its own aim."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from foedus.errors import EstimationError
from foedus.models import estimate
from foedus.models.methods.huber import BEND

HERE = Path(__file__).resolve().parents[1] / "reference"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return pd.read_csv(HERE / "huber_data.csv")


@pytest.mark.parametrize("accuracy", [1e-4, 1e-12])
def test_equals_rlm(data: pd.DataFrame, accuracy: float) -> None:
    stored = pd.read_csv(HERE / "huber_reference.csv").query("accuracy == @accuracy")
    result = estimate("y ~ x + w", data, "rlm", "classical", accuracy=accuracy)
    # Both stop at the same round, so the digits are the same; 1e-8 leaves room for the algebra.
    assert_allclose(result.params, stored["estimate"], rtol=1e-8)
    assert_allclose(result.std_errors(), stored["std_error"], rtol=1e-8)
    assert_allclose(result.fit.ancillary["scale"], stored["scale"].iloc[0], rtol=1e-8)


def test_the_estimate_solves_its_equations(data: pd.DataFrame) -> None:
    result = estimate("y ~ x + w", data, "rlm", "classical", accuracy=1e-12)
    X = np.column_stack([np.ones(len(data)), data["x"], data["w"]])
    residuals = data["y"].to_numpy() - X @ result.params
    cut = np.clip(residuals / result.fit.ancillary["scale"], -BEND, BEND)
    assert_allclose(X.T @ cut, 0.0, atol=1e-8)


def test_an_outlier_moves_it_no_further_than_the_bend(data: pd.DataFrame) -> None:
    moved = data.copy()
    moved.loc[16, "y"] -= 1e6
    first, second = (
        estimate("y ~ x + w", one, "rlm", "classical", accuracy=1e-12) for one in (data, moved)
    )
    assert_allclose(first.params, second.params, atol=5e-3)


def test_half_of_the_residuals_zero_is_refused() -> None:
    exact = pd.DataFrame({"x": np.arange(21.0)}).assign(y=lambda frame: 2 * frame["x"] + 1)
    with pytest.raises(EstimationError, match="robust scale"):
        estimate("y ~ x", exact, "rlm", "classical")
