"""Sample selection and systems of two probits on arrays.

Heckman's model by maximum likelihood and in two steps (Heckman 1979, Econometrica 47), the probit
with sample selection (Van de Ven and Van Praag 1981, Journal of Econometrics 17) and the bivariate
probit. Scales and correlations are estimated as log sigma and atanh rho.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

from foedus.errors import EstimationError
from foedus.models.arrays import BoolArray, FloatArray
from foedus.models.bivariate_normal import log_normal2
from foedus.models.families import LOG_ROOT_2PI, Probit
from foedus.models.indices import (
    Derivatives,
    Index,
    IndexFit,
    RowLikelihood,
    maximise_indices,
    single,
)

PROBIT = Probit()


def probit_rows(y: FloatArray) -> FloatArray:
    """Return the signs of outcomes, for P = Phi(sign eta)."""
    return 2.0 * y - 1.0


def fit_probit_index(
    y: FloatArray, index: Index, weights: FloatArray | None = None, what: str = "probit"
) -> IndexFit:
    """Fit a probit, with the observed information."""
    PROBIT.check(y)

    def rows(eta: FloatArray) -> Derivatives:
        loglik, score, information = PROBIT.parts(y, eta[:, 0])
        return loglik, score[:, None], -information[:, None, None]

    return maximise_indices(rows, [index], np.zeros(index.X.shape[1]), weights=weights, what=what)


def inverse_mills(eta: FloatArray) -> FloatArray:
    """Return phi(eta) / Phi(eta)."""
    out: FloatArray = np.exp(-0.5 * eta * eta - LOG_ROOT_2PI - special.log_ndtr(eta))
    return out


def check_selection(selected: BoolArray, names: Sequence[str]) -> None:
    """Refuse a selection that never happens, always happens or leaves too few rows."""
    n = int(selected.sum())
    if n == 0 or n == selected.size:
        state = "no row is" if n == 0 else "all rows are"
        raise EstimationError(f"selection: {state} selected, so there is nothing to correct for.")
    if n <= len(names):
        raise EstimationError(
            f"selection: {n} selected rows are too few for {len(names)} coefficients."
        )


# --- Heckman --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TwoStep:
    """Heckman's two steps.

    Attributes
    ----------
    names, coef, vcov : terms of the outcome, the inverse Mills ratio last; the covariance allows
        for the first step's estimation.
    selection : IndexFit
        The probit.
    sigma, rho : float
        Standard deviation of the outcome's error, and its correlation with the selection's.
    mills : float array
        The inverse Mills ratio of the selected rows.
    X, residual, bread : float array
        Columns (with the ratio), residuals of the selected rows, inverse cross-product.
    """

    names: tuple[str, ...]
    coef: FloatArray
    vcov: FloatArray
    selection: IndexFit
    selection_vcov: FloatArray
    sigma: float
    rho: float
    mills: FloatArray
    X: FloatArray
    residual: FloatArray
    bread: FloatArray


def heckman_two_step(
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    selected: BoolArray,
    select: Index,
    information: str = "expected",
) -> TwoStep:
    """Estimate Heckman's model in two steps.

    Parameters
    ----------
    y, X : float array
        Outcome and columns by row; only selected rows are read.
    names : sequence of str
        The outcome's columns.
    selected : bool array
        Whether each row's outcome is seen.
    select : Index
        The selection's columns.
    information : str
        Of the probit whose covariance enters the correction: "expected" (R's glm) or "observed"
        (sampleSelection, Stata).

    Returns
    -------
    TwoStep
        With Heckman's corrected covariance (Greene 1981, Econometrica 49).
    """
    check_selection(selected, names)
    seen = y[selected]
    if bool((seen == seen[0]).all()):
        raise EstimationError(
            f"the outcome is {seen[0]:g} in all {seen.size} selected rows: nothing to explain."
        )
    probit = fit_probit_index(selected.astype(np.float64), select, None, "selection")
    eta_all = select.X @ probit.coef
    eta = eta_all[selected]
    mills = inverse_mills(eta)
    delta = mills * (mills + eta)
    W = np.column_stack([X[selected], mills])
    inverse = _inverse_cross(W, [*names, "invMillsRatio"])
    coef = inverse @ (W.T @ y[selected])
    residual = y[selected] - W @ coef
    slope = float(coef[-1])
    n = residual.size
    variance = float(residual @ residual) / n + slope**2 * float(delta.mean())
    sigma = float(np.sqrt(variance))
    rho = slope / sigma
    V = probit.bread
    if information == "expected":
        weight = PROBIT.expected(np.empty(0), eta_all)
        V = linalg.inv((select.X * weight[:, None]).T @ select.X)
    cross = (W * delta[:, None]).T @ select.X[selected]
    middle = (W * (1.0 - rho**2 * delta)[:, None]).T @ W + rho**2 * cross @ V @ cross.T
    vcov = variance * inverse @ middle @ inverse
    return TwoStep(
        (*names, "invMillsRatio"), coef, 0.5 * (vcov + vcov.T), probit, V, sigma, rho, mills, W,
        residual, inverse,
    )  # fmt: skip


def _inverse_cross(W: FloatArray, names: Sequence[str]) -> FloatArray:
    scale = np.sqrt(np.einsum("ij,ij->j", W, W))
    _, R = linalg.qr(W / np.where(scale > 0, scale, 1.0), mode="economic")
    weak = np.flatnonzero(np.abs(np.diag(R)) < 1e-9)
    if weak.size:
        raise EstimationError(
            f"collinear terms in the outcome: {', '.join(names[j] for j in weak.tolist())}. With "
            "the same terms in both equations the Mills ratio is nearly a linear function of them."
        )
    half = linalg.solve_triangular(R, np.eye(scale.size)) / scale[:, None]
    out: FloatArray = half @ half.T
    return out


def _heckman_rows(y: FloatArray, selected: BoolArray) -> RowLikelihood:
    def rows(eta: FloatArray) -> Derivatives:
        n = y.size
        loglik, first, second = np.empty(n), np.zeros((n, 4)), np.zeros((n, 4, 4))
        out = ~selected
        a, u, v = PROBIT.parts(np.zeros(int(out.sum())), eta[out, 0])
        loglik[out], first[out, 0], second[out, 0, 0] = a, u, -v
        loglik[selected], first[selected], second[selected] = _selected_rows(
            y[selected], eta[selected]
        )
        return loglik, first, second

    return rows


def _selected_rows(y: FloatArray, eta: FloatArray) -> Derivatives:
    """Return derivatives in the selection's index, the mean, log sigma and atanh rho."""
    u, m, s, t = eta.T
    scale, sinh, cosh = np.exp(-s), np.sinh(t), np.cosh(t)
    r = (y - m) * scale
    a, b = u * cosh + r * sinh, u * sinh + r * cosh
    mills = inverse_mills(a)
    bend = -mills * (a + mills)
    loglik = special.log_ndtr(a) - 0.5 * r * r - s - LOG_ROOT_2PI
    # how a moves with each index
    move = np.column_stack([cosh, -sinh * scale, -r * sinh, b])
    first = mills[:, None] * move
    first[:, 1] += r * scale
    first[:, 2] += r * r - 1.0
    second = bend[:, None, None] * move[:, :, None] * move[:, None, :]
    extra = np.zeros_like(second)
    extra[:, 0, 3] = mills * sinh
    extra[:, 1, 2] = mills * sinh * scale - 2.0 * r * scale
    extra[:, 1, 3] = -mills * cosh * scale
    extra[:, 2, 3] = -mills * r * cosh
    second += extra + extra.transpose(0, 2, 1)
    second[:, 1, 1] -= scale**2
    second[:, 2, 2] += mills * r * sinh - 2.0 * r * r
    second[:, 3, 3] += mills * a
    return loglik, first, second


def fit_heckman(
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    selected: BoolArray,
    select: Index,
    weights: FloatArray | None = None,
) -> IndexFit:
    """Estimate Heckman's model by maximum likelihood.

    Parameters
    ----------
    y, X, names, selected, select
        As in `heckman_two_step`, where the search starts.
    weights : float array, optional
        Prior weights.

    Returns
    -------
    IndexFit
        The selection's coefficients, the outcome's, log sigma and atanh rho.
    """
    check_selection(selected, names)
    begin = heckman_two_step(y, X, names, selected, select)
    n = selected.size
    filled, columns = np.where(selected, y, 0.0), np.where(selected[:, None], X, 0.0)
    # unselected rows play no part in the outcome, but their columns must not upset the scaling
    columns[~selected] = X[selected].mean(axis=0)
    rho = float(np.clip(begin.rho, -0.8, 0.8))
    start = np.concatenate(
        [begin.selection.coef, begin.coef[:-1], [np.log(begin.sigma), np.arctanh(rho)]]
    )
    indices = [select, Index(columns, tuple(names)), single("/lnsigma", n), single("/athrho", n)]
    rows = _heckman_rows(filled, selected)
    return maximise_indices(rows, indices, start, weights=weights, what="heckman")


def correlation(fit: IndexFit, place: int) -> dict[str, float]:
    """Return rho and its standard error from atanh rho at a place among the parameters."""
    rho = float(np.tanh(fit.coef[place]))
    error = float(np.sqrt(fit.bread[place, place]))
    return {"rho": rho, "rho_se": (1.0 - rho**2) * error}


def scale_of(fit: IndexFit, place: int) -> dict[str, float]:
    """Return sigma and its standard error from log sigma at a place among the parameters."""
    sigma = float(np.exp(fit.coef[place]))
    return {"sigma": sigma, "sigma_se": sigma * float(np.sqrt(fit.bread[place, place]))}


# --- two probits ----------------------------------------------------------------------------


def _pair_rows(sign1: FloatArray, sign2: FloatArray, eta: FloatArray) -> Derivatives:
    """Return log Phi2 of two outcomes and its derivatives in both indices and atanh rho."""
    rho = np.tanh(eta[:, 2])
    both = sign1 * sign2
    value, d1, d2 = log_normal2(sign1 * eta[:, 0], sign2 * eta[:, 1], both * rho)
    rest = 1.0 - rho**2
    factor = np.column_stack([sign1, sign2, both * rest])
    first = d1 * factor
    second = d2 * factor[:, :, None] * factor[:, None, :]
    second[:, 2, 2] += d1[:, 2] * both * (-2.0 * rho * rest)
    return value, first, second


def fit_bivariate_probit(
    y1: FloatArray,
    first: Index,
    y2: FloatArray,
    second: Index,
    weights: FloatArray | None = None,
) -> IndexFit:
    """Fit two probits whose errors are correlated.

    Parameters
    ----------
    y1, y2 : float array
        The two 0/1 outcomes; y1 may stand among the second equation's columns (a recursive model).
    first, second : Index
        Their columns.
    weights : float array, optional
        Prior weights.

    Returns
    -------
    IndexFit
        Both equations' coefficients and atanh rho.
    """
    for y in (y1, y2):
        PROBIT.check(y)
    sign1, sign2 = probit_rows(y1), probit_rows(y2)
    start = np.concatenate(
        [
            fit_probit_index(y1, first, weights).coef,
            fit_probit_index(y2, second, weights).coef,
            [0.0],
        ]
    )
    return maximise_indices(
        lambda eta: _pair_rows(sign1, sign2, eta),
        [first, second, single("/athrho", y1.size)],
        start,
        weights=weights,
        what="bivariate probit",
    )


def fit_selection_probit(
    y: FloatArray,
    outcome: Index,
    selected: BoolArray,
    select: Index,
    weights: FloatArray | None = None,
) -> IndexFit:
    """Fit a probit whose outcome is seen in selected rows only (Stata's heckprobit).

    Parameters
    ----------
    y : float array
        0/1 in selected rows, ignored elsewhere.
    outcome, select : Index
        The two equations' columns.
    selected : bool array
        Whether each row's outcome is seen.
    weights : float array, optional
        Prior weights.

    Returns
    -------
    IndexFit
        The selection's coefficients, the outcome's and atanh rho.
    """
    check_selection(selected, outcome.names)
    PROBIT.check(y[selected])
    n = selected.size
    columns = outcome.X.copy()
    columns[~selected] = outcome.X[selected].mean(axis=0)
    sign = probit_rows(np.where(selected, y, 0.0))

    def rows(eta: FloatArray) -> Derivatives:
        loglik, first, second = np.empty(n), np.zeros((n, 3)), np.zeros((n, 3, 3))
        out = ~selected
        a, u, v = PROBIT.parts(np.zeros(int(out.sum())), eta[out, 0])
        loglik[out], first[out, 0], second[out, 0, 0] = a, u, -v
        ones = np.ones(int(selected.sum()))
        parts = _pair_rows(ones, sign[selected], eta[selected])
        loglik[selected], first[selected], second[selected] = parts
        return loglik, first, second

    inside = Index(outcome.X[selected], outcome.names)
    start = np.concatenate(
        [
            fit_probit_index(selected.astype(np.float64), select, weights, "selection").coef,
            fit_probit_index(
                y[selected], inside, None if weights is None else weights[selected], "outcome"
            ).coef,
            [0.0],
        ]
    )
    return maximise_indices(
        rows,
        [select, Index(columns, outcome.names), single("/athrho", n)],
        start,
        weights=weights,
        what="probit with selection",
    )
