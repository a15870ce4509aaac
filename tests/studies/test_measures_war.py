"""Measures of reliability, joining and tails on cases with known answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from foedus.errors import UsageError
from foedus.studies.measures import MeasureContext, MeasureResult, get_measure
from foedus.studies.measures_reliability import (
    Flags,
    exact_binomial,
    kappa,
    rows_of,
    share_rows,
    wilson,
)
from tests.covariates.conftest import SmallTables
from tests.panels.test_war_units import WARS


def run(name: str, tables: Any = None, panel: Any = None, **options: Any) -> MeasureResult:
    entry = get_measure(name)
    return entry.run(MeasureContext(tables, entry.resolve_options(options), panel))


def by_term(result: MeasureResult) -> dict[str, Any]:
    return {row.term: row for row in reversed(result.rows)}


def test_intervals_of_a_share() -> None:
    # Newcombe 1998, Statistics in Medicine 17: 81 of 263; printed to four digits.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    low, high = exact_binomial(81, 263)
    assert (low, high) == pytest.approx((0.2527, 0.3676), abs=5e-5)
    test = stats.binomtest(81, 263).proportion_ci(method="exact")
    assert (low, high) == pytest.approx((test.low, test.high), rel=1e-9)


def test_intervals_at_the_edges() -> None:
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0
    assert exact_binomial(0, 10)[0] == 0.0
    assert exact_binomial(10, 10)[1] == 1.0


def test_a_group_without_cases_has_no_rate_and_says_why() -> None:
    (row,) = share_rows("rate x", 0, 0)
    assert row.estimate is None
    assert row.note


def test_kappa() -> None:
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: the usual textbook table, kappa 0.4.
    one = np.repeat([True, True, False, False], [20, 5, 10, 15])
    other = np.repeat([True, False, True, False], [20, 5, 10, 15])
    value, error = kappa(one, other)
    assert value == pytest.approx(0.4)
    rng = np.random.default_rng(7)
    draws = [kappa(one[at], other[at])[0] for at in rng.integers(0, 50, (3000, 50))]
    assert error == pytest.approx(np.std(draws), rel=0.06)


def test_counts_of_groups() -> None:
    yes, no = True, False
    flags = Flags(
        opportunity=np.array([yes, yes, no, yes]),
        honoured=np.array([yes, no, no, yes]),
        early=np.array([yes, yes, no, no]),
        types={
            "defense": np.array([yes, no, yes, no]),
            "offense": np.array([no, yes, no, no]),
            "neutrality": np.array([no, no, no, yes]),
            "nonaggression": np.array([no, no, no, no]),
        },
        multilateral=np.array([no, no, yes, yes]),
    )
    rows = {row.term: row.estimate for row in rows_of(flags)}
    assert rows["cases all"] == 4
    assert rows["does not apply all"] == 1
    assert rows["rate all"] == pytest.approx(2 / 3)
    assert rows["rate 1816-1944"] == 0.5
    assert rows["honoured defense or offense"] == 1
    assert rows["rate nonaggression"] is None
    assert rows["rate multilateral"] == 1.0


def test_rates_of_two_groups() -> None:
    panel = {
        "joined": np.array([1, 0, 1, 0, 0, 0, np.nan]),
        "allied": np.array([1, 1, 0, 0, 0, 0, 1]),
    }
    found = by_term(run("group_rates", panel=panel))
    assert found["rate group"].estimate == 0.5
    assert found["rate group"].n == 2
    assert found["rate others"].estimate == 0.25
    assert found["difference"].estimate == 0.25
    assert found["ratio"].estimate == 2.0
    assert found["share of outcomes in group"].estimate == 0.5


def test_rates_of_the_rows_that_an_expression_keeps() -> None:
    panel = {
        "joined": np.array([1.0, 0, 1, 0, 1, 0]),
        "allied": np.array([1.0, 1, 0, 0, 1, 1]),
        "year": np.array([1900.0, 1900, 1900, 1950, 1950, np.nan]),
    }
    found = by_term(run("group_rates", panel=panel, where="year < 1945"))
    assert (found["rate group"].n, found["rate group"].estimate) == (2, 0.5)
    assert (found["rate others"].n, found["rate others"].estimate) == (1, 1.0)


def test_an_unknown_variable_is_named() -> None:
    with pytest.raises(UsageError, match="allied"):
        run("group_rates", panel={"joined": np.zeros(2), "alied": np.zeros(2)})


@pytest.fixture
def posted() -> SmallTables:
    years = [1820, 1820, 1822, 1825, 1830, 1831, 1840, 1841]
    wars = pl.DataFrame(
        {
            "warnum": range(1, 9),
            "year": years,
            "batdeath": [1000, 2000, 3000, 4000, 5000, 6000, 7000, 90000],
        }
    )
    return SmallTables(
        {
            ("rep_clauset_2018", "wars"): wars,
            ("cow_interstate_wars", "participants"): WARS,
        }
    )


def test_gaps(posted: SmallTables) -> None:
    found = by_term(run("war_onsets", posted))
    assert found["gaps"].estimate == 7
    assert found["mean gap"].estimate == pytest.approx(3.0)
    assert found["zero gaps"].estimate == 1
    assert found["largest gap"].estimate == 9


def test_lists_are_matched_war_by_war(posted: SmallTables) -> None:
    result = run("war_list_match", posted)
    found = by_term(result)
    assert found["wars posted"].estimate == 8
    assert found["wars rebuilt"].estimate == 2
    assert found["same onset year"].estimate == 1
    assert found["same deaths"].estimate == 0
    assert len(result.tables["differences"]) == 2


def test_the_lull_is_the_same_at_each_run(posted: SmallTables) -> None:
    options = {"since": 1940, "draws": 200, "horizon": 50}
    frame = posted.frames["rep_clauset_2018", "wars"]
    posted.frames["rep_clauset_2018", "wars"] = frame.with_columns(pl.col("year") + 102)
    first, second = (run("peace_must_last", posted, **options) for _ in range(2))
    assert [row.estimate for row in first.rows] == [row.estimate for row in second.rows]
    found = by_term(first)
    assert found["large wars"].estimate == 2
    assert found["large wars before"].estimate == 0
    assert found["years a large war before"].estimate is None
    assert found["years a large war before"].note


def test_a_lull_stands_out_when_few_enough_histories_are_as_quiet() -> None:
    from foedus.studies.measures_war_tails import _simulate, _stands_out

    rng = np.random.default_rng(1)
    counts = _simulate(rng, np.array([1]), 1.0, 30, 50)
    # A war each year, all of them large: the count is the year itself.
    assert (counts == np.arange(1, 31)).all()
    options = {"horizon": 10, "level": 0.05}
    assert _stands_out(counts, 19, 20.0, 0.5, options) == 1.0
    assert _stands_out(counts, 19, 20.0, 1.0, options) is None


def test_tail_of_drawn_values_finds_its_exponent() -> None:
    rng = np.random.default_rng(3)
    deaths = 1000 * (1 - rng.random(4000)) ** (-1 / 0.8)
    wars = pl.DataFrame(
        {"warnum": np.arange(4000), "year": np.full(4000, 1900), "batdeath": deaths}
    )
    tables = SmallTables({("rep_clauset_2018", "wars"): wars})
    found = by_term(run("war_tail", tables, draws=0))
    row = found["alpha"]
    assert abs(row.estimate - 1.8) < 3 * row.std_error
    assert found["goodness-of-fit p"].estimate is None
    assert found["goodness-of-fit p"].note
