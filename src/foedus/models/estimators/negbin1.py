"""Negative binomial NB1: mean mu = exp(X b), variance mu (1 + delta)."""

from __future__ import annotations

from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.registry import estimator


@estimator(
    "negbin1",
    title="negative binomial (NB1), mean exp(X b), variance mu (1 + delta)",
    citation="Cameron and Trivedi 1986, Journal of Applied Econometrics 1",
    outcome="count",
)
def fit(inputs: Inputs) -> Fit:
    """Fit by Newton's method on coefficients and log delta (`foedus.models.methods.counts`)."""
    from foedus.models.methods.counts import fit_plain_count
    from foedus.models.methods.predict import CountPredictor

    found = fit_plain_count(
        inputs.y, inputs.X, inputs.names, "negbin1", inputs.weights, inputs.offset
    )
    return found.fit(inputs, CountPredictor("negbin1"), n_events=int((inputs.y > 0).sum()))
