"""Event studies against loops over their definitions, dummies, and a simulation."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from foedus.errors import EstimationError, UsageError
from foedus.models import estimate
from foedus.models.export import model_table
from foedus.models.staggered import METHODS, event_study

WHO = {"unit": "unit", "time": "year", "cohort": "since"}


def simulate(seed: int = 1, units: int = 120, noise: float = 1.0) -> pd.DataFrame:
    """Cohorts 3, 5 and never, over 8 years; effects grow by cohort and time since treatment."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(units), 8)
    year = np.tile(np.arange(1, 9), units)
    since = np.array([3.0, 5.0, np.nan])[rng.integers(0, 3, units)][unit]
    age = year - since
    effect = np.where(age >= 0, (1 + 0.5 * age) * np.where(since == 3, 2.0, 1.0), 0.0)
    y = rng.normal(size=units)[unit] + 0.3 * year + effect + noise * rng.normal(size=unit.size)
    first = unit % 15
    return pd.DataFrame(
        {
            "unit": unit, "year": year, "since": since, "y": y, "effect": effect, "age": age,
            "ccode1": first, "ccode2": 20 + unit // 15,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return simulate()


def truth(panel: pd.DataFrame) -> pd.Series:
    treated = panel[panel["age"] >= 0]
    by_age = treated.groupby("age")["effect"].mean()
    by_age.index = [f"t{int(age):+d}" for age in by_age.index]
    return by_age


@pytest.mark.parametrize("method", ["callaway_santanna", "sun_abraham", "imputation"])
def test_without_noise_the_effects_are_exact(method: str) -> None:
    quiet = simulate(noise=0.0)
    result = event_study(quiet, "y", method=method, **WHO)
    wanted = truth(quiet)
    assert_allclose(result.coef[list(wanted.index)], wanted, atol=1e-9)
    leads = [term for term in result.terms if term.startswith("t-")]
    assert_allclose(result.coef[leads], 0.0, atol=1e-9)
    assert_allclose(
        result.coef["average"], quiet.loc[quiet["age"] >= 0, "effect"].mean(), atol=1e-9
    )


def test_two_way_effects_are_contaminated_where_cohorts_differ() -> None:
    quiet = simulate(noise=0.0)
    gap = event_study(quiet, "y", method="twfe", **WHO).coef[list(truth(quiet).index)]
    assert np.abs(gap - truth(quiet)).max() > 0.02


def test_callaway_santanna_by_its_definition(panel: pd.DataFrame) -> None:
    result = event_study(panel, "y", **WHO, cov=["cluster", "HC0"])
    wide = panel.pivot(index="unit", columns="year", values="y")
    cohort = panel.groupby("unit")["since"].first()
    never = cohort.isna()
    sizes = cohort.value_counts()
    for e in (-2, 0, 3):
        total, weight = 0.0, 0.0
        for g in (3.0, 5.0):
            t = g + e
            base = g - 1 if e >= 0 else t - 1
            if not (1 <= t <= 8 and base >= 1):
                continue
            change = wide[t] - wide[base]
            att = change[cohort == g].mean() - change[never].mean()
            total, weight = total + sizes[g] * att, weight + sizes[g]
        assert_allclose(result.coef[f"t{e:+d}"], total / weight, rtol=1e-12)
    # one cohort at one time: the variance of two means
    last = result.se("cluster(unit)")["t+5"]
    change = wide[8] - wide[2]
    parts = [change[cohort == 3.0], change[never]]
    assert_allclose(last, np.sqrt(sum(p.var(ddof=0) / len(p) for p in parts)), rtol=1e-10)
    assert_allclose(result.std_errors("HC0"), result.std_errors("cluster(unit)"), rtol=1e-12)


def test_not_yet_treated_controls_are_more(panel: pd.DataFrame) -> None:
    never = event_study(panel, "y", **WHO)
    not_yet = event_study(panel, "y", control="not_yet", **WHO)
    assert not_yet.se()["t+0"] < never.se()["t+0"]
    assert_allclose(not_yet.coef["t+5"], never.coef["t+5"])


def test_sun_abraham_is_a_regression_with_dummies(panel: pd.DataFrame) -> None:
    result = event_study(panel, "y", method="sun_abraham", **WHO, cov="cluster")
    dummies, terms = {}, {}
    for g in (3, 5):
        for e in sorted(panel.loc[panel["since"] == g, "age"].unique()):
            if e != -1:
                name = f"c{g}_{int(e + 10)}"
                dummies[name] = ((panel["since"] == g) & (panel["age"] == e)).astype(float)
                terms[name] = (g, e)
    frame = panel.assign(**dummies)
    fit = estimate(
        f"y ~ {' + '.join(dummies)} | unit + year", frame, "fixed_effects", "cluster(unit; none)"
    )
    at = [name for name, (_, e) in terms.items() if e == 1]
    share = np.array([dummies[name].sum() for name in at])
    share = share / share.sum()
    assert_allclose(result.coef["t+1"], share @ fit.coef[at], rtol=1e-8)
    places = [fit.terms.index(name) for name in at]
    V = fit.vcov()[np.ix_(places, places)]
    assert_allclose(result.se()["t+1"], np.sqrt(share @ V @ share), rtol=1e-8)


def test_imputation_by_least_squares_on_untreated_rows(panel: pd.DataFrame) -> None:
    result = event_study(panel, "y", method="imputation", **WHO)
    free = panel[~(panel["age"] >= 0)]
    D = pd.get_dummies(panel[["unit", "year"]].astype(str)).to_numpy(float)
    keep = (~(panel["age"] >= 0)).to_numpy()
    effects = np.linalg.lstsq(D[keep], free["y"].to_numpy(), rcond=None)[0]
    gap = panel["y"].to_numpy() - D @ effects
    for e in (0, 2):
        assert_allclose(result.coef[f"t{e:+d}"], gap[panel["age"] == e].mean(), rtol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_errors_cover(method: str) -> None:
    """The spread over draws is what the clustered errors say (the average, 60 draws)."""
    draws, errors = [], []
    for seed in range(60):
        frame = simulate(seed + 10, units=60)
        result = event_study(frame, "y", method=method, **WHO)
        draws.append(result.coef["average"] - frame.loc[frame["age"] >= 0, "effect"].mean())
        errors.append(result.se()["average"])
    ratio = np.mean(errors) / np.std(draws, ddof=1)
    # random cohort sizes enter callaway_santanna's errors, not the draws' gaps: they are larger
    assert 0.75 < ratio < (1.8 if method == "callaway_santanna" else 1.4)


def test_dyadic_errors_and_windows_and_tables(panel: pd.DataFrame) -> None:
    for method in METHODS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            result = event_study(
                panel, "y", method=method, cov=["dyadic", "cluster"], window=(-2, 2), **WHO
            )
        assert set(result.terms) <= {"t-2", "t-1", "t+0", "t+1", "t+2", "average"}
        assert (result.se("dyadic") > 0).all()
        assert "average" in model_table(result).to_markdown()


def test_cohorts_of_one_unit_are_warned_of(panel: pd.DataFrame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        event_study(panel, "y", **WHO)
    first = panel.dropna(subset=["since"]).groupby("since")["unit"].first()
    lone = panel[panel["since"].isna() | panel["unit"].isin(first)]
    with pytest.warns(UserWarning, match="2 of 2 cohorts are a single unit"):
        event_study(lone, "y", **WHO)


def test_rows_lost_are_counted(panel: pd.DataFrame) -> None:
    short = panel.assign(y=panel["y"].where(panel.index != 5))
    assert event_study(short, "y", **WHO).rows_lost == {"missing y": 1}


def test_bad_panels_are_refused(panel: pd.DataFrame) -> None:
    with pytest.raises(EstimationError, match="two rows at one year"):
        event_study(pd.concat([panel, panel.head(1)]), "y", **WHO)
    with pytest.raises(EstimationError, match="ever treated"):
        event_study(panel.assign(since=np.nan), "y", **WHO)
    with pytest.raises(EstimationError, match="two values of since"):
        event_study(panel.assign(since=panel["since"] + (panel["year"] > 6)), "y", **WHO)
    with pytest.raises(EstimationError, match="never treated"):
        event_study(panel[panel["since"].notna()], "y", method="sun_abraham", **WHO)
    with pytest.raises(UsageError, match="no event study"):
        event_study(panel, "y", method="did", **WHO)
    with pytest.raises(UsageError, match="clustered covariances"):
        event_study(panel, "y", cov="classical", **WHO)
