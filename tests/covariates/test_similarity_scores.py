"""Portfolio similarity against R, and its options against plain loops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import kendalltau

from foedus.covariates.similarity import (
    agreement,
    by_region,
    chance_of,
    regions_of,
    s_of,
    tau_b_of,
)
from tests.covariates.alliance_worlds import CODES, column, small_tables, tied, worlds

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
portfolios = hnp.arrays(np.int8, st.tuples(st.integers(2, 7), st.integers(2, 9)),
                        elements=st.integers(0, 3))  # fmt: skip


def test_scores_equal_rs() -> None:
    """To 1e-12: both sides are doubles, and counts are whole numbers."""
    read = pl.read_csv(REFERENCE / "similarity_portfolios.csv")
    level = read.drop("weight").to_numpy().astype(np.int8)
    weight = read["weight"].to_numpy()
    plain = agreement(level, 3)
    kappa, pi = chance_of(plain)
    ours = {
        "s": s_of(plain), "s_squared": s_of(plain, squared=True),
        "s_weighted": s_of(agreement(level, 3, weight)), "kappa": kappa, "pi": pi,
        "tau_b": tau_b_of(plain),
    }  # fmt: skip
    reference = pl.read_csv(REFERENCE / "similarity_reference.csv")
    assert reference.height == 66
    i, j = reference["i"].to_numpy(), reference["j"].to_numpy()
    for name, scores in ours.items():
        np.testing.assert_allclose(scores[i, j], reference[name].to_numpy(), atol=1e-12)
        np.testing.assert_allclose(scores, scores.T, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(portfolios)
def test_tau_b_is_kendalls(level: np.ndarray[Any, Any]) -> None:
    """Against scipy's, which is nan for a constant portfolio as ours is."""
    ours = tau_b_of(agreement(level, 3))
    for i, j in np.ndindex(len(level), len(level)):
        theirs = kendalltau(level[i], level[j]).statistic
        if np.isnan(theirs):
            assert np.isnan(ours[i, j])
        else:
            assert ours[i, j] == pytest.approx(theirs, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(portfolios, st.booleans(), st.data())
def test_region_scores_count_the_partners_of_either_region(
    level: np.ndarray[Any, Any], squared: bool, data: st.DataObject
) -> None:
    n, m = level.shape
    size = max(n, m)
    square = np.zeros((size, size), np.int8)
    square[:n, :m] = level
    region = data.draw(hnp.arrays(np.int64, size, elements=st.integers(0, 2)))
    weight = data.draw(st.none() | hnp.arrays(np.float64, size, elements=st.floats(0.1, 1)))
    ours = s_of(by_region(square, 3, region, weight), squared)
    tau = tau_b_of(by_region(square, 3, region, None))
    for i, j in np.ndindex(size, size):
        inside = (region == region[i]) | (region == region[j])
        x, y = square[i, inside].astype(float), square[j, inside].astype(float)
        w = np.ones(inside.sum()) if weight is None else weight[inside]
        gap, furthest = ((x - y) ** 2, 9) if squared else (abs(x - y), 3)
        assert ours[i, j] == pytest.approx(1 - 2 * (w * gap).sum() / (furthest * w.sum()))
        theirs = kendalltau(x, y).statistic if len(x) > 1 else np.nan
        assert tau[i, j] == pytest.approx(theirs, abs=1e-12, nan_ok=True)


@settings(max_examples=10, deadline=None)
@given(worlds(), st.sampled_from(["any", "defense"]))
def test_portfolios_of_a_world(treaties: list[Any], tie: str) -> None:
    """Binary ties, a state's tie to itself included, over the five states."""
    year = 1822
    got = column(small_tables(treaties), "dyad-year", "similarity.s_atop", (year, year), tie=tie)
    tau = column(
        small_tables(treaties), "dyad-year", "similarity.tau_b_atop", (year, year), tie=tie
    )
    names = ["any"] if tie == "any" else ["defense", "offense"]

    def portfolio(one: int) -> list[int]:
        return [
            int(one == k or any(tied(treaties, one, k, year, name) for name in names))
            for k in CODES
        ]

    for (one, other, _), score in got.items():
        x, y = np.array(portfolio(one)), np.array(portfolio(other))
        assert score == pytest.approx(1 - 2 * abs(x - y).sum() / len(CODES), abs=1e-6)
        theirs = kendalltau(x, y).statistic
        expected = None if np.isnan(theirs) else pytest.approx(theirs, abs=1e-6)
        assert tau[one, other, year] == expected


def test_regions_are_the_hundreds_of_cow_numbers() -> None:
    codes = np.array([2, 199, 200, 399, 400, 599, 600, 699, 700, 990])
    assert regions_of(codes).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
