"""A design's rows and variables: made once a run for each (unit, covariate, column, options).

A workshop outlives the designs of a run. Two designs that differ in one option share every other
column, the spine and the state system; what a model depends on is summed up in a signature, so
that a model which an alternative doesn't touch isn't estimated again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.assemble import Builder, ColumnNote, as_float, transformed
from foedus.covariates.registry import Covariate, get_covariate
from foedus.covariates.values import missing_of
from foedus.covariates.where import columns_in, keep_rows
from foedus.errors import FoedusError, UsageError, nearest
from foedus.panels.k_ad_unit import UNIT as K_ADS
from foedus.panels.system import StateSystem
from foedus.panels.units import build_spine, get_unit, load_system
from foedus.sources.tables import Tables
from foedus.studies.expressions import evaluate, names_in
from foedus.studies.fit import cluster_names, formula_names, option_names
from foedus.studies.ground import (
    AttachedGround,
    Ground,
    TableGround,
    UnitGround,
    is_gone,
    split_table,
)
from foedus.studies.k_ad_ground import KAdGround
from foedus.studies.schema import Design, ModelSpec, Universe, Variable
from foedus.studies.shelf import Shelf

DENSE_KEPT = 3
"""Covariates whose dense arrays a run keeps; columns that have been taken from them stay anyway."""

LARGE_SHARED = 24 << 20
"""Bytes from which an array that covariates share is freed after some others (similarities)."""

MASKS = 12 << 20
"""Bytes of filters and of marks of missing values that a run keeps: one bit a row of the unit."""

TAKEN = 64 << 20
"""Bytes of columns on the rows of a model that a run keeps for the next model on the same rows."""

INDICES = 16 << 20
"""Bytes of the positions of models' rows."""

NUMBERED_KEPT = 1
"""Sets of rows whose clusters and dyads a run keeps numbered."""

FEW = 4
"""A model with less than this part of its unit's rows has filters evaluated on its rows alone."""

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class NamedFilter:
    """A filter that studies name instead of spelling out."""

    says: str
    expression: str
    variables: Mapping[str, str]


NAMED_FILTERS = {
    # ASSUME: politically relevant is contiguous by land, river or at most 400 miles of water
    # (COW direct contiguity 1 to 5), or with at least one major power.
    "politically_relevant": NamedFilter(
        says="pairs with a major power, or contiguous by land, river or at most 400 miles of water",
        expression="conttype > 0 or major1 == 1 or major2 == 1",
        variables={
            "conttype": "contiguity.conttype",
            "major1": "major.major1",
            "major2": "major.major2",
        },
    )
}


@dataclass(frozen=True)
class FlowStep:
    """One step from the universe to the estimation sample."""

    step: str
    rows_left: int
    rows_lost: int
    cause: str


@dataclass(frozen=True)
class Rows:
    """The rows that a model is estimated on.

    A run has a hundred sets of rows, of a million rows each: what is kept is a bit a row.

    Attributes
    ----------
    count : int
        How many rows there are.
    mark : bytes
        The same for the same rows of equally many.
    flow : tuple of FlowStep
    shared : int
        How many of the first steps are the same for every model of the design.
    """

    count: int
    mark: bytes
    flow: tuple[FlowStep, ...]
    shared: int
    _bits: NDArray[np.uint8]
    _made: Shelf

    @property
    def index(self) -> NDArray[np.int32]:
        """Positions in the universe's spine, ascending."""
        return self._made.get(self.mark, self._positions)

    def _positions(self) -> NDArray[np.int32]:
        return np.flatnonzero(np.unpackbits(self._bits)).astype(np.int32)


@dataclass
class Workshop:
    """Spines and columns of one run.

    Attributes
    ----------
    tables : Tables
    """

    tables: Tables
    _system: StateSystem | None = None
    _grounds: dict[str, Ground] = field(default_factory=dict)
    _columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    _recent: list[tuple[Builder, Covariate]] = field(default_factory=list)
    _notes: dict[str, ColumnNote] = field(default_factory=dict)
    _failed: dict[str, FoedusError] = field(default_factory=dict)
    _rows: dict[str, Rows] = field(default_factory=dict)
    _indices: Shelf = field(default_factory=lambda: Shelf(INDICES))
    _masks: Shelf = field(default_factory=lambda: Shelf(MASKS))
    _taken: Shelf = field(default_factory=lambda: Shelf(TAKEN))
    _numbered: dict[tuple[bytes, str], dict[str, Any]] = field(default_factory=dict)

    def ground(self, universe: Universe) -> Ground:
        """Return the rows of a universe, made once."""
        key = digest(
            [
                universe.unit,
                universe.table,
                universe.keys,
                universe.attach,
                universe.unit and universe.years,
                universe.system,
                universe.sets and universe.sets.model_dump(),
            ]
        )
        if key not in self._grounds:
            self._grounds[key] = self._make_ground(universe)
        return self._grounds[key]

    def _make_ground(self, universe: Universe) -> Ground:
        if universe.table is not None:
            return self._of_table(universe, universe.table)
        assert universe.unit is not None
        assert universe.years is not None
        if universe.unit == K_ADS:
            return KAdGround(self.tables, self._known_states(), universe)
        return UnitGround(self._builder(universe.unit, universe.years, universe.system))

    def _of_table(self, universe: Universe, table: str) -> Ground:
        source, name = split_table(table)
        frame = self.tables.get(source, name)
        if universe.attach is None:
            return TableGround(table, frame, universe.keys)
        # A table may hold years that the state system doesn't: those rows have no counterpart.
        chosen = get_unit(universe.attach)
        if chosen.years_of == "cow_states":
            known = self._known_states()
            first, last = known.first_year, known.last_year
        else:
            first, last = self.tables.coverage(chosen.years_of)
        if "year" in universe.keys:
            year = frame[universe.keys["year"]]
            first = max(int(year.min()), first)  # type: ignore[arg-type]
            last = min(int(year.max()), last)  # type: ignore[arg-type]
        builder = self._builder(universe.attach, (first, last), universe.system)
        return AttachedGround(table, frame, universe.keys, builder)

    def _known_states(self) -> StateSystem:
        if self._system is None:
            self._system = load_system(self.tables)
        return self._system

    def _builder(self, unit: str, years: tuple[int, int], system: str) -> Builder:
        spine = build_spine(self.tables, unit, years, self._known_states(), system)
        return Builder(self.tables, spine)

    def frame(self, design: Design) -> Frame:
        """Return the rows and variables of a design with a universe."""
        return Frame(self, design)

    def column(
        self, ground: Ground, covariate: str, column: str, options: Mapping[str, Any]
    ) -> tuple[NDArray[Any], ColumnNote]:
        """Return a covariate's column, and free the dense arrays of those not asked for lately."""
        made = ground.column(covariate, column, options)
        if isinstance(ground, KAdGround):
            return made  # few rows: what their builders hold is small
        assert isinstance(ground, UnitGround | AttachedGround)
        builder, entry = ground.builder, get_covariate(covariate)
        kept = [pair for pair in self._recent if pair[0] is not builder or pair[1] is not entry]
        self._recent = [*kept, (builder, entry)]
        while len(self._recent) > DENSE_KEPT:
            stale, forgotten = self._recent.pop(0)
            stale.forget(forgotten)
        builder.forget_large(LARGE_SHARED, DENSE_KEPT)
        return made

    def rows_of(self, kept: Mask, flow: Sequence[FlowStep], shared: int) -> Rows:
        """Return the rows kept."""
        bits = np.packbits(kept)
        mark = sha256(bits.tobytes()).digest() + len(kept).to_bytes(8, "big")
        count = int(np.count_nonzero(kept))
        return Rows(count, mark, tuple(flow), shared, bits, self._indices)


def digest(content: Any) -> str:
    """Return a short text that two equal contents share."""
    text = json.dumps(content, sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()[:20]


class Frame:
    """Rows and variables of one design, made when asked for."""

    def __init__(self, workshop: Workshop, design: Design) -> None:
        assert design.universe is not None
        self.workshop = workshop
        self.design = design
        self.universe = design.universe
        self.ground = workshop.ground(self.universe)
        self._signatures: dict[str, str] = {}

    @property
    def n_rows(self) -> int:
        """Rows of the universe before its filter."""
        return self.ground.n_rows

    def signature(self, name: str) -> str:
        """Return what a variable depends on, as a short text."""
        if name not in self._signatures:
            place = self.ground.place
            if self._is_own(name):
                self._signatures[name] = digest([*place, "key", name])
            else:
                self._signatures[name] = self._of(self._variable(name), place)
        return self._signatures[name]

    def _of(self, variable: Variable, place: list[Any]) -> str:
        if variable.expression is not None:
            parts = {part: self.signature(part) for part in names_in(variable.expression)}
            return digest([*place, variable.expression, parts, variable.transform])
        request = variable.request
        entry = get_covariate(request.covariate)
        options = entry.resolve_options(request.options)
        return digest([*place, request.covariate, request.column, options, request.transform])

    def _is_own(self, name: str) -> bool:
        return name not in self.design.variables and name in self.ground.names

    def _variable(self, name: str) -> Variable:
        if name not in self.design.variables:
            known = [*self.design.variables, *self.ground.names]
            raise UsageError(f'"{name}" is not a variable of the study. {nearest(name, known)}')
        return self.design.variables[name]

    def values(self, name: str) -> Array:
        """Return a variable (or key) for every row of the universe as floats, NaN for missing."""
        return as_float(self.raw(name))

    def raw(self, name: str) -> NDArray[Any]:
        """Return a variable (or key) for every row in its own type: flags stay small.

        Raises
        ------
        UsageError
            For an unknown variable, covariate, column or option.
        MissingDataError
            If its source isn't at hand.
        """
        signature = self.signature(name)
        held = self.workshop._columns
        if signature in self.workshop._failed:
            raise self.workshop._failed[signature]
        if signature not in held:
            try:
                held[signature] = self._make(name, signature)
            except FoedusError as error:
                self.workshop._failed[signature] = error
                raise
        return held[signature]

    def _make(self, name: str, signature: str) -> NDArray[Any]:
        if self._is_own(name):
            return self.ground.own(name)
        variable = self._variable(name)
        if variable.expression is not None:
            parts = {part: self.values(part) for part in names_in(variable.expression)}
            made = transformed(evaluate(variable.expression, parts), variable.transform, name)
            return in_few_bytes(made)
        request = variable.request
        column, note = self.workshop.column(
            self.ground, request.covariate, request.column, request.options
        )
        self.workshop._notes[signature] = note
        return transformed(column, request.transform, name)

    def note(self, name: str) -> ColumnNote | None:
        """Return the documentation of a variable that has been made; None for derived ones."""
        return self.workshop._notes.get(self.signature(name))

    def keep(self, expression: str) -> Mask:
        """Return the rows of the universe that satisfy a filter."""
        named = NAMED_FILTERS.get(expression)
        if named is None:
            used = sorted(columns_in(expression))
            columns = {name: self.raw(name) for name in used}
        else:
            expression = named.expression
            columns = {}
            for name, source in named.variables.items():
                covariate, column = source.split(".")
                columns[name], _ = self.workshop.column(self.ground, covariate, column, {})
        if not columns:
            raise UsageError(f'the filter "{expression}" names no variable.')
        return np.asarray(keep_rows(expression, columns))

    def _kept(self, expression: str) -> Mask:
        """Return `keep`, made once for all designs that mean the same rows by it."""
        key = digest([*self.ground.place, self.filter_signature(expression)])
        return self._mask(key, lambda: self.keep(expression))

    def _complete(self, name: str) -> Mask:
        """Return the rows of the universe in which a variable isn't missing."""
        values = self.raw(name)
        key = f"complete {self.signature(name)}"
        return self._mask(key, lambda: ~is_gone(values))

    def _mask(self, key: str, make: Callable[[], Mask]) -> Mask:
        """Return marks of rows, kept as bits."""
        bits = self.workshop._masks.get(key, lambda: np.packbits(make()))
        return np.unpackbits(bits, count=self.n_rows).view(np.bool_)

    def fits(self, expression: str, rows: Rows) -> Mask:
        """Return which of a model's rows satisfy a filter.

        Raises
        ------
        UsageError
            If it names no variable, or an unknown one.
        """
        if FEW * rows.count >= self.n_rows:
            return _on(self._kept(expression), rows.index)
        used = sorted(columns_in(expression))
        if not used:
            raise UsageError(f'"{expression}" names no variable.')
        return np.asarray(keep_rows(expression, self.stored(used, rows)))

    def filter_signature(self, expression: str | None) -> Any:
        """Return what a filter depends on."""
        if expression is None or expression == "all" or expression in NAMED_FILTERS:
            return expression
        used = sorted(columns_in(expression))
        return [expression, {name: self.signature(name) for name in used}]

    def needed(self, model: ModelSpec | None) -> tuple[str, ...]:
        """Return the variables whose missing values cost a row, in order."""
        own = () if model is None else self.of_model(model)
        rule = self.design.sample.complete_on
        if rule == "all":
            more: Iterable[str] = self.design.variables
        elif rule == "model":
            more = ()
        else:
            more = rule
        return tuple(dict.fromkeys([*own, *more]))

    def of_model(self, model: ModelSpec) -> tuple[str, ...]:
        """Return the variables that a model uses: outcome, terms, those of options and clusters."""
        known, keys = self.known, self.ground.keys
        clusters = cluster_names(model.covariance)
        others = [
            *option_names(model.estimator, model.options),
            *(name for name in clusters if name in known and name not in keys),
        ]
        return tuple(dict.fromkeys([*formula_names(model.formula), *others]))

    @property
    def known(self) -> set[str]:
        """Names that a formula may use."""
        return {*self.design.variables, *self.ground.names}

    def rows_signature(self, model: ModelSpec | None) -> str:
        """Return what a model's rows depend on."""
        return digest(
            [
                [*self.ground.place, self.universe.years],
                self.filter_signature(self.universe.where),
                {k: self.filter_signature(e) for k, e in self.design.sample.drop.items()},
                None if model is None else [model.years, self.filter_signature(model.where)],
                [self.signature(name) for name in self.needed(model)],
            ]
        )

    def rows(self, model: ModelSpec | None) -> Rows:
        """Return the rows that a model (or, without one, a measure) works on, with their flow."""
        signature = self.rows_signature(model)
        held = self.workshop._rows
        if signature not in held:
            held[signature] = self._trace(model)
        return held[signature]

    def _trace(self, model: ModelSpec | None) -> Rows:
        kept = np.ones(self.n_rows, dtype=bool)
        steps = [FlowStep("universe", self.n_rows, 0, self.ground.says)]
        if self.universe.table is not None and self.universe.years is not None:
            self._narrow(kept, steps, "years", _between(self.universe.years), keeps=True)
        self._narrow(kept, steps, "where", self.universe.where, keeps=True)
        for name, expression in self.design.sample.drop.items():
            self._narrow(kept, steps, f"drop {name}", expression, keeps=False)
        shared = len(steps)
        if model is not None and model.years is not None:
            self._narrow(kept, steps, "years", _between(model.years), keeps=True)
        if model is not None:
            self._narrow(kept, steps, "subset", model.where, keeps=True)
        for name in self.needed(model):
            before = int(np.count_nonzero(kept))
            kept &= self._complete(name)
            after = int(np.count_nonzero(kept))
            if after == before and self._derived(name):
                continue  # lost with what it is derived from, which has a step of its own
            steps.append(
                FlowStep(f"complete {name}", after, before - after, f"{self.label(name)}: no value")
            )
        return self.workshop.rows_of(kept, steps, shared)

    def _derived(self, name: str) -> bool:
        variable = self.design.variables.get(name)
        return variable is not None and variable.expression is not None

    def _narrow(
        self, kept: Mask, steps: list[FlowStep], step: str, expression: str | None, keeps: bool
    ) -> None:
        """Apply one filter to `kept` in place and note what it cost."""
        if expression is None or expression == "all":
            return
        before = int(np.count_nonzero(kept))
        fits = self._kept(expression)
        kept &= fits if keeps else ~fits
        after = int(np.count_nonzero(kept))
        named = NAMED_FILTERS.get(expression)
        says = named.says if named else expression
        cause = f"outside: {says}" if keeps else f"dropped: {says}"
        steps.append(FlowStep(step, after, before - after, cause))

    def label(self, name: str) -> str:
        """Return a variable in short words."""
        variable = self.design.variables.get(name)
        label = variable.label if variable else None
        return label or self.design.labels.get(name) or name

    def data(self, names: Iterable[str], rows: Rows) -> dict[str, Array]:
        """Return variables on a model's rows, numbers as floats with NaN for missing."""
        return {name: _ready(values) for name, values in self.stored(names, rows).items()}

    def stored(self, names: Iterable[str], rows: Rows) -> dict[str, NDArray[Any]]:
        """Return variables on a model's rows, each in its own type: not to be written to."""
        return {name: self._on_rows(name, rows) for name in names}

    def complete(self, names: Iterable[str], rows: Rows) -> dict[str, NDArray[Any]]:
        """Return variables that no row of a model misses: flags and counts stay whole numbers."""
        return {
            name: values if values.dtype.kind in "iu" else _ready(values)
            for name, values in self.stored(names, rows).items()
        }

    def keys(self, rows: Rows) -> dict[str, NDArray[Any]]:
        """Return the unit's keys on a model's rows, not to be written to."""
        place = digest(self.ground.place)
        return {
            name: self._kept_on_rows(f"key {name} {place}", values, rows)
            for name, values in self.ground.keys.items()
        }

    def numbering(self, covariances: Sequence[str], rows: Rows) -> dict[str, Any]:
        """Return the numbers of clusters and dyads that fits on a model's rows share."""
        # what isn't a key of the unit is a variable, in which designs may differ
        others = {
            name: self.signature(name)
            for name in cluster_names(covariances)
            if name in self.known and name not in self.ground.keys
        }
        key = (rows.mark, digest([self.ground.place, others]))
        held = self.workshop._numbered
        found = held.pop(key, {})
        held[key] = found  # last in line
        while len(held) > NUMBERED_KEPT:
            del held[next(iter(held))]
        return found

    def _on_rows(self, name: str, rows: Rows) -> NDArray[Any]:
        values = self.raw(name)
        if rows.count == self.n_rows:
            return values
        return self._kept_on_rows(self.signature(name), values, rows)

    def _kept_on_rows(self, what: str, values: NDArray[Any], rows: Rows) -> NDArray[Any]:
        return self.workshop._taken.get((rows.mark, what), lambda: _on(values, rows.index))


def _on(values: NDArray[Any], index: NDArray[np.int32]) -> NDArray[Any]:
    """Return values at positions, all of which exist: no check, no wider copy of the positions."""
    return values.take(index, mode="clip")


def _between(years: tuple[int, int]) -> str:
    return f"year >= {years[0]} and year <= {years[1]}"


def in_few_bytes(values: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers, most often flags, as integers with their mark of missing.

    A run holds a hundred expressions of a million rows; eight bytes a flag are seven too many.
    """
    known = ~np.isnan(values)
    whole = values[known] if not known.all() else values
    if not np.array_equal(whole, np.floor(whole)):
        return values
    most = float(np.abs(whole).max(initial=0.0))
    for kind in (np.int8, np.int16, np.int32):
        if most <= np.iinfo(kind).max:
            small = np.full(values.shape, missing_of(np.dtype(kind)), dtype=kind)
            small[known] = whole
            return small
    return values


def _ready(values: NDArray[Any]) -> NDArray[Any]:
    """Return numbers as floats, and text as it is."""
    return values if values.dtype.kind == "O" else as_float(values)
