"""What two states promise each other: ATOP obligations by direction."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.alliance_pairs import without_exceptions
from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import DyadYears, Rows, Values
from foedus.panels.alliance_units import (
    HIGHEST_COW_NUMBER,
    allied_pairs,
    memberships,
    pair_codes,
    pair_years,
)
from foedus.panels.spans import each_year

OBLIGATIONS = {
    "defense": "defense",
    "offense": "offense",
    "neutrality": "neutral",
    "nonaggression": "nonagg",
    "consultation": "consul",
}
WORDS = {
    "defense": "defence",
    "offense": "offence",
    "neutrality": "neutrality",
    "nonaggression": "non-aggression",
    "consultation": "consultation",
}
"""What each obligation is called in a column's definition."""
RELEASE = Option("5.1", "Release of ATOP.", ("5.1", "4.01"))
SECRET = Option(
    "include", "Whether pacts that were kept secret as a whole count.", ("include", "exclude")
)
PAIRS = Option(
    "treaty",
    "Where ATOP says that a member's obligations vary between its partners (obvary), what the "
    "treaty's text promises to whom; or the member's obligations towards every partner.",
    ("treaty", "members"),
)
LISTED = Option(
    "any",
    "Which pacts: all of ATOP's, or those to which it gives a number in COW's alliance data, "
    "version 3 (ATOP cowid) or 4 (cow4id).",
    ("any", "cow3", "cow4"),
)
_NUMBERS = {"cow3": "cowid", "cow4": "cow4id"}
# ATOP pubsecr 2: the whole treaty is secret; 1: only some articles are.
_WHOLLY_SECRET = 2

_SAYS = {
    "defense": "to come to its aid with arms if it is attacked (ATOP defense)",
    "offense": "to join it with arms in a war other than for its defence (ATOP offense)",
    "neutrality": "not to help its enemies in a conflict (ATOP neutral)",
    "nonaggression": "not to use force against it (ATOP nonagg)",
    "consultation": "to consult or cooperate in a crisis (ATOP consul)",
}


def pledges(
    tables: Any, release: str | None, secret: str, pairs: str = "treaty", listed: str = "any"
) -> pl.DataFrame:
    """Return who is bound to whom, when and by what: one row a (giver, receiver, pact, phase).

    Two members of one phase of a pact are bound while both are in it on the same day; the giver's
    row says what it owes. Members that were never in the COW system are included; callers that
    speak of states in the system drop them.

    Returns
    -------
    polars.DataFrame
        atopid, phase, giver, receiver, from_day, to_day, first_year, last_year, the five
        obligations of the giver (0/1), and of its row: specthrt, statthr1, statthr2, the
        conditions, pubsecr, bilat.
    """
    members = memberships(tables, release)
    if secret == "exclude":
        members = members.filter(pl.col("pubsecr").fill_null(0) != _WHOLLY_SECRET)
    if listed != "any":
        members = members.filter(pl.col(_NUMBERS[listed]).is_not_null())
    bound = allied_pairs(members)
    return without_exceptions(bound) if pairs == "treaty" else bound


def shared_pledges(context: Context) -> pl.DataFrame:
    """Return `pledges` under the context's release and rules of which pacts, made once a build."""
    release, secret = context.options["release"], context.options["secret"]
    pairs = context.options.get("pairs", PAIRS.default)
    listed = context.options.get("listed", LISTED.default)
    return context.shared(
        ("pledges", release, secret, pairs, listed),
        lambda: pledges(context.tables, release, secret, pairs, listed),
    )


def flag_cube(context: Context, rows: pl.DataFrame) -> NDArray[np.int8]:
    """Return 1 over (giver, receiver, year) in the years of pledge rows, int8 (n, n, years)."""
    span, year = each_year(rows["first_year"].to_numpy(), rows["last_year"].to_numpy())
    position, _ = dyad_positions(
        context.system, rows["giver"].to_numpy()[span], rows["receiver"].to_numpy()[span], year
    )
    flags = empty_dyads(context.system, np.int8)
    flags[position] = 1
    return dyad_cube(context.system, flags)


def obligation_cube(context: Context, name: str) -> NDArray[np.int8]:
    """Return one obligation's cube ("defense", ..., or "any" for the five), made once a build."""
    pairs = context.options.get("pairs", PAIRS.default)
    listed = context.options.get("listed", LISTED.default)
    key = ("atop", name, context.options["release"], context.options["secret"], pairs, listed)
    return context.shared(
        key, lambda: flag_cube(context, shared_pledges(context).filter(_owed(name)))
    )


def _owed(name: str) -> pl.Expr:
    if name == "any":
        return pl.any_horizontal(pl.col(column) == 1 for column in OBLIGATIONS.values())
    return pl.col(OBLIGATIONS[name]) == 1


def _row_flags(context: Context, name: str) -> NDArray[np.int8]:
    """Return one obligation by row, for a unit whose states may stand outside the system."""
    keys = context.spine.keys
    rows = shared_pledges(context).filter(
        _owed(name), pl.max_horizontal("giver", "receiver") <= HIGHEST_COW_NUMBER
    )
    pair, year = pair_years(rows, context.spine.years)
    bound = pair_codes(rows["giver"].to_numpy()[pair], rows["receiver"].to_numpy()[pair], year)
    wanted = pair_codes(keys["ccode1"], keys["ccode2"], keys["year"])
    flags = np.zeros(len(wanted), np.int8)
    flags[np.searchsorted(wanted, np.unique(bound))] = 1
    return flags


@covariate(
    name="atop",
    title="ATOP obligations between the two states",
    columns=[
        *(
            ColumnSpec(
                f"atop_{name}",
                "flag",
                f"1 if state 1 owes it to state 2 {says} on any day of the year; in undirected "
                "dyads, if either owes it to the other.",
                collapse="max",
            )
            for name, says in _SAYS.items()
        ),
        ColumnSpec(
            "atop_any",
            "flag",
            "1 if state 1 owes state 2 any of the five obligations; in undirected dyads, either.",
            collapse="max",
        ),
    ],
    sources=["atop"],
    citations=["leeds_etal_2002"],
    options={"release": RELEASE, "secret": SECRET, "pairs": PAIRS, "listed": LISTED},
    examples=[
        Example(
            "The Final Act of Helsinki binds the United States and the Soviet Union; it isn't on "
            "COW's list.",
            {"ccode1": 2, "ccode2": 365, "year": 1980},
            {"atop_any": 0},
            options={"listed": "cow4"},
        ),
        Example(
            "NATO: the United States owes Canada defence.",
            {"ccode1": 2, "ccode2": 20, "year": 1949},
            {"atop_defense": 1, "atop_offense": 0, "atop_any": 1},
        ),
        Example(
            "The Dual Alliance: Germany owes Austria-Hungary defence in 1914.",
            {"ccode1": 255, "ccode2": 300, "year": 1914},
            {"atop_defense": 1},
        ),
        Example(
            "France and Brazil have no pact in 1900.",
            {"ccode1": 220, "ccode2": 140, "year": 1900},
            {"atop_any": 0, "atop_defense": 0},
        ),
        Example(
            "Locarno: Britain guarantees Belgium and is owed nothing for it.",
            {"ccode1": 211, "ccode2": 200, "year": 1930},
            {"atop_defense": 0, "atop_nonaggression": 0},
        ),
        Example(
            "With the obligations of Belgium's own row towards every partner, it would owe both.",
            {"ccode1": 211, "ccode2": 200, "year": 1930},
            {"atop_defense": 1, "atop_nonaggression": 1},
            options={"pairs": "members"},
        ),
        Example(
            "Outside the COW system: Britain owes Iraq defence a year before Iraq enters it.",
            {"ccode1": 200, "ccode2": 645, "year": 1931},
            {"atop_defense": 1},
            unit="allied-dyad-year",
        ),
    ],
)
def atop(context: Context) -> dict[str, Values]:
    """Make the six `atop_` flags; no pact is 0 in ATOP's years and missing outside them."""
    # ASSUME: an obligation in force on any day of a calendar year counts for that year.
    made: dict[str, Values] = {}
    by_row = context.spine.unit == "allied-dyad-year"
    for name in (*OBLIGATIONS, "any"):
        if by_row:
            made[f"atop_{name}"] = Rows(_row_flags(context, name))
        else:
            made[f"atop_{name}"] = DyadYears(obligation_cube(context, name))
    return made
