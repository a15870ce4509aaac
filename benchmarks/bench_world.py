"""How time and memory grow with the size of the system: world, tables, panel, one core study.

    python benchmarks/bench_world.py [--scales 1 4 16 64] [--plot FILE.png]

A scale of 64 has 24 million directed dyad-years. Each step is a process of its own; time is user
CPU time, which says the same on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STUDY = """
import sys
from pathlib import Path
from foedus.config import load_project
from foedus.sources.tables import Tables
from foedus.studies.registry import get_study
from foedus.studies.run import run_design
project = load_project(raw=[Path(sys.argv[1])], data=Path(sys.argv[2]))
tables = Tables(project)
for name in sys.argv[3:]:
    assert run_design(get_study(project, name), tables, choices=False).estimates.num_rows
"""
COVARIATES = (
    "atop,atop_third_party,capital_distance,capability_share,contiguity,major,mid,gml,"
    "min_distance,nmc,peace_years,polity,similarity,war"
)
CORE = ("johnson_leeds_2011", "leeds_long_mitchell_2000", "siverson_king_1979")


def measured(*words: str) -> tuple[float, float]:
    """Run a process; return its user CPU seconds and its peak memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    command = [sys.executable, "-c", _WATCHED, *words]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    peak = json.loads(done.stderr.splitlines()[-1])
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, peak / 1024


# A child's peak memory is only known to its own parent, so each step has a small one.
_WATCHED = """
import json, resource, subprocess, sys
subprocess.run([sys.executable, *sys.argv[1:]], check=True, stdout=subprocess.DEVNULL)
print(json.dumps(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss), file=sys.stderr)
"""


def one_size(scale: float, folder: Path) -> dict[str, float]:
    """Measure every step at one size."""
    world, data = folder / "world", folder / "data"
    steps = {
        "world": ["-m", "foedus", "world", "--seed", "1", "--scale", str(scale), "--out",
                  str(world)],
        "tables": ["-m", "foedus", "ingest", "--raw", str(world), "--data", str(data)],
        "panel": ["-m", "foedus", "panel", "directed-dyad-year", "--years", "1816", "2010",
                  "--covariates", COVARIATES, "--out", str(data / "panel.parquet"),
                  "--raw", str(world), "--data", str(data)],
        "studies": ["-c", STUDY, str(world), str(data), *CORE],
    }  # fmt: skip
    made: dict[str, float] = {"scale": scale}
    for name, words in steps.items():
        seconds, megabytes = measured(*words)
        made[f"{name}_s"], made[f"{name}_mb"] = round(seconds, 1), round(megabytes)
        print(f"scale {scale:g}: {name} {seconds:.1f} s user CPU, {megabytes:.0f} MB", flush=True)
    told = json.loads((world / "truth.json").read_text(encoding="utf-8"))
    made["rows"] = told["counts"]["directed_dyad_years"]
    print(f"scale {scale:g}: {made['rows']} directed dyad-years", flush=True)
    return made


def plot(rows: list[dict[str, float]], path: Path) -> None:
    """Draw time and memory against rows."""
    from matplotlib.ticker import LogLocator, NullFormatter

    from foedus.report.draw import style

    with style.rc():
        figure = style.figure(2.6)
        left, right = figure.subplots(1, 2)
        x = [row["rows"] / 1e6 for row in rows]
        for (colour, shape), name in zip(
            style.SERIES, ("world", "tables", "panel", "studies"), strict=False
        ):
            left.plot(x, [row[f"{name}_s"] for row in rows], color=colour, marker=shape, label=name)
            right.plot(x, [row[f"{name}_mb"] / 1024 for row in rows], color=colour, marker=shape)
        for axes, what in ((left, "user CPU, seconds"), (right, "peak memory, GB")):
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlabel("directed dyad-years, millions")
            axes.set_ylabel(what)
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axis.set_major_formatter("{x:g}")
                axis.set_minor_formatter(NullFormatter())
        left.legend()
        figure.savefig(path, dpi=160, metadata={"Software": None})


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scales", type=float, nargs="+", default=[1, 4])
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    os.environ["FOEDUS_ROOT"] = str(ROOT)
    rows = []
    for scale in asked.scales:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(one_size(scale, Path(folder)))
    if asked.plot:
        plot(rows, asked.plot)


if __name__ == "__main__":
    main()
