"""Matching and weighting for a 0/1 treatment, with tables of balance.

Nearest neighbours on the propensity score or Mahalanobis distance (with exact variables, a
caliper, with or without replacement), coarsened exact matching (Iacus, King and Porro 2012,
Political Analysis 20), inverse-propensity weights (Hirano, Imbens and Ridder 2003) and the doubly
robust estimator (Robins, Rotnitzky and Zhao 1994). Balance is the standardised difference of
means and the ratio of variances (Stuart 2010, Statistical Science 25).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import linalg, special

from foedus.errors import EstimationError, UsageError, nearest
from foedus.models.arrays import BoolArray, FloatArray, IntArray, codes_of

if TYPE_CHECKING:
    import pandas as pd

ESTIMANDS = ("att", "ate")
DISTANCES = ("propensity", "mahalanobis")


@dataclass(frozen=True, slots=True)
class Matched:
    """A matched or weighted sample.

    Attributes
    ----------
    weights : float array
        One a row of the input: 0 where a row is left out.
    pairs : tuple of int array
        Rows of the treated and of their controls, one a pair; empty for weighting and strata.
    rows_lost : dict
        Rows left out by cause.
    propensity : float array
        Propensity scores where they were used.
    """

    weights: FloatArray
    treated: BoolArray
    pairs: tuple[IntArray, IntArray]
    rows_lost: dict[str, int]
    method: str
    propensity: FloatArray = field(default_factory=lambda: np.empty(0))

    def effect(self, outcome: FloatArray) -> float:
        """Return the difference of weighted means."""
        w, d = self.weights, self.treated
        return float(np.average(outcome[d], weights=w[d]) - np.average(outcome[~d], weights=w[~d]))


def _treatment(treated: Any) -> BoolArray:
    values = np.asarray(treated, dtype=np.float64)
    odd = values[(values != 0) & (values != 1)]
    if odd.size:
        raise EstimationError(f"a treatment must be 0 or 1, but some rows hold {odd[0]:g}.")
    flags: BoolArray = values == 1
    if flags.all() or not flags.any():
        raise EstimationError("matching needs both treated and untreated rows.")
    return flags


def _finite(X: Any) -> FloatArray:
    matrix = np.asarray(X, dtype=np.float64)
    if matrix.ndim == 1:
        matrix = matrix[:, None]
    if not np.isfinite(matrix).all():
        raise EstimationError("matching variables must not be missing; leave such rows out.")
    return matrix


def propensity_score(X: Any, treated: Any, link: str = "logit") -> FloatArray:
    """Return P(treated | X) from a logit or probit with a constant."""
    from foedus.models.estimation import fit_arrays

    matrix, flags = _finite(X), _treatment(treated)
    design = np.column_stack([np.ones(flags.size), matrix])
    names = ["(Intercept)", *(f"x{j}" for j in range(matrix.shape[1]))]
    result = fit_arrays(link, design, flags.astype(np.float64), names)
    return result.predict()


def match_nearest(
    X: Any,
    treated: Any,
    *,
    distance: str = "propensity",
    ratio: int = 1,
    replace: bool = False,
    caliper: float | None = None,
    exact: Any = None,
) -> Matched:
    """Match each treated row with its nearest untreated ones.

    Parameters
    ----------
    X : array_like
        Variables, rows by columns, without a constant.
    treated : array_like
        0/1.
    distance : str
        "propensity" (the logit's index) or "mahalanobis" (pooled covariance).
    ratio : int
        Controls a treated row.
    replace : bool
        Whether a control may serve several; without, treated rows choose in order of decreasing
        propensity (of row, for Mahalanobis), as MatchIt's default.
    caliper : float, optional
        The largest distance allowed, in standard deviations of the distance's index (propensity)
        or as it is (Mahalanobis).
    exact : array_like, optional
        Identifiers, one a row, that must agree within a pair.

    Returns
    -------
    Matched
        Weights: 1 for matched treated rows; their controls share 1 for each.
    """
    if distance not in DISTANCES:
        raise UsageError(f'"{distance}" is no distance. {nearest(distance, DISTANCES)}')
    if ratio < 1:
        raise UsageError("ratio must be 1 or more.")
    matrix, flags = _finite(X), _treatment(treated)
    group = np.zeros(flags.size, dtype=np.int64) if exact is None else codes_of(exact)[0]
    score = np.empty(0)
    if distance == "propensity":
        score = propensity_score(matrix, flags)
        place = special.logit(score)[:, None]
        limit = np.inf if caliper is None else caliper * float(place.std(ddof=1))
        order = np.argsort(-score, kind="stable")
    else:
        place = _whitened(matrix)
        limit = np.inf if caliper is None else caliper
        order = np.arange(flags.size)
    left, right, unmatched = _pairs(place, flags, group, order, ratio, replace, limit)
    weights = np.zeros(flags.size)
    weights[left] = 1.0
    each = np.bincount(left, minlength=flags.size)
    np.add.at(weights, right, 1.0 / each[left])
    unused = int((~flags).sum() - np.unique(right).size)
    lost = {"treated without a match": unmatched, "untreated not chosen": unused}
    return Matched(
        weights, flags, (left, right), {k: v for k, v in lost.items() if v},
        f"nearest neighbour, {distance}", score,
    )  # fmt: skip


def _whitened(matrix: FloatArray) -> FloatArray:
    """Return the columns in coordinates whose Euclidean distance is Mahalanobis's."""
    covariance = np.atleast_2d(np.cov(matrix, rowvar=False))
    size = np.sqrt(np.diag(covariance))
    if bool((size <= 0).any()) or linalg.eigvalsh(covariance / np.outer(size, size))[0] < 1e-10:
        raise EstimationError(
            "the matching variables are collinear, so Mahalanobis's distance doesn't exist."
        )
    root = linalg.cholesky(covariance, lower=True)
    out: FloatArray = linalg.solve_triangular(root, matrix.T, lower=True).T
    return out


def _pairs(
    place: FloatArray, flags: BoolArray, group: IntArray, order: IntArray, ratio: int,
    replace: bool, limit: float,
) -> tuple[IntArray, IntArray, int]:  # fmt: skip
    """Choose neighbours greedily; ties go to the earlier row."""
    left: list[int] = []
    right: list[int] = []
    unmatched = 0
    free = ~flags
    controls_of = {int(g): np.flatnonzero(free & (group == g)) for g in np.unique(group)}
    for row in order[flags[order]].tolist():
        pool = controls_of[int(group[row])]
        if not replace:
            pool = pool[free[pool]]
        gaps = np.sqrt(((place[pool] - place[row]) ** 2).sum(axis=1))
        near = np.argsort(gaps, kind="stable")[:ratio]
        near = near[gaps[near] <= limit]
        if not near.size:
            unmatched += 1
            continue
        chosen = pool[near]
        left += [row] * chosen.size
        right += chosen.tolist()
        if not replace:
            free[chosen] = False
    if not left:
        raise EstimationError("no treated row finds a match; widen the caliper or the strata.")
    return np.array(left), np.array(right), unmatched


def match_coarsened(
    X: Any, treated: Any, *, bins: int | Sequence[Any] = 5, exact: Any = None
) -> Matched:
    """Match exactly on coarsened variables.

    Parameters
    ----------
    X, treated, exact
        As in `match_nearest`.
    bins : int or sequence
        Equal-width bins of every variable, or for each variable a number of bins, a sequence of
        edges, or None to match its values exactly.

    Returns
    -------
    Matched
        Weights for the effect on the treated: 1 for treated rows, the ratio of treated to
        untreated in the stratum, scaled to the sample, for controls.
    """
    matrix, flags = _finite(X), _treatment(treated)
    given = [bins] * matrix.shape[1] if isinstance(bins, int) else list(bins)
    if len(given) != matrix.shape[1]:
        raise UsageError(f"bins: {matrix.shape[1]} variables, but {len(given)} rules.")
    cell = np.zeros(flags.size, dtype=np.int64) if exact is None else codes_of(exact)[0]
    for column, rule in zip(matrix.T, given, strict=True):
        part, n = codes_of(_coarse(column, rule))
        cell = codes_of(cell * n + part)[0]
    n_cells = int(cell.max()) + 1
    inside = np.bincount(cell[flags], minlength=n_cells)
    outside = np.bincount(cell[~flags], minlength=n_cells)
    both = (inside > 0) & (outside > 0)
    kept = both[cell]
    if not kept.any():
        raise EstimationError("no stratum holds both treated and untreated rows; coarsen more.")
    scale = outside[both].sum() / inside[both].sum()
    weights = np.zeros(flags.size)
    weights[kept & flags] = 1.0
    own = kept & ~flags
    weights[own] = scale * inside[cell[own]] / outside[cell[own]]
    lost = {
        "treated without a match": int((flags & ~kept).sum()),
        "untreated without a match": int((~flags & ~kept).sum()),
    }
    empty = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    return Matched(
        weights, flags, empty, {k: v for k, v in lost.items() if v}, "coarsened exact matching"
    )


def _coarse(column: FloatArray, rule: Any) -> FloatArray:
    if rule is None:
        return column
    if isinstance(rule, int):
        edges = np.linspace(column.min(), column.max(), rule + 1)[1:-1]
    else:
        edges = np.asarray(rule, dtype=np.float64)
    return np.searchsorted(edges, column, side="right").astype(np.float64)


# --- weighting ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WeightedEffect:
    """An effect with each row's influence, which its standard errors are made from."""

    estimand: str
    effect: float
    influence: FloatArray
    sample: Matched

    def std_error(self, cluster: Any = None) -> float:
        """Return the standard error, by rows or by clusters (no small-sample factor)."""
        if cluster is None:
            return float(np.sqrt(np.sum(self.influence**2)))
        codes, n = codes_of(cluster)
        sums = np.bincount(codes, weights=self.influence, minlength=n)
        return float(np.sqrt(np.sum(sums**2)))


def inverse_propensity(
    outcome: Any, X: Any, treated: Any, *, estimand: str = "ate", trim: float = 0.0
) -> WeightedEffect:
    """Weigh rows by the inverse of their propensity, weights normalised within groups.

    Parameters
    ----------
    outcome, X, treated : array_like
        Outcome, variables (without a constant), 0/1 treatment.
    estimand : str
        "ate" or "att".
    trim : float
        Rows with a propensity below it or above 1 less it are left out and counted.

    Returns
    -------
    WeightedEffect
        Its influence allows for the estimated propensity (a logit's, by its score).
    """
    if estimand not in ESTIMANDS:
        raise UsageError(f'"{estimand}" is no estimand. {nearest(estimand, ESTIMANDS)}')
    y, design, flags, p, keep = _prepared(outcome, X, treated, trim)
    d = flags.astype(np.float64)
    w1, w0 = (1 / p, 1 / (1 - p)) if estimand == "ate" else (np.ones(p.size), p / (1 - p))
    a1, a0 = d * w1, (1 - d) * w0
    m1, m0 = float(a1 @ y / a1.sum()), float(a0 @ y / a0.sum())
    own = a1 * (y - m1) / a1.sum() - a0 * (y - m0) / a0.sum()
    # how the effect moves with the propensity's coefficients
    if estimand == "ate":
        s1, s0 = -d * (1 - p) / p, (1 - d) * p / (1 - p)
    else:
        s1, s0 = np.zeros(p.size), (1 - d) * p / (1 - p)
    slope = (s1 * (y - m1) / a1.sum() - s0 * (y - m0) / a0.sum()) @ design
    influence = own + _propensity_influence(design, d, p) @ slope
    return _weighted(estimand, m1 - m0, influence, a1 + a0, flags, p, keep, "inverse propensity")


def doubly_robust(
    outcome: Any, X: Any, treated: Any, *, estimand: str = "ate", trim: float = 0.0
) -> WeightedEffect:
    """Combine outcome regressions and propensity weights: right if either of them is.

    Parameters
    ----------
    outcome, X, treated, estimand, trim
        As in `inverse_propensity`; the outcome is regressed linearly on X in each group.

    Returns
    -------
    WeightedEffect
        The augmented estimator, with its efficient influence function.
    """
    if estimand not in ESTIMANDS:
        raise UsageError(f'"{estimand}" is no estimand. {nearest(estimand, ESTIMANDS)}')
    y, design, flags, p, keep = _prepared(outcome, X, treated, trim)
    d, n = flags.astype(np.float64), flags.size
    fits = [design @ linalg.lstsq(design[g], y[g])[0] for g in (flags, ~flags)]
    mu1, mu0 = fits
    if estimand == "ate":
        part = mu1 - mu0 + d * (y - mu1) / p - (1 - d) * (y - mu0) / (1 - p)
        effect = float(part.mean())
        influence = (part - effect) / n
        weights = d / p + (1 - d) / (1 - p)
    else:
        share = d.sum()
        part = d * (y - mu0) - (1 - d) * p / (1 - p) * (y - mu0)
        effect = float(part.sum() / share)
        influence = (part - d * effect) / share
        weights = d + (1 - d) * p / (1 - p)
    return _weighted(estimand, effect, influence, weights, flags, p, keep, "doubly robust")


def _prepared(
    outcome: Any, X: Any, treated: Any, trim: float
) -> tuple[FloatArray, FloatArray, BoolArray, FloatArray, BoolArray]:
    matrix, flags = _finite(X), _treatment(treated)
    y = _finite(outcome)[:, 0]
    p = propensity_score(matrix, flags)
    keep: BoolArray = (p >= trim) & (p <= 1 - trim)
    if trim > 0:
        if not flags[keep].any() or flags[keep].all():
            raise EstimationError(f"no treated or no untreated row is left within {trim:g}.")
        # the propensity is fitted anew on the rows kept
        y, matrix, flags = y[keep], matrix[keep], flags[keep]
        p = propensity_score(matrix, flags)
    return y, np.column_stack([np.ones(flags.size), matrix]), flags, p, keep


def _propensity_influence(design: FloatArray, d: FloatArray, p: FloatArray) -> FloatArray:
    information = (design * (p * (1 - p))[:, None]).T @ design
    out: FloatArray = (design * (d - p)[:, None]) @ linalg.inv(information)
    return out


def _weighted(
    estimand: str, effect: float, influence: FloatArray, weights: FloatArray, flags: BoolArray,
    p: FloatArray, keep: BoolArray, method: str,
) -> WeightedEffect:  # fmt: skip
    lost = {"propensity outside the trimmed range": int((~keep).sum())} if not keep.all() else {}
    empty = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    return WeightedEffect(
        estimand, effect, influence, Matched(weights, flags, empty, lost, method, p)
    )


# --- balance --------------------------------------------------------------------------------


def balance_table(
    X: Any, treated: Any, weights: Any = None, names: Sequence[str] | None = None
) -> pd.DataFrame:
    """Compare the two groups' variables before and after matching or weighting.

    Parameters
    ----------
    X, treated : array_like
        Variables and treatment of all rows.
    weights : array_like, optional
        As in `Matched.weights`.
    names : sequence of str, optional
        The variables' names.

    Returns
    -------
    DataFrame
        variable, sample ("all", "weighted"), mean_treated, mean_untreated, std_difference (over
        the treated rows' standard deviation before weighting), variance_ratio.
    """
    import pandas as pd

    matrix, flags = _finite(X), _treatment(treated)
    named = list(names) if names is not None else [f"x{j}" for j in range(matrix.shape[1])]
    samples = [("all", np.ones(flags.size))]
    if weights is not None:
        samples.append(("weighted", np.asarray(weights, dtype=np.float64)))
    spread = matrix[flags].std(axis=0, ddof=1)
    rows = []
    for sample, w in samples:
        means, variances = [], []
        for group in (flags, ~flags):
            part, own = matrix[group], w[group]
            mean = np.average(part, axis=0, weights=own)
            means.append(mean)
            # the weighted variance with its factor for frequencies of unequal weight
            factor = own.sum() / (own.sum() ** 2 - (own**2).sum())
            variances.append(factor * (own[:, None] * (part - mean) ** 2).sum(axis=0))
        with np.errstate(divide="ignore", invalid="ignore"):
            difference = (means[0] - means[1]) / spread
            ratio = variances[0] / variances[1]
        rows += [
            {
                "variable": name, "sample": sample, "mean_treated": means[0][j],
                "mean_untreated": means[1][j], "std_difference": difference[j],
                "variance_ratio": ratio[j],
            }
            for j, name in enumerate(named)
        ]  # fmt: skip
    return pd.DataFrame(rows)
