"""A panel one column at a time: each is made, handed on and let go before the next one is made.

What is in memory at once is the spine, one covariate and what its columns have become (compressed
bytes, when a file is written): it doesn't grow with the number of columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.assemble import (
    Builder,
    Cells,
    ColumnNote,
    Panel,
    Pick,
    column_names,
    provenance_of,
    refuse_overwrite,
)
from foedus.covariates.distribution import (
    Distribution,
    distribution_of,
    tabulate,
    text_distribution,
)
from foedus.covariates.fine import HELD, Calendar, DatedColumns, Raised
from foedus.covariates.registry import get_covariate
from foedus.covariates.where import columns_in, keep_rows
from foedus.errors import UsageError
from foedus.panels.fine_units import fine_rows
from foedus.panels.units import build_spine, get_unit
from foedus.sources.tables import Tables

_COARSER = {"month": ("year",), "day": ("month", "year")}


@dataclass(frozen=True)
class Column:
    """A column on its way out.

    Attributes
    ----------
    name : str
    source : array (rows,), Cells or Calendar
        What a run of rows is taken from.
    note : ColumnNote, optional
        None for a key.
    fine : bool
        Whether the source's rows are the unit's own; else they are its years, whose values hold
        for each month or day.
    """

    name: str
    source: NDArray[Any] | Cells | Calendar
    note: ColumnNote | None = None
    fine: bool = False

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return np.dtype(self.source.dtype)


class PanelStream:
    """The columns of a panel, in order, each made when it is asked for.

    Parameters
    ----------
    tables : Tables
    unit : str
    years : tuple of int
    covariates : sequence of str or "all"
    where : str, optional
    up : str, optional
    system : str
        As in `foedus.covariates.assemble.build_panel`.
    """

    def __init__(
        self,
        tables: Tables,
        unit: str,
        years: tuple[int, int],
        covariates: Sequence[str] | str = (),
        where: str | None = None,
        up: str | None = None,
        system: str = "cow",
    ) -> None:
        chosen = get_unit(unit)
        self.builder = Builder(
            tables, build_spine(tables, unit, years, states=system, of_years=True)
        )
        self.unit, self.years, self.where = unit, years, where
        self.rows = fine_rows(self.builder.spine, unit) if chosen.parent else None
        self.raised = self._raise(up) if up else None
        self._dated = DatedColumns(self.builder, self.rows) if self.rows else None
        self._listed = column_names(unit, covariates)
        self._notes: dict[str, ColumnNote] = {}
        self._looked_up: dict[int, NDArray[np.int64]] = {}
        self._refuse_overwrites()

    def _raise(self, up: str) -> Raised:
        """Go from the unit's months or days up to a coarser period."""
        step = get_unit(self.unit).step
        if self.rows is None or up not in _COARSER.get(step, ()):
            can = " or ".join(_COARSER.get(step, ()))
            raise UsageError(
                f'{self.unit} can be aggregated up to {can}, not to "{up}".'
                if can
                else f"only months and days can be aggregated up to a longer period; {self.unit} "
                "isn't made of them."
            )
        raised = Raised.over(self.rows, up)
        who = self.unit.rsplit("-", 1)[0]
        self.unit = f"{who}-{up}"
        return raised

    @property
    def keys(self) -> tuple[str, ...]:
        """Key columns, in their order."""
        keys = get_unit(self.unit).keys
        if self.builder.spine.states == "cow":
            return keys
        return tuple(name.replace("ccode", "gwcode") for name in keys)

    @cached_property
    def _parent(self) -> NDArray[np.int32] | None:
        """Yearly row of each row; None where the rows are the yearly ones."""
        if self.rows is None or (self.raised and self.raised.period == "year"):
            return None
        return self.rows.parent[self.raised.starts] if self.raised else self.rows.parent

    @cached_property
    def kept(self) -> NDArray[np.int64] | None:
        """Positions of the rows that the filter keeps; None if there is no filter."""
        if not self.where:
            return None
        columns_in(self.where)  # refuses what is no expression before anything is built
        return np.flatnonzero(keep_rows(self.where, _OnDemand(self._names(), self._values)))

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        if self.kept is not None:
            return len(self.kept)
        return self.builder.spine.n_rows if self._parent is None else len(self._parent)

    def __iter__(self) -> Iterator[Column]:
        """Yield keys, then each covariate's columns; what a covariate made is then freed."""
        for name in self.keys:
            yield self._key(name)
        for covariate, listed in self._listed.items():
            for name in listed:
                yield self._column(covariate, name)
            self.builder.forget(get_covariate(covariate))

    def part(self, column: Column, start: int, stop: int) -> NDArray[Any]:
        """Return a column's values in rows from `start` up to `stop`."""
        return column.source[self._rows(column, slice(start, stop))]

    def _rows(self, column: Column, run: slice) -> Pick:
        """Return which of a column's source's rows a run of the panel's rows are."""
        rows: Pick = run if self.kept is None else self.kept[run]
        return rows if column.fine or self._parent is None else self._parent[rows]

    def distribution(self, column: Column) -> Distribution:
        """Return how a column's values are distributed over the panel's rows."""
        source = column.source
        if isinstance(source, Cells):
            return distribution_of(*tabulate(*self._cells(source)))
        if source.dtype.kind not in "fi":
            return text_distribution(self.n_rows)
        if column.fine or self._parent is None:
            rows: Pick = slice(None) if self.kept is None else self.kept
            return distribution_of(*tabulate(source[rows]))
        return distribution_of(*tabulate(source[:], self._times))

    @cached_property
    def _times(self) -> NDArray[np.int64] | None:
        """How many rows of the panel each yearly row stands for; None if each for itself."""
        if self._parent is None:
            if self.kept is None:
                return None
            return np.bincount(self.kept, minlength=self.builder.spine.n_rows)
        parent = self._parent if self.kept is None else self._parent[self.kept]
        return np.bincount(parent, minlength=self.builder.spine.n_rows)

    def _cells(self, source: Cells) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return the values of a column's cells, and how many rows look each up."""
        key = id(source.position)
        if key not in self._looked_up:
            counts = np.bincount(source.position + 1, self._times, minlength=len(source.data))
            self._looked_up[key] = np.roll(counts.astype(np.int64), -1)
        return source.data, self._looked_up[key]

    def provenance(self) -> dict[str, Any]:
        """Return what the panel was made of, once all columns have been made."""
        return provenance_of(self.builder, self._notes, self.where)

    def panel(self) -> Panel:
        """Return the whole panel in memory."""
        columns = {column.name: self.part(column, 0, self.n_rows) for column in self}
        return Panel(
            unit=self.unit,
            years=self.years,
            keys=self.keys,
            columns=columns,
            notes=self._notes,
            provenance=self.provenance(),
        )

    def _key(self, name: str) -> Column:
        spine = self.builder.spine
        stored = name.replace("gwcode", "ccode")
        if stored in spine.keys:
            return Column(name, spine.keys[stored])
        assert self.rows is not None
        calendar = Calendar(self.rows, name)
        if self.raised is None:
            return Column(name, calendar, fine=True)
        return Column(name, calendar[self.raised.starts], fine=True)

    def _column(self, covariate: str, name: str) -> Column:
        entry = get_covariate(covariate)
        if self._dated and (dated := self._dated.column(entry, name, {})):
            values, note, how = dated
            if self.raised:
                values, note = self.raised.column(values, note, how)
            self._notes[name] = note
            return Column(name, values, note, fine=True)
        source, note = self.builder.lazy_column(entry, name, {})
        if self._parent is not None:
            note = replace(note, dating=HELD.format(step=get_unit(self.unit).step))
        self._notes[name] = note
        return Column(name, source, note)

    def _names(self) -> list[str]:
        return [*self.keys, *(name for listed in self._listed.values() for name in listed)]

    def _values(self, name: str) -> NDArray[Any]:
        """Return a column over all rows that there are before the filter."""
        if name in self.keys:
            column = self._key(name)
        else:
            (covariate,) = (key for key, listed in self._listed.items() if name in listed)
            column = self._column(covariate, name)
        whole = slice(None)
        return column.source[whole if column.fine or self._parent is None else self._parent]

    def _refuse_overwrites(self) -> None:
        seen = set(self.keys)
        for covariate, listed in self._listed.items():
            for name in listed:
                refuse_overwrite(seen, name, covariate)
                seen.add(name)


class _OnDemand(Mapping[str, NDArray[Any]]):
    """The columns that a filter may name, each made when it does."""

    def __init__(self, names: Sequence[str], make: Callable[[str], NDArray[Any]]) -> None:
        self._names, self._make = list(names), make

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._make(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
