"""Descriptive statistics and long-run effects against numpy by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foedus.errors import EstimationError, UsageError
from foedus.studies.measures import MeasureContext, get_measure


def run(name: str, panel: dict[str, Any], **options: Any) -> dict[str, Any]:
    entry = get_measure(name)
    tables: Any = None
    made = entry.run(MeasureContext(tables, entry.resolve_options(options), panel))
    return {row.term: row for row in made.rows}


@pytest.fixture(scope="module")
def panel() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    n = 80
    x = rng.normal(size=n)
    y = np.zeros(n)
    for t in range(1, n):
        y[t] = 1 + 0.6 * y[t - 1] + 2.0 * x[t] + rng.normal()
    before = np.r_[np.nan, y[:-1]]
    return {"y": y, "before": before, "x": x, "year": np.arange(1900, 1900 + n)}


def test_describe_counts_complete_rows(panel: dict[str, Any]) -> None:
    made = run("describe", panel, variables="y, before", where="year < 1950")
    kept = panel["y"][1:50]
    assert made["mean y"].estimate == pytest.approx(kept.mean())
    assert made["sd y"].estimate == pytest.approx(kept.std(ddof=1))
    assert made["max before"].estimate == pytest.approx(panel["before"][1:50].max())
    assert made["min y"].n == 49


def test_the_long_run_is_the_effect_over_one_minus_the_lag(panel: dict[str, Any]) -> None:
    made = run("long_run", panel, outcome="y", lags="before", effects="x", years=1)
    X = np.column_stack([np.ones(79), panel["before"][1:], panel["x"][1:]])
    y = panel["y"][1:]
    b = np.linalg.solve(X.T @ X, X.T @ y)
    V = np.linalg.inv(X.T @ X) * ((y - X @ b) ** 2).sum() / 76
    ratio = lambda c: c[2] / (1 - c[1])  # noqa: E731
    # The gradient by differences, where the code has it in closed form.
    step = 1e-6
    g = np.array([(ratio(b + step * e) - ratio(b - step * e)) / (2 * step) for e in np.eye(3)])
    error = np.sqrt(g @ V @ g)
    assert made["long run"].estimate == pytest.approx(ratio(b))
    assert made["long run error"].estimate == pytest.approx(error, rel=1e-6)
    assert made["long run upper"].estimate == pytest.approx(ratio(b) + 2 * error, rel=1e-6)
    assert made["short run"].estimate == pytest.approx(b[2])
    # After one year the effect is the short run's; draws leave it within their noise.
    assert made["after years"].estimate == pytest.approx(
        b[2], abs=4 * np.sqrt(V[2, 2] / 1000) * 1.3
    )


def test_changes_are_the_levels_model_in_other_words(panel: dict[str, Any]) -> None:
    change = {**panel, "change": panel["y"] - panel["before"]}
    levels = run("long_run", panel, outcome="y", lags="before", effects="x", step=3.0)
    same = run("long_run", change, outcome="change", lags="before", effects="x", step=3.0,
               form="changes")  # fmt: skip
    for term in ("long run", "long run error", "long run t"):
        assert same[term].estimate == pytest.approx(levels[term].estimate)


def test_what_cannot_be_had_is_said(panel: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="Nearest: before"):
        run("describe", panel, variables="befor")
    with pytest.raises(EstimationError, match="rows"):
        run("long_run", panel, outcome="y", lags="before", effects="x", where="year < 1903")
