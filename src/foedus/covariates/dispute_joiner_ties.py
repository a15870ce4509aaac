"""What binds a state to those that began a dispute that it could join."""

from __future__ import annotations

import numpy as np
import polars as pl

from foedus.covariates.atop import (
    LISTED,
    OBLIGATIONS,
    PAIRS,
    RELEASE,
    SECRET,
    WORDS,
    shared_pledges,
)
from foedus.covariates.context import Context
from foedus.covariates.dispute_pairs import SIDES, UNIT, originators_of
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Rows, Values

KINDS = {**OBLIGATIONS, "any": ""}
_WORDS = {**WORDS, "any": "any of ATOP's five obligations"}
JULY_CRISIS, FRANCE, GERMANY, SPAIN = 257, 220, 255, 230


def _columns() -> list[ColumnSpec]:
    made = []
    for kind, word in _WORDS.items():
        for side, where in (("a", " on side A"), ("b", " on side B"), ("any", "")):
            made.append(
                ColumnSpec(
                    f"owes_{kind}_{side}",
                    "flag",
                    f"1 if the state owes {word} to an originator{where}.",
                    level="row",
                )
            )
    return made


@covariate(
    name="dispute_joiner_ties",
    title="A potential joiner's treaties with those that began a dispute",
    columns=[
        *_columns(),
        ColumnSpec("owes_both", "flag", "1 if it owes any obligation to originators on both "
                   "sides.", level="row"),
        ColumnSpec("allied_alone_a", "flag", "1 if it owes an obligation to one on side A and to "
                   "none on side B.", level="row"),
        ColumnSpec("allied_alone_b", "flag", "1 if it owes one to side B and to none on side A.",
                   level="row"),
    ],
    sources=["atop", "mid", "cow_states"],
    citations=["leeds_etal_2002", "palmer_etal_2022"],
    options={"release": RELEASE, "secret": SECRET, "pairs": PAIRS, "listed": LISTED},
    units=(UNIT,),
    coverage_of=("atop",),
    examples=[
        Example(
            "Germany owes defence to Austria-Hungary, which moves on Serbia in 1914.",
            {"dispnum": JULY_CRISIS, "ccode": GERMANY},
            {"owes_defense_a": 1, "owes_defense_b": 0, "owes_any_any": 1, "owes_both": 0},
            unit=UNIT,
        ),
        Example(
            "Spain owes neither anything.",
            {"dispnum": JULY_CRISIS, "ccode": SPAIN},
            {"owes_any_any": 0, "owes_defense_any": 0},
            unit=UNIT,
        ),
    ],
)  # fmt: skip
def dispute_joiner_ties(context: Context) -> dict[str, Values]:
    """Make the columns of `dispute_joiner_ties`; no pact is 0 in ATOP's years."""
    # ASSUME: pledges are those in force on the day before the earliest day on which the dispute
    # can have begun: one that is made once it is on is no earlier commitment.
    spine = context.spine
    asked = pl.DataFrame({name: values.astype(np.int64) for name, values in spine.keys.items()})
    found = asked.join(
        _owed(context), on=["dispnum", "ccode"], how="left", maintain_order="left"
    ).fill_null(0)
    made = {
        f"owes_{kind}_{side}": found[f"{kind}_{side}"].to_numpy().astype(np.int8)
        for kind in KINDS
        for side in SIDES
    }
    for kind in KINDS:
        made[f"owes_{kind}_any"] = np.maximum(made[f"owes_{kind}_a"], made[f"owes_{kind}_b"])
    one, other = made["owes_any_a"], made["owes_any_b"]
    made["owes_both"] = np.minimum(one, other)
    made["allied_alone_a"] = (one & (1 - other)).astype(np.int8)
    made["allied_alone_b"] = (other & (1 - one)).astype(np.int8)
    return {name: Rows(values) for name, values in made.items()}


def _owed(context: Context) -> pl.DataFrame:
    """Return what each state owes to each side of each dispute: one row a (dispnum, ccode)."""
    disputes = context.tables.get("mid", "disputes").select(
        pl.col("dispnum").cast(pl.Int64), day=pl.col("start_min") - pl.duration(days=1)
    )
    began = originators_of(context.tables.get("mid", "participants")).rename({"ccode": "receiver"})
    began = began.join(disputes, on="dispnum")
    pledged = shared_pledges(context).select(
        pl.col("giver").cast(pl.Int64),
        pl.col("receiver").cast(pl.Int64),
        "from_day",
        "to_day",
        **{kind: pl.col(name).fill_null(0) == 1 for kind, name in OBLIGATIONS.items()},
    )
    pledged = pledged.with_columns(any=pl.any_horizontal(*OBLIGATIONS))
    bound = began.join(pledged, on="receiver").filter(
        pl.col("day").is_between(pl.col("from_day"), pl.col("to_day"))
    )
    return bound.group_by("dispnum", ccode=pl.col("giver")).agg(
        (pl.col(kind) & (pl.col("side") == number)).any().cast(pl.Int8).alias(f"{kind}_{side}")
        for kind in KINDS
        for side, number in SIDES.items()
    )
