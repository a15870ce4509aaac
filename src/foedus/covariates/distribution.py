"""How a column's values are distributed: exactly, from its distinct values and their counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.values import is_missing

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = 12
# Whole numbers within so narrow a range are counted in one pass, without sorting.
_NARROW = 1 << 20


@dataclass(frozen=True)
class Distribution:
    """How the values of a column are distributed; None and empty where none is known.

    Attributes
    ----------
    n : int
        Rows.
    share_missing : float
    mean, least, greatest : float or None
    quantiles : tuple of float
        At QUANTILES; values that occur (the least whose cumulated share reaches the quantile).
    histogram : tuple of (label, share)
        Share of the known values: by value where there are at most BINS of them, else in BINS
        intervals of equal width, each labelled by its lower end.
    """

    n: int
    share_missing: float
    mean: float | None = None
    least: float | None = None
    greatest: float | None = None
    quantiles: tuple[float, ...] = ()
    histogram: tuple[tuple[str, float], ...] = ()


def tabulate(
    values: NDArray[Any], weights: NDArray[np.int64] | None = None
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the distinct values, ascending, and how often each occurs; missing ones included.

    Parameters
    ----------
    values : array
    weights : int array, optional
        How many rows each value stands for.
    """
    if len(values) == 0:
        return values, np.zeros(0, np.int64)
    if weights is None:
        values, weights = _runs(values)
    if values.dtype.kind == "i" and values.dtype.itemsize <= 2:
        return _tabulate_small(values, weights)
    if values.dtype.kind == "i":
        least, greatest = int(values.min()), int(values.max())
        if greatest - least < _NARROW:
            counts = np.bincount(values.astype(np.int64) - least, weights).astype(np.int64)
            at = np.flatnonzero(counts)
            return (at + least).astype(values.dtype), counts[at]
    if weights is None:
        ordered, each = np.sort(values), None
    else:
        order = np.argsort(values, kind="stable")
        ordered, each = values[order], weights[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    if values.dtype.kind == "f":  # NaN differs from itself, and stands last
        first_gone = len(ordered) - int(np.isnan(ordered).sum())
        new[first_gone + 1 :] = False
    starts = np.flatnonzero(new)
    if each is None:
        return ordered[starts], np.diff(np.append(starts, len(ordered)))
    return ordered[starts], np.add.reduceat(each, starts)


def _runs(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """Return each run of equal values once, with its length, where that leaves a quarter or less.

    Many columns hold still from year to year: what is left of them is counted or sorted at once.
    Runs are found without Python's lock, which counting holds while a panel's next column is made.
    """
    bits = np.ascontiguousarray(values).view(f"i{values.dtype.itemsize}")  # NaN equals itself
    new = bits[1:] != bits[:-1]
    if 4 * int(np.count_nonzero(new)) > len(values):
        return values, None
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    return values[starts], np.diff(np.append(starts, len(values)))


def _tabulate_small(
    values: NDArray[Any], weights: NDArray[np.int64] | None
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Tabulate whole numbers of one or two bytes by their bits."""
    size = values.dtype.itemsize
    bits = np.ascontiguousarray(values).view(f"u{size}")
    counts = np.bincount(bits, weights, minlength=1 << 8 * size).astype(np.int64)
    # Bits in the order of the numbers that they stand for: the negative ones come last.
    counts = np.roll(counts, len(counts) // 2)
    at = np.flatnonzero(counts)
    return (at - len(counts) // 2).astype(values.dtype), counts[at]


def distribution_of(values: NDArray[Any], counts: NDArray[np.int64]) -> Distribution:
    """Return the distribution of a column that `tabulate` has counted."""
    gone = is_missing(values)
    n, missing = int(counts.sum()), int(counts[gone].sum())
    known, often = values[~gone].astype(np.float64), counts[~gone]
    often, known = often[often > 0], known[often > 0]
    share = missing / n if n else 0.0
    if len(known) == 0:
        return Distribution(n, share)
    cumulated = np.cumsum(often)
    wanted = np.ceil(np.asarray(QUANTILES) * cumulated[-1])
    at = np.minimum(np.searchsorted(cumulated, wanted), len(known) - 1)
    return Distribution(
        n=n,
        share_missing=share,
        mean=float((known * often).sum() / cumulated[-1]),
        least=float(known[0]),
        greatest=float(known[-1]),
        quantiles=tuple(float(value) for value in known[at]),
        histogram=_histogram(known, often),
    )


def _histogram(
    known: NDArray[np.float64], often: NDArray[np.int64]
) -> tuple[tuple[str, float], ...]:
    total = float(often.sum())
    if len(known) <= BINS:
        return tuple(
            (f"{value:.6g}", float(count) / total)
            for value, count in zip(known, often, strict=True)
        )
    edges = np.linspace(known[0], known[-1], BINS + 1)
    bins = np.minimum(np.searchsorted(edges, known, side="right") - 1, BINS - 1)
    counts = np.bincount(bins, weights=often, minlength=BINS)
    return tuple(
        (f"{edge:.4g}", float(count) / total)
        for edge, count in zip(edges[:-1], counts, strict=True)
    )


def text_distribution(n: int) -> Distribution:
    """Return what can be said of a column of text: nothing but its rows."""
    return Distribution(n, 0.0)
