"""Zero-truncated counts: only rows with a positive count could be observed."""

from __future__ import annotations

from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.registry import estimator

_CITATION = "Grogger and Carson 1991, Journal of Applied Econometrics 6"


@estimator(
    "truncated_poisson",
    title="zero-truncated Poisson (y = 1, 2, ...)",
    citation=_CITATION,
    outcome="positive_count",
)
def fit_poisson(inputs: Inputs) -> Fit:
    """Fit by Newton's method (`foedus.models.methods.counts`)."""
    return _fit(inputs, "poisson")


@estimator(
    "truncated_negbin",
    title="zero-truncated negative binomial (y = 1, 2, ...)",
    citation=_CITATION,
    outcome="positive_count",
)
def fit_negbin(inputs: Inputs) -> Fit:
    """Fit by Newton's method (`foedus.models.methods.counts`)."""
    return _fit(inputs, "negbin")


def _fit(inputs: Inputs, dist: str) -> Fit:
    from foedus.models.methods.counts import fit_plain_count
    from foedus.models.methods.predict import CountPredictor

    found = fit_plain_count(
        inputs.y, inputs.X, inputs.names, dist, inputs.weights, inputs.offset, zero_truncated=True
    )
    return found.fit(inputs, CountPredictor(dist, truncated=True))
