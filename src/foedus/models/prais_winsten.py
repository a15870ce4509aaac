"""Least squares with first-order autocorrelated errors, and panel-corrected standard errors.

Beck and Katz (1995, APSR 89): time-series cross-sections have errors that are correlated over time
within a unit and, at one time, between units. The first is taken out by Prais and Winsten's (1954)
transformation, which keeps a unit's first row; the second is left to the standard errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foedus.errors import EstimationError
from foedus.models.absorb import Factor
from foedus.models.arrays import BoolArray, FloatArray, IntArray
from foedus.models.panel_effects import LinearFit, beck_katz, least_squares

RHOS = ("common", "unit")
ESTIMATES = ("regression", "durbin_watson")


@dataclass(frozen=True, slots=True)
class _Runs:
    """Rows sorted by unit and time: their order, and which follow the row before them by a step."""

    order: IntArray
    follows: BoolArray


def fit_prais_winsten(
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    unit: Factor,
    time: FloatArray,
    *,
    rho: str = "common",
    estimate: str = "regression",
) -> tuple[LinearFit, FloatArray]:
    """Fit a linear model whose errors are autocorrelated within units.

    Parameters
    ----------
    y, X : float array
        Outcome and columns (the constant included) by row.
    names : sequence of str
        The columns' names.
    unit : Factor
        Whose errors are correlated over time.
    time : float array
        Whole numbers (years), no unit twice at one.
    rho : str
        "common": one autocorrelation, the mean of the units' (Stata's xtpcse, correlation(ar1));
        "unit": one each (psar1).
    estimate : str
        From least-squares residuals e within a unit: "regression", sum of e_t e_(t-1) over that of
        e_(t-1)^2, or "durbin_watson", 1 - d/2 with d the sum of squared changes over that of e_t^2.

    Returns
    -------
    fit, vcov
        The transformed rows' fit, and the panel-corrected covariance.

    Raises
    ------
    EstimationError
        Times that are no whole numbers, two rows of a unit at one time, no consecutive rows.
    """
    runs = _runs(unit, time)
    _, residual, _ = least_squares(y, X, names)
    own = _autocorrelations(residual, unit, runs, estimate)
    known = np.isfinite(own)
    if not known.any():
        raise EstimationError(f"prais_winsten: no {unit.name} has two consecutive rows.")
    mean = float(own[known].mean())
    # ASSUME: a unit without two consecutive rows has the others' mean autocorrelation; it plays
    # no part but in the weight of its rows
    by_unit = np.where(known, own, mean) if rho == "unit" else np.full(own.size, mean)
    by_row = by_unit[unit.codes]
    changed = _transformed(np.column_stack([y, X]), by_row, runs)
    y_new, X_new = changed[:, 0], changed[:, 1:]
    coef, left, bread = least_squares(y_new, X_new, names)
    numbers = {
        "rho": mean, "rho_least": float(by_unit.min()), "rho_most": float(by_unit.max()),
        "units": float(unit.n_levels), "runs": float((~runs.follows).sum()),
    }  # fmt: skip
    made = LinearFit.of_all(coef, bread, X_new, left, numbers)
    periods, codes = np.unique(time, return_inverse=True)
    times = Factor("time", codes.reshape(-1).astype(np.int64), periods.size)
    return made, beck_katz(X_new, left, bread, unit, times)


def _runs(unit: Factor, time: FloatArray) -> _Runs:
    if not bool((time == np.floor(time)).all()):
        raise EstimationError("prais_winsten: time= must hold whole numbers (years).")
    order = np.lexsort((time, unit.codes)).astype(np.int64)
    same = unit.codes[order][1:] == unit.codes[order][:-1]
    steps = np.diff(time[order])
    if bool((same & (steps == 0)).any()):
        raise EstimationError(f"prais_winsten: a {unit.name} has two rows at one time.")
    # ASSUME: a row after a gap begins a new run, like a unit's first (as Stata treats gaps)
    return _Runs(order, np.concatenate([[False], same & (steps == 1)]))


def _autocorrelations(residual: FloatArray, unit: Factor, runs: _Runs, estimate: str) -> FloatArray:
    """Return each unit's autocorrelation, within -1 and 1; NaN without two consecutive rows."""
    e = residual[runs.order]
    who = unit.codes[runs.order]
    after, before = e[1:][runs.follows[1:]], e[:-1][runs.follows[1:]]
    owner = who[1:][runs.follows[1:]]

    def total(values: FloatArray, whose: IntArray) -> FloatArray:
        return np.asarray(np.bincount(whose, values, unit.n_levels), dtype=np.float64)

    pairs = total(np.ones(owner.size), owner)
    with np.errstate(divide="ignore", invalid="ignore"):
        if estimate == "regression":
            found = total(after * before, owner) / total(before**2, owner)
        else:
            found = 1.0 - 0.5 * total((after - before) ** 2, owner) / total(e**2, who)
    # ASSUME: estimates outside are set to the bound, as xtpcse does; 1 itself would leave nothing
    out: FloatArray = np.where(pairs > 0, np.clip(found, -0.9999, 0.9999), np.nan)
    return out


def _transformed(columns: FloatArray, rho: FloatArray, runs: _Runs) -> FloatArray:
    """Take rho times the row before away; a run's first row is scaled by the root of 1 - rho^2."""
    A, r = columns[runs.order], rho[runs.order][:, None]
    new = np.sqrt(1.0 - r**2) * A
    new[1:][runs.follows[1:]] = (A[1:] - r[1:] * A[:-1])[runs.follows[1:]]
    out = np.empty_like(columns)
    out[runs.order] = new
    return out
