"""Fitting generalised linear models to arrays, with R's dispersion and log-likelihood."""

from __future__ import annotations

import numpy as np
from scipy import special

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray
from foedus.models.covariance import Ingredients, Scores
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.methods.glm_families import LINKS, Glm
from foedus.models.methods.handover import inverse, scaled
from foedus.models.methods.indices import Index, RowModel, RowParts, maximise_rows
from foedus.models.predictor import SingleIndex

BOUNDED = {
    "binomial": ("log", "identity"),
    "gamma": ("inverse", "identity"),
    "inverse_gaussian": ("inverse_squared", "inverse", "identity"),
}
"""Links under which an index can leave the range of the mean."""


def fit_glm(inputs: Inputs, family: Glm, *, dispersed: bool, likelihood: bool) -> Fit:
    """Fit a generalised linear model.

    Parameters
    ----------
    inputs : Inputs
        The rows.
    family : Glm
        Variance function and link.
    dispersed : bool
        Whether the scale is estimated (Pearson's chi-square over n - k, as R's summary.glm);
        t statistics then have n - k degrees of freedom. Else it is 1.
    likelihood : bool
        Whether there is a log-likelihood; quasi-likelihoods have none.

    Returns
    -------
    Fit
        Classical covariances are the inverse expected information times the scale. The
        log-likelihood is R's logLik: the scale in it is the mean deviance.

    Raises
    ------
    EstimationError
        Collinear terms, no admissible starting value, no convergence.
    """
    y, X, n = inputs.y, inputs.X, inputs.n
    k = X.shape[1]
    Z, scaling = scaled(X, inputs.names)
    weights = inputs.row_weights()

    def parts(rows: slice, etas: FloatArray) -> RowParts:
        value, score, observed = family.parts(y[rows], etas[0])
        return value, score[None], observed[None, None]

    index = Index(Z, np.arange(k), inputs.offset)
    model = RowModel(inputs.estimator, parts, [index], inputs.names, inputs.weights)
    try:
        found = maximise_rows(model, _start(family, inputs, Z, scaling.constant))
    except EstimationError as error:
        if family.link in BOUNDED.get(family.kind, ()):
            raise EstimationError(
                f"{error} With the link {family.link} the mean of some rows may be at the end of "
                "its range, where the likelihood has no slope of 0; try another link."
            ) from None
        raise
    eta = Z @ found.params + inputs.row_offset()
    _, score, _ = family.parts(y, eta)
    expected = family.expected(y, eta) * weights
    information = (Z * expected[:, None]).T @ Z
    pearson = float(weights @ family.pearson(y, eta))
    scale = pearson / (n - k) if dispersed else 1.0
    back = scaling.matrix()
    made = Ingredients(
        Scores(X, score * weights, scaling, None),
        inverse(information, inputs.estimator, inputs.names),
        back,
        expected,
        scale,
        n,
        k,
        True,
    )
    ancillary = {"deviance": float(weights @ family.deviance(y, eta)), "pearson": pearson}
    if dispersed:
        ancillary["dispersion"] = scale
    return Fit(
        estimator=inputs.estimator,
        names=inputs.names,
        parts=inputs.parts,
        y=y,
        coef=back @ found.params,
        loglik=_loglik(family, y, eta, weights) if likelihood else None,
        made=made,
        predictor=SingleIndex(family),
        family=family,
        weights=inputs.weights,
        offset=inputs.offset,
        iterations=found.iterations,
        ancillary=ancillary,
        df=float(n - k) if dispersed else None,
        n_events=int((y > 0).sum()) if family.kind in ("binomial", "poisson") else None,
    )


def _start(family: Glm, inputs: Inputs, Z: FloatArray, constant: int | None) -> FloatArray:
    """Start from the outcome's mean in the constant; without one, from least squares of the link.

    An inverse or identity link without a constant has no other point inside its range.
    """
    start = np.zeros(Z.shape[1])
    level = family.start(float(np.average(inputs.y, weights=inputs.weights)))
    offset = inputs.row_offset()
    if constant is not None:
        start[constant] = (level - float(offset.mean())) * float(np.sign(Z[0, constant]))
    elif family.link in ("inverse", "inverse_squared", "identity"):
        start[:] = np.linalg.lstsq(Z, level - offset, rcond=None)[0]
    value = family.parts(inputs.y, Z @ start + offset)[0]
    if not np.isfinite(value).all():
        raise EstimationError(
            f"{inputs.estimator}: the link {family.link} allows no starting value; use another "
            "link, or keep the constant."
        )
    return start


def _loglik(family: Glm, y: FloatArray, eta: FloatArray, weights: FloatArray) -> float:
    """Return R's logLik.glm: the scale is the mean deviance."""
    mu, total = family.mean(eta), float(weights.sum())
    deviance = float(weights @ family.deviance(y, eta))
    if family.kind == "gaussian":
        n = y.size
        spread = n * float(np.log(2.0 * np.pi * deviance / n) + 1.0)
        return 0.5 * (float(np.log(weights).sum()) - spread)
    if family.kind == "gamma":
        shape = total / deviance
        rows = special.xlogy(shape, shape * y / mu) - shape * y / mu - np.log(y)
        return float(weights @ (rows - special.gammaln(shape)))
    if family.kind == "inverse_gaussian":
        spread = total * float(np.log(2.0 * np.pi * deviance / total) + 1.0)
        return -0.5 * (spread + 3.0 * float(weights @ np.log(y)))
    if family.kind == "poisson":
        return float(weights @ (special.xlogy(y, mu) - mu - special.gammaln(y + 1.0)))
    return float(weights @ (special.xlogy(y, mu) + special.xlog1py(1.0 - y, -mu)))


__all__ = ["LINKS", "Glm", "fit_glm"]
