"""The bivariate normal distribution function by row, with its derivatives.

Drezner and Wesolowsky (1990) as improved by Genz (2004, Statistics and Computing 14): Gauss
quadrature over the correlation, and for correlations near 1 over what is left of it. The error
is of the order of 1e-15.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from foedus.models.arrays import FloatArray

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_HIGH = 0.925
LEAST = 1e-300


def upper_normal2(h: FloatArray, k: FloatArray, r: FloatArray) -> FloatArray:
    """Return P(X > h, Y > k) for standard normals with correlation r, element by element."""
    h, k, r = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (h, k, r)))
    out = np.empty(h.shape)
    low = np.abs(r) < _HIGH
    out[low] = _moderate(h[low], k[low], r[low])
    high = ~low
    if high.any():
        out[high] = _strong(h[high], k[high], r[high])
    return np.clip(out, 0.0, 1.0)


def normal2(a: FloatArray, b: FloatArray, r: FloatArray) -> FloatArray:
    """Return P(X <= a, Y <= b) for standard normals with correlation r."""
    return upper_normal2(-np.asarray(a), -np.asarray(b), r)


def _moderate(h: FloatArray, k: FloatArray, r: FloatArray) -> FloatArray:
    total = np.zeros(h.shape)
    squares, product = 0.5 * (h * h + k * k), h * k
    angle = 0.5 * np.arcsin(r)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        sine = np.sin(angle * (node + 1.0))
        total += weight * np.exp((sine * product - squares) / (1.0 - sine * sine))
    out: FloatArray = total * angle / (2.0 * np.pi) + special.ndtr(-h) * special.ndtr(-k)
    return out


def _strong(h: FloatArray, k: FloatArray, r: FloatArray) -> FloatArray:
    """Genz's series and quadrature for |r| >= 0.925."""
    sign = np.sign(r)
    k = np.where(sign < 0, -k, k)
    product = h * k
    total = np.zeros(h.shape)
    inner = np.abs(r) < 1.0
    if inner.any():
        total[inner] = _strong_part(h[inner], k[inner], product[inner], r[inner])
    positive = total + special.ndtr(-np.maximum(h, k))
    gap = np.where(h < 0, special.ndtr(k) - special.ndtr(h), special.ndtr(-h) - special.ndtr(-k))
    negative = -total + np.where(k > h, gap, 0.0)
    out: FloatArray = np.where(sign > 0, positive, negative)
    return out


def _strong_part(h: FloatArray, k: FloatArray, product: FloatArray, r: FloatArray) -> FloatArray:
    rest = (1.0 - r) * (1.0 + r)
    a = np.sqrt(rest)
    square = (h - k) ** 2
    c, d = (4.0 - product) / 8.0, (12.0 - product) / 16.0
    power = -0.5 * (square / rest + product)
    series = 1.0 - c * (square - rest) * (1.0 - d * square / 5.0) / 3.0 + c * d * rest**2 / 5.0
    total = np.where(power > -100.0, a * np.exp(np.maximum(power, -100.0)) * series, 0.0)
    distance = np.sqrt(square)
    tail = np.sqrt(2.0 * np.pi) * special.ndtr(-distance / a)
    bend = 1.0 - c * square * (1.0 - d * square / 5.0) / 3.0
    near = np.exp(-0.5 * np.maximum(product, -200.0)) * tail * distance * bend
    total = total - np.where(product > -100.0, near, 0.0)
    half = 0.5 * a
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        x = (half * (node + 1.0)) ** 2
        root = np.sqrt(1.0 - x)
        power = -0.5 * (square / x + product)
        inside = np.exp(-product * x / (2.0 * (1.0 + root) ** 2)) / root - (
            1.0 + c * x * (1.0 + d * x)
        )
        total = total + half * weight * np.where(
            power > -100.0, np.exp(np.maximum(power, -100.0)) * inside, 0.0
        )
    out: FloatArray = -total / (2.0 * np.pi)
    return out


def log_normal2(
    a: FloatArray, b: FloatArray, r: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return log P(X <= a, Y <= b) and its derivatives in (a, b, r).

    Returns
    -------
    value, first, second
        Rows; rows by 3; rows by 3 by 3.
    """
    P = np.maximum(normal2(a, b, r), LEAST)
    rest = 1.0 - r * r
    root = np.sqrt(rest)
    scale = 1.0 / np.sqrt(2.0 * np.pi)
    pa, pb = scale * np.exp(-0.5 * a * a), scale * np.exp(-0.5 * b * b)
    quadratic = (a * a - 2.0 * r * a * b + b * b) / rest
    joint = np.exp(-0.5 * quadratic) / (2.0 * np.pi * root)
    first = np.column_stack(
        [pa * special.ndtr((b - r * a) / root), pb * special.ndtr((a - r * b) / root), joint]
    )
    second = np.empty((a.size, 3, 3))
    second[:, 0, 0] = -a * first[:, 0] - r * joint
    second[:, 1, 1] = -b * first[:, 1] - r * joint
    second[:, 0, 1] = second[:, 1, 0] = joint
    second[:, 0, 2] = second[:, 2, 0] = joint * (r * b - a) / rest
    second[:, 1, 2] = second[:, 2, 1] = joint * (r * a - b) / rest
    second[:, 2, 2] = joint * (r + a * b - r * quadratic) / rest
    first /= P[:, None]
    second = second / P[:, None, None] - first[:, :, None] * first[:, None, :]
    return np.log(P), first, second
