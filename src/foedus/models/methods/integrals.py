"""Random intercepts integrated out, one factor: compiled adaptive Gauss-Hermite quadrature.

A group contributes the integral over u ~ N(0, 1) of the product of its rows' likelihoods at
eta + sigma u. The nodes are centred at the mode and scaled by the curvature there (Pinheiro and
Bates 1995, J. Computational and Graphical Statistics 4); one node is Laplace's approximation.
Derivatives are those of the approximation itself: mode and scale move with the parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

LOGIT, POISSON = 0, 1


@njit(cache=True)
def _row(kind: int, y: float, eta: float) -> Any:
    """Return a row's log-likelihood, score, information and the derivative of the information."""
    if kind == LOGIT:
        small = np.exp(-abs(eta))
        p = 1.0 / (1.0 + small) if eta >= 0 else small / (1.0 + small)
        w = small / (1.0 + small) ** 2
        value = y * eta - max(eta, 0.0) - np.log1p(small)
        return value, y - p, w, w * (1.0 - 2.0 * p)
    mu = np.exp(min(eta, 300.0))
    return y * eta - mu, y - mu, mu, mu


@njit(cache=True)
def _mode(kind: int, y: Any, eta: Any, sigma: float, start: float) -> float:
    """Find the u at which a group's integrand is largest."""
    u = start
    value = _height(kind, y, eta, sigma, u)
    for _ in range(100):
        slope, bend = -u, 1.0
        for i in range(y.size):
            _, d, w, _ = _row(kind, y[i], eta[i] + sigma * u)
            slope += sigma * d
            bend += sigma * sigma * w
        step = slope / bend
        factor = 1.0
        there = u
        for _ in range(40):
            there = u + factor * step
            new = _height(kind, y, eta, sigma, there)
            if new >= value - 1e-14 * (abs(value) + 1.0):
                value = new
                break
            factor *= 0.5
        u = there
        if abs(factor * step) < 1e-11 * (1.0 + abs(u)):
            break
    return u


@njit(cache=True)
def _height(kind: int, y: Any, eta: Any, sigma: float, u: float) -> float:
    total = -0.5 * u * u
    for i in range(y.size):
        total += _row(kind, y[i], eta[i] + sigma * u)[0]
    return total


@njit(cache=True)
def integrate(
    kind: int,
    y: Any,
    eta: Any,
    sigma: float,
    starts: Any,
    stops: Any,
    nodes: Any,
    logs: Any,
    pulls: Any,
    by_sigma: Any,
    modes: Any,
) -> float:
    """Return the log-likelihood; fill its derivative by each row's eta and by sigma, by group.

    `nodes` and `logs` are Gauss-Hermite nodes and the logs of their weights plus the squared node.
    `modes` holds starting values of the modes and is left with the modes.
    """
    loglik = 0.0
    points = nodes.size
    root2 = np.sqrt(2.0)
    for g in range(starts.size):
        a, b = starts[g], stops[g]
        n = b - a
        yg, eg = y[a:b], eta[a:b]
        u = _mode(kind, yg, eg, sigma, modes[g])
        modes[g] = u
        total_d, total_w, total_v = 0.0, 0.0, 0.0
        w, v = np.empty(n), np.empty(n)
        for i in range(n):
            _, d, w[i], v[i] = _row(kind, yg[i], eg[i] + sigma * u)
            total_d += d
            total_w += w[i]
            total_v += v[i]
        D = 1.0 + sigma * sigma * total_w
        s = 1.0 / np.sqrt(D)
        heights = np.empty(points)
        top = -np.inf
        for q in range(points):
            heights[q] = logs[q] + _height(kind, yg, eg, sigma, u + root2 * s * nodes[q])
            top = max(top, heights[q])
        mass = 0.0
        for q in range(points):
            heights[q] = np.exp(heights[q] - top)
            mass += heights[q]
        loglik += np.log(s) + top + np.log(mass) - 0.5 * np.log(np.pi)
        # how the integrand's value changes at each node, and when the node itself moves
        direct = np.zeros(n)
        direct_sigma, moved, stretched = 0.0, 0.0, 0.0
        for q in range(points):
            share = heights[q] / mass
            uq = u + root2 * s * nodes[q]
            slope, total = -uq, 0.0
            for i in range(n):
                _, d, _, _ = _row(kind, yg[i], eg[i] + sigma * uq)
                direct[i] += share * d
                total += d
            slope += sigma * total
            direct_sigma += share * uq * total
            moved += share * slope
            stretched += share * slope * root2 * nodes[q]
        # s = D^-1/2: d log s = -dD / (2 D)
        per_D = -0.5 / D * (1.0 + stretched * s)
        for i in range(n):
            mode_by = -sigma * w[i] / D
            D_by = sigma * sigma * (v[i] + sigma * total_v * mode_by)
            pulls[a + i] = direct[i] + moved * mode_by + per_D * D_by
        mode_by = (total_d - sigma * u * total_w) / D
        D_by = 2.0 * sigma * total_w + sigma * sigma * total_v * (u + sigma * mode_by)
        by_sigma[g] = direct_sigma + moved * mode_by + per_D * D_by
    return loglik
