"""The state system as arrays: spells of membership at day precision, and who shares a day.

Source: Correlates of War Project 2017, State System Membership List v2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

IntArray = NDArray[np.integer]
BoolArray = NDArray[np.bool_]


def day_number(dates: pl.Series) -> NDArray[np.int64]:
    """Return dates as days since 1970-01-01; a missing date is the least int64 (numpy's NaT)."""
    return dates.cast(pl.Date).to_numpy().astype("datetime64[D]").astype(np.int64)


def first_day(years: IntArray) -> NDArray[np.int64]:
    """Return the day number of 1 January of each year."""
    as_years = (np.asarray(years, dtype=np.int64) - 1970).astype("datetime64[Y]")
    return as_years.astype("datetime64[D]").astype(np.int64)


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """Return the distinct values, ascending: numpy's unique without its import of masked arrays."""
    ordered = np.sort(values)
    if len(ordered) == 0:
        return ordered
    return np.asarray(ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])])


def year_of(days: IntArray) -> NDArray[np.int64]:
    """Return the calendar year of each day number."""
    as_days = np.asarray(days, dtype=np.int64).astype("datetime64[D]")
    return as_days.astype("datetime64[Y]").astype(np.int64) + 1970


@dataclass(frozen=True)
class StateSystem:
    """Membership of the inter-state system.

    Attributes
    ----------
    ccodes : int32 array (n,)
        COW codes of all states that were ever members, ascending. A state's position in it is its
        *index* everywhere else.
    first_year, last_year : int
        Years that the membership list covers.
    spell_state : int array (spells,)
        Index of the state of each membership spell.
    spell_start, spell_end : int64 arrays (spells,)
        First and last day of each spell, both inclusive, as days since 1970-01-01.
    """

    ccodes: NDArray[np.int32]
    first_year: int
    last_year: int
    spell_state: NDArray[np.int64]
    spell_start: NDArray[np.int64]
    spell_end: NDArray[np.int64]

    @classmethod
    def from_spells(cls, spells: pl.DataFrame, coverage: tuple[int, int]) -> StateSystem:
        """Build the system from the table cow_states/states (ccode, start, end)."""
        spells = spells.sort("ccode", "start")
        ccodes = distinct(spells["ccode"].to_numpy()).astype(np.int32)
        return cls(
            ccodes=ccodes,
            first_year=coverage[0],
            last_year=coverage[1],
            spell_state=np.searchsorted(ccodes, spells["ccode"].to_numpy()).astype(np.int64),
            spell_start=day_number(spells["start"]),
            spell_end=day_number(spells["end"]),
        )

    @property
    def n_states(self) -> int:
        """Number of states that were ever members."""
        return len(self.ccodes)

    @property
    def n_years(self) -> int:
        """Number of years covered."""
        return self.last_year - self.first_year + 1

    @property
    def years(self) -> NDArray[np.int64]:
        """Years covered, ascending."""
        return np.arange(self.first_year, self.last_year + 1)

    def index(self, ccodes: IntArray) -> NDArray[np.int64]:
        """Return each code's index, -1 for a code that was never a member."""
        wanted = np.asarray(ccodes)
        beyond = len(self._index_of) - 1
        known = np.where((wanted < 0) | (wanted > beyond), beyond, wanted)
        return self._index_of[known]

    @cached_property
    def _index_of(self) -> NDArray[np.int64]:
        """Index of each code from 0 to one past the greatest, -1 where there is none."""
        index = np.full(int(self.ccodes.max(initial=0)) + 2, -1, np.int64)
        index[self.ccodes] = np.arange(self.n_states)
        return index

    @cached_property
    def member(self) -> BoolArray:
        """Whether a state was a member on any day of a year, (n, years)."""
        inside = np.zeros((self.n_states, self.n_years), dtype=bool)
        for state, start, end in self._spell_years():
            inside[state, start : end + 1] = True
        return inside

    @cached_property
    def whole_year(self) -> BoolArray:
        """Whether a state was a member on every day of a year within one spell, (n, years)."""
        full = np.zeros((self.n_states, self.n_years), dtype=bool)
        january = first_day(np.arange(self.first_year, self.last_year + 2))
        for state, start_day, end_day in zip(
            self.spell_state, self.spell_start, self.spell_end, strict=True
        ):
            full[state] |= (january[:-1] >= start_day) & (january[1:] - 1 <= end_day)
        return full

    @cached_property
    def together(self) -> BoolArray:
        """Whether two states were both members on some day of a year, (n, n, years).

        The diagonal is False. A pair in which one is a member all year shares a day whenever the
        other is a member at all; only two states that are both members for part of a year need
        their days compared.
        """
        shared = self.member[:, None, :] & self.member[None, :, :]
        partial = self.member & ~self.whole_year
        for year_index in np.flatnonzero(partial.sum(axis=0) > 1):
            states = np.flatnonzero(partial[:, year_index])
            shared[np.ix_(states, states, [year_index])] &= self._overlap_in_year(
                states, int(year_index)
            )[:, :, None]
        diagonal = np.arange(self.n_states)
        shared[diagonal, diagonal, :] = False
        return shared

    @cached_property
    def years_together(self) -> NDArray[np.int16]:
        """How many earlier years two states were in the system together, (n, n, years)."""
        before = np.cumsum(self.together, axis=2, dtype=np.int16)
        before -= self.together
        return before

    def _overlap_in_year(self, states: IntArray, year_index: int) -> BoolArray:
        """Whether each two of `states` share a day in the year, (len, len)."""
        bounds = first_day(self.first_year + year_index + np.arange(2))
        inside = (self.spell_start < bounds[1]) & (self.spell_end >= bounds[0])
        inside &= np.isin(self.spell_state, states)
        spells = np.flatnonzero(inside)
        start = np.maximum(self.spell_start[spells], bounds[0])
        end = np.minimum(self.spell_end[spells], bounds[1] - 1)
        meets = (start[:, None] <= end[None, :]) & (start[None, :] <= end[:, None])
        place = np.searchsorted(states, self.spell_state[spells])
        overlap = np.zeros((len(states), len(states)), dtype=bool)
        np.logical_or.at(overlap, (place[:, None], place[None, :]), meets)
        return overlap

    def _spell_years(self) -> list[tuple[int, int, int]]:
        start = np.maximum(year_of(self.spell_start) - self.first_year, 0)
        end = np.minimum(year_of(self.spell_end) - self.first_year, self.n_years - 1)
        return list(zip(self.spell_state.tolist(), start.tolist(), end.tolist(), strict=True))
