"""Conditional (fixed-effects) logit: what varies within strata, given their number of events."""

from __future__ import annotations

from foedus.errors import EstimationError
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.registry import Option, estimator


@estimator(
    "clogit",
    title="conditional (fixed-effects) logit within strata",
    citation="Chamberlain 1980, Review of Economic Studies 47; Gail et al. 1981, Biometrika 68",
    outcome="binary",
    constant="absorbed",
    weights=False,
    options=(
        Option("strata", "whose constants are conditioned out", kind="groups", required=True),
        Option(
            "ties",
            "how several events of a stratum are counted",
            default="exact",
            allowed=("exact", "efron", "breslow"),
        ),
    ),
)
def fit(inputs: Inputs) -> Fit:
    """Fit by Newton's method in compiled loops (`foedus.models.methods.conditional`)."""
    from foedus.models.methods.conditional import fit_conditional
    from foedus.models.methods.predict import LinkOnly

    strata = inputs.group("strata")
    if strata is None or not inputs.names:
        raise EstimationError("clogit: the formula has no term beside the constant.")
    found = fit_conditional(
        inputs.y, inputs.X, inputs.names, strata.codes, inputs.options["ties"], inputs.offset
    )
    return found.fit(inputs, LinkOnly(), n_events=int(inputs.y.sum()))
