"""Random intercepts of two crossed factors (both states of a dyad), by Laplace's approximation.

With b the intercepts, Z0 their 0/1 design, M = Z0' W Z0 + Sigma^-1 at the mode, the log-likelihood
is l(eta + Z0 b) - b' Sigma^-1 b / 2 - log|Sigma| / 2 - log|M| / 2 (Breslow and Clayton 1993,
JASA 88, eq. 4, with the determinant kept exact). Derivatives are those of this expression, the
mode moving with the parameters. Matrices are dense: fine for some thousand intercepts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

from foedus.models.arrays import FloatArray, IntArray
from foedus.models.methods.integrals import LOGIT


def rows_at(kind: int, y: FloatArray, eta: FloatArray) -> tuple[FloatArray, ...]:
    """Return log-likelihood, score, information and its derivative by row."""
    if kind == LOGIT:
        p = special.expit(eta)
        w = p * special.expit(-eta)
        return y * eta - np.logaddexp(0.0, eta), y - p, w, w * (1.0 - 2.0 * p)
    mu = np.exp(np.minimum(eta, 300.0))
    return y * eta - mu, y - mu, mu, mu


@dataclass(slots=True)
class Crossed:
    """Rows with the number of their intercept in each factor (numbered through)."""

    kind: int
    y: FloatArray
    places: list[IntArray]
    sizes: list[int]
    b: FloatArray

    def _gather(self, b: FloatArray) -> FloatArray:
        total = np.zeros(self.y.size)
        for place in self.places:
            total += b[place]
        return total

    def _spread(self, values: FloatArray) -> FloatArray:
        """Return Z0' values."""
        total = np.zeros(self.b.size)
        for place in self.places:
            total += np.bincount(place, weights=values, minlength=self.b.size)
        return total

    def _curvature(self, w: FloatArray, precision: FloatArray) -> FloatArray:
        q = self.b.size
        flat = np.zeros(q * q)
        for one in self.places:
            for other in self.places:
                flat += np.bincount(one * q + other, weights=w, minlength=q * q)
        M = flat.reshape(q, q)
        M[np.diag_indices(q)] += precision
        return M

    def precision(self, sigmas: FloatArray) -> FloatArray:
        """Return the diagonal of Sigma^-1."""
        return np.repeat(1.0 / sigmas**2, self.sizes)

    def mode(self, eta: FloatArray, precision: FloatArray) -> tuple[FloatArray, float]:
        """Return the most likely intercepts and the penalised log-likelihood there."""
        b = self.b.copy()

        def height(at: FloatArray) -> float:
            value = rows_at(self.kind, self.y, eta + self._gather(at))[0]
            return float(value.sum() - 0.5 * (precision * at * at).sum())

        value = height(b)
        for _ in range(100):
            _, d, w, _ = rows_at(self.kind, self.y, eta + self._gather(b))
            gradient = self._spread(d) - precision * b
            step = linalg.solve(self._curvature(w, precision), gradient, assume_a="pos")
            factor = 1.0
            for _ in range(40):
                new = height(b + factor * step)
                if new >= value - 1e-14 * (abs(value) + 1.0):
                    break
                factor *= 0.5
            b, value = b + factor * step, new
            if float(np.abs(factor * step).max()) < 1e-11 * (1.0 + float(np.abs(b).max())):
                break
        self.b = b
        return b, value

    def laplace(self, eta: FloatArray, sigmas: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Return the log-likelihood with its derivatives by row index and by log sigma.

        The latter are split by intercept; those of a factor add up to its own.
        """
        precision = self.precision(sigmas)
        b, value = self.mode(eta, precision)
        _, d, w, v = rows_at(self.kind, self.y, eta + self._gather(b))
        factor = linalg.cholesky(self._curvature(w, precision), lower=True)
        inverse = linalg.cho_solve((factor, True), np.eye(b.size))
        log_determinant = 2.0 * float(np.log(np.diag(factor)).sum())
        loglik = value + 0.5 * float(np.log(precision).sum()) - 0.5 * log_determinant
        leverage = np.zeros(self.y.size)
        for one in self.places:
            for other in self.places:
                leverage += inverse[one, other]
        pull = inverse @ self._spread(v * leverage)
        by_row = d - 0.5 * v * leverage + 0.5 * w * self._gather(pull)
        scaled_b = precision * b
        by_intercept = scaled_b * b - 1.0 + precision * np.diag(inverse) - pull * scaled_b
        return loglik, by_row, by_intercept
