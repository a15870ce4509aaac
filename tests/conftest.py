"""For all tests: one thread a process, and a scratch project without any data."""

from __future__ import annotations

from foedus.cli.environment import pin_environment

pin_environment()

import shutil  # noqa: E402  (threads must be pinned before numpy is imported)
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a case of bytes by its length: packed bytes hold the clock, and workers must agree."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def repository() -> Path:
    """The working copy that these tests belong to."""
    return ROOT


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with our declarations and no source files anywhere; commands run in it."""
    root = tmp_path / "project"
    shutil.copytree(ROOT / "config", root / "config")
    config = root / "config" / "config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("raw_dirs: [../shared/sources]", "raw_dirs: []"), "utf-8")
    assert "raw_dirs: []" in config.read_text(encoding="utf-8")
    monkeypatch.setenv("FOEDUS_ROOT", str(root))
    monkeypatch.delenv("FOEDUS_RAW", raising=False)
    return root
