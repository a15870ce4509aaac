"""Whether and when a state joined a dispute, and on which side."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.context import Context
from foedus.covariates.dispute_pairs import UNIT
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Rows, Values, missing_of
from foedus.panels.system import day_number

_FORCE = 4
GULF, SAUDI_ARABIA, SWITZERLAND = 3957, 670, 225


def _row(name: str, kind: str, says: str, unit: str = "0/1", absent: str = "zero") -> ColumnSpec:
    return ColumnSpec(name, kind, says, unit=unit, level="row", absent=absent)  # type: ignore[arg-type]


@covariate(
    name="dispute_joining",
    title="Joining a dispute",
    columns=[
        _row("joined", "flag", "1 if the state took part in the dispute and was no originator of "
             "it (MIDB orig)."),
        _row("joined_a", "flag", "1 if it joined on side A, which took the first military action."),
        _row("joined_b", "flag", "1 if it joined on side B."),
        _row("joined_side", "category", "0 stayed out, 1 joined side A, 2 joined side B.",
             "0, 1 or 2"),
        _row("joined_force", "flag", "1 if it joined and used force (its hostility 4 or 5)."),
        _row("delay_days", "integer", "Days from the earliest day on which the dispute can have "
             "begun to the earliest on which the state can have joined; missing if it stayed out.",
             "days", "missing"),
        _row("days_at_risk", "count", "Days for which it could have joined: until it did, else "
             "until the latest day on which the dispute can have ended; at least 1.", "days"),
    ],
    sources=["mid"],
    citations=["palmer_etal_2022"],
    units=(UNIT,),
    examples=[
        Example(
            "Iraq moves on Kuwait in 1990: Saudi Arabia joins on Kuwait's side and uses force.",
            {"dispnum": GULF, "ccode": SAUDI_ARABIA},
            {"joined": 1, "joined_b": 1, "joined_a": 0, "joined_side": 2, "joined_force": 1},
            unit=UNIT,
        ),
        Example(
            "Switzerland stays out of it.",
            {"dispnum": GULF, "ccode": SWITZERLAND},
            {"joined": 0, "joined_side": 0, "delay_days": None},
            unit=UNIT,
        ),
    ],
)  # fmt: skip
def dispute_joining(context: Context) -> dict[str, Values]:
    """Make the columns of `dispute_joining`, one value a dispute and potential joiner."""
    extra = context.spine.extra
    joined = extra["joined"].astype(bool)
    side, start = extra["join_side"].astype(np.int64), extra["start_day"].astype(np.int64)
    delay = np.where(joined, extra["join_day"].astype(np.int64) - start, 0)
    force = extra["join_hostility"].astype(np.int64) >= _FORCE
    last = _last_days(context) - start + 1
    made = {
        "joined": joined.astype(np.int8),
        "joined_a": (side == 1).astype(np.int8),
        "joined_b": (side == 2).astype(np.int8),
        "joined_side": side.astype(np.int8),
        "joined_force": (joined & force).astype(np.int8),
        "delay_days": np.where(joined, delay, missing_of(np.dtype(np.int32))).astype(np.int32),
        "days_at_risk": np.maximum(np.where(joined, delay, last), 1).astype(np.int32),
    }
    return {name: Rows(values) for name, values in made.items()}


def _last_days(context: Context) -> NDArray[np.int64]:
    """Return the latest day on which each row's dispute can have ended, since 1970-01-01."""
    disputes = context.tables.get("mid", "disputes").select(
        pl.col("dispnum").cast(pl.Int64), "end_max"
    )
    asked = pl.DataFrame({"dispnum": context.spine.keys["dispnum"].astype(np.int64)})
    ends = asked.join(disputes, on="dispnum", how="left", maintain_order="left")["end_max"]
    return day_number(ends)
