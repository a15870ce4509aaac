"""Weibull hazards with covariates in rate and shape: duration ~ x | terms of the log shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from foedus.models.arrays import FloatArray, index_of
from foedus.models.covariance import ready_ingredients
from foedus.models.estimators.cox import EVENT, START, events_of
from foedus.models.fit import Fit
from foedus.models.indices import Index, IndexFit
from foedus.models.inputs import Inputs
from foedus.models.registry import Option, estimator
from foedus.models.weibull import FORMS, HETEROGENEITY, THETA, fit_weibull_hazard


@dataclass(frozen=True, slots=True)
class WeibullPredictor:
    """Predictions of a Weibull hazard.

    "response" is the median duration, "link" X b (the log rate), "shape" the shape p.
    """

    form: str
    mixed: bool
    kinds: tuple[str, ...] = ("response", "link", "shape")

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return one number a row."""
        k = parts[0].shape[1]
        rate = index_of(parts[0], params[:k], offset)
        if kind == "link":
            return rate
        log_shape = np.asarray(parts[1] @ params[k : k + parts[1].shape[1]])
        p: FloatArray = np.exp(log_shape)
        if kind == "shape":
            return p
        theta = float(np.exp(params[-1])) if self.mixed else 0.0
        # (1 + theta H)^(-1/theta) is a half at H = (2^theta - 1) / theta.
        half = np.log(special.exprel(theta * np.log(2.0)) * np.log(2.0))
        logs = half / p - rate if self.form == "rate" else (half - rate) / p
        out: FloatArray = np.exp(logs)
        return out


def _beside(found: IndexFit, k: int, n_shape: int, mixed: bool) -> dict[str, float]:
    """Return the shape (where it is one) and theta, with standard errors by the delta method."""
    made = {}
    se = np.sqrt(np.diag(found.bread))
    if n_shape == 1:
        made["shape"] = float(np.exp(found.coef[k]))
        made["shape_se"] = made["shape"] * float(se[k])
    if mixed:
        made["theta"] = float(np.exp(found.coef[-1]))
        made["theta_se"] = made["theta"] * float(se[-1])
    return made


@estimator(
    "weibull_hazard",
    title="Weibull hazard, log rate X b and (after the bar) log shape Z g; gamma heterogeneity",
    citation="Zorn 2000, Political Analysis 8; Lancaster 1979, Econometrica 47",
    outcome="duration",
    options=(
        EVENT,
        START,
        Option("form", "cumulated hazard (rate t)^shape, or rate t^shape", default="rate",
               allowed=FORMS),
        Option("heterogeneity", "unseen heterogeneity of rows", default="none",
               allowed=HETEROGENEITY),
    ),
    equations=("shape",),
)  # fmt: skip
def fit_weibull_rate_and_shape(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the likelihood; ``| 1`` leaves the shape the same for all."""
    rate, shape = inputs.parts
    form = str(inputs.options["form"])
    found = fit_weibull_hazard(
        inputs.y, events_of(inputs), Index(rate.X, rate.terms(), inputs.offset),
        Index(shape.X, shape.terms()), start=inputs.numbers.get("start"), weights=inputs.weights,
        form=form, heterogeneity=str(inputs.options["heterogeneity"]),
    )  # fmt: skip
    mixed = THETA in found.names
    return Fit(
        estimator=inputs.estimator,
        names=found.names,
        parts=inputs.parts,
        y=inputs.y,
        coef=found.coef,
        loglik=found.loglik,
        made=ready_ingredients(found.scores, found.bread),
        predictor=WeibullPredictor(form, mixed),
        weights=inputs.weights,
        offset=inputs.offset,
        iterations=found.iterations,
        ancillary=_beside(found, rate.X.shape[1], shape.X.shape[1], mixed),
        n_events=int(events_of(inputs).sum()),
    )
