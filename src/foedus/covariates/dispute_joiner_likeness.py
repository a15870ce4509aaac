"""Rivals and fellow democracies of a potential joiner among those that began a dispute."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context, state_cube
from foedus.covariates.dispute_pairs import SIDES, UNIT, Pairs, pairs_of
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.rivalry import rivalry_cube
from foedus.covariates.values import Rows, Values, missing_of

JULY_CRISIS, RUSSIA, SPAIN = 257, 365, 230
GULF, BRITAIN = 3957, 200


def _row(name: str, says: str, absent: str = "zero") -> ColumnSpec:
    return ColumnSpec(name, "flag", says, level="row", absent=absent)  # type: ignore[arg-type]


@covariate(
    name="dispute_joiner_likeness",
    title="A potential joiner's rivals and fellow democracies among those that began a dispute",
    columns=[
        _row("rival_a", "1 if an originator on side A is its rival in the year (option list)."),
        _row("rival_b", "1 if one on side B is."),
        _row("rival_any", "1 if an originator is."),
        _row("democracy_a", "1 if it and an originator on side A are democracies (polity2 at least "
             "6); missing if its own score is, or if no democracy is found and a score is "
             "missing.", "missing"),
        _row("democracy_b", "The same of side B.", "missing"),
    ],
    sources=["rivalries_td", "rivalries_tss", "polity", "mid", "cow_states"],
    citations=["thompson_dreyer_2011", "thompson_sakuwa_suhas_2021", "marshall_gurr_2020",
               "palmer_etal_2022"],
    options={
        "list": Option("rivalry_td", "Which list of rivalries.", ("rivalry_td", "rivalry_tss")),
        "threshold": Option(6, "Least polity2 of a democracy.", least=-10, most=10),
    },
    units=(UNIT,),
    coverage_of=("mid",),
    examples=[
        Example(
            "Russia is a rival of Austria-Hungary, which moves on Serbia in 1914.",
            {"dispnum": JULY_CRISIS, "ccode": RUSSIA},
            {"rival_a": 1, "rival_b": 0, "rival_any": 1, "democracy_a": 0},
            unit=UNIT,
        ),
        Example(
            "Spain is a rival of neither.",
            {"dispnum": JULY_CRISIS, "ccode": SPAIN},
            {"rival_any": 0},
            unit=UNIT,
        ),
    ],
)  # fmt: skip
def dispute_joiner_likeness(context: Context) -> dict[str, Values]:
    """Make the columns of `dispute_joiner_likeness`, as things were in the dispute's first year."""
    pairs = pairs_of(context)
    which = context.options["list"]
    rivals = context.shared(("rivals", which), lambda: rivalry_cube(context, which, "any"))
    opposed = pairs.look_up(rivals) == 1
    made = {f"rival_{side}": pairs.any_of(opposed & pairs.of(side)) for side in (*SIDES, "any")}
    score = _polity(context)
    for side in SIDES:
        made[f"democracy_{side}"] = _both_democratic(context, pairs, score, pairs.of(side))
    return {name: Rows(values) for name, values in made.items()}


def _polity(context: Context) -> NDArray[np.int8]:
    facts = context.tables.get("polity", "state_years").drop_nulls("polity2")
    return context.shared(
        "dispute polity",
        lambda: state_cube(
            context.system,
            facts["ccode"].to_numpy(),
            facts["year"].to_numpy(),
            facts["polity2"].to_numpy().astype(np.int8),
            "polity/state_years",
        ),
    )


def _both_democratic(
    context: Context, pairs: Pairs, score: NDArray[np.int8], chosen: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Return 1 where the joiner and one of the chosen originators are democracies."""
    gone, least = missing_of(score.dtype), context.options["threshold"]
    own, theirs = score[pairs.state, pairs.year], score[pairs.other, pairs.year]
    both = chosen & (own >= least) & (theirs >= least)
    # It can't be told only where the joiner is a democracy and no other originator is known to be
    # one; a joiner that is none is 0 whatever the others are.
    open_ = chosen & (own >= least) & (theirs == gone)
    flags = pairs.any_of(both)
    flags[(flags == 0) & (pairs.any_of(open_) == 1)] = missing_of(flags.dtype)
    place = context.spine.places[0]
    unknown = score[place.state, place.year - context.system.first_year] == gone
    flags[unknown] = missing_of(flags.dtype)
    return flags
