"""Generalised estimating equations (Liang and Zeger 1986, Biometrika 73); fit to arrays.

Coefficients solve sum_i D_i' V_i^-1 (y_i - mu_i) = 0 over clusters i, with
V_i = phi A^1/2 R(alpha) A^1/2. The scale phi is the mean squared Pearson residual; alpha solves
sum over pairs of d rho / d alpha (r_j r_k / phi - rho_jk) = 0: the mean product for exchangeable
rows, and the least-squares fit of alpha^lag for AR(1) ones. These are the estimating equations of
R's geepack (Yan and Fine 2004, Statistics in Medicine 23), which also divides by n, not n - k.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from scipy import optimize

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray, IntArray, blocks
from foedus.models.families import FAMILIES, Family
from foedus.models.methods.handover import Estimated, inverse, scaled
from foedus.models.newton import Problem, maximise

STRUCTURES = ("independence", "exchangeable", "ar1")
GEE_FAMILIES = {
    "logit": "logit",
    "binomial": "logit",
    "probit": "probit",
    "cloglog": "cloglog",
    "poisson": "poisson",
    "gaussian": "ols",
    "ols": "ols",
}
DONE = 1e-10


@dataclass(frozen=True, slots=True)
class Clusters:
    """Rows in cluster order: where each cluster starts and stops, and each row's time."""

    order: IntArray
    starts: IntArray
    stops: IntArray
    time: IntArray


def clusters_of(codes: IntArray, time: IntArray | None) -> Clusters:
    """Sort rows by cluster, and by time within it where time is given (else as they come).

    Raises
    ------
    EstimationError
        If a cluster has two rows of the same time.
    """
    order = np.argsort(codes, kind="stable") if time is None else np.lexsort((time, codes))
    sizes = np.bincount(codes).astype(np.int64)
    stops = np.cumsum(sizes)
    starts = stops - sizes
    if time is None:
        own = np.arange(codes.size, dtype=np.int64) - np.repeat(starts, sizes)
    else:
        own = time[order]
        again = (np.diff(own) == 0) & (np.diff(codes[order]) == 0)
        if again.any():
            row = int(order[int(np.flatnonzero(again)[0])])
            raise EstimationError(
                f"gee: {int(again.sum())} rows repeat the time of another row of their cluster, "
                f"e.g. row {row} of the rows used at time {int(time[row])}; AR(1) needs one row a "
                "time."
            )
    return Clusters(order, starts, stops, own)


@njit(cache=True)
def _lag_products(r: Any, time: Any, starts: Any, stops: Any, sums: Any, counts: Any) -> None:
    """Add up products of residuals and numbers of pairs by lag."""
    for s in range(starts.size):
        for j in range(starts[s], stops[s]):
            for k in range(j + 1, stops[s]):
                lag = time[k] - time[j]
                sums[lag] += r[j] * r[k]
                counts[lag] += 1.0


def _variance(family: Family, mu: FloatArray) -> FloatArray:
    if family.binary:
        return np.maximum(mu * (1.0 - mu), 1e-300)
    return mu if family.name == "poisson" else np.ones_like(mu)


class _Equations:
    """The estimating equations of one model, rows in cluster order."""

    def __init__(
        self,
        family: Family,
        y: FloatArray,
        Z: FloatArray,
        clusters: Clusters,
        structure: str,
        offset: FloatArray | None,
    ) -> None:
        self.family, self.y, self.Z, self.clusters = family, y, Z, clusters
        self.structure = structure
        self.offset = np.zeros_like(y) if offset is None else offset
        self.sizes = clusters.stops - clusters.starts

    def residuals(self, beta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return Pearson residuals and the factor of each row's x in its Pearson scale."""
        eta = self.Z @ beta + self.offset
        mu = self.family.mean(eta)
        root = np.sqrt(_variance(self.family, mu))
        return (self.y - mu) / root, self.family.slope(eta) / root

    def correlation(self, r: FloatArray, phi: float) -> float:
        """Return alpha at these residuals."""
        if self.structure == "exchangeable":
            totals = np.add.reduceat(r, self.clusters.starts)
            pairs = float((self.sizes * (self.sizes - 1)).sum())
            if pairs == 0:
                raise EstimationError("gee: every cluster has one row; use independence.")
            return float((totals @ totals - r @ r) / pairs / phi)
        if self.structure == "ar1":
            return self._ar1(r, phi)
        return 0.0

    def _ar1(self, r: FloatArray, phi: float) -> float:
        """Solve sum over lags of d alpha^(d-1) (S_d / phi - N_d alpha^d) = 0."""
        c = self.clusters
        longest = int((c.time[c.stops - 1] - c.time[c.starts]).max())
        if longest == 0:
            raise EstimationError("gee: every cluster has one row; use independence.")
        sums, counts = np.zeros(longest + 1), np.zeros(longest + 1)
        _lag_products(r, c.time, c.starts, c.stops, sums, counts)
        lag = np.arange(1, longest + 1, dtype=np.float64)
        own, pairs = sums[1:] / phi, counts[1:]

        def gap(alpha: float) -> float:
            return float((lag * alpha ** (lag - 1) * (own - pairs * alpha**lag)).sum())

        def bend(alpha: float) -> float:
            with np.errstate(divide="ignore", invalid="ignore"):
                curve = np.where(lag > 1, lag * (lag - 1) * alpha ** (lag - 2), 0.0)
            slope = lag * alpha ** (lag - 1)
            return float((curve * (own - pairs * alpha**lag) - pairs * slope**2).sum())

        # the lag-1 mean is where the search starts; Gauss-Newton stays on its side of 0
        alpha = float(own[pairs > 0][0] / pairs[pairs > 0][0])
        alpha = min(max(alpha, -0.95), 0.95)
        for _ in range(200):
            slope = lag * alpha ** (lag - 1)
            weight = float((pairs * slope**2).sum())
            step = gap(alpha) / weight
            alpha = min(max(alpha + step, -0.999), 0.999)
            if abs(step) < 1e-6:
                break
        polished, facts = optimize.newton(
            gap, alpha, fprime=bend, tol=1e-14, maxiter=50, full_output=True, disp=False
        )
        return float(polished) if facts.converged and abs(polished) < 1.0 else alpha

    def whiten(self, M: FloatArray, alpha: float) -> FloatArray:
        """Return R(alpha)^-1 M, cluster by cluster, for a matrix with a row a row."""
        c = self.clusters
        if self.structure == "exchangeable":
            totals = np.add.reduceat(M, c.starts, axis=0)
            share = alpha / (1.0 + (self.sizes - 1) * alpha)
            spread = np.repeat(totals * share[:, None], self.sizes, axis=0)
            out: FloatArray = (M - spread) / (1.0 - alpha)
            return out
        if self.structure == "ar1":
            return self._whiten_ar1(M, alpha)
        return M

    def _whiten_ar1(self, M: FloatArray, alpha: float) -> FloatArray:
        """Return R^-1 M for correlations alpha^gap: R^-1 = L'L with L of two diagonals."""
        c = self.clusters
        first = np.zeros(M.shape[0], dtype=bool)
        first[c.starts] = True
        gap = np.diff(c.time, prepend=0)
        rho = np.where(first, 0.0, alpha ** np.where(first, 1, gap).astype(np.float64))
        scale = 1.0 / (1.0 - rho**2)
        before = np.vstack([np.zeros((1, M.shape[1])), M[:-1]])
        u = (M - rho[:, None] * before) * scale[:, None]
        after = np.vstack([u[1:] * rho[1:, None], np.zeros((1, M.shape[1]))])
        out: FloatArray = u - after
        return out

    def check(self, alpha: float) -> None:
        """Refuse an alpha for which some cluster's correlation matrix is no such thing."""
        largest = int(self.sizes.max())
        if self.structure == "exchangeable" and not -1.0 / max(largest - 1, 1) < alpha < 1.0:
            raise EstimationError(
                f"gee: the exchangeable correlation {alpha:.4f} is impossible in a cluster of "
                f"{largest} rows (it must exceed {-1.0 / (largest - 1):.4f}); use independence or "
                "ar1."
            )


def fit_gee(
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    codes: IntArray,
    structure: str = "exchangeable",
    family: str = "logit",
    time: IntArray | None = None,
    offset: FloatArray | None = None,
    most: int = 500,
) -> Estimated:
    """Fit a model for the mean with a working correlation within clusters.

    Parameters
    ----------
    y, X, names : the outcome, the matrix and its columns' names.
    codes : int array
        Each row's cluster number, from 0.
    structure : str
        independence, exchangeable or ar1.
    family : str
        logit (binomial), probit, cloglog, poisson or gaussian.
    time : int array, optional
        Each row's time; AR(1) correlations are alpha^(difference in time). Without it rows are
        taken as they come, one time step apart, as geepack does.
    offset : float array, optional
        A term with coefficient 1.
    most : int
        Iterations after which the model counts as not converging.

    Returns
    -------
    Estimated
        ``loglik`` is the quasi-log-likelihood of independent rows with scale 1; the bread is the
        model-based ("naive") covariance. Row scores sum to each cluster's estimating function, so
        ``cluster(ID; none)`` is geepack's robust covariance. alpha and phi are in `ancillary`.

    Raises
    ------
    EstimationError
        Collinear terms, an impossible correlation, no convergence.
    """
    kind = FAMILIES[GEE_FAMILIES[family]]
    kind.check(y)
    Z, scaling = scaled(X, names)
    clusters = clusters_of(codes, time if structure == "ar1" else None)
    order = clusters.order
    beta = maximise(kind, Problem(y, X, names, scaling, None, offset)).beta
    own = None if offset is None else offset[order]
    equations = _Equations(kind, y[order], Z[order], clusters, structure, own)
    last = np.inf
    for taken in range(1, most + 1):
        steps = taken
        alpha, phi, step, information, scores = _step(equations, beta)
        size = float(np.abs(step).max())
        if size > 1e3 or not np.isfinite(size):
            break
        beta = beta + step
        if size < DONE and abs(alpha - last) < DONE:
            break
        last = alpha
    else:
        size = np.inf
    if not size < 1e3:
        moving = names[int(np.abs(np.nan_to_num(step, nan=np.inf)).argmax())]
        raise EstimationError(
            f"gee ({structure}) did not converge: the coefficient of {moving} keeps moving; use "
            "independence, or look for terms of very different scale."
        )
    alpha, phi, _, information, scores = _step(equations, beta)
    all_scores = np.empty_like(scores)
    all_scores[order] = scores
    eta = equations.Z @ beta + equations.offset
    loglik = sum(
        float(kind.parts(equations.y[rows], eta[rows])[0].sum()) for rows in blocks(y.size)
    )
    facts = {"phi": phi, "n_clusters": float(clusters.starts.size)}
    if structure != "independence":
        facts["alpha"] = alpha
    back = scaling.matrix()
    return Estimated(
        tuple(names),
        back @ beta,
        loglik,
        all_scores,
        inverse(information, "gee", names),
        back,
        steps,
        facts,
    )


def _step(
    equations: _Equations, beta: FloatArray
) -> tuple[float, float, FloatArray, FloatArray, FloatArray]:
    """Return alpha, phi, the scoring step, the information and the row scores at beta."""
    r, factor = equations.residuals(beta)
    phi = float(r @ r) / r.size
    alpha = equations.correlation(r, phi)
    equations.check(alpha)
    D = equations.Z * factor[:, None]
    both = equations.whiten(np.column_stack([D, r]), alpha)
    information = D.T @ both[:, :-1] / phi
    scores = D * (both[:, -1] / phi)[:, None]
    step = np.linalg.solve(information, scores.sum(axis=0))
    return alpha, phi, step, 0.5 * (information + information.T), scores
