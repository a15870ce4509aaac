"""Accelerated failure times: duration ~ covariates, event=, start=."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from foedus.models.arrays import FloatArray, index_of
from foedus.models.covariance import ready_ingredients
from foedus.models.durations import fit_durations, fit_split_population, quantile_of
from foedus.models.estimators.cox import EVENT, START, events_of
from foedus.models.fit import Fit
from foedus.models.indices import Index, IndexFit
from foedus.models.inputs import Inputs
from foedus.models.registry import Option, estimator
from foedus.models.selection import scale_of

CITATION = "Kalbfleisch and Prentice 2002, Statistical Analysis of Failure Time Data, chapter 3"


@dataclass(frozen=True, slots=True)
class DurationPredictor:
    """Predictions of durations: "response" is the median, "mean" the mean, "link" X b.

    ``failing`` is the chance of ever failing, in split-population models; median and mean are
    then those of the rows that fail.
    """

    distribution: str
    split: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of prediction."""
        return ("response", "mean", "link", *(("failing",) if self.split else ()))

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return one number a row."""
        k = parts[0].shape[1]
        eta = index_of(parts[0], params[:k], offset)
        if kind == "link":
            return eta
        if kind == "failing":
            chance: FloatArray = special.expit(parts[1] @ params[k : k + parts[1].shape[1]])
            return chance
        at = k + (parts[1].shape[1] if self.split else 0)
        sigma = 1.0 if self.distribution == "exponential" else float(np.exp(params[at]))
        kappa = float(params[at + 1]) if self.distribution == "gengamma" else 0.0
        factor = self._median(sigma, kappa) if kind == "response" else self._mean(sigma, kappa)
        out: FloatArray = np.exp(eta) * factor
        return out

    def _median(self, sigma: float, kappa: float) -> float:
        if self.distribution != "gengamma":
            return float(np.exp(sigma * quantile_of(self.distribution, np.array([0.5]))[0]))
        if abs(kappa) < 1e-6:
            return 1.0
        half = special.gammaincinv(kappa**-2, 0.5) * kappa**2
        return float(np.exp(sigma * np.log(half) / kappa))

    def _mean(self, sigma: float, kappa: float) -> float:
        """Return E exp(sigma W); infinite where the tail is too heavy for a mean."""
        if self.distribution in ("weibull", "exponential"):
            return float(special.gamma(1.0 + sigma))
        if self.distribution == "loglogistic":
            return float(np.pi * sigma / np.sin(np.pi * sigma)) if sigma < 1 else np.inf
        if self.distribution == "lognormal" or abs(kappa) < 1e-6:
            return float(np.exp(0.5 * sigma**2))
        shape = kappa**-2
        power = shape + sigma / kappa
        if power <= 0:
            return np.inf
        logs = special.gammaln(power) - special.gammaln(shape)
        return float(np.exp(logs + 2 * sigma / kappa * np.log(abs(kappa))))


def _assemble(inputs: Inputs, found: IndexFit, distribution: str, split: bool) -> Fit:
    """Wrap a fit, the scale after the equations."""
    k = inputs.X.shape[1]
    places = np.arange(found.coef.size)
    if split:
        rest = found.coef.size - k - inputs.parts[1].X.shape[1]
        places = np.concatenate([places[:k], places[k + rest :], places[k : k + rest]])
    names = tuple(found.names[place] for place in places.tolist())
    ancillary = {}
    if "/lnsigma" in found.names:
        ancillary = scale_of(found, found.names.index("/lnsigma"))
    if distribution == "weibull":
        ancillary["shape"] = 1.0 / ancillary["sigma"]
    return Fit(
        estimator=inputs.estimator,
        names=names,
        parts=inputs.parts,
        y=inputs.y,
        coef=found.coef[places],
        loglik=found.loglik,
        made=ready_ingredients(found.scores[:, places], found.bread[np.ix_(places, places)]),
        predictor=DurationPredictor(distribution, split),
        weights=inputs.weights,
        offset=inputs.offset,
        iterations=found.iterations,
        ancillary=ancillary,
        n_events=int(events_of(inputs).sum()),
    )


def _fit(inputs: Inputs) -> Fit:
    part = inputs.parts[0]
    kind = inputs.estimator.removeprefix("aft_")
    found = fit_durations(
        kind, inputs.y, events_of(inputs), Index(part.X, part.terms(), inputs.offset),
        inputs.numbers.get("start"), inputs.weights,
    )  # fmt: skip
    return _assemble(inputs, found, kind, False)


@estimator(
    "aft_weibull",
    title="Weibull durations, log T = X b + sigma W; -b / sigma is the log hazard ratio",
    citation=CITATION,
    outcome="duration",
    options=(EVENT, START),
)
def fit_weibull(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the likelihood."""
    return _fit(inputs)


@estimator(
    "aft_exponential",
    title="exponential durations, log T = X b + W",
    citation=CITATION,
    outcome="duration",
    options=(EVENT, START),
)
def fit_exponential(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the likelihood."""
    return _fit(inputs)


@estimator(
    "aft_lognormal",
    title="log-normal durations, log T = X b + sigma W, W normal",
    citation=CITATION,
    outcome="duration",
    options=(EVENT, START),
)
def fit_lognormal(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the likelihood."""
    return _fit(inputs)


@estimator(
    "aft_loglogistic",
    title="log-logistic durations, log T = X b + sigma W, W logistic",
    citation=CITATION,
    outcome="duration",
    options=(EVENT, START),
)
def fit_loglogistic(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the likelihood."""
    return _fit(inputs)


@estimator(
    "aft_gengamma",
    title="generalised gamma durations (kappa 0 log-normal, 1 Weibull; sigma = kappa gamma)",
    citation="Prentice 1974, Biometrika 61; Stacy 1962, Annals of Mathematical Statistics 33",
    outcome="duration",
    options=(EVENT, START),
)
def fit_gengamma(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the likelihood, from three starts."""
    return _fit(inputs)


@estimator(
    "split_population",
    title="durations with a share that never fails: duration ~ x | terms of ever failing",
    citation="Schmidt and Witte 1989, J. Econometrics 40; Hettinger and Zorn 2005",
    outcome="duration",
    options=(
        replace(EVENT, required=True),
        Option(
            "distribution", "of the durations of those who fail", default="weibull",
            allowed=("weibull", "exponential", "lognormal", "loglogistic"),
        ),
    ),
    equations=("failing",),
)  # fmt: skip
def fit_split(inputs: Inputs) -> Fit:
    """Fit both equations by Newton's method on the mixture's likelihood."""
    part, ever = inputs.parts
    kind = str(inputs.options["distribution"])
    found = fit_split_population(
        kind, inputs.y, events_of(inputs), Index(part.X, part.terms(), inputs.offset),
        Index(ever.X, ever.terms()), inputs.weights,
    )  # fmt: skip
    return _assemble(inputs, found, kind, True)
