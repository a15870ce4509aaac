"""How alike, how near and how equal the members of one alliance are."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.alliance_facts import ALLIANCE_UNITS, member_years, on_rows
from foedus.covariates.alliance_pledges import NUCLEAR, majors_cube, nuclear_cube, polity_cube
from foedus.covariates.atop import PAIRS, RELEASE, SECRET
from foedus.covariates.context import Context
from foedus.covariates.distance import capital_of_year, haversine_km
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.rivalry import SOURCES as RIVALRIES
from foedus.covariates.rivalry import rivalry_cube
from foedus.covariates.similarity import OPTIONS as SIMILARITY
from foedus.covariates.similarity import scores_over_all_years
from foedus.covariates.values import Values

_OVER = "over pairs of members in the COW system"
_SCORES = {"s": "s_atop", "kappa": "kappa_atop", "pi": "pi_atop"}


def members_in_system(context: Context) -> pl.DataFrame:
    """Return one row a member of an alliance and a year in which it is in the system.

    Columns: atopid, year, state (its index), at (the year's place).
    """
    system = context.system
    rows = member_years(context).select("atopid", "member", "year").unique(maintain_order=True)
    rows = rows.sort("atopid", "year", "member")
    state = system.index(rows["member"].to_numpy())
    at = rows["year"].to_numpy() - system.first_year
    known = (state >= 0) & (at >= 0) & (at < system.n_years)
    inside = np.zeros(rows.height, dtype=bool)
    inside[known] = system.member[state[known], at[known]]
    return rows.select("atopid", "year").with_columns(
        state=pl.Series(state), at=pl.Series(at)
    ).filter(pl.Series(inside))  # fmt: skip


def pairs_of(members: pl.DataFrame) -> pl.DataFrame:
    """Return each pair of members of an alliance in a year once: atopid, year, at, state, other."""
    both = members.join(
        members.select("atopid", "year", other="state"), on=["atopid", "year"]
    )  # fmt: skip
    # Means of floats are the same bytes only in the same order.
    return both.filter(pl.col("state") < pl.col("other")).sort("atopid", "year", "state", "other")


def _cells(cube: NDArray[np.generic], pairs: pl.DataFrame) -> pl.Series:
    found = cube[pairs["state"].to_numpy(), pairs["other"].to_numpy(), pairs["at"].to_numpy()]
    return pl.Series(found.astype(np.float64)).fill_nan(None)


_MEANS = {
    "alliance_s_mean": (f"Mean S of alliance portfolios {_OVER}.", "score, -1 to 1"),
    "alliance_s_min": (f"Lowest S {_OVER}.", "score, -1 to 1"),
    "alliance_s_weighted_mean": (f"Mean S weighted by each partner's CINC {_OVER}.",
                                 "score, -1 to 1"),
    "alliance_kappa_mean": (f"Mean kappa of alliance portfolios {_OVER}.", "score, at most 1"),
    "alliance_pi_mean": (f"Mean pi of alliance portfolios {_OVER}.", "score, at most 1"),
    "alliance_distance_mean": (f"Mean distance between capitals {_OVER}.", "km"),
    "alliance_distance_max": (f"Largest distance between capitals {_OVER}.", "km"),
    "alliance_largest_share": ("Largest CINC of a member over their sum; missing if one's is "
                               "unknown.", "share, 0-1"),
    "alliance_democratic": ("Share of members of known regime with a polity2 of at least the "
                            "threshold.", "share, 0-1"),
}  # fmt: skip
_COUNTS = {
    "alliance_majors": "Members that are COW major powers.",
    "alliance_nuclear": "Members with nuclear weapons.",
}


@covariate(
    name="alliance_cohesion",
    title="How alike, near and equal an alliance's members are",
    columns=[
        *(
            ColumnSpec(name, "number", f"{says} Missing where there is none.", unit=unit,
                       level="row", absent="missing")
            for name, (says, unit) in _MEANS.items()
        ),
        *(
            ColumnSpec(name, "count", says, unit="states", level="row", absent="missing")
            for name, says in _COUNTS.items()
        ),
        ColumnSpec("alliance_rival_pairs", "count", f"Rivalries {_OVER} (option rivals).",
                   unit="pairs", level="row", absent="missing"),
    ],
    sources=["atop", "cow_states", "cow_nmc", "polity", "capitals", "rivalries_tss",
             "rivalries_td"],
    citations=["leeds_etal_2002", "haege_2011", "signorino_ritter_1999", "alley_2021",
               "weitsman_2004", "bleek_2017"],
    options={
        "release": RELEASE, "secret": SECRET, "pairs": PAIRS, "tie": SIMILARITY["tie"],
        "threshold": Option(6, "Least polity2 of a democracy."),
        "nuclear": NUCLEAR,
        "rivals": Option("rivalry_tss", "List of rivals: strategic rivalries (Thompson, Sakuwa & "
                         "Suhas) or those of Thompson & Dreyer.", ("rivalry_tss", "rivalry_td")),
    },
    units=ALLIANCE_UNITS,
    coverage_of=("atop", "cow_states"),
    extras=["alliance_s_weighted_mean"],
    examples=[
        Example(
            "Berlin and Vienna; Germany holds three quarters of what the two have.",
            {"atopid": 1335, "year": 1900},
            {"alliance_distance_mean": 523.33, "alliance_distance_max": 523.33,
             "alliance_largest_share": 0.756218, "alliance_majors": 2, "alliance_rival_pairs": 0,
             "alliance_nuclear": 0},
            unit="alliance-year",
        ),
        Example(
            "NATO in 1960: the United States, Britain and France have nuclear weapons.",
            {"atopid": 3180, "year": 1960},
            {"alliance_nuclear": 3, "alliance_majors": 3},
            unit="alliance-year",
        ),
    ],
)  # fmt: skip
def alliance_cohesion(context: Context) -> dict[str, Values]:
    """Make likeness, distance, shares and rivalries among the members of the year.

    Studies of treaty design (Alley 2021) take the mean or the lowest of Haege's (2011) scores over
    the pairs of members; here on ATOP portfolios. Rivals inside are what tethering is about
    (Weitsman 2004). Members outside the system, and in an alliance's row its members of the first
    year only, as elsewhere.
    """
    members = members_in_system(context)
    facts = _of_members(context, members)
    pairs = pairs_of(members)
    made: dict[str, pl.Expr] = {}
    wanted = context.wanted
    if wanted & {"alliance_s_mean", "alliance_s_min", "alliance_kappa_mean", "alliance_pi_mean"}:
        cubes = scores_over_all_years(context)
        pairs = pairs.with_columns(
            **{short: _cells(cubes[name], pairs) for short, name in _SCORES.items()}
        )
        made |= {f"alliance_{short}_mean": pl.col(short).mean() for short in _SCORES}
        made["alliance_s_min"] = pl.col("s").min()
    if "alliance_s_weighted_mean" in wanted:
        weighted = scores_over_all_years(context, weighted=True)["s_atop_weighted"]
        pairs = pairs.with_columns(weighted=_cells(weighted, pairs))
        made["alliance_s_weighted_mean"] = pl.col("weighted").mean()
    if wanted & {"alliance_distance_mean", "alliance_distance_max"}:
        pairs = pairs.with_columns(km=_distances(context, pairs))
        made["alliance_distance_mean"] = pl.col("km").mean()
        made["alliance_distance_max"] = pl.col("km").max()
    if "alliance_rival_pairs" in wanted:
        pairs = pairs.with_columns(rival=_rivals(context, pairs))
        # sum() of nothing known is 0; a year outside the list is not known.
        made["alliance_rival_pairs"] = pl.when(pl.col("rival").is_not_null().all()).then(
            pl.col("rival").sum()
        )
    between = pairs.group_by("atopid", "year").agg(**made)
    facts = facts.join(between, on=["atopid", "year"], how="left")
    kinds: dict[str, type] = {name: np.float64 for name in _MEANS if name in facts.columns}
    kinds |= dict.fromkeys(_COUNTS, np.int32)
    if "alliance_rival_pairs" in made:
        kinds["alliance_rival_pairs"] = np.int32
    return on_rows(context, facts, ("atopid", "year"), kinds)


def _of_members(context: Context, members: pl.DataFrame) -> pl.DataFrame:
    """Return facts that need no pairs: shares and counts of members."""
    state, at = members["state"].to_numpy(), members["at"].to_numpy()
    found = members.with_columns(
        cinc=pl.Series(capability_cube(context, "cinc")[state, at]).fill_nan(None),
        polity=pl.Series(polity_cube(context)[state, at]).fill_nan(None),
        major=pl.Series(majors_cube(context)[state, at]),
        armed=pl.Series(nuclear_cube(context, context.options["nuclear"])[state, at]),
    )
    whole = pl.col("cinc").is_not_null().all() & (pl.col("cinc").sum() > 0)
    return found.group_by("atopid", "year").agg(
        alliance_largest_share=pl.when(whole).then(pl.col("cinc").max() / pl.col("cinc").sum()),
        alliance_democratic=(pl.col("polity") >= context.options["threshold"]).mean(),
        alliance_majors=pl.col("major").sum(),
        alliance_nuclear=pl.col("armed").sum(),
    )


def _distances(context: Context, pairs: pl.DataFrame) -> pl.Series:
    spells = context.tables.get("capitals", "spells")
    capital = capital_of_year(context.system, spells, "start")
    lat, lng = spells["lat"].to_numpy(), spells["lng"].to_numpy()
    at = pairs["at"].to_numpy()
    here, there = (capital[pairs[name].to_numpy(), at] for name in ("state", "other"))
    kilometres = haversine_km(lat[here], lng[here], lat[there], lng[there])
    kilometres[(here < 0) | (there < 0)] = np.nan
    return pl.Series(kilometres).fill_nan(None)


def _rivals(context: Context, pairs: pl.DataFrame) -> pl.Series:
    column = context.options["rivals"]
    first, last = context.tables.coverage(RIVALRIES[column])
    found = _cells(rivalry_cube(context, column, "any"), pairs)
    covered = pairs["year"].is_between(first, last)
    return pl.DataFrame({"found": found, "covered": covered}).select(
        pl.when("covered").then(pl.col("found").cast(pl.Int32))
    )["found"]
