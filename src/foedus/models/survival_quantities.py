"""Survival at set values of the covariates, with intervals, from any model of durations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import special

from foedus.errors import UsageError
from foedus.models.arrays import FloatArray
from foedus.models.cox import cox_curves
from foedus.models.durations import SHAPES
from foedus.models.result import LEVEL, Result

if TYPE_CHECKING:
    import pandas as pd


def survival_at(
    result: Result,
    values: Mapping[str, Any] | pd.DataFrame,
    times: npt.ArrayLike,
    *,
    cov: str | None = None,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return the chance of lasting beyond given times.

    Parameters
    ----------
    result : Result
        Of cox (without strata), aft_weibull, aft_exponential, aft_lognormal or aft_loglogistic.
    values : mapping or DataFrame
        Every covariate's value, one scenario a row.
    times : array_like
        The times.
    cov : str, optional
        The covariance; the first computed for None.
    level : float
        Of the intervals, symmetric on the log scale (as survfit's), within 0 and 1.

    Returns
    -------
    DataFrame
        scenario, time, survival, std_error (delta method), ci_low, ci_high, covariance.

    Raises
    ------
    UsageError
        For a model that says nothing of survival.
    """
    import pandas as pd

    frame = pd.DataFrame({k: np.atleast_1d(v) for k, v in dict(values).items()})
    matrices, offset, complete = result.new_matrices(frame)
    if not complete.all():
        raise UsageError("survival_at: a scenario misses a covariate's value.")
    X, at = matrices[0], np.atleast_1d(np.asarray(times, dtype=np.float64))
    shift = np.zeros(X.shape[0]) if offset is None else offset
    made = result.covariance(cov)
    kind = result.estimator.removeprefix("aft_")
    if result.estimator == "cox":
        survival, error = _from_cox(result, X, shift, at, made.vcov)
    elif kind in SHAPES:
        survival, error = _from_times(result, kind, X, shift, at, made.vcov)
    else:
        raise UsageError(f"survival_at: a {result.estimator} says nothing of survival.")
    half = float(special.ndtri(0.5 + level / 2.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.exp(half * error / survival)
        low, high = survival / reach, np.minimum(survival * reach, 1.0)
    n = at.size
    return pd.DataFrame(
        {
            "scenario": np.repeat(np.arange(X.shape[0]), n),
            "time": np.tile(at, X.shape[0]),
            "survival": survival.T.ravel(),
            "std_error": error.T.ravel(),
            "ci_low": low.T.ravel(),
            "ci_high": high.T.ravel(),
            "covariance": made.name,
        }
    )


def _from_cox(
    result: Result, X: FloatArray, offset: FloatArray, at: FloatArray, vcov: FloatArray
) -> tuple[FloatArray, FloatArray]:
    made = result.fit.details["cox"]
    if np.unique(made.sets.stratum).size > 1:
        raise UsageError("survival_at: with strata there is a curve each; use cox_curves.")
    if bool(np.any(offset != 0.0)):
        raise UsageError("survival_at: use cox_curves for a Cox model with an offset.")
    curves = cox_curves(made, X, vcov)
    place = np.searchsorted(curves.times, at, side="right")
    survival = np.vstack([np.ones(X.shape[0]), curves.survival])[place]
    error = np.vstack([np.zeros(X.shape[0]), curves.std_error])[place]
    return survival, error


def _from_times(
    result: Result, kind: str, X: FloatArray, offset: FloatArray, at: FloatArray, vcov: FloatArray
) -> tuple[FloatArray, FloatArray]:
    shape, k = SHAPES[kind], X.shape[1]
    sigma = float(np.exp(result.params[k])) if shape.scale else 1.0
    eta = X @ result.params[:k] + offset
    survival, error = np.empty((at.size, X.shape[0])), np.empty((at.size, X.shape[0]))
    for j, t in enumerate(at):
        z = (np.log(t) - eta) / sigma
        value, slope, _ = shape.survival(z)
        survival[j] = np.exp(value)
        gradient = -X / sigma
        if shape.scale:
            gradient = np.column_stack([gradient, -z])
        gradient = gradient * (survival[j] * slope)[:, None]
        error[j] = np.sqrt(np.einsum("ij,jk,ik->i", gradient, vcov, gradient))
    return survival, error


def hazard_ratios(result: Result, cov: str | None = None, level: float = LEVEL) -> pd.DataFrame:
    """Return hazard ratios of a Weibull or exponential model: exp(-b / sigma).

    Parameters
    ----------
    result : Result
        Of aft_weibull or aft_exponential (whose b are on log time).
    cov, level
        As in `survival_at`.

    Returns
    -------
    DataFrame
        term, hazard_ratio, std_error (delta method), ci_low, ci_high (exponentiated).
    """
    import pandas as pd

    if result.estimator not in ("aft_weibull", "aft_exponential"):
        raise UsageError(
            f"a {result.estimator} has no constant hazard ratios here; see foedus.models.ratios."
        )
    k = result.fit.X.shape[1]
    scaled = result.estimator == "aft_weibull"
    sigma = float(np.exp(result.params[k])) if scaled else 1.0
    b = -result.params[:k] / sigma
    gradient = np.hstack([-np.eye(k) / sigma, -b[:, None]]) if scaled else -np.eye(k)
    made = result.covariance(cov)
    error = np.sqrt(np.diag(gradient @ made.vcov @ gradient.T))
    half = float(special.ndtri(0.5 + level / 2.0)) * error
    table = pd.DataFrame(
        {
            "term": list(result.terms[:k]),
            "hazard_ratio": np.exp(b),
            "std_error": np.exp(b) * error,
            "ci_low": np.exp(b - half),
            "ci_high": np.exp(b + half),
            "covariance": made.name,
        }
    )
    return table[table["term"] != "(Intercept)"].reset_index(drop=True)


def scenarios(base: Mapping[str, float], **changes: Sequence[float]) -> dict[str, Any]:
    """Return values for `survival_at`: a base scenario, with one covariate moved.

    Parameters
    ----------
    base : mapping
        Every covariate's value.
    **changes : sequence
        The values of the covariates that move; all of one length.
    """
    sizes = {len(values) for values in changes.values()}
    if len(sizes) > 1:
        raise UsageError("scenarios: the covariates that move need as many values each.")
    n = sizes.pop() if sizes else 1
    return {**{name: [value] * n for name, value in base.items()}, **changes}
