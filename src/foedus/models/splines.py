"""B-splines and natural cubic splines, as R's `splines` package has them.

`bs` spans piecewise polynomials; `ns` (Hastie 1992, in Chambers and Hastie, Statistical Models in
S, ch. 7) cubic ones whose second derivative is 0 at the boundary knots, beyond which they go on
straight. The basis of `ns` is R's: the B-splines without the first, turned by the orthogonal
matrix of a QR decomposition of the two constraints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foedus.errors import EstimationError, UsageError
from foedus.models.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class SplineBasis:
    """What a basis needs to be evaluated on any values.

    Attributes
    ----------
    degree : int
        3 for natural splines.
    inner : tuple of float
        Knots inside the boundary.
    boundary : (float, float)
        The smallest and largest value where the user named no others.
    turn : float array, optional
        For natural splines: B-splines (without the first) to basis.
    """

    degree: int
    inner: tuple[float, ...]
    boundary: tuple[float, float]
    turn: FloatArray | None = None

    @property
    def knots(self) -> FloatArray:
        """All knots, the boundary's repeated."""
        low, high = self.boundary
        ends = self.degree + 1
        return np.array([low] * ends + list(self.inner) + [high] * ends)

    def columns(self, x: FloatArray) -> FloatArray:
        """Return the basis at x, rows by columns; missing where x is."""
        design = _b_splines(self.knots, x, self.degree)[:, 1:]
        if self.turn is None:
            return design
        low, high = self.boundary
        for edge, outside in ((low, x < low), (high, x > high)):
            if outside.any():
                at = np.array([edge])
                level = _b_splines(self.knots, at, self.degree)[:, 1:]
                slope = _derivatives(self.knots, at, self.degree, 1)[:, 1:]
                design[outside] = level + (x[outside] - edge)[:, None] * slope
        out: FloatArray = design @ self.turn
        return out


def spline_basis(
    natural: bool,
    x: FloatArray,
    *,
    knots: tuple[float, ...] | None,
    df: int | None,
    degree: int,
    boundary: tuple[float, float] | None,
) -> SplineBasis:
    """Return the basis for values: knots as given, or at quantiles as `df` asks.

    Parameters
    ----------
    natural : bool
        Natural cubic splines (`ns`) rather than B-splines (`bs`).
    x : float array
        The values; missing ones play no part.
    knots : tuple of float, optional
        Inner knots.
    df : int, optional
        Columns of the basis, from which follow the number of inner knots, which then lie at
        quantiles of x (R's type 7).
    degree : int
        Of the pieces.
    boundary : pair of float, optional
        Boundary knots; the range of x for None.

    Raises
    ------
    EstimationError
        If x has one value only.
    UsageError
        If knots are outside the boundary, or df is too small.
    """
    present = x[np.isfinite(x)]
    if boundary is None:
        if present.size == 0 or present.min() == present.max():
            raise EstimationError("a spline needs a variable with more than one value.")
        boundary = (float(present.min()), float(present.max()))
    if knots is None:
        smallest = 1 if natural else degree
        wanted = smallest if df is None else df
        count = wanted - smallest
        if count < 0:
            raise UsageError(f"a spline of degree {degree} has at least {smallest} columns (df).")
        inside = present[(present >= boundary[0]) & (present <= boundary[1])]
        shares = np.linspace(0.0, 1.0, count + 2)[1:-1]
        knots = tuple(float(value) for value in np.quantile(inside, shares)) if count else ()
    inner = tuple(sorted(knots))
    if inner and not (boundary[0] < inner[0] and inner[-1] < boundary[1]):
        raise UsageError(
            f"knots {', '.join(f'{k:g}' for k in inner)} must lie between {boundary[0]:g} and "
            f"{boundary[1]:g}, the ends of the variable."
        )
    plain = SplineBasis(degree, inner, boundary)
    return SplineBasis(3, inner, boundary, _natural(plain.knots, boundary)) if natural else plain


def _natural(knots: FloatArray, boundary: tuple[float, float]) -> FloatArray:
    """Return the matrix that keeps the B-splines without curvature at the boundary."""
    constraints = _derivatives(knots, np.array(boundary), 3, 2)[:, 1:]
    turn: FloatArray = _householder(constraints.T.copy())[:, 2:]
    return turn


def _householder(A: FloatArray) -> FloatArray:
    """Return Q of A = QR by Householder's reflections, with the signs that LINPACK gives them."""
    m, n = A.shape
    Q = np.eye(m)
    for j in range(n):
        v = A[j:, j].copy()
        v[0] += np.copysign(np.linalg.norm(v), v[0])
        v /= np.linalg.norm(v)
        A[j:] -= 2.0 * np.outer(v, v @ A[j:])
        Q[:, j:] -= 2.0 * np.outer(Q[:, j:] @ v, v)
    return Q


def _pieces(knots: FloatArray, x: FloatArray) -> IntArray:
    """Return the knot interval of each value; values outside go on with the first or last piece."""
    first = int(np.searchsorted(knots, knots[0], side="right")) - 1
    last = int(np.searchsorted(knots, knots[-1], side="left")) - 1
    found: IntArray = np.clip(np.searchsorted(knots, x, side="right") - 1, first, last)
    return found


def _b_splines(knots: FloatArray, x: FloatArray, degree: int) -> FloatArray:
    """Return all B-splines at x by the Cox-de Boor recurrence, a matrix of rows by splines."""
    piece = _pieces(knots, x)
    local = np.ones((x.size, 1))
    for d in range(1, degree + 1):
        grown = np.zeros((x.size, d + 1))
        for r in range(d):
            right, left = knots[piece + r + 1], knots[piece + r + 1 - d]
            width = right - left
            share = np.divide(local[:, r], width, out=np.zeros(x.size), where=width > 0)
            grown[:, r] += (right - x) * share
            grown[:, r + 1] += (x - left) * share
        local = grown
    out = np.zeros((x.size, knots.size - degree - 1))
    rows = np.arange(x.size)
    for r in range(degree + 1):
        out[rows, piece - degree + r] = local[:, r]
    return out


def _derivatives(knots: FloatArray, x: FloatArray, degree: int, order: int) -> FloatArray:
    """Return derivatives of all B-splines at x, from those of a lower degree."""
    if order == 0:
        return _b_splines(knots, x, degree)
    lower = _derivatives(knots, x, degree - 1, order - 1)
    count = knots.size - degree - 1
    widths = np.array([knots[i + degree] - knots[i] for i in range(count + 1)])
    scaled = np.divide(lower, widths, out=np.zeros_like(lower), where=widths > 0)
    out: FloatArray = degree * (scaled[:, :count] - scaled[:, 1 : count + 1])
    return out
