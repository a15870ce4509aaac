"""The registry of covariates: each declared once, with its columns, options, sources and examples.

Everything else reads the declaration: the command line, the codebook, the DAG, the report, and the
tests that every entry must pass.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from foedus.declared import declared_in
from foedus.errors import UsageError, nearest

if TYPE_CHECKING:
    from foedus.covariates.context import Context
    from foedus.covariates.values import Values

Kind = Literal["flag", "count", "category", "integer", "number", "text"]
Level = Literal["state", "dyad", "row"]
Collapse = Literal["max", "min", "sum", "mean", "same", "none"]
Up = Literal["max", "min", "sum", "mean", "first", "last"]
Build = Callable[["Context"], Mapping[str, "Values"]]

ALL_DYADS = ("directed-dyad-year", "dyad-year")


@dataclass(frozen=True)
class ColumnSpec:
    """One column that a covariate makes.

    Attributes
    ----------
    name : str
        Column name; a state-level column takes the suffix 1 or 2 in dyads.
    kind : str
        flag (0/1), count, category (closed codes), integer, number (float) or text.
    says : str
        Definition, with the codebook's variable where there is one.
    unit : str
        Unit of measurement ("0/1", "km", "thousands").
    level : str
        "state": a fact of a state in a year, on any unit that has states. "dyad": a fact of two
        states in a year. "row": made for the rows of the units in `units`.
    collapse : str
        How the two directions of a dyad become one in undirected dyads: "max" (either), "min",
        "sum", "mean", "same" (symmetric by definition) or "none" (directed only). Declared,
        never inferred.
    absent : str
        What no record means inside the source's coverage: "zero" or "missing".
    units : tuple of str
        For "row" columns: the units they are made for, when not all of the covariate's.
    up : str
        How the months or days of a column that is dated to them (`foedus.covariates.dated`) become
        one value of a coarser period: see `foedus.covariates.aggregate`.
    labels : mapping of int to str
        What the codes of a category mean.
    source : str
        The data set that alone makes the column and bounds its years, where a covariate's columns
        come from different ones (`coverage_of` is then empty, and the covariate bounds them).
    """

    name: str
    kind: Kind
    says: str
    unit: str = "0/1"
    level: Level = "dyad"
    collapse: Collapse = "same"
    absent: Literal["zero", "missing"] = "zero"
    units: tuple[str, ...] = ()
    up: Up = "max"
    labels: Mapping[int, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True)
class Option:
    """A choice that a covariate leaves to its user; the default is what the contract means.

    With `many` the value is a list, in an order that can matter, whose members are among `allowed`;
    covariates get it as a tuple. With `least` (and `most`) it is a number no lower (no higher).
    """

    default: Any
    says: str
    allowed: tuple[Any, ...] | None = None
    many: bool = False
    least: float | None = None
    most: float | None = None

    def accepts(self, value: Any) -> bool:
        """Whether a value, or each member of a list, is among those allowed."""
        if self.least is not None:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return number and self.least <= value <= (value if self.most is None else self.most)
        if self.many and value is None:
            return self.default is None
        if self.allowed is None:
            return True
        return all(one in self.allowed for one in (value if self.many else (value,)))

    def wanted(self) -> str:
        """Return what is allowed, in words."""
        if self.least is not None:
            most = "" if self.most is None else f" and at most {self.most:g}"
            return f"a number of at least {self.least:g}{most}"
        if self.allowed is None:
            return "a list"
        return f"one of {', '.join(map(str, self.allowed))}"

    def given(self, value: Any) -> Any:
        """Return a value as covariates get it: a list as a tuple, one word as a list of one."""
        if not self.many or value is None:
            return value
        return tuple(value) if isinstance(value, list | tuple) else (value,)


@dataclass(frozen=True)
class Example:
    """Rows in, a question, the answer: runs as a test and is shown in the codebook.

    Attributes
    ----------
    says : str
        What it shows.
    ask : mapping
        Keys of one row of the unit.
    expect : mapping of column to value
        None means missing.
    unit : str
        Unit the row belongs to.
    options : mapping
        Options under which the answer holds.
    """

    says: str
    ask: Mapping[str, int]
    expect: Mapping[str, Any]
    unit: str = "directed-dyad-year"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Covariate:
    """A registered covariate; see `covariate` for the fields."""

    name: str
    title: str
    columns: tuple[ColumnSpec, ...]
    sources: tuple[str, ...]
    citations: tuple[str, ...]
    build: Build
    options: Mapping[str, Option]
    units: tuple[str, ...]
    coverage_of: tuple[str, ...]
    examples: tuple[Example, ...]
    extras: tuple[str, ...]
    module: str
    window: tuple[int, int] | None = None
    says_citation: str = ""
    says_source: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    on_request: bool = False

    def column(self, name: str) -> ColumnSpec:
        """Return one column's declaration; UsageError names the nearest."""
        for spec in self.columns:
            if spec.name == name:
                return spec
        known = [spec.name for spec in self.columns]
        raise UsageError(f'covariate {self.name} has no column "{name}". {nearest(name, known)}')

    def resolve_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options with their values, defaults filled in.

        Raises
        ------
        UsageError
            For an unknown option or a value that isn't allowed, naming what is.
        """
        for name, value in given.items():
            if name not in self.options:
                raise UsageError(
                    f'covariate {self.name} has no option "{name}". {nearest(name, self.options)}'
                )
            option = self.options[name]
            if not option.accepts(option.given(value)):
                raise UsageError(
                    f"covariate {self.name}: option {name}={value!r} is not {option.wanted()}."
                )
        return {
            name: option.given(given.get(name, option.default))
            for name, option in self.options.items()
        }

    def sources_under(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the data sets read under options: all, or the one that `source` chooses."""
        if not self.choices:
            return self.sources
        return (self.choices[options["source"]],)

    def sources_said(self, said: Set[str]) -> set[str]:
        """Return the data sets that a text which says these words may ask for, default included."""
        if not self.choices:
            return set(self.sources)
        default = self.choices[self.options["source"].default]
        return {default, *(self.choices[word] for word in said & self.choices.keys())}

    def coverage_under(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the data sets whose common years bound the columns under options."""
        return self.sources_under(options) if self.choices else self.coverage_of


_COVARIATES: dict[str, Covariate] = {}


def covariate(
    *,
    name: str,
    title: str,
    columns: Sequence[ColumnSpec],
    sources: Sequence[str],
    citations: Sequence[str],
    options: Mapping[str, Option] | None = None,
    units: Sequence[str] = (),
    coverage_of: Sequence[str] | None = None,
    examples: Sequence[Example] = (),
    extras: Sequence[str] = (),
    window: tuple[int, int] | None = None,
    says_citation: str = "",
    says_source: str = "",
    choices: Mapping[str, str] | None = None,
    on_request: bool = False,
) -> Callable[[Build], Build]:
    """Register a function as a covariate.

    Parameters
    ----------
    name : str
        As on the command line.
    title : str
        One line for lists.
    columns : sequence of ColumnSpec
    sources : sequence of str
        Data sets whose tables it reads.
    citations : sequence of str
        Keys in config/references.
    options : mapping of str to Option
    units : sequence of str
        Units that a "row" level column belongs to; state and dyad levels find theirs themselves.
    coverage_of : sequence of str, optional
        The data sets whose years bound the columns (default: all of `sources`): outside their
        common years every column is missing.
    examples : sequence of Example
    extras : sequence of str
        Columns made only on demand (by name in a study), not with ``--covariates NAME``.
    window : tuple of int, optional
        First and last year covered, where no registered source tells (a user's file).
    says_citation : str
        Where the data come from in words, where config/references has no entry for it.
    says_source : str
        What stands in a codebook in place of a data set's id, where no registered source is read
        (the name of a user's file).
    choices : mapping of str to str, optional
        For a covariate that is made from one of several data sets: values of its option `source`
        to data sets. Only the chosen one is read, and its years bound the columns.
    on_request : bool
        Left out of "all": made only by name, because its data are a user's to bring.

    Returns
    -------
    callable
        The decorated function, unchanged: Context -> mapping of column name to Values.
    """

    def register(build: Build) -> Build:
        module = getattr(build, "__module__", "")
        if name in _COVARIATES and _COVARIATES[name].module != module:
            raise UsageError(f'the covariate "{name}" is declared twice ({module or "a YAML"}).')
        _COVARIATES[name] = Covariate(
            name=name,
            title=title,
            columns=tuple(columns),
            sources=tuple(sources),
            citations=tuple(citations),
            build=build,
            options=dict(options or {}),
            units=tuple(units),
            coverage_of=tuple(sources if coverage_of is None else coverage_of),
            examples=tuple(examples),
            extras=tuple(extras),
            module=module,
            window=window,
            says_citation=says_citation,
            says_source=says_source,
            choices=dict(choices or {}),
            on_request=on_request,
        )
        return build

    return register


_NOT_COVARIATES = {
    "aggregate",
    "assemble",
    "codebook",
    "context",
    "dated",
    "distribution",
    "export",
    "fine",
    "k_ads",
    "registry",
    "stream",
    "user_code",
    "user_coverage",
    "user_files",
    "user_reading",
    "values",
    "where",
}


def covariate_names() -> list[str]:
    """Return the names declared so far, without importing this room's modules."""
    return list(_COVARIATES)


def registry() -> dict[str, Covariate]:
    """Return every covariate by name; imports the modules of this room on first use."""
    _import_room()
    return dict(sorted(_COVARIATES.items()))


@functools.cache
def _import_room() -> None:
    import foedus.covariates as room

    for module in pkgutil.iter_modules(room.__path__):
        if module.name not in _NOT_COVARIATES:
            importlib.import_module(f"foedus.covariates.{module.name}")


def get_covariate(name: str) -> Covariate:
    """Return a covariate by name.

    Raises
    ------
    UsageError
        For an unknown name, with the nearest known ones.
    """
    import foedus.covariates as room

    declared = declared_in(room, "covariate")
    if name not in _COVARIATES and name in declared:
        importlib.import_module(declared[name])
    if name in _COVARIATES:
        return _COVARIATES[name]
    known = registry()
    if name not in known:
        raise UsageError(
            f'"{name}" is not a covariate. {nearest(name, known)} See `foedus covariates`.'
        )
    return known[name]


def for_unit(unit: str, keys: Sequence[str]) -> dict[str, Covariate]:
    """Return the covariates that have at least one column on a unit with these keys."""
    return {name: entry for name, entry in registry().items() if fits(entry, unit, keys)}


def fits(entry: Covariate, unit: str, keys: Sequence[str]) -> bool:
    """Whether a covariate has at least one column on a unit with these keys."""
    return any(applies(entry, spec, unit, keys) for spec in entry.columns)


def applies(entry: Covariate, spec: ColumnSpec, unit: str, keys: Sequence[str]) -> bool:
    """Whether a column can stand on a unit; on one finer than the year, what can on its years."""
    from foedus.panels.units import get_unit

    if unit == "k-ad-year":  # it aggregates what is known of its members and of their pairs
        return spec.level in ("state", "dyad") and (
            applies(entry, spec, "state-year", ("ccode", "year"))
            or applies(entry, spec, "dyad-year", ("ccode1", "ccode2", "year"))
        )
    if parent := get_unit(unit).parent:
        return applies(entry, spec, parent, get_unit(parent).keys)
    if entry.units and unit not in entry.units:
        return False
    if spec.level == "row":
        return unit in (spec.units or entry.units)
    dyadic = "ccode1" in keys and "ccode2" in keys
    if spec.level == "state":
        return dyadic or "ccode" in keys
    return dyadic and not (spec.collapse == "none" and unit == "dyad-year")
