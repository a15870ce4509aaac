"""Years of peace: how long two states have gone without a dispute or a war."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.conflict import DisputeYears, mark
from foedus.covariates.context import Context
from foedus.covariates.disputes import dispute_years
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.time_terms import OPTIONS, duration_terms, term_columns
from foedus.covariates.values import DyadYears, Rows, Values, take_dyad, within_years
from foedus.covariates.wars import shared_war_years
from foedus.panels.system import StateSystem

KINDS = ("mid", "gml", "war")
SOURCES = {"mid": "mid", "gml": "gml_mid", "war": "cow_interstate_wars"}
SINCE = Option(
    "ongoing",
    "What ends a peace: any year of a conflict, only its first, or only one that 1 began against 2 "
    "(directed).",
    ("ongoing", "onset", "initiated"),
)
COUNTING = Option(
    "together",
    "A pair that leaves the system and returns: take up the count where it stood, count the gap as "
    "well, or start again at 0.",
    ("together", "calendar", "spell"),
)


def years_since(
    system: StateSystem,
    event: NDArray[np.int8],
    counting: str = "together",
    first_year: int | None = None,
) -> NDArray[np.int16]:
    """Return the years of peace up to the start of each year, int16 (n, n, years).

    0 in the first year in which a pair is in the system together, 0 in the year after one with an
    event, and one more each year after that. The event of the year itself doesn't count, so that
    the variable can explain it (Beck, Katz & Tucker 1998).

    Parameters
    ----------
    event : int8 array (n, n, years)
        1 in the years that end a peace.
    counting : str
        What happens when a pair leaves the system and returns: "together" takes up the count where
        it stood, "calendar" counts the years of the gap as well, "spell" starts again at 0.
    first_year : int, optional
        First year in which events are known; nothing is counted before it.
    """
    begins = 0 if first_year is None else max(first_year - system.first_year, 0)
    if begins:
        length = np.zeros(event.shape, np.int16)
        known = system.together[:, :, begins:]
        length[:, :, begins:] = _counted(known, event[:, :, begins:], counting)
        return length
    together = system.together
    if counting != "together":
        return _counted(together, event, counting)
    # A pair that never had an event, and that is nearly every pair, has been at peace for as many
    # years as it has been in the system; only the others need their years gone through.
    length = system.years_together.copy()
    eventful = event.any(axis=2)
    length[eventful] = _counted(together[eventful], event[eventful], counting)
    return length


def _counted(
    together: NDArray[np.bool_], event: NDArray[np.int8], counting: str
) -> NDArray[np.int16]:
    """Count the years of peace of pairs; the years are the last axis."""
    if counting == "calendar":
        return _since_the_last(together, event)
    # years together up to each year's end, less those up to the end of the last peace
    present = np.cumsum(together, axis=-1, dtype=np.int16)
    ended = np.where(event == 1, present, np.int16(0))
    if counting == "spell":
        # a pair that returns begins again: its peace has ended in the year before
        returns = together[..., 1:] & ~together[..., :-1]
        np.copyto(ended[..., :-1], present[..., :-1], where=returns)
    np.maximum.accumulate(ended, axis=-1, out=ended)
    length = np.zeros(event.shape, np.int16)
    np.subtract(present[..., :-1], ended[..., :-1], out=length[..., 1:])
    return length


def _since_the_last(together: NDArray[np.bool_], event: NDArray[np.int8]) -> NDArray[np.int16]:
    """Count from a pair's first year or from the year after its last event, gaps included."""
    n_years = event.shape[-1]
    years = np.arange(n_years, dtype=np.int16)
    begun = np.zeros(event.shape, np.int16)
    begun[..., 1:] = np.where(event[..., :-1] == 1, years[1:], np.int16(0))
    np.maximum.accumulate(begun, axis=-1, out=begun)
    first = np.where(together.any(axis=-1), together.argmax(axis=-1), n_years).astype(np.int16)
    np.maximum(begun, first[..., None], out=begun)
    length: NDArray[np.int16] = np.maximum(years - begun, np.int16(0))
    return length


def _facts(context: Context, kind: str) -> DisputeYears:
    return shared_war_years(context) if kind == "war" else dispute_years(context, kind)


def _events(context: Context, kind: str) -> NDArray[np.int8]:
    facts = _facts(context, kind)
    since = context.options["since"]
    which = {
        "ongoing": np.ones(len(facts.year), dtype=bool),
        "onset": facts.onset,
        "initiated": facts.began,
    }[since]
    return mark(context.system, facts, which)


def _columns() -> list[ColumnSpec]:
    event = {"mid": "COW MID", "gml": "GML dispute", "war": "COW inter-state war"}
    columns = []
    for kind, name in event.items():
        columns += [
            ColumnSpec(
                f"{kind}_peace_years",
                "count",
                f"Years since the pair's last {name} (ongoing), before this year; 0 in its first "
                "year in the system and in the year after a conflict.",
                unit="years",
                source=SOURCES[kind],
            ),
            *(replace(one, source=SOURCES[kind]) for one in term_columns(f"{kind}_peace_years")),
        ]
    return columns


_TERMS = [spec.name for kind in KINDS for spec in term_columns(f"{kind}_peace_years")]


@covariate(
    name="peace_years",
    title="Years of peace",
    columns=_columns(),
    sources=["mid", "gml_mid", "cow_interstate_wars"],
    citations=["beck_katz_tucker_1998", "carter_signorino_2010"],
    coverage_of=(),
    options={
        "since": SINCE,
        "counting": COUNTING,
        "release": Option("5.0", "Release of the MID data.", ("5.0", "4.2")),
        **OPTIONS,
    },
    extras=_TERMS,
    examples=[
        Example(
            "The United States and Canada enter the system together in 1920 and have five peaceful "
            "years behind them in 1925.",
            {"ccode1": 2, "ccode2": 20, "year": 1925},
            {"mid_peace_years": 5},
        ),
        Example(
            "The first year of a pair is 0.",
            {"ccode1": 2, "ccode2": 20, "year": 1920},
            {"mid_peace_years": 0, "war_peace_years": 0},
        ),
        Example(
            "In 1928 they have eight peaceful years behind them, one half-life.",
            {"ccode1": 2, "ccode2": 20, "year": 1928},
            {"mid_peace_years": 8, "mid_peace_years_sq": 64, "mid_peace_years_decay": 0.5},
        ),
        Example(
            "The spline between 0 and 194 years, as R's splines::ns has it at 3 years.",
            {"ccode1": 2, "ccode2": 20, "year": 1923},
            {"mid_peace_years_s1": 0.517538448885599, "mid_peace_years_s2": -0.182141781105525,
             "mid_peace_years_s3": 0.371848208433534, "mid_peace_years_s4": -0.187403606372338},
            options={"boundary": [0, 194]},
        ),
    ],
)  # fmt: skip
def peace_years(context: Context) -> dict[str, Values]:
    """Make `<kind>_peace_years` and, on demand, their powers, spline terms and decay.

    Missing outside the years of the conflict data that it counts in.
    """
    # ASSUME: a pair without a conflict since 1816 has been at peace since it entered the system.
    # ASSUME: years in which a pair isn't in the system together add nothing (option `counting`).
    made: dict[str, Values] = {}
    counting = [context.options[name] for name in ("since", "counting", "release")]
    for kind in KINDS:
        name = f"{kind}_peace_years"
        if not context.wanted & {name, *(spec.name for spec in term_columns(name))}:
            continue
        length = context.shared(("peace", kind, *counting), partial(_length, context, kind))
        made[name] = Rows(length)
        made.update(duration_terms(context, name, length))
    return made


def _length(context: Context, kind: str) -> NDArray[Any]:
    """Return one kind's peace years by row, missing outside the years of its source."""
    cube = years_since(context.system, _events(context, kind), context.options["counting"])
    directed = context.options["since"] == "initiated"
    rows = take_dyad(DyadYears(cube), context.spine, "min" if directed else "same")
    release = context.options["release"] if kind == "mid" else None
    coverage = context.tables.coverage(SOURCES[kind], release=release)
    return within_years(rows, context.spine.places[0].year, coverage)
