"""How near a state's partners in alliances are: on its border, across it, far away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.alliance_ties import TIE_OPTIONS, each_year_of_ties
from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.distance import capital_of_year, haversine_km
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import StateYears, Values, missing_of

MILE_KM = 1.609344
_LAND, _WATER = 1, 5


@covariate(
    name="partner_place",
    title="How near a state's partners in alliances are",
    columns=[
        ColumnSpec("allies_contiguous_n", "count", "Partners (states of the system with a tie to "
                   "it) that border on it (option border).", unit="states", level="state"),
        ColumnSpec("allies_contiguous_cinc", "number", "Summed CINC of the partners that border on "
                   "it; one without CINC adds 0.", unit="share, 0-1", level="state"),
        ColumnSpec("allies_apart_cinc", "number", "Summed CINC of the other partners.",
                   unit="share, 0-1", level="state"),
        ColumnSpec("allies_log_miles", "number", "Mean of the natural logarithms of the distances "
                   "in statute miles from its capital to its partners'; missing without partners, "
                   "or with one whose capital isn't known.", unit="log miles", level="state",
                   absent="missing"),
    ],
    sources=["atop", "cow_states", "cow_contiguity", "cow_nmc", "capitals"],
    citations=["alliance_proximity_2018", "leeds_etal_2002", "stinnett_etal_2002"],
    options={
        **TIE_OPTIONS,
        "border": Option(
            "land",
            "What borders: land or river alone, or also at most 400 miles of water.",
            ("land", "water"),
        ),
    },
    coverage_of=("atop", "cow_states", "cow_contiguity", "cow_nmc"),
    examples=[
        Example(
            "In 1900 Germany is tied to Austria-Hungary, on its border, and to Italy and Romania.",
            {"ccode": 255, "year": 1900},
            {"allies_contiguous_n": 1},
            unit="state-year",
        ),
        Example("Switzerland has no partner.", {"ccode": 225, "year": 1900},
                {"allies_contiguous_n": 0, "allies_apart_cinc": 0.0, "allies_log_miles": None},
                unit="state-year"),
    ],
)  # fmt: skip
def partner_place(context: Context) -> dict[str, Values]:
    """Make a count, two sums and a mean over a state's partners of the year."""
    system = context.system
    shape = (system.n_states, system.n_years)
    number = np.full(shape, missing_of(np.dtype(np.int16)), np.int16)
    near, apart, miles = (np.full(shape, np.nan) for _ in range(3))
    border = border_cube(context, _LAND if context.options["border"] == "land" else _WATER)
    cinc = np.nan_to_num(capability_cube(context, "cinc"))
    spells = context.tables.get("capitals", "spells")
    capital = capital_of_year(system, spells, "start")
    lat, lng = spells["lat"].to_numpy(), spells["lng"].to_numpy()
    for year in each_year_of_ties(context):
        at, who, tied = year.at, year.members, year.tied
        beside = tied & border[:, :, at][np.ix_(who, who)]
        strength = cinc[who, at]
        number[who, at] = beside.sum(axis=1)
        near[who, at] = beside @ strength
        apart[who, at] = (tied & ~beside) @ strength
        miles[who, at] = _mean_log_miles(tied, capital[who, at], lat, lng)
    return {
        "allies_contiguous_n": StateYears(number),
        "allies_contiguous_cinc": StateYears(near),
        "allies_apart_cinc": StateYears(apart),
        "allies_log_miles": StateYears(miles),
    }


def border_cube(context: Context, farthest: int) -> NDArray[np.bool_]:
    """Return which two states border in a year, by COW's kinds 1 to `farthest`, (n, n, years)."""
    facts = context.tables.get("cow_contiguity", "dyad_years")
    close = facts.filter(facts["conttype"] <= farthest)
    position, _ = dyad_positions(
        context.system, close["ccode1"].to_numpy(), close["ccode2"].to_numpy(),
        close["year"].to_numpy(),
    )  # fmt: skip
    flags = empty_dyads(context.system, np.bool_)
    flags[position] = True
    cube = dyad_cube(context.system, flags)
    # The table may hold a pair in one order or in both.
    return np.asarray(cube | cube.transpose(1, 0, 2))


def _mean_log_miles(
    tied: NDArray[np.bool_],
    capital: NDArray[np.int64],
    lat: NDArray[np.float64],
    lng: NDArray[np.float64],
) -> NDArray[np.float64]:
    one, other = np.nonzero(tied)
    here, there = capital[one], capital[other]
    miles = haversine_km(lat[here], lng[here], lat[there], lng[there]) / MILE_KM
    miles[(here < 0) | (there < 0)] = np.nan
    n = len(capital)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(
            np.bincount(one, np.log(miles), minlength=n) / np.bincount(one, minlength=n)
        )
