"""Where the real files are; without them these tests are skipped, and say so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared"


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
