"""Linear panel models on arrays: fixed, random and between effects, first differences.

The definitions are those of R's plm (Croissant and Millo 2008, Journal of Statistical Software
27): variance components by quadratic forms whose expectations allow for unbalanced panels
(Baltagi and Chang 1994, Journal of Econometrics 62), which for a balanced panel are those of
Swamy and Arora 1972, Wallace and Hussain 1969 and Amemiya 1971; Nerlove 1971 is the fourth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import linalg, special

from foedus.errors import EstimationError, UsageError, nearest
from foedus.models.absorb import Absorber, Factor
from foedus.models.arrays import FloatArray, IntArray

EFFECTS = ("individual", "time", "twoways")
COMPONENTS = ("swar", "amemiya", "walhus", "nerlove")
NO_VARIATION = 1e-12
"""Share of a column's variance left within effects, under which there is none."""


@dataclass(frozen=True, slots=True)
class LinearFit:
    """A linear model on transformed rows.

    Attributes
    ----------
    coef, bread : float array
        Coefficients, and the inverse of the transformed columns' (weighted) cross-product.
    X, residual : float array
        Transformed columns and residuals of the rows used; a row's score is their product (times
        its weight).
    dispersion : float
        Residual sum of squares over `df`.
    df, n, k : int
        Residual degrees of freedom, rows used, parameters in all (absorbed ones too).
    loglik : float
        Gaussian, at the maximum of the likelihood of the transformed rows.
    leverage : float array or None
        Of what was absorbed; None where nothing was.
    rows : int array or None
        The input's row that each used row stands for (between: a group's first; differences: the
        later of the two); None for all in order.
    numbers : dict
        Variance components, R-squared, counts.
    """

    coef: FloatArray
    bread: FloatArray
    X: FloatArray
    residual: FloatArray
    dispersion: float
    df: int
    n: int
    k: int
    loglik: float
    absorbed: Absorber | None = None
    rows: IntArray | None = None
    numbers: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of_all(
        cls,
        coef: FloatArray,
        bread: FloatArray,
        X: FloatArray,
        residual: FloatArray,
        numbers: dict[str, float],
        rows: IntArray | None = None,
    ) -> LinearFit:
        """Return the fit of unweighted rows from which nothing was absorbed."""
        n, k = X.shape
        rss = float(residual @ residual)
        likely = gaussian(rss, n)
        return cls(
            coef, bread, X, residual, rss / (n - k), n - k, n, k, likely, None, rows, numbers
        )

    @property
    def vcov(self) -> FloatArray:
        """The classical covariance of the coefficients."""
        return self.bread * self.dispersion


def least_squares(
    y: FloatArray, X: FloatArray, names: Sequence[str], weights: FloatArray | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return coefficients, residuals and the inverse cross-product, on scaled columns."""
    root = np.ones(y.size) if weights is None else np.sqrt(weights)
    A = X * root[:, None]
    scale = np.sqrt(np.einsum("ij,ij->j", A, A))
    if bool((scale == 0).any()):
        flat = [names[j] for j in np.flatnonzero(scale == 0).tolist()]
        raise EstimationError(f"{', '.join(flat)}: 0 in all rows used.")
    A /= scale
    Q, R = linalg.qr(A, mode="economic")
    weak = np.abs(np.diag(R)) < 1e-9
    if weak.any():
        said = ", ".join(names[j] for j in np.flatnonzero(weak).tolist())
        raise EstimationError(
            f"collinear terms: {said} is made up by the terms before it. Leave it out."
        )
    coef = linalg.solve_triangular(R, Q.T @ (y * root)) / scale
    half = linalg.solve_triangular(R, np.eye(scale.size)) / scale[:, None]
    return coef, y - X @ coef, half @ half.T


def gaussian(rss: float, n: int, weights: FloatArray | None = None) -> float:
    """Return the Gaussian log-likelihood at the maximum, from the residual sum of squares."""
    logs = 0.0 if weights is None else float(np.log(weights).sum())
    with np.errstate(divide="ignore"):
        return float(0.5 * (logs - n * (np.log(2.0 * np.pi * rss / n) + 1.0)))


def fit_fixed(
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    factors: Sequence[Factor],
    weights: FloatArray | None = None,
) -> LinearFit:
    """Fit least squares with the effects of one or more factors absorbed.

    Parameters
    ----------
    y, X : float array
        Outcome and columns (without a constant) by row.
    names : sequence of str
        The columns' names, for messages.
    factors : sequence of Factor
        The sets of effects.
    weights : float array, optional
        Positive prior weights.

    Returns
    -------
    LinearFit
        What least squares with a dummy a level would give, for the columns of X.

    Raises
    ------
    EstimationError
        If a column doesn't vary within the effects (named), or columns are collinear there.
    """
    absorber = Absorber.of(factors, weights)
    inner = absorber.residual(np.asarray(X, dtype=np.float64))
    left = absorber.residual(np.asarray(y, dtype=np.float64))
    _refuse_constant(X, inner, names, [factor.name for factor in factors])
    k = X.shape[1] + absorber.rank
    df = y.size - k
    if df <= 0:
        raise EstimationError(
            f"{y.size} rows are too few for {X.shape[1]} coefficients and {absorber.rank} effects."
        )
    coef, residual, bread = least_squares(left, inner, names, weights)
    w = 1.0 if weights is None else weights
    rss, within = float(np.sum(w * residual**2)), float(np.sum(w * left**2))
    mean = float(np.average(y, weights=weights))
    total = float(np.sum(w * (y - mean) ** 2))
    return LinearFit(
        coef, bread, inner, residual, rss / df, df, y.size, k,
        gaussian(rss, y.size, weights), absorber, None,
        {
            "effects": float(absorber.rank),
            "r2": 1.0 - rss / total if total > 0 else np.nan,
            "r2_within": 1.0 - rss / within if within > 0 else np.nan,
        },
    )  # fmt: skip


def _refuse_constant(
    X: FloatArray, inner: FloatArray, names: Sequence[str], effects: Sequence[str]
) -> None:
    """Refuse columns that the effects explain in full."""
    flat = constant_within(X, inner)
    if flat:
        said = ", ".join(names[j] for j in flat)
        raise EstimationError(
            f"no variation within effects: {said} is constant given {' and '.join(effects)}. "
            "Leave it out, or leave the effects out."
        )


def constant_within(X: FloatArray, inner: FloatArray) -> list[int]:
    """Return the columns of which the projection leaves nothing."""
    before = np.einsum("ij,ij->j", X, X)
    after = np.einsum("ij,ij->j", inner, inner)
    return [int(j) for j in np.flatnonzero(after <= NO_VARIATION * before).tolist()]


# --- means by group -------------------------------------------------------------------------


def group_means(values: FloatArray, factor: Factor) -> FloatArray:
    """Return the means of columns (or one) in each level."""
    size = np.bincount(factor.codes, minlength=factor.n_levels)
    if values.ndim == 1:
        return np.bincount(factor.codes, weights=values, minlength=factor.n_levels) / size
    return np.column_stack([group_means(column, factor) for column in values.T])


def fit_between(y: FloatArray, X: FloatArray, names: Sequence[str], factor: Factor) -> LinearFit:
    """Fit least squares to the means of each level, one row a level.

    Parameters
    ----------
    y, X : float array
        Outcome and columns (with a constant) by row.
    names : sequence of str
        The columns' names.
    factor : Factor
        The levels.
    """
    means, left = group_means(X, factor), group_means(y, factor)
    if means.shape[0] <= means.shape[1]:
        raise EstimationError(
            f"between effects: {means.shape[0]} levels of {factor.name} are too few for "
            f"{means.shape[1]} coefficients."
        )
    coef, residual, bread = least_squares(left, means, names)
    first = np.unique(factor.codes, return_index=True)[1].astype(np.int64)
    numbers = {"groups": float(left.size), "r2": _r2(left, residual)}
    return LinearFit.of_all(coef, bread, means, residual, numbers, first)


def _r2(y: FloatArray, residual: FloatArray) -> float:
    total = float(np.sum((y - y.mean()) ** 2))
    return 1.0 - float(residual @ residual) / total if total > 0 else float("nan")


def fit_differences(
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    unit: Factor,
    time: FloatArray,
    *,
    gaps: str = "keep",
) -> LinearFit:
    """Fit least squares to the differences between a unit's consecutive rows.

    Parameters
    ----------
    y, X : float array
        Outcome and columns by row; a constant column stays one (a common trend), as in plm.
    names : sequence of str
        The columns' names.
    unit : Factor
        Whose rows are differenced.
    time : float array
        Their order.
    gaps : str
        "keep" differences over gaps in time (as plm does); "drop" leaves differences out that
        span more than the shortest step between two rows.
    """
    order = np.lexsort((time, unit.codes))
    same = unit.codes[order][1:] == unit.codes[order][:-1]
    steps = np.diff(time[order])
    if bool((same & (steps == 0)).any()):
        raise EstimationError("first differences: a unit has two rows at one time.")
    if gaps == "drop" and same.any():
        same &= steps <= steps[same].min()
    elif gaps not in ("keep", "drop"):
        raise UsageError(f'"{gaps}" is no rule for gaps: keep or drop.')
    later, earlier = order[1:][same], order[:-1][same]
    n, k = later.size, X.shape[1]
    if n <= k:
        raise EstimationError(f"first differences: {n} differences are too few for {k} terms.")
    D, d = X[later] - X[earlier], y[later] - y[earlier]
    constant = [j for j in range(k) if bool((X[:, j] == X[0, j]).all()) and X[0, j] != 0]
    for j in constant:
        D[:, j] = X[0, j]
    flat = [names[j] for j in range(k) if not D[:, j].any()]
    if flat:
        raise EstimationError(
            f"no variation within {unit.name}: {', '.join(flat)} never changes. Leave it out."
        )
    coef, residual, bread = least_squares(d, D, names)
    numbers = {"differences": float(n), "r2": _r2(d, residual)}
    return LinearFit.of_all(coef, bread, D, residual, numbers, later.astype(np.int64))


# --- random effects -------------------------------------------------------------------------


def _trace(A: FloatArray, B: FloatArray) -> float:
    """Return trace(A B)."""
    return float(np.sum(A * B.T))


class _Panel:
    """Means and sums of the columns over units and times, and the factors' sizes."""

    def __init__(self, y: FloatArray, Z: FloatArray, unit: Factor, time: Factor) -> None:
        self.y, self.Z, self.n = y, Z, y.size
        self.sides = {"id": unit, "time": time}
        self.size = {
            side: np.bincount(f.codes, minlength=f.n_levels).astype(np.float64)
            for side, f in self.sides.items()
        }

    def between(self, values: FloatArray, side: str) -> FloatArray:
        factor = self.sides[side]
        return group_means(values, factor)[factor.codes]

    def sums(self, values: FloatArray, side: str) -> FloatArray:
        factor = self.sides[side]
        return (group_means(values, factor).T * self.size[side]).T[factor.codes]


def _within_side(panel: _Panel, sides: Sequence[str]) -> Absorber:
    return Absorber.of([panel.sides[side] for side in sides])


@dataclass(frozen=True, slots=True)
class _Quadratic:
    """Quadratic forms of residuals and their expectations in the variance components."""

    forms: list[float]
    expected: list[list[float]]


def _columns_within(panel: _Panel, absorber: Absorber) -> FloatArray:
    """Return the columns that vary within effects, projected."""
    X = panel.Z[:, 1:]
    inner = absorber.residual(X)
    flat = set(constant_within(X, inner))
    kept = [j for j in range(X.shape[1]) if j not in flat]
    if not kept:
        raise EstimationError("random effects: no term varies within the effects.")
    return inner[:, kept]


def _swar(panel: _Panel, sides: Sequence[str], absorber: Absorber) -> _Quadratic:
    """Swamy-Arora: within residuals, and between residuals of each side."""
    n, K = panel.n, panel.Z.shape[1] - 1
    W = _columns_within(panel, absorber)
    left = absorber.residual(panel.y)
    e = left - W @ linalg.lstsq(W, left)[0]
    rows = [[float(n - absorber.rank - W.shape[1])] + [0.0] * len(sides)]
    forms = [float(e @ e)]
    for side in sides:
        B = panel.between(panel.Z, side)
        b = panel.between(panel.y, side)
        if np.linalg.matrix_rank(B) < B.shape[1]:
            raise EstimationError(
                f"random effects: the means of the terms over {panel.sides[side].name} are "
                "collinear, so Swamy and Arora's components don't exist; use another method."
            )
        inverse = linalg.inv(B.T @ B)
        r = b - B @ (inverse @ (B.T @ b))
        forms.append(float(r @ r))
        row = [float(panel.sides[side].n_levels - K - 1)]
        for other in sides:
            if other == side:
                row.append(n - _trace(inverse, panel.sums(panel.Z, side).T @ panel.Z))
            else:
                levels = panel.sides[side].n_levels
                row.append(levels - _trace(inverse, B.T @ panel.sums(B, other)))
        rows.append(row)
    return _Quadratic(forms, rows)


def _amemiya(panel: _Panel, sides: Sequence[str], absorber: Absorber) -> _Quadratic:
    """Amemiya: within residuals in every form."""
    n = panel.n
    X = panel.Z[:, 1:]
    W = _columns_within(panel, absorber)
    if W.shape[1] < X.shape[1]:
        raise EstimationError(
            "random effects: a term doesn't vary within the effects, so Amemiya's components "
            "don't exist; use swar."
        )
    left = absorber.residual(panel.y)
    coef = linalg.lstsq(W, left)[0]
    e = left - W @ coef
    u = panel.y - X @ coef
    u = u - u.mean()
    inverse = linalg.inv(W.T @ W)
    rows = [[float(n - absorber.rank - W.shape[1])] + [0.0] * len(sides)]
    forms = [float(e @ e)]
    for side in sides:
        b = panel.between(u, side)
        forms.append(float(b @ b))
        B = panel.between(X, side)
        B = B - B.mean(axis=0)
        row = [panel.sides[side].n_levels - 1 + _trace(inverse, B.T @ B)]
        for other in sides:
            spread = float(np.sum(panel.size[other] ** 2)) / n
            row.append((n if other == side else panel.sides[side].n_levels) - spread)
        rows.append(row)
    return _Quadratic(forms, rows)


def _walhus(panel: _Panel, sides: Sequence[str], absorber: Absorber) -> _Quadratic:
    """Wallace-Hussain: pooled residuals in every form."""
    n, Z = panel.n, panel.Z
    M = linalg.inv(Z.T @ Z)
    e = panel.y - Z @ (M @ (Z.T @ panel.y))
    inner = absorber.residual(e)
    W = absorber.residual(Z)
    MW = M @ (W.T @ W)
    sums = {side: M @ (panel.sums(Z, side).T @ Z) for side in sides}
    forms = [float(inner @ inner)]
    rows = [[n - absorber.rank - float(np.trace(MW))] + [_trace(MW, sums[s]) for s in sides]]
    for side in sides:
        b = panel.between(e, side)
        forms.append(float(b @ b))
        B = panel.between(Z, side)
        MB = M @ (B.T @ B)
        row = [panel.sides[side].n_levels - float(np.trace(MB))]
        for other in sides:
            if other == side:
                row.append(n - 2.0 * float(np.trace(sums[side])) + _trace(MB, sums[side]))
            else:
                cross = M @ (B.T @ panel.sums(Z, other))
                levels = panel.sides[side].n_levels
                row.append(levels - 2.0 * float(np.trace(cross)) + _trace(MB, sums[other]))
        rows.append(row)
    return _Quadratic(forms, rows)


def _nerlove(panel: _Panel, sides: Sequence[str], absorber: Absorber) -> dict[str, float]:
    """Nerlove: the spread of the estimated fixed effects themselves."""
    n = panel.n
    X = panel.Z[:, 1:]
    W = absorber.residual(X)
    flat = constant_within(X, W)
    X, W = np.delete(X, flat, axis=1), np.delete(W, flat, axis=1)
    left = absorber.residual(panel.y)
    coef = linalg.lstsq(W, left)[0]
    e = left - W @ coef
    out = {"idios": float(e @ e) / n}
    total = panel.y - X @ coef - e
    for side in sides:
        size, levels = panel.size[side], panel.sides[side].n_levels
        spread = group_means(total, panel.sides[side])
        if bool((size == size[0]).all()):
            out[side] = float(np.sum((spread - spread.mean()) ** 2)) / (levels - 1)
        else:
            centre = float(np.sum(size * spread)) / n
            out[side] = float(np.sum((spread - centre) ** 2 * size)) / n * levels / (levels - 1)
    return out


_FORMS = {"swar": _swar, "amemiya": _amemiya, "walhus": _walhus}


def variance_components(
    y: FloatArray,
    Z: FloatArray,
    unit: Factor,
    time: Factor,
    effect: str = "individual",
    method: str = "swar",
) -> dict[str, float]:
    """Estimate the variances of the idiosyncratic, unit and time errors.

    Parameters
    ----------
    y, Z : float array
        Outcome and columns, the constant first.
    unit, time : Factor
        Each row's unit and time.
    effect : str
        individual, time or twoways.
    method : str
        swar, amemiya, walhus or nerlove.

    Returns
    -------
    dict
        idios, and id and time as the effect has them; a negative estimate is 0.
    """
    for value, known, what in ((effect, EFFECTS, "effect"), (method, COMPONENTS, "method")):
        if value not in known:
            raise UsageError(f'"{value}" is no {what} of random effects. {nearest(value, known)}')
    if method == "nerlove" and effect == "twoways":
        raise UsageError("Nerlove's components are for one set of effects: individual or time.")
    sides = {"individual": ["id"], "time": ["time"], "twoways": ["id", "time"]}[effect]
    panel = _Panel(y, Z, unit, time)
    absorber = _within_side(panel, sides)
    if method == "nerlove":
        return _nerlove(panel, sides, absorber)
    quadratic = _FORMS[method](panel, sides, absorber)
    solved = linalg.solve(np.array(quadratic.expected), np.array(quadratic.forms))
    return dict(zip(["idios", *sides], np.maximum(solved, 0.0).tolist(), strict=True))


def fit_random(
    y: FloatArray,
    Z: FloatArray,
    names: Sequence[str],
    unit: Factor,
    time: Factor,
    *,
    effect: str = "individual",
    method: str = "swar",
) -> LinearFit:
    """Fit generalised least squares with random effects of units, times or both.

    Parameters
    ----------
    y, Z : float array
        Outcome and columns, the constant first.
    names : sequence of str
        The columns' names.
    unit, time : Factor
        Each row's unit and time.
    effect, method : str
        As in `variance_components`.

    Returns
    -------
    LinearFit
        With the components in `numbers` (sigma2_idios, sigma2_id, sigma2_time, theta_mean).
    """
    sigma2 = variance_components(y, Z, unit, time, effect, method)
    if sigma2["idios"] <= 0:
        raise EstimationError("random effects: the within residuals have no variance.")
    numbers = {f"sigma2_{name}": value for name, value in sigma2.items()}
    if effect == "twoways":
        return _fit_two_way(y, Z, names, unit, time, sigma2, numbers)
    side, factor = ("id", unit) if effect == "individual" else ("time", time)
    size = np.bincount(factor.codes, minlength=factor.n_levels)[factor.codes]
    theta = 1.0 - 1.0 / np.sqrt(1.0 + size * sigma2[side] / sigma2["idios"])
    X = Z - theta[:, None] * group_means(Z, factor)[factor.codes]
    left = y - theta * group_means(y, factor)[factor.codes]
    coef, residual, bread = least_squares(left, X, names)
    numbers["theta_mean"] = float(theta.mean())
    return LinearFit.of_all(coef, bread, X, residual, numbers)


def _fit_two_way(
    y: FloatArray,
    Z: FloatArray,
    names: Sequence[str],
    unit: Factor,
    time: Factor,
    sigma2: dict[str, float],
    numbers: dict[str, float],
) -> LinearFit:
    """Fit with both effects: units by their theta, times by the Woodbury identity.

    The inverse covariance is applied on both sides as (I - R R') with R from the times' dummies
    after the units' transformation, so that the rows' scores stay products of the columns with
    one number a row (plm leaves its covariance here in units of the idiosyncratic variance).
    """
    size = np.bincount(unit.codes, minlength=unit.n_levels)[unit.codes]
    theta = 1.0 - 1.0 / np.sqrt(1.0 + size * sigma2["id"] / sigma2["idios"])
    ratio = sigma2["time"] / sigma2["idios"]
    dummies = np.zeros((y.size, time.n_levels))
    dummies[np.arange(y.size), time.codes] = 1.0
    D = dummies - theta[:, None] * group_means(dummies, unit)[unit.codes]
    X = Z - theta[:, None] * group_means(Z, unit)[unit.codes]
    left = y - theta * group_means(y, unit)[unit.codes]
    small = linalg.inv(np.eye(time.n_levels) + ratio * (D.T @ D))

    def whitened(columns: FloatArray) -> FloatArray:
        out: FloatArray = columns - ratio * (D @ (small @ (D.T @ columns)))
        return out

    WX = whitened(X)
    bread = linalg.inv(X.T @ WX)
    coef = bread @ (WX.T @ left)
    residual = left - X @ coef
    weighed = whitened(residual)
    n, k = X.shape
    rss = float(residual @ weighed)
    return LinearFit(
        coef, bread, X, weighed, sigma2["idios"], n - k, n, k, gaussian(rss, n), None, None,
        numbers,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hausman:
    """Hausman's (1978) test that random effects are consistent."""

    statistic: float
    df: int
    p_value: float
    terms: tuple[str, ...]


def hausman(
    fixed: tuple[Sequence[str], FloatArray, FloatArray],
    random: tuple[Sequence[str], FloatArray, FloatArray],
) -> Hausman:
    """Compare two estimates of the same coefficients, one efficient if the other's right.

    Parameters
    ----------
    fixed, random : (terms, coefficients, covariance)
        The consistent and the efficient estimate; the constant plays no part.
    """
    shared = [t for t in fixed[0] if t in set(random[0]) and t != "(Intercept)"]
    if not shared:
        raise UsageError("Hausman's test: the two models share no term.")
    at = [list(fixed[0]).index(t) for t in shared]
    to = [list(random[0]).index(t) for t in shared]
    gap = fixed[1][at] - random[1][to]
    spread = fixed[2][np.ix_(at, at)] - random[2][np.ix_(to, to)]
    statistic = float(abs(gap @ linalg.solve(spread, gap)))
    return Hausman(
        statistic, len(shared), float(special.chdtrc(len(shared), statistic)), tuple(shared)
    )


def beck_katz(
    X: FloatArray, residual: FloatArray, bread: FloatArray, unit: Factor, time: Factor
) -> FloatArray:
    """Return panel-corrected covariances (Beck and Katz 1995, APSR 89).

    Errors of one time are correlated between units, with one covariance a pair of units that is
    estimated from the times both are seen in (pairwise, as in Stata's xtpcse, pairwise option);
    errors of different times are not.

    Parameters
    ----------
    X, residual : float array
        Columns and residuals by row.
    bread : float array
        Inverse cross-product of the columns.
    unit, time : Factor
        Each row's unit and time; no unit twice at one time.
    """
    table = np.zeros((time.n_levels, unit.n_levels))
    seen = np.zeros_like(table)
    np.add.at(seen, (time.codes, unit.codes), 1.0)
    if seen.max() > 1:
        raise EstimationError("panel-corrected errors: a unit has two rows at one time.")
    table[time.codes, unit.codes] = residual
    together = seen.T @ seen
    sigma = np.divide(table.T @ table, together, out=np.zeros_like(together), where=together > 0)
    meat = np.zeros_like(bread)
    order = np.argsort(time.codes, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(time.codes))[:-1]):
        part, who = X[rows], unit.codes[rows]
        meat += part.T @ sigma[np.ix_(who, who)] @ part
    out: FloatArray = bread @ meat @ bread
    return out
