"""Hurdle counts: one equation for whether the count is positive, one for how large it is."""

from __future__ import annotations

from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.methods.two_part import fit_counts_in_two
from foedus.models.registry import estimator

_CITATION = "Mullahy 1986, Journal of Econometrics 33"


@estimator(
    "hurdle_poisson",
    title="hurdle: logit of y > 0 (after the bar), zero-truncated Poisson above it",
    citation=_CITATION,
    outcome="count",
    equations=("zero",),
)
def fit_poisson(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the joint log-likelihood (`foedus.models.methods.counts`)."""
    return fit_counts_in_two(inputs, "hurdle", "poisson")


@estimator(
    "hurdle_negbin",
    title="hurdle: logit of y > 0 (after the bar), zero-truncated negative binomial above it",
    citation=_CITATION,
    outcome="count",
    equations=("zero",),
)
def fit_negbin(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the joint log-likelihood (`foedus.models.methods.counts`)."""
    return fit_counts_in_two(inputs, "hurdle", "negbin")
