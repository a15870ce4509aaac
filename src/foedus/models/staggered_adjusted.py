"""A cohort's effect at one time, given covariates: regression, weighting, or both.

Trends of treated and untreated units need to be the same only among units with the same covariates
before the treatment. Sant'Anna and Zhao (2020, J. Econometrics 219) write the influence functions
out; Callaway and Sant'Anna (2021) average them over cohorts and times.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray

ADJUSTMENTS = ("doubly_robust", "regression", "weighting")


def adjusted_effect(
    change: FloatArray, treated: npt.NDArray[np.bool_], X: FloatArray, how: str
) -> tuple[float, FloatArray]:
    """Return the effect on the treated, and each unit's influence on it.

    Parameters
    ----------
    change : float array
        The outcome's change since before the treatment, for treated and control units.
    treated : bool array
        Which are treated; the others are controls.
    X : float array, units by columns
        Covariates before the treatment, the constant first.
    how : str
        "regression": the controls' change is regressed on the covariates and predicted for the
        treated. "weighting": controls are weighted by the odds of being treated, from a logit,
        normalised to their sum. "doubly_robust": the regression's residuals so weighted, which is
        right if either of the two models is.

    Returns
    -------
    effect, influence
        The influences sum to 0, and the sum of their squares is the effect's variance where units
        are independent.

    Raises
    ------
    EstimationError
        Controls too few or too alike for the regression; covariates that decide who is treated.
    """
    n, D = change.size, treated.astype(np.float64)
    predicted = np.zeros(n)
    by_regression = np.zeros((n, X.shape[1]))
    if how != "weighting":
        predicted, by_regression = _regression(change, D, X)
    if how == "regression":
        share = D.mean()
        gain = float((D * (change - predicted)).mean() / share)
        influence = D * (change - predicted - gain) - by_regression @ (D @ X / n)
        return gain, influence / (share * n)
    odds, by_logit = _odds(D, X)
    left = change - predicted
    weight = (1.0 - D) * odds
    up, down = float(D @ left / D.sum()), float(weight @ left / weight.sum())
    mine = D * (left - up)
    theirs = weight * (left - down)
    own = (mine - by_regression @ (D @ X / n)) / D.mean()
    others = theirs + by_logit @ (theirs @ X / n) - by_regression @ (weight @ X / n)
    return up - down, (own - others / weight.mean()) / n


def _regression(change: FloatArray, D: FloatArray, X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return predictions from the controls' regression, and units' influence on its terms."""
    n, k = X.shape
    control = D == 0.0
    A = X[control]
    scale = np.sqrt((A**2).mean(axis=0))
    if int(control.sum()) <= k or np.linalg.matrix_rank(A / np.where(scale > 0, scale, 1.0)) < k:
        raise EstimationError(
            f"{int(control.sum())} controls don't identify a regression on {k} terms."
        )
    bread = np.linalg.inv(A.T @ A / n)
    b = np.linalg.lstsq(A, change[control], rcond=None)[0]
    predicted: FloatArray = X @ b
    influence = ((1.0 - D) * (change - predicted))[:, None] * X @ bread
    return predicted, influence


def _odds(D: FloatArray, X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the odds of being treated, and units' influence on the logit's terms."""
    from foedus.models.estimation import fit_arrays

    made = fit_arrays("logit", X, D)
    p = made.predict()
    influence = ((D - p)[:, None] * X) @ (made.vcov() * D.size)
    return p / (1.0 - p), influence
