"""Is a study's rebuild block valid, and its variables: what can be checked without data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from foedus.covariates.k_ads import set_columns
from foedus.covariates.registry import Covariate, applies, get_covariate
from foedus.covariates.where import columns_in
from foedus.errors import FoedusError, UsageError, nearest
from foedus.panels.k_ad_unit import UNIT as K_ADS
from foedus.panels.units import get_unit
from foedus.sources.registry import SourceFacts
from foedus.studies.expressions import names_in
from foedus.studies.frame import NAMED_FILTERS
from foedus.studies.ground import declared_columns
from foedus.studies.rebuild import comparisons
from foedus.studies.schema import Design, Rebuild, Universe, Variable


def check_variable(spec: Variable, unit: str | None, above: list[str]) -> None:
    """Stop if a variable can't be had on a unit.

    Parameters
    ----------
    spec : Variable
    unit : str or None
    above : list of str
        What an expression may use: keys and the variables declared before it.

    Raises
    ------
    UsageError
        For an unknown covariate, column, option or name in an expression.
    """
    if spec.expression is not None:
        for used in names_in(spec.expression):
            if used not in above:
                raise UsageError(f'"{used}" is not declared above it. {nearest(used, above)}')
        return
    request = spec.request
    entry = get_covariate(request.covariate)
    entry.resolve_options(request.options)
    known = columns_on(entry, unit)
    if request.column not in known:
        raise UsageError(
            f'covariate {entry.name} has no column "{request.column}" on {unit or "no unit"}. '
            f"{nearest(request.column, known) if known else 'It has none there.'}"
        )


def columns_on(entry: Covariate, unit: str | None) -> list[str]:
    """Return the columns that a covariate has on a unit, with their suffixes."""
    if unit is None:
        return []
    if unit == K_ADS:
        return list(set_columns(entry))
    keys = get_unit(unit).keys
    sides = ("1", "2") if "ccode1" in keys else ("",)
    return [
        spec.name + side
        for spec in entry.columns
        if applies(entry, spec, unit, keys)
        for side in (sides if spec.level == "state" else ("",))
    ]


def check_rebuild(design: Design, facts: Mapping[str, SourceFacts]) -> Iterator[str]:
    """Yield what is wrong with a rebuild block; nothing for studies without one."""
    spec = design.rebuild
    if spec is None:
        return
    try:
        keys = get_unit(spec.unit).keys
        columns = declared_columns(facts, Universe(table=design.rebuilt_table))
    except FoedusError as error:
        yield f"rebuild: {' '.join(str(error).split())}"
        return
    yield from _keys(design, spec, keys, columns)
    yield from _variables(spec, keys)
    yield from _comparisons(spec, columns)
    yield from _filters(spec, keys, columns)


def _keys(
    design: Design, spec: Rebuild, keys: tuple[str, ...], columns: tuple[str, ...]
) -> Iterator[str]:
    said = spec.keys or (design.universe.keys if design.universe else {})
    for key in keys:
        if key not in said:
            yield f"rebuild.keys: {key} of a {spec.unit} isn't named."
        else:
            yield from _unknown(f"rebuild.keys.{key}", names_in(said[key]), columns)


def _variables(spec: Rebuild, keys: tuple[str, ...]) -> Iterator[str]:
    above = list(keys)
    for name, variable in spec.variables.items():
        try:
            check_variable(variable, spec.unit, above)
        except UsageError as error:
            yield f"rebuild.variables.{name}: {' '.join(str(error).split())}"
        above.append(name)


def _comparisons(spec: Rebuild, columns: tuple[str, ...]) -> Iterator[str]:
    for name, expression in spec.compare.items():
        if name not in spec.variables:
            hint = nearest(name, spec.variables)
            yield f'rebuild.compare: "{name}" is not a variable of the rebuild. {hint}'
        yield from _unknown(f"rebuild.compare.{name}", names_in(expression), columns)
    compared = comparisons(spec, columns)
    if not compared:
        yield "rebuild: no variable is named like a column of the file; say compare:."
    for name in spec.tolerance:
        if name not in compared:
            yield f'rebuild.tolerance: "{name}" is not compared. {nearest(name, compared)}'


def _filters(spec: Rebuild, keys: tuple[str, ...], columns: tuple[str, ...]) -> Iterator[str]:
    if spec.where is not None:
        yield from _unknown("rebuild.where", sorted(columns_in(spec.where)), columns)
    if spec.expected is not None and spec.expected not in NAMED_FILTERS:
        known = (*spec.variables, *keys)
        yield from _unknown("rebuild.expected", sorted(columns_in(spec.expected)), known)


def _unknown(
    place: str, used: tuple[str, ...] | list[str], known: tuple[str, ...]
) -> Iterator[str]:
    for name in used:
        if name not in known:
            yield f'{place}: "{name}" is not a column there. {nearest(name, known)}'
