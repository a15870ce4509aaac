"""Facts that their sources date to the day: what months and days know of pacts, disputes and wars.

On units finer than the year most columns hold the year's value in each of its months or days (a
population, a distance, a score). Those here are made for the month or the day itself, from the same
records and by the same rules as the year's: the greatest of a year's months is the year's value,
but where a record lies in days on which the two states weren't in the system together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.atop import OBLIGATIONS, shared_pledges
from foedus.covariates.context import Context
from foedus.covariates.wars import war_spells
from foedus.panels.spans import opposing
from foedus.panels.system import day_number


@dataclass(frozen=True)
class DyadDays:
    """A flag about two states that is 1 on spans of days, in one direction.

    Attributes
    ----------
    ccode1, ccode2 : int arrays (spans,)
    from_day, to_day : int64 arrays (spans,)
        Days since 1970-01-01, both included.
    first : bool
        The flag is 1 only in the first month (on the first day) of a span in which there is a row.
    """

    ccode1: NDArray[Any]
    ccode2: NDArray[Any]
    from_day: NDArray[np.int64]
    to_day: NDArray[np.int64]
    first: bool = False


@dataclass(frozen=True)
class StateDays:
    """A flag about a state that is 1 on spans of days; `ccode`, `from_day`, `to_day` as above."""

    ccode: NDArray[Any]
    from_day: NDArray[np.int64]
    to_day: NDArray[np.int64]


Days = Mapping[str, DyadDays | StateDays]


def _dyad_days(rows: pl.DataFrame, one: str, other: str, first: bool = False) -> DyadDays:
    return DyadDays(
        rows[one].to_numpy(), rows[other].to_numpy(), day_number(rows["from_day"]),
        day_number(rows["to_day"]), first,
    )  # fmt: skip


def _atop(context: Context) -> Days:
    """Return the days on which 1 owes 2 each obligation."""
    rows = shared_pledges(context)
    any_owed = pl.any_horizontal(pl.col(column) == 1 for column in OBLIGATIONS.values())
    made = {
        f"atop_{name}": _dyad_days(rows.filter(pl.col(column) == 1), "giver", "receiver")
        for name, column in OBLIGATIONS.items()
    }
    return {**made, "atop_any": _dyad_days(rows.filter(any_owed), "giver", "receiver")}


def _conflict(pairs: pl.DataFrame, conflict: str, began: pl.Expr, prefix: str) -> Days:
    """Return the days of a kind of conflict, its onset for each pair, and who began it.

    Parameters
    ----------
    pairs : polars.DataFrame
        One row a conflict, a pair on opposite sides and a span of days: `conflict`, ccode1,
        ccode2, from_day, to_day, and what `began` needs.
    began : polars.Expr
        Of the rows of a pair's first year in a conflict, aggregated: whether 1 began it.
    """
    keys = [conflict, "ccode1", "ccode2"]
    # ASSUME: a pair that comes into the system after its conflict has begun has its onset in the
    # first month of the conflict's first year in which both are in it (Ethiopia in 1941).
    first_year = pl.col("from_day").dt.year() == pl.col("from_day").min().dt.year().over(keys)
    onset = (
        pairs.filter(first_year)
        .group_by(keys)
        .agg(pl.col("from_day").min(), pl.col("to_day").max(), began=began)
        .with_columns(pl.min_horizontal("to_day", pl.date(pl.col("from_day").dt.year(), 12, 31)))
        .sort(keys)
    )
    return {
        f"{prefix}_ongoing": _dyad_days(pairs, "ccode1", "ccode2"),
        f"{prefix}_onset": _dyad_days(onset, "ccode1", "ccode2", first=True),
        f"{prefix}_initiated": _dyad_days(onset.filter("began"), "ccode1", "ccode2", first=True),
    }


def _war(context: Context) -> Days:
    """Return the days of inter-state wars between the two."""
    spells = war_spells(context.tables.get("cow_interstate_wars", "participants"))
    began = (pl.col("initiator1").max() == 1) & (pl.col("initiator2").max() != 1)
    return _conflict(opposing(spells, by="warnum", side="side"), "warnum", began, "war")


def _mid(context: Context) -> Days:
    """Return the days of COW disputes between the two.

    Unknown days are read generously (earliest start, latest end), as for the year.
    """
    spells = context.table("mid", "participants").select(
        "dispnum", "ccode", "sidea", "orig", start="start_min", end="end_max"
    )
    began = pl.col("sidea1").max() == 1
    if context.options["who"] == "originators":
        began &= (pl.col("orig1").max() == 1) & (pl.col("orig2").max() == 1)
    return _conflict(opposing(spells, by="dispnum", side="sidea"), "dispnum", began, "mid")


def _major(context: Context) -> Days:
    """Return the days on which a state was a major power."""
    rows = context.table("cow_states", "majors")
    return {
        "major": StateDays(
            rows["ccode"].to_numpy(), day_number(rows["start"]), day_number(rows["end"])
        )
    }


DATED: Mapping[str, Callable[[Context], Days]] = {
    "atop": _atop,
    "major": _major,
    "mid": _mid,
    "war": _war,
}
"""Covariates with columns that are dated to the day; their other columns hold for the year."""
