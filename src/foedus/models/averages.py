"""Average predictions of any model, with gradients in all its parameters.

Models with one index have closed forms in `foedus.models.quantities`; this serves the others
(several equations, categories, random intercepts): predictions are differentiated numerically, in
steps of a thousandth of each parameter's standard error, whose own error is about 1e-6 of the
gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from foedus.errors import UsageError, nearest
from foedus.models.arrays import FloatArray
from foedus.models.design import Columns
from foedus.models.result import Result

STEP = 1e-3


def is_single(result: Result) -> bool:
    """Whether the model has one index and no other parameter, so that closed forms serve."""
    return result.fit.family is not None and result.params.size == result.fit.X.shape[1]


def categories_of(result: Result) -> tuple[str, ...]:
    """Return the categories that predictions are for; empty for other outcomes."""
    return result.fit.levels


def place_of(result: Result, category: str | None) -> int | None:
    """Return the number of a category; None for outcomes that are no categories.

    Raises
    ------
    UsageError
        If the outcome is in categories and none (or an unknown one) is named, or the reverse.
    """
    levels = categories_of(result)
    if not levels:
        if category is not None:
            raise UsageError(f"the outcome of a {result.estimator} is not in categories.")
        return None
    if category is None:
        said = ", ".join(levels)
        raise UsageError(f"say which category of the outcome is meant, category= one of {said}.")
    if str(category) not in levels:
        raise UsageError(f'the outcome has no category "{category}". {nearest(category, levels)}')
    return levels.index(str(category))


def matrices_of(
    result: Result, columns: Columns, n: int
) -> tuple[list[FloatArray], FloatArray | None]:
    """Return every equation's matrix and the offset for given variables.

    Raises
    ------
    UsageError
        For a model of arrays with several equations: its matrices can't be made anew.
    """
    if result.designs:
        return result.matrices(columns, n), result.designs[0].offset(columns, n)
    part = result.fit.parts[0]
    if len(result.fit.parts) > 1:
        raise UsageError(
            "quantities of a model of several equations need a formula and a frame, not arrays."
        )
    X = np.column_stack([np.asarray(columns[name], dtype=np.float64) for name in part.names])
    return [X], None


def average(
    result: Result,
    params: FloatArray,
    matrices: Sequence[FloatArray],
    offset: FloatArray | None,
    weights: FloatArray | None,
    place: int | None,
) -> float:
    """Return the average predicted outcome (probability of a category) at some parameters."""
    predictor = result.fit.predictor
    if predictor is None or "response" not in predictor.kinds:
        raise UsageError(
            f"a {result.estimator} does not say what outcome to expect, so it has no effects on "
            "that scale; use ratios."
        )
    made = predictor.predict(params, matrices, offset, "response")
    if place is not None:
        made = made[:, place]
    known = ~np.isnan(made)
    if not known.all():
        # rows that were not selected may miss a variable: they have no prediction to average
        made, weights = made[known], None if weights is None else weights[known]
    return float(np.average(made, weights=weights))


def steps_of(result: Result, cov: str | None) -> FloatArray:
    """Return the step in each parameter for differences."""
    errors = result.std_errors(cov)
    size = np.maximum(np.abs(result.params), 1e-3)
    usable = np.isfinite(errors) & (errors > 0)
    return np.where(usable, STEP * errors, STEP * size)


def average_with_gradient(
    result: Result,
    columns: Columns,
    n: int,
    weights: FloatArray | None,
    place: int | None = None,
    cov: str | None = None,
) -> tuple[float, FloatArray]:
    """Return the average prediction for given variables and its gradient in all parameters."""
    matrices, offset = matrices_of(result, columns, n)
    here = average(result, result.params, matrices, offset, weights, place)
    gradient = np.empty(result.params.size)
    for j, (up, down, width) in enumerate(_pairs(result.params, steps_of(result, cov))):
        high = average(result, up, matrices, offset, weights, place)
        low = average(result, down, matrices, offset, weights, place)
        gradient[j] = (high - low) / width
    return here, gradient


def _pairs(params: FloatArray, steps: FloatArray) -> Iterator[tuple[FloatArray, FloatArray, float]]:
    for j, step in enumerate(steps):
        up, down = params.copy(), params.copy()
        up[j] += step
        down[j] -= step
        yield up, down, float(up[j] - down[j])


def average_slope(
    result: Result,
    columns: Columns,
    variable: str,
    weights: FloatArray | None,
    place: int | None,
    cov: str | None,
) -> tuple[float, FloatArray]:
    """Return the average derivative in a variable and its gradient in all parameters."""
    column = np.asarray(columns[variable], dtype=np.float64)
    n = column.size
    width = STEP * (float(np.nanstd(column)) or 1.0)
    made = {
        shift: matrices_of(result, {**columns, variable: column + shift * width}, n)
        for shift in (-2, -1, 1, 2)
    }

    def at(params: FloatArray, shift: int) -> float:
        matrices, offset = made[shift]
        return average(result, params, matrices, offset, weights, place)

    def slope(params: FloatArray) -> float:
        near = at(params, 1) - at(params, -1)
        far = at(params, 2) - at(params, -2)
        return (8.0 * near - far) / (12.0 * width)

    gradient = np.empty(result.params.size)
    for j, (up, down, gap) in enumerate(_pairs(result.params, steps_of(result, cov))):
        gradient[j] = (slope(up) - slope(down)) / gap
    return slope(result.params), gradient
