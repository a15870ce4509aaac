"""Newton's method for single-index models, in blocks of rows and on scaled columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray, IntArray, product_blocks
from foedus.models.families import ETA_MOST, Family, score_of
from foedus.models.scaling import Scaling
from foedus.models.separation import SeparationError, name_some, separating_terms

if TYPE_CHECKING:
    from foedus.models.passes import Rows

STEP_DONE = 1e-6
"""Newton converges quadratically: after a step this small (in standard deviations of the
columns) the remaining error is of the order of its square, about 1e-12."""

STEP_START = 1e-2
"""A subsample's estimate needs no more digits than this step leaves right."""

STEP_FINAL = 1e-9
"""A step this small is taken without another pass over the rows: what the last pass left is then
that good."""

STEP_CHORD = 5e-3
"""A step this small is followed by some with the same information, which need no more than the
gradient: with errors e before and c e^2 after it, each makes what is left smaller by 2 c e."""

CHORDS = 4
STEP_SURE = 1e-12
"""What may be left where no pass over the rows follows that would show it."""

STEP_GUIDED = 0.5
"""Largest first step of a large problem that its subsample's information may be trusted with."""

LARGE = 150_000
"""Rows from which a fit starts from a subsample, and scaling is learnt on one."""

COMPILED = ("logit", "probit")
"""Models with compiled passes (`foedus.models.passes`)."""

COMPILED_ROWS = 60_000
"""Rows from which a fit has compiled passes: a study fits dozens of models of about that size, and
what these save is more than the time that the passes take to load, once."""

ALIKE = 2.0
"""Squared distance, in a subsample's standard errors and by coefficient, that says nothing."""

THIN = 8
CONTROLS = 20
"""A rare outcome's subsample is all of its events and this many other rows for each."""


@dataclass(frozen=True, slots=True)
class Problem:
    """The data of one fit: outcome, matrix, prior weights, offset and names.

    ``compiled`` says whether passes over the rows are compiled, for the models that have such
    passes: they take a third of a second to load, so that is for larger fits, and then for their
    subsamples too.
    """

    y: FloatArray
    X: FloatArray
    names: Sequence[str]
    scaling: Scaling
    weights: FloatArray | None = None
    offset: FloatArray | None = None
    compiled: bool = False

    def taken(self, rows: slice | IntArray) -> Problem:
        """Return the problem on some of its rows."""
        # column by column in memory, as the whole is
        X = np.ascontiguousarray(self.X.T[:, rows]).T if self.compiled else self.X[rows]
        return Problem(
            self.y[rows],
            X,
            self.names,
            self.scaling,
            None if self.weights is None else self.weights[rows],
            None if self.offset is None else self.offset[rows],
            self.compiled,
        )

    def rows_for(self, family: Family) -> Rows | None:
        """Return the rows as a model's compiled passes take them; None for the plain ones."""
        if not self.compiled or family.name not in COMPILED:
            return None
        from foedus.models.passes import KINDS, Rows

        kind = KINDS[family.name]
        return Rows(kind, self.X, self.y, self.scaling, self.weights, self.offset)


@dataclass(frozen=True, slots=True)
class RowParts:
    """Score and information by row, prior weights included: what a pass leaves behind."""

    score: FloatArray
    information: FloatArray


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where Newton's method stopped, and what it took.

    ``beta`` are coefficients of the scaled columns. ``rows`` and ``information`` are those of the
    last pass, which was at the top or less than STEP_FINAL away from it; ``rows`` is None where
    they were not asked for.
    """

    beta: FloatArray
    loglik: float
    iterations: int
    rows: RowParts | None
    information: FloatArray


Factor = tuple[FloatArray, bool]
State = tuple[float, FloatArray, FloatArray]
"""Log-likelihood, gradient and observed information."""


def sums_at(
    family: Family, problem: Problem, beta: FloatArray, keep: RowParts | None = None
) -> State:
    """Return log-likelihood, gradient and observed information at beta, in one pass over rows.

    Blocks are summed in their order, whatever the number of threads. Where centring changes
    little, cross-products are made of the user's columns and turned into those of the scaled ones
    afterwards, which saves a copy of every block.
    """
    compiled = problem.rows_for(family)
    if compiled is not None:
        from foedus.models.passes import sums_of

        if keep is None:
            return sums_of(compiled, beta)
        return sums_of(compiled, beta, score=keep.score, observed=keep.information)
    k = beta.size
    scaling = problem.scaling
    turned = scaling.mild
    A = scaling.matrix()
    own = A @ beta if turned else beta
    loglik, gradient, information = 0.0, np.zeros(k), np.zeros((k, k))
    for rows in product_blocks(problem.y.size, k):
        Z = problem.X[rows] if turned else scaling.block(problem.X[rows])
        eta = Z @ own
        if problem.offset is not None:
            eta += problem.offset[rows]
        ll, u, h = family.parts(problem.y[rows], eta)
        if problem.weights is not None:
            w = problem.weights[rows]
            ll, u, h = ll * w, u * w, h * w
        if keep is not None:
            keep.score[rows] = u
            keep.information[rows] = h
        loglik += float(ll.sum())
        gradient += u @ Z
        information += weighted_square(Z, h)
    if turned:
        gradient, information = A.T @ gradient, A.T @ information @ A
    return loglik, gradient, information


def gradient_at(family: Family, problem: Problem, beta: FloatArray) -> FloatArray:
    """Return the gradient at beta: a third of what `sums_at` costs."""
    compiled = problem.rows_for(family)
    if compiled is not None:
        from foedus.models.passes import gradient_of

        return gradient_of(compiled, beta)
    scaling = problem.scaling
    turned = scaling.mild
    A = scaling.matrix()
    own = A @ beta if turned else beta
    gradient = np.zeros(beta.size)
    for rows in product_blocks(problem.y.size, beta.size):
        Z = problem.X[rows] if turned else scaling.block(problem.X[rows])
        eta = Z @ own
        if problem.offset is not None:
            eta += problem.offset[rows]
        u = score_of(family, problem.y[rows], eta)
        if problem.weights is not None:
            u = u * problem.weights[rows]
        gradient += u @ Z
    return A.T @ gradient if turned else gradient


def weighted_square(Z: FloatArray, weight: FloatArray) -> FloatArray:
    """Return Z' diag(weight) Z; weights are never negative.

    The square of one matrix takes half the work of a product of two.
    """
    W = Z.T * np.sqrt(np.maximum(weight, 0.0))
    out: FloatArray = W @ W.T
    return out


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


def _factor(information: FloatArray) -> Factor | None:
    """Return the information's factor, or None where it is not positive definite."""
    try:
        factor: Factor = linalg.cho_factor(information, check_finite=True)
    except (linalg.LinAlgError, ValueError):
        return None
    return factor


def _solved(factor: Factor | None, gradient: FloatArray) -> FloatArray | None:
    """Return the step that a gradient asks for, or None where there is none."""
    if factor is None:
        return None
    step: FloatArray = linalg.cho_solve(factor, gradient)
    return step if np.isfinite(step).all() else None


def maximise(
    family: Family,
    problem: Problem,
    start: FloatArray | None = None,
    most: int = 60,
    done: float = STEP_DONE,
    near: FloatArray | None = None,
    last_pass: bool = True,
) -> Optimum:
    """Find the maximum of the log-likelihood.

    Parameters
    ----------
    family : Family
        The model.
    problem : Problem
        The data, already checked for collinear columns.
    start : float array, optional
        Starting values on the scaled columns; taken as they are.
    near : float array, optional
        Starting values on the scaled columns that may be bad: used where they are better than the
        usual ones, from which a large problem still goes through its subsample.
    most : int
        Iterations after which the model counts as not converging.
    done : float
        The step after which the method stops.
    last_pass : bool
        Whether rows, information and log-likelihood at the top are needed. Without, a method that
        has arrived by a step alone leaves them as they were one pass before.

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
    if near is not None and start is None:
        near = _better_start(family, problem, near)
    n = problem.y.size
    keep = RowParts(np.empty(n), np.empty(n)) if last_pass else None
    beta, state = _beginning(family, problem, start, near, keep)
    before, step = np.inf, np.zeros_like(beta)
    for iteration in range(1, most + 1):
        loglik, gradient, information = state
        factor = _factor(information)
        found = _solved(factor, gradient)
        if found is None:
            # the step before last is the direction in which the information vanished
            raise _refusal(family, problem, step, iteration)
        step = found
        size = float(np.abs(step).max())
        if size < STEP_FINAL:
            gain = 0.5 * float(step @ gradient)
            return Optimum(beta + step, loglik + gain, iteration, keep, information)
        if size > 0.3 * before and iteration > 6:
            _refuse_separation(family, problem, step)
        moved = None
        if done <= size < STEP_CHORD and done == STEP_DONE:
            enough = STEP_FINAL / 10 if last_pass else STEP_SURE
            there, left = _by_chords(family, problem, beta, step, factor, enough)
            if left < STEP_SURE and not last_pass:
                return Optimum(there, loglik, iteration, keep, information)
            moved = _risen(family, problem, there, loglik, keep)
        beta, state = moved or _advance(family, problem, beta, step, loglik, keep)
        if size < done:
            return Optimum(beta, state[0], iteration, keep, state[2])
        before = size
    raise _refusal(family, problem, step, most)


def _beginning(
    family: Family,
    problem: Problem,
    start: FloatArray | None,
    near: FloatArray | None,
    keep: RowParts | None,
) -> tuple[FloatArray, State]:
    """Return where the method begins and what a pass over the rows gives there."""
    n = problem.y.size
    beta = start if start is not None else near
    if start is None and n >= LARGE and family.name != "ols":  # whose first step is its last
        beta = _start_from_subsample(family, problem, near)
        beta = near if beta is None else beta
    if beta is not None:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            state = sums_at(family, problem, beta, keep)
        if np.isfinite(state[0]):
            return beta.copy(), state
    beta = _start(family, problem)
    return beta, _finite_start(family, problem, beta, keep)


def _by_chords(
    family: Family,
    problem: Problem,
    beta: FloatArray,
    step: FloatArray,
    factor: Factor | None,
    enough: float,
) -> tuple[FloatArray, float]:
    """Take a step and some more with the same information; return what error is left, about."""
    there, left, rate = beta + step, np.inf, 0.0
    for _ in range(CHORDS):
        more = _solved(factor, gradient_at(family, problem, there))
        if more is None:
            break
        there = there + more
        size = float(np.abs(more).max())
        rate = rate or 2.0 * size / float(np.abs(step).max())
        left = size * rate
        if left < enough or rate > 0.1:
            break
    return there, left


def _risen(
    family: Family, problem: Problem, beta: FloatArray, loglik: float, keep: RowParts | None
) -> tuple[FloatArray, State] | None:
    """Return a place and what a pass gives there, None if the log-likelihood is less there."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        state = sums_at(family, problem, beta, keep)
    slack = 1e-10 * (abs(loglik) + 1.0)
    return (beta, state) if np.isfinite(state[0]) and state[0] >= loglik - slack else None


def _finite_start(
    family: Family, problem: Problem, beta: FloatArray, keep: RowParts | None
) -> State:
    state = sums_at(family, problem, beta, keep)
    if not np.isfinite(state[0]):
        raise EstimationError(
            f"{family.name}: the log-likelihood is not finite at the starting values; "
            "look for extreme values among the terms."
        )
    return state


def _advance(
    family: Family,
    problem: Problem,
    beta: FloatArray,
    step: FloatArray,
    loglik: float,
    keep: RowParts | None,
) -> tuple[FloatArray, State]:
    """Take the step, halved until the log-likelihood does not fall."""
    slack = 1e-10 * (abs(loglik) + 1.0)
    factor = 1.0
    for _ in range(30):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            state = sums_at(family, problem, beta + factor * step, keep)
        if np.isfinite(state[0]) and state[0] >= loglik - slack:
            return beta + factor * step, state
        factor *= 0.5
    raise EstimationError(
        f"{family.name} did not converge: no step raises the log-likelihood from {loglik:.6f}."
    )


def _better_start(family: Family, problem: Problem, near: FloatArray) -> FloatArray | None:
    """Return a start if some thousand rows are likelier under it than under the usual one."""
    thin = problem.taken(slice(None, None, 1 + problem.y.size // 20_000))
    if float(np.abs(thin.scaling.block(thin.X) @ near).max()) > ETA_MOST:
        return None  # where exponentials are cut off, likelihoods can't be compared
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        own, usual = (sums_at(family, thin, beta)[0] for beta in (near, _start(family, problem)))
    return near if np.isfinite(own) and own >= usual else None


def _start_from_subsample(
    family: Family, problem: Problem, near: FloatArray | None = None
) -> FloatArray | None:
    """Start a large problem from the estimate on a subsample: most steps then cost little.

    Of a rare outcome all events are taken and a fixed share of the other rows, every m-th, which
    count m times: unlike the offset that a logit could have instead, weights lead to the same
    estimate whether or not the model is true. A subsample that can't be estimated (separated,
    say) is no verdict on the whole. One step from there is made with the gradient of all rows and
    the subsample's information; it is made from given coefficients where the subsample can't tell
    these from its own.
    """
    try:
        thin = case_control(problem) if family.binary else None
        if thin is None:
            thin = problem.taken(slice(None, None, THIN))
        start = _start(family, thin) if near is None else near
        found = maximise(family, thin, start=start, most=25, done=STEP_START, last_pass=False)
    except EstimationError:
        return None
    beta = found.beta
    if near is not None:
        apart = beta - near
        if float(apart @ found.information @ apart) < ALIKE * beta.size:
            beta = near
    information = found.information * (_rows_counted(problem) / _rows_counted(thin))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        step = _solved(_factor(information), gradient_at(family, problem, beta))
    if step is None or float(np.abs(step).max()) > STEP_GUIDED:
        return beta
    return beta + step


def _rows_counted(problem: Problem) -> float:
    """Return how many rows there are, each as often as its weight says."""
    return float(problem.y.size if problem.weights is None else problem.weights.sum())


def case_control(problem: Problem) -> Problem | None:
    """Return all events and every m-th other row, reweighted; None if events aren't rare."""
    events = np.flatnonzero(problem.y > 0.0)
    others = problem.y.size - events.size
    every = others // max(CONTROLS * events.size, 20_000)
    if every < THIN:
        return None
    some = np.arange(0, problem.y.size, every)
    controls = some[problem.y[some] == 0.0]
    rows = np.sort(np.concatenate([events, controls]))
    thin = problem.taken(rows)
    weights = np.where(thin.y > 0.0, 1.0, float(every))
    return replace(thin, weights=weights if thin.weights is None else thin.weights * weights)


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
