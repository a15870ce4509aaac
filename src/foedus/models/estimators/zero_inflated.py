"""Zero-inflated counts: some rows are never at risk, the others have a count."""

from __future__ import annotations

from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.methods.two_part import fit_counts_in_two
from foedus.models.registry import estimator

_CITATION = "Lambert 1992, Technometrics 34; Greene 1994, NYU EC-94-10"


@estimator(
    "zip",
    title="zero-inflated Poisson; the part after the bar is the log-odds of never being at risk",
    citation=_CITATION,
    outcome="count",
    equations=("zero",),
)
def fit_zip(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the joint log-likelihood (`foedus.models.methods.counts`)."""
    return fit_counts_in_two(inputs, "zero_inflated", "poisson")


@estimator(
    "zinb",
    title="zero-inflated negative binomial (NB2)",
    citation=_CITATION,
    outcome="count",
    equations=("zero",),
)
def fit_zinb(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the joint log-likelihood (`foedus.models.methods.counts`)."""
    return fit_counts_in_two(inputs, "zero_inflated", "negbin")
