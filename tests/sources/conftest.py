"""Fixtures: a scratch project with our source facts, and the official files if they're here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from foedus.config import Config, Project
from foedus.sources.registry import SourceFacts, load_facts

ROOT = Path(__file__).resolve().parents[2]


def find_shared() -> Path | None:
    """Return the mirror of official files beside the repository, or None."""
    for folder in (ROOT, *ROOT.parents):
        shared = folder.parent / "shared" / "sources"
        if (shared / "MANIFEST.csv").is_file():
            return shared
    return None


@pytest.fixture(scope="session")
def facts() -> dict[str, SourceFacts]:
    return load_facts(ROOT / "config")


@pytest.fixture(scope="session")
def shared() -> Path:
    found = find_shared()
    if found is None:
        message = "../shared/sources isn't here: tests on the official files don't run"
        if os.environ.get("FOEDUS_REQUIRE_REAL"):
            pytest.fail(message)
        pytest.skip(message)
    return found


MakeProject = Callable[..., Project]


@pytest.fixture(scope="session")
def uncorrected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project folder with our YAMLs but no corrections: handmade files have no errors."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(
        ROOT / "config" / "sources",
        root / "config" / "sources",
        ignore=shutil.ignore_patterns("*.corrections.yaml"),
    )
    return root


@pytest.fixture
def make_project(tmp_path: Path, uncorrected: Path) -> MakeProject:
    """Return a function that makes an offline project that writes into a folder of its own."""

    def make(raw: Path | None = None, accept: tuple[str, ...] = ()) -> Project:
        return Project(
            root=uncorrected,
            config=Config(accept_unpinned=accept, raw_dirs=()),
            data=tmp_path / "results",
            raw_dirs=(raw,) if raw else (),
            offline=True,
        )

    return make
