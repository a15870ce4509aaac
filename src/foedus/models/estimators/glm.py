"""Generalised linear models beside the logit, probit, Poisson and linear ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from foedus.models.fit import Fit, fit_index
from foedus.models.inputs import Inputs
from foedus.models.predictor import SingleIndex
from foedus.models.registry import Option, estimator

_BOOK = "McCullagh and Nelder 1989, Generalized Linear Models"
_COVARIANCES = ("classical", "scores", "leverage", "resample")


def _link(default: str, *allowed: str) -> Option:
    return Option("link", "between mean and index", default=default, allowed=(default, *allowed))


@estimator(
    "gamma",
    title="Gamma GLM (variance proportional to the squared mean)",
    citation=_BOOK,
    outcome="positive",
    options=(_link("log", "inverse", "identity"),),
    covariances=_COVARIANCES,
)
def fit_gamma(inputs: Inputs) -> Fit:
    """Fit by Newton's method (`foedus.models.methods.glm`)."""
    return _fit(inputs, "gamma", dispersed=True)


@estimator(
    "inverse_gaussian",
    title="inverse Gaussian GLM (variance proportional to the cubed mean)",
    citation=_BOOK,
    outcome="positive",
    options=(_link("log", "inverse_squared", "inverse", "identity"),),
    covariances=_COVARIANCES,
)
def fit_inverse_gaussian(inputs: Inputs) -> Fit:
    """Fit by Newton's method (`foedus.models.methods.glm`)."""
    return _fit(inputs, "inverse_gaussian", dispersed=True)


@estimator(
    "gaussian",
    title="Gaussian GLM (constant variance) with a link; least squares for the identity",
    citation=_BOOK,
    outcome="continuous",
    options=(_link("identity", "log", "inverse"),),
    covariances=_COVARIANCES,
)
def fit_gaussian(inputs: Inputs) -> Fit:
    """Fit by Newton's method (`foedus.models.methods.glm`)."""
    return _fit(inputs, "gaussian", dispersed=True)


@estimator(
    "binomial",
    title="binary outcome with a link of choice: log (risk ratios), identity (risk differences)",
    citation="Wacholder 1986, American Journal of Epidemiology 123",
    outcome="binary",
    options=(_link("logit", "log", "identity", "probit", "cloglog", "cauchit"),),
    covariances=_COVARIANCES,
)
def fit_binomial(inputs: Inputs) -> Fit:
    """Fit by Newton's method (`foedus.models.methods.glm`)."""
    return _fit(inputs, "binomial", dispersed=False)


@estimator(
    "quasipoisson",
    title="quasi-Poisson: Poisson estimates, variance phi times the mean; no log-likelihood",
    citation="Wedderburn 1974, Biometrika 61",
    outcome="count",
    covariances=_COVARIANCES,
)
def fit_quasipoisson(inputs: Inputs) -> Fit:
    """Fit by Newton's method (`foedus.models.methods.glm`)."""
    return _fit(inputs, "poisson", dispersed=True, likelihood=False)


@estimator(
    "fractional",
    title="fractional logit: a share from 0 to 1, quasi-binomial",
    citation="Papke and Wooldridge 1996, Journal of Applied Econometrics 11",
    outcome="share",
    options=(_link("logit", "probit", "cloglog"),),
    covariances=_COVARIANCES,
)
def fit_fractional(inputs: Inputs) -> Fit:
    """Fit by Newton's method (`foedus.models.methods.glm`)."""
    return _fit(inputs, "binomial", dispersed=True)


@estimator(
    "lognormal",
    title="log-normal: least squares of log y; the mean is exp(X b + sigma^2 / 2)",
    citation="Aitchison and Brown 1957, The Lognormal Distribution",
    outcome="positive",
    covariances=_COVARIANCES,
)
def fit_lognormal(inputs: Inputs) -> Fit:
    """Fit the logs by least squares; the log-likelihood is that of y, not of log y."""
    from foedus.models.methods.glm_families import LogNormal

    logs = np.log(inputs.y)
    found = fit_index(replace(inputs, estimator="ols", y=logs))
    jacobian = float(inputs.row_weights() @ logs)
    assert found.loglik is not None
    family = LogNormal(found.ancillary["sigma"])
    return replace(
        found,
        estimator=inputs.estimator,
        y=inputs.y,
        loglik=found.loglik - jacobian,
        family=family,
        predictor=SingleIndex(family),
    )


def _fit(inputs: Inputs, kind: str, *, dispersed: bool, likelihood: bool = True) -> Fit:
    from foedus.models.methods.glm import Glm, fit_glm

    family = Glm(inputs.estimator, kind, inputs.options.get("link", "log"))
    return fit_glm(inputs, family, dispersed=dispersed, likelihood=likelihood)
