"""Conditional (fixed-effects) logit: exact, Efron or Breslow; fit to arrays.

Chamberlain 1980, Review of Economic Studies 47; the approximations for several events a stratum
are those of Cox models with one event time, as in R's survival::clogit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray, IntArray
from foedus.models.methods.handover import Estimated, inverse
from foedus.models.methods.indices import STEP_DONE
from foedus.models.methods.strata import exact_pass, exact_scores, sorted_strata, tied_pass
from foedus.models.scaling import scale_columns
from foedus.models.separation import name_some

METHODS = ("exact", "efron", "breslow")
Pass = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]


def fit_conditional(
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    strata: IntArray,
    method: str = "exact",
    offset: FloatArray | None = None,
) -> Estimated:
    """Fit a logit conditional on the number of events of each stratum.

    Parameters
    ----------
    y : float array
        The outcome, 0 or 1.
    X, names : the matrix, without a constant (a stratum's own constant is conditioned out).
    strata : int array
        Each row's stratum number, from 0.
    method : str
        exact, efron or breslow: how several events of a stratum are counted.
    offset : float array, optional
        A term with coefficient 1.

    Returns
    -------
    Estimated
        Row scores are (y - P(event)) (x - the stratum's expected x), which add up to the score of
        each stratum; rows of strata without both outcomes have scores of 0.

    Raises
    ------
    EstimationError
        No stratum with both outcomes; terms that don't vary within strata, or together decide
        them (named).
    """
    name = f"conditional logit ({method})"
    order, starts, stops, silent = sorted_strata(strata, y, method == "exact")
    if starts.size == 0:
        raise EstimationError(
            f"{name}: no stratum has both outcomes, so nothing can be estimated within strata."
        )
    taken = X[order]
    _refuse_constant(taken, starts, stops, names, name)
    scaling = scale_columns(np.column_stack([np.ones(order.size), taken]))
    Z = np.ascontiguousarray((taken - scaling.shift[1:]) * scaling.inverse_scale[1:])
    outcome = y[order]
    extra = np.zeros(order.size) if offset is None else offset[order]
    scores = np.zeros_like(Z)

    def at(beta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        gradient, information = np.zeros(beta.size), np.zeros((beta.size, beta.size))
        eta = Z @ beta + extra
        if method == "exact":
            loglik = exact_pass(Z, outcome, eta, starts, stops, gradient, information)
        else:
            scores[:] = 0.0
            efron = method == "efron"
            loglik = tied_pass(Z, outcome, eta, starts, stops, efron, gradient, information, scores)
        return loglik, gradient, information

    beta, loglik, information, steps = _climb(at, np.zeros(X.shape[1]), name, names)
    if method == "exact":
        exact_scores(Z, outcome, Z @ beta + extra, starts, stops, scores)
    else:
        at(beta)
    all_scores = np.zeros_like(X)
    all_scores[order] = scores
    back = np.diag(scaling.inverse_scale[1:])
    facts = {
        "n_strata": float(starts.size),
        "n_informative": float(order.size),
        "n_uninformative": float(silent.size),
    }
    return Estimated(
        tuple(names),
        back @ beta,
        loglik,
        all_scores,
        inverse(information, name, names),
        back,
        steps,
        facts,
    )


def _refuse_constant(
    X: FloatArray, starts: IntArray, stops: IntArray, names: Sequence[str], name: str
) -> None:
    """Refuse terms that never vary within a stratum: conditioning takes them out."""
    means = np.add.reduceat(X, starts, axis=0) / (stops - starts)[:, None]
    within = X - np.repeat(means, stops - starts, axis=0)
    spread = np.sqrt((within**2).mean(axis=0))
    still = [n for n, s, x in zip(names, spread, X.T, strict=True) if s <= 1e-12 * _size(x)]
    if still:
        raise EstimationError(
            f"{name}: {name_some(still)} never varies within a stratum that has both outcomes, so "
            "its coefficient is conditioned out. Leave it out of the formula."
        )
    correlation = within / spread
    values, vectors = np.linalg.eigh(correlation.T @ correlation / X.shape[0])
    if values[0] < 1e-11:
        tied = [names[int(j)] for j in np.flatnonzero(np.abs(vectors[:, 0]) > 1e-4)]
        raise EstimationError(
            f"{name}: collinear terms within strata: {name_some(tied)}. Leave one out."
        )


def _size(x: FloatArray) -> float:
    return float(np.abs(x).max()) or 1.0


def _climb(
    at: Pass, beta: FloatArray, name: str, names: Sequence[str], most: int = 60
) -> tuple[FloatArray, float, FloatArray, int]:
    """Newton's method on a concave log-likelihood; names the term that runs away."""
    loglik, gradient, information = at(beta)
    step = np.zeros_like(beta)
    for iteration in range(1, most + 1):
        try:
            step = np.asarray(np.linalg.solve(information, gradient), dtype=np.float64)
        except np.linalg.LinAlgError:
            break
        size = float(np.abs(step).max())
        if not np.isfinite(size) or float(np.abs(beta).max()) > 40.0:
            break
        factor = 1.0
        for _ in range(30):
            trial = at(beta + factor * step)
            if np.isfinite(trial[0]) and trial[0] >= loglik - 1e-11 * (abs(loglik) + 1.0):
                break
            factor *= 0.5
        else:
            break
        beta = beta + factor * step
        loglik, gradient, information = trial
        if size < STEP_DONE:
            return beta, loglik, information, iteration
    away = names[int(np.abs(beta).argmax())]
    raise EstimationError(
        f"{name} did not converge: the coefficient of {away} grows without bound (the outcome is "
        "separated within strata). Leave the term out."
    )
