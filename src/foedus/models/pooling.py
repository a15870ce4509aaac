"""Estimates of one effect from several studies: their random-effects mean, and how far they differ.

Study i reports y_i = theta_i + e_i with var(e_i) = v_i known, and theta_i is spread around mu with
variance tau2. Tau2 is that of restricted maximum likelihood or of DerSimonian and Laird (1986,
Controlled Clinical Trials 7); the interval of mu is Knapp and Hartung's (2003, Statistics in
Medicine 22), never narrower than the normal one (their q is held at 1 or above, as Roever, Knapp
and Friede 2015 advise); the prediction interval is that of Higgins, Thompson and Spiegelhalter
(2009, JRSS A 172); I2 is that of Higgins and Thompson (2002, Statistics in Medicine 21).

Everything here takes the estimates to be independent. `Pooled.bound` says how far the standard
error could grow if they weren't.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from foedus.errors import EstimationError, UsageError
from foedus.models.arrays import FloatArray, IntArray

METHODS = ("reml", "dl")
TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class Pooled:
    """The mean of several estimates.

    Attributes
    ----------
    k : int
        Estimates.
    estimate, std_error, ci_low, ci_high, p_value : float
        Of mu; the interval and p with Student's t of k - 1 degrees of freedom.
    tau2 : float
        Variance of the true effects.
    q, q_p : float
        Cochran's Q of all estimates being of one effect, and its p-value.
    i2 : float
        Share of the spread of estimates that is no sampling error, 0 to 1.
    predict_low, predict_high : float or None
        95 % interval of the effect that one more study of the kind would have; None below 3.
    bound : float
        The largest standard error of mu that any dependence between the estimates could give:
        that of perfect correlation, the weighted mean of their own.
    weights : tuple of float
        Shares of the estimates in mu; they add up to 1.
    """

    k: int
    estimate: float
    std_error: float
    ci_low: float
    ci_high: float
    p_value: float
    tau2: float
    q: float
    q_p: float
    i2: float
    predict_low: float | None
    predict_high: float | None
    bound: float
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """Whether groups have one effect: Q between them on `df` degrees of freedom."""

    q: float
    df: int
    p_value: float


def pool(estimates: Sequence[float], std_errors: Sequence[float], method: str = "reml") -> Pooled:
    """Return the random-effects mean of independent estimates.

    Parameters
    ----------
    estimates, std_errors : sequence of float
        Two or more, on one scale.
    method : {"reml", "dl"}
        Of tau2: restricted maximum likelihood, or DerSimonian and Laird's moments.

    Raises
    ------
    UsageError
        For fewer than two estimates, unequal lengths, an unknown method, or a standard error that
        is no positive number.
    """
    y, v = _checked(estimates, std_errors)
    if method not in METHODS:
        raise UsageError(f'"{method}" is not a way to estimate tau2: {" or ".join(METHODS)}.')
    k = y.size
    tau2 = _tau2_reml(y, v) if method == "reml" else _tau2_moments(y, v)
    w = 1.0 / (v + tau2)
    share = w / w.sum()
    mu = float(share @ y)
    # Knapp-Hartung's factor below 1 would make the interval narrower than the normal one
    factor = max(float(w @ (y - mu) ** 2) / (k - 1), 1.0)
    error = float(np.sqrt(factor / w.sum()))
    half = float(special.stdtrit(k - 1, 0.975)) * error
    q = _cochran(y, v)
    low = high = None
    if k >= 3:
        reach = float(special.stdtrit(k - 2, 0.975) * np.sqrt(tau2 + error**2))
        low, high = mu - reach, mu + reach
    return Pooled(
        k=k,
        estimate=mu,
        std_error=error,
        ci_low=mu - half,
        ci_high=mu + half,
        p_value=float(2.0 * special.stdtr(k - 1, -abs(mu) / error)),
        tau2=tau2,
        q=q,
        q_p=float(special.chdtrc(k - 1, q)),
        i2=tau2 / (tau2 + _typical(v)),
        predict_low=low,
        predict_high=high,
        bound=float(share @ np.sqrt(v + tau2)),
        weights=tuple(float(one) for one in share),
    )


def between(estimates: Sequence[float], std_errors: Sequence[float]) -> Between:
    """Test whether groups have one effect, from one estimate a group (its own or a pooled one).

    Q is the weighted sum of squares around the fixed-effect mean (Hedges 1982, Psychological
    Bulletin 92); under one effect it is chi-squared with one degree of freedom less than groups.

    Raises
    ------
    UsageError
        As `pool`.
    """
    y, v = _checked(estimates, std_errors)
    q = _cochran(y, v)
    return Between(q, y.size - 1, float(special.chdtrc(y.size - 1, q)))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return p-values adjusted so that the chance of any false finding is held (Holm 1979).

    Scandinavian Journal of Statistics 6.
    """
    p = _probabilities(p_values)
    order = np.argsort(p, kind="stable")
    steps = (p.size - np.arange(p.size)) * p[order]
    return _back(np.minimum(np.maximum.accumulate(steps), 1.0), order)


def benjamini_hochberg(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return p-values adjusted so that the share of false findings is held.

    Benjamini and Hochberg (1995, JRSS B 57).
    """
    p = _probabilities(p_values)
    order = np.argsort(p, kind="stable")
    steps = p.size / np.arange(1, p.size + 1) * p[order]
    return _back(np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0), order)


def _back(steps: FloatArray, order: IntArray) -> tuple[float, ...]:
    """Return sorted values in the order they were given in."""
    made = np.empty_like(steps)
    made[order] = steps
    return tuple(float(one) for one in made)


def _probabilities(p_values: Sequence[float]) -> FloatArray:
    p = np.asarray(p_values, dtype=np.float64)
    if not bool(((p >= 0.0) & (p <= 1.0)).all()):
        raise UsageError("p-values are numbers from 0 to 1.")
    return p


def _checked(
    estimates: Sequence[float], std_errors: Sequence[float]
) -> tuple[FloatArray, FloatArray]:
    y = np.asarray(estimates, dtype=np.float64)
    error = np.asarray(std_errors, dtype=np.float64)
    if y.shape != error.shape or y.ndim != 1 or y.size < 2:
        raise UsageError("pooling takes two or more estimates, each with a standard error.")
    if not bool(np.isfinite(y).all() and np.isfinite(error).all() and (error > 0).all()):
        raise UsageError("estimates are numbers, and standard errors are above 0.")
    return y, error**2


def _cochran(y: FloatArray, v: FloatArray) -> float:
    w = 1.0 / v
    mean = float(w @ y) / float(w.sum())
    return float(w @ (y - mean) ** 2)


def _typical(v: FloatArray) -> float:
    """Return the typical sampling variance of Higgins and Thompson."""
    w = 1.0 / v
    total = float(w.sum())
    return (v.size - 1) * total / (total**2 - float(w @ w))


def _tau2_moments(y: FloatArray, v: FloatArray) -> float:
    w = 1.0 / v
    total = float(w.sum())
    return max((_cochran(y, v) - (y.size - 1)) / (total - float(w @ w) / total), 0.0)


def _tau2_reml(y: FloatArray, v: FloatArray) -> float:
    """Return the tau2 of highest restricted likelihood; 0 where it falls from there on."""

    def lost(tau2: float) -> float:
        w = 1.0 / (v + tau2)
        mean = float(w @ y) / float(w.sum())
        parts = -np.log(w).sum() + np.log(w.sum()) + float(w @ (y - mean) ** 2)
        return 0.5 * float(parts)

    # The restricted likelihood may have several tops: a grid finds the highest one's neighbourhood.
    most = 10.0 * (float(y.var(ddof=1)) + float(v.max()))
    grid = np.concatenate([[0.0], np.geomspace(most * 1e-10, most, 161)])
    values = [lost(float(one)) for one in grid]
    best = int(np.argmin(values))
    if best == len(grid) - 1:
        raise EstimationError("tau2 has no maximum: the estimates are too far apart to be pooled.")
    low, high = float(grid[max(best - 1, 0)]), float(grid[best + 1])
    made = optimize.minimize_scalar(
        lost, bounds=(low, high), method="bounded", options={"xatol": TOLERANCE * most}
    )
    found = _polished(y, v, float(made.x))
    return found if lost(found) < lost(0.0) else 0.0


def _polished(y: FloatArray, v: FloatArray, tau2: float) -> float:
    """Return tau2 after Fisher's scoring steps, which know the top better than a search does."""
    for _ in range(50):
        w = 1.0 / (v + tau2)
        total = float(w.sum())
        share = w / total
        mean = float(share @ y)
        # score and information of the restricted likelihood, with P = W - w w' / sum(w)
        squares = float((w**2) @ (y - mean) ** 2)
        trace = total - float(w @ w) / total
        information = float(w @ w) - 2 * float((w**3).sum()) / total + float(w @ w) ** 2 / total**2
        step = (squares - trace) / information
        tau2 = max(tau2 + step, 0.0)
        if abs(step) <= TOLERANCE * (tau2 + float(v.min())):
            break
    return tau2
