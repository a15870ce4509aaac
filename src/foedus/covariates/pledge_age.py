"""How old the pledges are that a target can call on: there from the pair's beginning, or later.

Unit: a directed dyad-year, 1 the potential challenger, 2 the target. Kenwick & Vasquez (2017) tell
pacts that a target already held when the pair came into being from those that it signed since, and
the latter by their age. A pact counts by its ATOP number: a phase that follows another is no new
pact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.alliance_pledges import (
    CONDITION_OPTIONS,
    PACT_OPTIONS,
    of_pacts,
    unconditioned,
)
from foedus.covariates.atop import PAIRS, RELEASE, SECRET, shared_pledges
from foedus.covariates.atop_third_party import THREATS, binds_named_only
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Rows, Values, missing_of
from foedus.panels.spans import each_year

NEVER = 32_000
"""Start year that stands for no pledge among oldest starts (and 0 among newest)."""


@dataclass(frozen=True)
class Starts:
    """For each row: since what year the oldest and the newest applicable pact have been held."""

    oldest: NDArray[np.int16]
    newest: NDArray[np.int16]


def _spec(name: str, kind: str, says: str, absent: str = "zero") -> ColumnSpec:
    unit = "years" if kind == "count" else "0/1"
    return ColumnSpec(name, kind, says, unit=unit, level="row", collapse="none", absent=absent)  # type: ignore[arg-type]


@covariate(
    name="pledge_age",
    title="Age of the defence pledges that the target can call on",
    columns=[
        _spec("target_defense_inherited", "flag", "1 if 2 holds, from a third state and applicably "
              "against 1, a defence pledge by a pact that it held so in the first year of the "
              "pair."),
        _spec("target_defense_later", "flag", "1 if 2 holds one by a pact that it didn't hold so "
              "in the first year of the pair."),
        _spec("target_defense_gained", "flag", "1 if it has come to hold such a pact this year; 0 "
              "in the pair's first year."),
        _spec("target_defense_oldest", "count", "Years since 2 has held, without a break, the "
              "applicable pact that it has held longest; missing without one.", "missing"),
        _spec("target_defense_newest", "count", "Years since 2 has held the one that it came to "
              "hold last; missing without one.", "missing"),
    ],
    sources=["atop", "cow_states"],
    citations=["kenwick_vasquez_2017", "leeds_etal_2002", "johnson_leeds_2011"],
    options={
        "release": RELEASE, "secret": SECRET, "pairs": PAIRS, "threats": THREATS,
        **PACT_OPTIONS, **CONDITION_OPTIONS,
    },
    units=("directed-dyad-year",),
    coverage_of=("atop",),
    examples=[
        Example(
            "France holds NATO against the Soviet Union since 1949; a pair of 1816 didn't begin "
            "with it.",
            {"ccode1": 365, "ccode2": 220, "year": 1955},
            {"target_defense_inherited": 0, "target_defense_later": 1, "target_defense_gained": 0},
        ),
        Example(
            "Portugal brought NATO into its pair with Angola, which began in 1975.",
            {"ccode1": 540, "ccode2": 235, "year": 1980},
            {"target_defense_inherited": 1, "target_defense_later": 0},
        ),
        Example(
            "Switzerland holds nothing.",
            {"ccode1": 220, "ccode2": 225, "year": 1900},
            {"target_defense_inherited": 0, "target_defense_later": 0,
             "target_defense_newest": None},
        ),
    ],
)  # fmt: skip
def pledge_age(context: Context) -> dict[str, Values]:
    """Make the two flags, the year's gain and the ages.

    The first year of a pair is the first in which both were members of the system; a pledge counts
    by the rules of `atop_third_party`.
    """
    starts = pledge_starts(context)
    year = context.spine.places[0].year.astype(np.int16)
    held = starts.newest > 0
    first = _first_year_of_pair(context)
    later = held & (starts.newest > first)
    none = missing_of(np.dtype(np.int16))
    return {
        "target_defense_inherited": Rows((held & (starts.oldest <= first)).astype(np.int8)),
        "target_defense_later": Rows(later.astype(np.int8)),
        "target_defense_gained": Rows((later & (starts.newest == year)).astype(np.int8)),
        "target_defense_oldest": Rows(np.where(held, year - starts.oldest, none)),
        "target_defense_newest": Rows(np.where(held, year - starts.newest, none)),
    }


def pledge_starts(context: Context) -> Starts:
    """Return since when each row's target has held its oldest and newest applicable pact.

    Pacts that bind against anyone are facts of the holder; the rows of which a pact's only giver is
    the challenger itself, and those of adversaries that a pact names, are put right one by one.
    """
    spine, system = context.spine, context.system
    rows = shared_pledges(context).filter(pl.col("defense") == 1)
    rows = unconditioned(of_pacts(rows, context.options), "defense", context.options)
    only_named = binds_named_only(context, "defcoadv")
    general = _since(_in_system(context, rows.filter(~only_named)), [])
    shape = (system.n_states, system.n_years)
    oldest, newest = np.full(shape, NEVER, np.int16), np.zeros(shape, np.int16)
    by_holder = general.group_by("receiver", "year").agg(
        oldest=pl.col("start").min(), newest=pl.col("start").max()
    )
    place = (system.index(by_holder["receiver"].to_numpy()), _at(context, by_holder))
    oldest[place], newest[place] = by_holder["oldest"], by_holder["newest"]
    held = spine.state_positions[1]
    found = Starts(oldest.take(held), newest.take(held))
    _put(context, _without_own(general), found)
    _join(context, _against_named(context, rows.filter(only_named)), found)
    return found


def _in_system(context: Context, rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row a (giver, receiver, pact, year) whose giver is a member in the year."""
    span, year = each_year(rows["first_year"].to_numpy(), rows["last_year"].to_numpy())
    columns = ["giver", "receiver", "atopid", *(c for c in ("adversary",) if c in rows.columns)]
    yearly = rows.select(columns)[span].with_columns(year=pl.Series(year).cast(pl.Int64)).unique()
    system = context.system
    at, giver = _at(context, yearly), system.index(yearly["giver"].to_numpy())
    inside = (at >= 0) & (at < system.n_years) & (giver >= 0)
    inside &= system.index(yearly["receiver"].to_numpy()) >= 0
    inside[inside] = system.member[giver[inside], at[inside]]
    return yearly.filter(pl.Series(inside))


def _at(context: Context, rows: pl.DataFrame) -> NDArray[np.int64]:
    return rows["year"].to_numpy().astype(np.int64) - context.system.first_year


def _since(yearly: pl.DataFrame, more: list[str]) -> pl.DataFrame:
    """Return one row a (receiver, pact, year): its sole giver, if any, and since when it is held.

    A pact is held since the first year of the unbroken run of years in which it stands.
    """
    key = ["receiver", "atopid", *more]
    return (
        yearly.group_by(*key, "year")
        .agg(n=pl.len(), sole=pl.col("giver").min())
        .sort(*key, "year")
        .with_columns(
            sole=pl.when(pl.col("n") == 1).then("sole"),
            begins=pl.col("year") != pl.col("year").shift(1).over(key) + 1,
        )
        .with_columns(
            start=pl.when(pl.col("begins").fill_null(True)).then("year").forward_fill().over(key)
        )
    )


def _without_own(general: pl.DataFrame) -> pl.DataFrame:
    """Return the starts of holders against a challenger that is some pact's only giver to them."""
    own = general.filter(pl.col("sole").is_not_null())
    own = own.select("receiver", "year", adversary="sole").unique()
    rest = own.join(general, on=["receiver", "year"]).with_columns(
        start=pl.when(pl.col("sole").is_null() | (pl.col("sole") != pl.col("adversary"))).then(
            "start"
        )
    )
    return rest.group_by("receiver", "adversary", "year").agg(
        oldest=pl.col("start").min().fill_null(NEVER), newest=pl.col("start").max().fill_null(0)
    )


def _against_named(context: Context, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the starts of holders against the states that their pacts name."""
    kept = ["giver", "receiver", "atopid", "first_year", "last_year"]
    named = pl.concat(
        [rows.select(*kept, adversary=column) for column in ("statthr1", "statthr2")]
    ).filter(
        pl.col("adversary").fill_null(0) > 0,
        pl.col("adversary") != pl.col("giver"),
        pl.col("adversary") != pl.col("receiver"),
    )
    since = _since(_in_system(context, named), ["adversary"])
    return since.group_by("receiver", "adversary", "year").agg(
        oldest=pl.col("start").min(), newest=pl.col("start").max()
    )


def _rows_of(context: Context, facts: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the rows of the spine that facts about (challenger, holder, year) stand on."""
    system = context.system
    first, second = (system.index(facts[name].to_numpy()) for name in ("adversary", "receiver"))
    position = (first * system.n_states + second) * system.n_years + _at(context, facts)
    row, found = context.spine.find(np.where((first < 0) | (second < 0), -1, position))
    return row[found], found


def _put(context: Context, facts: pl.DataFrame, starts: Starts) -> None:
    """Set the starts of the rows that the facts speak of, in place."""
    row, found = _rows_of(context, facts)
    starts.oldest[row] = facts["oldest"].to_numpy()[found]
    starts.newest[row] = facts["newest"].to_numpy()[found]


def _join(context: Context, facts: pl.DataFrame, starts: Starts) -> None:
    """Let the facts' starts count besides those that the rows have, in place."""
    row, found = _rows_of(context, facts)
    starts.oldest[row] = np.minimum(starts.oldest[row], facts["oldest"].to_numpy()[found])
    starts.newest[row] = np.maximum(starts.newest[row], facts["newest"].to_numpy()[found])


def _first_year_of_pair(context: Context) -> NDArray[np.int16]:
    """Return for each row the first year in which both of its states were members."""
    system = context.system
    member = system.member
    # int8 products of memberships would overflow; one state at a time keeps them boolean and small.
    first = np.array([(own & member).argmax(axis=1) for own in member], np.int16)
    challenger, target = (place.state for place in context.spine.places)
    return np.asarray(first[challenger, target] + np.int16(system.first_year))
