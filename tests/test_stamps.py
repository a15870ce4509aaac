"""A stamp changes when a file behind it does, and only then."""

from __future__ import annotations

import os
from pathlib import Path

from foedus.stamps import stamp


def test_a_stamp_moves_with_the_bytes_of_its_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("1")
    two.write_text("2")
    folder = tmp_path / "lineage"
    path = Path(stamp(folder, "step", [str(two), str(one), str(one)]))
    first = path.read_text()
    assert [line.split("  ")[1] for line in first.splitlines()] == [str(one), str(two)]
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
