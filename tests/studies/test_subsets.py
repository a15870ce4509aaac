"""Estimates by group and the points of figures, against statsmodels and numpy on the toy study."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

from foedus.config import Project
from foedus.errors import ConfigError
from foedus.models.performance import measures
from foedus.studies.estimation import Estimation, Memo
from foedus.studies.frame import Workshop
from foedus.studies.recording import RecordingTables
from foedus.studies.registry import get_study
from foedus.studies.run import StudyRun, run_design, run_study
from foedus.studies.schema import Headline
from foedus.studies.subsets import equality, unasked_covariates
from foedus.studies.tie_parts import splits

from .conftest import TOY, write_study

LINE = {"model": "main", "term": "treat", "expects": -1}
HALVES = {"first": "year < 1960", "second": "year >= 1960"}


def run(project: Project, tables: Any, **parts: Any) -> StudyRun:
    content = {**copy.deepcopy(TOY), "headline": [LINE], **parts}
    write_study(project.root / "config" / "studies", content)
    return run_design(get_study(project, "toy_study"), tables)


def sample(project: Project, tables: Any) -> dict[str, Any]:
    study = get_study(project, "toy_study")
    recording = RecordingTables(tables)
    return Estimation(Memo(recording, Workshop(recording)), study.design).data_of("main")


def test_groups_of_rows_equal_statsmodels(project: Project, tables: Any) -> None:
    subsets = {"halves": {"by": "era", "model": "main", "term": "treat", "groups": HALVES}}
    done = run(project, tables, subsets=subsets)
    rows = [row for row in done.detail["subsets"] if row["subset"] == "halves"]
    assert {row["covariance"] for row in rows} == {"classical", "dyadic"}
    data = sample(project, tables)
    found = {}
    for group, inside in (("first", data["year"] < 1960), ("second", data["year"] >= 1960)):
        X = sm.add_constant(np.column_stack([data["treat"], data["x"]])[inside])
        fit = sm.Logit(data["outcome"][inside], X).fit(disp=0, tol=1e-12)
        row = next(r for r in rows if (r["group"], r["covariance"]) == (group, "classical"))
        assert row["estimate"] == pytest.approx(fit.params[1], rel=1e-6)
        assert row["std_error"] == pytest.approx(fit.bse[1], rel=1e-6)
        assert row["n_obs"] == int(inside.sum())
        found[group] = (fit.params[1], fit.bse[1])
    (b1, s1), (b2, s2) = found.values()
    # with two groups Q is the squared difference over the sum of the variances
    q = (b1 - b2) ** 2 / (s1**2 + s2**2)
    tested = next(r for r in rows if r["covariance"] == "classical")
    assert tested["test_q"] == pytest.approx(q, rel=1e-6)
    assert tested["test_p"] == pytest.approx(math.erfc(math.sqrt(q / 2)), rel=1e-6)
    assert tested["kind"] == "separate samples"


def test_years_of_one_era_are_not_split(project: Project, tables: Any) -> None:
    done = run(project, tables)
    assert done.detail["subsets"] == []


def test_too_few_events_are_said(project: Project, tables: Any) -> None:
    groups = {"some": "year <= 1968", "few": "year > 1968 and ccode1 <= 20"}
    subsets = {"s": {"by": "other", "model": "main", "term": "treat", "groups": groups}}
    done = run(project, tables, subsets=subsets)
    few = [row for row in done.detail["subsets"] if row["group"] == "few"]
    assert len(few) == 1
    assert "fewer than 10" in few[0]["note"]
    assert "test_p" not in few[0]


def test_terms_of_one_model_are_tested_by_its_own_covariance(project: Project, tables: Any) -> None:
    groups = {"treated": {"term": "treat"}, "x": {"term": "x"}}
    subsets = {"s": {"by": "content", "model": "main", "term": "treat", "groups": groups}}
    done = run(project, tables, subsets=subsets)
    row = next(r for r in done.detail["subsets"] if r["covariance"] == "classical")
    data = sample(project, tables)
    X = sm.add_constant(np.column_stack([data["treat"], data["x"]]))
    fit = sm.Logit(data["outcome"], X).fit(disp=0, tol=1e-12)
    V = fit.cov_params()
    apart = fit.params[1] - fit.params[2]
    q = apart**2 / (V[1, 1] + V[2, 2] - 2 * V[1, 2])
    assert row["test_q"] == pytest.approx(q, rel=1e-6)
    assert row["test_df"] == 1
    assert row["kind"] == "one model"


def test_equality_of_three_terms_is_walds(project: Project, tables: Any) -> None:
    study = get_study(project, "toy_study")
    recording = RecordingTables(tables)
    fitted = Estimation(Memo(recording, Workshop(recording)), study.design).fit("main")
    names = list(fitted.names)
    q, df, _ = equality(fitted, "classical", names)
    b, V = fitted.params, fitted.vcov["classical"]
    R = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    assert df == 2
    assert q == pytest.approx(float((R @ b) @ np.linalg.inv(R @ V @ R.T) @ (R @ b)), rel=1e-9)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "mian"}, "subsets.s.model"),
        ({"term": "treatt"}, "subsets.s.term"),
        ({"groups": {"a": "yeer < 1960", "b": "year >= 1960"}}, "subsets.s.groups.a"),
        ({"groups": {"a": {"term": "treat"}, "b": {"term": "y"}}}, "subsets.s.groups.b"),
        ({"groups": {"a": "year < 1960"}}, "subsets.s.groups"),
    ],
)
def test_a_wrong_subset_is_named(
    project: Project, tables: Any, change: dict[str, Any], said: str
) -> None:
    subset = {"by": "era", "model": "main", "term": "treat", "groups": HALVES, **change}
    content = {**copy.deepcopy(TOY), "headline": [LINE], "subsets": {"s": subset}}
    write_study(project.root / "config" / "studies", content)
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")):
        run_study(project, tables, "toy_study")


def test_a_tie_is_split_into_what_it_promises(project: Project) -> None:
    content = copy.deepcopy(TOY)
    content["universe"]["unit"] = "dyad-year"
    content["variables"] |= {
        "defense": {"from": "atop.atop_defense"},
        "neutral": {"from": "atop.atop_neutrality"},
        "treat": {"expression": "defense == 1 or neutral == 1"},
    }
    write_study(project.root / "config" / "studies", {**content, "headline": [LINE]})
    design = get_study(project, "toy_study").design
    line = design.leading[0]
    made = {split.by: split for split in splits(design, line)}
    assert list(made) == ["content", "formation", "management"]
    assert made["content"].groups["offence"] == "treat__c1"
    assert made["content"].variables["treat__c1"] == {"from": "atop.atop_offense"}
    # the three ways of formation exclude each other and need the tie
    texts = [made["formation"].variables[name]["expression"] for name in
             made["formation"].groups.values()]  # fmt: skip
    assert all(text.startswith("treat == 1 and ") for text in texts)
    assert unasked_covariates(design) == {"atop", "alliance_bonds"}
    # no tie of ATOP, or a tie of third parties, has no such parts
    assert splits(design, Headline(model="main", term="x", expects=1)) == []
    assert design.variables["x"].source == "toy.x"


def test_effects_stand_for_their_terms(project: Project) -> None:
    lines = [
        {"maps_to": "effects.treatment", "expects": 1},
        {"maps_to": "sample.n", "expects": 1},
        {"maps_to": "measures.rate.rate"},
    ]
    content = copy.deepcopy(TOY)
    content["effects"]["treatment"] |= {"from": 1, "to": 0}
    write_study(project.root / "config" / "studies", {**content, "headline": lines})
    first, second = get_study(project, "toy_study").design.leading
    assert (first.model, first.term, first.expects) == ("main", "treat", -1)
    assert (second.model, second.term) == ("rate", "rate")


def test_scales_are_spreads_in_the_sample(project: Project, tables: Any) -> None:
    done = run(project, tables)
    (scale,) = [s for s in done.detail["scales"] if (s["model"], s["term"]) == ("main", "treat")]
    data = sample(project, tables)
    assert scale["flag"] is True
    assert scale["sd"] == pytest.approx(float(np.std(data["treat"])), rel=1e-9)
    assert scale["outcome_sd"] == pytest.approx(float(np.std(data["outcome"])), rel=1e-9)
    assert (scale["estimator"], scale["outcome"]) == ("logit", "outcome")


def test_portraits_are_those_of_the_models_room(project: Project, tables: Any) -> None:
    done = run(project, tables)
    rows = done.portraits.to_pylist()
    data = sample(project, tables)
    X = sm.add_constant(np.column_stack([data["treat"], data["x"]]))
    fit = sm.Logit(data["outcome"], X).fit(disp=0, tol=1e-12)
    wanted = measures(data["outcome"], fit.predict(X))
    scores = {
        row["label"]: row["y"]
        for row in rows
        if row["figure"] == "measures" and row["series"] == "in the sample"
    }
    assert scores == {name: pytest.approx(value, rel=1e-6) for name, value in wanted.items()}
    series = {row["series"] for row in rows if row["figure"] == "measures"}
    assert "years left out, without the leading terms" in series
    # without one state: the model on the rows that don't hold it
    left = {r["label"]: r for r in rows if r["figure"] == "influence" and r["series"] == "states"}
    assert len(left) == 12
    rest = (data["ccode1"] != 30) & (data["ccode2"] != 30)
    without = sm.Logit(data["outcome"][rest], X[rest]).fit(disp=0, tol=1e-12)
    assert left["30"]["x"] == pytest.approx(without.params[1], abs=1e-3 * without.bse[1])
    assert left["30"]["n"] == int((~rest).sum())
    events = [row["events"] for row in rows if row["figure"] == "separation"]
    assert sum(events) == int(data["outcome"].sum())
    curve = [(row["x"], row["y"]) for row in rows if row["figure"] == "roc"]
    assert (curve[0], curve[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert len(curve) <= 200


def test_a_product_has_a_figure(project: Project, tables: Any) -> None:
    models = copy.deepcopy(TOY["models"])
    models["main"]["formula"] = "outcome ~ treat + x + treat:x"
    done = run(project, tables, models=models, choices={})
    rows = [row for row in done.portraits.to_pylist() if row["figure"] == "interaction"]
    assert {row["series"] for row in rows} == {"x"}
    assert len(rows) == 9
    assert all(row["low"] < row["y"] < row["high"] for row in rows)


def test_tables_beside_the_page_are_always_there(project: Project, tables: Any) -> None:
    run_study(project, tables, "toy_study")
    for name in ("rows", "trials", "portraits"):
        assert (project.data / "studies" / f"toy_study_{name}.parquet").is_file()
