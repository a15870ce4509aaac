"""A stamp changes when a file behind it does, and only then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from foedus.stamps import stamp


def test_a_stamp_moves_with_the_bytes_of_its_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("1")
    two.write_text("2")
    folder = tmp_path / "lineage"
    path = Path(stamp(folder, "step", [str(two), str(one), str(one)]))
    first = path.read_text()
    assert [line.split("  ")[1] for line in first.splitlines()] == ["one.py", "two.py"]
    os.utime(path, (1, 1))
    os.utime(one, (5, 5))
    assert stamp(folder, "step", [str(one), str(two)]) == str(path)
    assert path.stat().st_mtime == 1, "a touch is no change"
    two.write_text("3")
    stamp(folder, "step", [str(one), str(two)])
    assert path.read_text() != first
    assert path.stat().st_mtime > 1
    changed = path.read_text()
    stamp(folder, "step", [str(one)])
    assert path.read_text() == changed.splitlines(keepends=True)[0]


def test_a_stamp_holds_no_path_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results outside the project, a world inside them, a user's own folder."""
    project, results, own = tmp_path / "project", tmp_path / "else" / "results", tmp_path / "own"
    declared = project / "config" / "one.yaml"
    truth, study = results / "world" / "truth.json", own / "study.yaml"
    for file in (declared, truth, study):
        file.parent.mkdir(parents=True)
        file.write_text(file.name)
    monkeypatch.chdir(project)
    for shown in (str(truth), os.path.relpath(truth)):
        files = ["config/one.yaml", shown, str(study)]
        text = Path(stamp(results / "lineage", "step", files)).read_text()
        assert {line.split("  ")[1] for line in text.splitlines()} == {
            "config/one.yaml",
            "world/truth.json",
            "…/study.yaml",
        }
        assert str(tmp_path) not in text
        assert ".." not in text
