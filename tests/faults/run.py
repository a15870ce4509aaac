"""Kill every step at many moments and write what came of it to docs/reliability/kills.csv.

Run from the working copy: python -m tests.faults.run [--points 12] [--raw ../shared/sources]
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

from foedus.store import write_csv
from tests.faults.kills import Outcome, strike_all

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "docs" / "reliability" / "kills.csv"
HEADER = ("step", "kills", "struck while running", "runs that differ afterwards", "files differing")


def table(outcomes: list[Outcome]) -> list[tuple[str, int, int, int, str]]:
    """Return one row a step: how often it was killed and how often that made a difference."""
    by_step: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_step[outcome.step].append(outcome)
    return [
        (
            step,
            len(found),
            sum(one.struck for one in found),
            sum(bool(one.differing) for one in found),
            " ".join(sorted({name for one in found for name in one.differing})),
        )
        for step, found in by_step.items()
    ]


def main() -> int:
    """Strike, write the table, and return 1 if any kill made a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=12, help="moments a step")
    parser.add_argument("--raw", type=Path, default=ROOT / ".." / "shared" / "sources")
    options = parser.parse_args()
    outcomes = []
    with tempfile.TemporaryDirectory() as scratch:
        for outcome in strike_all(ROOT, options.raw.resolve(), Path(scratch), options.points):
            outcomes.append(outcome)
            write_csv(OUT, HEADER, table(outcomes))  # each time: a run that is broken off counts
            print(f"{outcome.step}: killed after {outcome.after:.2f} s: "
                  f"{'differs' if outcome.differing else 'same bytes'}", flush=True)  # fmt: skip
    print(OUT)
    return int(any(outcome.differing for outcome in outcomes))


if __name__ == "__main__":
    raise SystemExit(main())
