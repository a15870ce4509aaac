"""Logit, probit and complementary log-log penalised by Jeffreys' prior, and Firth's logit.

Firth 1993, Biometrika 80: adding half the log determinant of the expected information to the
logit's log-likelihood takes the first-order bias out of the estimates and keeps them finite even
where the outcome is separated (Heinze and Schemper 2002, Statistics in Medicine 21). For other
links the bias-reducing adjustment of the score is not the derivative of that penalty (Kosmidis
and Firth 2009, Biometrika 96), so both are given: "firth" adjusts the score, "jeffreys"
maximises the penalised log-likelihood. For the logit they are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray, blocks
from foedus.models.families import FAMILIES, Family
from foedus.models.methods.handover import Estimated, inverse, scaled
from foedus.models.scaling import Scaling

LINKS = ("logit", "probit", "cloglog")
STEP_DONE = 1e-9
"""The adjusted score is solved by a quasi-Newton step that converges linearly; so go further."""


@dataclass(frozen=True, slots=True)
class _State:
    """What one pass leaves at some coefficients."""

    loglik: float
    score: FloatArray
    information: FloatArray
    log_determinant: float


def _working(family: Family, y: FloatArray, eta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the expected information by row, and half of (d information / d eta) / information.

    With w = m'^2 / (m (1 - m)): d log w / d eta = 2 m''/m' - m' (1 - 2 m) / (m (1 - m)).
    """
    w = family.expected(y, eta)
    m, slope, curve = family.mean(eta), family.slope(eta), family.curve(eta)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = m * (1.0 - m)
        bend = 2.0 * curve / slope - np.where(spread > 0, slope * (1.0 - 2.0 * m) / spread, 0.0)
    return w, 0.5 * np.nan_to_num(bend)


def _leverages(Z: FloatArray, w: FloatArray, bread: FloatArray) -> FloatArray:
    hat = np.empty(w.size)
    for rows in blocks(w.size, Z.shape[1]):
        hat[rows] = np.einsum("ij,ij->i", Z[rows] @ bread, Z[rows])
    return hat * w


def _information(Z: FloatArray, w: FloatArray) -> FloatArray:
    total = np.zeros((Z.shape[1], Z.shape[1]))
    for rows in blocks(w.size, Z.shape[1]):
        part = Z[rows] * np.sqrt(w[rows])[:, None]
        total += part.T @ part
    return total


class _Penalised:
    """The adjusted score of one model, at any coefficients."""

    def __init__(
        self,
        family: Family,
        y: FloatArray,
        Z: FloatArray,
        kind: str,
        power: float,
        weights: FloatArray | None,
        offset: FloatArray | None,
        parameters: Sequence[str],
    ) -> None:
        self.family, self.y, self.Z = family, y, Z
        self.kind, self.power = kind, power
        self.weights = np.ones_like(y) if weights is None else weights
        self.offset = np.zeros_like(y) if offset is None else offset
        self.parameters = parameters

    def at(self, beta: FloatArray) -> _State:
        """Return log-likelihood, adjusted score and expected information."""
        eta = self.Z @ beta + self.offset
        ll, u, _ = self.family.parts(self.y, eta)
        w, bend = _working(self.family, self.y, eta)
        w = w * self.weights
        information = _information(self.Z, w)
        bread = inverse(information, f"{self.kind} {self.family.name}", self.parameters)
        hat = _leverages(self.Z, w, bread)
        if self.kind == "firth":
            # Kosmidis and Firth 2009: the adjustment is h/2 times m''/m' (times m'/V per unit of
            # the score); for the logit m''/m' = 1 - 2 m and this is Firth's h (1/2 - m)
            slope = self.family.slope(eta)
            pull = 0.5 * hat * np.nan_to_num(self.family.curve(eta) / slope)
        else:
            pull = 2.0 * self.power * hat * bend
        score = self.Z.T @ (u * self.weights + pull)
        sign, log_determinant = np.linalg.slogdet(information)
        loglik = float((ll * self.weights).sum())
        return _State(loglik, score, information, float(log_determinant) if sign > 0 else -np.inf)

    def row_scores(self, beta: FloatArray) -> FloatArray:
        """Return the unpenalised score of every row, as sandwich takes it from R's fits."""
        _, u, _ = self.family.parts(self.y, self.Z @ beta + self.offset)
        out: FloatArray = self.Z * (u * self.weights)[:, None]
        return out


def fit_penalized(
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    kind: str = "firth",
    link: str = "logit",
    power: float = 0.5,
    weights: FloatArray | None = None,
    offset: FloatArray | None = None,
    most: int = 1000,
) -> Estimated:
    """Fit a binary model with Firth's adjusted score or Jeffreys' penalty.

    Parameters
    ----------
    y, X, names : the outcome (0 or 1), the matrix and its columns' names.
    kind : str
        "firth" (mean bias reduction, brglm2's AS_mean) or "jeffreys" (maximum of the
        log-likelihood plus `power` times the log determinant of the information, MPL_Jeffreys).
    link : str
        logit, probit or cloglog.
    power : float
        Of Jeffreys' penalty; 0.5 is the prior itself.
    weights, offset : float array, optional
        Prior weights; a term with coefficient 1.
    most : int
        Steps after which the model counts as not converging.

    Returns
    -------
    Estimated
        ``loglik`` is the plain log-likelihood at the estimate, ``penalized_loglik`` (ancillary)
        the penalised one; the bread is the inverse expected information there.

    Raises
    ------
    EstimationError
        Collinear terms; no convergence.
    """
    family = FAMILIES[link]
    family.check(y)
    Z, scaling = scaled(X, names)
    model = _Penalised(family, y, Z, kind, power, weights, offset, names)
    beta = np.zeros(X.shape[1])
    if scaling.constant is not None:
        level = 0.0 if offset is None else float(offset.mean())
        beta[scaling.constant] = family.start(float(np.average(y, weights=weights))) - level
    state = model.at(beta)
    label = f"{kind} {link}"
    for taken in range(1, most + 1):
        steps = taken
        step: FloatArray = np.asarray(np.linalg.solve(state.information, state.score))
        size = float(np.abs(step).max())
        if size > 2.0:
            step *= 2.0 / size
        beta, state = _shorter(model, beta, step, state)
        if size < STEP_DONE:
            break
    else:
        moving = names[int(np.abs(step).argmax())]
        raise EstimationError(
            f"{label} did not converge in {most} steps (the coefficient of {moving} was still "
            "moving); look for terms of very different scale."
        )
    back = scaling.matrix()
    facts = {
        "penalized_loglik": state.loglik
        + (0.5 if kind == "firth" else power) * _logdet(state, scaling.matrix())
    }
    return Estimated(
        tuple(names),
        back @ beta,
        state.loglik,
        model.row_scores(beta),
        inverse(state.information, label, names),
        back,
        steps,
        facts,
    )


def penalised(
    family: Family,
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    power: float,
    weights: FloatArray | None,
    offset: FloatArray | None,
) -> tuple[Scaling, Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]]:
    """Return a scaling and the penalised log-likelihood as a function of scaled coefficients.

    Its gradient is Jeffreys' adjusted score (for the logit also Firth's), its third part the
    expected information.
    """
    Z, scaling = scaled(X, names)
    model = _Penalised(family, y, Z, "jeffreys", power, weights, offset, names)

    def at(beta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        state = model.at(beta)
        return state.loglik + power * state.log_determinant, state.score, state.information

    return scaling, at


def _logdet(state: _State, back: FloatArray) -> float:
    """Return the log determinant of the information for the user's columns."""
    return state.log_determinant - 2.0 * float(np.linalg.slogdet(back)[1])


def _shorter(
    model: _Penalised, beta: FloatArray, step: FloatArray, state: _State
) -> tuple[FloatArray, _State]:
    """Take the step, halved while it makes the adjusted score larger."""
    before = _norm(state)
    factor = 1.0
    for _ in range(12):
        there = model.at(beta + factor * step)
        if np.isfinite(there.loglik) and _norm(there) <= before * 1.0001 + 1e-12:
            return beta + factor * step, there
        factor *= 0.5
    return beta + factor * step, there


def _norm(state: _State) -> float:
    """Return the length of the adjusted score in the metric of the information."""
    squared = float(state.score @ np.linalg.solve(state.information, state.score))
    return float(np.sqrt(max(squared, 0.0)))
