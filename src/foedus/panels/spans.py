"""Spans of days and of years, expanded and intersected without loops over rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray


def each_year(
    first: NDArray[Any], last: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Expand spans of years.

    Parameters
    ----------
    first, last : int arrays (spans,)
        First and last year of each span, both included; last < first gives no year.

    Returns
    -------
    span, year : int64 arrays
        For each year of each span: the span's position and the year, in that order.
    """
    first = np.asarray(first, np.int64)
    length = np.maximum(np.asarray(last, np.int64) - first + 1, 0)
    span = np.repeat(np.arange(len(first)), length)
    start_of = np.cumsum(length) - length
    year = first[span] + np.arange(len(span)) - start_of[span]
    return span, year


def opposing(
    spells: pl.DataFrame, by: str, side: str, start: str = "start", end: str = "end"
) -> pl.DataFrame:
    """Pair the participants of a conflict that stood on opposite sides on the same day.

    Parameters
    ----------
    spells : polars.DataFrame
        One row a spell of participation: `by`, ccode, `side`, `start`, `end` and whatever else.
    by : str
        The conflict (dispnum, warnum).
    side : str
        Column that tells the sides apart.

    Returns
    -------
    polars.DataFrame
        Directed: both orders of each pair. Columns of the first state end in 1, of the second in
        2; `from_day` and `to_day` are the days they shared, `first_year` and `last_year` the years
        of them.
    """
    names = [name for name in spells.columns if name != by]
    left = spells.rename({name: f"{name}1" for name in names})
    right = spells.rename({name: f"{name}2" for name in names})
    pairs = left.join(right, on=by).filter(
        (pl.col(f"{side}1") != pl.col(f"{side}2")) & (pl.col("ccode1") != pl.col("ccode2"))
    )
    return shared_days(pairs, f"{start}1", f"{end}1", f"{start}2", f"{end}2")


def shared_days(
    pairs: pl.DataFrame, start1: str, end1: str, start2: str, end2: str
) -> pl.DataFrame:
    """Keep pairs of spans that share a day, with that span of days and its years."""
    return (
        pairs.with_columns(
            from_day=pl.max_horizontal(start1, start2),
            to_day=pl.min_horizontal(end1, end2),
        )
        .filter(pl.col("from_day") <= pl.col("to_day"))
        .with_columns(
            first_year=pl.col("from_day").dt.year(),
            last_year=pl.col("to_day").dt.year(),
        )
    )
