"""Panel models against plm and lm with dummies: tests/reference/make_panel.R."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from foedus.errors import EstimationError, UsageError
from foedus.models import Result, estimate
from foedus.models.absorb import Absorber, factor_of, singletons
from foedus.models.panel_effects import beck_katz, hausman

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "panel_reference.csv"
STORED = pd.read_csv(REFERENCE)
SMALL = "z ~ defense + lndist + share"
LARGE = "y ~ defense + contig + lndist + jointdem + lncaprat + t + t2 + t3"
BARS = {
    "fe_one": "ccode1",
    "fe_two": "ccode1 + year",
    "fe_three": "ccode1 + ccode2 + year",
}


def fitted(model: str, data: pd.DataFrame, formula: str, unit: str, cov: Any) -> Result:
    kind, *rest = model.split("_")
    if kind == "fe":
        return estimate(f"{formula} | {BARS[model]}", data, "fixed_effects", cov)
    if kind == "within":
        fe = {"individual": [unit], "time": ["year"], "twoways": [unit, "year"]}[rest[0]]
        return estimate(formula, data, "fixed_effects", cov, fe=fe)
    if kind == "between":
        return estimate(
            formula, data, "between", cov, unit=unit if rest[0] == "individual" else "year"
        )
    if kind == "random":
        return estimate(
            formula, data, "random_effects", cov,
            unit=unit, time="year", effect=rest[0], components=rest[1],
        )  # fmt: skip
    return estimate(formula, data, "first_difference", cov, unit=unit, time="year")


def compare(model: str, which: str, data: pd.DataFrame, formula: str, unit: str) -> None:
    stored = STORED[(STORED["data"] == which) & (STORED["model"] == model)]
    tables = stored[stored["covariance"].notna()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        result = fitted(model, data, formula, unit, list(tables["covariance"].unique()))
    for cov, table in tables.groupby("covariance"):
        places = [result.terms.index(term) for term in table["term"]]
        # both solve least squares by QR: agreement is to rounding
        assert_allclose(result.params[places], table["estimate"], rtol=1e-9, err_msg=model)
        errors = result.std_errors(str(cov))[places]
        if model.startswith("random_twoways"):
            # plm 2.6 leaves this covariance in units of the idiosyncratic variance
            errors = errors / np.sqrt(result.ancillary["sigma2_idios"])
        assert_allclose(errors, table["std_error"], rtol=1e-9, err_msg=f"{model} {cov}")
        if table["loglik"].notna().all():
            assert_allclose(result.loglik, table["loglik"].iloc[0], rtol=1e-12)
    for row in stored[stored["covariance"].isna()].itertuples():
        assert_allclose(result.ancillary[row.term], row.estimate, rtol=1e-8, atol=1e-12)


def models(which: str) -> list[str]:
    rows = STORED[(STORED["data"] == which)]
    kinds = ("fe", "within", "random", "between", "fd")
    known = [m for m in rows["model"].unique() if m.split("_")[0] in kinds]
    return [m for m in known if "arellano" not in m]


@pytest.fixture(scope="module")
def small(dyads: pd.DataFrame) -> pd.DataFrame:
    return dyads.assign(ddyad=dyads["ccode1"] * 1000 + dyads["ccode2"])


@pytest.fixture(scope="module")
def relevant(shared_dir: Path) -> pd.DataFrame:
    return pd.read_csv(shared_dir / "samples" / "sample_prd.csv.gz")


@pytest.mark.parametrize("model", models("small"))
def test_matches_r(model: str, small: pd.DataFrame) -> None:
    compare(model, "small", small, SMALL, "ddyad")


@pytest.mark.parametrize(
    "model",
    ["within_individual", "within_time", "within_twoways", "between_individual", "fd",
     "random_individual_swar", "random_individual_amemiya", "random_time_swar"],
)  # fmt: skip
def test_matches_r_on_relevant_dyads(model: str, relevant: pd.DataFrame) -> None:
    compare(model, "prd", relevant, LARGE, "dyad")


def test_hausman(small: pd.DataFrame) -> None:
    w = estimate(SMALL, small, "fixed_effects", fe="ddyad")
    r = estimate(SMALL, small, "random_effects", unit="ddyad")
    test = hausman((w.terms, w.params, w.vcov()), (r.terms, r.params, r.vcov()))
    stored = STORED[STORED["model"] == "hausman"].iloc[:3].set_index("term")["estimate"]
    assert_allclose([test.statistic, test.p_value], stored[["chisq", "p"]], rtol=1e-8)
    assert test.df == stored["df"]


def test_beck_katz(small: pd.DataFrame) -> None:
    ols = estimate(SMALL, small, "ols")
    X = ols.fit.X
    residual = small["z"].to_numpy() - X @ ols.params
    V = beck_katz(
        X, residual, np.linalg.inv(X.T @ X),
        factor_of("ddyad", small["ddyad"]), factor_of("year", small["year"]),
    )  # fmt: skip
    stored = STORED[(STORED["model"] == "pooling_bk") & (STORED["data"] == "small")]
    assert_allclose(np.sqrt(np.diag(V)), stored["std_error"], rtol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("names", [["ccode1"], ["ccode1", "year"], ["year", "ccode2", "ccode1"]])
def test_projection_by_its_definition(
    small: pd.DataFrame, names: list[str], weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = small["w"].to_numpy() if weighted else None
    root = np.sqrt(np.ones(len(small)) if w is None else w)
    D = np.hstack([pd.get_dummies(small[n]).to_numpy(float) for n in names]) * root[:, None]
    H = D @ np.linalg.pinv(D)
    x = np.random.default_rng(5).normal(size=(len(small), 2))
    wanted = x - (H @ (x * root[:, None])) / root[:, None]
    factors = [factor_of(n, small[n]) for n in names]
    direct = Absorber.of(factors, w)
    assert direct.rank == np.linalg.matrix_rank(D)
    assert_allclose(direct.residual(x), wanted, atol=1e-12)
    assert_allclose(direct.leverage(), np.diag(H), atol=1e-12)
    monkeypatch.setattr("foedus.models.absorb.DENSE", 0)
    iterated = Absorber.of(factors, w)
    assert iterated.rank == direct.rank
    assert_allclose(iterated.residual(x), wanted, atol=1e-10)


def test_effects_that_fall_apart_are_counted() -> None:
    """Two islands of units and times: one effect more is lost than units + times - 1."""
    unit, time = np.array([0, 0, 1, 1, 2, 2, 3, 3]), np.array([0, 1, 0, 1, 2, 3, 2, 3])
    factors = [factor_of("unit", unit), factor_of("time", time)]
    assert Absorber.of(factors).rank == 4 + 4 - 2


def test_singletons_go_until_none_is_left() -> None:
    unit, time = np.array([0, 1, 1, 2, 2]), np.array([0, 0, 1, 1, 1])
    alone = singletons([factor_of("unit", unit), factor_of("time", time)])
    assert alone.tolist() == [True, True, True, False, False]


def test_singletons_are_counted_and_dropped(small: pd.DataFrame) -> None:
    lonely = small.assign(ccode1=np.where(np.arange(len(small)) == 3, 999, small["ccode1"]))
    kept = estimate(SMALL, lonely, "fixed_effects", "HC1", fe="ccode1")
    gone = estimate(SMALL, lonely, "fixed_effects", "HC1", fe="ccode1", singletons="drop")
    assert kept.ancillary["singletons"] == gone.ancillary["singletons"] == 1
    assert gone.rows_lost == {"alone in a fixed effect": 1}
    assert gone.n_obs == kept.n_obs - 1
    assert_allclose(gone.params, kept.params, rtol=1e-12)
    assert_allclose(gone.ancillary["sigma"], kept.ancillary["sigma"], rtol=1e-12)


def test_a_term_without_variation_is_named(small: pd.DataFrame) -> None:
    flat = small.assign(size=small["ccode1"] * 0.01)
    with pytest.raises(EstimationError, match="no variation within effects: size"):
        estimate("z ~ share + size | ccode1", flat, "fixed_effects")
    result = estimate("z ~ share + size | ccode1", flat, "fixed_effects", collinear="drop")
    assert result.terms == ("share",)
    assert "size" in result.dropped_terms


def test_absorbed_needs_effects(small: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="needs fe="):
        estimate(SMALL, small, "fixed_effects")


def test_dyadic_errors_equal_those_with_dummies(small: pd.DataFrame) -> None:
    cov = ["dyadic", "cluster(ccode1,year; none)"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        absorbed = estimate(
            f"{SMALL} | ccode1 + year", small, "fixed_effects", cov, repairs="never"
        )
        dummies = estimate(
            f"{SMALL} + factor(ccode1) + factor(year)", small, "ols", cov, repairs="never"
        )
    places = [dummies.terms.index(term) for term in absorbed.terms]
    for name in cov:
        own = absorbed.vcov(name)
        assert_allclose(own, dummies.vcov(name)[np.ix_(places, places)], rtol=1e-7, atol=1e-12)


def test_two_stage_least_squares_against_linearmodels(small: pd.DataFrame) -> None:
    from linearmodels.iv import IV2SLS

    ours = estimate("z ~ share + defense | share + lndist + w", small, "iv", "HC0")
    exogenous = pd.DataFrame({"c": 1.0, "share": small["share"]})
    theirs = IV2SLS(small["z"], exogenous, small[["defense"]], small[["lndist", "w"]])
    robust = theirs.fit(cov_type="robust")
    assert_allclose(ours.params, robust.params, rtol=1e-8)
    assert_allclose(ours.std_errors("HC0"), robust.std_errors, rtol=1e-8)
    classical = theirs.fit(cov_type="unadjusted")
    assert_allclose(ours.ancillary["sargan"], classical.sargan.stat, rtol=1e-7)
    assert_allclose(ours.ancillary["wu_hausman"], classical.wu_hausman().stat, rtol=1e-7)
    with pytest.raises(EstimationError, match="too few"):
        estimate("z ~ share + defense | share", small, "iv")


def test_instruments_without_a_first_stage_are_refused() -> None:
    x, z = np.tile([1.0, -1.0], 10), np.repeat([1.0, -1.0], 10)
    frame = pd.DataFrame({"y": np.arange(20.0) ** 2, "x": x, "z": z})
    with pytest.raises(EstimationError, match="don't identify x"):
        estimate("y ~ x | z", frame, "iv")


def test_a_repeated_time_is_refused(small: pd.DataFrame) -> None:
    with pytest.raises(EstimationError, match="two rows at one time"):
        estimate(SMALL, small, "first_difference", unit="ccode1", time="year")


def test_gaps_may_be_left_out(small: pd.DataFrame) -> None:
    all_gaps = estimate(SMALL, small, "first_difference", unit="ddyad", time="year")
    none = estimate(SMALL, small, "first_difference", unit="ddyad", time="year", gaps="drop")
    ordered = small.sort_values(["ddyad", "year"])
    step = ordered.groupby("ddyad")["year"].diff()
    assert all_gaps.n_obs == int(step.notna().sum())
    assert none.n_obs == int((step == 1).sum())
