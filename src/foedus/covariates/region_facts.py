"""A region in a year: how many states, how allied, how strong, how warlike, how democratic."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.atop import PAIRS, RELEASE, SECRET, obligation_cube
from foedus.covariates.context import Context, state_cube
from foedus.covariates.major import major_cube
from foedus.covariates.nmc import RELEASE as NMC_RELEASE
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.system_facts import concentration
from foedus.covariates.values import Rows, Values, is_missing
from foedus.panels.regions import NAMES, regions_of
from foedus.panels.war_list import load_wars

UNIT = "region-year"
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def _row(name: str, says: str, unit: str, kind: Any = "number", absent: Any = "missing") -> Any:
    return ColumnSpec(name, kind, says, unit=unit, level="row", absent=absent)


def _rows(context: Context, table: NDArray[Any]) -> Rows:
    """Return a table (regions, years of the system) by row."""
    keys = context.spine.keys
    return Rows(table[keys["region"] - 1, keys["year"] - context.system.first_year])


def _members(context: Context) -> Flags:
    """Return who is a member of which region when: (regions, states, years)."""
    region = regions_of(context.system.ccodes)
    inside = region[None, :] == np.arange(len(NAMES))[:, None]
    return np.asarray(inside[:, :, None] & context.system.member[None, :, :])


def _share(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(part / whole, dtype=np.float64)


@covariate(
    name="region_system",
    title="States and major powers of a region",
    columns=[
        _row("region_members", "Members of the COW system on any day of the year whose number is "
             "the region's.", "states", "count", "zero"),
        _row("region_majors", "COW major powers among them.", "states", "count", "zero"),
    ],
    sources=["cow_states"],
    citations=["cow_states_2017", "singer_small_1968"],
    units=(UNIT,),
    examples=[
        Example("The United States alone in the Americas after Vienna.",
                {"region": 1, "year": 1816}, {"region_members": 1, "region_majors": 0}, unit=UNIT),
        Example("All five great powers are European then, of 21 states.",
                {"region": 2, "year": 1816}, {"region_members": 21, "region_majors": 5},
                unit=UNIT),
    ],
)  # fmt: skip
def region_system(context: Context) -> dict[str, Values]:
    """Make both counts."""
    member = _members(context)
    major = context.shared(
        "major", lambda: major_cube(context.system, context.tables.get("cow_states", "majors"))
    )
    return {
        "region_members": _rows(context, member.sum(axis=1).astype(np.int32)),
        "region_majors": _rows(context, (member & (major == 1)[None]).sum(axis=1).astype(np.int32)),
    }


@covariate(
    name="region_alliances",
    title="How allied a region is",
    columns=[
        _row("region_share_defense", "Share of the region's states that owe another state of the "
             "system, of any region, defence or are owed it.", "share of states, 0-1"),
        _row("region_share_allied", "Share of them with any ATOP obligation, owed or held.",
             "share of states, 0-1"),
        _row("region_dyads_defense", "Share of pairs of states of the region of which one owes the "
             "other defence; missing for a region of one state.", "share of dyads, 0-1"),
        _row("region_dyads_allied", "Share of pairs of states of the region of which one owes the "
             "other any ATOP obligation; missing for a region of one state.",
             "share of dyads, 0-1"),
    ],
    sources=["atop", "cow_states"],
    citations=["leeds_etal_2002", "singer_small_1968"],
    options={"release": RELEASE, "secret": SECRET, "pairs": PAIRS},
    units=(UNIT,),
    examples=[
        Example("Of the Americas' 22 states every two but Canada's pairs have the Rio treaty, and "
                "Canada has one in the United States.",
                {"region": 1, "year": 1950},
                {"region_share_defense": 1.0, "region_dyads_defense": 211 / 231}, unit=UNIT),
    ],
)  # fmt: skip
def region_alliances(context: Context) -> dict[str, Values]:
    """Make shares of states and of pairs within the region."""
    member, together = _members(context), context.system.together
    region = regions_of(context.system.ccodes)
    made: dict[str, Values] = {}
    for name, short in (("defense", "defense"), ("any", "allied")):
        owed = obligation_cube(context, name) == 1
        tied = (owed | owed.transpose(1, 0, 2)) & together
        states = (member & tied.any(axis=1)[None]).sum(axis=1)
        made[f"region_share_{short}"] = _rows(context, _share(states, member.sum(axis=1)))
        within = []
        for place in range(len(NAMES)):
            at = np.ix_(region == place, region == place)
            within.append(_share(tied[at].sum(axis=(0, 1)), together[at].sum(axis=(0, 1))))
        made[f"region_dyads_{short}"] = _rows(context, np.stack(within))
    return made


@covariate(
    name="region_power",
    title="Capabilities of a region, and how they are spread",
    columns=[
        _row("region_cinc", "Summed CINC of the region's states; missing if one's is.",
             "share, 0-1"),
        _row("region_largest", "Largest CINC of one of them; missing if one's is.", "share, 0-1"),
        _row("region_concentration", "Ray & Singer's CON over the region's states: 0 all equal, 1 "
             "one has all; missing if one's is, and for one state.", "index, 0-1"),
    ],
    sources=["cow_nmc", "cow_states"],
    citations=["ray_singer_1973", "singer_etal_1972"],
    options={"release": NMC_RELEASE},
    units=(UNIT,),
    coverage_of=("cow_nmc",),
    examples=[
        Example("Britain holds a third of all capabilities after Waterloo.",
                {"region": 2, "year": 1816}, {"region_largest": 0.336619}, unit=UNIT),
    ],
)  # fmt: skip
def region_power(context: Context) -> dict[str, Values]:
    """Make sum, largest and concentration."""
    cinc = capability_cube(context, "cinc", context.options["release"])
    total, largest, spread = [], [], []
    for member in _members(context):
        held = np.where(member, cinc, 0.0)  # one unknown makes the year's unknown
        total.append(held.sum(axis=0))
        largest.append(held.max(axis=0))
        spread.append(concentration(cinc, member))
    return {
        "region_cinc": _rows(context, np.stack(total)),
        "region_largest": _rows(context, np.stack(largest)),
        "region_concentration": _rows(context, np.stack(spread)),
    }


@covariate(
    name="region_regimes",
    title="Democracies of a region",
    columns=[
        _row("region_democracies", "Share of the region's states with a known polity2 whose is at "
             "least the threshold (6); missing where none is known.", "share of states, 0-1"),
    ],
    sources=["polity", "cow_states"],
    citations=["marshall_gurr_2020"],
    options={
        "threshold": Option(6, "Least polity2 of a democracy."),
        "release": Option("5 v2018", "Release of Polity.", ("5 v2018", "IV v2015")),
    },
    units=(UNIT,),
    coverage_of=("polity",),
    examples=[
        Example("The one state of the Americas after Vienna is a democracy.",
                {"region": 1, "year": 1816}, {"region_democracies": 1.0}, unit=UNIT),
    ],
)  # fmt: skip
def region_regimes(context: Context) -> dict[str, Values]:
    """Make the share."""
    facts = context.table("polity", "state_years").drop_nulls("polity2")
    score = state_cube(
        context.system,
        facts["ccode"].to_numpy(),
        facts["year"].to_numpy(),
        facts["polity2"].to_numpy().astype(np.int8),
        "polity/state_years",
    )
    known = _members(context) & ~is_missing(score)[None]
    high = known & (score >= context.options["threshold"])[None]
    return {"region_democracies": _rows(context, _share(high.sum(axis=1), known.sum(axis=1)))}


def _counted(context: Context, ccodes: NDArray[Any], years: NDArray[Any], of: Any) -> Rows:
    """Count events by region and year, each once in every region that one of its states is in."""
    system = context.system
    inside = (years >= system.first_year) & (years <= system.last_year)
    region = regions_of(np.asarray(ccodes)[inside])
    places = np.column_stack([of[inside], region, years[inside] - system.first_year])
    events = np.unique(places.astype(np.int64), axis=0)
    table = np.zeros((len(NAMES), system.n_years), np.int32)
    np.add.at(table, (events[:, 1], events[:, 2]), 1)
    return _rows(context, table)


@covariate(
    name="region_wars",
    title="Inter-state wars begun in a region",
    columns=[
        _row("region_wars_begun", "COW inter-state wars that begin this year with a belligerent of "
             "the region on their first day.", "wars", "count", "zero"),
    ],
    sources=["cow_interstate_wars", "cow_states"],
    citations=["sarkees_wayman_2010"],
    units=(UNIT,),
    coverage_of=("cow_interstate_wars",),
    examples=[
        Example("The Franco-Spanish War begins in 1823.", {"region": 2, "year": 1823},
                {"region_wars_begun": 1}, unit=UNIT),
        Example("The war data end with 2007.", {"region": 2, "year": 2008},
                {"region_wars_begun": None}, unit=UNIT),
    ],
)  # fmt: skip
def region_wars(context: Context) -> dict[str, Values]:
    """Make `region_wars_begun`."""
    wars = load_wars(context.tables)
    first = wars.original
    years = wars.start_year[wars.of_spell[first]]
    return {"region_wars_begun": _counted(context, wars.ccode[first], years, wars.warnum[first])}


@covariate(
    name="region_disputes",
    title="Militarized disputes begun in a region",
    columns=[
        _row("region_disputes_begun", "COW militarized interstate disputes that begin this year "
             "with an originator of the region.", "disputes", "count", "zero"),
    ],
    sources=["mid", "cow_states"],
    citations=["palmer_etal_2022"],
    options={"release": Option("5.0", "Release of the MID data.", ("5.0", "4.2"))},
    units=(UNIT,),
    coverage_of=("mid",),
    examples=[
        Example("The dispute data end with 2014.", {"region": 2, "year": 2015},
                {"region_disputes_begun": None}, unit=UNIT),
    ],
)  # fmt: skip
def region_disputes(context: Context) -> dict[str, Values]:
    """Make `region_disputes_begun`."""
    begun = context.table("mid", "disputes").select("dispnum", "styear")
    spells = context.table("mid", "participants").filter(orig=1)
    rows = spells.select("dispnum", "ccode").join(begun, on="dispnum", how="inner", validate="m:1")
    return {
        "region_disputes_begun": _counted(
            context, rows["ccode"].to_numpy(), rows["styear"].to_numpy(), rows["dispnum"].to_numpy()
        )
    }
