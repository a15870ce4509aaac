"""Two-stage least squares: y ~ regressors | instruments (exogenous regressors among them)."""

from __future__ import annotations

import numpy as np
from scipy import linalg, special

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray
from foedus.models.estimators.fixed_effects import linear_ingredients, sigma
from foedus.models.families import FAMILIES
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.panel_effects import LinearFit
from foedus.models.predictor import SingleIndex
from foedus.models.registry import estimator


@estimator(
    "iv",
    title="two-stage least squares, y ~ regressors | instruments and exogenous regressors",
    citation="Theil 1953; Wooldridge 2010, Econometric Analysis, chapter 5",
    outcome="continuous",
    equations=("instruments",),
)
def fit(inputs: Inputs) -> Fit:
    """Project the regressors on the instruments, then least squares on the projections."""
    X, Z = inputs.X, inputs.parts[1].X
    w = inputs.row_weights()
    root = np.sqrt(w)
    n, k = X.shape
    if Z.shape[1] < k:
        raise EstimationError(
            f"iv: {Z.shape[1]} instruments (exogenous regressors among them) are too few for {k} "
            "coefficients."
        )
    scale = np.sqrt(np.einsum("ij,ij->j", Z, Z * w[:, None]))
    Q = linalg.qr(Z * root[:, None] / scale, mode="economic")[0]
    projected = Q @ (Q.T @ (X * root[:, None]))
    size = np.sqrt(np.einsum("ij,ij->j", projected, projected))
    original = np.sqrt(np.einsum("ij,ij->j", X, X * w[:, None]))
    weak = np.flatnonzero(size < 1e-9 * original)
    U, R = linalg.qr(projected / np.where(size > 0, size, 1.0), mode="economic")
    weak = np.union1d(weak, np.flatnonzero(np.abs(np.diag(R)) < 1e-9))
    if weak.size:
        said = ", ".join(inputs.names[int(j)] for j in weak)
        raise EstimationError(
            f"iv: the instruments don't identify {said}: its projection on them is nothing, or "
            "made up by the other terms'. Add an instrument."
        )
    y = inputs.y - inputs.row_offset()
    coef = linalg.solve_triangular(R, U.T @ (y * root)) / size
    half = linalg.solve_triangular(R, np.eye(k)) / size[:, None]
    residual = y - X @ coef
    rss = float(w @ residual**2)
    made = LinearFit(
        coef, half @ half.T, projected / root[:, None], residual, rss / (n - k), n - k, n, k, 0.0
    )
    return Fit(
        estimator=inputs.estimator,
        names=inputs.parts[0].terms(),
        parts=inputs.parts,
        y=inputs.y,
        coef=coef,
        loglik=None,
        made=linear_ingredients(made, inputs.weights, True),
        predictor=SingleIndex(FAMILIES["ols"]),
        family=FAMILIES["ols"],
        weights=inputs.weights,
        offset=inputs.offset,
        ancillary={**sigma(made), **_tests(inputs, y, residual, w)},
        df=float(n - k),
        details={"residual": residual},
    )


def _tests(inputs: Inputs, y: FloatArray, residual: FloatArray, w: FloatArray) -> dict[str, float]:
    """Return first-stage F of each endogenous term, Sargan's and Wu and Hausman's tests."""
    X, Z, n = inputs.X, inputs.parts[1].X, inputs.n
    exogenous = [j for j, name in enumerate(inputs.names) if name in inputs.parts[1].names]
    endogenous = [j for j in range(X.shape[1]) if j not in exogenous]
    out: dict[str, float] = {}
    if not endogenous:
        return out
    excluded = Z.shape[1] - len(exogenous)
    stages = []
    for j in endogenous:
        full, rss = _residual(X[:, j], Z, w)
        _, short = _residual(X[:, j], X[:, exogenous], w)
        stages.append(full)
        df = n - Z.shape[1]
        out[f"first_stage_f:{inputs.names[j]}"] = ((short - rss) / excluded) / (rss / df)
    more = excluded - len(endogenous)
    if more > 0:
        _, left = _residual(residual, Z, w)
        whole = float(w @ residual**2)
        out["sargan"] = n * (1.0 - left / whole)
        out["sargan_p"] = float(special.chdtrc(more, out["sargan"]))
    _, without = _residual(y, X, w)
    _, with_stages = _residual(y, np.column_stack([X, *stages]), w)
    q, df = len(endogenous), n - X.shape[1] - len(endogenous)
    out["wu_hausman"] = ((without - with_stages) / q) / (with_stages / df)
    out["wu_hausman_p"] = float(special.fdtrc(q, df, out["wu_hausman"]))
    return out


def _residual(y: FloatArray, X: FloatArray, w: FloatArray) -> tuple[FloatArray, float]:
    """Return least-squares residuals and their (weighted) sum of squares."""
    root = np.sqrt(w)
    coef = linalg.lstsq(X * root[:, None], y * root)[0] if X.shape[1] else np.empty(0)
    left = y - X @ coef
    return left, float(w @ left**2)
