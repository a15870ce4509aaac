"""Units made of wars: the war, the state in a war, and the state that could have joined one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.panels.spine import Spine, StatePlace
from foedus.panels.system import StateSystem, year_of
from foedus.panels.units import unit
from foedus.panels.war_list import NEVER, WarList, load_wars
from foedus.sources.tables import Tables


def _chosen(wars: WarList, years: tuple[int, int]) -> NDArray[np.int64]:
    """Return the positions of the wars that began within the years."""
    inside = (wars.start_year >= years[0]) & (wars.start_year <= years[1])
    return np.flatnonzero(inside)


@unit(
    "war",
    keys=("warnum",),
    says="A COW inter-state war, in the year in which it began.",
    sources=("cow_states", "cow_interstate_wars"),
)
def war(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build wars, sorted by number; `extra` holds start_day and start_year."""
    wars = load_wars(tables)
    at = _chosen(wars, years)
    return Spine(
        unit="war",
        system=system,
        keys={"warnum": wars.numbers[at].astype(np.int32)},
        places=(),
        directed=False,
        years=years,
        extra={
            "war": at,
            "start_day": wars.first_day[at],
            "start_year": wars.start_year[at],
        },
    )


@unit(
    "war-participant",
    keys=("warnum", "ccode"),
    says=(
        "A state in a COW inter-state war that it fought in, once even if it changed sides; facts "
        "about the state are those of the year in which it entered the war."
    ),
    sources=("cow_states", "cow_interstate_wars"),
)
def war_participant(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build war participants, sorted by war and state."""
    wars = load_wars(tables)
    states = wars.states
    of_war = np.searchsorted(wars.numbers, states.warnum)
    kept = np.flatnonzero(np.isin(of_war, _chosen(wars, years)))
    return Spine(
        unit="war-participant",
        system=system,
        keys={
            "warnum": states.warnum[kept].astype(np.int32),
            "ccode": states.ccode[kept].astype(np.int32),
        },
        places=(StatePlace("", system.index(states.ccode[kept]), year_of(states.start[kept])),),
        directed=False,
        years=years,
        extra={
            "war": of_war[kept],
            "entry": kept,
            "start_day": wars.first_day[of_war[kept]],
            "start_year": wars.start_year[of_war[kept]],
        },
    )


def _members_on(system: StateSystem, day: int) -> NDArray[np.int64]:
    """Return the indices of the states that are members of the system on a day, ascending."""
    inside = (system.spell_start <= day) & (system.spell_end >= day)
    return np.unique(system.spell_state[inside])


@unit(
    "war-joiner",
    keys=("warnum", "ccode"),
    says=(
        "A COW inter-state war and a state that could have joined it: every member of the COW "
        "system on the war's first day that was not itself at war in it on that day. Facts about "
        "the state are those of the year in which the war began."
    ),
    sources=("cow_states", "cow_interstate_wars"),
)
def war_joiner(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build wars × potential joiners, sorted by war and state.

    `extra` holds, for each row, `joined`, `joined_side` (of its first spell), `join_day` (the least
    int64 if it stayed out), and the war's `start_day` and position.
    """
    # ASSUME: a state that enters the system after a war's first day can't join it here, even if it
    # fought in it later (Ethiopia in 1941, Angola in 1975): its ties and capabilities at the
    # outset don't exist.
    return joiner_rows("war-joiner", load_wars(tables), system, years)


def joiner_rows(unit: str, wars: WarList, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Return the wars of a list that began within the years × the states that could join them.

    `extra` is that of `war-joiner`.
    """
    states = wars.states
    blocks = [(war, _potential(wars, system, war)) for war in _chosen(wars, years).tolist()]
    of_war = np.repeat([war for war, _ in blocks], [len(block) for _, block in blocks]).astype(int)
    state = np.concatenate([block for _, block in blocks] or [np.zeros(0, np.int64)])
    warnum, ccode = wars.numbers[of_war], system.ccodes[state].astype(np.int64)
    entry = _entry_of(wars, warnum, ccode)
    joined = entry >= 0
    return Spine(
        unit=unit,
        system=system,
        keys={"warnum": warnum.astype(np.int32), "ccode": ccode.astype(np.int32)},
        places=(StatePlace("", state, wars.start_year[of_war]),),
        directed=False,
        years=years,
        extra={
            "war": of_war,
            "start_day": wars.first_day[of_war],
            "start_year": wars.start_year[of_war],
            "joined": joined,
            "joined_side": np.where(joined, states.side[entry], 0),
            "join_day": np.where(joined, states.start[entry], NEVER),
        },
    )


def _potential(wars: WarList, system: StateSystem, war: int) -> NDArray[np.int64]:
    originators = wars.ccode[(wars.of_spell == war) & wars.original]
    members = _members_on(system, int(wars.first_day[war]))
    return members[~np.isin(system.ccodes[members], originators)]


def _entry_of(
    wars: WarList, warnum: NDArray[np.int64], ccode: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the position in `wars.states` of each (war, state), -1 for one that didn't fight."""
    keys = wars.states.warnum * 10_000 + wars.states.ccode
    wanted = warnum * 10_000 + ccode
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, at, -1).astype(np.int64)
