"""The state system in a year: how allied, how warlike, how concentrated it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.alliance_facts import members_of
from foedus.covariates.atop import PAIRS, RELEASE, SECRET, obligation_cube
from foedus.covariates.context import Context
from foedus.covariates.major import major_cube
from foedus.covariates.nmc import RELEASE as NMC_RELEASE
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import Rows, Values
from foedus.panels.alliance_units import allied_pairs, pair_years
from foedus.panels.system import day_number
from foedus.panels.war_list import NEVER, WarList, load_wars

UNIT = "system-year"
DAYS_A_MONTH = 30.4375
_OF_STATES = "share of states, 0-1"


def _row(name: str, kind: Any, says: str, unit: str, absent: Any = "zero") -> ColumnSpec:
    return ColumnSpec(name, kind, says, unit=unit, level="row", absent=absent)


def _years(context: Context) -> NDArray[np.int64]:
    """Return the place of each row's year in the system's years."""
    return context.spine.keys["year"].astype(np.int64) - context.system.first_year


def _counted(context: Context, years: NDArray[Any]) -> Rows:
    """Count events by their year."""
    rows = context.spine.keys["year"]
    inside = years[(years >= rows[0]) & (years <= rows[-1])].astype(np.int64)
    return Rows(np.bincount(inside - int(rows[0]), minlength=len(rows)).astype(np.int32))


def _majors(context: Context) -> NDArray[np.bool_]:
    cube = context.shared(
        "major", lambda: major_cube(context.system, context.tables.get("cow_states", "majors"))
    )
    return np.asarray(cube == 1)


@covariate(
    name="system_states",
    title="States and major powers of the system",
    columns=[
        _row("system_states", "count", "Members of the COW system on any day of the year.",
             "states"),
        _row("system_majors", "count", "COW major powers on any day of the year.", "states"),
    ],
    sources=["cow_states"],
    citations=["cow_states_2017"],
    units=(UNIT,),
    examples=[
        Example(
            "Five great powers after Vienna, in a system of 23 states.",
            {"year": 1816},
            {"system_states": 23, "system_majors": 5},
            unit=UNIT,
        ),
    ],
)  # fmt: skip
def system_states(context: Context) -> dict[str, Values]:
    """Make both counts."""
    at_year = _years(context)
    return {
        "system_states": Rows(context.system.member[:, at_year].sum(axis=0).astype(np.int32)),
        "system_majors": Rows(_majors(context)[:, at_year].sum(axis=0).astype(np.int32)),
    }


@covariate(
    name="system_alliances",
    title="How allied the system is",
    columns=[
        _row("system_share_defense", "number", "Share of states that owe another state of the "
             "system defence or are owed it.", _OF_STATES),
        _row("system_share_allied", "number", "Share of states with any ATOP obligation, owed or "
             "held, to another state of the system.", _OF_STATES),
        _row("system_dyads_defense", "number", "Share of pairs of states of which one owes the "
             "other defence.", "share of dyads, 0-1"),
        _row("system_dyads_allied", "number", "Share of pairs of states of which one owes the "
             "other any ATOP obligation.", "share of dyads, 0-1"),
        _row("system_alliances", "count", "ATOP alliances with two members or more on one day of "
             "the year, members outside the system included.", "alliances"),
        _row("system_alliances_begun", "count", "Alliances whose first members enter them this "
             "year.", "alliances"),
        _row("system_alliances_ended", "count", "Alliances whose last members leave them this "
             "year.", "alliances"),
    ],
    sources=["atop", "cow_states"],
    citations=["leeds_etal_2002", "singer_small_1968"],
    options={"release": RELEASE, "secret": SECRET, "pairs": PAIRS},
    units=(UNIT,),
    examples=[
        Example(
            "In 1817 five pacts of the peace settlement stand, and 14 of 23 states are in one.",
            {"year": 1817},
            {"system_alliances": 5, "system_alliances_begun": 0,
             "system_share_defense": 14 / 23},
            unit=UNIT,
        ),
    ],
)  # fmt: skip
def system_alliances(context: Context) -> dict[str, Values]:
    """Make shares of states and dyads, and counts of alliances."""
    at_year = _years(context)
    member = context.system.member[:, at_year]
    together = context.system.together[:, :, at_year]
    made: dict[str, Values] = {}
    for name, short in (("defense", "defense"), ("any", "allied")):
        owed = obligation_cube(context, name)[:, :, at_year] == 1
        tied = (owed | owed.transpose(1, 0, 2)) & together
        with np.errstate(invalid="ignore", divide="ignore"):
            made[f"system_share_{short}"] = Rows(tied.any(axis=1).sum(axis=0) / member.sum(axis=0))
            made[f"system_dyads_{short}"] = Rows(tied.sum(axis=(0, 1)) / together.sum(axis=(0, 1)))
    members = members_of(context)
    spans = members.group_by("atopid").agg(
        pl.col("first_year").min(), pl.col("last_year").max(), pl.col("in_force").any()
    )
    pairs = allied_pairs(members.select("atopid", "phase", "member", "start", "end"))
    pair, year = pair_years(pairs, context.spine.years)
    standing = np.unique(pairs["atopid"].to_numpy().astype(np.int64)[pair] * 10_000 + year)
    made["system_alliances"] = _counted(context, standing % 10_000)
    made["system_alliances_begun"] = _counted(context, spans["first_year"].to_numpy())
    ended = spans.filter(~pl.col("in_force"))
    made["system_alliances_ended"] = _counted(context, ended["last_year"].to_numpy())
    return made


@covariate(
    name="system_wars",
    title="Inter-state wars begun in the system",
    columns=[
        _row("system_wars_begun", "count", "COW inter-state wars that begin this year.", "wars"),
        _row("system_major_wars_begun", "count", "Those in which states that were major powers "
             "on the day they entered fight on both sides.", "wars"),
        _row("system_war_months", "number", "Nation-months of the wars that begin this year "
             "(Singer & Small's magnitude): days of all spells of participation, truces left out, "
             "over 30.4375.", "nation-months"),
        _row("system_war_deaths", "number", "Battle deaths of the wars that begin this year "
             "(their severity); see option deaths.", "deaths"),
    ],
    sources=["cow_interstate_wars", "cow_states"],
    citations=["sarkees_wayman_2010", "singer_small_1968"],
    options={
        "deaths": Option(
            "known",
            "A year with a war in which a participant's deaths are unknown: those "
            "known summed, or missing (complete).",
            ("known", "complete"),
        ),
    },
    units=(UNIT,),
    extras=["system_major_wars_begun", "system_war_months", "system_war_deaths"],
    examples=[
        Example("The Franco-Spanish War begins in 1823: 1000 dead, two states for 221 days.",
                {"year": 1823},
                {"system_wars_begun": 1, "system_war_deaths": 1000.0, "system_major_wars_begun": 0,
                 "system_war_months": 2 * 221 / 30.4375}, unit=UNIT),
        Example("France and Britain against Russia, from 1853 on.", {"year": 1853},
                {"system_major_wars_begun": 1}, unit=UNIT),
        Example("The war data end with 2007.", {"year": 2008},
                {"system_wars_begun": None, "system_war_months": None}, unit=UNIT),
    ],
)  # fmt: skip
def system_wars(context: Context) -> dict[str, Values]:
    """Make the columns of wars by the year in which they begin."""
    wars = load_wars(context.tables)
    begun = wars.start_year
    made: dict[str, Values] = {"system_wars_begun": _counted(context, begun)}
    # each spell's war, by its place in the list of wars
    place = np.searchsorted(wars.numbers, wars.warnum)
    if "system_major_wars_begun" in context.wanted:
        against = _majors_on_both_sides(wars, context.tables.get("cow_states", "majors"))
        made["system_major_wars_begun"] = _counted(context, begun[against])
    if "system_war_months" in context.wanted:
        days = np.nansum([_days(wars.start, wars.end), -_truce(wars)], axis=0)
        made["system_war_months"] = _summed(context, begun[place], days / DAYS_A_MONTH)
    if "system_war_deaths" in context.wanted:
        whole = context.options["deaths"] == "complete"
        deaths = wars.deaths if whole else np.nan_to_num(wars.deaths, nan=0.0)
        made["system_war_deaths"] = _summed(context, begun[place], deaths)
    return made


def _days(first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return days from first to last, both included; unknown where either is."""
    known = (first != NEVER) & (last != NEVER)
    return np.where(known, np.where(known, last, 0) - np.where(known, first, 0) + 1.0, np.nan)


def _truce(wars: WarList) -> NDArray[np.float64]:
    """Return the days between a spell's two phases, 0 without a second."""
    paused = wars.resume != NEVER
    return np.where(paused, np.nan_to_num(_days(wars.pause, wars.resume)) - 2.0, 0.0)


def _majors_on_both_sides(wars: WarList, majors: pl.DataFrame) -> NDArray[np.bool_]:
    """Return for each war whether states that entered it as major powers fight each other."""
    spells = zip(
        majors["ccode"], day_number(majors["start"]), day_number(majors["end"]), strict=True
    )
    great = np.zeros(wars.warnum.size, bool)
    for ccode, first, last in spells:
        great |= (wars.ccode == ccode) & (wars.start >= first) & (wars.start <= last)
    found = [
        len(set(wars.side[great & (wars.warnum == number)].tolist())) > 1 for number in wars.numbers
    ]
    return np.array(found)


def _summed(context: Context, years: NDArray[Any], values: NDArray[np.float64]) -> Rows:
    """Sum amounts by year; a year with an unknown amount is missing."""
    rows = context.spine.keys["year"]
    inside = (years >= rows[0]) & (years <= rows[-1])
    at = years[inside].astype(np.int64) - int(rows[0])
    # without any war numpy counts in whole numbers, weights or not
    sums = np.bincount(at, weights=values[inside], minlength=len(rows))
    return Rows(sums.astype(np.float64))


@covariate(
    name="system_disputes",
    title="Militarized disputes begun in the system",
    columns=[
        _row("system_disputes_begun", "count", "COW militarized interstate disputes that begin "
             "this year.", "disputes"),
    ],
    sources=["mid"],
    citations=["palmer_etal_2022"],
    options={"release": Option("5.0", "Release of the MID data.", ("5.0", "4.2"))},
    units=(UNIT,),
    examples=[
        Example("The dispute data end with 2014.", {"year": 2015},
                {"system_disputes_begun": None}, unit=UNIT),
    ],
)  # fmt: skip
def system_disputes(context: Context) -> dict[str, Values]:
    """Make `system_disputes_begun`."""
    started = context.table("mid", "disputes")["styear"]
    return {"system_disputes_begun": _counted(context, started.to_numpy())}


@covariate(
    name="system_power",
    title="Concentration of capabilities in the system",
    columns=[
        _row("system_concentration", "number", "Ray & Singer's CON of the CINC shares of the major "
             "powers (or all states, option among): 0 all equal, 1 one has all; missing if one's "
             "is.", "index, 0-1", "missing"),
        _row("system_largest", "number", "Largest CINC of a state.", "share, 0-1", "missing"),
    ],
    sources=["cow_nmc", "cow_states"],
    citations=["ray_singer_1973", "singer_etal_1972"],
    options={
        "release": NMC_RELEASE,
        "among": Option("majors", "Over whose capabilities: COW's major powers' or all states'.",
                        ("majors", "states")),
    },
    units=(UNIT,),
    coverage_of=("cow_nmc",),
    examples=[
        Example("Britain after Waterloo holds a third of the system's capabilities.",
                {"year": 1816}, {"system_largest": 0.336619, "system_concentration": 0.329629},
                unit=UNIT),
    ],
)  # fmt: skip
def system_power(context: Context) -> dict[str, Values]:
    """Make the index and the largest share."""
    at_year = _years(context)
    cinc = capability_cube(context, "cinc", context.options["release"])[:, at_year]
    member = context.system.member[:, at_year]
    group = (
        member & _majors(context)[:, at_year] if context.options["among"] == "majors" else member
    )
    known = np.where(member, cinc, np.nan)
    largest = np.full(len(at_year), np.nan)
    some = ~np.isnan(known).all(axis=0)
    largest[some] = np.nanmax(known[:, some], axis=0)
    return {
        "system_concentration": Rows(concentration(cinc, group)),
        "system_largest": Rows(largest),
    }


def concentration(
    capabilities: NDArray[np.float64], group: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return Ray & Singer's CON over the states of a group in each year.

    CON = sqrt((sum of s_i^2 - 1/N) / (1 - 1/N)), s_i a state's share of the group's total.

    Parameters
    ----------
    capabilities : float array (states, years)
    group : bool array (states, years)

    Returns
    -------
    float array (years,)
        NaN for fewer than two states, or where one's capabilities are unknown.
    """
    held = np.where(group, capabilities, 0.0)
    count = group.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = held / held.sum(axis=0)
        level = 1 / count
        index = np.sqrt(np.maximum((shares**2).sum(axis=0) - level, 0.0) / (1 - level))
    return np.where(count > 1, index, np.nan)
