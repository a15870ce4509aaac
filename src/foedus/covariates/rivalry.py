"""Rivalry between two states, in two codings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import DyadYears, Rows, Values, take_dyad, within_years
from foedus.panels.spans import each_year

SOURCES = {"rivalry_td": "rivalries_td", "rivalry_tss": "rivalries_tss"}


def rivalry_cube(context: Context, source: str) -> NDArray[np.int8]:
    """Return 1 over (state, state, year) in the years of a source's rivalries, both directions."""
    spells = context.tables.get(source, "spells")
    span, year = each_year(spells["styear"].to_numpy(), spells["endyear"].to_numpy())
    low, high = spells["ccode1"].to_numpy()[span], spells["ccode2"].to_numpy()[span]
    flags = empty_dyads(context.system, np.int8)
    for sender, receiver in ((low, high), (high, low)):
        position, _ = dyad_positions(context.system, sender, receiver, year)
        flags[position] = 1
    return dyad_cube(context.system, flags)


@covariate(
    name="rivalry",
    title="Interstate rivalry",
    columns=[
        ColumnSpec(
            "rivalry_td",
            "flag",
            "1 if the two are rivals in any part of the year (Thompson & Dreyer; to 2010).",
        ),
        ColumnSpec(
            "rivalry_tss",
            "flag",
            "1 if the two are strategic rivals in any part of the year (Thompson, Sakuwa & Suhas; "
            "to 2020).",
        ),
    ],
    sources=["rivalries_td", "rivalries_tss"],
    citations=["thompson_dreyer_2011", "thompson_sakuwa_suhas_2021"],
    coverage_of=(),
    examples=[
        Example(
            "Austria and France were rivals until 1918.",
            {"ccode1": 300, "ccode2": 220, "year": 1900},
            {"rivalry_td": 1, "rivalry_tss": 1},
        ),
        Example(
            "France and Brazil were not.",
            {"ccode1": 220, "ccode2": 140, "year": 1900},
            {"rivalry_td": 0, "rivalry_tss": 0},
        ),
    ],
)
def rivalry(context: Context) -> dict[str, Values]:
    """Make both flags, each 0 inside its own source's years and missing outside them."""
    made: dict[str, Values] = {}
    year = context.spine.places[0].year
    for column, source in SOURCES.items():
        if column not in context.wanted:
            continue
        flags = take_dyad(DyadYears(rivalry_cube(context, source)), context.spine, "same")
        made[column] = Rows(within_years(flags, year, context.tables.coverage(source)))
    return made
