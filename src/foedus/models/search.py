"""Search for a minimum without derivatives, many problems at once, as R's optim searches.

Nelder and Mead 1965, Computer Journal 7, in the form of Nash 1979 (Compact Numerical Methods for
Computers, algorithm 19) that R's ``optim`` has by default: first simplex of a tenth of the largest
starting value (a tenth where all are 0), reflection 1, contraction 1/2, expansion 2, an end when
highest and lowest vertex differ by less than 1.5e-8 of the first value, or after 500 evaluations.

The estimators don't search in this way. It is here because estimates in print come from it: where
a likelihood has no maximum inside its family, or where 500 evaluations end the search before one
is reached, print holds the place at which the search stopped, and no other method ends there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from foedus.models.arrays import BoolArray, FloatArray, IntArray

TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))
HUGE = 1e35
"""Stands for a value that isn't finite, as in R."""

Objective = Callable[[FloatArray, IntArray], FloatArray]
"""Maps points (m, k) and the problems they belong to (m,) to values (m,)."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where each search ended.

    Attributes
    ----------
    x : float array (problems, k)
    value : float array (problems,)
    evaluations : int array (problems,)
    settled : bool array (problems,)
        Whether the vertices had come together, rather than the evaluations to an end.
    """

    x: FloatArray
    value: FloatArray
    evaluations: IntArray
    settled: BoolArray


class _Simplex:
    """The simplices of many problems: vertices (problems, k + 1, k) and their values."""

    def __init__(self, objective: Objective, start: FloatArray) -> None:
        self.objective = objective
        problems, k = start.shape
        step = 0.1 * np.abs(start).max(axis=1)
        step[step == 0] = 0.1
        self.vertex = np.repeat(start[:, None, :], k + 1, axis=1)
        for at in range(k):
            self.vertex[:, at + 1, at] += step
        self.size = k * step
        self.height = np.full((problems, k + 1), HUGE)
        self.spent = np.zeros(problems, np.int64)
        self.low = np.zeros(problems, np.int64)
        everyone = np.arange(problems)
        for at in range(k + 1):
            self.height[:, at] = self.evaluate(self.vertex[:, at], everyone)

    def evaluate(self, points: FloatArray, rows: IntArray) -> FloatArray:
        """Return the values at one point a problem, counting them."""
        if not rows.size:
            return np.zeros(0)
        with np.errstate(all="ignore"):
            values = np.asarray(self.objective(points, rows), dtype=np.float64)
        self.spent[rows] += 1
        return np.where(np.isfinite(values), values, HUGE)

    def put(self, rows: IntArray, at: IntArray, points: FloatArray, values: FloatArray) -> None:
        """Replace a vertex of each of some problems."""
        self.vertex[rows, at] = points
        self.height[rows, at] = values


def nelder_mead(
    objective: Objective,
    start: FloatArray,
    *,
    tolerance: float = TOLERANCE,
    most: int = 500,
) -> Found:
    """Minimise a function of k parameters, for many problems side by side.

    Parameters
    ----------
    objective : callable
        Called with points (m, k) and the numbers (m,) of the problems that they belong to; returns
        m values. A value that isn't finite counts as 1e35.
    start : float array (problems, k)
        Where each search starts.
    tolerance : float
        Of the difference of the highest and lowest vertex, as a share of the value at the start.
    most : int
        Evaluations after which a search ends (it may take a few more within its last step).

    Returns
    -------
    Found
        The lowest vertex of each. A search that hasn't settled is returned as it stands.
    """
    start = np.asarray(start, dtype=np.float64)
    made = _Simplex(objective, start)
    enough = tolerance * (np.abs(made.height[:, 0]) + tolerance)
    settled = np.zeros(len(start), dtype=bool)
    going = np.arange(len(start))
    while going.size:
        lowest, highest = _extremes(made, going)
        done = made.height[going, highest] <= made.height[going, lowest] + enough[going]
        made.low[going] = lowest
        settled[going[done]] = True
        going, highest = going[~done], highest[~done]
        stuck = _step(made, going, highest)
        going = going[~stuck & (made.spent[going] <= most)]
    everyone = np.arange(len(start))
    best = made.height.argmin(axis=1)
    return Found(
        made.vertex[everyone, best], made.height[everyone, best], made.spent.copy(), settled
    )


def _extremes(made: _Simplex, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Return the lowest and highest vertex; the lowest one so far keeps its place in a tie."""
    height = made.height[rows]
    each = np.arange(rows.size)
    held = height[each, made.low[rows]]
    lowest = np.where(height.min(axis=1) < held, height.argmin(axis=1), made.low[rows])
    highest = np.where(height.max(axis=1) > held, height.argmax(axis=1), made.low[rows])
    return lowest, highest


def _step(made: _Simplex, rows: IntArray, high: IntArray) -> BoolArray:
    """Reflect, then expand, contract or shrink; return which simplices can't shrink further."""
    stuck = np.zeros(rows.size, dtype=bool)
    if not rows.size:
        return stuck
    k = made.vertex.shape[2]
    top = made.vertex[rows, high]
    # summed vertex by vertex from the highest's negative, so that the last digits are R's too
    centre = -top
    for at in range(k + 1):
        centre = centre + made.vertex[rows, at]
    centre = centre / k
    mirrored = 2.0 * centre - top
    value = made.evaluate(mirrored, rows)
    before = made.height[rows, high]
    better = value < made.height[rows, made.low[rows]]

    far = np.flatnonzero(better)
    stretched = 2.0 * mirrored[far] - centre[far]
    farther = made.evaluate(stretched, rows[far])
    wins = farther < value[far]
    made.put(
        rows[far], high[far],
        np.where(wins[:, None], stretched, mirrored[far]), np.where(wins, farther, value[far]),
    )  # fmt: skip

    near = np.flatnonzero(~better)
    kept = near[value[near] < before[near]]
    made.put(rows[kept], high[kept], mirrored[kept], value[kept])
    drawn = 0.5 * made.vertex[rows[near], high[near]] + 0.5 * centre[near]
    inside = made.evaluate(drawn, rows[near])
    wins = inside < made.height[rows[near], high[near]]
    made.put(rows[near[wins]], high[near[wins]], drawn[wins], inside[wins])

    shrinking = near[~wins & (value[near] >= before[near])]
    stuck[shrinking] = _shrink(made, rows[shrinking])
    return stuck


def _shrink(made: _Simplex, rows: IntArray) -> BoolArray:
    """Draw all vertices half-way to the lowest; return which simplices didn't become smaller."""
    if not rows.size:
        return np.zeros(0, dtype=bool)
    low = made.low[rows]
    anchor = made.vertex[rows, low]
    drawn = 0.5 * (made.vertex[rows] - anchor[:, None, :]) + anchor[:, None, :]
    size = np.abs(drawn - anchor[:, None, :]).sum(axis=(1, 2))
    smaller = size < made.size[rows]
    # a simplex that doesn't shrink ends its search with the drawn vertices unvalued, as in R
    made.vertex[rows] = drawn
    made.size[rows[smaller]] = size[smaller]
    on = np.flatnonzero(smaller)
    for at in range(made.vertex.shape[1]):
        moved = on[low[on] != at]
        made.height[rows[moved], at] = made.evaluate(drawn[moved, at], rows[moved])
    return np.asarray(~smaller)
