"""COW inter-state wars between two states."""

from __future__ import annotations

import numpy as np
import polars as pl

from foedus.covariates.conflict import DisputeYears, mark
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import DyadYears, Values
from foedus.panels.spans import each_year, opposing


def war_spells(participants: pl.DataFrame) -> pl.DataFrame:
    """Return one row a spell of fighting: warnum, ccode, side, initiator, start, end.

    A participant that left a war and returned has two spells (StartYear2 and following).
    """
    shared = ["warnum", "ccode", "side", "initiator"]
    first = participants.select(*shared, start="start1", end="end1")
    second = participants.select(*shared, start="start2", end="end2").drop_nulls("start")
    return pl.concat([first, second]).sort("warnum", "ccode", "start")


def war_dyad_years(participants: pl.DataFrame) -> DisputeYears:
    """Return directed war-dyad-years: pairs that fought on opposite sides on the same day."""
    pairs = opposing(war_spells(participants), by="warnum", side="side")
    span, year = each_year(pairs["first_year"].to_numpy(), pairs["last_year"].to_numpy())
    long = (
        pairs.select("warnum", "ccode1", "ccode2", "initiator1", "initiator2")[span]
        .with_columns(year=pl.Series(year))
        .group_by("warnum", "ccode1", "ccode2", "year")
        .agg(pl.col("initiator1").max(), pl.col("initiator2").max())
        .sort("warnum", "ccode1", "ccode2", "year")
        .with_columns(first=pl.col("year").min().over("warnum", "ccode1", "ccode2"))
    )
    onset = (long["year"] == long["first"]).to_numpy()
    began = onset & ((long["initiator1"] == 1) & (long["initiator2"] != 1)).to_numpy()
    unknown = np.zeros(long.height, np.int8)
    return DisputeYears(
        conflict=long["warnum"].to_numpy(),
        ccode1=long["ccode1"].to_numpy(),
        ccode2=long["ccode2"].to_numpy(),
        year=long["year"].to_numpy(),
        onset=onset,
        began=began,
        started=began,
        joined=began,
        hostility=unknown,
        fatality=unknown,
    )


def shared_war_years(context: Context) -> DisputeYears:
    """Return `war_dyad_years`, made once a build."""
    return context.shared(
        "war dyad-years",
        lambda: war_dyad_years(context.tables.get("cow_interstate_wars", "participants")),
    )


@covariate(
    name="war",
    title="COW inter-state war between the two",
    columns=[
        ColumnSpec(
            "war_onset",
            "flag",
            "1 in the first year in which the two fight each other in an inter-state war.",
        ),
        ColumnSpec(
            "war_ongoing",
            "flag",
            "1 if the two fight each other in an inter-state war on any day of the year.",
        ),
        ColumnSpec(
            "war_initiated",
            "flag",
            "1 if they begin to fight this year and COW names state 1, and not state 2, as an "
            "initiator of the war; in undirected dyads, either.",
            collapse="max",
        ),
    ],
    sources=["cow_interstate_wars"],
    citations=["sarkees_wayman_2010"],
    examples=[
        Example(
            "France attacks Spain in 1823 (war 1).",
            {"ccode1": 220, "ccode2": 230, "year": 1823},
            {"war_onset": 1, "war_ongoing": 1, "war_initiated": 1},
        ),
        Example(
            "The second year of the First Russo-Turkish war (4) is ongoing, not onset.",
            {"ccode1": 365, "ccode2": 640, "year": 1829},
            {"war_onset": 0, "war_ongoing": 1, "war_initiated": 0},
        ),
    ],
)
def war(context: Context) -> dict[str, Values]:
    """Make the three `war_` flags; no war is 0 in 1816-2007 and missing after."""
    facts = shared_war_years(context)
    everything = np.ones(len(facts.year), dtype=bool)
    chosen = {"war_onset": facts.onset, "war_ongoing": everything, "war_initiated": facts.began}
    return {name: DyadYears(mark(context.system, facts, which)) for name, which in chosen.items()}
