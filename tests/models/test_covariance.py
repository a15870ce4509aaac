"""Covariances against their definitions, by brute force on random data."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from foedus.errors import EstimationError, UsageError
from foedus.models import fit_arrays
from foedus.models.arrays import group_sums
from foedus.models.covariance import parse_covariance, repair
from foedus.models.grouped import sums_by_group

NAMES = ["(Intercept)", "a", "b"]


def random_dyads(seed: int, n: int, states: int):
    """Rows of directed dyads among a few states, many repeated and many reversed."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, states, n)
    second = (first + rng.integers(1, states, n)) % states
    codes = 2 + 7 * np.arange(states)
    X = np.column_stack([np.ones(n), rng.normal(size=n), rng.normal(size=n)])
    y = X @ [0.3, 0.5, -0.4] + rng.normal(size=states)[first] + rng.normal(size=n)
    return X, y, codes[first], codes[second]


def scores_and_bread(X, y, estimator):
    """Scores and inverse information of OLS or a logit, from the textbook."""
    if estimator == "ols":
        b = np.linalg.lstsq(X, y, rcond=None)[0]
        return X * (y - X @ b)[:, None], np.linalg.inv(X.T @ X)
    b = fit_arrays("logit", X, y, NAMES).params
    p = 1 / (1 + np.exp(-X @ b))
    return X * (y - p)[:, None], np.linalg.inv(X.T @ (X * (p * (1 - p))[:, None]))


def brute(S, bread, together):
    """The sandwich whose meat sums s_i s_j' over all pairs of rows that go together."""
    meat = np.zeros_like(bread)
    for i in range(len(S)):
        for j in range(len(S)):
            if together(i, j):
                meat += np.outer(S[i], S[j])
    return bread @ meat @ bread


def fitted(X, y, first, second, estimator, cov, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return fit_arrays(
            estimator, X, y, NAMES, cov=cov, sides=(first, second),
            ids={"first": first, "second": second}, **options,
        )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(25, 60),
    states=st.integers(5, 9),
    estimator=st.sampled_from(["ols", "logit"]),
)
def test_dyadic_is_the_sum_over_pairs_of_rows_sharing_a_state(seed, n, states, estimator):
    X, y, first, second = random_dyads(seed, n, states)
    if estimator == "logit":
        y = (y + 2 * np.random.default_rng(seed + 1).normal(size=n) > np.median(y)).astype(float)
    try:
        result = fitted(X, y, first, second, estimator, ["dyadic"], repairs="never")
    except EstimationError:
        return  # a separated draw has no estimate to compare
    members = [{a, b} for a, b in zip(first, second, strict=True)]
    S, bread = scores_and_bread(X, y, estimator)
    expected = brute(S, bread, lambda i, j: bool(members[i] & members[j]))
    # two orders of summation differ by rounding, relative to the largest entry
    assert_allclose(result.vcov(), expected, atol=1e-9 * np.abs(expected).max())
    assert result.n_clusters == {"dyadic": len(set(first) | set(second))}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(20, 50), states=st.integers(4, 8))
def test_two_way_cluster_is_the_sum_over_pairs_sharing_either(seed, n, states):
    X, y, first, second = random_dyads(seed, n, states)
    cov = "cluster(first, second; none)"
    result = fitted(X, y, first, second, "ols", cov, repairs="never")
    S, bread = scores_and_bread(X, y, "ols")
    expected = brute(S, bread, lambda i, j: first[i] == first[j] or second[i] == second[j])
    assert_allclose(result.vcov(), expected, atol=1e-9 * np.abs(expected).max())
    mended = fitted(X, y, first, second, "ols", cov, repairs="eigen").covariance()
    assert np.linalg.eigvalsh(mended.vcov).min() > -1e-12 * np.abs(mended.vcov).max()
    assert ("eigenvalues" in mended.convention) == mended.repaired
    usual = fitted(X, y, first, second, "ols", cov).covariance()
    if (np.diag(result.vcov()) < 0).any():
        assert_allclose(usual.vcov, mended.vcov)
    else:
        assert_allclose(usual.vcov, result.vcov())
        assert ("not positive definite" in usual.convention) == mended.repaired
    if not mended.repaired:
        assert_allclose(mended.vcov, result.vcov())
    assert (np.diag(mended.vcov) >= np.diag(result.vcov()) * (1 - 1e-9)).all()


@pytest.mark.parametrize(("name", "directed"), [("dyad", False), ("ddyad", True)])
def test_dyad_clusters_pool_years_and_only_the_unordered_pools_directions(name, directed):
    X, y, first, second = random_dyads(7, 60, 5)
    result = fitted(X, y, first, second, "ols", f"cluster({name}; none)")
    S, bread = scores_and_bread(X, y, "ols")

    def same(i, j):
        here, there = (first[i], second[i]), (first[j], second[j])
        return here == there or (not directed and here == there[::-1])

    assert_allclose(result.vcov(), brute(S, bread, same), rtol=1e-9)


def test_clusters_of_one_row_are_hc0():
    X, y, *_ = random_dyads(3, 50, 6)
    result = fit_arrays(
        "ols", X, y, NAMES, cov=["HC0", "cluster(row; none)"], ids={"row": np.arange(50)}
    )
    assert_allclose(result.vcov("cluster(row; none)"), result.vcov("HC0"), rtol=1e-12)


def test_covariances_do_not_depend_on_row_order_or_scale():
    X, y, first, second = random_dyads(11, 80, 6)
    covs = ["classical", "HC1", "HC3", "cluster(dyad)", "cluster(first,second)", "dyadic"]
    base = fitted(X, y, first, second, "ols", covs)
    turn = np.random.default_rng(0).permutation(80)
    units = np.array([1.0, 1e6, 1e-4])
    other = fitted(X[turn] * units, y[turn], first[turn], second[turn], "ols", covs)
    for cov in covs:
        assert_allclose(other.std_errors(cov) * units, base.std_errors(cov), rtol=1e-7)


def test_swapping_the_sides_changes_nothing():
    X, y, first, second = random_dyads(5, 60, 6)
    one = fitted(X, y, first, second, "ols", ["dyadic", "cluster(dyad)"])
    two = fitted(X, y, second, first, "ols", ["dyadic", "cluster(dyad)"])
    for cov in one.cov_names:
        assert_allclose(one.vcov(cov), two.vcov(cov), rtol=1e-10)


def test_stata_rules():
    X, y, first, second = random_dyads(5, 60, 6)
    result = fitted(
        X, y, first, second, "ols", "cluster(first, second)", small_sample="stata", repairs="never"
    )
    none = fitted(X, y, first, second, "ols", "cluster(first, second; none)", repairs="never")
    assert_allclose(result.vcov(), 6 / 5 * 59 / 57 * none.vcov())
    assert "smallest G" in result.covariance().convention


def test_calendar_years_keep_their_digits():
    """year, year^2 and year^3 uncentred: R's QR gets these right, cross-products do not."""
    rng = np.random.default_rng(2)
    n = 500
    year = rng.integers(1816, 2011, n).astype(float)
    y = rng.normal(size=n) + ((year - 1900) / 100) ** 3
    raw = fit_arrays("ols", np.column_stack([np.ones(n), year, year**2]), y, cov=["HC0"])
    near = (year - 1900) / 100
    centred = fit_arrays("ols", np.column_stack([np.ones(n), near, near**2]), y, cov=["HC0"])
    assert_allclose(raw.params[2] * 1e4, centred.params[2], rtol=1e-7)
    assert_allclose(raw.std_errors()[2] * 1e4, centred.std_errors()[2], rtol=1e-7)


def test_few_clusters_warn():
    X, y, first, _ = random_dyads(5, 60, 6)
    with pytest.warns(UserWarning, match="only 6 clusters"):
        fit_arrays("ols", X, y, NAMES, cov="cluster(first)", ids={"first": first})


@pytest.mark.parametrize("text", ["HC9", "cluster()", "cluster(a,a)", "cluster(a,", "robust", ""])
def test_unknown_covariances_are_usage_errors(text):
    with pytest.raises(UsageError, match="not a covariance"):
        parse_covariance(text)


def test_covariance_names_are_canonical():
    assert parse_covariance(" Cluster( a ,b )").name == "cluster(a,b)"
    assert parse_covariance("hc1").name == "HC1"
    assert parse_covariance("DYADIC").name == "dyadic"


def test_a_dyad_of_a_state_with_itself_is_refused():
    X, y, first, second = random_dyads(5, 60, 6)
    second[4] = first[4]
    with pytest.raises(EstimationError, match=r"row 4 .* with itself"):
        fit_arrays("ols", X, y, NAMES, cov="dyadic", sides=(first, second))


def test_dyads_of_three_states_are_too_few():
    X, y, first, second = random_dyads(5, 60, 3)
    with pytest.raises(EstimationError, match="at least 4 states"):
        fit_arrays("ols", X, y, NAMES, cov="dyadic", sides=(first, second))


def test_negative_eigenvalues_are_set_to_zero():
    mended, repaired = repair(np.array([[1.0, 2.0], [2.0, 1.0]]))
    assert repaired
    assert_allclose(mended, [[1.5, 1.5], [1.5, 1.5]])
    same, repaired = repair(np.eye(2))
    assert not repaired
    assert_allclose(same, np.eye(2))


def test_dyadic_without_dyads_says_what_it_needs():
    X, y, *_ = random_dyads(5, 60, 6)
    with pytest.raises(UsageError, match="ccode1 and ccode2"):
        fit_arrays("ols", X, y, NAMES, cov="dyadic")
    with pytest.raises(UsageError, match='no column "war"'):
        fit_arrays("ols", X, y, NAMES, cov="cluster(war)", ids={"warnum": np.arange(60)})


def test_leverage_of_one_is_an_error_for_hc3():
    X, y, *_ = random_dyads(5, 60, 6)
    X[:, 2] = 0.0
    X[7, 2] = 1.0
    with pytest.raises(EstimationError, match="leverage 1"):
        fit_arrays("ols", X, y, NAMES, cov="HC3")


def test_cluster_coverage_in_simulation():
    """With shocks by cluster, clustered intervals cover the truth and classical ones do not."""
    rng = np.random.default_rng(1)
    hits = {"classical": 0, "cluster(g)": 0}
    draws, groups, size = 300, 60, 12
    g = np.repeat(np.arange(groups), size)
    for _ in range(draws):
        x = rng.normal(size=groups)[g]
        y = 0.5 * x + rng.normal(size=groups)[g] + rng.normal(size=g.size)
        result = fit_arrays(
            "ols", np.column_stack([np.ones(g.size), x]), y, ["(Intercept)", "x"],
            cov=list(hits), ids={"g": g},
        )  # fmt: skip
        for cov in hits:
            hits[cov] += abs(result.params[1] - 0.5) < 1.96 * result.std_errors(cov)[1]
    assert 0.90 <= hits["cluster(g)"] / draws <= 0.985  # 300 draws: 95 % within 2.5 points
    assert hits["classical"] / draws < 0.75


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    runs=st.integers(0, 40),
    longest=st.integers(1, 30),
    groups=st.integers(1, 8),
    factored=st.booleans(),
)
def test_sums_by_group_are_those_row_by_row(
    seed: int, runs: int, longest: int, groups: int, factored: bool
) -> None:
    """Whether rows of a group follow each other or not, and with no row at all."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(rng.integers(0, groups, runs), rng.integers(1, longest + 1, runs))
    X = np.asfortranarray(rng.normal(size=(codes.size, 2)))
    factor = rng.normal(size=codes.size) if factored else None
    expected = np.zeros((groups, 2))
    np.add.at(expected, codes, X if factor is None else X * factor[:, None])
    assert_allclose(group_sums(X, factor, codes, groups), expected, rtol=1e-12, atol=1e-12)
    for one in (X, np.ascontiguousarray(X), X[:, ::-1][:, ::-1]):
        found = sums_by_group(one, factor, codes, groups)
        assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_compiled_sums_refuse_a_group_that_is_none() -> None:
    for code in (-1, 3):
        with pytest.raises(IndexError):
            sums_by_group(np.ones((2, 1)), None, np.array([0, code]), 3)
