"""Compare two interpreters: ``python -m tests.world.pythons OTHER``, OTHER with the same packages.

Both draw the same world and make every table, a panel and two studies of it. World, tables and
panel must be the same bytes, estimates equal within 1e-9. OTHER is the python of an environment
made from requirements.lock by another Python, with this project installed in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT
from tests.world.test_determinism import HERE, file_hashes, nearly_equal, read_estimates

DRAW = """
import sys
from pathlib import Path
from foedus.world.build import draw, write
from foedus.world.settings import make_settings
write(draw(make_settings(seed=8, states=24)), Path(sys.argv[1]))
"""


def made_by(python: str, folder: Path) -> dict[str, str]:
    """Let one interpreter make everything; return the sha256 of each file but the estimates."""
    world, data = folder / "world", folder / "data"
    for words in (
        ["-c", DRAW, str(world)],
        ["-m", "tests.world.everything", str(world), str(data), str(ROOT)],
    ):
        subprocess.run([python, *words], cwd=ROOT, env={**os.environ, **HERE}, check=True)
    return {**file_hashes(world, "*"), **file_hashes(data)}


def version_of(python: str) -> str:
    """Return an interpreter's version."""
    words = [python, "-c", "import platform; print(platform.python_version())"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def main(other: str) -> int:
    """Compare, say what was found, and return 1 if any file differs."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / "this", Path(scratch) / "other"]
        ours, theirs = (
            made_by(python, folder)
            for python, folder in zip((sys.executable, other), folders, strict=True)
        )
        differing = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
        nearly_equal(*(read_estimates(folder / "data") for folder in folders))
    told = {
        "pythons": [version_of(sys.executable), version_of(other)],
        "files": len(ours),
        "differing": differing,
        "estimates": "equal within 1e-9",
    }
    print(json.dumps(told, indent=2))
    return int(bool(differing))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
