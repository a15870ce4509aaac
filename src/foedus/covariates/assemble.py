"""The one door for columns: a spine and covariates in, a panel with documented columns out.

No row is added or lost, no column overwritten, and each column carries its definition, source and
citation with it. Outside the common years of a covariate's sources its columns are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foedus.covariates.context import Context
from foedus.covariates.registry import (
    ColumnSpec,
    Covariate,
    applies,
    fits,
    for_unit,
    get_covariate,
)
from foedus.covariates.values import (
    DyadYears,
    Rows,
    StateYears,
    Values,
    is_missing,
    missing_of,
    take_dyad,
    take_state,
    within_years,
)
from foedus.covariates.where import keep_rows
from foedus.errors import PanelError, UsageError
from foedus.panels.spine import Spine
from foedus.panels.units import build_spine, get_unit, units
from foedus.parquet import arrow_of
from foedus.sources.tables import Tables
from foedus.store import nullable_types, with_metadata

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class VariableRequest:
    """A variable of a study: a covariate's column under options, by the study's own name.

    Attributes
    ----------
    covariate, column : str
        Where it comes from; a state-level column in dyads ends in 1 or 2 (``nmc.cinc1``).
    options : mapping
        The covariate's options.
    transform : str, optional
        "log", "log1p", "square", "cube", "negate" or "sqrt", applied to the column.
    """

    covariate: str
    column: str
    options: Mapping[str, Any] = field(default_factory=dict)
    transform: str | None = None


@dataclass(frozen=True)
class ColumnNote:
    """What a panel's column is; stored in the file's metadata and shown in the codebook.

    `dating` says, on units finer than the year, whether a value is the year's or the period's own;
    `labels` what codes mean; `says_source` and `says_citation` name what is no registered data set
    and no key in config/references, such as a user's file.
    """

    definition: str
    unit: str
    kind: str
    sources: tuple[str, ...]
    citations: tuple[str, ...]
    covariate: str
    options: dict[str, Any]
    coverage: tuple[int, int] | None
    dating: str = ""
    labels: Mapping[int, str] = field(default_factory=dict)
    says_source: str = ""
    says_citation: str = ""

    def as_metadata(self) -> dict[str, str]:
        """Return the note as strings, for the column's parquet metadata."""
        years = f"{self.coverage[0]}-{self.coverage[1]}" if self.coverage else ""
        told = {
            "definition": self.definition,
            "unit": self.unit,
            "kind": self.kind,
            "sources": ", ".join(filter(None, (*self.sources, self.says_source))),
            "citations": ", ".join(filter(None, (*self.citations, self.says_citation))),
            "covariate": self.covariate,
            "options": ", ".join(f"{key}={value}" for key, value in sorted(self.options.items())),
            "coverage": years,
        }
        if self.labels:
            told["labels"] = "; ".join(f"{code} {text}" for code, text in self.labels.items())
        return {**told, "dating": self.dating} if self.dating else told


@dataclass(frozen=True)
class Panel:
    """A built panel.

    Attributes
    ----------
    unit : str
    years : tuple of int
    keys : tuple of str
    columns : dict of str to array (rows,)
        Keys first. Missing is NaN in floats and the least integer in integers; use `table` or
        `to_pandas` for nullable types.
    notes : dict of str to ColumnNote
        For every column but the keys.
    provenance : dict
        Sources with version and sha256, the filter, the options.
    """

    unit: str
    years: tuple[int, int]
    keys: tuple[str, ...]
    columns: dict[str, NDArray[Any]]
    notes: dict[str, ColumnNote]
    provenance: dict[str, Any]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.columns[self.keys[0]])

    @property
    def table(self) -> pa.Table:
        """The panel as an Arrow table with nullable columns and metadata."""
        arrays = [arrow_array(values) for values in self.columns.values()]
        table = pa.Table.from_arrays(arrays, names=list(self.columns))
        notes = {name: note.as_metadata() for name, note in self.notes.items()}
        return with_metadata(table, {"unit": self.unit, **self.provenance}, notes)

    @property
    def simulated(self) -> bool:
        """Whether any of its sources is a simulated world's."""
        return is_simulated(self.provenance)

    def to_pandas(self) -> pd.DataFrame:
        """Return a DataFrame: nullable integers where any is missing, metadata in ``attrs``."""
        import pandas as pd

        nullable = nullable_types()
        frame = pd.DataFrame(
            {
                name: column.to_pandas(types_mapper=nullable.get if column.null_count else None)
                for name, column in zip(self.columns, self.table.columns, strict=True)
            }
        )
        frame.attrs["unit"] = self.unit
        frame.attrs["provenance"] = self.provenance
        frame.attrs["columns"] = {name: note.as_metadata() for name, note in self.notes.items()}
        return frame


def arrow_array(values: NDArray[Any]) -> pa.Array:
    """Return values as an Arrow array, missing as null; numbers over the same memory."""
    if values.dtype.kind not in "fi":
        return pa.array(values.tolist(), pa.string())
    return arrow_of(values, is_missing(values))


def arrow_type(dtype: np.dtype[Any]) -> pa.DataType:
    """Return the Arrow type of a column."""
    return pa.from_numpy_dtype(dtype) if dtype.kind in "fi" else pa.string()


Pick = slice | NDArray[np.integer]
"""Rows of a spine: a run of them, or their positions."""


@dataclass(frozen=True)
class Cells:
    """A column that looks up each row in a small array; it takes memory only where it is read.

    Attributes
    ----------
    data : array (states * years + 1,)
        The cells, state by state, and last what is missing.
    position : int array (rows,)
        The cell of each row; -1, the last, is none.
    """

    data: NDArray[Any]
    position: NDArray[np.int64]

    def __getitem__(self, rows: Pick) -> NDArray[Any]:
        """Return the values of rows."""
        return self.data.take(self.position[rows], mode="wrap")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return np.dtype(self.data.dtype)


class Builder:
    """Builds columns on one spine, making each covariate at most once for each set of options."""

    def __init__(self, tables: Tables, spine: Spine) -> None:
        self.tables = tables
        self.spine = spine
        self.keys = get_unit(spine.unit).keys
        self.shared: dict[Any, Any] = {}
        self._made: dict[Any, Mapping[str, Values]] = {}

    def names(self, entry: Covariate, spec: ColumnSpec) -> list[str]:
        """Return the names that a column has on this spine (one, or one for each side)."""
        if spec.level == "state":
            return [spec.name + place.suffix for place in self.spine.places]
        return [spec.name]

    def column(
        self,
        entry: Covariate,
        name: str,
        options: Mapping[str, Any],
        with_siblings: bool = False,
    ) -> tuple[NDArray[Any], ColumnNote]:
        """Return one column by its name on this spine, with its note.

        `with_siblings` makes all of the covariate's columns in one go, for a caller that will ask
        for them next.

        Raises
        ------
        UsageError
            If the covariate has no such column on this unit.
        """
        spec, place = self.find(entry, name)
        resolved = entry.resolve_options(options)
        made = self._make(entry, resolved, spec.name, with_siblings)
        values = self._on_rows(made[spec.name], spec, place)
        coverage = self.coverage(entry, resolved)
        return self._bounded(values, coverage), self.note(entry, spec, resolved, coverage)

    def lazy_column(
        self, entry: Covariate, name: str, options: Mapping[str, Any]
    ) -> tuple[NDArray[Any] | Cells, ColumnNote]:
        """Return one column as `column` does, a fact about a state as cells to look up."""
        spec, place = self.find(entry, name)
        resolved = entry.resolve_options(options)
        made = self._make(entry, resolved, spec.name, with_siblings=True)[spec.name]
        if not isinstance(made, StateYears):
            return self.column(entry, name, options, with_siblings=True)
        coverage = self.coverage(entry, resolved)
        data, system = made.data, self.spine.system
        if coverage is not None and data.dtype.kind in "fi":
            covered = (system.years >= coverage[0]) & (system.years <= coverage[1])
            data = np.where(covered, data, np.asarray(missing_of(data.dtype), data.dtype))
        gone = np.asarray([missing_of(data.dtype)], data.dtype)
        cells = Cells(np.append(data.reshape(-1), gone), self.spine.state_positions[place])
        return cells, self.note(entry, spec, resolved, coverage)

    def find(self, entry: Covariate, name: str) -> tuple[ColumnSpec, int]:
        """Return the declaration of a column by its name on this spine, and whose place it has."""
        for spec in entry.columns:
            if not applies(entry, spec, self.spine.unit, self.keys):
                continue
            for place, shown in enumerate(self.names(entry, spec)):
                if shown == name:
                    return spec, place
        known = [
            shown
            for spec in entry.columns
            if applies(entry, spec, self.spine.unit, self.keys)
            for shown in self.names(entry, spec)
        ]
        raise UsageError(
            f'covariate {entry.name} has no column "{name}" on {self.spine.unit}; it has '
            f"{', '.join(known) or 'none'}."
        )

    def _make(
        self, entry: Covariate, options: dict[str, Any], column: str, with_siblings: bool
    ) -> Mapping[str, Values]:
        key = (entry.name, tuple(sorted(options.items(), key=lambda item: item[0])))
        made = self._made.get(key, {})
        if column not in made:
            # What stands is kept: only what is new is asked for.
            wanted = frozenset({column})
            if with_siblings:
                wanted |= {spec.name for spec in entry.columns if spec.name not in entry.extras}
            context = Context(self.spine, self.tables, options, wanted, self.shared)
            made = {**entry.build(context), **made}
            unknown = set(made) - {spec.name for spec in entry.columns}
            assert not unknown, f"{entry.name} made undeclared columns {sorted(unknown)}"
            self._made[key] = made
        return made

    def forget(self, entry: Covariate) -> None:
        """Free what a covariate made; its dense arrays are the bulk of a build's memory."""
        for key in [key for key in self._made if key[0] == entry.name]:
            del self._made[key]

    def forget_large(self, least: int, kept: int) -> None:
        """Free what covariates share and holds `least` bytes or more, but the last few made."""
        large = [key for key, value in self.shared.items() if _bytes_of(value) >= least]
        for key in large[: max(len(large) - kept, 0)]:
            del self.shared[key]

    def _on_rows(self, values: Values, spec: ColumnSpec, place: int) -> NDArray[Any]:
        if isinstance(values, StateYears):
            return take_state(values, self.spine, place)
        if isinstance(values, DyadYears):
            return take_dyad(values, self.spine, spec.collapse)
        assert isinstance(values, Rows)
        if len(values.data) != self.spine.n_rows:
            raise PanelError(
                f"{spec.name}: {len(values.data)} values for {self.spine.n_rows} rows."
            )
        if self.spine.states == "cow" or self.spine.outside is None:
            return values.data
        # Made by row with no thought of rows whose state COW doesn't have.
        masked = values.data.copy()
        if masked.dtype.kind in "fi":
            masked[self.spine.outside] = missing_of(masked.dtype)
        return masked

    def coverage(self, entry: Covariate, options: dict[str, Any]) -> tuple[int, int] | None:
        """Return the common years of a covariate's sources; None if nothing bounds them."""
        windows = [
            self.tables.coverage(source, release=_release(entry, options, source))
            for source in entry.coverage_under(options)
        ]
        if entry.window:
            windows.append(entry.window)
        if not windows:
            return None
        return max(first for first, _ in windows), min(last for _, last in windows)

    def _bounded(self, values: NDArray[Any], coverage: tuple[int, int] | None) -> NDArray[Any]:
        """Make values missing in the years outside the sources' coverage."""
        years = self.spine.row_years
        if coverage is None or years is None or values.dtype.kind not in "fi":
            return values
        first, last = self.spine.years
        if coverage[0] <= first and last <= coverage[1]:
            return values
        return within_years(values, years, coverage)

    def note(
        self,
        entry: Covariate,
        spec: ColumnSpec,
        options: dict[str, Any],
        coverage: tuple[int, int] | None,
    ) -> ColumnNote:
        """Return what a column is."""
        sources = entry.sources_under(options)
        if spec.source:  # the covariate bounds this column by its own data set's years
            sources = (spec.source,)
            coverage = self.tables.coverage(
                spec.source, release=_release(entry, options, spec.source)
            )
        return ColumnNote(
            definition=spec.says,
            unit=spec.unit,
            kind=spec.kind,
            sources=tuple(
                self.tables.facts(source, release=_release(entry, options, source)).id
                for source in sources
            ),
            citations=entry.citations,
            covariate=entry.name,
            options=options,
            coverage=coverage,
            labels=spec.labels,
            says_source=entry.says_source,
            says_citation=entry.says_citation,
        )


def _release(entry: Covariate, options: Mapping[str, Any], source: str) -> str | None:
    """Return the release of `source` in the options: `release` speaks of the first source."""
    return options.get("release") if source == entry.sources[0] else None


def column_names(unit: str, names: Sequence[str] | str) -> dict[str, list[str]]:
    """Return, for each covariate asked for, its columns on a unit (keys of the unit apart)."""
    keys = get_unit(unit).keys
    entries = _entries(unit, keys, names)
    sides = ("1", "2") if "ccode1" in keys else ("",)
    listed: dict[str, list[str]] = {}
    for name, entry in entries.items():
        listed[name] = [
            spec.name + side
            for spec in entry.columns
            if applies(entry, spec, unit, keys) and spec.name not in entry.extras
            for side in (sides if spec.level == "state" else ("",))
        ]
    return listed


def _entries(unit: str, keys: Sequence[str], names: Sequence[str] | str) -> dict[str, Covariate]:
    if names == "all":
        every = for_unit(unit, keys)
        return {name: entry for name, entry in every.items() if not entry.on_request}
    asked = [names] if isinstance(names, str) else list(names)
    chosen = {}
    for name in asked:
        entry = get_covariate(name)
        if not fits(entry, unit, keys):
            others = [one.name for one in units().values() if fits(entry, one.name, one.keys)]
            raise UsageError(
                f"covariate {name} has no column on {unit}; it has on {', '.join(others)}. See "
                f"`foedus covariates --unit {unit}`."
            )
        chosen[name] = entry
    return chosen


def build_panel(
    tables: Tables,
    unit: str,
    years: tuple[int, int],
    covariates: Sequence[str] | str = (),
    where: str | None = None,
    up: str | None = None,
    options: Mapping[str, Any] | None = None,
    system: str = "cow",
) -> Panel:
    """Build a panel of a unit with covariates under their default options.

    Parameters
    ----------
    tables : Tables
    unit : str
        Name of the unit of analysis.
    years : tuple of int
        First and last year, both included.
    covariates : sequence of str or "all"
    where : str, optional
        Keep rows where this expression over the panel's columns is true; a missing value is not
        true.
    up : str, optional
        For a unit by month or day: the coarser period ("month", "year") that its rows are
        aggregated up to, each dated column as it declares. The filter is of the coarser rows.
    options : mapping, optional
        For k-ad-year only: the arguments of `foedus.covariates.k_ads.build_k_ads` by name.
    system : str
        Whose list says which states exist: "cow", or "gw" (Gleditsch & Ward; keys gwcode).

    Returns
    -------
    Panel
        Keys first, then the columns of each covariate in the order asked for.

    Raises
    ------
    UsageError
        Unknown unit, covariate or column.
    PanelError
        Two covariates make the same column.
    """
    from foedus.covariates.stream import PanelStream

    if unit == "k-ad-year":
        from foedus.covariates.k_ads import build_k_ads

        if system != "cow":
            raise UsageError(f'{unit} is built of COW states only, not of "{system}".')
        if up:
            raise UsageError(f"{unit} is not made of months or days; it can't be aggregated up.")
        return build_k_ads(tables, years, covariates, where, **(options or {}))
    if options:
        raise UsageError(f"{', '.join(sorted(options))}: only k-ad-year takes such options.")
    return PanelStream(tables, unit, years, covariates, where, up, system).panel()


def build_variables(
    tables: Tables,
    unit: str,
    years: tuple[int, int],
    variables: Mapping[str, VariableRequest],
    where: str | None = None,
    spine: Spine | None = None,
) -> Panel:
    """Build a panel whose columns are a study's variables, each a covariate's column with options.

    Raises
    ------
    UsageError, PanelError
        As `build_panel`, with the variable's name.
    """
    builder = Builder(tables, spine or build_spine(tables, unit, years))
    columns: dict[str, NDArray[Any]] = dict(builder.spine.keys)
    notes: dict[str, ColumnNote] = {}
    for name, request in variables.items():
        refuse_overwrite(columns, name, request.covariate)
        try:
            entry = get_covariate(request.covariate)
            values, notes[name] = builder.column(entry, request.column, request.options)
        except UsageError as error:
            raise UsageError(f"variable {name}: {error}") from error
        columns[name] = transformed(values, request.transform, name)
    return _finish(builder, columns, notes, where)


def refuse_overwrite(columns: Container[str], column: str, covariate: str) -> None:
    """Raise PanelError when a covariate makes a column that is already there."""
    if column in columns:
        raise PanelError(
            f'covariate {covariate}: the panel already has a column "{column}", of another '
            "covariate or a key. Ask for one of the two, or rename the column that is yours."
        )


_TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "square": np.square,
    "cube": lambda values: values**3,
    "negate": np.negative,
}


def transformed(values: NDArray[Any], transform: str | None, name: str) -> NDArray[Any]:
    """Return values under a named transformation, as floats; missing stays missing.

    Raises
    ------
    UsageError
        For an unknown transformation, or one that is not defined at a value (log of 0).
    """
    if transform is None:
        return values
    if transform not in _TRANSFORMS:
        raise UsageError(
            f'variable {name}: transform "{transform}" is not one of {sorted(_TRANSFORMS)}.'
        )
    numbers = as_float(values)
    if transform in ("log", "sqrt") and (numbers <= 0).any():
        raise UsageError(
            f"variable {name}: {transform} of {float(np.nanmin(numbers)):g} is not defined; "
            "use log1p, or choose another variable."
        )
    with np.errstate(invalid="ignore"):
        return np.asarray(_TRANSFORMS[transform](numbers))


def _bytes_of(value: Any) -> int:
    """Return the bytes of an array, or of the arrays in a list, a mapping or a dense value."""
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if isinstance(value, Mapping):
        return sum(_bytes_of(one) for one in value.values())
    if isinstance(value, list | tuple):
        return sum(_bytes_of(one) for one in value)
    return _bytes_of(value.data) if isinstance(value, StateYears | DyadYears | Rows) else 0


def as_float(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return values as float64 with NaN for missing."""
    if values.dtype.kind == "f":
        return np.asarray(values, np.float64)
    numbers = values.astype(np.float64)
    numbers[is_missing(values)] = np.nan
    return numbers


def _finish(
    builder: Builder,
    columns: dict[str, NDArray[Any]],
    notes: dict[str, ColumnNote],
    where: str | None,
) -> Panel:
    if where:
        kept = keep_rows(where, columns)
        columns = {name: values[kept] for name, values in columns.items()}
    return Panel(
        unit=builder.spine.unit,
        years=builder.spine.years,
        keys=builder.keys,
        columns=columns,
        notes=notes,
        provenance=provenance_of(builder, notes, where),
    )


def is_simulated(provenance: Mapping[str, Any]) -> bool:
    """Say whether any source of a panel is a simulated world's."""
    return any(facts.get("simulated") for facts in provenance["sources"].values())


def provenance_of(
    builder: Builder, notes: Mapping[str, ColumnNote], where: str | None
) -> dict[str, Any]:
    """Return what a panel was made of: years, filter, and each source's version and files."""
    used = set(get_unit(builder.spine.unit).sources)
    if builder.spine.states == "gw":
        used.add("gw_states")
    for note in notes.values():
        used.update(note.sources)
    return {
        "years": list(builder.spine.years),
        "where": where or "",
        "sources": builder.tables.provenance(sorted(used)),
    }
