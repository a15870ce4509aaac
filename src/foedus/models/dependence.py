"""More ideas of dependence: sets of members, members and time, cross-sections in time, CR2, CR3.

Each function returns a meat (on the scaled columns), the number of groups, and its convention in
words; `foedus.models.covariance` puts bread on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from foedus.errors import EstimationError, UsageError
from foedus.models.arrays import FloatArray, IntArray, codes_of, group_sums, product_blocks
from foedus.models.covariance import (
    CovarianceSpec,
    DenseScores,
    Identifiers,
    Ingredients,
    Scores,
    dyadic_meat,
    scores_of,
    warn_few,
)

Meat = tuple[FloatArray, tuple[int, ...], str]
MOST_MEMBERS = 8
"""Members a row may have: rows are summed over all sets of them, 255 for eight."""


def members_meat(scores: Scores | DenseScores, ids: Identifiers, names: Sequence[str]) -> Meat:
    """Return the meat of rows that share any member, for rows of two members or more (k-ads).

    The sum over pairs of rows with a member in common is, by inclusion and exclusion, the sum over
    sets T of members of (-1)^(|T| + 1) S_T S_T', where S_T sums the scores of the rows that have
    all of T: the states less the dyads where rows have two members (Aronow, Samii and Assenova
    2015, Political Analysis 23, eq. 7, and their remark on k-ads). A member may be missing, and
    one named twice in a row counts once.
    """
    if len(names) > MOST_MEMBERS:
        raise UsageError(f"dyadic(...) takes at most {MOST_MEMBERS} columns of members.")
    members, n_members = ids.members(names)
    rows, codes = np.unique(members, axis=0, return_inverse=True)
    by_set = scores.sums(codes.reshape(-1).astype(np.int64), rows.shape[0])
    k = by_set.shape[1]
    meat = np.zeros((k, k))
    for size in range(1, len(names) + 1):
        total: list[tuple[IntArray, FloatArray]] = []
        for columns in combinations(range(len(names)), size):
            chosen = rows[:, list(columns)]
            whole = (chosen >= 0).all(axis=1)
            total.append((chosen[whole], by_set[whole]))
        keys = np.concatenate([keyed for keyed, _ in total])
        values = np.concatenate([summed for _, summed in total])
        found, place = np.unique(keys, axis=0, return_inverse=True)
        place = place.reshape(-1).astype(np.int64)
        S = group_sums(values, None, place, found.shape[0])
        meat += (1.0 if size % 2 else -1.0) * (S.T @ S)
    return meat, (n_members,), "no small-sample factor"


def dyadic_and_cluster_meat(scores: Scores | DenseScores, ids: Identifiers, name: str) -> Meat:
    """Return the meat of rows that share a state or a value of a variable (a year).

    The two meats are added, less that of rows that share both (Cameron, Gelbach and Miller 2011,
    JBES 29, with dyadic dependence as one of the dimensions).
    """
    meat, n_states = dyadic_meat(scores, ids)
    codes, n_groups = ids.codes(name)
    S = scores.sums(codes, n_groups)
    within, _ = dyadic_meat(scores, ids, within=name)
    return meat + S.T @ S - within, (n_states, n_groups), "no small-sample factor"


def driscoll_kraay_meat(
    spec: CovarianceSpec, scores: Scores | DenseScores, ids: Identifiers
) -> Meat:
    """Return the meat of Driscoll and Kraay (1998, Review of Economics and Statistics 80).

    Scores are summed within periods, and periods up to L apart may depend on each other, with
    Bartlett's weights 1 - l / (L + 1). L is what the name gives, else floor(T^(1/4)), as in
    plm::vcovSCC. Periods are numbers: in a gap between them nothing is summed.
    """
    time = np.asarray(ids.columns.get(spec.by[0]), dtype=object)
    try:
        periods = time.astype(np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"{spec.name}: {spec.by[0]} must hold numbers.") from None
    if not bool((periods == np.floor(periods)).all()):
        raise UsageError(f"{spec.name}: {spec.by[0]} must hold whole numbers (years).")
    first = int(periods.min())
    length = int(periods.max()) - first + 1
    codes = (periods - first).astype(np.int64)
    h = scores.sums(codes, length)
    present = int(np.unique(codes).size)
    lags = int(spec.setting) if spec.setting else int(np.floor(present**0.25))
    meat = h.T @ h
    for lag in range(1, min(lags, length - 1) + 1):
        gamma = h[lag:].T @ h[:-lag]
        meat += (1.0 - lag / (lags + 1.0)) * (gamma + gamma.T)
    warn_few(spec.name, present, "periods")
    return meat, (present,), f"Bartlett's weights, {lags} lags; no small-sample factor"


ROWS_A_GROUP = 200
"""Rows a group, on average, from which groups are worth walking through one by one."""


def group_information(made: Ingredients, codes: IntArray, n_groups: int) -> FloatArray:
    """Return each group's part of the information matrix, on the scaled columns.

    Raises
    ------
    UsageError
        For estimators without one index, whose information has no parts by row.
    """
    scores = made.scores
    if (
        not isinstance(scores, Scores)
        or made.information_weight is None
        or scores.extra is not None
    ):
        raise UsageError(
            "this needs the information by row, which only estimators of one index have "
            "(logit, ols, poisson, ...); use a clustered covariance."
        )
    weight = made.information_weight
    many = codes.size >= ROWS_A_GROUP * n_groups
    parts = (_group_by_group if many else _pair_by_pair)(scores.X, weight, codes, n_groups)
    A = scores.scaling.matrix()
    out: FloatArray = A.T @ parts @ A
    return out


def _pair_by_pair(X: FloatArray, weight: FloatArray, codes: IntArray, n_groups: int) -> FloatArray:
    """Sum weighted products of two columns within groups, one pair of columns after the other."""
    k = X.shape[1]
    parts = np.empty((n_groups, k, k))
    for i in range(k):
        weighted = X[:, i] * weight
        for j in range(i + 1):
            parts[:, i, j] = np.bincount(codes, weights=weighted * X[:, j], minlength=n_groups)
            parts[:, j, i] = parts[:, i, j]
    return parts


def _group_by_group(
    X: FloatArray, weight: FloatArray, codes: IntArray, n_groups: int
) -> FloatArray:
    """Do the same for groups of many rows: the rows in order of their groups, then products."""
    k = X.shape[1]
    order = None
    if bool((codes[1:] < codes[:-1]).any()):
        order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=n_groups))
    parts = np.zeros((n_groups, k, k))
    for group in range(n_groups):
        first = int(ends[group - 1]) if group else 0
        for rows in product_blocks(int(ends[group]) - first, k):
            own: slice | IntArray = slice(first + rows.start, first + rows.stop)
            if order is not None:
                own = order[own]
            Z = X[own]
            parts[group] += (Z.T * weight[own]) @ Z
    return parts


def bias_reduced_meat(spec: CovarianceSpec, made: Ingredients, ids: Identifiers) -> Meat:
    """Return the meat of CR2 (Bell and McCaffrey 2002, Survey Methodology 28) or CR3.

    Scores of a cluster are turned by (I - H)^(-1/2) or (I - H)^(-1), H its part of the (weighted)
    hat matrix: CR3 is the jackknife's one-step deviations. With M the cluster's information between
    the roots of the bread, both are functions of M, whose size is the number of terms.
    """
    codes, groups = ids.codes(spec.by[0])
    if groups < 2:
        raise EstimationError(f"{spec.name}: there is only {groups} cluster; nothing to estimate.")
    warn_few(spec.name, groups, "clusters")
    S = scores_of(spec, made).sums(codes, groups)
    values, vectors = np.linalg.eigh(made.bread)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    back = (vectors / np.sqrt(np.maximum(values, 1e-300))) @ vectors.T
    M = root @ group_information(made, codes, groups) @ root
    shares, turns = np.linalg.eigh(M)
    room = 1.0 - shares
    if float(room.min()) < 1e-10:
        raise EstimationError(
            f"{spec.name}: some term varies in one cluster only, so that cluster's scores can't be "
            "weighed; use cluster(...)."
        )
    power = -0.5 if spec.kind == "CR2" else -1.0
    turned = np.einsum("gji,gj->gi", turns, S @ root) * room**power
    inner = np.einsum("gji,gi->gj", turns, turned)
    adjusted = inner @ back
    words = "scores by (I - H)^(-1/2)" if spec.kind == "CR2" else "scores by (I - H)^(-1)"
    return adjusted.T @ adjusted, (groups,), words


def left_out_steps(
    made: Ingredients, codes: Sequence[IntArray], n_groups: int
) -> tuple[FloatArray, FloatArray]:
    """Return how coefficients move when a group's rows are left out, by one Newton step.

    Parameters
    ----------
    made : Ingredients
        Of a model of one index.
    codes : sequence of int array
        Each row's groups: one array for clusters, two for the states of a dyad.
    n_groups : int
        How many groups there are.

    Returns
    -------
    steps, information
        Groups by terms, and each group's information, on the scaled columns. A group without
        which the terms are no longer identified has missing values.
    """
    if not isinstance(made.scores, Scores):
        raise UsageError("leaving rows out by steps needs an estimator of one index.")
    S = np.zeros((n_groups, made.bread.shape[0]))
    information = np.zeros((n_groups, *made.bread.shape))
    for one in codes:
        S += made.scores.sums(one, n_groups)
        information += group_information(made, one, n_groups)
    whole = np.linalg.inv(made.bread)
    rest = whole - information
    steps = np.full(S.shape, np.nan)
    good = np.linalg.eigvalsh(rest)[:, 0] > 1e-9 * np.linalg.eigvalsh(whole)[0]
    steps[good] = np.linalg.solve(rest[good], -S[good][:, :, None])[:, :, 0]
    return steps, information


def jackknife(
    spec: CovarianceSpec, made: Ingredients, ids: Identifiers
) -> tuple[FloatArray, tuple[int, ...], str]:
    """Return the covariance of the jackknife that leaves out one cluster, or one state, at a time.

    For clusters it is (G - 1) / G times the sum of squared deviations from their mean. For states
    it is (N - 1) / N times the sum of squared deviations from the full estimate (the jackknife of a
    statistic of pairs, Arvesen 1969, Annals of Mathematical Statistics 40), less the same for
    unordered dyads, because a dyad is left out with each of its two states: what the dyadic
    covariance is to scores, this is to estimates. (Half the sum over states, as Snijders and
    Borgatti 1999 have it, is right only where dyads do not depend on each other.) The estimates
    left out are one Newton step from the full one, the group's own information taken away.
    """
    if spec.by:
        codes, groups = ids.codes(spec.by[0])
        steps = _identified(spec, made, [codes], groups)
        warn_few(spec.name, groups, "clusters")
        away = steps - steps.mean(axis=0)
        words = "(G-1)/G, leaving one cluster out"
        return (groups - 1) / groups * (away.T @ away), (groups,), words
    first, second, states = ids.states()
    warn_few(spec.name, states, "states")
    by_state = _identified(spec, made, [first, second], states)
    dyads, n_dyads = ids.codes("dyad")
    by_dyad = _identified(spec, made, [dyads], n_dyads)
    inner = (states - 1) / states * (by_state.T @ by_state)
    inner -= (n_dyads - 1) / n_dyads * (by_dyad.T @ by_dyad)
    return inner, (states,), "leaving one state out, less leaving one dyad out"


def _identified(
    spec: CovarianceSpec, made: Ingredients, codes: Sequence[IntArray], groups: int
) -> FloatArray:
    """Return the steps without each group; refuse if some leave a term unidentified."""
    if groups < 2:
        raise EstimationError(f"{spec.name}: there is only {groups} cluster; nothing to estimate.")
    steps, _ = left_out_steps(made, codes, groups)
    lost = ~np.isfinite(steps).all(axis=1)
    if lost.any():
        raise EstimationError(
            f"{spec.name}: without {int(lost.sum())} of the {groups} groups some term is no longer "
            "identified; leave that term out."
        )
    return steps


def codes_of_members(columns: Sequence[IntArray]) -> tuple[IntArray, int]:
    """Return members under one numbering, sorted within rows, repeats and missings as -1."""
    together = np.concatenate(columns)
    present = together >= 0
    codes = np.full(together.size, -1, dtype=np.int64)
    codes[present], n = codes_of(together[present])
    rows = np.sort(codes.reshape(len(columns), -1).T, axis=1)
    repeated = np.zeros(rows.shape, dtype=bool)
    repeated[:, 1:] = rows[:, 1:] == rows[:, :-1]
    rows[repeated] = -1
    return np.sort(rows, axis=1), n
