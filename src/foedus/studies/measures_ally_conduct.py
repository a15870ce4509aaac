"""What allies did when one of them was at war, whatever their treaty asked of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from foedus.covariates.atop import LISTED, OBLIGATIONS, pledges
from foedus.covariates.registry import Option
from foedus.panels.system import StateSystem, day_number
from foedus.panels.units import load_system
from foedus.panels.war_list import WarList, load_wars
from foedus.sources.tables import Tables
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure
from foedus.studies.measures_reliability import share_rows

OUTCOMES = ("beside", "stayed out", "against")
_WORLD_WARS = (106, 139)


@measure(
    "ally_conduct",
    says="Shares of occasions on which an ally at war was fought beside, left alone, or fought.",
    citations=["sabrosky_1980", "leeds_etal_2002", "sarkees_wayman_2010"],
    options={
        "release": Option("5.1", "Release of ATOP.", ("5.1", "4.01")),
        "listed": LISTED,
        "kind": Option("any", "Which obligation makes an alliance.", ("any", *OBLIGATIONS)),
        "count": Option("pairs", "What is counted in a war: pairs of allies, or alliances.",
                        ("pairs", "alliances")),
        "world_wars": Option("keep", "Whether the two world wars count.", ("keep", "leave out")),
        "first": Option(1816, "First year in which a war begins.", least=1816, most=2007),
        "last": Option(1965, "Last such year.", least=1816, most=2007),
    },
    terms=[f"{what} {outcome}" for what in ("share", "n") for outcome in OUTCOMES]
    + ["occasions", "wars"],
)  # fmt: skip
def ally_conduct(context: MeasureContext) -> MeasureResult:
    """Count occasions, and give the three shares with intervals.

    An occasion is a COW inter-state war and two members of the system that were allied on the day
    before the first of them entered it. They fought beside each other if both were in the war on
    one side, against each other if on different sides (by their first spells), and else the other
    stayed out. By alliance: beside, if any partner of the first of its members to enter came to
    its side; against, if none did and one came on the other.
    """
    found = occasions(context.tables, context.options)
    if context.options["count"] == "alliances":
        found = by_alliance(found)
    else:
        found = found.unique(["warnum", "one", "other"], maintain_order=True)
    rows: list[MeasureRow] = []
    for outcome in OUTCOMES:
        n = int((found["outcome"] == outcome).sum())
        rows += share_rows(f"share {outcome}", n, found.height)
        rows.append(MeasureRow(f"n {outcome}", float(n), kind="count", n=found.height))
    rows.append(MeasureRow("occasions", float(found.height), kind="count", n=found.height))
    wars = float(found["warnum"].n_unique())
    rows.append(MeasureRow("wars", wars, kind="count", n=found.height))
    listed = found.filter(pl.col("outcome") == "against").to_dicts()
    return MeasureResult(rows, tables={"Allies that fought against each other": listed})


def occasions(tables: Tables, options: dict[str, Any]) -> pl.DataFrame:
    """Return a row a (war, pair of allies, alliance): the first to enter, the other, the outcome.

    Parameters
    ----------
    options : dict
        release, listed, kind, world_wars, first and last of `ally_conduct`.
    """
    entries = _entries(load_wars(tables), options)
    bound = _bound(tables, options)
    system = load_system(tables)
    # ASSUME: two states that enter on the same day are one occasion, told from the lower number.
    pairs = entries.join(bound, left_on="ccode", right_on="one").filter(
        pl.col("eve").is_between(pl.col("from_day"), pl.col("to_day"))
    )
    others = entries.select("warnum", other="ccode", other_side="side", other_eve="eve")
    pairs = pairs.join(others, on=["warnum", "other"], how="left")
    later = pl.col("other_eve").is_null() | (pl.col("other_eve") > pl.col("eve"))
    same = (pl.col("other_eve") == pl.col("eve")) & (pl.col("ccode") < pl.col("other"))
    pairs = pairs.filter(later | same)
    pairs = pairs.filter(pl.Series(_members(system, pairs)))
    outcome = (
        pl.when(pl.col("other_side").is_null())
        .then(pl.lit(OUTCOMES[1]))
        .when(pl.col("other_side") == pl.col("side"))
        .then(pl.lit(OUTCOMES[0]))
        .otherwise(pl.lit(OUTCOMES[2]))
    )
    return pairs.select("warnum", "atopid", "eve", "other", one="ccode", outcome=outcome).sort(
        "warnum", "one", "other", "atopid"
    )


def by_alliance(found: pl.DataFrame) -> pl.DataFrame:
    """Return a row a (war, alliance), told from the first of its members to enter."""
    first = found.filter(pl.col("eve") == pl.col("eve").min().over("warnum", "atopid"))
    ranked = first.with_columns(
        rank=pl.col("outcome").replace_strict(dict(zip(OUTCOMES, (0, 2, 1), strict=True)))
    )
    return (
        ranked.sort("warnum", "atopid", "rank", "one", "other")
        .unique(["warnum", "atopid"], keep="first", maintain_order=True)
        .drop("rank")
    )


def _entries(wars: WarList, options: dict[str, Any]) -> pl.DataFrame:
    """Return the states of the wars asked for, with the eve of each one's entry."""
    asked = (wars.start_year >= options["first"]) & (wars.start_year <= options["last"])
    chosen = wars.numbers[asked]
    if options["world_wars"] == "leave out":
        chosen = chosen[~np.isin(chosen, _WORLD_WARS)]
    states = wars.states
    kept = np.isin(states.warnum, chosen)
    return pl.DataFrame(
        {
            "warnum": states.warnum[kept],
            "ccode": states.ccode[kept],
            "side": states.side[kept],
            "eve": states.start[kept] - 1,
        }
    )


def _bound(tables: Tables, options: dict[str, Any]) -> pl.DataFrame:
    """Return who was in an alliance with whom from day to day, in both directions."""
    rows = pledges(tables, options["release"], "include", listed=options["listed"])
    kinds = OBLIGATIONS.values() if options["kind"] == "any" else [OBLIGATIONS[options["kind"]]]
    rows = rows.filter(pl.any_horizontal(pl.col(name).fill_null(0) == 1 for name in kinds))
    days = {
        "from_day": pl.Series(day_number(rows["from_day"])),
        "to_day": pl.Series(day_number(rows["to_day"])),
    }
    rows = rows.with_columns(pl.col("giver", "receiver", "atopid").cast(pl.Int64), **days)
    columns = ("atopid", "from_day", "to_day")
    return pl.concat(
        [
            rows.select(*columns, one="giver", other="receiver"),
            rows.select(*columns, one="receiver", other="giver"),
        ]
    ).unique()


def _members(system: StateSystem, pairs: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return the pairs of which both were members of the system on the eve or the day after."""
    inside = np.ones(pairs.height, dtype=bool)
    day = pairs["eve"].to_numpy() + 1
    for name in ("ccode", "other"):
        state = system.index(pairs[name].to_numpy())
        spell_of = system.spell_state[None, :] == state[:, None]
        running = (system.spell_start <= day[:, None]) & (system.spell_end >= day[:, None])
        inside &= (spell_of & running).any(axis=1)
    return inside
