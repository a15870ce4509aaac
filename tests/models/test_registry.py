"""What every entry of the registry of estimators must hold, on small made-up data."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from foedus.errors import EstimationError, UsageError
from foedus.models import Result, all_estimators, estimate, find_estimator
from foedus.models.registry import OUTCOMES, Estimator, Option, estimator

ENTRIES = all_estimators()
NAMES = [entry.name for entry in ENTRIES]
ESTIMATORS = Path(__file__).resolve().parents[2] / "src" / "foedus" / "models" / "estimators"

NEEDS: dict[str, dict[str, Any]] = {
    "fixed_effects": {"fe": ["ccode1"]},
    "first_difference": {"unit": "ccode1", "time": "z"},
    "prais_winsten": {"unit": "person", "time": "wave"},
    "split_population": {"event": "binary"},
    "cox_frailty": {"groups": "ccode1", "theta": 0.2},
}
"""Options with which the tests call an estimator that needs some, by estimator."""


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(12)
    n = 600
    first = rng.integers(0, 25, n)
    second = (first + rng.integers(1, 25, n)) % 25
    x, z, w = rng.normal(size=n), rng.normal(size=n), rng.integers(0, 2, n)
    pull = rng.normal(scale=0.5, size=25)
    eta = 0.2 + 0.8 * x - 0.5 * w + pull[first]
    mu = np.exp(0.3 + 0.4 * x - 0.3 * w)
    latent = eta + rng.logistic(size=n)
    selected = (0.4 + 0.5 * x + 0.9 * z + rng.normal(size=n) > 0).astype(int)
    time = rng.exponential(np.exp(-0.4 * x + 0.2 * w)) * 5 + 0.01
    return pd.DataFrame(
        {
            "ccode1": first,
            "ccode2": second,
            "dyad": np.minimum(first, second) * 100 + np.maximum(first, second),
            "year": rng.integers(1900, 1910, n),
            "stratum": rng.integers(0, 60, n),
            "x": x,
            "z": z,
            "w": w,
            "prior": rng.uniform(0.5, 2.0, n),
            "binary": (latent > 0).astype(int),
            "second": (0.3 * x + 0.6 * z + rng.normal(size=n) > 0).astype(int),
            "selected": selected,
            "count": rng.negative_binomial(1.5, 1.5 / (1.5 + mu)) * (rng.random(n) < 0.7),
            "positive_count": 1 + rng.negative_binomial(1.5, 1.5 / (1.5 + mu)),
            "continuous": eta + rng.normal(size=n),
            "positive": np.exp(0.5 * eta + rng.normal(size=n)),
            "proportion": rng.beta(2 * (1 + np.exp(-eta)) ** -1 + 0.5, 1.5),
            "share": np.clip(rng.beta(2 * (1 + np.exp(-eta)) ** -1 + 0.5, 1.5) * 1.2 - 0.1, 0, 1),
            "ordered": np.digitize(latent, [-1.0, 0.5, 2.0]),
            "categories": np.array(["none", "some", "war"])[np.digitize(latent, [-0.5, 1.0])],
            "duration": time,
            "failed": (rng.random(n) < 0.8).astype(int),
            "start": time * rng.uniform(0, 0.3, n),
            "person": np.arange(n) // 10,
            "wave": np.arange(n) % 10,
        }
    )


SECOND = {"binary": "second"}


def formula_of(entry: Estimator, right: str = "x + w") -> str:
    left = entry.outcome
    if entry.second_outcomes:
        second = "selected" if entry.selects else "second"
        left += f" | {second}"
    bars = " | x + z" if entry.second_outcomes else ""
    return f"{left} ~ {right}{bars}"


def options_of(entry: Estimator) -> dict[str, Any]:
    given = {
        "event": "failed", "time": "year", "strata": "stratum", "groups": "ccode1",
        "id": "ccode1", "fe": ["ccode1"], "unit": "ccode1",
    }  # fmt: skip
    wanted = {o.name: given[o.name] for o in entry.options if o.required and o.name in given}
    return {**wanted, **NEEDS.get(entry.name, {})}


def fitted(entry: Estimator, data: pd.DataFrame, cov: Any = "classical", **more: Any) -> Result:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        options = {**options_of(entry), **more}
        formula = options.pop("formula", formula_of(entry))
        return estimate(formula, data, entry.name, cov, **options)


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
class TestEveryEntry:
    def test_says_what_it_is(self, entry: Estimator) -> None:
        assert entry.title
        assert any(character.isdigit() for character in entry.citation)
        assert entry.outcome in OUTCOMES
        assert all(option.says for option in entry.options)

    def test_fits_and_predicts(self, entry: Estimator, frame: pd.DataFrame) -> None:
        result = fitted(entry, frame)
        assert np.isfinite(result.params).all()
        assert len(set(result.terms)) == len(result.terms) == result.params.size
        assert (result.std_errors() > 0).all()
        assert result.n_obs + sum(result.rows_lost.values()) == len(frame)
        assert result.table()["p_value"].between(0, 1).all()
        assert any(term == "x" or term.endswith(":x") for term in result.terms)
        if result.fit.predictor is not None:
            kind = result.fit.predictor.kinds[0]
            here = result.predict(kind=kind)
            assert len(here) == result.n_obs
            assert np.isfinite(here).all()

    def test_covariances_from_scores(self, entry: Estimator, frame: pd.DataFrame) -> None:
        if "scores" not in entry.covariances:
            with pytest.raises(UsageError, match="needs scores by row"):
                fitted(entry, frame, "HC0")
            return
        whole = [o for o in entry.options if o.kind == "groups"]
        asked = ["HC0", "cluster(ccode1)"] if whole else ["HC0", "cluster(dyad)", "dyadic"]
        result = fitted(entry, frame, asked)
        for name in result.cov_names:
            assert (result.std_errors(name) > 0).all()

    def test_units_of_a_regressor_do_not_matter(
        self, entry: Estimator, frame: pd.DataFrame
    ) -> None:
        here = fitted(entry, frame)
        there = fitted(entry, frame.assign(x=frame["x"] * 1000.0))
        if here.loglik is not None and there.loglik is not None:
            assert_allclose(there.loglik, here.loglik, rtol=1e-8)
        place = here.terms.index("x") if "x" in here.terms else 0
        if here.terms[place] == "x":
            assert_allclose(there.params[place] * 1000.0, here.params[place], rtol=1e-4)
            assert_allclose(there.std_errors()[place] * 1000.0, here.std_errors()[place], rtol=1e-3)

    def test_same_numbers_again(self, entry: Estimator, frame: pd.DataFrame) -> None:
        one, two = fitted(entry, frame), fitted(entry, frame)
        assert one.params.tobytes() == two.params.tobytes()
        assert one.vcov().tobytes() == two.vcov().tobytes()

    def test_a_row_that_misses_a_variable_is_counted(
        self, entry: Estimator, frame: pd.DataFrame
    ) -> None:
        short = frame.assign(w=frame["w"].where(np.arange(len(frame)) != 7))
        result = fitted(entry, short, formula=formula_of(entry))
        selected = not entry.selects or bool(frame["selected"].iloc[7])
        assert result.rows_lost.get("missing w", 0) == int(selected)

    @pytest.mark.parametrize("bad", ["copy", "constant"])
    def test_collinear_terms_are_named(
        self, entry: Estimator, frame: pd.DataFrame, bad: str
    ) -> None:
        data = frame.assign(copy=frame["x"] * 2.0, constant=3.0)
        with pytest.raises(EstimationError, match=bad):
            fitted(entry, data, formula=formula_of(entry, f"x + w + {bad}"))

    def test_an_outcome_that_never_varies_is_refused(
        self, entry: Estimator, frame: pd.DataFrame
    ) -> None:
        if entry.outcome == "duration":
            flat = frame.assign(failed=0, binary=0)
            if "event" not in options_of(entry):
                return
        else:
            value = {"categories": "none", "count": 0}.get(entry.outcome, 1)
            flat = frame.assign(**{entry.outcome: value})
        with pytest.raises(EstimationError):
            fitted(entry, flat)

    def test_weights_must_be_positive(self, entry: Estimator, frame: pd.DataFrame) -> None:
        if not entry.weights:
            with pytest.raises(UsageError, match="takes no weights"):
                fitted(entry, frame, weights="prior")
            return
        assert np.isfinite(fitted(entry, frame, weights="prior").params).all()
        with pytest.raises(EstimationError, match="weights must be positive"):
            fitted(entry, frame.assign(prior=0.0), weights="prior")

    def test_an_unknown_option_is_refused(self, entry: Estimator, frame: pd.DataFrame) -> None:
        with pytest.raises(UsageError, match='no option "colour"'):
            fitted(entry, frame, colour="red")


def test_every_module_registers_something() -> None:
    modules = {path.stem for path in ESTIMATORS.glob("*.py")} - {"__init__"}
    homes = {entry.fit.__module__.rpartition(".")[2] for entry in ENTRIES}
    assert modules == homes


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="Nearest: logit"):
        find_estimator("logitt")


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "logit", "outcome": "binary"},
        {"name": "other", "outcome": "colour"},
        {"name": "other", "outcome": "binary", "constant": "lost"},
        {"name": "other", "outcome": "binary", "options": (Option("a", "b", kind="c"),)},
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="estimator"):
        estimator(title="t", citation="c 2000", **facts)(lambda inputs: inputs)


def test_settings_are_checked() -> None:
    entry = Estimator(
        "toy", "t", "c 2000", "binary", lambda inputs: inputs,  # type: ignore[arg-type,return-value]
        options=(
            Option("ties", "how", default="efron", allowed=("efron", "breslow")),
            Option("draws", "number", default=100),
            Option("strata", "groups", kind="groups", required=True),
        ),
    )  # fmt: skip
    assert entry.settle({"strata": "d"}) == {"ties": "efron", "draws": 100, "strata": "d"}
    for wrong in ({"ties": "exactly"}, {"draws": "many"}, {"tise": "efron"}, {}):
        with pytest.raises(UsageError):
            entry.settle({"strata": "d", **wrong} if wrong else {})
