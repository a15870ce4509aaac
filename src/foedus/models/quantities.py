"""Quantities of interest: what an estimate says on the outcome's own scale.

Standard errors come from the delta method; intervals can also be simulated (King, Tomz and
Wittenberg 2000, AJPS 44) from the coefficients' asymptotic distribution, seeded.

Scenarios (``at=``) are those of `foedus.models.scenarios`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from foedus.errors import UsageError, nearest
from foedus.models.arrays import FloatArray, blocks
from foedus.models.averages import (
    average,
    average_slope,
    average_with_gradient,
    categories_of,
    is_single,
    matrices_of,
    place_of,
)
from foedus.models.design import Column, Columns, Labels
from foedus.models.families import Family
from foedus.models.formula import Name, names_in
from foedus.models.result import LEVEL, Result, inference
from foedus.models.scenarios import (
    categorical,
    factor_names,
    hold,
    matrix_of,
    numbers_of,
    sample_columns,
    scenario,
    variables_of,
)

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("auto", "slope", "difference")
METHODS = ("delta", "simulation")


@dataclass(frozen=True, slots=True)
class Prediction:
    """A predicted outcome (probability, mean count, mean) in one scenario."""

    estimate: float
    std_error: float
    ci_low: float
    ci_high: float
    covariance: str
    at: str


@dataclass(frozen=True, slots=True)
class Difference:
    """The change of a predicted outcome when one variable moves, all else at the scenario.

    ``p0`` and ``p1`` are predictions before and after; ``percent_change`` is
    100 (p1 - p0) / p0; intervals come from `method`.
    """

    variable: str
    start: float
    end: float
    p0: float
    p1: float
    difference: float
    std_error: float
    ci_low: float
    ci_high: float
    percent_change: float
    percent_std_error: float
    percent_ci_low: float
    percent_ci_high: float
    covariance: str
    at: str
    method: str
    n_rows: int


# --- predictions and their gradients --------------------------------------------------------


def family_of(result: Result) -> Family:
    """Return the family of a single-index model.

    Raises
    ------
    UsageError
        For any other model.
    """
    if result.fit.family is None:
        raise UsageError(f"a {result.estimator} has no single index to take effects of.")
    return result.fit.family


def _average(
    result: Result, X: FloatArray, offset: FloatArray | None, weights: FloatArray | None
) -> tuple[float, FloatArray]:
    """Return the average prediction and its gradient in the coefficients."""
    family, total, mean = family_of(result), 0.0, 0.0
    gradient = np.zeros(X.shape[1])
    for rows in blocks(*X.shape):
        eta = X[rows] @ result.params
        if offset is not None:
            eta = eta + offset[rows]
        w = np.ones_like(eta) if weights is None else weights[rows]
        mean += float(w @ family.mean(eta))
        gradient += (w * family.slope(eta)) @ X[rows]
        total += float(w.sum())
    return mean / total, gradient / total


def average_at(
    result: Result,
    columns: Columns,
    n: int,
    weights: FloatArray | None,
    place: int | None,
    cov: str | None,
) -> tuple[float, FloatArray]:
    """Return the average prediction for given variables, and its gradient in the parameters."""
    if not is_single(result):
        return average_with_gradient(result, columns, n, weights, place, cov)
    X, offset = matrix_of(result, columns, n)
    return _average(result, X, offset, weights)


def _simulated_at(
    result: Result, columns: Columns, n: int, betas: FloatArray, place: int | None
) -> FloatArray:
    """Return the average prediction for each drawn vector of parameters."""
    if is_single(result):
        X, offset = matrix_of(result, columns, n)
        return _simulated(result, X, offset, betas)
    matrices, offset = matrices_of(result, columns, n)
    weights = row_weights(result, n)
    drawn = [average(result, beta, matrices, offset, weights, place) for beta in betas]
    return np.array(drawn)


def row_weights(result: Result, n: int) -> FloatArray | None:
    """Return the rows' prior weights, or None where a scenario has other rows."""
    weights = result.fit.weights
    return weights if weights is not None and weights.size == n else None


def _draws(result: Result, cov: str | None, draws: int, seed: int) -> FloatArray:
    """Draw coefficients from their asymptotic distribution: one row a draw."""
    values, vectors = np.linalg.eigh(result.vcov(cov))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    noise = np.random.default_rng(seed).standard_normal((draws, result.params.size))
    out: FloatArray = result.params + noise @ root.T
    return out


def delta_errors(gradients: FloatArray, vcov: FloatArray) -> FloatArray:
    """Return the standard errors of quantities from their gradients, one a row."""
    variances = np.asarray(np.einsum("ij,jk,ik->i", gradients, vcov, gradients))
    out: FloatArray = np.sqrt(np.maximum(variances, 0.0))
    return out


def _simulated(
    result: Result, X: FloatArray, offset: FloatArray | None, betas: FloatArray
) -> FloatArray:
    """Return the average prediction for each drawn vector of coefficients."""
    family, total = family_of(result), np.zeros(betas.shape[0])
    weights = row_weights(result, X.shape[0])
    for rows in blocks(X.shape[0], betas.shape[0]):
        eta = X[rows] @ betas.T
        if offset is not None:
            eta += offset[rows, None]
        means = family.mean(eta)
        total += means.sum(axis=0) if weights is None else weights[rows] @ means
    out: FloatArray = total / (X.shape[0] if weights is None else float(weights.sum()))
    return out


def predict_at(
    result: Result,
    values: Mapping[str, float] | None = None,
    *,
    at: str = "means",
    cov: str | None = None,
    level: float = LEVEL,
    category: str | None = None,
) -> Prediction:
    """Predict the outcome in a scenario.

    Parameters
    ----------
    result : Result
        The fitted model.
    values : mapping, optional
        Variables held at given values.
    at : str
        The scenario for the others; see the module's text.
    cov : str, optional
        The covariance; the first computed for None.
    level : float
        Of the interval, which is symmetric on the index, so it stays inside the outcome's range
        (for ``observed``, and for models of several indices, symmetric on the outcome).
    category : str, optional
        Whose probability, for outcomes in categories.

    Returns
    -------
    Prediction
        With its delta-method standard error.
    """
    columns, n = scenario(result, at, values)
    place = place_of(result, category)
    mean, gradient = average_at(result, columns, n, row_weights(result, n), place, cov)
    made = result.covariance(cov)
    error = float(delta_errors(gradient[None, :], made.vcov)[0])
    if n == 1 and is_single(result):
        X, offset = matrix_of(result, columns, n)
        eta = X @ result.params + (0.0 if offset is None else offset)
        ends = inference(eta, delta_errors(X, made.vcov), result.df, level)
        low = float(family_of(result).mean(ends["ci_low"])[0])
        high = float(family_of(result).mean(ends["ci_high"])[0])
    else:
        ends = inference(np.array([mean]), np.array([error]), result.df, level)
        low, high = float(ends["ci_low"][0]), float(ends["ci_high"][0])
    return Prediction(mean, error, low, high, made.name, at)


def first_difference(
    result: Result,
    variable: str,
    start: float = 0.0,
    end: float = 1.0,
    *,
    at: str = "means",
    values: Mapping[str, float] | None = None,
    cov: str | None = None,
    method: str = "delta",
    draws: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
    category: str | None = None,
) -> Difference:
    """Return the change of the predicted outcome when one variable moves from start to end.

    Parameters
    ----------
    result : Result
        The fitted model.
    variable : str
        The variable that moves, in whatever terms it stands.
    start, end : float
        Its two values.
    at : str
        The scenario for the others; see the module's text.
    values : mapping, optional
        Other variables held at given values.
    cov : str, optional
        The covariance; the first computed for None.
    method : str
        "delta", or "simulation" (percentiles of seeded draws of the coefficients).
    draws, seed : int
        For the simulation.
    level : float
        Of the intervals.
    category : str, optional
        Whose probability, for outcomes in categories.

    Returns
    -------
    Difference
        Predictions, their difference and percent change, with standard errors and intervals.
    """
    if method not in METHODS:
        raise UsageError(f'"{method}" is not a method. {nearest(method, METHODS)}')
    columns, n = scenario(result, at, values)
    place = place_of(result, category)
    moved = []
    for value in (start, end):
        held = dict(columns)
        hold(held, variable, value, n)
        moved.append(held)
    weights = row_weights(result, n)
    (p0, g0), (p1, g1) = (average_at(result, one, n, weights, place, cov) for one in moved)
    percent, percent_gradient = 100.0 * (p1 - p0) / p0, 100.0 * (g1 / p0 - p1 * g0 / p0**2)
    made = result.covariance(cov)
    if method == "delta":
        numbers = np.array([p1 - p0, percent])
        errors = delta_errors(np.vstack([g1 - g0, percent_gradient]), made.vcov)
        ends = inference(numbers, errors, result.df, level)
        low, high = ends["ci_low"], ends["ci_high"]
    else:
        betas = _draws(result, cov, draws, seed)
        s0, s1 = (_simulated_at(result, one, n, betas, place) for one in moved)
        simulated = np.vstack([s1 - s0, 100.0 * (s1 - s0) / s0])
        errors = simulated.std(axis=1, ddof=1)
        low, high = np.quantile(simulated, [0.5 - level / 2, 0.5 + level / 2], axis=1)
    return Difference(
        variable, float(start), float(end), p0, p1, p1 - p0,
        float(errors[0]), float(low[0]), float(high[0]),
        percent, float(errors[1]), float(low[1]), float(high[1]),
        made.name, at, method, n,
    )  # fmt: skip


# --- average marginal effects ---------------------------------------------------------------


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


RATIOS = {
    "logit": "odds ratio",
    "firth": "odds ratio",
    "jeffreys": "odds ratio",
    "relogit": "odds ratio",
    "clogit": "odds ratio",
    "mixed_logit": "odds ratio",
    "ordered_logit": "odds ratio",
    "multinomial": "relative risk ratio",
    "cloglog": "hazard ratio",
    "poisson": "rate ratio",
    "negbin": "rate ratio",
    "negbin1": "rate ratio",
    "quasipoisson": "rate ratio",
    "mixed_poisson": "rate ratio",
    "truncated_poisson": "rate ratio",
    "truncated_negbin": "rate ratio",
    "zip": "rate ratio",
    "zinb": "rate ratio",
    "hurdle_poisson": "rate ratio",
    "hurdle_negbin": "rate ratio",
    "beta": "odds ratio",
    "cox": "hazard ratio",
    "fine_gray": "subdistribution hazard ratio",
    "aft_weibull": "time ratio",
    "aft_exponential": "time ratio",
    "aft_lognormal": "time ratio",
    "aft_loglogistic": "time ratio",
    "aft_gengamma": "time ratio",
    "split_population": "time ratio",
}
"""Estimator -> what exp(b) is in its first equation."""

LINK_RATIOS = {"logit": "odds ratio", "cloglog": "hazard ratio", "log": "ratio of means"}
FIXED_LINKS = {"logit": "logit", "cloglog": "cloglog", "poisson": "log"}


def _ratio_word(result: Result) -> str | None:
    """Return what exp(b) is, None where it is nothing; the link decides where it is chosen."""
    family = result.fit.family
    link = getattr(family, "link", FIXED_LINKS.get(getattr(family, "name", "")))
    if result.estimator in ("firth", "jeffreys", "gee"):
        return LINK_RATIOS.get(str(link))
    if result.estimator in RATIOS:
        return RATIOS[result.estimator]
    if result.estimator == "binomial" and link == "log":
        return "risk ratio"
    return LINK_RATIOS.get(str(link)) if hasattr(family, "link") else None


def ratios(result: Result, cov: str | None = None, level: float = LEVEL) -> pd.DataFrame:
    """Return exp(b): odds ratios (logit), hazard ratios (cloglog), rate ratios (counts).

    Parameters
    ----------
    result : Result
        The fitted model.
    cov : str, optional
        The covariance; the first computed for None.
    level : float
        Of the intervals, whose ends are those of b, exponentiated.

    Returns
    -------
    DataFrame
        term, ratio, estimate, std_error (delta method), p_value (of b = 0), ci_low, ci_high,
        percent_change (100 (exp(b) - 1)), covariance.

    Raises
    ------
    UsageError
        For an estimator whose exp(b) means nothing (probit, OLS).
    """
    import pandas as pd

    word = _ratio_word(result)
    if word is None:
        raise UsageError(f"exp(b) is not a ratio in a {result.estimator}; use effects.")
    made = result.covariance(cov)
    taken = [j for j, term in enumerate(result.terms) if not term.startswith("/")]
    params, errors = result.params[taken], result.std_errors(made.name)[taken]
    terms = [result.terms[j] for j in taken]
    block = inference(params, errors, result.df, level)
    estimate = np.exp(params)
    return pd.DataFrame(
        {
            "term": terms,
            "ratio": ["odds ratio" if term.startswith("zero:") else word for term in terms],
            "estimate": estimate,
            "std_error": estimate * block["std_error"],
            "p_value": block["p_value"],
            "ci_low": np.exp(block["ci_low"]),
            "ci_high": np.exp(block["ci_high"]),
            "percent_change": 100.0 * np.expm1(params),
            "covariance": made.name,
        }
    )
