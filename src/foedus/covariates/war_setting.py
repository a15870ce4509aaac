"""Who a war's first belligerents were: power, neighbourhood, regime, region."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context
from foedus.covariates.major import major_cube
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import Rows, Values, missing_of
from foedus.covariates.war_outset import FIRST_DAYS, first_sides, wars_of

# COW numbers states by region.
_REGIONS = ((1, 199), (200, 399), (400, 626), (630, 699), (700, 999))


def region_of(ccodes: NDArray[np.int32]) -> NDArray[np.int8]:
    """Return COW's region of each state, 1 to 5 as the column `region` has it."""
    regions = np.zeros(len(ccodes), np.int8)
    for number, (low, high) in enumerate(_REGIONS, start=1):
        regions[(ccodes >= low) & (ccodes <= high)] = number
    return regions


@covariate(
    name="war_setting",
    title="A war's first belligerents: power, place, regime",
    columns=[
        ColumnSpec("major_first", "flag", "1 if a first belligerent is a COW major power.",
                   level="row"),
        ColumnSpec("majors_both", "flag", "1 if there is one on each side.", level="row"),
        ColumnSpec("first_cinc", "number", "Summed CINC of the first belligerents in the war's "
                   "first year; missing if any's is.", unit="share, 0-1", level="row",
                   absent="missing"),
        ColumnSpec("capability_balance", "number", "Weaker side's summed CINC over the stronger "
                   "side's: 1 is parity; missing if any's is.", unit="ratio, 0-1", level="row",
                   absent="missing"),
        ColumnSpec("attacker_share", "number", "Initiators' side's share of the first "
                   "belligerents' CINC.", unit="share, 0-1", level="row", absent="missing"),
        ColumnSpec("contiguous_first", "flag", "1 if two opposed first belligerents share a land "
                   "or river border.", level="row"),
        ColumnSpec("region", "category", "Region of the attacked first belligerents: 1 Americas, "
                   "2 Europe, 3 Africa, 4 Middle East, 5 Asia and Oceania (that of the lowest "
                   "COW number, if they are of several).", unit="code 1-5", level="row",
                   absent="missing"),
        ColumnSpec("europe", "flag", "1 if a first belligerent on either side is European.",
                   level="row"),
        ColumnSpec("states_in_system", "count", "Members of the COW system on the first day.",
                   unit="states", level="row"),
    ],
    sources=["cow_interstate_wars", "cow_nmc", "cow_states", "cow_contiguity"],
    citations=["sarkees_wayman_2010", "singer_etal_1972", "stinnett_etal_2002"],
    options={
        "first_days": FIRST_DAYS,
        "nmc": Option("6.0", "Release of the National Material Capabilities data.", ("6.0", "7.0")),
    },
    units=("war",),
    coverage_of=("cow_interstate_wars",),
    examples=[
        Example(
            "France attacks its neighbour Spain in 1823.",
            {"warnum": 1},
            {"major_first": 1, "majors_both": 0, "contiguous_first": 1, "region": 2},
            unit="war",
        ),
    ],
)  # fmt: skip
def war_setting(context: Context) -> dict[str, Values]:
    """Make the columns of `war_setting`, one value a war."""
    wars = wars_of(context)
    chosen = context.spine.extra["war"].astype(np.int64).tolist()
    sides = [first_sides(context, wars, war, context.options["first_days"]) for war in chosen]
    side = np.array([part for part, _ in sides]).reshape(len(chosen), context.system.n_states)
    attacker = np.array([number for _, number in sides], np.int64)
    at_year = context.spine.extra["start_year"].astype(np.int64) - context.system.first_year
    return {
        name: Rows(values)
        for name, values in {
            **_power(context, side, attacker, at_year),
            **_place(context, side, attacker, at_year),
        }.items()
    }


def _power(
    context: Context,
    side: NDArray[np.int64],
    attacker: NDArray[np.int64],
    at_year: NDArray[np.int64],
) -> dict[str, NDArray[np.generic]]:
    majors = context.shared(
        "major", lambda: major_cube(context.system, context.tables.get("cow_states", "majors"))
    )
    cinc = _cinc(context)
    great = majors[:, at_year].T == 1
    on_side = [(great & (side == number)).any(axis=1) for number in (1, 2)]
    strength = np.where(side > 0, cinc[:, at_year].T, 0.0)
    first, second = (np.where(side == number, strength, 0.0).sum(axis=1) for number in (1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        balance = np.minimum(first, second) / np.maximum(first, second)
        share = np.where(attacker == 1, first, second) / (first + second)
    return {
        "major_first": (on_side[0] | on_side[1]).astype(np.int8),
        "majors_both": (on_side[0] & on_side[1]).astype(np.int8),
        "first_cinc": first + second,
        "capability_balance": balance,
        "attacker_share": np.where(attacker > 0, share, np.nan),
        "states_in_system": context.system.member[:, at_year].sum(axis=0).astype(np.int32),
    }


def _cinc(context: Context) -> NDArray[np.float64]:
    """Return CINC over (state, year) in the release that the option `nmc` names."""
    inner = Context(
        context.spine,
        context.tables,
        {"release": context.options["nmc"]},
        context.wanted,
        context.cache,
    )
    return capability_cube(inner, "cinc")


def _place(
    context: Context,
    side: NDArray[np.int64],
    attacker: NDArray[np.int64],
    at_year: NDArray[np.int64],
) -> dict[str, NDArray[np.generic]]:
    borders = land_borders(context)
    system = context.system
    regions = region_of(system.ccodes)
    touching = np.zeros(len(side), np.int8)
    region = np.full(len(side), missing_of(np.dtype(np.int8)), np.int8)
    covered = context.tables.coverage("cow_contiguity")
    for war, year in enumerate(at_year.tolist()):
        first, second = (np.flatnonzero(side[war] == number) for number in (1, 2))
        touching[war] = any((int(i), int(j), year) in borders for i in first for j in second)
        if not covered[0] <= year + system.first_year <= covered[1]:
            touching[war] = missing_of(np.dtype(np.int8))
        attacked = second if attacker[war] == 1 else first
        if len(attacked):
            region[war] = regions[attacked[0]]
    return {
        "contiguous_first": touching,
        "region": region,
        "europe": ((side > 0) & (regions == 2)[None, :]).any(axis=1).astype(np.int8),
    }


def land_borders(context: Context) -> set[tuple[int, int, int]]:
    """Return (state, state, year index) of each land or river border, both orders."""

    def make() -> set[tuple[int, int, int]]:
        facts = context.tables.get("cow_contiguity", "dyad_years")
        land = facts.filter(facts["conttype"] == 1)
        one = context.system.index(land["ccode1"].to_numpy())
        other = context.system.index(land["ccode2"].to_numpy())
        year = land["year"].to_numpy().astype(np.int64) - context.system.first_year
        inside = (one >= 0) & (other >= 0)
        columns = (part[inside].tolist() for part in (one, other, year))
        return set(zip(*columns, strict=True))

    return context.shared("land_borders", make)
