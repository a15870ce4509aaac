"""Robust regression: Huber's M-estimate."""

from __future__ import annotations

import numpy as np

from foedus.errors import EstimationError
from foedus.models.families import FAMILIES
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.predictor import SingleIndex
from foedus.models.registry import Option, estimator


@estimator(
    "rlm",
    title="robust regression (Huber's M-estimate, scale by the median absolute residual)",
    citation="Huber 1964, Annals of Mathematical Statistics 35; Huber 1981, Robust Statistics",
    outcome="continuous",
    weights=False,
    options=(
        Option("accuracy", "largest change of the residuals at the end (a share)", default=1e-4),
        Option("rounds", "rounds of reweighting at most", default=200),
    ),
)
def fit(inputs: Inputs) -> Fit:
    """Reweight least squares until the residuals settle (`foedus.models.methods.huber`)."""
    from foedus.models.covariance import DenseScores, Ingredients
    from foedus.models.methods.handover import scaled
    from foedus.models.methods.huber import fit_huber

    y = inputs.y if inputs.offset is None else inputs.y - inputs.offset
    n, k = inputs.X.shape
    if n <= k:
        raise EstimationError(f"rlm: {n} rows can't settle {k} coefficients.")
    Z, scaling = scaled(inputs.X, inputs.names)
    found = fit_huber(y, Z, float(inputs.options["accuracy"]), int(inputs.options["rounds"]))
    inside = found.slopes
    try:
        bread = np.asarray(np.linalg.inv(Z.T @ (Z * inside[:, None])), np.float64)
    except np.linalg.LinAlgError as error:
        raise EstimationError("rlm: too many rows lie beyond the bend.") from error
    back = scaling.matrix()
    classical = back @ np.linalg.inv(Z.T @ Z) @ back.T * found.error_deviation(k) ** 2
    made = Ingredients(
        DenseScores(Z * (found.scale * found.influence)[:, None], None),
        bread,
        back,
        None,
        1.0,
        n,
        k,
        False,
        classical,
        "(X'X)^-1 times Huber's variance, as MASS::rlm reports",
    )
    family = FAMILIES["ols"]
    return Fit(
        estimator=inputs.estimator,
        names=inputs.names,
        parts=inputs.parts,
        y=inputs.y,
        coef=back @ found.beta,
        loglik=None,
        made=made,
        predictor=SingleIndex(family),
        family=family,
        offset=inputs.offset,
        iterations=found.iterations,
        ancillary={"scale": found.scale},
        df=float(n - k),
    )
