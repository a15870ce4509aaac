"""Plant each bug in a copy of the code, run the test that must catch it, and say what happened.

    python tests/mutations/run.py [--quick] [--only NAME ...] [--markdown]

Ends with 1 if a bug survives, or if a test fails without any bug.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.mutations.planted import PLANTED, Planted  # noqa: E402

FAILED = 1
"""Exit code of pytest when a test has failed; others (no such test, usage) prove nothing."""


def run_test(test: str, source: Path) -> tuple[int, str]:
    """Run one test on the code below `source`; return pytest's exit code and its last line."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(source), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return done.returncode, lines[-1] if lines else done.stderr[-200:]


def plant(bug: Planted, source: Path) -> str:
    """Put a bug into the copy; return the text that it replaced the file of."""
    path = source / "foedus" / bug.file
    text = path.read_text(encoding="utf-8")
    if text.count(bug.old) != 1:
        raise SystemExit(
            f"{bug.name}: its text stands {text.count(bug.old)} times in {bug.file}, not once. "
            "Rewrite it in tests/mutations/planted.py."
        )
    path.write_text(text.replace(bug.old, bug.new), encoding="utf-8")
    return text


def main() -> int:
    """Run the bugs that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only those marked quick")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--markdown", action="store_true", help="a table for docs/reliability.md")
    asked = parser.parse_args()
    chosen = [
        bug
        for bug in PLANTED
        if (bug.name in asked.only) or (not asked.only and (bug.quick or not asked.quick))
    ]
    rows, survived = [], 0
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(
            ROOT / "src" / "foedus", source / "foedus",
            ignore=shutil.ignore_patterns("__pycache__"),
        )  # fmt: skip
        for test in dict.fromkeys(bug.test for bug in chosen):
            code, last = run_test(test, source)
            if code != 0:
                print(f"{test} fails without any bug: {last}")
                return 1
        for bug in chosen:
            began = time.monotonic()
            text = plant(bug, source)
            code, last = run_test(bug.test, source)
            (source / "foedus" / bug.file).write_text(text, encoding="utf-8")
            killed = code == FAILED
            survived += not killed
            name = bug.test.partition("::")[2] or Path(bug.test).name
            rows.append((bug, killed, name))
            print(
                f"{'killed  ' if killed else 'SURVIVED'} {bug.name} by {name} "
                f"({time.monotonic() - began:.0f} s){'' if killed else ': ' + last}",
                flush=True,
            )
    print(f"{len(chosen) - survived} of {len(chosen)} planted bugs were caught")
    if asked.markdown:
        print("\n| planted bug | what goes wrong | file | caught by |\n| --- | --- | --- | --- |")
        for bug, killed, name in rows:
            by = f"`{name}`" if killed else "nothing"
            print(f"| {bug.name} | {bug.says} | `{bug.file}` | {by} |")
    return int(survived > 0)


if __name__ == "__main__":
    raise SystemExit(main())
