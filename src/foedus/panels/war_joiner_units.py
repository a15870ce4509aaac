"""Wars × the states that could still join them, by year and by month, until each war's end.

A state is at risk of joining a war on the days on which it is a member of the COW system and not
yet in the war, from the war's first day to its last. Rows are the years or months that hold such a
day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.panels.fine_units import period_of
from foedus.panels.spans import each_year
from foedus.panels.spine import Spine, StatePlace
from foedus.panels.system import StateSystem, first_day, year_of
from foedus.panels.units import Step, unit
from foedus.panels.war_list import NEVER, WarList, load_wars
from foedus.sources.tables import Tables

SOURCES = ("cow_states", "cow_interstate_wars")
_RULES = (
    "A row is there while the state is a member of the COW system and not yet in the war: the "
    "war's first belligerents never have one, a joiner's last one is that of its entry (joined is "
    "1 in it), and a state that stays out is censored when the war ends or it leaves the system. A "
    "state that enters the system during the war has rows from then on; one that was in the war "
    "before it was a member has none. A state that changes sides or fights twice joins once, on "
    "the side of its first spell. Facts about the state are those of the row's year."
)


@dataclass(frozen=True)
class AtRisk:
    """Spans of days on which a state could have joined a war, sorted by war, state and day.

    Attributes
    ----------
    war, state : int64 arrays (spans,)
        Position in the war list's `numbers`, and index in the system.
    start, end : int64 arrays (spans,)
        Days since 1970-01-01, both included.
    joined : bool array (spans,)
        Whether the state enters the war on `end`.
    side : int64 array (spans,)
        Side on which it does; 0 if it doesn't.
    """

    war: NDArray[np.int64]
    state: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    joined: NDArray[np.bool_]
    side: NDArray[np.int64]


def war_end(wars: WarList, last_year: int) -> NDArray[np.int64]:
    """Return the last day of each war; of one without a known end, that of the years covered."""
    # ASSUME: a war in which any participant's end is unknown goes on to the last day covered.
    covered = first_day(np.array([last_year + 1]))[0] - 1
    return np.where(wars.last_day == NEVER, covered, wars.last_day)


def at_risk(wars: WarList, system: StateSystem, last_year: int) -> AtRisk:
    """Return when each state of the system could have joined each war."""
    n_wars, n_spells = len(wars.numbers), len(system.spell_state)
    war = np.repeat(np.arange(n_wars), n_spells)
    state = np.tile(system.spell_state, n_wars)
    start = np.maximum(np.tile(system.spell_start, n_wars), wars.first_day[war])
    end = np.minimum(np.tile(system.spell_end, n_wars), war_end(wars, last_year)[war])
    entered, side, original = _entries(wars, system)
    entry, original = entered[war, state], original[war, state]
    joined = ~original & (start <= entry) & (entry <= end)
    end = np.where(joined, entry, end)
    kept = (start <= end) & ~original & ((entry == NEVER) | (entry > end) | joined)
    order = np.lexsort((start[kept], state[kept], war[kept]))
    war, state, start, end, joined = (
        part[kept][order] for part in (war, state, start, end, joined)
    )
    return AtRisk(war, state, start, end, joined, np.where(joined, side[war, state], 0))


def _entries(
    wars: WarList, system: StateSystem
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the day and side of each state's entry into each war, and who was in it at the outset.

    Without an entry the day is never, and the side 0.
    """
    states = wars.states
    at = np.searchsorted(wars.numbers, states.warnum)
    state = system.index(states.ccode)
    known = state >= 0
    day = np.full((len(wars.numbers), system.n_states), NEVER)
    side = np.zeros(day.shape, np.int64)
    original = np.zeros(day.shape, bool)
    day[at[known], state[known]] = states.start[known]
    side[at[known], state[known]] = states.side[known]
    original[at[known], state[known]] = states.original[known]
    return day, side, original


def unseen_joiners(wars: WarList, system: StateSystem, last_year: int) -> list[tuple[int, int]]:
    """Return (war, state) of entries after a war's first day that no row at risk holds.

    They are states outside the system on the day of their entry; nothing else is left out.
    """
    states = wars.states
    risk = at_risk(wars, system, last_year)
    seen = set(
        zip(
            wars.numbers[risk.war[risk.joined]].tolist(),
            system.ccodes[risk.state[risk.joined]].tolist(),
            strict=True,
        )
    )
    late = ~states.original
    entered = zip(states.warnum[late].tolist(), states.ccode[late].tolist(), strict=True)
    return sorted(set(entered) - seen)


def risk_rows(
    unit: str,
    wars: WarList,
    last_year: int,
    system: StateSystem,
    years: tuple[int, int],
    step: Step,
) -> Spine:
    """Return the years or months in which a state could have joined a war of a list.

    Parameters
    ----------
    unit : str
        Name of the unit.
    wars : WarList
    last_year : int
        The list's last, in which wars without a known end still go on.
    system : StateSystem
    years : tuple of int
        First and last year of the rows.
    step : str
        "year" or "month".
    """
    risk = at_risk(wars, system, last_year)
    first, last = (_period(days, step) for days in (risk.start, risk.end))
    # Spells of membership that meet in one period make one row, with the later one's entry.
    same = (risk.war[1:] == risk.war[:-1]) & (risk.state[1:] == risk.state[:-1])
    ends_before = np.where(
        np.append(same & (last[:-1] >= first[1:]), False), np.append(first[1:], 0) - 1, last
    )
    span, period = each_year(first, ends_before)
    year = period if step == "year" else period // 12 + 1970
    inside = (year >= years[0]) & (year <= years[1])
    span, period, year = span[inside], period[inside], year[inside]
    war, state = risk.war[span], risk.state[span]
    joined = risk.joined[span] & (period == last[span])
    began = _period(wars.first_day, step)[war]
    keys: dict[str, NDArray[Any]] = {
        "warnum": wars.numbers[war],
        "ccode": system.ccodes[state],
        "year": year,
    }
    if step == "month":
        keys["month"] = period % 12 + 1
    return Spine(
        unit=unit,
        system=system,
        keys={name: values.astype(np.int32) for name, values in keys.items()},
        places=(StatePlace("", state, year),),
        directed=False,
        years=years,
        extra={
            "war": war,
            "start_day": wars.first_day[war],
            "start_year": wars.start_year[war],
            "joined": joined,
            "joined_side": np.where(joined, risk.side[span], 0),
            "join_day": np.where(joined, risk.end[span], NEVER),
            "elapsed": period - began,
            "period": period,
        },
    )


def _rows(tables: Tables, system: StateSystem, years: tuple[int, int], step: Step) -> Spine:
    last_year = tables.coverage("cow_interstate_wars")[1]
    return risk_rows(f"war-joiner-{step}", load_wars(tables), last_year, system, years, step)


def _period(days: NDArray[np.int64], step: Step) -> NDArray[np.int64]:
    return year_of(days) if step == "year" else period_of(days, step)


@unit(
    "war-joiner-year",
    keys=("warnum", "ccode", "year"),
    says=f"A COW inter-state war, a state that could still join it, and a year. {_RULES}",
    sources=SOURCES,
    years_of="cow_interstate_wars",
)
def war_joiner_year(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build wars × potential joiners × years, sorted by war, state and year.

    `extra` holds what that of `war-joiner` does, for the row's year: `joined` and `joined_side`,
    `join_day` (the least int64 without an entry), and `elapsed`, the years since the war began.
    """
    return _rows(tables, system, years, "year")


@unit(
    "war-joiner-month",
    keys=("warnum", "ccode", "year", "month"),
    says=f"A COW inter-state war, a state that could still join it, and a month. {_RULES}",
    sources=SOURCES,
    years_of="cow_interstate_wars",
)
def war_joiner_month(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build wars × potential joiners × months, sorted by war, state and month; `extra` likewise."""
    return _rows(tables, system, years, "month")
