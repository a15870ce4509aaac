"""The beta distribution by mean and precision.

Ferrari and Cribari-Neto 2004, Journal of Applied Statistics 31.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from foedus.models.arrays import FloatArray
from foedus.models.methods.indices import RowParts


def beta_parts(y: FloatArray, etas: FloatArray) -> RowParts:
    """Return the row parts by the mean's log-odds (index 0) and the log precision (index 1).

    y is Beta(mu phi, (1 - mu) phi): mean mu, variance mu (1 - mu) / (1 + phi).
    """
    mu, phi = special.expit(etas[0]), np.exp(np.minimum(etas[1], 300.0))
    a, b = mu * phi, (1.0 - mu) * phi
    log_y, log_rest = np.log(y), np.log1p(-y)
    value = -special.betaln(a, b) + (a - 1.0) * log_y + (b - 1.0) * log_rest
    digamma, trigamma = special.digamma, special.polygamma
    by_a = digamma(phi) - digamma(a) + log_y
    by_b = digamma(phi) - digamma(b) + log_rest
    common, tri_a, tri_b = trigamma(1, phi), trigamma(1, a), trigamma(1, b)
    slope = mu * (1.0 - mu)
    # d2l / da2 = common - tri_a, d2l / da db = common
    by_mu = phi * (by_a - by_b)
    mu_mu = -(phi**2) * (tri_a + tri_b)
    by_phi = mu * by_a + (1.0 - mu) * by_b
    phi_phi = common - mu**2 * tri_a - (1.0 - mu) ** 2 * tri_b
    mu_phi = (by_a - by_b) + phi * ((1.0 - mu) * tri_b - mu * tri_a)
    first = np.stack([by_mu * slope, by_phi * phi])
    cross = mu_phi * slope * phi
    second = np.array(
        [
            [mu_mu * slope**2 + by_mu * slope * (1.0 - 2.0 * mu), cross],
            [cross, phi_phi * phi**2 + by_phi * phi],
        ]
    )
    return value, first, -second
