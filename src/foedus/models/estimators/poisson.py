"""Poisson: E(y) = exp(X b)."""

from __future__ import annotations

from foedus.models.fit import Fit, fit_index
from foedus.models.inputs import Inputs
from foedus.models.registry import estimator


@estimator(
    "poisson",
    title="Poisson counts, mean exp(X b)",
    citation="Cameron and Trivedi 2013, Regression Analysis of Count Data, ch. 3",
    outcome="count",
    covariances=("classical", "scores", "leverage", "resample"),
    screened=False,
    starts=True,
)
def fit(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the log-likelihood (`foedus.models.fit.fit_index`)."""
    return fit_index(inputs)
