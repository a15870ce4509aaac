"""Numbers of spending studies that no coefficient is: descriptive statistics, long-run effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.registry import Option
from foedus.covariates.where import columns_in, keep_rows
from foedus.errors import EstimationError, UsageError, nearest
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure

Array = NDArray[np.float64]
DRAWS = 1000
WHERE = Option("", "Which rows, an expression over the study's variables and keys; all without.")


def _column(panel: Mapping[str, Array], name: str) -> Array:
    if name not in panel:
        raise UsageError(f'"{name}" is not a variable of the study. {nearest(name, panel)}')
    return np.asarray(panel[name], np.float64)


def kept_rows(panel: Mapping[str, Array], where: str) -> Mapping[str, Array]:
    """Return the panel's rows that an expression over its columns keeps; all without one."""
    if not where:
        return panel
    used = {name: _column(panel, name) for name in sorted(columns_in(where))}
    kept = np.asarray(keep_rows(where, used))
    return {name: values[kept] for name, values in panel.items()}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


@measure(
    "describe",
    says="Mean, sum, median, standard deviation and range of variables of the sample.",
    citations=["alley_fuhrmann_2021"],
    options={
        "variables": Option("", "Variables, separated by commas."),
        "where": WHERE,
        "complete": Option(True, "Only rows in which all of them are known."),
        "least": Option(2, "Fewest rows to speak of; a single one has no standard deviation."),
    },
)
def describe(context: MeasureContext) -> MeasureResult:
    """Return ``mean X``, ``median X``, ``min X``, ``max X``, ``sum X``, from two rows ``sd X``."""
    assert context.panel is not None
    panel = kept_rows(context.panel, context.options["where"])
    options = context.options
    names = _names(options["variables"])
    columns = {name: _column(panel, name) for name in names}
    known: dict[str, Any] = {name: ~np.isnan(values) for name, values in columns.items()}
    if context.options["complete"]:
        shared = np.logical_and.reduce(list(known.values()))
        known = dict.fromkeys(names, shared)
    rows: list[MeasureRow] = []
    for name in names:
        values = columns[name][known[name]]
        if len(values) < options["least"]:
            raise EstimationError(f"describe: {name} is known in {len(values)} rows.")
        facts = {
            "mean": values.mean(),
            "median": np.median(values),
            "min": values.min(),
            "max": values.max(),
            "sum": values.sum(),
        }
        if len(values) > 1:
            facts["sd"] = values.std(ddof=1)
        rows += [
            MeasureRow(f"{word} {name}", float(value), n=len(values))
            for word, value in facts.items()
        ]
    return MeasureResult(rows, sentences=["Standard deviations divide by n - 1."])


@measure(
    "long_run",
    says="The long-run effect of a lagged regressor in an autoregression, by the delta method.",
    citations=["alley_fuhrmann_2021", "webb_linn_lebo_2019"],
    options={
        "outcome": Option("", "The outcome."),
        "lags": Option("", "Its lags among the regressors, separated by commas."),
        "effects": Option("", "Regressors whose effects add up, separated by commas."),
        "controls": Option("", "Other regressors, separated by commas."),
        "form": Option("levels", "levels: effect / (1 - lags); changes: -effect / lag.",
                       ("levels", "changes")),
        "where": WHERE,
        "step": Option(1.0, "The change of the regressor that is spoken of."),
        "years": Option(1, "After how many years the effect has added up, with an interval from "
                        "draws (one lag only)."),
    },
)  # fmt: skip
def long_run(context: MeasureContext) -> MeasureResult:
    """Return the short-run and the long-run effect of `step`, with delta-method errors.

    Intervals are the estimate and two standard errors either side, as Alley & Fuhrmann (2021) and
    Webb, Linn & Lebo (2019) have them; `t` is the long-run effect over its error.
    """
    assert context.panel is not None
    options = context.options
    panel = kept_rows(context.panel, options["where"])
    lags, effects = _names(options["lags"]), _names(options["effects"])
    names = [*lags, *effects, *_names(options["controls"])]
    y = _column(panel, options["outcome"])
    X = np.column_stack([np.ones(len(y)), *(_column(panel, name) for name in names)])
    complete = ~(np.isnan(y) | np.isnan(X).any(axis=1))
    y, X = y[complete], X[complete]
    n, k = X.shape
    if n <= k or np.linalg.matrix_rank(X) < k:
        raise EstimationError(f"long_run: {n} rows can't settle {k} coefficients.")
    inverse = np.linalg.inv(X.T @ X)
    b = inverse @ (X.T @ y)
    residuals = y - X @ b
    V = inverse * float(residuals @ residuals) / (n - k)
    at_lag = slice(1, 1 + len(lags))
    at_effect = slice(1 + len(lags), 1 + len(lags) + len(effects))
    below = 1.0 - b[at_lag].sum() if options["form"] == "levels" else -b[at_lag].sum()
    short = b[at_effect].sum()
    gradient = np.zeros(k)
    gradient[at_effect] = 1 / below
    gradient[at_lag] = short / below**2
    step = float(options["step"])
    total = step * short / below
    error = abs(step) * float(np.sqrt(gradient @ V @ gradient))
    short_error = abs(step) * float(np.sqrt(V[at_effect, at_effect].sum()))
    found = {
        "short run": (step * short, short_error),
        "long run": (total, error),
    }
    rows = [
        MeasureRow(
            name, value, std_error=one, ci_low=value - 2 * one, ci_high=value + 2 * one, n=n,
            how="delta method",
        )
        for name, (value, one) in found.items()
    ]  # fmt: skip
    for name, (value, one) in found.items():
        rows += [
            MeasureRow(f"{name} lower", value - 2 * one, n=n),
            MeasureRow(f"{name} upper", value + 2 * one, n=n),
            MeasureRow(f"{name} error", one, n=n),
            MeasureRow(f"{name} t", value / one, n=n),
        ]
    if len(lags) == 1 and options["form"] == "levels":
        draws = context.rng().multivariate_normal(b, V, DRAWS)
        rows += _after(draws[:, 1], draws[:, at_effect].sum(axis=1) * step, options["years"], n)
    return MeasureResult(rows, sentences=["Intervals are two standard errors either side."])


def _after(lag: Array, effect: Array, years: int, n: int) -> list[MeasureRow]:
    """Return the effect added up over `years` years: median and 95 percent interval of draws."""
    total = effect * sum(lag**power for power in range(int(years)))
    low, middle, high = np.quantile(total, [0.025, 0.5, 0.975])
    how = f"normal draws {DRAWS}"
    return [
        MeasureRow(
            "after years", float(middle), ci_low=float(low), ci_high=float(high), n=n, how=how
        ),
        MeasureRow("after years lower", float(low), n=n, how=how),
        MeasureRow("after years upper", float(high), n=n, how=how),
    ]
