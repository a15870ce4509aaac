"""Inter-state wars as spells of fighting: who fought whom, on which side, from which day to which.

Source: Sarkees & Wayman 2010, Resort to War; COW Inter-State War Data v4.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.panels.system import day_number, year_of
from foedus.sources.tables import Tables

NEVER = np.iinfo(np.int64).min
UNKNOWN_DEATHS = np.nan


@dataclass(frozen=True)
class WarList:
    """Spells of participation in wars, and what follows from them.

    A spell is a row of the source: one state on one side of one war. A state that changes sides
    has two spells in a war; a state whose fighting was broken by a truce has one spell with two
    phases.

    Attributes
    ----------
    warnum, ccode, side : int arrays (spells,)
        Sorted by war, first day, side and state.
    start, end : int64 arrays (spells,)
        First day of the first phase and last day of the last one, as days since 1970-01-01; the
        least int64 when unknown.
    pause, resume : int64 arrays (spells,)
        Last day of the first phase and first day of the second, where there are two; else the
        least int64.
    exact : bool array (spells,)
        Whether all of a spell's days are known to the day.
    initiator : int array (spells,)
        1 if the source names the state an initiator.
    outcome : int array (spells,)
        The source's code of how the war ended for the state.
    deaths : float array (spells,)
        Battle deaths, NaN where unknown.
    name : str array (spells,)
        Name of the war.
    """

    warnum: NDArray[np.int64]
    ccode: NDArray[np.int64]
    side: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    pause: NDArray[np.int64]
    resume: NDArray[np.int64]
    exact: NDArray[np.bool_]
    initiator: NDArray[np.int64]
    outcome: NDArray[np.int64]
    deaths: NDArray[np.float64]
    name: NDArray[np.str_]

    @classmethod
    def from_table(cls, participants: pl.DataFrame) -> WarList:
        """Build the list from the table cow_interstate_wars/participants."""
        rows = participants.sort("warnum", "start1", "side", "ccode")
        first_end, second_end = day_number(rows["end1"]), day_number(rows["end2"])
        second_start = day_number(rows["start2"])
        paused = second_start != NEVER
        known = [column for column in rows.columns if column.endswith("_precision")]
        exact = rows.select(
            pl.all_horizontal([pl.col(name).fill_null("day") == "day" for name in known])
            if known
            else pl.lit(True).repeat_by(1).list.first().alias("exact")
        ).to_series()
        return cls(
            warnum=rows["warnum"].to_numpy().astype(np.int64),
            ccode=rows["ccode"].to_numpy().astype(np.int64),
            side=rows["side"].to_numpy().astype(np.int64),
            start=day_number(rows["start1"]),
            end=np.where(paused, second_end, first_end),
            pause=np.where(paused, first_end, NEVER),
            resume=second_start,
            exact=np.broadcast_to(exact.to_numpy(), (rows.height,)).astype(bool),
            initiator=rows["initiator"].fill_null(0).to_numpy().astype(np.int64),
            outcome=rows["outcome"].fill_null(-9).to_numpy().astype(np.int64),
            deaths=rows["batdeath"].cast(pl.Float64).fill_null(UNKNOWN_DEATHS).to_numpy(),
            name=rows["warname"].to_numpy().astype(str),
        )

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """War numbers, ascending."""
        return np.unique(self.warnum)

    @cached_property
    def of_spell(self) -> NDArray[np.int64]:
        """Position in `numbers` of each spell's war."""
        return np.searchsorted(self.numbers, self.warnum).astype(np.int64)

    @cached_property
    def first_day(self) -> NDArray[np.int64]:
        """First day of each war: the earliest day on which a participant is at war."""
        days = np.full(len(self.numbers), np.iinfo(np.int64).max)
        np.minimum.at(days, self.of_spell, self.start)
        return days

    @cached_property
    def last_day(self) -> NDArray[np.int64]:
        """Last day of each war; the least int64 while any participant's end is unknown."""
        days = np.full(len(self.numbers), NEVER)
        np.maximum.at(days, self.of_spell, self.end)
        days[np.unique(self.of_spell[self.end == NEVER])] = NEVER
        return days

    @cached_property
    def start_year(self) -> NDArray[np.int64]:
        """Year in which each war began."""
        return year_of(self.first_day)

    @cached_property
    def attacking_side(self) -> NDArray[np.int64]:
        """Side of each war's initiators, 0 where the source names none."""
        side = np.zeros(len(self.numbers), np.int64)
        leads = self.initiator == 1
        side[self.of_spell[leads]] = self.side[leads]
        return side

    @cached_property
    def original(self) -> NDArray[np.bool_]:
        """Whether a spell begins on the first day of its war."""
        # ASSUME: the originators of a war are the states at war on its first day, on either side;
        # a state that comes in a day later is a joiner, whatever was agreed beforehand.
        return np.asarray(self.start == self.first_day[self.of_spell])

    def within(self, days: int) -> NDArray[np.bool_]:
        """Whether a spell begins within `days` days of its war's first day (0: on it)."""
        return np.asarray(self.start - self.first_day[self.of_spell] <= days)

    @cached_property
    def states(self) -> WarStates:
        """One entry a state a war: its spells put together."""
        return WarStates.from_spells(self)

    def active_days(self, war: int) -> int:
        """Count the days on which at least one state on each side of a war is fighting.

        Truces (between a spell's two phases) don't count. `war` is a position in `numbers`.
        """
        spells = np.flatnonzero(self.of_spell == war)
        length = int(self.last_day[war] - self.first_day[war]) + 1
        fighting = np.zeros((2, length), dtype=bool)
        for spell in spells:
            offset = self.first_day[war]
            side = int(self.side[spell] != 1)
            if self.resume[spell] == NEVER:
                fighting[side, self.start[spell] - offset : self.end[spell] - offset + 1] = True
                continue
            fighting[side, self.start[spell] - offset : self.pause[spell] - offset + 1] = True
            fighting[side, self.resume[spell] - offset : self.end[spell] - offset + 1] = True
        return int(fighting.all(axis=0).sum())

    def at_war(self, war: int, day: int) -> NDArray[np.int64]:
        """Return the positions of the spells of a war that are running on a day."""
        running = (self.of_spell == war) & (self.start <= day)
        running &= (self.end == NEVER) | (self.end >= day)
        return np.flatnonzero(running)


@dataclass(frozen=True)
class WarStates:
    """One entry a state a war, sorted by war and state; spells of one state are put together.

    Attributes
    ----------
    warnum, ccode : int arrays (entries,)
    side, last_side : int arrays (entries,)
        Side of its first spell, and of its last.
    spells : int array (entries,)
        Number of spells.
    start, end : int64 arrays (entries,)
        Day of entry and last day.
    original : bool array (entries,)
        Whether it was at war on the war's first day.
    initiator, outcome : int arrays (entries,)
    deaths : float array (entries,)
    """

    warnum: NDArray[np.int64]
    ccode: NDArray[np.int64]
    side: NDArray[np.int64]
    last_side: NDArray[np.int64]
    spells: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    original: NDArray[np.bool_]
    initiator: NDArray[np.int64]
    outcome: NDArray[np.int64]
    deaths: NDArray[np.float64]

    @classmethod
    def from_spells(cls, wars: WarList) -> WarStates:
        """Put the spells of each state in each war together."""
        # ASSUME: a state that changed sides in a war (Germany in the Latvian war; France, Italy,
        # Romania and Bulgaria in the Second World War) stands once, on the side that it entered
        # on; its deaths are summed over its spells (unknown if any is), its end is its last
        # spell's end and its outcome that of its last spell.
        order = np.lexsort((wars.side, wars.start, wars.ccode, wars.warnum))
        key = wars.warnum[order] * 10_000 + wars.ccode[order]
        _, first, spells = np.unique(key, return_index=True, return_counts=True)
        last = first + spells - 1
        head, tail = order[first], order[last]
        return cls(
            warnum=wars.warnum[head],
            ccode=wars.ccode[head],
            side=wars.side[head],
            last_side=wars.side[tail],
            spells=spells.astype(np.int64),
            start=wars.start[head],
            end=wars.end[tail],
            original=wars.original[head],
            initiator=np.maximum.reduceat(wars.initiator[order], first),
            outcome=wars.outcome[tail],
            deaths=np.add.reduceat(wars.deaths[order], first),
        )


def load_wars(tables: Tables) -> WarList:
    """Return the inter-state wars from the ingested participants."""
    return WarList.from_table(tables.get("cow_interstate_wars", "participants"))
