"""What a study's rows are: those of a unit of analysis, or those of a table made from a file.

On a unit, variables are covariates' columns. On a table (an author's estimation file, mostly) the
table's own columns are known by name, and variables are expressions over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.assemble import Builder, ColumnNote, as_float
from foedus.covariates.registry import get_covariate
from foedus.covariates.values import is_missing
from foedus.errors import UsageError
from foedus.sources.registry import SourceFacts, reader, resolve_id

if TYPE_CHECKING:
    import polars as pl

    from foedus.studies.schema import Universe

Values = NDArray[Any]


class Ground(Protocol):
    """Rows, and the columns that can be had for them without a declaration."""

    @property
    def keys(self) -> Mapping[str, Values]:
        """Key columns: what rows are clustered on, merged by and bounded in years with."""

    @property
    def n_rows(self) -> int:
        """Rows before any filter."""

    @property
    def place(self) -> list[Any]:
        """What the rows depend on, for signatures."""

    @property
    def says(self) -> str:
        """The rows in words."""

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that formulas and expressions may name without a declaration."""

    def own(self, name: str) -> Values:
        """Return one of those columns."""

    def column(
        self, covariate: str, column: str, options: Mapping[str, Any]
    ) -> tuple[Values, ColumnNote]:
        """Return a covariate's column."""


@dataclass(frozen=True)
class UnitGround:
    """The rows of a unit of analysis in some years."""

    builder: Builder

    @property
    def keys(self) -> Mapping[str, Values]:
        """The unit's keys."""
        return self.builder.spine.keys

    @property
    def n_rows(self) -> int:
        """Rows before any filter."""
        return self.builder.spine.n_rows

    @property
    def place(self) -> list[Any]:
        """Unit and years."""
        return [self.builder.spine.unit, *self.builder.spine.years]

    @property
    def says(self) -> str:
        """The rows in words."""
        first, last = self.builder.spine.years
        return f"every {self.builder.spine.unit} {first}-{last}"

    @property
    def names(self) -> tuple[str, ...]:
        """The unit's keys."""
        return tuple(self.keys)

    def own(self, name: str) -> Values:
        """Return a key."""
        return self.keys[name]

    def column(
        self, covariate: str, column: str, options: Mapping[str, Any]
    ) -> tuple[Values, ColumnNote]:
        """Return a covariate's column on these rows."""
        return self.builder.column(get_covariate(covariate), column, options)


class TableGround:
    """The rows of a table, in its order.

    Parameters
    ----------
    table : str
        ``source.table``.
    frame : polars.DataFrame
    keys : mapping of str to str
        Names by which keys are known (ccode1, year) and the table's columns they stand in.
    """

    def __init__(self, table: str, frame: pl.DataFrame, keys: Mapping[str, str]) -> None:
        self.table = table
        self.frame = frame
        self.called = dict(keys)
        self._made: dict[str, Values] = {}

    @property
    def keys(self) -> Mapping[str, Values]:
        """The columns that the design calls keys, by their key's name."""
        return {name: self.own(name) for name in self.called}

    @property
    def n_rows(self) -> int:
        """Rows of the table."""
        return self.frame.height

    @property
    def place(self) -> list[Any]:
        """The table and the names of its keys."""
        return [self.table, self.called]

    @property
    def says(self) -> str:
        """The rows in words."""
        return f"every row of {self.table}"

    @property
    def names(self) -> tuple[str, ...]:
        """The table's columns, and the names given to its keys."""
        return tuple(dict.fromkeys([*self.frame.columns, *self.called]))

    def own(self, name: str) -> Values:
        """Return a column: numbers as floats (NaN for missing), text as objects (None)."""
        if name not in self._made:
            self._made[name] = plain(self.frame[self.called.get(name, name)])
        return self._made[name]

    def column(
        self, covariate: str, column: str, options: Mapping[str, Any]
    ) -> tuple[Values, ColumnNote]:
        """Refuse: a table's rows have no place in the state system."""
        raise UsageError(
            f"{covariate}.{column}: the rows are those of {self.table}, so variables are its "
            "columns and expressions over them; attach: UNIT takes some, or "
            "compare it with covariates under rebuild."
        )


class AttachedGround(TableGround):
    """The rows of a table, with the covariates of a unit that its keys point into.

    Parameters
    ----------
    table, frame, keys
        As for a `TableGround`.
    builder : Builder
        Makes the unit's columns.

    Raises
    ------
    UsageError
        If no row of the table has the keys of a row of the unit.
    """

    def __init__(
        self, table: str, frame: pl.DataFrame, keys: Mapping[str, str], builder: Builder
    ) -> None:
        super().__init__(table, frame, keys)
        self.builder = builder
        self._position = self._met()

    def _met(self) -> NDArray[np.int64]:
        """Return the unit's row of each row of the table, -1 where it has none."""
        import polars as pl

        own = {name: np.asarray(v, np.int64) for name, v in self.builder.spine.keys.items()}
        theirs = pl.DataFrame({name: self.own(name) for name in own})
        wanted = theirs.with_columns(pl.all().fill_nan(None).cast(pl.Int64))
        ours = pl.DataFrame(own).with_row_index("place")
        met = wanted.join(ours, on=list(own), how="left", maintain_order="left", validate="m:1")
        position = met["place"].cast(pl.Int64).fill_null(-1).to_numpy()
        if not (position >= 0).any():
            raise UsageError(
                f"attach: no row of {self.table} has the {', '.join(own)} of a "
                f"{self.builder.spine.unit}; check keys."
            )
        return np.asarray(position)

    @property
    def place(self) -> list[Any]:
        """The table, the names of its keys and the unit."""
        return [*super().place, self.builder.spine.unit, *self.builder.spine.years]

    def column(
        self, covariate: str, column: str, options: Mapping[str, Any]
    ) -> tuple[Values, ColumnNote]:
        """Return a covariate's column as floats, NaN where the unit has no such row."""
        made, note = self.builder.column(get_covariate(covariate), column, options)
        taken = as_float(made[np.maximum(self._position, 0)])
        return np.where(self._position >= 0, taken, np.nan), note


def plain(series: pl.Series) -> Values:
    """Return a table's column as numpy: numbers as floats, text as objects.

    Raises
    ------
    UsageError
        For a column of dates or lists.
    """
    import polars as pl

    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return series.cast(pl.Float64).fill_null(np.nan).to_numpy()
    if series.dtype in (pl.String, pl.Categorical, pl.Null):
        return np.array(series.cast(pl.String).to_list(), dtype=object)
    if series.dtype == pl.Date:
        # Days since 1 January 1970, so that spells can be computed.
        return series.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()
    raise UsageError(f'the column "{series.name}" holds {series.dtype}, which no model can use.')


def is_gone(values: Values) -> NDArray[np.bool_]:
    """Return where a column is missing, text columns included."""
    if values.dtype.kind == "O":
        return np.array([value is None for value in values], dtype=bool)
    return is_missing(values)


def split_table(table: str) -> tuple[str, str]:
    """Split ``source.table`` (a source's id may hold dots: its version)."""
    source, _, name = table.rpartition(".")
    return source, name


def declared_columns(facts: Mapping[str, SourceFacts], universe: Universe) -> tuple[str, ...]:
    """Return what a table's rows can be asked for, as its source declares it; no data are read.

    Raises
    ------
    UsageError
        For an unknown source, table or key column.
    """
    assert universe.table is not None
    source, name = split_table(universe.table)
    found = resolve_id(facts, source)
    found.table(name)
    columns = [column.name for column in reader(found).tables[name] if column.keep]
    for key, column in universe.keys.items():
        if column not in columns:
            raise UsageError(f'keys.{key}: {universe.table} has no column "{column}".')
    return tuple(dict.fromkeys([*columns, *universe.keys]))
