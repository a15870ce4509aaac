"""Time and peak memory of `foedus ingest` from raw files, one source a line.

Run: python benchmarks/bench_ingest.py [folder of raw files]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from foedus.config import load_project
from foedus.sources.ingest import ingest
from foedus.sources.resolve import locate

KIB = 1024


def main() -> None:
    """Ingest every source that is found into a scratch folder, and print what it took."""
    raw = [Path(sys.argv[1])] if len(sys.argv) > 1 else []
    root = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as scratch:
        project = load_project(root=root, data=Path(scratch), raw=raw, offline=True)
        found = locate(project)
        usable = [name for name, one in found.items() if one.usable]
        print(f"{len(usable)} of {len(found)} sources found")
        began = time.perf_counter()
        reports = ingest(project, usable)
        seconds = time.perf_counter() - began
        read = sum(path.stat().st_size for one in found.values() for path in one.paths().values())
        made = sum(path.stat().st_size for one in reports for path in one.paths.values())
    for one in reports:
        rows = sum(one.rows.values())
        print(f"{one.id:32} {rows:9,d} rows {one.seconds:7.2f} s")
    total = sum(sum(one.rows.values()) for one in reports)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB
    print(
        f"{total:,d} rows in {seconds:.2f} s; {read / KIB**2:.1f} MiB raw, "
        f"{made / KIB**2:.1f} MiB made; peak memory {peak:.0f} MiB"
    )


if __name__ == "__main__":
    main()
