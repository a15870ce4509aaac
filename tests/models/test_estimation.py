"""The front door: rows lost, dtypes, formulas, separation, collinearity, the Result."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import special

import foedus.models as models
from foedus.errors import EstimationError, UsageError
from foedus.models import estimate, fit_arrays
from foedus.models.families import FAMILIES, NegativeBinomial
from foedus.models.formula import FUNCTIONS, parse_expression, parse_formula

FORMULA = "y ~ defense + lndist + share"


# --- formulas -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "y ~ __import__('os').system('true')",
        "y ~ open(x)",
        "y ~ x.__class__()",
        "y ~ (lambda: 1)()",
        "y ~ x[0]",
        "y ~ eval(x)",
        "y ~ x; import os",
        'y ~ "text"',
        "y ~ {x}",
        "y ~ x | z",
        "y ~ x % z",
        "y ~ np.log(x)",
        "y ~ log(x).real",
        "y ~ log(x, y)",
        "y ~ poly(x)",
        "y ~ x ~ z",
        "y",
        "y ~",
        "~ x",
        "y ~ x +",
        "y ~ (x",
        "y ~ x)",
        "y ~ 2",
        "y ~ 0",
        "y ~ x / z",
        "y ~ x^9",
        "y ~ -x",
        "y ~ x z",
        "",
    ],
)
def test_formulas_that_are_not_formulas_are_usage_errors(text: str, dyads: pd.DataFrame) -> None:
    with pytest.raises(UsageError):
        estimate(text, dyads)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="xyz01 ~+-*:^()/.,_<>=`'\"[]{}logIC\\\n", max_size=30))
def test_no_text_does_anything_but_parse_or_refuse(text: str) -> None:
    for read in (parse_formula, parse_expression):
        try:
            read(text)
        except UsageError:
            continue
        except RecursionError:
            pytest.fail("deep recursion")


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("y ~ a + b", ["a", "b"]),
        ("y ~ a * b", ["a", "b", "a:b"]),
        ("y ~ a:b + b", ["b", "a:b"]),
        ("y ~ (a + b + c)^2", ["a", "b", "c", "a:b", "a:c", "b:c"]),
        ("y ~ (a + b)**2 - a:b", ["a", "b"]),
        ("y ~ a + b + a", ["a", "b"]),
        ("y ~ a:b + b:a", ["a:b"]),
        ("y ~ I(a^2) + log(b + 1)", ["I(a^2)", "log(b + 1)"]),
        ("y ~ I((y0-1900)/100)", ["I((y0 - 1900)/100)"]),
        ("y ~ I(-a) + I(a*b)", ["I(-a)", "I(a * b)"]),
        ("y ~ `a column` + a", ["a column", "a"]),
    ],
)
def test_formula_algebra(text: str, terms: list[str]) -> None:
    formula = parse_formula(text)
    assert [":".join(term) for term in formula.terms] == terms
    assert formula.constant


@pytest.mark.parametrize("text", ["y ~ a - 1", "y ~ 0 + a", "y ~ -1 + a", "y ~ a + 0"])
def test_no_constant(text: str) -> None:
    assert not parse_formula(text).constant


def test_formulas_may_be_long_but_not_deep() -> None:
    long = parse_formula("y ~ " + " + ".join(f"x{i}" for i in range(5000)) + " - x7")
    assert len(long.terms) == 4999
    assert "-" not in str(parse_expression("I(" + "-" * 5000 + "x)"))
    for deep in ("(" * 5000 + "x" + ")" * 5000, "^".join(["x"] * 5000), ":".join(["x"] * 5000)):
        with pytest.raises(UsageError):
            parse_formula("y ~ " + deep)


def test_arithmetic_in_functions(dyads: pd.DataFrame) -> None:
    made = estimate(
        "y ~ I(lndist*2 - share/4) + I(share > 0.5) + sqrt(share) + center(lndist)", dyads
    )
    X = made.fit.X
    assert_allclose(X[:, 1], dyads.lndist * 2 - dyads.share / 4)
    assert_allclose(X[:, 2], (dyads.share > 0.5).astype(float))
    assert_allclose(X[:, 3], np.sqrt(dyads.share))
    assert_allclose(X[:, 4], dyads.lndist - dyads.lndist.mean(), atol=1e-12)


def test_every_function_is_documented_in_the_error() -> None:
    with pytest.raises(UsageError) as caught:
        parse_formula("y ~ exec(x)")
    assert all(name in str(caught.value) for name in FUNCTIONS)


def test_unknown_column_names_the_nearest(dyads: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="defense"):
        estimate("y ~ defence", dyads)


# --- rows and types -------------------------------------------------------------------------


def test_rows_lost_are_counted_once_in_formula_order(dyads: pd.DataFrame) -> None:
    data = dyads.copy()
    data.loc[:9, "lndist"] = np.nan
    data.loc[5:14, "defense"] = np.nan
    data.loc[100, "y"] = np.nan
    data.loc[200, "share"] = 0.0
    result = estimate("y ~ defense + lndist + log(share)", data)
    assert result.rows_lost == {
        "missing y": 1,
        "missing defense": 10,
        "missing lndist": 5,
        "not finite log(share)": 1,
    }
    assert list(result.rows_lost) == [
        "missing y", "missing defense", "missing lndist", "not finite log(share)",
    ]  # fmt: skip
    assert result.n_obs == len(data) - sum(result.rows_lost.values())
    assert result.kept is not None
    assert int(result.kept.sum()) == result.n_obs


def test_nullable_and_plain_columns_agree(dyads: pd.DataFrame) -> None:
    data = dyads.copy()
    data["share"] = data["share"].where(data.index % 7 != 0)
    plain = estimate(FORMULA, data, cov=["cluster(dyad)"])
    nullable = data.convert_dtypes()
    nullable["defense"] = nullable["defense"].astype("Int8")
    nullable["share"] = nullable["share"].astype("Float64")
    nullable["y"] = nullable["y"].astype("boolean")
    other = estimate(FORMULA, nullable, cov=["cluster(dyad)"])
    assert other.rows_lost == plain.rows_lost == {"missing share": 60}
    assert_allclose(other.params, plain.params)
    assert_allclose(other.std_errors(), plain.std_errors())


@pytest.mark.filterwarnings("ignore:dyadic:UserWarning")
def test_other_frames(dyads: pd.DataFrame) -> None:
    polars, arrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    plain = estimate(FORMULA, dyads, cov="dyadic")
    frames = [
        {name: dyads[name].to_numpy() for name in dyads},
        polars.from_pandas(dyads),
        arrow.Table.from_pandas(dyads),
    ]
    for frame in frames:
        other = estimate(FORMULA, frame, cov="dyadic")
        assert_allclose(other.params, plain.params)
        assert_allclose(other.std_errors(), plain.std_errors())


def test_categories_with_missing_text(dyads: pd.DataFrame) -> None:
    data = dyads.copy()
    data["region"] = data["region"].astype("string")
    data.loc[:4, "region"] = pd.NA
    result = estimate("y ~ region + share", data)
    assert result.rows_lost == {"missing region": 5}
    assert result.terms == ("(Intercept)", "region[T.asia]", "region[T.europe]", "share")
    category = estimate("y ~ region + share", data.astype({"region": "category"}))
    assert_allclose(category.params, result.params)


@pytest.mark.filterwarnings("ignore:dyadic:UserWarning")
def test_states_may_be_nullable_or_text(dyads: pd.DataFrame) -> None:
    plain = estimate(FORMULA, dyads, cov=["dyadic", "cluster(dyad)", "cluster(region)"])
    nullable = dyads.astype({"ccode1": "Int16", "ccode2": "Int32"})
    nullable.loc[0, ["ccode1", "share"]] = pd.NA  # a row that is lost may miss its state
    text = dyads.astype({"ccode1": str, "ccode2": str})
    one = estimate(FORMULA, nullable, cov=["dyadic", "cluster(dyad)"])
    other = estimate(FORMULA, dyads[1:], cov=["dyadic", "cluster(dyad)"])
    third = estimate(FORMULA, text, cov=["dyadic", "cluster(dyad)"])
    for cov in one.cov_names:
        assert_allclose(one.std_errors(cov), other.std_errors(cov))
        assert_allclose(third.std_errors(cov), plain.std_errors(cov))


def test_no_rows_left(dyads: pd.DataFrame) -> None:
    with pytest.raises(EstimationError, match="420 rows: missing share"):
        estimate(FORMULA, dyads.assign(share=np.nan))


def test_the_data_are_not_changed(dyads: pd.DataFrame) -> None:
    before = dyads.copy(deep=True)
    estimate("y ~ poly(lndist, 2) + C(year)", dyads, cov=["cluster(dyad)", "HC3"])
    pd.testing.assert_frame_equal(dyads, before)


def test_missing_cluster_is_refused(dyads: pd.DataFrame) -> None:
    data = dyads.assign(group=dyads["year"].where(dyads.index > 3))
    with pytest.raises(UsageError, match='"group" is missing in 4 of the rows'):
        estimate(FORMULA, data, cov="cluster(group)")


# --- what cannot be estimated ---------------------------------------------------------------


def test_collinear_terms_are_named(dyads: pd.DataFrame) -> None:
    data = dyads.assign(twice=2 * dyads["share"] - dyads["lndist"], same=3.0)
    with pytest.raises(EstimationError, match=r"twice \(made up by lndist, share\)"):
        estimate(FORMULA + " + twice", data)
    with pytest.raises(EstimationError, match="same"):
        estimate(FORMULA + " + same", data, "ols")
    dropped = estimate(FORMULA + " + twice", data, collinear="drop")
    assert list(dropped.dropped_terms) == ["twice"]
    assert_allclose(dropped.params, estimate(FORMULA, data).params, rtol=1e-8)


@pytest.mark.filterwarnings("ignore:dyadic:UserWarning")
@pytest.mark.parametrize("estimator", ["logit", "probit", "cloglog"])
def test_a_perfect_predictor_is_named_or_dropped_with_its_rows(
    estimator: str, dyads: pd.DataFrame
) -> None:
    pact = ((dyads["y"] == 0) & (dyads.index % 5 == 0)).astype(int)
    data = dyads.assign(pact=pact)
    rows = int(pact.sum())
    with pytest.raises(EstimationError, match=rf"pact = 1 has outcome 0 in all {rows} rows"):
        estimate(FORMULA + " + pact", data, estimator)
    dropped = estimate(FORMULA + " + pact", data, estimator, separation="drop", cov="dyadic")
    assert dropped.rows_lost == {"perfect predictor pact = 1 has outcome 0": rows}
    assert "pact" in dropped.dropped_terms
    alone = estimate(FORMULA, data[pact == 0], estimator, cov="dyadic")
    assert_allclose(dropped.params, alone.params, rtol=1e-8)
    assert_allclose(dropped.std_errors(), alone.std_errors(), rtol=1e-8)
    assert dropped.kept is not None
    assert int(dropped.kept.sum()) == len(data) - rows


@pytest.mark.parametrize("estimator", ["logit", "probit", "cloglog"])
@pytest.mark.parametrize("overlap", [0.0, 1.0])
def test_separation_along_a_line_is_found(estimator: str, overlap: float) -> None:
    """Complete (no ties) and quasi-complete (ties at the border) separation by two terms."""
    rng = np.random.default_rng(4)
    a, b, c = rng.normal(size=(3, 400))
    index = a + 2 * b
    y = (index > 0).astype(float)
    if overlap:
        a[:20], b[:20] = 0.0, 0.0
        y[:20] = np.arange(20) % 2
    X = np.column_stack([np.ones(400), a, b, c])
    with pytest.raises(EstimationError, match="separated") as caught:
        fit_arrays(estimator, X, y, ["(Intercept)", "a", "b", "c"])
    assert "a, b" in str(caught.value)


def test_rows_that_terms_decide_together_can_be_left_out(dyads: pd.DataFrame) -> None:
    """A base category without events: no single dummy predicts, but all of them together do."""
    data = dyads.assign(y=dyads["y"].where(dyads["year"] != 1900, 0))
    data.loc[data["year"] == 1904, "y"] = 0
    with pytest.raises(EstimationError, match="1904"):
        estimate("y ~ share + C(year)", data)
    made = estimate("y ~ share + C(year)", data, separation="drop", cov="HC1")
    inside = data[~data["year"].isin([1900, 1904])]
    alone = estimate("y ~ share + C(year)", inside, cov="HC1")
    assert made.n_obs == len(inside)
    assert sum(made.rows_lost.values()) == len(data) - len(inside)
    assert_allclose(made.coef["share"], alone.coef["share"], rtol=1e-8)
    assert_allclose(made.se()["share"], alone.se()["share"], rtol=1e-8)
    assert_allclose(made.predict(inside), alone.predict(), rtol=1e-8)


def test_rare_events_are_not_mistaken_for_separation() -> None:
    rng = np.random.default_rng(9)
    n = 200_000
    x = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(9 - x))).astype(float)
    result = fit_arrays("logit", np.column_stack([np.ones(n), x]), y, ["(Intercept)", "x"])
    assert abs(result.params[1] - 1) < 4 * result.std_errors()[1]


@pytest.mark.parametrize(
    ("estimator", "outcome", "message"),
    [
        ("logit", "z", "must be 0 or 1"),
        ("logit", "none", "is 0 in all 420 rows"),
        ("poisson", "z", "must be a count"),
        ("poisson", "none", "is 0 in all 420 rows"),
    ],
)
def test_outcomes_that_do_not_fit_the_model(
    estimator: str, outcome: str, message: str, dyads: pd.DataFrame
) -> None:
    with pytest.raises(EstimationError, match=message):
        estimate(f"{outcome} ~ share", dyads.assign(none=0), estimator)


def test_counts_without_overdispersion_have_no_theta() -> None:
    rng = np.random.default_rng(1)
    y = rng.binomial(4, 0.5, 400).astype(float)
    with pytest.raises(EstimationError, match="use the estimator poisson"):
        fit_arrays("negbin", np.column_stack([np.ones(400), rng.normal(size=400)]), y)


def test_too_few_rows(dyads: pd.DataFrame) -> None:
    with pytest.raises(EstimationError, match="too few"):
        estimate("z ~ defense + lndist + share", dyads[:4], "ols")


@pytest.mark.parametrize("options", [{"estimator": "logistic"}, {"cov": []}, {"separation": "x"}])
def test_unknown_options(options: dict, dyads: pd.DataFrame) -> None:
    with pytest.raises(UsageError):
        estimate(FORMULA, dyads, **options)


# --- numerics -------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from([*FAMILIES, "negbin"]),
    eta=st.floats(-6, 3),
    y=st.integers(0, 1),
    theta=st.floats(0.2, 20),
)
def test_scores_and_information_are_derivatives(
    name: str, eta: float, y: int, theta: float
) -> None:
    family = NegativeBinomial(theta) if name == "negbin" else FAMILIES[name]
    step = 1e-5
    at = np.array([eta - step, eta, eta + step])
    ll, score, information = family.parts(np.full(3, float(y)), at)
    # central differences of step 1e-5: errors of about 1e-10 times the third derivative
    assert_allclose((ll[2] - ll[0]) / (2 * step), score[1], rtol=1e-5, atol=1e-6)
    assert_allclose(-(score[2] - score[0]) / (2 * step), information[1], rtol=1e-5, atol=1e-6)
    mean, slope, curve = family.mean(at), family.slope(at), family.curve(at)
    assert_allclose((mean[2] - mean[0]) / (2 * step), slope[1], rtol=1e-5, atol=1e-8)
    assert_allclose((slope[2] - slope[0]) / (2 * step), curve[1], rtol=1e-5, atol=1e-8)


@settings(max_examples=200, deadline=None)
@given(eta=st.floats(-60, 60), y=st.integers(0, 1))
def test_a_probits_parts_hold_far_out_in_the_tails(eta: float, y: int) -> None:
    """Against logarithms of the tails: products and ratios of these lose 1e-13 by their size."""
    z = eta * (2 * y - 1)
    below, above = special.log_ndtr(z), special.log_ndtr(-z)
    density = -0.5 * z * z - 0.5 * np.log(2 * np.pi)
    ratio = np.exp(density - below)
    family, at, outcome = FAMILIES["probit"], np.array([eta]), np.array([float(y)])
    loglik, score, information = (float(part[0]) for part in family.parts(outcome, at))
    assert_allclose(loglik, below, rtol=1e-12, atol=1e-15)
    assert_allclose(score, (2 * y - 1) * ratio, rtol=1e-11, atol=1e-300)
    # the information is a difference: its digits are those of z squared
    assert_allclose(information, ratio * (ratio + z), rtol=1e-12 * (1 + z * z), atol=1e-300)
    expected = float(family.expected(outcome, at)[0])
    assert_allclose(expected, np.exp(2 * density - below - above), rtol=1e-11, atol=1e-300)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    estimator=st.sampled_from(["logit", "probit", "cloglog", "poisson", "ols"]),
)
def test_scores_sum_to_zero_at_the_estimate(seed: int, estimator: str) -> None:
    rng = np.random.default_rng(seed)
    n = 150
    X = np.column_stack([np.ones(n), rng.normal(size=n), rng.normal(5, 20, size=n)])
    mean = 1 / (1 + np.exp(-X @ [0.2, 0.5, -0.02]))
    y = rng.poisson(3 * mean) if estimator == "poisson" else (rng.random(n) < mean)
    result = fit_arrays(estimator, X, y.astype(float))
    scores = X * result.fit.made.scores.factor[:, None]
    assert_allclose(scores.sum(axis=0), 0.0, atol=1e-6 * np.abs(scores).sum(axis=0).max())


def test_large_problems_started_from_a_subsample_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    n = 6000
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    y = (rng.random(n) < 1 / (1 + np.exp(-X @ [-2, 0.5, 0.2, 0]))).astype(float)
    plain = fit_arrays("logit", X, y)
    monkeypatch.setattr("foedus.models.newton.LARGE", 1000)
    thinned = fit_arrays("logit", X, y)
    assert thinned.iterations < plain.iterations
    assert_allclose(thinned.params, plain.params, rtol=1e-9)


def test_weights_are_repeated_rows(dyads: pd.DataFrame) -> None:
    times = 1 + dyads.index.to_numpy() % 3
    weighted = estimate(FORMULA, dyads.assign(times=times), weights="times")
    repeated = estimate(FORMULA, dyads.loc[np.repeat(dyads.index, times)])
    assert_allclose(weighted.params, repeated.params, rtol=1e-8)
    assert_allclose(weighted.std_errors(), repeated.std_errors(), rtol=1e-8)
    assert_allclose(weighted.loglik, repeated.loglik)
    by_values = estimate(FORMULA, dyads, weights=times)
    assert_allclose(by_values.params, weighted.params)


# --- the result -----------------------------------------------------------------------------


def test_table_is_tidy(dyads: pd.DataFrame) -> None:
    with pytest.warns(UserWarning, match="only 12 states"):
        result = estimate(FORMULA, dyads, cov=["classical", "cluster(dyad)", "dyadic"])
    table = result.table()
    assert list(table.columns[:8]) == [
        "term", "estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high", "covariance",
    ]  # fmt: skip
    assert len(table) == 12
    assert list(table["covariance"].unique()) == ["classical", "cluster(dyad)", "dyadic"]
    assert_allclose(table["ci_high"] - table["estimate"], 1.959963984540054 * table["std_error"])
    assert result.coef["defense"] == result.params[1]
    assert result.se("dyadic")["defense"] == result.std_errors("dyadic")[1]
    assert result.index_of("Intercept") == 0
    assert result.n_events == int(dyads["y"].sum())
    assert result.n_clusters["dyadic"] == 12
    assert result.converged
    with pytest.raises(UsageError, match="was not computed"):
        result.se("HC1")
    with pytest.raises(AttributeError):
        result.loglik = 0.0  # type: ignore[misc]


def test_ols_uses_t(dyads: pd.DataFrame) -> None:
    from scipy import stats

    result = estimate("z ~ defense", dyads, "ols")
    table = result.table()
    assert_allclose(table["p_value"], 2 * stats.t(418).sf(np.abs(table["statistic"])))
    assert result.df == 418
    assert result.n_events is None


def test_predictions_on_new_rows_use_what_was_learnt(dyads: pd.DataFrame) -> None:
    formula = "y ~ poly(lndist, 2) + center(share) * region + C(year) + offset(w)"
    result = estimate(formula, dyads)
    new = dyads.iloc[[3, 50, 7]].drop(columns="y").reset_index(drop=True)
    assert_allclose(result.predict(new), result.predict()[[3, 50, 7]], rtol=1e-10)
    new.loc[1, "share"] = np.nan
    assert np.isnan(result.predict(new)[1])
    link = result.predict(new, kind="link")
    assert_allclose(1 / (1 + np.exp(-link[0])), result.predict()[3])


def test_importing_the_room_is_cheap() -> None:
    code = (
        "import sys, foedus.models as m; assert 'numpy' not in sys.modules;"
        "m.estimate; assert not {'pandas', 'formulaic', 'statsmodels'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert set(models.__all__) <= {*dir(models), *models._HOMES}
    with pytest.raises(AttributeError):
        models.nothing  # noqa: B018
