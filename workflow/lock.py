"""Write requirements.lock: exact versions and hashes for every platform, no host named."""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
HEADER = "# Exact versions and hashes of every package. Made by `make lock`; don't edit by hand.\n"
HIDDEN = ("PIP_FIND_LINKS", "UV_FIND_LINKS")


def main() -> None:
    """Resolve pyproject.toml (with the extra dev), keeping the pinned versions unless --upgrade."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    upgrade = parser.parse_args().upgrade
    command = [
        "uv", "pip", "compile", "pyproject.toml", "--extra", "dev", "--universal",
        "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate", "--quiet",
        "--output-file", LOCK.name, *(["--upgrade"] if upgrade else []),
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name not in HIDDEN}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    text = LOCK.read_text(encoding="utf-8")
    LOCK.write_text(HEADER + text.removeprefix(HEADER), encoding="utf-8")


if __name__ == "__main__":
    main()
