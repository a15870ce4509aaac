"""Regime type."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context, state_cube
from foedus.covariates.registry import ALL_DYADS, ColumnSpec, Example, Option, covariate
from foedus.covariates.values import Rows, StateYears, Values, is_missing, missing_of, take_state


@covariate(
    name="polity",
    title="Polity scores and joint democracy",
    columns=[
        ColumnSpec(
            "polity2",
            "integer",
            "Revised combined Polity score, -10 (autocratic) to 10 (democratic).",
            unit="score",
            level="state",
            absent="missing",
        ),
        ColumnSpec(
            "joint_democracy",
            "flag",
            "1 if both states' polity2 is at least the threshold (6); missing if either is.",
            level="row",
            absent="missing",
            units=ALL_DYADS,
        ),
    ],
    sources=["polity"],
    citations=["marshall_gurr_2020"],
    options={
        "threshold": Option(6, "Least score of a democracy."),
        "score": Option(
            "polity2",
            "polity2, which fills interregna and transitions, or the raw polity, missing in them.",
            ("polity2", "polity"),
        ),
        "release": Option("5 v2018", "Release of Polity.", ("5 v2018", "IV v2015")),
    },
    examples=[
        Example(
            "The United States and Canada are both democracies in 1920.",
            {"ccode1": 2, "ccode2": 20, "year": 1920},
            {"polity21": 9, "joint_democracy": 1},
        ),
        Example(
            "Bosnia under the High Representative has no polity2: missing, not 0.",
            {"ccode1": 200, "ccode2": 346, "year": 2000},
            {"polity22": None, "joint_democracy": None},
        ),
    ],
)
def polity(context: Context) -> dict[str, Values]:
    """Make `polity2`, and in dyads `joint_democracy`."""
    score, release = context.options["score"], context.options["release"]
    facts = context.table("polity", "state_years").drop_nulls(score)
    cube = context.shared(
        (score, release),
        lambda: state_cube(
            context.system,
            facts["ccode"].to_numpy(),
            facts["year"].to_numpy(),
            facts[score].to_numpy().astype(np.int8),
            "polity/state_years",
        ),
    )
    made: dict[str, Values] = {"polity2": StateYears(cube)}
    if context.spine.dyadic:
        made["joint_democracy"] = Rows(_both_at_least(context, StateYears(cube)))
    return made


def _both_at_least(context: Context, scores: StateYears) -> NDArray[np.int8]:
    first, second = (take_state(scores, context.spine, place) for place in (0, 1))
    threshold = context.options["threshold"]
    flags: NDArray[np.int8] = ((first >= threshold) & (second >= threshold)).astype(np.int8)
    flags[is_missing(first) | is_missing(second)] = missing_of(flags.dtype)
    return flags
