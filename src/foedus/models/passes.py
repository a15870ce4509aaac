"""Passes over many rows, compiled: a logit's or probit's index, score and products in one.

numpy makes a dozen passes over each block, one an operation; here a block of rows is read once,
scaled, and used up while it is in the processor's nearest cache. Rows are cut into segments of a
fixed size, each is summed by itself, and the segments' sums are added in their order: so several
threads may share the segments, and the bytes are the same whatever their number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit, types

from foedus.models.arrays import FloatArray
from foedus.models.scaling import Scaling
from foedus.models.workers import share

Compiled = TypeVar("Compiled", bound=Callable[..., Any])

BLOCK = 512
"""Rows that are worked on together: a dozen columns of them fit into the second cache."""

SEGMENT = 1 << 16
"""Rows that are summed by themselves; never changed with the machine, or digits would."""

LOGIT, PROBIT = 0, 1
KINDS = {"logit": LOGIT, "probit": PROBIT}

FAR = 12.0
"""Standard deviations beyond which the log of a normal tail is worked out row by row: of tails
short of it eight can be multiplied, and one logarithm taken."""

LOG2E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
ROOT_2PI_INVERSE = 0.3989422804014327
LOG_ROOT_2PI = 0.9189385332046728
LEAST = -708.0
"""Exponent under which exp is no number of full digits; it stays there."""

# (1 + a) times Mills' ratio (1 - Phi(a)) / phi(a), a >= 0, as a polynomial in (a - 5) / (a + 5):
# Chebyshev's series to degree 23, rearranged; tests/reference/mills_ratio.py makes the numbers.
_M = (
    1.1568486282918946, -0.22948753825211315, 0.07778159886873769, 0.0250721793016388,
    -0.0661776007790963, 0.0615050458401865, -0.03802659218584139, 0.01634823128102938,
    -0.004201290329187307, 1.9530638370790786e-05, 0.00045704392357953655,
    -0.0001343742785571135, -2.480583845192319e-05, 2.270961270923768e-05,
    -1.7633239265736746e-07, -3.277287633208865e-06, 3.2054316652589574e-07,
    4.91996233147834e-07, -6.588974491108954e-08, -7.758520236786343e-08,
    9.092476134019147e-09, 1.1032071151574336e-08, -7.073898575561589e-10,
    -9.564832934712551e-10,
)  # fmt: skip
(M0, M1, M2, M3, M4, M5, M6, M7, M8, M9, M10, M11,
 M12, M13, M14, M15, M16, M17, M18, M19, M20, M21, M22, M23) = _M  # fmt: skip

# By element nothing may be rearranged; sums may, or they would go one number after the other.
# Loops name few arrays each: the compiler proves that they don't overlap before it goes wide.


def _by_element(function: Compiled) -> Compiled:
    made = njit(fastmath={"contract"}, nogil=True, error_model="numpy")(function)
    return cast(Compiled, made)


def _by_sum(function: Compiled) -> Compiled:
    made = njit(fastmath={"contract", "reassoc", "nsz"}, nogil=True, error_model="numpy")(function)
    return cast(Compiled, made)


_row, _rows, _whole = types.float64[::1], types.float64[:, ::1], types.int64
_GIVEN = (_whole, _rows, _row, _row, _row, _row, _row, _row, _whole, _whole)


@_by_element
def _exp(x: Any, out: Any, bits: Any, n: int) -> None:
    """Fill in exp(x) for x <= 0, to the last digit or two; `bits` is room to work in."""
    for i in range(n):
        v = max(x[i], LEAST)
        k = math.floor(v * LOG2E + 0.5)
        r = (v - k * LN2_HIGH) - k * LN2_LOW
        r2 = r * r
        r4 = r2 * r2
        low = ((1.0 + r) + (0.5 + r * (1 / 6.0)) * r2) + (
            (1 / 24.0 + r * (1 / 120.0)) + (1 / 720.0 + r * (1 / 5040.0)) * r2
        ) * r4
        high = (
            (1 / 40320.0 + r * (1 / 362880.0)) + (1 / 3628800.0 + r * (1 / 39916800.0)) * r2
        ) + (1 / 479001600.0 + r * (1 / 6227020800.0)) * r4
        out[i] = low + high * (r4 * r4)
        bits[i] = (np.int64(np.int32(k)) + 1023) << 52
    power = bits.view(np.float64)
    for i in range(n):
        out[i] *= power[i]


@_by_element
def _tails(eta: Any, density: Any, over: Any, tail: Any, n: int) -> None:
    """Fill in phi / tail times 1 / (1 + |eta|), inverted, and the normal tail beyond |eta|."""
    for i in range(n):
        a = abs(eta[i])
        c = 1.0 / ((a + 5.0) * (a + 1.0))
        q = (a - 5.0) * ((a + 1.0) * c)
        q2 = q * q
        q4 = q2 * q2
        q8 = q4 * q4
        s0 = (M0 + M1 * q) + (M2 + M3 * q) * q2
        s1 = (M4 + M5 * q) + (M6 + M7 * q) * q2
        s2 = (M8 + M9 * q) + (M10 + M11 * q) * q2
        s3 = (M12 + M13 * q) + (M14 + M15 * q) * q2
        s4 = (M16 + M17 * q) + (M18 + M19 * q) * q2
        s5 = (M20 + M21 * q) + (M22 + M23 * q) * q2
        p = ((s0 + s1 * q4) + (s2 + s3 * q4) * q8) + (s4 + s5 * q4) * (q8 * q8)
        over[i] = p
        tail[i] = density[i] * (p * ((a + 5.0) * c))


@_by_element
def _probit(y: Any, eta: Any, u: Any, chance: Any, density: Any, bits: Any, n: int) -> None:
    """Fill in score, chance of what happened, and normal density, by row."""
    for i in range(n):
        u[i] = -0.5 * eta[i] * eta[i]
    _exp(u, density, bits, n)
    for i in range(n):
        density[i] *= ROOT_2PI_INVERSE
    _tails(eta, density, u, chance, n)
    for i in range(n):
        yes = y[i] > 0.5
        low = yes != (eta[i] > 0.0)
        tail = chance[i]
        above = (abs(eta[i]) + 1.0) if low else density[i]
        under = u[i] if low else 1.0 - tail
        ratio = above / under
        u[i] = ratio if yes else -ratio
        chance[i] = tail if low else 1.0 - tail


@_by_element
def _probit_expected(eta: Any, density: Any, out: Any, over: Any, n: int) -> None:
    """Fill in phi^2 / (Phi (1 - Phi)) by row."""
    _tails(eta, density, over, out, n)
    for i in range(n):
        out[i] = density[i] * (abs(eta[i]) + 1.0) / (over[i] * (1.0 - out[i]))


@_by_element
def _logit(y: Any, eta: Any, u: Any, total: Any, h: Any, bits: Any, n: int) -> None:
    """Fill in score, 1 + exp(-|eta|) and information by row."""
    for i in range(n):
        u[i] = -abs(eta[i])
    _exp(u, h, bits, n)
    for i in range(n):
        small = h[i]
        under = 1.0 / (1.0 + small)
        above = 1.0 if eta[i] >= 0.0 else small
        u[i] = y[i] - above * under
        total[i] = 1.0 + small
        h[i] = small * under * under


@_by_element
def _begin(offset: Any, start: int, n: int, eta: Any) -> None:
    """Begin a block's index with its offset."""
    for i in range(n):
        eta[i] = 0.0
    if offset.size:
        own = offset[start : start + n]
        for i in range(n):
            eta[i] = own[i]


@_by_sum
def _load(X: Any, start: int, n: int, shift: Any, scale: Any, beta: Any, Z: Any, eta: Any) -> None:
    """Fill in a block's scaled columns, and add them to the index."""
    k = X.shape[0]
    j = 0
    while j + 4 <= k:
        x0, x1 = X[j, start : start + n], X[j + 1, start : start + n]
        x2, x3 = X[j + 2, start : start + n], X[j + 3, start : start + n]
        z0, z1, z2, z3 = Z[j], Z[j + 1], Z[j + 2], Z[j + 3]
        b0, b1, b2, b3 = beta[j], beta[j + 1], beta[j + 2], beta[j + 3]
        m0, m1, m2, m3 = shift[j], shift[j + 1], shift[j + 2], shift[j + 3]
        s0, s1, s2, s3 = scale[j], scale[j + 1], scale[j + 2], scale[j + 3]
        for i in range(n):
            v0, v1 = (x0[i] - m0) * s0, (x1[i] - m1) * s1
            v2, v3 = (x2[i] - m2) * s2, (x3[i] - m3) * s3
            z0[i], z1[i], z2[i], z3[i] = v0, v1, v2, v3
            eta[i] += (b0 * v0 + b1 * v1) + (b2 * v2 + b3 * v3)
        j += 4
    while j < k:
        x0, z0 = X[j, start : start + n], Z[j]
        b0, m0, s0 = beta[j], shift[j], scale[j]
        for i in range(n):
            v0 = (x0[i] - m0) * s0
            z0[i] = v0
            eta[i] += b0 * v0
        j += 1


@_by_sum
def _add_products(Z: Any, n: int, u: Any, gradient: Any) -> None:
    """Add Z'u to the gradient."""
    for j in range(Z.shape[0]):
        z = Z[j]
        total = 0.0
        for i in range(n):
            total += u[i] * z[i]
        gradient[j] += total


@_by_sum
def _add_square(Z: Any, n: int, h: Any, room: Any, square: Any) -> None:
    """Add the lower half of Z' diag(h) Z to a square."""
    for a in range(Z.shape[0]):
        za = Z[a]
        for i in range(n):
            room[i] = h[i] * za[i]
        j = 0
        while j + 4 <= a + 1:
            z0, z1, z2, z3 = Z[j], Z[j + 1], Z[j + 2], Z[j + 3]
            t0, t1, t2, t3 = 0.0, 0.0, 0.0, 0.0
            for i in range(n):
                v = room[i]
                t0 += v * z0[i]
                t1 += v * z1[i]
                t2 += v * z2[i]
                t3 += v * z3[i]
            square[a, j] += t0
            square[a, j + 1] += t1
            square[a, j + 2] += t2
            square[a, j + 3] += t3
            j += 4
        while j <= a:
            z0 = Z[j]
            t0 = 0.0
            for i in range(n):
                t0 += room[i] * z0[i]
            square[a, j] += t0
            j += 1


@_by_element
def _sum_of_logs(x: Any, n: int) -> float:
    """Return the sum of logarithms of numbers between 1e-37 and 1e37: one of eight numbers each."""
    total = 0.0
    whole = n // 8 * 8
    for i in range(0, whole, 8):
        first = (x[i] * x[i + 1]) * (x[i + 2] * x[i + 3])
        second = (x[i + 4] * x[i + 5]) * (x[i + 6] * x[i + 7])
        total += math.log(first * second)
    for i in range(whole, n):
        total += math.log(x[i])
    return total


@_by_element
def _weighted_logs(x: Any, w: Any, n: int) -> float:
    total = 0.0
    for i in range(n):
        total += w[i] * math.log(x[i])
    return total


@_by_element
def _log_far(eta: Any, chance: Any, u: Any, weight: Any, n: int) -> float:
    """Return the log chances of far tails, whose chances become 1."""
    many = 0
    for i in range(n):
        many += abs(eta[i]) > FAR
    total = 0.0
    if many:
        for i in range(n):
            if abs(eta[i]) > FAR and chance[i] < 0.5:
                # a score of a far tail is the inverse of Mills' ratio
                log = -math.log(abs(u[i])) - 0.5 * eta[i] * eta[i] - LOG_ROOT_2PI
                total += log * weight[i] if weight.size else log
                chance[i] = 1.0
    return total


@njit(types.void(*_GIVEN, _row), nogil=True, error_model="numpy", cache=True)
def _gradient_of(
    kind: int, X: Any, y: Any, weight: Any, offset: Any, shift: Any, scale: Any, beta: Any,
    start: int, stop: int, gradient: Any,
) -> None:  # fmt: skip
    """Add a segment's gradient."""
    Z = np.empty((X.shape[0], BLOCK))
    eta, u, a, b = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    bits = np.empty(BLOCK, np.int64)
    for first in range(start, stop, BLOCK):
        n = min(BLOCK, stop - first)
        _begin(offset, first, n, eta)
        _load(X, first, n, shift, scale, beta, Z, eta)
        if kind == LOGIT:
            _logit(y[first : first + n], eta, u, a, b, bits, n)
        else:
            _probit(y[first : first + n], eta, u, a, b, bits, n)
        if weight.size:
            w = weight[first : first + n]
            for i in range(n):
                u[i] *= w[i]
        _add_products(Z, n, u, gradient)


@njit(
    types.void(*_GIVEN, types.boolean, _row, _row, _row, _row, _rows, _row),
    nogil=True, error_model="numpy", cache=True,
)  # fmt: skip
def _sums_of(
    kind: int, X: Any, y: Any, weight: Any, offset: Any, shift: Any, scale: Any, beta: Any,
    start: int, stop: int, of_expected: bool, score: Any, observed: Any, expected: Any,
    gradient: Any, square: Any, loglik: Any,
) -> None:  # fmt: skip
    """Add a segment's log-likelihood, gradient and information; keep what is asked for by row."""
    Z = np.empty((X.shape[0], BLOCK))
    eta, u, h, a, b = (
        np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    )  # fmt: skip
    bits = np.empty(BLOCK, np.int64)
    room = bits.view(np.float64)
    for first in range(start, stop, BLOCK):
        n = min(BLOCK, stop - first)
        w = weight[first : first + n] if weight.size else weight
        _begin(offset, first, n, eta)
        _load(X, first, n, shift, scale, beta, Z, eta)
        own = y[first : first + n]
        if kind == LOGIT:
            _logit(own, eta, u, a, h, bits, n)
            part = -_weighted_logs(a, w, n) if weight.size else -_sum_of_logs(a, n)
            for i in range(n):
                # log P of what happened is min(0, +-eta) less that logarithm
                b[i] = own[i] * eta[i] - max(eta[i], 0.0)
            for i in range(n):
                part += b[i] * w[i] if weight.size else b[i]
        else:
            _probit(own, eta, u, a, b, bits, n)
            for i in range(n):
                h[i] = u[i] * (u[i] + eta[i])
            part = _log_far(eta, a, u, w, n)
            part += _weighted_logs(a, w, n) if weight.size else _sum_of_logs(a, n)
            if expected.size:
                _probit_expected(eta, b, a, room, n)
        loglik[0] += part
        if weight.size:
            for i in range(n):
                u[i] *= w[i]
                h[i] *= w[i]
                a[i] *= w[i]
        if score.size:
            score[first : first + n] = u[:n]
        if observed.size:
            observed[first : first + n] = h[:n]
        if expected.size:
            expected[first : first + n] = a[:n]
        _add_products(Z, n, u, gradient)
        _add_square(Z, n, a if of_expected else h, room, square)


@njit(
    types.void(_rows, _whole, _rows, types.float64[:, :, ::1]),
    nogil=True,
    error_model="numpy",
    cache=True,
)
def _squares_of(X: Any, start: int, weights: Any, squares: Any) -> None:
    """Add the lower half of X' diag(w) X for several weights, on rows from `start` on."""
    k = X.shape[0]
    Z, room, h = np.empty((k, BLOCK)), np.empty(BLOCK), np.empty(BLOCK)
    for first in range(0, weights.shape[1], BLOCK):
        n = min(BLOCK, weights.shape[1] - first)
        for j in range(k):
            z, x = Z[j], X[j, start + first : start + first + n]
            for i in range(n):
                z[i] = x[i]
        for one in range(weights.shape[0]):
            w = weights[one, first : first + n]
            for i in range(n):
                h[i] = w[i]
            _add_square(Z, n, h, room, squares[one])


NONE: FloatArray = np.empty(0)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a fit as the compiled passes take them.

    Parameters
    ----------
    kind : int
        LOGIT or PROBIT.
    X : float array, rows by columns
        Column by column in memory, or it is copied.
    y : float array
        0 or 1.
    scaling : Scaling
        The change of columns.
    weights, offset : float array, optional
        Prior weights; what is added to the index.
    """

    kind: int
    X: FloatArray
    y: FloatArray
    scaling: Scaling
    weights: FloatArray | None = None
    offset: FloatArray | None = None

    @property
    def segments(self) -> list[tuple[int, int]]:
        """First and last row of each segment."""
        n = self.y.size
        return [(first, min(first + SEGMENT, n)) for first in range(0, n, SEGMENT)]

    def given(self, beta: FloatArray) -> tuple[Any, ...]:
        """Return the arrays that both passes take, as they are compiled for."""
        arrays = (
            self.X.T,
            self.y,
            NONE if self.weights is None else self.weights,
            NONE if self.offset is None else self.offset,
            self.scaling.shift,
            self.scaling.inverse_scale,
            beta,
        )
        return (self.kind, *(np.require(one, np.float64, ("C", "W")) for one in arrays))


def gradient_of(rows: Rows, beta: FloatArray) -> FloatArray:
    """Return the gradient of the log-likelihood at coefficients of the scaled columns."""
    given, segments = rows.given(beta), rows.segments
    parts = np.zeros((len(segments), beta.size))

    walk: Any = _gradient_of

    def work(place: int) -> None:
        walk(*given, *segments[place], parts[place])

    share(work, len(segments))
    out: FloatArray = parts.sum(axis=0)
    return out


def sums_of(
    rows: Rows,
    beta: FloatArray,
    *,
    score: FloatArray = NONE,
    observed: FloatArray = NONE,
    expected: FloatArray = NONE,
    of_expected: bool = False,
) -> tuple[float, FloatArray, FloatArray]:
    """Return log-likelihood, gradient and information on the scaled columns.

    Parameters
    ----------
    rows : Rows
    beta : float array
        Coefficients of the scaled columns.
    score, observed, expected : float array, optional
        Filled in by row where given, prior weights included; observed and expected information
        differ in a probit.
    of_expected : bool
        Whether the matrix returned is the expected information; `expected` must then be given.
    """
    given, segments = rows.given(beta), rows.segments
    k = beta.size
    gradients, squares = np.zeros((len(segments), k)), np.zeros((len(segments), k, k))
    logliks = np.zeros((len(segments), 1))
    filled = (score, observed, expected)

    walk: Any = _sums_of

    def work(place: int) -> None:
        sums = (gradients[place], squares[place], logliks[place])
        walk(*given, *segments[place], of_expected, *filled, *sums)

    share(work, len(segments))
    lower: FloatArray = np.tril(squares.sum(axis=0))
    square: FloatArray = lower + np.tril(lower, -1).T
    return float(logliks.sum()), gradients.sum(axis=0), square


def squares_of(X: FloatArray, rows: slice, weights: FloatArray) -> FloatArray:
    """Return X' diag(w) X of some rows for several weights, which may be negative.

    Parameters
    ----------
    X : float array, rows by columns
        Column by column in memory.
    rows : slice
        Rows in a row.
    weights : float array, weights by rows

    Returns
    -------
    float array, weights by columns by columns
    """
    k = X.shape[1]
    squares = np.zeros((weights.shape[0], k, k))
    walk: Any = _squares_of
    walk(X.T, rows.start, np.ascontiguousarray(weights), squares)
    lower = np.tril(squares)
    out: FloatArray = lower + np.tril(lower, -1).transpose(0, 2, 1)
    return out
