"""A spine: the rows of a panel, and where each row's states and year lie in dense arrays.

Covariates are mostly facts about a state in a year or about two states in a year. They are held
as dense arrays over (state, year) and (state, state, year); a spine knows each row's place in
those arrays, so that a column is one take and no join.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foedus.panels.system import StateSystem


@dataclass(frozen=True)
class StatePlace:
    """Where one of a row's states stands.

    Attributes
    ----------
    suffix : str
        "" for units with one state, "1" and "2" in dyads: appended to state-level columns.
    state : int array (rows,)
        Index of the state in the system's ccodes; -1 for one that has no facts of a state here: it
        was never a member or, in units that reach outside the system, not in that year.
    year : int array (rows,)
        Calendar year in which the state is looked at.
    """

    suffix: str
    state: NDArray[np.int64]
    year: NDArray[np.int64]


@dataclass(frozen=True)
class Spine:
    """The rows of a panel.

    Attributes
    ----------
    unit : str
        Name of the unit of analysis.
    system : StateSystem
    keys : dict of str to int32 array (rows,)
        Key columns in their order; rows are sorted by them and don't repeat.
    places : tuple of StatePlace
        One for each state of a row; none for units without states (war, alliance).
    directed : bool
        In dyads, whether 1 -> 2 differs from 2 -> 1.
    years : tuple of int
        First and last year asked for.
    extra : dict of str to array (rows,)
        What a unit's builder knows of its rows besides keys (a war's first day, say), for the
        covariates of that unit; not columns.
    states : str
        Whose numbers the keys are: "cow" or "gw".
    """

    unit: str
    system: StateSystem
    keys: dict[str, NDArray[np.int32]]
    places: tuple[StatePlace, ...]
    directed: bool
    years: tuple[int, int]
    extra: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    states: str = "cow"

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.keys.values())))

    @property
    def dyadic(self) -> bool:
        """Whether a row is two states in a year."""
        return len(self.places) == 2

    @property
    def row_years(self) -> NDArray[np.integer] | None:
        """The year in which each row's facts are looked at; None if the unit has no such year."""
        if self.places:
            return self.places[0].year
        if "year" in self.keys:
            return self.keys["year"]
        return self.extra["year"].astype(np.int64) if "year" in self.extra else None

    @cached_property
    def state_positions(self) -> tuple[NDArray[np.int64], ...]:
        """Flat positions of (state, year) in an (n, years) array for each place; -1 is outside."""
        system = self.system
        positions = []
        for place in self.places:
            year = place.year - system.first_year
            inside = (place.state >= 0) & (year >= 0) & (year < system.n_years)
            positions.append(np.where(inside, place.state * system.n_years + year, -1))
        return tuple(positions)

    @cached_property
    def year_index(self) -> NDArray[np.int64]:
        """Position of each row's year in the system's years, for units with a year."""
        return self.places[0].year - self.system.first_year

    @cached_property
    def outside(self) -> NDArray[np.bool_] | None:
        """Rows with a state or a year that the system doesn't have; None if there is none."""
        year, n_years = self.year_index, self.system.n_years
        states = [place.state for place in self.places]
        if len(year) == 0:
            return None
        if min(int(part.min()) for part in (*states, year)) >= 0 and int(year.max()) < n_years:
            return None
        outside = (year < 0) | (year >= n_years)
        for state in states:
            outside |= state < 0
        return outside

    @cached_property
    def has_outside(self) -> bool:
        """Whether some row's state or year has no place in the system."""
        system = self.system
        return any(
            int(place.state.min(initial=0)) < 0
            or int(place.year.min(initial=system.first_year)) < system.first_year
            or int(place.year.max(initial=system.last_year)) > system.last_year
            for place in self.places
        )

    @cached_property
    def cube_position(self) -> NDArray[np.int64]:
        """Flat position of (state 1, state 2, year) in an (n, n, years) array; -1 is outside."""
        return self._position(0, 1)

    @cached_property
    def reverse_position(self) -> NDArray[np.int64]:
        """Flat position of (state 2, state 1, year) in an (n, n, years) array; -1 is outside."""
        return self._position(1, 0)

    @cached_property
    def _order(self) -> NDArray[np.int64] | None:
        """Rows in the order of their positions; None if they stand in it."""
        position = self.cube_position
        return (
            None if (position[1:] >= position[:-1]).all() else np.argsort(position, kind="stable")
        )

    def find(self, position: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the row at each position (state 1, state 2, year), and whether there is one."""
        if self.n_rows == 0:
            return np.zeros(len(position), np.int64), np.zeros(len(position), dtype=bool)
        order = self._order
        at = np.searchsorted(self.cube_position, position, sorter=order)
        at = np.minimum(at, self.n_rows - 1)
        row = at if order is None else order[at]
        return row, self.cube_position[row] == position

    def _position(self, one: int, other: int) -> NDArray[np.int64]:
        n, n_years = self.system.n_states, self.system.n_years
        first, second = self.places[one], self.places[other]
        position = (first.state * n + second.state) * n_years + self.year_index
        if self.outside is not None:
            position[self.outside] = -1
        return position


def member_place(
    system: StateSystem, suffix: str, ccode: NDArray[np.integer], year: NDArray[np.int64]
) -> StatePlace:
    """Return a row's state; one that was no member of the system in the year has no place."""
    state = system.index(ccode)
    at_year = year - system.first_year
    known = (state >= 0) & (at_year >= 0) & (at_year < system.n_years)
    inside = np.zeros(len(state), dtype=bool)
    inside[known] = system.member[state[known], at_year[known]]
    return StatePlace(suffix, np.where(inside, state, -1), year)
