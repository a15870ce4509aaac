"""Matching on coarsened conditions, and ratios of standard errors, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foedus.errors import EstimationError, UsageError
from foedus.studies.measures import MeasureContext, MeasureResult, get_measure


def run(name: str, panel: dict[str, Any], **options: Any) -> MeasureResult:
    entry = get_measure(name)
    return entry.run(MeasureContext(None, entry.resolve_options(options), panel))  # type: ignore[arg-type]


def value(result: MeasureResult, term: str, how: str | None = None) -> float:
    rows = [row for row in result.rows if row.term == term and how in (None, row.how)]
    assert rows[0].estimate is not None
    return rows[0].estimate


# Stratum a: 2 treated (1 outcome), 3 untreated (1); stratum b: 1 treated (1), 2 untreated (1);
# stratum c has no treated row and is left out.
ROWS = [
    ("a", 1, 1), ("a", 1, 0), ("a", 0, 1), ("a", 0, 0), ("a", 0, 0),
    ("b", 1, 1), ("b", 0, 1), ("b", 0, 0),
    ("c", 0, 1), ("c", 0, 0),
]  # fmt: skip


def panel() -> dict[str, Any]:
    stratum = np.array([{"a": 0.0, "b": 1.0, "c": 2.0}[row[0]] for row in ROWS])
    n = len(ROWS)
    return {
        "x": stratum,
        "treated": np.array([float(row[1]) for row in ROWS]),
        "dispute": np.array([float(row[2]) for row in ROWS]),
        "year": np.full(n, 1900.0),
        "ccode1": np.arange(n) % 4,
        "ccode2": np.arange(n) % 3 + 10,
    }


def test_rates_are_those_of_strata_weighed_by_their_treated_rows() -> None:
    made = run("coarsened_matching", panel(), exact=["x"])
    # 2/3 of the treated are in a, 1/3 in b: controls count 1/3 and 1/2.
    assert value(made, "rate treated") == pytest.approx(2 / 3)
    assert value(made, "rate untreated") == pytest.approx(2 / 3 * 1 / 3 + 1 / 3 * 1 / 2)
    assert value(made, "matched rows") == 8
    odds = (2 / 3) / (1 / 3) / ((7 / 18) / (11 / 18))
    assert value(made, "odds ratio") == pytest.approx(odds, rel=1e-6)
    assert value(made, "effect") == pytest.approx(np.log(odds), rel=1e-6)


def test_bins_match_where_exact_values_do() -> None:
    exact = run("coarsened_matching", panel(), exact=["x"])
    binned = run("coarsened_matching", panel(), coarsened={"x": [0.5, 1.5]})
    assert value(binned, "effect") == value(exact, "effect")
    one_bin = run("coarsened_matching", panel(), coarsened={"x": [9.0]})
    assert value(one_bin, "matched rows") == len(ROWS)


def test_within_keeps_a_part_and_missing_rows_are_left_out() -> None:
    columns = panel()
    columns["year"][5:] = 1950.0
    made = run("coarsened_matching", columns, exact=["x"], within={"year": [1890, 1910]})
    assert value(made, "matched rows") == 5
    columns["dispute"][0] = np.nan
    made = run("coarsened_matching", columns, exact=["x"])
    assert value(made, "matched rows") == 7
    with pytest.raises(EstimationError, match="no complete row"):
        run("coarsened_matching", columns, exact=["x"], within={"year": 2000})
    with pytest.raises(UsageError, match="not a variable"):
        run("coarsened_matching", columns, exact=["z"])
    with pytest.raises(UsageError, match="exact or coarsened"):
        run("coarsened_matching", columns)


def test_ratios_are_of_the_errors_that_the_estimator_gives() -> None:
    from foedus.models import estimate

    rng = np.random.default_rng(3)
    one, other = (part.ravel() for part in np.triu_indices(12, 1))
    effect = rng.normal(size=12)
    x = effect[one] + effect[other] + rng.normal(size=len(one))
    y = (x + rng.normal(size=len(one)) > 0).astype(float)
    columns = {"y": y, "x": x, "ccode1": one, "ccode2": other, "year": np.full(len(one), 1900)}
    made = run(
        "dyadic_error_ratio", columns, usual="classical",
        models=[{"estimator": "probit", "formula": "y ~ x"}],
    )  # fmt: skip
    fitted = estimate("y ~ x", columns, estimator="probit", cov=["classical", "dyadic"])
    place = list(fitted.terms).index("x")
    wanted = fitted.std_errors("classical")[place] / fitted.std_errors("dyadic")[place]
    assert value(made, "mean ratio") == pytest.approx(wanted)
    assert value(made, "still significant") in (0.0, 1.0)
    with pytest.raises(UsageError, match="not among"):
        run("dyadic_error_ratio", columns, models=[{"formula": "y ~ z"}])
