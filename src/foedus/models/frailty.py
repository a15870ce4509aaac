"""Shared frailties in Cox's model: a gamma or Gaussian effect of each group.

Therneau, Grambsch and Pankratz 2003, Journal of Computational and Graphical Statistics 12, as in
survival::coxph with frailty(..., sparse = FALSE): the log frailties are coefficients with a
penalty; the variance maximises the marginal likelihood (gamma) or is that of restricted maximum
likelihood (Gaussian).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize, special

from foedus.errors import EstimationError, UsageError, nearest
from foedus.models.arrays import BoolArray, FloatArray, IntArray
from foedus.models.cox import _evaluate, _score_residuals, _State
from foedus.models.risk_sets import RiskSets, risk_sets, tally

FRAILTIES = ("gamma", "gaussian")
CELLS = 30_000_000
STEPS = 100


@dataclass(frozen=True, slots=True)
class FrailtyFit:
    """A Cox model with frailties.

    Attributes
    ----------
    coef, vcov, scores : float array
        Coefficients, their part of the inverse penalised information, and each row's score with
        the frailties profiled out.
    log_frailty : float array
        By group.
    theta : float
        The frailty's variance (of its log, for the Gaussian).
    loglik, marginal : float
        Log partial likelihood at the estimate; marginal log-likelihood (gamma; missing else).
    df : float
        Effective degrees of freedom, coefficients and frailties.
    """

    coef: FloatArray
    vcov: FloatArray
    scores: FloatArray
    log_frailty: FloatArray
    theta: float
    loglik: float
    marginal: float
    df: float
    n_events: int


@dataclass(frozen=True, slots=True)
class _Problem:
    Z: FloatArray
    weights: FloatArray
    offset: FloatArray
    sets: RiskSets
    k: int
    events: FloatArray
    kind: str

    def penalty(self, omega: FloatArray, theta: float) -> tuple[float, FloatArray, FloatArray]:
        """Return the penalty with its gradient and diagonal Hessian."""
        if self.kind == "gaussian":
            ones = np.ones_like(omega)
            return float(omega @ omega) / (2 * theta), omega / theta, ones / theta
        e = np.exp(omega)
        return float(np.sum(e - omega)) / theta, (e - 1.0) / theta, e / theta


@dataclass(frozen=True, slots=True)
class _Inner:
    beta: FloatArray
    state: _State
    information: FloatArray
    penalised: float


def _fit_at(problem: _Problem, theta: float, start: FloatArray) -> _Inner:
    """Maximise the penalised partial likelihood for one variance."""
    k, beta = problem.k, start.copy()
    state, value = _penalised(problem, beta, theta)
    for _ in range(STEPS):
        _, slope, bend = problem.penalty(beta[k:], theta)
        gradient, information = state.gradient.copy(), state.information.copy()
        gradient[k:] -= slope
        information[range(k, beta.size), range(k, beta.size)] += bend
        step = linalg.solve(information, gradient, assume_a="sym")
        size = 1.0
        while size > 1e-9:
            trial, new = _penalised(problem, beta + size * step, theta)
            if np.isfinite(new) and new >= value - 1e-10 * abs(value):
                break
            size *= 0.5
        beta, state, value = beta + size * step, trial, new
        if float(np.abs(size * step).max()) < 1e-10:
            information = state.information.copy()
            bend = problem.penalty(beta[k:], theta)[2]
            information[range(k, beta.size), range(k, beta.size)] += bend
            return _Inner(beta, state, information, value)
    raise EstimationError(f"frailty: no convergence at variance {theta:g}.")


def _penalised(problem: _Problem, beta: FloatArray, theta: float) -> tuple[_State, float]:
    state = _evaluate(problem.Z, problem.weights, problem.offset, problem.sets, beta)
    return state, state.loglik - problem.penalty(beta[problem.k :], theta)[0]


def _marginal(problem: _Problem, inner: _Inner, theta: float) -> float:
    """Return the gamma frailty's marginal log-likelihood (the frailties integrated out)."""
    nu, d = 1.0 / theta, problem.events
    correction = (
        nu - (nu + d) * np.log(nu + d) + nu * np.log(nu)
        + special.gammaln(nu + d) - special.gammaln(nu) + d
    )  # fmt: skip
    return inner.penalised + float(correction.sum())


def fit_frailty(
    stop: FloatArray,
    event: BoolArray,
    X: FloatArray,
    names: Sequence[str],
    groups: IntArray,
    *,
    distribution: str = "gamma",
    theta: float | None = None,
    start: FloatArray | None = None,
    strata: IntArray | None = None,
    ties: str = "efron",
) -> FrailtyFit:
    """Fit Cox's model with a frailty shared within groups.

    Parameters
    ----------
    stop, event, X, names, start, strata, ties
        As in `foedus.models.cox.fit_cox`.
    groups : int array
        Numbers of the groups that share a frailty.
    distribution : str
        gamma or gaussian.
    theta : float, optional
        The frailty's variance; estimated for None.

    Raises
    ------
    EstimationError
        Too many groups for the dense solution, no variance between groups, no convergence.
    """
    if distribution not in FRAILTIES:
        raise UsageError(f'"{distribution}" is no frailty. {nearest(distribution, FRAILTIES)}')
    n_groups = int(groups.max()) + 1
    if n_groups < 2:
        raise EstimationError("frailty: there is only one group.")
    if stop.size * n_groups > CELLS:
        raise EstimationError(
            f"frailty: {stop.size} rows by {n_groups} groups are too many; use strata, or "
            "clustered errors."
        )
    sets = risk_sets(stop, event, start, strata, None, ties)
    centre, scale = X.mean(axis=0), X.std(axis=0)
    flat = [names[j] for j in np.flatnonzero(scale <= 1e-13 * np.abs(centre)).tolist()]
    if flat:
        raise EstimationError(f"{', '.join(flat)} never varies in the rows used; leave it out.")
    dummies = (groups[:, None] == np.arange(n_groups)).astype(np.float64)
    problem = _Problem(
        np.column_stack([(X - centre) / scale, dummies]), np.ones(stop.size),
        np.zeros(stop.size), sets, X.shape[1],
        tally(groups, event.astype(np.float64), n_groups), distribution,
    )  # fmt: skip
    found = _variance(problem, distribution) if theta is None else theta
    inner = _fit_at(problem, found, np.zeros(problem.Z.shape[1]))
    return _finished(problem, inner, found, scale)


def _variance(problem: _Problem, distribution: str) -> float:
    """Find the frailty's variance."""
    memory = {"beta": np.zeros(problem.Z.shape[1])}

    def inner(log_theta: float) -> _Inner:
        fitted = _fit_at(problem, float(np.exp(log_theta)), memory["beta"])
        memory["beta"] = fitted.beta
        return fitted

    if distribution == "gamma":
        best = optimize.minimize_scalar(
            lambda s: -_marginal(problem, inner(s), float(np.exp(s))),
            bounds=(-12.0, 4.0), method="bounded", options={"xatol": 1e-7},
        )  # fmt: skip
        theta = float(np.exp(best.x))
    else:

        def gap(s: float) -> float:
            fitted = inner(s)
            omega = fitted.beta[problem.k :]
            spread = np.diag(linalg.inv(fitted.information))[problem.k :]
            return float(np.log((omega @ omega + spread.sum()) / omega.size) - s)

        if gap(-9.0) < 0:
            raise EstimationError("frailty: the groups don't vary; leave the frailty out.")
        theta = float(np.exp(optimize.brentq(gap, -9.0, 4.0, xtol=1e-9)))
    if theta < 1e-4:
        raise EstimationError("frailty: the groups don't vary; leave the frailty out.")
    return theta


def _finished(problem: _Problem, inner: _Inner, theta: float, scale: FloatArray) -> FrailtyFit:
    k = problem.k
    inverse = linalg.inv(inner.information)
    df = float(np.sum(inverse * inner.state.information.T))
    scores = _score_residuals(problem.Z, problem.weights, problem.sets, inner.state)
    # a group's penalty is shared by its rows, so that scores sum to 0 in all
    member = problem.Z[:, k:]
    slope = problem.penalty(inner.beta[k:], theta)[1]
    scores[:, k:] -= member * (slope / member.sum(axis=0))
    # the frailties' scores come in through the coefficients' share of the joint inverse
    block = linalg.inv(inverse[:k, :k])
    profiled = (scores @ inverse[:, :k]) @ block
    marginal = _marginal(problem, inner, theta) if problem.kind == "gamma" else float("nan")
    return FrailtyFit(
        inner.beta[:k] / scale,
        inverse[:k, :k] / np.outer(scale, scale),
        profiled * scale,
        inner.beta[k:],
        theta,
        inner.state.loglik,
        marginal,
        df,
        int(problem.sets.events.size),
    )
