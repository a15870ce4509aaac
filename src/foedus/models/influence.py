"""How much an estimate hangs on one state, one dyad or one year: all left out, one at a time.

The estimate without a group's rows is one Newton step away from the full one, with the group's
own score and information taken away: exact for least squares, and for other models short by the
square of the step (Pregibon 1981, Annals of Statistics 9). Further steps evaluate the score of the
remaining rows at every group's own estimate in one pass over the data, all groups side by side, and
cut the gap to a fraction. What is left is measured and reported; `exact` removes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from foedus.errors import EstimationError, UsageError
from foedus.models.arrays import (
    UNTHREADED,
    BoolArray,
    FloatArray,
    IntArray,
    codes_of,
    pair_codes,
)
from foedus.models.covariance import Covariance, Scores
from foedus.models.dependence import left_out_steps
from foedus.models.design import Labels, read_column, take_rows
from foedus.models.families import Family
from foedus.models.newton import COMPILED_ROWS, Problem, gradient_at, sums_at

if TYPE_CHECKING:
    import pandas as pd

    from foedus.models.result import Result

ROWS = 512

SLOW = 0.05
"""Share of the step before from which a step asks for the information where it stands."""

DONE = 1e-7
"""An exact estimate's last step, in standard errors; its own error is about the square."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Estimates without one group of rows each.

    Attributes
    ----------
    by : str
        What was left out: "states", "dyads" or a column's name.
    labels : tuple
        The groups: a state, a pair of states, a value.
    estimates : float array, groups by terms
        NaN where the remaining rows no longer identify the terms.
    rows, events : int array
        How many rows were left out, and how many of them with a positive outcome.
    gap : float
        The largest remaining error, in standard errors: that of the last step taken, or its
        bound by the first step squared.
    """

    by: str
    labels: tuple[Any, ...]
    terms: tuple[str, ...]
    estimates: FloatArray
    full: FloatArray
    std_error: FloatArray
    rows: IntArray
    events: IntArray
    gap: float

    def covariance(self) -> Covariance:
        """Return the jackknife's covariance: (G - 1) / G times the squared deviations' sum.

        Raises
        ------
        UsageError
            For states, whose rows overlap: ``cov="jackknife"`` takes the dyads away again.
        EstimationError
            If the model can't be estimated without some group.
        """
        if self.by == "states":
            raise UsageError(
                "states share rows, so leaving each out is no jackknife; estimate with the "
                'covariance "jackknife", or leave out dyads or a column\'s values.'
            )
        lost = ~np.isfinite(self.estimates).all(axis=1)
        if lost.any():
            raise EstimationError(
                f"jackknife({self.by}): without {int(lost.sum())} of {lost.size} groups the model "
                "can't be estimated, so it has no jackknife."
            )
        groups = len(self.labels)
        away = self.estimates - self.estimates.mean(axis=0)
        words = "(G-1)/G, leaving one group out, estimated again"
        vcov = (groups - 1) / groups * (away.T @ away)
        return Covariance(f"jackknife({self.by})", vcov, (groups,), words, False)

    def table(self, term: str | None = None) -> pd.DataFrame:
        """Return a tidy table, most influential first.

        Parameters
        ----------
        term : str, optional
            One term's rows; all for None.

        Returns
        -------
        DataFrame
            left_out, term, estimate (without the group), full (with it), change, change_se (the
            change in standard errors of the full estimate), rows, events.
        """
        import pandas as pd

        chosen = range(len(self.terms)) if term is None else [self.terms.index(term)]
        change = self.estimates - self.full
        parts = [
            pd.DataFrame(
                {
                    "left_out": list(self.labels),
                    "term": self.terms[j],
                    "estimate": self.estimates[:, j],
                    "full": self.full[j],
                    "change": change[:, j],
                    "change_se": change[:, j] / self.std_error[j],
                    "rows": self.rows,
                    "events": self.events,
                }
            )
            for j in chosen
        ]
        table = pd.concat(parts, ignore_index=True)
        order = table["change_se"].abs().sort_values(ascending=False, kind="stable").index
        return table.loc[order].reset_index(drop=True)


def leave_one_out(
    result: Result,
    data: Any,
    by: str = "states",
    *,
    steps: int | None = None,
    exact: bool = False,
    dyad: tuple[str, str] = ("ccode1", "ccode2"),
    cov: str | None = None,
) -> LeftOut:
    """Estimate a model without each state, each dyad or each value of a column.

    Parameters
    ----------
    result : Result
        A model fitted by `estimate` on `data`. One of a single index (logit, probit, ols, poisson,
        ...) is left by steps; any other is estimated again without each group, as often as there
        are groups.
    data : frame
        The rows it was estimated from.
    by : str
        "states" (a state's rows are those with it on either side), "dyads" (unordered), or a
        column's name, such as "year".
    steps : int, optional
        Steps after the first, each a pass over the data with all groups side by side. For None 1,
        or 0 where there are more than 1,000 groups; `LeftOut.gap` says what remains.
    exact : bool
        Whether every group's estimate is then brought to its maximum by Newton's method, which
        takes a pass or two over the data a group.
    dyad : pair of str
        The columns of the two states.
    cov : str, optional
        Whose standard errors changes are measured in; the first computed for None.

    Returns
    -------
    LeftOut
        With `table()`.

    Raises
    ------
    UsageError
        For an unknown column, or a model of arrays of several indices.
    """
    groups, labels = _groups(result, data, by, dyad)
    n_groups = len(labels)
    if by_steps(result):
        estimates, gap = estimates_without(result, groups, n_groups, steps=steps, exact=exact)
    else:
        estimates, gap = _estimated_again(result, data, groups, n_groups), 0.0
    events = (result.fit.y > 0).astype(np.float64)
    counted = [np.zeros(n_groups), np.zeros(n_groups)]
    for one in groups:
        counted[0] += np.bincount(one, minlength=n_groups)
        counted[1] += np.bincount(one, weights=events, minlength=n_groups)
    return LeftOut(
        by,
        labels,
        result.terms,
        estimates,
        result.params,
        result.std_errors(cov),
        counted[0].astype(np.int64),
        counted[1].astype(np.int64),
        gap,
    )


def estimates_without(
    result: Result,
    groups: Sequence[IntArray],
    n_groups: int,
    *,
    steps: int | None = None,
    exact: bool = False,
) -> tuple[FloatArray, float]:
    """Return estimates without each group of rows, groups by terms, and the largest gap left.

    Parameters
    ----------
    result : Result
        A model of one index.
    groups : sequence of int array
        The groups each row used is in: one array, or two for the states of dyads.
    n_groups : int
        How many there are.
    steps, exact
        As in `leave_one_out`.
    """
    made = result.fit.made
    moved, information = left_out_steps(made, groups, n_groups)
    scores = made.scores
    assert isinstance(scores, Scores)
    spread = np.sqrt(np.diag(made.bread) * made.dispersion)
    rest = np.linalg.inv(made.bread) - information
    good: BoolArray = np.asarray(np.isfinite(moved).all(axis=1))
    estimates = np.linalg.solve(made.back, result.params) + moved
    before = np.abs(moved[good] / spread).max(axis=1)
    gap = float(before.max(initial=0.0)) ** 2 / np.sqrt(max(result.n_events or result.n_obs, 1))
    if result.estimator == "ols":
        steps, exact, gap = 0, False, 0.0
    for _ in range((1 if n_groups <= 1000 else 0) if steps is None else steps):
        gradient = _gradients(result, scores, estimates, groups, good)
        step = np.linalg.solve(rest[good], gradient[good][:, :, None])[:, :, 0]
        estimates[good] += step
        size = np.abs(step / spread).max(axis=1)
        # each group's steps shrink by about the same factor: what is left is a geometric sum
        factor = np.minimum(size / np.maximum(before, 1e-300), 0.9)
        gap, before = float((size * factor / (1.0 - factor)).max(initial=0.0)), size
    if exact:
        gap = _to_the_top(result, scores, estimates, groups, good, spread)
    return estimates @ made.back.T, gap


def by_steps(result: Result) -> bool:
    """Return whether a model's estimates without some rows can be had by steps along its index."""
    made = result.fit.made
    return (
        result.fit.family is not None
        and isinstance(made.scores, Scores)
        and made.scores.extra is None
        and made.scores.X is result.fit.X  # not columns transformed by what the rows decide
        and made.information_weight is not None
        and result.estimator != "negbin"  # its theta moves too
    )


def _estimated_again(
    result: Result, data: Any, groups: Sequence[IntArray], n_groups: int
) -> FloatArray:
    """Estimate without each group of rows; missing where the other rows allow no estimate."""
    from foedus.models.estimation import estimate
    from foedus.models.formula import parse_formula
    from foedus.models.registry import find_estimator
    from foedus.models.running import option_columns

    if not result.formula or not result.designs:
        raise UsageError(
            f"a {result.estimator} of arrays can't be estimated again without some rows; fit it "
            "from a formula and a frame."
        )
    asked = dict(result.asked)
    names = set(parse_formula(result.formula).names())  # those after a bar may name effects
    names.update(option_columns(find_estimator(result.estimator), asked))
    weights = asked.get("weights")
    if isinstance(weights, str):
        names.add(weights)
    elif weights is not None:
        asked["weights"] = take_rows(np.asarray(weights, dtype=np.float64), result.kept)
    columns = {name: column_of(result, data, name) for name in sorted(names)}
    estimates = np.full((n_groups, result.params.size), np.nan)
    for group in range(n_groups):
        rest = ~np.any([one == group for one in groups], axis=0)
        again = dict(asked)
        if weights is not None and not isinstance(weights, str):
            again["weights"] = asked["weights"][rest]
        taken = {name: values[rest] for name, values in columns.items()}
        try:
            made = estimate(result.formula, taken, result.estimator, dyad=None, **again)
        except EstimationError:
            continue
        if made.terms == result.terms:
            estimates[group] = made.params
    return estimates


def column_of(result: Result, data: Any, name: str) -> Any:
    """Return a column of the data for the rows that a model used."""
    column = take_rows(read_column(data, name), result.kept)
    return np.array(column.levels)[column.codes] if isinstance(column, Labels) else column


def _groups(
    result: Result, data: Any, by: str, dyad: tuple[str, str]
) -> tuple[list[IntArray], tuple[Any, ...]]:
    """Return each row's group (two for states), and the groups' labels."""
    if by not in ("states", "dyads"):
        values = column_of(result, data, by)
        codes, _ = codes_of(values)
        return [codes], tuple(_plain(value) for value in np.unique(values))
    first, second = (column_of(result, data, name) for name in dyad)
    both = np.concatenate([first, second])
    codes, n_states = codes_of(both)
    states = [_plain(value) for value in np.unique(both)]
    one, two = codes[: first.size], codes[first.size :]
    if by == "states":
        return [one, two], tuple(states)
    low, high = np.minimum(one, two), np.maximum(one, two)
    pairs, _ = pair_codes(low, high, n_states)
    distinct = np.unique(low * np.int64(n_states) + high)
    labels = tuple((states[p // n_states], states[p % n_states]) for p in distinct)
    return [pairs], labels


def _plain(value: Any) -> Any:
    """Return whole numbers as int, text as str."""
    if isinstance(value, (float, np.floating)):
        return int(value) if float(value).is_integer() else float(value)
    return int(value) if isinstance(value, np.integer) else str(value)


def _gradients(
    result: Result,
    scores: Scores,
    estimates: FloatArray,
    groups: Sequence[IntArray],
    good: BoolArray,
) -> FloatArray:
    """Return the score of the remaining rows at each group's own estimate, in one pass."""
    fit = result.fit
    family = fit.family
    if family is None:
        raise UsageError(f"a {result.estimator} has no single index to step along.")
    betas = np.where(good[:, None], estimates, 0.0)
    n_groups, k = betas.shape
    total = np.zeros((n_groups, k))
    # groups in bunches small enough that products stay on one thread and in the cache
    bunch = max(1, UNTHREADED // (ROWS * k))
    for start in range(0, fit.y.size, ROWS):
        rows = slice(start, min(start + ROWS, fit.y.size))
        Z = scores.scaling.block(fit.X[rows])
        own = [one[rows] for one in groups]
        for low in range(0, n_groups, bunch):
            high = min(low + bunch, n_groups)
            u = _row_scores(result, family, rows, Z @ betas[low:high].T)
            for one in own:
                mine = np.flatnonzero((one >= low) & (one < high))
                u[mine, one[mine] - low] = 0.0
            total[low:high] += u.T @ Z
    return total


def _row_scores(result: Result, family: Family, rows: slice, eta: FloatArray) -> FloatArray:
    """Return scores of rows at several estimates from their indices, which are overwritten."""
    fit = result.fit
    if fit.offset is not None:
        eta += fit.offset[rows, None]
    y = fit.y[rows, None]
    if family.name == "logit":
        u = y - _logistic(eta)
    elif family.canonical:
        u = y - family.mean(eta)
    else:
        u = family.parts(np.broadcast_to(y, eta.shape), eta)[1]
    return u if fit.weights is None else u * fit.weights[rows, None]


def _logistic(eta: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-eta)) in the memory of eta."""
    np.negative(eta, out=eta)
    with np.errstate(over="ignore"):
        np.exp(eta, out=eta)
    eta += 1.0
    return np.reciprocal(eta, out=eta)


def _to_the_top(
    result: Result,
    scores: Scores,
    estimates: FloatArray,
    groups: Sequence[IntArray],
    good: BoolArray,
    spread: FloatArray,
) -> float:
    """Bring each group's estimate to its maximum in place; return the largest error left.

    The sums over the remaining rows are those over all rows less those over the group's.
    """
    fit = result.fit
    assert fit.family is not None
    compiled = fit.y.size >= COMPILED_ROWS
    whole = Problem(fit.y, fit.X, fit.names, scores.scaling, fit.weights, fit.offset, compiled)
    worst = 0.0
    for group in np.flatnonzero(good):
        rows = np.flatnonzero(np.any([one == group for one in groups], axis=0))
        own = whole.taken(rows)
        rest, before = None, np.inf
        for _ in range(30):
            at = estimates[group]
            if rest is None:
                _, gradient, information = sums_at(fit.family, whole, at)
                _, less, less_information = sums_at(fit.family, own, at)
                rest = information - less_information
            else:
                gradient, less = (gradient_at(fit.family, one, at) for one in (whole, own))
            step = np.linalg.solve(rest, gradient - less)
            estimates[group] += step
            size = float(np.abs(step / spread).max())
            if size < DONE:
                break
            if size > SLOW * before:
                rest = None  # the information has moved on
            before = size
        else:
            raise EstimationError(
                f"without its group {group} the {result.estimator} did not converge."
            )
        worst = max(worst, size)
    return worst
