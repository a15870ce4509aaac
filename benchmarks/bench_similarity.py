"""How long all scores of alliance portfolios take: S (weighted and not), tau-b, kappa and pi.

Run: .venv/bin/python benchmarks/bench_similarity.py [--repeat 3] [--data results]
Each run is a whole process: start-up, imports, every dyad-year of the years, the file written.
Tables are ingested before the clock starts. User time is printed beside elapsed time, since other
processes stretch the latter.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCORES = ("s_atop", "s_atop_weighted", "tau_b_atop", "kappa_atop", "pi_atop")
SPANS = ((1816, 1913), (1816, 1945), (1816, 1980), (1816, 2016))


def build(years: tuple[int, int], out: Path, data: Path) -> None:
    """Build every score for every dyad-year and write it."""
    from foedus.config import load_project
    from foedus.covariates.assemble import VariableRequest, build_variables
    from foedus.sources.tables import Tables
    from foedus.store import write_parquet

    tables = Tables(load_project(data=data, offline=True))
    asked = {name: VariableRequest("similarity", name) for name in SCORES}
    write_parquet(build_variables(tables, "dyad-year", years, asked).table, out)


def one_run(years: tuple[int, int], out: Path, data: Path) -> tuple[float, float]:
    """Return the elapsed and the user seconds of one process."""
    command = [sys.executable, __file__, "--build", *map(str, years), str(out), "--data", str(data)]
    # One thread for matrix products, as the command line has it.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    began = time.perf_counter()
    subprocess.run(command, check=True, env=environment)
    elapsed = time.perf_counter() - began
    return elapsed, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path("results"))
    parser.add_argument("--build", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        first, last, out = options.build
        build((int(first), int(last)), Path(out), options.data)
        return
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "scores.parquet"
        one_run((1816, 1820), out, options.data)  # ingests what is missing
        for years in SPANS:
            runs = [one_run(years, out, options.data) for _ in range(options.repeat)]
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(
                f"all scores {years[0]}-{years[1]}: least {min(one for one, _ in runs):.2f} s, "
                f"user {min(user for _, user in runs):.2f} s, peak so far {peak:.0f} MB"
            )


if __name__ == "__main__":
    main()
