"""King and Zeng's logit for rare events and samples chosen on the outcome."""

from __future__ import annotations

from foedus.errors import UsageError
from foedus.models.families import FAMILIES
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.predictor import SingleIndex
from foedus.models.registry import Option, estimator


@estimator(
    "relogit",
    title="rare events logit: bias correction, prior correction or case-control weights",
    citation="King and Zeng 2001, Political Analysis 9",
    outcome="binary",
    weights=False,
    options=(
        Option("tau", "share of events in the population; the sample's own for none"),
        Option(
            "correct",
            "how a sample chosen on the outcome is mended",
            default="prior",
            allowed=("prior", "weighting"),
        ),
        Option(
            "bias",
            "whose bias correction",
            default="paper",
            allowed=("paper", "zelig", "none"),
        ),
    ),
)
def fit(inputs: Inputs) -> Fit:
    """Fit a logit and correct it (`foedus.models.methods.rare_events`)."""
    from foedus.models.methods.rare_events import fit_rare_events

    tau = inputs.options["tau"]
    if tau is not None and (isinstance(tau, bool) or not isinstance(tau, (int, float))):
        raise UsageError(f"relogit: tau must be a number, not {tau!r}.")
    found = fit_rare_events(
        inputs.y,
        inputs.X,
        inputs.names,
        None if tau is None else float(tau),
        inputs.options["correct"],
        inputs.options["bias"],
        inputs.offset,
    )
    family = FAMILIES["logit"]
    return found.fit(inputs, SingleIndex(family), family=family, n_events=int(inputs.y.sum()))
