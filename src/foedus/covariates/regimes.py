"""Democracy by other scores, regime types, and how two regimes differ."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context, state_cube
from foedus.covariates.registry import (
    ALL_DYADS,
    ColumnSpec,
    Example,
    Kind,
    Option,
    covariate,
)
from foedus.covariates.state_facts import number, state_numbers
from foedus.covariates.values import Rows, StateYears, Values, is_missing, missing_of, take_state
from foedus.errors import UsageError


@covariate(
    name="democracy",
    title="Democracy: V-Dem's polyarchy and extended Unified Democracy Scores",
    columns=[
        number("polyarchy", "V-Dem's electoral democracy index (v2x_polyarchy).", "index, 0-1"),
        number("democracy_uds", "Extended Unified Democracy Score (euds).", "standard deviations"),
        number("democracy_uds_adjusted", "Extended Unified Democracy Score, adjusted (aeuds).",
               "standard deviations"),
    ],
    sources=["democracy"],
    citations=["marquez_2016", "teorell_etal_2019"],
    examples=[
        Example(
            "The United States in 1816.",
            {"ccode": 2, "year": 1816},
            {"polyarchy": 0.355, "democracy_uds": 0.28792, "democracy_uds_adjusted": -0.00523},
            unit="state-year",
        )
    ],
)  # fmt: skip
def democracy(context: Context) -> dict[str, Values]:
    """Make the three scores; no row is missing."""
    columns = {
        "polyarchy": "v2x_polyarchy", "democracy_uds": "euds", "democracy_uds_adjusted": "aeuds",
    }  # fmt: skip
    facts = context.table("democracy", "state_years")
    return state_numbers(context, facts, columns, "democracy/state_years")


AUTOCRACY, ANOCRACY, DEMOCRACY = 1, 2, 3


def _pair(name: str, kind: Kind, says: str, unit: str) -> ColumnSpec:
    return ColumnSpec(name, kind, says, unit=unit, level="row", absent="missing", units=ALL_DYADS)


@covariate(
    name="regime_type",
    title="Regime types by Polity, and how two states' regimes differ",
    columns=[
        ColumnSpec(
            "regime_type",
            "category",
            "1 autocracy (polity2 at or below the option's), 2 anocracy, 3 democracy (at or above "
            "the option's).",
            unit="code 1-3",
            level="state",
            absent="missing",
        ),
        ColumnSpec("is_democracy", "flag", "1 if it is a democracy (regime_type 3).",
                   level="state", absent="missing"),
        _pair("joint_autocracy", "flag", "1 if both are autocracies; missing if either's score is.",
              "0/1"),
        _pair("mixed_regimes", "flag", "1 if one is a democracy and the other an autocracy.",
              "0/1"),
        _pair("polity_low", "integer", "The lower of the two polity2 scores.", "score"),
        _pair("polity_high", "integer", "The higher of the two polity2 scores.", "score"),
        _pair("polity_distance", "count", "Difference of the two polity2 scores, without sign.",
              "score"),
    ],
    sources=["polity"],
    citations=["marshall_gurr_2020"],
    extras=["is_democracy"],
    options={
        "democracy": Option(6, "Least polity2 of a democracy.", least=-10, most=10),
        "autocracy": Option(
            -6, "Greatest polity2 of an autocracy.", least=-10, most=10
        ),
        "score": Option(
            "polity2",
            "polity2, which fills interregna and transitions, or the raw polity, missing in them.",
            ("polity2", "polity"),
        ),
        "release": Option("5 v2018", "Release of Polity.", ("5 v2018", "IV v2015")),
    },
    examples=[
        Example(
            "The United States and Russia in 1900.",
            {"ccode1": 2, "ccode2": 365, "year": 1900},
            {"regime_type1": 3, "regime_type2": 1, "mixed_regimes": 1, "joint_autocracy": 0,
             "is_democracy1": 1, "is_democracy2": 0,
             "polity_low": -10, "polity_high": 9, "polity_distance": 19},
        ),
        Example(
            "Bosnia under the High Representative has no polity2.",
            {"ccode1": 200, "ccode2": 346, "year": 2000},
            {"regime_type2": None, "polity_low": None, "mixed_regimes": None},
        ),
    ],
)  # fmt: skip
def regime_type(context: Context) -> dict[str, Values]:
    """Make `regime_type`, and in dyads the five columns of two regimes.

    Raises
    ------
    UsageError
        If the least score of a democracy isn't above the greatest of an autocracy.
    """
    low, high = context.options["autocracy"], context.options["democracy"]
    if not low < high:
        raise UsageError(
            f"autocracy={low}, democracy={high}: the least score of a democracy must be above the "
            "greatest of an autocracy."
        )
    scores = _scores(context)
    kind = np.where(scores >= high, DEMOCRACY, np.where(scores <= low, AUTOCRACY, ANOCRACY))
    kind = kind.astype(np.int8)
    kind[is_missing(scores)] = missing_of(kind.dtype)
    gone = missing_of(kind.dtype)
    democratic = np.where(kind == gone, gone, kind == DEMOCRACY).astype(np.int8)
    made: dict[str, Values] = {
        "regime_type": StateYears(kind), "is_democracy": StateYears(democratic),
    }  # fmt: skip
    if context.spine.dyadic:
        made.update(_two(context, scores, kind))
    return made


def _scores(context: Context) -> NDArray[np.int8]:
    score, release = context.options["score"], context.options["release"]
    facts = context.table("polity", "state_years").drop_nulls(score)
    return context.shared(
        (score, release),
        lambda: state_cube(
            context.system,
            facts["ccode"].to_numpy(),
            facts["year"].to_numpy(),
            facts[score].to_numpy().astype(np.int8),
            "polity/state_years",
        ),
    )


def _two(context: Context, scores: NDArray[np.int8], kind: NDArray[np.int8]) -> dict[str, Values]:
    first, second = (take_state(StateYears(scores), context.spine, place) for place in (0, 1))
    one, other = (take_state(StateYears(kind), context.spine, place) for place in (0, 1))
    gone = is_missing(first) | is_missing(second)
    columns: dict[str, NDArray[Any]] = {
        "joint_autocracy": ((one == AUTOCRACY) & (other == AUTOCRACY)).astype(np.int8),
        "mixed_regimes": (np.abs(one.astype(np.int16) - other) == DEMOCRACY - AUTOCRACY).astype(
            np.int8
        ),
        "polity_low": np.minimum(first, second),
        "polity_high": np.maximum(first, second),
        "polity_distance": np.abs(first.astype(np.int16) - second).astype(np.int16),
    }
    for values in columns.values():
        values[gone] = missing_of(values.dtype)
    return {name: Rows(values) for name, values in columns.items()}
