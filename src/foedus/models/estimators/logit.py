"""Logit: P(y = 1) = 1 / (1 + exp(-X b))."""

from __future__ import annotations

from foedus.models.fit import Fit, fit_index
from foedus.models.inputs import Inputs
from foedus.models.registry import estimator


@estimator(
    "logit",
    title="logit, P = 1 / (1 + exp(-X b))",
    citation="Cox 1958, JRSS B 20; McCullagh and Nelder 1989, Generalized Linear Models",
    outcome="binary",
    covariances=("classical", "scores", "leverage", "resample"),
    screened=False,
    starts=True,
)
def fit(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the log-likelihood (`foedus.models.fit.fit_index`)."""
    return fit_index(inputs)
