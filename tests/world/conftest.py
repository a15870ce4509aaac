"""One small world for all these tests: drawn, written, and its tables made."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from foedus.config import Project, load_project
from foedus.sources.tables import Tables
from foedus.world.build import World, draw, write
from foedus.world.settings import Settings, make_settings

ROOT = Path(__file__).resolve().parents[2]
SMALL = make_settings(seed=8, states=24)


@dataclass(frozen=True)
class Made:
    """A world with the project that runs on it."""

    settings: Settings
    world: World
    folder: Path
    project: Project
    tables: Tables
    told: dict[str, object]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The world, in a project of its own with our declarations."""
    root = tmp_path_factory.mktemp("world")
    shutil.copytree(ROOT / "config", root / "config")
    folder = root / "sources"
    world = draw(SMALL)
    told = write(world, folder)
    project = load_project(root=root, raw=[folder], data=root / "results")
    return Made(SMALL, world, folder, project, Tables(project), told)
