"""The terms that Tucker's btscs puts beside years of peace, against its own lines and a spline."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from foedus.covariates.time_terms import btscs_terms, natural_spline
from foedus.errors import UsageError


def by_its_lines(years: NDArray[np.float64], knots: list[float]) -> NDArray[np.float64]:
    """Make the terms row by row, as the program's lines 4.0.4 say: a cube, then another one."""
    low, high = min(years), max(years)
    terms = np.zeros((len(years), 3))
    for j, knot in enumerate(knots):
        for i, year in enumerate(years):
            term = -((high - knot) / (high - low)) * (year - low) ** 3
            if year > knot:
                term += (year - knot) ** 3
            terms[i, j] = term
    return terms


def test_terms_are_those_of_the_programs_lines() -> None:
    years = np.array([0, 0, 1, 2, 3, 5, 8, 13, 21, 40], float)
    made = btscs_terms(years, [1, 4, 7])
    assert np.allclose(made, by_its_lines(years, [1, 4, 7]), rtol=1e-12, atol=1e-9)
    assert np.all(made[years == 0] == 0)


def test_knots_are_the_values_at_the_quartiles_of_the_rows() -> None:
    years = np.arange(40, dtype=float)
    # nspline(3) sorts n values and takes those in places int(j n / 4 + .5), counted from 1.
    knots = [np.sort(years)[int(j * 40 / 4 + 0.5) - 1] for j in (1, 2, 3)]
    assert knots == [9, 19, 29]
    assert np.allclose(btscs_terms(years, None), by_its_lines(years, knots), atol=1e-8)


def test_the_terms_span_the_natural_spline_of_their_knots() -> None:
    years = np.arange(60, dtype=float)
    ours = np.c_[np.ones(60), years, btscs_terms(years, [5, 14, 30]) / 1e4]
    theirs = np.c_[np.ones(60), natural_spline(years, [5, 14, 30], (0, 59))]
    solved = np.linalg.lstsq(ours, theirs, rcond=None)[0]
    assert np.allclose(ours @ solved, theirs, atol=1e-10)


def test_a_missing_year_has_missing_terms() -> None:
    made = btscs_terms(np.array([0, 1, np.nan, 3, 9, 20], float), [1, 3, 9])
    assert np.isnan(made).any(axis=1).tolist() == [False, False, True, False, False, False]
    assert btscs_terms(np.full(3, np.nan), None).shape == (3, 3)


@pytest.mark.parametrize(
    ("knots", "words"),
    [
        ([1, 4], "three numbers"),
        ([4, 1, 7], "ascending"),
        ([0, 4, 7], "inside the years' range"),
        ([1, 4, "7"], "three numbers"),
    ],
)
def test_knots_that_make_no_spline_are_refused(knots: list[float], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        btscs_terms(np.arange(20, dtype=float), knots)


def test_rows_with_no_spread_have_no_quartiles_to_stand_on() -> None:
    with pytest.raises(UsageError, match="ascending"):
        btscs_terms(np.zeros(8), None)
