"""Scenarios: the values of the variables at which a model's predictions are taken.

A scenario is a row (or rows) of values for the formula's variables. ``at`` names it:

- ``means`` or ``medians``: one row, of the variables' means or medians in the estimation sample;
- ``means where <conditions>``: over the rows that meet conditions, say ``defense == 1 and t > 5``;
- ``observed``: every row of the sample keeps its own values, and predictions are averaged.

Variables are averaged before they enter the formula's functions, so that ``I(t^2)`` at the means
is the square of the mean, as the row of a state at the mean would have it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foedus.errors import EstimationError, UsageError, nearest
from foedus.models.arrays import BoolArray, FloatArray
from foedus.models.design import Column, Columns, Design, Evaluator, Labels, take_rows
from foedus.models.formula import Call, Expression, names_in, parse_expression
from foedus.models.result import Result, right_names


def variables_of(result: Result) -> list[str]:
    """Return the variables on the right side of the model's formula, in its order."""
    if not result.designs:
        names = result.fit.parts[0].names
        return [t for j, t in enumerate(names) if not _is_constant(result, j)]
    found: dict[str, None] = {}
    for design in result.designs:
        found.update(dict.fromkeys(right_names(design.formula)))
    return list(found)


def factor_names(design: Design, factor: str) -> set[str]:
    """Return the variables that a factor of a term uses."""
    return set(names_in(design.formula.factors[factor]))


def _is_constant(result: Result, column: int) -> bool:
    X = result.fit.X
    return bool(X[0, column] == X[-1, column]) and bool((X[:, column] == X[0, column]).all())


def sample_columns(result: Result) -> Columns:
    """Return the sample's variables: the formula's columns, or the matrix's for an array fit."""
    if result.design is not None:
        return result.columns
    return {name: result.fit.X[:, j] for j, name in enumerate(result.fit.parts[0].names)}


def matrix_of(result: Result, columns: Columns, n: int) -> tuple[FloatArray, FloatArray | None]:
    """Return the first equation's matrix and offset of a scenario's columns."""
    if result.design is not None:
        return result.evaluate(columns, n)
    return np.column_stack([numbers_of(columns[name], name) for name in result.terms]), None


def numbers_of(column: Column, name: str) -> FloatArray:
    """Return a column of numbers, or refuse one of text."""
    if isinstance(column, Labels):
        raise UsageError(f'variable "{name}" holds text and has no mean or slope.')
    return column


def categorical(result: Result) -> set[str]:
    """Return variables that enter as categories."""
    found = {n for n, c in result.columns.items() if isinstance(c, Labels)}
    for design in result.designs:
        for tree in design.formula.factors.values():
            if isinstance(tree, Call) and tree.function in ("C", "factor"):
                found |= set(names_in(tree))
    return found


def rows_where(result: Result, conditions: str) -> BoolArray:
    """Mark the rows of the estimation sample that meet conditions joined by ``and``.

    Parameters
    ----------
    result : Result
        The fitted model.
    conditions : str
        Such as ``defense == 1 and t > 5``, over the formula's variables.

    Returns
    -------
    bool array
        One value a row used.

    Raises
    ------
    UsageError
        If a condition names a variable that is not in the model.
    EstimationError
        If no row meets the conditions.
    """
    columns = sample_columns(result)
    marked = np.ones(result.n_obs, dtype=bool)
    for part in conditions.split(" and "):
        tree: Expression = parse_expression(part)
        for name in names_in(tree):
            if name not in columns:
                raise UsageError(
                    f'condition "{part}": "{name}" is not a variable of the model. '
                    + nearest(name, columns)
                )
        marked &= Evaluator(columns, {}, learning=True).number(tree) != 0.0
    if not marked.any():
        raise EstimationError(f'no row of the sample meets "{conditions}".')
    return marked


def _middle(result: Result, name: str, column: Column, how: str) -> Column:
    """Return the mean, median or commonest value of a variable as a column of one row."""
    if isinstance(column, Labels):
        return Labels(np.array([np.bincount(column.codes).argmax()]), column.levels)
    # ASSUME: a category has no mean, so "at the means" holds it at its commonest value
    if name in categorical(result):
        values, counts = np.unique(column, return_counts=True)
        return np.array([values[counts.argmax()]])
    # rows that were not selected may miss a variable
    known = ~np.isnan(column)
    if how == "medians":
        return np.array([np.median(column[known])])
    weights = result.fit.weights
    if weights is not None and weights.size == column.size:
        return np.array([np.average(column[known], weights=weights[known])])
    return np.array([column[known].mean()])


def scenario(
    result: Result, at: str = "means", values: Mapping[str, float] | None = None
) -> tuple[Columns, int]:
    """Return the variables of a scenario.

    Parameters
    ----------
    result : Result
        The fitted model.
    at : str
        ``means``, ``medians``, ``observed``, the first two also with `` where <conditions>``.
    values : mapping, optional
        Variables held at given values instead.

    Returns
    -------
    columns, n : dict of columns, int
        Values of every variable, and the number of rows.
    """
    how, _, conditions = (part.strip() for part in at.partition(" where "))
    if how not in ("means", "medians", "observed"):
        raise UsageError(
            f'"{at}" is not a scenario. {nearest(how, ["means", "medians", "observed"])}'
        )
    columns = sample_columns(result)
    wanted = variables_of(result) if result.designs else list(result.fit.parts[0].names)
    keep = rows_where(result, conditions) if conditions else None
    chosen = {name: take_rows(columns[name], keep) for name in wanted}
    n = result.n_obs if keep is None else int(keep.sum())
    if how != "observed":
        chosen = {name: _middle(result, name, c, how) for name, c in chosen.items()}
        n = 1
    for name, value in (values or {}).items():
        hold(chosen, name, value, n)
    return chosen, n


def hold(columns: Columns, name: str, value: float | str, n: int) -> None:
    """Set a variable to one value in every row of a scenario."""
    if name not in columns:
        raise UsageError(f'"{name}" is not a variable of the model. {nearest(name, columns)}')
    column = columns[name]
    if isinstance(column, Labels):
        if str(value) not in column.levels:
            raise UsageError(
                f'"{value}" is no value of {name}. {nearest(str(value), column.levels)}'
            )
        code = column.levels.index(str(value))
        columns[name] = Labels(np.full(n, code, dtype=np.int64), column.levels)
    else:
        columns[name] = np.full(n, float(value))
