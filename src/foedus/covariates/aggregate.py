"""From finer periods to coarser ones: months and days to the month or year that they belong to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.registry import Up
from foedus.covariates.values import is_missing, missing_of
from foedus.errors import UsageError


def aggregate(values: NDArray[Any], starts: NDArray[np.integer], how: Up) -> NDArray[Any]:
    """Return one value for each run of rows.

    Parameters
    ----------
    values : array (rows,)
        NaN in floats and the least integer in integers are missing.
    starts : int array (groups,)
        First row of each group; a group ends where the next one begins.
    how : str
        "max" and "min": the greatest or least value of the period (for flags: on any, on every day
        or month of it). "sum" and "mean" of its values. "first" and "last": its value at the
        period's start or end.

    Returns
    -------
    array (groups,)
        Of the type of `values`; float64 for a mean; int64 for a sum of integers.

    Notes
    -----
    A period of which some of the values are missing is missing: an unknown month may hold the
    greatest value, or add to the sum. The one exception needs no knowledge of them: a flag that is
    1 in a known month is 1 ("max"), and one that is 0 in a known month isn't 1 throughout ("min").
    A "first" or "last" value is that of the first or last row, missing if that is.

    Raises
    ------
    UsageError
        For another way.
    """
    if how not in ("max", "min", "sum", "mean", "first", "last"):
        raise UsageError(f'"{how}" is no way to aggregate: max, min, sum, mean, first or last.')
    begins = np.asarray(starts, np.int64)
    if how in ("first", "last"):
        ends = np.append(begins[1:], len(values)) - 1
        return np.asarray(values[begins if how == "first" else ends])
    if len(begins) == 0:
        return values[:0]
    gone = is_missing(values)
    some_gone = np.logical_or.reduceat(gone, begins) if gone.any() else None
    if how in ("max", "min"):
        return _extreme(values, gone, some_gone, begins, how)
    kind = np.float64 if values.dtype.kind == "f" or how == "mean" else np.int64
    total = np.add.reduceat(values, begins, dtype=kind)
    if how == "mean":
        total = total / np.diff(np.append(begins, len(values)))
    if some_gone is not None:
        total[some_gone] = missing_of(total.dtype)
    return np.asarray(total)


def _extreme(
    values: NDArray[Any],
    gone: NDArray[np.bool_],
    some_gone: NDArray[np.bool_] | None,
    starts: NDArray[np.int64],
    how: Up,
) -> NDArray[Any]:
    """Return the greatest or least of each group."""
    reduce = np.maximum if how == "max" else np.minimum
    if some_gone is None:
        return np.asarray(reduce.reduceat(values, starts))
    # What an unknown value can't change: a flag has no value beyond 1 or 0.
    settled = 1 if how == "max" else 0
    known = values[~gone]
    flag = bool(np.isin(known, (0, 1)).all())
    filler = (known.min() if how == "max" else known.max()) if len(known) else settled
    best = reduce.reduceat(np.where(gone, filler, values), starts).astype(values.dtype)
    unknown = some_gone & ((best != settled) | np.logical_and.reduceat(gone, starts) | (not flag))
    best[unknown] = missing_of(best.dtype)
    return np.asarray(best)
