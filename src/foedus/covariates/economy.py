"""Trade, organizations, output, population and military spending."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import ALL_DYADS, ColumnSpec, Example, Option, covariate
from foedus.covariates.state_facts import number, state_numbers
from foedus.covariates.values import DyadYears, Values, missing_of
from foedus.sources.country_keys import NO_STATE, Codes, Crosswalk, load_country_codes

_DOLLARS = "millions of current US dollars"


@covariate(
    name="trade",
    title="A state's trade with all others",
    columns=[
        number("imports", "Imports from all states (COW Trade 4.0).", _DOLLARS),
        number("exports", "Exports to all states (COW Trade 4.0).", _DOLLARS),
        number("trade_total", "Imports and exports together; missing if either is.", _DOLLARS),
    ],
    sources=["cow_trade"],
    citations=["barbieri_keshk_pollins_2009"],
    examples=[
        Example(
            "The United States in 1870, the first row of the file.",
            {"ccode": 2, "year": 1870},
            {"imports": 450.0, "exports": 418.0, "trade_total": 868.0},
            unit="state-year",
        )
    ],
)
def trade(context: Context) -> dict[str, Values]:
    """Make the three columns; an unknown figure is missing."""
    facts = context.table("cow_trade", "state_years").with_columns(
        trade_total=pl.col("imports") + pl.col("exports")
    )
    columns = {name: name for name in ("imports", "exports", "trade_total")}
    return state_numbers(context, facts, columns, "cow_trade/state_years")


def pair_numbers(
    context: Context, pairs: pl.DataFrame, forward: str, backward: str, kind: Any
) -> NDArray[Any]:
    """Return a value by directed dyad-year: `forward` from ccode1 to ccode2, and `backward`.

    Missing where no row or value stands.
    """
    none = missing_of(np.dtype(kind))
    cube = empty_dyads(context.system, kind, none)
    year = pairs["year"].to_numpy()
    low, high = pairs["ccode1"].to_numpy(), pairs["ccode2"].to_numpy()
    for sender, receiver, column in ((low, high, forward), (high, low, backward)):
        position, inside = dyad_positions(context.system, sender, receiver, year)
        # A missing integer isn't a float's NaN: filled before the type changes.
        numbers = pairs[column]
        if np.dtype(kind).kind == "f":
            values = numbers.cast(pl.Float64).fill_null(np.nan).to_numpy()
        else:
            values = numbers.cast(pl.Int64).fill_null(int(none)).to_numpy().astype(kind)
        cube[position] = values[inside]
    return dyad_cube(context.system, cube)


@covariate(
    name="trade_dependence",
    title="Dependence on trade with the other (Russett & Oneal's own data)",
    columns=[
        ColumnSpec(
            "trade_dependence",
            "number",
            "Imports from and exports to state 2 as a share of state 1's output; in undirected "
            "dyads the lower of the two, as the weak link. Missing for dyad-years that are not in "
            "Russett & Oneal's file (politically relevant pairs of 1885-1991, without world wars).",
            unit="share of GDP",
            collapse="min",
            absent="missing",
        ),
    ],
    sources=["rep_russett_oneal_2001"],
    citations=["russett_oneal_2001"],
    units=ALL_DYADS,
    examples=[
        Example(
            "Canada depends more on trade with the United States than they on it (1920).",
            {"ccode1": 20, "ccode2": 2, "year": 1920},
            {"trade_dependence": 0.280178},
        ),
        Example(
            "In the undirected dyad the lower of the two counts.",
            {"ccode1": 2, "ccode2": 20, "year": 1920},
            {"trade_dependence": 0.015731},
            unit="dyad-year",
        ),
        Example(
            "The world wars are left out of their file.",
            {"ccode1": 2, "ccode2": 200, "year": 1942},
            {"trade_dependence": None},
        ),
    ],
)  # fmt: skip
def trade_dependence(context: Context) -> dict[str, Values]:
    """Make `trade_dependence`; no row of the file is missing."""
    pairs = context.table("rep_russett_oneal_2001", "dyad_years").rename(
        {"statea": "ccode1", "stateb": "ccode2"}
    )
    cube = pair_numbers(context, pairs, "dependa", "dependb", np.float64)
    return {"trade_dependence": DyadYears(cube)}


@covariate(
    name="igo",
    title="Inter-governmental organizations",
    columns=[
        ColumnSpec(
            "igo_shared",
            "count",
            "Organizations of which both are full members (COW IGO 3.0).",
            unit="organizations",
            absent="missing",
        ),
        number("igo_memberships", "Organizations of which the state is a full member.",
               "organizations"),
        number("igo_memberships_any", "Organizations of which it is a full member, an associate or "
               "an observer.", "organizations"),
    ],
    sources=["cow_igo"],
    citations=["pevehouse_etal_2020"],
    examples=[
        Example(
            "The United States and Canada in 1920.",
            {"ccode1": 2, "ccode2": 20, "year": 1920},
            {"igo_shared": 7},
        ),
        Example(
            "No state was in an organization in 1816.",
            {"ccode": 2, "year": 1816},
            {"igo_memberships": 0, "igo_memberships_any": 0},
            unit="state-year",
        ),
    ],
)  # fmt: skip
def igo(context: Context) -> dict[str, Values]:
    """Make the three columns; a pair or state without a row is missing."""
    columns = {"igo_memberships": "sum_igo_full", "igo_memberships_any": "sum_igo_anytype"}
    made = state_numbers(
        context, context.table("cow_igo", "state_years"), columns, "cow_igo/state_years"
    )
    if "igo_shared" in context.wanted and context.spine.dyadic:
        pairs = context.table("cow_igo", "dyad_years")
        cube = pair_numbers(context, pairs, "dyadigos", "dyadigos", np.int16)
        made["igo_shared"] = DyadYears(cube)
    return made


@covariate(
    name="wealth",
    title="Output and population, with their uncertainty",
    columns=[
        number("gdp_per_capita", "GDP a head on Maddison's scale (Fariss et al.: mean of the "
               "simulations).", "2011 international dollars"),
        number("gdp_per_capita_sd", "Its standard deviation.", "2011 international dollars"),
        number("gdp", "GDP on the scale of the Penn World Table.",
               "millions of 2017 international dollars"),
        number("gdp_sd", "Its standard deviation.", "millions of 2017 international dollars"),
        number("population", "Population on the scale of the Penn World Table.",
               "millions of persons"),
        number("population_sd", "Its standard deviation.", "millions of persons"),
    ],
    sources=["gdp_population"],
    citations=["fariss_etal_2022"],
    extras=["gdp_per_capita_sd", "gdp_sd", "population_sd"],
    examples=[
        Example(
            "The United States in 1816.",
            {"ccode": 2, "year": 1816},
            {"gdp_per_capita": 2668.10457, "gdp_per_capita_sd": 410.58395, "population": 9.1645},
            unit="state-year",
        )
    ],
)  # fmt: skip
def wealth(context: Context) -> dict[str, Values]:
    """Make means and, on demand, standard deviations; no row is missing."""
    columns = {
        "gdp_per_capita": "mrgdppc", "gdp_per_capita_sd": "sd_mrgdppc", "gdp": "pwtrgdp",
        "gdp_sd": "sd_pwtrgdp", "population": "pwtpop", "population_sd": "sd_pwtpop",
    }  # fmt: skip
    facts = context.table("gdp_population", "state_years")
    return state_numbers(context, facts, columns, "gdp_population/state_years")


# Rows of Maddison's file that speak of today's borders in years in which several states, or another
# one, held them: never given to one of those.
# ASSUME: Maddison's Soviet Union and Yugoslavia are those states while they lasted.
_BORDERS = (
    ("DEU", 1946, 1989), ("YEM", 1816, 1989), ("VNM", 1816, 1975), ("RUS", 1816, 1991),
    ("SUN", 1992, 9999), ("SRB", 1816, 1991), ("YUG", 1992, 9999), ("PRK", 1816, 1947),
    ("KOR", 1906, 1947),
)  # fmt: skip


def read_states(context: Context, facts: pl.DataFrame, column: str, codes: Codes) -> pl.DataFrame:
    """Return a table's rows that are of one COW state each, with its ccode.

    Rows that can't be read as one state in their year are left out: the table is ours to know.
    """
    crosswalk = Crosswalk(codes, load_country_codes(context.tables.project.config_dir))
    ccodes, _ = crosswalk.read(facts[column].to_list(), facts["year"].to_list())
    read = facts.with_columns(ccode=ccodes).drop_nulls("ccode")
    return read.filter(pl.col("ccode") != NO_STATE)


@covariate(
    name="maddison",
    title="Maddison Project's output and population",
    columns=[
        number("maddison_gdp_per_capita", "GDP a head by prices compared over countries and years "
               "(cgdppc).", "2011 US dollars"),
        number("maddison_growth_gdp_per_capita", "GDP a head by one comparison and national growth "
               "(rgdpnapc).", "2011 US dollars"),
        number("maddison_population", "Population (pop).", "thousands of persons"),
    ],
    sources=["maddison"],
    citations=["bolt_etal_2018"],
    examples=[
        Example(
            "Angola in 2005.",
            {"ccode": 540, "year": 2005},
            {"maddison_gdp_per_capita": 3364.0, "maddison_growth_gdp_per_capita": 5136.0,
             "maddison_population": 12919.0},
            unit="state-year",
        ),
        Example(
            "Germany's figures of 1980 are of both Germanies together: of neither state.",
            {"ccode": 260, "year": 1980},
            {"maddison_gdp_per_capita": None},
            unit="state-year",
        ),
    ],
)  # fmt: skip
def maddison(context: Context) -> dict[str, Values]:
    """Make the three columns; figures for borders that several states held are left out."""
    facts = context.table("maddison", "country_years").filter(
        pl.col("year") >= context.system.first_year
    )
    for code, first, last in _BORDERS:
        facts = facts.filter(
            ~((pl.col("countrycode") == code) & pl.col("year").is_between(first, last))
        )
    columns = {
        "maddison_gdp_per_capita": "cgdppc", "maddison_growth_gdp_per_capita": "rgdpnapc",
        "maddison_population": "pop",
    }  # fmt: skip
    read = read_states(context, facts, "countrycode", "iso3")
    return state_numbers(context, read, columns, "maddison/country_years")


@covariate(
    name="military_spending",
    title="Military spending (SIPRI)",
    columns=[
        number("sipri_milex", "Military spending (SIPRI).", "millions of constant US dollars"),
    ],
    sources=["sipri_milex"],
    citations=["sipri_2019"],
    options={
        "germany": Option(
            "west",
            "SIPRI's Germany of 1953-1989: the Federal Republic's, or missing.",
            ("west", "missing"),
        ),
    },
    examples=[
        Example(
            "The United States in 2016.",
            {"ccode": 2, "year": 2016},
            {"sipri_milex": 600106.4},
            unit="state-year",
        ),
    ],
)  # fmt: skip
def military_spending(context: Context) -> dict[str, Values]:
    """Make `sipri_milex`; a state-year without a figure is missing."""
    facts = context.table("sipri_milex", "country_years")
    # ASSUME: SIPRI's figures for Germany before 1990 are West Germany's (its own note).
    if context.options["germany"] == "west":
        west = (pl.col("country") == "Germany") & (pl.col("year") < 1990)
        facts = facts.with_columns(
            country=pl.when(west).then(pl.lit("West Germany")).otherwise(pl.col("country"))
        )
    read = read_states(context, facts, "country", "name")
    return state_numbers(context, read, {"sipri_milex": "milex"}, "sipri_milex/country_years")
