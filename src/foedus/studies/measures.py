"""The registry of measures: what a study computes besides regressions.

A measure is a function of tables (or of a study's sample) that returns rows: rates, counts,
exponents, rank correlations. It is declared once, in a module ``measures_*.py`` of this room, and
found from there; a study names it under ``measures:``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.registry import Option
from foedus.declared import declared_in
from foedus.errors import UsageError, nearest
from foedus.sources.tables import Tables

Kind = Literal["share", "count", "value"]
SEED = 1816
"""Seed of every measure's random draws, so that two runs agree to the last digit."""


@dataclass(frozen=True)
class MeasureRow:
    """One number.

    Attributes
    ----------
    term : str
        Its name within the measure, as published.csv's maps_to writes it
        (``measures.<block>.<term>``); dots and spaces are allowed.
    estimate : float or None
        None when it can't be had; `note` then says why, and the verdict is "not comparable".
    kind : str
        share: 0 to 1 (compared with a published percentage as 100 times that); count; value.
    std_error, ci_low, ci_high, p_value : float or None
        On the scale of `estimate`.
    n, n_events : int or None
        Denominator (cases, wars in the tail) and numerator.
    how : str
        How the standard error was had ("binomial", "bootstrap 1000"); stands in the column
        `covariance`. One term may have several rows that differ in it, the first leads.
    label : str or None
        Short words for tables and figures.
    note : str or None
    """

    term: str
    estimate: float | None
    kind: Kind = "value"
    std_error: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None
    n: int | None = None
    n_events: int | None = None
    how: str = "none"
    label: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class MeasureResult:
    """Rows with what the study's page shows beside them.

    Attributes
    ----------
    rows : sequence of MeasureRow
    plots : mapping
        Plots by name, ready to draw, in the formats that the report knows (tail, bars, curve).
    sentences : sequence of str
        What was done, in words, for the page's design part.
    tables : mapping
        Small tables by name (a list of flat mappings each): disagreements row by row, say.
    """

    rows: Sequence[MeasureRow]
    plots: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sentences: Sequence[str] = ()
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class MeasureContext:
    """What a measure's function is given.

    Attributes
    ----------
    tables : Tables
        Ingested tables; what is read here is recorded as the study's provenance.
    options : dict
        Every option of the measure with its value.
    panel : dict of str to array, or None
        Keys and variables of the study's sample (float64, NaN for missing; keys int32), when the
        study says ``panel: true``.
    """

    tables: Tables
    options: dict[str, Any]
    panel: Mapping[str, NDArray[Any]] | None = None

    def rng(self) -> np.random.Generator:
        """Return a generator with the project's seed (the same draws at each call)."""
        return np.random.default_rng(SEED)


MeasureFunction = Callable[[MeasureContext], Sequence[MeasureRow] | MeasureResult]


@dataclass(frozen=True)
class Measure:
    """A registered measure; see `measure` for the fields."""

    name: str
    says: str
    citations: tuple[str, ...]
    options: Mapping[str, Option]
    function: MeasureFunction
    terms: tuple[str, ...]
    module: str

    def resolve_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options with their values, defaults filled in.

        Raises
        ------
        UsageError
            For an unknown option or a value that isn't allowed.
        """
        for name, value in given.items():
            if name not in self.options:
                raise UsageError(
                    f'measure {self.name} has no option "{name}". {nearest(name, self.options)}'
                )
            option = self.options[name]
            if not option.accepts(value):
                raise UsageError(
                    f"measure {self.name}: option {name}={value!r} is not {option.wanted()}."
                )
        return {name: given.get(name, option.default) for name, option in self.options.items()}

    def run(self, context: MeasureContext) -> MeasureResult:
        """Compute, and return a MeasureResult whichever of the two the function gives."""
        made = self.function(context)
        return made if isinstance(made, MeasureResult) else MeasureResult(list(made))


_MEASURES: dict[str, Measure] = {}


def measure(
    name: str,
    *,
    says: str,
    citations: Sequence[str] = (),
    options: Mapping[str, Option] | None = None,
    terms: Sequence[str] = (),
) -> Callable[[MeasureFunction], MeasureFunction]:
    """Register a function as a measure.

    Parameters
    ----------
    name : str
    says : str
        What it computes, in a sentence.
    citations : sequence of str
        Keys in config/references of the methods and studies behind it.
    options : mapping of str to Option
    terms : sequence of str
        Terms it can return, when they are known beforehand; `foedus study check` then checks that
        maps_to names one of them. Leave empty when they depend on the data.
    """

    def register(function: MeasureFunction) -> MeasureFunction:
        if name in _MEASURES and _MEASURES[name].module != function.__module__:
            raise UsageError(f'the measure "{name}" is declared twice ({function.__module__}).')
        _MEASURES[name] = Measure(
            name=name,
            says=says,
            citations=tuple(citations),
            options=dict(options or {}),
            function=function,
            terms=tuple(terms),
            module=function.__module__,
        )
        return function

    return register


def measures() -> dict[str, Measure]:
    """Return every measure by name; imports this room's measures_*.py on first use."""
    import foedus.studies as room

    for module in sorted(set(declared_in(room, "measure").values())):
        importlib.import_module(module)
    return dict(sorted(_MEASURES.items()))


def get_measure(name: str) -> Measure:
    """Return a measure by name; UsageError names the nearest."""
    import foedus.studies as room

    declared = declared_in(room, "measure")
    if name not in _MEASURES and name in declared:
        importlib.import_module(declared[name])
    if name in _MEASURES:
        return _MEASURES[name]
    known = measures()
    if name not in known:
        raise UsageError(f'"{name}" is not a measure. {nearest(name, known)}')
    return known[name]
