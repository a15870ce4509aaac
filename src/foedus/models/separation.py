"""Perfect prediction in models for binary outcomes: found, named, and dropped only on request.

Albert and Anderson (1984), Biometrika 71: a maximum of the likelihood exists unless some
direction d has X d >= 0 in all rows with y = 1 and X d <= 0 in all rows with y = 0, not all zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foedus.errors import EstimationError
from foedus.models.arrays import BoolArray, FloatArray, blocks
from foedus.models.scaling import Scaling


class SeparationError(EstimationError):
    """The outcome is separated by these terms, in these rows (exit 5)."""

    def __init__(self, message: str, terms: list[str], rows: BoolArray) -> None:
        super().__init__(message)
        self.terms = terms
        self.rows = rows


def separating_terms(
    y: FloatArray, X: FloatArray, scaling: Scaling, direction: FloatArray
) -> tuple[list[int], BoolArray]:
    """Return the terms of a direction that separates the outcome; none if it does not.

    Parameters
    ----------
    y : float array
        The outcome, 0 or 1.
    X : float array
        The design matrix.
    scaling : Scaling
        Its change of columns.
    direction : float array
        A direction in the scaled columns: the Newton step of a fit that diverges.

    Returns
    -------
    terms : list of int
        Columns (not the constant) that carry the separation.
    decided : bool array
        The rows whose outcome the direction predicts for certain.
    """
    decided = np.zeros(y.size, dtype=bool)
    size = float(np.abs(direction).max())
    if size == 0.0 or not np.isfinite(size):
        return [], decided
    d = direction / size
    tolerance = 1e-3
    for rows in blocks(y.size, X.shape[1]):
        ahead = (scaling.block(X[rows]) @ d) * (2.0 * y[rows] - 1.0)
        if (ahead < -tolerance).any():
            return [], decided
        decided[rows] = ahead > 10 * tolerance
    if not decided.any():
        return [], decided
    terms = np.flatnonzero(np.abs(d) > 10 * tolerance)
    return [int(j) for j in terms if int(j) != scaling.constant], decided


def name_some(names: list[str], most: int = 6) -> str:
    """List names, the first few of many."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class PerfectPredictor:
    """A 0/1 column under one value of which the outcome never varies."""

    column: int
    value: float
    outcome: float
    rows: int


LARGE = 100_000


def _suspects(y: FloatArray, X: FloatArray) -> list[int]:
    """Return columns that may be perfect predictors; the others can't, as some rows show.

    A column that has another value than 0 and 1 somewhere, or both outcomes under both values,
    is no suspect; of many rows, all events and some of the others are enough to clear most.
    """
    if y.size >= LARGE:
        some = np.arange(0, y.size, 1 + y.size // 20_000)
        rows = np.concatenate([np.flatnonzero(y > 0.0)[:20_000], some])
        y, X = y[rows], X[rows]
    n, events = y.size, float(y.sum())
    found = []
    for column in range(X.shape[1]):
        x = X[:, column]
        if not bool(((x == 0.0) | (x == 1.0)).all()):
            continue
        ones, ones_events = float(x.sum()), float(x @ y)
        if not (0 < ones_events < ones and 0 < events - ones_events < n - ones):
            found.append(column)
    return found


def perfect_predictors(
    y: FloatArray, X: FloatArray, has_constant: bool = True
) -> list[PerfectPredictor]:
    """Find 0/1 columns under one value of which the outcome is always 0 or always 1.

    Parameters
    ----------
    y : float array
        The outcome, 0 or 1.
    X : float array
        The design matrix.
    has_constant : bool
        Whether a constant is among the columns; without one, rows at 0 can't be separated.

    Returns
    -------
    list of PerfectPredictor
        One entry a column, in column order; the value with the fewer rows where both decide.
    """
    found = []
    n, events = y.size, float(y.sum())
    for column in _suspects(y, X):
        x = X[:, column]
        ones = float(x.sum())
        if ones in (0.0, float(n)) or not bool(((x == 0.0) | (x == 1.0)).all()):
            continue
        ones_events = float(x @ y)
        cells = [(1.0, ones, ones_events)]
        if has_constant:
            cells.append((0.0, n - ones, events - ones_events))
        decided = [
            PerfectPredictor(int(column), value, 0.0 if hits == 0 else 1.0, int(rows))
            for value, rows, hits in cells
            if hits in (0.0, rows)
        ]
        if decided:
            found.append(min(decided, key=lambda p: p.rows))
    return found


def rows_decided(X: FloatArray, predictor: PerfectPredictor) -> BoolArray:
    """Mark the rows that a perfect predictor decides."""
    decided: BoolArray = X[:, predictor.column] == predictor.value
    return decided
