"""Negative binomial (NB2): mean mu = exp(X b), variance mu + mu^2 / theta."""

from __future__ import annotations

from foedus.models.fit import Fit, fit_index
from foedus.models.inputs import Inputs
from foedus.models.registry import estimator


@estimator(
    "negbin",
    title="negative binomial (NB2), mean exp(X b), variance mu + mu^2 / theta",
    citation="Lawless 1987, Canadian Journal of Statistics 15; Venables and Ripley 2002, MASS",
    outcome="count",
    covariances=("classical", "scores", "leverage", "resample"),
    screened=False,
    starts=True,
)
def fit(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the log-likelihood (`foedus.models.fit.fit_index`)."""
    return fit_index(inputs)
