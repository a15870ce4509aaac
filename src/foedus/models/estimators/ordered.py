"""Ordered logit and probit: P(y <= c) = F(cutpoint_c - X b)."""

from __future__ import annotations

from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.registry import estimator

_CITATION = "McKelvey and Zavoina 1975, J. Mathematical Sociology 4; McCullagh 1980, JRSS B 42"


@estimator(
    "ordered_logit",
    title="ordered logit (proportional odds); signs as MASS::polr and Stata's ologit",
    citation=_CITATION,
    outcome="ordered",
    constant="absorbed",
)
def fit_logit(inputs: Inputs) -> Fit:
    """Fit by Newton's method on coefficients and cutpoints (`foedus.models.methods.categories`)."""
    return _fit(inputs, "logit")


@estimator(
    "ordered_probit",
    title="ordered probit; signs as MASS::polr and Stata's oprobit",
    citation=_CITATION,
    outcome="ordered",
    constant="absorbed",
)
def fit_probit(inputs: Inputs) -> Fit:
    """Fit by Newton's method on coefficients and cutpoints (`foedus.models.methods.categories`)."""
    return _fit(inputs, "probit")


def _fit(inputs: Inputs, link: str) -> Fit:
    from foedus.models.methods.categories import check_categories, fit_ordered
    from foedus.models.methods.predict import OrderedPredictor

    codes = check_categories(inputs.y, inputs.levels, inputs.estimator, 2)
    found = fit_ordered(
        codes, inputs.levels, inputs.X, inputs.names, link, inputs.weights, inputs.offset
    )
    return found.fit(inputs, OrderedPredictor(link))
