"""Studies of deterrence and tethering on the real files, against pandas on ATOP's own rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from foedus.covariates.assemble import VariableRequest, build_variables
from foedus.sources.tables import Tables
from foedus.studies.registry import get_study
from foedus.studies.run import StudyRun, run_design

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def windows(tables: Tables) -> StudyRun:
    study = get_study(tables.project, "kenwick_vasquez_powers_2015")
    return run_design(study, tables, choices=False)


def estimate(run: StudyRun, model: str, term: str) -> dict[str, Any]:
    return next(
        row for row in run.estimates.to_pylist() if (row["model"], row["term"]) == (model, term)
    )


def test_pledges_by_age_are_the_pledges(tables: Tables) -> None:
    asked = {
        "flag": VariableRequest("atop_third_party", "target_defense", {}),
        **{
            name: VariableRequest("pledge_age", f"target_defense_{name}", {})
            for name in ("inherited", "later", "oldest", "newest")
        },
    }
    rows = build_variables(tables, "directed-dyad-year", (1930, 1950), asked).table.to_pandas()
    any_age = (rows["inherited"] == 1) | (rows["later"] == 1)
    assert (any_age == (rows["flag"] == 1)).all()
    held = rows[rows["flag"] == 1]
    assert (held["oldest"] >= held["newest"]).all()
    assert rows.loc[rows["flag"] == 0, "newest"].isna().all()
    # Peru against the Soviet Union in 1950: the pact whose first row in ATOP begins last.
    members = tables.get("atop", "members").to_pandas()
    own = members[(members["member"] == 135) & (members["defense"] == 1)]
    standing = own[own["end"].isna() | (pd.to_datetime(own["end"]).dt.year >= 1950)]
    begun = pd.to_datetime(standing["start"]).dt.year.groupby(standing["atopid"]).min()
    peru = rows[(rows["ccode1"] == 365) & (rows["ccode2"] == 135) & (rows["year"] == 1950)]
    assert list(peru["newest"]) == [1950 - begun[begun <= 1950].max()]


def test_windows_of_1940_are_what_the_sign_before_1945_hangs_on(windows: StudyRun) -> None:
    every = estimate(windows, "matched_before", "effect")
    earlier = estimate(windows, "matched_before_1940", "effect")
    assert every["estimate"] > 0 > earlier["estimate"]
    assert windows.failed == []


def test_matched_rates_are_those_of_strata_in_pandas(tables: Tables, windows: StudyRun) -> None:
    """Rows of 1950, 1960, ..., 1990: the same strata and weights, summed by pandas."""
    exact = {
        "jdem": ("polity", "joint_democracy", {}),
        "pchaloff": ("atop_third_party", "challenger_offense", {}),
        "pchalneu": ("atop_third_party", "challenger_neutrality", {}),
        "ptargoff": ("atop_third_party", "target_offense", {}),
        "ptargneu": ("atop_third_party", "target_neutrality", {}),
        "contig": ("contiguity", "contiguous", {}),
        "major1": ("major", "major1", {}),
        "major2": ("major", "major2", {}),
        "rival": ("rivalry", "rivalry_td", {}),
    }
    asked = {name: VariableRequest(*what) for name, what in exact.items()}
    asked["formed"] = VariableRequest("pledge_age", "target_defense_gained", {})
    asked["ahead"] = VariableRequest("conflict_ahead", "conflict_ahead", {})
    asked["prior"] = VariableRequest("conflict_history", "conflict_prior", {"window": 4})
    made = []
    for year in range(1950, 2000, 10):
        rows = build_variables(tables, "directed-dyad-year", (year, year), asked).table.to_pandas()
        before = build_variables(
            tables, "directed-dyad-year", (year - 4, year - 1), {"major": asked["major1"]}
        ).table.to_pandas()
        there = before.groupby(["ccode1", "ccode2"]).size()
        there = there[there == 4].reset_index()[["ccode1", "ccode2"]]
        made.append(rows.merge(there, on=["ccode1", "ccode2"]))
    rows = pd.concat(made).dropna()
    rows["prior"] = np.minimum(rows["prior"], 4)
    rows["dispute"] = (rows["ahead"] >= 1).astype(float)
    strata = rows.groupby([*exact, "prior"])["formed"].agg(["sum", "size"])
    strata = strata[(strata["sum"] > 0) & (strata["sum"] < strata["size"])].reset_index()
    matched = rows.merge(strata, on=[*exact, "prior"])
    treated = matched[matched["formed"] == 1]
    control = matched[matched["formed"] == 0]
    weight = (control["sum"] / (control["size"] - control["sum"])).astype(float)
    shown = estimate(windows, "matched_after", "rate treated")
    assert shown["n_obs"] == len(treated)
    assert shown["estimate"] == pytest.approx(float(treated["dispute"].mean()))
    untreated = float((weight * control["dispute"]).sum() / weight.sum())
    assert estimate(windows, "matched_after", "rate untreated")["estimate"] == pytest.approx(
        untreated
    )


def test_promises_between_rivals_are_atops(tables: Tables) -> None:
    study = get_study(tables.project, "weitsman_2004_tethers")
    done = run_design(study, tables, choices=False)
    assert done.failed == []
    pooled = estimate(done, "pooled", "tether")
    within = estimate(done, "within", "tether")
    assert pooled["n_obs"] > 5_000
    assert abs(within["estimate"]) < 2 * within["std_error"]
