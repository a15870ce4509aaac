"""The registry of estimators: one module under `foedus.models.estimators` each.

A module registers a function with `estimator`; the front door (`foedus.models.estimate`), the
studies' schema, the command line, the list in the manual and the tests that every estimator must
pass read what is registered here, so that a new one needs no other file. See docs/estimators.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from foedus.errors import UsageError, nearest

if TYPE_CHECKING:
    from foedus.models.fit import Fit
    from foedus.models.inputs import Inputs

OUTCOMES = {
    "binary": "0 or 1",
    "count": "0, 1, 2, ...",
    "positive_count": "1, 2, ... (leave out the zeros)",
    "continuous": "any number",
    "positive": "a number above 0",
    "proportion": "a number between 0 and 1",
    "share": "a number from 0 to 1, both included",
    "ordered": "ordered categories: numbers, or text in alphabetical order",
    "categories": "categories without order: numbers or text",
    "duration": "a time above 0",
}
"""Kinds of outcome an estimator may be for, with what they hold."""

KINDS = ("value", "numbers", "groups")


@dataclass(frozen=True, slots=True)
class Option:
    """An argument of an estimator beside formula and data.

    Attributes
    ----------
    name : str
        The keyword.
    says : str
        What it is, in a few words.
    kind : str
        "value": a setting; "numbers": a column (or array) of numbers; "groups": a column, or
        several, of identifiers (a list of names; "a:b" for combinations).
    default : object
        None where the data need not have the column or the setting plays no part.
    allowed : tuple, optional
        The values a setting may take; None for any of the default's type.
    required : bool
        Whether the estimator can't do without.
    """

    name: str
    says: str
    kind: str = "value"
    default: Any = None
    allowed: tuple[Any, ...] | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Estimator:
    """An entry of the registry.

    Attributes
    ----------
    name : str
        As users write it.
    title : str
        What it is, in a line.
    citation : str
        Who proposed it: authors, year, journal, volume.
    outcome : str
        A key of OUTCOMES.
    fit : callable
        Inputs to Fit.
    options : tuple of Option
        What it takes beside formula and data.
    equations : tuple of str
        Names of the equations after the first, in the order of the formula's bars: ("zero",) for
        ``y ~ x | z``. An equation the formula leaves out has the terms of the first.
    second_outcomes : tuple of str
        Kinds of the outcomes after the first, for estimators that explain several.
    constant : str
        "kept", or "absorbed" where the model has no constant term of its own (cutpoints, a
        baseline hazard, strata, fixed effects): the column of ones is then left out.
    selects : bool
        Whether rows whose second outcome is 0 may miss the first equation's variables.
    bars_are_groups : str, optional
        The option that the part after a bar fills with column names (fixed effects).
    covariances : tuple of str
        Families of covariance it supports: "classical", "scores" (all that need scores by row),
        "leverage" (HC2, HC3), "resample".
    screened : bool
        Whether collinear columns are looked for before the estimator is called; False where the
        estimator does so itself.
    weights : bool
        Whether it takes prior weights.
    starts : bool
        Whether it can begin from given coefficients (``near=``).
    """

    name: str
    title: str
    citation: str
    outcome: str
    fit: Callable[[Inputs], Fit]
    options: tuple[Option, ...] = ()
    equations: tuple[str, ...] = ()
    second_outcomes: tuple[str, ...] = ()
    constant: str = "kept"
    selects: bool = False
    bars_are_groups: str | None = None
    covariances: tuple[str, ...] = ("classical", "scores", "resample")
    screened: bool = True
    weights: bool = True
    starts: bool = False

    def option(self, name: str) -> Option:
        """Return an option by name.

        Raises
        ------
        UsageError
            If the estimator has none of that name.
        """
        for option in self.options:
            if option.name == name:
                return option
        known = [option.name for option in self.options]
        raise UsageError(f'{self.name} has no option "{name}". {nearest(name, known)}')

    def settle(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of every option, checked, defaults filled in."""
        for name, value in given.items():
            _check_value(self, self.option(name), value)
        chosen = {option.name: given.get(option.name, option.default) for option in self.options}
        for option in self.options:
            if option.required and chosen[option.name] is None:
                raise UsageError(f"{self.name} needs {option.name}= ({option.says}).")
        return chosen


def _check_value(entry: Estimator, option: Option, value: Any) -> None:
    if option.kind != "value" or value is None:
        return
    if option.allowed is not None and value not in option.allowed:
        known = [str(one) for one in option.allowed]
        raise UsageError(
            f'{entry.name}: "{value}" is no {option.name} ({option.says}). '
            + nearest(str(value), known)
        )
    if isinstance(option.default, (int, float)) and not isinstance(option.default, bool):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UsageError(f"{entry.name}: {option.name} must be a number, not {value!r}.")
    elif option.default is not None and not isinstance(value, type(option.default)):
        wanted = type(option.default).__name__
        raise UsageError(f"{entry.name}: {option.name} must be a {wanted}, not {value!r}.")


_FOUND: dict[str, Estimator] = {}
_PACKAGE = "foedus.models.estimators"


def estimator(
    name: str, *, title: str, citation: str, outcome: str, **facts: Any
) -> Callable[[Callable[[Inputs], Fit]], Callable[[Inputs], Fit]]:
    """Register the decorated function as an estimator.

    Parameters
    ----------
    name, title, citation, outcome
        See `Estimator`.
    **facts
        The other fields of `Estimator`.

    Returns
    -------
    callable
        The decorator; it returns the function as it was.

    Raises
    ------
    ValueError
        If the name is taken or a field says something unknown (an error of the module's author).
    """

    def keep(function: Callable[[Inputs], Fit]) -> Callable[[Inputs], Fit]:
        entry = Estimator(name, title, citation, outcome, function, **facts)
        _check_entry(entry)
        _FOUND[name] = entry
        return function

    return keep


def _check_entry(entry: Estimator) -> None:
    if entry.name in _FOUND:
        raise ValueError(f"estimator {entry.name} is registered twice.")
    for kind in (entry.outcome, *entry.second_outcomes):
        if kind not in OUTCOMES:
            raise ValueError(f"estimator {entry.name}: {kind} is no kind of outcome.")
    for option in entry.options:
        if option.kind not in KINDS:
            raise ValueError(f"estimator {entry.name}: {option.kind} is no kind of option.")
    if entry.constant not in ("kept", "absorbed"):
        raise ValueError(f"estimator {entry.name}: constant is kept or absorbed.")


def _modules() -> list[str]:
    package = import_module(_PACKAGE)
    return sorted(module.name for module in iter_modules(package.__path__))


def estimator_names() -> tuple[str, ...]:
    """Return the name of every estimator, in alphabetical order."""
    for module in _modules():
        import_module(f"{_PACKAGE}.{module}")
    return tuple(sorted(_FOUND))


def find_estimator(name: str) -> Estimator:
    """Return an estimator by name; its own module is tried first, so the others stay unread.

    Raises
    ------
    UsageError
        If there is none; the nearest name is given.
    """
    if name not in _FOUND and name in _modules():
        import_module(f"{_PACKAGE}.{name}")
    if name not in _FOUND and name not in estimator_names():
        raise UsageError(f'"{name}" is not an estimator. {nearest(name, estimator_names())}')
    return _FOUND[name]


def all_estimators() -> tuple[Estimator, ...]:
    """Return every estimator, by name."""
    return tuple(_FOUND[name] for name in estimator_names())


def __getattr__(name: str) -> Any:
    """Return ESTIMATORS, the names, when first asked for."""
    if name == "ESTIMATORS":
        return estimator_names()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
