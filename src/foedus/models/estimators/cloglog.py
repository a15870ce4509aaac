"""Complementary log-log: P(y = 1) = 1 - exp(-exp(X b))."""

from __future__ import annotations

from foedus.models.fit import Fit, fit_index
from foedus.models.inputs import Inputs
from foedus.models.registry import estimator


@estimator(
    "cloglog",
    title="complementary log-log, P = 1 - exp(-exp(X b)): a grouped proportional hazard",
    citation="Prentice and Gloeckler 1978, Biometrics 34; Beck, Katz and Tucker 1998, AJPS 42",
    outcome="binary",
    covariances=("classical", "scores", "leverage", "resample"),
    screened=False,
    starts=True,
)
def fit(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the log-likelihood (`foedus.models.fit.fit_index`)."""
    return fit_index(inputs)
