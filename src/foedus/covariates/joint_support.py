"""Two states with their troops on one side of a third party's conflict, from UCDP's list."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import DyadYears, StateYears, Values
from foedus.sources.state_codes import cow_of_gw

_EPISODE = ("conflict_id", "start_date2", "side")


def supporters(conflicts: pl.DataFrame) -> pl.DataFrame:
    """Return the states with troops on a side of a conflict that isn't theirs, by year.

    Parameters
    ----------
    conflicts : polars.DataFrame
        ucdp_acd/conflict_years.

    Returns
    -------
    polars.DataFrame
        conflict_id, start_date2, side (1, 2), ccode, year, once each, and `begun`: whether it is
        the state's first year on that side in the episode. States that COW lacks are left out.
    """
    year = pl.col("year").cast(pl.Int32)
    parts = [
        conflicts.drop_nulls(column).select(
            "conflict_id",
            "start_date2",
            year.alias("year"),
            side=pl.lit(side, pl.Int8),
            ccode=cow_of_gw(pl.col(column), year),
        )
        for side, column in ((1, "gwno_a_2nd"), (2, "gwno_b_2nd"))
    ]
    rows = pl.concat(parts).drop_nulls("ccode").unique()
    first = pl.col("year").min().over(*_EPISODE, "ccode")
    return rows.with_columns(begun=pl.col("year") == first).sort(*_EPISODE, "year", "ccode")


@covariate(
    name="joint_support",
    title="Troops on one side of a third party's conflict",
    columns=[
        ColumnSpec("joint_support", "flag", "1 if both have troops on the same side of a UCDP "
                   "conflict to which neither is a party, in the year."),
        ColumnSpec("joint_support_begun", "flag", "1 if it is the first year in which both are on "
                   "that side in the episode."),
        ColumnSpec("support_begun", "count", "Conflicts (sides of an episode) in which the state "
                   "has troops for the first time.", unit="conflicts", level="state"),
    ],
    sources=["ucdp_acd", "cow_states"],
    citations=["gleditsch_etal_2002"],
    coverage_of=("ucdp_acd",),
    examples=[
        Example(
            "The United States and the United Kingdom are with Afghanistan's new government from "
            "2003.",
            {"ccode1": 2, "ccode2": 200, "year": 2003},
            {"joint_support": 1, "joint_support_begun": 1},
        ),
        Example(
            "In 2006 they are there and in Iraq, in neither for the first time.",
            {"ccode1": 2, "ccode2": 200, "year": 2006},
            {"joint_support": 1, "joint_support_begun": 0},
        ),
    ],
)  # fmt: skip
def joint_support(context: Context) -> dict[str, Values]:
    """Make `joint_support`, `joint_support_begun` and `support_begun`; no record is 0.

    UCDP names secondary parties by year. A pair has begun in the year in which the later of the two
    comes to the side on which the other is in that year.
    """
    rows = supporters(context.tables.get("ucdp_acd", "conflict_years"))
    system = context.system
    made: dict[str, Values] = {}
    if "support_begun" in context.wanted:
        counts = np.zeros((system.n_states, system.n_years), np.int32)
        new = rows.filter("begun")
        state = system.index(new["ccode"].to_numpy())
        at = new["year"].to_numpy() - system.first_year
        inside = (state >= 0) & (at >= 0) & (at < system.n_years)
        np.add.at(counts, (state[inside], at[inside]), 1)
        made["support_begun"] = StateYears(counts)
    if context.wanted & {"joint_support", "joint_support_begun"}:
        pairs = rows.join(rows, on=[*_EPISODE, "year"], suffix="2").filter(
            pl.col("ccode") != pl.col("ccode2")
        )
        first = pl.col("year").min().over(*_EPISODE, "ccode", "ccode2")
        made["joint_support"] = DyadYears(_flags(context, pairs))
        made["joint_support_begun"] = DyadYears(
            _flags(context, pairs.filter(pl.col("year") == first))
        )
    return made


def _flags(context: Context, pairs: pl.DataFrame) -> NDArray[np.int8]:
    flags = empty_dyads(context.system, np.int8)
    place, _ = dyad_positions(
        context.system, *(pairs[name].to_numpy() for name in ("ccode", "ccode2", "year"))
    )
    flags[place] = 1
    return dyad_cube(context.system, flags)
