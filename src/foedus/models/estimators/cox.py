"""Cox's proportional hazards: duration ~ covariates, event=, start=, strata=, ties=, varying=."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from foedus.models.arrays import BoolArray, FloatArray, IntArray, index_of
from foedus.models.covariance import ready_ingredients
from foedus.models.cox import CoxFit, fit_cox
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.registry import Option, estimator
from foedus.models.risk_sets import TIES, RiskSets, risk_sets, tally

EVENT = Option("event", "1 if the spell ends with the event, 0 if it is cut off", kind="numbers")
START = Option("start", "when the row comes under risk (late entry, rows that change)", "numbers")
STRATA = Option("strata", "groups that have a baseline hazard of their own", kind="groups")


@dataclass(frozen=True, slots=True)
class HazardPredictor:
    """Relative hazards exp(X b) ("response") and the index X b ("link")."""

    kinds: tuple[str, ...] = ("response", "link")

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return one number a row."""
        eta = index_of(parts[0], params[: parts[0].shape[1]], offset)
        out: FloatArray = eta if kind == "link" else np.exp(eta)
        return out


def events_of(inputs: Inputs) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which rows end with an event; all of them where the data don't say.

    Raises
    ------
    EstimationError
        If the column holds anything but 0 and 1.
    """
    from foedus.errors import EstimationError

    values = inputs.numbers.get("event")
    if values is None:
        return np.ones(inputs.n, dtype=bool)
    odd = values[(values != 0.0) & (values != 1.0)]
    if odd.size:
        raise EstimationError(
            f"{inputs.estimator}: event= must be 0 or 1, but {odd.size} rows hold other values, "
            f"e.g. {odd[0]:g}."
        )
    return np.asarray(values == 1.0)


def strata_of(inputs: Inputs) -> IntArray | None:
    """Return each row's stratum, crossed where there are several columns; None without."""
    found = inputs.groups.get("strata", ())
    if not found:
        return None
    codes = found[0].codes
    for other in found[1:]:
        codes = codes * other.n + other.codes
    return codes


@estimator(
    "cox",
    title="Cox's proportional hazards: duration ~ x, event=, start=, strata=",
    citation="Cox 1972, JRSS B 34; Efron 1977, JASA 72; Breslow 1974, Biometrics 30",
    outcome="duration",
    options=(
        EVENT,
        START,
        STRATA,
        Option("ties", "treatment of tied events", default="efron", allowed=(*TIES, "exact")),
        Option(
            "varying",
            'terms whose coefficient changes with the log of time, "a + b": each has a second '
            "coefficient, that of its product with log(time), called a:log(time)",
            default="",
        ),
    ),
    constant="absorbed",
)
def fit(inputs: Inputs) -> Fit:
    """Maximise the partial likelihood."""
    if inputs.options["varying"]:
        return _varying(inputs)
    if inputs.options["ties"] == "exact":
        return _exact(inputs)
    made = fit_cox(
        inputs.y, events_of(inputs), inputs.X, inputs.names,
        start=inputs.numbers.get("start"), strata=strata_of(inputs),
        weights=inputs.weights, offset=inputs.offset, ties=str(inputs.options["ties"]),
    )  # fmt: skip
    return cox_result(inputs, made)


MOST = 20_000_000
"""Rows at risk, summed over event times, up to which ties are counted exactly."""


def _exact(inputs: Inputs) -> Fit:
    """Count ties exactly: at each event time, which of the rows at risk had the events.

    The discrete model of Cox 1972: the conditional logit whose strata are the risk sets. A row's
    score is the sum of its scores over the event times at which it was at risk.

    Raises
    ------
    EstimationError
        Risk sets too large to be laid out; what `fit_conditional` refuses.
    UsageError
        For weights: there is no exact likelihood with them.
    """
    from foedus.errors import UsageError
    from foedus.models.methods.conditional import fit_conditional

    if inputs.weights is not None:
        raise UsageError('cox: ties="exact" takes no weights; use efron or breslow.')
    event = events_of(inputs)
    sets = risk_sets(
        inputs.y, event, inputs.numbers.get("start"), strata_of(inputs), None, "breslow"
    )
    rows, times, ends = _laid_out(inputs, sets, 'ties="exact"')
    found = fit_conditional(
        ends.astype(np.float64),
        inputs.X[rows],
        inputs.names,
        times,
        "exact",
        None if inputs.offset is None else inputs.offset[rows],
    )
    scores = np.column_stack([tally(rows, one, inputs.n) for one in found.scores.T])
    whole = replace(found, scores=scores, ancillary={})
    return whole.fit(
        inputs,
        HazardPredictor(),
        n_events=int(event.sum()),
        details={"event": event, "start": inputs.numbers.get("start")},
    )


def _laid_out(inputs: Inputs, sets: RiskSets, what: str) -> tuple[IntArray, IntArray, BoolArray]:
    """Return row, event time (its place) and whether it ends there, for each time at risk.

    Raises
    ------
    EstimationError
        If that is more than can be laid out.
    """
    from foedus.errors import EstimationError

    sizes = sets.last - sets.first
    total = int(sizes.sum())
    if total > MOST:
        raise EstimationError(
            f"cox: {what} would lay out {total:,} rows at risk, over {sets.n_times} event "
            f"times; the most is {MOST:,}."
        )
    rows = np.repeat(np.arange(inputs.n), sizes)
    within = np.arange(total) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    times = sets.first[rows] + within
    ends = np.full(inputs.n, -1)
    ends[sets.events] = sets.place
    return rows, times, np.asarray(times == ends[rows])


def _varying(inputs: Inputs) -> Fit:
    """Let coefficients change with the log of time: each row once for every event time at risk.

    Predictions are those at time 1, where the log is 0.

    Raises
    ------
    UsageError
        For exact ties, or a name that is no term.
    EstimationError
        What `fit_cox` refuses.
    """
    from foedus.errors import UsageError, nearest

    ties = str(inputs.options["ties"])
    if ties == "exact":
        raise UsageError('cox: varying= goes with ties="efron" or "breslow".')
    named = [part.strip() for part in str(inputs.options["varying"]).split("+")]
    for name in named:
        if name not in inputs.names:
            raise UsageError(
                f'cox: varying= names "{name}", which is no term. {nearest(name, inputs.names)}'
            )
    event = events_of(inputs)
    sets = risk_sets(
        inputs.y, event, inputs.numbers.get("start"), strata_of(inputs), inputs.weights, ties
    )
    rows, times, ends = _laid_out(inputs, sets, "varying=")
    places = [inputs.names.index(name) for name in named]
    long = inputs.X[rows]
    later = long[:, places] * np.log(sets.times[times])[:, None]
    extra = tuple(f"{name}:log(time)" for name in named)
    # Event times of all strata are numbered in one row, so that a time is a stratum's own.
    made = fit_cox(
        np.asarray(times + 1, dtype=np.float64), ends, np.column_stack([long, later]),
        [*inputs.names, *extra],
        start=times.astype(np.float64),
        weights=None if inputs.weights is None else inputs.weights[rows],
        offset=None if inputs.offset is None else inputs.offset[rows], ties=ties,
    )  # fmt: skip
    scores = np.column_stack([tally(rows, one, inputs.n) for one in made.scores.T])
    whole = cox_result(inputs, replace(made, scores=scores))
    details = {name: value for name, value in whole.details.items() if name != "cox"}
    return replace(whole, names=(*whole.names, *extra), details=details)


def cox_result(inputs: Inputs, made: CoxFit) -> Fit:
    """Wrap a fitted Cox model."""
    return Fit(
        estimator=inputs.estimator,
        names=inputs.parts[0].terms(),
        parts=inputs.parts,
        y=inputs.y,
        coef=made.coef,
        loglik=made.loglik,
        made=ready_ingredients(made.scores, made.bread),
        predictor=HazardPredictor(),
        weights=inputs.weights,
        offset=inputs.offset,
        iterations=made.iterations,
        ancillary={"loglik_null": made.loglik_null, "score_test": made.score_test},
        n_events=made.n_events,
        details={
            "cox": made,
            "event": events_of(inputs),
            "start": inputs.numbers.get("start"),
        },
    )
