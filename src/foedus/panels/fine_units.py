"""Units finer than the year: states and dyads by month and by day.

A row stands on a row of the yearly unit that it refines (its *parent*): facts of the year are
looked up there, and only facts that a source dates are made for the month or the day itself. Rows
exist at the precision of the state list: in a month or on a day only if the state (both states, on
the same day) was a member of the system in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.errors import UsageError
from foedus.panels.spans import each_year
from foedus.panels.spine import Spine
from foedus.panels.state_units import directed_dyad_year, dyad_year, state_year
from foedus.panels.system import StateSystem, first_day, year_of
from foedus.panels.units import Step, Unit, get_unit, unit
from foedus.sources.tables import Tables

# Four bytes a row for its parent and four for its date: half a gigabyte.
MOST_ROWS = 64_000_000


def period_of(days: NDArray[Any], step: Step) -> NDArray[np.int64]:
    """Return days since 1970-01-01 as periods: months since January 1970, or the days."""
    days = np.asarray(days, np.int64)
    if step == "day":
        return days
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def first_period(years: NDArray[Any], step: Step) -> NDArray[np.int64]:
    """Return the period in which each year begins."""
    return period_of(first_day(np.asarray(years)), step)


@dataclass(frozen=True)
class Presence:
    """Spans of periods in which a state or a pair exists, sorted and apart.

    Attributes
    ----------
    code : int64 array (spans,)
        A state's index, or first index * n_states + second index.
    first, last : int64 arrays (spans,)
        Periods, both included.
    """

    code: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @cached_property
    def start(self) -> NDArray[np.int64]:
        """Row at which each span begins, and at the end the number of rows."""
        return np.concatenate([[0], np.cumsum(self.last - self.first + 1)])


@dataclass(frozen=True)
class FineRows:
    """Rows of a unit finer than the year, on the spine of their years.

    Attributes
    ----------
    unit : Unit
    parent : int32 array (rows,)
        Row of the yearly spine.
    period : int32 array (rows,)
        Months since January 1970, or days since 1970-01-01.
    presence : Presence
    """

    unit: Unit
    parent: NDArray[np.int32]
    period: NDArray[np.int32]
    presence: Presence

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.parent)

    def month(self, rows: Any) -> NDArray[np.int8]:
        """Return the calendar month (1-12) of rows."""
        months = self.period[rows]
        if self.unit.step == "day":
            months = months.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return np.asarray(months % 12 + 1, np.int8)

    def day(self, rows: Any) -> NDArray[np.int8]:
        """Return the day of the month of rows, for a unit by day."""
        days = self.period[rows].astype("datetime64[D]")
        return np.asarray((days - days.astype("datetime64[M]")).astype(np.int64) + 1, np.int8)

    def covering(
        self, code: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the runs of rows that facts about spans of periods fall on.

        Parameters
        ----------
        code, first, last : int64 arrays (facts,)
            As in `Presence`; a fact outside every presence falls on no row.

        Returns
        -------
        fact, start, stop : int64 arrays (runs,)
            Position of the fact, and its first row and the one after its last; sorted.
        """
        here = self.presence
        low = np.searchsorted(here.code, code)
        high = np.searchsorted(here.code, code, side="right")
        fact, span = each_year(low, high - 1)
        begins = np.maximum(first[fact], here.first[span])
        ends = np.minimum(last[fact], here.last[span])
        meet = begins <= ends
        at = (here.start[:-1] - here.first)[span]
        return fact[meet], (begins + at)[meet], (ends + at + 1)[meet]


def presence(system: StateSystem, years: tuple[int, int], unit: Unit) -> Presence:
    """Return in which periods of the years each state or pair of the unit exists."""
    bounds = first_day(np.array([years[0], years[1] + 1]))
    start = np.maximum(system.spell_start, bounds[0])
    end = np.minimum(system.spell_end, bounds[1] - 1)
    state = system.spell_state
    if unit.keys[0] == "ccode":
        code, first, last = state, start, end
    else:
        one, other = np.divmod(np.arange(len(state) ** 2), len(state))
        apart = state[one] < state[other]
        if "directed" in unit.name:
            apart = state[one] != state[other]
        one, other = one[apart], other[apart]
        code = state[one] * system.n_states + state[other]
        first, last = np.maximum(start[one], start[other]), np.minimum(end[one], end[other])
    meet = first <= last
    code, first, last = code[meet], first[meet], last[meet]
    order = np.lexsort((first, code))
    return _apart(code[order], *(period_of(days[order], unit.step) for days in (first, last)))


def _apart(code: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]) -> Presence:
    """Count once a month in which a spell ends and the next one begins."""
    again = np.flatnonzero((code[1:] == code[:-1]) & (first[1:] <= last[:-1])) + 1
    first = first.copy()
    first[again] = last[again - 1] + 1
    kept = first <= last
    return Presence(code[kept], first[kept], last[kept])


def fine_rows(spine: Spine, name: str) -> FineRows:
    """Return the rows of a unit on the spine of the yearly unit that it refines.

    Raises
    ------
    UsageError
        If there would be more than MOST_ROWS of them.
    """
    chosen = get_unit(name)
    here = presence(spine.system, spine.years, chosen)
    n_rows = int(here.start[-1])
    if n_rows > MOST_ROWS:
        raise UsageError(
            f"{name} {spine.years[0]}-{spine.years[1]} has {n_rows} rows, more than the "
            f"{MOST_ROWS} that are built at once. Ask for fewer years, or for a coarser unit."
        )
    first_year, last_year = _years_of(here, chosen.step)
    span, year = each_year(first_year, last_year)
    begins = np.maximum(here.first[span], first_period(year, chosen.step))
    ends = np.minimum(here.last[span], first_period(year + 1, chosen.step) - 1)
    code = here.code[span]
    # Two spans of one pair in one year stand on the same yearly row.
    new = np.ones(len(code), dtype=bool)
    new[1:] = (code[1:] != code[:-1]) | (year[1:] != year[:-1])
    parent = (np.cumsum(new) - 1).astype(np.int32)
    length = ends - begins + 1
    assert int(new.sum()) == spine.n_rows, "a yearly row has no finer row"
    assert (spine.keys["year"] == year[new]).all(), "finer rows stand on another year's row"
    shift = (begins - (np.cumsum(length) - length)).astype(np.int32)
    period = np.repeat(shift, length)
    period += np.arange(n_rows, dtype=np.int32)
    return FineRows(chosen, np.repeat(parent, length), period, here)


def _years_of(here: Presence, step: Step) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if step == "month":
        return here.first // 12 + 1970, here.last // 12 + 1970
    return year_of(here.first), year_of(here.last)


_PARENTS = {
    "state": (state_year, "a state"),
    "dyad": (dyad_year, "an unordered pair of states, ccode1 < ccode2,"),
    "directed-dyad": (directed_dyad_year, "an ordered pair of states"),
}
_FINER = (
    ("state", "month"), ("dyad", "month"), ("directed-dyad", "month"), ("state", "day"),
    ("dyad", "day"),
)  # fmt: skip


def _build(who: str, tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    return _PARENTS[who][0](tables, system, years)


def _register(who: str, step: Step) -> None:
    states = ("ccode",) if who == "state" else ("ccode1", "ccode2")
    dates = ("year", "month") if step == "month" else ("year", "month", "day")
    says = _PARENTS[who][1]
    same = "" if who == "state" else " on the same day of it" if step == "month" else ""
    which = "on any day of it" if step == "month" and not same else same.strip() or "on it"
    member = "it was a member" if who == "state" else "both were members"
    unit(
        f"{who}-{step}",
        keys=(*states, *dates),
        says=(
            f"{says[0].upper()}{says[1:]} {'in a month' if step == 'month' else 'on a day'}, if "
            f"{member} of the COW system {which}. Facts of the year hold for each {step} of it; "
            f"pacts, wars, disputes and major powers are dated to the {step}."
        ),
        sources=("cow_states",),
        parent=f"{who}-year",
        step=step,
    )(partial(_build, who))


for _who, _step in _FINER:
    _register(_who, _step)  # type: ignore[arg-type]
