"""The DAG on the real files, small: what is redone when, and the same bytes wherever it runs."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STUDY = "small_study"


@pytest.fixture(scope="module")
def project(repository: Path, real_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the working copy with one small study and a short panel, built once."""
    root = tmp_path_factory.mktemp("dag") / "main"
    away = shutil.ignore_patterns("__pycache__")
    for name in ("config", "src", "workflow"):
        shutil.copytree(repository / name, root / name, ignore=away)
    shutil.copy(repository / "Snakefile", root)
    shutil.rmtree(root / "config" / "studies")
    config = root / "config" / "config.yaml"
    text = config.read_text(encoding="utf-8").replace("years: [1816, 2010]", "years: [1946, 1950]")
    config.write_text(text.replace("../shared/sources", str(real_sources)), encoding="utf-8")
    run(root, "foedus", "new", "study", STUDY)
    run(root, "snakemake", *options())
    return root


def options(results: str = "results") -> list[str]:
    return ["--profile", "config/profiles/local", "--cores", "2", "--config", f"results={results}"]


def run(root: Path, *words: str) -> str:
    surroundings = {**os.environ, "PYTHONPATH": str(root / "src"), "FOEDUS_ROOT": str(root)}
    surroundings.pop("FOEDUS_RAW", None)
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=root, env=surroundings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def jobs(root: Path) -> set[str]:
    """What a run would do now: the words of each job but the last, which makes nothing."""
    said = run(root, "snakemake", *options(), "-n")
    return set(re.findall(r"^Job \d+: (.+)$", said, re.M)) - {"everything is made"}


ONE = f"study {STUDY}"
COLLECT = "collect estimates, comparison and provenance"
REPORT = "report: figures, tables, site and PDF"
PANEL = "panel of directed-dyad-year"
DATABASE = "database: everything made as views"


def test_everything_is_made(project: Path) -> None:
    made = project / "results"
    for name in ("estimates.csv", "comparison.csv", "provenance.json", "report/index.html",
                 "report/report.pdf", "panels/directed-dyad-year.parquet",
                 f"curves/{STUDY}.parquet"):  # fmt: skip
        assert (made / name).stat().st_size > 0, name


def test_a_second_run_and_a_touch_do_nothing(project: Path) -> None:
    assert "Nothing to be done" in run(project, "snakemake", *options())
    for folder in ("src", "config", "workflow"):
        for path in (project / folder).rglob("*"):
            os.utime(path)
    assert jobs(project) == set()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (f"config/studies/{STUDY}/study.yaml", {ONE, COLLECT, REPORT, DATABASE}),
        ("src/foedus/models/families.py", {ONE, COLLECT, REPORT, DATABASE}),
        ("src/foedus/covariates/polity.py", {PANEL, REPORT, DATABASE}),
        ("src/foedus/cli/doctor.py", set()),
    ],
)
def test_a_change_redoes_what_uses_it(project: Path, file: str, expected: set[str]) -> None:
    path = project / file
    before = path.read_text(encoding="utf-8")
    comment = "\n/* changed */\n" if path.suffix == ".css" else "\n# changed\n"
    path.write_text(before + comment, encoding="utf-8")
    try:
        found = jobs(project)
    finally:
        path.write_text(before, encoding="utf-8")
    assert found == expected


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_two_places_give_the_same_bytes(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "main"
    shutil.copytree(project, other, ignore=shutil.ignore_patterns("results", ".snakemake", "logs"))
    run(other, "snakemake", *options(str(tmp_path / "made")))
    assert digests(tmp_path / "made") == digests(project / "results")


def test_no_path_of_this_machine_is_in_the_results(project: Path) -> None:
    here = str(project.parent).encode()
    wrong = [
        str(path)
        for path in (project / "results").rglob("*")
        if path.is_file() and here in path.read_bytes()
    ]
    assert wrong == []
