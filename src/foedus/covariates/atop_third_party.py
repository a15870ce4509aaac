"""What third states have promised a dyad's two sides: the heart of the deterrence argument.

Unit: a directed dyad-year, 1 the potential challenger, 2 the target (Leeds 2003, Johnson & Leeds
2011). A third state is a member of the system that year, and neither 1 nor 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.alliance_pledges import (
    CONDITION_OPTIONS,
    GIVERS,
    NUCLEAR,
    PACT_OPTIONS,
    giver_mask,
    of_pacts,
    unconditioned,
)
from foedus.covariates.atop import PAIRS, RELEASE, SECRET, flag_cube, shared_pledges
from foedus.covariates.context import Context
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import Rows, Values, within_years
from foedus.panels.spans import each_year
from foedus.panels.system import distinct

# What is counted: who of the dyad holds the pledge, which obligation, and ATOP's flag for "only
# against a specific adversary".
HOLDINGS = {
    "target_defense": ("target", "defense", "defcoadv"),
    "challenger_offense": ("challenger", "offense", "offcoadv"),
    "challenger_neutrality": ("challenger", "neutrality", "neucoadv"),
    "challenger_defense": ("challenger", "defense", "defcoadv"),
    "target_offense": ("target", "offense", "offcoadv"),
    "target_neutrality": ("target", "neutrality", "neucoadv"),
}
_ATOP_NAME = {"defense": "defense", "offense": "offense", "neutrality": "neutral"}
THREATS = Option(
    "apply",
    "Whom a pledge binds against. apply: the states the treaty names, where the obligation is "
    "conditional on the adversary; named: the named states wherever any are named; ignore: anyone.",
    ("apply", "named", "ignore"),
)
COMMON = Option(
    "count",
    "Pacts that bind the holder's adversary of the dyad as well: they count as the others do, or "
    "are dropped.",
    ("count", "drop"),
)
# (giver, holder, the holder's adversary, year index), as four arrays.
Quadruples = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Holding:
    """For each row of the spine: how many third states have pledged, and their summed CINC."""

    count: NDArray[np.int16]
    cinc: NDArray[np.float64]


def binds_named_only(context: Context, flag: str) -> pl.Expr:
    """Return which pledges bind only against the states that the treaty names."""
    named = (pl.col("statthr1").fill_null(0) > 0) | (pl.col("statthr2").fill_null(0) > 0)
    rule = context.options["threats"]
    if rule == "ignore":
        return pl.lit(value=False)
    if rule == "named":
        return named
    # ASSUME: a pledge that is conditional on the adversary but names none (a region, a kind of
    # state) is held to bind against any state; option threats.
    return named & (pl.col(flag).fill_null(0) == 1)


def holding(context: Context, name: str) -> Holding:
    """Return how many third states owe the holder the pledge against the other, by row."""
    side, obligation, flag = HOLDINGS[name]
    rows = shared_pledges(context).filter(pl.col(_ATOP_NAME[obligation]) == 1)
    rows = unconditioned(of_pacts(rows, context.options), obligation, context.options)
    return held_by(context, rows, side, flag)


def held_by(context: Context, rows: pl.DataFrame, side: str, flag: str) -> Holding:
    """Return how many third states owe the holder one of the pledges against the other, by row.

    With D[k, j, y] = 1 when k owes j the pledge against anyone, the third states that owe it to
    the holder j against i number sum over k of D[k, j, y], less i itself; plus those bound
    against i by name, less those bound only by pacts with i. No loop over rows or states.

    Parameters
    ----------
    rows : polars.DataFrame
        Pledges that count, as `atop.pledges` gives them.
    side : str
        Who of the dyad holds them: "target" or "challenger".
    flag : str
        ATOP's flag for "only against a specific adversary" (defcoadv, ...).
    """
    only_named = binds_named_only(context, flag)
    general_rows, restricted = rows.filter(~only_named), rows.filter(only_named)
    general = flag_cube(context, general_rows)
    spine = context.spine
    givers = giver_mask(context, context.options.get("givers", GIVERS.default))
    present = general * givers[:, None, :].astype(np.int8)
    cinc = np.nan_to_num(capability_cube(context, "cinc"))
    n_givers, summed = _givers(present, cinc)
    target = side == "target"
    held = spine.state_positions[1 if target else 0]
    count, total = n_givers.take(held), summed.take(held)
    # The other of the dyad is no third state; it owes the holder anything in few rows only.
    own = np.flatnonzero(
        present.reshape(-1).take(spine.cube_position if target else spine.reverse_position)
    )
    count[own] -= 1
    total[own] -= cinc.take(spine.state_positions[0 if target else 1][own])
    shared: Quadruples | None = None
    if context.options.get("common", COMMON.default) == "drop":
        shared = _bound_with_adversary(context, general_rows)
        in_force = present[shared[0], shared[1], shared[3]] == 1
        shared = _where(shared, in_force)
        _add(context, shared, side, count, total, cinc, sign=-1)
    if not restricted.is_empty():
        named = _named_quadruples(context, restricted, general, givers, shared)
        _add(context, named, side, count, total, cinc, sign=1)
    total[count == 0] = 0.0
    return Holding(count, np.maximum(total, 0.0, out=total))


def _givers(
    present: NDArray[np.int8], cinc: NDArray[np.float64]
) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
    """Return how many states have pledged to each state in each year, and their summed CINC."""
    n, _, n_years = present.shape
    at = np.flatnonzero(present.reshape(-1))
    giver, held = np.divmod(at, n * n_years)
    weight = cinc[giver, held % n_years]
    n_givers = np.bincount(held, minlength=n * n_years).astype(np.int16)
    # Of nothing, bincount makes integers.
    summed = np.bincount(held, weights=weight, minlength=n * n_years).astype(np.float64)
    return n_givers, summed


def _where(quadruples: Quadruples, kept: NDArray[np.bool_]) -> Quadruples:
    giver, holder, adversary, year = (part[kept] for part in quadruples)
    return giver, holder, adversary, year


def _codes(context: Context, quadruples: Quadruples) -> NDArray[np.int64]:
    giver, holder, adversary, year = quadruples
    n, n_years = context.system.n_states, context.system.n_years
    return np.asarray(((giver * n + holder) * n + adversary) * n_years + year)


def _decoded(context: Context, codes: NDArray[np.int64]) -> Quadruples:
    n, n_years = context.system.n_states, context.system.n_years
    rest, year = np.divmod(codes, n_years)
    rest, adversary = np.divmod(rest, n)
    giver, holder = np.divmod(rest, n)
    return giver, holder, adversary, year


def _by_year(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return distinct (columns, year) of rows with first_year and last_year."""
    span, year = each_year(rows["first_year"].to_numpy(), rows["last_year"].to_numpy())
    return rows.select(columns)[span].with_columns(year=pl.Series(year)).unique()


def _bound_with_adversary(context: Context, pledges: pl.DataFrame) -> Quadruples:
    """Return (giver, holder, adversary, year) where each of the giver's pacts binds all three."""
    system = context.system
    owed = _by_year(pledges, "giver", "receiver", "atopid")
    bound = _by_year(
        shared_pledges(context).select("giver", "receiver", "atopid", "first_year", "last_year"),
        "giver", "receiver", "atopid",
    ).rename({"giver": "adversary"})  # fmt: skip
    pacts = owed.group_by("giver", "receiver", "year").len("pacts")
    together = (
        owed.join(bound, on=["receiver", "atopid", "year"])
        .filter(pl.col("giver") != pl.col("adversary"))
        .group_by("giver", "receiver", "adversary", "year")
        .len("shared")
        .join(pacts, on=["giver", "receiver", "year"])
        .filter(pl.col("shared") == pl.col("pacts"))
        # Sums of floats are the same bytes only in the same order.
        .sort("giver", "receiver", "adversary", "year")
    )
    giver, holder, adversary = (
        system.index(together[name].to_numpy()) for name in ("giver", "receiver", "adversary")
    )
    year = together["year"].to_numpy() - system.first_year
    inside = (giver >= 0) & (holder >= 0) & (adversary >= 0)
    inside &= (year >= 0) & (year < system.n_years)
    return _where((giver, holder, adversary, year), inside)


def _against_named(context: Context, restricted: pl.DataFrame) -> pl.DataFrame:
    """Return pledges against named states, one row a pledge and adversary, pacts filtered."""
    named = pl.concat(
        [
            restricted.select(
                "giver", "receiver", "atopid", "first_year", "last_year", adversary=column
            )
            for column in ("statthr1", "statthr2")
        ]
    ).filter(pl.col("adversary").fill_null(0) > 0)
    named = _by_year(named, "giver", "receiver", "atopid", "adversary")
    if context.options.get("common", COMMON.default) == "count":
        return named
    bound = _by_year(shared_pledges(context), "giver", "receiver", "atopid")
    bound = bound.rename({"giver": "adversary"})
    return named.join(bound, on=["adversary", "receiver", "atopid", "year"], how="anti")


def _named_quadruples(
    context: Context,
    restricted: pl.DataFrame,
    general: NDArray[np.int8],
    givers: NDArray[np.bool_],
    dropped: Quadruples | None,
) -> Quadruples:
    """Return (giver, holder, adversary, year index) of pledges that bind against one state only.

    Each stands once, and those that a general pledge of the same giver covers are left out, so
    that adding them to the general count counts each giver once.
    """
    system = context.system
    named = _against_named(context, restricted)
    at_year = named["year"].to_numpy() - system.first_year
    giver, holder, adversary = (
        system.index(named[name].to_numpy()) for name in ("giver", "receiver", "adversary")
    )
    good = (giver >= 0) & (holder >= 0) & (adversary >= 0) & (giver != adversary)
    good &= (holder != adversary) & (at_year >= 0) & (at_year < system.n_years)
    found = _where((giver, holder, adversary, at_year), good)
    giver, holder, adversary, at_year = found
    codes = _codes(context, found)
    uncovered = general[giver, holder, at_year] == 0
    if dropped is not None:
        uncovered |= np.isin(codes, _codes(context, dropped))
    return _decoded(context, distinct(codes[givers[giver, at_year] & uncovered]))


def _add(
    context: Context,
    quadruples: Quadruples,
    side: str,
    count: NDArray[np.int16],
    total: NDArray[np.float64],
    cinc: NDArray[np.float64],
    sign: int,
) -> None:
    """Add givers to the rows that they stand for, in place, or take them away."""
    giver, holder, adversary, at_year = quadruples
    system, spine = context.system, context.spine
    first, second = (adversary, holder) if side == "target" else (holder, adversary)
    position = (first * system.n_states + second) * system.n_years + at_year
    row, found = spine.find(position)
    np.add.at(count, row[found], sign)
    np.add.at(total, row[found], sign * cinc[giver[found], at_year[found]])


def _columns() -> list[ColumnSpec]:
    says = {
        "target_defense": "2 holds a defence pledge, applicable against 1, from a third state",
        "challenger_offense": "1 holds an offence pledge, applicable against 2, from a third state",
        "challenger_neutrality": (
            "1 holds a neutrality pledge, applicable to a conflict with 2, from a third state"
        ),
        "challenger_defense": "1 holds a defence pledge, applicable against 2, from a third state",
        "target_offense": "2 holds an offence pledge, applicable against 1, from a third state",
        "target_neutrality": (
            "2 holds a neutrality pledge, applicable to a conflict with 1, from a third state"
        ),
    }
    columns = []
    for name, sentence in says.items():
        columns += [
            ColumnSpec(name, "flag", f"1 if {sentence}.", collapse="none", level="row"),
            ColumnSpec(
                f"{name}_n",
                "count",
                f"Number of third states by which {sentence}.",
                unit="states",
                collapse="none",
                level="row",
            ),
            ColumnSpec(
                f"{name}_cinc",
                "number",
                f"Summed CINC of the third states by which {sentence}; one without CINC adds 0.",
                unit="share, 0-1",
                collapse="none",
                level="row",
            ),
        ]
    return columns


_EXTRAS = [
    column.name
    for column in _columns()
    if column.name.startswith(("challenger_defense", "target_offense", "target_neutrality"))
]


@covariate(
    name="atop_third_party",
    title="Pledges that third states have made to challenger and target",
    columns=_columns(),
    sources=["atop", "cow_nmc"],
    citations=["leeds_etal_2002", "leeds_2003", "johnson_leeds_2011"],
    options={
        "release": RELEASE,
        "secret": SECRET,
        "pairs": PAIRS,
        "threats": THREATS,
        "common": COMMON,
        "givers": GIVERS,
        "nuclear": NUCLEAR,
        **PACT_OPTIONS,
        **CONDITION_OPTIONS,
    },
    units=("directed-dyad-year",),
    coverage_of=("atop",),
    extras=_EXTRAS,
    examples=[
        Example(
            "In 1955 NATO's other members owe West Germany defence against the Soviet Union.",
            {"ccode1": 365, "ccode2": 260, "year": 1956},
            {"target_defense": 1},
        ),
        Example(
            "Switzerland in 1900 holds no defence pledge.",
            {"ccode1": 220, "ccode2": 225, "year": 1900},
            {"target_defense": 0, "target_defense_n": 0, "target_defense_cinc": 0.0},
        ),
    ],
)
def atop_third_party(context: Context) -> dict[str, Values]:
    """Make the flags, counts and summed CINC of each holding asked for."""
    made: dict[str, Values] = {}
    year, cinc_years = context.spine.places[0].year, context.tables.coverage("cow_nmc")
    for name in HOLDINGS:
        if not context.wanted & {name, f"{name}_n", f"{name}_cinc"}:
            continue
        held = holding(context, name)
        made[name] = Rows((held.count > 0).astype(np.int8))
        made[f"{name}_n"] = Rows(held.count)
        # ATOP goes on after NMC ends, and there the sum is unknown.
        made[f"{name}_cinc"] = Rows(within_years(held.cinc, year, cinc_years))
    return made
