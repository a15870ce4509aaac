"""What came of an alliance, what its founders brought, and whether COW lists it."""

from __future__ import annotations

import numpy as np
import polars as pl

from foedus.covariates.alliance_facts import ALLIANCE_UNITS, members_of, on_rows
from foedus.covariates.alliance_pledges import majors_cube
from foedus.covariates.atop import RELEASE
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import Values
from foedus.panels.system import day_number
from foedus.panels.war_list import NEVER, WarList, load_wars

DAYS_A_YEAR = 365.25
WON = 1


@covariate(
    name="alliance_outlook",
    title="War after an alliance is made, what its founders were, and whether COW lists it",
    columns=[
        ColumnSpec("alliance_war_ahead", "flag", "1 if a founder enters a COW inter-state war "
                   "within `within` years after the first day; missing where that runs past the "
                   "list.", level="row", absent="missing"),
        ColumnSpec("alliance_joint_war_ahead", "flag", "1 if two founders enter one such war.",
                   level="row", absent="missing"),
        ColumnSpec("alliance_all_major", "flag", "1 if all founders are COW major powers in the "
                   "first year.", level="row", absent="missing"),
        ColumnSpec("alliance_no_major", "flag", "1 if none is.", level="row", absent="missing"),
        ColumnSpec("alliance_last_war_won", "number", "Share of founders that won their last COW "
                   "inter-state war among those with one that had ended by the first day; missing "
                   "if none has one.", unit="share, 0-1", level="row", absent="missing"),
        ColumnSpec("alliance_settles_territory", "flag", "1 if members promise to leave or restore "
                   "territory (ATOP terrres).", level="row", absent="missing"),
        ColumnSpec("alliance_cow3", "flag", "1 if ATOP gives it a number in COW's alliance data, "
                   "version 3 (cowid).", level="row"),
        ColumnSpec("alliance_cow4", "flag", "1 if it gives it one in version 4 (cow4id).",
                   level="row"),
    ],
    sources=["atop", "cow_states", "cow_interstate_wars"],
    citations=["gibler_vasquez_1998", "leeds_etal_2002", "sarkees_wayman_2010"],
    options={
        "release": RELEASE,
        "within": Option(5, "Years within which war must follow.", least=1),
    },
    units=ALLIANCE_UNITS,
    coverage_of=("atop",),
    examples=[
        Example(
            "The Dual Alliance of 1879: Germany won its last war, Austria-Hungary lost its own; no "
            "war within five years.",
            {"atopid": 1335},
            {"alliance_all_major": 1, "alliance_no_major": 0, "alliance_war_ahead": 0,
             "alliance_last_war_won": 0.5, "alliance_settles_territory": 0,
             "alliance_cow3": 1, "alliance_cow4": 1},
            unit="alliance",
        ),
    ],
)  # fmt: skip
def alliance_outlook(context: Context) -> dict[str, Values]:
    """Make the columns, over the members that entered an alliance on its first day.

    The same in each year of the alliance. Gibler & Vasquez (1998) expect war of alliances among
    major powers and of states that won their last war, and peace of those that settle territory.
    """
    rows = founders(context)
    wars = load_wars(context.tables)
    first, last = context.tables.coverage("cow_interstate_wars")
    within = context.options["within"]
    facts = (
        rows.with_columns(major=_majors(context, rows), won=_last_won(rows, wars))
        .group_by("atopid")
        .agg(
            pl.col("year").first(),
            alliance_all_major=pl.col("major").min(), alliance_no_major=1 - pl.col("major").max(),
            alliance_last_war_won=pl.col("won").mean(),
            alliance_settles_territory=pl.col("terrres").max(),
            alliance_cow3=pl.col("cowid").is_not_null().any().cast(pl.Int8),
            alliance_cow4=pl.col("cow4id").is_not_null().any().cast(pl.Int8),
        )
        .join(_ahead(rows, wars, within), on="atopid", how="left")
    )  # fmt: skip
    seen = pl.col("year").is_between(first, last - within)
    ahead = {
        name: pl.when(seen).then((pl.col(count).fill_null(0) >= least).cast(pl.Int8))
        for name, count, least in (
            ("alliance_war_ahead", "entered", 1), ("alliance_joint_war_ahead", "together", 2)
        )
    }  # fmt: skip
    kinds: dict[str, type] = dict.fromkeys(
        (*ahead, "alliance_all_major", "alliance_no_major", "alliance_settles_territory",
         "alliance_cow3", "alliance_cow4"), np.int8,
    )  # fmt: skip
    kinds["alliance_last_war_won"] = np.float64
    return on_rows(context, facts.with_columns(**ahead), ("atopid",), kinds)


def founders(context: Context) -> pl.DataFrame:
    """Return one row a founder: atopid, member, year, day, terrres and COW's two numbers."""
    members = members_of(context)
    first = members.filter(pl.col("start") == pl.col("start").min().over("atopid"))
    rows = (
        first.group_by("atopid", "member")
        .agg(pl.col("start", "cowid", "cow4id").first(), pl.col("terrres").max())
        .sort("atopid", "member")
    )
    return rows.with_columns(
        year=pl.col("start").dt.year().cast(pl.Int64), day=pl.Series(day_number(rows["start"]))
    )


def _majors(context: Context, rows: pl.DataFrame) -> pl.Series:
    """Return which founders are major powers; null past the last year of the list of states."""
    system = context.system
    # ASSUME: the major powers of 1815 are those of the first year of COW's list.
    at = np.maximum(rows["year"].to_numpy() - system.first_year, 0)
    state, inside = system.index(rows["member"].to_numpy()), at < system.n_years
    found = majors_cube(context)[np.maximum(state, 0), np.minimum(at, system.n_years - 1)]
    flags = pl.DataFrame({"flag": (found & (state >= 0)).astype(np.int8), "inside": inside})
    return flags.select(pl.when("inside").then("flag"))["flag"]


def _ahead(rows: pl.DataFrame, wars: WarList, within: int) -> pl.DataFrame:
    """Return how many founders enter a war within the window, and most of them in one war."""
    known = wars.start != NEVER
    entries = pl.DataFrame(
        {"member": wars.ccode[known], "warnum": wars.warnum[known], "entry": wars.start[known]}
    )
    gap = pl.col("entry") - pl.col("day")
    inside = (
        rows.select("atopid", pl.col("member").cast(pl.Int64), "day")
        .join(entries, on="member")
        .filter((gap > 0) & (gap <= round(within * DAYS_A_YEAR)))
    )
    by_war = inside.group_by("atopid", "warnum").agg(together=pl.col("member").n_unique())
    return (
        inside.group_by("atopid")
        .agg(entered=pl.col("member").n_unique())
        .join(by_war.group_by("atopid").agg(pl.col("together").max()), on="atopid")
    )


def _last_won(rows: pl.DataFrame, wars: WarList) -> pl.Series:
    """Return whether each founder won its last war that had ended; null without one."""
    known = wars.end != NEVER
    ends = pl.DataFrame(
        {
            "member": wars.ccode[known],
            "over": wars.end[known],
            "won": (wars.outcome[known] == WON).astype(np.float64),
            "warnum": wars.warnum[known],
        }
    ).sort("over", "warnum")
    asked = rows.select(pl.col("member").cast(pl.Int64), "day").with_row_index().sort("day")
    met = asked.join_asof(
        ends, left_on="day", right_on="over", by="member", strategy="backward",
        check_sortedness=False,
    )  # fmt: skip
    return met.sort("index")["won"]
