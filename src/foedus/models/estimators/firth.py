"""Firth's bias-reduced and Jeffreys-penalised models of binary outcomes."""

from __future__ import annotations

from foedus.errors import EstimationError
from foedus.models.families import FAMILIES
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.predictor import SingleIndex
from foedus.models.registry import Option, estimator

_LINK = Option(
    "link", "of the probability", default="logit", allowed=("logit", "probit", "cloglog")
)


@estimator(
    "firth",
    title="bias-reduced (Firth) logit, probit or complementary log-log",
    citation="Firth 1993, Biometrika 80; Heinze and Schemper 2002, Statistics in Medicine 21",
    outcome="binary",
    options=(_LINK,),
)
def fit_firth(inputs: Inputs) -> Fit:
    """Solve the adjusted score equations (`foedus.models.methods.penalized`)."""
    return _fit(inputs, "firth", 0.5)


@estimator(
    "jeffreys",
    title="logit, probit or complementary log-log penalised by a power of Jeffreys' prior",
    citation="Kosmidis and Firth 2021, Biometrika 108",
    outcome="binary",
    options=(
        _LINK,
        Option("power", "of the determinant of the information; 0.5 is the prior", default=0.5),
    ),
)
def fit_jeffreys(inputs: Inputs) -> Fit:
    """Maximise the penalised log-likelihood (`foedus.models.methods.penalized`)."""
    power = float(inputs.options["power"])
    if not 0.0 < power < 100.0:
        raise EstimationError(f"jeffreys: power must be a positive number, not {power:g}.")
    return _fit(inputs, "jeffreys", power)


def _fit(inputs: Inputs, kind: str, power: float) -> Fit:
    from foedus.models.methods.penalized import fit_penalized

    link = inputs.options["link"]
    found = fit_penalized(
        inputs.y, inputs.X, inputs.names, kind, link, power, inputs.weights, inputs.offset
    )
    family = FAMILIES[link]
    return found.fit(
        inputs, SingleIndex(family), family=family, n_events=int(inputs.y.sum()),
        details={"power": power},
    )  # fmt: skip
