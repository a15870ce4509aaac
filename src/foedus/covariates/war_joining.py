"""Whether a state joined a war, on which side, and when."""

from __future__ import annotations

import numpy as np

from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Rows, Values, missing_of
from foedus.covariates.war_outset import first_sides, wars_of

WORLD_WAR_I, UNITED_STATES, ITALY, SPAIN = 106, 2, 325, 230


@covariate(
    name="war_joining",
    title="Joining a war",
    columns=[
        ColumnSpec("joined", "flag", "1 if the state entered the war after its first "
                   "day; on units by year or month, in that one.",
                   level="row"),
        ColumnSpec("joined_side", "category", "COW side that it entered on; 0 if it stayed out.",
                   unit="0, 1 or 2", level="row"),
        ColumnSpec("joined_attacker", "flag", "1 if it entered on the initiators' side.",
                   level="row"),
        ColumnSpec("joined_attacked", "flag", "1 if it entered on the other side.", level="row"),
        ColumnSpec("delay_days", "integer", "Days from the war's first day to its entry; missing "
                   "if it stayed out.", unit="days", level="row", absent="missing"),
        ColumnSpec("fought_alone", "flag", "1 if the war had one first belligerent on each side.",
                   level="row"),
        ColumnSpec("war_year", "integer", "Year in which the war began.", unit="year",
                   level="row", absent="missing"),
    ],
    sources=["cow_interstate_wars"],
    citations=["sarkees_wayman_2010"],
    units=("war-joiner", "war-joiner-year", "war-joiner-month"),
    examples=[
        Example(
            "The United States joined the First World War on side 1, against the attackers.",
            {"warnum": WORLD_WAR_I, "ccode": UNITED_STATES},
            {"joined": 1, "joined_side": 1, "joined_attacked": 1, "joined_attacker": 0},
            unit="war-joiner",
        ),
        Example(
            "Spain stayed out of it.",
            {"warnum": WORLD_WAR_I, "ccode": SPAIN},
            {"joined": 0, "joined_side": 0, "delay_days": None},
            unit="war-joiner",
        ),
    ],
)  # fmt: skip
def war_joining(context: Context) -> dict[str, Values]:
    """Make the columns of `war_joining`, one value a war and potential joiner."""
    extra = context.spine.extra
    wars = wars_of(context)
    war = extra["war"].astype(np.int64)
    attacker = np.zeros(len(wars.numbers), np.int64)
    alone = np.zeros(len(wars.numbers), np.int8)
    for at in np.unique(war).tolist():
        side, attacker[at] = first_sides(context, wars, at, 0)
        alone[at] = (side == 1).sum() == 1 and (side == 2).sum() == 1
    joined = extra["joined"].astype(bool)
    joined_side = extra["joined_side"].astype(np.int64)
    delay = extra["join_day"].astype(np.int64) - extra["start_day"].astype(np.int64)
    with_attacker = joined & (joined_side == attacker[war])
    return {
        "joined": Rows(joined.astype(np.int8)),
        "joined_side": Rows(joined_side.astype(np.int8)),
        "joined_attacker": Rows(with_attacker.astype(np.int8)),
        "joined_attacked": Rows((joined & ~with_attacker).astype(np.int8)),
        "delay_days": Rows(
            np.where(joined, delay, missing_of(np.dtype(np.int32))).astype(np.int32)
        ),
        "fought_alone": Rows(alone[war]),
        "war_year": Rows(extra["start_year"].astype(np.int32)),
    }
