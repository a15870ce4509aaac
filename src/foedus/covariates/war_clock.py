"""How long a war has gone on, and who has joined it before: the clock of a potential joiner."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Rows, Values
from foedus.covariates.war_outset import wars_of
from foedus.panels.fine_units import period_of
from foedus.panels.system import year_of

UNITS = ("war-joiner-year", "war-joiner-month")
_WORLD_WAR_I, _ITALY = 106, 325


def joined_before(
    war: NDArray[np.int64],
    period: NDArray[np.int64],
    entry_war: NDArray[np.int64],
    entry_period: NDArray[np.int64],
) -> NDArray[np.int32]:
    """Return how many entries into each row's war lie in an earlier period than the row's."""
    order = np.lexsort((entry_period, entry_war))
    entry_war, entry_period = entry_war[order], entry_period[order]
    # One number that sorts by war and then by period.
    base = int(min(period.min(initial=0), entry_period.min(initial=0)))
    width = int(max(period.max(initial=0), entry_period.max(initial=0))) - base + 1
    entries = entry_war * width + (entry_period - base)
    at = np.searchsorted(entries, war * width + (period - base))
    return (at - np.searchsorted(entry_war, war)).astype(np.int32)


@covariate(
    name="war_clock",
    title="A war's age, and its joiners so far",
    columns=[
        ColumnSpec("elapsed", "count", "Whole years (units by month: months) since the war's "
                   "first; 0 in it.", unit="years or months", level="row"),
        ColumnSpec("joined_before", "count", "States that have entered the war after its first "
                   "day, in an earlier year (month) than this one.", unit="states", level="row"),
        ColumnSpec("joined_before_side1", "count", "Of them, those that entered on side 1.",
                   unit="states", level="row"),
        ColumnSpec("joined_before_side2", "count", "Of them, those that entered on side 2.",
                   unit="states", level="row"),
        ColumnSpec("entry_dated", "flag", "1 if COW knows the day of the entry of a joiner, 0 if "
                   "only its month or year, which is read as its first day; missing in rows "
                   "without an entry.", level="row", absent="missing"),
    ],
    sources=["cow_interstate_wars"],
    citations=["sarkees_wayman_2010", "siverson_king_1980"],
    units=UNITS,
    examples=[
        Example(
            "Italy enters the First World War in May 1915, ten months after its first.",
            {"warnum": _WORLD_WAR_I, "ccode": _ITALY, "year": 1915, "month": 5},
            {"elapsed": 10},
            unit="war-joiner-month",
        ),
    ],
)  # fmt: skip
def war_clock(context: Context) -> dict[str, Values]:
    """Make the columns of `war_clock`."""
    extra, wars = context.spine.extra, wars_of(context)
    war, period = (extra[name].astype(np.int64) for name in ("war", "period"))
    states = wars.states
    late = ~states.original
    of_war = np.searchsorted(wars.numbers, states.warnum)[late]
    start, side = states.start[late], states.side[late]
    monthly = context.spine.unit.endswith("month")
    entered = period_of(start, "month") if monthly else year_of(start)
    made: dict[str, Values] = {
        "elapsed": Rows(extra["elapsed"].astype(np.int32)),
        "joined_before": Rows(joined_before(war, period, of_war, entered)),
        "entry_dated": Rows(_dated(context)),
    }
    for number in (1, 2):
        on = side == number
        made[f"joined_before_side{number}"] = Rows(
            joined_before(war, period, of_war[on], entered[on])
        )
    return made


def _dated(context: Context) -> NDArray[np.int8]:
    """Return whether the day of each row's entry is known; the least int8 without an entry."""
    extra, wars = context.spine.extra, wars_of(context)
    dated = np.full(context.spine.n_rows, np.iinfo(np.int8).min, np.int8)
    joined = np.flatnonzero(extra["joined"])
    ccode = context.spine.keys["ccode"].astype(np.int64)[joined]
    warnum = wars.numbers[extra["war"].astype(np.int64)[joined]]
    key = wars.warnum * 10_000 + wars.ccode
    inexact = key[~wars.exact]
    dated[joined] = ~np.isin(warnum * 10_000 + ccode, inexact)
    return dated
