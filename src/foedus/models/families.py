"""Log-likelihoods as functions of one index a row, with their first and second derivatives.

Every estimator here is a single-index model: row i contributes l(y_i, eta_i) with
eta = X b. A family gives the sum of l, the score dl/deta, and the information -d2l/deta2, either
observed (for Newton steps) or expected (for covariances, which is what R's glm reports).
For the logit and Poisson models the two are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import special

from foedus.errors import EstimationError
from foedus.models.arrays import BoolArray, FloatArray

LOG_ROOT_2PI = 0.5 * np.log(2.0 * np.pi)
ETA_MOST = 500.0
FAR = 20.0
"""Standard deviations beyond which a normal tail is worked out as its logarithm."""
LEAST_TAIL = 1e-80


class Family(Protocol):
    """What Newton's method and the covariances need to know of a model."""

    @property
    def name(self) -> str:
        """The estimator's name."""

    @property
    def binary(self) -> bool:
        """Whether the outcome is 0/1."""

    @property
    def canonical(self) -> bool:
        """Whether observed and expected information are the same."""

    def check(self, y: FloatArray) -> None:
        """Refuse outcomes the model is not for."""

    def start(self, mean: float) -> float:
        """Return the constant's starting value for the outcome's mean."""

    def parts(self, y: FloatArray, eta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log-likelihood, score and observed information by row."""

    def expected(self, y: FloatArray, eta: FloatArray) -> FloatArray:
        """Return the expected information by row."""

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return E(y | eta)."""

    def slope(self, eta: FloatArray) -> FloatArray:
        """Return dE(y | eta)/deta."""

    def curve(self, eta: FloatArray) -> FloatArray:
        """Return d2E(y | eta)/deta2."""


def _check_binary(y: FloatArray, name: str) -> None:
    odd = y[(y != 0.0) & (y != 1.0)]
    if odd.size:
        raise EstimationError(
            f"the outcome of a {name} must be 0 or 1, but {odd.size} rows hold other values, "
            f"e.g. {odd[0]:g}. Recode it, or use another estimator."
        )
    if y.size and (y == y[0]).all():
        raise EstimationError(
            f"the outcome of a {name} is {y[0]:g} in all {y.size} rows used: nothing to explain."
        )


def _check_counts(y: FloatArray, name: str) -> None:
    odd = y[(y < 0.0) | (y != np.floor(y))]
    if odd.size:
        raise EstimationError(
            f"the outcome of a {name} model must be a count (0, 1, 2, ...), but {odd.size} rows "
            f"hold other values, e.g. {odd[0]:g}."
        )
    if not (y > 0).any():
        raise EstimationError(f"the outcome of a {name} model is 0 in all {y.size} rows used.")


@dataclass(frozen=True, slots=True)
class Logit:
    """Binary outcome, P = 1 / (1 + exp(-eta))."""

    name: str = "logit"
    binary: bool = True
    canonical: bool = True

    def check(self, y: FloatArray) -> None:
        """Refuse anything but 0 and 1."""
        _check_binary(y, self.name)

    def start(self, mean: float) -> float:
        """Return the log-odds of the mean."""
        return float(special.logit(mean))

    def parts(self, y: FloatArray, eta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log-likelihood, score and information by row."""
        small = np.abs(eta)
        np.negative(small, out=small)
        np.exp(small, out=small)
        total = small + 1.0
        p = np.where(eta >= 0.0, 1.0, small)
        p /= total
        # log(1 + small), not log1p: an error of 1e-16 a row is nothing in their sum, and it is fast
        loglik = y * eta
        loglik -= np.maximum(eta, 0.0)
        loglik -= np.log(total)
        small /= total
        small /= total
        return loglik, y - p, small

    def expected(self, y: FloatArray, eta: FloatArray) -> FloatArray:
        """Return P (1 - P)."""
        return self.slope(eta)

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return P."""
        p: FloatArray = special.expit(eta)
        return p

    def slope(self, eta: FloatArray) -> FloatArray:
        """Return P (1 - P)."""
        small = np.exp(-np.abs(eta))
        out: FloatArray = small / (1.0 + small) ** 2
        return out

    def curve(self, eta: FloatArray) -> FloatArray:
        """Return P (1 - P) (1 - 2 P)."""
        return self.slope(eta) * (1.0 - 2.0 * self.mean(eta))


def _expected_far(eta: FloatArray) -> FloatArray:
    """Return phi^2 / (Phi (1 - Phi)) where the smaller of the two is no number of full digits."""
    log_density = -0.5 * eta * eta - LOG_ROOT_2PI
    out: FloatArray = np.exp(2.0 * log_density - special.log_ndtr(eta) - special.log_ndtr(-eta))
    return out


def _chance_and_ratio(z: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray | None]:
    """Return Phi(z) and phi(z) / Phi(z), and where z is so low that Phi is no number (1 there)."""
    tail = special.ndtr(-np.abs(z))
    chance = np.where(z > 0.0, 1.0 - tail, tail)
    density = np.exp(-0.5 * z * z - LOG_ROOT_2PI)
    if z.size == 0 or float(z.min()) >= -FAR:
        return chance, density / chance, None
    far = ~(z >= -FAR)
    chance[far] = 1.0
    ratio = density / chance
    ratio[far] = np.exp(-0.5 * z[far] ** 2 - LOG_ROOT_2PI - special.log_ndtr(z[far]))
    return chance, ratio, far


@dataclass(frozen=True, slots=True)
class Probit:
    """Binary outcome, P = Phi(eta)."""

    name: str = "probit"
    binary: bool = True
    canonical: bool = False

    def check(self, y: FloatArray) -> None:
        """Refuse anything but 0 and 1."""
        _check_binary(y, self.name)

    def start(self, mean: float) -> float:
        """Return the normal quantile of the mean."""
        return float(special.ndtri(mean))

    def parts(self, y: FloatArray, eta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log-likelihood, score and observed information by row."""
        sign = 2.0 * y - 1.0
        z = sign * eta
        chance, ratio, far = _chance_and_ratio(z)
        # of 1 - tail, not log1p: an error of 1e-16 a row is nothing in their sum
        loglik = np.log(chance)
        if far is not None:
            loglik[far] = special.log_ndtr(z[far])
        return loglik, sign * ratio, ratio * (ratio + z)

    def expected(self, y: FloatArray, eta: FloatArray) -> FloatArray:
        """Return phi^2 / (Phi (1 - Phi))."""
        tail = special.ndtr(-np.abs(eta))
        out: FloatArray = np.exp(-eta * eta - 2.0 * LOG_ROOT_2PI)
        if tail.size == 0 or float(tail.min()) >= LEAST_TAIL:
            out /= tail * (1.0 - tail)
            return out
        far = ~(tail >= LEAST_TAIL)
        out /= np.where(far, 1.0, tail * (1.0 - tail))
        out[far] = _expected_far(eta[far])
        return out

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return P."""
        p: FloatArray = special.ndtr(eta)
        return p

    def slope(self, eta: FloatArray) -> FloatArray:
        """Return the normal density."""
        out: FloatArray = np.exp(-0.5 * eta * eta - LOG_ROOT_2PI)
        return out

    def curve(self, eta: FloatArray) -> FloatArray:
        """Return the derivative of the normal density."""
        return -eta * self.slope(eta)


@dataclass(frozen=True, slots=True)
class CLogLog:
    """Binary outcome, P = 1 - exp(-exp(eta)): the discrete-time proportional hazard."""

    name: str = "cloglog"
    binary: bool = True
    canonical: bool = False

    def check(self, y: FloatArray) -> None:
        """Refuse anything but 0 and 1."""
        _check_binary(y, self.name)

    def start(self, mean: float) -> float:
        """Return log(-log(1 - mean))."""
        return float(np.log(-np.log1p(-mean)))

    def parts(self, y: FloatArray, eta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log-likelihood, score and observed information by row."""
        m = np.exp(np.minimum(eta, ETA_MOST))
        survival_gap = -np.expm1(-m)
        event = y > 0
        tiny = survival_gap <= 0.0
        gap = np.where(tiny, 1.0, survival_gap)
        # exp(-m) underflows for m > 745: the score of an event is then 0, as it should be
        pull = np.where(tiny, 1.0, m * np.exp(-m) / gap)
        loglik = np.where(event, np.where(tiny, eta, np.log(gap)), -m)
        score = np.where(event, pull, -m)
        information = np.where(event, pull * np.where(tiny, 0.0, m / gap - 1.0), m)
        return loglik, score, information

    def expected(self, y: FloatArray, eta: FloatArray) -> FloatArray:
        """Return m^2 exp(-m) / (1 - exp(-m)) with m = exp(eta)."""
        m = np.exp(np.minimum(eta, ETA_MOST))
        gap = -np.expm1(-m)
        out: FloatArray = np.where(gap > 0, m * m * np.exp(-m) / np.where(gap > 0, gap, 1.0), m)
        return out

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return P."""
        out: FloatArray = -np.expm1(-np.exp(np.minimum(eta, ETA_MOST)))
        return out

    def slope(self, eta: FloatArray) -> FloatArray:
        """Return dP/deta."""
        bounded = np.minimum(eta, ETA_MOST)
        out: FloatArray = np.exp(bounded - np.exp(bounded))
        return out

    def curve(self, eta: FloatArray) -> FloatArray:
        """Return d2P/deta2."""
        out: FloatArray = self.slope(eta) * (1.0 - np.exp(np.minimum(eta, ETA_MOST)))
        return out


@dataclass(frozen=True, slots=True)
class Gaussian:
    """Continuous outcome, E(y) = eta; the scale is set aside and estimated afterwards."""

    name: str = "ols"
    binary: bool = False
    canonical: bool = True

    def check(self, y: FloatArray) -> None:
        """Refuse an outcome that never varies: a line through it fits without error."""
        if y.size and bool((y == y[0]).all()):
            raise EstimationError(
                f"the outcome is {y[0]:g} in all {y.size} rows used: nothing to explain."
            )

    def start(self, mean: float) -> float:
        """Return the mean."""
        return mean

    def parts(self, y: FloatArray, eta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return minus half the squared error, the error, and 1 by row."""
        error = y - eta
        return -0.5 * error * error, error, np.ones_like(eta)

    def expected(self, y: FloatArray, eta: FloatArray) -> FloatArray:
        """Return 1."""
        return np.ones_like(eta)

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return eta."""
        return eta

    def slope(self, eta: FloatArray) -> FloatArray:
        """Return 1."""
        return np.ones_like(eta)

    def curve(self, eta: FloatArray) -> FloatArray:
        """Return 0."""
        return np.zeros_like(eta)


@dataclass(frozen=True, slots=True)
class Poisson:
    """Count outcome with mean exp(eta)."""

    name: str = "poisson"
    binary: bool = False
    canonical: bool = True

    def check(self, y: FloatArray) -> None:
        """Refuse anything but counts."""
        _check_counts(y, self.name)

    def start(self, mean: float) -> float:
        """Return the log of the mean."""
        return float(np.log(mean))

    def parts(self, y: FloatArray, eta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log-likelihood, score and information by row."""
        mu = np.exp(np.minimum(eta, ETA_MOST))
        return y * eta - mu - special.gammaln(y + 1.0), y - mu, mu

    def expected(self, y: FloatArray, eta: FloatArray) -> FloatArray:
        """Return the mean."""
        return self.mean(eta)

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return exp(eta)."""
        out: FloatArray = np.exp(np.minimum(eta, ETA_MOST))
        return out

    def slope(self, eta: FloatArray) -> FloatArray:
        """Return exp(eta)."""
        return self.mean(eta)

    def curve(self, eta: FloatArray) -> FloatArray:
        """Return exp(eta)."""
        return self.mean(eta)


@dataclass(frozen=True, slots=True)
class NegativeBinomial:
    """Count outcome with mean mu = exp(eta) and variance mu + mu^2 / theta (NB2)."""

    theta: float
    name: str = "negbin"
    binary: bool = False
    canonical: bool = False

    def check(self, y: FloatArray) -> None:
        """Refuse anything but counts."""
        _check_counts(y, "negative binomial")

    def start(self, mean: float) -> float:
        """Return the log of the mean."""
        return float(np.log(mean))

    def parts(self, y: FloatArray, eta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log-likelihood, score and observed information by row, theta held."""
        mu = self.mean(eta)
        theta = self.theta
        total = theta + mu
        loglik = (
            special.gammaln(theta + y)
            - special.gammaln(theta)
            - special.gammaln(y + 1.0)
            + theta * np.log(theta)
            + y * eta
            - (theta + y) * np.log(total)
        )
        share = theta / total
        return loglik, (y - mu) * share, mu * share * (theta + y) / total

    def expected(self, y: FloatArray, eta: FloatArray) -> FloatArray:
        """Return mu theta / (theta + mu)."""
        mu = self.mean(eta)
        return mu * (self.theta / (self.theta + mu))

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return exp(eta)."""
        out: FloatArray = np.exp(np.minimum(eta, ETA_MOST))
        return out

    def slope(self, eta: FloatArray) -> FloatArray:
        """Return exp(eta)."""
        return self.mean(eta)

    def curve(self, eta: FloatArray) -> FloatArray:
        """Return exp(eta)."""
        return self.mean(eta)


FAMILIES: dict[str, Family] = {
    "logit": Logit(),
    "probit": Probit(),
    "cloglog": CLogLog(),
    "ols": Gaussian(),
    "poisson": Poisson(),
}


def score_of(family: Family, y: FloatArray, eta: FloatArray) -> FloatArray:
    """Return the score by row alone, which for most models costs less than all of `parts`."""
    if family.name == "logit":
        with np.errstate(over="ignore"):
            odds = np.exp(-eta)
        odds += 1.0
        out: FloatArray = y - 1.0 / odds
        return out
    if family.name == "probit":
        sign = 2.0 * y - 1.0
        return sign * _chance_and_ratio(sign * eta)[1]
    return y - family.mean(eta) if family.canonical else family.parts(y, eta)[1]
