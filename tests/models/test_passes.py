"""The compiled passes of large logits and probits against the plain ones, block by block."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from foedus.errors import EstimationError
from foedus.models import estimate, fit, newton, passes, workers
from foedus.models.families import FAMILIES
from foedus.models.methods import indices
from foedus.models.newton import Problem, RowParts
from foedus.models.scaling import scale_columns

KINDS = ("logit", "probit")


def problem(n: int, k: int, seed: int, weighted: bool, offset: bool, far: float) -> Problem:
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.normal(size=(n, k)) * far + rng.normal(size=k))
    X[:, 0] = 1.0
    y = (rng.random(n) < 0.3).astype(float)
    return Problem(
        y,
        X,
        [f"x{j}" for j in range(k)],
        scale_columns(X),
        rng.random(n) * 3.0 if weighted else None,
        rng.normal(size=n) if offset else None,
    )


def compiled(one: Problem) -> Problem:
    return Problem(one.y, one.X, one.names, one.scaling, one.weights, one.offset, compiled=True)


def near(found: Any, wanted: Any, digits: float = 1e-11) -> None:
    """Compare sums whose parts may cancel: by the largest of them."""
    scale = float(np.abs(wanted).max(initial=0.0)) + 1e-9
    np.testing.assert_allclose(found, wanted, rtol=digits, atol=digits * scale)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(
    n=st.one_of(st.integers(1, 40), st.integers(500, 1_700)),
    k=st.integers(1, 10),
    seed=st.integers(0, 10_000),
    weighted=st.booleans(),
    offset=st.booleans(),
    far=st.sampled_from([0.3, 1.0, 6.0]),
)
def test_one_walk_gives_what_many_passes_give(
    kind: str, n: int, k: int, seed: int, weighted: bool, offset: bool, far: float
) -> None:
    """Blocks that are full and not, one row, one column, several segments, far tails."""
    plain = problem(n, k, seed, weighted, offset, far)
    walked = compiled(plain)
    family = FAMILIES[kind]
    beta = np.random.default_rng(seed).normal(size=k)
    own, other = (RowParts(np.empty(n), np.empty(n)) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "SEGMENT", 600)
        loglik, gradient, information = newton.sums_at(family, walked, beta, own)
        alone = newton.gradient_at(family, walked, beta)
    wanted = newton.sums_at(family, plain, beta, other)
    near(loglik, wanted[0])
    near(gradient, wanted[1], 1e-10)
    near(information, wanted[2], 1e-10)
    near(own.score, other.score)
    near(own.information, other.information, 1e-9)
    np.testing.assert_allclose(alone, gradient, rtol=0, atol=1e-10 * (1 + np.abs(gradient).max()))


@pytest.mark.parametrize("information", ["expected", "observed"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_probit_s_last_pass_is_the_plain_one(information: str, weighted: bool) -> None:
    plain = problem(1_300, 5, 3, weighted, True, 1.0)
    beta = np.array([-0.4, 0.3, -0.2, 0.9, 0.1])
    found, wanted = (
        fit._last_pass(FAMILIES["probit"], one, beta, information)
        for one in (compiled(plain), plain)
    )
    assert found.loglik == pytest.approx(wanted.loglik, rel=1e-12)
    for name in ("score", "expected", "matrix"):
        near(getattr(found, name), getattr(wanted, name), 1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_far_out_keep_their_digits(kind: str) -> None:
    """Also where the chance of what happened is no number."""
    eta = np.concatenate([np.linspace(-45.0, 45.0, 1_801), [-250.0, 0.0, 250.0]])
    for outcome in (0.0, 1.0):
        y = np.full(eta.size, outcome)
        X = np.asfortranarray(eta[:, None])
        one = Problem(y, X, ["x"], scale_columns(X))
        keep = RowParts(np.empty(y.size), np.empty(y.size))
        beta = np.array([1.0 / one.scaling.inverse_scale[0]])
        loglik, _, _ = newton.sums_at(FAMILIES[kind], compiled(one), beta, keep)
        values, score, _ = FAMILIES[kind].parts(y, eta)
        assert loglik == pytest.approx(values.sum(), rel=1e-13)
        np.testing.assert_allclose(keep.score, score, rtol=1e-10, atol=1e-250)


def test_what_is_no_number_is_told(data: pd.DataFrame) -> None:
    one = problem(700, 3, 1, False, False, 1.0)
    one.X[650, 1] = np.inf
    for kind in KINDS:
        with np.errstate(invalid="ignore"):
            assert not np.isfinite(newton.sums_at(FAMILIES[kind], compiled(one), np.ones(3))[0])


@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_threads_gives_the_same_bytes(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = compiled(problem(9_000, 6, 5, True, True, 1.0))
    beta = np.linspace(-0.5, 0.5, 6)
    monkeypatch.setattr(passes, "SEGMENT", 1_000)
    found = []
    for number in ("1", "2", "5"):
        monkeypatch.setenv("FOEDUS_THREADS", number)
        assert workers.threads() == int(number)
        keep = RowParts(np.empty(9_000), np.empty(9_000))
        sums = newton.sums_at(FAMILIES[kind], one, beta, keep)
        alone = newton.gradient_at(FAMILIES[kind], one, beta)
        parts = (np.array(sums[0]), *sums[1:], alone, keep.score, keep.information)
        found.append(b"".join(part.tobytes() for part in parts))
    assert found[0] == found[1] == found[2]


def test_an_error_in_a_thread_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOEDUS_THREADS", "3")

    def work(place: int) -> None:
        if place == 4:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        workers.share(work, 6)


def test_mills_ratio_is_what_sixty_digits_give() -> None:
    path = Path(__file__).resolve().parents[1] / "reference" / "mills_ratio.py"
    spec = importlib.util.spec_from_file_location("mills_ratio", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.coefficients() == passes._M
    a = np.concatenate([np.linspace(0.0, 40.0, 4_001), [1e3, 1e8]])
    q = (a - 5.0) / (a + 5.0)
    ratio = np.polynomial.polynomial.polyval(q, passes._M) / (1.0 + a)
    wanted = np.sqrt(np.pi / 2.0) * special.erfcx(a / np.sqrt(2.0))
    np.testing.assert_allclose(ratio, wanted, rtol=2e-15)


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    n = 8_000
    frame = pd.DataFrame({"x1": rng.normal(size=n), "x2": rng.normal(size=n) + 40.0})
    frame["flag"] = (rng.random(n) < 0.2).astype(np.int8)
    frame["rare"] = (np.arange(n) % 100 == 0).astype(np.int8)
    frame["state"] = rng.integers(0, 60, n)
    frame["times"] = rng.integers(1, 4, n)
    eta = -1.5 + 0.5 * frame["x1"] - 0.02 * frame["x2"] + 0.4 * frame["flag"]
    frame["event"] = (rng.random(n) < special.ndtr(eta)).astype(np.int8)
    frame["never"] = np.where(frame["rare"] == 1, 0, frame["event"])
    frame["twice"] = 2.0 * frame["x1"] - frame["flag"]
    return frame


def large(patch: pytest.MonkeyPatch) -> None:
    """Let fits of some thousand rows count as large, and have several segments."""
    for module in (newton, fit):
        patch.setattr(module, "LARGE", 2_000)
        patch.setattr(module, "COMPILED_ROWS", 2_000)
    patch.setattr(passes, "SEGMENT", 1_500)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weights", [None, "times"])
@pytest.mark.parametrize("information", ["expected", "observed"])
def test_a_large_fit_is_the_small_one(
    data: pd.DataFrame,
    kind: str,
    weights: str | None,
    information: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cov = ["classical", "HC1", "HC3", "cluster(state)"]
    asked = {"weights": weights, "information": information}
    plain = estimate("event ~ x1 + x2 + flag", data, kind, cov=cov, **asked)
    large(monkeypatch)
    found = estimate("event ~ x1 + x2 + flag", data, kind, cov=cov, **asked)
    errors = plain.std_errors()
    np.testing.assert_allclose(found.params / errors, plain.params / errors, atol=1e-9)
    for name in cov:
        np.testing.assert_allclose(found.std_errors(name), plain.std_errors(name), rtol=1e-9)
    assert found.loglik == pytest.approx(plain.loglik, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "formula", ["never ~ x1 + rare", "event ~ x1 + flag + twice", "event ~ x1 + I(event * 2 + x1)"]
)
def test_a_large_fit_fails_as_the_small_one(
    data: pd.DataFrame, kind: str, formula: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A perfect predictor, collinear terms, terms that separate together."""
    with pytest.raises(EstimationError) as plain:
        estimate(formula, data, kind)
    large(monkeypatch)
    with pytest.raises(EstimationError) as found:
        estimate(formula, data, kind)
    assert str(found.value) == str(plain.value)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_decided_are_dropped_as_by_the_small_one(
    data: pd.DataFrame, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = estimate("never ~ x1 + rare", data, kind, separation="drop")
    large(monkeypatch)
    found = estimate("never ~ x1 + rare", data, kind, separation="drop")
    assert found.rows_lost == plain.rows_lost
    assert found.terms == plain.terms
    np.testing.assert_allclose(found.params, plain.params, rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(0, 1_300), k=st.integers(1, 7), many=st.integers(1, 4), seed=st.integers(0, 1_000)
)
def test_weighted_squares_of_some_rows(n: int, k: int, many: int, seed: int) -> None:
    """Several weights at once, negative ones among them."""
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.normal(size=(n + 40, k)))
    weights = rng.normal(size=(many, n))
    found = passes.squares_of(X, slice(17, 17 + n), weights)
    own = X[17 : 17 + n]
    for one, w in zip(found, weights, strict=True):
        near(one, (own * w[:, None]).T @ own)


def test_a_large_multinomial_logit_is_the_small_one(
    data: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = data.assign(kind=data["event"] * (1 + (data["x1"] > data["x2"] - 40.0)))
    cov = ["classical", "HC1", "cluster(state)"]
    plain = estimate("kind ~ x1 + x2 + flag", frame, "multinomial", cov=cov)
    monkeypatch.setattr(indices, "COMPILED_ROWS", 1_000)
    found = estimate("kind ~ x1 + x2 + flag", frame, "multinomial", cov=cov)
    assert found.loglik == pytest.approx(plain.loglik, rel=1e-12)
    np.testing.assert_allclose(found.params, plain.params, rtol=1e-9)
    for name in cov:
        np.testing.assert_allclose(found.std_errors(name), plain.std_errors(name), rtol=1e-9)
