"""Count distributions as functions of their indices, and what zeros do to them.

Each distribution gives log P(y) with its gradient and Hessian by index; truncation at zero, a
hurdle and zero inflation are then three ways to combine log P(y) with log P(0), whatever the
distribution (Mullahy 1986, J. Econometrics 33; Lambert 1992, Technometrics 34).

Index 0 is the log of the mean; index 1, where there is one, the log of theta (NB2: variance
mu + mu^2/theta) or of delta (NB1: variance mu (1 + delta)); Cameron and Trivedi 2013, ch. 3.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from foedus.models.arrays import FloatArray
from foedus.models.methods.indices import RowParts

CountParts = Callable[[FloatArray, FloatArray], RowParts]
"""``parts(y, etas)``: log P(y), gradient (q, b) and Hessian (q, q, b) by index."""

ETA_MOST = 300.0


def poisson_parts(y: FloatArray, etas: FloatArray) -> RowParts:
    """Return the Poisson's log P(y), gradient and Hessian."""
    eta = np.minimum(etas[0], ETA_MOST)
    mu = np.exp(eta)
    value = y * eta - mu - special.gammaln(y + 1.0)
    return value, (y - mu)[None], -mu[None, None]


def negbin2_parts(y: FloatArray, etas: FloatArray) -> RowParts:
    """Return the NB2's log P(y), gradient and Hessian by log mean and log theta."""
    eta = np.minimum(etas[0], ETA_MOST)
    mu, theta = np.exp(eta), np.exp(np.minimum(etas[1], ETA_MOST))
    total = mu + theta
    value = (
        _log_rising(theta, y)
        - special.gammaln(y + 1.0)
        + special.xlogy(y, mu / total)
        - theta * np.log1p(mu / theta)
    )
    by_theta = (
        special.digamma(y + theta)
        - special.digamma(theta)
        - np.log1p(mu / theta)
        + (mu - y) / total
    )
    twice = (
        special.polygamma(1, y + theta)
        - special.polygamma(1, theta)
        + 1.0 / theta
        - 2.0 / total
        + (y + theta) / total**2
    )
    first = np.stack([theta * (y - mu) / total, theta * by_theta])
    cross = theta * mu * (y - mu) / total**2
    second = np.array(
        [
            [-mu * theta * (y + theta) / total**2, cross],
            [cross, theta * by_theta + theta**2 * twice],
        ]
    )
    return value, first, second


def negbin1_parts(y: FloatArray, etas: FloatArray) -> RowParts:
    """Return the NB1's log P(y), gradient and Hessian by log mean and log delta."""
    eta = np.minimum(etas[0], ETA_MOST)
    delta = np.exp(np.minimum(etas[1], ETA_MOST))
    size = np.exp(eta) / delta
    log_spread = np.log1p(delta)
    value = (
        _log_rising(size, y)
        - special.gammaln(y + 1.0)
        + special.xlogy(y, delta)
        - (y + size) * log_spread
    )
    by_size = special.digamma(y + size) - special.digamma(size) - log_spread
    twice = special.polygamma(1, y + size) - special.polygamma(1, size)
    share = delta / (1.0 + delta)
    pull = size * by_size
    mean_mean = pull + size**2 * twice
    first = np.stack([pull, y - (y + size) * share - pull])
    cross = -mean_mean - size * share
    own = mean_mean + 2.0 * size * share - (y + size) * share / (1.0 + delta)
    return value, first, np.array([[mean_mean, cross], [cross, own]])


def _log_rising(theta: FloatArray, y: FloatArray) -> FloatArray:
    """Return log Gamma(theta + y) - log Gamma(theta), exactly 0 for y = 0."""
    out: FloatArray = np.where(y > 0, special.gammaln(theta + y) - special.gammaln(theta), 0.0)
    return out


COUNTS: dict[str, tuple[CountParts, int]] = {
    "poisson": (poisson_parts, 1),
    "negbin": (negbin2_parts, 2),
    "negbin1": (negbin1_parts, 2),
}
"""Distribution -> its parts and how many indices it has."""


def plain(parts: CountParts, y: FloatArray, etas: FloatArray) -> RowParts:
    """Return the row parts of the distribution itself (Hessian with its sign turned)."""
    value, first, second = parts(y, etas)
    return value, first, -second


def truncated(parts: CountParts, y: FloatArray, etas: FloatArray) -> RowParts:
    """Return the row parts of the distribution given y > 0: log P(y) - log(1 - P(0))."""
    value, first, second = parts(y, etas)
    none, none_first, none_second = parts(np.zeros_like(y), etas)
    # q = P(0) / (1 - P(0)); for tiny means 1 - P(0) loses no digits to expm1
    gap = -np.expm1(none)
    odds = np.exp(none) / gap
    value = value - np.log(gap)
    first = first + odds * none_first
    second = (
        second
        + odds * none_second
        + odds * (1.0 + odds) * none_first[:, None] * none_first[None, :]
    )
    return value, first, -second


def hurdle(parts: CountParts, y: FloatArray, etas: FloatArray) -> RowParts:
    """Return the row parts of a hurdle: the last index is the log-odds that y > 0."""
    crossed = y > 0
    q = etas.shape[0]
    zeta = etas[-1]
    p = special.expit(zeta)
    value = crossed * zeta - np.logaddexp(0.0, zeta)
    first, minus = np.zeros((q, y.size)), np.zeros((q, q, y.size))
    first[-1] = crossed - p
    minus[-1, -1] = p * (1.0 - p)
    if crossed.any():
        own, d, h = truncated(parts, y[crossed], etas[:-1, crossed])
        value[crossed] += own
        first[:-1, crossed] = d
        minus[:-1, :-1, crossed] = h
    return value, first, minus


def zero_inflated(parts: CountParts, y: FloatArray, etas: FloatArray) -> RowParts:
    """Return the row parts of a zero-inflated count: the last index is the log-odds of no risk."""
    zeta = etas[-1]
    q = etas.shape[0]
    pi = special.expit(zeta)
    value, d, h = parts(y, etas[:-1])
    zero = y == 0
    # the share of zeros that come from the count, where there is a zero
    risk = np.where(zero, special.expit(value - zeta), 1.0)
    mixed = np.where(zero, np.logaddexp(zeta, value), value) - np.logaddexp(0.0, zeta)
    both = risk * (1.0 - risk)
    first, second = np.empty((q, y.size)), np.empty((q, q, y.size))
    first[:-1] = risk * d
    first[-1] = (1.0 - risk) - pi
    second[:-1, :-1] = risk * h + both * d[:, None] * d[None, :]
    second[-1, -1] = both - pi * (1.0 - pi)
    second[:-1, -1] = -both * d
    second[-1, :-1] = second[:-1, -1]
    return mixed, first, -second
