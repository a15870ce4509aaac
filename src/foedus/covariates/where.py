"""Row filters as plain expressions over a panel's columns, which can run no code.

``year >= 1946 and (major1 == 1 or contiguous == 1)``: names, numbers, comparisons, and/or/not,
``in (…)`` and the four operations. A comparison with a missing value is not true.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.values import is_missing
from foedus.errors import UsageError, nearest

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def columns_in(expression: str) -> set[str]:
    """Return the column names that a filter mentions."""
    return {node.id for node in ast.walk(_parse(expression)) if isinstance(node, ast.Name)}


def keep_rows(expression: str, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Return which rows satisfy a filter.

    Raises
    ------
    UsageError
        If the filter isn't an expression of the kind above, or names an unknown column.
    """
    kept = _truth(_parse(expression), columns, expression)
    n_rows = len(next(iter(columns.values())))
    return np.broadcast_to(kept, (n_rows,))


def _parse(expression: str) -> ast.expr:
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f'the filter "{expression}" is not an expression: {error}.') from error


def _refuse(node: ast.AST, expression: str) -> UsageError:
    return UsageError(
        f'the filter "{expression}" uses {type(node).__name__}, which is not allowed; use column '
        "names, numbers, comparisons, and, or, not, in (...), + - * /."
    )


def _truth(node: ast.expr, columns: Mapping[str, NDArray[Any]], text: str) -> Any:
    """Evaluate a node to true or false for each row."""
    if isinstance(node, ast.BoolOp):
        parts = [_truth(part, columns, text) for part in node.values]
        combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        result = parts[0]
        for part in parts[1:]:
            result = combine(result, part)
        return result
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return np.logical_not(_truth(node.operand, columns, text))
    if isinstance(node, ast.Compare):
        return _comparison(node, columns, text)
    if isinstance(node, ast.Name):
        values, missing = _number(node, columns, text)
        return (values != 0) & ~missing
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return np.bool_(node.value)
    raise _refuse(node, text)


def _comparison(node: ast.Compare, columns: Mapping[str, NDArray[Any]], text: str) -> Any:
    left, left_missing = _number(node.left, columns, text)
    result: Any = np.bool_(True)
    for operation, right_node in zip(node.ops, node.comparators, strict=True):
        if isinstance(operation, ast.In | ast.NotIn):
            inside = np.isin(left, _listed(right_node, text))
            if isinstance(operation, ast.NotIn):
                inside = ~inside
            result = result & inside & ~left_missing
            continue
        right, right_missing = _number(right_node, columns, text)
        answer = _COMPARE.get(type(operation))
        if answer is None:
            raise _refuse(operation, text)
        result = result & answer(left, right) & ~left_missing & ~right_missing
        left, left_missing = right, right_missing
    return result


def _listed(node: ast.expr, text: str) -> list[Any]:
    if not isinstance(node, ast.Tuple | ast.List | ast.Set):
        raise _refuse(node, text)
    items = []
    for item in node.elts:
        if not isinstance(item, ast.Constant) or not isinstance(item.value, int | float | str):
            raise _refuse(item, text)
        items.append(item.value)
    return items


def _number(node: ast.expr, columns: Mapping[str, NDArray[Any]], text: str) -> tuple[Any, Any]:
    """Evaluate a node to (values, where missing)."""
    if isinstance(node, ast.Name):
        if node.id not in columns:
            raise UsageError(
                f'the filter "{text}" names "{node.id}", which is not a column. '
                f"{nearest(node.id, columns)}"
            )
        values = columns[node.id]
        gone = is_missing(values) if values.dtype.kind in "fi" else np.zeros(len(values), bool)
        return values, gone
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
        return node.value, np.bool_(False)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value, gone = _number(node.operand, columns, text)
        return -value, gone
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        left, left_gone = _number(node.left, columns, text)
        right, right_gone = _number(node.right, columns, text)
        with np.errstate(all="ignore"):
            value = _ARITHMETIC[type(node.op)](np.asarray(left, float), np.asarray(right, float))
        return value, left_gone | right_gone | np.isnan(value)
    raise _refuse(node, text)
