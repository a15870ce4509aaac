"""Least squares with the effects of one or more identifiers absorbed."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from foedus.errors import UsageError
from foedus.models.absorb import Factor, singletons
from foedus.models.arrays import BoolArray, FloatArray
from foedus.models.covariance import Ingredients, Scores
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.linear import LINEAR, drop_constant
from foedus.models.panel_effects import LinearFit, fit_fixed
from foedus.models.registry import Option, estimator
from foedus.models.scaling import scale_columns

OPTIONS = (
    Option(
        "fe", "the identifiers whose effects are absorbed; or after a bar: y ~ x | dyad + year",
        kind="groups",
    ),
    Option(
        "singletons", "rows alone in an effect: keep (R's lm and plm) or drop (Stata's reghdfe)",
        default="keep", allowed=("keep", "drop"),
    ),
    Option(
        "effects_in_k",
        "whether small-sample factors count absorbed effects among the terms: counted (R's lm, "
        "Stata's areg) or ignored (xtreg, reghdfe for effects nested in clusters)",
        default="counted", allowed=("counted", "ignored"),
    ),
)  # fmt: skip


@estimator(
    "fixed_effects",
    title="least squares with absorbed fixed effects, y = X b + a[i] + c[t] + e",
    citation="Mundlak 1961, Journal of Farm Economics 43; Correia 2016",
    outcome="continuous",
    options=OPTIONS,
    constant="absorbed",
    bars_are_groups="fe",
    covariances=("classical", "scores", "leverage", "resample"),
)
def fit(inputs: Inputs) -> Fit:
    """Project outcome and columns off the effects, then least squares."""
    if not inputs.groups.get("fe"):
        raise UsageError(
            "fixed_effects needs fe= (identifiers), or them after a bar: y ~ x | dyad + year."
        )
    alone = singletons(_factors(inputs))
    kept: BoolArray | None = None
    lost: dict[str, int] = {}
    if inputs.options["singletons"] == "drop" and alone.any():
        kept = ~alone
        lost = {"alone in a fixed effect": int(alone.sum())}
        inputs = inputs.take(kept)
    factors = _factors(inputs)
    y = inputs.y - inputs.row_offset()
    names = " and ".join(factor.name for factor in factors)
    inputs, dropped = drop_constant(inputs, factors, names)
    made = fit_fixed(y, inputs.X, inputs.names, factors, inputs.weights)
    ancillary = {**made.numbers, **sigma(made), "singletons": float(alone.sum())}
    return Fit(
        estimator=inputs.estimator,
        names=inputs.parts[0].terms(),
        parts=inputs.parts,
        y=inputs.y,
        coef=made.coef,
        loglik=made.loglik,
        made=linear_ingredients(made, inputs.weights, inputs.options["effects_in_k"] == "counted"),
        predictor=LINEAR,
        weights=inputs.weights,
        offset=inputs.offset,
        kept=kept,
        ancillary=ancillary,
        rows_lost=lost,
        dropped_terms=dropped,
        df=float(made.df),
        details={
            "residual": made.residual,
            "effects": y - inputs.X @ made.coef - made.residual,
            "absorbed": tuple(group.name for group in inputs.groups["fe"]),
        },
    )


def _factors(inputs: Inputs) -> list[Factor]:
    return [Factor(group.name, group.codes, group.n) for group in inputs.groups["fe"]]


def sigma(made: LinearFit) -> dict[str, float]:
    """Return the error's standard deviation and the residual degrees of freedom."""
    return {"sigma": float(np.sqrt(made.dispersion)), "df_residual": float(made.df)}


def linear_ingredients(made: LinearFit, weights: FloatArray | None, counted: bool) -> Ingredients:
    """Hand a linear fit to the covariances, with leverages."""
    scaling = scale_columns(made.X)
    A = scaling.matrix()
    inverse = np.diag(1.0 / np.diag(A)) if scaling.constant is None else linalg.inv(A)
    w = np.ones(made.n) if weights is None else weights
    more: Any = None if made.absorbed is None else made.absorbed.leverage
    return Ingredients(
        Scores(made.X, made.residual * w, scaling),
        inverse @ made.bread @ inverse.T,
        A,
        w,
        made.dispersion,
        made.n,
        made.k if counted else made.X.shape[1],
        False,
        more_leverage=more,
    )
