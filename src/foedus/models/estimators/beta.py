"""Beta regression: a proportion strictly between 0 and 1."""

from __future__ import annotations

from foedus.models.families import FAMILIES
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.predictor import SingleIndex
from foedus.models.registry import estimator


@estimator(
    "beta",
    title="beta regression, logit of the mean, constant precision",
    citation="Ferrari and Cribari-Neto 2004, Journal of Applied Statistics 31",
    outcome="proportion",
)
def fit(inputs: Inputs) -> Fit:
    """Fit by Newton's method on coefficients and log precision (`methods.proportions`)."""
    from foedus.models.methods.proportions import fit_beta

    found = fit_beta(inputs.y, inputs.X, inputs.names, inputs.weights, inputs.offset)
    return found.fit(inputs, SingleIndex(FAMILIES["logit"]))


@estimator(
    "beta_precision",
    title="beta regression, logit of the mean; the part after the bar is the log precision",
    citation="Smithson and Verkuilen 2006, Psychological Methods 11; Simas et al. 2010, CSDA 54",
    outcome="proportion",
    equations=("phi",),
)
def fit_both(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the coefficients of mean and precision together."""
    from foedus.models.methods.proportions import fit_beta

    precision = inputs.parts[1]
    found = fit_beta(
        inputs.y, inputs.X, inputs.names, inputs.weights, inputs.offset,
        (precision.X, precision.names),
    )  # fmt: skip
    return found.fit(inputs, SingleIndex(FAMILIES["logit"]))
