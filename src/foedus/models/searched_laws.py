"""Power law, inverse Burr and log-normal as poweRlaw and its imitations in R fit them.

`foedus.models.tails` and `tail_laws` find maxima. Print often holds something else: the threshold
that poweRlaw chooses with its law set to 0 below the *rounded* threshold, and inverse Burr laws
where R's search stopped. These are those procedures, over many samples at once, so that numbers in
print can be met, and set beside the maxima.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from foedus.models.arrays import FloatArray, IntArray
from foedus.models.families import LOG_ROOT_2PI
from foedus.models.search import nelder_mead


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The power law of each sample: exponent, threshold, distance, values in the tail."""

    alpha: FloatArray
    xmin: FloatArray
    ks: FloatArray
    n_tail: IntArray


def power_laws(samples: FloatArray, *, rounded: bool = True) -> Thresholds:
    """Fit a power law to each sample, above the threshold of least distance.

    Parameters
    ----------
    samples : float array (samples, n)
        Positive values.
    rounded : bool
        Whether the law is 0 below the rounded threshold (poweRlaw's ``pplcon``), which counts
        values between a threshold and the whole number above it as far from the law. With False
        the threshold is that of `foedus.models.tails.fit_power_law`.

    Returns
    -------
    Thresholds
        Of three or more distinct values in the tail, as in poweRlaw.
    """
    values = np.sort(np.asarray(samples, dtype=np.float64), axis=1)
    parts = [_power_laws(part, rounded) for part in np.array_split(values, len(values) // 200 + 1)]
    return Thresholds(
        *(np.concatenate([getattr(part, name) for part in parts])
          for name in ("alpha", "xmin", "ks", "n_tail"))
    )  # fmt: skip


def _power_laws(values: FloatArray, rounded: bool) -> Thresholds:
    n = values.shape[1]
    logs = np.log(values)
    first = np.ones(values.shape, dtype=bool)
    first[:, 1:] = values[:, 1:] != values[:, :-1]
    distinct_from = np.cumsum(first[:, ::-1], axis=1)[:, ::-1]
    in_tail = n - np.arange(n)
    spread = np.cumsum(logs[:, ::-1], axis=1)[:, ::-1] - in_tail * logs
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha = 1.0 + in_tail / spread
    place = np.arange(n)
    below = (place[None, :] - place[:, None]) / in_tail[:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        law = -np.expm1((1.0 - alpha)[:, :, None] * (logs[:, None, :] - logs[:, :, None]))
    if rounded:
        law = np.where(values[:, None, :] < np.round(values)[:, :, None], 0.0, law)
    gaps = np.where(below[None] >= 0, np.abs(law - below[None]), 0.0).max(axis=2)
    gaps = np.where(first & (distinct_from >= 3), gaps, np.inf)
    best = gaps.argmin(axis=1)
    each = np.arange(len(values))
    return Thresholds(alpha[each, best], values[each, best], gaps[each, best], n - best)


def power_law_fit(
    values: FloatArray, law: Thresholds, draws: int, rng: np.random.Generator
) -> float:
    """Return the share of synthetic samples farther from their own law, the threshold held."""
    n = values.size
    alpha, xmin, ks, share = (
        float(part[0]) for part in (law.alpha, law.xmin, law.ks, law.n_tail / n)
    )
    worse = 0
    for _ in range(draws):
        tail = xmin * (1.0 - rng.random(rng.binomial(n, share))) ** (-1.0 / (alpha - 1.0))
        tail.sort()
        rise = np.log(tail / xmin)
        fitted = -np.expm1(-rise * tail.size / rise.sum())
        fitted[tail < np.round(xmin)] = 0.0
        worse += float(np.abs(fitted - np.arange(tail.size) / tail.size).max()) >= ks
    return worse / draws


# --- inverse Burr ---------------------------------------------------------------------------


def burr_log_share(log_x: FloatArray, law: FloatArray) -> FloatArray:
    """Return log F of the inverse Burr with columns alpha, theta, mu of `law`, a row a sample."""
    alpha, theta, mu = (law[:, at, None] for at in range(3))
    out: FloatArray = -alpha * np.logaddexp(0.0, -theta * (log_x - np.log(mu)))
    return out


def burr_log_density(log_x: FloatArray, law: FloatArray) -> FloatArray:
    """Return the log density of the inverse Burr, a row a sample."""
    alpha, theta, mu = (law[:, at, None] for at in range(3))
    u = theta * (log_x - np.log(mu))
    out: FloatArray = (
        np.log(alpha) + np.log(theta) - log_x + alpha * u - (alpha + 1.0) * np.logaddexp(0.0, u)
    )
    return out


def inverse_burrs(samples: FloatArray) -> FloatArray:
    """Fit an inverse Burr to each sample, its smallest value left out, by R's search from 1, 1, 1.

    Returns
    -------
    float array (samples, 3)
        alpha, theta and mu where the search ended.
    """
    log_x = np.log(np.asarray(samples, dtype=np.float64))
    inside = log_x > log_x.min(axis=1, keepdims=True)

    def loss(points: FloatArray, rows: IntArray) -> FloatArray:
        with np.errstate(all="ignore"):
            each = burr_log_density(log_x[rows], np.exp(points))
        out: FloatArray = -np.where(inside[rows], each, 0.0).sum(axis=1)
        return out

    return np.exp(nelder_mead(loss, np.zeros((len(log_x), 3))).x)


def draw_burr(law: FloatArray, least: float, shape: tuple[int, int],
              rng: np.random.Generator) -> FloatArray:  # fmt: skip
    """Draw from an inverse Burr above its least value."""
    alpha, theta, mu = law
    floor = float(np.exp(burr_log_share(np.log([least]), law[None])[0, 0]))
    share = floor + (1.0 - floor) * rng.random(shape)
    # F = s^alpha, s = u / (1 + u): log u = log s - log(1 - s), with s near 1 for a large alpha
    log_s = np.log(share) / alpha
    out: FloatArray = mu * np.exp((log_s - np.log(-np.expm1(log_s))) / theta)
    return out


# --- log-normal -----------------------------------------------------------------------------


def log_normals(samples: FloatArray) -> FloatArray:
    """Fit a log-normal above each sample's smallest value, on the values above it.

    Returns
    -------
    float array (samples, 2)
        mu and sigma of the likelihood that is conditional on being above the smallest value.
    """
    log_x = np.log(np.asarray(samples, dtype=np.float64))
    least = log_x.min(axis=1)
    inside = log_x > least[:, None]
    count = inside.sum(axis=1)

    def loss(points: FloatArray, rows: IntArray) -> FloatArray:
        mu, log_sigma = points.T
        with np.errstate(all="ignore"):
            sigma = np.exp(log_sigma)
            z = (log_x[rows] - mu[:, None]) / sigma[:, None]
            each = -0.5 * z * z - LOG_ROOT_2PI
            above = special.log_ndtr((mu - least[rows]) / sigma)
        inner: FloatArray = -np.where(inside[rows], each, 0.0).sum(axis=1)
        return np.asarray(inner + count[rows] * (log_sigma + above))

    start = np.column_stack([log_x.mean(axis=1), np.log(log_x.std(axis=1))])
    found = nelder_mead(loss, start, tolerance=1e-11, most=2000).x
    return np.column_stack([found[:, 0], np.exp(found[:, 1])])


def draw_log_normal(law: FloatArray, least: float, shape: tuple[int, int],
                    rng: np.random.Generator) -> FloatArray:  # fmt: skip
    """Draw from a log-normal above its least value."""
    mu, sigma = law
    above = special.ndtr((mu - np.log(least)) / sigma)
    out: FloatArray = np.exp(mu - sigma * special.ndtri(above * (1.0 - rng.random(shape))))
    return out


def log_normal_share(x: FloatArray, law: FloatArray) -> FloatArray:
    """Return F of the log-normal, not conditional on any threshold."""
    out: FloatArray = special.ndtr((np.log(x) - law[:, 0, None]) / law[:, 1, None])
    return out


def two_sided_distance(samples: FloatArray, share: FloatArray) -> FloatArray:
    """Return the Kolmogorov-Smirnov distance of sorted samples and their laws' F at them."""
    n = samples.shape[1]
    place = np.arange(n)
    above, below = share - place / n, (place + 1) / n - share
    out: FloatArray = np.maximum(above.max(axis=1), below.max(axis=1))
    return out
