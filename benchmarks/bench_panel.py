"""How long the directed dyad-year panel takes, and how much memory, as a whole process.

Run: .venv/bin/python benchmarks/bench_panel.py [--repeat 3]
Tables are ingested before the clock starts; start-up, imports and writing the file count.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COVARIATES = (
    "atop,contiguity,major,nmc,polity,mid,gml,war,capital_distance,min_distance,peace_years,"
    "atop_third_party"
)
SPANS = ((1816, 1913), (1816, 1945), (1816, 1980), (1816, 2010))


def one_run(unit: str, years: tuple[int, int], covariates: str, out: Path, data: Path) -> float:
    """Seconds of one `foedus panel` from start to exit."""
    command = [
        sys.executable, "-m", "foedus", "panel", unit, "--years", str(years[0]), str(years[1]),
        "--covariates", covariates, "--out", str(out), "--data", str(data), "--quiet",
    ]  # fmt: skip
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path("results"))
    repeat, data = parser.parse_args().repeat, parser.parse_args().data
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "panel.parquet"
        one_run("state-year", (1816, 1820), "nmc", out, data)  # ingests what is missing
        one_run("directed-dyad-year", (1816, 1820), COVARIATES, out, data)
        for years in SPANS:
            seconds = [
                one_run("directed-dyad-year", years, COVARIATES, out, data) for _ in range(repeat)
            ]
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(
                f"directed-dyad-year {years[0]}-{years[1]}: "
                f"median {statistics.median(seconds):.2f} s "
                f"(least {min(seconds):.2f}), peak so far {peak:.0f} MB, "
                f"file {out.stat().st_size / 1e6:.1f} MB"
            )


if __name__ == "__main__":
    main()
