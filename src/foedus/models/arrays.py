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


def index_of(X: FloatArray, b: FloatArray, offset: FloatArray | None = None) -> FloatArray:
    """Return the index X b by row, with the offset where there is one."""
    eta: FloatArray = np.asarray(X @ b, dtype=np.float64)
    return eta if offset is None else eta + offset


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
    array = _whole(values)
    if array.dtype.kind in "iu" and array.size:
        low = int(array.min())
        width = int(array.max()) - low + 1
        if width <= max(4 * array.size, 1 << 20):
            shifted = array.astype(np.int64, copy=False) - low
            present = np.zeros(width, dtype=bool)
            present[shifted] = True
            number = (np.cumsum(present) - 1).astype(np.int64, copy=False)
            return number[shifted], int(present.sum())
    distinct, inverse = np.unique(array, return_inverse=True)
    return inverse.reshape(-1).astype(np.int64, copy=False), int(distinct.size)


def _whole(values: npt.ArrayLike) -> AnyArray:
    """Return whole numbers as integers, and anything else as it is."""
    array = np.asarray(values)
    if array.dtype.kind == "f" and np.all(array == np.floor(array)):
        return array.astype(np.int64)
    return array


def shared_codes(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[IntArray, IntArray, int]:
    """Return one numbering for the distinct values of two columns, in sorted order.

    Parameters
    ----------
    first, second : array_like
        Identifiers of the same kind, one a row: the two states of a dyad.

    Returns
    -------
    codes of the first, codes of the second, n_distinct
        As `codes_of` of both columns, one under the other, without making that column.
    """
    one, two = _whole(first), _whole(second)
    if one.dtype.kind in "iu" and two.dtype.kind in "iu" and one.size and two.size:
        low = min(int(one.min()), int(two.min()))
        width = max(int(one.max()), int(two.max())) - low + 1
        if width <= max(4 * one.size, 1 << 20):
            present = np.zeros(width, dtype=bool)
            present[one - low] = True
            present[two - low] = True
            number = (np.cumsum(present) - 1).astype(np.int64)
            return number[one - low], number[two - low], int(present.sum())
    codes, n_distinct = codes_of(np.concatenate([one, two]))
    return codes[: one.size], codes[one.size :], n_distinct


def pair_codes(first: IntArray, second: IntArray, n_second: int) -> tuple[IntArray, int]:
    """Return numbers for the distinct pairs of two numbered columns."""
    return codes_of(first * np.int64(n_second) + second)


COMPILED = 150_000
"""Rows from which sums of scattered groups are worth the loading of a compiled loop."""

RUN = 4
"""Rows with one group in a row, on average, from which they are summed before anything is sorted
into groups."""


def group_sums(
    X: FloatArray, factor: FloatArray | None, codes: IntArray, n_groups: int
) -> FloatArray:
    """Sum X, times a factor by row where there is one, within groups: groups by columns of X.

    Panels are sorted by what they are clustered on, or by a part of it: a dyad's years follow each
    other. Such runs are summed first, and the runs then by group.
    """
    runs = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    runs = np.concatenate([[0], runs])[: codes.size]
    in_runs = RUN * runs.size <= codes.size
    if not in_runs and codes.size >= COMPILED and X.dtype == np.float64:
        from foedus.models.grouped import sums_by_group

        return sums_by_group(X, factor, codes, n_groups)
    sums = np.empty((n_groups, X.shape[1]))
    if in_runs:
        codes = codes[runs]
    for column in range(X.shape[1]):
        values = X[:, column] if factor is None else X[:, column] * factor
        if in_runs:
            values = np.add.reduceat(values, runs)
        sums[:, column] = np.bincount(codes, values, n_groups)
    return sums
