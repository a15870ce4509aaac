"""What simulated worlds have said about the studies' estimators, from the stored results."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foedus.report.draw.recovery import Recovered

LEADS = ("dyadic", "cluster(warnum)", "HC1", "classical")
"""Of several covariances the first of these is shown: how the world's rows depend on each other."""
FILE = Path("docs") / "recovery" / "recovery.csv"


def recovery_rows(root: Path) -> list[dict[str, Any]]:
    """Return one row a truth that has a standard error, from docs/recovery/recovery.csv.

    Empty in a project that has no such file.
    """
    path = root / FILE
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["coverage"]]
    held: dict[tuple[str, str], Mapping[str, str]] = {}
    for row in rows:
        key = (row["study"], row["target"])
        if key not in held or _rank(row) < _rank(held[key]):
            held[key] = row
    return [_shown(row) for row in held.values()]


def _rank(row: Mapping[str, str]) -> int:
    name = row["covariance"]
    return LEADS.index(name) if name in LEADS else len(LEADS)


def _shown(row: Mapping[str, str]) -> dict[str, Any]:
    _, block, term = row["target"].split(".", 2)
    share = {
        name: f"{100 * float(row[name]):.0f}" if row[name] else "" for name in ("coverage", "power")
    }
    return {
        "study": row["study"],
        "term": term,
        "block": block,
        "covariance": row["covariance"],
        "worlds": row["worlds"],
        **{name: row[name] for name in ("truth", "bias", "bias_error", "sd", "mean_se")},
        **share,
    }


STUDIES = Path("docs") / "recovery" / "studies.csv"
PERCENT_SHOWN = ("coverage", "shared", "widest")
PERCENT = ("coverage", "declared", "shared", "widest", "power")


def study_recovery(root: Path) -> list[dict[str, str]]:
    """Return one row a default study that runs in a world, from docs/recovery/studies.csv.

    Numbers are shown: shares in percent, the largest bias at two decimals. Empty in a project that
    has no such file.
    """
    path = root / STUDIES
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as handle:
        return [_line(row) for row in csv.DictReader(handle)]


def recovered(path: Path) -> tuple[list[Recovered], int]:
    """Return the studies that the figure of planted outcomes shows, and how many worlds were run.

    Parameters
    ----------
    path : Path
        studies.csv; without it there are none.
    """
    if not path.is_file():
        return [], 0
    with path.open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["biases"]]
    shown = [
        Recovered(
            row["study"].replace("_", " "),
            tuple((float(one.rstrip("!")), not one.endswith("!")) for one in row["biases"].split()),
            *(100 * float(row[name]) if row[name] else None for name in PERCENT_SHOWN),
        )
        for row in rows
    ]
    blocks = [int(row["asked"]) // (row["what"].count(";") + 1) for row in rows]
    return shown, max(blocks, default=0)


def _line(row: Mapping[str, str]) -> dict[str, str]:
    shares = {name: f"{100 * float(row[name]):.0f}" if row[name] else "" for name in PERCENT}
    off = f"{float(row['off']):.2f}" if row["off"] else ""
    return {**row, **shares, "off": off}
