"""What lies ahead of two states: conflicts in the years after, from any of eight lists.

For designs that look from a year forwards, such as windows around the making of a pact (Kenwick,
Vasquez & Powers 2015). An outcome, never a condition: it knows what came later.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.conflict_choice import (
    EXCLUDE,
    SOURCE,
    SOURCES,
    kept_conflicts,
    refuse_uncoded,
    scatter,
)
from foedus.covariates.conflict_dyads import CITATIONS
from foedus.covariates.context import Context
from foedus.covariates.registry import Collapse, ColumnSpec, Example, Option, covariate
from foedus.covariates.values import DyadYears, Rows, Values, missing_of, take_dyad

WAR = 5
_AHEAD = "in the years after this one (option window)"
COLUMNS = [
    ColumnSpec("conflict_ahead", "count", f"Conflicts in which the two begin to oppose each other "
               f"{_AHEAD}; missing where the list or the pair ends before (option presence).",
               unit="conflicts"),
    ColumnSpec("conflict_ahead_initiated", "count", f"Conflicts that state 1 begins against state "
               f"2, both originators, {_AHEAD}; missing likewise.", unit="conflicts",
               collapse="sum"),
    ColumnSpec("conflict_ahead_war", "count", f"Conflicts that are or become wars (hostility 5) in "
               f"which the two begin to oppose each other {_AHEAD}; missing likewise.",
               unit="conflicts"),
]  # fmt: skip


@covariate(
    name="conflict_ahead",
    title="Conflicts of the two in the years after, from any of eight lists",
    columns=COLUMNS,
    sources=["cow_states", *dict.fromkeys(SOURCES.values())],
    choices=SOURCES,
    citations=[*CITATIONS, "kenwick_vasquez_powers_2015"],
    options={
        "source": SOURCE,
        "exclude": EXCLUDE,
        "window": Option(5, "Years that are looked ahead.", least=1),
        "presence": Option(
            "whole",
            "Whether both states have to be members of the system in each of these years.",
            ("whole", "any"),
        ),
    },
    extras=[spec.name for spec in COLUMNS],
    examples=[
        Example(
            "From 1909 Austria-Hungary and Serbia have disputes before them, the World War among "
            "them.",
            {"ccode1": 300, "ccode2": 345, "year": 1910},
            {"conflict_ahead_war": 1},
        ),
        Example(
            "Nobody knows the five years after the list's last.",
            {"ccode1": 2, "ccode2": 70, "year": 2012},
            {"conflict_ahead": None},
        ),
        Example(
            "Austria-Hungary is gone before five years are over.",
            {"ccode1": 300, "ccode2": 345, "year": 1915},
            {"conflict_ahead": None},
        ),
    ],
)
def conflict_ahead(context: Context) -> dict[str, Values]:
    """Make the three counts.

    Raises
    ------
    UsageError
        If the list doesn't code what is asked.
    """
    made: dict[str, Values] = {}
    window = int(context.options["window"])
    unknown = _unseen(context, window)
    for name in ("conflict_ahead", "conflict_ahead_initiated", "conflict_ahead_war"):
        if name not in context.wanted:
            continue
        events = _onsets(context, name.rpartition("_")[2])
        undirected: Collapse = "sum" if name.endswith("initiated") else "same"
        counted = take_dyad(DyadYears(after(events, window)), context.spine, undirected)
        counted[unknown] = missing_of(counted.dtype)
        made[name] = Rows(counted)
    return made


def _onsets(context: Context, which: str) -> NDArray[np.int16]:
    rows = kept_conflicts(context).filter("onset")
    if which == "initiated":
        refuse_uncoded(context.options["source"], "side", "conflicts that 1 began")
        pair = (pl.col("originator1") == 1) & (pl.col("originator2") == 1)
        rows = rows.filter((pl.col("side") == 1) & pair)
    if which == "war":
        refuse_uncoded(context.options["source"], "hostility", "conflicts that are wars")
        rows = rows.filter(pl.col("hostility") == WAR)
    counted = rows.group_by("year", "ccode1", "ccode2").agg(count=pl.len())
    return scatter(context, counted, counted["count"].cast(pl.Int16).to_numpy())


def after(events: NDArray[np.int16], window: int) -> NDArray[np.int16]:
    """Return the events of the `window` years after each year, over (state, state, year)."""
    total = np.cumsum(events, axis=2, dtype=np.int16)
    ahead = np.empty_like(total)
    ahead[:, :, :-window] = total[:, :, window:]
    ahead[:, :, -window:] = total[:, :, -1:]
    ahead -= total
    return ahead


def _unseen(context: Context, window: int) -> NDArray[np.bool_]:
    """Return the rows whose years ahead the list, or the pair in the system, doesn't reach."""
    spine = context.spine
    first, last = context.tables.coverage(SOURCES[context.options["source"]])
    year = spine.places[0].year
    unseen = (year < first) | (year + window > min(last, context.system.last_year))
    if context.options["presence"] == "whole":
        stay = years_that_follow(context.system.member).reshape(-1)
        for position in spine.state_positions:
            unseen |= (position < 0) | (stay.take(position, mode="clip") < window)
    return np.asarray(unseen)


def years_that_follow(member: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Return for how many years after each year a state goes on being a member, (n, years)."""
    stay = np.zeros(member.shape, np.int16)
    for at in range(member.shape[1] - 2, -1, -1):
        stay[:, at] = np.where(member[:, at + 1], stay[:, at + 1] + 1, 0)
    return stay
