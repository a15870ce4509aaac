"""Durations against R's survival and cmprsk: tests/reference/make_survival.R."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from foedus.errors import EstimationError, UsageError
from foedus.models import Result, estimate
from foedus.models.arrays import codes_of
from foedus.models.cox import cox_curves, kaplan_meier, log_rank, proportionality

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "survival_reference.csv"
STORED = pd.read_csv(REFERENCE)
RIGHT = "~ defense + lndist + share"
COX: dict[str, dict[str, Any]] = {
    "cox_efron": {},
    "cox_breslow": {"ties": "breslow"},
    "cox_strata": {"strata": "region"},
    "cox_weights": {"weights": "w"},
    "cox_weights_breslow": {"weights": "w", "ties": "breslow"},
    "cox_start": {"start": "start"},
    "cox_start_breslow": {"start": "start", "ties": "breslow"},
    "cox_start_strata": {"start": "start", "strata": "region"},
    "cox_untied": {},
}
# both maximise by Newton to the last digits
RTOL = 1e-9


@pytest.fixture(scope="module")
def spells(dyads: pd.DataFrame) -> pd.DataFrame:
    """Durations with many ties, as make_survival.R makes them."""
    time = np.floor(3 * dyads["z"].abs()) + 1
    return dyads.assign(
        time=time,
        start=np.maximum(0, time - 1 - dyads["count"] % 3),
        half=time - 0.3 * dyads["share"],
        cause=np.where(dyads["y"] == 1, 1, np.where(dyads["count"] > 1, 2, 0)),
    )


@pytest.fixture(scope="module")
def relevant(shared_dir: Path) -> pd.DataFrame:
    data = pd.read_csv(shared_dir / "samples" / "sample_prd.csv.gz")
    return data.assign(stop=data["t"] + 1)


def stored(data: str, model: str) -> pd.DataFrame:
    return STORED[(STORED["data"] == data) & (STORED["model"] == model)]


def compare(result: Result, rows: pd.DataFrame, rtol: float = RTOL) -> None:
    for cov, table in rows[rows["covariance"].notna()].groupby("covariance"):
        assert_allclose(result.params, table["estimate"], rtol=rtol, err_msg=str(cov))
        assert_allclose(result.std_errors(cov), table["std_error"], rtol=rtol, err_msg=str(cov))
        if table["loglik"].notna().any():
            assert_allclose(result.loglik, table["loglik"].iloc[0], rtol=1e-11)


VARYING = pd.read_csv(REFERENCE.with_name("cox_varying_reference.csv"))


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("efron", {}),
        ("breslow", {"ties": "breslow"}),
        ("strata", {"strata": "region"}),
        ("start", {"start": "start"}),
    ],
)
def test_coefficients_that_change_with_time(
    spells: pd.DataFrame, model: str, options: dict[str, Any]
) -> None:
    rows = VARYING[VARYING["model"] == model]
    made = fit(
        f"time {RIGHT}", spells, "cox", rows, event="y", varying="defense + lndist", **options
    )
    assert list(made.terms)[3:] == ["defense:log(time)", "lndist:log(time)"]
    compare(made, rows)


def test_what_can_change_with_time_is_a_term(spells: pd.DataFrame) -> None:
    def made(**options: Any) -> Result:
        return estimate(f"time {RIGHT}", spells, estimator="cox", event="y", **options)

    with pytest.raises(UsageError, match=r'"defence", which is no term\. Nearest: defense'):
        made(varying="defence")
    with pytest.raises(UsageError, match="efron"):
        made(varying="defense", ties="exact")


def fit(formula: str, data: pd.DataFrame, estimator: str, rows: pd.DataFrame, **o: Any) -> Result:
    import warnings

    cov = list(rows["covariance"].dropna().unique())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return estimate(formula, data, estimator, cov, **o)


@pytest.mark.parametrize("model", list(COX))
def test_cox(model: str, spells: pd.DataFrame) -> None:
    rows = stored("small", model)
    time = "half" if model == "cox_untied" else "time"
    result = fit(f"{time} {RIGHT}", spells, "cox", rows, event="y", **COX[model])
    compare(result, rows)
    numbers = rows[rows["covariance"].isna()].set_index("term")["estimate"]
    for name in ("loglik_null", "score_test"):
        assert_allclose(result.ancillary[name], numbers[name], rtol=1e-10)
    assert result.n_events == int(spells["y"].sum())
    made = result.fit.details["cox"]
    assert_allclose(made.scores.sum(axis=0), 0.0, atol=1e-8)
    if "strata" in model:
        return
    base = stored("small", f"{model}_basehaz")
    curve = cox_curves(made, np.zeros((1, 3)))
    at = np.searchsorted(curve.times, base["term"].astype(float) + 1e-9) - 1
    ours = np.where(at < 0, 0.0, curve.hazard[at, 0])
    assert_allclose(ours, base["estimate"], rtol=1e-8, atol=1e-12)


def test_cox_with_exact_ties(spells: pd.DataFrame) -> None:
    rows = stored("small", "cox_exact")
    result = fit(f"time {RIGHT}", spells, "cox", rows, event="y", ties="exact")
    compare(result, rows)
    assert_allclose(result.fit.made.scores.sums(np.zeros(len(spells), int), 1), 0.0, atol=1e-7)


def test_exact_ties_without_ties_are_the_same_model(spells: pd.DataFrame) -> None:
    """Also with late entry and strata; and then the robust errors agree, which R has not."""
    rng = np.random.default_rng(2)
    apart = spells.iloc[:200].assign(
        late=lambda d: 0.1 * (d["count"] % 3), time=lambda d: d["time"] + rng.random(200)
    )
    for options in ({}, {"start": "late"}, {"strata": "region"}):
        both = [
            estimate(
                f"time {RIGHT}", apart, "cox", ["classical", "HC0", "cluster(ccode1; none)"],
                event="y", ties=ties, **options,
            )
            for ties in ("exact", "efron")
        ]  # fmt: skip
        assert_allclose(both[0].params, both[1].params, rtol=1e-8)
        assert both[0].loglik == pytest.approx(both[1].loglik, rel=1e-11)
        for cov in ("classical", "HC0", "cluster(ccode1; none)"):
            assert_allclose(both[0].std_errors(cov), both[1].std_errors(cov), rtol=1e-8)


def test_exact_ties_refuse_weights(spells: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="takes no weights"):
        estimate(f"time {RIGHT}", spells, "cox", event="y", ties="exact", weights="w")


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_survival_curves(ties: str, spells: pd.DataFrame) -> None:
    result = estimate(f"time {RIGHT}", spells, "cox", event="y", ties=ties)
    rows = np.array([[0.0, 7.0, 0.5], [1.0, 7.0, 0.5]])
    curve = cox_curves(result.fit.details["cox"], rows)
    wanted = stored("small", f"cox_{ties}_survival")
    at = np.searchsorted(curve.times, [2, 5, 9], side="right") - 1
    assert_allclose(curve.survival[at].T.ravel(), wanted["estimate"], rtol=1e-9)
    assert_allclose(curve.std_error[at].T.ravel(), wanted["std_error"], rtol=1e-9)


@pytest.mark.parametrize("model", ["cox_efron", "cox_breslow", "cox_start"])
@pytest.mark.parametrize("transform", ["km", "identity", "rank", "log"])
def test_proportional_hazards(model: str, transform: str, spells: pd.DataFrame) -> None:
    options = COX[model]
    result = estimate(f"time {RIGHT}", spells, "cox", event="y", **options)
    start = spells["start"].to_numpy(float) if "start" in options else None
    event = (spells["y"] == 1).to_numpy()
    time = spells["time"].to_numpy(float)
    test = proportionality(result.fit.details["cox"], result.terms, time, event, start, transform)
    wanted = stored("small", f"{model}_zph_{transform}")
    assert list(test.terms) == list(wanted["term"])
    assert_allclose(test.statistic, wanted["estimate"], rtol=1e-8)
    assert_allclose(test.p_value, wanted["std_error"], rtol=1e-8)


@pytest.mark.parametrize("start", [False, True])
def test_kaplan_meier(start: bool, spells: pd.DataFrame) -> None:
    curve = kaplan_meier(
        spells["time"].to_numpy(), (spells["y"] == 1).to_numpy(),
        spells["start"].to_numpy(float) if start else None,
    )  # fmt: skip
    wanted = stored("small", "km_start" if start else "km")
    at = np.searchsorted(curve.times, wanted["term"].astype(float), side="right") - 1
    assert_allclose(curve.survival[at], wanted["estimate"], rtol=1e-12)
    assert_allclose(curve.std_error[at], wanted["std_error"], rtol=1e-10)


@pytest.mark.parametrize(("name", "rho"), [("logrank", 0.0), ("logrank_peto", 1.0)])
def test_log_rank(name: str, rho: float, spells: pd.DataFrame) -> None:
    statistic, df, p = log_rank(
        spells["time"].to_numpy(), (spells["y"] == 1).to_numpy(),
        codes_of(spells["region"].to_numpy())[0], rho=rho,
    )  # fmt: skip
    assert df == 2
    assert 0 < p < 1
    assert_allclose(statistic, stored("small", name)["estimate"].iloc[0], rtol=1e-10)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("cox_efron", {"start": "t"}),
        ("cox_breslow", {"start": "t", "ties": "breslow"}),
        ("cox_right", {}),
        ("cox_strata", {"start": "t", "strata": "contig"}),
    ],
)
def test_cox_on_relevant_dyads(model: str, options: dict[str, Any], relevant: pd.DataFrame) -> None:
    rows = stored("prd", model)
    right = "defense + contig + lndist + jointdem + lncaprat"
    if model == "cox_strata":
        right = right.replace("contig + ", "")
    result = fit(f"stop ~ {right}", relevant, "cox", rows, event="y", **options)
    compare(result, rows)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox_on_dispute_durations(ties: str, relevant: pd.DataFrame) -> None:
    rows = stored("onset", f"cox_{ties}")
    formula = "mindur ~ defense + contig + lndist + jointdem + lncaprat"
    compare(fit(formula, relevant[relevant["y"] == 1], "cox", rows, ties=ties), rows)


def test_a_dyad_split_into_years_is_the_same_dyad(spells: pd.DataFrame) -> None:
    """A spell cut into rows at any times has the same partial likelihood."""
    long = spells[spells["time"] > 2]
    first = long.assign(stop=2.0, begin=0.0, end=0)
    second = long.assign(stop=long["time"], begin=2.0, end=long["y"])
    rest = spells[spells["time"] <= 2]
    whole = rest.assign(stop=rest["time"], begin=0.0, end=rest["y"])
    cut = pd.concat([first, second, whole])
    one = estimate(f"time {RIGHT}", spells, "cox", event="y")
    two = estimate(f"stop {RIGHT}", cut, "cox", event="end", start="begin")
    assert_allclose(two.params, one.params, rtol=1e-10)
    assert_allclose(two.vcov(), one.vcov(), rtol=1e-8)


def test_a_runaway_coefficient_is_named(spells: pd.DataFrame) -> None:
    data = spells.assign(sorted=np.where(spells["y"] == 1, 1.0, 0.0))
    with pytest.raises(EstimationError, match="sorted runs off to infinity"):
        estimate("time ~ share + sorted", data, "cox", event="y")


def test_bad_spells_are_refused(spells: pd.DataFrame) -> None:
    with pytest.raises(EstimationError, match="must end after it starts"):
        estimate("time ~ share", spells.assign(start=spells["time"]), "cox", start="start")
    with pytest.raises(EstimationError, match="event= must be 0 or 1"):
        estimate("time ~ share", spells, "cox", event="count")
    with pytest.raises(EstimationError, match="no row ends with an event"):
        estimate("time ~ share", spells.assign(y=0), "cox", event="y")
    flat = spells.assign(size=codes_of(spells["region"].to_numpy())[0].astype(float))
    with pytest.raises(EstimationError, match="no variation within risk sets: size"):
        estimate("time ~ share + size", flat, "cox", event="y", strata="region")


AFT = ("weibull", "exponential", "lognormal", "loglogistic")


def renamed(result: Result, rows: pd.DataFrame) -> pd.DataFrame:
    """R's names of the constant and of the log scale as ours, in our order."""
    terms = rows["term"].replace({"Log(scale)": "/lnsigma"})
    order = {term: place for place, term in enumerate(result.terms)}
    return rows.assign(term=terms, place=terms.map(order)).sort_values("place")


@pytest.mark.parametrize("distribution", AFT)
def test_accelerated_failure_times(distribution: str, spells: pd.DataFrame) -> None:
    rows = stored("small", f"aft_{distribution}")
    result = fit(f"time {RIGHT}", spells, f"aft_{distribution}", rows, event="y")
    compare(result, renamed(result, rows), rtol=1e-7)
    wanted = stored("small", f"aft_{distribution}_quantile")["estimate"].to_numpy()[2:]
    new = pd.DataFrame({"defense": [0, 1], "lndist": 7.0, "share": 0.5})
    assert_allclose(result.predict(new), wanted, rtol=1e-7)


def test_weighted_durations(spells: pd.DataFrame) -> None:
    rows = stored("small", "aft_weibull_weights")
    rows = rows[rows["covariance"] == "classical"]
    result = fit(f"time {RIGHT}", spells, "aft_weibull", rows, event="y", weights="w")
    compare(result, renamed(result, rows), rtol=1e-7)


@pytest.mark.parametrize("distribution", AFT)
def test_dispute_durations(distribution: str, relevant: pd.DataFrame) -> None:
    rows = stored("onset", f"aft_{distribution}")
    formula = "mindur ~ defense + contig + lndist + jointdem + lncaprat"
    result = fit(formula, relevant[relevant["y"] == 1], f"aft_{distribution}", rows)
    compare(result, renamed(result, rows), rtol=1e-6)


def test_generalised_gamma_holds_its_special_cases(spells: pd.DataFrame) -> None:
    from foedus.models.durations import _gamma_parts

    w = np.linspace(-3, 3, 13)
    density, survival = _gamma_parts(w, 1.0)
    assert_allclose(density, w - np.exp(w), atol=1e-12)
    assert_allclose(survival, -np.exp(w), rtol=1e-9)
    near, exact = _gamma_parts(w, 1e-3), _gamma_parts(w, 0.0)
    assert_allclose(near[0], exact[0], atol=2e-2)
    result = estimate(f"time {RIGHT}", spells, "aft_gengamma", event="y")
    for inner in ("weibull", "lognormal"):
        assert result.loglik >= estimate(f"time {RIGHT}", spells, f"aft_{inner}", event="y").loglik
    assert_allclose(result.fit.made.scores.matrix.sum(axis=0), 0.0, atol=1e-5)


def test_generalised_gamma_against_scipy(spells: pd.DataFrame) -> None:
    from scipy import optimize, stats

    result = estimate(f"time {RIGHT}", spells, "aft_gengamma", event="y")
    X, time = result.fit.X, spells["time"].to_numpy()
    event = (spells["y"] == 1).to_numpy()

    def loss(p: np.ndarray) -> float:
        kappa, sigma = p[-1], np.exp(p[-2])
        scale = np.exp(X @ p[:-2]) * kappa ** (2 * sigma / kappa)
        law = stats.gengamma(a=kappa**-2, c=kappa / sigma, scale=scale)
        return -float(np.where(event, law.logpdf(time), law.logsf(time)).sum())

    best = optimize.minimize(
        loss, result.params * 1.01, method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 8000, "maxfev": 8000},
    )  # fmt: skip
    assert_allclose(result.loglik, -best.fun, rtol=1e-9)


def test_split_population_recovers_who_never_fails() -> None:
    rng = np.random.default_rng(2)
    n = 6000
    x, z = rng.normal(size=n), rng.normal(size=n)
    ever = rng.random(n) < 1 / (1 + np.exp(-(0.5 + 0.8 * z)))
    failure = np.where(ever, np.exp(1 + 0.5 * x) * rng.weibull(1 / 0.7, n), np.inf)
    cut = rng.uniform(5, 30, n)
    frame = pd.DataFrame(
        {"time": np.minimum(failure, cut), "event": (failure < cut).astype(int), "x": x, "z": z}
    )
    result = estimate("time ~ x | z", frame, "split_population", event="event")
    truth = [1.0, 0.5, 0.5, 0.8, np.log(0.7)]
    gap = (result.params - truth) / result.std_errors()
    assert np.abs(gap).max() < 4
    assert result.terms == ("(Intercept)", "x", "failing:(Intercept)", "failing:z", "/lnsigma")
    assert_allclose(result.predict(kind="failing").mean(), ever.mean(), atol=0.02)
    with pytest.raises(EstimationError, match="nobody is known not to fail"):
        estimate("time ~ x | z", frame.assign(event=1), "split_population", event="event")


def test_late_entry_is_the_same_as_conditioning(spells: pd.DataFrame) -> None:
    """An exponential spell has no memory: late entry shortens it and nothing else."""
    late = estimate(f"time {RIGHT}", spells, "aft_exponential", event="y", start="start")
    short = spells.assign(left=spells["time"] - spells["start"])
    short = estimate(f"left {RIGHT}", short, "aft_exponential", event="y")
    assert_allclose(late.params, short.params, rtol=1e-8)


@pytest.mark.parametrize(("model", "time"), [("fine_gray", "half"), ("fine_gray_ties", "time")])
def test_fine_gray(model: str, time: str, spells: pd.DataFrame) -> None:
    rows = stored("small", model)
    result = fit(f"{time} {RIGHT}", spells, "fine_gray", rows, event="cause")
    # crr stops at its gradient's tolerance
    assert_allclose(result.params, rows["estimate"], rtol=1e-7)
    assert_allclose(result.std_errors("HC0"), rows["std_error"], rtol=1e-7)
    assert_allclose(result.loglik, rows["loglik"].iloc[0], rtol=1e-10)


def test_without_competing_events_fine_gray_is_cox(spells: pd.DataFrame) -> None:
    one = estimate(f"time {RIGHT}", spells, "fine_gray", event="y")
    two = estimate(f"time {RIGHT}", spells, "cox", event="y", ties="breslow")
    assert_allclose(one.params, two.params, rtol=1e-9)
    assert_allclose(one.vcov(), two.vcov(), rtol=1e-8)


def test_cumulative_incidence(spells: pd.DataFrame) -> None:
    from foedus.models.competing import cumulative_incidence

    curve = cumulative_incidence(
        spells["time"].to_numpy(float), spells["cause"].to_numpy().astype(int)
    )
    wanted = stored("small", "cuminc")["estimate"].to_numpy().reshape(3, 2)
    at = np.searchsorted(curve.times, [2, 5, 9], side="right") - 1
    assert curve.causes == (1, 2)
    assert_allclose(curve.incidence[at], wanted, rtol=1e-12)


def test_survival_at_set_values(spells: pd.DataFrame) -> None:
    from foedus.models.survival_quantities import hazard_ratios, scenarios, survival_at

    values = scenarios({"lndist": 7.0, "share": 0.5}, defense=[0.0, 1.0])
    cox = estimate(f"time {RIGHT}", spells, "cox", event="y")
    table = survival_at(cox, values, [2, 5, 9])
    wanted = stored("small", "cox_efron_survival")
    assert_allclose(table["survival"], wanted["estimate"], rtol=1e-9)
    assert_allclose(table["std_error"], wanted["std_error"], rtol=1e-9)
    assert (survival_at(cox, values, [0.5])["survival"] == 1.0).all()
    for kind in AFT:
        model = estimate(f"time {RIGHT}", spells, f"aft_{kind}", event="y")
        medians = model.predict(pd.DataFrame(values))
        for place, median in enumerate(medians):
            row = survival_at(model, values, [median])
            assert_allclose(row["survival"].iloc[place], 0.5, rtol=1e-10)
        # R's standard errors of the median, turned by the density there
        stored_q = stored("small", f"aft_{kind}_quantile")["std_error"].to_numpy()[2:]
        h = 1e-4
        up, down = (survival_at(model, values, [medians[0] * f])["survival"].iloc[0]
                    for f in (1 + h, 1 - h))  # fmt: skip
        density = (down - up) / (2 * h * medians[0])
        error = survival_at(model, values, [medians[0]])["std_error"].iloc[0]
        assert_allclose(error, stored_q[0] * density, rtol=1e-5)
    weibull = estimate(f"time {RIGHT}", spells, "aft_weibull", event="y")
    ratio = hazard_ratios(weibull).set_index("term")
    sigma = weibull.ancillary["sigma"]
    b = weibull.coef["defense"]
    assert_allclose(ratio.loc["defense", "hazard_ratio"], np.exp(-b / sigma))
    with pytest.raises(Exception, match="says nothing of survival"):
        survival_at(estimate("y ~ share", spells, "logit"), {"share": 1.0}, [1.0])


def test_ratios_of_durations(spells: pd.DataFrame) -> None:
    from foedus.models import ratios

    cox = ratios(estimate(f"time {RIGHT}", spells, "cox", event="y"))
    assert set(cox["ratio"]) == {"hazard ratio"}
    aft = ratios(estimate(f"time {RIGHT}", spells, "aft_lognormal", event="y"))
    assert "time ratio" in set(aft["ratio"])


@pytest.mark.parametrize("distribution", ["gamma", "gaussian"])
def test_frailty_of_given_variance(distribution: str, spells: pd.DataFrame) -> None:
    result = estimate(
        f"time {RIGHT}", spells, "cox_frailty",
        event="y", groups="ccode1", frailty=distribution, theta=0.3,
    )  # fmt: skip
    rows = stored("small", f"frailty_{distribution}_dense")
    table = rows[rows["covariance"] == "classical"]
    # survival stops its inner loop at 1e-11 of the likelihood
    assert_allclose(result.params, table["estimate"], rtol=1e-5)
    assert_allclose(result.std_errors(), table["std_error"], rtol=1e-5)
    assert_allclose(result.loglik, table["loglik"].iloc[0], rtol=1e-8)
    assert_allclose(result.fit.made.scores.matrix.sum(axis=0), 0.0, atol=1e-6)
    if distribution == "gamma":
        wanted = rows.set_index("term").loc["integrated", "estimate"]
        assert_allclose(result.ancillary["marginal_loglik"], wanted, rtol=1e-8)


def test_frailty_with_its_variance(relevant: pd.DataFrame) -> None:
    result = estimate(
        "mindur ~ defense + contig + lndist + jointdem + lncaprat",
        relevant[relevant["y"] == 1], "cox_frailty", groups="ccode1",
    )  # fmt: skip
    rows = stored("onset", "frailty_gamma")
    numbers = rows[rows["covariance"].isna()].set_index("term")["estimate"]
    table = rows[rows["covariance"] == "classical"]
    # survival's search for the variance stops early; ours is at least as high
    assert result.ancillary["marginal_loglik"] >= numbers["integrated"] - 1e-6
    assert_allclose(result.ancillary["theta"], numbers["theta"], rtol=1e-3)
    assert_allclose(result.params, table["estimate"], rtol=1e-3)
    # its default errors treat the frailties' information as diagonal
    assert_allclose(result.std_errors(), table["std_error"], rtol=2e-2)


def test_groups_that_do_not_vary_have_no_frailty(spells: pd.DataFrame) -> None:
    with pytest.raises(EstimationError, match="groups don't vary"):
        estimate(f"time {RIGHT}", spells, "cox_frailty", event="y", groups="ccode1")
