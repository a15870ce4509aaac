"""Event studies of a treatment that units take up at different times and keep.

Four estimators of the effect by time since treatment, with one form of result:

- ``callaway_santanna`` (2021, J. Econometrics 225): each cohort's change since the period before
  its treatment less that of units never (or not yet) treated, averaged with the cohorts' sizes;
- ``sun_abraham`` (2021, J. Econometrics 225): cohort-by-period effects from one regression with
  unit and time effects, averaged with the cohorts' shares;
- ``imputation`` (Borusyak, Jaravel and Spiess 2024, Review of Economic Studies 91): unit and time
  effects fitted on untreated rows only, the treated rows' gaps to them averaged;
- ``twfe``: the two-way regression on event time, which the others mend.

The first has scores by unit (its influence function), the others by row, so that clusters of
units and the dyadic covariance come from the one mechanism.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from foedus.errors import EstimationError, UsageError, nearest
from foedus.models.absorb import Absorber, factor_of
from foedus.models.arrays import FloatArray, IntArray, codes_of
from foedus.models.covariance import (
    DenseScores,
    Identifiers,
    Ingredients,
    parse_covariance,
)
from foedus.models.fit import Fit
from foedus.models.inputs import Part
from foedus.models.result import Result, covariances_for
from foedus.models.staggered_adjusted import ADJUSTMENTS, adjusted_effect

METHODS = ("callaway_santanna", "sun_abraham", "imputation", "twfe")
CONTROLS = ("never", "not_yet")


@dataclass(frozen=True, slots=True)
class _Panel:
    """A panel by row: outcome, unit, time, and the period of first treatment (inf: never)."""

    y: FloatArray
    unit: IntArray
    n_units: int
    time: FloatArray
    cohort: FloatArray
    covariates: FloatArray | None = None

    @property
    def relative(self) -> FloatArray:
        """Time since treatment; -inf for those never treated."""
        return self.time - self.cohort


@dataclass(frozen=True, slots=True)
class _Effects:
    """Effects by event time, with scores whose sandwich (bread I) is their covariance."""

    names: tuple[str, ...]
    coef: FloatArray
    scores: FloatArray
    groups: IntArray | None
    k: int


def event_study(
    data: Any,
    outcome: str,
    *,
    unit: str,
    time: str,
    cohort: str,
    method: str = "callaway_santanna",
    control: str = "never",
    covariates: Sequence[str] = (),
    adjust: str = "doubly_robust",
    window: tuple[int, int] | None = None,
    cov: str | Sequence[str] = "cluster",
    dyad: tuple[str, str] | None = ("ccode1", "ccode2"),
    small_sample: str = "none",
) -> Result:
    """Estimate a treatment's effect by time since it began.

    Parameters
    ----------
    data : frame
        One row a unit and time; rows that miss a column are left out and counted.
    outcome, unit, time, cohort : str
        Columns: the outcome, who, when (whole numbers), and the unit's first treated time
        (missing: never treated).
    method : str
        callaway_santanna, sun_abraham, imputation or twfe.
    control : str
        For callaway_santanna: units "never" treated, or also those "not_yet" treated.
    covariates : sequence of str
        For callaway_santanna: columns on which trends may depend, taken from the time before the
        treatment that a change is measured from. Units that miss one there are left out of that
        comparison; comparisons that can't be adjusted (too few controls, covariates that decide
        who is treated) are left out with a warning that names them.
    adjust : str
        How: doubly_robust, regression or weighting; see `staggered_adjusted.adjusted_effect`.
    window : (int, int), optional
        First and last event time shown; others are left out of the averages.
    cov : str or sequence of str
        Covariances; "cluster" stands for the unit's own. Clusters must hold whole units.
    dyad : pair of str, optional
        Columns of the two states, for dyadic covariances.
    small_sample : str
        The rule of clustered covariances.

    Returns
    -------
    Result
        Terms ``t-2``, ``t+0``, ... and ``average`` (over all treated times, by rows), with every
        covariance asked for.

    Raises
    ------
    EstimationError
        No treated unit, no control, a unit with two rows at a time or two cohorts.

    Warns
    -----
    UserWarning
        For callaway_santanna, comparisons that can't be adjusted, and cohorts of a single unit
        where these are half of all or more.
    """
    if method not in METHODS:
        raise UsageError(f'"{method}" is no event study. {nearest(method, METHODS)}')
    if control not in CONTROLS:
        raise UsageError(f'"{control}" is no control group. {nearest(control, CONTROLS)}')
    if adjust not in ADJUSTMENTS:
        raise UsageError(f'"{adjust}" is no adjustment. {nearest(adjust, ADJUSTMENTS)}')
    if covariates and method != "callaway_santanna":
        raise UsageError(f"{method} takes no covariates here; callaway_santanna does.")
    panel, kept, lost, ids = _read(data, outcome, unit, time, cohort, dyad)
    if covariates:
        panel = replace(panel, covariates=_covariates(data, covariates, kept))
    makers = {
        "callaway_santanna": lambda: _callaway_santanna(panel, control, window, adjust),
        "sun_abraham": lambda: _sun_abraham(panel, window),
        "imputation": lambda: _imputation(panel, window),
        "twfe": lambda: _two_way(panel, window),
    }
    found = makers[method]()
    asked = [cov] if isinstance(cov, str) else list(cov)
    names = [f"cluster({unit})" if one == "cluster" else one for one in asked]
    specs = [parse_covariance(one, small_sample) for one in names]
    if any(spec.kind == "classical" for spec in specs):
        raise UsageError("event studies have clustered covariances; ask for cluster or dyadic.")
    k = found.coef.size
    made = Ingredients(
        DenseScores(found.scores, found.groups), np.eye(k), np.eye(k), None, 1.0,
        panel.y.size, found.k, False,
    )  # fmt: skip
    part = Part(np.zeros((panel.y.size, 0)), (), "")
    fitted = Fit(
        estimator=method, names=found.names, parts=(part,), y=panel.y, coef=found.coef,
        loglik=None, made=made,
    )  # fmt: skip
    made_covariances = covariances_for(fitted, specs, ids, "eigen")
    return Result(
        estimator=method, formula=f"{outcome} ~ event time of {cohort} | {unit} + {time}",
        terms=found.names, params=found.coef, covariances=made_covariances,
        n_obs=int(panel.y.size), n_events=int((panel.relative >= 0).sum()), loglik=None,
        rows_lost=lost, dropped_terms={}, ancillary={}, iterations=0, df=None, fit=fitted,
        kept=kept,
    )  # fmt: skip


def _read(
    data: Any, outcome: str, unit: str, time: str, cohort: str, dyad: tuple[str, str] | None
) -> tuple[_Panel, npt.NDArray[np.bool_] | None, dict[str, int], Identifiers]:
    from foedus.models.design import Labels, column_names, missing_in, read_column, take_rows

    lost: dict[str, int] = {}
    columns = {name: read_column(data, name) for name in (outcome, unit, time, cohort)}
    for name in (outcome, time, cohort):
        if isinstance(columns[name], Labels):
            raise UsageError(f'column "{name}" holds text; it must be a number.')
    keep = np.ones(np.asarray(missing_in(columns[outcome])).size, dtype=bool)
    for name in (outcome, unit, time):
        gone = np.asarray(missing_in(columns[name])) & keep
        if gone.any():
            lost[f"missing {name}"] = int(gone.sum())
            keep &= ~gone
    taken = {name: take_rows(column, keep) for name, column in columns.items()}
    who = taken[unit]
    codes, n_units = codes_of(who.codes if isinstance(who, Labels) else who)
    first = np.asarray(taken[cohort], dtype=np.float64)
    panel = _Panel(
        np.asarray(taken[outcome], dtype=np.float64), codes, n_units,
        np.asarray(taken[time], dtype=np.float64), np.where(np.isnan(first), np.inf, first),
    )  # fmt: skip
    _check(panel, unit, time, cohort)
    known = column_names(data)
    others = {name: np.asarray(data[name])[keep] for name in known if name not in (outcome,)}
    sides = None
    if dyad is not None and all(side in known for side in dyad):
        sides = (others[dyad[0]], others[dyad[1]])
    return panel, None if keep.all() else keep, lost, Identifiers(others, sides)


def _covariates(data: Any, names: Sequence[str], kept: npt.NDArray[np.bool_] | None) -> FloatArray:
    """Return covariates by row, the constant first; NaN where a row misses one."""
    from foedus.models.design import Labels, read_column, take_rows

    columns = [take_rows(read_column(data, name), kept) for name in names]
    for name, column in zip(names, columns, strict=True):
        if isinstance(column, Labels):
            raise UsageError(f'column "{name}" holds text; it must be a number.')
    values = [np.asarray(column, dtype=np.float64) for column in columns]
    return np.column_stack([np.ones(values[0].size), *values])


def _check(panel: _Panel, unit: str, time: str, cohort: str) -> None:
    pairs = np.unique(np.column_stack([panel.unit, panel.time]), axis=0)
    if pairs.shape[0] < panel.y.size:
        raise EstimationError(f"a {unit} has two rows at one {time}.")
    low = np.full(panel.n_units, np.inf)
    high = np.full(panel.n_units, -np.inf)
    np.minimum.at(low, panel.unit, panel.cohort)
    np.maximum.at(high, panel.unit, panel.cohort)
    if bool((low != high).any()):
        raise EstimationError(f"a {unit} has two values of {cohort}; it is treated once.")
    if not np.isfinite(panel.cohort).any():
        raise EstimationError(f"no {unit} is ever treated: {cohort} is missing in all rows.")


def _event_name(relative: float) -> str:
    return f"t{int(relative):+d}"


def _inside(relative: FloatArray, window: tuple[int, int] | None) -> npt.NDArray[np.bool_]:
    finite: npt.NDArray[np.bool_] = np.isfinite(relative)
    if window is not None:
        finite &= (relative >= window[0]) & (relative <= window[1])
    return finite


# --- Callaway and Sant'Anna -----------------------------------------------------------------


def _callaway_santanna(
    panel: _Panel, control: str, window: tuple[int, int] | None, adjust: str
) -> _Effects:
    """Average ATT(g, t) by event time; the scores are the units' influence functions."""
    times = np.unique(panel.time)
    table = np.full((panel.n_units, times.size), np.nan)
    table[panel.unit, np.searchsorted(times, panel.time)] = panel.y
    cohort = np.full(panel.n_units, np.inf)
    cohort[panel.unit] = panel.cohort
    _warn_of_lone_units(cohort)
    adjusted = _adjuster(panel, times, adjust)
    refused: list[str] = []
    cells: list[tuple[float, float, float, float, FloatArray]] = []
    for g in np.unique(cohort[np.isfinite(cohort)]):
        before = times[times < g]
        if not before.size:
            continue  # treated from the start: there is nothing to compare with
        for place, t in enumerate(times):
            base = np.searchsorted(times, before[-1]) if t >= g else place - 1
            if base < 0 or base == place:
                continue
            try:
                cell = _att(table, cohort, g, float(t), int(base), place, control, times, adjusted)
            except EstimationError as error:
                refused.append(f"cohort {g:g} at {t:g} ({error})")
                continue
            if cell is not None:
                cells.append((float(g), float(t), *cell))
    if refused:
        warnings.warn(
            f"callaway_santanna: {len(refused)} comparisons can't be adjusted and are left out: "
            f"{'; '.join(refused[:3])}{' ...' if len(refused) > 3 else ''}",
            stacklevel=4,
        )
    if not cells:
        raise EstimationError("no cohort can be compared with units not treated.")
    relative = np.array([t - g for g, t, *_ in cells])
    size = np.array([weight for *_, weight, _ in cells])
    att = np.array([value for _, _, value, _, _ in cells])
    influence = np.column_stack([scores for *_, scores in cells])
    cohorts = np.array([g for g, *_ in cells])
    shown = _inside(relative, window)
    names, columns, values = [], [], []
    for e in [*np.unique(relative[shown]), None]:
        at = np.flatnonzero(shown & ((relative >= 0) if e is None else (relative == e)))
        if not at.size:
            continue
        weight = size[at] / size[at].sum()
        value = float(weight @ att[at])
        # the cohorts' sizes are estimated too (did: the influence of the weights)
        member = (cohort[:, None] == cohorts[at][None, :]).astype(np.float64)
        shift = (member @ (att[at] - value)) / size[at].sum()
        shift -= shift.mean()
        columns.append(influence[:, at] @ weight + shift)
        values.append(value)
        names.append("average" if e is None else _event_name(e))
    return _Effects(
        tuple(names), np.array(values), np.column_stack(columns), panel.unit, len(names)
    )


def _warn_of_lone_units(cohort: FloatArray) -> None:
    """Warn where half of the cohorts or more are a single unit each.

    Such a cohort's own mean is that unit, so that nothing of its chance is left in its influence:
    in simulated worlds with few states (docs/recovery) intervals then cover far less than they say.
    """
    sizes = np.unique(cohort[np.isfinite(cohort)], return_counts=True)[1]
    lone = int((sizes == 1).sum())
    if 2 * lone >= sizes.size:
        warnings.warn(
            f"callaway_santanna: {lone} of {sizes.size} cohorts are a single unit, whose chance "
            "isn't in the standard errors; these are then too small.",
            stacklevel=5,
        )


def _att(
    table: FloatArray, cohort: FloatArray, g: float, t: float, base: int, place: int,
    control: str, times: FloatArray, adjusted: _Adjuster | None,
) -> tuple[float, float, FloatArray] | None:  # fmt: skip
    """Return a cohort's effect at a time, its size, and each unit's influence on it."""
    change = table[:, place] - table[:, base]
    seen: npt.NDArray[np.bool_] = np.isfinite(change)
    if adjusted is not None:
        seen &= adjusted.known(base)
    treated = seen & (cohort == g)
    against = seen & np.isinf(cohort)
    if control == "not_yet":
        against |= seen & (cohort > max(t, float(times[base]))) & (cohort != g)
    if not treated.any() or not against.any():
        return None
    influence = np.zeros(cohort.size)
    size = float((cohort == g).sum())
    if adjusted is not None:
        use = treated | against
        gain, influence[use] = adjusted.effect(change[use], treated[use], base, use)
        return gain, size, influence
    up, down = float(change[treated].mean()), float(change[against].mean())
    influence[treated] += (change[treated] - up) / treated.sum()
    influence[against] -= (change[against] - down) / against.sum()
    return up - down, size, influence


@dataclass(frozen=True, slots=True)
class _Adjuster:
    """Covariates by unit and time, and how they are used."""

    table: FloatArray
    how: str

    def known(self, base: int) -> npt.NDArray[np.bool_]:
        """Mark the units whose covariates are known at a time."""
        return np.asarray(np.isfinite(self.table[:, base]).all(axis=1))

    def effect(
        self, change: FloatArray, treated: npt.NDArray[np.bool_], base: int,
        use: npt.NDArray[np.bool_],
    ) -> tuple[float, FloatArray]:  # fmt: skip
        """Return the effect on the treated among some units, and their influence on it."""
        return adjusted_effect(change, treated, self.table[use, base], self.how)


def _adjuster(panel: _Panel, times: FloatArray, how: str) -> _Adjuster | None:
    if panel.covariates is None:
        return None
    table = np.full((panel.n_units, times.size, panel.covariates.shape[1]), np.nan)
    table[panel.unit, np.searchsorted(times, panel.time)] = panel.covariates
    return _Adjuster(table, how)


# --- regressions ----------------------------------------------------------------------------


def _two_way_fit(panel: _Panel, X: FloatArray) -> tuple[FloatArray, FloatArray, int]:
    """Return coefficients, each row's influence on them, and all parameters counted."""
    absorber = Absorber.of([factor_of("unit", panel.unit), factor_of("time", panel.time)])
    inner, left = absorber.residual(X), absorber.residual(panel.y)
    size = np.sqrt(np.einsum("ij,ij->j", X, X))
    # dummies are well conditioned: their cross-product costs a fraction of a decomposition of them
    try:
        factor = linalg.cholesky(inner.T @ inner, lower=True)
        collinear = bool((np.diag(factor) < 1e-6 * size).any())
    except linalg.LinAlgError:
        collinear = True
    if collinear:
        raise EstimationError(
            "event times are collinear with the unit and time effects; leave in units that are "
            "never treated, or narrow the window."
        )
    coef = linalg.cho_solve((factor, True), inner.T @ left)
    residual = left - inner @ coef
    influence = linalg.cho_solve((factor, True), (inner * residual[:, None]).T).T
    return coef, influence, X.shape[1] + absorber.rank


def _two_way(panel: _Panel, window: tuple[int, int] | None) -> _Effects:
    relative = panel.relative
    events = np.unique(relative[np.isfinite(relative)])
    events = events[events != -1]
    if window is not None:
        # far leads and lags share one dummy each, so that the reference stays the time before
        relative = np.where(
            np.isfinite(relative), np.clip(relative, window[0] - 1, window[1] + 1), relative
        )
        events = np.unique(relative[np.isfinite(relative)])
        events = events[events != -1]
    X = (relative[:, None] == events[None, :]).astype(np.float64)
    coef, scores, k = _two_way_fit(panel, X)
    shown = _inside(events, window)
    return _averaged(coef, scores, events, X.sum(axis=0), shown, k)


def _averaged(
    coef: FloatArray, scores: FloatArray, events: FloatArray, rows: FloatArray,
    shown: npt.NDArray[np.bool_], k: int,
) -> _Effects:  # fmt: skip
    """Add the average over treated times to effects by event time."""
    weight = np.where(shown & (events >= 0), rows, 0.0)
    if not weight.any():
        raise EstimationError("no treated time is inside the window.")
    L = np.column_stack([np.eye(events.size)[:, shown], weight / weight.sum()])
    names = (*(_event_name(e) for e in events[shown]), "average")
    return _Effects(names, L.T @ coef, scores @ L, None, k)


def _sun_abraham(panel: _Panel, window: tuple[int, int] | None) -> _Effects:
    """Interact cohorts with event times, then average with the cohorts' shares."""
    never = np.isinf(panel.cohort)
    if not never.any():
        raise EstimationError(
            "sun_abraham needs units that are never treated (their cohort is missing)."
        )
    relative = panel.relative
    start = float(panel.time.min())
    cohorts = [g for g in np.unique(panel.cohort[~never]) if g > start]
    cells = [(g, e) for g in cohorts for e in np.unique(relative[panel.cohort == g]) if e != -1]
    if not cells:
        raise EstimationError("sun_abraham: no cohort is seen before its treatment.")
    # cohorts treated from the start have no reference period
    use = never | (panel.cohort > start)
    inner = _Panel(
        panel.y[use], codes_of(panel.unit[use])[0], panel.n_units, panel.time[use],
        panel.cohort[use],
    )  # fmt: skip
    X = np.column_stack(
        [((inner.cohort == g) & (inner.relative == e)).astype(np.float64) for g, e in cells]
    )
    coef, part, k = _two_way_fit(inner, X)
    scores = np.zeros((panel.y.size, coef.size))
    scores[use] = part
    events = np.array([e for _, e in cells])
    rows = X.sum(axis=0)
    shown = np.unique(events[_inside(events, window)])
    L = np.column_stack([np.where(events == e, rows, 0.0) / rows[events == e].sum() for e in shown])
    inside = _inside(events, window) & (events >= 0)
    if not inside.any():
        raise EstimationError("no treated time is inside the window.")
    L = np.column_stack([L, np.where(inside, rows, 0.0) / rows[inside].sum()])
    names = (*(_event_name(e) for e in shown), "average")
    return _Effects(names, L.T @ coef, scores @ L, None, k)


# --- imputation -----------------------------------------------------------------------------


def _imputation(panel: _Panel, window: tuple[int, int] | None) -> _Effects:
    """Fit unit and time effects on untreated rows, average the treated rows' gaps.

    Row scores are v e with v the weight of the row in the estimate, and e its residual; a treated
    row's residual is its gap less the mean gap of its cohort and event time (Borusyak, Jaravel and
    Spiess's equation 7: conservative where effects differ within them).
    """
    treated = panel.relative >= 0
    times = np.unique(panel.time)
    t = np.searchsorted(times, panel.time)
    n = panel.y.size
    Z = sparse.hstack(
        [
            sparse.csr_array((np.ones(n), (np.arange(n), panel.unit)), shape=(n, panel.n_units)),
            sparse.csr_array((np.ones(n), (np.arange(n), t)), shape=(n, times.size)),
        ],
        format="csr",
    )
    known_unit = np.bincount(panel.unit[~treated], minlength=panel.n_units) > 0
    known_time = np.bincount(t[~treated], minlength=times.size) > 0
    usable = ~treated | (known_unit[panel.unit] & known_time[t])
    Z0 = Z[~treated]
    gram = (Z0.T @ Z0).toarray()
    inverse = np.linalg.pinv(gram, hermitian=True)
    effects = inverse @ (Z0.T @ panel.y[~treated])
    gap = panel.y - Z @ effects
    shown = treated & usable & _inside(panel.relative, window)
    if not shown.any():
        raise EstimationError("imputation: no treated row has its unit and time among untreated.")
    whose = np.unique(panel.cohort, return_inverse=True)[1].reshape(-1)
    age = panel.relative.clip(-1, None).astype(np.int64) + 1
    cell, n_cells = codes_of(whose * (2 * times.size + 2) + age)
    w = shown.astype(np.float64)
    size = np.bincount(cell, weights=w, minlength=n_cells)
    mean = np.bincount(cell, weights=w * gap, minlength=n_cells) / np.maximum(size, 1.0)
    residual = np.where(treated, gap - mean[cell], gap)
    events = np.unique(panel.relative[shown])
    names, values, scores = [], [], []
    for e in [*events, None]:
        at = shown if e is None else shown & (panel.relative == e)
        weight = at / at.sum()
        values.append(float(weight @ gap))
        v = weight.astype(np.float64)
        v[~treated] = -(Z0 @ (inverse @ (Z[treated].T @ weight[treated])))
        scores.append(np.where(shown | ~treated, v * residual, 0.0))
        names.append("average" if e is None else _event_name(e))
    return _Effects(tuple(names), np.array(values), np.column_stack(scores), None, len(names))
