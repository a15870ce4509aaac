"""Newton's method for single-index models, in blocks of rows and on scaled columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray, blocks
from foedus.models.families import Family
from foedus.models.scaling import Scaling
from foedus.models.separation import SeparationError, name_some, separating_terms

STEP_DONE = 1e-6
"""Newton converges quadratically: after a step this small (in standard deviations of the
columns) the remaining error is of the order of its square, about 1e-12."""

SUBSAMPLE_FROM = 400_000
SUBSAMPLE_EVERY = 8


@dataclass(frozen=True, slots=True)
class Problem:
    """The data of one fit: outcome, matrix, prior weights, offset and names."""

    y: FloatArray
    X: FloatArray
    names: Sequence[str]
    scaling: Scaling
    weights: FloatArray | None = None
    offset: FloatArray | None = None

    def thinned(self, every: int) -> Problem:
        """Return the problem on each `every`-th row (views, no copies)."""
        return Problem(
            self.y[::every],
            self.X[::every],
            self.names,
            self.scaling,
            None if self.weights is None else self.weights[::every],
            None if self.offset is None else self.offset[::every],
        )


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where Newton's method stopped: coefficients of the scaled columns, and what it took."""

    beta: FloatArray
    loglik: float
    iterations: int


def _pass(
    family: Family, problem: Problem, beta: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Return log-likelihood, gradient and observed information at beta, in one pass over rows."""
    k = beta.size
    loglik, gradient, information = 0.0, np.zeros(k), np.zeros((k, k))
    for rows in blocks(problem.y.size, k):
        Z = problem.scaling.block(problem.X[rows])
        eta = Z @ beta
        if problem.offset is not None:
            eta += problem.offset[rows]
        ll, u, h = family.parts(problem.y[rows], eta)
        if problem.weights is not None:
            w = problem.weights[rows]
            ll, u, h = ll * w, u * w, h * w
        loglik += float(ll.sum())
        gradient += u @ Z
        # the square of one matrix takes half the work of a product of two; h is never negative
        Z *= np.sqrt(np.maximum(h, 0.0))[:, None]
        information += Z.T @ Z
    return loglik, gradient, information


def _start(family: Family, problem: Problem) -> FloatArray:
    """Return starting values: the outcome's mean in the constant, nothing elsewhere."""
    beta = np.zeros(problem.X.shape[1])
    if problem.scaling.constant is not None:
        mean = float(np.average(problem.y, weights=problem.weights))
        level = family.start(mean) if not family.binary or 0.0 < mean < 1.0 else 0.0
        if problem.offset is not None and np.isfinite(level):
            level -= float(problem.offset.mean())
        beta[problem.scaling.constant] = level
    return beta


def _newton_step(information: FloatArray, gradient: FloatArray) -> FloatArray | None:
    """Solve for the step, or None where the information is not positive definite."""
    try:
        factor = linalg.cho_factor(information, check_finite=True)
    except (linalg.LinAlgError, ValueError):
        return None
    step: FloatArray = linalg.cho_solve(factor, gradient)
    return step if np.isfinite(step).all() else None


def maximise(
    family: Family, problem: Problem, start: FloatArray | None = None, most: int = 60
) -> Optimum:
    """Find the maximum of the log-likelihood.

    Parameters
    ----------
    family : Family
        The model.
    problem : Problem
        The data, already checked for collinear columns.
    start : float array, optional
        Starting values on the scaled columns.
    most : int
        Iterations after which the model counts as not converging.

    Returns
    -------
    Optimum
        Coefficients of the scaled columns.

    Raises
    ------
    EstimationError
        If the outcome is separated by some of the terms (which are named), or the method does
        not converge.
    """
    if start is None and problem.y.size >= SUBSAMPLE_FROM:
        start = _start_from_subsample(family, problem)
    beta = _start(family, problem) if start is None else start.copy()
    loglik, gradient, information = _finite_start(family, problem, beta)
    before, step = np.inf, np.zeros_like(beta)
    for iteration in range(1, most + 1):
        found = _newton_step(information, gradient)
        if found is None:
            # the step before last is the direction in which the information vanished
            raise _refusal(family, problem, step, iteration)
        step = found
        size = float(np.abs(step).max())
        if size > 0.3 * before and iteration > 6:
            _refuse_separation(family, problem, step)
        beta, loglik, gradient, information = _advance(family, problem, beta, step, loglik)
        if size < STEP_DONE:
            return Optimum(beta, loglik, iteration)
        before = size
    raise _refusal(family, problem, step, most)


def _finite_start(
    family: Family, problem: Problem, beta: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    state = _pass(family, problem, beta)
    if not np.isfinite(state[0]):
        raise EstimationError(
            f"{family.name}: the log-likelihood is not finite at the starting values; "
            "look for extreme values among the terms."
        )
    return state


def _advance(
    family: Family, problem: Problem, beta: FloatArray, step: FloatArray, loglik: float
) -> tuple[FloatArray, float, FloatArray, FloatArray]:
    """Take the step, halved until the log-likelihood does not fall."""
    slack = 1e-10 * (abs(loglik) + 1.0)
    factor = 1.0
    for _ in range(30):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            state = _pass(family, problem, beta + factor * step)
        if np.isfinite(state[0]) and state[0] >= loglik - slack:
            return beta + factor * step, *state
        factor *= 0.5
    raise EstimationError(
        f"{family.name} did not converge: no step raises the log-likelihood from {loglik:.6f}."
    )


def _start_from_subsample(family: Family, problem: Problem) -> FloatArray | None:
    """Start a large problem from the estimate on every eighth row: most steps then cost an eighth.

    A subsample that can't be estimated (separated, say) is no verdict on the whole: start afresh.
    """
    thin = problem.thinned(SUBSAMPLE_EVERY)
    try:
        return maximise(family, thin, start=_start(family, problem), most=25).beta
    except EstimationError:
        return None


def _refuse_separation(family: Family, problem: Problem, direction: FloatArray) -> None:
    """Raise if the direction of the diverging step proves that the outcome is separated."""
    if not family.binary:
        return
    terms, rows = separating_terms(problem.y, problem.X, problem.scaling, direction)
    if terms:
        names = [problem.names[t] for t in terms]
        raise SeparationError(
            f"{family.name}: the outcome is perfectly predicted (separated) by "
            f"{name_some(names)}: the log-likelihood has no maximum. Leave the term out, merge its "
            'categories, or say separation="drop" to leave out the rows it decides.',
            names,
            rows,
        )


def _refusal(
    family: Family, problem: Problem, direction: FloatArray, iterations: int
) -> EstimationError:
    _refuse_separation(family, problem, direction)
    return EstimationError(
        f"{family.name} did not converge in {iterations} iterations; no estimate is given. "
        "Look for terms of very different scale, sparse categories or too few events."
    )
