"""Profile-likelihood intervals and likelihood-ratio tests, one coefficient at a time.

A Wald interval takes the log-likelihood for a parabola. Where events are few or an outcome is
nearly separated it is none, and the interval of all values that a likelihood-ratio test doesn't
reject is right (Venzon and Moolgavkar 1988, Applied Statistics 37). Firth's logit and models
penalised by Jeffreys' prior have a penalised likelihood in its place (Heinze and Schemper 2002,
Statistics in Medicine 21).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from foedus.errors import EstimationError, UsageError
from foedus.models.arrays import FloatArray
from foedus.models.families import FAMILIES
from foedus.models.newton import Problem, sums_at
from foedus.models.scaling import Scaling, scale_columns

if TYPE_CHECKING:
    import pandas as pd

    from foedus.models.result import Result

LEVEL = 0.95
CLOSE = 1e-9
"""How near to the wanted root of twice the fall in log-likelihood an end of an interval lies."""

STEP_DONE = 1e-8
MOST = 60

Objective = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]
"""Log-likelihood, its gradient and an information matrix at scaled coefficients."""


@dataclass(frozen=True, slots=True)
class _Line:
    """The scaled coefficients under which one of the user's has a given value."""

    along: FloatArray
    free: FloatArray

    @classmethod
    def of(cls, row: FloatArray) -> _Line:
        """Take a row of the matrix from scaled coefficients to the user's."""
        _, _, right = np.linalg.svd(row[None, :])
        return cls(row / float(row @ row), np.ascontiguousarray(right[1:].T))


def profile_intervals(
    result: Result, terms: Sequence[str] | None = None, level: float = LEVEL
) -> pd.DataFrame:
    """Return intervals and tests from the profile of the (penalised) likelihood.

    Parameters
    ----------
    result : Result
        A logit, probit, cloglog or poisson; a firth with the logit's link; a jeffreys.
    terms : sequence of str, optional
        Which coefficients; all for None.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        term, estimate, ci_low, ci_high, statistic (twice the fall in log-likelihood at 0) and
        p_value (chi-square, one degree of freedom).

    Raises
    ------
    UsageError
        For estimators that maximise no (penalised) likelihood of one index.
    EstimationError
        If an end of an interval isn't found.
    """
    import pandas as pd

    if not 0.0 < level < 1.0:
        raise UsageError(f"level must be between 0 and 1, not {level:g}.")
    scaling, objective = _objective(result)
    A = scaling.matrix()
    top: FloatArray = np.asarray(np.linalg.solve(A, result.params), dtype=np.float64)
    best = objective(top)[0]
    want = float(special.ndtri(0.5 + level / 2.0))
    spread = result.std_errors()
    rows = []
    for term in result.terms if terms is None else terms:
        place = result.index_of(term)
        line, here = _Line.of(A[place]), float(result.params[place])
        ends = [
            _end(objective, line, top, best, here, side * float(spread[place]), want, term)
            for side in (-1.0, 1.0)
        ]
        fall = max(2.0 * (best - _held(objective, line, top, 0.0, term)[0]), 0.0)
        rows.append((result.terms[place], here, *ends, fall, float(special.chdtrc(1, fall))))
    columns = ["term", "estimate", "ci_low", "ci_high", "statistic", "p_value"]
    return pd.DataFrame(rows, columns=columns)


def _objective(result: Result) -> tuple[Scaling, Objective]:
    """Return the scaling and the objective that an estimator has maximised."""
    fit = result.fit
    family = fit.family
    power = fit.details.get("power")
    if power is not None and family is not None:
        from foedus.models.methods.penalized import penalised

        if result.estimator == "firth" and family.name != "logit":
            raise UsageError(
                f"firth with the link {family.name} adjusts the score of no penalised likelihood; "
                "use jeffreys, or the logit."
            )
        return penalised(family, fit.y, fit.X, fit.names, power, fit.weights, fit.offset)
    if family is None or result.estimator not in FAMILIES or result.estimator == "ols":
        raise UsageError(
            f"a {result.estimator} has no profile here: logit, probit, cloglog, poisson, firth "
            "and jeffreys have."
        )
    scaling = scale_columns(fit.X)
    problem = Problem(fit.y, fit.X, fit.names, scaling, fit.weights, fit.offset)
    return scaling, lambda beta: sums_at(family, problem, beta)


def _held(
    objective: Objective, line: _Line, near: FloatArray, value: float, term: str
) -> tuple[float, float, FloatArray]:
    """Maximise with one coefficient held: log-likelihood, its slope in that one, where."""
    beta = near + line.along * (value - float(line.along @ near) / float(line.along @ line.along))
    loglik, gradient, information = objective(beta)
    for _ in range(MOST):
        inner = line.free.T @ information @ line.free
        step = line.free @ np.linalg.solve(inner, line.free.T @ gradient)
        size, factor = float(np.abs(step).max(initial=0.0)), 1.0
        if size > 5.0:
            factor = 5.0 / size
        for _ in range(30):
            there = objective(beta + factor * step)
            if np.isfinite(there[0]) and there[0] >= loglik - 1e-10 * (abs(loglik) + 1.0):
                break
            factor *= 0.5
        beta = beta + factor * step
        loglik, gradient, information = there
        if size < STEP_DONE:
            return loglik, float(line.along @ gradient), beta
    raise EstimationError(f"the profile of {term} at {value:g} did not converge.")


def _end(
    objective: Objective,
    line: _Line,
    top: FloatArray,
    best: float,
    estimate: float,
    spread: float,
    want: float,
    term: str,
) -> float:
    """Return where the root of twice the fall in log-likelihood is `want`, on one side.

    Newton's method on that root, which is nearly a straight line: its slope is minus the
    log-likelihood's slope in the held coefficient, over the root.
    """
    value, near = estimate + want * spread, top
    inside, outside = estimate, np.nan
    for _ in range(MOST):
        loglik, slope, near = _held(objective, line, near, value, term)
        root = float(np.sqrt(max(2.0 * (best - loglik), 0.0)))
        if abs(root - want) < CLOSE * want:
            return value
        if root < want:
            inside = value
        else:
            outside = value
        move = (want - root) * root / -slope if slope else np.nan
        following = value + move
        low, high = sorted((inside, outside))
        if np.isnan(outside):
            ahead = (following - inside) * spread > 0
            far = abs(following - estimate) > 4.0 * abs(value - estimate)
            value = following if ahead and not far else estimate + 2.0 * (value - estimate)
        else:
            value = following if low < following < high else 0.5 * (inside + outside)
        if abs(outside - inside) < 1e-12 * max(abs(estimate), abs(spread)):
            return value
    raise EstimationError(f"no end of the profile interval of {term} was found.")
