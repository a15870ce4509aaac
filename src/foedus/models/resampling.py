"""Standard errors and tests by drawing again: clusters, signs of scores, labels of states.

- `pairs_bootstrap` draws whole clusters (or states, with all rows among and between them) with
  replacement and estimates anew (Cameron, Gelbach and Miller 2008, Review of Economics and
  Statistics 90; for states the vertex bootstrap's counts, Snijders and Borgatti 1999,
  Connections 22);
- `wild_bootstrap` turns the signs of clusters' scores under the hypothesis (the score bootstrap
  of Kline and Santos 2012, Journal of Econometric Methods 1, which is the wild cluster bootstrap
  of least squares);
- `randomization_test` gives every state the alliances of another (the quadratic assignment
  procedure, Krackhardt 1988, Social Networks 10), and keeps all else.

All draws are seeded: the same numbers every time.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from foedus.errors import EstimationError, UsageError
from foedus.models.arrays import FloatArray, IntArray, codes_of
from foedus.models.covariance import FEW_CLUSTERS, Covariance, Scores
from foedus.models.influence import column_of
from foedus.models.inputs import Inputs

if TYPE_CHECKING:
    from foedus.models.result import Result

STATES = "states"


@dataclass(frozen=True, slots=True)
class Draws:
    """Estimates of bootstrap samples.

    Attributes
    ----------
    terms : tuple of str
    estimates : float array, draws by terms
        Those of samples that could be estimated.
    failed : int
        Samples that couldn't (separated, collinear).
    clusters : int
    by : str
    """

    terms: tuple[str, ...]
    estimates: FloatArray
    failed: int
    clusters: int
    by: str

    def covariance(self) -> Covariance:
        """Return the covariance of the draws, to be used like any other."""
        away = self.estimates - self.estimates.mean(axis=0)
        vcov = away.T @ away / (len(self.estimates) - 1)
        words = f"pairs bootstrap over {self.by}, {len(self.estimates)} draws"
        if self.failed:
            words += f", {self.failed} more could not be estimated"
        return Covariance(f"bootstrap({self.by})", vcov, (self.clusters,), words, False)

    def interval(self, term: str, level: float = 0.95) -> tuple[float, float]:
        """Return the percentile interval of a term."""
        values = self.estimates[:, self.terms.index(term)]
        low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
        return float(low), float(high)


@dataclass(frozen=True, slots=True)
class DrawnTest:
    """A test of one coefficient by drawing again.

    Attributes
    ----------
    term : str
    statistic : float
        Of the data as they are.
    p_value : float
        Two-sided: the share of draws at least as far from 0, the data themselves among them.
    draws : int
    method : str
    """

    term: str
    statistic: float
    p_value: float
    draws: int
    method: str


def pairs_bootstrap(
    result: Result,
    data: Any,
    by: str = STATES,
    *,
    draws: int = 999,
    seed: int = 0,
    dyad: tuple[str, str] = ("ccode1", "ccode2"),
) -> Draws:
    """Estimate a model of one index on samples of clusters drawn with replacement.

    Parameters
    ----------
    result : Result
        Fitted by `estimate` on `data`.
    data : frame
        The rows it was estimated from.
    by : str
        A column of clusters, or "states": then states are drawn, and a row counts as often as its
        one state was drawn times the other.
    draws, seed : int
        How many samples, and the seed.
    dyad : pair of str
        The columns of the two states.

    Returns
    -------
    Draws
        With `covariance()` and `interval(term)`.

    Raises
    ------
    EstimationError
        If fewer than half of the samples can be estimated.
    """
    from foedus.models.registry import find_estimator

    groups, n_groups = _groups(result, data, by, dyad)
    entry = find_estimator(result.estimator)
    fit = result.fit
    inputs = Inputs(
        estimator=result.estimator, y=fit.y, parts=fit.parts, weights=fit.weights,
        offset=fit.offset,
    )  # fmt: skip
    if fit.family is None or len(fit.parts) != 1:
        raise UsageError("the pairs bootstrap is for estimators of one index (logit, ols, ...).")
    rng = np.random.default_rng(seed)
    estimates, failed = [], 0
    for _ in range(draws):
        times = np.bincount(rng.integers(0, n_groups, n_groups), minlength=n_groups)
        count = np.ones(fit.y.size)
        for one in groups:
            count *= times[one]
        drawn = _drawn(inputs, count)
        try:
            estimates.append(entry.fit(drawn).coef)
        except EstimationError:
            failed += 1
    if len(estimates) < max(2, draws // 2):
        raise EstimationError(
            f"only {len(estimates)} of {draws} bootstrap samples over {by} can be estimated; some "
            "term or outcome is carried by too few of them."
        )
    _warn_few(by, n_groups)
    return Draws(result.terms, np.array(estimates), failed, n_groups, by)


def _drawn(inputs: Inputs, count: FloatArray) -> Inputs:
    """Return the rows drawn, weighted by how often."""
    kept = inputs.take(count > 0)
    weights = count[count > 0]
    return replace(kept, weights=weights if kept.weights is None else kept.weights * weights)


def _groups(
    result: Result, data: Any, by: str, dyad: tuple[str, str]
) -> tuple[list[IntArray], int]:
    if by != STATES:
        codes, n_groups = codes_of(column_of(result, data, by))
        groups = [codes]
    else:
        first, second = (column_of(result, data, name) for name in dyad)
        codes, n_groups = codes_of(np.concatenate([first, second]))
        groups = [codes[: first.size], codes[first.size :]]
    if n_groups < 2:
        raise EstimationError(f"there is only {n_groups} group to draw from {by}.")
    return groups, n_groups


def _warn_few(by: str, n_groups: int) -> None:
    if n_groups < FEW_CLUSTERS:
        warnings.warn(
            f"bootstrap over {by}: only {n_groups} groups; prefer the wild bootstrap.",
            stacklevel=3,
        )


def wild_bootstrap(
    result: Result,
    data: Any,
    term: str,
    by: str,
    *,
    draws: int = 9999,
    seed: int = 0,
    null: float = 0.0,
) -> DrawnTest:
    """Test one coefficient by the score bootstrap over clusters, the hypothesis imposed.

    The model is estimated with the coefficient held at its hypothesised value; the clusters'
    scores of the term, freed of what the other terms explain, are then given random signs
    (Rademacher's weights; all 2^G patterns where these are fewer than the draws). For least
    squares this is the wild cluster bootstrap with its sign-flipped restricted residuals.

    Parameters
    ----------
    result : Result
        A model of one index, fitted by `estimate` on `data`.
    data : frame
        The rows it was estimated from.
    term : str
        The coefficient.
    by : str
        The column of clusters.
    draws, seed : int
        How many patterns of signs, and the seed.
    null : float
        The hypothesis.

    Returns
    -------
    DrawnTest
        The statistic is the studentised score, about normal in large samples.
    """
    from foedus.models.registry import find_estimator

    fit, place = result.fit, result.index_of(term)
    groups, n_groups = _groups(result, data, by, ("", ""))
    if fit.family is None or len(fit.parts) != 1:
        raise UsageError("the wild bootstrap is for estimators of one index (logit, ols, ...).")
    keep = [j for j in range(len(fit.names)) if j != place]
    part = replace(fit.parts[0], X=fit.X[:, keep], names=tuple(fit.names[j] for j in keep))
    held = fit.X[:, place] * null
    offset = held if fit.offset is None else fit.offset + held
    inputs = Inputs(
        estimator=result.estimator, y=fit.y, parts=(part,), weights=fit.weights,
        offset=offset if null != 0.0 or fit.offset is not None else None,
    )  # fmt: skip
    restricted = find_estimator(result.estimator).fit(inputs)
    by_cluster = _freed_scores(restricted, fit.X[:, place], groups[0], n_groups)
    statistic = _studentised(by_cluster[None, :])[0]
    signs = _signs(n_groups, draws, np.random.default_rng(seed))
    drawn = _studentised(signs * by_cluster)
    beyond = int((np.abs(drawn) >= abs(statistic) * (1 - 1e-10)).sum())
    every = len(signs) == 2**n_groups
    p_value = beyond / len(signs) if every else (beyond + 1) / (len(signs) + 1)
    method = f"score bootstrap over {n_groups} clusters of {by}" + (", all signs" if every else "")
    return DrawnTest(term, float(statistic), p_value, len(signs), method)


def _freed_scores(restricted: Any, x: FloatArray, codes: IntArray, n_groups: int) -> FloatArray:
    """Return the clusters' scores of x, freed of the other terms by the information's weights."""
    made = restricted.made
    scores = made.scores
    assert isinstance(scores, Scores)
    factor = scores.factor
    weight = made.information_weight
    X = restricted.X
    others = X.T @ (X * weight[:, None])
    projection = np.linalg.solve(others, X.T @ (weight * x))
    own = np.bincount(codes, weights=(x - X @ projection) * factor, minlength=n_groups)
    return np.asarray(own, dtype=np.float64)


def _studentised(scores: FloatArray) -> FloatArray:
    """Return sums of scores over the root of their sum of squares about the mean."""
    total = scores.sum(axis=1)
    spread = np.sqrt(((scores - scores.mean(axis=1, keepdims=True)) ** 2).sum(axis=1))
    return np.asarray(np.divide(total, spread, out=np.zeros_like(total), where=spread > 0))


def _signs(n_groups: int, draws: int, rng: np.random.Generator) -> FloatArray:
    if n_groups < 30 and 2**n_groups <= draws:
        patterns = np.arange(2**n_groups)[:, None] >> np.arange(n_groups) & 1
        return np.asarray(2.0 * patterns - 1.0)
    return np.asarray(rng.integers(0, 2, (draws, n_groups)) * 2.0 - 1.0)


def randomization_test(
    result: Result,
    data: Any,
    term: str,
    *,
    draws: int = 199,
    seed: int = 0,
    dyad: tuple[str, str] = ("ccode1", "ccode2"),
    within: str | None = "year",
) -> DrawnTest:
    """Test a dyadic variable by giving every state another state's place in it.

    States are relabelled at random; each row's value of the variable becomes that of the row of
    the relabelled pair (of the same year), so that who is tied to whom keeps its structure and
    loses its link with the outcome. A row whose relabelled pair is not in the sample gets the mean
    of the variable in its year. The statistic is the coefficient over its classical standard error.

    Parameters
    ----------
    result : Result
        A model of one index with the variable as a term of its own, fitted by `estimate`.
    data : frame
        The rows it was estimated from.
    term : str
        The variable.
    draws, seed : int
        How many relabellings, and the seed.
    dyad : pair of str
        The columns of the two states.
    within : str, optional
        The column within which pairs are looked up, None for one cross-section.

    Returns
    -------
    DrawnTest
        The p-value counts the data themselves among the draws (Phipson and Smyth 2010,
        Statistical Applications in Genetics and Molecular Biology 9).
    """
    from foedus.models.registry import find_estimator

    fit, place = result.fit, result.index_of(term)
    if fit.family is None or len(fit.parts) != 1:
        raise UsageError("the randomization test is for estimators of one index (logit, ols, ...).")
    groups, n_states = _groups(result, data, STATES, dyad)
    time = (
        np.zeros(fit.y.size, dtype=np.int64)
        if within is None
        else codes_of(column_of(result, data, within))[0]
    )
    lookup = _Lookup(groups[0], groups[1], time, n_states, fit.X[:, place])
    entry = find_estimator(result.estimator)
    rng = np.random.default_rng(seed)
    statistic = float(result.params[place] / np.sqrt(_classical(fit, place)))
    beyond, done = 1, 1
    for _ in range(draws):
        X = fit.X.copy()
        X[:, place] = lookup.relabelled(rng.permutation(n_states))
        inputs = Inputs(
            estimator=result.estimator, y=fit.y, parts=(replace(fit.parts[0], X=X),),
            weights=fit.weights, offset=fit.offset,
        )  # fmt: skip
        try:
            drawn = entry.fit(inputs)
        except EstimationError:
            continue
        done += 1
        beyond += abs(drawn.coef[place] / np.sqrt(_classical(drawn, place))) >= abs(statistic)
    return DrawnTest(term, statistic, beyond / done, done - 1, "states relabelled at random")


def _classical(fit: Any, place: int) -> float:
    made = fit.made
    row = made.back[place]
    return float(row @ made.bread @ row) * float(made.dispersion)


class _Lookup:
    """Finds the value of a dyadic variable for relabelled pairs of the same period."""

    def __init__(
        self, first: IntArray, second: IntArray, time: IntArray, n: int, values: FloatArray
    ) -> None:
        self.first, self.second, self.time, self.n = first, second, time, n
        self.key = self._key(first, second)
        self.order = np.argsort(self.key, kind="stable")
        self.sorted = self.key[self.order]
        self.values = values
        rows = np.bincount(time)
        self.mean = (np.bincount(time, weights=values) / np.maximum(rows, 1))[time]

    def _key(self, first: IntArray, second: IntArray) -> IntArray:
        out: IntArray = (self.time * self.n + first) * self.n + second
        return out

    def relabelled(self, labels: IntArray) -> FloatArray:
        """Return each row's value with states called by other states' names."""
        one, two = labels[self.first], labels[self.second]
        out = self.mean.copy()
        for first, second in ((two, one), (one, two)):
            wanted = self._key(first, second)
            place = np.minimum(np.searchsorted(self.sorted, wanted), self.sorted.size - 1)
            found = self.sorted[place] == wanted
            out[found] = self.values[self.order[place[found]]]
        return out
