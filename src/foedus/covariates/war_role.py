"""What part a state took in a war: side, entry, initiative, end, losses."""

from __future__ import annotations

import numpy as np

from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Rows, Values, missing_of
from foedus.covariates.war_outset import wars_of
from foedus.panels.system import year_of
from foedus.panels.war_list import NEVER

_SWITCHED = {"warnum": 139, "ccode": 325}


@covariate(
    name="war_role",
    title="A state's part in a war",
    columns=[
        ColumnSpec("side", "category", "Side that it entered on (COW Side).", unit="1 or 2",
                   level="row", absent="missing"),
        ColumnSpec("switched_sides", "flag", "1 if it fought on both sides in turn.", level="row"),
        ColumnSpec("initiator", "flag", "1 if COW names it an initiator.", level="row"),
        ColumnSpec("originator", "flag", "1 if it was at war on the war's first day.", level="row"),
        ColumnSpec("joiner", "flag", "1 if it came in after the first day.", level="row"),
        ColumnSpec("entry_year", "integer", "Year in which it entered.", unit="year", level="row"),
        ColumnSpec("entry_delay_days", "integer", "Days from the war's first day to its entry.",
                   unit="days", level="row"),
        ColumnSpec("days_at_war", "integer", "Days from its entry to the end of its last spell, "
                   "both included; truces and the gap between two spells are not taken out.",
                   unit="days", level="row", absent="missing"),
        ColumnSpec("outcome", "category", "How the war ended for it (COW Outcome of its last "
                   "spell: 1 won, 2 lost, 3 compromise, 4 became part of another war, 5 continues "
                   "in 2007, 6 stalemate, 7 below war level, 8 changed sides).",
                   unit="code 1-8", level="row", absent="missing"),
        ColumnSpec("deaths", "number", "Its battle deaths over all its spells; missing if those of "
                   "any spell are unknown.", unit="deaths", level="row", absent="missing"),
        ColumnSpec("n_opponents", "count", "States on the other side than the one it entered on.",
                   unit="states", level="row"),
    ],
    sources=["cow_interstate_wars"],
    citations=["sarkees_wayman_2010"],
    units=("war-participant",),
    examples=[
        Example(
            "Italy entered the Second World War on side 2 and changed over in 1943.",
            _SWITCHED,
            {"side": 2, "switched_sides": 1, "deaths": 226900.0, "joiner": 1, "entry_year": 1940},
            unit="war-participant",
        ),
        Example(
            "France began the war with Spain in 1823 and lost 400 men.",
            {"warnum": 1, "ccode": 220},
            {"initiator": 1, "originator": 1, "deaths": 400.0, "outcome": 1},
            unit="war-participant",
        ),
    ],
)  # fmt: skip
def war_role(context: Context) -> dict[str, Values]:
    """Make the columns of `war_role`, one value a state a war."""
    wars = wars_of(context)
    entry = context.spine.extra["entry"].astype(np.int64)
    states = wars.states
    first_day = context.spine.extra["start_day"].astype(np.int64)
    start, end = states.start[entry], states.end[entry]
    days = np.where(end == NEVER, missing_of(np.dtype(np.int32)), end - start + 1)
    outcome = states.outcome[entry]
    opponents = [
        len(np.unique(wars.ccode[(wars.warnum == warnum) & (wars.side != side)]))
        for warnum, side in zip(states.warnum[entry], states.side[entry], strict=True)
    ]
    return {
        "side": Rows(states.side[entry].astype(np.int8)),
        "switched_sides": Rows((states.side != states.last_side)[entry].astype(np.int8)),
        "initiator": Rows(states.initiator[entry].astype(np.int8)),
        "originator": Rows(states.original[entry].astype(np.int8)),
        "joiner": Rows((~states.original[entry]).astype(np.int8)),
        "entry_year": Rows(year_of(start).astype(np.int32)),
        "entry_delay_days": Rows((start - first_day).astype(np.int32)),
        "days_at_war": Rows(days.astype(np.int32)),
        "outcome": Rows(
            np.where(outcome < 0, missing_of(np.dtype(np.int8)), outcome).astype(np.int8)
        ),
        "deaths": Rows(states.deaths[entry]),
        "n_opponents": Rows(np.array(opponents, np.int32)),
    }
