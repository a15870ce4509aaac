"""A panel's codebook: for each column its definition, unit, source, coverage and distribution."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.assemble import ColumnNote, Panel
from foedus.covariates.values import is_missing

_HEAD = (
    "column", "definition", "unit", "from", "years", "citation", "missing", "mean", "least",
    "greatest",
)  # fmt: skip


@dataclass(frozen=True)
class Distribution:
    """How a column's known values are distributed; None where there are none."""

    share_missing: float
    mean: float | None
    least: float | None
    greatest: float | None


def distribution(values: NDArray[Any]) -> Distribution:
    """Return the distribution of a numeric column; text has only a share missing."""
    if values.dtype.kind not in "fi":
        return Distribution(0.0, None, None, None)
    gone = is_missing(values)
    known = values[~gone]
    share = float(gone.mean()) if len(values) else 0.0
    if len(known) == 0:
        return Distribution(share, None, None, None)
    return Distribution(
        share, float(known.mean(dtype=np.float64)), float(known.min()), float(known.max())
    )


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _row(name: str, values: NDArray[Any], note: ColumnNote | None) -> list[str]:
    spread = distribution(values)
    numbers = [
        f"{100 * spread.share_missing:.2f} %",
        _shown(spread.mean),
        _shown(spread.least),
        _shown(spread.greatest),
    ]
    if note is None:
        return [name, "Key of the unit.", "", "", "", "", *numbers]
    said = note.as_metadata()
    origin = said["sources"] + (f" ({said['options']})" if said["options"] else "")
    told = [said[key] for key in ("definition", "unit")]
    return [name, *told, origin, said["coverage"], said["citations"], *numbers]


def codebook_rows(panel: Panel) -> list[list[str]]:
    """Return the cells of the codebook's table, one row a column of the panel."""
    return [_row(name, values, panel.notes.get(name)) for name, values in panel.columns.items()]


def _lead(panel: Panel) -> str:
    filtered = f", rows where {panel.provenance['where']}" if panel.provenance["where"] else ""
    return (
        f"{panel.unit}, {panel.years[0]}-{panel.years[1]}{filtered}: {panel.n_rows} rows, "
        f"{len(panel.columns)} columns. Missing is empty, never 0; outside a source's years a "
        "column is missing."
    )


def _source_lines(panel: Panel) -> list[str]:
    lines = []
    for name, facts in sorted(panel.provenance["sources"].items()):
        files = "; ".join(f"{item['name']} ({item['sha256'][:12]})" for item in facts["files"])
        lines.append(f"{name} {facts['version']}, {facts['edition']}: {files}")
    return lines


def codebook_markdown(panel: Panel, title: str, rows: Sequence[Sequence[str]]) -> str:
    """Return the codebook as Markdown."""
    lines = [f"# Codebook of {title}", "", _lead(panel), ""]
    lines += ["| " + " | ".join(_HEAD) + " |", "|" + " --- |" * len(_HEAD)]
    for row in rows:
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    lines += ["", "## Sources", ""]
    lines += [f"- {line}" for line in _source_lines(panel)]
    return "\n".join(lines) + "\n"


_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;
color-scheme:light dark}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem}
th,td{border-bottom:1px solid #8885;padding:.35rem .6rem;text-align:left;vertical-align:top}
td:first-child{font-family:ui-monospace,monospace;white-space:nowrap}
td:nth-child(n+7){text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
""".strip()


def codebook_html(panel: Panel, title: str, rows: Sequence[Sequence[str]]) -> str:
    """Return the codebook as one HTML page that needs nothing else."""
    head = "".join(f"<th scope=col>{name}</th>" for name in _HEAD)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    sources = "".join(f"<li>{html.escape(line)}</li>" for line in _source_lines(panel))
    name = html.escape(title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Codebook of {name}'
        '</title><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>Codebook of {name}</h1>"
        f"<p>{html.escape(_lead(panel))}</p>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>'
        f"</div><h2>Sources</h2><ul>{sources}</ul></body></html>\n"
    )
