"""Studies of the liberal peace on the real files, against statsmodels, linearmodels and pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from linearmodels.iv import IV2SLS
from statsmodels.duration.hazard_regression import PHReg

from foedus.covariates.assemble import VariableRequest, build_variables
from foedus.sources.tables import Tables
from foedus.studies.frame import Workshop
from foedus.studies.registry import get_study
from foedus.studies.run import StudyRun, run_design

pytestmark = pytest.mark.real

ITERATED = 1e-5
"""Two programs that stop iterating at their own tolerance."""


def run(tables: Tables, study: str) -> StudyRun:
    return run_design(get_study(tables.project, study), tables, choices=False)


def coefficients(done: StudyRun, model: str) -> dict[str, tuple[float, float]]:
    rows = [row for row in done.estimates.to_pylist() if row["model"] == model]
    first = rows[0]["covariance"]
    return {
        row["term"]: (row["estimate"], row["std_error"])
        for row in rows
        if row["covariance"] == first
    }


def pairs(tables: Tables, years: tuple[int, int], **asked: VariableRequest) -> pd.DataFrame:
    made = build_variables(tables, "dyad-year", years, asked).table.to_pandas()
    return made.astype({"ccode1": int, "ccode2": int, "year": int})


def allied(frame: pd.DataFrame) -> pd.Series[int]:
    owed = frame[["defense", "neutral", "consult"]]
    return (owed == 1).any(axis=1).astype(int)


def obligations() -> dict[str, VariableRequest]:
    return {
        name: VariableRequest("atop", f"atop_{column}", {})
        for name, column in (
            ("defense", "defense"), ("neutral", "neutrality"), ("consult", "consultation"),
        )
    }  # fmt: skip


def test_the_end_of_a_dispute_by_another_program(tables: Tables) -> None:
    old = {"source": "mid_4.2"}
    rows = pairs(
        tables,
        (1950, 1992),
        onset=VariableRequest("conflict", "conflict_onset", old),
        days=VariableRequest("conflict", "conflict_days_max", old),
        miles=VariableRequest("capital_distance", "capital_distance_miles", {}),
        conttype=VariableRequest("contiguity", "conttype", {}),
        cinc1=VariableRequest("nmc", "cinc1", {}),
        cinc2=VariableRequest("nmc", "cinc2", {}),
        polity1=VariableRequest("polity", "polity21", {}),
        polity2=VariableRequest("polity", "polity22", {}),
        **obligations(),
    )
    rows = rows[rows["onset"] == 1].dropna(subset=["polity1", "polity2"])
    strength = rows[["cinc1", "cinc2"]]
    terms = pd.DataFrame(
        {
            "ldistance": np.log(rows["miles"]),
            "lev4cont": rows["conttype"].between(1, 4).astype(int),
            "parity": np.log(strength.max(axis=1) / strength.min(axis=1)),
            "tied": allied(rows),
            "jointdem": (rows[["polity1", "polity2"]].min(axis=1) >= 6).astype(int),
        }
    ).astype(float)
    theirs = PHReg(rows["days"].astype(float), terms, ties="efron").fit()
    ours = coefficients(run(tables, "krustev_2006"), "duration")
    for name, value, error in zip(terms, theirs.params, theirs.bse, strict=True):
        assert ours[name][0] == pytest.approx(value, rel=ITERATED, abs=1e-7), name
        assert ours[name][1] == pytest.approx(error, rel=ITERATED), name


def test_trade_by_outputs_and_populations_by_another_program(tables: Tables) -> None:
    file = tables.get("rep_russett_oneal_2001", "dyad_years").to_pandas()
    file = file.rename(columns={"statea": "ccode1", "stateb": "ccode2"})
    spline = {f"s{k}": VariableRequest("conflict_history", f"conflict_peace_years_s{k}",
                                       {"source": "mid_4.2"}) for k in range(1, 5)}  # fmt: skip
    known = pairs(
        tables,
        (1885, 1991),
        ahead=VariableRequest("conflict_ahead", "conflict_ahead",
                              {"source": "mid_4.2", "window": 1}),
        **{name: VariableRequest("wealth", name, {})
           for name in ("gdp1", "gdp2", "population1", "population2")},
        **spline,
    )  # fmt: skip
    rows = file.astype({"ccode1": int, "ccode2": int, "year": int}).merge(
        known, how="left", on=["ccode1", "ccode2", "year"], validate="one_to_one"
    )
    assert len(rows) == 39996
    rows = rows.assign(
        constant=1.0,
        smalldep=rows[["dependa", "dependb"]].min(axis=1),
        smldmat=rows[["demauta", "demautb"]].min(axis=1),
        contigkb=(rows["noncontg"] == -1).astype(float),
        majpower=(rows["minrpwrs"] == -1).astype(float),
        lnrgdps=np.log(rows["gdp1"]) + np.log(rows["gdp2"]),
        lntpops=np.log(rows["population1"]) + np.log(rows["population2"]),
    )
    held = [
        "constant",
        "smldmat",
        "lcaprat2",
        "allies",
        "contigkb",
        "logdstab",
        "majpower",
        *spline,
    ]
    rows = rows.dropna(subset=["ahead", "lnrgdps", "lntpops", *held])
    theirs = IV2SLS(
        (rows["ahead"] >= 1).astype(float), rows[held].astype(float), rows[["smalldep"]],
        rows[["lnrgdps", "lntpops"]],
    ).fit(cov_type="robust")  # fmt: skip
    done = run(tables, "kim_rousseau_2005")
    ours = coefficients(done, "together")
    # The splines' basis runs over other rows than the panel's: the other terms don't mind.
    for name in ("smalldep", "smldmat", "lcaprat2", "allies", "contigkb", "logdstab", "majpower"):
        assert ours[name][0] == pytest.approx(theirs.params[name], rel=1e-6), name
        assert ours[name][1] == pytest.approx(theirs.std_errors[name], rel=1e-3), name


def test_terms_of_the_year_before(tables: Tables) -> None:
    rows = pairs(
        tables,
        (1960, 1975),
        border=VariableRequest("contiguity", "contiguous", {}),
        **obligations(),
    )
    rows["allied"] = allied(rows)
    # A pair's row of the year before, by another way than the expression's: a join on year + 1.
    before = rows[["ccode1", "ccode2", "year", "allied", "border"]].assign(year=rows["year"] + 1)
    both = rows[["ccode1", "ccode2", "year"]].merge(
        before, how="inner", on=["ccode1", "ccode2", "year"], validate="one_to_one"
    )
    design = get_study(tables.project, "goenner_2010").design
    assert design.universe is not None
    short = design.universe.model_copy(update={"years": (1960, 1975)})
    frame = Workshop(tables).frame(design.model_copy(update={"universe": short}))
    got = pd.DataFrame(
        {name: frame.values(name) for name in ("ccode1", "ccode2", "year", "allies", "contigkb")}
    ).dropna(subset=["allies"])
    joined = both.merge(got, how="outer", on=["ccode1", "ccode2", "year"], validate="one_to_one")
    assert len(joined) == len(both) == len(got) > 100_000
    assert (joined["allies"] == joined["allied"]).all()
    assert (joined["contigkb"] == joined["border"]).all()


def test_pacts_with_major_powers(tables: Tables) -> None:
    asked = {
        "pact": VariableRequest(
            "atop_third_party", "target_defense", {"threats": "ignore", "givers": "major"}
        )
    }
    rows = build_variables(tables, "directed-dyad-year", (1975, 1975), asked).table.to_pandas()
    members = tables.get("atop", "members").to_pandas()
    start, end = pd.to_datetime(members["start"]), pd.to_datetime(members["end"])
    on = members[(start.dt.year <= 1975) & (end.isna() | (end.dt.year >= 1975))]
    majors = {2, 200, 220, 365, 710}
    # Who is a member is owed what a major power in the pact owes, whatever it owes itself.
    owed: dict[int, set[int]] = {}
    for _, pact in on.groupby("atopid"):
        givers = pact.loc[(pact["defense"] == 1) & pact["member"].isin(majors), "member"]
        for member in pact["member"]:
            owed.setdefault(int(member), set()).update(map(int, givers))
    wrong: list[Any] = []
    for one in rows.itertuples():
        others = owed.get(int(one.ccode2), set()) - {int(one.ccode1), int(one.ccode2)}
        if bool(others) != (one.pact == 1):
            wrong.append((one.ccode1, one.ccode2, one.pact, others))
    assert wrong == []
