"""Quantile regression (Koenker and Bassett 1978, Econometrica 46); fit to arrays.

The estimate is the vertex of a linear programme: k rows are fitted exactly. Covariances are the
sandwich tau (1 - tau) F^-1 X'X F^-1 with F = X' f X, and three ways to estimate the density f of
the errors at 0, as in R's quantreg (Koenker 2005, Quantile Regression, section 3.4):

- iid: one density for all rows, from the sparsity (the slope of the residuals' quantiles);
- nid: each row's own, from the fits at tau - h and tau + h (Hendricks and Koenker 1992, JASA 87);
- ker: a kernel estimate of F (Powell 1991).

The bandwidth h is Hall and Sheather's (1988, JRSS B 50).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg, optimize, special

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray, IntArray
from foedus.models.methods.handover import scaled

KINDS = ("iid", "nid", "ker")
TINY = float(np.sqrt(np.finfo(float).eps))


def fit_vertex(y: FloatArray, Z: FloatArray, tau: float) -> tuple[FloatArray, IntArray]:
    """Minimise the check loss.

    Parameters
    ----------
    y : float array
        The outcome.
    Z : float array
        The (scaled) matrix.
    tau : float
        The quantile, between 0 and 1.

    Returns
    -------
    beta : float array
        Coefficients of a vertex: k rows have residuals of exactly 0.
    basis : int array
        Those rows.

    Raises
    ------
    EstimationError
        If the programme is not solved.
    """
    scale = float(np.abs(y).max()) or 1.0
    # the dual: weights a in [0, 1] with Z'a = (1 - tau) Z'1 and the largest y'a
    found = optimize.linprog(
        -y / scale,
        A_eq=np.ascontiguousarray(Z.T),
        b_eq=(1.0 - tau) * Z.sum(axis=0),
        bounds=(0.0, 1.0),
        method="highs-ds",
    )
    if found.status != 0:
        raise EstimationError(f"quantile regression at tau = {tau:g}: {found.message}")
    beta = -np.asarray(found.eqlin.marginals) * scale
    basis = _basis(y, Z, beta)
    exact: FloatArray = np.asarray(np.linalg.solve(Z[basis], y[basis]), dtype=np.float64)
    return exact, basis


def _basis(y: FloatArray, Z: FloatArray, beta: FloatArray) -> IntArray:
    """Return k independent rows among those fitted exactly, or else fitted best.

    Ties in the outcome may leave many rows fitted exactly that say the same.
    """
    k = Z.shape[1]
    chosen: list[int] = []
    Q = np.zeros((k, 0))
    for row in np.argsort(np.abs(y - Z @ beta), kind="stable"):
        z = Z[row] - Q @ (Q.T @ Z[row])
        size = float(np.linalg.norm(z))
        if size > 1e-9 * float(np.linalg.norm(Z[row])):
            chosen.append(int(row))
            Q = np.column_stack([Q, z / size])
        if len(chosen) == k:
            return np.array(chosen, dtype=np.int64)
    raise EstimationError("quantile regression: the rows fitted exactly do not determine it.")


def is_unique(y: FloatArray, Z: FloatArray, basis: IntArray, beta: FloatArray, tau: float) -> bool:
    """Whether no other coefficients have the same loss.

    The dual weights of the rows fitted exactly lie in [0, 1]; one at an end leaves the loss flat
    in the direction that frees its row.
    """
    u = y - Z @ beta
    others = np.ones(y.size, dtype=bool)
    others[basis] = False
    above = others & (u > 0)
    weights = np.linalg.solve(Z[basis].T, (1.0 - tau) * Z.sum(axis=0) - Z[above].sum(axis=0))
    return bool(((weights > 1e-9) & (weights < 1.0 - 1e-9)).all())


class _Descent:
    """A descent from vertex to vertex, from 0, in the manner of Barrodale and Roberts (1974).

    Coefficients enter one at a time, the one with the steepest slope first, each as far as the
    loss falls; then rows fitted exactly are exchanged for others while that lowers it. Where the
    minimum is a whole face this stops at its first corner on the way, so it depends on the
    columns' units, as quantreg's own choice does (Koenker and d'Orey 1987, Applied Statistics 36).
    """

    def __init__(self, y: FloatArray, X: FloatArray, tau: float) -> None:
        self.y, self.X, self.tau = y, X, tau
        self.tiny = 1e-11 * (float(np.abs(y).max()) or 1.0)

    def slope(self, u: FloatArray, du: FloatArray) -> float:
        """Return the loss's derivative as residuals change at the rate du."""
        above = np.where(np.abs(u) > self.tiny, u > 0, du > 0)
        return float((du * (self.tau - 1.0 + above)).sum())

    def reach(self, u: FloatArray, du: FloatArray) -> tuple[float, int] | None:
        """Return how far to go until the loss no longer falls, and the row that stops it."""
        ahead = (u * du < 0) & (np.abs(du) > 1e-12)
        rows = np.flatnonzero(ahead)
        if rows.size == 0:
            return None
        lengths = -u[rows] / du[rows]
        order = np.argsort(lengths, kind="stable")
        slopes = self.slope(u, du) + np.cumsum(np.abs(du[rows[order]]))
        stops = np.flatnonzero(slopes >= -1e-10)
        if stops.size == 0:
            return None
        first = order[stops[0]]
        return float(lengths[first]), int(rows[first])

    def enter(self) -> list[int] | None:
        """Bring in every coefficient; return the rows then fitted exactly."""
        k = self.X.shape[1]
        beta, rows, columns = np.zeros(k), list[int](), list[int]()
        while len(columns) < k:
            u = self.y - self.X @ beta
            u[rows] = 0.0
            moves = []
            for j in (j for j in range(k) if j not in columns):
                for sign in (1.0, -1.0):
                    move = np.zeros(k)
                    move[j] = sign
                    if columns:
                        inner = self.X[np.ix_(rows, columns)]
                        move[columns] = -np.linalg.solve(inner, sign * self.X[rows, j])
                    du = -(self.X @ move)
                    du[rows] = 0.0
                    moves.append((self.slope(u, du), j, move, du))
            slope, j, move, du = min(moves, key=lambda one: one[0])
            found = self.reach(u, du) if slope < -1e-10 else self._nearest(u, du)
            if found is None:
                return None
            beta = beta + found[0] * move
            rows.append(found[1])
            columns.append(j)
        return rows

    def _nearest(self, u: FloatArray, du: FloatArray) -> tuple[float, int] | None:
        rows = np.flatnonzero(np.abs(du) > 1e-9)
        if rows.size == 0:
            return None
        row = int(rows[int(np.abs(u[rows] / du[rows]).argmin())])
        return float(-u[row] / du[row]), row

    def vertex(self, most: int = 2000) -> IntArray | None:
        """Return the rows fitted exactly at the end; None where the descent got stuck."""
        rows = self.enter()
        if rows is None:
            return None
        for _ in range(most):
            try:
                inverse = np.linalg.inv(self.X[rows])
            except np.linalg.LinAlgError:
                return None
            u = self.y - self.X @ (inverse @ self.y[rows])
            u[rows] = 0.0
            along = self.X @ inverse
            best, place, turn = -1e-10, -1, along[:, 0]
            for m in range(len(rows)):
                for sign in (1.0, -1.0):
                    du = sign * along[:, m]
                    du[rows] = 0.0
                    du[rows[m]] = sign
                    slope = self.slope(u, du)
                    if slope < best - 1e-10:
                        best, place, turn = slope, m, du
            if place < 0:
                return np.array(rows, dtype=np.int64)
            found = self.reach(u, turn)
            if found is None:
                return None
            rows[place] = found[1]
        return None


def first_corner(y: FloatArray, X: FloatArray, tau: float, loss: float) -> FloatArray | None:
    """Return the corner of a flat minimum that a descent from 0 meets first; None if it fails."""
    rows = _Descent(y, X, tau).vertex()
    if rows is None:
        return None
    beta = np.asarray(np.linalg.solve(X[rows], y[rows]), dtype=np.float64)
    return beta if check_loss(y - X @ beta, tau) <= loss * (1.0 + 1e-9) else None


def check_loss(u: FloatArray, tau: float) -> float:
    """Return the sum of u (tau - 1(u < 0))."""
    return float((u * (tau - (u < 0))).sum())


def bandwidth(tau: float, n: int, level: float = 0.05) -> float:
    """Return Hall and Sheather's bandwidth for the sparsity."""
    x = float(special.ndtri(tau))
    f = float(np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi))
    z = float(special.ndtri(1.0 - level / 2.0))
    return float(n ** (-1 / 3) * z ** (2 / 3) * (1.5 * f * f / (2.0 * x * x + 1.0)) ** (1 / 3))


def _inside(tau: float, h: float) -> float:
    """Halve h until tau - h and tau + h are quantiles."""
    while tau - h < 0 or tau + h > 1:
        h /= 2.0
    return h


def _sparsity(u: FloatArray, tau: float, k: int) -> float:
    """Return the slope of the ordered residuals around those of 0, by median regression."""
    n = u.size
    zeros = int((np.abs(u) < TINY).sum())
    width = max(k + 1, int(np.ceil(n * bandwidth(tau, n))))
    first, last = zeros + 1, width + zeros + 1
    if last > n:
        raise EstimationError(
            f"quantile regression: {n} rows are too few for standard errors of kind iid; use nid "
            "or ker."
        )
    near = np.sort(u[np.argsort(np.abs(u), kind="stable")[first - 1 : last]])
    place = np.arange(first, last + 1) / (n - k)
    X = np.column_stack([np.ones(place.size), place])
    return float(fit_vertex(near, X, 0.5)[0][1])


def densities(
    y: FloatArray, Z: FloatArray, beta: FloatArray, tau: float, kind: str
) -> tuple[FloatArray, int]:
    """Return each row's density of the error at 0, and in how many rows it had to be set to 0."""
    n, k = Z.shape
    u = y - Z @ beta
    if kind == "iid":
        return np.full(n, 1.0 / _sparsity(u, tau, k)), 0
    h = _inside(tau, bandwidth(tau, n))
    if kind == "nid":
        gap = Z @ (_at(y, Z, tau + h) - _at(y, Z, tau - h))
        f = np.maximum(0.0, 2.0 * h / (gap - TINY))
        return f, int((gap <= 0).sum())
    low, high = np.quantile(u, [0.25, 0.75])
    spread = min(float(np.std(u, ddof=1)), float(high - low) / 1.34)
    width = float(special.ndtri(tau + h) - special.ndtri(tau - h)) * spread
    f = np.exp(-0.5 * (u / width) ** 2) / np.sqrt(2.0 * np.pi) / width
    return f, 0


def _at(y: FloatArray, Z: FloatArray, tau: float) -> FloatArray:
    return fit_vertex(y, Z, min(max(tau, 1e-6), 1.0 - 1e-6))[0]


class QuantileFit:
    """A quantile regression's numbers on scaled columns, with the way back."""

    def __init__(
        self, y: FloatArray, X: FloatArray, names: Sequence[str], tau: float, kind: str
    ) -> None:
        self.Z, self.scaling = scaled(X, names)
        self.tau, self.kind = tau, kind
        self.beta, basis = fit_vertex(y, self.Z, tau)
        self.unique = is_unique(y, self.Z, basis, self.beta, tau)
        if not self.unique:
            corner = first_corner(y, X, tau, check_loss(y - self.Z @ self.beta, tau))
            if corner is not None:
                inside = np.linalg.solve(self.scaling.matrix(), corner)
                self.beta = np.asarray(inside, dtype=np.float64)
        self.residuals = y - self.Z @ self.beta
        self.residuals[np.abs(self.residuals) < 1e-12 * (np.abs(y).max() or 1.0)] = 0.0
        f, self.crossed = densities(y, self.Z, self.beta, tau, kind)
        self.information = (self.Z * f[:, None]).T @ self.Z
        try:
            self.bread: FloatArray = linalg.inv(self.information)
        except linalg.LinAlgError:
            raise EstimationError(
                f"quantile regression at tau = {tau:g}: the density of the errors is estimated as "
                f"0 almost everywhere, so there is no {kind} standard error; use another kind."
            ) from None
        loss = check_loss(self.residuals, tau)
        n = y.size
        if loss <= 0.0:
            raise EstimationError("quantile regression: every row is fitted exactly.")
        self.loss = loss
        self.loglik = n * float(np.log(tau * (1.0 - tau)) - 1.0 - np.log(loss / n))

    def scores(self) -> FloatArray:
        """Return each row's estimating function x (tau - 1(residual < 0))."""
        out: FloatArray = self.Z * (self.tau - (self.residuals < 0))[:, None]
        return out

    def classical(self) -> FloatArray:
        """Return tau (1 - tau) F^-1 X'X F^-1 for the user's columns."""
        meat = self.tau * (1.0 - self.tau) * (self.Z.T @ self.Z)
        back = self.scaling.matrix() @ self.bread
        out: FloatArray = back @ meat @ back.T
        return out
