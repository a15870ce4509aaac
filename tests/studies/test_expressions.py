"""Derived variables: values, missing values, and nothing that runs code."""

from __future__ import annotations

import numpy as np
import pytest

from foedus.errors import UsageError
from foedus.studies.expressions import evaluate, names_in

NAN = float("nan")
VARIABLES = {
    "a": np.array([1.0, 2.0, NAN, 0.0]),
    "b": np.array([3.0, 2.0, 1.0, 0.0]),
}
PANEL = {
    "v": np.array([1.0, 2.0, 4.0, NAN, 7.0]),
    "unit": np.array([1.0, 1.0, 1.0, 2.0, 2.0]),
    "year": np.array([1950.0, 1951.0, 1953.0, 1950.0, 1951.0]),
}


def test_a_lag_is_the_earlier_years_value_and_not_the_row_before() -> None:
    # 1953 has no 1952 before it; the second unit's 1950 is unknown.
    np.testing.assert_allclose(evaluate("lag_by(v, unit, year)", PANEL), [NAN, 1.0, NAN, NAN, NAN])
    np.testing.assert_allclose(
        evaluate("lag_by(v, unit, year, 2)", PANEL), [NAN, NAN, 2.0, NAN, NAN]
    )
    shuffled = {name: values[[4, 2, 0, 3, 1]] for name, values in PANEL.items()}
    np.testing.assert_allclose(
        evaluate("lag_by(v, unit, year)", shuffled), [NAN, NAN, NAN, NAN, 1.0]
    )


def test_years_since_count_the_years_in_a_row_without_the_flag() -> None:
    panel = {
        "flag": np.array([0.0, 0, 1, 0, 0, 0, 0, NAN, 0, 1, 0]),
        "unit": np.array([1.0] * 7 + [2.0] * 4),
        # 1956 is missing between the sixth and the seventh row
        "year": np.array([1950.0, 1951, 1952, 1953, 1954, 1955, 1957, 1950, 1951, 1952, 1953]),
    }
    expected = [0, 1, 2, 0, 1, 2, 0, 0, NAN, NAN, 0]
    np.testing.assert_allclose(evaluate("years_since(flag, unit, year)", panel), expected)
    turned = {name: values[::-1] for name, values in panel.items()}
    np.testing.assert_allclose(evaluate("years_since(flag, unit, year)", turned), expected[::-1])
    twice = {**panel, "year": np.full(11, 1950.0)}
    with pytest.raises(UsageError, match="same time"):
        evaluate("years_since(flag, unit, year)", twice)


def test_a_sum_is_missing_where_a_part_is() -> None:
    np.testing.assert_allclose(evaluate("sum_by(v, unit)", PANEL), [7.0, 7.0, 7.0, NAN, NAN])


def test_the_greatest_of_a_group_passes_over_what_is_missing() -> None:
    made = evaluate("max_by(v, unit)", PANEL)
    np.testing.assert_allclose(made, [4.0, 4.0, 4.0, NAN, 7.0])


@pytest.mark.parametrize("text", ["lag_by(v, unit)", "lag_by(v + 1, unit, year)"])
def test_a_lag_takes_a_variable_its_group_and_time(text: str) -> None:
    with pytest.raises(UsageError, match="lag_by"):
        evaluate(text, PANEL)


def test_two_rows_of_one_time_have_no_lag() -> None:
    twice = {**PANEL, "year": np.array([1950.0, 1950.0, 1951.0, 1950.0, 1951.0])}
    with pytest.raises(UsageError, match="same time"):
        evaluate("lag_by(v, unit, year)", twice)


CASES = [
    ("a + b", [4, 4, NAN, 0]),
    ("a / (a + b)", [0.25, 0.5, NAN, NAN]),
    ("a ** 2 - 1", [0, 3, NAN, -1]),
    ("-a", [-1, -2, NAN, 0]),
    ("a == 1", [1, 0, NAN, 0]),
    ("0 < a <= b", [1, 1, NAN, 0]),
    ("a == 1 or b == 1", [1, 0, NAN, 0]),
    ("not (b > 1)", [0, 0, 1, 1]),
    ("log1p(b) * 0 + 1", [1, 1, 1, 1]),
    ("log(b)", [np.log(3), np.log(2), 0, NAN]),
    ("max(a, b)", [3, 2, NAN, 0]),
    ("a > 0 and b > 2", [1, 0, NAN, 0]),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_values(text: str, expected: list[float]) -> None:
    np.testing.assert_allclose(evaluate(text, VARIABLES), expected)


REFUSED = [
    "__import__('os')", "a.real", "a[0]", "lambda: a", "'text'", "open(a)", "a if b else a",
    "c + 1", "a +", "1 + 1", "max(a)", "a is b", "[a]", "f'{a}'",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(UsageError):
        evaluate(text, VARIABLES)


def test_names() -> None:
    assert names_in("log(a + b) > a or max(c, 1)") == ("a", "b", "c")


def test_otherwise_puts_a_value_in_a_missing_ones_place_and_nothing_else_does() -> None:
    x = np.array([1.0, np.nan, 3.0, np.nan])
    y = np.array([1.0, 1.0, np.nan, np.nan])
    made = evaluate("otherwise(x, 0) + y", {"x": x, "y": y})
    assert made[:2].tolist() == [2.0, 1.0]
    assert np.isnan(made[2:]).all()
    assert np.isnan(evaluate("x > 2", {"x": x})[1])
    assert evaluate("otherwise(x, 9) > 2", {"x": x}).tolist() == [0.0, 1.0, 1.0, 1.0]
    with pytest.raises(UsageError, match="a variable and a number"):
        evaluate("otherwise(x > 2, 0)", {"x": x})
    assert np.isnan(x[1])  # the variable itself is left as it was
    with pytest.raises(UsageError, match="argument"):
        evaluate("otherwise(x)", {"x": x})


def test_mean_by_is_the_mean_of_a_groups_known_values() -> None:
    x = np.array([1.0, 3.0, np.nan, 5.0, np.nan])
    g = np.array([7.0, 7.0, 7.0, 2.0, 9.0])
    made = evaluate("mean_by(x, g)", {"x": x, "g": g})
    assert made[[0, 1, 3]].tolist() == [2.0, 2.0, 5.0]
    assert np.isnan(made[[2, 4]]).all()  # missing where x is, as any expression
    within = evaluate("x - mean_by(x, g)", {"x": x, "g": g})
    assert within[[0, 1, 3]].tolist() == [-1.0, 1.0, 0.0]


def test_first_by_is_the_groups_value_in_its_first_row() -> None:
    x = np.array([1.0, 3.0, 4.0, 5.0, 6.0])
    g = np.array([7.0, 7.0, 2.0, 2.0, 7.0])
    assert evaluate("first_by(x, g)", {"x": x, "g": g}).tolist() == [1.0, 1.0, 4.0, 4.0, 1.0]
    gap = np.array([np.nan, 3.0, 4.0, 5.0, 6.0])
    made = evaluate("first_by(x, g)", {"x": gap, "g": g})
    assert np.isnan(made[[0, 1, 4]]).all()
    assert made[[2, 3]].tolist() == [4.0, 4.0]
