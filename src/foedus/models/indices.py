"""Likelihoods of several linear indices a row, maximised by Newton's method.

Row i contributes l(eta_i1, ..., eta_iq); index j is X_j b_j, or a single parameter (a log scale,
a correlation) where X_j is one column of ones. A model gives l with its first and second
derivatives in the indices; scores by row and the Hessian follow, and with them every covariance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray
from foedus.models.scaling import Scaling, collinear_columns, refuse_collinear, scale_columns

Derivatives = tuple[FloatArray, FloatArray, FloatArray]
RowLikelihood = Callable[[FloatArray], Derivatives]
"""From the indices (rows by q) to l (rows), dl (rows by q) and d2l (rows by q by q)."""

STEPS = 200
DONE = 1e-16
"""Newton decrement relative to the rows, under which the maximum is reached."""


@dataclass(frozen=True, slots=True)
class Index:
    """One linear index: its columns, their names, an optional offset."""

    X: FloatArray
    names: tuple[str, ...]
    offset: FloatArray | None = None


def single(name: str, n: int) -> Index:
    """Return the index of one parameter that is the same in all rows."""
    return Index(np.ones((n, 1)), (name,))


@dataclass(frozen=True, slots=True)
class IndexFit:
    """A maximum, on the user's columns.

    Attributes
    ----------
    names : tuple of str
        All coefficients in order of the indices.
    coef, bread : float array
        Estimates and the inverse of the observed information.
    scores : float array
        Scores by row (weighted), which sum to 0.
    loglik : float
        At the maximum.
    loglik_rows : float array
        By row, unweighted.
    starts : tuple of int
        Where each index's coefficients begin.
    """

    names: tuple[str, ...]
    coef: FloatArray
    bread: FloatArray
    scores: FloatArray
    loglik: float
    loglik_rows: FloatArray
    iterations: int
    starts: tuple[int, ...]

    def part(self, index: int) -> slice:
        """Return the places of one index's coefficients."""
        ends = (*self.starts[1:], self.coef.size)
        return slice(self.starts[index], ends[index])


class _Scaled:
    """The indices on scaled columns."""

    def __init__(self, indices: Sequence[Index], weights: FloatArray | None) -> None:
        self.indices = indices
        self.weights = weights
        self.scalings: list[Scaling] = []
        self.Z: list[FloatArray] = []
        for index in indices:
            scaling = scale_columns(index.X)
            refuse_collinear(collinear_columns(scaling.correlation), index.names)
            self.scalings.append(scaling)
            self.Z.append(scaling.block(index.X))
        self.ends = np.cumsum([Z.shape[1] for Z in self.Z])
        self.starts = np.concatenate([[0], self.ends[:-1]])

    def etas(self, beta: FloatArray) -> FloatArray:
        eta = np.column_stack(
            [Z @ beta[s:e] for Z, s, e in zip(self.Z, self.starts, self.ends, strict=True)]
        )
        for j, index in enumerate(self.indices):
            if index.offset is not None:
                eta[:, j] += index.offset
        return eta

    def weigh(self, values: FloatArray) -> FloatArray:
        if self.weights is None:
            return values
        shape = (-1,) + (1,) * (values.ndim - 1)
        return values * self.weights.reshape(shape)

    def scores(self, first: FloatArray) -> FloatArray:
        return np.hstack([Z * first[:, [j]] for j, Z in enumerate(self.Z)])

    def gradient(self, first: FloatArray) -> FloatArray:
        return np.concatenate([first[:, j] @ Z for j, Z in enumerate(self.Z)])

    def hessian(self, second: FloatArray) -> FloatArray:
        out = np.empty((int(self.ends[-1]), int(self.ends[-1])))
        for i, left in enumerate(self.Z):
            rows = slice(self.starts[i], self.ends[i])
            for j in range(i, len(self.Z)):
                columns = slice(self.starts[j], self.ends[j])
                block = (left * second[:, i, j][:, None]).T @ self.Z[j]
                out[rows, columns] = block
                out[columns, rows] = block.T
        return out

    def back(self) -> FloatArray:
        return linalg.block_diag(*[scaling.matrix() for scaling in self.scalings])


def maximise_indices(
    likelihood: RowLikelihood,
    indices: Sequence[Index],
    start: FloatArray,
    *,
    weights: FloatArray | None = None,
    what: str = "the model",
) -> IndexFit:
    """Maximise a likelihood of several indices.

    Parameters
    ----------
    likelihood : callable
        l and its derivatives in the indices, by row.
    indices : sequence of Index
        The columns of each.
    start : float array
        Starting values of all coefficients, on the user's columns.
    weights : float array, optional
        Positive prior weights.
    what : str
        The model's name, for messages.

    Returns
    -------
    IndexFit
        The maximum and what covariances are made from.

    Raises
    ------
    EstimationError
        Collinear columns, no convergence, or a likelihood that is flat in some direction; the
        terms are named.
    """
    names = tuple(name for index in indices for name in index.names)
    scaled = _Scaled(indices, weights)
    back = scaled.back()
    beta = linalg.solve(back, np.asarray(start, dtype=np.float64))
    total = float(scaled.Z[0].shape[0]) if weights is None else float(weights.sum())
    rows, first, second = likelihood(scaled.etas(beta))
    value = float(scaled.weigh(rows).sum())
    if not np.isfinite(value):
        raise EstimationError(f"{what}: the likelihood does not exist at the starting values.")
    for turn in range(1, STEPS + 1):
        steps = turn
        gradient = scaled.gradient(scaled.weigh(first))
        information = -scaled.hessian(scaled.weigh(second))
        step = _newton_step(information, gradient)
        decrement = float(gradient @ step)
        if decrement < DONE * total:
            break
        beta, value, (rows, first, second) = _search(
            likelihood, scaled, beta, step, value, decrement, what
        )
    else:
        raise EstimationError(f"{what}: no convergence in {STEPS} steps.")
    bread = _inverse(information, names, what)
    # one last step costs nothing and squares what error is left
    beta = beta + bread @ gradient
    rows, first, second = likelihood(scaled.etas(beta))
    information = -scaled.hessian(scaled.weigh(second))
    bread = back @ _inverse(information, names, what) @ back.T
    scores = scaled.scores(scaled.weigh(first)) @ linalg.inv(back)
    return IndexFit(
        names,
        back @ beta,
        0.5 * (bread + bread.T),
        scores,
        float(scaled.weigh(rows).sum()),
        rows,
        steps,
        tuple(int(s) for s in scaled.starts),
    )


def _newton_step(information: FloatArray, gradient: FloatArray) -> FloatArray:
    """Return the Newton step, with negative curvature turned round and flat directions held."""
    values, vectors = linalg.eigh(information)
    least = 1e-10 * max(float(np.abs(values).max()), 1e-300)
    bent = np.maximum(np.abs(values), least)
    out: FloatArray = vectors @ ((vectors.T @ gradient) / bent)
    return out


def _search(
    likelihood: RowLikelihood,
    scaled: _Scaled,
    beta: FloatArray,
    step: FloatArray,
    value: float,
    decrement: float,
    what: str,
) -> tuple[FloatArray, float, Derivatives]:
    """Shorten the step until the likelihood rises by enough."""
    size = 1.0
    slack = 1e-13 * abs(value)
    for _ in range(60):
        trial = beta + size * step
        with np.errstate(all="ignore"):
            parts = likelihood(scaled.etas(trial))
        new = float(scaled.weigh(parts[0]).sum())
        whole = all(bool(np.isfinite(part).all()) for part in parts)
        if whole and new >= value + 1e-4 * size * decrement - slack:
            return trial, new, parts
        size *= 0.5
    raise EstimationError(f"{what}: the likelihood can't be improved before it is at its maximum.")


def _inverse(information: FloatArray, names: Sequence[str], what: str) -> FloatArray:
    """Invert the information, or name the terms in whose direction the likelihood is flat."""
    root = np.sqrt(np.abs(np.diag(information)))
    if bool((root > 0).all()):
        scaled = information / np.outer(root, root)
        values, vectors = linalg.eigh(scaled)
        if values[0] > 1e-10:
            out: FloatArray = linalg.inv(scaled) / np.outer(root, root)
            return out
        weak = np.flatnonzero(np.abs(vectors[:, 0]) > 0.1)
    else:
        weak = np.flatnonzero(root <= 0)
    said = ", ".join(names[j] for j in weak.tolist())
    raise EstimationError(
        f"{what}: the likelihood is flat in the direction of {said}; these can't be told apart "
        "from the data. Leave terms out."
    )
