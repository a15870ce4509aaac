"""Where a series of events changes its law: one change of an inverse Burr, or several of any law.

One change: Cunen, Hjort and Nygard 2020, Journal of Peace Research 57: the law of battle deaths is
an inverse Burr before a year and another one from it on; the year with the highest profile
likelihood is the estimate. Several: Haynes, Fearnhead and Eckley 2017, Statistics and Computing 27:
the likelihood of the empirical distribution function of each segment, at quantiles that look into
the tails, less a penalty for each change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foedus.errors import EstimationError
from foedus.models.arrays import BoolArray, FloatArray, IntArray
from foedus.models.search import nelder_mead
from foedus.models.searched_laws import burr_log_density

STARTS = ((2.0, 1.5, -0.2), (0.0, 1.7, 0.0), (6.0, 1.3, -0.45), (-1.0, 2.5, 0.5))
"""log alpha; theta and the shift of the location in standard deviations of the logs."""
TIGHT = 1e-12
LONG = 4000
EDGE = 14.0
"""Largest log alpha: the law is then the Frechet law to a part in a million."""


@dataclass(frozen=True, slots=True)
class OneChange:
    """The likeliest change of an inverse Burr.

    Attributes
    ----------
    at : int
        Position of the first event of the second law.
    gain : float
        Log-likelihood of two laws less that of one.
    profile : float array
        Gain of a change at each candidate.
    candidates : int array
        Positions that leave enough events on either side.
    before, since : float array (3,)
        alpha, theta and mu of the two laws; some are at the edge of the family (see `inverse_burr`
        of `foedus.models.tail_laws`) and mean nothing by themselves.
    """

    at: int
    gain: float
    profile: FloatArray
    candidates: IntArray
    before: FloatArray
    since: FloatArray


def burr_maxima(
    log_x: FloatArray, inside: BoolArray, *, quick: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Fit inverse Burr laws to parts of one or several samples by maximum likelihood.

    Parameters
    ----------
    log_x : float array (problems, n)
        Logs of the values.
    inside : bool array (problems, n)
        Which values belong to each problem's sample.
    quick : bool
        One search instead of three, for the many samples of a bootstrap.

    Returns
    -------
    tuple of float arrays
        Parameters (problems, 3) and log-likelihoods (problems,), the best of the searches.
    """
    count = inside.sum(axis=1)
    mean = np.where(inside, log_x, 0.0).sum(axis=1) / count
    spread = np.sqrt(np.where(inside, (log_x - mean[:, None]) ** 2, 0.0).sum(axis=1) / count)

    # Searched over log alpha, log theta and log mu + log alpha / theta: where alpha grows without
    # end (the Frechet law), the other two stay where they are.
    def laws(points: FloatArray) -> FloatArray:
        alpha, theta = points[:, 0], np.exp(points[:, 1])
        mu = np.exp(points[:, 2] - alpha / theta)
        return np.column_stack([np.exp(alpha), theta, mu])

    def loss(points: FloatArray, rows: IntArray) -> FloatArray:
        with np.errstate(all="ignore"):
            each = burr_log_density(log_x[rows], laws(points))
        total = -np.where(inside[rows], each, 0.0).sum(axis=1)
        out: FloatArray = np.where(np.abs(points[:, 0]) < EDGE, total, np.inf)
        return out

    best = np.full((log_x.shape[0], 3), np.nan)
    value = np.full(log_x.shape[0], np.inf)
    for alpha, theta, shift in STARTS[:1] if quick else STARTS:
        start = np.column_stack(
            [np.full(count.size, alpha), np.log(theta / spread), mean + shift * spread]
        )
        found = nelder_mead(loss, start, tolerance=1e-9 if quick else TIGHT, most=LONG)
        wins = found.value < value
        best[wins], value[wins] = found.x[wins], found.value[wins]
    return laws(best), -value


def burr_changes(
    samples: FloatArray, candidates: IntArray, *, quick: bool = False
) -> list[OneChange]:
    """Find the likeliest change in each sample, its values in the order of time.

    Parameters
    ----------
    samples : float array (samples, n)
    candidates : int array
        Positions at which the second law may begin, at least four events on either side.
    quick : bool
        As in `burr_maxima`.

    Raises
    ------
    EstimationError
        If a candidate leaves fewer than four events on a side.
    """
    log_x = np.log(np.asarray(samples, dtype=np.float64))
    count, n = log_x.shape
    if not candidates.size or candidates.min() < 4 or candidates.max() > n - 4:
        raise EstimationError(f"{n} events: a change needs four of them on either side.")
    late = np.arange(n)[None, :] >= candidates[:, None]
    parts = np.concatenate([np.ones((1, n), dtype=bool), ~late, late])
    each = np.repeat(log_x, len(parts), axis=0)
    laws, loglik = burr_maxima(each, np.tile(parts, (count, 1)), quick=quick)
    laws, loglik = laws.reshape(count, -1, 3), loglik.reshape(count, -1)
    m = candidates.size
    profile = loglik[:, 1 : m + 1] + loglik[:, m + 1 :] - loglik[:, :1]
    made = []
    for row, gains in enumerate(profile):
        best = int(gains.argmax())
        made.append(
            OneChange(
                int(candidates[best]), float(gains[best]), gains, candidates,
                laws[row, 1 + best], laws[row, 1 + m + best],
            )
        )  # fmt: skip
    return made


# --- several changes, of any law -------------------------------------------------------------


def tail_quantiles(x: FloatArray, count: int) -> FloatArray:
    """Return the values at which segments are compared, denser in both tails (their section 3)."""
    c = np.log(2 * x.size - 1)
    k = np.arange(1, count + 1)
    share = 1.0 / (1.0 + (2 * x.size - 1) * np.exp(-c * (2 * k - 1) / count))
    out: FloatArray = np.quantile(x, share)
    return out


def segment_changes(x: FloatArray, *, penalty: float, least: int = 2) -> IntArray:
    """Split a series where its distribution changes, by exact dynamic programming.

    Parameters
    ----------
    x : float array (n,)
        Values in the order of time; only their order of size matters.
    penalty : float
        Cost of a change, on the scale of twice the log-likelihood.
    least : int
        Fewest events of a segment.

    Returns
    -------
    int array
        Positions at which new segments begin, in order; empty without a change.
    """
    values = np.asarray(x, dtype=np.float64)
    n = values.size
    if n < 2 * least:
        return np.zeros(0, np.int64)
    number = max(2, int(np.ceil(4 * np.log(n))))
    marks = tail_quantiles(values, number)
    # a value at a mark counts half, so that ties don't lean to one side
    below = (values[:, None] < marks) + 0.5 * (values[:, None] == marks)
    summed = np.concatenate([np.zeros((1, number)), np.cumsum(below, axis=0)])
    scale = 2.0 * np.log(2 * n - 1) / number
    best = np.full(n + 1, np.inf)
    best[0] = -penalty
    last = np.zeros(n + 1, np.int64)
    for end in range(least, n + 1):
        starts = np.arange(0, end - least + 1)
        length = (end - starts)[:, None].astype(np.float64)
        share = (summed[end] - summed[starts]) / length
        with np.errstate(divide="ignore", invalid="ignore"):
            bits = share * np.log(share) + (1 - share) * np.log(1 - share)
        cost = -scale * (length * np.nan_to_num(bits, nan=0.0)).sum(axis=1)
        total = best[starts] + cost + penalty
        last[end] = int(starts[total.argmin()])
        best[end] = total.min()
    found = []
    end = n
    while last[end] > 0:
        end = int(last[end])
        found.append(end)
    return np.array(found[::-1], dtype=np.int64)
