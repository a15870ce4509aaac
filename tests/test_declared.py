"""Names are found in the text of their modules: all of them, and where they are declared."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import foedus.studies
from foedus.declared import declared_in
from foedus.studies.measures import measures


def test_names_stand_first_in_a_decorator_at_the_start_of_a_line(tmp_path: Path) -> None:
    room = ModuleType("room")
    room.__path__ = [str(tmp_path)]
    (tmp_path / "one.py").write_text(
        '@entry("first", says="@entry(\\"no\\")")\n@entry(\n    name="second",\n)\n'
        '# @entry("third")\n'
    )
    (tmp_path / "two.py").write_text('    @entry("indented")\n@entries("other")\n')
    assert declared_in(room, "entry") == {"first": "room.one", "second": "room.one"}


def test_every_measure_is_found_in_the_text_of_its_module() -> None:
    declared = declared_in(foedus.studies, "measure")
    assert len(declared) > 30
    assert {
        name: entry.module for name, entry in measures().items() if name in declared
    } == declared


def test_one_measure_imports_no_other() -> None:
    asked = "from foedus.studies.measures import get_measure; get_measure('counts')"
    told = "import sys; print(*(name for name in sys.modules if 'studies.measures_' in name))"
    done = subprocess.run(
        [sys.executable, "-c", f"{asked}; {told}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["foedus.studies.measures_counts"]
