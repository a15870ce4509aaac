"""Row filters as plain expressions over a panel's columns, which can run no code.

``year >= 1946 and (major1 == 1 or contiguous == 1)``: names, numbers, comparisons, and/or/not,
``in (…)``, the four operations, ``missing(column)`` and ``known(column)``. What is said of a
missing value is unknown, and so is its negation; rows are kept of which the filter is known to be
true.
"""

from __future__ import annotations

import ast
import operator
import re
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


# What only asks whether a value is there, so that it is never unknown itself.
_ASKS = ("missing", "known")
_INSTEAD = {
    "Call": "a function",
    "Attribute": "a dot",
    "BitAnd": "&, for which you write and,",
    "BitOr": "|, for which you write or,",
    "Invert": "~, for which you write not,",
    "Pow": "a power",
    "Is": "is",
    "IsNot": "is not",
}
Truth = tuple[Any, Any]


def columns_in(expression: str) -> set[str]:
    """Return the column names that a filter mentions."""
    nodes = list(ast.walk(_parse(expression)))
    functions = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    return {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in functions}


def keep_rows(expression: str, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Return which rows satisfy a filter.

    Raises
    ------
    UsageError
        If the filter isn't an expression of the kind above, or names an unknown column.
    """
    kept, _ = _truth(_parse(expression), columns, expression)
    n_rows = len(next(iter(columns.values())))
    return np.broadcast_to(kept, (n_rows,))


def _parse(expression: str) -> ast.expr:
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        says = str(error).replace(" (<unknown>, line 1)", "")
        hint = " Equality is written ==." if re.search(r"[^=<>!]=[^=]", expression) else ""
        raise UsageError(
            f'the filter "{expression}" is not an expression: {says}.{hint}'
        ) from error


def _refuse(node: ast.AST, expression: str) -> UsageError:
    found = node.op if isinstance(node, ast.BinOp | ast.UnaryOp) else node
    if isinstance(node, ast.Constant):
        used = f"{node.value!r} by itself"
    elif isinstance(found, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.USub):
        used = "a number that is compared with nothing"
    else:
        used = _INSTEAD.get(type(found).__name__, type(found).__name__)
    return UsageError(
        f'the filter "{expression}" uses {used}, which is not allowed; use column names, numbers, '
        "comparisons, and, or, not, in (...), + - * /, missing(column), known(column)."
    )


def _truth(node: ast.expr, columns: Mapping[str, NDArray[Any]], text: str) -> Truth:
    """Evaluate a node to (true, known) for each row; what is unknown isn't true."""
    if isinstance(node, ast.BoolOp):
        return _together(node, columns, text)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        true, known = _truth(node.operand, columns, text)
        return known & ~true, known
    if isinstance(node, ast.Compare):
        return _comparison(node, columns, text)
    if isinstance(node, ast.Name):
        values, missing = _number(node, columns, text)
        return (values != 0) & ~missing, ~missing
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return np.bool_(node.value), np.bool_(True)
    if isinstance(node, ast.Call):
        return _asked(node, columns, text), np.bool_(True)
    raise _refuse(node, text)


def _together(node: ast.BoolOp, columns: Mapping[str, NDArray[Any]], text: str) -> Truth:
    """Join parts by and or or: one part that settles it makes up for an unknown one."""
    parts = [_truth(part, columns, text) for part in node.values]
    true, known = parts[0]
    for more, more_known in parts[1:]:
        both = known & more_known
        if isinstance(node.op, ast.And):
            known = both | (known & ~true) | (more_known & ~more)
            true = true & more
        else:
            true = true | more
            known = both | true
    return true, known


def _asked(node: ast.Call, columns: Mapping[str, NDArray[Any]], text: str) -> Any:
    """Evaluate missing(column) and known(column)."""
    named = isinstance(node.func, ast.Name) and node.func.id in _ASKS
    if not named or node.keywords or len(node.args) != 1 or not isinstance(node.args[0], ast.Name):
        raise _refuse(node, text)
    _, gone = _number(node.args[0], columns, text)
    return gone if getattr(node.func, "id", "") == "missing" else ~gone


def _comparison(node: ast.Compare, columns: Mapping[str, NDArray[Any]], text: str) -> Truth:
    left, left_missing = _number(node.left, columns, text)
    result: Any = np.bool_(True)
    known: Any = ~left_missing
    for operation, right_node in zip(node.ops, node.comparators, strict=True):
        if isinstance(operation, ast.In | ast.NotIn):
            listed = _listed(right_node, text)
            for item in listed:
                _refuse_unlike(left, item, text)
            inside = np.isin(left, listed)
            result = result & (~inside if isinstance(operation, ast.NotIn) else inside)
            continue
        right, right_missing = _number(right_node, columns, text)
        answer = _COMPARE.get(type(operation))
        if answer is None:
            raise _refuse(operation, text)
        _refuse_unlike(left, right, text)
        result = result & answer(left, right)
        known = known & ~right_missing
        left, left_missing = right, right_missing
    return result & known, known


def _refuse_unlike(left: Any, right: Any, text: str) -> None:
    """Stop where a number is compared with words."""
    kinds = [np.asarray(one).dtype.kind in "fiub" for one in (left, right)]
    if kinds[0] != kinds[1]:
        words = next((one for one in (left, right) if isinstance(one, str)), None)
        what = f'the text "{words}"' if words is not None else "a column of text"
        raise UsageError(f'the filter "{text}" compares a number with {what}.')


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
