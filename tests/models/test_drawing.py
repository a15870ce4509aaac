"""Outcomes drawn from models: R's quantiles, stated moments, and what rows share."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from foedus.errors import UsageError
from foedus.models import estimate
from foedus.models.drawing import (
    Chance,
    Drawn,
    Rule,
    find_law,
    laws,
    planted,
    sharing,
)
from foedus.models.estimation import fit_inputs
from foedus.models.inputs import Groups, Inputs, Part

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "drawing_reference.csv"
N = 20_000


@dataclass(frozen=True)
class Given(Chance):
    """Chances that are given instead of drawn."""

    u: Any = None

    def uniform(self, n: int) -> Any:
        """Return the given ones."""
        return self.u[:n]


def _inputs(estimator: str, X: Any, **more: Any) -> Inputs:
    matrix = np.asarray(X, dtype=np.float64)
    names = ("(Intercept)", *(f"x{j}" for j in range(1, matrix.shape[1])))
    parts = (Part(matrix, names), *more.pop("parts", ()))
    return Inputs(estimator, more.pop("y", np.zeros(matrix.shape[0])), parts, **more)


def _rng() -> np.random.Generator:
    return np.random.default_rng(5)


def _reference() -> dict[str, Any]:
    with REFERENCE.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.mark.parametrize(
    ("estimator", "truth"),
    [
        ("poisson", {}),
        ("negbin", {"(theta)": 2.0}),
        ("cox", {"(baseline)": 0.05}),
        ("aft_weibull", {"/lnsigma": np.log(0.8)}),
        ("aft_loglogistic", {"/lnsigma": np.log(0.8)}),
        ("weibull_hazard", {"shape:(Intercept)": 0.2}),
    ],
)
def test_draws_are_rs_quantiles(estimator: str, truth: Mapping[str, float]) -> None:
    known = _reference()
    X = np.column_stack([np.zeros(known["u"].size), known["eta"]])
    ones = np.ones((known["u"].size, 1))
    parts = (Part(ones, ("(Intercept)",), "shape"),) if estimator == "weibull_hazard" else ()
    inputs = _inputs(estimator, X, parts=parts, options={"form": "rate", "heterogeneity": "none"})
    drawn = find_law(estimator).draw(inputs, {"x1": 1.0, **truth}, Given(_rng(), u=known["u"]))
    np.testing.assert_allclose(drawn.y, known[estimator], rtol=1e-11)


@pytest.mark.parametrize(
    ("estimator", "chance"),
    [("logit", special.expit), ("probit", special.ndtr),
     ("cloglog", lambda eta: 1.0 - np.exp(-np.exp(eta)))],
)  # fmt: skip
def test_shares_of_events(estimator: str, chance: Any) -> None:
    X = np.column_stack([np.ones(N), np.repeat([0.0, 1.0], N // 2)])
    drawn = find_law(estimator).draw(
        _inputs(estimator, X), {"(Intercept)": -1.0, "x1": 0.7}, Chance(_rng())
    )
    for value in (0.0, 1.0):
        share = drawn.y[X[:, 1] == value].mean()
        assert share == pytest.approx(chance(-1.0 + 0.7 * value), abs=4 * 0.5 / np.sqrt(N / 2))


def test_shares_of_categories() -> None:
    X = np.ones((N, 1))
    inputs = _inputs("multinomial", X, levels=("a", "b", "c"), options={"base": "b"})
    truth = {"a:(Intercept)": np.log(0.5), "c:(Intercept)": np.log(1.5)}
    drawn = find_law("multinomial").draw(inputs, truth, Chance(_rng()))
    shares = np.bincount(drawn.y.astype(int), minlength=3) / N
    np.testing.assert_allclose(shares, np.array([0.5, 1.0, 1.5]) / 3.0, atol=0.015)
    ordered = _inputs("ordered_probit", np.zeros((N, 1)), levels=("0", "1", "2"))
    drawn = find_law("ordered_probit").draw(ordered, {"/cut1": -0.5, "/cut2": 1.0}, Chance(_rng()))
    shares = np.bincount(drawn.y.astype(int), minlength=3) / N
    borders = stats.norm.cdf([-0.5, 1.0])
    np.testing.assert_allclose(shares, np.diff([0.0, *borders, 1.0]), atol=0.015)


def test_two_probits_are_correlated() -> None:
    ones = np.ones((N, 1))
    inputs = _inputs("selection_probit", ones, parts=(Part(ones, ("(Intercept)",), "selection"),))
    truth = {"(Intercept)": 0.0, "selection:(Intercept)": 0.0, "/athrho": np.arctanh(0.5)}
    drawn = find_law("selection_probit").draw(inputs, truth, Chance(_rng()))
    assert drawn.second is not None
    # P(both) = 1/4 + arcsin(rho) / (2 pi) for two normals cut at 0 (Sheppard 1899)
    both = float((drawn.y * drawn.second).mean())
    assert both == pytest.approx(0.25 + np.arcsin(0.5) / (2 * np.pi), abs=0.015)


def test_tails_are_scipys() -> None:
    X = np.ones((N, 1))
    inputs = _inputs("pareto_tail", X, options={"threshold": 100.0})
    drawn = find_law("pareto_tail").draw(inputs, {"(Intercept)": np.log(0.9)}, Chance(_rng()))
    assert stats.kstest(drawn.y, stats.pareto(b=0.9, scale=100.0).cdf).pvalue > 0.01
    inputs = _inputs("generalized_pareto", X, options={"threshold": 100.0})
    truth = {"(Intercept)": np.log(50.0), "/shape": 0.4}
    drawn = find_law("generalized_pareto").draw(inputs, truth, Chance(_rng()))
    assert stats.kstest(drawn.y, stats.genpareto(c=0.4, loc=100.0, scale=50.0).cdf).pvalue > 0.01


def test_late_rows_are_drawn_given_survival_until_then() -> None:
    # With gamma heterogeneity S(t) = (1 + theta (lambda t)^p)^(-1/theta); rows begin at 2.
    ones, start = np.ones((N, 1)), np.full(N, 2.0)
    shape = (Part(ones, ("(Intercept)",), "shape"),)
    inputs = _inputs(
        "weibull_hazard", ones, parts=shape, y=np.full(N, 5.0),
        numbers={"start": start, "event": np.zeros(N)},
        options={"form": "rate", "heterogeneity": "gamma"},
    )  # fmt: skip
    theta, p, rate = 0.5, np.exp(0.2), np.exp(-1.0)
    truth = {"(Intercept)": -1.0, "shape:(Intercept)": 0.2, "/lntheta": np.log(theta)}
    drawn = find_law("weibull_hazard").draw(inputs, truth, Chance(_rng()))
    assert drawn.event is not None
    assert drawn.y.min() > 2.0
    assert drawn.y.max() == 5.0

    def survival(t: float) -> float:
        return float((1 + theta * (rate * t) ** p) ** (-1 / theta))

    for t in (2.5, 3.5, 4.9):
        wanted = survival(t) / survival(2.0)
        assert float((drawn.y > t).mean()) == pytest.approx(wanted, abs=0.015)
    assert float(drawn.event.mean()) == pytest.approx(1 - survival(5.0) / survival(2.0), abs=0.015)


def test_spells_without_a_column_of_events_run_to_their_end() -> None:
    inputs = _inputs("cox", np.zeros((50, 2)), y=np.full(50, 0.001))
    drawn = find_law("cox").draw(inputs, {"(baseline)": 1.0}, Chance(_rng()))
    assert drawn.event is not None
    assert drawn.event.all()
    assert drawn.y.max() > 0.001
    cut = _inputs("cox", np.zeros((50, 2)), y=np.full(50, 0.5), numbers={"event": np.zeros(50)})
    drawn = find_law("cox").draw(cut, {"(baseline)": 1.0}, Chance(_rng()))
    assert drawn.event is not None
    assert ((drawn.y == 0.5) == (drawn.event == 0)).all()


def test_groups_have_effects_of_their_own() -> None:
    codes = np.repeat(np.arange(200), 100)
    group = Groups("pair", codes, tuple(map(str, range(200))))
    inputs = _inputs("fixed_effects", np.zeros((N, 1)), groups={"fe": (group,)})
    drawn = find_law("fixed_effects").draw(inputs, {}, Chance(_rng()))
    means = drawn.y.reshape(200, 100).mean(axis=1)
    assert means.var() == pytest.approx(1.0 + 0.01, rel=0.35)
    assert drawn.y.reshape(200, 100).var(axis=1).mean() == pytest.approx(1.0, rel=0.05)


def test_rows_share_what_they_are_said_to_and_each_follows_the_law() -> None:
    codes = np.repeat(np.arange(N // 2), 2)
    chance = Chance(_rng(), (sharing([codes], 0.3),))
    z = chance.normal(N)
    assert z.mean() == pytest.approx(0.0, abs=0.05)
    assert z.std() == pytest.approx(1.0, abs=0.03)
    assert np.corrcoef(z[::2], z[1::2])[0, 1] == pytest.approx(0.3, abs=0.03)
    assert stats.kstest(chance.uniform(N)[::2], "uniform").pvalue > 0.01


def test_members_of_a_dyad_share_by_state() -> None:
    one, two = np.array([0, 0, 1, 3]), np.array([1, 2, 2, -1])
    shared = sharing([one, two], 0.4)
    assert shared.n == 4
    assert shared.part == 0.2
    rng = np.random.default_rng(1)
    z = np.array([Chance(rng, (shared,)).normal(4) for _ in range(4000)])
    wanted = np.full((4, 4), 0.2)
    wanted[3, :3] = wanted[:3, 3] = 0.0
    np.fill_diagonal(wanted, 1.0)
    np.testing.assert_allclose(np.cov(z.T), wanted, atol=0.08)


def test_coefficients_are_chosen_by_spread_with_alternating_signs() -> None:
    rng = _rng()
    X = np.column_stack([np.ones(500), rng.uniform(3, 9, 500), np.arange(500) == 7, np.zeros(500)])
    part = Part(X.astype(float), ("(Intercept)", "wide", "rare", "never"))
    made = planted(part, 0.2, -1.0)
    assert made["wide"] == pytest.approx(0.2 / X[:, 1].std(), rel=0.01)
    assert made["rare"] == -0.8  # a quarter of the range is more than the SD
    assert made["never"] == 0.2
    index = X @ np.array([made[name] for name in part.names])
    assert index.mean() == pytest.approx(-1.0, abs=1e-3)


def _frame() -> dict[str, Any]:
    rng = np.random.default_rng(11)
    n = 3000
    return {
        "x": rng.normal(size=n), "flag": (rng.random(n) < 0.3).astype(float),
        "y": rng.integers(0, 3, n).astype(float), "two": rng.integers(0, 2, n).astype(float),
        "time": rng.exponential(size=n) + 0.5, "begin": np.full(n, 0.25),
        "group": rng.integers(0, 300, n).astype(float), "over": rng.integers(0, 2, n).astype(float),
    }  # fmt: skip


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "bivariate_probit": ("two | over ~ x + flag | flag", {}),
    "clogit": ("two ~ x + flag", {"strata": "group"}),
    "cox": ("time ~ x + flag", {"event": "over", "start": "begin"}),
    "fixed_effects": ("y ~ x + flag | group", {}),
    "generalized_pareto": ("time ~ x + flag", {"threshold": 0.4}),
    "mixed_logit": ("two ~ x + flag", {"groups": "group", "points": 7}),
    "pareto_tail": ("time ~ x + flag", {"threshold": 0.4}),
    "selection_probit": ("two | over ~ x + flag | x + flag + I(x**2)", {}),
    "weibull_hazard": (
        "time ~ x + flag | 1", {"event": "over", "start": "begin", "heterogeneity": "none"}
    ),
}  # fmt: skip
BINARY = ("logit", "probit", "cloglog", "relogit", "firth")


@pytest.mark.parametrize("estimator", sorted(laws()))
def test_each_estimator_finds_what_its_law_planted(estimator: str) -> None:
    data = _frame()
    outcome = "two" if estimator in BINARY else "time" if "aft" in estimator else "y"
    formula, options = CALLS.get(estimator, (f"{outcome} ~ x + flag", {}))
    if estimator in ("selection_probit", "bivariate_probit"):
        data["over"] = np.ones_like(data["over"])  # every row has the first equation's variables
    inputs, kept = fit_inputs(formula, data, estimator, **options)
    assert kept is None
    truth = find_law(estimator).plant(inputs, Rule(size=0.3, share=0.3))
    drawn: Drawn = find_law(estimator).draw(inputs, truth, Chance(_rng()))
    left = formula.split("~")[0].split("|")
    data[left[0].strip()] = drawn.y
    if drawn.second is not None:
        data[left[1].strip()] = drawn.second
    if "event" in options:
        data[options["event"]] = drawn.event
    result = estimate(formula, data, estimator, **options)
    errors = result.std_errors("classical")
    for term, value, error in zip(result.terms, result.params, errors, strict=True):
        assert term in truth, term
        assert abs(value - truth[term]) < 4 * error, (term, value, truth[term], error)


def test_what_has_no_law_is_refused() -> None:
    with pytest.raises(UsageError, match="no outcome can be drawn for a quantile"):
        find_law("quantile")
