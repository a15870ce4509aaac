"""Regressions of heavy-tailed outcomes: inverse Burr, generalised Pareto, Pareto."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from foedus.errors import EstimationError
from foedus.models.arrays import BoolArray, FloatArray, index_of
from foedus.models.covariance import ready_ingredients
from foedus.models.fit import Fit
from foedus.models.indices import Derivatives, Index, IndexFit, maximise_indices, single
from foedus.models.inputs import Inputs
from foedus.models.registry import Option, estimator

THRESHOLD = Option(
    "threshold", "rows with an outcome at or below it are left out and counted", default=0.0
)
NEAR_ZERO = 1e-4


@dataclass(frozen=True, slots=True)
class TailPredictor:
    """Predictions of a tail's regression: "response" is the median, "link" X b."""

    law: str
    threshold: float
    kinds: tuple[str, ...] = ("response", "link")

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return one number a row."""
        k = parts[0].shape[1]
        eta = index_of(parts[0], params[:k], offset)
        if kind == "link":
            return eta
        if self.law == "pareto_tail":
            pareto: FloatArray = self.threshold * 2.0 ** np.exp(-eta)
            return pareto
        if self.law == "generalized_pareto":
            shape = float(params[k])
            half = np.log(2.0) if abs(shape) < 1e-12 else np.expm1(shape * np.log(2.0)) / shape
            out: FloatArray = self.threshold + np.exp(eta) * half
            return out
        theta, alpha = np.exp(params[k]), np.exp(params[k + 1])
        share = 0.5 ** (1.0 / alpha)
        median: FloatArray = np.exp(eta) * (share / (1.0 - share)) ** (1.0 / theta)
        return median


def _above(inputs: Inputs) -> tuple[Inputs, BoolArray | None, dict[str, int]]:
    """Leave out rows at or below the threshold."""
    threshold = float(inputs.options["threshold"])
    keep: BoolArray = inputs.y > threshold
    if keep.all():
        return inputs, None, {}
    if int(keep.sum()) <= inputs.X.shape[1] + 1:
        raise EstimationError(
            f"{inputs.estimator}: only {int(keep.sum())} rows lie above {threshold:g}."
        )
    lost = {f"outcome at or below {threshold:g}": int((~keep).sum())}
    return inputs.take(keep), keep, lost


def _assemble(
    inputs: Inputs, found: IndexFit, kept: BoolArray | None, lost: dict[str, int],
    ancillary: dict[str, float],
) -> Fit:  # fmt: skip
    predictor = TailPredictor(inputs.estimator, float(inputs.options["threshold"]))
    return Fit(
        estimator=inputs.estimator,
        names=found.names,
        parts=inputs.parts,
        y=inputs.y,
        coef=found.coef,
        loglik=found.loglik,
        made=ready_ingredients(found.scores, found.bread),
        predictor=predictor,
        weights=inputs.weights,
        offset=inputs.offset,
        kept=kept,
        iterations=found.iterations,
        ancillary=ancillary,
        rows_lost=lost,
    )


def _index(inputs: Inputs) -> Index:
    part = inputs.parts[0]
    return Index(part.X, part.terms(), inputs.offset)


def _log_start(inputs: Inputs) -> FloatArray:
    logs = np.log(inputs.y) - inputs.row_offset()
    return np.asarray(np.linalg.lstsq(inputs.X, logs, rcond=None)[0])


@estimator(
    "inverse_burr",
    title="inverse Burr (Dagum) outcome, F = [u/(1+u)]^alpha, u = (y / exp(X b))^theta",
    citation="Dagum 1977; Cunen, Hjort and Nygard 2020, Journal of Peace Research 57",
    outcome="positive",
    options=(THRESHOLD,),
)
def fit(inputs: Inputs) -> Fit:
    """Fit by Newton's method; the threshold only leaves rows out."""
    inputs, kept, lost = _above(inputs)
    logs = np.log(inputs.y)

    def rows(eta: FloatArray) -> Derivatives:
        m, t, a = eta.T
        theta, alpha = np.exp(t), np.exp(a)
        u = theta * (logs - m)
        s = 1.0 / (1.0 + np.exp(-np.clip(u, -700, 700)))
        log_s = -np.logaddexp(0.0, -u)
        value = a + t - logs + alpha * log_s - np.logaddexp(0.0, u)
        slope, bend = alpha * (1.0 - s) - s, -(alpha + 1.0) * s * (1.0 - s)
        first = np.column_stack([-theta * slope, slope * u + 1.0, 1.0 + alpha * log_s])
        second = np.empty((logs.size, 3, 3))
        second[:, 0, 0] = bend * theta**2
        second[:, 1, 1] = bend * u**2 + slope * u
        second[:, 2, 2] = alpha * log_s
        second[:, 0, 1] = second[:, 1, 0] = -theta * (bend * u + slope)
        second[:, 0, 2] = second[:, 2, 0] = -theta * alpha * (1.0 - s)
        second[:, 1, 2] = second[:, 2, 1] = u * alpha * (1.0 - s)
        return value, first, second

    spread = float(np.std(logs - inputs.X @ _log_start(inputs))) or 1.0
    start = np.concatenate([_log_start(inputs), [np.log(1.7 / spread), 0.0]])
    indices = [_index(inputs), single("/lntheta", inputs.n), single("/lnalpha", inputs.n)]
    found = maximise_indices(rows, indices, start, weights=inputs.weights, what="inverse_burr")
    theta, alpha = np.exp(found.coef[-2:])
    return _assemble(inputs, found, kept, lost, {"theta": float(theta), "alpha": float(alpha)})


@estimator(
    "generalized_pareto",
    title="generalised Pareto excesses over a threshold, log scale = X b",
    citation="Davison and Smith 1990, JRSS B 52; Cirillo and Taleb 2016",
    outcome="positive",
    options=(THRESHOLD,),
)
def fit_excesses(inputs: Inputs) -> Fit:
    """Fit by Newton's method on the likelihood of the excesses."""
    inputs, kept, lost = _above(inputs)
    excess = inputs.y - float(inputs.options["threshold"])

    def rows(eta: FloatArray) -> Derivatives:
        m, x = eta[:, 0], float(eta[0, 1])
        z = excess * np.exp(-m)
        if float((1.0 + x * z).min()) <= 0:
            bad = np.full(z.size, -np.inf)
            return bad, np.full((z.size, 2), np.nan), np.full((z.size, 2, 2), np.nan)
        q = z / (1.0 + x * z)
        log_part = np.log1p(x * z)
        if abs(x) < NEAR_ZERO:
            by_shape = z**2 / 2 - 2 * x * z**3 / 3 - q
            twice = -2 * z**3 / 3 + 1.5 * x * z**4 + q**2
            value = -m - z + x * (z**2 / 2 - z) - x * x * (z**3 / 3 - z**2 / 2)
        else:
            by_shape = (log_part - x * q) / x**2 - q
            twice = (-2 * (log_part - x * q) + x**2 * q**2) / x**3 + q**2
            value = -m - (1.0 + 1.0 / x) * log_part
        first = np.column_stack([-1.0 + (1.0 + x) * q, by_shape])
        second = np.empty((z.size, 2, 2))
        second[:, 0, 0] = -(1.0 + x) * q * (1.0 - x * q)
        second[:, 0, 1] = second[:, 1, 0] = q - (1.0 + x) * q**2
        second[:, 1, 1] = twice
        return value, first, second

    logs = np.log(excess) - inputs.row_offset()
    start = np.append(np.linalg.lstsq(inputs.X, logs, rcond=None)[0], 0.5)
    indices = [_index(inputs), single("/shape", inputs.n)]
    found = maximise_indices(
        rows, indices, start, weights=inputs.weights, what="generalized_pareto"
    )
    return _assemble(inputs, found, kept, lost, {"shape": float(found.coef[-1])})


@estimator(
    "pareto_tail",
    title="power-law tail above a threshold, log(alpha - 1) = X b",
    citation="Clauset, Shalizi and Newman 2009, SIAM Review 51; Beirlant and Goegebeur 2003",
    outcome="positive",
    options=(replace(THRESHOLD, says="the tail's xmin; rows below it are left out", default=0.0),),
)
def fit_exponent(inputs: Inputs) -> Fit:
    """Fit by Newton's method; without a threshold it is the smallest outcome."""
    threshold = float(inputs.options["threshold"]) or float(inputs.y.min())
    keep: BoolArray = inputs.y >= threshold
    lost = {f"outcome below {threshold:g}": int((~keep).sum())} if not keep.all() else {}
    kept = None if keep.all() else keep
    if int(keep.sum()) <= inputs.X.shape[1]:
        raise EstimationError(f"pareto_tail: only {int(keep.sum())} rows reach {threshold:g}.")
    inputs = replace(inputs.take(keep), options={**inputs.options, "threshold": threshold})
    rise = np.log(inputs.y / threshold)

    def rows(eta: FloatArray) -> Derivatives:
        tail = np.exp(eta[:, 0])
        value = eta[:, 0] - (tail + 1.0) * rise - np.log(threshold)
        return value, (1.0 - tail * rise)[:, None], (-tail * rise)[:, None, None]

    start = np.zeros(inputs.X.shape[1])
    found = maximise_indices(
        rows, [_index(inputs)], start, weights=inputs.weights, what="pareto_tail"
    )
    return _assemble(inputs, found, kept, lost, {"xmin": threshold})
