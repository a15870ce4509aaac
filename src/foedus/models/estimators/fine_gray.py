"""Competing risks: duration ~ covariates, event= with 0 cut off, 1 the event, 2 and up others."""

from __future__ import annotations

import numpy as np

from foedus.errors import EstimationError
from foedus.models.competing import fit_fine_gray
from foedus.models.covariance import ready_ingredients
from foedus.models.estimators.cox import HazardPredictor
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.registry import Option, estimator


@estimator(
    "fine_gray",
    title="proportional subdistribution hazards with competing events",
    citation="Fine and Gray 1999, JASA 94",
    outcome="duration",
    options=(
        Option(
            "event", "0 cut off, 1 the event of interest, 2 and above competing ones",
            kind="numbers", required=True,
        ),
    ),
    constant="absorbed",
    weights=False,
)  # fmt: skip
def fit(inputs: Inputs) -> Fit:
    """Maximise the weighted partial likelihood; HC0 is cmprsk's covariance."""
    status = inputs.numbers["event"]
    if bool(((status < 0) | (status != np.floor(status))).any()):
        raise EstimationError("fine_gray: event= must be 0, 1, 2, ...")
    if inputs.offset is not None:
        raise EstimationError("fine_gray takes no offset.")
    made = fit_fine_gray(inputs.y, status.astype(np.int64), inputs.X, inputs.names)
    return Fit(
        estimator=inputs.estimator,
        names=inputs.parts[0].terms(),
        parts=inputs.parts,
        y=inputs.y,
        coef=made.coef,
        loglik=made.loglik,
        made=ready_ingredients(made.scores, made.bread),
        predictor=HazardPredictor(),
        iterations=made.iterations,
        n_events=made.n_events,
        details={"times": made.times, "baseline": made.baseline},
    )
