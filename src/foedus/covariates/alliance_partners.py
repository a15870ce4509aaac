"""Who a state's alliance partners are: how many, how strong, of what regime, how far away."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.alliance_pledges import NUCLEAR, majors_cube, nuclear_cube, polity_cube
from foedus.covariates.alliance_ties import TIE_OPTIONS, each_year_of_ties
from foedus.covariates.atop import (
    OBLIGATIONS,
    PAIRS,
    RELEASE,
    SECRET,
    obligation_cube,
    shared_pledges,
)
from foedus.covariates.context import Context
from foedus.covariates.distance import capital_of_year, haversine_km
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import StateYears, Values, missing_of
from foedus.panels.alliance_units import HIGHEST_COW_NUMBER, pair_codes, pair_years

_WHO = "partners (states of the system with a tie to it)"
_NUMBERS = {
    "allies_cinc": (f"Summed CINC of the {_WHO}; missing if one's is.", "share, 0-1"),
    "allies_cinc_max": ("Largest CINC of a partner; 0 without partners.", "share, 0-1"),
    "allies_democratic": (
        "Share of the partners of known regime with a polity2 of at least the threshold; missing "
        "if there is none.", "share, 0-1"),
    "allies_joint_democracy": (
        "Share of the partners of known regime that form a democratic pair with the state; "
        "missing if there is none, or if its own regime is unknown.", "share, 0-1"),
    "allies_polity": ("Mean polity2 of the partners of known regime.", "score"),
    "allies_distance": ("Mean distance from the state's capital to its partners'.", "km"),
    "allies_distance_min": ("Distance from its capital to the nearest partner's.", "km"),
}  # fmt: skip
_COUNTS = {
    "allies_n": f"Number of {_WHO}.",
    "allies_major": "Number of partners that are COW major powers.",
    "allies_nuclear": "Number of partners with nuclear weapons.",
}


@covariate(
    name="partner_counts",
    title="Number of a state's partners by obligation",
    columns=[
        *(
            ColumnSpec(f"holds_{name}_n", "count", f"States of the system that owe it {name}.",
                       unit="states", level="state")
            for name in (*OBLIGATIONS, "any")
        ),
        *(
            ColumnSpec(f"owes_{name}_n", "count", f"States of the system to which it owes {name}.",
                       unit="states", level="state")
            for name in (*OBLIGATIONS, "any")
        ),
        ColumnSpec("owes_help_n", "count",
                   "States, members of the COW system or not, to which it owes defense or offense.",
                   unit="states", level="state"),
    ],
    sources=["atop", "cow_states"],
    citations=["leeds_etal_2002", "singer_small_1966"],
    options={"release": RELEASE, "secret": SECRET, "pairs": PAIRS},
    coverage_of=("atop",),
    extras=[*(f"owes_{name}_n" for name in (*OBLIGATIONS, "any")), "owes_help_n"],
    examples=[
        Example(
            "In 1951 the United States owes help to one state more than to members of the system: "
            "Japan, which isn't one before 1952.",
            {"ccode": 2, "year": 1951},
            {"owes_defense_n": 36, "owes_help_n": 37},
            unit="state-year",
        ),
        Example(
            "In 1950 eleven members of NATO, nineteen of the Rio pact and others owe the United "
            "States defence.",
            {"ccode": 2, "year": 1950},
            {"holds_defense_n": 31, "owes_defense_n": 31},
            unit="state-year",
        ),
        Example("Switzerland has no partner.", {"ccode": 225, "year": 1900},
                {"holds_any_n": 0}, unit="state-year"),
    ],
)  # fmt: skip
def partner_counts(context: Context) -> dict[str, Values]:
    """Make counts by direction; a state counts once, however many pacts it shares.

    Singer & Small (1966) count a state's commitments by class; here by ATOP's five obligations, and
    by who owes whom, which their data don't tell apart.
    """
    made: dict[str, Values] = {}
    member = context.system.member
    both = member[:, None, :] & member[None, :, :]
    for name in (*OBLIGATIONS, "any"):
        columns = {f"holds_{name}_n": 0, f"owes_{name}_n": 1}
        if not context.wanted & set(columns):
            continue
        owed = (obligation_cube(context, name) == 1) & both
        for column, axis in columns.items():
            made[column] = StateYears(owed.sum(axis=axis, dtype=np.int16))
    if "owes_help_n" in context.wanted:
        made["owes_help_n"] = StateYears(_helped(context))
    return made


def _helped(context: Context) -> NDArray[np.int16]:
    """Return how many states are owed defence or offence by each, those outside the system too."""
    system = context.system
    owed = shared_pledges(context).filter(
        (pl.col("defense") == 1) | (pl.col("offense") == 1),
        pl.max_horizontal("giver", "receiver") <= HIGHEST_COW_NUMBER,
    )
    pair, year = pair_years(owed, (system.first_year, system.first_year + system.n_years - 1))
    giver, receiver = (owed[name].to_numpy()[pair] for name in ("giver", "receiver"))
    once = np.unique(pair_codes(giver, receiver, year), return_index=True)[1]
    state = system.index(giver[once])
    inside = state >= 0
    counts = np.zeros((system.n_states, system.n_years), np.int16)
    np.add.at(counts, (state[inside], year[once][inside] - system.first_year), 1)
    return counts


@covariate(
    name="partner_mix",
    title="Capability, regime and distance of a state's partners",
    columns=[
        *(
            ColumnSpec(name, "count", says, unit="states", level="state")
            for name, says in _COUNTS.items()
        ),
        *(
            ColumnSpec(name, "number", says, unit=unit, level="state", absent="missing")
            for name, (says, unit) in _NUMBERS.items()
        ),
    ],
    sources=["atop", "cow_states", "cow_nmc", "polity", "capitals"],
    citations=["leeds_etal_2002", "lai_reiter_2000", "gibler_wolford_2006", "bleek_2017"],
    options={
        **TIE_OPTIONS,
        "threshold": Option(6, "Least polity2 of a democracy."),
        "nuclear": NUCLEAR,
    },
    coverage_of=("atop",),
    examples=[
        Example(
            "In 1900 Germany is tied to Austria-Hungary, Italy and Romania by defence.",
            {"ccode": 255, "year": 1900},
            {"allies_n": 3, "allies_major": 2, "allies_nuclear": 0,
             "allies_distance_min": 523.33},
            unit="state-year",
        ),
        Example(
            "Switzerland has no partners: no capabilities, and no mean of anything.",
            {"ccode": 225, "year": 1900},
            {"allies_n": 0, "allies_cinc": 0.0, "allies_democratic": None,
             "allies_distance": None},
            unit="state-year",
        ),
    ],
)  # fmt: skip
def partner_mix(context: Context) -> dict[str, Values]:
    """Make counts, sums, shares and distances over a state's partners of the year.

    Lai & Reiter (2000) and Gibler & Wolford (2006) ask whether like regimes ally; a state's own mix
    of partners answers for the state. Capitals are those on 1 January, distances great circles (see
    `capital_distance`). No source at hand lists nuclear weapon states: the years are Bleek's (2017)
    of acquisition, or of first tests (option nuclear).
    """
    system = context.system
    shape = (system.n_states, system.n_years)
    counts = {name: np.full(shape, missing_of(np.dtype(np.int16)), np.int16) for name in _COUNTS}
    far = context.wanted & {"allies_distance", "allies_distance_min"}
    numbers = {name: np.full(shape, np.nan) for name in _NUMBERS if far or "distance" not in name}
    cinc, polity = capability_cube(context, "cinc"), polity_cube(context)
    armed, major = nuclear_cube(context, context.options["nuclear"]), majors_cube(context)
    spells = context.tables.get("capitals", "spells") if far else None
    capital = capital_of_year(system, spells, "start") if spells is not None else None
    nmc_years = context.tables.coverage("cow_nmc")
    for year in each_year_of_ties(context):
        at, who, tied = year.at, year.members, year.tied
        counts["allies_n"][who, at] = tied.sum(axis=1)
        counts["allies_major"][who, at] = tied[:, major[who, at]].sum(axis=1)
        counts["allies_nuclear"][who, at] = tied[:, armed[who, at]].sum(axis=1)
        if nmc_years[0] <= system.first_year + at <= nmc_years[1]:
            total, largest = _strength(tied, cinc[who, at])
            numbers["allies_cinc"][who, at] = total
            numbers["allies_cinc_max"][who, at] = largest
        regimes = _regimes(tied, polity[who, at], context.options["threshold"])
        for name, values in regimes.items():
            numbers[name][who, at] = values
        if spells is not None and capital is not None:
            lat, lng = spells["lat"].to_numpy(), spells["lng"].to_numpy()
            mean, least = _distances(tied, capital[who, at], lat, lng)
            numbers["allies_distance"][who, at] = mean
            numbers["allies_distance_min"][who, at] = least
    made: dict[str, Values] = {name: StateYears(values) for name, values in counts.items()}
    return made | {name: StateYears(values) for name, values in numbers.items()}


def _strength(
    tied: NDArray[np.bool_], cinc: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the summed and the largest CINC of each state's partners; NaN if one is unknown."""
    held = np.where(tied, cinc[None, :], 0.0)
    largest = held.max(axis=1) if len(cinc) else np.zeros(0)
    return held.sum(axis=1), largest


def _regimes(
    tied: NDArray[np.bool_], polity: NDArray[np.float64], threshold: int
) -> dict[str, NDArray[np.float64]]:
    known = ~np.isnan(polity)
    democratic = np.zeros(len(polity), dtype=bool)
    democratic[known] = polity[known] >= threshold
    number = tied[:, known].sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = tied[:, democratic].sum(axis=1) / number
        mean = np.where(tied, np.nan_to_num(polity)[None, :], 0.0).sum(axis=1) / number
    share[number == 0] = np.nan
    mean[number == 0] = np.nan
    joint = np.where(democratic, share, np.where(np.isnan(share), np.nan, 0.0))
    joint[~known] = np.nan
    return {
        "allies_democratic": share,
        "allies_joint_democracy": joint,
        "allies_polity": mean,
    }


def _distances(
    tied: NDArray[np.bool_],
    capital: NDArray[np.int64],
    lat: NDArray[np.float64],
    lng: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and least distance to partners; NaN without any, or with one unplaced."""
    mean = np.full(len(capital), np.nan)
    least = np.full(len(capital), np.nan)
    one, other = np.nonzero(tied)
    if len(one) == 0:
        return mean, least
    here, there = capital[one], capital[other]
    kilometres = haversine_km(lat[here], lng[here], lat[there], lng[there])
    kilometres[(here < 0) | (there < 0)] = np.nan
    number = np.bincount(one, minlength=len(capital))
    some = number > 0
    mean[some] = np.bincount(one, kilometres, minlength=len(capital))[some] / number[some]
    # Rows of np.nonzero are in the order of the first state.
    first = np.flatnonzero(np.r_[True, one[1:] != one[:-1]])
    least[one[first]] = np.minimum.reduceat(kilometres, first)
    return mean, least
