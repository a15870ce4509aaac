"""Linear panel models with a constant: random effects, between effects, first differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from foedus.errors import UsageError
from foedus.models.absorb import Factor
from foedus.models.arrays import BoolArray, IntArray
from foedus.models.estimators.fixed_effects import linear_ingredients, sigma
from foedus.models.families import FAMILIES
from foedus.models.fit import Fit
from foedus.models.inputs import Groups, Inputs
from foedus.models.panel_effects import (
    COMPONENTS,
    EFFECTS,
    LinearFit,
    fit_between,
    fit_differences,
    fit_random,
)
from foedus.models.prais_winsten import ESTIMATES, RHOS, fit_prais_winsten
from foedus.models.predictor import SingleIndex
from foedus.models.registry import Option, estimator

UNIT = Option("unit", "the panel's units (a dyad, a state)", kind="groups", required=True)


def _factor(group: Groups) -> Factor:
    return Factor(group.name, group.codes, group.n)


def _unit(inputs: Inputs) -> Factor:
    group = inputs.group("unit")
    assert group is not None
    return _factor(group)


def _fit(inputs: Inputs, made: LinearFit, loglik: float | None, lost: dict[str, int]) -> Fit:
    """Wrap a linear fit, its rows in the order of the input."""
    kept: BoolArray | None = None
    rows: IntArray = np.arange(inputs.n)
    if made.rows is not None:
        order = np.argsort(made.rows, kind="stable")
        rows = made.rows[order]
        kept = np.zeros(inputs.n, dtype=bool)
        kept[rows] = True
        made = replace(made, X=made.X[order], residual=made.residual[order], rows=rows)
    parts = tuple(replace(part, X=part.X[rows]) for part in inputs.parts)
    return Fit(
        estimator=inputs.estimator,
        names=inputs.parts[0].terms(),
        parts=parts,
        y=inputs.y[rows],
        coef=made.coef,
        loglik=loglik,
        made=linear_ingredients(made, None, True),
        predictor=SingleIndex(FAMILIES["ols"]),
        family=FAMILIES["ols"],
        offset=None if inputs.offset is None else inputs.offset[rows],
        kept=kept,
        ancillary={**made.numbers, **sigma(made)},
        rows_lost=lost,
        df=float(made.df),
        details={"residual": made.residual},
    )


def _outcome(inputs: Inputs) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(inputs.y - inputs.row_offset())


@estimator(
    "random_effects",
    title="generalised least squares with random effects of units, times or both",
    citation="Swamy and Arora 1972, Econometrica 40; Baltagi and Chang 1994, J. Econometrics 62",
    outcome="continuous",
    options=(
        UNIT,
        Option("time", "the panel's times, for effects of time", kind="groups"),
        Option("effect", "whose effects", default="individual", allowed=EFFECTS),
        Option("components", "how variances are estimated", default="swar", allowed=COMPONENTS),
    ),
    weights=False,
)
def fit(inputs: Inputs) -> Fit:
    """Estimate the variance components, then generalised least squares."""
    unit, time = _unit(inputs), inputs.group("time")
    effect = str(inputs.options["effect"])
    if effect != "individual" and time is None:
        raise UsageError(f'random_effects with effect="{effect}" needs time=.')
    if "(Intercept)" not in inputs.names:
        raise UsageError("random_effects needs the constant; leave 0 or -1 out of the formula.")
    times = unit if time is None else _factor(time)
    made = fit_random(
        _outcome(inputs), inputs.X, inputs.names, unit, times,
        effect=effect, method=str(inputs.options["components"]),
    )  # fmt: skip
    return _fit(inputs, made, None, {})


@estimator(
    "between",
    title="least squares on the means of each unit",
    citation="Baltagi 2021, Econometric Analysis of Panel Data, section 2.3",
    outcome="continuous",
    options=(UNIT,),
    weights=False,
)
def fit_means(inputs: Inputs) -> Fit:
    """Average within units, then least squares with one row a unit."""
    unit = _unit(inputs)
    made = fit_between(_outcome(inputs), inputs.X, inputs.names, unit)
    lost = inputs.n - made.n
    return _fit(inputs, made, made.loglik, {f"averaged within {unit.name}": lost} if lost else {})


@estimator(
    "first_difference",
    title="least squares on the differences between a unit's consecutive rows",
    citation="Wooldridge 2010, Econometric Analysis of Cross Section and Panel Data, section 10.6",
    outcome="continuous",
    options=(
        UNIT,
        Option("time", "the order of a unit's rows", kind="numbers", required=True),
        Option(
            "gaps", "differences over gaps in time: keep (as plm does) or drop",
            default="keep", allowed=("keep", "drop"),
        ),
    ),
    weights=False,
)  # fmt: skip
def fit_changes(inputs: Inputs) -> Fit:
    """Difference within units, then least squares; a constant is a common trend."""
    unit = _unit(inputs)
    made = fit_differences(
        _outcome(inputs), inputs.X, inputs.names, unit, inputs.numbers["time"],
        gaps=str(inputs.options["gaps"]),
    )  # fmt: skip
    lost = inputs.n - made.n
    return _fit(inputs, made, made.loglik, {f"no earlier row of its {unit.name}": lost})


@estimator(
    "prais_winsten",
    title="least squares with AR(1) errors within units, panel-corrected standard errors",
    citation="Prais and Winsten 1954, Cowles Commission 383; Beck and Katz 1995, APSR 89",
    outcome="continuous",
    options=(
        UNIT,
        Option("time", "whole numbers (years)", kind="numbers", required=True),
        Option("rho", "one autocorrelation, or one a unit", default="common", allowed=RHOS),
        Option(
            "rho_from", "how it is estimated from residuals", default="regression",
            allowed=ESTIMATES,
        ),
    ),
    weights=False,
)  # fmt: skip
def fit_autocorrelated(inputs: Inputs) -> Fit:
    """Transform, then least squares; the classical covariance is the panel-corrected one."""
    made, corrected = fit_prais_winsten(
        _outcome(inputs), inputs.X, inputs.names, _unit(inputs), inputs.numbers["time"],
        rho=str(inputs.options["rho"]), estimate=str(inputs.options["rho_from"]),
    )  # fmt: skip
    fitted = _fit(inputs, made, None, {})
    words = "panel-corrected (Beck and Katz 1995), pairwise"
    given = replace(fitted.made, classical=corrected, classical_words=words)
    # z statistics, as Stata's xtpcse
    return replace(fitted, made=given, df=None)
