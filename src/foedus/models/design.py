"""From a formula and a frame to arrays, with every lost row counted by cause.

Nothing here imports pandas: a frame is anything that gives a column by name (pandas, polars,
pyarrow, a dict of arrays), so a plain sum of columns costs little more than copying them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from foedus.errors import EstimationError, UsageError, nearest
from foedus.models.arrays import AnyArray, BoolArray, FloatArray, IntArray
from foedus.models.formula import (
    CONSTANT,
    Arithmetic,
    Call,
    Expression,
    Formula,
    Name,
    Negative,
    Number,
    Term,
    names_in,
)
from foedus.models.room import Room


@dataclass(frozen=True, slots=True)
class Labels:
    """A categorical column: a number a row (-1 missing) into its sorted levels."""

    codes: IntArray
    levels: tuple[str, ...]

    def take(self, keep: BoolArray) -> Labels:
        """Return the rows marked."""
        return Labels(self.codes[keep], self.levels)


Column = FloatArray | Labels
Columns = dict[str, Column]


def column_names(data: Any) -> list[str]:
    """Return a frame's column names."""
    if isinstance(data, Mapping):
        return [str(name) for name in data]
    names = getattr(data, "column_names", None)
    return [str(name) for name in (data.columns if names is None else names)]


def raw_column(data: Any, name: str) -> AnyArray:
    """Return a column as an array of its own type.

    Raises
    ------
    UsageError
        If the frame has no such column; the nearest names are given.
    """
    known = column_names(data)
    if name not in known:
        raise UsageError(f'there is no column "{name}" in the data. {nearest(name, known)}')
    column = data[name]
    if hasattr(column, "to_numpy"):
        array: AnyArray = np.asarray(column.to_numpy())
        return array
    return np.asarray(column)


def read_column(data: Any, name: str) -> Column:
    """Return a column as floats with NaN where missing, or as labels where it holds text."""
    known = column_names(data)
    if name in known and hasattr(data[name], "dtype"):
        column = data[name]
        kind = getattr(column.dtype, "kind", "")
        if hasattr(column.dtype, "na_value") and kind in "iufb" and hasattr(column, "isna"):
            masked: FloatArray = column.to_numpy(dtype=np.float64, na_value=np.nan)
            return masked
    array = raw_column(data, name)
    if array.dtype.kind in "iufb":
        return np.asarray(array, dtype=np.float64)
    return _labels_or_numbers(array, name)


def stored_column(data: Any, name: str) -> Column:
    """Return a column as `read_column` does, but whole numbers uncopied in their own type."""
    if name in column_names(data):
        column = data[name]
        array = column.to_numpy() if type(column).__module__.startswith("pandas.") else column
        if isinstance(array, np.ndarray) and array.dtype.kind in "iub":
            return array.view(np.uint8) if array.dtype.kind == "b" else array
    return read_column(data, name)


def _labels_or_numbers(array: AnyArray, name: str) -> Column:
    """Read a column of objects: numbers with None among them, or text."""
    if array.dtype.kind not in "OUST":
        raise UsageError(f'column "{name}" holds {array.dtype}, which a formula cannot use.')
    values = array.astype(object)
    missing = np.array([value is None or value is _na() or value != value for value in values])
    present = values[~missing]
    if not any(isinstance(value, str) for value in present):
        numbers = np.full(values.size, np.nan)
        numbers[~missing] = present.astype(np.float64)
        return numbers
    levels, inverse = np.unique(present.astype(str), return_inverse=True)
    codes = np.full(values.size, -1, dtype=np.int64)
    codes[~missing] = inverse
    return Labels(codes, tuple(str(level) for level in levels))


def _na() -> object:
    """Return pandas.NA if pandas is loaded at all."""
    import sys

    pandas = sys.modules.get("pandas")
    return None if pandas is None else pandas.NA


def missing_in(column: Column) -> BoolArray:
    """Mark the rows in which a column is missing."""
    if isinstance(column, Labels):
        return column.codes < 0
    if column.dtype.kind != "f":
        return np.zeros(column.size, dtype=bool)
    out: BoolArray = np.isnan(column)
    return out


def take_rows(column: Column, keep: BoolArray | None) -> Column:
    """Return the marked rows of a column; all of them, uncopied, for None."""
    if keep is None:
        return column
    return column.take(keep) if isinstance(column, Labels) else column[keep]


# --- arithmetic -----------------------------------------------------------------------------

_PLAIN: dict[str, Callable[[FloatArray], FloatArray]] = {
    "log": np.log, "log1p": np.log1p, "log2": np.log2, "log10": np.log10,
    "exp": np.exp, "expm1": np.expm1, "sqrt": np.sqrt, "abs": np.abs,
    "I": lambda x: x,
}  # fmt: skip

_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.power,
    "<": np.less, ">": np.greater, "<=": np.less_equal, ">=": np.greater_equal,
    "==": np.equal, "!=": np.not_equal,
}  # fmt: skip


class Evaluator:
    """Evaluates expressions on columns, and remembers what centring and bases learnt."""

    def __init__(self, columns: Columns, state: dict[str, Any], learning: bool) -> None:
        self.columns = columns
        self.state = state
        self.learning = learning

    def number(self, tree: Expression) -> FloatArray:
        """Return a numeric expression's values."""
        with np.errstate(all="ignore"):
            return np.asarray(self._number(tree), dtype=np.float64)

    def _number(self, tree: Expression) -> Any:
        if isinstance(tree, Number):
            return tree.value
        if isinstance(tree, Negative):
            return -self._number(tree.inner)
        if isinstance(tree, Arithmetic):
            if tree.sign not in _SIGNS:
                raise UsageError(f'"{tree}": "{tree.sign}" is no arithmetic.')
            return _SIGNS[tree.sign](self._number(tree.left), self._number(tree.right))
        if isinstance(tree, Name):
            column = self.columns[tree.name]
            if isinstance(column, Labels):
                raise UsageError(f'column "{tree.name}" holds text; arithmetic needs numbers.')
            return column
        return self._call(tree)

    def _call(self, tree: Call) -> Any:
        if tree.function in _PLAIN:
            return _PLAIN[tree.function](self._number(tree.arguments[0]))
        if tree.function in ("center", "scale"):
            x = self._number(tree.arguments[0])
            scaled = tree.function == "scale"
            mean, sd = self._learn(
                str(tree),
                lambda: (float(np.mean(x)), float(np.std(x, ddof=1)) if scaled else 1.0),
            )
            return (x - mean) / sd
        raise UsageError(f'"{tree}" may not stand inside another expression.')

    def _learn(self, key: str, how: Callable[[], Any]) -> Any:
        if self.learning:
            self.state[key] = how()
        return self.state[key]

    def factor(self, text: str, tree: Expression, contrasts: bool) -> list[tuple[str, FloatArray]]:
        """Return the columns of a factor: one for a number, several for categories and bases."""
        if isinstance(tree, Name) and isinstance(self.columns[tree.name], Labels):
            return self._categories(text, self.columns[tree.name], contrasts)
        if isinstance(tree, Call) and tree.function in ("C", "factor"):
            return self._categories(text, self._as_labels(text, tree.arguments[0]), contrasts)
        if isinstance(tree, Call) and tree.function == "poly":
            return self._polynomial(text, tree)
        if isinstance(tree, Call) and tree.function in ("ns", "bs"):
            return self._spline(text, tree)
        return [(text, self.number(tree))]

    def _as_labels(self, text: str, tree: Expression) -> Labels:
        if isinstance(tree, Name):
            column = self.columns[tree.name]
            if isinstance(column, Labels):
                return column
        values = self.number(tree)
        levels = self._learn(text + " values", lambda: np.unique(values))
        place = np.clip(np.searchsorted(levels, values), 0, levels.size - 1)
        codes = np.where(levels[place] == values, place, -1)
        return Labels(codes, tuple(f"{level:g}" for level in levels))

    def _categories(
        self, text: str, column: Column, contrasts: bool
    ) -> list[tuple[str, FloatArray]]:
        assert isinstance(column, Labels)
        present = self._learn(
            text + " levels",
            lambda: [column.levels[c] for c in np.unique(column.codes[column.codes >= 0])],
        )
        number = {level: float(i) for i, level in enumerate(present)}
        places = np.array([number.get(level, np.nan) for level in column.levels] + [np.nan])
        place = places[column.codes]
        missing = np.isnan(place)
        out = []
        for i, level in enumerate(present):
            if i == 0 and contrasts:
                continue
            dummy = (place == i).astype(np.float64)
            dummy[missing] = np.nan
            out.append((f"{text}[{'T.' if contrasts else ''}{level}]", dummy))
        return out

    def _spline(self, text: str, tree: Call) -> list[tuple[str, FloatArray]]:
        """Return a spline's columns, numbered as R numbers them."""
        from foedus.models.splines import spline_basis

        x = self.number(tree.arguments[0])
        given = dict(tree.settings)
        boundary = given.get("boundary")
        basis = self._learn(
            text,
            lambda: spline_basis(
                tree.function == "ns",
                x,
                knots=given.get("knots"),
                df=int(given["df"][0]) if "df" in given else None,
                degree=int(given.get("degree", (3,))[0]),
                boundary=None if boundary is None else (boundary[0], boundary[1]),
            ),
        )
        columns = basis.columns(x)
        return [(f"{text}{j + 1}", columns[:, j]) for j in range(columns.shape[1])]

    def _polynomial(self, text: str, tree: Call) -> list[tuple[str, FloatArray]]:
        """Return orthogonal polynomials as R's poly() does, by the three-term recurrence."""
        x, degree_tree = self.number(tree.arguments[0]), tree.arguments[1]
        degree = int(degree_tree.value) if isinstance(degree_tree, Number) else 0
        if not 1 <= degree <= 10:
            raise UsageError(f"{text}: the degree must be a number from 1 to 10.")
        alpha, norm = self._learn(text, lambda: _poly_recurrence(x, degree))
        basis = [np.ones_like(x), x - alpha[0]]
        for d in range(1, degree):
            basis.append((x - alpha[d]) * basis[d] - norm[d + 1] / norm[d] * basis[d - 1])
        return [(f"{text}{d}", basis[d] / np.sqrt(norm[d + 1])) for d in range(1, degree + 1)]


def _poly_recurrence(x: FloatArray, degree: int) -> tuple[list[float], list[float]]:
    """Return the recurrence's centres and squared norms (norm[0] = 1, norm[1] = n, ...)."""
    if np.unique(x).size <= degree:
        raise EstimationError(f"poly: degree {degree} needs more than {degree} distinct values.")
    alpha, norm = [float(x.mean())], [1.0, float(x.size)]
    before, current = np.ones_like(x), x - alpha[0]
    norm.append(float(current @ current))
    for d in range(1, degree):
        alpha.append(float((x * current) @ current) / norm[d + 1])
        following = (x - alpha[d]) * current - norm[d + 1] / norm[d] * before
        before, current = current, following
        norm.append(float(current @ current))
    return alpha, norm


# --- the design -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Design:
    """How a formula becomes a matrix: enough to make the same columns from new data."""

    formula: Formula
    state: dict[str, Any] = field(default_factory=dict)

    def matrix(
        self, columns: Columns, n: int, learning: bool = False, room: Room | None = None
    ) -> tuple[FloatArray, list[str]]:
        """Return the matrix of terms and its column names, in a room where one is given."""
        formula = self.formula
        if self.plain(columns):
            return self._plain(columns, n, room)
        evaluator = Evaluator(columns, self.state, learning)
        made: list[tuple[str, FloatArray]] = []
        if formula.constant:
            made.append((CONSTANT, np.ones(n)))
        known: set[frozenset[str]] = {frozenset(term) for term in formula.terms}
        if formula.constant:
            known.add(frozenset())
        for term in formula.terms:
            made.extend(self._term(term, evaluator, known))
        X = np.empty((n, len(made)), order="F")
        for j, (_, values) in enumerate(made):
            X[:, j] = values
        return X, [name for name, _ in made]

    def plain(self, columns: Columns) -> bool:
        """Whether every term is a numeric column as it is."""
        factors = self.formula.factors
        return all(
            len(term) == 1
            and isinstance(factors[term[0]], Name)
            and not isinstance(columns[term[0]], Labels)
            for term in self.formula.terms
        )

    def _plain(self, columns: Columns, n: int, room: Room | None) -> tuple[FloatArray, list[str]]:
        """Copy plain numeric columns side by side: the path of nearly every large model."""
        names = [term[0] for term in self.formula.terms]
        one: list[AnyArray | float] = [1.0] if self.formula.constant else []
        own: list[AnyArray | float] = []
        for name in names:
            column = columns[name]
            assert not isinstance(column, Labels)
            own.append(column)
        # column by column in memory: to copy columns in and to pass over them costs least so
        X = (room or Room()).filled([*one, *own], n)
        return X, [CONSTANT] * len(one) + names

    def _term(
        self, term: Term, evaluator: Evaluator, known: set[frozenset[str]]
    ) -> list[tuple[str, FloatArray]]:
        """Return a term's columns: products of its factors' columns, the first varying fastest."""
        made: list[tuple[str, FloatArray]] = []
        for text in term:
            # R's rule: a category is coded by contrasts if the term without it is in the model
            contrasts = frozenset(term) - {text} in known
            own = evaluator.factor(text, self.formula.factors[text], contrasts)
            if not made:
                made = own
                continue
            made = [(f"{left}:{right}", a * b) for right, b in own for left, a in made]
        return made

    def offset(self, columns: Columns, n: int) -> FloatArray | None:
        """Return the sum of the formula's offsets, or None."""
        if not self.formula.offsets:
            return None
        total = np.zeros(n)
        for tree in self.formula.offsets:
            total += Evaluator(columns, self.state, learning=False).number(tree)
        return total


WEIGHTS = "weights"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an estimator wants of the data beside the formula's columns.

    Attributes
    ----------
    weights : str or array_like, optional
        Prior weights, or the column that holds them.
    columns : dict
        Further columns by a label of their own: a column's name, or values.
    categories : bool
        Whether the first outcome is a category: text is then allowed, and it becomes numbers
        0, 1, ... into its levels.
    selects : bool
        Whether rows whose second outcome is 0 may miss the first equation's variables.
    room : Room, optional
        Where the matrix of a model of one equation is made.
    """

    weights: Any = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    categories: bool = False
    selects: bool = False
    room: Room | None = None


@dataclass(frozen=True, slots=True)
class Equation:
    """One equation's outcome, matrix and offset, with the design that made them."""

    design: Design
    names: list[str]
    X: FloatArray
    y: FloatArray
    offset: FloatArray | None


@dataclass(frozen=True, slots=True)
class Sample:
    """Arrays made from a formula and a frame.

    ``kept`` marks the frame's rows that are in (None: all); ``rows_lost`` counts those that are
    not by the first cause in formula order; ``columns`` are the formula's variables, kept rows,
    and ``wanted`` the further columns by label; ``levels`` the categories of the outcome.
    """

    equations: tuple[Equation, ...]
    weights: FloatArray | None
    kept: BoolArray | None
    rows_lost: dict[str, int]
    columns: Columns
    wanted: Columns
    levels: tuple[str, ...]


@dataclass(slots=True)
class _Read:
    """A column on its way into the sample; `when` marks the rows that can't do without it.

    `label` tells further columns from the formula's own; it is "" for the latter.
    """

    name: str
    column: Column
    when: BoolArray | None = None
    label: str = ""

    def take(self, keep: BoolArray | None) -> _Read:
        return replace(
            self,
            column=take_rows(self.column, keep),
            when=self.when if self.when is None or keep is None else self.when[keep],
        )


def _present(columns: Sequence[_Read], lost: dict[str, int]) -> BoolArray | None:
    """Mark complete rows, counting the others at the first column they miss."""
    keep: BoolArray | None = None
    for read in columns:
        missing = missing_in(read.column)
        if read.when is not None:
            missing = missing & read.when
        if not missing.any():
            continue
        if keep is None:
            keep = ~missing
            lost[f"missing {read.name}"] = int(missing.sum())
            continue
        newly = int((missing & keep).sum())
        if newly:
            lost[f"missing {read.name}"] = newly
        keep &= ~missing
    return keep


def build_sample(formula: Formula, data: Any, wanted: Wanted | None = None) -> Sample:
    """Make the arrays of a model.

    Parameters
    ----------
    formula : Formula
        The model.
    data : frame
        One row an observation, of whatever unit; needs the formula's columns.
    wanted : Wanted, optional
        Weights and further columns.

    Returns
    -------
    Sample
        Complete rows only. A row is lost to the first variable it misses, in formula order; then
        to the first term that is not a number there (the log of 0, say).
    """
    wanted = wanted or Wanted()
    lost: dict[str, int] = {}
    read = _read_all(formula, data, wanted)
    keep = _present(read, lost)
    n = _length(read) if keep is None else int(keep.sum())
    if n == 0:
        raise EstimationError(f"no rows are left to estimate on: {_said(lost)}.")
    read = [one.take(keep) for one in read]
    equations, levels = _equations(formula, read, n, wanted)
    finite = _finite_rows(equations, lost, _needed(read))
    if finite is not None:
        keep = _within(keep, finite)
        n = int(finite.sum())
        if n == 0:
            raise EstimationError(f"no rows are left to estimate on: {_said(lost)}.")
        read = [one.take(finite) for one in read]
        equations, levels = _equations(formula, read, n, wanted)
    needed = _needed(read)
    if needed is not None:
        equations = (_unselected_emptied(equations[0], needed), *equations[1:])
    further = {one.label: one.column for one in read if one.label}
    weights = None if wanted.weights is None else further.pop(WEIGHTS)
    if isinstance(weights, Labels):
        raise UsageError("weights hold text; they must be numbers.")
    columns = _own(read)
    # rows without a first equation keep their variables, for predictions of what was not selected
    _share(equations if needed is None else equations[1:], columns)
    return Sample(equations, weights, keep, lost, columns, further, levels)


def _own(read: Sequence[_Read]) -> Columns:
    return {one.name: one.column for one in read if not one.label}


def _share(equations: Sequence[Equation], columns: Columns) -> None:
    """Let plain columns be those of the matrix: none is held twice; the rest become floats."""
    for equation in equations:
        formula = equation.design.formula
        if equation.design.plain(columns):
            columns.update({t[0]: equation.X[:, j] for t, j in _places(equation)})
        if isinstance(formula.response, Name) and not isinstance(
            columns[formula.response.name], Labels
        ):
            columns[formula.response.name] = equation.y
    for name, column in columns.items():
        columns[name] = _as_floats(column)


def _as_floats(column: Column) -> Column:
    return column if isinstance(column, Labels) else np.asarray(column, dtype=np.float64)


def _places(equation: Equation) -> list[tuple[Term, int]]:
    return [(term, equation.names.index(term[0])) for term in equation.design.formula.terms]


def _read_all(formula: Formula, data: Any, wanted: Wanted) -> list[_Read]:
    """Read the formula's columns, then weights, then what the estimator wants besides."""
    read = [_Read(name, stored_column(data, name)) for name in formula.names()]
    if wanted.selects and formula.others:
        second = formula.others[0]
        needed = _selected(second, _own(read))
        always = set(second.own_names())
        for one in read:
            if one.name not in always:
                one.when = needed
    given = {WEIGHTS: wanted.weights} if wanted.weights is not None else {}
    for label, value in {**given, **wanted.columns}.items():
        name = value if isinstance(value, str) else label
        source = data if isinstance(value, str) else {label: value}
        read.append(_Read(name, read_column(source, name), label=label))
    return read


def _selected(second: Formula, columns: Columns) -> BoolArray:
    """Mark the rows whose second outcome is not 0 (a missing one is not 0 either)."""
    for name in names_in(second.response):
        if isinstance(columns[name], Labels):
            raise UsageError(f'the outcome "{second.response}" holds text; it must be a number.')
    chosen = Evaluator(columns, {}, learning=True).number(second.response)
    out: BoolArray = chosen != 0.0
    return out


def _needed(read: Sequence[_Read]) -> BoolArray | None:
    """Return the rows in which the first equation's variables must be there; None for all."""
    return next((one.when for one in read if one.when is not None), None)


def _unselected_emptied(equation: Equation, needed: BoolArray) -> Equation:
    """Put 0 where a row that was not selected has no first equation."""
    equation.X[~needed] = 0.0
    return replace(equation, y=np.where(needed, equation.y, 0.0))


def _length(read: Sequence[_Read]) -> int:
    columns = [one.column for one in read]
    sizes = {c.codes.size if isinstance(c, Labels) else c.size for c in columns}
    if len(sizes) != 1:
        raise UsageError(f"columns of different length: {sorted(sizes)}.")
    return sizes.pop()


def _said(lost: dict[str, int]) -> str:
    return (
        "; ".join(f"{rows} rows: {cause}" for cause, rows in lost.items()) or "the data are empty"
    )


def _within(keep: BoolArray | None, finite: BoolArray) -> BoolArray:
    if keep is None:
        return finite
    inside = keep.copy()
    inside[inside] = finite
    return inside


def _equations(
    formula: Formula, read: Sequence[_Read], n: int, wanted: Wanted
) -> tuple[tuple[Equation, ...], tuple[str, ...]]:
    columns = _own(read)
    if not all(Design(one).plain(columns) for one in (formula, *formula.others)):
        columns = {name: _as_floats(column) for name, column in columns.items()}
    first = replace(formula, others=())
    levels: tuple[str, ...] = ()
    if wanted.categories:
        y, levels = _category(first, columns)
    else:
        y = _outcome(first, columns)
    made = [_equation(first, columns, n, y, None if formula.others else wanted.room)]
    for other in formula.others:
        # the outcome of an equation without one of its own is the first's
        same = str(other.response) == str(formula.response)
        own = y if same else _outcome(other, columns)
        made.append(_equation(other, columns, n, own))
    return tuple(made), levels


def _equation(
    formula: Formula, columns: Columns, n: int, y: FloatArray, room: Room | None = None
) -> Equation:
    design = Design(formula)
    X, names = design.matrix(columns, n, learning=True, room=room)
    return Equation(design, names, X, y, design.offset(columns, n))


def _outcome(formula: Formula, columns: Columns) -> FloatArray:
    for name in names_in(formula.response):
        if isinstance(columns[name], Labels):
            raise UsageError(f'the outcome "{formula.response}" holds text; it must be a number.')
    y = Evaluator(columns, {}, learning=True).number(formula.response)
    if y.ndim == 0:
        raise UsageError(f'the outcome "{formula.response}" is a constant.')
    return y


def _category(formula: Formula, columns: Columns) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the outcome as numbers into its levels, and these."""
    tree = formula.response
    if isinstance(tree, Call) and tree.function in ("C", "factor"):
        tree = tree.arguments[0]
    column = columns[tree.name] if isinstance(tree, Name) else None
    if isinstance(column, Labels):
        present, codes = np.unique(column.codes, return_inverse=True)
        levels = tuple(column.levels[code] for code in present)
        return codes.reshape(-1).astype(np.float64), levels
    values = Evaluator(columns, {}, learning=True).number(tree)
    finite = np.isfinite(values)
    present, codes = np.unique(values[finite], return_inverse=True)
    y = np.full(values.size, np.nan)
    y[finite] = codes.reshape(-1)
    return y, tuple(f"{value:g}" for value in present)


def _finite_rows(
    equations: Sequence[Equation], lost: dict[str, int], needed: BoolArray | None
) -> BoolArray | None:
    """Mark rows whose terms are all finite; None if all are. Causes go to `lost`."""
    finite: BoolArray | None = None
    for place, equation in enumerate(equations):
        parts = [(str(equation.design.formula.response), equation.y)]
        parts += [(name, equation.X[:, j]) for j, name in enumerate(equation.names)]
        if equation.offset is not None:
            parts.append(("offset", equation.offset))
        for name, values in parts:
            if np.isfinite(float(values.sum())):
                continue
            good = np.isfinite(values)
            if place == 0 and needed is not None:
                good |= ~needed
            newly = int((~good).sum() if finite is None else (~good & finite).sum())
            if newly:
                lost[f"not finite {name}"] = newly
            finite = good if finite is None else finite & good
    return None if finite is None or bool(finite.all()) else finite
