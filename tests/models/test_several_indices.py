"""Models of several indices: predictions, effects, scores, refusals, and what defines them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import integrate, special

from foedus.errors import EstimationError, UsageError
from foedus.models import Result, effects, estimate, first_difference, predict_at, ratios
from foedus.models.averages import average_slope, average_with_gradient
from foedus.models.families import FAMILIES
from foedus.models.methods.conditional import fit_conditional
from foedus.models.methods.gee import _Equations, clusters_of
from foedus.models.methods.mixed import _one_factor, _two_factors
from foedus.models.methods.quantile import fit_vertex
from tests.models.test_estimators_reference import REFERENCE, STORED, data_for, options_of

PREDICTED = pd.read_csv(REFERENCE / "estimators_predictions.csv")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return data_for("")


@pytest.mark.parametrize("model", list(PREDICTED["model"].unique()))
def test_predictions_match_r(model: str) -> None:
    first = STORED[STORED["model"] == model].iloc[0]
    result = estimate(
        first["formula"], data_for(""), first["estimator"], **options_of(first["options"])
    )
    for kind, block in PREDICTED[PREDICTED["model"] == model].groupby("kind"):
        name, _, category = str(kind).partition(" ")
        made = result.predict(kind=name)
        if category:
            made = made[:, result.fit.levels.index(category)]
        # pscl and nnet stop some 1e-6 short; 10 digits are printed
        assert_allclose(made[block["row"].to_numpy() - 1], block["value"], rtol=1e-5)
    new = result.predict(data_for("").head(3))
    assert_allclose(new, result.predict()[:3], rtol=1e-12)


# --- effects ------------------------------------------------------------------------------


@pytest.mark.parametrize("formula", ["y ~ defense * share + lndist", "y ~ log(lndist) + share"])
def test_numerical_averages_equal_the_closed_forms(formula: str, frame: pd.DataFrame) -> None:
    result = estimate(formula, frame, "logit")
    table = effects(result, ["share"], kind="slope")
    columns = result.columns
    slope, gradient = average_slope(result, columns, "share", None, None, None)
    error = float(np.sqrt(gradient @ result.vcov() @ gradient))
    # steps of 1e-3 standard errors: an error of about 1e-6
    assert_allclose(
        [slope, error], table.loc[0, ["estimate", "std_error"]].astype(float), rtol=1e-5
    )
    mean, _ = average_with_gradient(result, columns, result.n_obs, None)
    assert_allclose(mean, result.predict().mean(), rtol=1e-12)


@pytest.mark.parametrize(
    ("estimator", "outcome"), [("ordered_logit", "cat"), ("multinomial", "cat")]
)
def test_effects_by_category(estimator: str, outcome: str, frame: pd.DataFrame) -> None:
    result = estimate(f"{outcome} ~ defense + lndist + share", frame, estimator, "cluster(dyad)")
    table = result.effects(["defense", "share"])
    by = table.groupby(["variable", "effect"])["estimate"]
    assert_allclose(by.sum(), 0.0, atol=1e-9)
    assert set(table["category"]) == {"0", "1", "2", "3"}
    moved = [result.predict(frame.assign(defense=v))[:, 2].mean() for v in (1, 0)]
    row = table[(table["effect"] == "difference") & (table["category"] == "2")].iloc[0]
    assert_allclose(row["estimate"], moved[0] - moved[1], rtol=1e-10)
    found = first_difference(result, "defense", at="observed", category="2")
    assert_allclose([found.difference, found.std_error], [row["estimate"], row["std_error"]])
    drawn = first_difference(
        result, "defense", at="means", category="2", method="simulation", draws=4000
    )
    delta = first_difference(result, "defense", at="means", category="2")
    # 4,000 draws leave about 1 % in a standard error; the delta method is a linear one besides
    assert_allclose(drawn.std_error, delta.std_error, rtol=0.06)
    with pytest.raises(UsageError, match="say which category"):
        first_difference(result, "defense")
    with pytest.raises(UsageError, match='no category "9"'):
        predict_at(result, category="9")


def test_effects_of_a_hurdle_count_both_parts(frame: pd.DataFrame) -> None:
    result = estimate("few ~ defense + lndist | share", frame, "hurdle_negbin")
    table = effects(result).set_index(["variable", "effect"])
    assert {name for name, _ in table.index} == {"defense", "lndist", "share"}
    up = frame.assign(share=frame["share"] + 1e-4), frame.assign(share=frame["share"] - 1e-4)
    slope = (result.predict(up[0]).mean() - result.predict(up[1]).mean()) / 2e-4
    assert_allclose(table.loc[("share", "slope"), "estimate"], slope, rtol=1e-6)
    said = ratios(result)
    assert list(said["ratio"]) == ["rate ratio"] * 3 + ["odds ratio"] * 2


def test_what_has_no_level_has_no_effects(frame: pd.DataFrame) -> None:
    result = estimate("y ~ defense + share", frame, "clogit", strata="ccode1")
    assert set(ratios(result)["ratio"]) == {"odds ratio"}
    with pytest.raises(UsageError, match="use ratios"):
        effects(result)
    with pytest.raises(UsageError, match="not a ratio"):
        ratios(estimate("y ~ share", frame, "firth", link="probit"))


# --- scores and covariances ---------------------------------------------------------------

LIKELIHOODS = [
    ("zip", "few ~ defense + share | share", {}),
    ("zinb", "few ~ defense + share | share", {}),
    ("hurdle_negbin", "few ~ defense + share | share", {}),
    ("negbin1", "count ~ defense + share", {}),
    ("ordered_probit", "cat ~ defense + share", {}),
    ("multinomial", "cat ~ defense + share", {}),
    ("clogit", "y ~ defense + share", {"strata": "ccode1"}),
    ("mixed_logit", "y ~ defense + share", {"groups": "ccode1", "points": 7}),
    ("mixed_logit", "y ~ defense + share", {"groups": ["ccode1", "ccode2"]}),
    ("gee", "y ~ defense + share", {"id": "ccode1", "family": "logit", "corr": "ar1"}),
    ("gamma", "e ~ defense + share", {}),
]


@pytest.mark.filterwarnings("ignore:.*clusters:UserWarning")
@pytest.mark.filterwarnings("ignore:.*states:UserWarning")
@pytest.mark.parametrize(("estimator", "formula", "options"), LIKELIHOODS)
def test_row_scores_sum_to_nothing_and_serve_every_covariance(
    estimator: str, formula: str, options: dict[str, object], frame: pd.DataFrame
) -> None:
    asked = ["classical", "HC0", "cluster(dyad)", "cluster(ccode1, year)", "dyadic"]
    result = estimate(formula, frame, estimator, asked, **options)
    scores = result.fit.made.scores
    assert scores is not None
    everyone = np.zeros(result.n_obs, dtype=np.int64)
    total = scores.sums(everyone, 1)[0]
    scale = np.sqrt(np.diag(scores.outer()))
    # Newton's last step is 1e-7 of a standard deviation (1e-6 where Hessians are differences)
    assert_allclose(total / (scale + 1e-12), 0.0, atol=2e-4 if "mixed" in estimator else 1e-6)
    for name in result.cov_names:
        assert np.isfinite(result.std_errors(name)).all()


# --- definitions by brute force -----------------------------------------------------------


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10_000))
def test_exact_conditional_logit_counts_every_subset(seed: int) -> None:
    rng = np.random.default_rng(seed)
    strata = np.repeat(np.arange(6), rng.integers(3, 8, 6))
    X = rng.normal(size=(strata.size, 2))
    y = (rng.random(strata.size) < 0.45).astype(float)
    try:
        found = fit_conditional(y, X, ["a", "b"], strata)
    except EstimationError:
        return

    def loglik(b: np.ndarray) -> float:
        total = 0.0
        for s in range(6):
            rows = np.flatnonzero(strata == s)
            events = int(y[rows].sum())
            sums = [np.exp((X[list(c)] @ b).sum()) for c in combinations(rows, events)]
            total += float((X[rows] @ b)[y[rows] > 0].sum() - np.log(sum(sums)))
        return total

    assert_allclose(found.loglik, loglik(found.params), rtol=1e-9)
    size = float(np.sqrt(np.diag(found.vcov())).max())
    for step in np.eye(2) * 1e-2 * size:
        assert loglik(found.params + step) < found.loglik + 1e-12
        assert loglik(found.params - step) < found.loglik + 1e-12


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.25, 0.5, 0.77]))
def test_quantile_fits_k_rows_and_no_move_lowers_the_loss(seed: int, tau: float) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(12, 60))
    Z = np.column_stack([np.ones(n), rng.normal(size=n), rng.integers(0, 2, n)])
    y = Z @ [1.0, 2.0, -1.0] + rng.standard_t(2, n)
    if Z[:, 2].std() == 0:
        return
    beta, basis = fit_vertex(y, Z, tau)
    u = y - Z @ beta
    assert_allclose(u[basis], 0.0, atol=1e-9)
    loss = float(np.sum(u * (tau - (u < 0))))
    for _ in range(40):
        other = y - Z @ (beta + rng.normal(scale=10.0 ** rng.integers(-4, 1), size=3))
        assert np.sum(other * (tau - (other < 0))) >= loss - 1e-9 * (1 + loss)


def test_a_flat_minimum_is_said_and_its_first_corner_taken() -> None:
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"v": rng.permutation(6) + 1.0, "x": rng.normal(size=6)})
    with pytest.warns(UserWarning, match="not unique"):
        result = estimate("v ~ 1", data, "quantile", se="ker")
    # any number from 3 to 4 is a median; from 0 upward 3 comes first
    assert result.params[0] == 3.0


def test_ar1_respects_gaps_in_time() -> None:
    rng = np.random.default_rng(2)
    codes = np.repeat([0, 1, 2], [4, 3, 1])
    time = np.array([1900, 1901, 1905, 1906, 1900, 1903, 1904, 1910])
    clusters = clusters_of(codes, time)
    y = rng.integers(0, 2, 8).astype(float)
    equations = _Equations(FAMILIES["logit"], y, rng.normal(size=(8, 2)), clusters, "ar1", None)
    M = rng.normal(size=(8, 3))
    R = np.zeros((8, 8))
    for i in range(8):
        for j in range(8):
            if codes[i] == codes[j]:
                R[i, j] = 0.6 ** abs(int(time[i]) - int(time[j]))
    assert_allclose(equations.whiten(M, 0.6), np.linalg.solve(R, M), rtol=1e-12)


def test_gee_refuses_two_rows_of_one_time(frame: pd.DataFrame) -> None:
    options = {"id": "ccode1", "family": "logit", "corr": "ar1", "time": "year"}
    with pytest.raises(EstimationError, match="repeat the time"):
        estimate("y ~ share", frame, "gee", **options)
    whole = estimate("y ~ share", frame.drop_duplicates(["ccode1", "year"]), "gee", **options)
    assert -1 < whole.ancillary["alpha"] < 1


def test_quadrature_is_the_integral() -> None:
    rng = np.random.default_rng(4)
    codes = np.repeat(np.arange(4), 6)
    y = rng.integers(0, 2, 24).astype(float)
    eta = rng.normal(size=24)
    surface, _ = _one_factor(y, ("g", codes, 4), 0, 25)
    at = np.array([0.3])
    value, by_row, by_sigma = surface(eta, at)

    def whole(eta: np.ndarray, log_sigma: float) -> float:
        total = 0.0
        for g in range(4):
            own = codes == g

            def density(u: float, own: np.ndarray = own) -> float:
                z = (2 * y[own] - 1) * (eta[own] + np.exp(log_sigma) * u)
                return float(np.exp(np.sum(special.log_expit(z)) - 0.5 * u * u))

            total += np.log(integrate.quad(density, -12, 12, epsabs=1e-14)[0] / np.sqrt(2 * np.pi))
        return total

    assert_allclose(value, whole(eta, 0.3), rtol=1e-8)
    for i in (0, 7, 23):
        up, down = eta.copy(), eta.copy()
        up[i] += 1e-5
        down[i] -= 1e-5
        assert_allclose(
            by_row[i],
            (surface(up, np.array([0.3]))[0] - surface(down, np.array([0.3]))[0]) / 2e-5,
            atol=1e-8,
        )
    gap = surface(eta, np.array([0.3 + 1e-5]))[0] - surface(eta, np.array([0.3 - 1e-5]))[0]
    assert_allclose(by_sigma[0], gap / 2e-5, atol=1e-8)


@pytest.mark.parametrize("kind", [0, 1])
def test_crossed_derivatives_are_those_of_the_approximation(kind: int) -> None:
    rng = np.random.default_rng(5)
    n = 60
    groups = [("a", rng.integers(0, 7, n), 7), ("b", rng.integers(0, 5, n), 5)]
    y = rng.integers(0, 2, n).astype(float)
    eta, at = rng.normal(size=n), np.array([-0.2, 0.4])
    surface, _ = _two_factors(y, groups, kind)
    _, by_row, by_sigma = surface(eta, at)
    for j in range(2):
        step = np.eye(2)[j] * 1e-5
        gap = surface(eta, at + step)[0] - surface(eta, at - step)[0]
        assert_allclose(by_sigma[j], gap / 2e-5, atol=1e-7)
    for i in (0, 31):
        step = np.zeros(n)
        step[i] = 1e-5
        gap = surface(eta + step, at)[0] - surface(eta - step, at)[0]
        assert_allclose(by_row[i], gap / 2e-5, atol=1e-7)


def test_one_factor_and_crossed_laplace_agree() -> None:
    """A second factor of almost no spread leaves the first factor's likelihood."""
    rng = np.random.default_rng(6)
    n = 80
    codes, other = rng.integers(0, 8, n), rng.integers(0, 3, n)
    y, eta = rng.integers(0, 2, n).astype(float), rng.normal(size=n)
    one, _ = _one_factor(y, ("a", codes, 8), 0, 1)
    two, _ = _two_factors(y, [("a", codes, 8), ("b", other, 3)], 0)
    first, second = one(eta, np.array([0.1])), two(eta, np.array([0.1, -12.0]))
    assert_allclose(second[0], first[0], rtol=1e-9)
    assert_allclose(second[1], first[1], atol=1e-8)
    assert_allclose(second[2][0], first[2][0], atol=1e-8)


# --- refusals -----------------------------------------------------------------------------


def separated(frame: pd.DataFrame) -> pd.DataFrame:
    """`sure` is 1 only where the outcome is in its highest category (or the count is positive)."""
    return frame.assign(
        sure=((frame["cat"] == 3) & (frame["year"] > 1902)).astype(int),
        some=((frame["few"] > 0) & (frame["year"] > 1904)).astype(int),
    )


@pytest.mark.parametrize(
    ("estimator", "formula", "term"),
    [
        ("ordered_logit", "cat ~ share + sure", "sure"),
        ("ordered_probit", "cat ~ share + sure", "sure"),
        ("multinomial", "cat ~ share + sure", "sure"),
        ("hurdle_poisson", "few ~ share | share + some", "zero:some"),
        ("zip", "few ~ share | share + some", "zero:some"),
    ],
)
def test_perfect_prediction_is_named(
    estimator: str, formula: str, term: str, frame: pd.DataFrame
) -> None:
    with pytest.raises(EstimationError, match=term):
        estimate(formula, separated(frame), estimator)


def test_firth_stays_finite_where_the_outcome_is_separated(frame: pd.DataFrame) -> None:
    with pytest.raises(EstimationError, match="sep"):
        estimate("y ~ sep + lndist", frame, "logit")
    result = estimate("y ~ sep + lndist", frame, "firth")
    assert 2 < result.coef["sep"] < 10
    assert np.isfinite(result.std_errors()).all()


@pytest.mark.parametrize(
    ("estimator", "formula", "options", "said"),
    [
        ("clogit", "y ~ late + share", {"strata": "year"}, "late never varies within"),
        ("clogit", "y ~ share", {"strata": "row"}, "no stratum has both outcomes"),
        ("zip", "upper ~ share", {}, "no row has the outcome 0"),
        ("zip", "thin ~ share | 1", {}, "no more zeros than the count itself"),
        ("truncated_poisson", "count ~ share", {}, "leave out the zeros"),
        ("ordered_logit", "z ~ share", {}, "that is a quantity"),
        ("beta", "share2 ~ z", {}, "between 0 and 1"),
        ("gamma", "z ~ share", {}, "above 0"),
        ("quantile", "z ~ share", {"tau": 1.0}, "between 0 and 1"),
        ("negbin1", "flat ~ share", {}, "no more than a Poisson model"),
        ("truncated_negbin", "upper ~ share", {}, "no more than a Poisson model"),
        ("mixed_logit", "y ~ share", {"groups": "row"}, "row has 420 groups"),
        ("mixed_logit", "y ~ share", {"groups": ["ccode1", "ccode2"], "points": 3}, "Laplace"),
        ("mixed_logit", "y ~ share", {"groups": "ccode1", "points": 0}, "points must be"),
        ("mixed_logit", "coin ~ share", {"groups": "block"}, "do not vary"),
        ("gee", "y ~ share", {"id": "row"}, "every cluster has one row"),
        ("gee", "y ~ share", {"id": "ccode1", "corr": "ar1", "time": "half"}, "whole numbers"),
        ("relogit", "y ~ 0 + share", {"tau": 0.01}, "needs|none"),
        ("jeffreys", "y ~ share", {"power": -1.0}, "positive number"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    estimator: str, formula: str, options: dict[str, object], said: str, frame: pd.DataFrame
) -> None:
    n = len(frame)
    rng = np.random.default_rng(1)
    data = frame.assign(
        row=np.arange(n),
        late=(frame["year"] > 1903).astype(int),
        upper=1 + (np.arange(n) % 3),
        flat=rng.binomial(12, 0.5, n),
        thin=np.random.default_rng(2).binomial(6, 0.5, n),
        coin=np.arange(n) % 2,
        block=np.arange(n) // 2 % 40,
        half=frame["year"] + 0.5,
    )
    with pytest.raises(EstimationError, match=said):
        estimate(formula, data, estimator, **options)


@pytest.mark.parametrize(
    ("estimator", "formula", "options"),
    [
        ("multinomial", "cat ~ share", {"base": "7"}),
        ("relogit", "y ~ share", {"tau": 1.5}),
        ("relogit", "y ~ share", {"tau": "many"}),
        ("gee", "y ~ share", {"id": "ccode1", "corr": "banded"}),
        ("firth", "y ~ share", {"link": "identity"}),
    ],
)
def test_settings_that_mean_nothing_are_refused(
    estimator: str, formula: str, options: dict[str, object], frame: pd.DataFrame
) -> None:
    with pytest.raises(UsageError):
        estimate(formula, frame, estimator, **options)


def test_base_category_only_turns_the_signs(frame: pd.DataFrame) -> None:
    first = estimate("cat ~ share", frame, "multinomial")
    last = estimate("cat ~ share", frame, "multinomial", base="3")
    assert_allclose(last.loglik, first.loglik)
    assert_allclose(last.coef["0:share"], -first.coef["3:share"], rtol=1e-9)
    assert_allclose(last.predict(), first.predict(), rtol=1e-9)


def test_weights_count_rows_twice(frame: pd.DataFrame) -> None:
    w = 1.0 + (frame["year"] > 1903)
    twice = pd.concat([frame, frame[frame["year"] > 1903]])
    for estimator, formula in (
        ("zinb", "few ~ defense + share | share"),
        ("ordered_logit", "cat ~ defense + share"),
        ("multinomial", "cat ~ defense + share"),
        ("firth", "y ~ defense + share"),
        ("beta", "inner ~ defense + z"),
    ):
        data = [d.assign(inner=d["share"].clip(0.01, 0.99)) for d in (frame.assign(w2=w), twice)]
        one = estimate(formula, data[0], estimator, weights="w2")
        two = estimate(formula, data[1], estimator)
        assert_allclose(one.params, two.params, rtol=1e-6, atol=1e-8)
        assert_allclose(one.std_errors(), two.std_errors(), rtol=1e-6)


def test_offsets_are_exposures(frame: pd.DataFrame) -> None:
    for estimator in ("zip", "hurdle_poisson", "negbin1"):
        plain = estimate("few ~ share", frame, estimator)
        shifted = estimate("few ~ share + offset(two)", frame.assign(two=np.log(2.0)), estimator)
        assert_allclose(shifted.loglik, plain.loglik, rtol=1e-10)
        assert_allclose(shifted.params[0], plain.params[0] - np.log(2.0), rtol=1e-7)


def test_frozen(frame: pd.DataFrame) -> None:
    result: Result = estimate("cat ~ share", frame, "multinomial")
    with pytest.raises(AttributeError):
        result.params = np.zeros(1)  # type: ignore[misc]
    assert replace(result, formula="").formula == ""


def test_a_start_on_some_rows_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rare outcomes of many rows: the search starts from all of them and a share of the base."""
    from foedus.models.methods import categories

    rng = np.random.default_rng(7)
    n = 60_000
    X = np.column_stack([np.ones(n), rng.normal(size=n), rng.normal(2.0, 3.0, size=n)])
    etas = np.array([[-5.0, 0.6, 0.1], [-6.0, -0.4, 0.2]]) @ X.T
    shares = np.exp(np.vstack([np.zeros(n), etas]))
    codes = (rng.random(n) > (shares / shares.sum(axis=0)).cumsum(axis=0)).sum(axis=0)
    names = ["(Intercept)", "a", "b"]
    assert categories._thinned(codes, None) is not None
    from_some = categories.fit_multinomial(codes, ["0", "1", "2"], X, names)
    monkeypatch.setattr(categories, "LARGE", n + 1)
    assert categories._thinned(codes, None) is None
    from_all = categories.fit_multinomial(codes, ["0", "1", "2"], X, names)
    np.testing.assert_allclose(from_some.params, from_all.params, rtol=0, atol=1e-10)
    np.testing.assert_allclose(from_some.bread, from_all.bread, rtol=1e-9)
    assert from_some.loglik == pytest.approx(from_all.loglik, abs=1e-8)
