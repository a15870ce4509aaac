"""Sample selection: y | selected ~ outcome's terms | selection's terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from foedus.errors import EstimationError
from foedus.models.arrays import BoolArray, FloatArray, index_of
from foedus.models.bivariate_normal import normal2
from foedus.models.covariance import Ingredients, given_covariance, ready_ingredients
from foedus.models.fit import Fit
from foedus.models.indices import Index, IndexFit
from foedus.models.inputs import Inputs
from foedus.models.registry import estimator
from foedus.models.selection import (
    correlation,
    fit_heckman,
    fit_selection_probit,
    heckman_two_step,
    inverse_mills,
    scale_of,
)

CITATION = "Heckman 1979, Econometrica 47"


@dataclass(frozen=True, slots=True)
class SelectionPredictor:
    """Predictions with sample selection.

    "response" is the outcome's mean whether or not it is selected (a probability, for a probit),
    "selected" its mean given selection, "selection" the probability of selection, "link" X b.
    """

    probit: bool
    two_step: bool = False
    kinds: tuple[str, ...] = ("response", "selected", "selection", "link")

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return one number a row."""
        k, m = parts[0].shape[1], parts[1].shape[1]
        eta = index_of(parts[0], params[:k], offset)
        if kind == "link":
            return eta
        choice = np.asarray(parts[1] @ params[k : k + m])
        if kind == "selection":
            chance: FloatArray = special.ndtr(choice)
            return chance
        if kind == "response":
            mean: FloatArray = special.ndtr(eta) if self.probit else eta
            return mean
        return self._selected(params, eta, choice)

    def _selected(self, params: FloatArray, eta: FloatArray, choice: FloatArray) -> FloatArray:
        if self.probit:
            rho = np.full(eta.size, np.tanh(params[-1]))
            both: FloatArray = normal2(eta, choice, rho) / special.ndtr(choice)
            return both
        slope = params[-1] if self.two_step else np.exp(params[-2]) * np.tanh(params[-1])
        out: FloatArray = eta + slope * inverse_mills(choice)
        return out


def selected_rows(inputs: Inputs) -> BoolArray:
    """Return which rows are selected; the second outcome is 0 or 1."""
    chosen: BoolArray = inputs.outcomes[0] == 1.0
    return chosen


def select_index(inputs: Inputs) -> Index:
    """Return the selection's columns."""
    part = inputs.parts[1]
    return Index(part.X, part.terms())


def assemble(
    inputs: Inputs,
    fit: IndexFit,
    order: FloatArray,
    predictor: SelectionPredictor,
    ancillary: dict[str, float],
) -> Fit:
    """Wrap a fit, its parameters put in the order of the formula's equations."""
    places = order.astype(np.int64)
    made = ready_ingredients(fit.scores[:, places], fit.bread[np.ix_(places, places)])
    return Fit(
        estimator=inputs.estimator,
        names=tuple(fit.names[place] for place in places.tolist()),
        parts=inputs.parts,
        y=inputs.y,
        coef=fit.coef[places],
        loglik=fit.loglik,
        made=made,
        predictor=predictor,
        weights=inputs.weights,
        offset=inputs.offset,
        iterations=fit.iterations,
        ancillary=ancillary,
        n_events=int(selected_rows(inputs).sum()),
    )


def outcome_first(fit: IndexFit) -> FloatArray:
    """Return the order that puts the second index's parameters first."""
    places = np.arange(fit.coef.size)
    second, first = fit.part(1), fit.part(0)
    rest = np.arange(second.stop, fit.coef.size)
    return np.concatenate([places[second], places[first], rest]).astype(np.float64)


@estimator(
    "heckman",
    title="Heckman's selection model by maximum likelihood: y | selected ~ x | z",
    citation=CITATION,
    outcome="continuous",
    equations=("selection",),
    second_outcomes=("binary",),
    selects=True,
)
def fit(inputs: Inputs) -> Fit:
    """Maximise the likelihood of both equations, from Heckman's two steps."""
    y = inputs.y - inputs.row_offset()
    found = fit_heckman(
        y, inputs.X, inputs.names, selected_rows(inputs), select_index(inputs), inputs.weights
    )
    last = found.coef.size - 1
    ancillary = {**scale_of(found, last - 1), **correlation(found, last)}
    ancillary["lambda"] = ancillary["sigma"] * ancillary["rho"]
    return assemble(inputs, found, outcome_first(found), SelectionPredictor(False), ancillary)


@estimator(
    "heckman_two_step",
    title="Heckman's selection model in two steps, with the corrected covariance",
    citation=f"{CITATION}; Greene 1981, Econometrica 49",
    outcome="continuous",
    equations=("selection",),
    second_outcomes=("binary",),
    selects=True,
    covariances=("classical", "resample"),
    weights=False,
)
def fit_two_step(inputs: Inputs) -> Fit:
    """Probit, then least squares with the inverse Mills ratio."""
    y = inputs.y - inputs.row_offset()
    steps = heckman_two_step(
        y, inputs.X, inputs.names, selected_rows(inputs), select_index(inputs), inputs.information
    )
    k, m = inputs.X.shape[1], inputs.parts[1].X.shape[1]
    size = k + m + 1
    vcov = np.zeros((size, size))
    outcome = [*range(k), size - 1]
    vcov[np.ix_(outcome, outcome)] = steps.vcov
    vcov[k : k + m, k : k + m] = steps.selection_vcov
    words = "two steps, corrected for the first (equations taken apart)"
    made: Ingredients = given_covariance(vcov, words, inputs.n, likelihood=True)
    coef = np.concatenate([steps.coef[:-1], steps.selection.coef, steps.coef[-1:]])
    return Fit(
        estimator=inputs.estimator,
        names=(*inputs.names, *inputs.parts[1].terms(), "/invMillsRatio"),
        parts=inputs.parts,
        y=inputs.y,
        coef=coef,
        loglik=None,
        made=made,
        predictor=SelectionPredictor(False, two_step=True),
        offset=inputs.offset,
        ancillary={"sigma": steps.sigma, "rho": steps.rho},
        n_events=int(selected_rows(inputs).sum()),
    )


@estimator(
    "selection_probit",
    title="probit with sample selection: y | selected ~ x | z (Stata's heckprobit)",
    citation="Van de Ven and Van Praag 1981, Journal of Econometrics 17",
    outcome="binary",
    equations=("selection",),
    second_outcomes=("binary",),
    selects=True,
)
def fit_probit(inputs: Inputs) -> Fit:
    """Maximise the likelihood of both probits with correlated errors."""
    if inputs.offset is not None:
        raise EstimationError("selection_probit takes no offset.")
    found = fit_selection_probit(
        inputs.y,
        replace_names(inputs),
        selected_rows(inputs),
        select_index(inputs),
        inputs.weights,
    )
    ancillary = correlation(found, found.coef.size - 1)
    return assemble(inputs, found, outcome_first(found), SelectionPredictor(True), ancillary)


def replace_names(inputs: Inputs) -> Index:
    """Return the first equation's columns as an index."""
    part = replace(inputs.parts[0])
    return Index(part.X, part.terms())
