"""Generalised estimating equations: a working correlation within clusters."""

from __future__ import annotations

import numpy as np

from foedus.errors import EstimationError
from foedus.models.arrays import IntArray
from foedus.models.families import FAMILIES
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.predictor import SingleIndex
from foedus.models.registry import Option, estimator


@estimator(
    "gee",
    title="generalised estimating equations; cluster(ID; none) is the robust covariance",
    citation="Liang and Zeger 1986, Biometrika 73; Yan and Fine 2004, Statistics in Medicine 23",
    outcome="continuous",
    weights=False,
    options=(
        Option("id", "whose rows are correlated", kind="groups", required=True),
        Option(
            "corr",
            "the working correlation",
            default="exchangeable",
            allowed=("independence", "exchangeable", "ar1"),
        ),
        Option(
            "family",
            "of the mean and the variance",
            default="gaussian",
            allowed=("gaussian", "binomial", "logit", "probit", "cloglog", "poisson"),
        ),
        Option("time", "rows' time, for ar1 (else as they come)", kind="numbers"),
    ),
)
def fit(inputs: Inputs) -> Fit:
    """Solve the estimating equations (`foedus.models.methods.gee`)."""
    from foedus.models.methods.gee import GEE_FAMILIES, fit_gee

    groups = inputs.group("id")
    assert groups is not None
    family = inputs.options["family"]
    found = fit_gee(
        inputs.y,
        inputs.X,
        inputs.names,
        groups.codes,
        inputs.options["corr"],
        family,
        _whole(inputs),
        inputs.offset,
    )
    kind = FAMILIES[GEE_FAMILIES[family]]
    events = None if kind.name == "ols" else int((inputs.y > 0).sum())
    return found.fit(inputs, SingleIndex(kind), family=kind, n_events=events, loglik=None)


def _whole(inputs: Inputs) -> IntArray | None:
    """Return the rows' time in whole steps, or None where it was not given."""
    time = inputs.numbers.get("time")
    if time is None:
        return None
    odd = time[time != np.floor(time)]
    if odd.size:
        raise EstimationError(
            f"gee: time= must be whole numbers (years), but {odd.size} rows hold others, e.g. "
            f"{odd[0]:g}."
        )
    return time.astype(np.int64)
