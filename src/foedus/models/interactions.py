"""How the effect of one variable depends on another, on the outcome's own scale.

In a model of a probability the coefficient of a product says little about it (Ai and Norton 2003,
Economics Letters 80; Berry, DeMeritt and Esarey 2010, AJPS 54): what counts is the change of the
prediction as one variable moves, at values of the other, and how much these changes differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foedus.errors import UsageError
from foedus.models.arrays import FloatArray
from foedus.models.averages import place_of
from foedus.models.quantities import average_at, delta_errors, row_weights
from foedus.models.result import LEVEL, Result, inference
from foedus.models.scenarios import hold, scenario

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Interaction:
    """Effects of a variable at values of another.

    Attributes
    ----------
    variable, by : str
    effects : DataFrame
        One row a value of `by`: its name, p0, p1 (predictions before and after the variable
        moves), difference, std_error, ci_low, ci_high.
    second_difference : dict
        estimate, std_error, statistic, p_value, ci_low, ci_high of the difference between the
        effects at the last and at the first value.
    """

    variable: str
    by: str
    effects: pd.DataFrame
    second_difference: dict[str, float]


def interaction(
    result: Result,
    variable: str,
    by: str,
    values: Sequence[float],
    *,
    start: float = 0.0,
    end: float = 1.0,
    at: str = "observed",
    held: Mapping[str, float] | None = None,
    cov: str | None = None,
    level: float = LEVEL,
    category: str | None = None,
) -> Interaction:
    """Return the effect of a variable at values of another, and how much the effects differ.

    Parameters
    ----------
    result : Result
        The fitted model; a product of the two need not be in it.
    variable : str
        The variable that moves from `start` to `end`.
    by : str
        The variable at whose `values` that happens.
    values : sequence of float
        Two or more.
    at : str
        The scenario for all others; see `foedus.models.scenarios`.
    held : mapping, optional
        Other variables held at given values.
    cov : str, optional
        The covariance; the first computed for None.
    level : float
        Of the intervals (delta method).
    category : str, optional
        Whose probability, for outcomes in categories.

    Returns
    -------
    Interaction
        Effects by value, and the second difference.
    """
    import pandas as pd

    if variable == by or len(values) < 2:
        raise UsageError("an interaction needs two variables, and two values of the second.")
    columns, n = scenario(result, at, held)
    place, weights = place_of(result, category), row_weights(result, n)
    numbers: list[tuple[float, float]] = []
    gradients: list[FloatArray] = []
    for value in values:
        moved = []
        for step in (start, end):
            here = dict(columns)
            hold(here, by, value, n)
            hold(here, variable, step, n)
            moved.append(average_at(result, here, n, weights, place, cov))
        (p0, g0), (p1, g1) = moved
        numbers.append((p0, p1))
        gradients.append(g1 - g0)
    vcov = result.covariance(cov).vcov
    before, after = np.array(numbers).T
    block = inference(after - before, delta_errors(np.array(gradients), vcov), result.df, level)
    effects = pd.DataFrame(
        {
            by: np.asarray(values, dtype=np.float64),
            "p0": before,
            "p1": after,
            "difference": block["estimate"],
            **{name: block[name] for name in ("std_error", "ci_low", "ci_high")},
        }
    )
    apart = np.array([(after[-1] - before[-1]) - (after[0] - before[0])])
    error = delta_errors((gradients[-1] - gradients[0])[None, :], vcov)
    second = inference(apart, error, result.df, level)
    return Interaction(
        variable, by, effects, {name: float(value[0]) for name, value in second.items()}
    )
