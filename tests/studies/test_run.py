"""A study end to end on handmade rows: samples, estimates, comparison, choices, files."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foedus.config import Project
from foedus.errors import EstimationError, MissingDataError
from foedus.studies import estimation
from foedus.studies.comparison import number
from foedus.studies.outcome import CONTRACT_COMPARISON, CONTRACT_ESTIMATES, rounded
from foedus.studies.registry import get_study
from foedus.studies.run import StudyRun, run_design, run_study

from .conftest import PUBLISHED, TOY, HandmadeTables, write_study

N_ALL = 12 * 11 * 20


def changed(project: Project, rows: list[dict[str, str]] | None = None, **parts: Any) -> None:
    content = {**copy.deepcopy(TOY), **parts}
    write_study(project.root / "config" / "studies", content, rows)


def run(project: Project, tables: Any, choices: bool = True) -> StudyRun:
    return run_design(get_study(project, "toy_study"), tables, choices)


@pytest.fixture
def done(project: Project, tables: Any) -> StudyRun:
    return run_study(project, tables, "toy_study")


def test_the_contracts_columns_come_first(done: StudyRun, project: Project) -> None:
    assert done.estimates.column_names[:17] == [
        "study", "claim", "model", "unit", "estimator", "covariance", "term", "estimate",
        "std_error", "statistic", "p_value", "ci_low", "ci_high", "n_obs", "n_events",
        "n_clusters", "loglik",
    ]  # fmt: skip
    assert tuple(done.estimates.column_names[:17]) == CONTRACT_ESTIMATES
    assert done.comparison.column_names[:14] == [
        "study", "table", "model", "term", "quantity", "published", "published_se", "n_published",
        "rebuilt", "rebuilt_se", "covariance", "n_rebuilt", "verdict", "diagnosis",
    ]  # fmt: skip
    assert tuple(done.comparison.column_names[:14]) == CONTRACT_COMPARISON
    for name in ("estimates/toy_study.parquet", "comparison/toy_study.parquet"):
        assert (project.data / name).is_file()
    assert json.loads((project.data / "studies" / "toy_study.json").read_text()) == done.detail


def test_estimates_hold_every_term_under_every_covariance(done: StudyRun) -> None:
    rows = done.estimates.to_pylist()
    main = [row for row in rows if row["model"] == "main"]
    assert [row["covariance"] for row in main] == [
        c for c in ("classical", "cluster(dyad)", "dyadic") for _ in range(3)
    ]
    assert {row["term"] for row in main} == {"(Intercept)", "treat", "x"}
    treat = {row["covariance"]: row for row in main if row["term"] == "treat"}
    assert len({row["estimate"] for row in treat.values()}) == 1
    assert -1.4 < treat["classical"]["estimate"] < -0.7  # drawn with -1
    assert treat["classical"]["n_clusters"] is None
    assert treat["cluster(dyad)"]["n_clusters"] == 66
    assert treat["dyadic"]["n_clusters"] == 12
    measured = [row for row in rows if row["estimator"] == "measure"]
    assert [(row["term"], row["covariance"]) for row in measured] == [
        ("rate", "binomial"), ("rate", "doubled"), ("gone", "none"),
    ]  # fmt: skip


def test_numbers_agree_with_statsmodels(done: StudyRun, project: Project, tables: Any) -> None:
    import statsmodels.api as sm

    from foedus.studies.frame import Workshop

    study = get_study(project, "toy_study")
    frame = Workshop(tables).frame(study.design)
    rows = frame.rows(study.design.models["main"])
    data = frame.data(["outcome", "treat", "x"], rows)
    X = sm.add_constant(np.column_stack([data["treat"], data["x"]]))
    theirs = sm.Logit(data["outcome"], X).fit(disp=0)
    ours = [row for row in done.estimates.to_pylist() if row["model"] == "main"][:3]
    np.testing.assert_allclose([row["estimate"] for row in ours], theirs.params, rtol=1e-7)
    np.testing.assert_allclose([row["std_error"] for row in ours], theirs.bse, rtol=1e-6)
    assert ours[0]["loglik"] == pytest.approx(theirs.llf)
    before, after = (
        theirs.predict([[1, value, data["x"][data["treat"] == 0].mean()]])[0] for value in (0, 1)
    )
    (effect,) = [e for e in done.detail["effects"] if e["covariance"] == "classical"]
    assert effect["p0"] == pytest.approx(before, rel=1e-6)
    assert effect["percent_change"] == pytest.approx(100 * (after - before) / before, rel=1e-6)
    assert effect["ci_low"] < effect["difference"] < effect["ci_high"] < 0


def test_the_flow_adds_up(done: StudyRun) -> None:
    flow = done.detail["flow"]
    for model in ("main", "late"):
        steps = [step for step in flow if step.get("model") in (None, model)]
        assert steps[0]["rows_left"] == N_ALL
        left = N_ALL
        for step in steps:
            left -= step["rows_lost"]
            assert step["rows_left"] == left
        used = [row["n_obs"] for row in done.estimates.to_pylist() if row["model"] == model]
        assert set(used) == {left}


def test_losses_are_counted_by_cause(project: Project, tables: Any) -> None:
    variables = {
        **TOY["variables"],
        "x": {"from": "toy.gaps"},
        "short": {"from": "short.value", "label": "Short"},
    }
    sample = {"drop": {}, "complete_on": "all"}
    changed(project, variables=variables, sample=sample, measures={}, rows=PUBLISHED[:1])
    result = run(project, tables, choices=False)
    steps = {s["step"]: s for s in result.detail["flow"] if s.get("model") in (None, "main")}
    gaps, short = steps["complete x"], steps["complete short"]
    assert 0 < gaps["rows_lost"] < N_ALL / 5
    years_after_coverage = 5 / 20
    assert short["rows_lost"] == pytest.approx(gaps["rows_left"] * years_after_coverage, rel=0.1)
    assert short["cause"] == "Short: no value"


def test_every_published_number_has_its_rows(done: StudyRun) -> None:
    rows = done.comparison.to_pylist()
    lead = {(row["term"], row["quantity"]): row for row in rows if row["lead"]}
    assert len(lead) == len(PUBLISHED)
    coefficient = [row for row in rows if row["quantity"] == "coefficient"]
    assert [row["covariance"] for row in coefficient] == ["classical", "cluster(dyad)", "dyadic"]
    assert lead["treat", "coefficient"]["verdict"] in ("exact", "close")
    assert lead["treat", "direction"]["verdict"] == "agrees"
    assert lead["share", "percent"]["verdict"] in ("exact", "close")
    assert lead["share", "percent"]["rebuilt"] == pytest.approx(42, abs=1)
    assert lead["effect", "percent_change"]["verdict"] in ("exact", "agrees")
    assert lead["rate", "rate_percent"]["rebuilt"] == pytest.approx(
        100 * next(r for r in done.estimates.to_pylist() if r["term"] == "rate")["estimate"]
    )
    for name, reason in (("gone", "nobody counted it"), ("other", "the article prints it")):
        assert lead[name, "value"]["verdict"] == "not comparable"
        assert lead[name, "value"]["reason"].startswith(reason)
        assert reason in lead[name, "value"]["diagnosis"]


def test_the_diagnosis_names_the_choice_that_moves_most(done: StudyRun) -> None:
    rows = [row for row in done.comparison.to_pylist() if row["lead"]]
    share = next(row for row in rows if row["term"] == "rate")
    assert "coding = strict moves it most" in share["diagnosis"]
    assert "away from print (19.9)" in share["diagnosis"]
    count = next(row for row in rows if row["term"] == "n")
    assert "gaps = toy.gaps moves it most" in count["diagnosis"]


def test_choices_are_varied_one_at_a_time(done: StudyRun) -> None:
    rows = done.detail["choices"]
    assert [(row["choice"], row["alternative"], row["declared"]) for row in rows] == [
        ("coding", "loose", True), ("coding", "strict", False),
        ("gaps", "toy.x", True), ("gaps", "toy.gaps", False),
        ("extremes", "x > 2.5", True), ("extremes", "none", False),
    ]  # fmt: skip
    declared = {row["estimate"] for row in rows if row["declared"]}
    assert len(declared) == 1
    assert all(row["estimate"] not in declared for row in rows if not row["declared"])
    assert rows[-1]["n_obs"] == N_ALL


def test_what_an_alternative_leaves_alone_is_not_estimated_again(
    project: Project, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {**TOY["variables"], "z": {"from": "toy.gaps"}}
    models = {**TOY["models"], "other": {"estimator": "ols", "formula": "outcome ~ z"}}
    choices = {"z": {"variables.z.from": ["toy.gaps", "toy.x"]}}
    changed(project, variables=variables, models=models, choices=choices)
    fitted: list[str] = []
    real = estimation.fit_model

    def counting(**arguments: Any) -> Any:
        fitted.append(arguments["formula"])
        return real(**arguments)

    monkeypatch.setattr(estimation, "fit_model", counting)
    published = [{**PUBLISHED[0], "maps_to": f"models.{m}.{t}"} for m, t in
                 (("main", "treat"), ("late", "treat"), ("other", "z"))]  # fmt: skip
    write_study(
        project.root / "config" / "studies",
        {**copy.deepcopy(TOY), "variables": variables, "models": models, "choices": choices},
        published,
    )
    run(project, tables)
    assert sorted(fitted) == ["outcome ~ treat + x"] * 2 + ["outcome ~ z"] * 2


def test_a_model_that_fails_is_listed_not_dropped(project: Project, tables: Any) -> None:
    variables = {**TOY["variables"], "never": {"from": "toy.never"}}
    models = {
        **TOY["models"],
        "broken": {"estimator": "logit", "formula": "outcome ~ treat + never"},
    }
    rows = [*PUBLISHED, {**PUBLISHED[0], "maps_to": "models.broken.treat"}]
    changed(project, rows, variables=variables, models=models)
    result = run(project, tables)
    (failed,) = result.failed
    assert failed["model"] == "broken"
    assert "never" in failed["reason"]
    last = result.comparison.to_pylist()[-1]
    assert last["verdict"] == "not comparable"
    assert "never" in last["reason"]
    assert last["rebuilt"] is None


def test_a_study_of_which_nothing_can_be_had_stops(project: Project, tables: Any) -> None:
    variables = {**TOY["variables"], "never": {"from": "toy.never"}}
    models = {"broken": {"estimator": "logit", "formula": "outcome ~ never"}}
    rows = [{**PUBLISHED[0], "maps_to": "models.broken.never"}]
    changed(project, rows, variables=variables, models=models, measures={}, effects={})
    with pytest.raises(EstimationError, match="toy_study: broken: "):
        run_study(project, tables, "toy_study")
    assert not (project.data / "estimates").exists()


def test_missing_data_stop_with_their_exit_code(project: Project, tables: Any) -> None:
    from foedus.covariates import registry
    from foedus.covariates.registry import ColumnSpec, covariate

    def lacking(context: Any) -> Any:
        raise MissingDataError("short.csv: not found.")

    del registry._COVARIATES["short"]
    covariate(
        name="short",
        title="No file",
        columns=[ColumnSpec("value", "number", "One.", level="row")],
        sources=["cow_states"],
        citations=[],
        units=("directed-dyad-year",),
    )(lacking)
    variables = {**TOY["variables"], "short": {"from": "short.value"}}
    models = {"only": {"estimator": "logit", "formula": "outcome ~ treat + short"}}
    rows = [{**PUBLISHED[0], "maps_to": "models.only.treat"}]
    changed(project, rows, variables=variables, models=models, measures={}, effects={}, choices={})
    with pytest.raises(MissingDataError, match=r"short\.csv: not found"):
        run_study(project, tables, "toy_study")


def test_two_runs_give_the_same_bytes(project: Project, tables: Any, tmp_path: Path) -> None:
    other = Project(project.root, project.config, tmp_path / "elsewhere")
    for one in (project, other):
        run_study(one, HandmadeTables(), "toy_study")
    for name in (
        "estimates/toy_study.parquet",
        "comparison/toy_study.parquet",
        "studies/toy_study.json",
    ):
        content = (project.data / name).read_bytes()
        assert content == (other.data / name).read_bytes()
        assert str(tmp_path).encode() not in content


def test_sources_are_what_was_read(done: StudyRun, tables: HandmadeTables) -> None:
    assert set(done.detail["sources"]) == {"cow_states"}
    assert done.detail["simulated"] is False


def test_simulated_data_are_said_to_be(project: Project) -> None:
    result = run_study(project, HandmadeTables(simulated=True), "toy_study")
    assert result.detail["simulated"] is True


def test_the_design_in_words(done: StudyRun) -> None:
    said = " ".join(done.detail["design"])
    assert "directed-dyad-year, 1950 to 1969" in said
    assert "Dropped as extremes: rows with x > 2.5." in said
    assert "Model late: probit of outcome ~ treat + x, 1960 to 1969, rows with ccode1 > 10" in said
    assert done.detail["labels"]["treat"] == "Treated"
    assert done.detail["choice_words"]["coding"] == "Coding: declared loose; alternatives strict."
    assert done.detail["measure_words"] == ["It was counted."]


def test_rounding() -> None:
    assert rounded({"a": [1 / 3, float("nan"), np.float64(2.0), None, True, "x"]}) == {
        "a": [0.333333333333, None, 2.0, None, True, "x"]
    }


@pytest.mark.parametrize(("value", "text"), [(1077992.0, "1077992"), (0.0504787, "0.05048")])
def test_numbers_in_sentences(value: float, text: str) -> None:
    assert number(value) == text


def test_warnings_are_kept(done: StudyRun) -> None:
    assert any("dyadic: only 12 states" in said for said in done.detail["warnings"])
