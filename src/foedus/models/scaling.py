"""The linear change of columns in which all fitting is done, and the check for collinearity.

A design with ``t``, ``t^2`` and ``t^3``, or with calendar years, has cross-products that lose
most of their digits. Columns centred and scaled do not, and because the centring is linear
(Z = X A, with the constant column carrying the shift), coefficients and covariances go back
exactly: b = A b_z and V = A V_z A'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray, product_blocks

COLLINEAR = 1e-11
"""Share of a column's variance left by the columns before it, under which it is collinear."""

MILD = 30.0
"""Mean in standard deviations up to which centring costs cross-products at most 3 digits of 16."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """Z = (X - shift) / scale, which is X A; without a constant column shift is 0, A diagonal."""

    shift: FloatArray
    inverse_scale: FloatArray
    constant: int | None
    constant_value: float
    correlation: FloatArray

    @property
    def mild(self) -> bool:
        """Whether cross-products of the user's columns keep their digits through centring."""
        return bool((np.abs(self.shift) * self.inverse_scale).max(initial=0.0) < MILD)

    def block(self, X: FloatArray) -> FloatArray:
        """Return the scaled copy of a block of rows."""
        Z: FloatArray = X - self.shift
        Z *= self.inverse_scale
        return Z

    def matrix(self) -> FloatArray:
        """Return A, the matrix of Z = X A."""
        A = np.diag(self.inverse_scale)
        if self.constant is not None:
            c = self.constant
            A[c, :] = -self.shift * self.inverse_scale / self.constant_value
            A[c, c] = 1.0 / self.constant_value
        return A


def constant_column(X: FloatArray) -> int | None:
    """Return the first column that holds one non-zero value, or None."""
    sample = X[:: max(1, X.shape[0] // 4096)]
    for column in np.flatnonzero((sample == sample[0]).all(axis=0) & (sample[0] != 0)):
        if bool((X[:, column] == X[0, column]).all()):
            return int(column)
    return None


def scale_columns(X: FloatArray) -> Scaling:
    """Find centre and scale of every column, and their correlations, in one pass.

    Parameters
    ----------
    X : float array, rows by columns
        The design matrix; it is read, never changed.

    Returns
    -------
    Scaling
        The change of columns, with the correlation matrix of the scaled ones.
    """
    constant = constant_column(X)
    return _scaled(X, constant)


def scale_columns_quickly(X: FloatArray, every: int) -> Scaling:
    """Return a scaling learnt on each `every`-th row, on all rows where that is in doubt.

    Columns that are not collinear in some of the rows are not in all of them, and any shift and
    scale near the true ones serve numerics as well. So a large matrix is read as a whole only if
    its subsample has a constant or collinear column.
    """
    constant = constant_column(X)
    # in the order of columns, as they lie: strided rows cost a line of memory each
    quick = _scaled(np.ascontiguousarray(X.T[:, ::every]).T, constant)
    if collinear_columns(quick.correlation):
        return _scaled(X, constant)
    return quick


def _scaled(X: FloatArray, constant: int | None) -> Scaling:
    n, k = X.shape
    shift = np.zeros(k) if constant is None else X.mean(axis=0)
    if constant is not None:
        shift[constant] = 0.0
    moments = np.zeros((k, k))
    for rows in product_blocks(n, k):
        part = X[rows] - shift
        moments += part.T @ part
    moments /= n
    scale = np.sqrt(np.diag(moments))
    scale[scale <= 1e-13 * np.abs(shift)] = 0.0
    inverse = np.divide(1.0, scale, out=np.zeros(k), where=scale > 0)
    value = 1.0 if constant is None else float(X[0, constant])
    correlation = moments * inverse[:, None] * inverse[None, :]
    return Scaling(shift, inverse, constant, value, correlation)


def collinear_columns(correlation: FloatArray) -> list[tuple[int, list[int]]]:
    """Find columns that are linear functions of the ones before them.

    Parameters
    ----------
    correlation : float array
        Cross-products of scaled columns (unit diagonal, or zero for a column of zeros).

    Returns
    -------
    list of (int, list of int)
        Each collinear column with the earlier columns that make it up; empty if there is none.
    """
    kept: list[int] = []
    found: list[tuple[int, list[int]]] = []
    for column in range(correlation.shape[0]):
        own = correlation[column, column]
        if own == 0.0:
            found.append((column, []))
            continue
        if kept:
            inner = correlation[np.ix_(kept, kept)]
            cross = correlation[kept, column]
            weights = np.linalg.solve(inner, cross)
            if own - cross @ weights < COLLINEAR * own:
                makers = [kept[i] for i in np.flatnonzero(np.abs(weights) > 1e-6)]
                found.append((column, makers))
                continue
        kept.append(column)
    return found


def describe_collinear(found: list[tuple[int, list[int]]], names: Sequence[str]) -> str:
    """Say in words which terms are collinear, with what."""
    said = []
    for column, makers in found:
        if makers:
            said.append(f"{names[column]} (made up by {', '.join(names[m] for m in makers)})")
        else:
            said.append(f"{names[column]} (never varies in the rows used)")
    return "; ".join(said)


def refuse_collinear(found: list[tuple[int, list[int]]], names: Sequence[str]) -> None:
    """Raise an EstimationError that names the collinear terms, if there are any."""
    if found:
        raise EstimationError(
            f"collinear terms: {describe_collinear(found, names)}. Leave them out of the formula, "
            'or say collinear="drop" to have them left out and named.'
        )
