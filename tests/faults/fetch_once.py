"""Fetch every source of the project in this folder; run as a script, so that it can be killed."""

from __future__ import annotations

from pathlib import Path

from foedus.config import Config, Project
from foedus.sources.fetch import Options, fetch

if __name__ == "__main__":
    here = Path.cwd()
    options = Options(timeout=5, attempts=2, backoff=0.01, allow_loopback=True)
    fetch(Project(here, Config(), here / "results"), ["mine"], options=options)
