"""Weibull hazards whose rate and shape both depend on covariates, with gamma heterogeneity.

The cumulated hazard of row i is H(t) = (lambda_i t)^p_i ("rate") or lambda_i t^p_i ("hazard"), with
log lambda = X b and log p = Z g: the shape says whether the hazard rises or falls with time, and
for whom (Zorn 2000, Political Analysis 8). Unseen gamma heterogeneity of mean 1 and variance theta
(Lancaster 1979, Econometrica 47) makes the survival (1 + theta H)^(-1/theta). A spell may start
late, so that rows can change over time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from foedus.models.arrays import BoolArray, FloatArray
from foedus.models.durations import check_durations, fit_durations
from foedus.models.indices import Derivatives, Index, IndexFit, maximise_indices, single

FORMS = ("rate", "hazard")
HETEROGENEITY = ("none", "gamma")
THETA = "/lntheta"


@dataclass(frozen=True, slots=True)
class _Clock:
    """log H of each row at one time, as a function of its indices."""

    logs: FloatArray
    form: str

    def at(self, rate: FloatArray, shape: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log H with its gradient (rows by 2) and Hessian (rows by 2 by 2)."""
        p = np.exp(shape)
        first, second = np.zeros((p.size, 2)), np.zeros((p.size, 2, 2))
        if self.form == "rate":
            value = p * (rate + self.logs)
            first[:, 0] = p
            second[:, 0, 1] = second[:, 1, 0] = p
            first[:, 1] = second[:, 1, 1] = value
        else:
            value = rate + p * self.logs
            first[:, 0] = 1.0
            first[:, 1] = second[:, 1, 1] = p * self.logs
        return value, first, second


def _survival(u: FloatArray, s: FloatArray | None) -> Derivatives:
    """Return log S in u = log H and, with heterogeneity, s = log theta."""
    if s is None:
        h = np.exp(np.minimum(u, 500.0))
        return -h, -h[:, None], -h[:, None, None]
    theta, w = np.exp(s), special.expit(u + s)
    log = np.logaddexp(0.0, u + s)
    bend = w * (1.0 - w)
    first, second = np.empty((u.size, 2)), np.empty((u.size, 2, 2))
    first[:, 0], first[:, 1] = -w / theta, (log - w) / theta
    second[:, 0, 0] = -bend / theta
    second[:, 0, 1] = second[:, 1, 0] = w * w / theta
    second[:, 1, 1] = (2.0 * w - log - bend) / theta
    return -log / theta, first, second


def _thinned(u: FloatArray, s: FloatArray) -> Derivatives:
    """Return what heterogeneity takes off the log hazard, -log(1 + theta H), in u and s."""
    w = special.expit(u + s)
    first = np.repeat(-w[:, None], 2, axis=1)
    second = np.broadcast_to((-w * (1.0 - w))[:, None, None], (u.size, 2, 2)).copy()
    return -np.logaddexp(0.0, u + s), first, second


def _chained(
    outer: Derivatives, inner: tuple[FloatArray, FloatArray, FloatArray], mixed: bool
) -> Derivatives:
    """Turn derivatives in (log H, log theta) into those in rate, shape (and log theta)."""
    value, d1, d2 = outer
    _, u1, u2 = inner
    q = 3 if mixed else 2
    first, second = np.zeros((value.size, q)), np.zeros((value.size, q, q))
    first[:, :2] = d1[:, [0]] * u1
    second[:, :2, :2] = (
        d2[:, 0, 0][:, None, None] * u1[:, :, None] * u1[:, None, :] + d1[:, 0][:, None, None] * u2
    )
    if mixed:
        first[:, 2] = d1[:, 1]
        second[:, 2, 2] = d2[:, 1, 1]
        second[:, :2, 2] = d2[:, 0, 1][:, None] * u1
        second[:, 2, :2] = second[:, :2, 2]
    return value, first, second


@dataclass(frozen=True, slots=True)
class _Likelihood:
    """l of each row: log hazard where it ends with the event, log survival, less that at start."""

    time: FloatArray
    event: BoolArray
    start: FloatArray | None
    form: str

    def __call__(self, eta: FloatArray) -> Derivatives:
        mixed = eta.shape[1] == 3
        ends = _Clock(np.log(self.time), self.form).at(eta[:, 0], eta[:, 1])
        theta = eta[:, 2] if mixed else None
        value, first, second = _chained(_survival(ends[0], theta), ends, mixed)
        e = self.event
        value[e] += eta[e, 1] + ends[0][e] - np.log(self.time[e])
        first[e, :2] += ends[1][e]
        first[e, 1] += 1.0
        second[e, :2, :2] += ends[2][e]
        if theta is not None:
            parts = tuple(part[e] for part in ends)
            less = _chained(_thinned(parts[0], theta[e]), parts, True)  # type: ignore[arg-type]
            value[e] += less[0]
            first[e] += less[1]
            second[e] += less[2]
        late = np.zeros(e.size, bool) if self.start is None else self.start > 0
        if self.start is not None and late.any():
            begins = _Clock(np.log(self.start[late]), self.form).at(eta[late, 0], eta[late, 1])
            over = None if theta is None else theta[late]
            before = _chained(_survival(begins[0], over), begins, mixed)
            value[late] -= before[0]
            first[late] -= before[1]
            second[late] -= before[2]
        return value, first, second


def fit_weibull_hazard(
    time: FloatArray,
    event: BoolArray,
    rate: Index,
    shape: Index,
    *,
    start: FloatArray | None = None,
    weights: FloatArray | None = None,
    form: str = "rate",
    heterogeneity: str = "none",
) -> IndexFit:
    """Fit a Weibull hazard with covariates in rate and shape.

    Parameters
    ----------
    time, event, start, weights
        As in `foedus.models.durations.fit_durations`.
    rate, shape : Index
        Columns of log lambda and of log p, each with a constant.
    form : str
        "rate" for (lambda t)^p, "hazard" for lambda t^p (proportional hazards).
    heterogeneity : str
        "none", or "gamma": a last parameter, the log of the variance theta. A row that starts late
        has survived until then under its own covariates, as in Stata's unshared frailty.

    Returns
    -------
    IndexFit
        Coefficients of the rate, of the shape, then /lntheta. Without /lntheta where no
        heterogeneity makes the likelihood largest (the score of theta at 0 isn't positive).
    """
    check_durations(time, event, start)
    likelihood = _Likelihood(time, event, start, form)
    plain = fit_durations("weibull", time, event, rate, start, weights)
    k = rate.X.shape[1]
    log_shape = -plain.coef[k]
    begin = np.zeros(k + shape.X.shape[1])
    begin[:k] = -plain.coef[:k] * (1.0 if form == "rate" else np.exp(log_shape))
    constant = [j for j in range(shape.X.shape[1]) if bool((shape.X[:, j] == 1.0).all())]
    begin[k + constant[0]] = log_shape
    what = "weibull_hazard"
    found = maximise_indices(likelihood, [rate, shape], begin, weights=weights, what=what)
    if heterogeneity == "none" or _score_of_none(likelihood, found, rate, shape, weights) <= 0:
        return found
    indices = [rate, shape, single(THETA, time.size)]
    return maximise_indices(
        likelihood, indices, np.append(found.coef, np.log(0.2)), weights=weights, what=what
    )


def _score_of_none(
    likelihood: _Likelihood,
    found: IndexFit,
    rate: Index,
    shape: Index,
    weights: FloatArray | None,
) -> float:
    """Return the derivative of the log-likelihood in theta at 0: above 0, there is some."""
    k = rate.X.shape[1]
    etas = rate.X @ found.coef[:k], shape.X @ found.coef[k:]
    offset = 0.0 if rate.offset is None else rate.offset
    ends = np.exp(_Clock(np.log(likelihood.time), likelihood.form).at(etas[0] + offset, etas[1])[0])
    score = 0.5 * ends**2 - likelihood.event * ends
    if likelihood.start is not None:
        late = likelihood.start > 0
        clock = _Clock(np.log(likelihood.start[late]), likelihood.form)
        begins = np.exp(clock.at((etas[0] + offset)[late], etas[1][late])[0])
        score[late] -= 0.5 * begins**2
    return float(score.sum() if weights is None else (score * weights).sum())
