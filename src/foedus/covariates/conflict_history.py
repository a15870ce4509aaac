"""What lies behind two states: years of peace and conflicts so far, from any of eight lists."""

from __future__ import annotations

from typing import Any

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
from foedus.covariates.peace_years import COUNTING, SINCE, years_since
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.time_terms import OPTIONS, duration_terms, term_columns
from foedus.covariates.values import DyadYears, Rows, Values, take_dyad
from foedus.errors import UsageError

PEACE = "conflict_peace_years"
BEGINS = Option(
    None,
    "First year of the years of peace; by default the list's first. A pair stands at 0 in it, and "
    "conflicts before it aren't known, as where a program counts within a file that begins then.",
)
COLUMNS = [
    ColumnSpec(
        PEACE,
        "count",
        "Years since the pair's last conflict (option since), before this year; 0 in its first "
        "year in the system, in the list's first year, and in the year after a conflict.",
        unit="years",
    ),
    *term_columns(PEACE),
    ColumnSpec(
        "conflict_prior",
        "count",
        "Conflicts in which the two began to oppose each other in the years before this one "
        "(option window).",
        unit="conflicts",
    ),
    ColumnSpec(
        "conflict_prior_all",
        "count",
        "Conflicts in which the two began to oppose each other in all years before this one, since "
        "the list begins.",
        unit="conflicts",
    ),
    ColumnSpec(
        "conflict_prior_initiated",
        "count",
        "Conflicts that state 1 began against state 2, both originators, in the years before this "
        "one (option window).",
        unit="conflicts",
        collapse="sum",
    ),
]


@covariate(
    name="conflict_history",
    title="Years of peace and earlier conflicts of the two, from any of eight lists",
    columns=COLUMNS,
    sources=list(dict.fromkeys(SOURCES.values())),
    choices=SOURCES,
    citations=[*CITATIONS, "beck_katz_tucker_1998", "carter_signorino_2010"],
    options={
        "source": SOURCE,
        "exclude": EXCLUDE,
        "since": SINCE,
        "counting": COUNTING,
        "window": Option(
            5, "Years that conflict_prior and conflict_prior_initiated look back.", least=1
        ),
        "begins": BEGINS,
        **OPTIONS,
    },
    extras=[spec.name for spec in COLUMNS if spec.name not in (PEACE, "conflict_prior")],
    examples=[
        Example(
            "The United States and Canada have five peaceful years behind them in 1925.",
            {"ccode1": 2, "ccode2": 20, "year": 1925},
            {"conflict_peace_years": 5, "conflict_prior": 0, "conflict_prior_all": 0},
        ),
        Example(
            "The United States and Mexico last fought a war in 1847.",
            {"ccode1": 2, "ccode2": 70, "year": 1900},
            {"conflict_peace_years": 52, "conflict_prior_all": 1},
            options={"source": "war"},
        ),
        Example(
            "UCDP knows nothing before 1946: India and Pakistan stand at 0 in 1947, their first "
            "year in the system, and at 15 in 1964, sixteen years after 1948.",
            {"ccode1": 750, "ccode2": 770, "year": 1964},
            {"conflict_peace_years": 15, "conflict_prior_all": 1},
            options={"source": "ucdp"},
        ),
    ],
)
def conflict_history(context: Context) -> dict[str, Values]:
    """Make years of peace and their terms, and counts of earlier conflicts.

    Raises
    ------
    UsageError
        If the list doesn't code what is asked, or a window is no positive number of years.
    """
    # ASSUME: a list knows nothing before its first year, so that counts begin there at 0.
    made: dict[str, Values] = {}
    if context.wanted & {PEACE, *(spec.name for spec in term_columns(PEACE))}:
        length = _peace_years(context)
        made[PEACE] = Rows(length)
        made.update(duration_terms(context, PEACE, length))
    window = context.options["window"]
    if not isinstance(window, int):
        raise UsageError(f"window={window!r}: a whole number of years, 1 or more.")
    spans = {"prior": window, "prior_all": context.system.n_years, "prior_initiated": window}
    for name, years in spans.items():
        if f"conflict_{name}" in context.wanted:
            onsets = _onsets(context, initiated=name.endswith("initiated"))
            made[f"conflict_{name}"] = DyadYears(before(onsets, years))
    return made


def _peace_years(context: Context) -> NDArray[Any]:
    since = context.options["since"]
    rows = kept_conflicts(context)
    if since != "ongoing":
        rows = rows.filter("onset")
    if since == "initiated":
        rows = _initiated(context, rows)
    rows = rows.unique(["year", "ccode1", "ccode2"])
    events = scatter(context, rows, np.ones(rows.height, np.int8))
    first, last = context.tables.coverage(SOURCES[context.options["source"]])
    first = max(first, _begins(context.options["begins"], first))
    cube = years_since(context.system, events, context.options["counting"], first)
    years = context.spine.places[0].year
    length = take_dyad(DyadYears(cube), context.spine, "min" if since == "initiated" else "same")
    # Bounded here, before powers and splines are made of it.
    length[(years < first) | (years > last)] = np.iinfo(length.dtype).min
    return length


def _begins(year: object, first: int) -> int:
    if year is None:
        return first
    if isinstance(year, bool) or not isinstance(year, int):
        raise UsageError(f"begins={year!r}: a year, or nothing for the list's first.")
    return year


def _initiated(context: Context, rows: pl.DataFrame) -> pl.DataFrame:
    refuse_uncoded(context.options["source"], "side", "conflicts that 1 began")
    pair = (pl.col("originator1") == 1) & (pl.col("originator2") == 1)
    return rows.filter(pl.col("onset") & (pl.col("side") == 1) & pair)


def _onsets(context: Context, initiated: bool) -> NDArray[np.int16]:
    rows = kept_conflicts(context).filter("onset")
    if initiated:
        rows = _initiated(context, rows)
    counted = rows.group_by("year", "ccode1", "ccode2").agg(count=pl.len())
    return scatter(context, counted, counted["count"].cast(pl.Int16).to_numpy())


def before(events: NDArray[np.int16], window: int) -> NDArray[np.int16]:
    """Return the events of the `window` years before each year, over (state, state, year)."""
    total = np.cumsum(events, axis=2, dtype=np.int16)
    counted = np.zeros_like(total)
    counted[:, :, 1:] = total[:, :, :-1]
    counted[:, :, window + 1 :] -= total[:, :, : -window - 1]
    return counted
