"""Cox's model with a frailty shared within groups: duration ~ covariates, groups=."""

from __future__ import annotations

from foedus.errors import EstimationError
from foedus.models.covariance import ready_ingredients
from foedus.models.estimators.cox import EVENT, START, STRATA, HazardPredictor, events_of, strata_of
from foedus.models.fit import Fit
from foedus.models.frailty import FRAILTIES, fit_frailty
from foedus.models.inputs import Inputs
from foedus.models.registry import Option, estimator
from foedus.models.risk_sets import TIES


@estimator(
    "cox_frailty",
    title="Cox's proportional hazards with a gamma or Gaussian frailty of groups",
    citation="Therneau, Grambsch and Pankratz 2003, J. Computational and Graphical Statistics 12",
    outcome="duration",
    options=(
        Option("groups", "who shares a frailty (a state, a dyad)", kind="groups", required=True),
        EVENT,
        START,
        STRATA,
        Option("frailty", "its distribution", default="gamma", allowed=FRAILTIES),
        Option("theta", "its variance, if it is not to be estimated (0)", default=0.0),
        Option("ties", "treatment of tied events", default="efron", allowed=TIES),
    ),
    constant="absorbed",
    weights=False,
)
def fit(inputs: Inputs) -> Fit:
    """Maximise the penalised partial likelihood, the variance by its marginal likelihood."""
    group = inputs.group("groups")
    assert group is not None
    if inputs.offset is not None:
        raise EstimationError("cox_frailty takes no offset.")
    theta = float(inputs.options["theta"])
    made = fit_frailty(
        inputs.y, events_of(inputs), inputs.X, inputs.names, group.codes,
        distribution=str(inputs.options["frailty"]), theta=theta if theta > 0 else None,
        start=inputs.numbers.get("start"), strata=strata_of(inputs),
        ties=str(inputs.options["ties"]),
    )  # fmt: skip
    ancillary = {"theta": made.theta, "df": made.df}
    if made.marginal == made.marginal:
        ancillary["marginal_loglik"] = made.marginal
    return Fit(
        estimator=inputs.estimator,
        names=inputs.parts[0].terms(),
        parts=inputs.parts,
        y=inputs.y,
        coef=made.coef,
        loglik=made.loglik,
        made=ready_ingredients(made.scores, made.vcov),
        predictor=HazardPredictor(),
        ancillary=ancillary,
        n_events=made.n_events,
        details={"log_frailty": dict(zip(group.labels, made.log_frailty.tolist(), strict=True))},
    )
