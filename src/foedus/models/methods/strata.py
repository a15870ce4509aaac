"""Conditional logit in compiled loops: one stratum's likelihood, gradient and information.

A stratum of n rows with k events contributes the probability that these k rows, of all sets of
k, are the events. Its normaliser is an elementary symmetric polynomial of exp(eta). Written as
P(S = k) for a sum S of independent events with odds exp(eta - c), and c chosen so that k is the
expected sum, it never over- or underflows; the first two moments of the sum of x over such sets
follow in the same recursion (Howard 1972, JRSS B 34; Gail, Lubin and Rubinstein 1981,
Biometrika 68), at n k p^2 steps a stratum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from foedus.models.arrays import FloatArray, IntArray


@njit(cache=True)
def _centre(eta: Any, events: int) -> Any:
    """Find c so that the sum of expit(eta - c) is the number of events."""
    n = eta.size
    low, high = eta.min() - 40.0, eta.max() + 40.0
    c = eta.mean() - np.log(events / (n - events))
    for _ in range(200):
        total, slope = 0.0, 0.0
        for i in range(n):
            p = 1.0 / (1.0 + np.exp(-(eta[i] - c)))
            total += p
            slope += p * (1.0 - p)
        gap = total - events
        if gap > 0:
            low = c
        else:
            high = c
        if abs(gap) < 1e-6 * events:
            break
        step = c + gap / slope if slope > 1e-300 else low - 1.0
        c = step if low < step < high else 0.5 * (low + high)
    return c


@njit(cache=True)
def _exact(Z: Any, eta: Any, events: int, first: Any, second: Any) -> Any:
    """Return log of the normaliser; fill the mean and second moment of the events' sum of Z."""
    n, p = Z.shape
    c = _centre(eta, events)
    chance = np.zeros(events + 1)
    chance[0] = 1.0
    m1 = np.zeros((events + 1, p))
    m2 = np.zeros((events + 1, p, p))
    log_total = events * c
    for i in range(n):
        odds = np.exp(eta[i] - c)
        q = odds / (1.0 + odds)
        r = 1.0 / (1.0 + odds)
        log_total += np.log1p(odds)
        for j in range(min(i + 1, events), -1, -1):
            if j < events - (n - 1 - i) - 1:
                # too few rows are left to reach the number of events from here
                break
            if j > 0:
                before = chance[j - 1]
                for a in range(p):
                    za = Z[i, a]
                    for b in range(a + 1):
                        m2[j, a, b] = r * m2[j, a, b] + q * (
                            m2[j - 1, a, b]
                            + za * m1[j - 1, b]
                            + m1[j - 1, a] * Z[i, b]
                            + za * Z[i, b] * before
                        )
                for a in range(p):
                    m1[j, a] = r * m1[j, a] + q * (m1[j - 1, a] + Z[i, a] * before)
                chance[j] = r * chance[j] + q * before
            else:
                for a in range(p):
                    for b in range(a + 1):
                        m2[j, a, b] *= r
                    m1[j, a] *= r
                chance[j] *= r
    total = chance[events]
    for a in range(p):
        first[a] = m1[events, a] / total
        for b in range(a + 1):
            second[a, b] = m2[events, a, b] / total
            second[b, a] = second[a, b]
    return log_total + np.log(total)


@njit(cache=True)
def _inclusion(eta: Any, events: int, out: Any) -> None:
    """Fill each row's probability of being an event, given the number of events."""
    n = eta.size
    c = _centre(eta, events)
    ahead = np.zeros((n + 1, events + 1))
    ahead[n, 0] = 1.0
    for i in range(n - 1, -1, -1):
        q = 1.0 / (1.0 + np.exp(-(eta[i] - c)))
        for j in range(events + 1):
            ahead[i, j] = (1.0 - q) * ahead[i + 1, j]
            if j > 0:
                ahead[i, j] += q * ahead[i + 1, j - 1]
    behind = np.zeros(events + 1)
    behind[0] = 1.0
    total = ahead[0, events]
    for i in range(n):
        q = 1.0 / (1.0 + np.exp(-(eta[i] - c)))
        mass = 0.0
        for j in range(events):
            mass += behind[j] * ahead[i + 1, events - 1 - j]
        out[i] = q * mass / total
        for j in range(events, -1, -1):
            behind[j] *= 1.0 - q
            if j > 0:
                behind[j] += q * behind[j - 1]


@njit(cache=True)
def exact_pass(
    Z: Any, y: Any, eta: Any, starts: Any, stops: Any, gradient: Any, information: Any
) -> float:
    """Return the exact log-likelihood of sorted strata; add to gradient and information."""
    p = Z.shape[1]
    loglik = 0.0
    first, second = np.empty(p), np.empty((p, p))
    for s in range(starts.size):
        a, b = starts[s], stops[s]
        events = 0
        chosen = 0.0
        centre = np.zeros(p)
        for i in range(a, b):
            for j in range(p):
                centre[j] += Z[i, j] / (b - a)
        own = np.zeros(p)
        part = np.empty((b - a, p))
        for i in range(a, b):
            for j in range(p):
                part[i - a, j] = Z[i, j] - centre[j]
            if y[i] > 0:
                events += 1
                chosen += eta[i]
                for j in range(p):
                    own[j] += part[i - a, j]
        loglik += chosen - _exact(part, eta[a:b], events, first, second)
        for j in range(p):
            gradient[j] += own[j] - first[j]
            for m in range(p):
                information[j, m] += second[j, m] - first[j] * first[m]
    return loglik


@njit(cache=True)
def exact_scores(Z: Any, y: Any, eta: Any, starts: Any, stops: Any, scores: Any) -> None:
    """Fill row scores (y - P(event)) (z - expected z); they sum to each stratum's score."""
    p = Z.shape[1]
    for s in range(starts.size):
        a, b = starts[s], stops[s]
        events = 0
        for i in range(a, b):
            events += 1 if y[i] > 0 else 0
        chance = np.empty(b - a)
        _inclusion(eta[a:b], events, chance)
        middle = np.zeros(p)
        for i in range(a, b):
            for j in range(p):
                middle[j] += chance[i - a] * Z[i, j] / events
        for i in range(a, b):
            gap = (1.0 if y[i] > 0 else 0.0) - chance[i - a]
            for j in range(p):
                scores[i, j] = gap * (Z[i, j] - middle[j])


@njit(cache=True)
def tied_pass(
    Z: Any,
    y: Any,
    eta: Any,
    starts: Any,
    stops: Any,
    efron: bool,
    gradient: Any,
    information: Any,
    scores: Any,
) -> float:
    """Return the Breslow or Efron log-likelihood; add gradient, information; fill row scores.

    Each of a stratum's k events has the same denominator (Breslow 1974, Biometrics 30), or the
    l-th of them counts the events at (1 - l/k) only (Efron 1977, JASA 72).
    """
    p = Z.shape[1]
    loglik = 0.0
    for s in range(starts.size):
        a, b = starts[s], stops[s]
        top = eta[a:b].max()
        events = 0
        n0, d0 = 0.0, 0.0
        n1, d1 = np.zeros(p), np.zeros(p)
        n2, d2 = np.zeros((p, p)), np.zeros((p, p))
        centre = np.zeros(p)
        for i in range(a, b):
            for j in range(p):
                centre[j] += Z[i, j] / (b - a)
        for i in range(a, b):
            w = np.exp(eta[i] - top)
            event = y[i] > 0
            n0 += w
            if event:
                d0 += w
                events += 1
                loglik += eta[i] - top
            for j in range(p):
                zj = Z[i, j] - centre[j]
                n1[j] += w * zj
                if event:
                    d1[j] += w * zj
                    gradient[j] += zj
                for m in range(j + 1):
                    square = w * zj * (Z[i, m] - centre[m])
                    n2[j, m] += square
                    if event:
                        d2[j, m] += square
        for step in range(events):
            share = step / events if efron else 0.0
            total = n0 - share * d0
            loglik -= np.log(total)
            mean = (n1 - share * d1) / total
            for j in range(p):
                gradient[j] -= mean[j]
                for m in range(j + 1):
                    value = (n2[j, m] - share * d2[j, m]) / total - mean[j] * mean[m]
                    information[j, m] += value
                    if m < j:
                        information[m, j] += value
            for i in range(a, b):
                w = np.exp(eta[i] - top)
                pull = -w / total if y[i] == 0 else 1.0 / events - w * (1.0 - share) / total
                for j in range(p):
                    scores[i, j] += pull * (Z[i, j] - centre[j] - mean[j])
    return loglik


def sorted_strata(
    strata: IntArray, y: FloatArray, exact: bool = True
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Order rows by stratum and find the strata that say something.

    Parameters
    ----------
    strata : int array
        Each row's stratum number.
    y : float array
        The outcome, 0 or 1.
    exact : bool
        Whether a stratum of nothing but events is silent, as it is in the exact likelihood; in
        the approximations for ties it is not, if it has two rows or more.

    Returns
    -------
    order : int array
        The rows of the strata that speak, sorted by stratum (stable).
    starts, stops : int array
        Where each such stratum begins and ends within `order`.
    silent : int array
        All other rows: they add nothing to the likelihood.
    """
    n_strata = int(strata.max()) + 1
    size = np.bincount(strata, minlength=n_strata)
    events = np.bincount(strata, weights=y, minlength=n_strata)
    speaks = (events > 0) & ((events < size) if exact else (size > 1))
    inside = speaks[strata]
    rows = np.flatnonzero(inside)
    order = rows[np.argsort(strata[rows], kind="stable")]
    sizes = size[speaks].astype(np.int64)
    stops = np.cumsum(sizes)
    return order, stops - sizes, stops, np.flatnonzero(~inside)
