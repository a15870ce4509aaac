"""Burden sharing on the real files, against pandas and numpy by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from foedus.sources.tables import Tables
from foedus.studies.registry import get_study
from foedus.studies.run import run_design

pytestmark = pytest.mark.real


def test_alley_and_fuhrmanns_series(tables: Tables, real_sources: Path) -> None:
    done = run_design(get_study(tables.project, "alley_fuhrmann_2021"), tables, choices=False)
    rows = {row["maps_to"]: row for row in done.comparison.to_pylist() if row["lead"]}
    summary = [row for name, row in rows.items() if name.startswith("measures.summary.")]
    # Print rounds all to three decimals; every one is met.
    assert len(summary) == 28
    assert {row["verdict"] for row in summary} == {"exact"}
    # The two files that need no rule, read and joined without this package.
    folder = real_sources / "replication" / "alley_fuhrmann_2021"
    fred = pd.read_csv(folder / "fred-data.csv")
    gdp = pd.Series(fred["gdp"].to_numpy(), index=fred["DATE"].str[-4:].astype(int))
    growth = gdp.diff().shift().loc[1947:2019]
    assert rows["measures.summary.mean growth_1"]["rebuilt"] == pytest.approx(growth.mean())
    wide = pd.read_csv(folder / "us-spending-sipri.csv")
    spending = wide.iloc[0, 1:].astype(float).to_numpy() / 1000
    assert rows["measures.summary.max spending"]["rebuilt"] == pytest.approx(np.nanmax(spending))
    near = [row for name, row in rows.items() if name.startswith("models.")]
    assert len(near) > 100
    assert {row["verdict"] for row in near} <= {"exact", "close"}


def test_shares_inside_nato(tables: Tables) -> None:
    """The headline's regression by hand, from the tables, for one alliance in one year."""
    from foedus.covariates.assemble import VariableRequest, build_variables

    wanted = {
        "gdp": VariableRequest("wealth", "gdp"),
        "milex": VariableRequest("nmc", "milex"),
    }
    made = build_variables(tables, "alliance-member-year", (1960, 1960), wanted).table.to_pandas()
    nato = made[(made["atopid"] == 3180) & (made["gdp"] > 0) & (made["milex"] > 0)]
    # Fifteen members, of which Iceland has no army.
    assert len(nato) == 14
    share = nato["gdp"] / nato["gdp"].sum()
    spent = nato["milex"] / nato["milex"].sum()
    largest = nato["ccode"][share.idxmax()]
    assert largest == 2
    assert spent.max() > share.max()


def test_latent_depth_is_near_the_authors(tables: Tables) -> None:
    done = run_design(get_study(tables.project, "alley_2021_depth_milex"), tables, choices=False)
    rows = {row["maps_to"]: row for row in done.comparison.to_pylist() if row["lead"]}
    scores = [rows[f"measures.scores_{year}.mean depth"] for year in (1865, 1893, 1935, 1949, 1955)]
    printed = np.array([row["published"] for row in scores])
    rebuilt = np.array([row["rebuilt"] for row in scores])
    assert np.abs(printed - rebuilt).max() < 0.13
    assert (np.argsort(printed) == np.argsort(rebuilt)).sum() >= 3


def test_violations_by_rule_against_statsmodels(tables: Tables) -> None:
    import statsmodels.formula.api as smf

    from foedus.studies.measures import MeasureContext, get_measure
    from foedus.studies.measures_violation import TERMS, violation_cases

    entry = get_measure("violation_by_rule")
    options = entry.resolve_options({"period": "1816-1944"})
    made = {row.term: row for row in reversed(entry.run(MeasureContext(tables, options)).rows)}
    cases = violation_cases(tables, options)
    # One case a state, alliance and war; the rates are counted over all of them.
    assert cases.select("warnum", "atopid", "ccode").is_unique().all()
    assert made["rate violated"].estimate == pytest.approx(cases["violated"].mean())
    known = cases.drop_nulls(list(TERMS)).to_pandas()
    with np.errstate(all="ignore"):
        theirs = smf.logit("violated ~ " + " + ".join(TERMS), known).fit(disp=0)
    for term in TERMS:
        assert made[term].estimate == pytest.approx(theirs.params[term], abs=1e-5)
        assert made[term].std_error is not None
    # Germany in 1914 kept the pledge to Austria-Hungary that fell due (ATOP 1350 is theirs).
    dual = cases.filter((cases["warnum"] == 106) & (cases["ccode"] == 255))
    assert dual.height >= 1


def test_alliances_that_end_by_violation(tables: Tables, real_sources: Path) -> None:
    """Member-years of bilateral pacts in the year of a violation, from ATOP's rows by hand."""
    done = run_design(get_study(tables.project, "leeds_savun_2007"), tables, choices=False)
    events = {
        row["model"]: row["n_events"] for row in done.estimates.to_pylist() if row["term"] != "x"
    }
    raw = pd.read_csv(real_sources / "atop_5.1" / "atop5_1m.csv")
    two = raw[(raw["bilat"] == 1) & (raw["term"] == 2) & (raw["yrexit"] > 0)]
    broken = two.groupby("atopid")["member"].nunique().sum()
    # Rows whose facts are unknown are lost, and pacts begun after 1989 aren't looked at.
    assert 0.4 * broken < events["violation"] <= broken
    assert events["hazard"] <= broken
