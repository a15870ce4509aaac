"""How large a war became: states, joiners, battle deaths, days, and how it ended."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import Rows, Values, missing_of
from foedus.covariates.war_outset import FIRST_DAYS, wars_of
from foedus.panels.war_list import NEVER, WarList

DAYS_A_MONTH = 365.2425 / 12
WON = 1
FRANCO_SPANISH, WORLD_WAR_II, LAOS = 1, 139, 170

DEATHS = Option(
    "complete",
    "How the battle deaths of a war are summed when a participant's are unknown. complete: the sum "
    "is then missing; known: the sum of the known ones.",
    ("complete", "known"),
)


def _row(name: str, kind: str, says: str, unit: str, absent: str = "missing") -> ColumnSpec:
    return ColumnSpec(name, kind, says, unit=unit, level="row", absent=absent)  # type: ignore[arg-type]


@covariate(
    name="war_outcome",
    title="Size, cost, length and end of a war",
    columns=[
        _row("start_year", "integer", "Year in which the war began.", "year"),
        _row("n_states", "count", "States that fought in the war, each once.", "states"),
        _row("n_states_a", "count", "States that fought on COW's side 1 at any time.", "states"),
        _row("n_states_b", "count", "States that fought on COW's side 2 at any time.", "states"),
        _row("n_first", "count", "First belligerents: states at war on the first day (option "
             "first_days).", "states"),
        _row("n_joiners", "count", "States that came in after the first belligerents.", "states"),
        _row("expanded", "flag", "1 if a state came in after the first belligerents.", "0/1"),
        _row("days_to_expansion", "integer", "Days from the war's first day to the first entry "
             "after the first belligerents; in a war that nobody joined, to its last day "
             "(censored: expanded is 0); missing if that day is unknown.", "days"),
        _row("battle_deaths", "number", "Battle deaths of all states together (COW BatDeath); see "
             "option deaths for wars with an unknown one.", "deaths"),
        _row("deaths_unknown", "count", "Spells of participation whose deaths are unknown.",
             "spells"),
        _row("duration_days", "number", "Days on which at least one state on each side was "
             "fighting, truces left out, first and last day included; missing unless all dates are "
             "known to the day.", "days"),
        _row("span_days", "number", "Days from the first to the last, truces and both ends "
             "included.", "days"),
        _row("duration_months", "number", "duration_days in months of 30.44 days.", "months"),
        _row("deaths_per_month", "number", "battle_deaths / duration_months.", "deaths a month"),
        _row("attacker_won", "flag", "1 if a state on the initiators' side is coded winner.",
             "0/1"),
        _row("attacked_won", "flag", "1 if a state on the other side is coded winner.", "0/1"),
    ],
    sources=["cow_interstate_wars"],
    citations=["sarkees_wayman_2010"],
    options={"deaths": DEATHS, "first_days": FIRST_DAYS},
    units=("war",),
    examples=[
        Example(
            "The Franco-Spanish war of 1823: 400 and 600 dead.",
            {"warnum": FRANCO_SPANISH},
            {"n_states": 2, "battle_deaths": 1000.0, "n_joiners": 0, "start_year": 1823,
             "days_to_expansion": 221},
            unit="war",
        ),
        Example(
            "Thailand's deaths in the second Laotian war are unknown, so the sum is too.",
            {"warnum": LAOS},
            {"battle_deaths": None, "deaths_unknown": 1},
            unit="war",
        ),
        Example(
            "The known ones of that war sum to 13,875.",
            {"warnum": LAOS},
            {"battle_deaths": 13875.0, "deaths_unknown": 1},
            unit="war",
            options={"deaths": "known"},
        ),
        Example(
            "The Second World War: 25 states, four of them on both sides.",
            {"warnum": WORLD_WAR_II},
            {"n_states": 25, "n_first": 2, "n_joiners": 23, "battle_deaths": 16634907.0},
            unit="war",
        ),
    ],
)  # fmt: skip
def war_outcome(context: Context) -> dict[str, Values]:
    """Make the columns of `war_outcome`, one value a war."""
    wars = wars_of(context)
    at = context.spine.extra["war"].astype(np.int64)
    states = _states(wars, context.options["first_days"])
    deaths, unknown = battle_deaths(wars, context.options["deaths"])
    active, span = _days(wars)
    months = active / DAYS_A_MONTH
    made: dict[str, NDArray[np.generic]] = {
        "start_year": wars.start_year.astype(np.int32),
        **states,
        "days_to_expansion": _days_to_expansion(wars, context.options["first_days"]),
        "battle_deaths": deaths,
        "deaths_unknown": unknown.astype(np.int32),
        "duration_days": active,
        "span_days": span,
        "duration_months": months,
        "deaths_per_month": deaths / months,
        **_winners(wars),
    }
    return {name: Rows(values[at]) for name, values in made.items()}


def _by_war(
    wars: WarList, of_entry: NDArray[np.int64], chosen: NDArray[np.bool_]
) -> NDArray[np.int32]:
    counted = np.bincount(of_entry[chosen], minlength=len(wars.numbers))
    return counted.astype(np.int32)


def _states(wars: WarList, first_days: int) -> dict[str, NDArray[np.generic]]:
    entries = wars.states
    of_entry = np.searchsorted(wars.numbers, entries.warnum)
    everyone = np.ones(len(of_entry), dtype=bool)
    total = _by_war(wars, of_entry, everyone)
    early = entries.start - wars.first_day[of_entry] <= first_days
    first = _by_war(wars, of_entry, early)
    return {
        "n_states": total,
        "n_states_a": _on_side(wars, 1),
        "n_states_b": _on_side(wars, 2),
        "n_first": first,
        "n_joiners": total - first,
        "expanded": (total > first).astype(np.int8),
    }


def _days_to_expansion(wars: WarList, first_days: int) -> NDArray[np.int32]:
    """Return days to the first joiner, or to the end of a war that has none."""
    entries = wars.states
    of_entry = np.searchsorted(wars.numbers, entries.warnum)
    delay = entries.start - wars.first_day[of_entry]
    late = delay > first_days
    first = np.full(len(wars.numbers), np.iinfo(np.int64).max)
    np.minimum.at(first, of_entry[late], delay[late])
    joined = first < np.iinfo(np.int64).max
    # a war that ends on its first day was at risk for a day
    whole = np.where(wars.last_day == NEVER, 0, wars.last_day - wars.first_day + 1)
    days = np.where(joined, np.minimum(first, 2**30), whole)
    unknown = ~joined & (wars.last_day == NEVER)
    return np.where(unknown, missing_of(np.dtype(np.int32)), days).astype(np.int32)


def _on_side(wars: WarList, side: int) -> NDArray[np.int32]:
    """Count states that fought on a side at any time; one that changed sides counts on both."""
    on_side = wars.side == side
    pairs = np.unique(np.column_stack([wars.of_spell, wars.ccode])[on_side], axis=0)
    return np.bincount(pairs[:, 0], minlength=len(wars.numbers)).astype(np.int32)


def battle_deaths(wars: WarList, rule: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return each war's battle deaths, and how many spells' deaths are unknown.

    Parameters
    ----------
    wars : WarList
    rule : str
        "complete" (missing if any spell's are unknown) or "known" (the known ones, missing only
        if none is).
    """
    size = len(wars.numbers)
    gone = np.isnan(wars.deaths)
    unknown = np.bincount(wars.of_spell[gone], minlength=size)
    spells = np.bincount(wars.of_spell, minlength=size)
    total = np.bincount(wars.of_spell, weights=np.where(gone, 0, wars.deaths), minlength=size)
    missing = unknown > 0 if rule == "complete" else unknown == spells
    return np.where(missing, np.nan, total), unknown


def _days(wars: WarList) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    active = np.full(len(wars.numbers), np.nan)
    span = np.full(len(wars.numbers), np.nan)
    for war in range(len(wars.numbers)):
        if wars.last_day[war] == NEVER or not wars.exact[wars.of_spell == war].all():
            continue
        active[war] = wars.active_days(war)
        span[war] = wars.last_day[war] - wars.first_day[war] + 1
    return active, span


def _winners(wars: WarList) -> dict[str, NDArray[np.generic]]:
    size = len(wars.numbers)
    attacker = wars.attacking_side
    won = wars.outcome == WON
    of_attacker = wars.side == attacker[wars.of_spell]
    known = attacker > 0
    pick: Callable[[NDArray[np.bool_]], NDArray[np.int8]] = lambda spells: np.where(  # noqa: E731
        known,
        np.bincount(wars.of_spell[spells], minlength=size) > 0,
        missing_of(np.dtype(np.int8)),
    ).astype(np.int8)
    return {"attacker_won": pick(won & of_attacker), "attacked_won": pick(won & ~of_attacker)}
