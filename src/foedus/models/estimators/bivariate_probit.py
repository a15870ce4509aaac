"""Two probits at once: y1 | y2 ~ terms of y1 | terms of y2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray, index_of
from foedus.models.bivariate_normal import normal2
from foedus.models.covariance import given_covariance, ready_ingredients
from foedus.models.fit import Fit
from foedus.models.indices import Index
from foedus.models.inputs import Inputs
from foedus.models.registry import estimator
from foedus.models.selection import PROBIT, correlation, fit_bivariate_probit, fit_probit_index


@dataclass(frozen=True, slots=True)
class PairPredictor:
    """Predictions of two probits.

    "response" is P(y1 = 1), "second" P(y2 = 1), "both" P(y1 = 1, y2 = 1), "given" P(y1 | y2 = 1),
    "link" the first index.
    """

    kinds: tuple[str, ...] = ("response", "second", "both", "given", "link")

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return one number a row."""
        k, m = parts[0].shape[1], parts[1].shape[1]
        one = index_of(parts[0], params[:k], offset)
        two = np.asarray(parts[1] @ params[k : k + m])
        if kind == "link":
            return one
        if kind in ("response", "second"):
            alone: FloatArray = special.ndtr(one if kind == "response" else two)
            return alone
        joint = normal2(one, two, np.full(one.size, np.tanh(params[-1])))
        return joint if kind == "both" else joint / special.ndtr(two)


@estimator(
    "bivariate_probit",
    title="two probits with correlated errors: y1 | y2 ~ x | z (y2 may stand in x: recursive)",
    citation="Maddala 1983, Limited-Dependent and Qualitative Variables; Greene 2018, section 17.9",
    outcome="binary",
    equations=("second",),
    second_outcomes=("binary",),
)
def fit(inputs: Inputs) -> Fit:
    """Maximise the likelihood of both outcomes."""
    if inputs.offset is not None:
        raise EstimationError("bivariate_probit takes no offset.")
    one, two = inputs.parts
    found = fit_bivariate_probit(
        inputs.y, Index(one.X, one.terms()), inputs.outcomes[0], Index(two.X, two.terms()),
        inputs.weights,
    )  # fmt: skip
    return Fit(
        estimator=inputs.estimator,
        names=found.names,
        parts=inputs.parts,
        y=inputs.y,
        coef=found.coef,
        loglik=found.loglik,
        made=ready_ingredients(found.scores, found.bread),
        predictor=PairPredictor(),
        weights=inputs.weights,
        iterations=found.iterations,
        ancillary=correlation(found, found.coef.size - 1),
        n_events=int((inputs.y > 0).sum()),
    )


@estimator(
    "two_stage_probit",
    title="simultaneous equations, one continuous and one binary, in two stages: y1 | y2 ~ x | z",
    citation="Maddala 1983, pages 244-247; Keshk 2003, Stata Journal 3 (cdsimeq)",
    outcome="continuous",
    equations=("binary",),
    second_outcomes=("binary",),
    covariances=("classical", "resample"),
    weights=False,
)
def fit_two_stage(inputs: Inputs) -> Fit:
    """Fit both reduced forms, then each equation with the other's fitted value.

    y1 = g1 y2* + x b1 + e1 and y2* = g2 y1 + z b2 + e2, y2 = 1 if y2* > 0. Stage one regresses y1
    (least squares) and y2 (probit) on all exogenous terms; stage two puts the fitted y2* into the
    first equation and the fitted y1 into the second. The covariances are Maddala's, which allow
    for the first stage.
    """
    y1, y2 = inputs.y - inputs.row_offset(), inputs.outcomes[0]
    one, two = inputs.parts
    more = [j for j, name in enumerate(two.names) if name not in one.names]
    if not more or all(name in two.names for name in one.names):
        raise EstimationError(
            "two_stage_probit: each equation needs a term that the other has not; else they can't "
            "be told apart."
        )
    X = np.column_stack([one.X, two.X[:, more]])
    exogenous = Index(X, (*one.names, *(two.names[j] for j in more)))
    n = inputs.n
    inverse = linalg.inv(X.T @ X)
    p1 = inverse @ (X.T @ y1)
    residual = y1 - X @ p1
    s11 = float(residual @ residual) / (n - X.shape[1])
    reduced = fit_probit_index(y2, exogenous, what="two_stage_probit")
    p2 = reduced.coef
    # E(v1 y2 | X) = sigma12 phi(X p2) gives the covariance of the two reduced forms' errors
    density = np.exp(-0.5 * (X @ p2) ** 2) / np.sqrt(2.0 * np.pi)
    s12 = float(residual @ y2) / float(density.sum())
    V2 = linalg.inv((X * PROBIT.expected(y2, X @ p2)[:, None]).T @ X)
    # first equation
    A = np.column_stack([one.X, X @ p2])
    inner = linalg.inv(A.T @ A)
    a = inner @ (A.T @ y1)
    g1 = float(a[-1])
    c = s11 - 2.0 * g1 * s12
    cross = A.T @ X
    va = c * inner + g1**2 * inner @ cross @ V2 @ cross.T @ inner
    # second equation
    B = np.column_stack([two.X, X @ p1])
    names2 = (*two.terms(), "/fitted_first")
    second = fit_probit_index(y2, Index(B, names2), what="two_stage_probit")
    g2 = float(second.coef[-1])
    H = np.zeros((X.shape[1], B.shape[1]))
    for j, name in enumerate(two.names):
        H[exogenous.names.index(name), j] = 1.0
    H[:, -1] = p1
    weight = linalg.inv(V2)
    middle = linalg.inv(H.T @ weight @ H)
    d = g2**2 * s11 - 2.0 * g2 * s12
    pull = middle @ H.T @ weight
    vb = middle + d * pull @ inverse @ pull.T
    k, m = one.X.shape[1], two.X.shape[1]
    vcov = linalg.block_diag(va[:k, :k], vb[:m, :m], va[k:, k:], vb[m:, m:])
    vcov[:k, k + m] = vcov[k + m, :k] = va[:k, k]
    vcov[k : k + m, k + m + 1] = vcov[k + m + 1, k : k + m] = vb[:m, m]
    coef = np.concatenate([a[:k], second.coef[:m], [g1, g2]])
    words = "two stages, corrected for the first (Maddala 1983; equations taken apart)"
    return Fit(
        estimator=inputs.estimator,
        names=(*one.terms(), *two.terms(), "/fitted_second", "/fitted_first"),
        parts=inputs.parts,
        y=inputs.y,
        coef=coef,
        loglik=None,
        made=given_covariance(0.5 * (vcov + vcov.T), words, n, likelihood=True),
        offset=inputs.offset,
        ancillary={"sigma11": s11, "sigma12": s12},
        n_events=int(y2.sum()),
    )
