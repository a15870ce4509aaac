"""Cox's proportional hazards (1972, JRSS B 34) on arrays.

The partial likelihood with Efron's or Breslow's treatment of ties, for spells that may start
late, rows that change over time, strata and case weights; score residuals by row, which every
robust covariance is made from; the baseline hazard and survival of given rows; the score test of
proportional hazards (Grambsch and Therneau 1994, Biometrika 81, as survival::cox.zph since 3.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

from foedus.errors import EstimationError, UsageError, nearest
from foedus.models.arrays import BoolArray, FloatArray, IntArray
from foedus.models.risk_sets import TIES, RiskSets, risk_sets, tally

STEPS = 60
DONE = 1e-9
FLAT = 1e-9
TRANSFORMS = ("km", "identity", "rank", "log")


@dataclass(frozen=True, slots=True)
class CoxFit:
    """A fitted Cox model.

    Attributes
    ----------
    coef, bread : float array
        Coefficients and the inverse of the observed information.
    scores : float array
        Score residuals by row, weighted: they sum to 0, and sandwiches are made from them.
    loglik, loglik_null : float
        Log partial likelihood at the estimate and at 0.
    score_test : float
        Rao's test of all coefficients at 0 (the log-rank test for a single group variable).
    n_events : int
        Rows that end with an event.
    sets : RiskSets
        Who is at risk when.
    """

    coef: FloatArray
    bread: FloatArray
    scores: FloatArray
    loglik: float
    loglik_null: float
    score_test: float
    n_events: int
    iterations: int
    sets: RiskSets
    X: FloatArray
    weights: FloatArray
    offset: FloatArray
    ties: str


@dataclass(frozen=True, slots=True)
class _State:
    """The partial likelihood and its pieces at one value of the coefficients."""

    loglik: float
    gradient: FloatArray
    information: FloatArray
    risk: FloatArray
    hazard: FloatArray
    mean: FloatArray
    level: float


def _evaluate(
    Z: FloatArray, weights: FloatArray, offset: FloatArray, sets: RiskSets, beta: FloatArray
) -> _State:
    """Evaluate at `beta`; `hazard` and `mean` have one row a term of the likelihood's sum."""
    eta = Z @ beta + offset
    level = float(eta.max())
    risk = weights * np.exp(eta - level)
    weighed = Z * risk[:, None]
    S0 = sets.terms(sets.sums(risk), sets.at_events(risk))
    if not bool((S0 > 0).all()):
        raise EstimationError("an empty risk set: at some event time no row is at risk.")
    S1 = sets.terms(sets.sums(weighed), sets.at_events(weighed))
    mean, hazard = S1 / S0[:, None], sets.share / S0
    w = weights[sets.events]
    loglik = float(w @ eta[sets.events] - sets.share @ (np.log(S0) + level))
    gradient = w @ Z[sets.events] - sets.share @ mean
    exposure = sets.spread(hazard)
    information = (weighed * exposure[:, None]).T @ Z - (mean * sets.share[:, None]).T @ mean
    return _State(loglik, gradient, information, risk, hazard, mean, level)


def fit_cox(
    stop: FloatArray,
    event: BoolArray,
    X: FloatArray,
    names: Sequence[str],
    *,
    start: FloatArray | None = None,
    strata: IntArray | None = None,
    weights: FloatArray | None = None,
    offset: FloatArray | None = None,
    ties: str = "efron",
) -> CoxFit:
    """Maximise the partial likelihood.

    Parameters
    ----------
    stop, event : array
        When each row's spell ends, and whether with an event.
    X : float array
        Columns by row, without a constant.
    names : sequence of str
        The columns' names, for messages.
    start, strata, weights, offset : array, optional
        Late entry, strata, case weights, a term with coefficient 1.
    ties : str
        efron or breslow.

    Raises
    ------
    EstimationError
        No events, a column that never varies within a risk set, a coefficient that runs off to
        infinity; the terms are named.
    """
    if ties not in TIES:
        raise UsageError(f'"{ties}" is no treatment of ties. {nearest(ties, TIES)}')
    sets = risk_sets(stop, event, start, strata, weights, ties)
    w = np.ones(stop.size) if weights is None else weights
    off = np.zeros(stop.size) if offset is None else offset - offset.mean()
    centre, scale = X.mean(axis=0), X.std(axis=0)
    flat = [names[j] for j in np.flatnonzero(scale <= 1e-13 * np.abs(centre)).tolist()]
    if flat:
        raise EstimationError(f"{', '.join(flat)} never varies in the rows used; leave it out.")
    Z = (X - centre) / scale
    beta = np.zeros(X.shape[1])
    state = null = _evaluate(Z, w, off, sets, beta)
    _refuse_flat(null, names)
    for turn in range(1, STEPS + 1):
        steps = turn
        step = _solve(state.information, state.gradient)
        beta, state, moved = _advance(Z, w, off, sets, beta, step, state)
        if moved < DONE:
            break
        _refuse_runaway(state, null, beta, names)
    else:
        raise EstimationError(f"Cox: no convergence in {STEPS} steps.")
    score_test = float(null.gradient @ _solve(null.information, null.gradient))
    back = np.diag(1.0 / scale)
    scores = _score_residuals(Z, w, sets, state)
    return CoxFit(
        beta / scale,
        back @ linalg.inv(state.information) @ back,
        scores * scale,
        state.loglik,
        null.loglik,
        score_test,
        int(sets.events.size),
        steps,
        sets,
        X,
        w,
        off if offset is None else offset,
        ties,
    )


def _solve(information: FloatArray, gradient: FloatArray) -> FloatArray:
    step: FloatArray = linalg.solve(information, gradient, assume_a="sym")
    return step


def _advance(
    Z: FloatArray,
    w: FloatArray,
    offset: FloatArray,
    sets: RiskSets,
    beta: FloatArray,
    step: FloatArray,
    before: _State,
) -> tuple[FloatArray, _State, float]:
    """Take a Newton step, halved until the likelihood does not fall."""
    size = 1.0
    for _ in range(30):
        trial = beta + size * step
        state = _evaluate(Z, w, offset, sets, trial)
        if np.isfinite(state.loglik) and state.loglik >= before.loglik - 1e-9 * abs(before.loglik):
            return trial, state, float(np.abs(size * step).max())
        size *= 0.5
    raise EstimationError("Cox: the likelihood can't be improved; are terms nearly collinear?")


def _refuse_flat(state: _State, names: Sequence[str]) -> None:
    """Refuse columns that vary in no risk set, or are collinear in all of them."""
    diagonal = np.diag(state.information)
    events = max(diagonal.max(), 1e-300)
    none = [names[j] for j in np.flatnonzero(diagonal <= FLAT * events).tolist()]
    if none:
        raise EstimationError(
            f"no variation within risk sets: {', '.join(none)} is the same for all rows at risk "
            "at every event. Leave it out."
        )
    root = 1.0 / np.sqrt(diagonal)
    values, vectors = linalg.eigh(state.information * root[:, None] * root[None, :])
    if values[0] < 1e-10:
        parts = [names[j] for j in np.flatnonzero(np.abs(vectors[:, 0]) > 1e-3).tolist()]
        raise EstimationError(
            f"collinear terms within risk sets: {', '.join(parts)}. Leave one of them out."
        )


def _refuse_runaway(state: _State, null: _State, beta: FloatArray, names: Sequence[str]) -> None:
    """Refuse a coefficient that grows while the information on it vanishes."""
    left = np.diag(state.information) / np.diag(null.information)
    away = np.flatnonzero((np.abs(beta) > 8.0) & (left < 1e-5))
    if away.size:
        said = ", ".join(names[j] for j in away.tolist())
        raise EstimationError(
            f"Cox: the coefficient of {said} runs off to infinity: it sorts the rows with events "
            "from the others at risk without fail. Leave it out."
        )


def _score_residuals(
    Z: FloatArray, weights: FloatArray, sets: RiskSets, state: _State
) -> FloatArray:
    """Return each row's share of the score (Therneau and Grambsch 2000, section 4.6)."""
    exposure = sets.spread(state.hazard)
    drift = sets.spread(state.mean * state.hazard[:, None])
    scores = -state.risk[:, None] * (Z * exposure[:, None] - drift)
    count = np.bincount(sets.owner, minlength=sets.n_times)
    centre = np.column_stack([tally(sets.owner, m, sets.n_times) / count for m in state.mean.T])
    own = Z[sets.events] - centre[sets.place]
    scores[sets.events] += weights[sets.events, None] * own
    return scores


def _at_estimate(fit: CoxFit) -> _State:
    """Evaluate at the estimate on the user's columns."""
    return _evaluate(fit.X, fit.weights, fit.offset, fit.sets, fit.coef)


# --- baseline and survival ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Curves:
    """Survival of given rows: one row a time, one column a row asked for."""

    times: FloatArray
    stratum: IntArray
    hazard: FloatArray
    survival: FloatArray
    std_error: FloatArray


def cox_curves(fit: CoxFit, rows: FloatArray, vcov: FloatArray | None = None) -> Curves:
    """Return cumulative hazards and survival at given covariates, at every event time.

    Parameters
    ----------
    fit : CoxFit
        The model.
    rows : float array
        Covariates, one row a curve (zeros: the baseline).
    vcov : float array, optional
        Covariance of the coefficients; the classical one for None.

    Returns
    -------
    Curves
        Times by stratum, cumulative hazard, survival exp(-H) and the standard error of survival,
        with ties as in the fit (Efron's or Breslow's hazard), as survival::survfit.
    """
    V = fit.bread if vcov is None else vcov
    sets, state = fit.sets, _at_estimate(fit)
    base = state.hazard * np.exp(-state.level)
    S0 = sets.share / base
    steps = tally(sets.owner, base, sets.n_times)
    noise = tally(sets.owner, sets.share / S0**2, sets.n_times)
    drift = np.column_stack(
        [tally(sets.owner, c, sets.n_times) for c in
         (state.mean * base[:, None]).T]
    )  # fmt: skip
    H, N, D = (_running(values, sets.stratum) for values in (steps, noise, drift))
    rho = np.exp(rows @ fit.coef)
    hazard = H[:, None] * rho
    pull = rows[None, :, :] * H[:, None, None] - D[:, None, :]
    variance = rho**2 * (N[:, None] + np.einsum("tci,ij,tcj->tc", pull, V, pull))
    survival = np.exp(-hazard)
    return Curves(sets.times, sets.stratum, hazard, survival, survival * np.sqrt(variance))


def _running(values: FloatArray, stratum: IntArray) -> FloatArray:
    """Return running sums that start anew in each stratum."""
    total: FloatArray = np.cumsum(values, axis=0)
    starts = np.flatnonzero(np.diff(stratum)) + 1
    for start in starts:
        total[start:] -= total[start - 1]
    return total


# --- proportional hazards -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProportionalHazards:
    """Score tests that a coefficient doesn't change with time, by term and for all."""

    terms: tuple[str, ...]
    statistic: FloatArray
    df: IntArray
    p_value: FloatArray
    transform: str


def proportionality(
    fit: CoxFit,
    names: Sequence[str],
    stop: FloatArray,
    event: BoolArray,
    start: FloatArray | None = None,
    transform: str = "km",
) -> ProportionalHazards:
    """Test each coefficient against one that moves with g(time).

    Parameters
    ----------
    fit : CoxFit
        The model.
    names : sequence of str
        The columns' names.
    stop, event, start : array
        As given to the fit.
    transform : str
        g: km (1 less the Kaplan-Meier curve just before the time), identity, rank or log.
    """
    if transform not in TRANSFORMS:
        raise UsageError(f'"{transform}" is no transform. {nearest(transform, TRANSFORMS)}')
    sets, state = fit.sets, _at_estimate(fit)
    g = _time_transform(transform, stop, event, start)
    g = g - g[event].mean()
    at_time = np.empty(sets.n_times)
    at_time[sets.place] = g[sets.events]
    on_term = at_time[sets.owner]
    w = fit.weights[sets.events]
    gradient = (w * g[sets.events]) @ fit.X[sets.events] - (sets.share * on_term) @ state.mean
    k = fit.coef.size
    whole = np.zeros((2 * k, 2 * k))
    for power, places in ((0, [(0, 0)]), (1, [(0, 1), (1, 0)]), (2, [(1, 1)])):
        block = _information(fit, state, on_term**power)
        for i, j in places:
            whole[i * k : (i + 1) * k, j * k : (j + 1) * k] = block
    statistics = []
    for j in range(k):
        at = [*range(k), k + j]
        u = np.concatenate([np.zeros(k), gradient[[j]]])
        statistics.append(float(u @ linalg.solve(whole[np.ix_(at, at)], u)))
    u = np.concatenate([np.zeros(k), gradient])
    statistics.append(float(u @ linalg.solve(whole, u)))
    statistic, df = np.array(statistics), np.array([1] * k + [k])
    return ProportionalHazards(
        (*names, "GLOBAL"), statistic, df, special.chdtrc(df, statistic), transform
    )


def _information(fit: CoxFit, state: _State, factor: FloatArray) -> FloatArray:
    """Return the information with each term of the sum weighted."""
    exposure = fit.sets.spread(state.hazard * factor)
    weighed = fit.X * (state.risk * exposure)[:, None]
    out: FloatArray = (
        weighed.T @ fit.X - (state.mean * (fit.sets.share * factor)[:, None]).T @ state.mean
    )
    return out


def _time_transform(
    transform: str, stop: FloatArray, event: BoolArray, start: FloatArray | None
) -> FloatArray:
    if transform == "identity":
        return stop
    if transform == "log":
        return np.log(stop)
    if transform == "rank":
        _, inverse, count = np.unique(stop, return_inverse=True, return_counts=True)
        middle = np.cumsum(count) - 0.5 * (count - 1)
        out: FloatArray = middle[inverse]
        return out
    curve = kaplan_meier(stop, event, start)
    before = np.searchsorted(curve.times, stop, side="left")
    return 1.0 - np.concatenate([[1.0], curve.survival])[before]


@dataclass(frozen=True, slots=True)
class KaplanMeier:
    """The product-limit curve at event times, with Greenwood's standard errors."""

    times: FloatArray
    at_risk: FloatArray
    events: FloatArray
    survival: FloatArray
    std_error: FloatArray
    hazard: FloatArray


def kaplan_meier(
    stop: FloatArray,
    event: BoolArray,
    start: FloatArray | None = None,
    weights: FloatArray | None = None,
) -> KaplanMeier:
    """Return the product-limit estimate of survival (Kaplan and Meier 1958, JASA 53).

    Parameters
    ----------
    stop, event, start, weights : array
        As for `fit_cox`.

    Returns
    -------
    KaplanMeier
        With the Nelson-Aalen cumulative hazard beside it.
    """
    sets = risk_sets(stop, event, start, None, weights, "breslow")
    w = np.ones(stop.size) if weights is None else weights
    at_risk, deaths = sets.sums(w), sets.at_events(w)
    survival = np.asarray(np.cumprod(1.0 - deaths / at_risk), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.cumsum(deaths / (at_risk * (at_risk - deaths)))
        error = np.where(survival > 0, survival * np.sqrt(spread), np.nan)
    return KaplanMeier(sets.times, at_risk, deaths, survival, error, np.cumsum(deaths / at_risk))


def log_rank(
    stop: FloatArray,
    event: BoolArray,
    group: IntArray,
    start: FloatArray | None = None,
    rho: float = 0.0,
) -> tuple[float, int, float]:
    """Return the log-rank test of equal survival: statistic, degrees of freedom, p.

    Parameters
    ----------
    stop, event, start : array
        As for `fit_cox`.
    group : int array
        Numbers of the groups.
    rho : float
        Weight S(t-)^rho of Harrington and Fleming: 0 log-rank, 1 Peto and Peto.
    """
    sets = risk_sets(stop, event, start, None, None, "breslow")
    n_groups = int(group.max()) + 1
    member = (group[:, None] == np.arange(n_groups)).astype(np.float64)
    at_risk, deaths = sets.sums(member), sets.at_events(member)
    n, d = at_risk.sum(axis=1), deaths.sum(axis=1)
    weight = np.concatenate([[1.0], np.cumprod(1.0 - d / n)[:-1]]) ** rho
    share = at_risk / n[:, None]
    gap = weight @ (deaths - d[:, None] * share)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = weight**2 * d * np.where(n > 1, (n - d) / (n - 1), 0.0)
    spread = np.diag(factor @ share) - (share * factor[:, None]).T @ share
    some = at_risk.any(axis=0)
    left = np.flatnonzero(some)[:-1]
    statistic = float(gap[left] @ linalg.solve(spread[np.ix_(left, left)], gap[left]))
    return statistic, int(left.size), float(special.chdtrc(left.size, statistic))
