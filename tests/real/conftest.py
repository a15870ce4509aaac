"""Where the real files are; without them these tests are skipped, and say so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from foedus.config import load_project
from foedus.sources.tables import Tables

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"


def _folder(name: str) -> Path:
    folder = Path(os.environ.get("FOEDUS_SHARED", SHARED)) / name
    if not folder.is_dir():
        pytest.skip(f"the real files are not here: no folder {name} in the shared folder")
    return folder


@pytest.fixture(scope="session")
def real_sources() -> Path:
    """The mirror of source files."""
    return _folder("sources")


@pytest.fixture(scope="session")
def real_samples() -> Path:
    """Analysis samples that another package made."""
    return _folder("samples")


@pytest.fixture(scope="session")
def tables(real_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """The tables of the real files, each made when a test first asks for it."""
    data = tmp_path_factory.mktemp("results")
    return Tables(load_project(root=ROOT, data=data, raw=[real_sources], offline=True))
