"""Bad input gives the right result or a sentence that names the term and the rows."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from foedus.errors import EstimationError, FoedusError, UsageError
from foedus.models import Result, estimate, fit, fit_arrays, newton, separation

CORE = ("logit", "probit", "cloglog", "ols", "poisson", "negbin")


def rows(seed: int, n: int = 160) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=n), rng.integers(0, 2, n)
    mean = np.exp(0.4 + 0.5 * x - 0.3 * w)
    return pd.DataFrame(
        {
            "x": x, "w": w, "y": (rng.random(n) < mean / (1 + mean)).astype(int),
            "count": rng.negative_binomial(1.2, 1.2 / (1.2 + mean)),
            "state": rng.integers(0, 40, n), "prior": rng.uniform(0.5, 2, n),
        }
    )  # fmt: skip


def run(data: pd.DataFrame, estimator: str, right: str = "x + w", **options: object) -> Result:
    left = "count" if estimator in ("poisson", "negbin") else "y"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimate(f"{left} ~ {right}", data, estimator, **options)  # type: ignore[arg-type]


seeds = st.integers(0, 10**6)
core = st.sampled_from(CORE)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, estimator=core, value=st.floats(-1e6, 1e6), times=st.floats(0.001, 1000.0))
def test_constant_and_duplicated_terms_are_named_and_can_be_dropped(seed, estimator, value, times):
    data = rows(seed).assign(flat=value, twin=lambda d: d["x"] * times + value)
    for term in ("flat", "twin"):
        with pytest.raises(EstimationError, match=term):
            run(data, estimator, f"x + w + {term}")
        kept = run(data, estimator, f"x + w + {term}", collinear="drop")
        assert list(kept.dropped_terms) == [term]
        assert_allclose(kept.params, run(data, estimator).params, rtol=1e-6, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, estimator=core, bad=st.lists(st.integers(0, 159), min_size=1, max_size=9))
def test_missing_and_infinite_values_cost_their_rows_only(seed, estimator, bad):
    data, places = rows(seed), sorted(set(bad))
    clean = data.drop(index=places)
    for value, cause in ((np.nan, "missing x"), (np.inf, "not finite x")):
        holed = data.copy()
        holed.loc[places, "x"] = value
        try:
            result = run(holed, estimator)
        except EstimationError:
            with pytest.raises(EstimationError):
                run(clean, estimator)
            continue
        assert result.rows_lost == {cause: len(places)}
        assert_allclose(result.params, run(clean, estimator).params, rtol=1e-9)
        names = ["(Intercept)", "x"]
        X = np.column_stack([np.ones(len(holed)), holed["x"]])
        with pytest.raises(
            EstimationError, match=rf"x is missing or infinite in {len(places)} row"
        ):
            fit_arrays(estimator, X, holed["y"], names)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, estimator=core, value=st.sampled_from([0, 1]))
def test_an_outcome_with_one_value_is_refused(seed, estimator, value):
    data = rows(seed).assign(y=value, count=0)
    with pytest.raises(EstimationError, match=rf"in all {len(data)} rows used"):
        run(data, estimator)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, estimator=core, name=st.text("abcxyz", min_size=2, max_size=6))
def test_unknown_terms_are_usage_errors_that_name_them(seed, estimator, name):
    with pytest.raises(UsageError, match=name):
        run(rows(seed), estimator, f"x + {name}")


@settings(max_examples=20, deadline=None)
@given(seed=seeds, estimator=core, place=st.integers(0, 159))
def test_clusters_that_are_missing_or_one_are_refused(seed, estimator, place):
    data = rows(seed).assign(holed=lambda d: d["state"].astype(float), one=7)
    data.loc[place, "holed"] = np.nan
    with pytest.raises(UsageError, match=r'"holed" is missing in 1 of the rows'):
        run(data, estimator, cov="cluster(holed)")
    # the row of the missing cluster isn't used: no harm
    data.loc[place, "x"] = np.nan
    assert np.isfinite(run(data, estimator, cov="cluster(holed)").std_errors()).all()
    with pytest.raises(EstimationError, match="only 1 cluster"):
        run(data, estimator, cov="cluster(one)")


@settings(max_examples=20, deadline=None)
@given(
    seed=seeds,
    estimator=core,
    value=st.sampled_from([0.0, -1.0, np.inf]),
    place=st.integers(0, 159),
)
def test_weights_of_zero_or_below_are_refused_with_their_row(seed, estimator, value, place):
    data = rows(seed)
    data.loc[place, "prior"] = value
    with pytest.raises(EstimationError, match=rf"1 are not \(e\.g\. row {place} of"):
        run(data, estimator, weights="prior")
    data.loc[place, "prior"] = np.nan
    assert run(data, estimator, weights="prior").rows_lost == {"missing prior": 1}


@settings(max_examples=30, deadline=None)
@given(seed=seeds, n=st.integers(1, 12), estimator=core)
def test_few_rows_give_an_estimate_or_a_sentence(seed, n, estimator):
    said = ""
    try:
        result = run(rows(seed, n), estimator)
    except FoedusError as error:
        said = str(error).strip()
    if said:
        assert said.endswith(".")
        return
    assert np.isfinite(result.params).all()
    assert np.isfinite(result.std_errors()).all()


@pytest.mark.parametrize("estimator", ["logit", "probit", "cloglog", "ols", "poisson"])
@pytest.mark.parametrize("extra", ["plain", "weights", "offset", "years"])
def test_the_path_of_large_models_gives_the_same(estimator, extra, monkeypatch):
    rng = np.random.default_rng(8)
    n = 60_000
    data = pd.DataFrame({"x": rng.normal(3, 1, n), "w": rng.integers(0, 2, n)})
    data["prior"], data["log_time"] = rng.uniform(0.5, 2, n), rng.normal(size=n)
    data["year"] = rng.integers(1816, 2010, n)
    data["y"] = (rng.random(n) < 1 / (1 + np.exp(7 - data["x"] - data["w"]))).astype(int)
    data["count"] = data["y"] * rng.integers(1, 4, n)
    right = {"offset": "x + w + offset(log_time)", "years": "x + w + year"}.get(extra, "x + w")
    options = {"weights": "prior"} if extra == "weights" else {}
    cov = ["classical", "HC1", "HC3"]
    small = run(data, estimator, right, cov=cov, **options)
    for module in (newton, fit, separation):
        monkeypatch.setattr(module, "LARGE", 10_000)
    large = run(data, estimator, right, cov=cov, **options)
    assert_allclose(large.loglik, small.loglik, rtol=1e-12)
    assert_allclose(large.params, small.params, rtol=1e-8)
    for name in cov:
        assert_allclose(large.std_errors(name), small.std_errors(name), rtol=1e-6)


def test_large_models_find_what_small_ones_find(monkeypatch):
    rng = np.random.default_rng(8)
    n = 30_000
    data = pd.DataFrame({"x": rng.normal(size=n), "w": (np.arange(n) == 12_345).astype(int)})
    data["y"] = (rng.random(n) < 0.01).astype(int)
    data.loc[12_345, "y"] = 0
    for module in (newton, fit, separation):
        monkeypatch.setattr(module, "LARGE", 10_000)
    with pytest.raises(EstimationError, match=r"w = 1 has outcome 0 in all 1 rows"):
        run(data, "logit")
    with pytest.raises(EstimationError, match=r"collinear.*twice"):
        run(data.assign(twice=data["x"] * 2), "logit", "x + twice")
    rare = data.assign(rare=(np.arange(n) % 10_000 == 9_999).astype(int))
    assert_allclose(
        run(rare, "ols", "x + rare").params,
        np.linalg.lstsq(
            np.column_stack([np.ones(n), rare["x"], rare["rare"]]), rare["y"], rcond=None
        )[0],
        rtol=1e-8,
    )
