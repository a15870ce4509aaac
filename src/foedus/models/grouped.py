"""Sums of columns within groups of rows, compiled: one walk over the rows for all columns.

By column (`numpy.bincount`) a million rows look up their group's place once a column, mostly in
far memory; here a group's sums lie side by side, and a row looks them up once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

from foedus.models.arrays import FloatArray, IntArray

BLOCK = 512
_ROW, _ROWS, _CODES = types.float64[::1], types.float64[:, ::1], types.int64[::1]


@njit(types.void(_ROWS, _ROW, _CODES, _ROWS), nogil=True, error_model="numpy", cache=True)
def _by_columns(X: Any, factor: Any, codes: Any, sums: Any) -> None:
    """Add columns that lie one after the other in memory (X is columns by rows)."""
    k, n = X.shape
    room = np.empty((BLOCK, k))
    for first in range(0, n, BLOCK):
        size = min(BLOCK, n - first)
        for j in range(k):
            column = X[j, first : first + size]
            for i in range(size):
                room[i, j] = column[i]
        for i in range(size):
            own = room[i]
            total = sums[codes[first + i]]
            if factor.size:
                times = factor[first + i]
                for j in range(k):
                    total[j] += own[j] * times
            else:
                for j in range(k):
                    total[j] += own[j]


@njit(types.void(_ROWS, _ROW, _CODES, _ROWS), nogil=True, error_model="numpy", cache=True)
def _by_rows(X: Any, factor: Any, codes: Any, sums: Any) -> None:
    """Add rows that lie one after the other in memory (X is rows by columns)."""
    n, k = X.shape
    for i in range(n):
        own = X[i]
        total = sums[codes[i]]
        if factor.size:
            times = factor[i]
            for j in range(k):
                total[j] += own[j] * times
        else:
            for j in range(k):
                total[j] += own[j]


def sums_by_group(
    X: FloatArray, factor: FloatArray | None, codes: IntArray, n_groups: int
) -> FloatArray:
    """Sum X, times a factor by row where there is one, within groups.

    Parameters
    ----------
    X : float array, rows by columns
        Either order of memory.
    factor : float array, optional
        One number a row.
    codes : int array
        Each row's group, from 0 to `n_groups` - 1.
    n_groups : int
        How many groups there are.

    Returns
    -------
    float array, groups by columns
    """
    sums = np.zeros((n_groups, X.shape[1]))
    rows_first = X.flags.c_contiguous
    if codes.size and not (codes.min() >= 0 and codes.max() < n_groups):
        raise IndexError("a row's group is none of those there are.")
    given = (
        np.require(X if rows_first else X.T, np.float64, ("C", "W")),
        np.require(np.empty(0) if factor is None else factor, np.float64, ("C", "W")),
        np.require(codes, np.int64, ("C", "W")),
    )
    walk: Any = _by_rows if rows_first else _by_columns
    walk(*given, sums)
    return sums
