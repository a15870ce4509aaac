"""The rules of the house: complete registries, true maps, nothing of one machine, thin rules."""

from __future__ import annotations

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from foedus.api import open_project
from foedus.covariates.registry import registry
from foedus.panels.units import units
from foedus.references import load_references
from foedus.sources.registry import project_facts, reader
from foedus.studies.check import check_study
from foedus.studies.measures import measures
from foedus.studies.registry import load_studies

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 600 * 1024


@cache
def tracked() -> tuple[Path, ...]:
    """Files that git tracks or would track."""
    answer = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    files = [ROOT / name for name in answer.stdout.decode().split("\0") if name]
    return tuple(path for path in files if path.is_file())


def texts(*folders: str) -> list[tuple[Path, str]]:
    """Tracked files that are text, under the folders named or everywhere."""
    found = []
    for path in tracked():
        inside = not folders or any(path.is_relative_to(ROOT / folder) for folder in folders)
        if inside and path.suffix not in (".png", ".pdf", ".parquet", ".gz"):
            found.append((path, path.read_text(encoding="utf-8")))
    return found


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# --- nothing of one machine -----------------------------------------------------------------------

# Written in pieces, so that this file does not hold what it forbids.
_MACHINE = re.compile(
    "|".join(
        [
            "/" + "work/",
            "/" + "tmp/",
            "/" + "root/",
            "/" + "home/[a-z]",
            r"\b" + "fa" + "rm" + r"\b",
        ]
    )
)
_REGISTRY = re.compile(
    "|".join(
        [
            "py" + r"pi\.org",
            "python" + "hosted",
            "npm" + r"js\.",
            "index" + "-url",
            "find" + "-links =",
        ]
    )
)


def test_no_path_of_a_machine_and_no_registry_is_named() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path, text in texts()
        for pattern in (_MACHINE, _REGISTRY)
        if (found := pattern.search(text))
    ]
    assert wrong == []


def test_no_large_file_and_no_source_data_is_tracked() -> None:
    large = [str(path) for path in tracked() if path.stat().st_size > LARGEST]
    assert large == []
    raw = [path.name for path in tracked() if path.is_relative_to(ROOT / "data" / "raw")]
    assert raw == ["README.md"]


def test_nothing_is_left_unfinished() -> None:
    marks = re.compile("TO" + "DO|FIX" + "ME|raise NotImplemented")
    wrong = [str(path) for path, text in texts("src", "workflow", "docs") if marks.search(text)]
    assert wrong == []


# --- registries -----------------------------------------------------------------------------------


def test_every_source_is_complete() -> None:
    project = open_project()
    works = load_references(project.config_dir)
    for facts in project_facts(project).values():
        assert set(facts.citation) <= set(works), facts.id
        assert facts.title, facts.id
        assert facts.terms, facts.id
        assert facts.obtained_from, facts.id
        columns = reader(facts).tables
        assert set(columns) == set(facts.tables), facts.id
        for name, listed in columns.items():
            assert all(column.definition for column in listed), f"{facts.id}/{name}"
            assert set(facts.tables[name].key) <= {column.name for column in listed}, facts.id


def test_every_covariate_is_complete() -> None:
    project = open_project()
    works, facts = load_references(project.config_dir), project_facts(project)
    datasets = {one.dataset for one in facts.values()}
    for entry in registry().values():
        assert entry.title, entry.name
        assert entry.columns, entry.name
        assert all(column.says.endswith(".") for column in entry.columns), entry.name
        assert set(entry.sources) <= datasets | set(facts), entry.name
        assert set(entry.citations) <= set(works), entry.name
        assert entry.citations or entry.says_citation or not entry.sources, entry.name
        assert entry.examples, f"{entry.name} has no example"


def test_every_unit_is_complete() -> None:
    facts = project_facts(open_project())
    for unit in units().values():
        assert unit.says.endswith("."), unit.name
        assert unit.keys, unit.name
        assert set(unit.sources) <= set(facts), unit.name


def test_every_measure_is_complete() -> None:
    works = load_references(open_project().config_dir)
    for measure in measures().values():
        assert measure.says.endswith("."), measure.name
        assert measure.citations, measure.name
        assert set(measure.citations) <= set(works), measure.name


def test_every_study_is_valid() -> None:
    project = open_project()
    problems = {name: check_study(project, one) for name, one in load_studies(project).items()}
    assert {name: found for name, found in problems.items() if found} == {}


# --- maps that must stay true ---------------------------------------------------------------------


def rows_of(page: str) -> list[list[str]]:
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if line[:1] == "|"
    ]
    return [row for row in cells if not set("".join(row)) <= set("-: ")]


def test_where_new_code_goes_names_files_that_are_there() -> None:
    rows = [row for row in rows_of("where-new-code-goes.md") if len(row) == 3][1:]
    assert len(rows) > 10
    for kind, files, imitate in rows:
        examples = re.findall(r"`([^`]+)`", imitate)
        assert examples, kind
        for name in examples:
            assert (ROOT / name).is_file(), f"{kind}: {name} is not there"
        for name in re.findall(r"`([^`]+)`", files):
            if "/" not in name:
                assert name.startswith("make ") or (ROOT / name).is_file(), name
                continue
            folder = ROOT / name.rpartition("/")[0]
            while not re.fullmatch(r"[a-z_./-]+", folder.relative_to(ROOT).as_posix()):
                folder = folder.parent
            assert folder.is_dir(), f"{kind}: {name}"


def test_where_new_code_goes_names_every_room() -> None:
    page = (ROOT / "docs" / "where-new-code-goes.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "foedus"
    rooms = [f"{path.name}/" for path in package.iterdir() if (path / "__init__.py").is_file()]
    rooms += [path.name for path in package.glob("*.py") if not path.name.startswith("__")]
    missing = [room for room in rooms if f"`{room}`" not in page]
    assert missing == []


def test_layers_cover_every_room() -> None:
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    layers = " ".join(contracts[0]["layers"]).replace(":", " ").split()
    package = ROOT / "src" / "foedus"
    rooms = {path.name for path in package.iterdir() if (path / "__init__.py").is_file()}
    unlisted = {room for room in rooms if f"foedus.{room}" not in layers}
    assert unlisted == set()


@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))],
)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    made = {"commands.md", "codebook.md"}  # written when the site is built
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert target in made or (path.parent / target).exists(), f"{page}: {target}"


def test_readme_guides_in_one_screen() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make report" in text
    assert "make test" in text
    assert "config/covariates/" in text
    assert len(text.splitlines()) < 60


def test_changelog_says_which_results_change() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = text.split("\n## ")[1:]
    assert releases
    assert all("### Results change" in release for release in releases)


def test_make_targets_of_the_contract() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("report", "test", "docs", "bench", "clean"):
        assert re.search(rf"^{target}:", text, re.MULTILINE), target


def test_the_default_config_says_what_the_defaults_are() -> None:
    from foedus.config import Config, load_config

    written = load_config(ROOT)
    assert written == Config()
    text = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    assert set(text) == set(Config.model_fields)


# --- lock and rules -------------------------------------------------------------------------------


def test_lock_is_in_step_with_pyproject() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", lock, re.MULTILINE))
    versions = {canonicalize_name(name): version for name, version in pinned.items()}
    project = pyproject()["project"]
    for text in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        wanted = Requirement(text)
        name = canonicalize_name(wanted.name)
        assert name in versions, f"{text}: run `make lock`"
        assert wanted.specifier.contains(versions[name], prereleases=True), (
            f"{text}: run `make lock`"
        )
    blocks = re.findall(r"^[A-Za-z0-9._-]+==.*?(?=^[A-Za-z0-9]|\Z)", lock, re.MULTILINE | re.DOTALL)
    assert len(blocks) == len(pinned)
    assert all("--hash=sha256:" in block for block in blocks)


def test_each_rule_is_one_foedus_command() -> None:
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        text = path.read_text(encoding="utf-8")
        for body in re.findall(r"shell:\n((?:\s+\".*\"\n)+)", text):
            command = "".join(re.findall(r'"(.*)"', body))
            assert command.startswith("foedus "), f"{path.name}: {command}"
            assert ";" not in command, path.name
            assert "&&" not in command, path.name
        assert text.count("shell:") == len(re.findall(r"^\s*rule\b", text, re.MULTILINE))
        assert "run:" not in text
        assert "script:" not in text
        assert text.count("    log:") == text.count("shell:")
        assert len(re.findall(r"\b\w*code=", text)) == text.count("shell:")
