"""Goodness of fit of a tail's law: many synthetic tails drawn, fitted and measured side by side.

All draws are rows of one array. They are fitted by Newton's method with differences in place of
derivatives, each row with a damping of its own (Levenberg 1944; Marquardt 1963); a row that does
not settle is taken further by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from foedus.models.arrays import FloatArray
from foedus.models.tail_laws import (
    LAWS,
    LEAST,
    Law,
    TailFit,
    draw_tail,
    fit_quickly,
    free_parameters,
)

_BLOCK = 256
_STEPS = 60
_SETTLED = 1e-7  # of the slope of the mean log-likelihood
_NO_GAIN = 1e-10
_GRID = 2048
# Gauss-Legendre nodes over a unit interval: a density bends little within a whole number.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)
Loss = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class GoodnessOfFit:
    """A parametric bootstrap: the share of synthetic tails that lie farther from their own fit."""

    p_value: float
    draws: int
    seed: int
    ks: float


def bootstrap_tail(
    x: npt.ArrayLike, fit: TailFit, *, draws: int = 2500, seed: int = 0, distance: str = "values"
) -> GoodnessOfFit:
    """Test a law's fit above its threshold.

    Parameters
    ----------
    x : array_like
        The data.
    fit : TailFit
        Their fit.
    draws, seed : int
        Synthetic tails, each fitted anew above the same threshold; the random numbers' seed.
    distance : str
        As in the fit.

    Returns
    -------
    GoodnessOfFit
        Small p-values speak against the law. (The power law, with a threshold found anew in each
        draw and the data's own values below it, has `foedus.models.tails.bootstrap_power_law`.)
    """
    law, rng = LAWS[fit.law], np.random.default_rng(seed)
    worse = 0
    for first in range(0, draws, _BLOCK):
        tails = np.sort(_drawn(fit, min(_BLOCK, draws - first), rng), axis=1)
        # A tail of one value has no fit; nothing lies farther from a law.
        flat = tails[:, 0] == tails[:, -1]
        worse += int(flat.sum())
        tails = tails[~flat]
        if len(tails):
            p = fit_many(law, tails, fit)
            gaps = distances(law, p, tails, fit.xmin, fit.discrete, distance == "integers")
            worse += int((gaps >= fit.ks).sum())
    return GoodnessOfFit(worse / draws, draws, seed, fit.ks)


def _drawn(fit: TailFit, rows: int, rng: np.random.Generator) -> FloatArray:
    """Return synthetic tails, (rows, n_tail)."""
    if fit.law != "truncated_powerlaw":
        return draw_tail(fit, rows * fit.n_tail, rng).reshape(rows, fit.n_tail)
    # Its survival is an integral: a table of it is inverted, and whole numbers are rounded down
    # from the continuous law, which is what the discrete one puts on each of them.
    left = np.log1p(-rng.random(rows * fit.n_tail))
    p = np.array([fit.parameters[name] for name in LAWS[fit.law].parameters])
    floor = max(fit.xmin - 0.5, 1e-12) if fit.discrete else max(fit.xmin, 1e-12)
    top = np.log(floor + 60.0 / p[1])
    places = np.linspace(np.log(floor), top, _GRID)
    height = LAWS[fit.law].log_survival(p, np.exp(places), floor)
    rising = np.maximum.accumulate(-height)
    values = np.exp(np.interp(-left, rising, places))
    whole = np.floor(values + 0.5) if fit.discrete else values
    return np.maximum(whole, fit.xmin).reshape(rows, fit.n_tail)


def fit_many(law: Law, tails: FloatArray, fit: TailFit) -> FloatArray:
    """Return each row's parameters by maximum likelihood above the fit's threshold, (k, rows).

    Parameters
    ----------
    law : Law
    tails : float array (rows, n)
        Sorted, none all of one value.
    fit : TailFit
        Where to begin, and the threshold.
    """
    xmin, discrete = fit.xmin, fit.discrete
    if law.name == "powerlaw" and not discrete:
        return np.asarray(1.0 / np.log(tails / xmin).mean(axis=1))[None]
    if law.name == "exponential" and not discrete:
        return np.asarray(1.0 / (tails - xmin).mean(axis=1))[None]

    def loss_of(rows: FloatArray) -> Loss:
        def loss(q: FloatArray) -> FloatArray:
            with np.errstate(all="ignore"):
                held = _held(law, q)[..., None]
                total = -log_rows(law, held, rows, xmin, discrete).mean(axis=1)
            return np.where(np.isfinite(total), total, np.inf)

        return loss

    start = free_parameters(law, [fit.parameters[name] for name in law.parameters])
    q, settled = _newton(loss_of, tails, np.repeat(start[:, None], len(tails), axis=1))
    p = _held(law, q)
    for row in np.flatnonzero(~settled):
        own = tails[row : row + 1]
        again = fit_quickly(law, tails[row], xmin, discrete, q[:, row])
        tried = free_parameters(law, again.tolist())[:, None]
        if loss_of(own)(tried)[0] <= loss_of(own)(q[:, row : row + 1])[0]:
            p[:, row] = again
    return p


def _held(law: Law, q: FloatArray) -> FloatArray:
    return np.stack(
        [
            np.exp(np.clip(row, -300, 300)) if up else row
            for row, up in zip(q, law.positive, strict=True)
        ]
    )


def _newton(
    loss_of: Callable[[FloatArray], Loss], tails: FloatArray, q: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Take damped steps until the slope is flat; return the places and which have settled."""
    q = q.copy()
    k, rows = q.shape
    settled, open_ = np.zeros(rows, bool), np.arange(rows)
    damping = np.full(rows, 1e-3)
    for _ in range(_STEPS):
        loss, here = loss_of(tails[open_]), q[:, open_]
        value, slope, bend = _differences(loss, here)
        flat = np.abs(slope).max(axis=0) < _SETTLED
        settled[open_[flat]] = True
        keep = ~flat & np.isfinite(value)
        open_, here, value = open_[keep], here[:, keep], value[keep]
        slope, bend = slope[:, keep], bend[keep]
        if len(open_) == 0:
            break
        loss = loss_of(tails[open_])
        size = np.maximum(np.abs(np.diagonal(bend, axis1=1, axis2=2)), 1e-8)
        better, idle = np.zeros(len(open_), bool), np.zeros(len(open_), bool)
        for _ in range(12):
            wanted = np.flatnonzero(~better)
            system = bend[wanted] + damping[open_[wanted], None, None] * (
                size[wanted][:, :, None] * np.eye(k)
            )
            step = _solved(system, slope[:, wanted].T)
            new = here.copy()
            most = 3.0 * np.maximum(np.abs(here[:, wanted]), 1.0)
            new[:, wanted] -= np.clip(step.T, -most, most)
            gained = value - loss(new)
            hit, missed = wanted[gained[wanted] > 0], wanted[~(gained[wanted] > 0)]
            q[:, open_[hit]] = new[:, hit]
            better[hit] = True
            # On a ridge the law's edge is neared without end, at no gain worth the name.
            idle[hit] = (gained[hit] < _NO_GAIN) & (damping[open_[hit]] <= 1.0)
            damping[open_[hit]] *= 0.1
            damping[open_[missed]] *= 10.0
            if better.all():
                break
        # Where no step improves, the slope is as flat as differences can tell.
        stuck = ~better & (np.abs(slope).max(axis=0) < 1e-4)
        settled[open_[stuck | idle]] = True
        open_ = open_[better & ~idle]
        if len(open_) == 0:
            break
    return q, settled


def _solved(system: FloatArray, slope: FloatArray) -> FloatArray:
    """Solve each row's system; a singular one gives the slope itself."""
    good = np.isfinite(system).all(axis=(1, 2))
    determinant = np.zeros(len(system))
    determinant[good] = np.linalg.det(system[good])
    good &= np.abs(determinant) > 1e-300
    step = slope.copy()
    if good.any():
        step[good] = np.linalg.solve(system[good], slope[good][:, :, None])[:, :, 0]
    return step


def _differences(loss: Loss, q: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return value (rows,), slope (k, rows) and bend (rows, k, k) by central differences."""
    k, rows = q.shape
    h = 1e-4 * np.maximum(np.abs(q), 1.0)
    value = loss(q)
    up, down = np.empty((k, rows)), np.empty((k, rows))
    slope, bend = np.empty((k, rows)), np.empty((rows, k, k))

    def moved(*along: tuple[int, float]) -> FloatArray:
        new = q.copy()
        for i, sign in along:
            new[i] += sign * h[i]
        return loss(new)

    with np.errstate(invalid="ignore"):
        for i in range(k):
            up[i], down[i] = moved((i, 1.0)), moved((i, -1.0))
            slope[i] = (up[i] - down[i]) / (2 * h[i])
            bend[:, i, i] = (up[i] - 2 * value + down[i]) / h[i] ** 2
            for j in range(i):
                both = moved((i, 1.0), (j, 1.0)) + moved((i, -1.0), (j, -1.0))
                apart = moved((i, 1.0), (j, -1.0)) + moved((i, -1.0), (j, 1.0))
                bend[:, i, j] = bend[:, j, i] = (both - apart) / (4 * h[i] * h[j])
    return value, slope, bend


def log_rows(law: Law, p: FloatArray, x: FloatArray, xmin: float, discrete: bool) -> FloatArray:
    """Return log densities, or log probabilities of whole numbers, of rows with own parameters.

    Parameters
    ----------
    law : Law
    p : float array (k, rows, 1)
    x : float array (rows, n)
    xmin : float
    discrete : bool
    """
    if not discrete:
        return law.log_density(p, x, xmin)
    if law.name == "powerlaw":
        zeta: FloatArray = -(p[0] + 1.0) * np.log(x) - np.log(special.zeta(p[0] + 1.0, xmin))
        return zeta
    floor = max(xmin - 0.5, 0.0)
    if law.name == "truncated_powerlaw":
        # Its survival is an integral; over a unit the density is integrated instead.
        parts = np.stack(
            [np.log(w / 2) + law.log_density(p, x + z / 2, floor)
             for z, w in zip(_NODES, _WEIGHTS, strict=True)]
        )  # fmt: skip
        summed: FloatArray = special.logsumexp(parts, axis=0)
        return summed
    upper, lower = law.log_survival(p, x - 0.5, floor), law.log_survival(p, x + 0.5, floor)
    out = upper + np.log(np.maximum(-np.expm1(lower - upper), LEAST))
    # As in tail_laws: far out the difference of two survivals loses its digits.
    return np.where(lower - upper > -1e-5, law.log_density(p, x, floor), out)


def distances(
    law: Law, p: FloatArray, tails: FloatArray, xmin: float, discrete: bool, integers: bool
) -> FloatArray:
    """Return each row's Kolmogorov-Smirnov distance from its own law, (rows,).

    Parameters
    ----------
    law : Law
    p : float array (k, rows)
    tails : float array (rows, n)
        Sorted.
    xmin : float
    discrete : bool
    integers : bool
        Whole numbers are compared at all of them, not only at those that occur.
    """
    p = p[..., None]
    n = tails.shape[1]
    if not discrete:
        below = 1.0 - np.exp(law.log_survival(p, tails, xmin))
        gaps: FloatArray = np.abs(below - np.arange(n) / n).max(axis=1)
        return gaps

    def above(x: FloatArray) -> FloatArray:
        if law.name == "powerlaw":
            share: FloatArray = special.zeta(p[0] + 1.0, x) / special.zeta(p[0] + 1.0, xmin)
            return share
        return np.asarray(np.exp(law.log_survival(p, x - 0.5, max(xmin - 0.5, 0.0))))

    changes = tails[:, 1:] != tails[:, :-1]
    last = np.column_stack([changes, np.ones(len(tails), bool)])
    share = np.arange(1, n + 1) / n
    gap = np.where(last, np.abs(1.0 - above(tails + 1.0) - share), 0.0).max(axis=1)
    if integers:
        before = np.abs(1.0 - above(tails[:, 1:]) - share[:-1])
        gap = np.maximum(gap, np.where(changes, before, 0.0).max(axis=1))
    return np.asarray(gap)
