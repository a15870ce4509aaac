"""How long panels take, and how much memory, as whole processes, and how that grows.

Run: .venv/bin/python benchmarks/bench_panel.py [--repeat 3] [--data DIR] [--quick]
Tables are ingested before the clock starts; start-up, imports and writing the file count. The
growth with years is on the real state list; the growth with states is on simulated systems of the
same length, in which every pair exists throughout.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

COVARIATES = (
    "atop,contiguity,major,nmc,polity,mid,gml,war,capital_distance,min_distance,peace_years,"
    "atop_third_party"
)
MONTHLY = "atop,major,nmc,polity,war,mid,contiguity,capital_distance,peace_years,atop_third_party"
YEARS = ((1816, 1913), (1816, 1945), (1816, 1980), (1816, 2010))
STATES = (25, 50, 100, 200)


@dataclass(frozen=True)
class Run:
    """What one process took: seconds by the clock and of processors, and its peak memory."""

    wall: float
    cpu: float
    peak_mb: float


def one_run(arguments: list[str], data: Path) -> Run:
    """Run one `foedus panel` from start to exit."""
    command = [
        sys.executable, "-m", "foedus", "panel", *arguments, "--data", str(data), "--quiet",
    ]  # fmt: skip
    began = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def measure(says: str, arguments: list[str], out: Path, data: Path, repeat: int) -> None:
    """Print the best of several runs, its memory and the file's size."""
    import pyarrow.parquet as pq

    runs = [one_run([*arguments, "--out", str(out)], data) for _ in range(repeat)]
    best = min(runs, key=lambda run: run.wall)
    rows = pq.ParquetFile(out).metadata.num_rows
    print(
        f"{says:<58} {rows:>11,} rows  {best.wall:6.2f} s  {best.cpu:6.2f} s of processors  "
        f"{max(run.peak_mb for run in runs):6.0f} MB  file {out.stat().st_size / 1e6:6.1f} MB",
        flush=True,
    )


def spine_growth(repeat: int) -> None:
    """Print how the spines grow with the number of states: time a dyad-year, a dyad-month."""
    import numpy as np

    from foedus.panels.fine_units import fine_rows
    from foedus.panels.system import StateSystem, first_day
    from foedus.panels.units import get_unit

    bounds = first_day(np.array([1816, 2011]))
    for n in STATES:
        system = StateSystem(
            ccodes=np.arange(2, 2 + n, dtype=np.int32),
            first_year=1816,
            last_year=2010,
            spell_state=np.arange(n),
            spell_start=np.full(n, bounds[0]),
            spell_end=np.full(n, bounds[1] - 1),
        )
        for unit, years in (("directed-dyad-year", (1816, 2010)), ("dyad-month", (1961, 2010))):
            took = []
            for _ in range(repeat):
                for made in ("member", "whole_year", "together"):  # what a build has cached
                    vars(system).pop(made, None)
                began = time.process_time()
                chosen = get_unit(unit)
                spine = chosen.build(None, system, years)  # type: ignore[arg-type]
                rows = fine_rows(spine, unit).n_rows if chosen.parent else spine.n_rows
                took.append(time.process_time() - began)
            print(
                f"spine of {unit} {years[0]}-{years[1]}, {n} states".ljust(58)
                + f" {rows:>11,} rows  {min(took):6.3f} s  {1e9 * min(took) / rows:6.1f} ns a row",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path("results"))
    parser.add_argument("--quick", action="store_true", help="Only the yearly panel.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "panel.parquet"

        def panel(says: str, *arguments: str, repeat: int = options.repeat) -> None:
            measure(says, list(arguments), out, options.data, repeat)

        one_run(  # ingests what is missing
            ["directed-dyad-year", "--years", "1816", "1820", "--covariates", COVARIATES,
             "--out", str(out)], options.data,
        )  # fmt: skip
        for first, last in YEARS:
            panel(
                f"directed-dyad-year {first}-{last}, twelve covariates", "directed-dyad-year",
                "--years", str(first), str(last), "--covariates", COVARIATES,
            )  # fmt: skip
        if options.quick:
            return
        panel(
            "directed-dyad-year 1816-2010, every covariate", "directed-dyad-year", "--years",
            "1816", "2010", "--covariates", "all", repeat=1,
        )  # fmt: skip
        for first, last in YEARS:
            panel(
                f"directed-dyad-month {first}-{last}, ten covariates", "directed-dyad-month",
                "--years", str(first), str(last), "--covariates", MONTHLY, repeat=1,
            )  # fmt: skip
        panel(
            "dyad-day 2007, pacts and wars", "dyad-day", "--years", "2007", "2007",
            "--covariates", "atop,war,major", repeat=1,
        )  # fmt: skip
        panel(
            "allied-dyad-year 1815-2018", "allied-dyad-year", "--years", "1815", "2018",
            "--covariates", "atop",
        )  # fmt: skip
        panel(
            "war-joiner-month 1816-2007", "war-joiner-month", "--years", "1816", "2007",
            "--covariates", "war_joining,war_clock,nmc,polity,major",
        )  # fmt: skip
        panel(
            "k-ad-year 1816-2010, triads, 200 controls a year", "k-ad-year", "--years", "1816",
            "2010", "--covariates", "nmc,polity,major,capital_distance", "--controls", "200",
        )  # fmt: skip
    spine_growth(options.repeat)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak of the spines: {peak:.0f} MB")


if __name__ == "__main__":
    main()
