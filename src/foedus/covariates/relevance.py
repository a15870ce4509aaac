"""Political relevance and the balance of power of two states."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.major import major_cube
from foedus.covariates.nmc import RELEASE, capability_cube
from foedus.covariates.registry import ALL_DYADS, ColumnSpec, Example, Option, covariate
from foedus.covariates.values import DyadYears, Rows, StateYears, Values, take_dyad, take_state
from foedus.panels.spans import each_year


@covariate(
    name="political_relevance",
    title="Politically relevant pairs",
    columns=[
        ColumnSpec(
            "politically_relevant",
            "flag",
            "1 if one of the two is a COW major power, or they are contiguous by land or by at "
            "most so much water as the option says.",
            level="row",
            units=ALL_DYADS,
        ),
    ],
    sources=["cow_contiguity", "cow_states"],
    citations=["stinnett_etal_2002", "cow_states_2017"],
    options={
        "conttype": Option(
            5,
            "Farthest contiguity that counts: 1 land or river, 2 to 5 up to 12, 24, 150, 400 miles "
            "of water.",
            (1, 2, 3, 4, 5),
        ),
    },
    examples=[
        Example(
            "The United States, a major power from 1898, and Ethiopia.",
            {"ccode1": 2, "ccode2": 530, "year": 1950},
            {"politically_relevant": 1},
        ),
        Example(
            "Cuba and Haiti, 77 km apart: relevant by water, not by land.",
            {"ccode1": 40, "ccode2": 41, "year": 1950},
            {"politically_relevant": 0},
            options={"conttype": 1},
        ),
        Example(
            "Peru and Mongolia are not.",
            {"ccode1": 135, "ccode2": 712, "year": 1990},
            {"politically_relevant": 0},
        ),
    ],
)
def political_relevance(context: Context) -> dict[str, Values]:
    """Make `politically_relevant`; missing outside the years of contiguity and the state list."""
    near = context.table("cow_contiguity", "dyad_years").filter(
        pl.col("conttype").is_between(1, context.options["conttype"])
    )
    position, _ = dyad_positions(
        context.system, near["ccode1"].to_numpy(), near["ccode2"].to_numpy(),
        near["year"].to_numpy(),
    )  # fmt: skip
    flags = empty_dyads(context.system, np.int8)
    flags[position] = 1
    close = take_dyad(DyadYears(dyad_cube(context.system, flags)), context.spine, "same")
    major = StateYears(major_cube(context.system, context.table("cow_states", "majors")))
    first, second = (take_state(major, context.spine, place) for place in (0, 1))
    return {"politically_relevant": Rows(np.maximum(close, np.maximum(first, second)))}


@covariate(
    name="capability_ratio",
    title="Parity and preponderance of capabilities in a pair",
    columns=[
        ColumnSpec(
            name, "number", says, unit=unit, level="row", absent="missing", units=ALL_DYADS
        )
        for name, says, unit in (
            ("capability_parity", "CINC of the weaker over that of the stronger: 1 is parity; "
             "missing if either is, or the stronger's is 0.", "ratio, 0-1"),
            ("log_capability_ratio", "Natural logarithm of the stronger's CINC over the weaker's: "
             "0 is parity; missing if either is missing or 0.", "log ratio"),
        )
    ],
    sources=["cow_nmc"],
    citations=["singer_etal_1972"],
    options={"release": RELEASE},
    units=ALL_DYADS,
    examples=[
        Example(
            "The United States had 29 times Canada's capabilities in 1920.",
            {"ccode1": 2, "ccode2": 20, "year": 1920},
            {"capability_parity": 0.034979, "log_capability_ratio": 3.353},
        ),
        Example(
            "The same seen from Canada.",
            {"ccode1": 20, "ccode2": 2, "year": 1920},
            {"log_capability_ratio": 3.353},
        ),
    ],
)  # fmt: skip
def capability_ratio(context: Context) -> dict[str, Values]:
    """Make both columns; they are the same in both directions."""
    cube = StateYears(capability_cube(context, "cinc", context.options["release"]))
    first, second = (take_state(cube, context.spine, place) for place in (0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        parity = np.minimum(first, second) / np.maximum(first, second)
        ratio = -np.log(parity)
    ratio[~np.isfinite(ratio)] = np.nan
    return {"capability_parity": Rows(parity), "log_capability_ratio": Rows(ratio)}


def _by_year(context: Context, facts: pl.DataFrame, column: str) -> NDArray[Any]:
    """Return a count by row of a unit with a year: 0 in a year without a row."""
    year = context.spine.row_years
    assert year is not None
    asked = pl.DataFrame({"year": year.astype(np.int64)})
    found = asked.join(
        facts.select(pl.col("year").cast(pl.Int64), column), on="year", how="left",
        maintain_order="left",
    )  # fmt: skip
    return found[column].fill_null(0).cast(pl.Int16).to_numpy()


@covariate(
    name="system_crises",
    title="International crises in the system",
    columns=[
        ColumnSpec(
            f"system_crises{name}", "count", says, unit="crises", level="row",
            units=("system-year",),
        )
        for name, says in (
            ("_begun", "Crises that begin this year (ICB)."),
            ("", "Crises on any day of the year (ICB)."),
            ("_violent", "Crises that begin this year and see serious clashes or full-scale war "
             "(viol 3 or 4)."),
        )
    ],
    sources=["icb"],
    citations=["brecher_wilkenfeld_1997"],
    units=("system-year",),
    examples=[
        Example(
            "The year of the Cuban missiles.",
            {"year": 1962},
            {"system_crises_begun": 6},
            unit="system-year",
        ),
        Example("Nothing is known before 1918.", {"year": 1917}, {"system_crises": None},
                unit="system-year"),
    ],
)  # fmt: skip
def system_crises(context: Context) -> dict[str, Values]:
    """Make counts by year; the file is of crises, not of their actors, so none is by state."""
    # One crisis of release 13 has no dates at all (474).
    crises = context.table("icb", "crises").drop_nulls("start_min")
    # A crisis whose end is unknown counts in the year in which it begins.
    begins = crises["start_min"].dt.year()
    first, last = begins.to_numpy(), crises["end_max"].dt.year().fill_null(begins).to_numpy()
    span, year = each_year(first, last)
    rows = crises[span].select(
        year=pl.Series(year, dtype=pl.Int64),
        begun=pl.Series(year == first[span]),
        violent=pl.col("viol").is_in([3, 4]).fill_null(value=False),
    )
    facts = rows.group_by("year").agg(
        system_crises=pl.len(),
        system_crises_begun=pl.col("begun").sum(),
        system_crises_violent=(pl.col("begun") & pl.col("violent")).sum(),
    )
    return {name: Rows(_by_year(context, facts, name)) for name in sorted(context.wanted)}
