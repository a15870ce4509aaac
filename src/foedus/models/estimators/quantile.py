"""Quantile regression."""

from __future__ import annotations

import warnings

from foedus.errors import EstimationError
from foedus.models.families import FAMILIES
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.predictor import SingleIndex
from foedus.models.registry import Option, estimator


@estimator(
    "quantile",
    title="quantile regression (linear programming, a vertex)",
    citation="Koenker and Bassett 1978, Econometrica 46; Koenker 2005, Quantile Regression",
    outcome="continuous",
    weights=False,
    options=(
        Option("tau", "the quantile", default=0.5),
        Option(
            "se",
            "how the density of the errors is estimated",
            default="nid",
            allowed=("iid", "nid", "ker"),
        ),
    ),
)
def fit(inputs: Inputs) -> Fit:
    """Solve the linear programme (`foedus.models.methods.quantile`)."""
    from foedus.models.covariance import DenseScores, Ingredients
    from foedus.models.methods.quantile import QuantileFit

    tau = float(inputs.options["tau"])
    if not 0.0 < tau < 1.0:
        raise EstimationError(f"quantile: tau must lie between 0 and 1, not {tau:g}.")
    kind = inputs.options["se"]
    y = inputs.y if inputs.offset is None else inputs.y - inputs.offset
    found = QuantileFit(y, inputs.X, inputs.names, tau, kind)
    if not found.unique:
        warnings.warn(
            f"quantile: the minimum at tau = {tau:g} is not unique; other coefficients have the "
            "same loss.",
            stacklevel=2,
        )
    if found.crossed:
        warnings.warn(
            f"quantile: the fitted quantiles around {tau:g} cross in {found.crossed} rows; their "
            "density is taken as 0 in the standard errors.",
            stacklevel=2,
        )
    n, k = inputs.X.shape
    back = found.scaling.matrix()
    made = Ingredients(
        DenseScores(found.scores(), None),
        found.bread,
        back,
        None,
        1.0,
        n,
        k,
        True,
        found.classical(),
        f"tau (1 - tau) F^-1 X'X F^-1, density {kind}",
    )
    family = FAMILIES["ols"]
    return Fit(
        estimator=inputs.estimator,
        names=inputs.names,
        parts=inputs.parts,
        y=inputs.y,
        coef=back @ found.beta,
        loglik=found.loglik,
        made=made,
        predictor=SingleIndex(family),
        family=family,
        offset=inputs.offset,
        iterations=1,
        ancillary={"tau": tau, "check_loss": found.loss},
        df=float(n - k),
    )
