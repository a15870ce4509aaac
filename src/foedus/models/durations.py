"""Parametric durations: accelerated failure times, with and without a share that never fails.

log T = X b + sigma W with W extreme value (Weibull, exponential), normal, logistic or log-gamma
(generalised gamma; Stacy 1962, Prentice 1974, Biometrika 61). A row contributes its density where
it ends with the event and its survival where it is cut off, over its survival at a late start.
The split-population model (Schmidt and Witte 1989, Journal of Econometrics 40) lets a share
1 / (1 + exp(Z g)) of rows never fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from foedus.errors import EstimationError
from foedus.models.arrays import BoolArray, FloatArray
from foedus.models.families import LOG_ROOT_2PI
from foedus.models.indices import (
    Derivatives,
    Index,
    IndexFit,
    RowLikelihood,
    maximise_indices,
    single,
)

LogDensity = Callable[[FloatArray], tuple[FloatArray, FloatArray, FloatArray]]


@dataclass(frozen=True, slots=True)
class Shape:
    """A standard error distribution W: log density and log survival with two derivatives each."""

    name: str
    density: LogDensity
    survival: LogDensity
    quantile: Callable[[FloatArray], FloatArray]
    scale: bool = True


def _extreme_density(z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    e = np.exp(np.minimum(z, 500.0))
    return z - e, 1.0 - e, -e


def _extreme_survival(z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    e = np.exp(np.minimum(z, 500.0))
    return -e, -e, -e


def _normal_density(z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    return -0.5 * z * z - LOG_ROOT_2PI, -z, -np.ones_like(z)


def _normal_survival(z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    value = special.log_ndtr(-z)
    ratio = np.exp(-0.5 * z * z - LOG_ROOT_2PI - value)
    return value, -ratio, -ratio * (ratio - z)


def _logistic_density(z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    p = special.expit(z)
    value = z - 2.0 * np.logaddexp(0.0, z)
    return value, 1.0 - 2.0 * p, -2.0 * p * (1.0 - p)


def _logistic_survival(z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    p = special.expit(z)
    return -np.logaddexp(0.0, z), -p, -p * (1.0 - p)


def _extreme_quantile(p: FloatArray) -> FloatArray:
    out: FloatArray = np.log(-np.log1p(-p))
    return out


SHAPES = {
    "weibull": Shape("weibull", _extreme_density, _extreme_survival, _extreme_quantile),
    "exponential": Shape(
        "exponential", _extreme_density, _extreme_survival, _extreme_quantile, scale=False
    ),
    "lognormal": Shape("lognormal", _normal_density, _normal_survival, special.ndtri),
    "loglogistic": Shape("loglogistic", _logistic_density, _logistic_survival, special.logit),
}


def _moved(parts: Derivatives, z: FloatArray, scale: FloatArray, free: bool) -> Derivatives:
    """Turn derivatives in z = (log t - m) exp(-s) into derivatives in m and s."""
    value, first, second = parts
    dm = -scale
    d1 = np.empty((z.size, 2 if free else 1))
    d2 = np.empty((z.size, d1.shape[1], d1.shape[1]))
    d1[:, 0] = first * dm
    d2[:, 0, 0] = second * dm * dm
    if free:
        d1[:, 1] = -first * z
        d2[:, 1, 1] = second * z * z + first * z
        d2[:, 0, 1] = d2[:, 1, 0] = -second * dm * z - first * dm
    return value, d1, d2


def _location_scale(
    shape: Shape, time: FloatArray, event: BoolArray, start: FloatArray | None
) -> RowLikelihood:
    """Return the rows' likelihood in the location and (where free) the log scale."""
    logs = np.log(time)
    late = None if start is None else start > 0
    late_logs = None if start is None or late is None else np.log(start[late])

    def rows(eta: FloatArray) -> Derivatives:
        free = shape.scale
        s = eta[:, 1] if free else np.zeros(logs.size)
        scale = np.exp(-s)
        z = (logs - eta[:, 0]) * scale
        value, d1, d2 = np.empty(z.size), np.empty(z.size), np.empty(z.size)
        for mask, function in ((event, shape.density), (~event, shape.survival)):
            value[mask], d1[mask], d2[mask] = function(z[mask])
        value, first, second = _moved((value, d1, d2), z, scale, free)
        # the density of t, not of log t: as survreg and Stata's streg report it
        value[event] -= s[event] + logs[event]
        if free:
            first[event, 1] -= 1.0
        if late is not None and late_logs is not None and late.any():
            zl = (late_logs - eta[late, 0]) * scale[late]
            v, f, h = _moved(shape.survival(zl), zl, scale[late], free)
            value[late] -= v
            first[late] -= f
            second[late] -= h
        return value, first, second

    return rows


def check_durations(time: FloatArray, event: BoolArray, start: FloatArray | None) -> None:
    """Refuse data without events or with spells that end before they start."""
    if not event.any():
        raise EstimationError("no row ends with an event: the durations can't be told.")
    if start is not None and bool((start < 0).any()):
        raise EstimationError("a spell starts before time 0.")
    if start is not None and bool((time <= start).any()):
        bad = int(np.flatnonzero(time <= start)[0])
        raise EstimationError(
            f"row {bad} of the rows used starts at {start[bad]:g} and ends at {time[bad]:g}; a "
            "spell must end after it starts."
        )


def fit_durations(
    kind: str,
    time: FloatArray,
    event: BoolArray,
    index: Index,
    start: FloatArray | None = None,
    weights: FloatArray | None = None,
) -> IndexFit:
    """Fit an accelerated failure time model.

    Parameters
    ----------
    kind : str
        weibull, exponential, lognormal, loglogistic or gengamma.
    time, event : array
        When each row's spell ends, and whether with the event.
    index : Index
        The columns, with a constant.
    start : float array, optional
        When it comes under risk.
    weights : float array, optional
        Prior weights.

    Returns
    -------
    IndexFit
        Coefficients on log time, then /lnsigma (and /kappa for gengamma).
    """
    check_durations(time, event, start)
    if kind == "gengamma":
        return _fit_generalised_gamma(time, event, index, start, weights)
    shape = SHAPES[kind]
    begin = _start(time, index, weights)
    indices = [index]
    if shape.scale:
        indices.append(single("/lnsigma", time.size))
        begin = np.append(begin, np.log(max(float(np.log(time).std()), 1e-3) * 0.8))
    return maximise_indices(
        _location_scale(shape, time, event, start), indices, begin, weights=weights, what=kind
    )


def _start(time: FloatArray, index: Index, weights: FloatArray | None) -> FloatArray:
    logs = np.log(time)
    if index.offset is not None:
        logs = logs - index.offset
    root = np.ones(time.size) if weights is None else np.sqrt(weights)
    return np.asarray(np.linalg.lstsq(index.X * root[:, None], logs * root, rcond=None)[0])


# --- generalised gamma ----------------------------------------------------------------------


def _gamma_parts(w: FloatArray, kappa: float) -> tuple[FloatArray, FloatArray]:
    """Return log density and log survival of w = (log t - m) / sigma (Prentice's form).

    kappa = 0 is the log-normal, 1 the Weibull.
    """
    if abs(kappa) < 1e-6:
        return -0.5 * w * w - LOG_ROOT_2PI, special.log_ndtr(-w)
    shape = kappa**-2
    u = np.exp(np.minimum(kappa * w, 500.0)) * shape
    density = (
        np.log(abs(kappa))
        + shape * np.log(shape)
        - special.gammaln(shape)
        + shape * (kappa * w)
        - u
    )
    tail = special.gammaincc(shape, u) if kappa > 0 else special.gammainc(shape, u)
    return density, np.log(np.maximum(tail, 1e-300))


def _gamma_rows(time: FloatArray, event: BoolArray, start: FloatArray | None) -> RowLikelihood:
    logs = np.log(time)
    late = np.zeros(time.size, dtype=bool) if start is None else start > 0
    late_logs = np.log(start[late]) if start is not None else np.empty(0)

    def value(m: FloatArray, s: FloatArray, kappa: float) -> FloatArray:
        density, survival = _gamma_parts((logs - m) * np.exp(-s), kappa)
        out = np.where(event, density - s - logs, survival)
        if late_logs.size:
            w = (late_logs - m[late]) * np.exp(-s[late])
            out[late] -= _gamma_parts(w, kappa)[1]
        return out

    def rows(eta: FloatArray) -> Derivatives:
        m, s, kappa = eta[:, 0], eta[:, 1], float(eta[0, 2])
        return _five_point(value, m, s, kappa)

    return rows


def _five_point(
    value: Callable[[FloatArray, FloatArray, float], FloatArray],
    m: FloatArray,
    s: FloatArray,
    kappa: float,
) -> Derivatives:
    """Differentiate by central differences of fourth order; the incomplete gamma has no others.

    The steps make the first derivatives good to about 1e-10 and the second to about 1e-7.
    """
    scale = float(np.exp(s[0]))
    steps = (2e-3 * scale, 2e-3, 2e-3)

    def at(shift: tuple[float, float, float]) -> FloatArray:
        return value(m + shift[0], s + shift[1], kappa + shift[2])

    centre = at((0.0, 0.0, 0.0))
    first, second = np.empty((m.size, 3)), np.empty((m.size, 3, 3))
    for i in range(3):
        unit = np.zeros(3)
        unit[i] = steps[i]
        v = {c: at(tuple(c * unit)) for c in (-3, -2, -1, 1, 2, 3)}  # type: ignore[arg-type]
        first[:, i] = (45 * (v[1] - v[-1]) - 9 * (v[2] - v[-2]) + (v[3] - v[-3])) / (60 * steps[i])
        second[:, i, i] = (
            270 * (v[1] + v[-1]) - 27 * (v[2] + v[-2]) + 2 * (v[3] + v[-3]) - 490 * centre
        ) / (180 * steps[i] ** 2)
    for i in range(3):
        for j in range(i):
            total = np.zeros(m.size)
            for c, weight in ((1, 4.0), (2, -1.0)):
                a, b = np.zeros(3), np.zeros(3)
                a[i], b[j] = c * steps[i], c * steps[j]
                both = at(tuple(a + b)) + at(tuple(-a - b))
                apart = at(tuple(a - b)) + at(tuple(b - a))
                total += weight * (both - apart) / (4.0 * c * c)
            # Richardson: (4 D(h) - D(2h)) / 3 takes out the error in h^2
            second[:, i, j] = second[:, j, i] = total / (3.0 * steps[i] * steps[j])
    return centre, first, second


def _fit_generalised_gamma(
    time: FloatArray,
    event: BoolArray,
    index: Index,
    start: FloatArray | None,
    weights: FloatArray | None,
) -> IndexFit:
    n = time.size
    begin = fit_durations("lognormal", time, event, index, start, weights)
    indices = [index, single("/lnsigma", n), single("/kappa", n)]
    rows = _gamma_rows(time, event, start)
    found = None
    for kappa in (0.3, 1.0, -0.5):
        try:
            new = maximise_indices(
                rows, indices, np.append(begin.coef, kappa), weights=weights, what="gengamma"
            )
        except EstimationError:
            continue
        if found is None or new.loglik > found.loglik:
            found = new
    if found is None:
        raise EstimationError(
            "gengamma did not converge from any start; use a model with fewer shape parameters."
        )
    return found


# --- a share that never fails ---------------------------------------------------------------


def _split(rows: RowLikelihood, event: BoolArray) -> RowLikelihood:
    """Mix a model of durations with rows that never fail.

    The last index is the log-odds of ever failing: an event contributes P f(t), a spell that is
    cut off P S(t) + 1 - P.
    """

    def mixed(eta: FloatArray) -> Derivatives:
        value, d1, d2 = rows(eta[:, :-1])
        g = eta[:, -1]
        p = special.expit(g)
        q = d1.shape[1]
        first, second = np.zeros((g.size, q + 1)), np.zeros((g.size, q + 1, q + 1))
        out = np.empty(g.size)
        e = event
        out[e] = value[e] - np.logaddexp(0.0, -g[e])
        first[e, :q], second[e, :q, :q] = d1[e], d2[e]
        first[e, q] = 1.0 - p[e]
        second[e, q, q] = -p[e] * (1.0 - p[e])
        c = ~e
        # log((e^g S + 1) / (1 + e^g)); h is the chance that a row cut off will fail yet
        joint = g[c] + value[c]
        out[c] = np.logaddexp(0.0, joint) - np.logaddexp(0.0, g[c])
        h = special.expit(joint)
        bend = h * (1.0 - h)
        first[c, :q] = h[:, None] * d1[c]
        first[c, q] = h - p[c]
        second[c, :q, :q] = (
            h[:, None, None] * d2[c] + bend[:, None, None] * d1[c][:, :, None] * d1[c][:, None, :]
        )
        cross = bend[:, None] * d1[c]
        second[c, :q, q] = cross
        second[c, q, :q] = cross
        second[c, q, q] = bend - p[c] * (1.0 - p[c])
        return out, first, second

    return mixed


def fit_split_population(
    kind: str,
    time: FloatArray,
    event: BoolArray,
    index: Index,
    ever: Index,
    weights: FloatArray | None = None,
) -> IndexFit:
    """Fit a model of durations in which some rows never fail.

    Parameters
    ----------
    kind : str
        weibull, exponential, lognormal or loglogistic.
    time, event, index, weights
        As in `fit_durations`.
    ever : Index
        Columns of the log-odds of ever failing.

    Returns
    -------
    IndexFit
        Coefficients on log time, /lnsigma, then those of ever failing.

    Raises
    ------
    EstimationError
        If no spell is cut off: nothing then tells who never fails.
    """
    check_durations(time, event, None)
    if event.all():
        raise EstimationError(
            "split population: every spell ends with the event, so nobody is known not to fail."
        )
    shape = SHAPES[kind]
    plain = fit_durations(kind, time, event, index, None, weights)
    share = float(np.clip(event.mean() * 1.2, 0.05, 0.95))
    odds = np.zeros(ever.X.shape[1])
    constant = [j for j in range(odds.size) if bool((ever.X[:, j] == 1.0).all())]
    if constant:
        odds[constant[0]] = np.log(share / (1 - share))
    indices = [index, *([single("/lnsigma", time.size)] if shape.scale else []), ever]
    rows = _split(_location_scale(shape, time, event, None), event)
    start = np.concatenate([plain.coef, odds])
    try:
        return maximise_indices(rows, indices, start, weights=weights, what="split population")
    except EstimationError as error:
        raise EstimationError(
            f"{error} Often this means that the data know of nobody who never fails, so that the "
            f"odds of failing run off to infinity: fit aft_{kind}, or fewer terms of failing."
        ) from error


def quantile_of(kind: str, p: FloatArray) -> FloatArray:
    """Return the standard error's quantiles."""
    return np.asarray(SHAPES[kind].quantile(p))
