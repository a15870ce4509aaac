"""Johnson & Leeds 2011 on the real files: rows, known cells of the authors' file, time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from foedus.config import load_project
from foedus.sources.tables import Tables
from foedus.studies.registry import get_study
from foedus.studies.run import StudyRun, run_design

pytestmark = pytest.mark.real
STUDY = "johnson_leeds_2011"


@pytest.fixture(scope="module")
def run(real_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> StudyRun:
    data = tmp_path_factory.mktemp("results")
    root = Path(__file__).resolve().parents[2]
    project = load_project(root, data=data, raw=[real_sources], offline=True)
    began = time.process_time()
    made = run_design(get_study(project, STUDY), Tables(project))
    seconds = time.process_time() - began
    assert seconds < 120, f"{seconds:.0f} s of processor time; 45 s when it was written"
    return made


@pytest.fixture(scope="module")
def lead(run: StudyRun) -> dict[str, dict[str, Any]]:
    return {row["maps_to"]: row for row in run.comparison.to_pylist() if row["lead"]}


def test_nothing_fails(run: StudyRun) -> None:
    assert run.failed == []
    failed = [row for row in run.detail["choices"] if row["estimate"] is None]
    assert failed == []


def test_the_flow_adds_up(run: StudyRun) -> None:
    flow = run.detail["flow"]
    assert flow[0]["rows_left"] == 1_315_894  # every pair that shares a day, 1816-2000
    for model in ("table1", "logit", "teaching"):
        left = flow[0]["rows_left"]
        for step in flow:
            if step.get("model") in (None, model):
                left -= step["rows_lost"]
                assert step["rows_left"] == left
    lost = {step["step"] for step in flow if step["rows_lost"] and step.get("model") == "table1"}
    assert lost == {"complete jdem"}


CELLS = {
    # How near, relative to itself, the rebuilt variable must come to the authors'.
    "models.table1.mean(capprop | ccode1 == 2 and ccode2 == 20 and year == 1920)": 1e-5,
    "models.table1.mean(capprop | ccode1 == 2 and ccode2 == 20 and year == 1925)": 1e-5,
    "models.table1.mean(s_un_glo | ccode1 == 950 and ccode2 == 940 and year == 2000)": 1e-6,
    "models.table1.mean(peaceyrs | ccode1 == 2 and ccode2 == 20 and year == 1925)": 1e-12,
    "models.table1.mean(jdem | ccode1 == 2 and ccode2 == 20 and year == 1920)": 1e-12,
    "models.table1.mean(ln_distance | ccode1 == 2 and ccode2 == 20 and year == 1920)": 1e-3,
    "models.table1.mean(ln_distance | ccode1 == 950 and ccode2 == 940 and year == 2000)": 1e-3,
}


@pytest.mark.parametrize(("maps_to", "tolerance"), CELLS.items())
def test_known_cells_of_the_authors_file(
    lead: dict[str, dict[str, Any]], maps_to: str, tolerance: float
) -> None:
    row = lead[maps_to]
    assert row["rebuilt"] == pytest.approx(row["published"], rel=tolerance)


def test_the_file_has_about_as_many_rows_as_in_print(lead: dict[str, dict[str, Any]]) -> None:
    for maps_to in ("models.table1.n", "models.teaching.n"):
        assert lead[maps_to]["verdict"] in ("exact", "close", "agrees")
        assert lead[maps_to]["n_ratio"] == pytest.approx(1.0, abs=0.03)


def test_controls_have_the_printed_signs(lead: dict[str, dict[str, Any]]) -> None:
    for term in ("capprop", "ln_distance", "s_un_glo", "jdem"):
        assert lead[f"models.teaching.{term}"]["verdict"] in ("exact", "close", "agrees")


def test_dyadic_errors_are_wider_than_classical(run: StudyRun) -> None:
    errors = {
        row["covariance"]: row["std_error"]
        for row in run.estimates.to_pylist()
        if (row["model"], row["term"]) == ("table1", "ptargdef")
    }
    assert errors["dyadic"] > 2 * errors["classical"]


def test_every_number_has_a_verdict_and_a_diagnosis(run: StudyRun) -> None:
    rows = run.comparison.to_pylist()
    assert all(row["verdict"] != "not comparable" for row in rows)
    assert all(row["diagnosis"] and row["where_in_print"] for row in rows)
    assert len({row["maps_to"] for row in rows}) >= 24
