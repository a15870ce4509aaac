"""Rivalry between two states, in two codings."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import DyadYears, Rows, Values, missing_of, take_dyad, within_years
from foedus.panels.spans import each_year

SOURCES = {"rivalry_td": "rivalries_td", "rivalry_tss": "rivalries_tss"}
ISSUES = {
    "rivalry_td": ("spatial", "positional", "ideological"),
    "rivalry_tss": ("spatial", "positional", "ideological", "interventionary"),
}
_WHOSE = {"rivalry_td": "Thompson & Dreyer", "rivalry_tss": "Thompson, Sakuwa & Suhas"}


def rivalry_spells(context: Context, column: str) -> pl.DataFrame:
    """Return a list's rivalries: ccode1 < ccode2, styear, endyear, and a 0/1 for each issue.

    Thompson & Dreyer write up to three types in words; the newer list has a mark for each.
    """
    spells = context.tables.get(SOURCES[column], "spells")
    if column == "rivalry_td":
        named = [pl.col(f"type{n}") for n in (1, 2, 3)]
        flags = {
            issue: pl.any_horizontal(one.eq(issue).fill_null(value=False) for one in named)
            for issue in ISSUES[column]
        }
    else:
        flags = {issue: pl.col(issue).fill_null(0) == 1 for issue in ISSUES[column]}
    return spells.select(
        "ccode1",
        "ccode2",
        "styear",
        "endyear",
        **{name: flag.cast(pl.Int16) for name, flag in flags.items()},
    )


def rivalry_cube(context: Context, column: str, what: str) -> NDArray[Any]:
    """Return a fact of the rivalries over (state, state, year), the same in both directions.

    Parameters
    ----------
    column : str
        The list: rivalry_td or rivalry_tss.
    what : str
        "any" (1 in the years of a rivalry), "years" (since it began; missing without one), or an
        issue (1 in the years of a rivalry over it).
    """
    spells = rivalry_spells(context, column)
    span, year = each_year(spells["styear"].to_numpy(), spells["endyear"].to_numpy())
    begun = spells["styear"].to_numpy().astype(np.int16)[span]
    facts: dict[str, NDArray[Any]] = {
        "any": np.ones(len(span), np.int8),
        "years": (year - begun).astype(np.int16),
        **{
            issue: spells[issue].to_numpy().astype(np.int8)[span]
            for issue in spells.columns
            if issue in ISSUES[column]
        },
    }
    values = facts[what]
    low, high = spells["ccode1"].to_numpy()[span], spells["ccode2"].to_numpy()[span]
    none = missing_of(values.dtype) if what == "years" else 0
    cube = empty_dyads(context.system, values.dtype, none)
    for sender, receiver in ((low, high), (high, low)):
        position, inside = dyad_positions(context.system, sender, receiver, year)
        # A rivalry that follows another in the same year is the longer of the two.
        np.maximum.at(cube, position, values[inside])
    return dyad_cube(context.system, cube)


def _on_demand(column: str) -> list[ColumnSpec]:
    whose = _WHOSE[column]
    years = ColumnSpec(
        f"{column}_years",
        "count",
        f"Years since the two's rivalry began, 0 in its first; missing without one ({whose}).",
        unit="years",
        absent="missing",
        source=SOURCES[column],
    )
    issues = [
        ColumnSpec(
            f"{column}_{issue}",
            "flag",
            f"1 if the two are rivals over {says} ({whose}; {issue}).",
            source=SOURCES[column],
        )
        for issue, says in (
            ("spatial", "territory"),
            ("positional", "influence or status"),
            ("ideological", "systems of belief"),
            ("interventionary", "intervention in each other's affairs"),
        )
        if issue in ISSUES[column]
    ]
    return [years, *issues]


_ON_DEMAND = [spec for column in SOURCES for spec in _on_demand(column)]


@covariate(
    name="rivalry",
    title="Interstate rivalry",
    columns=[
        ColumnSpec(
            "rivalry_td",
            "flag",
            "1 if the two are rivals in any part of the year (Thompson & Dreyer; to 2010).",
            source=SOURCES["rivalry_td"],
        ),
        ColumnSpec(
            "rivalry_tss",
            "flag",
            "1 if the two are strategic rivals in any part of the year (Thompson, Sakuwa & Suhas; "
            "to 2020).",
            source=SOURCES["rivalry_tss"],
        ),
        *_ON_DEMAND,
    ],
    sources=["rivalries_td", "rivalries_tss"],
    citations=["thompson_dreyer_2011", "thompson_sakuwa_suhas_2021"],
    coverage_of=(),
    extras=[spec.name for spec in _ON_DEMAND],
    examples=[
        Example(
            "Austria and France were rivals until 1918, over influence and territory, since 1494.",
            {"ccode1": 300, "ccode2": 220, "year": 1900},
            {
                "rivalry_td": 1,
                "rivalry_tss": 1,
                "rivalry_tss_years": 406,
                "rivalry_tss_positional": 1,
                "rivalry_td_ideological": 0,
            },
        ),
        Example(
            "France and Brazil were not.",
            {"ccode1": 220, "ccode2": 140, "year": 1900},
            {"rivalry_td": 0, "rivalry_tss": 0, "rivalry_td_years": None},
        ),
    ],
)
def rivalry(context: Context) -> dict[str, Values]:
    """Make the flags, each 0 inside its own list's years and missing outside them.

    On demand: the years since a rivalry began, and what it is about.
    """
    made: dict[str, Values] = {}
    year = context.spine.places[0].year
    for column, source in SOURCES.items():
        facts = {column: "any", f"{column}_years": "years"}
        facts |= {f"{column}_{issue}": issue for issue in ISSUES[column]}
        for name in facts.keys() & context.wanted:
            values = DyadYears(rivalry_cube(context, column, facts[name]))
            flags = take_dyad(values, context.spine, "same")
            made[name] = Rows(within_years(flags, year, context.tables.coverage(source)))
    return made
