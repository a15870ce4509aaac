"""Array types and the passes over rows that every estimator shares.

Rows are walked in blocks that fit the processor's cache, so that nothing of the size of the
design matrix is ever copied: 1.5 million rows cost the matrix itself and a few vectors.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
AnyArray = npt.NDArray[np.generic]

CACHE = 1 << 17
"""Numbers (of 8 bytes) that a block of rows holds at most: 1 MB."""


UNTHREADED = 250_000
"""Multiplications under which OpenBLAS keeps a product of matrices on one thread.

Many small products on several threads mostly wait for each other, the more so the busier the
machine; and on one thread the sums are the same whatever the number of processors.
"""


def product_blocks(n: int, columns: int) -> Iterator[slice]:
    """Yield slices like `blocks`, short enough that X'X of one stays on one thread."""
    size = min(max(UNTHREADED // max(columns * columns, 1), 256), 4096)
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def blocks(n: int, columns: int = 16) -> Iterator[slice]:
    """Yield slices that cover ``range(n)`` in order, shorter for more columns."""
    size = min(max(CACHE // max(columns, 1), 256), 8192)
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def codes_of(values: npt.ArrayLike) -> tuple[IntArray, int]:
    """Return numbers 0, 1, ... for the distinct values, in sorted order.

    Parameters
    ----------
    values : array_like
        Identifiers, one a row; integers in a narrow range (state codes) take a path without a sort.

    Returns
    -------
    codes : int array
        The number of each row's value.
    n_distinct : int
        How many distinct values there are.
    """
    array = np.asarray(values)
    if array.dtype.kind == "f" and np.all(array == np.floor(array)):
        array = array.astype(np.int64)
    if array.dtype.kind in "iu" and array.size:
        low = int(array.min())
        width = int(array.max()) - low + 1
        if width <= max(4 * array.size, 1 << 20):
            shifted = array.astype(np.int64) - low
            present = np.zeros(width, dtype=bool)
            present[shifted] = True
            number = np.cumsum(present) - 1
            return number[shifted].astype(np.int64, copy=False), int(present.sum())
    distinct, inverse = np.unique(array, return_inverse=True)
    return inverse.reshape(-1).astype(np.int64, copy=False), int(distinct.size)


def pair_codes(first: IntArray, second: IntArray, n_second: int) -> tuple[IntArray, int]:
    """Return numbers for the distinct pairs of two numbered columns."""
    return codes_of(first * np.int64(n_second) + second)


def group_sums(X: FloatArray, factor: FloatArray, codes: IntArray, n_groups: int) -> FloatArray:
    """Sum ``X * factor[:, None]`` within groups: a matrix of n_groups by columns of X."""
    sums = np.empty((n_groups, X.shape[1]))
    for column in range(X.shape[1]):
        sums[:, column] = np.bincount(codes, weights=X[:, column] * factor, minlength=n_groups)
    return sums
