"""The data page shows the rules that must hold with their exceptions, and the user's own files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from foedus.config import Project, ReportOptions
from foedus.report import checks
from foedus.report.build import build_report
from foedus.sources.invariants import Finding
from foedus.store import write_json

FOUND = [
    Finding("contiguity_is_symmetric", "Contiguity is the same from both sides.", 82440, (), 0, ()),
    Finding(
        "war_participants_existed",
        "A state that fights is a member of the system.",
        356,
        ({"where": "warnum 139", "rows": 1, "found": 1, "reason": "Ethiopia <fights> early."},),
        1,
        ({"warnum": 7, "ccode": 99},),
    ),
]
COVERAGE = {
    "name": "embassy", "file": "embassy.xlsx", "unit": "dyad-year", "years": [1960, 2013],
    "file_rows": 1200, "file_matched": 1150, "file_no_state": 20, "file_unmatched": 30,
    "unit_unmatched": 5000, "duplicates": 0,
}  # fmt: skip


def test_rules_and_user_files_stand_on_the_data_page(
    built: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "copy"
    shutil.copytree(built.root, root)
    config = built.config.model_copy(update={"report": ReportOptions(pdf=False)})
    project = Project(root, config, root / built.data.relative_to(built.root))
    folder = project.data / "user_covariates"
    folder.mkdir()
    write_json(folder / "embassy.json", COVERAGE)
    asked: list[object] = []

    def found(tables: object, simulated: bool, among: set[str]) -> list[Finding]:
        asked.append((simulated, among))
        return FOUND

    monkeypatch.setattr(checks, "check_invariants", found)
    build_report(project)
    page = (project.data / "report" / "data.html").read_text("utf-8")
    for words in (
        "Contiguity is the same from both sides.", "82,440", "1 (warnum 139)",
        "Ethiopia &lt;fights&gt; early.", "Unexplained: warnum 7, ccode 99",
        "embassy.xlsx", ">1150<", ">5000<", "1960-2013",
    ):  # fmt: skip
        assert words in page, words
    assert len(asked) == 1


def test_without_tables_there_is_no_such_section(built: Project) -> None:
    page = (built.data / "report" / "data.html").read_text("utf-8")
    assert 'id="rules"' not in page
    assert 'id="user-files"' not in page
