"""Laws of heavy tails above a threshold: fit, distance, goodness of fit, comparison, periods.

Each law has a density on x >= xmin and is fitted there by maximum likelihood. For whole numbers
a law's probability is what it puts between x - 1/2 and x + 1/2, over what it puts above
xmin - 1/2 (as in poweRlaw), except the power law, which is the zeta law. The threshold is given,
or the value at which the Kolmogorov-Smirnov distance is smallest (Clauset, Shalizi and Newman
2009, SIAM Review 51); laws are compared by Vuong's (1989, Econometrica 57) test, nested ones by
the likelihood ratio.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, optimize, special

from foedus.errors import EstimationError, UsageError, nearest
from foedus.models.arrays import FloatArray
from foedus.models.families import LOG_ROOT_2PI

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(60)
LEAST = 1e-300
FAR = 1e6


@dataclass(frozen=True, slots=True)
class Law:
    """A family of tails.

    Attributes
    ----------
    name, parameters : str, tuple of str
        What it is, and its parameters.
    positive : tuple of bool
        Which parameters are above 0 (searched on the log scale).
    log_density, log_survival : callable
        Of parameters, values and threshold; conditional on x >= threshold.
    starts : callable
        Starting values from a tail and its threshold.
    """

    name: str
    parameters: tuple[str, ...]
    positive: tuple[bool, ...]
    log_density: Callable[[FloatArray, FloatArray, float], FloatArray]
    log_survival: Callable[[FloatArray, FloatArray, float], FloatArray]
    starts: Callable[[FloatArray, float], list[list[float]]]


# --- the laws -------------------------------------------------------------------------------


def _pl_density(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    out: FloatArray = np.log(p[0]) - np.log(xmin) - (p[0] + 1.0) * np.log(x / xmin)
    return out


def _pl_survival(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    out: FloatArray = -p[0] * np.log(x / xmin)
    return out


def _ln_density(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    z = (np.log(x) - p[0]) / p[1]
    below = special.log_ndtr((p[0] - np.log(xmin)) / p[1]) if xmin > 0 else 0.0
    out: FloatArray = -np.log(x) - np.log(p[1]) - 0.5 * z * z - LOG_ROOT_2PI - below
    return out


def _ln_survival(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    below = special.log_ndtr((p[0] - np.log(xmin)) / p[1]) if xmin > 0 else 0.0
    out: FloatArray = special.log_ndtr((p[0] - np.log(x)) / p[1]) - below
    return out


def _exp_density(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    out: FloatArray = np.log(p[0]) - p[0] * (x - xmin)
    return out


def _exp_survival(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    out: FloatArray = -p[0] * (x - xmin)
    return out


def _se_density(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    """Return the stretched exponential: the Weibull (scale, shape) above xmin."""
    scale, shape = p
    u = np.log(x / scale)
    out: FloatArray = (
        np.log(shape) - np.log(x) + shape * u - np.exp(shape * u) + (xmin / scale) ** shape
    )
    return out


def _se_survival(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    out: FloatArray = (xmin / p[0]) ** p[1] - (x / p[0]) ** p[1]
    return out


def _log_cut(exponent: FloatArray, rate: FloatArray, xmin: FloatArray) -> FloatArray:
    """Return the log of the integral of x^-exponent exp(-rate x) from xmin on.

    With x = xmin exp(u) it is xmin^(1 - exponent) times the integral of
    exp((1 - exponent) u - rate xmin exp(u)), which is cut off where it is below 1e-17 of its top.
    """
    c = rate * xmin
    a = np.broadcast_to(1.0 - exponent, c.shape)
    with np.errstate(divide="ignore"):
        top = np.where(a > 0, np.maximum(np.log(np.maximum(a, 1e-300) / c), 0.0), 0.0)
        falls = np.where(a < 0, 45.0 / -np.where(a < 0, a, -1.0), np.inf)
    height = a * top - c * np.exp(top)
    reach = np.maximum(np.minimum(np.log1p(45.0 / c) + 2.0, falls), top + 3.0)
    total = np.zeros_like(c)
    pieces = 8
    for piece in range(pieces):
        half = 0.5 * reach / pieces
        u = half[..., None] * (_NODES + 1.0 + 2.0 * piece)
        inside = a[..., None] * u - c[..., None] * np.exp(u) - height[..., None]
        total += half * (np.exp(np.maximum(inside, -745.0)) @ _WEIGHTS)
    out: FloatArray = a * np.log(xmin) + height + np.log(total)
    return out


def _tpl_density(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    out: FloatArray = -p[0] * np.log(x) - p[1] * x - _tpl_whole(p, xmin)
    return out


def _tpl_whole(p: FloatArray, xmin: float) -> FloatArray:
    return _log_cut(np.asarray(p[0]), np.asarray(p[1]), np.asarray(xmin, dtype=np.float64))


def _tpl_survival(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    values = np.asarray(x, dtype=np.float64)
    out: FloatArray = _log_cut(p[0], p[1], values) - _tpl_whole(p, xmin)
    return out


def _gp_density(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    shape, scale = p
    z = (x - xmin) / scale
    flat = np.abs(shape) < 1e-9
    bent = np.where(flat, 1.0, shape)
    inside = 1.0 + bent * z
    with np.errstate(invalid="ignore", divide="ignore"):
        curved = np.where(
            inside > 0,
            -np.log(scale) - (1.0 / bent + 1.0) * np.log(np.maximum(inside, LEAST)),
            -np.inf,
        )
    out: FloatArray = np.where(flat, -np.log(scale) - z, curved)
    return out


def _gp_survival(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    shape, scale = p
    z = (x - xmin) / scale
    flat = np.abs(shape) < 1e-9
    bent = np.where(flat, 1.0, shape)
    out: FloatArray = np.where(flat, -z, -np.log(np.maximum(1.0 + bent * z, LEAST)) / bent)
    return out


def _ib_upper(p: FloatArray, x: FloatArray) -> FloatArray:
    """Return log(1 - F) of the inverse Burr, F = [(x/mu)^theta / (1 + (x/mu)^theta)]^alpha."""
    mu, theta, alpha = p
    log_share = -np.logaddexp(0.0, -theta * np.log(np.maximum(x, LEAST) / mu))
    out: FloatArray = np.log(np.maximum(-np.expm1(alpha * log_share), LEAST))
    return out


def _ib_density(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    mu, theta, alpha = p
    u = theta * np.log(x / mu)
    below = _ib_upper(p, np.asarray(xmin)) if xmin > 0 else 0.0
    out: FloatArray = (
        np.log(alpha) + np.log(theta) - np.log(x)
        - alpha * np.logaddexp(0.0, -u) - np.logaddexp(0.0, u) - below
    )  # fmt: skip
    return out


def _ib_survival(p: FloatArray, x: FloatArray, xmin: float) -> FloatArray:
    below = _ib_upper(p, np.asarray(xmin)) if xmin > 0 else 0.0
    out: FloatArray = _ib_upper(p, x) - below
    return out


def _pl_starts(x: FloatArray, xmin: float) -> list[list[float]]:
    return [[1.0 / float(np.log(x / xmin).mean())]]


def _exp_starts(x: FloatArray, xmin: float) -> list[list[float]]:
    return [[1.0 / float((x - xmin).mean())]]


def _ln_starts(x: FloatArray, xmin: float) -> list[list[float]]:
    logs = np.log(x)
    mean, sd = float(logs.mean()), float(logs.std())
    if xmin <= 0:
        return [[mean, sd]]
    return [[mean - share * 2 * sd, sd * (1 + share)] for share in (0.0, 0.5, 1.5, 3.0)]


def _se_starts(x: FloatArray, xmin: float) -> list[list[float]]:
    middle = float(np.median(x))
    return [[middle, 1.0], [middle * 0.3, 0.5], [middle * 0.01, 0.25]]


def _tpl_starts(x: FloatArray, xmin: float) -> list[list[float]]:
    tail = 1.0 / float(np.log(x / xmin).mean())
    return [[1.0 + tail, 0.1 / float(x.max())], [1.0 + 0.5 * tail, 1.0 / float(x.max())]]


def _gp_starts(x: FloatArray, xmin: float) -> list[list[float]]:
    middle = float(np.median(x - xmin)) or float((x - xmin).mean())
    return [[1.0, middle], [0.3, float((x - xmin).mean())], [2.0, middle * 0.5]]


def _ib_starts(x: FloatArray, xmin: float) -> list[list[float]]:
    middle, tail = float(np.median(x)), 1.0 / max(float(np.log(x / x.min()).mean()), 1e-6)
    return [[middle, tail, 1.0], [float(x.min()), tail, 3.0], [middle, 2 * tail, 0.5]]


LAWS: dict[str, Law] = {
    "powerlaw": Law(
        "powerlaw", ("tail",), (True,), _pl_density, _pl_survival, _pl_starts
    ),
    "lognormal": Law(
        "lognormal", ("mu", "sigma"), (False, True), _ln_density, _ln_survival, _ln_starts
    ),
    "exponential": Law(
        "exponential", ("rate",), (True,), _exp_density, _exp_survival, _exp_starts
    ),
    "stretched_exponential": Law(
        "stretched_exponential", ("scale", "shape"), (True, True),
        _se_density, _se_survival, _se_starts,
    ),
    "truncated_powerlaw": Law(
        "truncated_powerlaw", ("alpha", "rate"), (False, True),
        _tpl_density, _tpl_survival, _tpl_starts,
    ),
    "generalized_pareto": Law(
        "generalized_pareto", ("shape", "scale"), (False, True),
        _gp_density, _gp_survival, _gp_starts,
    ),
    "inverse_burr": Law(
        "inverse_burr", ("mu", "theta", "alpha"), (True, True, True),
        _ib_density, _ib_survival, _ib_starts,
    ),
}  # fmt: skip

NESTED = {("powerlaw", "truncated_powerlaw"), ("exponential", "stretched_exponential"),
          ("exponential", "truncated_powerlaw"), ("exponential", "generalized_pareto")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TailFit:
    """A law fitted to a tail.

    Attributes
    ----------
    law : str
        Its name.
    parameters, std_errors : dict
        By name; errors from the likelihood's curvature (missing where it has none), conditional
        on the threshold. A power law has both alpha (of the density) and tail = alpha - 1.
    xmin : float
        The threshold; 0 for the whole range.
    n_tail, n : int
        Values in the tail and in all.
    loglik, aic, ks : float
        Log-likelihood and AIC of the tail; Kolmogorov-Smirnov distance.
    discrete : bool
        Whether values are whole numbers.
    """

    law: str
    parameters: dict[str, float]
    std_errors: dict[str, float]
    xmin: float
    n_tail: int
    n: int
    loglik: float
    aic: float
    ks: float
    discrete: bool

    def _vector(self) -> FloatArray:
        return np.array([self.parameters[name] for name in LAWS[self.law].parameters])

    def log_density(self, x: npt.ArrayLike) -> FloatArray:
        """Return the log density (or probability) of values at or above the threshold."""
        values = np.asarray(x, dtype=np.float64)
        rows = np.atleast_1d(values)
        made = _log_rows(LAWS[self.law], self._vector(), rows, self.xmin, self.discrete)
        return made.reshape(values.shape)

    def survival(self, x: npt.ArrayLike) -> FloatArray:
        """Return P(X >= x | X >= xmin)."""
        values = np.asarray(x, dtype=np.float64)
        rows = np.atleast_1d(values)
        made = _survival(LAWS[self.law], self._vector(), rows, self.xmin, self.discrete)
        return np.asarray(made.reshape(values.shape))


def _survival(law: Law, p: FloatArray, x: FloatArray, xmin: float, discrete: bool) -> FloatArray:
    """Return P(X >= x)."""
    if not discrete:
        continuous: FloatArray = np.exp(law.log_survival(p, x, xmin))
        return continuous
    if law.name == "powerlaw":
        out: FloatArray = special.zeta(p[0] + 1.0, x) / special.zeta(p[0] + 1.0, xmin)
        return out
    floor = max(xmin - 0.5, 0.0)
    above: FloatArray = np.exp(law.log_survival(p, x - 0.5, floor))
    return above


def _log_rows(law: Law, p: FloatArray, x: FloatArray, xmin: float, discrete: bool) -> FloatArray:
    if not discrete:
        return law.log_density(p, x, xmin)
    if law.name == "powerlaw":
        whole = float(np.log(special.zeta(p[0] + 1.0, xmin)))
        zeta: FloatArray = -(p[0] + 1.0) * np.log(x) - whole
        return zeta
    floor = max(xmin - 0.5, 0.0)
    upper, lower = law.log_survival(p, x - 0.5, floor), law.log_survival(p, x + 0.5, floor)
    with np.errstate(divide="ignore", invalid="ignore"):
        out: FloatArray = upper + np.log(np.maximum(-np.expm1(lower - upper), LEAST))
    # far out the difference of two survivals loses its digits, and the density hardly bends within
    # a whole number: half of the digits lost one way are those won the other
    flat = lower - upper > -1e-5
    if flat.any():
        out[flat] = law.log_density(p, x[flat], floor)
    return out


# --- fitting --------------------------------------------------------------------------------


def free_parameters(law: Law, p: Sequence[float]) -> FloatArray:
    """Return parameters as they are searched: those above 0 by their log."""
    return np.array(
        [np.log(v) if up else v for v, up in zip(p, law.positive, strict=True)], dtype=np.float64
    )


def held_parameters(law: Law, q: FloatArray) -> FloatArray:
    """Return searched places as parameters."""
    return np.array(
        [np.exp(np.clip(v, -300, 300)) if up else v for v, up in zip(q, law.positive, strict=True)]
    )


def _maximum(
    law: Law, tail: FloatArray, xmin: float, discrete: bool, hint: FloatArray | None = None
) -> tuple[FloatArray, float]:
    """Return the parameters at the maximum, and the log-likelihood there."""
    values, counts = np.unique(tail, return_counts=True)

    def loss(q: FloatArray) -> float:
        with np.errstate(all="ignore"):
            rows = _log_rows(law, held_parameters(law, q), values, xmin, discrete)
            total = -float(counts @ rows)
        return total if np.isfinite(total) else 1e300

    floor = xmin if xmin > 0 else float(tail.min()) * 0.5
    starts = (
        [hint] if hint is not None else [free_parameters(law, p) for p in law.starts(tail, floor)]
    )
    best: Any = None
    for start in starts:
        found = optimize.minimize(
            loss, start, method="Nelder-Mead",
            options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000, "maxfev": 6000},
        )  # fmt: skip
        if best is None or found.fun < best.fun:
            best = found
    assert best is not None
    q = _polished(loss, best.x)
    if loss(q) >= 1e299:
        raise EstimationError(f"{law.name}: no likelihood above the threshold {xmin:g}.")
    return held_parameters(law, q), -loss(q)


def _polished(loss: Callable[[FloatArray], float], q: FloatArray) -> FloatArray:
    """Take Newton steps by differences, as long as they improve."""
    value = loss(q)
    for _ in range(6):
        gradient, hessian = _differences(loss, q)
        try:
            step = linalg.solve(hessian, gradient, assume_a="sym")
        except (linalg.LinAlgError, ValueError):
            break
        new = loss(q - step)
        if not np.isfinite(new) or new > value or float(np.abs(step).max()) < 1e-10:
            break
        q, value = q - step, new
    return q


def _differences(
    loss: Callable[[FloatArray], float], q: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return gradient and Hessian by central differences."""
    k = q.size
    h = 1e-4 * np.maximum(np.abs(q), 1.0)
    centre = loss(q)
    gradient, hessian = np.empty(k), np.empty((k, k))
    unit = np.diag(h)
    for i in range(k):
        up, down = loss(q + unit[i]), loss(q - unit[i])
        gradient[i] = (up - down) / (2 * h[i])
        hessian[i, i] = (up - 2 * centre + down) / h[i] ** 2
        for j in range(i):
            both = loss(q + unit[i] + unit[j]) + loss(q - unit[i] - unit[j])
            apart = loss(q + unit[i] - unit[j]) + loss(q - unit[i] + unit[j])
            hessian[i, j] = hessian[j, i] = (both - apart) / (4 * h[i] * h[j])
    return gradient, hessian


def _errors(law: Law, p: FloatArray, tail: FloatArray, xmin: float, discrete: bool) -> FloatArray:
    values, counts = np.unique(tail, return_counts=True)

    def loss(q: FloatArray) -> float:
        with np.errstate(all="ignore"):
            return -float(counts @ _log_rows(law, held_parameters(law, q), values, xmin, discrete))

    _, hessian = _differences(loss, free_parameters(law, p.tolist()))
    root = np.sqrt(np.abs(np.diag(hessian)))
    if not np.isfinite(hessian).all() or bool((root <= 0).any()):
        return np.full(p.size, np.nan)
    if linalg.eigvalsh(hessian / np.outer(root, root))[0] < 1e-7:
        # a ridge: the law is at the edge of its family, and its parameters can't be told apart
        return np.full(p.size, np.nan)
    error = np.sqrt(np.diag(linalg.inv(hessian)))
    return np.where(law.positive, error * p, error)


def _distance(
    law: Law, p: FloatArray, tail: FloatArray, xmin: float, discrete: bool, integers: bool
) -> float:
    """Return the Kolmogorov-Smirnov distance of tail and law.

    Continuous: at each value, between the law and the share below it (plfit). Discrete: between
    both distribution functions at each value, or at all whole numbers.
    """
    n = tail.size
    if not discrete:
        ordered = np.sort(tail)
        law_below = 1.0 - _survival(law, p, ordered, xmin, False)
        return float(np.abs(law_below - np.arange(n) / n).max())
    values, counts = np.unique(tail, return_counts=True)
    share = np.cumsum(counts) / n
    gaps = np.abs(1.0 - _survival(law, p, values + 1.0, xmin, True) - share)
    if integers and values.size > 1:
        before = np.abs(1.0 - _survival(law, p, values[1:], xmin, True) - share[:-1])
        return float(max(gaps.max(), before.max()))
    return float(gaps.max())


def _law(name: str) -> Law:
    if name not in LAWS:
        raise UsageError(f'"{name}" is no law of tails. {nearest(name, LAWS)}')
    return LAWS[name]


def _checked(x: npt.ArrayLike, discrete: bool) -> FloatArray:
    values = np.sort(np.asarray(x, dtype=np.float64).ravel())
    if values.size < 3 or not np.isfinite(values).all() or values[0] <= 0:
        raise EstimationError("a tail needs at least three values, all finite and above 0.")
    if values[0] == values[-1]:
        raise EstimationError("all values are equal: there is no tail.")
    if discrete and bool((values != np.floor(values)).any()):
        raise EstimationError("a discrete law needs whole numbers; use the continuous.")
    return values


def fit_tail(
    x: npt.ArrayLike,
    law: str = "powerlaw",
    *,
    xmin: float | None = None,
    discrete: bool = False,
    least: int = 10,
    distance: str = "values",
) -> TailFit:
    """Fit a law to the upper tail.

    Parameters
    ----------
    x : array_like
        Positive values, one an event (a war's battle deaths).
    law : str
        powerlaw, lognormal, exponential, stretched_exponential, truncated_powerlaw,
        generalized_pareto or inverse_burr (Dagum).
    xmin : float, optional
        The threshold; 0 for all values without one; for None the value at which the
        Kolmogorov-Smirnov distance is smallest, among those that leave `least` in the tail.
    discrete : bool
        Whether values are whole numbers.
    least : int
        The fewest values of a tail whose threshold is searched for.
    distance : str
        Where a discrete law's distance is taken: "values" or all "integers" (poweRlaw, plfit).

    Returns
    -------
    TailFit
        The fitted law.

    Raises
    ------
    EstimationError
        Values that are not positive, too few above the threshold, a law that can't be fitted.
    """
    family = _law(law)
    values = _checked(x, discrete)
    if distance not in ("values", "integers"):
        raise UsageError(f'"{distance}" is not a place to take the distance: values or integers.')
    if xmin is None:
        xmin = _search(family, values, discrete, least, distance == "integers")
    elif xmin <= 0 and family.name not in ("lognormal", "inverse_burr", "stretched_exponential",
                                           "exponential", "generalized_pareto"):  # fmt: skip
        raise EstimationError(f"{law} needs a threshold above 0.")
    tail = values[values >= xmin]
    if tail.size <= len(family.parameters) or tail[0] == tail[-1]:
        raise EstimationError(f"{law}: too few distinct values at or above {xmin:g}.")
    p, loglik = _maximum(family, tail, float(xmin), discrete)
    errors = _errors(family, p, tail, float(xmin), discrete)
    parameters = dict(zip(family.parameters, p.tolist(), strict=True))
    std_errors = dict(zip(family.parameters, errors.tolist(), strict=True))
    if law == "powerlaw":
        parameters["alpha"] = parameters["tail"] + 1.0
        std_errors["alpha"] = std_errors["tail"]
    ks = _distance(family, p, tail, float(xmin), discrete, distance == "integers")
    return TailFit(
        law, parameters, std_errors, float(xmin), int(tail.size), int(values.size), loglik,
        2.0 * len(family.parameters) - 2.0 * loglik, ks, discrete,
    )  # fmt: skip


def _search(law: Law, values: FloatArray, discrete: bool, least: int, integers: bool) -> float:
    """Return the threshold with the smallest distance."""
    if law.name == "powerlaw":
        from foedus.models.tails import fit_power_law

        where = "integers" if integers else "values"
        return fit_power_law(values, discrete=discrete, least=least, distance=where).xmin
    candidates = [float(v) for v in np.unique(values)[:-1] if int((values >= v).sum()) >= least]
    if not candidates:
        raise EstimationError(f"no threshold leaves {least} values in the tail.")
    best, hint = (np.inf, candidates[0]), None
    for xmin in candidates:
        tail = values[values >= xmin]
        if np.unique(tail).size <= len(law.parameters):
            continue
        try:
            p, _ = _maximum(law, tail, xmin, discrete, hint)
        except EstimationError:
            continue
        ks = _distance(law, p, tail, xmin, discrete, integers)
        if ks < best[0]:
            best = (ks, xmin)
    return best[1]


# --- comparison and goodness of fit ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LawComparison:
    """Two laws of one tail.

    ``ratio`` is the log-likelihood of the first less that of the second; ``statistic`` and
    ``p_value`` are Vuong's (two-sided), or the likelihood ratio's where one law nests the other.
    """

    first: str
    second: str
    ratio: float
    statistic: float
    p_value: float
    nested: bool
    n_tail: int


def compare_laws(x: npt.ArrayLike, first: TailFit, second: TailFit) -> LawComparison:
    """Compare two laws fitted above one threshold.

    Parameters
    ----------
    x : array_like
        The data.
    first, second : TailFit
        With the same threshold, both discrete or both continuous.

    Raises
    ------
    UsageError
        If they describe different tails.
    """
    if first.xmin != second.xmin or first.discrete != second.discrete:
        raise UsageError(
            f"{first.law} above {first.xmin:g} and {second.law} above {second.xmin:g} describe "
            "different tails; fit both above one threshold."
        )
    values = np.asarray(x, dtype=np.float64).ravel()
    tail = values[values >= first.xmin]
    gap = first.log_density(tail) - second.log_density(tail)
    ratio = float(gap.sum())
    pair = (first.law, second.law)
    if pair in NESTED or pair[::-1] in NESTED:
        more = abs(len(LAWS[first.law].parameters) - len(LAWS[second.law].parameters))
        statistic = 2.0 * abs(ratio)
        p_value = float(special.chdtrc(more, statistic))
        return LawComparison(*pair, ratio, statistic, p_value, True, int(tail.size))
    spread = float(gap.std()) * float(np.sqrt(tail.size))
    statistic = ratio / spread if spread > 0 else 0.0
    p_value = float(2.0 * special.ndtr(-abs(statistic)))
    return LawComparison(*pair, ratio, statistic, p_value, False, int(tail.size))


def draw_tail(fit: TailFit, size: int, rng: np.random.Generator) -> FloatArray:
    """Draw values from a fitted tail by bisection of its survival function."""
    left = 1.0 - rng.random(size)
    floor = max(fit.xmin, 1e-12)
    low, high = np.full(size, floor), np.full(size, floor * 2.0 + 1.0)
    while (far := fit.survival(high) >= left).any() and float(high.max()) < 1e18:
        low[far], high[far] = high[far], high[far] * 4.0
    for _ in range(70):
        middle = 0.5 * (low + high)
        if fit.discrete:
            middle = np.floor(middle)
        inside = fit.survival(middle) >= left
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        if fit.discrete and bool((high - low <= 1).all()):
            break
    return low


def fit_quickly(
    law: Law, tail: FloatArray, xmin: float, discrete: bool, hint: FloatArray
) -> FloatArray:
    """Fit from a start near the maximum, by a gradient method."""
    if law.name == "powerlaw" and not discrete:
        return np.array([1.0 / float(np.log(tail / xmin).mean())])
    if law.name == "exponential" and not discrete:
        return np.array([1.0 / float((tail - xmin).mean())])
    values, counts = np.unique(tail, return_counts=True)

    def loss(q: FloatArray) -> float:
        with np.errstate(all="ignore"):
            rows = _log_rows(law, held_parameters(law, q), values, xmin, discrete)
            total = -float(counts @ rows) / tail.size
        return total if np.isfinite(total) else 1e6

    found = optimize.minimize(loss, hint, method="BFGS", options={"gtol": 1e-5, "maxiter": 60})
    return held_parameters(law, found.x)


# --- two periods ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PeriodComparison:
    """One law in two groups of events, above one threshold.

    ``statistic`` is twice the gain in log-likelihood from letting the parameters differ,
    ``p_value`` its chi-squared tail, ``p_permutation`` the share of shufflings of the groups
    that gain at least as much.
    """

    law: str
    first: TailFit
    second: TailFit
    pooled: TailFit
    difference: dict[str, float]
    std_errors: dict[str, float]
    statistic: float
    df: int
    p_value: float
    p_permutation: float
    permutations: int
    seed: int


def compare_periods(
    x: npt.ArrayLike,
    late: npt.ArrayLike,
    law: str = "powerlaw",
    *,
    xmin: float,
    discrete: bool = False,
    permutations: int = 999,
    seed: int = 0,
) -> PeriodComparison:
    """Ask whether a tail changed between two periods.

    Parameters
    ----------
    x : array_like
        The values, one an event.
    late : array_like of bool
        Which events belong to the second period.
    law : str
        As in `fit_tail`.
    xmin : float
        The threshold of both periods.
    discrete : bool
        Whether values are whole numbers.
    permutations, seed : int
        Shufflings of the periods among the events of the tail.

    Returns
    -------
    PeriodComparison
        The fits, their difference (second less first) and the tests.
    """
    values, group = np.asarray(x, dtype=np.float64).ravel(), np.asarray(late, dtype=bool).ravel()
    if values.shape != group.shape:
        raise UsageError("compare_periods: one period a value is needed.")
    inside = values >= xmin
    values, group = values[inside], group[inside]
    fits = [
        fit_tail(part, law, xmin=xmin, discrete=discrete)
        for part in (values[~group], values[group], values)
    ]
    first, second, pooled = fits
    statistic = 2.0 * (first.loglik + second.loglik - pooled.loglik)
    family = _law(law)
    hint = free_parameters(family, pooled._vector().tolist())
    rng, at_least = np.random.default_rng(seed), 0
    for _ in range(permutations):
        mixed = rng.permutation(group)
        total = 0.0
        for part in (values[~mixed], values[mixed]):
            p = fit_quickly(family, part, xmin, discrete, hint)
            total += float(_log_rows(family, p, part, xmin, discrete).sum())
        at_least += 2.0 * (total - pooled.loglik) >= statistic - 1e-9
    names = list(first.parameters)
    return PeriodComparison(
        law, first, second, pooled,
        {n: second.parameters[n] - first.parameters[n] for n in names},
        {n: float(np.hypot(first.std_errors[n], second.std_errors[n])) for n in names},
        statistic, len(family.parameters),
        float(special.chdtrc(len(family.parameters), max(statistic, 0.0))),
        (at_least + 1) / (permutations + 1), permutations, seed,
    )  # fmt: skip
