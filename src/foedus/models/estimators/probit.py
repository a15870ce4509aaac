"""Probit: P(y = 1) = Phi(X b)."""

from __future__ import annotations

from foedus.models.fit import Fit, fit_index
from foedus.models.inputs import Inputs
from foedus.models.registry import estimator


@estimator(
    "probit",
    title="probit, P = Phi(X b)",
    citation="Bliss 1935, Annals of Applied Biology 22; Greene 2018, Econometric Analysis, ch. 17",
    outcome="binary",
    covariances=("classical", "scores", "leverage", "resample"),
    screened=False,
    starts=True,
)
def fit(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the log-likelihood (`foedus.models.fit.fit_index`)."""
    return fit_index(inputs)
