"""Profile intervals against a general optimiser on the likelihood as it is written."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, special, stats

from foedus.errors import UsageError
from foedus.models import estimate
from foedus.models.profile import profile_intervals


@pytest.fixture(scope="module")
def rare() -> pd.DataFrame:
    """Few events, and a flag under which there is none."""
    rng = np.random.default_rng(8)
    x, t = rng.normal(size=160), rng.integers(0, 30, 160).astype(float)
    w = (rng.random(160) < 0.15).astype(int)
    p = special.expit(-2.0 + 0.8 * x - 0.03 * t)
    y = (rng.random(160) < p) & (w == 0)
    return pd.DataFrame({"x": x, "t": t, "w": w, "y": y.astype(int), "n": rng.poisson(2 * p)})


def columns(data: pd.DataFrame, *names: str) -> np.ndarray:
    return np.column_stack([np.ones(len(data)), *(data[name] for name in names)])


def logit(b: np.ndarray, X: np.ndarray, y: np.ndarray) -> float:
    return float(y @ (X @ b) - np.logaddexp(0.0, X @ b).sum())


def penalised(b: np.ndarray, X: np.ndarray, y: np.ndarray) -> float:
    p = special.expit(X @ b)
    return logit(b, X, y) + 0.5 * float(np.linalg.slogdet((X.T * (p * (1 - p))) @ X)[1])


def probit(b: np.ndarray, X: np.ndarray, y: np.ndarray) -> float:
    return float(special.log_ndtr((2 * y - 1) * (X @ b)).sum())


def poisson(b: np.ndarray, X: np.ndarray, y: np.ndarray) -> float:
    return float(stats.poisson.logpmf(y, np.exp(X @ b)).sum())


def brute(value: Callable[[np.ndarray], float], start: np.ndarray, place: int) -> np.ndarray:
    """Return both ends of an interval and the fall at 0, by a search in a search."""

    def best(held: float | None) -> float:
        free = [j for j in range(start.size) if held is None or j != place]

        def minus(some: np.ndarray) -> float:
            b = start.copy()
            b[free] = some
            if held is not None:
                b[place] = held
            return -value(b)

        found = optimize.minimize(minus, start[free], method="BFGS", options={"gtol": 1e-9})
        again = optimize.minimize(
            minus, found.x, method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000},
        )  # fmt: skip
        return -min(found.fun, again.fun)

    top = best(None)
    cut = stats.chi2.ppf(0.95, 1) / 2
    ends = []
    for side in (-1.0, 1.0):
        far = 0.1
        while top - best(start[place] + side * far) < cut:
            far *= 2
        ends.append(optimize.brentq(lambda c: top - best(c) - cut, start[place],
                                    start[place] + side * far, xtol=1e-7))  # fmt: skip
    return np.array([*ends, 2 * (top - best(0.0))])


@pytest.mark.parametrize(
    ("estimator", "value", "outcome", "terms", "asked"),
    [
        ("firth", penalised, "y", ("x", "t", "w"), ("x", "w")),
        ("jeffreys", penalised, "y", ("x", "t", "w"), ("w",)),
        ("logit", logit, "y", ("x", "t"), ("(Intercept)", "x")),
        ("probit", probit, "y", ("x", "t"), ("t",)),
        ("poisson", poisson, "n", ("x", "t"), ("x",)),
    ],
)
def test_is_the_set_of_values_not_rejected(
    rare: pd.DataFrame, estimator: str, value: Callable[..., float], outcome: str,
    terms: tuple[str, ...], asked: tuple[str, ...],
) -> None:  # fmt: skip
    made = estimate(f"{outcome} ~ {' + '.join(terms)}", rare, estimator)
    found = profile_intervals(made, asked)
    X, y = columns(rare, *terms), rare[outcome].to_numpy(dtype=float)
    for row in found.itertuples():
        place = made.terms.index(row.term)
        wanted = brute(lambda b: value(b, X, y), made.params, place)
        # the search in a search stops some 1e-6 of a standard error short
        near = 2e-5 * made.std_errors()[place]
        assert_allclose([row.ci_low, row.ci_high], wanted[:2], atol=near)
        assert row.statistic == pytest.approx(wanted[2], abs=1e-5)
        assert row.p_value == pytest.approx(stats.chi2.sf(row.statistic, 1))


def test_a_separated_term_has_a_finite_and_skewed_interval(rare: pd.DataFrame) -> None:
    made = estimate("y ~ x + w", rare, "firth")
    row = profile_intervals(made, ["w"]).iloc[0]
    below, above = row["estimate"] - row["ci_low"], row["ci_high"] - row["estimate"]
    assert np.isfinite([below, above]).all()
    assert below > 1.3 * above


def test_with_many_rows_it_is_wald_s(rare: pd.DataFrame) -> None:
    rng = np.random.default_rng(9)
    x = rng.normal(size=60_000)
    data = pd.DataFrame({"x": x, "y": (rng.random(60_000) < special.expit(0.3 * x)).astype(int)})
    made = estimate("y ~ x", data)
    table = made.table()
    found = profile_intervals(made)
    assert_allclose(found["ci_low"], table["ci_low"], atol=2e-4)
    assert_allclose(found["ci_high"], table["ci_high"], atol=2e-4)


def test_who_has_none(rare: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="a ols has no profile"):
        profile_intervals(estimate("x ~ t", rare, "ols"))
    with pytest.raises(UsageError, match="adjusts the score of no penalised likelihood"):
        profile_intervals(estimate("y ~ x", rare, "firth", link="probit"))
