"""A state's economic weight among its allies, and the size and regimes of its alliances."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.atop import RELEASE
from foedus.covariates.context import Context, state_cube
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import StateYears, Values
from foedus.panels.alliance_units import HIGHEST_COW_NUMBER, memberships
from foedus.panels.spans import each_year

_SAYS = {
    "allied_weight": (
        "Its share of the members' GDP, averaged over its alliances with an obligation of defence "
        "or offence. Missing without one, or where no alliance has two members of known GDP.",
        "share, 0-1",
    ),
    "allied_members": ("Members of these alliances in the year, averaged over them.", "states"),
    "allied_polity": (
        "Mean polity2 of the members of known regime (itself among them), averaged over them.",
        "score",
    ),
    "alliances_n": ("Alliances with an obligation of defence or offence that it is in.",
                    "alliances"),
}  # fmt: skip


@covariate(
    name="allied_weight",
    title="Economic weight among allies",
    columns=[
        ColumnSpec(name, "number", says, unit=unit, level="state", absent="missing")
        for name, (says, unit) in _SAYS.items()
    ],
    sources=["atop", "gdp_population", "polity", "cow_states"],
    citations=["alley_2021_public_goods", "olson_zeckhauser_1966", "leeds_etal_2002"],
    options={"release": RELEASE},
    coverage_of=("atop",),
    examples=[
        Example(
            "In 1950 the United States are in NATO and the Rio pact.",
            {"ccode": 2, "year": 1950},
            {"alliances_n": 3.0},
            unit="state-year",
        ),
        Example("Switzerland is in none.", {"ccode": 225, "year": 1950},
                {"alliances_n": 0.0, "allied_weight": None}, unit="state-year"),
    ],
)  # fmt: skip
def allied_weight(context: Context) -> dict[str, Values]:
    """Make the four columns.

    Alley (2021) measures a state's weight in an alliance by its share of the members' GDP. GDP is
    that of Fariss et al.; members whose GDP isn't known are left out of their alliance's sum.
    """
    rows = _member_years(context)
    by_alliance = rows.group_by("atopid", "year").agg(
        members=pl.len(),
        known=pl.col("gdp").is_not_null().sum(),
        total=pl.col("gdp").sum(),
        polity=pl.col("polity2").mean(),
    )
    joined = rows.join(by_alliance, on=["atopid", "year"], validate="m:1").with_columns(
        weight=pl.when(pl.col("known") >= 2).then(pl.col("gdp") / pl.col("total"))
    )
    by_state = joined.group_by("ccode", "year").agg(
        allied_weight=pl.col("weight").mean(),
        allied_members=pl.col("members").mean(),
        allied_polity=pl.col("polity").mean(),
        alliances_n=pl.len(),
    )
    made: dict[str, Values] = {
        name: StateYears(_cube(context, by_state, name)) for name in _SAYS if name != "alliances_n"
    }
    counts = np.nan_to_num(_cube(context, by_state, "alliances_n"))
    made["alliances_n"] = StateYears(counts)
    return made


def _member_years(context: Context) -> pl.DataFrame:
    """Return a row a member of an alliance with help owed, and year: with GDP and polity2."""
    members = memberships(context.tables, context.options["release"]).filter(
        pl.col("member") <= HIGHEST_COW_NUMBER
    )
    helping = (
        members.group_by("atopid")
        .agg(helps=((pl.col("defense") == 1) | (pl.col("offense") == 1)).any())
        .filter("helps")
    )
    members = members.join(helping.select("atopid"), on="atopid")
    first = members["start"].dt.year().to_numpy().astype(np.int64)
    last = members["end"].dt.year().to_numpy().astype(np.int64)
    row, year = each_year(first, last)
    made = (
        members.select("atopid", ccode="member")[row]
        .with_columns(year=pl.Series(year, dtype=pl.Int32), ccode=pl.col("ccode").cast(pl.Int32))
        .unique(["atopid", "ccode", "year"])
        .sort("atopid", "ccode", "year")
    )
    wealth = context.tables.get("gdp_population", "state_years").select(
        pl.col("ccode").cast(pl.Int32), pl.col("year").cast(pl.Int32), gdp="pwtrgdp"
    )
    regimes = context.tables.get("polity", "state_years").select(
        pl.col("ccode").cast(pl.Int32), pl.col("year").cast(pl.Int32), "polity2"
    )
    for facts in (wealth, regimes):
        made = made.join(facts, on=["ccode", "year"], how="left", validate="m:1")
    return made.with_columns(pl.col("gdp").fill_nan(None))


def _cube(context: Context, facts: pl.DataFrame, column: str) -> NDArray[np.float64]:
    known = facts.drop_nulls(column)
    return state_cube(
        context.system,
        known["ccode"].to_numpy(),
        known["year"].to_numpy(),
        known[column].cast(pl.Float64).to_numpy(),
        "alliance-member-years",
    )
