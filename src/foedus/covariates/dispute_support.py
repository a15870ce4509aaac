"""Who came to stand beside a state, or against it, in a dispute."""

from __future__ import annotations

import numpy as np
import polars as pl

from foedus.covariates.alliance_facts import on_rows
from foedus.covariates.context import Context
from foedus.covariates.dispute_pairs import originators_of, with_cinc
from foedus.covariates.nmc import RELEASE as NMC_RELEASE
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Values
from foedus.panels.dispute_joiner_units import joiners_of

_KIND: dict[str, type] = {
    "joiners_own": np.int16, "joiners_other": np.int16, "helped": np.int8,
    "originators_own": np.int16, "originators_other": np.int16, "opponents_cinc": np.float64,
}  # fmt: skip
JULY_CRISIS, SERBIA, AUSTRIA_HUNGARY = 257, 345, 300


def _row(name: str, kind: str, says: str, unit: str = "states", absent: str = "zero") -> ColumnSpec:
    return ColumnSpec(name, kind, says, unit=unit, level="row", absent=absent)  # type: ignore[arg-type]


@covariate(
    name="dispute_support",
    title="Who joined a dispute beside a state, and against it",
    columns=[
        _row("joiners_own", "count", "Other states that joined on its side after the first day "
             "(MIDB orig 0)."),
        _row("joiners_other", "count", "States that joined on the other side."),
        _row("helped", "flag", "1 if any joined on its side.", "0/1"),
        _row("originators_own", "count", "Other originators on its side."),
        _row("originators_other", "count", "Originators on the other side."),
        _row("opponents_cinc", "number", "Summed CINC of the originators on the other side in the "
             "dispute's first year; missing if one's is.", "share, 0-1", "missing"),
    ],
    sources=["mid", "cow_nmc", "cow_states"],
    citations=["palmer_etal_2022", "singer_etal_1972"],
    options={"nmc": NMC_RELEASE},
    units=("dispute-participant",),
    coverage_of=("mid",),
    examples=[
        Example(
            "1914: three states join Austria-Hungary's side, ten that of Serbia.",
            {"dispnum": JULY_CRISIS, "ccode": SERBIA},
            {"joiners_own": 10, "joiners_other": 3, "helped": 1, "originators_own": 0,
             "originators_other": 1},
            unit="dispute-participant",
        ),
    ],
)  # fmt: skip
def dispute_support(context: Context) -> dict[str, Values]:
    """Make the columns of `dispute_support`, one value a dispute and state in it."""
    participants = context.tables.get("mid", "participants")
    began, came = originators_of(participants), joiners_of(participants)
    joined = pl.DataFrame({"dispnum": came.dispnum, "ccode": came.ccode, "side": came.side})
    everyone = pl.concat(
        [
            began.with_columns(began=pl.lit(1, pl.Int64), came=pl.lit(0, pl.Int64)),
            joined.with_columns(began=pl.lit(0, pl.Int64), came=pl.lit(1, pl.Int64)),
        ]
    )
    everyone, _ = with_cinc(context, everyone)
    # Missing is not zero: a sum of which one is unknown is unknown.
    strength = pl.when(pl.col("cinc").null_count() == 0).then(pl.col("cinc").sum())
    first = (
        everyone.filter(pl.col("began") == 1)
        .group_by("dispnum", "side")
        .agg(opponents_cinc=strength)
    )
    sums = everyone.group_by("dispnum", "side").agg(pl.col("began").sum(), pl.col("came").sum())
    other = sums.join(first, on=["dispnum", "side"], how="left").with_columns(
        side=3 - pl.col("side")
    )
    facts = (
        everyone.join(sums, on=["dispnum", "side"], suffix="_own")
        .join(other, on=["dispnum", "side"], how="left", suffix="_other")
        .select(
            "dispnum",
            "ccode",
            joiners_own=pl.col("came_own") - pl.col("came"),
            joiners_other=pl.col("came_other").fill_null(0),
            helped=(pl.col("came_own") - pl.col("came") > 0).cast(pl.Int64),
            originators_own=pl.col("began_own") - pl.col("began"),
            originators_other=pl.col("began_other").fill_null(0),
            opponents_cinc="opponents_cinc",
        )
    )
    return on_rows(context, facts, ("dispnum", "ccode"), _KIND)
