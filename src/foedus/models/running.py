"""From columns to `Inputs`, and one estimator run on them: what every estimator shares.

Checks that any estimator needs are made here, once: shapes, weights, the kind of outcome,
collinear columns, the constant that some models absorb.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from foedus.errors import EstimationError, UsageError
from foedus.models.arrays import FloatArray, codes_of
from foedus.models.design import Column, Columns, Labels, Sample
from foedus.models.fit import Fit
from foedus.models.formula import CONSTANT
from foedus.models.inputs import Groups, Inputs, Part, screen
from foedus.models.outcomes import check_outcome
from foedus.models.registry import Estimator

CATEGORIES = ("ordered", "categories")


def named_columns(entry: Estimator, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that options name, by a label ``option`` or ``option place crossed``."""
    wanted: dict[str, Any] = {}
    for option in entry.options:
        value = options[option.name]
        if option.kind == "value" or value is None:
            continue
        if option.kind == "numbers":
            wanted[option.name] = value
            continue
        for place, one in enumerate(_listed(value)):
            crossed = one.split(":") if isinstance(one, str) else [one]
            for depth, column in enumerate(crossed):
                wanted[f"{option.name} {place} {depth}"] = column
    return wanted


def option_columns(entry: Estimator, options: Mapping[str, Any]) -> list[str]:
    """Return the names of the columns that options name, in order."""
    given = {option.name: options.get(option.name) for option in entry.options}
    named = [value for value in named_columns(entry, given).values() if isinstance(value, str)]
    return list(dict.fromkeys(named))


def _listed(value: Any) -> list[Any]:
    """Return the identifiers an option names: a text is one, a list of texts or arrays several."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, (list, tuple)) and all(isinstance(v, (str, np.ndarray)) for v in value):
        return list(value)
    return [value]


def _numbers_and_groups(
    entry: Estimator, options: Mapping[str, Any], columns: Columns
) -> tuple[dict[str, FloatArray], dict[str, tuple[Groups, ...]]]:
    numbers: dict[str, FloatArray] = {}
    groups: dict[str, tuple[Groups, ...]] = {}
    for option in entry.options:
        value = options[option.name]
        if option.kind == "value" or value is None:
            continue
        if option.kind == "numbers":
            column = columns[option.name]
            if isinstance(column, Labels):
                raise UsageError(f"{entry.name}: {option.name}= must be a column of numbers.")
            if not np.isfinite(column).all():
                raise EstimationError(f"{entry.name}: {option.name}= holds infinite values.")
            numbers[option.name] = column
            continue
        found = []
        for place, one in enumerate(_listed(value)):
            crossed = one.split(":") if isinstance(one, str) else [option.name]
            parts = [columns[f"{option.name} {place} {depth}"] for depth in range(len(crossed))]
            found.append(_groups(":".join(crossed), parts))
        groups[option.name] = tuple(found)
    return numbers, groups


def _groups(name: str, columns: Sequence[Column]) -> Groups:
    """Return the distinct combinations of identifiers."""
    first, *others = (_one_group(name, column) for column in columns)
    for other in others:
        pairs, codes = np.unique(first.codes * other.n + other.codes, return_inverse=True)
        labels = [f"{first.labels[p // other.n]}:{other.labels[p % other.n]}" for p in pairs]
        first = Groups(name, codes.reshape(-1).astype(np.int64), tuple(labels))
    return first


def _one_group(name: str, column: Column) -> Groups:
    if isinstance(column, Labels):
        present, codes = np.unique(column.codes, return_inverse=True)
        labels = tuple(column.levels[code] for code in present)
        return Groups(name, codes.reshape(-1).astype(np.int64), labels)
    codes, n = codes_of(column)
    values = np.empty(n)
    values[codes] = column
    return Groups(name, codes, tuple(f"{value:.15g}" for value in values))


def inputs_of_sample(
    entry: Estimator, sample: Sample, options: dict[str, Any], common: Mapping[str, str]
) -> Inputs:
    """Return an estimator's inputs from a sample made of a formula and a frame."""
    numbers, groups = _numbers_and_groups(entry, options, sample.wanted)
    labels = ("", *entry.equations)
    parts = tuple(
        Part(equation.X, tuple(equation.names), label)
        for equation, label in zip(sample.equations, labels, strict=True)
    )
    others = sample.equations[1 : 1 + len(entry.second_outcomes)]
    return Inputs(
        estimator=entry.name,
        y=sample.equations[0].y,
        parts=parts,
        outcomes=tuple(equation.y for equation in others),
        levels=sample.levels,
        weights=sample.weights,
        offset=sample.equations[0].offset,
        numbers=numbers,
        groups=groups,
        options=_settings(entry, options),
        information=common["information"],
        collinear=common["collinear"],
        separation=common["separation"],
    )


def inputs_of_arrays(
    entry: Estimator,
    matrices: Sequence[tuple[npt.ArrayLike, Sequence[str] | None]],
    y: npt.ArrayLike,
    outcomes: Sequence[npt.ArrayLike],
    weights: npt.ArrayLike | None,
    offset: npt.ArrayLike | None,
    options: dict[str, Any],
    common: Mapping[str, str],
) -> Inputs:
    """Return an estimator's inputs from arrays; they hold no missings."""
    columns: Columns = {}
    for label, value in named_columns(entry, options).items():
        array = np.asarray(value)
        if array.dtype.kind in "iufb":
            columns[label] = array.astype(np.float64)
        else:
            levels, codes = np.unique(array.astype(str), return_inverse=True)
            columns[label] = Labels(codes.reshape(-1).astype(np.int64), tuple(map(str, levels)))
    numbers, groups = _numbers_and_groups(entry, options, columns)
    if len(matrices) - 1 > len(entry.equations):
        raise UsageError(f"{entry.name} has {1 + len(entry.equations)} equations.")
    given = [*matrices, *[matrices[0]] * (1 + len(entry.equations) - len(matrices))]
    parts = tuple(
        _part(X, names, label)
        for (X, names), label in zip(given, ("", *entry.equations), strict=True)
    )
    outcome = np.asarray(y)
    levels_of_y: tuple[str, ...] = ()
    if entry.outcome in CATEGORIES:
        distinct, codes = np.unique(outcome, return_inverse=True)
        outcome = codes.reshape(-1)
        levels_of_y = tuple(str(v) if distinct.dtype.kind in "OU" else f"{v:g}" for v in distinct)
    inputs = Inputs(
        estimator=entry.name,
        y=np.asarray(outcome, dtype=np.float64),
        parts=parts,
        outcomes=tuple(np.asarray(other, dtype=np.float64) for other in outcomes),
        levels=levels_of_y,
        weights=None if weights is None else np.asarray(weights, dtype=np.float64),
        offset=None if offset is None else np.asarray(offset, dtype=np.float64),
        numbers=numbers,
        groups=groups,
        options=_settings(entry, options),
        information=common["information"],
        collinear=common["collinear"],
        separation=common["separation"],
    )
    _check_finite(inputs)
    return inputs


def _part(X: npt.ArrayLike, names: Sequence[str] | None, label: str) -> Part:
    matrix = np.asarray(X, dtype=np.float64)
    if matrix.ndim != 2:
        raise UsageError(f"X must be a matrix, rows by columns, not of shape {matrix.shape}.")
    named = tuple(names) if names is not None else tuple(f"x{j}" for j in range(matrix.shape[1]))
    return Part(matrix, named, label)


def _settings(entry: Estimator, options: Mapping[str, Any]) -> dict[str, Any]:
    return {option.name: options[option.name] for option in entry.options if option.kind == "value"}


def run(entry: Estimator, inputs: Inputs) -> Fit:
    """Check the inputs, run the estimator, and add what the checks left out.

    Raises
    ------
    EstimationError
        No rows, too few, weights that are no weights, an outcome of the wrong kind, collinear
        terms; whatever the estimator refuses.
    """
    _check_shapes(entry, inputs)
    if entry.screened:
        check_outcome(entry.outcome, inputs.y, inputs.levels, entry.name)
        for kind, other in zip(entry.second_outcomes, inputs.outcomes, strict=True):
            check_outcome(kind, other, (), entry.name)
        inputs, dropped = screen(inputs)
        inputs = _without_constant(entry, inputs)
        fitted = entry.fit(inputs)
        return replace(fitted, dropped_terms={**dropped, **fitted.dropped_terms})
    return entry.fit(_without_constant(entry, inputs))


def _without_constant(entry: Estimator, inputs: Inputs) -> Inputs:
    """Leave the column of ones out of the first equation where the model absorbs it."""
    first = inputs.parts[0]
    if entry.constant == "kept" or CONSTANT not in first.names:
        return inputs
    keep = [j for j, name in enumerate(first.names) if name != CONSTANT]
    names = tuple(first.names[j] for j in keep)
    part = replace(first, X=first.X[:, keep], names=names)
    return replace(inputs, parts=(part, *inputs.parts[1:]))


def _check_shapes(entry: Estimator, inputs: Inputs) -> None:
    n, k = inputs.n, sum(part.X.shape[1] for part in inputs.parts)
    for part in inputs.parts:
        rows, columns = part.X.shape
        if inputs.y.shape != (rows,) or len(part.names) != columns:
            raise UsageError(
                f"X is {rows} by {columns}, but y has shape {inputs.y.shape} and there are "
                f"{len(part.names)} names."
            )
    if n == 0:
        raise EstimationError("no rows are left to estimate on: every row misses some variable.")
    if n <= k:
        raise EstimationError(f"{n} rows are too few for {k} coefficients.")
    weights = inputs.weights
    if weights is None:
        return
    if not entry.weights:
        raise UsageError(f"{entry.name} takes no weights.")
    bad = np.ones(1, dtype=bool) if weights.shape != (n,) else ~(weights > 0) | np.isinf(weights)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise EstimationError(
            f"weights must be positive numbers, one a row, but {int(bad.sum())} are not (e.g. row "
            f"{row} of the rows used); leave such rows out."
        )


def _check_finite(inputs: Inputs) -> None:
    """Refuse missing and infinite values in arrays (a frame's rows are sorted out before)."""
    for part in inputs.parts:
        if np.isfinite(float(part.X.sum())):
            continue
        for j, name in enumerate(part.names):
            if not np.isfinite(float(part.X[:, j].sum())):
                bad = np.flatnonzero(~np.isfinite(part.X[:, j]))
                if bad.size:
                    raise EstimationError(
                        f"{name} is missing or infinite in {bad.size} rows (e.g. row {bad[0]})."
                    )
    for what, values in (("the outcome", inputs.y), ("the offset", inputs.offset)):
        if values is not None and not np.isfinite(float(values.sum())):
            bad = np.flatnonzero(~np.isfinite(values))
            raise EstimationError(
                f"{what} is missing or infinite in {bad.size} rows (e.g. row {bad[:1]})."
            )
