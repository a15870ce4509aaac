"""Generalised linear models by variance function and link (McCullagh and Nelder 1989).

The quasi-score of a row is (y - mu) mu' / V(mu) by its index, whatever the distribution, and
minus half the unit deviance is the log-likelihood up to the scale; so one class serves all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from foedus.models.arrays import FloatArray

MOST = 500.0
LOG_ROOT_2PI = 0.5 * np.log(2.0 * np.pi)

Curves = tuple[FloatArray, FloatArray, FloatArray]


def _exponential(eta: FloatArray) -> Curves:
    mu = np.exp(np.minimum(eta, MOST))
    return mu, mu, mu


def _identity(eta: FloatArray) -> Curves:
    return eta, np.ones_like(eta), np.zeros_like(eta)


def _inverse(eta: FloatArray) -> Curves:
    mu = 1.0 / eta
    return mu, -(mu**2), 2.0 * mu**3


def _inverse_squared(eta: FloatArray) -> Curves:
    mu = 1.0 / np.sqrt(eta)
    return mu, -0.5 * mu**3, 0.75 * mu**5


def _logistic(eta: FloatArray) -> Curves:
    mu = special.expit(eta)
    slope = mu * special.expit(-eta)
    return mu, slope, slope * (1.0 - 2.0 * mu)


def _normal(eta: FloatArray) -> Curves:
    slope = np.exp(-0.5 * eta * eta - LOG_ROOT_2PI)
    return special.ndtr(eta), slope, -eta * slope


def _gompertz(eta: FloatArray) -> Curves:
    m = np.exp(np.minimum(eta, MOST))
    slope = m * np.exp(-m)
    return -np.expm1(-m), slope, slope * (1.0 - m)


def _cauchit(eta: FloatArray) -> Curves:
    slope = 1.0 / (np.pi * (1.0 + eta * eta))
    return 0.5 + np.arctan(eta) / np.pi, slope, -2.0 * np.pi * eta * slope * slope


LINKS = {
    "log": _exponential,
    "identity": _identity,
    "inverse": _inverse,
    "inverse_squared": _inverse_squared,
    "logit": _logistic,
    "probit": _normal,
    "cloglog": _gompertz,
    "cauchit": _cauchit,
}
"""Link -> the mean with its first and second derivatives by the index."""


def _to_link(link: str, mean: float) -> float:
    """Return the index of a mean."""
    with np.errstate(divide="ignore", invalid="ignore"):
        made = {
            "log": np.log(mean),
            "identity": mean,
            "inverse": np.divide(1.0, mean),
            "inverse_squared": np.divide(1.0, mean**2),
            "logit": special.logit(mean),
            "probit": special.ndtri(mean),
            "cloglog": np.log(-np.log1p(-mean)),
            "cauchit": np.tan(np.pi * (mean - 0.5)),
        }
    return float(made[link])


def _variance(kind: str, mu: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return V(mu) and V'(mu)."""
    if kind == "gaussian":
        return np.ones_like(mu), np.zeros_like(mu)
    if kind == "poisson":
        return mu, np.ones_like(mu)
    if kind == "gamma":
        return mu**2, 2.0 * mu
    if kind == "inverse_gaussian":
        return mu**3, 3.0 * mu**2
    return mu * (1.0 - mu), 1.0 - 2.0 * mu


def _deviance(kind: str, y: FloatArray, mu: FloatArray) -> FloatArray:
    """Return the unit deviance by row; infinite where mu is outside its range."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "gaussian":
            return np.asarray((y - mu) ** 2)
        out: FloatArray
        if kind == "poisson":
            out = 2.0 * (special.xlogy(y, y / mu) - (y - mu))
        elif kind == "gamma":
            out = 2.0 * (y / mu - 1.0 - np.log(y / mu))
        elif kind == "inverse_gaussian":
            out = np.asarray((y - mu) ** 2 / (mu**2 * y), dtype=np.float64)
        else:
            rest = 1.0 - y
            out = np.asarray(special.xlogy(y, y / mu) + special.xlogy(rest, rest / (1.0 - mu)))
            out = 2.0 * out
    inside = mu > 0 if kind != "binomial" else (mu > 0) & (mu < 1)
    return np.where(inside, np.nan_to_num(out, nan=np.inf), np.inf)


@dataclass(frozen=True, slots=True)
class Glm:
    """A variance function and a link; a family of single-index models (`families.Family`)."""

    name: str
    kind: str
    link: str
    binary: bool = False
    canonical: bool = False

    def check(self, y: FloatArray) -> None:
        """Accept what the registry's kind of outcome has let through."""

    def start(self, mean: float) -> float:
        """Return the constant's starting value."""
        return _to_link(self.link, mean)

    def parts(self, y: FloatArray, eta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return minus half the deviance, the quasi-score and the observed information by row."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            mu, slope, curve = LINKS[self.link](eta)
            v, dv = _variance(self.kind, mu)
            ratio = slope / v
            score = (y - mu) * ratio
            observed = slope * ratio - (y - mu) * (curve / v - ratio**2 * dv)
        return -0.5 * _deviance(self.kind, y, mu), score, observed

    def expected(self, y: FloatArray, eta: FloatArray) -> FloatArray:
        """Return mu'^2 / V by row."""
        mu, slope, _ = LINKS[self.link](eta)
        return np.asarray(slope**2 / _variance(self.kind, mu)[0])

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return the mean."""
        return np.asarray(LINKS[self.link](eta)[0])

    def slope(self, eta: FloatArray) -> FloatArray:
        """Return the mean's derivative by the index."""
        return np.asarray(LINKS[self.link](eta)[1])

    def curve(self, eta: FloatArray) -> FloatArray:
        """Return the mean's second derivative by the index."""
        return np.asarray(LINKS[self.link](eta)[2])

    def pearson(self, y: FloatArray, eta: FloatArray) -> FloatArray:
        """Return squared Pearson residuals by row."""
        mu = self.mean(eta)
        return np.asarray((y - mu) ** 2 / _variance(self.kind, mu)[0])

    def deviance(self, y: FloatArray, eta: FloatArray) -> FloatArray:
        """Return the unit deviance by row."""
        return _deviance(self.kind, y, self.mean(eta))


@dataclass(frozen=True, slots=True)
class LogNormal:
    """log y is normal about the index: E(y) = exp(eta + sigma^2 / 2)."""

    sigma: float
    name: str = "lognormal"
    binary: bool = False
    canonical: bool = False

    def check(self, y: FloatArray) -> None:
        """Accept what the registry's kind of outcome has let through."""

    def start(self, mean: float) -> float:
        """Return the log of the mean."""
        return float(np.log(mean))

    def parts(self, y: FloatArray, eta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log-likelihood, score and information by row, sigma held."""
        error = (np.log(y) - eta) / self.sigma
        value = -0.5 * error**2 - np.log(self.sigma) - LOG_ROOT_2PI - np.log(y)
        return value, error / self.sigma, np.full_like(eta, self.sigma**-2)

    def expected(self, y: FloatArray, eta: FloatArray) -> FloatArray:
        """Return 1 / sigma^2."""
        return np.full_like(eta, self.sigma**-2)

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return exp(eta + sigma^2 / 2)."""
        out: FloatArray = np.exp(np.minimum(eta + 0.5 * self.sigma**2, MOST))
        return out

    def slope(self, eta: FloatArray) -> FloatArray:
        """Return the mean."""
        return self.mean(eta)

    def curve(self, eta: FloatArray) -> FloatArray:
        """Return the mean."""
        return self.mean(eta)
