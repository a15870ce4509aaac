"""make's set-up: only when needed, never taken as done when it failed, recovers when broken off."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def setup(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """workflow/set_up.py, working in a scratch folder; commands are recorded, not run."""
    spec = importlib.util.spec_from_file_location("set_up", repository / "workflow" / "set_up.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in module.MADE_FROM:
        (tmp_path / name).write_text("first\n", encoding="utf-8")
    venv = tmp_path / ".venv"
    monkeypatch.setattr(module, "ROOT", str(tmp_path))
    monkeypatch.setattr(module, "VENV", str(venv))
    monkeypatch.setattr(module, "STAMP", str(venv / "foedus-ready"))
    monkeypatch.setattr(module, "MARK", str(venv / "foedus-setting-up"))
    monkeypatch.setattr(module, "works", lambda python: Path(python).exists())
    module.ran = []  # type: ignore[attr-defined]

    def run(command: list[str], doing: str) -> None:
        module.ran.append(doing)
        if doing == "making .venv":
            (venv / "bin").mkdir(parents=True)
            (venv / "bin" / "python").touch()

    monkeypatch.setattr(module, "run", run)
    return module


EVERYTHING = [
    "making .venv",
    "installing the locked packages",
    "installing foedus",
    "compiling foedus",
    "starting foedus",
    "compiling the passes over rows",
]


def failing(at: str, then: Callable[[list[str], str], None]) -> Callable[[list[str], str], None]:
    def run(command: list[str], doing: str) -> None:
        then(command, doing)
        if doing == at:
            raise SystemExit(1)

    return run


def test_from_nothing_and_then_not_again(setup: ModuleType) -> None:
    setup.main()
    assert setup.ran == EVERYTHING
    setup.ran.clear()
    setup.main()
    assert setup.ran == []


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_again_when_what_it_is_made_from_changed(setup: ModuleType, name: str) -> None:
    setup.main()
    setup.ran.clear()
    (Path(setup.ROOT) / name).write_text("second\n", encoding="utf-8")
    setup.main()
    assert setup.ran == EVERYTHING[1:]


@pytest.mark.parametrize("step", EVERYTHING)
def test_a_failed_set_up_is_not_taken_as_done(
    setup: ModuleType, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = setup.run
    monkeypatch.setattr(setup, "run", failing(step, sound))
    with pytest.raises(SystemExit):
        setup.main()
    assert not Path(setup.STAMP).exists()
    monkeypatch.setattr(setup, "run", sound)
    setup.ran.clear()
    setup.main()
    assert setup.ran[-1] == EVERYTHING[-1]
    assert Path(setup.STAMP).exists()
    assert not Path(setup.MARK).exists()


def test_one_that_was_broken_off_starts_again_from_nothing(setup: ModuleType) -> None:
    setup.main()
    Path(setup.MARK).touch()
    (Path(setup.VENV) / "half").touch()
    setup.ran.clear()
    setup.main()
    assert setup.ran == EVERYTHING
    assert not (Path(setup.VENV) / "half").exists()


def test_a_damaged_environment_is_made_again(setup: ModuleType) -> None:
    Path(setup.VENV).mkdir()
    setup.main()
    assert setup.ran == EVERYTHING


def test_an_old_python_is_told_what_to_do(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    monkeypatch.setattr(setup.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit):
        setup.find_python()
    assert "Python 3.11 or newer is needed" in capsys.readouterr().err
    monkeypatch.setattr(setup.shutil, "which", lambda name: f"/somewhere/{name}")
    assert setup.find_python() == "/somewhere/python3.11"


def test_in_an_activated_environment_the_python_below_it_is_taken(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", f"{setup.VENV}/bin/python3")
    monkeypatch.setattr(sys, "_base_executable", "/below/python3.11", raising=False)
    assert setup.find_python() == "/below/python3.11"
