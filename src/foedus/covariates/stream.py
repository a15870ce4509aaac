"""A panel one column at a time: each is made, handed on and let go before the next one is made.

What is in memory at once is the spine, one covariate and what its columns have become (compressed
bytes, when a file is written): it doesn't grow with the number of columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from foedus.covariates.registry import get_covariate
from foedus.covariates.values import missing_of
from foedus.covariates.where import columns_in, keep_rows
from foedus.panels.units import build_spine
from foedus.sources.tables import Tables


@dataclass(frozen=True)
class Column:
    """A column on its way out.

    Attributes
    ----------
    name : str
    dtype : numpy.dtype
    source : array (rows,) or Cells
        What a run of the spine's rows is taken from.
    note : ColumnNote, optional
        None for a key.
    """

    name: str
    source: NDArray[Any] | Cells
    note: ColumnNote | None = None

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
        As in `foedus.covariates.assemble.build_panel`.
    """

    def __init__(
        self,
        tables: Tables,
        unit: str,
        years: tuple[int, int],
        covariates: Sequence[str] | str = (),
        where: str | None = None,
    ) -> None:
        self.builder = Builder(tables, build_spine(tables, unit, years))
        self.unit, self.years, self.where = unit, years, where
        self._listed = column_names(unit, covariates)
        self._notes: dict[str, ColumnNote] = {}
        self._looked_up: dict[int, NDArray[np.int64]] = {}
        self._refuse_overwrites()

    @property
    def keys(self) -> tuple[str, ...]:
        """Key columns, in their order."""
        return self.builder.keys

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
        return self.builder.spine.n_rows if self.kept is None else len(self.kept)

    def __iter__(self) -> Iterator[Column]:
        """Yield keys, then each covariate's columns; what a covariate made is then freed."""
        for name, values in self.builder.spine.keys.items():
            yield Column(name, values)
        for covariate, listed in self._listed.items():
            for name in listed:
                yield self._column(covariate, name)
            self.builder.forget(get_covariate(covariate))

    def part(self, column: Column, start: int, stop: int) -> NDArray[Any]:
        """Return a column's values in rows from `start` up to `stop`."""
        rows: Pick = slice(start, stop) if self.kept is None else self.kept[start:stop]
        return column.source[rows]

    def distribution(self, column: Column) -> Distribution:
        """Return how a column's values are distributed over the panel's rows."""
        source = column.source
        if isinstance(source, Cells):
            return distribution_of(*tabulate(*self._cells(source)))
        if source.dtype.kind not in "fi":
            return text_distribution(self.n_rows)
        return distribution_of(*tabulate(source if self.kept is None else source[self.kept]))

    def _cells(self, source: Cells) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return the values of a column's cells, and how many rows look each up."""
        key = id(source.place)
        if key not in self._looked_up:
            position = source.positions(slice(None) if self.kept is None else self.kept)
            self._looked_up[key] = np.bincount(position + 1, minlength=len(source.data) + 1)
        gone = np.asarray([missing_of(source.dtype)], source.dtype)
        return np.concatenate([gone, source.data]), self._looked_up[key]

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

    def _column(self, covariate: str, name: str) -> Column:
        source, note = self.builder.lazy_column(get_covariate(covariate), name, {})
        self._notes[name] = note
        return Column(name, source, note)

    def _names(self) -> list[str]:
        return [*self.keys, *(name for listed in self._listed.values() for name in listed)]

    def _values(self, name: str) -> NDArray[Any]:
        if name in self.builder.spine.keys:
            return self.builder.spine.keys[name]
        (covariate,) = (key for key, listed in self._listed.items() if name in listed)
        return self._column(covariate, name).source[:]

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
