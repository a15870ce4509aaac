"""Columns on units finer than the year: the year's value held, or the period's own where dated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.aggregate import aggregate
from foedus.covariates.assemble import Builder, ColumnNote, Pick
from foedus.covariates.context import Context
from foedus.covariates.dated import DATED, Days, DyadDays, StateDays
from foedus.covariates.registry import Covariate, Up
from foedus.covariates.values import missing_of
from foedus.panels.fine_units import FineRows, first_period, period_of
from foedus.panels.spine import Spine

HELD = "The year's value, held for each {step} of it."
OWN = "Of the {step} itself: read any day of the year as any day of the {step}."
RAISED = "The {how} over the {step}s of the {period}."


@dataclass(frozen=True)
class Calendar:
    """The month or day of each row, worked out where it is read."""

    rows: FineRows
    part: str

    def __getitem__(self, pick: Pick) -> NDArray[np.int8]:
        """Return the values of rows."""
        return self.rows.month(pick) if self.part == "month" else self.rows.day(pick)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return np.dtype(np.int8)


def is_dated(entry: Covariate, options: Mapping[str, Any]) -> bool:
    """Whether a covariate has columns dated to the day, under these options."""
    # Another source of the same concept is another record: it has the year's values only.
    declared = entry.options.get("source")
    own = declared is None or options.get("source", declared.default) == declared.default
    return entry.name in DATED and own


class DatedColumns:
    """Makes flags for the rows of a unit finer than the year.

    Parameters
    ----------
    builder : Builder
        Of the yearly spine; its arrays are shared.
    rows : FineRows
    """

    def __init__(self, builder: Builder, rows: FineRows) -> None:
        self.builder, self.rows = builder, rows
        self._days: dict[Any, Days] = {}

    def column(
        self, entry: Covariate, name: str, options: Mapping[str, Any]
    ) -> tuple[NDArray[np.int8], ColumnNote, Up] | None:
        """Return a column by its name on the unit, its note, and how it goes up; None if held."""
        resolved = entry.resolve_options(options)
        if not is_dated(entry, resolved):
            return None
        spec, place = self.builder.find(entry, name)
        days = self._made(entry, resolved).get(spec.name)
        if days is None:
            return None
        coverage = self.builder.coverage(entry, resolved)
        note = replace(
            self.builder.note(entry, spec, resolved, coverage),
            dating=OWN.format(step=self.rows.unit.step),
        )
        return self._flags(days, place, coverage), note, spec.up

    def _made(self, entry: Covariate, options: dict[str, Any]) -> Days:
        key = (entry.name, tuple(sorted(options.items(), key=lambda item: item[0])))
        if key not in self._days:
            spine, tables = self.builder.spine, self.builder.tables
            shared = self.builder.shared
            self._days[key] = DATED[entry.name](
                Context(spine, tables, options, frozenset(), shared)
            )
        return self._days[key]

    def _flags(
        self, days: DyadDays | StateDays, place: int, coverage: tuple[int, int] | None
    ) -> NDArray[np.int8]:
        rows = self.rows
        if isinstance(days, StateDays):
            flags = self._of_states(days, place)
        else:
            flags = flags_on(days, rows, self.builder.spine)
        if coverage is not None:
            bounds = first_period(np.array([coverage[0], coverage[1] + 1]), rows.unit.step)
            outside = (rows.period < bounds[0]) | (rows.period >= bounds[1])
            flags[outside] = missing_of(flags.dtype)
        return flags

    def _of_states(self, days: StateDays, place: int) -> NDArray[np.int8]:
        """Look a state's flag up in an array over (state, period)."""
        rows, spine = self.rows, self.builder.spine
        step, system = rows.unit.step, spine.system
        first, last = first_period(np.array([spine.years[0], spine.years[1] + 1]), step)
        cells = np.zeros((system.n_states, int(last - first)), np.int8)
        begins = np.maximum(period_of(days.from_day, step) - first, 0)
        ends = np.minimum(period_of(days.to_day, step) - first, last - first - 1)
        for state, begin, end in zip(system.index(days.ccode), begins, ends, strict=True):
            if state >= 0 and begin <= end:
                cells[state, begin : end + 1] = 1
        state = spine.places[place].state.astype(np.int32)[rows.parent]
        return np.asarray(cells[state, rows.period - np.int32(first)])


def flags_on(days: DyadDays, rows: FineRows, spine: Spine) -> NDArray[np.int8]:
    """Return 1 on the rows whose pair has one of the spans in their month or day, else 0."""
    system, step = spine.system, rows.unit.step
    one, other = system.index(days.ccode1), system.index(days.ccode2)
    if not spine.directed:
        one, other = np.minimum(one, other), np.maximum(one, other)
    inside = (np.minimum(one, other) >= 0) & (days.from_day <= days.to_day)
    fact, start, stop = rows.covering(
        (one * system.n_states + other)[inside],
        period_of(days.from_day[inside], step),
        period_of(days.to_day[inside], step),
    )
    if days.first:
        flags = np.zeros(rows.n_rows, np.int8)
        earliest = np.ones(len(fact), dtype=bool)
        earliest[1:] = fact[1:] != fact[:-1]
        flags[start[earliest]] = 1
        return flags
    # Runs overlap: count those that are open on each row.
    change = np.zeros(rows.n_rows + 1, np.int32)
    np.add.at(change, start, 1)
    np.subtract.at(change, stop, 1)
    np.cumsum(change, out=change)
    return (change[:-1] > 0).astype(np.int8)


@dataclass(frozen=True)
class Raised:
    """Runs of fine rows that a coarser period takes in.

    Attributes
    ----------
    period : str
        "year" or "month".
    starts : int64 array (groups,)
        First fine row of each.
    rows : FineRows
    """

    period: str
    starts: NDArray[np.int64]
    rows: FineRows

    @classmethod
    def over(cls, rows: FineRows, period: str) -> Raised:
        """Return the runs of a period; the unit's step must be finer."""
        new = np.ones(rows.n_rows, dtype=bool)
        new[1:] = rows.parent[1:] != rows.parent[:-1]
        if period == "month":
            month = rows.month(slice(None))
            new[1:] |= month[1:] != month[:-1]
        return cls(period, np.flatnonzero(new), rows)

    def column(
        self, values: NDArray[Any], note: ColumnNote, how: Up
    ) -> tuple[NDArray[Any], ColumnNote]:
        """Return a dated column and its note for the coarser period."""
        step = self.rows.unit.step
        said = RAISED.format(how=how, step=step, period=self.period)
        return aggregate(values, self.starts, how), replace(note, dating=f"{note.dating} {said}")
