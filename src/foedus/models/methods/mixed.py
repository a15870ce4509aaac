"""Logit and Poisson models with random intercepts; fit to arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray, IntArray
from foedus.models.families import FAMILIES
from foedus.models.methods.crossed import Crossed
from foedus.models.methods.handover import Estimated, inverse, scaled
from foedus.models.methods.integrals import LOGIT, POISSON, integrate
from foedus.models.newton import Problem, maximise

KINDS = {"logit": LOGIT, "poisson": POISSON}
SMALLEST = 1e-4
"""A standard deviation of the intercepts below this is none."""

Surface = Callable[[FloatArray, FloatArray], tuple[float, FloatArray, FloatArray]]
"""Row indices and log sigmas to log-likelihood and its derivatives by either."""


def fit_mixed(
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    groups: Sequence[tuple[str, IntArray, int]],
    family: str = "logit",
    points: int = 1,
    offset: FloatArray | None = None,
) -> Estimated:
    """Fit a model with normal random intercepts of one group, or of two crossed ones.

    Parameters
    ----------
    y, X, names : the outcome, the matrix and its columns' names.
    groups : sequence of (name, int array, int)
        Each factor's name, its number by row and how many there are.
    family : str
        logit or poisson.
    points : int
        Quadrature points; 1 is Laplace's approximation, the only one for two factors.
    offset : float array, optional
        A term with coefficient 1.

    Returns
    -------
    Estimated
        Terms are the names, then ``/lnsigma`` for one factor or ``/lnsigma:NAME`` for each. Row
        scores add up to the derivative of the log-likelihood; that of a group's spread is shared
        out evenly over its rows.

    Raises
    ------
    EstimationError
        Collinear terms, groups that do not differ, no convergence.
    """
    label = f"mixed {family}"
    if len(groups) > 2:
        raise EstimationError(f"{label} takes one grouping factor or two, not {len(groups)}.")
    if len(groups) == 2 and points != 1:
        raise EstimationError(f"{label}: two crossed factors are fitted with points=1 (Laplace).")
    for name, _, n_groups in groups:
        if n_groups < 2 or n_groups >= y.size:
            raise EstimationError(
                f"{label}: {name} has {n_groups} groups in {y.size} rows, so its intercepts can't "
                "be told from the constant or the error."
            )
    Z, scaling = scaled(X, names)
    kind = FAMILIES[family]
    start = maximise(kind, Problem(y, X, names, scaling, None, offset))
    base = np.zeros_like(y) if offset is None else offset
    if len(groups) == 1:
        surface, shares = _one_factor(y, groups[0], KINDS[family], points)
    else:
        surface, shares = _two_factors(y, groups, KINDS[family])
    k = X.shape[1]
    terms = [*names, *_spread_names(groups)]

    def at(params: FloatArray) -> tuple[float, FloatArray]:
        value, by_row, by_sigma = surface(Z @ params[:k] + base, params[k:])
        return value, np.concatenate([Z.T @ by_row, by_sigma])

    first = np.concatenate([start.beta, np.zeros(len(groups))])
    params, information, steps = _climb(at, first, terms, label)
    sigmas = np.exp(params[k:])
    for (name, _, _), sigma in zip(groups, sigmas, strict=True):
        if sigma < SMALLEST:
            raise EstimationError(
                f"{label}: the intercepts of {name} do not vary (their standard deviation is 0); "
                f"use {family}."
            )
    loglik, by_row, _ = surface(Z @ params[:k] + base, params[k:])
    if family == "poisson":
        loglik -= float(special.gammaln(y + 1.0).sum())
    scores = np.column_stack([Z * by_row[:, None], *shares()])
    back = np.eye(k + len(groups))
    back[:k, :k] = scaling.matrix()
    facts = {f"sigma_{n}": float(s) for (n, _, _), s in zip(groups, sigmas, strict=True)}
    return Estimated(
        tuple(terms),
        back @ params,
        loglik,
        scores,
        inverse(information, label, terms),
        back,
        steps,
        facts,
    )


def _spread_names(groups: Sequence[tuple[str, IntArray, int]]) -> list[str]:
    if len(groups) == 1:
        return ["/lnsigma"]
    return [f"/lnsigma:{name}" for name, _, _ in groups]


Shares = Callable[[], list[FloatArray]]
"""Each spread's derivative at the last point, a group's part shared out over its rows."""


def _one_factor(
    y: FloatArray, group: tuple[str, IntArray, int], kind: int, points: int
) -> tuple[Surface, Shares]:
    _, codes, n_groups = group
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes, minlength=n_groups).astype(np.int64)
    stops = np.cumsum(sizes)
    starts = stops - sizes
    nodes, weights = np.polynomial.hermite.hermgauss(points)
    logs = np.log(weights) + nodes**2
    sorted_y = np.ascontiguousarray(y[order])
    modes, by_group = np.zeros(n_groups), np.zeros(n_groups)
    pulls = np.zeros_like(y)

    def surface(eta: FloatArray, log_sigma: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        sigma = float(np.exp(log_sigma[0]))
        own = np.ascontiguousarray(eta[order])
        value = integrate(
            kind, sorted_y, own, sigma, starts, stops, nodes, logs, pulls, by_group, modes
        )
        by_row = np.empty_like(pulls)
        by_row[order] = pulls
        by_group[:] *= sigma
        return value, by_row, np.array([by_group.sum()])

    def shares() -> list[FloatArray]:
        return [(by_group / sizes)[codes]]

    return surface, shares


def _two_factors(
    y: FloatArray, groups: Sequence[tuple[str, IntArray, int]], kind: int
) -> tuple[Surface, Shares]:
    sizes = [n for _, _, n in groups]
    places = [groups[0][1], groups[1][1] + sizes[0]]
    model = Crossed(kind, y, places, sizes, np.zeros(sum(sizes)))
    rows = np.bincount(np.concatenate(places), minlength=sum(sizes))
    ends = [slice(0, sizes[0]), slice(sizes[0], sum(sizes))]
    parts = np.zeros(sum(sizes))

    def surface(eta: FloatArray, log_sigma: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        value, by_row, parts[:] = model.laplace(eta, np.exp(log_sigma))
        return value, by_row, np.array([parts[own].sum() for own in ends])

    def shares() -> list[FloatArray]:
        return [(parts / rows)[place] for place in places]

    return surface, shares


def _hessian(
    at: Callable[[FloatArray], tuple[float, FloatArray]], params: FloatArray
) -> FloatArray:
    """Return minus the Hessian by central differences of the gradient."""
    p = params.size
    out = np.empty((p, p))
    for j in range(p):
        step = 1e-5 * max(1.0, abs(float(params[j])))
        up, down = params.copy(), params.copy()
        up[j] += step
        down[j] -= step
        out[j] = (at(down)[1] - at(up)[1]) / (up[j] - down[j])
    return 0.5 * (out + out.T)


def _climb(
    at: Callable[[FloatArray], tuple[float, FloatArray]],
    params: FloatArray,
    terms: Sequence[str],
    label: str,
    most: int = 200,
) -> tuple[FloatArray, FloatArray, int]:
    """Climb by BFGS steps between two Hessians from differences, eigenvalues turned positive.

    A Hessian costs twice as many evaluations as there are parameters, so it is made at the start
    and where the search seems over; if its own step is then not small, the search goes on.
    """
    value, gradient = at(params)
    information, fresh = _hessian(at, params), True
    for iteration in range(1, most + 1):
        values, vectors = np.linalg.eigh(information)
        floor = 1e-6 * float(np.abs(values).max())
        step = vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), floor))
        size = float(np.abs(step).max())
        if size < 1e-6:
            if fresh and float(values.min()) > 0:
                return params, information, iteration
            information, fresh = _hessian(at, params), True
            continue
        step *= min(1.0, 1.5 / size)
        there, new, slope = _rise(at, params, step, value)
        moved, turned = there - params, gradient - slope
        information, fresh = _updated(information, moved, turned), False
        params, value, gradient = there, new, slope
        small = [t for t, p in zip(terms, params, strict=True) if t[0] == "/" and p < -9.3]
        if small:
            raise EstimationError(
                f"{label}: the groups' intercepts do not vary ({small[0]} falls without bound); "
                "use the model without them."
            )
    moving = terms[int(np.abs(step).argmax())]
    raise EstimationError(
        f"{label} did not converge in {most} iterations (the coefficient of {moving} was still "
        "moving); look for terms of very different scale or too few events."
    )


def _rise(
    at: Callable[[FloatArray], tuple[float, FloatArray]],
    params: FloatArray,
    step: FloatArray,
    value: float,
) -> tuple[FloatArray, float, FloatArray]:
    """Return where a step, halved until it does not fall, leads."""
    factor = 1.0
    for _ in range(30):
        there = params + factor * step
        new, slope = at(there)
        if np.isfinite(new) and new >= value - 1e-11 * (abs(value) + 1.0):
            break
        factor *= 0.5
    return there, new, slope


def _updated(information: FloatArray, moved: FloatArray, turned: FloatArray) -> FloatArray:
    """Return the information after a BFGS update; as it was where the surface is not concave."""
    curvature = float(moved @ turned)
    pushed = information @ moved
    before = float(moved @ pushed)
    if curvature <= 1e-12 * float(moved @ moved) or before <= 0.0:
        return information
    out: FloatArray = (
        information + np.outer(turned, turned) / curvature - np.outer(pushed, pushed) / before
    )
    return out
