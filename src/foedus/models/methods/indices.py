"""Newton's method for models whose rows have several indices: zero and count, mean and spread.

Row i contributes l(y_i, eta_1i, ..., eta_qi), and each index is a matrix times some of the
parameters (plus an offset). A model gives, for a block of rows, the values of l, its first
derivatives and minus its second derivatives by index; gradient, information and the scores of
every row follow from these by the chain rule, so that one mechanism serves all covariances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray, IntArray, blocks
from foedus.models.newton import COMPILED_ROWS
from foedus.models.separation import name_some

STEP_DONE = 1e-7
"""Largest step (in standard deviations of the columns) after which the error is its square."""

SURELY = 1e-4
"""Least pivot of an information matrix, as a share of the largest, that needs no eigenvalues to be
called positive definite."""

RUNAWAY = 25.0
"""Scaled coefficients beyond this have left every place where a maximum is of use."""

SAME_STEPS = 6
"""So many steps of one size in one direction, for almost no gain, never end: Newton's step on
exp(-b), the tail of every likelihood without a maximum, is always 1."""

RowParts = tuple[FloatArray, FloatArray, FloatArray]
PartsOf = Callable[[slice, FloatArray], RowParts]
"""``parts(rows, etas)``: l (b), its gradient (q, b) and minus its Hessian (q, q, b) by index."""


@dataclass(frozen=True, slots=True)
class Index:
    """One linear index: the (scaled) matrix, the numbers of its parameters, an offset."""

    Z: FloatArray
    places: IntArray
    offset: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class RowModel:
    """A likelihood by rows, with what is needed to name what goes wrong.

    Attributes
    ----------
    name : str
        The estimator's name.
    parts : callable
        See `PartsOf`.
    indices : sequence of Index
        In the order of the first axis of `etas`.
    parameters : sequence of str
        A name for each (scaled) parameter, for messages.
    weights : float array, optional
        Prior weights: each row's log-likelihood counts this often.
    """

    name: str
    parts: PartsOf
    indices: Sequence[Index]
    parameters: Sequence[str]
    weights: FloatArray | None = None

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.indices[0].Z.shape[0])


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where the search stopped; matrices are for the scaled parameters.

    ``scores`` has a row for each row of the data and a column for each parameter; ``information``
    is the observed one.
    """

    params: FloatArray
    loglik: float
    iterations: int
    information: FloatArray
    scores: FloatArray


def constant_index(n: int, place: int) -> Index:
    """Return the index of an ancillary parameter, the same in every row."""
    return Index(np.ones((n, 1)), np.array([place], dtype=np.int64))


def _walk(model: RowModel, params: FloatArray) -> Iterator[tuple[slice, RowParts]]:
    width = sum(index.Z.shape[1] for index in model.indices)
    for rows in blocks(model.n, width):
        etas = np.stack([index.Z[rows] @ params[index.places] for index in model.indices])
        for number, index in enumerate(model.indices):
            if index.offset is not None:
                etas[number] += index.offset[rows]
        ll, d, h = model.parts(rows, etas)
        if model.weights is not None:
            w = model.weights[rows]
            ll, d, h = ll * w, d * w, h * w
        yield rows, (ll, d, h)


def evaluate(model: RowModel, params: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Return log-likelihood, gradient and observed information, in one pass over rows."""
    p, n_indices = params.size, len(model.indices)
    loglik = 0.0
    slopes = [np.zeros(one.places.size) for one in model.indices]
    # pair by pair of indices, put in their places once all rows are summed
    sums = [[np.zeros((one.places.size, other.places.size)) for other in model.indices[: a + 1]]
            for a, one in enumerate(model.indices)]  # fmt: skip
    pairs = [(a, b) for a in range(n_indices) for b in range(a + 1)]
    compiled = _of_one_matrix(model)
    for rows, (ll, d, h) in _walk(model, params):
        loglik += float(ll.sum())
        parts = [one.Z[rows] for one in model.indices]
        for a in range(n_indices):
            slopes[a] += d[a] @ parts[a]
        if compiled:
            from foedus.models.passes import squares_of

            made = squares_of(model.indices[0].Z, rows, np.stack([h[pair] for pair in pairs]))
            for (a, b), square in zip(pairs, made, strict=True):
                sums[a][b] += square
            continue
        for a, b in pairs:
            sums[a][b] += (parts[a] * h[a, b][:, None]).T @ parts[b]
    gradient, information = np.zeros(p), np.zeros((p, p))
    for a, one in enumerate(model.indices):
        gradient[one.places] += slopes[a]
        for b, other in enumerate(model.indices[: a + 1]):
            information[np.ix_(one.places, other.places)] += sums[a][b]
            if b < a:
                information[np.ix_(other.places, one.places)] += sums[a][b].T
    return loglik, gradient, information


def _of_one_matrix(model: RowModel) -> bool:
    """Whether all indices are of one matrix, of so many rows that compiled products are for it."""
    Z = model.indices[0].Z
    alike = all(index.Z is Z for index in model.indices)
    return alike and model.n >= COMPILED_ROWS and Z.T.flags.c_contiguous and Z.flags.writeable


def row_scores(model: RowModel, params: FloatArray) -> FloatArray:
    """Return the derivative of each row's log-likelihood by each parameter."""
    # column by column in memory, as the matrices are and as groups sum them
    scores = np.zeros((params.size, model.n)).T
    for rows, (_, d, _) in _walk(model, params):
        for a, index in enumerate(model.indices):
            for column, place in enumerate(index.places):
                scores[rows, place] += d[a] * index.Z[rows, column]
    return scores


def _uphill(information: FloatArray, gradient: FloatArray) -> tuple[FloatArray, bool]:
    """Return Newton's step, turned uphill where the likelihood is not concave; say if it was."""
    try:
        factor = linalg.cho_factor(information)
        pivots = np.diag(factor[0])
        if pivots.min() > SURELY * pivots.max():
            direct: FloatArray = linalg.cho_solve(factor, gradient)
            return direct, True
    except linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(information)
    top = float(np.abs(values).max())
    least = float(values.min())
    floor = 1e-13 * top
    concave = least > floor
    safe = np.maximum(np.abs(values), 1e-8 * top if not concave else floor)
    step: FloatArray = vectors @ ((vectors.T @ gradient) / safe)
    return step, concave


def maximise_rows(model: RowModel, start: FloatArray, most: int = 200) -> Maximum:
    """Find the maximum of the log-likelihood.

    Parameters
    ----------
    model : RowModel
        The likelihood.
    start : float array
        Starting values of the scaled parameters.
    most : int
        Steps after which the model counts as not converging.

    Returns
    -------
    Maximum
        Parameters, information and scores there.

    Raises
    ------
    EstimationError
        If there is no maximum near: a parameter runs away (it is named), or nothing rises.
    """
    params = start.astype(np.float64, copy=True)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        loglik, gradient, information = evaluate(model, params)
        if not np.isfinite(loglik):
            raise EstimationError(
                f"{model.name}: the log-likelihood is not finite at the starting values; look for "
                "extreme values among the terms."
            )
        before, alike = np.zeros_like(params), 0
        for iteration in range(1, most + 1):
            if not np.isfinite(information).all():
                raise _refusal(model, params, np.zeros_like(params), iteration)
            step, concave = _uphill(information, gradient)
            size = float(np.abs(step).max())
            if size > 5.0:
                step, size = step * (5.0 / size), 5.0
            moved = _advance(model, params, step, loglik, gradient)
            if moved is None:
                if concave and size < 1e-4:
                    break
                raise _refusal(model, params, step, iteration)
            gain = moved[1] - loglik
            alike = alike + 1 if gain < 1e-3 and _same(step, before) else 0
            before = step
            params, loglik, gradient, information = moved
            if alike >= SAME_STEPS:
                raise _without_end(model, step)
            if concave and size < STEP_DONE:
                break
            if float(np.abs(params).max()) > RUNAWAY and iteration > 30:
                raise _refusal(model, params, step, iteration)
        else:
            raise _refusal(model, params, step, most)
    return Maximum(params, loglik, iteration, information, row_scores(model, params))


def _advance(
    model: RowModel, params: FloatArray, step: FloatArray, loglik: float, gradient: FloatArray
) -> tuple[FloatArray, float, FloatArray, FloatArray] | None:
    """Take the step, halved until the log-likelihood does not fall; None if it always does."""
    slack = 1e-11 * (abs(loglik) + 1.0)
    rise = float(gradient @ step)
    factor = 1.0
    for _ in range(40):
        there = params + factor * step
        value, slope, information = evaluate(model, there)
        if np.isfinite(value) and value >= loglik + 1e-4 * factor * rise - slack:
            return there, value, slope, information
        factor *= 0.5
    return None


def _same(step: FloatArray, before: FloatArray) -> bool:
    """Whether a step repeats the one before it, in direction and (nearly) in size."""
    sizes = float(np.linalg.norm(step)), float(np.linalg.norm(before))
    if sizes[1] == 0.0 or sizes[0] < 1e-3:
        return False
    alignment = float(step @ before) / (sizes[0] * sizes[1])
    return alignment > 0.999 and 0.8 < sizes[0] / sizes[1] < 1.25


def _without_end(model: RowModel, step: FloatArray) -> EstimationError:
    """Return the refusal of a likelihood that rises for ever along a step."""
    shares = np.abs(step) / np.abs(step).max()
    names = [model.parameters[int(j)] for j in np.argsort(-shares) if shares[j] > 0.5]
    return EstimationError(
        f"{model.name}: the log-likelihood has no maximum: it rises, by less and less, as "
        f"{name_some(names)} grows without bound (the outcome is perfectly predicted there). Leave "
        "the term out of that equation, merge its categories, or use a simpler estimator."
    )


def _refusal(
    model: RowModel, params: FloatArray, step: FloatArray, iterations: int
) -> EstimationError:
    worst = int(np.abs(params).argmax())
    if abs(params[worst]) > RUNAWAY / 2:
        return EstimationError(
            f"{model.name} did not converge: the coefficient of {model.parameters[worst]} grows "
            "without bound, so the log-likelihood has no maximum. Leave the term out, or use a "
            "simpler estimator."
        )
    worst = int(np.abs(step).argmax())
    return EstimationError(
        f"{model.name} did not converge in {iterations} iterations (the coefficient of "
        f"{model.parameters[worst]} was still moving); no estimate is given. Look for terms of "
        "very different scale, sparse categories or too few events."
    )
