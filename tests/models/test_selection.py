"""Selection models and pairs of probits against likelihoods written out in R.

tests/reference/make_selection.R maximises them with numerical second derivatives, which are good
to about 1e-6 of a standard error.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from foedus.errors import EstimationError
from foedus.models import Result, estimate
from foedus.models.bivariate_normal import log_normal2, normal2
from foedus.models.indices import Index
from foedus.models.selection import _heckman_rows, fit_heckman

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "selection_reference.csv"
STORED = pd.read_csv(REFERENCE)
LARGE = "defense + contig + lndist + jointdem + lncaprat + t + t2 + t3"
OUTCOME = "defense + contig + jointdem + lncaprat"
SMALL = {
    "heckman": ("z | y ~ defense + share | defense + lndist + share", {}),
    "bivariate_probit": ("y | many ~ defense + lndist | lndist + share", {}),
    "selection_probit": ("many | y ~ defense + share | defense + lndist + share", {}),
}
KNOWN = {"rho": "/athrho", "sigma": "/lnsigma"}


@pytest.fixture(scope="module")
def pairs(dyads: pd.DataFrame) -> pd.DataFrame:
    return dyads.assign(many=(dyads["count"] > 1).astype(int))


@pytest.fixture(scope="module")
def relevant(shared_dir: Path) -> pd.DataFrame:
    data = pd.read_csv(shared_dir / "samples" / "sample_prd.csv.gz")
    return data.assign(lndur=np.log(data["mindur"]), force=(data["hostlev"] >= 4).astype(int))


def our_name(term: str, result: Result) -> str:
    plain = term.removeprefix("outcome:").removeprefix("first:")
    return plain if plain in result.terms else term


def compare(result: Result, rows: pd.DataFrame, cluster: str, rtol: float) -> None:
    for cov, table in rows.groupby("covariance"):
        name = cluster if cov.startswith("cluster") else "classical"
        errors = result.se(name)
        for row in table.itertuples():
            if row.term in KNOWN:
                value = result.coef[KNOWN[row.term]]
                estimate_here = result.ancillary[row.term]
                slope = 1 - np.tanh(value) ** 2 if row.term == "rho" else np.exp(value)
                error = errors[KNOWN[row.term]] * slope
                if name == "classical":
                    assert_allclose(result.ancillary[f"{row.term}_se"], error, rtol=1e-12)
            else:
                term = our_name(row.term, result)
                estimate_here, error = result.coef[term], errors[term]
            assert_allclose(estimate_here, row.estimate, rtol=rtol, err_msg=row.term)
            # t, t^2 and t^3 are nearly collinear, which R's numerical second derivatives feel; ours
            # are held against the scores in `test_information_is_the_slope_of_the_scores`
            loose = 2e-3 if row.term in ("selection:t", "selection:t2", "selection:t3") else 0.0
            limit = max(10 * rtol, loose)
            assert_allclose(error, row.std_error, rtol=limit, err_msg=f"{row.term} {cov}")
        if table["loglik"].notna().any():
            assert_allclose(result.loglik, table["loglik"].iloc[0], rtol=1e-10)


def fit(formula: str, data: pd.DataFrame, estimator: str, cov: Any, **options: Any) -> Result:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return estimate(formula, data, estimator, cov, **options)


@pytest.mark.parametrize("model", list(SMALL))
def test_likelihoods(model: str, pairs: pd.DataFrame) -> None:
    formula, options = SMALL[model]
    cov = ["classical", "cluster(ccode1; none)"]
    result = fit(formula, pairs, model, cov, **options)
    rows = STORED[(STORED["data"] == "small") & (STORED["model"] == model)]
    compare(result, rows, cov[1], 1e-6)


def test_information_is_the_slope_of_the_scores(relevant: pd.DataFrame) -> None:
    """Central differences of the scores along the axes of the covariance give the identity."""
    data = relevant[relevant["dyad"] % 40 == 0]
    selected = (data["y"] == 1).to_numpy()
    one = np.ones((len(data), 1))
    Z = np.hstack([one, data[LARGE.split(" + ")].to_numpy(float)])
    X = np.hstack([one, data[OUTCOME.split(" + ")].to_numpy(float)])
    y = np.where(selected, data["lndur"].fillna(0.0), 0.0)
    names = [f"x{j}" for j in range(X.shape[1])]
    index = Index(Z, tuple(f"z{j}" for j in range(Z.shape[1])))
    found = fit_heckman(y, X, names, selected, index)
    rows = _heckman_rows(y, selected)
    X[~selected] = 0.0

    def scores(p: np.ndarray) -> np.ndarray:
        k, m = Z.shape[1], X.shape[1]
        scale = np.tile(p[k + m :], (len(data), 1))
        first = rows(np.column_stack([Z @ p[:k], X @ p[k : k + m], scale]))[1]
        parts = [first[:, 0] @ Z, first[:, 1] @ X, first[:, 2:].sum(axis=0)]
        return np.concatenate(parts)

    axes, h = np.linalg.cholesky(found.bread), 1e-3
    assert_allclose(scores(found.coef) @ axes, 0.0, atol=1e-9)
    slopes = [
        (8 * (scores(found.coef + h * v) - scores(found.coef - h * v))
         - (scores(found.coef + 2 * h * v) - scores(found.coef - 2 * h * v))) / (12 * h)
        for v in axes.T
    ]  # fmt: skip
    assert_allclose(-axes.T @ np.column_stack(slopes), np.eye(len(axes)), atol=1e-8)


@pytest.mark.parametrize("information", ["expected", "observed"])
@pytest.mark.parametrize("data", ["small", "prd"])
def test_two_steps(data: str, information: str, request: pytest.FixtureRequest) -> None:
    frame = request.getfixturevalue("pairs" if data == "small" else "relevant")
    formula = SMALL["heckman"][0] if data == "small" else f"lndur | y ~ {OUTCOME} | {LARGE}"
    result = fit(formula, frame, "heckman_two_step", "classical", information=information)
    rows = STORED[(STORED["data"] == data) & (STORED["model"] == f"heckman_two_step_{information}")]
    table = rows[rows["covariance"].notna()]
    terms = [t if t != "invMillsRatio" else "/invMillsRatio" for t in table["term"]]
    # R's probit stops by its deviance, about 1e-8 short of the maximum
    assert_allclose(result.coef[terms], table["estimate"], rtol=1e-6)
    assert_allclose(result.se()[terms], table["std_error"], rtol=1e-6)
    numbers = rows[rows["covariance"].isna()].set_index("term")["estimate"]
    for name in ("sigma", "rho"):
        assert_allclose(result.ancillary[name], numbers[name], rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "formula"),
    [
        ("heckman", f"lndur | y ~ {OUTCOME} | {LARGE}"),
        ("selection_probit", f"force | y ~ {OUTCOME} | {LARGE}"),
    ],
)
def test_on_relevant_dyads(model: str, formula: str, relevant: pd.DataFrame) -> None:
    cov = ["classical", "cluster(dyad; none)"]
    result = fit(formula, relevant[relevant["dyad"] % 40 == 0], model, cov)
    rows = STORED[(STORED["data"] == "part") & (STORED["model"] == model)]
    assert len(rows)
    compare(result, rows, cov[1], 2e-5)


def test_an_outcome_missing_where_not_selected_is_no_loss(pairs: pd.DataFrame) -> None:
    short = pairs.assign(z=pairs["z"].where(pairs["y"] == 1))
    formula = SMALL["heckman"][0]
    one, two = fit(formula, pairs, "heckman", "HC0"), fit(formula, short, "heckman", "HC0")
    assert two.n_obs == len(pairs)
    assert_allclose(two.params, one.params, rtol=1e-12)


def test_predictions_agree_with_their_definitions(pairs: pd.DataFrame) -> None:
    result = fit(SMALL["selection_probit"][0], pairs, "selection_probit", "classical")
    share = result.predict(kind="selected") * result.predict(kind="selection")
    first, second = (part.X @ result.params[place] for part, place in zip(
        result.fit.parts, (slice(0, 3), slice(3, 7)), strict=True))  # fmt: skip
    rho = np.full(first.size, result.ancillary["rho"])
    seen = (pairs["y"] == 1).to_numpy()  # the matrix of other rows holds zeros, predictions don't
    assert_allclose(share[seen], normal2(first, second, rho)[seen], rtol=1e-12)
    heckman = fit(SMALL["heckman"][0], pairs, "heckman", "classical")
    gap = heckman.predict(kind="selected") - heckman.predict()
    assert np.sign(gap).tolist() == [np.sign(heckman.ancillary["lambda"])] * len(gap)


def test_selection_that_never_varies_is_refused(pairs: pd.DataFrame) -> None:
    formula = SMALL["heckman"][0]
    with pytest.raises(EstimationError, match="1 in all 420 rows"):
        fit(formula, pairs.assign(y=1), "heckman", "classical")
    with pytest.raises(EstimationError, match="selected rows: nothing to explain"):
        fit(formula, pairs.assign(z=2.0), "heckman", "classical")


def _slice_of_the_plane(x: float, b: float, r: float) -> float:
    return float(stats.norm.pdf(x) * stats.norm.cdf((b - r * x) / np.sqrt(1 - r * r)))


@pytest.mark.parametrize("r", [-0.999, -0.95, -0.5, 0.0, 0.3, 0.93, 0.9999, 1.0, -1.0])
def test_bivariate_normal(r: float) -> None:
    points = np.random.default_rng(3).normal(scale=1.5, size=(25, 2))
    ours = normal2(points[:, 0], points[:, 1], np.full(25, r))
    if abs(r) == 1.0:
        a, b = points.T
        line = np.minimum(stats.norm.cdf(a), stats.norm.cdf(b))
        against = np.maximum(stats.norm.cdf(a) - stats.norm.cdf(-b), 0)
        assert_allclose(ours, line if r > 0 else against, atol=1e-14)
        return
    # the definition as one integral over x, by adaptive quadrature
    from scipy.integrate import quad

    for (a, b), value in zip(points, ours, strict=True):
        edge = np.clip(b / r, -9, 9) if r else 0.0
        whole, _ = quad(
            _slice_of_the_plane, -9, a, (b, r),
            epsabs=1e-13, epsrel=1e-12, limit=400, points=[min(edge, a)],
        )  # fmt: skip
        assert_allclose(value, whole, atol=2e-11)


def test_derivatives_of_the_bivariate_normal() -> None:
    rng = np.random.default_rng(9)
    x = np.column_stack([rng.normal(size=(20, 2)), rng.uniform(-0.9, 0.9, 20)])
    _, first, second = log_normal2(*x.T)
    h = 1e-5
    for j in range(3):
        up, down = x.copy(), x.copy()
        up[:, j] += h
        down[:, j] -= h
        (v1, f1, _), (v0, f0, _) = log_normal2(*up.T), log_normal2(*down.T)
        assert_allclose(first[:, j], (v1 - v0) / (2 * h), rtol=1e-6, atol=1e-8)
        assert_allclose(second[:, :, j], (f1 - f0) / (2 * h), rtol=1e-5, atol=1e-7)


def test_two_stage_probit_recovers_a_simultaneous_system() -> None:
    """Simulated from the model: estimates within 4 of their standard errors, and errors right."""
    g1, g2, n, draws = 0.5, 0.4, 1500, 60
    rng = np.random.default_rng(11)
    estimates, errors = [], []
    for _ in range(draws):
        x, z = rng.normal(size=n), rng.normal(size=n)
        e1, e2 = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], n).T
        # y1 = g1 y2* + x + e1, y2* = g2 y1 + z + e2, solved for both
        rest = 1 - g1 * g2
        y1 = (x + e1 + g1 * (z + e2)) / rest
        latent = (z + e2 + g2 * (x + e1)) / rest
        frame = pd.DataFrame({"y1": y1, "y2": (latent > 0).astype(int), "x": x, "z": z})
        result = estimate("y1 | y2 ~ x | z", frame, "two_stage_probit")
        estimates.append(result.params)
        errors.append(result.std_errors())
    # the latent scale is that of the reduced form's error
    reduced = np.sqrt(1 + 2 * g2 * 0.3 + g2**2) / rest
    terms = {"x": 1.0, "/fitted_second": g1 * reduced, "/fitted_first": g2 / reduced}
    mean, spread = np.mean(estimates, axis=0), np.std(estimates, axis=0, ddof=1)
    for term, truth in terms.items():
        place = result.terms.index(term)
        assert abs(mean[place] - truth) < 4 * spread[place] / np.sqrt(draws), term
        ratio = np.mean(errors, axis=0)[place] / spread[place]
        assert 0.75 < ratio < 1.3, term


def test_marginal_effects_reach_both_equations(pairs: pd.DataFrame) -> None:
    from foedus.models import effects

    result = fit(SMALL["selection_probit"][0], pairs, "selection_probit", "classical")
    table = effects(result, ["share"])
    moved = {
        step: result.predict(pairs.assign(share=pairs["share"] + step)).mean()
        for step in (-1e-4, 1e-4)
    }
    slope = (moved[1e-4] - moved[-1e-4]) / 2e-4
    assert_allclose(table["estimate"].iloc[0], slope, rtol=1e-5)
