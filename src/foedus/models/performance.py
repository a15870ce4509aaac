"""How well a model of a 0/1 outcome tells events from the rest, in the sample and out of it.

Curves and tables are frames for `foedus.report` to draw: ROC and precision-recall curves
(Davis and Goadrich 2006, ICML), calibration by groups of like prediction, the separation plot
(Greenhill, Ward and Sacks 2011, AJPS 55). Out of sample, each row is predicted by the estimate
without its fold or year (Ward, Greenhill and Bakke 2010, Journal of Peace Research 47).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from foedus.errors import EstimationError, UsageError
from foedus.models.arrays import FloatArray, IntArray, codes_of
from foedus.models.influence import column_of, estimates_without

if TYPE_CHECKING:
    import pandas as pd

    from foedus.models.result import Result

MEASURES = ("auc", "average_precision", "brier", "log_score")


def _checked(y: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    if y.shape != p.shape or y.ndim != 1:
        raise UsageError(f"outcomes {y.shape} and predictions {p.shape} must be two columns.")
    if not bool(((y == 0.0) | (y == 1.0)).all()) or not bool(np.isfinite(p).all()):
        raise UsageError("outcomes must be 0 or 1 and predictions numbers.")
    if y.min(initial=1.0) == y.max(initial=0.0):
        raise EstimationError("all outcomes are the same: nothing tells events from the rest.")
    return y, p


def _steps(y: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return thresholds from high to low, and events and rows at or above each."""
    order = np.argsort(-p)  # in whatever order among equals: only where they end is looked at
    ranked, hits = p[order], np.cumsum(y[order])
    last = np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)
    return ranked[last], hits[last], (last + 1).astype(np.float64)


def roc_curve(y: FloatArray, p: FloatArray) -> pd.DataFrame:
    """Return the ROC curve: threshold, false_positive_rate, true_positive_rate.

    Parameters
    ----------
    y, p : float array
        Outcomes (0 or 1) and predictions.
    """
    import pandas as pd

    y, p = _checked(y, p)
    threshold, hits, rows = _steps(y, p)
    events = float(y.sum())
    return pd.DataFrame(
        {
            "threshold": np.append(np.inf, threshold),
            "false_positive_rate": np.append(0.0, (rows - hits) / (y.size - events)),
            "true_positive_rate": np.append(0.0, hits / events),
        }
    )


def precision_recall_curve(y: FloatArray, p: FloatArray) -> pd.DataFrame:
    """Return the precision-recall curve: threshold, recall, precision."""
    import pandas as pd

    y, p = _checked(y, p)
    threshold, hits, rows = _steps(y, p)
    return pd.DataFrame(
        {"threshold": threshold, "recall": hits / float(y.sum()), "precision": hits / rows}
    )


def measures(y: FloatArray, p: FloatArray) -> dict[str, float]:
    """Return measures of predictions of a 0/1 outcome.

    Parameters
    ----------
    y, p : float array
        Outcomes and predicted probabilities.

    Returns
    -------
    dict
        auc (the chance that an event is ranked above another row, ties counted half),
        average_precision (precision averaged over events, as ranked), brier (mean squared error)
        and log_score (mean log-likelihood), which an impossible event makes minus infinity.
    """
    y, p = _checked(y, p)
    _, hits, rows = _steps(y, p)
    events = float(y.sum())
    gained = np.diff(np.append(0.0, hits))
    others = np.diff(np.append(0.0, rows - hits))
    below = (y.size - events) - (rows - hits)
    with np.errstate(divide="ignore"):
        # a linear probability model may predict less than 0 or more than 1
        inside = np.clip(p, 0.0, 1.0)
        log_score = float(np.log(np.where(y > 0, inside, 1.0 - inside)).mean())
    return {
        "auc": float((gained * (below + 0.5 * others)).sum() / (events * (y.size - events))),
        "average_precision": float((gained * hits / rows).sum() / events),
        "brier": float(((y - p) ** 2).mean()),
        "log_score": log_score,
    }


def calibration(y: FloatArray, p: FloatArray, groups: int = 10) -> pd.DataFrame:
    """Return observed shares of events among rows of like prediction.

    Parameters
    ----------
    y, p : float array
        Outcomes and predictions.
    groups : int
        Groups of about equal numbers of rows, by rank of prediction; rows of the same prediction
        stay together.

    Returns
    -------
    DataFrame
        predicted (mean), observed (share), ci_low, ci_high (Wilson's 95 % interval), rows, events.
    """
    import pandas as pd

    y, p = _checked(y, p)
    edges = np.quantile(p, np.linspace(0.0, 1.0, groups + 1)[1:-1])
    codes, _ = codes_of(np.searchsorted(np.unique(edges), p, side="left"))
    rows = np.bincount(codes).astype(np.float64)
    events = np.bincount(codes, weights=y)
    observed, z = events / rows, 1.959963984540054
    middle = (observed + z * z / (2 * rows)) / (1 + z * z / rows)
    half = (
        z
        / (1 + z * z / rows)
        * np.sqrt(observed * (1 - observed) / rows + z * z / (4 * rows * rows))
    )
    return pd.DataFrame(
        {
            "predicted": np.bincount(codes, weights=p) / rows,
            "observed": observed,
            "ci_low": middle - half,
            "ci_high": middle + half,
            "rows": rows.astype(np.int64),
            "events": events.astype(np.int64),
        }
    )


def separation_plot(y: FloatArray, p: FloatArray, strips: int = 1000) -> pd.DataFrame:
    """Return the separation plot's strips: rows ranked by prediction, and the events among them.

    Parameters
    ----------
    y, p : float array
        Outcomes and predictions.
    strips : int
        At most this many strips of about equal numbers of rows.

    Returns
    -------
    DataFrame
        position (share of rows ranked lower, middle of the strip), predicted (mean), events, rows.
    """
    import pandas as pd

    y, p = _checked(y, p)
    order = np.argsort(p, kind="stable")
    strips = min(strips, y.size)
    codes = (np.arange(y.size) * strips) // y.size
    rows = np.bincount(codes)
    ends = np.cumsum(rows)
    return pd.DataFrame(
        {
            "position": (ends - rows / 2) / y.size,
            "predicted": np.bincount(codes, weights=p[order]) / rows,
            "events": np.bincount(codes, weights=y[order]).astype(np.int64),
            "rows": rows,
        }
    )


def predict_left_out(result: Result, data: Any, by: str | int = 10, *, seed: int = 0) -> FloatArray:
    """Predict each row by the estimate without its fold, or without its value of a column.

    Parameters
    ----------
    result : Result
        A model of one index, fitted by `estimate` on `data`.
    data : frame
        The rows it was estimated from.
    by : str or int
        A column (leave one year out: "year"), or a number of folds of rows dealt at random.
    seed : int
        Of the folds.

    Returns
    -------
    float array
        One prediction a row used.

    Raises
    ------
    EstimationError
        If without some fold the terms are no longer identified.
    """
    codes, n_groups = _folds(result, data, by, seed)
    estimates, _ = estimates_without(result, [codes], n_groups, steps=1, exact=True)
    lost = ~np.isfinite(estimates).all(axis=1)
    if lost.any():
        raise EstimationError(
            f"without {int(lost.sum())} of {n_groups} folds some term is no longer identified; "
            "leave that term out."
        )
    fit = result.fit
    assert fit.family is not None
    eta = np.einsum("ij,ij->i", fit.X, estimates[codes])
    return fit.family.mean(eta if fit.offset is None else eta + fit.offset)


def _folds(result: Result, data: Any, by: str | int, seed: int) -> tuple[IntArray, int]:
    if isinstance(by, str):
        return codes_of(column_of(result, data, by))
    if not 2 <= by <= result.n_obs:
        raise UsageError(f"{by} folds of {result.n_obs} rows: take 2 or more, at most one a row.")
    dealt = np.arange(result.n_obs, dtype=np.int64) % by
    return np.random.default_rng(seed).permutation(dealt), by


def with_and_without(
    formula: str,
    data: Any,
    without: Sequence[str],
    *,
    estimator: str = "logit",
    by: str | int = 10,
    seed: int = 0,
    **options: Any,
) -> pd.DataFrame:
    """Compare predictions with and without given terms, in the sample and out of it.

    Parameters
    ----------
    formula : str
        The model with all terms.
    data : frame
        Its rows; both models are fitted to those complete for the whole formula.
    without : sequence of str
        The terms that the second model leaves out.
    estimator : str
        Of a 0/1 outcome, with one index.
    by, seed
        As in `predict_left_out`.
    **options : object
        Of `foedus.models.estimate`.

    Returns
    -------
    DataFrame
        model ("with", "without"), sample ("in", "out"), and MEASURES.
    """
    import pandas as pd

    from foedus.models.estimation import estimate
    from foedus.models.formula import parse_formula

    known = {":".join(term) for term in parse_formula(formula).terms}
    for term in without:
        if term not in known:
            raise UsageError(f'"{term}" is not a term of "{formula}".')
    full = estimate(formula, data, estimator, **options)
    shorter = formula + "".join(f" - {term}" for term in without)
    rows = data if full.kept is None else _rows_of(data, full.kept)
    small = estimate(shorter, rows, estimator, **options)
    table = []
    for name, result, frame in (("with", full, data), ("without", small, rows)):
        outside = predict_left_out(result, frame, by, seed=seed)
        for sample, p in (("in", result.predict()), ("out", outside)):
            table.append({"model": name, "sample": sample, **measures(result.fit.y, p)})
    return pd.DataFrame(table)


def _rows_of(data: Any, keep: Any) -> Any:
    if isinstance(data, dict):
        return {name: np.asarray(column)[keep] for name, column in data.items()}
    return data.loc[keep] if hasattr(data, "loc") else data.filter(keep)
