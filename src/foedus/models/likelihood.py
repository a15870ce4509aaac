"""Maximum likelihood for any model whose rows give a log-likelihood and a score.

For models with one index `foedus.models.newton` is faster; this is for all others (several
equations, ancillary parameters). An estimator writes one function of the parameters that returns
log-likelihood and score by row (or by group of rows); Hessians are differences of the summed
score unless the estimator has its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray

RowsFunction = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""Parameters to log-likelihoods (rows) and scores (rows by parameters), prior weights included."""

HessianFunction = Callable[[FloatArray], FloatArray]

DECREMENT = 1e-13
"""Newton stops when half the squared step, measured by the information, promises a relative gain
of the log-likelihood below this: the estimate is then some 1e-7 standard errors from the top."""


@dataclass(frozen=True, slots=True)
class Maximum:
    """The top of a log-likelihood.

    Attributes
    ----------
    params : float array
    loglik : float
    scores : float array
        By row (or group) and parameter, at the top.
    information : float array
        Minus the Hessian at the top.
    iterations : int
    """

    params: FloatArray
    loglik: float
    scores: FloatArray
    information: FloatArray
    iterations: int


def numerical_hessian(rows: RowsFunction, params: FloatArray) -> FloatArray:
    """Return the Hessian by central differences of the summed score."""
    k = params.size
    out = np.empty((k, k))
    # the cube root of the rounding error balances it against the differences' own
    steps = 6e-6 * np.maximum(np.abs(params), 0.1)
    for j in range(k):
        up, down = params.copy(), params.copy()
        up[j] += steps[j]
        down[j] -= steps[j]
        gap = rows(up)[1].sum(axis=0) - rows(down)[1].sum(axis=0)
        out[j] = gap / (up[j] - down[j])
    return 0.5 * (out + out.T)


def maximise_rows(
    rows: RowsFunction,
    start: FloatArray,
    *,
    name: str,
    hessian: HessianFunction | None = None,
    most: int = 200,
    longest: float = 5.0,
) -> Maximum:
    """Find the maximum of a summed log-likelihood by Newton's method with halved steps.

    Where minus the Hessian is not positive definite, its negative eigenvalues are turned
    positive, so that every step goes up.

    Parameters
    ----------
    rows : callable
        See RowsFunction.
    start : float array
        Starting values.
    name : str
        The estimator, for messages.
    hessian : callable, optional
        Second derivatives of the summed log-likelihood; differences of the score for None.
    most : int
        Iterations after which the model counts as not converging.
    longest : float
        The largest change of any one parameter in a step.

    Returns
    -------
    Maximum
        The estimate and what covariances need.

    Raises
    ------
    EstimationError
        If there is no convergence, or the information is not positive definite at the end.
    """
    second = hessian or (lambda params: numerical_hessian(rows, params))
    params = np.asarray(start, dtype=np.float64).copy()
    with np.errstate(all="ignore"):
        loglik, gradient = _summed(rows, params)
        if not np.isfinite(loglik):
            raise EstimationError(
                f"{name}: the log-likelihood is not finite at the starting values; look for "
                "extreme values among the terms."
            )
        for iteration in range(1, most + 1):
            information = -second(params)
            step = _upward(information, gradient, name)
            step *= min(1.0, longest / max(float(np.abs(step).max()), 1e-300))
            gain = float(step @ gradient)
            if gain < DECREMENT * (abs(loglik) + 1.0):
                return _finished(rows, params, second, iteration, name)
            params, loglik, gradient = _advanced(rows, params, step, loglik, name)
    raise EstimationError(
        f"{name} did not converge in {most} iterations; no estimate is given. Look for terms of "
        "very different scale, sparse categories or too few events."
    )


def _summed(rows: RowsFunction, params: FloatArray) -> tuple[float, FloatArray]:
    logliks, scores = rows(params)
    return float(logliks.sum()), np.asarray(scores.sum(axis=0))


def _upward(information: FloatArray, gradient: FloatArray, name: str) -> FloatArray:
    """Return the Newton step, or one along eigenvalues made positive."""
    if not np.isfinite(information).all():
        raise EstimationError(f"{name}: second derivatives are not finite; no estimate is given.")
    try:
        step: FloatArray = linalg.cho_solve(linalg.cho_factor(information), gradient)
        return step
    except linalg.LinAlgError:
        values, vectors = np.linalg.eigh(information)
        floor = 1e-8 * max(float(np.abs(values).max()), 1e-8)
        out: FloatArray = vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), floor))
        return out


def _advanced(
    rows: RowsFunction, params: FloatArray, step: FloatArray, loglik: float, name: str
) -> tuple[FloatArray, float, FloatArray]:
    slack = 1e-12 * (abs(loglik) + 1.0)
    for halvings in range(40):
        moved = params + step * 0.5**halvings
        new, gradient = _summed(rows, moved)
        if np.isfinite(new) and np.isfinite(gradient).all() and new >= loglik - slack:
            return moved, new, gradient
    raise EstimationError(
        f"{name} did not converge: no step raises the log-likelihood from {loglik:.6f}."
    )


def _finished(
    rows: RowsFunction, params: FloatArray, second: HessianFunction, iterations: int, name: str
) -> Maximum:
    logliks, scores = rows(params)
    information = -second(params)
    values = np.linalg.eigvalsh(information / _scale(information))
    if values.min() <= 1e-12 * values.max():
        raise EstimationError(
            f"{name}: the log-likelihood is flat at the estimate, so its parameters can't be told "
            "apart in these rows. Leave terms out, or use a simpler model."
        )
    return Maximum(params, float(logliks.sum()), scores, information, iterations)


def _scale(information: FloatArray) -> FloatArray:
    root = np.sqrt(np.maximum(np.diag(information), 1e-300))
    out: FloatArray = np.outer(root, root)
    return out
