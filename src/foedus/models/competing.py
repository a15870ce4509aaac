"""Competing risks: cumulative incidence, and Fine and Gray's regression of it.

Fine and Gray 1999, JASA 94: a proportional hazard of the subdistribution, in which rows that met
a competing event stay at risk with the weight G(t-) / G(T-), G the Kaplan-Meier curve of being
cut off. Rows' scores include what estimating G adds, as in R's cmprsk::crr.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray, IntArray
from foedus.models.cox import kaplan_meier

CELLS = 60_000_000
STEPS = 60


@dataclass(frozen=True, slots=True)
class Incidence:
    """The chance of having met each event by a time (Aalen and Johansen 1978)."""

    times: FloatArray
    causes: tuple[int, ...]
    incidence: FloatArray


def cumulative_incidence(time: FloatArray, status: IntArray) -> Incidence:
    """Return cumulative incidence curves.

    Parameters
    ----------
    time : float array
        When each row's spell ends.
    status : int array
        0 cut off, 1, 2, ... the event met.

    Returns
    -------
    Incidence
        One column a cause.
    """
    any_event = status > 0
    curve = kaplan_meier(time, any_event)
    before = np.concatenate([[1.0], curve.survival[:-1]])
    causes = tuple(int(c) for c in np.unique(status[any_event]))
    place = np.searchsorted(curve.times, time)
    steps = [
        np.bincount(place[status == cause], minlength=curve.times.size)[: curve.times.size]
        for cause in causes
    ]
    share = np.column_stack(steps) / curve.at_risk[:, None]
    return Incidence(curve.times, causes, np.cumsum(before[:, None] * share, axis=0))


@dataclass(frozen=True, slots=True)
class FineGrayFit:
    """A fitted subdistribution hazard; scores by row include the estimation of G."""

    coef: FloatArray
    bread: FloatArray
    scores: FloatArray
    loglik: float
    n_events: int
    iterations: int
    times: FloatArray
    baseline: FloatArray


def fit_fine_gray(
    time: FloatArray, status: IntArray, X: FloatArray, names: Sequence[str]
) -> FineGrayFit:
    """Fit Fine and Gray's regression for cause 1 (Breslow's treatment of ties).

    Parameters
    ----------
    time : float array
        When each row's spell ends.
    status : int array
        0 cut off, 1 the event of interest, 2 and above competing ones.
    X : float array
        Columns by row, without a constant.
    names : sequence of str
        Their names.

    Raises
    ------
    EstimationError
        No event of interest, no convergence, or data too large for the weights' table.
    """
    own = status == 1
    if not own.any():
        raise EstimationError("fine_gray: no row meets the event of interest (event = 1).")
    times, place, counts = np.unique(time[own], return_inverse=True, return_counts=True)
    if time.size * times.size > CELLS:
        raise EstimationError(
            f"fine_gray: {time.size} rows by {times.size} event times are too many for its "
            "table of weights; measure time more coarsely, or fit cause-specific hazards (cox)."
        )
    weight, censor = _weights(time, status, times)
    centre, scale = X.mean(axis=0), X.std(axis=0)
    if bool((scale <= 1e-13 * np.abs(centre)).any()):
        flat = [n for n, s in zip(names, scale, strict=True) if s <= 0]
        raise EstimationError(f"{', '.join(flat)} never varies in the rows used; leave it out.")
    Z = (X - centre) / scale
    beta, steps = np.zeros(Z.shape[1]), 0
    value, gradient, information, parts = _evaluate(Z, beta, weight, own, counts)
    for turn in range(1, STEPS + 1):
        steps = turn
        step = linalg.solve(information, gradient, assume_a="sym")
        size = 1.0
        while size > 1e-9:
            trial = _evaluate(Z, beta + size * step, weight, own, counts)
            if np.isfinite(trial[0]) and trial[0] >= value - 1e-9 * abs(value):
                break
            size *= 0.5
        beta = beta + size * step
        value, gradient, information, parts = trial
        if float(np.abs(size * step).max()) < 1e-10:
            break
    else:
        raise EstimationError(
            f"fine_gray did not converge in {STEPS} steps; look for a term that sorts the events."
        )
    scores = _scores(Z, time, status, times, place, weight, censor, parts)
    back = np.diag(1.0 / scale)
    risk, S0, _ = parts
    del risk
    hazard = counts / S0 * np.exp(-float(centre @ (beta / scale)))
    return FineGrayFit(
        beta / scale, back @ linalg.inv(information) @ back, scores * scale, value,
        int(own.sum()), steps, times, np.cumsum(hazard),
    )  # fmt: skip


_Censor = tuple[FloatArray, FloatArray, FloatArray]


def _weights(time: FloatArray, status: IntArray, times: FloatArray) -> tuple[FloatArray, _Censor]:
    """Return each row's weight in each risk set, and the censoring curve (times, risk, hazard)."""
    weight = (time[:, None] >= times[None, :]).astype(np.float64)
    cut = status == 0
    if not cut.any():
        weight[status > 1] = 1.0
        empty = np.empty(0)
        return weight, (empty, empty, empty)
    curve = kaplan_meier(time, cut)

    def before(at: FloatArray) -> FloatArray:
        steps = np.concatenate([[1.0], curve.survival])
        out: FloatArray = steps[np.searchsorted(curve.times, at, side="left")]
        return out

    late = status > 1
    share = before(times)[None, :] / before(time[late])[:, None]
    weight[late] = np.where(time[late][:, None] >= times[None, :], 1.0, share)
    return weight, (curve.times, curve.at_risk, curve.events / curve.at_risk)


_Parts = tuple[FloatArray, FloatArray, FloatArray]


def _evaluate(
    Z: FloatArray,
    beta: FloatArray,
    weight: FloatArray,
    own: np.ndarray[tuple[int], np.dtype[np.bool_]],
    counts: IntArray,
) -> tuple[float, FloatArray, FloatArray, _Parts]:
    eta = Z @ beta
    risk = np.exp(eta)
    S0 = risk @ weight
    mean = (weight.T @ (Z * risk[:, None])) / S0[:, None]
    value = float(eta[own].sum() - counts @ np.log(S0))
    gradient = Z[own].sum(axis=0) - counts @ mean
    exposure = weight @ (counts / S0)
    information = (Z * (risk * exposure)[:, None]).T @ Z - (mean * counts[:, None]).T @ mean
    return value, gradient, information, (risk, S0, mean)


def _scores(
    Z: FloatArray,
    time: FloatArray,
    status: IntArray,
    times: FloatArray,
    place: IntArray,
    weight: FloatArray,
    censor: _Censor,
    parts: _Parts,
) -> FloatArray:
    """Return each row's score residual plus its part in the estimate of G."""
    risk, S0, mean = parts
    counts = np.bincount(place, minlength=times.size)
    step = counts / S0
    # the integral of (x - mean) w exp(x b) dL over all event times
    pull = risk[:, None] * (Z * (weight @ step)[:, None] - weight @ (mean * step[:, None]))
    scores = -pull
    own = status == 1
    scores[own] += Z[own] - mean[place]
    cut_times, at_risk, hazard = censor
    if not cut_times.size:
        return scores
    late = np.flatnonzero(status > 1)
    q = np.zeros((cut_times.size, Z.shape[1]))
    if late.size:
        # from each event time on, what rows with a competing event before it still contribute
        for j, u in enumerate(cut_times):
            rows = late[time[late] < u]
            at = times >= u
            if rows.size and at.any():
                w = weight[np.ix_(rows, np.flatnonzero(at))]
                part = Z[rows] * (w @ step[at])[:, None] - w @ (mean[at] * step[at][:, None])
                q[j] = (risk[rows][:, None] * part).sum(axis=0)
    drift = np.vstack([np.zeros(Z.shape[1]), np.cumsum(q / at_risk[:, None] * hazard[:, None], 0)])
    upto = np.searchsorted(cut_times, time, side="right")
    extra = -drift[upto]
    cut = status == 0
    here = np.searchsorted(cut_times, time[cut])
    extra[cut] += q[here] / at_risk[here][:, None]
    out: FloatArray = scores + extra
    return out
