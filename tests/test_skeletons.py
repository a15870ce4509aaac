"""What `foedus new` writes works as it is: it passes ruff, its tests and the house's checks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def copy(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the working copy (without data), to which skeletons are added."""
    root = tmp_path_factory.mktemp("copy") / "main"
    away = shutil.ignore_patterns("__pycache__")
    for name in ("config", "src", "tests"):
        shutil.copytree(repository / name, root / name, ignore=away)
    shutil.copy(repository / "pyproject.toml", root)
    return root


def foedus(root: Path, *words: str, code: int = 0) -> str:
    surroundings = {**os.environ, "PYTHONPATH": str(root / "src"), "FOEDUS_ROOT": str(root)}
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=root, env=surroundings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def clean(root: Path, *files: str) -> None:
    foedus(root, "ruff", "check", *files)
    foedus(root, "ruff", "format", "--check", *files)


def test_new_covariate(copy: Path) -> None:
    foedus(copy, "foedus", "new", "covariate", "log_people")
    files = ["src/foedus/covariates/log_people.py", "tests/covariates/test_log_people.py"]
    clean(copy, *files)
    assert "log_people" in foedus(copy, "foedus", "covariates", "show", "log_people")
    house = "tests/test_house.py::test_every_covariate_is_complete"
    foedus(copy, "pytest", "-q", "-p", "no:cacheprovider", files[1], house)
    again = foedus(copy, "foedus", "new", "covariate", "log_people", code=2)
    assert "already" in again


def test_new_source_from_a_file(copy: Path, tmp_path: Path) -> None:
    given = tmp_path / "given.csv"
    given.write_bytes(b"ccode,year,score,name\r\n2,1900,1.5,a\r\n2,1901,,b\r\n20,1900,3,c\r\n")
    foedus(copy, "foedus", "new", "source", "given_data", "--file", str(given))
    files = ["src/foedus/sources/datasets/given_data.py", "tests/sources/test_given_data.py"]
    clean(copy, *files)
    made = foedus(copy, "foedus", "ingest", "given_data", "--offline")
    assert "rows 3 rows" in made
    house = "tests/test_house.py::test_every_source_is_complete"
    out = foedus(copy, "pytest", "-q", "-p", "no:cacheprovider", files[1], house)
    assert "3 passed" in out


def test_new_source_without_a_file(copy: Path) -> None:
    foedus(copy, "foedus", "new", "source", "example_data")
    assert "rows 3 rows" in foedus(copy, "foedus", "ingest", "example_data", "--offline")


def test_new_study(copy: Path) -> None:
    foedus(copy, "foedus", "new", "study", "my_study")
    assert "my_study: valid" in foedus(copy, "foedus", "study", "check", "my_study")
    assert "target_pact" in foedus(copy, "foedus", "study", "show", "my_study")
