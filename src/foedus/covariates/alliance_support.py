"""How close a state's partners in alliances stand to it, and how far they have prepared together.

Johnson, Leeds & Wu (2015): a pact deters the more, the stronger the partners, the more alike their
foreign policies and the target's, and the more they coordinate in peace.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.alliance_bonds import bond_years, extreme_of
from foedus.covariates.alliance_provisions import institution
from foedus.covariates.alliance_ties import TIE, each_year_of_ties
from foedus.covariates.atop import OBLIGATIONS, PAIRS, RELEASE, SECRET
from foedus.covariates.context import Context
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.similarity import agreement, portfolio_cube, s_of
from foedus.covariates.values import StateYears, Values

_OF_PACTS = ("release", "secret", "pairs")


@covariate(
    name="partner_bonds",
    title="Likeness of a state's partners to it, and what they have prepared together",
    columns=[
        ColumnSpec("allies_s", "number", "Mean S of its portfolio and its partners' (states of "
                   "the system with a tie to it); missing without partners.",
                   unit="score, -1 to 1", level="state", absent="missing"),
        ColumnSpec("allies_s_weighted", "number", "The same weighted by the partners' CINC; "
                   "missing also where none is known.", unit="score, -1 to 1", level="state",
                   absent="missing"),
        ColumnSpec("allies_institution", "number", "Military institutionalization (Leeds & Anac) "
                   "of the pact with the tie's obligation, owed to it by a member of the system, "
                   "that has most of it; missing without such a pact, or of a text unknown.",
                   unit="code 0-2", level="state", absent="missing"),
    ],
    sources=["atop", "cow_states", "cow_nmc"],
    citations=["johnson_leeds_wu_2015", "leeds_anac_2005", "signorino_ritter_1999",
               "leeds_etal_2002"],
    options={"tie": TIE, "release": RELEASE, "secret": SECRET, "pairs": PAIRS},
    coverage_of=("atop",),
    examples=[
        Example(
            "In 1960 NATO's integrated command stands behind Belgium.",
            {"ccode": 211, "year": 1960},
            {"allies_institution": 2},
            unit="state-year",
        ),
        Example("Switzerland has no partner.", {"ccode": 225, "year": 1900},
                {"allies_s": None, "allies_institution": None}, unit="state-year"),
    ],
)  # fmt: skip
def partner_bonds(context: Context) -> dict[str, Values]:
    """Make two means over partners, and the most institutionalized pact that one is held by."""
    made: dict[str, Values] = {}
    if context.wanted & {"allies_s", "allies_s_weighted"}:
        plain, weighted = _likeness(context)
        made |= {"allies_s": StateYears(plain), "allies_s_weighted": StateYears(weighted)}
    if "allies_institution" in context.wanted:
        made["allies_institution"] = StateYears(_institution(context))
    return made


def _likeness(context: Context) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean S with partners, plain and by their CINC, (n, years)."""
    key = ("portfolio", "ladder", *(context.options[name] for name in _OF_PACTS))
    level = context.shared(key, lambda: portfolio_cube(context))
    cinc = capability_cube(context, "cinc")
    shape = (context.system.n_states, context.system.n_years)
    plain, weighted = np.full(shape, np.nan), np.full(shape, np.nan)
    highest = int(level.max(initial=1))
    for year in each_year_of_ties(context):
        who, at = year.members, year.at
        score = s_of(agreement(level[:, :, at][np.ix_(who, who)], highest, None))
        strength = np.nan_to_num(cinc[who, at])
        tied = year.tied.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            plain[who, at] = (tied * score).sum(axis=1) / tied.sum(axis=1)
            weighted[who, at] = (tied * score) @ strength / (tied @ strength)
    return plain, weighted


def _institution(context: Context) -> NDArray[np.float64]:
    """Return the most that a pact owed to the state by a member has of it, (n, years)."""
    bonds = bond_years(context)
    tie = context.options["tie"]
    owed = (
        pl.any_horizontal(pl.col(column) == 1 for column in OBLIGATIONS.values())
        if tie == "any"
        else pl.col(OBLIGATIONS[tie]) == 1
    )
    values = bonds.rows.select(
        pl.when(owed).then(institution().cast(pl.Float64)).fill_null(np.nan).alias("value")
    )["value"].to_numpy()[bonds.row]
    cube = extreme_of(context, bonds, values, True)
    member = context.system.member
    cube = np.where(member[:, None, :], cube, np.nan)
    most = np.fmax.reduce(cube, axis=0)
    most[~member] = np.nan
    return np.asarray(most, np.float64)
