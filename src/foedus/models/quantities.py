"""Quantities of interest: what an estimate says on the outcome's own scale.

Standard errors come from the delta method; intervals can also be simulated (King, Tomz and
Wittenberg 2000, AJPS 44) from the coefficients' asymptotic distribution, seeded.

Scenarios (``at=``) are those of `foedus.models.scenarios`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foedus.errors import UsageError, nearest
from foedus.models.arrays import FloatArray, blocks
from foedus.models.averages import (
    average,
    average_with_gradient,
    is_single,
    matrices_of,
    place_of,
)
from foedus.models.design import Columns
from foedus.models.families import Family
from foedus.models.result import LEVEL, Result, inference
from foedus.models.scenarios import (
    hold,
    matrix_of,
    scenario,
)

if TYPE_CHECKING:
    pass

METHODS = ("delta", "simulation")


@dataclass(frozen=True, slots=True)
class Prediction:
    """A predicted outcome (probability, mean count, mean) in one scenario."""

    estimate: float
    std_error: float
    ci_low: float
    ci_high: float
    covariance: str
    at: str


@dataclass(frozen=True, slots=True)
class Difference:
    """The change of a predicted outcome when one variable moves, all else at the scenario.

    ``p0`` and ``p1`` are predictions before and after; ``percent_change`` is
    100 (p1 - p0) / p0; intervals come from `method`.
    """

    variable: str
    start: float
    end: float
    p0: float
    p1: float
    difference: float
    std_error: float
    ci_low: float
    ci_high: float
    percent_change: float
    percent_std_error: float
    percent_ci_low: float
    percent_ci_high: float
    covariance: str
    at: str
    method: str
    n_rows: int


# --- predictions and their gradients --------------------------------------------------------


def family_of(result: Result) -> Family:
    """Return the family of a single-index model.

    Raises
    ------
    UsageError
        For any other model.
    """
    if result.fit.family is None:
        raise UsageError(f"a {result.estimator} has no single index to take effects of.")
    return result.fit.family


def _average(
    result: Result, X: FloatArray, offset: FloatArray | None, weights: FloatArray | None
) -> tuple[float, FloatArray]:
    """Return the average prediction and its gradient in the coefficients."""
    family, total, mean = family_of(result), 0.0, 0.0
    gradient = np.zeros(X.shape[1])
    for rows in blocks(*X.shape):
        eta = X[rows] @ result.params
        if offset is not None:
            eta = eta + offset[rows]
        w = np.ones_like(eta) if weights is None else weights[rows]
        mean += float(w @ family.mean(eta))
        gradient += (w * family.slope(eta)) @ X[rows]
        total += float(w.sum())
    return mean / total, gradient / total


def average_at(
    result: Result,
    columns: Columns,
    n: int,
    weights: FloatArray | None,
    place: int | None,
    cov: str | None,
) -> tuple[float, FloatArray]:
    """Return the average prediction for given variables, and its gradient in the parameters."""
    if not is_single(result):
        return average_with_gradient(result, columns, n, weights, place, cov)
    X, offset = matrix_of(result, columns, n)
    return _average(result, X, offset, weights)


def _simulated_at(
    result: Result, columns: Columns, n: int, betas: FloatArray, place: int | None
) -> FloatArray:
    """Return the average prediction for each drawn vector of parameters."""
    if is_single(result):
        X, offset = matrix_of(result, columns, n)
        return _simulated(result, X, offset, betas)
    matrices, offset = matrices_of(result, columns, n)
    weights = row_weights(result, n)
    drawn = [average(result, beta, matrices, offset, weights, place) for beta in betas]
    return np.array(drawn)


def row_weights(result: Result, n: int) -> FloatArray | None:
    """Return the rows' prior weights, or None where a scenario has other rows."""
    weights = result.fit.weights
    return weights if weights is not None and weights.size == n else None


def _draws(result: Result, cov: str | None, draws: int, seed: int) -> FloatArray:
    """Draw coefficients from their asymptotic distribution: one row a draw."""
    values, vectors = np.linalg.eigh(result.vcov(cov))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    noise = np.random.default_rng(seed).standard_normal((draws, result.params.size))
    out: FloatArray = result.params + noise @ root.T
    return out


def delta_errors(gradients: FloatArray, vcov: FloatArray) -> FloatArray:
    """Return the standard errors of quantities from their gradients, one a row."""
    variances = np.asarray(np.einsum("ij,jk,ik->i", gradients, vcov, gradients))
    out: FloatArray = np.sqrt(np.maximum(variances, 0.0))
    return out


def _simulated(
    result: Result, X: FloatArray, offset: FloatArray | None, betas: FloatArray
) -> FloatArray:
    """Return the average prediction for each drawn vector of coefficients."""
    family, total = family_of(result), np.zeros(betas.shape[0])
    weights = row_weights(result, X.shape[0])
    for rows in blocks(X.shape[0], betas.shape[0]):
        eta = X[rows] @ betas.T
        if offset is not None:
            eta += offset[rows, None]
        means = family.mean(eta)
        total += means.sum(axis=0) if weights is None else weights[rows] @ means
    out: FloatArray = total / (X.shape[0] if weights is None else float(weights.sum()))
    return out


def predict_at(
    result: Result,
    values: Mapping[str, float] | None = None,
    *,
    at: str = "means",
    cov: str | None = None,
    level: float = LEVEL,
    category: str | None = None,
) -> Prediction:
    """Predict the outcome in a scenario.

    Parameters
    ----------
    result : Result
        The fitted model.
    values : mapping, optional
        Variables held at given values.
    at : str
        The scenario for the others; see the module's text.
    cov : str, optional
        The covariance; the first computed for None.
    level : float
        Of the interval, which is symmetric on the index, so it stays inside the outcome's range
        (for ``observed``, and for models of several indices, symmetric on the outcome).
    category : str, optional
        Whose probability, for outcomes in categories.

    Returns
    -------
    Prediction
        With its delta-method standard error.
    """
    columns, n = scenario(result, at, values)
    place = place_of(result, category)
    mean, gradient = average_at(result, columns, n, row_weights(result, n), place, cov)
    made = result.covariance(cov)
    error = float(delta_errors(gradient[None, :], made.vcov)[0])
    if n == 1 and is_single(result):
        X, offset = matrix_of(result, columns, n)
        eta = X @ result.params + (0.0 if offset is None else offset)
        ends = inference(eta, delta_errors(X, made.vcov), result.df, level)
        low = float(family_of(result).mean(ends["ci_low"])[0])
        high = float(family_of(result).mean(ends["ci_high"])[0])
    else:
        ends = inference(np.array([mean]), np.array([error]), result.df, level)
        low, high = float(ends["ci_low"][0]), float(ends["ci_high"][0])
    return Prediction(mean, error, low, high, made.name, at)


def first_difference(
    result: Result,
    variable: str,
    start: float = 0.0,
    end: float = 1.0,
    *,
    at: str = "means",
    values: Mapping[str, float] | None = None,
    cov: str | None = None,
    method: str = "delta",
    draws: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
    category: str | None = None,
) -> Difference:
    """Return the change of the predicted outcome when one variable moves from start to end.

    Parameters
    ----------
    result : Result
        The fitted model.
    variable : str
        The variable that moves, in whatever terms it stands.
    start, end : float
        Its two values.
    at : str
        The scenario for the others; see the module's text.
    values : mapping, optional
        Other variables held at given values.
    cov : str, optional
        The covariance; the first computed for None.
    method : str
        "delta", or "simulation" (percentiles of seeded draws of the coefficients).
    draws, seed : int
        For the simulation.
    level : float
        Of the intervals.
    category : str, optional
        Whose probability, for outcomes in categories.

    Returns
    -------
    Difference
        Predictions, their difference and percent change, with standard errors and intervals.
    """
    if method not in METHODS:
        raise UsageError(f'"{method}" is not a method. {nearest(method, METHODS)}')
    columns, n = scenario(result, at, values)
    place = place_of(result, category)
    moved = []
    for value in (start, end):
        held = dict(columns)
        hold(held, variable, value, n)
        moved.append(held)
    weights = row_weights(result, n)
    (p0, g0), (p1, g1) = (average_at(result, one, n, weights, place, cov) for one in moved)
    percent, percent_gradient = 100.0 * (p1 - p0) / p0, 100.0 * (g1 / p0 - p1 * g0 / p0**2)
    made = result.covariance(cov)
    if method == "delta":
        numbers = np.array([p1 - p0, percent])
        errors = delta_errors(np.vstack([g1 - g0, percent_gradient]), made.vcov)
        ends = inference(numbers, errors, result.df, level)
        low, high = ends["ci_low"], ends["ci_high"]
    else:
        betas = _draws(result, cov, draws, seed)
        s0, s1 = (_simulated_at(result, one, n, betas, place) for one in moved)
        simulated = np.vstack([s1 - s0, 100.0 * (s1 - s0) / s0])
        errors = simulated.std(axis=1, ddof=1)
        low, high = np.quantile(simulated, [0.5 - level / 2, 0.5 + level / 2], axis=1)
    return Difference(
        variable, float(start), float(end), p0, p1, p1 - p0,
        float(errors[0]), float(low[0]), float(high[0]),
        percent, float(errors[1]), float(low[1]), float(high[1]),
        made.name, at, method, n,
    )  # fmt: skip
