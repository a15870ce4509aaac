"""Likelihoods of outcomes in categories: unordered (multinomial logit) and ordered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from foedus.models.arrays import FloatArray, IntArray
from foedus.models.methods.indices import RowParts

LOG_ROOT_2PI = 0.5 * np.log(2.0 * np.pi)


def multinomial_parts(category: IntArray, etas: FloatArray) -> RowParts:
    """Return the row parts of a multinomial logit; category 0 is the base and has no index.

    Hausman and McFadden 1984, Econometrica 52, with row-specific terms only.
    """
    top = np.maximum(etas.max(axis=0), 0.0)
    grown = np.exp(etas - top)
    total = grown.sum(axis=0) + np.exp(-top)
    p = grown / total
    own = np.zeros_like(etas)
    chosen = category > 0
    own[category[chosen] - 1, np.flatnonzero(chosen)] = 1.0
    value = (own * etas).sum(axis=0) - top - np.log(total)
    minus = -p[:, None] * p[None, :]
    diagonal = np.arange(etas.shape[0])
    minus[diagonal, diagonal] += p
    return value, own - p, minus


Cumulative = Callable[[FloatArray], tuple[FloatArray, FloatArray, FloatArray]]
"""``F(x)`` -> log F, log f and f'/f of a distribution."""


def logistic(x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return log F, log f and f'/f of the logistic distribution."""
    log_f = -np.abs(x) - 2.0 * np.log1p(np.exp(-np.abs(x)))
    return -np.logaddexp(0.0, -x), log_f, -np.tanh(0.5 * x)


def normal(x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return log F, log f and f'/f of the standard normal distribution."""
    return special.log_ndtr(x), -0.5 * x * x - LOG_ROOT_2PI, -x


LINKS: dict[str, Cumulative] = {"logit": logistic, "probit": normal}
"""Symmetric distributions of the latent outcome, so that 1 - F(x) = F(-x)."""


def ordered_parts(
    cumulative: Cumulative, low: FloatArray, high: FloatArray, etas: FloatArray
) -> RowParts:
    """Return the row parts of log(F(upper) - F(lower)), with both cutpoints as indices.

    Parameters
    ----------
    cumulative : callable
        The latent outcome's distribution.
    low, high : float array
        1 where the row is in the lowest (highest) category, which has no lower (upper) cutpoint.
    etas : float array, 2 by rows
        Upper and lower cutpoint less the index.
    """
    upper, lower = etas
    # both tails are computed where they are small: a category far up is F(-lower) - F(-upper)
    flip = upper + lower > 0
    a, b = np.where(flip, -lower, upper), np.where(flip, -upper, lower)
    open_top = np.where(flip, low, high) > 0
    open_bottom = np.where(flip, high, low) > 0
    log_a = np.where(open_top, 0.0, cumulative(a)[0])
    log_b = np.where(open_bottom, -np.inf, cumulative(b)[0])
    with np.errstate(divide="ignore"):
        value = log_a + np.log1p(-np.exp(np.minimum(log_b - log_a, 0.0)))
    _, up_density, up_bend = cumulative(upper)
    _, low_density, low_bend = cumulative(lower)
    r_up = np.where(high > 0, 0.0, np.exp(up_density - value))
    r_low = np.where(low > 0, 0.0, np.exp(low_density - value))
    first = np.stack([r_up, -r_low])
    second = np.array(
        [
            [r_up * up_bend - r_up**2, r_up * r_low],
            [r_up * r_low, -r_low * low_bend - r_low**2],
        ]
    )
    return value, first, -second
