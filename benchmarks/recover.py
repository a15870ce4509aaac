"""Recovery: do the studies find what is true in 200 simulated worlds? (docs/method.md)

    python benchmarks/recover.py [--worlds 200] [--from 1] [--states 24] [--found FILE] [--out DIR]

Adds one row a world, truth and covariance to results/recovery/found.csv as it goes (worlds that
stand there aren't run again), and makes docs/recovery/recovery.csv and recovery.png of all.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import sys
import tempfile
from pathlib import Path

from foedus.cli.environment import pin_environment

pin_environment()

from foedus.config import load_project  # noqa: E402  (threads are pinned first)
from foedus.world.recovery import (  # noqa: E402
    STATES,
    Found,
    Recovered,
    chosen,
    recover,
    summarise,
)
from foedus.world.reviewed import as_texts, names_of, write_rows  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
LEADS = ("dyadic", "cluster(warnum)", "HC1", "classical")
"""Of several covariances the first of these is drawn: the one that fits how the world depends."""


def read_found(path: Path) -> list[Found]:
    """Return the rows of earlier runs."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as handle:
        return [
            Found(
                int(row["seed"]), row["study"], row["target"], row["quantity"], row["covariance"],
                float(row["truth"]), float(row["estimate"]),
                float(row["std_error"]) if row["std_error"] else None,
            )
            for row in csv.DictReader(handle)
        ]  # fmt: skip


def draw(rows: list[dict[str, str]], worlds: int, path: Path) -> None:
    """Draw bias and coverage of each truth that has a standard error."""
    from foedus.report.draw import style

    with style.rc():
        figure = style.figure(0.9 + 0.17 * len(rows), 7.2)
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.4, 1])
        names = [
            f"{row['study'].rsplit('_', 1)[0].replace('_', ' ')}: {row['target'].split('.', 2)[2]}"
            + ("" if row["target"].startswith("models") else f" ({row['target'].split('.')[1]})")
            for row in rows
        ]
        places = list(range(len(rows)))
        style.rows_axis(left, names, size=6.5)
        for place, row in zip(places, rows, strict=True):
            sd = float(row["sd"]) or 1.0
            off, error = float(row["bias"]) / sd, float(row["bias_error"]) / sd
            left.plot([off - 1.96 * error, off + 1.96 * error], [place] * 2, color=style.INK, lw=1)
            left.plot([off], [place], "o", color=style.INK, ms=3.5)
            right.plot([100 * float(row["coverage"])], [place], "o", color=style.INK, ms=3.5)
        style.zero_line(left)
        left.set_xlim(-1, 1)
        left.set_xlabel("bias, in standard deviations of the estimate\n(95 % Monte Carlo interval)")
        band = 196 * (0.95 * 0.05 / worlds) ** 0.5
        right.axvspan(95 - band, 95 + band, color=style.SHADE, zorder=0)
        right.axvline(95, color=style.INK, lw=0.8)
        right.set_xlim(70, 100)
        right.tick_params(axis="y", length=0)
        right.grid(axis="x")
        right.set_xlabel(f"coverage of the 95 % interval, percent\n(grey: 95 % of {worlds} worlds)")
        figure.savefig(path, dpi=160, metadata={"Software": None})


def markdown(rows: list[dict[str, str]]) -> str:
    """Return the table of docs/reliability.md."""
    lines = [
        "| study | what | covariance | truth | bias (Monte Carlo error) | SD | mean SE | "
        "coverage, % | power, % |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        power = f"{100 * float(row['power']):.0f}" if row["power"] else ""
        lines.append(
            f"| {row['study']} | `{row['target']}` | {row['covariance']} | {row['truth']} | "
            f"{row['bias']} ({row['bias_error']}) | {row['sd']} | {row['mean_se']} | "
            f"{100 * float(row['coverage']):.0f} | {power} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--from", dest="first", type=int, default=1, help="first seed")
    parser.add_argument("--states", type=int, default=STATES)
    found_by_default = ROOT / "results" / "recovery" / "found.csv"
    parser.add_argument("--found", type=Path, default=found_by_default)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "recovery")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    raw = asked.found
    raw.parent.mkdir(parents=True, exist_ok=True)
    found = read_found(raw)
    done = {row.seed for row in found}
    seeds = [seed for seed in range(asked.first, asked.first + asked.worlds) if seed not in done]
    names = names_of(Found)
    with tempfile.TemporaryDirectory() as folder:
        project = load_project(root=ROOT, data=Path(folder))
        for seed in seeds:
            found += list(recover(project, [seed], states=asked.states))
            write_rows(raw, names, [dataclasses.asdict(row) for row in found])
            print(f"world {seed}", file=sys.stderr, flush=True)
    rows = [as_texts(one) for one in summarise(found)]
    write_rows(asked.out / "recovery.csv", names_of(Recovered), rows)
    leads = chosen(rows, LEADS)
    draw(leads, len({row.seed for row in found}), asked.out / "recovery.png")
    print(markdown(leads))


if __name__ == "__main__":
    main()
