"""Derived variables as plain expressions over a study's variables, which can run no code.

``(cinc1 + ally1) / (cinc1 + ally1 + cinc2)``, ``major1 == 1 or contiguous == 1``,
``log(distance)``. A value is missing where any variable that it uses is, comparisons included
(unlike a row filter, where a comparison with a missing value is not true). Only
``otherwise(x, 0)`` puts a value in a missing one's place: a design has to say so in so many words.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.errors import UsageError, nearest

Array = NDArray[np.float64]

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}


def mean_by(values: Array, group: Array) -> Array:
    """Return the mean of a group's known values for each of its rows (a dyad's mean, say).

    Over all rows of the universe, before any is dropped; a group without a known value is missing.
    """
    known = ~np.isnan(values) & ~np.isnan(group)
    _, place = np.unique(group, return_inverse=True)
    total = np.bincount(place[known], weights=values[known], minlength=place.max() + 1)
    count = np.bincount(place[known], minlength=place.max() + 1)
    with np.errstate(invalid="ignore"):
        return np.asarray((total / count)[place])


def max_by(values: Array, group: Array) -> Array:
    """Return the greatest known value of a group for each of its rows; missing without one."""
    _, place = np.unique(group, return_inverse=True)
    most = np.full(place.max() + 1, -np.inf)
    known = ~np.isnan(values) & ~np.isnan(group)
    np.maximum.at(most, place[known], values[known])
    return np.where(np.isneginf(most), np.nan, most)[place]


def sum_by(values: Array, group: Array) -> Array:
    """Return the sum of a group's values for each of its rows; missing if one is unknown."""
    _, place = np.unique(group, return_inverse=True)
    return np.asarray(np.bincount(place, weights=values, minlength=place.max() + 1)[place])


def first_by(values: Array, group: Array) -> Array:
    """Return a group's value in its first row for each of its rows (a pair's at entry, say).

    Rows stand in the order of their keys, so that a pair's first row is its first year; where the
    value is missing there, it is missing for the whole group.
    """
    _, first, place = np.unique(group, return_index=True, return_inverse=True)
    return np.asarray(values[first][place])


def lag_by(values: Array, group: Array, time: Array, steps: Array | float = 1.0) -> Array:
    """Return a group's value `steps` times (years) earlier, missing where it has no such row.

    Times are whole numbers; the row of the earlier time is looked up, so that a gap in the years
    gives no value rather than that of the row before it.

    Raises
    ------
    UsageError
        If a group has two rows of one time: which one came before can't be told.
    """
    known = ~np.isnan(group) & ~np.isnan(time)
    codes = np.unique(group, return_inverse=True)[1].astype(np.int64)
    when = np.where(known, time, 0).astype(np.int64)
    width = int(when.max() - when.min()) + 1 if len(when) else 1
    place = codes * width + (when - (when.min() if len(when) else 0))
    here = np.flatnonzero(known)
    order = here[np.argsort(place[here], kind="stable")]
    ordered = place[order]
    if (np.diff(ordered) == 0).any():
        raise UsageError("lag_by(): two rows of one group stand at the same time.")
    back = np.asarray(np.broadcast_to(steps, when.shape), np.float64).astype(np.int64)
    wanted = place - back
    inside = known & (when - back >= (when.min() if len(when) else 0))
    at = np.minimum(np.searchsorted(ordered, wanted), max(len(ordered) - 1, 0))
    found = np.full(len(values), np.nan)
    met = inside & (ordered[at] == wanted) if len(ordered) else inside & False
    found[met] = values[order[at[met]]]
    return found


def years_since(flag: Array, group: Array, time: Array) -> Array:
    """Return how many times (years) in a row before this one a group's flag was 0.

    0 in a group's first row, in the row after a gap in the years, and in the year after a flag
    other than 0. What follows an unknown flag is missing until the count begins anew.

    Raises
    ------
    UsageError
        If a group has two rows of one time.
    """
    order = np.lexsort((time, group))
    same = group[order][1:] == group[order][:-1]
    step = time[order][1:] - time[order][:-1]
    if (same & (step == 0)).any():
        raise UsageError("years_since(): two rows of one group stand at the same time.")
    before = flag[order][:-1]
    begins = np.append(True, ~(same & (step == 1)) | ((before != 0) & ~np.isnan(before)))
    row = np.arange(len(order))
    since = np.maximum.accumulate(np.where(begins, row, 0))
    unknown = np.cumsum(np.append(0, np.isnan(before)))
    count = np.where(unknown > unknown[since], np.nan, row - since)
    found = np.full(len(flag), np.nan)
    found[order] = count
    found[np.isnan(group) | np.isnan(time)] = np.nan
    return found


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "exp": np.exp,
    "first_by": first_by,
    "lag_by": lag_by,
    "log": np.log,
    "log1p": np.log1p,
    "max": np.maximum,
    "max_by": max_by,
    "mean_by": mean_by,
    "min": np.minimum,
    "otherwise": lambda values, other: np.where(np.isnan(values), other, values),
    "sqrt": np.sqrt,
    "sum_by": sum_by,
    "years_since": years_since,
}
LAG = "lag_by"
SINCE = "years_since"
OTHERWISE = "otherwise"
"""The one function that knows a missing value: ``otherwise(x, 0)``, of a variable and a number."""

_OF_TWO = ("first_by", "max", "max_by", "mean_by", "min", OTHERWISE, "sum_by")
_ARGUMENTS = {**dict.fromkeys(_OF_TWO, (2,)), LAG: (3, 4), SINCE: (3,)}


def names_in(expression: str) -> tuple[str, ...]:
    """Return the variables that an expression uses, in order of appearance.

    Raises
    ------
    UsageError
        If the text is no expression.
    """
    tree = _parse(expression)
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    variables = [node for node in found if id(node) not in functions]
    variables.sort(key=lambda node: (node.lineno, node.col_offset))
    return tuple(dict.fromkeys(node.id for node in variables))


def evaluate(expression: str, variables: Mapping[str, Array]) -> Array:
    """Return an expression's value for each row; true is 1, false 0, missing NaN.

    Raises
    ------
    UsageError
        For anything but names, numbers, arithmetic, comparisons, and/or/not and the functions
        above, or a name that isn't a variable.
    """
    with np.errstate(all="ignore"):
        value = _value(_parse(expression), variables, expression)
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        raise UsageError(f'the expression "{expression}" uses no variable.')
    result = np.array(value, np.float64)
    result[~np.isfinite(result)] = np.nan
    for name in _unguarded(_parse(expression)):
        result[np.isnan(variables[name])] = np.nan
    return result


def _unguarded(node: ast.AST) -> set[str]:
    """Return the variables whose missing values make the expression's missing."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == OTHERWISE:
            return set()
        # Earlier rows' values are missing where they are missing there, whatever stands here.
        parts = node.args[1:] if node.func.id in (LAG, SINCE) else node.args
        return {name for part in parts for name in _unguarded(part)}
    if isinstance(node, ast.Name):
        return {node.id}
    return {name for part in ast.iter_child_nodes(node) for name in _unguarded(part)}


def _parse(expression: str) -> ast.expr:
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f'"{expression}" is not an expression: {error}.') from error


def _value(node: ast.expr, variables: Mapping[str, Array], text: str) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        return float(node.value)
    if isinstance(node, ast.Name):
        if node.id not in variables:
            raise UsageError(
                f'the expression "{text}" names "{node.id}", which is not a variable declared '
                f"above it. {nearest(node.id, variables)}"
            )
        return variables[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = (_value(part, variables, text) for part in (node.left, node.right))
        return _OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp):
        return _unary(node, variables, text)
    if isinstance(node, ast.BoolOp):
        parts = [np.asarray(_value(part, variables, text)) != 0 for part in node.values]
        combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return combine.reduce(np.broadcast_arrays(*parts)).astype(np.float64)
    if isinstance(node, ast.Compare):
        return _comparison(node, variables, text)
    if isinstance(node, ast.Call):
        return _call(node, variables, text)
    raise _refused(node, text)


def _unary(node: ast.UnaryOp, variables: Mapping[str, Array], text: str) -> Any:
    value = _value(node.operand, variables, text)
    if isinstance(node.op, ast.USub):
        return np.negative(value)
    if isinstance(node.op, ast.Not):
        return (np.asarray(value) == 0).astype(np.float64)
    raise _refused(node, text)


def _comparison(node: ast.Compare, variables: Mapping[str, Array], text: str) -> Any:
    left = _value(node.left, variables, text)
    result: Any = True
    for operation, right_node in zip(node.ops, node.comparators, strict=True):
        if type(operation) not in _COMPARISONS:
            raise _refused(operation, text)
        right = _value(right_node, variables, text)
        result = np.logical_and(result, _COMPARISONS[type(operation)](left, right))
        left = right
    return np.asarray(result, np.float64)


def _call(node: ast.Call, variables: Mapping[str, Array], text: str) -> Any:
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
        raise _refused(node, text)
    function = FUNCTIONS[node.func.id]
    wanted = _ARGUMENTS.get(node.func.id, (1,))
    if len(node.args) not in wanted:
        said = " or ".join(map(str, wanted))
        raise UsageError(f'the expression "{text}": {node.func.id}() takes {said} argument(s).')
    if node.func.id == LAG and not isinstance(node.args[0], ast.Name):
        raise UsageError(f'the expression "{text}": lag_by() takes a variable, its group and time.')
    if node.func.id == OTHERWISE and not isinstance(node.args[0], ast.Name):
        # Inside an expression a missing value may already have become a 0 (a comparison's).
        raise UsageError(f'the expression "{text}": otherwise() takes a variable and a number.')
    return function(*(_value(part, variables, text) for part in node.args))


def _refused(node: ast.AST, text: str) -> UsageError:
    return UsageError(
        f'the expression "{text}" uses {type(node).__name__}, which is not allowed; use variables, '
        f"numbers, + - * / **, comparisons, and, or, not, and {', '.join(FUNCTIONS)}."
    )
