"""What the figures of a study's leading models are drawn from, kept beside its results.

For each model of the headline: how well it tells events from the rest (ROC, precision and recall,
calibration, the separation plot), in the sample and for years left out, with the leading terms and
without them; how far each state (else war, alliance, dispute) moves a leading estimate when it is
left out; and how the effect depends on the other variable where the formula holds a product.

The rows are estimated once more here, since a run keeps none of its models' rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from foedus.studies.estimation import CAUGHT, Estimation
from foedus.studies.fit import parsed

if TYPE_CHECKING:
    import pandas as pd

    from foedus.models.result import Result

MOST_MODELS = 2
"""Models of a study that are portrayed: those of its first headlines."""

POINTS, STRIPS = 200, 240
"""Most points of a curve, and strips of a separation plot."""

FOLDS = 10
"""Years (else rows) are left out in as many parts."""

ROWS_LEFT_OUT = 300_000
"""Models of more rows are judged in the sample only: leaving years out would take too long."""

ROWS_TWICE = 300_000
"""With more rows a unit's influence is its first Newton step alone; `gap` says what may remain."""

UNITS = ("warnum", "atopid", "dispnum", "ccode")
"""What is left out one at a time where rows aren't dyads: the first of these that repeats."""

LEVELS = 9
"""Values of the other variable of a product at which the effect is drawn."""

_TEXT, _REAL, _WHOLE = pa.string(), pa.float64(), pa.int64()
PORTRAITS = pa.schema(
    [
        ("study", _TEXT), ("figure", _TEXT), ("model", _TEXT), ("term", _TEXT), ("series", _TEXT),
        ("label", _TEXT), ("x", _REAL), ("y", _REAL), ("low", _REAL), ("high", _REAL),
        ("n", _WHOLE), ("events", _WHOLE),
    ]
)  # fmt: skip
"""One row a point: roc, precision_recall, calibration, separation, measures, influence,
interaction."""

Row = dict[str, Any]


def portrait_rows(declared: Estimation) -> list[Row]:
    """Return the points of all figures of the study's leading models.

    A figure that a model doesn't allow (an outcome that isn't 0/1, no single index, a term lost in
    some fold) is left out without a word: nothing hangs on it.
    """
    rows: list[Row] = []
    declared.memo.room.empty()  # the models here have matrices of their own
    for model, terms in _leading(declared).items():
        made = _fitted(declared, model)
        if made is None:
            continue
        result, data = made
        painters = (
            _performance(declared, model, terms, result, data),
            _influence(model, terms, result, data),
            _interaction(declared, model, terms, result),
        )
        for painter in painters:
            try:
                rows += list(painter)
            except (*CAUGHT, np.linalg.LinAlgError):
                continue
    return rows


def _leading(declared: Estimation) -> dict[str, list[str]]:
    """Return the models of the headline with their leading terms, the first few."""
    found: dict[str, list[str]] = {}
    for line in declared.design.leading:
        if line.model in declared.design.models and line.term not in found.get(line.model, []):
            found.setdefault(line.model, []).append(line.term)
    return dict(list(found.items())[:MOST_MODELS])


def _fitted(declared: Estimation, model: str) -> tuple[Result, dict[str, Any]] | None:
    from foedus.models import estimate, find_estimator

    spec = declared.design.models[model]
    try:
        data = declared.data_of(model)
        options = dict(spec.options)
        if find_estimator(spec.estimator).starts:
            known = declared.fit(model)
            options["near"] = dict(zip(known.names, known.params.tolist(), strict=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            result = estimate(
                spec.formula, data, estimator=spec.estimator, cov=[spec.covariance[0]],
                numbering=declared.frame.numbering(spec.covariance[:1], declared.rows(model)),
                **options,
            )  # fmt: skip
    except CAUGHT:
        return None
    return result, data


# ------------------------------------------------------------------------------------ performance
def _performance(
    declared: Estimation,
    model: str,
    terms: Sequence[str],
    result: Result,
    data: Mapping[str, Any],
) -> Iterator[Row]:
    from foedus.models import performance

    family = result.fit.family
    if family is None or not family.binary or result.fit.weights is not None:
        return
    y, p = result.fit.y, np.asarray(result.predict(), dtype=np.float64)
    shared = {"model": model, "term": "", "label": "", "series": "in the sample"}
    roc = _thinned(performance.roc_curve(y, p))
    for x, high in zip(roc["false_positive_rate"], roc["true_positive_rate"], strict=True):
        yield {**shared, "figure": "roc", "x": x, "y": high}
    curve = _thinned(performance.precision_recall_curve(y, p))
    for x, high in zip(curve["recall"], curve["precision"], strict=True):
        yield {**shared, "figure": "precision_recall", "x": x, "y": high}
    for one in performance.calibration(y, p).to_dict("records"):
        yield {
            **shared, "figure": "calibration", "x": one["predicted"], "y": one["observed"],
            "low": one["ci_low"], "high": one["ci_high"], "n": one["rows"],
            "events": one["events"],
        }  # fmt: skip
    for one in performance.separation_plot(y, p, STRIPS).to_dict("records"):
        yield {
            **shared, "figure": "separation", "x": one["position"], "y": one["predicted"],
            "n": one["rows"], "events": one["events"],
        }  # fmt: skip
    yield from _scores(shared, performance.measures(y, p), result)
    yield from _left_out(declared, model, terms, result, data)


def _scores(shared: Row, scores: Mapping[str, float], result: Result) -> Iterator[Row]:
    for name, value in scores.items():
        yield {
            **shared, "figure": "measures", "label": name, "y": value, "n": result.n_obs,
            "events": result.n_events,
        }  # fmt: skip


def _left_out(
    declared: Estimation,
    model: str,
    terms: Sequence[str],
    result: Result,
    data: Mapping[str, Any],
) -> Iterator[Row]:
    """Yield measures for years left out in ten parts, with the leading terms and without."""
    from foedus.models import performance

    spec = declared.design.models[model]
    inside = {":".join(term) for term in parsed(spec.formula).terms}
    gone = [term for term in terms if term in inside]
    if result.n_obs > ROWS_LEFT_OUT or not gone:
        return
    by: str | int = FOLDS
    columns = dict(data)
    if "year" in columns:
        years = np.asarray(columns["year"])
        # Years are dealt in turn, so that every part has years of every era.
        columns["_part"] = np.unique(years, return_inverse=True)[1] % FOLDS
        by = "_part"
    options = {name: value for name, value in spec.options.items() if name != "by"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        table = performance.with_and_without(
            spec.formula, columns, gone, estimator=spec.estimator, by=by, cov=["classical"],
            **options,
        )  # fmt: skip
    what = "years left out" if isinstance(by, str) else "rows left out"
    for one in table.to_dict("records"):
        where = "in the sample" if one["sample"] == "in" else what
        if (one["model"], one["sample"]) == ("with", "in"):
            continue
        series = f"{where}, without the leading terms" if one["model"] == "without" else where
        shared = {"model": model, "term": "", "series": series}
        yield from _scores(shared, {name: one[name] for name in performance.MEASURES}, result)


def _thinned(curve: pd.DataFrame) -> pd.DataFrame:
    """Return about `POINTS` points of a curve, its ends among them."""
    if len(curve) <= POINTS:
        return curve
    # Half are even along the curve's steps, half along its start, where rare events bend it.
    even = np.linspace(0, len(curve) - 1, POINTS // 2)
    early = np.geomspace(1, len(curve), POINTS // 2) - 1
    return curve.iloc[np.unique(np.concatenate([even, early]).round().astype(np.int64))]


# -------------------------------------------------------------------------------------- influence
def _influence(
    model: str, terms: Sequence[str], result: Result, data: Mapping[str, Any]
) -> Iterator[Row]:
    from foedus.models import leave_one_out

    by = _unit_left_out(data)
    if by is None or result.fit.family is None:
        return
    steps = 1 if result.n_obs <= ROWS_TWICE else 0
    left = leave_one_out(result, data, by=by, steps=steps)
    for term in terms:
        if term not in left.terms:
            continue
        place = left.terms.index(term)
        full, error = float(left.full[place]), float(left.std_error[place])
        for row, label in enumerate(left.labels):
            value = float(left.estimates[row, place])
            if np.isfinite(value):
                yield {
                    "figure": "influence", "model": model, "term": term, "series": by,
                    "label": str(label), "x": value, "y": (value - full) / error,
                    "n": int(left.rows[row]), "events": int(left.events[row]),
                }  # fmt: skip
        yield {
            "figure": "influence", "model": model, "term": term, "series": "all", "label": "",
            "x": full, "low": left.gap, "n": result.n_obs, "events": result.n_events,
        }  # fmt: skip


def _unit_left_out(data: Mapping[str, Any]) -> str | None:
    """Return what is left out one at a time: the states of dyads, else the first repeated unit."""
    if "ccode1" in data and "ccode2" in data:
        return "states"
    for name in UNITS:
        if name in data:
            values = np.asarray(data[name])
            if 2 < len(np.unique(values)) < len(values):
                return name
    # Each row is a unit of its own: leaving one out is leaving a war, say, out.
    return next((name for name in UNITS if name in data), None)


# ------------------------------------------------------------------------------------ interaction
def _interaction(
    declared: Estimation, model: str, terms: Sequence[str], result: Result
) -> Iterator[Row]:
    from foedus.models import interaction

    for term, other in _products(declared.design.models[model].formula, terms):
        values = _levels(declared, model, other)
        if values is None:
            continue
        moved = _span(declared, model, term)
        at = "observed" if result.n_obs <= ROWS_TWICE else "means"
        made = interaction(result, term, other, values, start=moved[0], end=moved[1], at=at)
        second = made.second_difference["p_value"]
        for one in made.effects.to_dict("records"):
            yield {
                "figure": "interaction", "model": model, "term": term, "series": other,
                "label": f"{second:.6g}", "x": one[other], "y": one["difference"],
                "low": one["ci_low"], "high": one["ci_high"], "n": result.n_obs,
                "events": result.n_events,
            }  # fmt: skip


def _products(formula: str, terms: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield a leading term and the other variable of each product that holds it."""
    for factors in parsed(formula).terms:
        for term in terms:
            plain = all("(" not in one for one in factors)
            if len(factors) == 2 and term in factors and factors[0] != factors[1] and plain:
                yield term, factors[1] if factors[0] == term else factors[0]


def _values(declared: Estimation, model: str, name: str) -> Any:
    if name not in declared.frame.known:
        return None
    return declared.frame.data([name], declared.rows(model))[name]


def _levels(declared: Estimation, model: str, name: str) -> list[float] | None:
    values = _values(declared, model, name)
    if values is None or values.dtype.kind == "O":
        return None
    known = np.unique(values)
    if len(known) <= LEVELS:
        return [float(one) for one in known] if len(known) > 1 else None
    low, high = np.quantile(values, [0.05, 0.95])
    return [float(one) for one in np.linspace(low, high, LEVELS)]


def _span(declared: Estimation, model: str, name: str) -> tuple[float, float]:
    """Return the change that is followed: 0 to 1 of a flag, else one standard deviation up."""
    values = _values(declared, model, name)
    if values is None or bool(((values == 0.0) | (values == 1.0)).all()):
        return 0.0, 1.0
    middle, spread = float(values.mean()), float(values.std())
    return middle - spread / 2, middle + spread / 2
