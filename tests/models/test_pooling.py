"""Pooling of estimates: R's numbers from the formulas, textbook limits, bad input."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foedus.errors import UsageError
from foedus.models.pooling import benjamini_hochberg, between, holm, pool

REFERENCE = Path(__file__).parents[1] / "reference" / "pooling_reference.csv"
"""Made by tests/reference/make_pooling.R."""
SAMPLES = {
    "spread": (
        [-0.45, 0.12, -0.88, 0.31, -0.20, -0.61, 0.05],
        [0.10, 0.15, 0.30, 0.12, 0.08, 0.25, 0.40],
    ),
    "alike": ([0.21, 0.25, 0.18, 0.24], [0.2, 0.3, 0.25, 0.4]),
    "two": ([-0.5, 0.9], [0.2, 0.3]),
    "far": ([4.1, -2.2, 0.3, 7.5, 1.1, -0.4], [0.5, 0.9, 0.2, 2.5, 0.7, 0.3]),
}


def reference() -> list[dict[str, str]]:
    with REFERENCE.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("method", ["reml", "dl"])
def test_pooling_equals_the_formulas_in_r(sample: str, method: str) -> None:
    made = pool(*SAMPLES[sample], method=method)
    rows = [r for r in reference() if (r["sample"], r["method"]) == (sample, method)]
    assert len(rows) >= 10
    # R finds the top of the restricted likelihood by numerical steps, good to about 1e-7
    near = 1e-6 if method == "reml" else 1e-12
    for row in rows:
        found = getattr(made, row["quantity"])
        assert found == pytest.approx(float(row["value"]), rel=near, abs=near), row


@pytest.mark.parametrize(("name", "adjust"), [("holm", holm), ("BH", benjamini_hochberg)])
def test_many_comparisons_equal_r(name: str, adjust: object) -> None:
    expected = [float(r["value"]) for r in reference() if (r["sample"], r["method"]) == ("p", name)]
    made = adjust([0.01, 0.04, 0.03, 0.005, 0.6, 0.04, 1])  # type: ignore[operator]
    assert made == pytest.approx(expected, rel=1e-12)


def test_alike_estimates_are_pooled_as_one_effect() -> None:
    y, s = (np.array(one) for one in SAMPLES["alike"])
    made = pool(y, s)
    assert made.tau2 == 0.0
    assert made.i2 == 0.0
    assert made.estimate == pytest.approx(float((y / s**2).sum() / (1 / s**2).sum()), rel=1e-12)
    # without spread the factor is held at 1: the normal standard error with Student's quantile
    assert made.std_error == pytest.approx(float((1 / s**2).sum() ** -0.5), rel=1e-12)


def test_two_estimates_predict_nothing() -> None:
    made = pool(*SAMPLES["two"])
    assert made.predict_low is None
    assert made.predict_high is None


effects = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.05, 2.0)), min_size=2, max_size=8)


@given(effects)
def test_order_scale_and_dependence(pairs: list[tuple[float, float]]) -> None:
    y, s = zip(*pairs, strict=True)
    made = pool(y, s, method="dl")
    turned = pool(y[::-1], s[::-1], method="dl")
    assert turned.estimate == pytest.approx(made.estimate, rel=1e-9, abs=1e-9)
    doubled = pool([2 * one for one in y], [2 * one for one in s], method="dl")
    assert doubled.estimate == pytest.approx(2 * made.estimate, rel=1e-9, abs=1e-9)
    assert doubled.tau2 == pytest.approx(4 * made.tau2, rel=1e-9, abs=1e-9)
    assert 0.0 <= made.i2 < 1.0
    assert sum(made.weights) == pytest.approx(1.0)
    # the sampling variance of independent estimates is below that of perfectly correlated ones
    independent = sum(w**2 * (e**2 + made.tau2) for w, e in zip(made.weights, s, strict=True))
    assert made.bound**2 >= independent * (1 - 1e-12)


@given(effects)
def test_the_restricted_likelihood_has_its_top_there(pairs: list[tuple[float, float]]) -> None:
    y, s = (np.array(one) for one in zip(*pairs, strict=True))
    v = s**2

    def height(tau2: float) -> float:
        w = 1 / (v + tau2)
        mean = (w @ y) / w.sum()
        return float(0.5 * (np.log(w).sum() - np.log(w.sum()) - w @ (y - mean) ** 2))

    top = pool(y, s).tau2
    for other in (0.0, top * 0.9, top * 1.1, top + 0.01, top + 1.0):
        assert height(top) >= height(other) - 1e-9


def test_between_groups() -> None:
    y, s = np.array([0.5, -0.5, 0.1]), np.array([0.1, 0.2, 0.4])
    w = s**-2.0
    mean = (w * y).sum() / w.sum()
    made = between(y, s)
    assert made.q == pytest.approx(float((w * (y - mean) ** 2).sum()))
    assert made.df == 2
    # chi-squared with two degrees of freedom: P(X > q) = exp(-q / 2)
    assert made.p_value == pytest.approx(float(np.exp(-made.q / 2)))


@pytest.mark.parametrize(
    ("y", "s"),
    [([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([1.0, 2.0], [1.0, 0.0]), ([1.0, float("nan")], [1, 1])],
)
def test_what_cannot_be_pooled_is_refused(y: list[float], s: list[float]) -> None:
    with pytest.raises(UsageError):
        pool(y, s)


def test_unknown_methods_and_p_values_are_refused() -> None:
    with pytest.raises(UsageError, match="tau2"):
        pool(*SAMPLES["two"], method="sj")
    with pytest.raises(UsageError, match="0 to 1"):
        holm([0.5, 1.2])
