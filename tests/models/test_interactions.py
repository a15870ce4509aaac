"""Effects at values of another variable, against predictions and differentiation by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from foedus.errors import UsageError
from foedus.models import Result, estimate, first_difference
from foedus.models.interactions import interaction


@pytest.fixture(scope="module")
def result() -> Result:
    rng = np.random.default_rng(6)
    n = 1500
    data = pd.DataFrame({"x": rng.integers(0, 2, n), "z": rng.normal(size=n)})
    data["w"] = rng.normal(size=n)
    eta = -0.5 + 0.8 * data["x"] - 0.6 * data["x"] * data["z"] + 0.3 * data["w"]
    data["y"] = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
    return estimate("y ~ x * z + w", data, "logit", "HC1")


def test_effects_by_value_are_first_differences(result: Result) -> None:
    found = interaction(result, "x", "z", [-1, 0, 2])
    for value, row in zip((-1.0, 0.0, 2.0), found.effects.itertuples(), strict=True):
        alone = first_difference(result, "x", at="observed", values={"z": value})
        assert_allclose(row.difference, alone.difference)
        assert_allclose(row.std_error, alone.std_error)
        assert_allclose([row.ci_low, row.ci_high], [alone.ci_low, alone.ci_high])


def test_the_second_difference_is_that_of_the_effects(result: Result) -> None:
    found = interaction(result, "x", "z", [-1, 2])
    effects = found.effects["difference"]
    second = found.second_difference
    assert_allclose(second["estimate"], effects[1] - effects[0])
    X, b = result.fit.X, result.params

    def apart(params: np.ndarray) -> float:
        def mean(x: float, z: float) -> float:
            moved = np.column_stack(
                [np.ones(len(X)), np.full(len(X), x), np.full(len(X), z), X[:, 3],
                 np.full(len(X), x * z)]
            )  # fmt: skip
            return float((1 / (1 + np.exp(-moved @ params))).mean())

        return mean(1, 2) - mean(0, 2) - mean(1, -1) + mean(0, -1)

    order = [result.terms.index(t) for t in ("(Intercept)", "x", "z", "w", "x:z")]
    assert order == list(range(5))
    steps = np.eye(5) * 1e-6
    gradient = np.array([(apart(b + s) - apart(b - s)) / 2e-6 for s in steps])
    assert_allclose(second["estimate"], apart(b), rtol=1e-9)
    assert_allclose(second["std_error"], np.sqrt(gradient @ result.vcov() @ gradient), rtol=1e-5)


def test_one_variable_or_value_is_no_interaction(result: Result) -> None:
    for by, values in (("x", [0, 1]), ("z", [0])):
        with pytest.raises(UsageError, match="two variables, and two values"):
            interaction(result, "x", by, values)


def test_rows_not_selected_are_predicted_from_what_they_hold() -> None:
    """What a row lacks for its first equation makes its prediction missing, not that of zeros."""
    rng = np.random.default_rng(0)
    n = 800
    data = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n)})
    shared = rng.normal(size=n)
    data["s"] = (0.3 + data["z"] + 0.5 * data["x"] + shared > 0).astype(int)
    data["y"] = 1 + 2 * data["x"] + 0.5 * shared + rng.normal(size=n)
    data.loc[data["s"] == 0, "y"] = np.nan
    holed = data.copy()
    gone = data.index[data["s"] == 0][:3]
    holed.loc[gone, "x"] = np.nan
    whole = estimate("y | s ~ x | z", data, "heckman")
    result = estimate("y | s ~ x | z", holed, "heckman")
    assert_allclose(result.params, whole.params, rtol=1e-7)
    assert np.flatnonzero(np.isnan(result.predict())).tolist() == gone.tolist()
    assert_allclose(whole.predict(), whole.params[0] + whole.params[1] * data["x"])
    effects = result.effects().set_index("variable")["estimate"]
    assert_allclose(effects["x"], result.params[1], rtol=1e-6)
    assert_allclose(first_difference(result, "x").difference, result.params[1], rtol=1e-9)
