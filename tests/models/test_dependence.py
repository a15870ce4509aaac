"""Sets of members, members and time, periods, CR2, CR3 and jackknives, by their definitions."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from foedus.errors import EstimationError, UsageError
from foedus.models import Result, dependence, estimate, fit_arrays
from foedus.models.covariance import parse_covariance

NAMES = ["(Intercept)", "x", "w"]


def sample(seed: int, n: int, states: int, years: int = 5) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, states, n)
    second = (first + rng.integers(1, states, n)) % states
    third = np.where(rng.random(n) < 0.4, rng.integers(0, states, n), np.nan)
    x, w = rng.normal(size=n), rng.normal(size=n)
    pull = rng.normal(size=states)
    z = 1 + x + pull[first] + pull[second] + rng.normal(size=n)
    return {
        "a": first, "b": second, "c": third, "year": 1900 + rng.integers(0, years, n),
        "x": x, "w": w, "z": z, "y": (z > 1).astype(float), "prior": rng.uniform(0.5, 2, n),
    }  # fmt: skip


def fitted(data: dict, estimator: str, cov: object, **options: object) -> Result:
    outcome = "z" if estimator == "ols" else "y"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return estimate(
            f"{outcome} ~ x + w", data, estimator, cov, dyad=("a", "b"), repairs="never", **options
        )


def parts(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """Return scores by row and the bread on the user's columns."""
    X, weight = result.fit.X, result.fit.made.information_weight
    assert weight is not None
    S = X * result.fit.made.scores.factor[:, None]
    return S, np.linalg.inv(X.T @ (X * weight[:, None]))


def brute(result: Result, same: object) -> np.ndarray:
    S, bread = parts(result)
    n = len(S)
    pairs = np.array([[same(i, j) for j in range(n)] for i in range(n)], dtype=float)
    return bread @ (S.T @ pairs @ S) @ bread


def close(ours: np.ndarray, definition: np.ndarray) -> None:
    # differences of sums of like size: relative to the largest entry
    assert_allclose(ours, definition, atol=1e-10 * np.abs(definition).max(), rtol=1e-8)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(25, 50),
    states=st.integers(6, 12),
    estimator=st.sampled_from(["ols", "logit"]),
    weighted=st.booleans(),
)
def test_k_ads_are_the_sum_over_pairs_that_share_a_member(seed, n, states, estimator, weighted):
    data = sample(seed, n, states)
    options = {"weights": "prior"} if weighted else {}
    try:
        result = fitted(data, estimator, ["dyadic(a, b, c)", "dyadic(a, b)", "dyadic"], **options)
    except EstimationError:
        return  # a small sample may be separated
    sets = [
        {int(v) for v in row if np.isfinite(v)}
        for row in zip(data["a"], data["b"], data["c"], strict=True)
    ]
    close(result.vcov("dyadic(a,b,c)"), brute(result, lambda i, j: bool(sets[i] & sets[j])))
    close(result.vcov("dyadic(a,b)"), result.vcov("dyadic"))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(25, 50), states=st.integers(6, 12))
def test_members_and_time_are_the_sum_over_pairs_that_share_either(seed, n, states):
    data = sample(seed, n, states)
    result = fitted(data, "ols", "dyadic+cluster(year)")
    sets = [{a, b} for a, b in zip(data["a"], data["b"], strict=True)]
    year = data["year"]
    expected = brute(result, lambda i, j: bool(sets[i] & sets[j]) or year[i] == year[j])
    close(result.vcov(), expected)


@pytest.mark.parametrize("lags", [None, 0, 2, 40])
def test_driscoll_kraay_is_the_weighted_sum_over_pairs_of_periods(lags):
    data = sample(3, 120, 9, years=30)
    data["year"] = np.where(data["year"] == 1907, 1906, data["year"])  # a gap
    name = "driscoll_kraay(year)" if lags is None else f"driscoll_kraay(year; {lags})"
    result = fitted(data, "ols", name)
    used = int(np.floor(len(np.unique(data["year"])) ** 0.25)) if lags is None else lags
    S, bread = parts(result)
    gap = np.abs(data["year"][:, None] - data["year"][None, :])
    pairs = np.maximum(0.0, 1.0 - gap / (used + 1.0))
    close(result.vcov(), bread @ (S.T @ pairs @ S) @ bread)
    assert f"{used} lags" in result.covariance().convention


@pytest.mark.parametrize("estimator", ["ols", "logit", "poisson"])
@pytest.mark.parametrize(("kind", "power"), [("CR2", -0.5), ("CR3", -1.0)])
def test_bias_reduced_clusters_turn_residuals_by_their_leverage(estimator, kind, power):
    data = sample(5, 90, 12)
    result = fitted(data, estimator, f"{kind}(a)")
    X, weight = result.fit.X, result.fit.made.information_weight
    root = np.sqrt(weight)
    residual = result.fit.made.scores.factor / root
    Z, bread = X * root[:, None], parts(result)[1]
    meat = np.zeros((3, 3))
    for state in np.unique(data["a"]):
        rows = data["a"] == state
        room = np.eye(rows.sum()) - Z[rows] @ bread @ Z[rows].T
        values, vectors = np.linalg.eigh(room)
        turned = (vectors * values**power) @ vectors.T @ residual[rows]
        meat += np.outer(Z[rows].T @ turned, Z[rows].T @ turned)
    close(result.vcov(), bread @ meat @ bread)


def left_out(data: dict, outcome: str, keep: np.ndarray) -> np.ndarray:
    X = np.column_stack([np.ones(len(keep)), data["x"], data["w"]])
    return np.linalg.lstsq(X[keep], data[outcome][keep], rcond=None)[0]


def test_jackknives_of_least_squares_are_refits():
    data = sample(8, 100, 10)
    result = fitted(data, "ols", ["jackknife", "jackknife(a)"])
    without = np.array(
        [left_out(data, "z", (data["a"] != s) & (data["b"] != s)) for s in range(10)]
    )
    pairs = sorted({tuple(sorted(pair)) for pair in zip(data["a"], data["b"], strict=True)})
    apart = np.array(
        [
            left_out(data, "z", ~(np.isin(data["a"], pair) & np.isin(data["b"], pair)))
            for pair in pairs
        ]
    )
    away, apart = without - result.params, apart - result.params
    share = (len(pairs) - 1) / len(pairs)
    close(result.vcov("jackknife"), 0.9 * away.T @ away - share * apart.T @ apart)
    without = np.array([left_out(data, "z", data["a"] != s) for s in range(10)])
    away = without - without.mean(axis=0)
    close(result.vcov("jackknife(a)"), 9 / 10 * away.T @ away)


def test_few_clusters_are_warned_of_and_one_is_refused():
    data = sample(8, 100, 10) | {"one": np.zeros(100)}
    for cov in ("cluster(a)", "CR2(a)", "dyadic", "jackknife", "driscoll_kraay(year)"):
        with pytest.warns(UserWarning, match="usually too small"):
            estimate("z ~ x", data, "ols", cov, dyad=("a", "b"))
    for cov in ("cluster(one)", "CR3(one)"):
        with pytest.raises(EstimationError, match="only 1 cluster"):
            fitted(data, "ols", cov)


@pytest.mark.parametrize(
    "text",
    ["CR2(a, b)", "dyadic(a)", "dyadic(a, a)", "driscoll_kraay(a; few)", "CR2(a; 3)", "dyad(a, b)"],
)
def test_names_that_are_no_covariance(text):
    with pytest.raises(UsageError, match="is not a covariance"):
        parse_covariance(text)


def test_a_term_within_one_cluster_is_refused_by_name_of_the_covariance():
    data = sample(8, 100, 10)
    data["w"] = (data["a"] == 3) * data["w"]
    for cov in ("CR2(a)", "jackknife(a)"):
        with pytest.raises(EstimationError, match=r"CR2|jackknife"):
            fitted(data, "ols", cov)


def test_leverage_needs_a_model_of_one_index():
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(200), rng.normal(size=200)])
    y = np.digitize(X[:, 1] + rng.logistic(size=200), [-1, 1])
    with pytest.raises(UsageError, match="one index"):
        fit_arrays("multinomial", X, y, cov="CR2(g)", ids={"g": np.arange(200) % 40})


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), groups=st.integers(1, 9), in_order=st.booleans())
def test_information_of_groups_is_the_same_walked_by_group_and_by_pair(
    seed: int, groups: int, in_order: bool
) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 700))
    codes = rng.integers(0, groups, n)
    if in_order:
        codes = np.sort(codes)
    X = np.asfortranarray(rng.normal(size=(n, 3)))
    weight = rng.random(n)
    walked = dependence._group_by_group(X, weight, codes, groups)
    assert_allclose(
        walked, dependence._pair_by_pair(X, weight, codes, groups), rtol=1e-10, atol=1e-12
    )
    by_hand = sum(w * np.outer(x, x) for x, w, c in zip(X, weight, codes, strict=True) if c == 0)
    assert_allclose(walked[0], by_hand, rtol=1e-10, atol=1e-12)


def test_numbers_of_clusters_are_made_once_for_fits_on_the_same_rows() -> None:
    rng = np.random.default_rng(5)
    n = 400
    data = {
        "ccode1": rng.integers(2, 12, n), "ccode2": rng.integers(20, 32, n),
        "year": rng.integers(1900, 1910, n), "x": rng.normal(size=n), "w": rng.normal(size=n),
    }  # fmt: skip
    data["y"] = data["x"] + rng.normal(size=n)
    cov = ["dyadic", "cluster(dyad)", "cluster(ccode1, year)"]
    numbering: dict = {}
    first = estimate("y ~ x", data, "ols", cov, numbering=numbering)
    made = dict(numbering)
    again = estimate("y ~ x + w", data, "ols", cov, numbering=numbering)
    assert {"first side", "ddyad", "dyad", "ccode1 x year"} <= set(made)
    assert all(numbering[name][0] is made[name][0] for name in made)
    alone = estimate("y ~ x + w", data, "ols", cov)
    for name in cov:
        assert_allclose(again.vcov(name), alone.vcov(name), rtol=1e-12)
    # a fit that loses rows keeps its numbers to itself
    data["w"] = np.where(np.arange(n) < 30, np.nan, data["w"])
    fewer = estimate("y ~ x + w", data, "ols", cov, numbering=numbering)
    assert fewer.n_obs == n - 30
    assert numbering.keys() == made.keys()
    assert_allclose(fewer.vcov("dyadic"), estimate("y ~ x + w", data, "ols", cov).vcov("dyadic"))
    assert_allclose(first.vcov("dyadic"), estimate("y ~ x", data, "ols", cov).vcov("dyadic"))
