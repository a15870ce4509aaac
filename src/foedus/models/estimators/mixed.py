"""Models with random intercepts: of one group, or of two crossed ones."""

from __future__ import annotations

from foedus.errors import EstimationError
from foedus.models.families import FAMILIES
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.predictor import SingleIndex
from foedus.models.registry import Option, estimator

_CITATION = "Pinheiro and Bates 1995, J. Computational and Graphical Statistics 4"
_OPTIONS = (
    Option(
        "groups", "whose intercepts vary; a list of two is crossed", kind="groups", required=True
    ),
    Option("points", "quadrature points; 1 is Laplace's approximation", default=1),
)


@estimator(
    "mixed_logit",
    title="logit with normal random intercepts (lme4's glmer)",
    citation=_CITATION,
    outcome="binary",
    weights=False,
    options=_OPTIONS,
)
def fit_logit(inputs: Inputs) -> Fit:
    """Maximise the integrated log-likelihood (`foedus.models.methods.mixed`)."""
    return _fit(inputs, "logit")


@estimator(
    "mixed_poisson",
    title="Poisson with normal random intercepts of the log mean (lme4's glmer)",
    citation=_CITATION,
    outcome="count",
    weights=False,
    options=_OPTIONS,
)
def fit_poisson(inputs: Inputs) -> Fit:
    """Maximise the integrated log-likelihood (`foedus.models.methods.mixed`)."""
    return _fit(inputs, "poisson")


def _fit(inputs: Inputs, family: str) -> Fit:
    from foedus.models.methods.mixed import fit_mixed

    points = inputs.options["points"]
    if points != int(points) or not 1 <= points <= 100:
        raise EstimationError(
            f"{inputs.estimator}: points must be a whole number from 1 to 100, not {points:g}."
        )
    groups = [(one.name, one.codes, one.n) for one in inputs.groups["groups"]]
    found = fit_mixed(inputs.y, inputs.X, inputs.names, groups, family, int(points), inputs.offset)
    return found.fit(inputs, SingleIndex(FAMILIES[family]), n_events=int((inputs.y > 0).sum()))
