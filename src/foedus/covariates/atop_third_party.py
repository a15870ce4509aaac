"""What third states have promised a dyad's two sides: the heart of the deterrence argument.

Unit: a directed dyad-year, 1 the potential challenger, 2 the target (Leeds 2003, Johnson & Leeds
2011). A third state is a member of the system that year, and neither 1 nor 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.atop import (
    PAIRS,
    RELEASE,
    SECRET,
    flag_cube,
    obligation_cube,
    shared_pledges,
)
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


@dataclass(frozen=True)
class Holding:
    """For each row of the spine: how many third states have pledged, and their summed CINC."""

    count: NDArray[np.int16]
    cinc: NDArray[np.float64]


def _restricted(context: Context, obligation: str, flag: str) -> pl.Expr:
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


def _cubes(context: Context, obligation: str, flag: str) -> tuple[NDArray[np.int8], pl.DataFrame]:
    """Return pledges that bind against anyone as a cube, and those against named states as rows."""
    rows = shared_pledges(context).filter(pl.col(_ATOP_NAME[obligation]) == 1)
    restricted = rows.filter(_restricted(context, obligation, flag))
    if restricted.is_empty():
        return obligation_cube(context, obligation), restricted

    general = rows.filter(~_restricted(context, obligation, flag))
    return flag_cube(context, general), restricted


def _named_quadruples(
    context: Context, restricted: pl.DataFrame, general: NDArray[np.int8]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (giver, holder, adversary, year index) of pledges that bind against one state only.

    Each stands once, and those that a general pledge of the same giver covers are left out, so
    that adding them to the general count counts each giver once.
    """
    system = context.system
    named = pl.concat(
        [
            restricted.select("giver", "receiver", "first_year", "last_year", adversary=column)
            for column in ("statthr1", "statthr2")
        ]
    ).filter(pl.col("adversary").fill_null(0) > 0)
    span, year = each_year(named["first_year"].to_numpy(), named["last_year"].to_numpy())
    at_year = year - system.first_year
    giver = system.index(named["giver"].to_numpy())[span]
    holder = system.index(named["receiver"].to_numpy())[span]
    adversary = system.index(named["adversary"].to_numpy())[span]
    good = (giver >= 0) & (holder >= 0) & (adversary >= 0) & (giver != adversary)
    good &= (holder != adversary) & (at_year >= 0) & (at_year < system.n_years)
    giver, holder, adversary, at_year = (part[good] for part in (giver, holder, adversary, at_year))
    good = system.member[giver, at_year] & (general[giver, holder, at_year] == 0)
    n, n_years = system.n_states, system.n_years
    code = ((giver * n + holder) * n + adversary) * n_years + at_year
    code = distinct(code[good])
    rest, at_year = np.divmod(code, n_years)
    rest, adversary = np.divmod(rest, n)
    giver, holder = np.divmod(rest, n)
    return giver, holder, adversary, at_year


def holding(context: Context, name: str) -> Holding:
    """Return how many third states owe the holder the pledge against the other, by row.

    With D[k, j, y] = 1 when k owes j the pledge against anyone, the third states that owe it to
    the holder j against i number sum over k of D[k, j, y], less i itself; plus those bound
    against i by name. No loop over rows or states.
    """
    side, obligation, flag = HOLDINGS[name]
    general, restricted = _cubes(context, obligation, flag)
    system, spine = context.system, context.spine
    present = general * system.member[:, None, :].astype(np.int8)
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
    _add_named(context, restricted, general, side, count, total, cinc)
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


def _add_named(
    context: Context,
    restricted: pl.DataFrame,
    general: NDArray[np.int8],
    side: str,
    count: NDArray[np.int16],
    total: NDArray[np.float64],
    cinc: NDArray[np.float64],
) -> None:
    """Add, in place, the givers that are bound against the other side by name."""
    if restricted.is_empty():
        return
    giver, holder, adversary, at_year = _named_quadruples(context, restricted, general)
    system, spine = context.system, context.spine
    first, second = (adversary, holder) if side == "target" else (holder, adversary)
    position = (first * system.n_states + second) * system.n_years + at_year
    # Rows are sorted by (state 1, state 2, year), and so are their positions.
    row = np.searchsorted(spine.cube_position, position)
    row = np.minimum(row, spine.n_rows - 1)
    found = spine.cube_position[row] == position
    np.add.at(count, row[found], 1)
    np.add.at(total, row[found], cinc[giver[found], at_year[found]])


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
        "threats": Option(
            "apply",
            "Whom a pledge binds against. apply: the states the treaty names, where the "
            "obligation is conditional on the adversary; named: the named states wherever any "
            "are named; ignore: anyone.",
            ("apply", "named", "ignore"),
        ),
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
