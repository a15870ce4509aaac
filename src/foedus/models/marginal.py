"""Average marginal effects over the estimation sample, with errors by the delta method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from foedus.errors import UsageError, nearest
from foedus.models.arrays import FloatArray, blocks
from foedus.models.averages import average_slope, categories_of, is_single
from foedus.models.design import Column, Labels
from foedus.models.formula import Name, names_in
from foedus.models.quantities import average_at, delta_errors, family_of
from foedus.models.result import LEVEL, Result, inference
from foedus.models.scenarios import (
    categorical,
    factor_names,
    numbers_of,
    sample_columns,
    variables_of,
)

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("auto", "slope", "difference")


def _simple_term(result: Result, variable: str) -> int | None:
    """Return the coefficient of a variable that enters the model once, as itself."""
    if result.design is None:
        return result.index_of(variable)
    design, formula = result.design, result.design.formula
    entries = [
        term for term in formula.terms if any(variable in factor_names(design, f) for f in term)
    ]
    offsets = {name for offset in formula.offsets for name in names_in(offset)}
    alone = entries == [(variable,)] and isinstance(formula.factors.get(variable), Name)
    if alone and variable not in offsets and variable in result.terms:
        return result.terms.index(variable)
    return None


def _binary(column: Column) -> bool:
    return not isinstance(column, Labels) and bool(((column == 0.0) | (column == 1.0)).all())


class _Sample:
    """The estimation sample, and what all its average slopes share."""

    def __init__(self, result: Result, place: int | None = None, cov: str | None = None) -> None:
        self.result = result
        self.place, self.cov = place, cov
        self.single = is_single(result)
        self.weights = result.fit.weights
        self.columns = sample_columns(result)
        self._shared: tuple[float, FloatArray] | None = None

    def shared(self) -> tuple[float, FloatArray]:
        """Return the averages of the slope and of the curve times the columns."""
        if self._shared is None:
            fit, total, slope = self.result.fit, 0.0, 0.0
            family = family_of(self.result)
            curve = np.zeros(fit.X.shape[1])
            for rows in blocks(*fit.X.shape):
                eta = fit.X[rows] @ self.result.params
                if fit.offset is not None:
                    eta += fit.offset[rows]
                w = np.ones_like(eta) if self.weights is None else self.weights[rows]
                slope += float(w @ family.slope(eta))
                curve += (w * family.curve(eta)) @ fit.X[rows]
                total += float(w.sum())
            self._shared = slope / total, curve / total
        return self._shared

    def slope(self, variable: str) -> tuple[float, FloatArray]:
        """Return the average derivative in a variable, and its gradient."""
        if not self.single:
            numbers_of(self.columns[variable], variable)
            return average_slope(
                self.result, self.columns, variable, self.weights, self.place, self.cov
            )
        place = _simple_term(self.result, variable)
        if place is not None:
            slope, curve = self.shared()
            gradient = float(self.result.params[place]) * curve
            gradient[place] += slope
            return slope * float(self.result.params[place]), gradient
        column = numbers_of(self.columns[variable], variable)
        step = 1e-5 * (float(np.nanstd(column)) or 1.0)
        up, down = self.moved(variable, column + step), self.moved(variable, column - step)
        return (up[0] - down[0]) / (2 * step), (up[1] - down[1]) / (2 * step)

    def difference(self, variable: str) -> tuple[float, FloatArray]:
        """Return the average change as a variable goes from 0 to 1, and its gradient."""
        place = _simple_term(self.result, variable) if self.single else None
        if place is not None:
            return self.simple_difference(place)
        n = self.result.n_obs
        up, down = self.moved(variable, np.ones(n)), self.moved(variable, np.zeros(n))
        return up[0] - down[0], up[1] - down[1]

    def simple_difference(self, place: int) -> tuple[float, FloatArray]:
        """Return `difference` for a variable that is one column, without copying the matrix."""
        fit, params, change, total, ones = self.result.fit, self.result.params, 0.0, 0.0, 0.0
        family = family_of(self.result)
        gradient = np.zeros(params.size)
        for rows in blocks(*fit.X.shape):
            X = fit.X[rows]
            eta = X @ params - X[:, place] * params[place]
            if fit.offset is not None:
                eta += fit.offset[rows]
            w = np.ones_like(eta) if self.weights is None else self.weights[rows]
            up, down = eta + params[place], eta
            change += float(w @ (family.mean(up) - family.mean(down)))
            slope = w * family.slope(up)
            gradient += (slope - w * family.slope(down)) @ X
            ones += float(slope.sum())
            total += float(w.sum())
        gradient[place] = ones
        return change / total, gradient / total

    def moved(self, variable: str, values: FloatArray) -> tuple[float, FloatArray]:
        """Return the average prediction with a variable set anew in every row."""
        columns = {**self.columns, variable: values}
        return average_at(self.result, columns, values.size, self.weights, self.place, self.cov)


def effects(
    result: Result,
    variables: Sequence[str] | None = None,
    *,
    cov: str | None = None,
    kind: str = "auto",
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return average marginal effects over the estimation sample.

    Parameters
    ----------
    result : Result
        The fitted model.
    variables : sequence of str, optional
        Which; all numeric ones of the formula for None.
    cov : str, optional
        The covariance; the first computed for None.
    kind : str
        "slope": the average derivative; "difference": the average change from 0 to 1; "auto":
        the slope of every variable and, in a row of its own, the difference of 0/1 variables.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        variable, effect (slope or difference), estimate, std_error (delta method), statistic,
        p_value, ci_low, ci_high, covariance; for outcomes in categories also category, with a row
        for the probability of each.
    """
    import pandas as pd

    if kind not in KINDS:
        raise UsageError(f'"{kind}" is not a kind of effect. {nearest(kind, KINDS)}')
    known = [v for v in variables_of(result) if v not in categorical(result)]
    names = known if variables is None else list(variables)
    labels: list[tuple[str, str, str]] = []
    numbers: list[tuple[float, FloatArray]] = []
    levels = categories_of(result)
    samples = {level: _Sample(result, place, cov) for place, level in enumerate(levels)}
    for name in names:
        if name not in known:
            raise UsageError(
                f'"{name}" is not a numeric variable of the model. {nearest(name, known)}'
            )
        for category, sample in (samples or {"": _Sample(result)}).items():
            for effect in _effects_wanted(kind, sample.columns[name]):
                labels.append((name, effect, category))
                numbers.append(sample.slope(name) if effect == "slope" else sample.difference(name))
    made = result.covariance(cov)
    gradients = np.array([gradient for _, gradient in numbers]).reshape(len(numbers), -1)
    estimates = np.array([number for number, _ in numbers])
    block: dict[str, Any] = inference(
        estimates, delta_errors(gradients, made.vcov), result.df, level
    )
    by_category = {"category": [category for _, _, category in labels]} if levels else {}
    return pd.DataFrame(
        {
            "variable": [name for name, _, _ in labels],
            "effect": [effect for _, effect, _ in labels],
            **by_category,
            **block,
            "covariance": made.name,
        }
    )


def _effects_wanted(kind: str, column: Column) -> tuple[str, ...]:
    if kind == "auto":
        return ("slope", "difference") if _binary(column) else ("slope",)
    return (kind,)
