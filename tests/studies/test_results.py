"""Curves, the collected files, provenance, the crate, and what moved between two folders."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from foedus.config import Config, Project
from foedus.errors import MissingDataError, UsageError
from foedus.store import read_parquet
from foedus.studies.collect import collect, git_revision
from foedus.studies.curve import run_curve, run_with_curve
from foedus.studies.diff import diff_results, same
from foedus.studies.outcome import CONTRACT_COMPARISON, CONTRACT_ESTIMATES
from foedus.studies.run import run_study

from .conftest import TOY, HandmadeTables, write_study


@pytest.fixture
def results(project: Project, tables: Any) -> Path:
    run_study(project, tables, "toy_study")
    collect(project)
    return project.data


def test_a_whole_curve(project: Project, tables: Any) -> None:
    table = run_curve(project, tables, "toy_study", most=64)
    rows = table.to_pylist()
    assert len(rows) == 8
    assert rows[0]["declared"]
    assert not any(row["declared"] for row in rows[1:])
    assert len({(row["coding"], row["gaps"], row["extremes"]) for row in rows}) == 8
    assert {row["term"] for row in rows} == {"treat"}
    assert all(row["estimate"] < 0 and row["p_value"] < 0.05 for row in rows)
    assert read_parquet(project.data / "curves" / "toy_study.parquet").to_pylist() == rows


def test_a_sampled_curve_agrees_with_the_whole(project: Project, tables: Any) -> None:
    def key(row: dict[str, Any]) -> tuple[str, ...]:
        return row["coding"], row["gaps"], row["extremes"]

    whole = {key(row): row["estimate"] for row in run_curve(
        project, tables, "toy_study", most=64).to_pylist()}  # fmt: skip
    some = run_curve(project, HandmadeTables(), "toy_study", most=5).to_pylist()
    assert len(some) == 5
    assert all(whole[key(row)] == row["estimate"] for row in some)


def test_a_curve_needs_choices(project: Project, tables: Any) -> None:
    write_study(project.root / "config" / "studies", {**TOY, "choices": {}})
    with pytest.raises(UsageError, match="declares no choices"):
        run_curve(project, tables, "toy_study", most=5)
    with pytest.raises(UsageError, match="at least one"):
        run_curve(project, tables, "toy_study", most=0)


@pytest.mark.parametrize("most", [5, 64])
def test_a_run_with_its_curve_writes_what_both_write_alone(
    project: Project, tables: Any, tmp_path: Path, most: int
) -> None:
    run_study(project, tables, "toy_study")
    run_curve(project, HandmadeTables(), "toy_study", most)
    beside = replace(project, data=tmp_path / "beside")
    run_with_curve(beside, HandmadeTables(), "toy_study", most)
    written = [path.relative_to(project.data) for path in project.data.rglob("*.*")]
    assert len(written) == 7
    for name in written:
        assert (beside.data / name).read_bytes() == (project.data / name).read_bytes(), name


def test_a_run_with_a_curve_of_a_study_without_choices(project: Project, tables: Any) -> None:
    with pytest.raises(UsageError, match="at least one"):
        run_with_curve(project, tables, "toy_study", 0)
    write_study(project.root / "config" / "studies", {**TOY, "choices": {}})
    assert run_with_curve(project, tables, "toy_study", 5).estimates.num_rows
    assert not (project.data / "curves").exists()


def test_specifications_that_fail_keep_their_row(project: Project, tables: Any) -> None:
    variables = {**TOY["variables"], "spare": {"from": "toy.gaps"}}
    models = {"main": {**TOY["models"]["main"], "formula": "outcome ~ treat + x + spare"}}
    choices = {"spare": {"variables.spare.from": ["toy.gaps", "toy.x"]}}
    content = {**TOY, "variables": variables, "models": models, "choices": choices}
    rows = [{"term": "t", "quantity": "direction", "estimate": "-", "maps_to": "models.main.treat"}]
    content = {**content, "measures": {}, "effects": {}}
    content["variables"]["x"] = {"from": "toy.gaps", "transform": "negate"}
    choices["spare"]["variables.spare.from"] = ["toy.x", "toy.gaps"]
    content["variables"]["spare"] = {"from": "toy.x"}
    write_study(project.root / "config" / "studies", content, rows)
    table = run_curve(project, tables, "toy_study", most=8).to_pylist()
    assert [row["estimate"] is None for row in table] == [True, True] or table[1]["note"]
    assert "collinear" in table[1]["note"]


def test_collected_files(results: Path) -> None:
    for name, columns in (("estimates", CONTRACT_ESTIMATES), ("comparison", CONTRACT_COMPARISON)):
        with (results / f"{name}.csv").open(newline="") as handle:
            rows = list(csv.reader(handle))
        assert tuple(rows[0][: len(columns)]) == columns
        assert len(rows) - 1 == read_parquet(results / f"{name}.parquet").num_rows > 0


def test_provenance_names_sources_and_no_place(results: Path, tmp_path: Path) -> None:
    text = (results / "provenance.json").read_text()
    assert str(tmp_path) not in text
    provenance = json.loads(text)
    assert provenance["data"] == "real"
    assert provenance["sources"] == [
        {
            "id": "cow_states", "file": "cow_states.csv", "version": "1", "edition": "original",
            "sha256": "0" * 64, "accepted_unpinned": False,
        }
    ]  # fmt: skip
    assert provenance["git_revision"] == "unknown"
    assert provenance["versions"]["numpy"]
    assert provenance["config"]["years"] == [1816, 2010]


def test_collecting_twice_changes_nothing(project: Project, results: Path) -> None:
    before = {path.name: path.read_bytes() for path in results.glob("*.*")}
    collect(project)
    assert {path.name: path.read_bytes() for path in results.glob("*.*")} == before


def test_the_crate_is_whole(results: Path) -> None:
    crate = json.loads((results / "ro-crate-metadata.json").read_text())
    assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
    by_id = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(by_id) == len(crate["@graph"])
    descriptor = by_id["ro-crate-metadata.json"]
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert descriptor["about"] == {"@id": "./"}
    root = by_id["./"]
    assert {"name", "description", "datePublished", "license"} <= set(root)
    for part in root["hasPart"]:
        assert by_id[part["@id"]]["@type"] == "File"
        assert (results / part["@id"]).is_file()
    for entity in crate["@graph"]:
        for value in entity.values():
            for link in value if isinstance(value, list) else [value]:
                if isinstance(link, dict):
                    assert link["@id"] in by_id or link["@id"].startswith("https://w3id.org")


def test_collect_without_results(project: Project) -> None:
    with pytest.raises(MissingDataError, match="no study has results yet"):
        collect(project)
    named = Project(project.root, Config(studies=("toy_study",)), project.data)
    with pytest.raises(MissingDataError, match="foedus study run toy_study"):
        collect(named)


def test_a_git_revision(repository: Path, tmp_path: Path) -> None:
    assert git_revision(tmp_path) == "unknown"
    assert len(git_revision(repository).removesuffix("-dirty")) in (7, 40)


def edit(path: Path, change: Any) -> None:
    with path.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    change(rows)
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def twin(results: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(results, tmp_path / "twin"))


def test_nothing_moved(results: Path, twin: Path) -> None:
    report = diff_results(results, twin)
    assert not report.anything
    assert not report.verdicts_changed
    assert "Moved: 0 verdicts, 0 estimates" in report.text()


def test_noise_is_no_news(results: Path, twin: Path) -> None:
    def nudge(rows: list[dict[str, str]]) -> None:
        rows[0]["estimate"] = f"{float(rows[0]['estimate']) * (1 + 1e-9):.12g}"

    edit(twin / "estimates.csv", nudge)
    assert not diff_results(results, twin).anything


def test_what_moved_is_said(results: Path, twin: Path) -> None:
    def estimate(rows: list[dict[str, str]]) -> None:
        rows[1]["estimate"] = str(float(rows[1]["estimate"]) * 1.1)
        for row in rows:
            if row["model"] == "main":
                row["n_obs"] = str(int(row["n_obs"]) - 10)
        del rows[-1]

    def judge(rows: list[dict[str, str]]) -> None:
        rows[0]["verdict"] = "contradicts"

    def vintage(path: Path) -> None:
        content = json.loads(path.read_text())
        content["sources"][0]["version"] = "2"
        path.write_text(json.dumps(content))

    edit(twin / "estimates.csv", estimate)
    edit(twin / "comparison.csv", judge)
    vintage(twin / "provenance.json")
    report = diff_results(results, twin)
    assert report.verdicts_changed
    assert [moved.new for moved in report.verdicts] == ["contradicts"]
    assert [moved.what for moved in report.estimates] == ["estimate", "estimate"]
    gone = next(moved for moved in report.estimates if moved.new is None)
    assert "gone" in gone.place
    (count,) = report.counts
    assert count.place == "toy_study / main"
    assert count.by.startswith("-10")
    assert report.sources[0].old == "1 (000000000000)"
    assert json.loads(report.json())["verdicts_changed"] is True
    assert "### Verdicts (1)" in report.markdown()
    assert "-> contradicts" in report.text()


def test_a_folder_without_results(results: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="no such file"):
        diff_results(results, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [("1", "1.0", True), ("0.1", "0.1000000001", True), ("0.1", "0.1001", False), ("", "1", False),
     ("a", "b", False)],
)  # fmt: skip
def test_same_cells(old: str, new: str, expected: bool) -> None:
    assert same(old, new) is expected


def test_a_design_of_our_own_is_asked_for_findings_and_replicates_none(
    project: Project, tables: Any
) -> None:
    def kinds() -> set[str]:
        run_study(project, tables, "toy_study")
        rows = read_parquet(project.data / "comparison" / "toy_study.parquet").to_pylist()
        return {row["print_kind"] for row in rows}

    assert kinds() == {"replication"}
    write_study(project.root / "config" / "studies", {**TOY, "own": True})
    assert kinds() == {"expectation"}
