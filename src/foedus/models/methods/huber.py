"""Huber's M-estimate of a regression (Huber 1964; 1973), by reweighted least squares.

As MASS::rlm does it: from least squares on, residuals beyond 1.345 robust standard deviations lose
weight, the scale being the median absolute residual over 0.6745, until the residuals change by
less than `accuracy` (a share of their length). Errors are Huber's (1981, Robust Statistics, 7.6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray

BEND = 1.345
_NORMAL_MEDIAN = 0.6745


@dataclass(frozen=True)
class HuberFit:
    """What the iteration ends with, on the (scaled) columns it was given.

    Attributes
    ----------
    beta, residuals : float array
    scale : float
        Robust standard deviation of the residuals.
    iterations : int
    """

    beta: FloatArray
    residuals: FloatArray
    scale: float
    iterations: int

    @property
    def influence(self) -> FloatArray:
        """Residuals in standard deviations, cut at the bend: psi."""
        return np.clip(self.residuals / self.scale, -BEND, BEND)

    @property
    def slopes(self) -> FloatArray:
        """Derivative of psi: 1 within the bend, 0 beyond."""
        return (np.abs(self.residuals / self.scale) <= BEND).astype(np.float64)

    def error_deviation(self, k: int) -> float:
        """Return the standard deviation by which (X'X)^-1 is multiplied."""
        n = len(self.residuals)
        spread = float(((self.scale * self.influence) ** 2).sum()) / (n - k)
        slope = float(self.slopes.mean())
        kappa = 1.0 + k * float(self.slopes.var(ddof=1)) / (n * slope**2)
        return float(np.sqrt(spread)) * kappa / slope


def fit_huber(y: FloatArray, Z: FloatArray, accuracy: float, most: int) -> HuberFit:
    """Iterate to the M-estimate.

    Raises
    ------
    EstimationError
        If it doesn't settle within `most` rounds, or half of the residuals are 0.
    """
    beta: FloatArray = np.asarray(np.linalg.lstsq(Z, y, rcond=None)[0], np.float64)
    residuals: FloatArray = y - Z @ beta
    for round_ in range(1, most + 1):
        scale = float(np.median(np.abs(residuals))) / _NORMAL_MEDIAN
        if scale <= 1e-12 * float(np.abs(y).max()):
            raise EstimationError(
                "rlm: half of the residuals are 0, so that their robust scale is 0 too."
            )
        apart = np.abs(residuals / scale)
        root = np.sqrt(np.minimum(1.0, BEND / np.maximum(apart, BEND)))
        beta = np.asarray(np.linalg.lstsq(Z * root[:, None], y * root, rcond=None)[0], np.float64)
        before, residuals = residuals, y - Z @ beta
        moved = np.sqrt(((before - residuals) ** 2).sum() / max(1e-20, float((before**2).sum())))
        if moved <= accuracy:
            return HuberFit(beta, residuals, scale, round_)
    raise EstimationError(f"rlm didn't settle within {most} rounds; set rounds higher.")
