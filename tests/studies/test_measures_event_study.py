"""Event studies and matched controls on samples whose answers can be had by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foedus.errors import EstimationError, UsageError
from foedus.studies.measures import MeasureContext, MeasureRow, get_measure
from foedus.studies.measures_event_study import adoption


def rows_of(measure: str, panel: dict[str, Any], **options: Any) -> dict[str, MeasureRow]:
    entry = get_measure(measure)
    made = entry.run(MeasureContext(None, entry.resolve_options(options), panel))  # type: ignore[arg-type]
    return {row.term: row for row in reversed(made.rows)}


def staggered(effect: float, noise: float = 0.0) -> dict[str, Any]:
    """30 states over 20 years: ten treated from year 8 on, ten from 12, ten never."""
    rng = np.random.default_rng(3)
    state, year = (
        grid.ravel() for grid in np.meshgrid(np.arange(30), np.arange(1900, 1920), indexing="ij")
    )
    start = np.select([state < 10, state < 20], [1908, 1912], 9999)
    treated = (year >= start).astype(float)
    y = 0.3 * state + 0.1 * (year - 1900) + effect * treated * (1 + (year - start))
    y = y + noise * rng.normal(size=y.size)
    return {"ccode": state, "year": year, "pact": treated, "y": y}


@pytest.mark.parametrize("method", ["callaway_santanna", "sun_abraham", "imputation"])
def test_an_effect_that_grows_is_found_year_by_year(method: str) -> None:
    found = rows_of("event_study", staggered(0.5), outcome="y", treated="pact", methods=[method],
                    before=4, after=5)  # fmt: skip
    for since in range(6):
        assert found[f"t{since:+d}"].estimate == pytest.approx(0.5 * (since + 1), abs=1e-9)
    # both cohorts are seen in all six years: their mean is that of 0.5, 1.0 ... 3.0
    assert found["average"].estimate == pytest.approx(1.75, abs=1e-9)
    assert (found["units treated"].estimate, found["units never treated"].estimate) == (20, 10)


def test_the_leads_are_tested_together() -> None:
    panel = staggered(0.0, noise=1.0)
    calm = rows_of("event_study", panel, outcome="y", treated="pact", before=4, after=3)
    assert calm["leads"].p_value is not None
    assert calm["leads"].p_value > 0.01
    before = np.isin(panel["year"] - np.where(panel["ccode"] < 10, 1908, 1912), [-3, -2, -1])
    panel["y"] = panel["y"] + 2.0 * (before & (panel["ccode"] < 20)) * (panel["year"] - 1900)
    stirred = rows_of("event_study", panel, outcome="y", treated="pact", before=4, after=3)
    assert stirred["leads"].p_value is not None
    assert stirred["leads"].p_value < 1e-6


def test_who_is_used_and_who_is_left_out() -> None:
    #       never        from 3 on     treated when first seen   not seen in year 2
    unit = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3])
    time = np.array([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 1, 3, 4.0])
    flag = np.array([0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 1.0])
    found = adoption(unit, time, flag, -1, 0)
    assert (found.treated, found.never, found.from_start) == (1, 1, 2)
    assert found.rows.tolist() == [0, 1, 2, 3, 5, 6]  # of unit 1, the year before and the first
    assert found.cohort[-2:].tolist() == [3.0, 3.0]


def test_nobody_to_compare_with_is_refused() -> None:
    with pytest.raises(EstimationError, match="never treated"):
        adoption(np.array([0, 0]), np.array([1.0, 2.0]), np.array([0.0, 1.0]), -1, 1)
    with pytest.raises(UsageError, match="panel: true"):
        get_measure("event_study").run(MeasureContext(None, {"outcome": "y"}, None))  # type: ignore[arg-type]


def test_controls_that_are_gone_by_then_are_refused() -> None:
    panel = staggered(0.5)
    seen = (panel["ccode"] < 20) | (panel["year"] < 1906)  # the untreated leave before any pact
    with pytest.raises(EstimationError, match="in a year after its treatment"):
        rows_of("event_study", {name: column[seen] for name, column in panel.items()},
                outcome="y", treated="pact", before=4, after=3)  # fmt: skip


def test_coarsened_matches_by_hand() -> None:
    x = np.repeat([0.0, 1.0, 2.0, 3.0], [6, 6, 6, 2])
    d = np.array([1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1], float)
    y = np.arange(20.0) ** 1.5
    panel = {"x": x, "d": d, "y": y, "year": np.full(20, 1900), "ccode1": np.arange(20),
             "ccode2": np.arange(20)}  # fmt: skip
    found = rows_of(
        "matched_controls", panel, outcome="y", treated="d", alike_in=["x"], exact=["x"]
    )
    cells = [0.0, 1.0, 2.0]  # the fourth holds no untreated row
    inside = [(y[(x == c) & (d == 1)], y[(x == c) & (d == 0)]) for c in cells]
    n = sum(len(treated) for treated, _ in inside)
    by_hand = sum(len(t) * (t.mean() - u.mean()) for t, u in inside) / n
    assert found["matched"].estimate == pytest.approx(by_hand, abs=1e-10)
    assert found["raw difference"].estimate == pytest.approx(y[d == 1].mean() - y[d == 0].mean())


def test_weights_take_out_what_both_depend_on() -> None:
    rng = np.random.default_rng(11)
    n = 20_000
    x = rng.normal(size=n)
    d = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(float)
    y = 2.0 * x + 0.5 * d + rng.normal(size=n)
    panel = {"x": x, "d": d, "y": y, "year": np.full(n, 1900), "ccode1": np.arange(n),
             "ccode2": np.arange(n)}  # fmt: skip
    found = rows_of("matched_controls", panel, outcome="y", treated="d", alike_in=["x"])
    for term in ("weighted", "doubly robust"):
        row = found[term]
        assert row.estimate is not None
        assert row.std_error is not None
        assert abs(row.estimate - 0.5) < 3 * row.std_error < 0.15
    assert found["raw difference"].estimate == pytest.approx(2.1, abs=0.4)
