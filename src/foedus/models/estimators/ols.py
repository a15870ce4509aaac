"""Least squares: E(y) = X b."""

from __future__ import annotations

from foedus.models.fit import Fit, fit_index
from foedus.models.inputs import Inputs
from foedus.models.registry import estimator


@estimator(
    "ols",
    title="least squares; on a 0/1 outcome the linear probability model",
    citation="Greene 2018, Econometric Analysis, ch. 2-4",
    outcome="continuous",
    covariances=("classical", "scores", "leverage", "resample"),
    screened=False,
    starts=True,
)
def fit(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the log-likelihood (`foedus.models.fit.fit_index`)."""
    return fit_index(inputs)
