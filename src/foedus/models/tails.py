"""Power-law tails: exponent, threshold, fit and rivals.

Clauset, Shalizi and Newman 2009, SIAM Review 51: the exponent by maximum likelihood above a
threshold xmin, xmin where the Kolmogorov-Smirnov distance between tail and model is smallest,
the p-value by a semiparametric bootstrap, and Vuong's (1989, Econometrica 57) likelihood ratio
against other tails above the same xmin.

The continuous density is p(x) = (alpha-1)/xmin (x/xmin)^-alpha; the discrete one
p(x) = x^-alpha / zeta(alpha, xmin) on the integers from xmin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from foedus.errors import EstimationError, UsageError, nearest
from foedus.models.arrays import FloatArray, IntArray

CELLS = 4_000_000
"""Cells of the candidates-by-values table worked on at once (32 MB)."""

ALPHA_RANGE = (1.0 + 1e-6, 30.0)
RIVALS = ("lognormal", "exponential")


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """A fitted power-law tail.

    Attributes
    ----------
    alpha, std_error : float
        The exponent of the density and its standard error: (alpha - 1)/sqrt(n_tail) for the
        continuous law, from the likelihood's curvature for the discrete one.
    xmin : float
        The threshold: the tail is x >= xmin.
    n_tail, n : int
        Values in the tail and in all.
    ks : float
        Kolmogorov-Smirnov distance of tail and law.
    loglik : float
        Of the tail.
    discrete : bool
        Whether the law is that of integers.
    """

    alpha: float
    std_error: float
    xmin: float
    n_tail: int
    n: int
    ks: float
    loglik: float
    discrete: bool

    def survival(self, x: npt.ArrayLike) -> FloatArray:
        """Return P(X >= x | X >= xmin) for x from xmin upwards."""
        values = np.asarray(x, dtype=np.float64)
        if self.discrete:
            out: FloatArray = special.zeta(self.alpha, values) / special.zeta(self.alpha, self.xmin)
            return out
        return (values / self.xmin) ** (1.0 - self.alpha)


@dataclass(frozen=True, slots=True)
class TailBootstrap:
    """A semiparametric bootstrap of a power-law fit.

    ``p_value`` is the share of synthetic data sets that fit worse than the data: small values
    speak against the power law. ``alpha_sd`` and ``xmin_sd`` come from resampling the data and
    include the uncertainty of the threshold.
    """

    p_value: float
    draws: int
    seed: int
    alpha_sd: float
    xmin_sd: float
    alpha_low: float
    alpha_high: float


@dataclass(frozen=True, slots=True)
class TailComparison:
    """Vuong's test of a power law against another tail above the same threshold.

    ``ratio`` is the log-likelihood ratio: positive speaks for the power law, if ``p_value``
    (two-sided) lets its sign be trusted.
    """

    rival: str
    ratio: float
    statistic: float
    p_value: float
    parameters: dict[str, float]
    n_tail: int


def _sorted_positive(x: npt.ArrayLike, discrete: bool) -> FloatArray:
    values = np.sort(np.asarray(x, dtype=np.float64).ravel())
    if values.size < 3 or not np.isfinite(values).all() or values[0] <= 0:
        raise EstimationError("a tail needs at least three values, all finite and above 0.")
    if values[0] == values[-1]:
        raise EstimationError("all values are equal: there is no tail.")
    if discrete and bool((values != np.floor(values)).any()):
        raise EstimationError("the discrete power law needs whole numbers; use the continuous.")
    return values


# --- the exponent above every candidate threshold -------------------------------------------


def _continuous_alphas(logs: FloatArray, starts: IntArray) -> FloatArray:
    """Return the exponent above each candidate: 1 + n / sum log(x / xmin)."""
    above = np.cumsum(logs[::-1])[::-1]
    n_tail = logs.size - starts
    spread = above[starts] - n_tail * logs[starts]
    with np.errstate(divide="ignore"):
        alphas: FloatArray = 1.0 + n_tail / spread
    return alphas


def _log_zeta_slopes(alpha: FloatArray, xmin: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the first two derivatives of log zeta(alpha, xmin) in alpha, by differences."""
    step = 1e-4 * (alpha - 1.0)
    low, middle, high = (np.log(special.zeta(alpha + d, xmin)) for d in (-step, 0.0, step))
    return (high - low) / (2 * step), (high - 2 * middle + low) / step**2


def _discrete_alphas(values: FloatArray, starts: IntArray) -> FloatArray:
    """Return the exponent above each candidate by Newton on the zeta likelihood."""
    logs = np.log(values)
    mean_log = np.cumsum(logs[::-1])[::-1][starts] / (values.size - starts)
    xmin = values[starts]
    # start: the continuous estimate with xmin - 1/2 (their equation 3.7)
    spread = np.maximum(mean_log - np.log(xmin - 0.5), 1e-9)
    alpha = np.clip(1.0 + 1.0 / spread, *ALPHA_RANGE)
    for _ in range(50):
        first, second = _log_zeta_slopes(alpha, xmin)
        step = (-first - mean_log) / second
        step = np.clip(step, -0.5 * (alpha - 1.0), alpha - 1.0)
        new = np.clip(alpha + step, *ALPHA_RANGE)
        settled = np.abs(new - alpha) < 1e-9 * (alpha - 1.0) + 1e-12
        alpha = new
        if settled.all():
            break
    return alpha


def _distances(
    values: FloatArray, starts: IntArray, alphas: FloatArray, discrete: bool, distance: str
) -> FloatArray:
    """Return the Kolmogorov-Smirnov distance above each candidate threshold.

    Continuous: the largest gap between the law and the share of the tail below each value, as in
    Clauset's plfit. Discrete: between both distribution functions at each distinct value, or at
    every integer.
    """
    table = _continuous_gaps
    if discrete:
        table = _integer_gaps if distance == "integers" else _value_gaps
    out = np.empty(starts.size)
    per = max(1, CELLS // values.size)
    for begin in range(0, starts.size, per):
        part = slice(begin, begin + per)
        out[part] = table(values, starts[part], alphas[part])
    return out


def _continuous_gaps(values: FloatArray, starts: IntArray, alphas: FloatArray) -> FloatArray:
    logs, places = np.log(values), np.arange(values.size)
    below = (places[None, :] - starts[:, None]) / (values.size - starts)[:, None]
    rise = np.maximum(logs[None, :] - logs[starts][:, None], 0.0)
    law = -np.expm1((1.0 - alphas)[:, None] * rise)
    gaps = np.where(below >= 0, np.abs(law - below), 0.0)
    out: FloatArray = gaps.max(axis=1)
    return out


def _value_gaps(values: FloatArray, starts: IntArray, alphas: FloatArray) -> FloatArray:
    distinct, first = np.unique(values, return_index=True)
    upto = np.append(first[1:], values.size)
    share = (upto[None, :] - starts[:, None]) / (values.size - starts)[:, None]
    inside = distinct[None, :] >= values[starts][:, None]
    upper = np.where(inside, distinct[None, :] + 1.0, 2.0)
    whole = special.zeta(alphas, values[starts])
    law = 1.0 - special.zeta(alphas[:, None], upper) / whole[:, None]
    out: FloatArray = np.where(inside, np.abs(law - share), 0.0).max(axis=1)
    return out


def _integer_gaps(values: FloatArray, starts: IntArray, alphas: FloatArray) -> FloatArray:
    """Widen the gaps at the values by those just before each next value, where they peak."""
    distinct, first = np.unique(values, return_index=True)
    share = (first[None, 1:] - starts[:, None]) / (values.size - starts)[:, None]
    inside = distinct[None, :-1] >= values[starts][:, None]
    upper = np.where(inside, distinct[None, 1:], 2.0)
    whole = special.zeta(alphas, values[starts])
    law = 1.0 - special.zeta(alphas[:, None], upper) / whole[:, None]
    before: FloatArray = np.where(inside, np.abs(law - share), 0.0).max(axis=1)
    return np.maximum(before, _value_gaps(values, starts, alphas))


def _starts(values: FloatArray, xmin: float | None, least: int) -> IntArray:
    """Return where each candidate's tail begins among the sorted values."""
    if xmin is not None:
        start = int(np.searchsorted(values, xmin))
        if values.size - start < 2 or values[start] == values[-1]:
            raise EstimationError(f"fewer than two distinct values are at or above {xmin:g}.")
        return np.array([start])
    _, first = np.unique(values, return_index=True)
    starts: IntArray = first[:-1].astype(np.int64)
    starts = starts[values.size - starts >= least]
    if not starts.size:
        raise EstimationError(f"no threshold leaves {least} values in the tail.")
    return starts


def _best(
    values: FloatArray, xmin: float | None, discrete: bool, least: int, distance: str
) -> tuple[float, float, int, float]:
    """Return alpha, xmin, the tail's start and the distance of the best candidate."""
    starts = _starts(values, xmin, least)
    if discrete:
        alphas = _discrete_alphas(values, starts)
    else:
        alphas = _continuous_alphas(np.log(values), starts)
    distances = _distances(values, starts, alphas, discrete, distance)
    best = int(np.argmin(distances))
    start = int(starts[best])
    threshold = float(values[start]) if xmin is None else float(xmin)
    alpha = float(alphas[best])
    if xmin is not None and threshold != values[start]:
        alpha, distances = _at_threshold(values[start:], threshold, discrete)
    return alpha, threshold, start, float(distances[best])


def _at_threshold(tail: FloatArray, xmin: float, discrete: bool) -> tuple[float, FloatArray]:
    """Refit above a threshold that is not among the values."""
    padded = np.concatenate([[xmin], tail])
    n = tail.size
    if discrete:
        alpha = _discrete_at(tail, xmin)
        upto = np.searchsorted(tail, tail, side="right") / n
        law = 1.0 - special.zeta(alpha, tail + 1.0) / special.zeta(alpha, xmin)
        return alpha, np.array([np.abs(law - upto).max()])
    alpha = 1.0 + n / float(np.log(padded[1:] / xmin).sum())
    law = -np.expm1((1.0 - alpha) * np.log(tail / xmin))
    return alpha, np.array([np.abs(law - np.arange(n) / n).max()])


def _discrete_at(tail: FloatArray, xmin: float) -> float:
    """Maximise the zeta likelihood above a threshold that is not among the values."""
    from scipy import optimize

    mean_log = float(np.log(tail).mean())

    def loss(alpha: float) -> float:
        return float(np.log(special.zeta(alpha, xmin)) + alpha * mean_log)

    return float(optimize.minimize_scalar(loss, bounds=ALPHA_RANGE, method="bounded").x)


def fit_power_law(
    x: npt.ArrayLike,
    *,
    discrete: bool = False,
    xmin: float | None = None,
    least: int = 2,
    distance: str = "values",
) -> PowerLaw:
    """Fit a power law to the upper tail.

    Parameters
    ----------
    x : array_like
        Positive values, one an event (a war's battle deaths); whole numbers if `discrete`.
    discrete : bool
        Whether to use the law of integers (zeta likelihood, as poweRlaw's displ).
    xmin : float, optional
        A given threshold; for None, the value with the smallest Kolmogorov-Smirnov distance
        among all distinct values but the largest.
    least : int
        The fewest values a tail may hold.
    distance : str
        Where the discrete law's distance is taken: at the data's "values", or at all "integers"
        (as poweRlaw and plfit do: the gap is widest just before a value). Continuous: no effect.

    Returns
    -------
    PowerLaw
        The fitted tail.

    Raises
    ------
    EstimationError
        For values that are not positive, or too few above the threshold.
    """
    values = _sorted_positive(x, discrete)
    _check_distance(distance)
    alpha, threshold, start, gap = _best(values, xmin, discrete, least, distance)
    tail = values[start:]
    n = tail.size
    if discrete:
        log_whole = float(np.log(special.zeta(alpha, threshold)))
        loglik = float(-n * log_whole - alpha * np.log(tail).sum())
        second = float(_log_zeta_slopes(np.array([alpha]), np.array([threshold]))[1][0])
        error = 1.0 / np.sqrt(n * second)
    else:
        logs = float(np.log(tail / threshold).sum())
        loglik = float(n * np.log((alpha - 1.0) / threshold) - alpha * logs)
        error = (alpha - 1.0) / np.sqrt(n)
    return PowerLaw(alpha, float(error), threshold, int(n), int(values.size), gap, loglik, discrete)


def approximate_discrete_alpha(x: npt.ArrayLike, xmin: float) -> float:
    """Return the approximate discrete exponent, 1 + n / sum log(x / (xmin - 1/2)) (their 3.7)."""
    values = np.asarray(x, dtype=np.float64)
    tail = values[values >= xmin]
    if tail.size < 2:
        raise EstimationError(f"fewer than two values lie at or above xmin = {xmin:g}.")
    return float(1.0 + tail.size / np.log(tail / (xmin - 0.5)).sum())


def _check_distance(distance: str) -> None:
    if distance not in ("values", "integers"):
        raise UsageError(f'"{distance}" is not a place to take the distance: values or integers.')


# --- bootstrap ------------------------------------------------------------------------------


def draw_power_law(law: PowerLaw, size: int, rng: np.random.Generator) -> FloatArray:
    """Draw values from a fitted tail.

    Parameters
    ----------
    law : PowerLaw
        The tail.
    size : int
        How many.
    rng : Generator
        The random numbers.

    Returns
    -------
    float array
        Values from xmin upwards.
    """
    left = 1.0 - rng.random(size)
    if not law.discrete:
        out: FloatArray = law.xmin * left ** (-1.0 / (law.alpha - 1.0))
        return out
    # the largest integer x with P(X >= x) >= left: double, then bisect (their appendix D)
    low, high = np.full(size, law.xmin), np.full(size, 2.0 * law.xmin)
    while (far := law.survival(high) >= left).any():
        low[far] = high[far]
        high[far] *= 2.0
        if high.max() > 1e15:
            break
    while bool((high - low > 1).any()):
        middle = np.floor(0.5 * (low + high))
        inside = law.survival(middle) >= left
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return low


def bootstrap_power_law(
    x: npt.ArrayLike,
    law: PowerLaw,
    *,
    draws: int = 1000,
    seed: int = 0,
    least: int = 2,
    distance: str = "values",
) -> TailBootstrap:
    """Test a power-law fit, and find how sure its exponent is.

    Parameters
    ----------
    x : array_like
        The data.
    law : PowerLaw
        The fit of these data with a threshold found from them.
    draws : int
        Synthetic data sets; 2,500 give a p-value within about 0.01.
    seed : int
        Of the random numbers.
    least, distance : int, str
        As in the fit.

    Returns
    -------
    TailBootstrap
        Each synthetic data set has the data's own values below xmin (resampled) and the law's
        above it, and is fitted with a threshold of its own.
    """
    _check_distance(distance)
    values = _sorted_positive(x, law.discrete)
    below, share = values[values < law.xmin], law.n_tail / values.size
    rng = np.random.default_rng(seed)
    worse = 0
    alphas, xmins = np.empty(draws), np.empty(draws)
    for draw in range(draws):
        n_tail = int(rng.binomial(values.size, share))
        head = rng.choice(below, values.size - n_tail) if below.size else np.empty(0)
        tail = draw_power_law(law, values.size - head.size, rng)
        synthetic = np.sort(np.concatenate([head, tail]))
        worse += _best(synthetic, None, law.discrete, least, distance)[3] >= law.ks
        again = np.sort(rng.choice(values, values.size))
        alphas[draw], xmins[draw], _, _ = _best(again, None, law.discrete, least, distance)
    low, high = np.quantile(alphas, [0.025, 0.975])
    return TailBootstrap(
        worse / draws,
        draws,
        seed,
        float(alphas.std(ddof=1)),
        float(xmins.std(ddof=1)),
        float(low),
        float(high),
    )


# --- rivals ---------------------------------------------------------------------------------


def _exponential_logs(tail: FloatArray, xmin: float) -> tuple[FloatArray, dict[str, float]]:
    rate = 1.0 / float((tail - xmin).mean())
    return np.log(rate) - rate * (tail - xmin), {"rate": rate}


def _lognormal_logs(tail: FloatArray, xmin: float) -> tuple[FloatArray, dict[str, float]]:
    """Fit a log-normal cut off below xmin, by maximum likelihood on (mu, log sigma)."""
    from scipy import optimize

    logs, edge = np.log(tail), float(np.log(xmin))

    def rows(mu: float, sigma: float) -> FloatArray:
        z = (logs - mu) / sigma
        above = special.log_ndtr((mu - edge) / sigma)
        out: FloatArray = (
            -logs - np.log(sigma) - 0.5 * np.log(2 * np.pi) - 0.5 * z * z - float(above)
        )
        return out

    def loss(p: FloatArray) -> float:
        return -float(rows(float(p[0]), float(np.exp(p[1]))).mean())

    # ASSUME: mu may lie far below the threshold (the cut log-normal then looks like a power law),
    # but not without end, where mu and sigma stop being told apart
    reach = 50.0 * float(logs.std())
    bounds = [(edge - reach, float(logs.max())), (-7.0, 5.0)]
    best = None
    for share in (0.0, 0.5, 3.0):
        start = np.array([logs.mean() - share * logs.std() * 2, np.log(logs.std() * (1 + share))])
        found = optimize.minimize(loss, start, method="L-BFGS-B", bounds=bounds)
        polished = optimize.minimize(
            loss, found.x, method="Nelder-Mead", bounds=bounds,
            options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000},
        )  # fmt: skip
        if best is None or polished.fun < best.fun:
            best = polished
    assert best is not None
    mu, sigma = float(best.x[0]), float(np.exp(best.x[1]))
    return rows(mu, sigma), {"mu": mu, "sigma": sigma}


_RIVAL_LOGS: dict[str, Callable[[FloatArray, float], tuple[FloatArray, dict[str, float]]]] = {
    "lognormal": _lognormal_logs,
    "exponential": _exponential_logs,
}


def compare_tails(x: npt.ArrayLike, law: PowerLaw, rival: str = "lognormal") -> TailComparison:
    """Compare the power law with another law of the same tail (Vuong 1989).

    Parameters
    ----------
    x : array_like
        The data.
    law : PowerLaw
        The fitted power law; a discrete one is compared as continuous, with its own threshold.
    rival : str
        "lognormal" (cut off below xmin) or "exponential" (from xmin).

    Returns
    -------
    TailComparison
        The log-likelihood ratio, its normalised value and two-sided p-value.
    """
    if rival not in RIVALS:
        raise UsageError(f'"{rival}" is not a rival tail. {nearest(rival, RIVALS)}')
    values = _sorted_positive(x, False)
    tail = values[values >= law.xmin]
    logs = np.log(tail / law.xmin)
    alpha = 1.0 + tail.size / float(logs.sum())
    own = np.log((alpha - 1.0) / law.xmin) - alpha * logs
    other, parameters = _RIVAL_LOGS[rival](tail, law.xmin)
    gap = own - other
    spread = float(gap.std()) * float(np.sqrt(tail.size))
    statistic = float(gap.sum()) / spread if spread > 0 else 0.0
    p_value = float(2.0 * special.ndtr(-abs(statistic)))
    return TailComparison(rival, float(gap.sum()), statistic, p_value, parameters, int(tail.size))


def empirical_survival(x: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the distinct values and the share of all values at or above each, ready to draw."""
    values = np.sort(np.asarray(x, dtype=np.float64).ravel())
    distinct, first = np.unique(values, return_index=True)
    return distinct, 1.0 - first / values.size
