"""What each step is made from is read from the import statements, and misses nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from foedus import lineage
from foedus.api import open_project
from foedus.config import Config, PanelOptions
from foedus.covariates.registry import registry
from foedus.errors import ConfigError
from foedus.lineage import imported_by, module_file, modules, room, scalars, study_sources
from foedus.studies.registry import load_studies


def names(*wanted: str) -> set[str]:
    return {Path(path).as_posix().partition("src/foedus/")[2] for path in modules(*wanted)}


def relative(name: str) -> str:
    path = module_file(name)
    assert path is not None
    return os.path.relpath(path)


def test_imports_are_followed_at_any_depth() -> None:
    found = names("foedus.covariates.nmc")
    assert {"covariates/nmc.py", "covariates/context.py", "sources/tables.py", "store.py"} <= found
    assert not any(name.startswith(("models/", "studies/", "report/", "cli/")) for name in found)


def test_imports_inside_functions_are_followed() -> None:
    # ingest imports the schema, and tables imports ingest, only inside functions
    assert "foedus.sources.fetch" in imported_by("foedus.sources.ingest")


def test_imports_for_type_checkers_are_not() -> None:
    assert "foedus.covariates.context" not in imported_by("foedus.covariates.registry")


def test_a_package_that_loads_by_name_is_taken_whole() -> None:
    assert "foedus.models.estimation" in imported_by("foedus.models")


def test_templates_belong_to_their_package() -> None:
    assert "report/templates/study.html.j2" in names("foedus.report.build")


def test_what_is_compiled_of_a_module_is_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "room"
    for name in ("__init__.py", "page.html", "__pycache__/a.cpython-311.pyc",
                 "__pycache__/passes._sums-1.py311.1.nbc", "inner/__pycache__/b.nbi"):  # fmt: skip
        (room / name).parent.mkdir(parents=True, exist_ok=True)
        (room / name).touch()
    monkeypatch.setattr(lineage, "PACKAGE", tmp_path)
    monkeypatch.setattr(lineage, "module_file", lambda name: room / "__init__.py")
    assert lineage._assets.__wrapped__("foedus.room") == (room / "page.html",)


def test_an_unknown_module_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"foedus\.modls"):
        modules("foedus.modls")


@pytest.mark.parametrize(
    "entry",
    ["foedus.sources.ingest", "foedus.covariates.export", "foedus.studies.run",
     "foedus.studies.curve", "foedus.studies.collect", "foedus.report.build"],
)  # fmt: skip
def test_nothing_that_is_imported_is_missed(entry: str) -> None:
    """Import for real in another process; every foedus module then loaded must be listed."""
    code = f"import {entry}, sys; print(*sorted(m for m in sys.modules if m.startswith('foedus')))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    listed = set(modules(entry))
    missed = [name for name in loaded if relative(name) not in listed]
    assert missed == []


def test_room_lists_modules() -> None:
    assert "foedus.covariates.nmc" in room("foedus.covariates")


def test_scalars_of_nested_yaml() -> None:
    assert list(scalars({"a": [1, {"b": None}], "c": "d"})) == ["a", "1", "b", "c", "d"]


def test_studies_name_their_sources() -> None:
    project = open_project()
    studies = load_studies(project)
    needed = set(study_sources(project, studies["johnson_leeds_2011"]))
    assert {"atop", "mid", "cow_states"} <= needed
    needed = set(study_sources(project, studies["clauset_2018"]))
    assert "cow_interstate_wars" in needed
    assert "cow_nmc" not in needed
    # Sources of units that the study doesn't stand on aren't its own, though measures import the
    # list of units.
    assert not needed & {"ucdp_acd", "cow_extrastate_wars", "cow_intrastate_wars_4.1"}
    needed = set(study_sources(project, studies["outside_intervention"]))
    assert {"cow_extrastate_wars", "cow_intrastate_wars_4.1"} <= needed


def test_plan_without_data_has_no_steps(bare: Path) -> None:
    made = lineage.plan(root=bare)
    assert made.sources == {}
    assert made.studies == {}
    assert "johnson_leeds_2011" in made.left_out


def test_the_default_panel_holds_what_the_config_lists(bare: Path) -> None:
    config = bare / "config" / "config.yaml"
    project = lineage.plan(root=bare).project
    known = registry()
    every = {name: known[name] for name in ("atop", "nmc", "network", "cow_alliance")}
    listed = replace(project, config=Config(panel=PanelOptions(covariates=("nmc", "atop"))))
    assert set(lineage._panel_covariates(listed, every)) == {"atop", "nmc"}
    whole = replace(project, config=Config(panel=PanelOptions(covariates="all")))
    assert set(lineage._panel_covariates(whole, every)) == {"atop", "nmc", "network"}
    text = config.read_text("utf-8").replace("[atop, atop_third_party,", "[atop, atop_thrid_party,")
    config.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r'"atop_thrid_party" is no covariate.*atop_third_party'):
        lineage.plan(root=bare)


def test_a_users_covariate_and_its_file_are_inputs(bare: Path) -> None:
    (bare / "config" / "covariates").mkdir(exist_ok=True)
    (bare / "config" / "covariates" / "mine.yaml").write_text(
        "name: mine_here\ntitle: Mine\nfile: mine.csv\nkey: [ccode]\nabsent: missing\n"
        "coverage: [1900, 1910]\ncitation: Me\ncolumns: {mine_here: {says: It}}\n",
        encoding="utf-8",
    )
    (bare / "config" / "covariates" / "mine.csv").write_text("ccode,mine_here\n2,1\n", "utf-8")
    from foedus.covariates import registry as room_of_covariates

    try:
        files = [Path(path).name for path in lineage.plan(root=bare).panel.files]
    finally:
        room_of_covariates._COVARIATES.pop("mine_here", None)
    assert files == ["mine.yaml", "mine.csv"]
