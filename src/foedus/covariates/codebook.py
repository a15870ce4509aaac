"""A panel's codebook: for each column its definition, unit, source, coverage and distribution."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foedus.covariates.assemble import ColumnNote, Panel, is_simulated
from foedus.covariates.distribution import (
    Distribution,
    distribution_of,
    tabulate,
    text_distribution,
)

_HEAD = (
    "column", "definition", "unit", "from", "years", "citation", "missing", "mean", "least",
    "5 %", "25 %", "median", "75 %", "95 %", "greatest", "distribution", "warnings",
)  # fmt: skip
_HTML_HEAD = (
    "column", "definition", "unit", "missing", "distribution", "mean", "least", "5 %", "25 %",
    "median", "75 %", "95 %", "greatest", "from", "years", "citation",
)  # fmt: skip
# What keys are, in codebooks and Stata's labels.
KEYS = {
    "ccode": "COW number of the state",
    "gwcode": "Gleditsch and Ward's number of the state",
    "year": "Year",
    "month": "Month, 1 to 12",
    "day": "Day of the month",
    "atopid": "ATOP's number of the alliance",
    "warnum": "COW's number of the war",
    "dispnum": "Number of the dispute",
    "conflict_id": "UCDP's number of the conflict",
    "region": "Region: 1 Americas, 2 Europe, 3 Africa, 4 Middle East, 5 Asia and Oceania",
}
_BARS = "▁▂▃▄▅▆▇█"
_MOSTLY_MISSING = 0.5


@dataclass(frozen=True)
class Codebook:
    """What a codebook says.

    Attributes
    ----------
    title, lead : str
    columns : sequence of (name, note, distribution)
        The note is None for a key.
    sources : sequence of str
        A line for each source: version, edition, files.
    """

    title: str
    lead: str
    columns: Sequence[tuple[str, ColumnNote | None, Distribution]]
    sources: Sequence[str]
    years: tuple[int, int]


def codebook(
    title: str,
    unit: str,
    years: tuple[int, int],
    columns: Sequence[tuple[str, ColumnNote | None, Distribution]],
    provenance: Mapping[str, Any],
) -> Codebook:
    """Return the codebook of a panel whose columns' distributions are known."""
    filtered = f", rows where {provenance['where']}" if provenance["where"] else ""
    n_rows = columns[0][2].n
    simulated = is_simulated(provenance)
    lead = (
        f"{'SIMULATED: made from a simulated world, not from real data. ' if simulated else ''}"
        f"{unit}, {years[0]}-{years[1]}{filtered}: {n_rows} rows, {len(columns)} columns. Missing "
        "is empty, never 0; outside a source's years a column is missing. Quantiles are values "
        "that occur; the distribution is of the known values, by value or in intervals of equal "
        "width from the least to the greatest."
    )
    return Codebook(title, lead, columns, _source_lines(provenance["sources"]), years)


def panel_codebook(panel: Panel, title: str) -> Codebook:
    """Return the codebook of a panel in memory."""
    columns = []
    for name, values in panel.columns.items():
        spread = (
            distribution_of(*tabulate(values))
            if values.dtype.kind in "fi"
            else text_distribution(len(values))
        )
        columns.append((name, panel.notes.get(name), spread))
    return codebook(title, panel.unit, panel.years, columns, panel.provenance)


def warnings_of(note: ColumnNote | None, spread: Distribution, years: tuple[int, int]) -> list[str]:
    """Return what a reader should know before using a column."""
    said = []
    if spread.n and spread.share_missing == 1:
        said.append("No value is known.")
    elif spread.share_missing > _MOSTLY_MISSING:
        said.append("More than half is missing.")
    if spread.least is not None and spread.least == spread.greatest and note is not None:
        said.append("All known values are equal.")
    if note is not None and note.coverage is not None:
        first, last = note.coverage
        if years[0] < first:
            said.append(f"Missing before {first}.")
        if years[1] > last:
            said.append(f"Missing after {last}.")
    return said


def _source_lines(sources: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, facts in sorted(sources.items()):
        files = "; ".join(f"{item['name']} ({item['sha256'][:12]})" for item in facts["files"])
        marks = [
            word
            for word, key in (("SIMULATED", "simulated"), ("UNPINNED", "accepted_unpinned"))
            if facts.get(key)
        ]
        lines.append(" ".join([f"{name} {facts['version']}, {facts['edition']}: {files}", *marks]))
    return lines


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def key_says(name: str) -> str:
    """Return what a key of a unit is: of `ccode2`, that it is state 2's."""
    bare = name.rstrip("0123456789")
    which = name[len(bare) :]
    said = KEYS.get(bare, name)
    return said.replace("the state", f"state {which}") if which else said


def _told(name: str, note: ColumnNote | None) -> list[str]:
    if note is None:
        return [name, f"Key of the unit: {key_says(name)}.", "", "", "", ""]
    said = note.as_metadata()
    origin = said["sources"] + (f" ({said['options']})" if said["options"] else "")
    definition = f"{note.definition} {note.dating}".strip()
    return [name, definition, said["unit"], origin, said["coverage"], said["citations"]]


def _numbers(spread: Distribution) -> list[str]:
    quantiles = spread.quantiles or (None,) * 5
    return [
        f"{100 * spread.share_missing:.2f} %",
        *map(_shown, (spread.mean, spread.least, *quantiles, spread.greatest)),
    ]


def _sparkline(spread: Distribution) -> str:
    """Return the histogram as a word: the taller the bar, the larger the share."""
    if not spread.histogram:
        return ""
    top = max(share for _, share in spread.histogram)
    heights = (int(share / top * (len(_BARS) - 1) + 0.5) for _, share in spread.histogram)
    return "".join(
        _BARS[height] if share else "\N{NO-BREAK SPACE}"
        for height, (_, share) in zip(heights, spread.histogram, strict=True)
    )


def how_to_cite(book: Codebook) -> str:
    """Return the command that writes the works behind all columns as BibTeX; "" without any."""
    keys = dict.fromkeys(
        key for _, note, _ in book.columns if note is not None for key in note.citations
    )
    return " ".join(["foedus cite", *keys]) if keys else ""


def codebook_markdown(book: Codebook) -> str:
    """Return the codebook as Markdown."""
    lines = [f"# Codebook of {book.title}", "", book.lead, ""]
    lines += ["| " + " | ".join(_HEAD) + " |", "|" + " --- |" * len(_HEAD)]
    for name, note, spread in book.columns:
        row = [
            *_told(name, note),
            *_numbers(spread),
            _sparkline(spread),
            " ".join(warnings_of(note, spread, book.years)),
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    lines += ["", "## Sources", ""]
    lines += [f"- {line}" for line in book.sources]
    if command := how_to_cite(book):
        lines += ["", "## Citations", "", f"As BibTeX: `{command}`"]
    return "\n".join(lines) + "\n"


_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:96rem;padding:0 1rem;
color-scheme:light dark}
.wide{overflow:auto;max-height:92vh}table{border-collapse:collapse;font-size:.8rem}
th,td{border-bottom:1px solid #8885;padding:.35rem .45rem;text-align:left;vertical-align:top}
th{position:sticky;top:0;background:Canvas;z-index:1}
td:first-child{font-family:ui-monospace,monospace;white-space:nowrap;position:sticky;left:0;
background:Canvas}
td:nth-child(2){min-width:20rem}td:nth-child(n+14){overflow-wrap:anywhere;min-width:7rem}
td:is(:nth-child(14),:nth-child(16)){min-width:24rem}
:is(th,td):nth-child(4),:is(th,td):nth-child(n+6):nth-child(-n+13){text-align:right;
font-variant-numeric:tabular-nums;white-space:nowrap}
.warning{margin:.2rem 0 0;color:light-dark(#8a3b00,#ffb784)}
svg{display:block}rect{fill:light-dark(#33608c,#8fbbe6)}
""".strip()
_BAR_WIDTH, _HEIGHT = 8, 32


def _drawn(spread: Distribution) -> str:
    """Return the histogram as a small drawing; each bar tells its value and share on hovering."""
    if not spread.histogram:
        return ""
    top = max(share for _, share in spread.histogram)
    bars = []
    for at, (label, share) in enumerate(spread.histogram):
        height = max(share / top * _HEIGHT, 1 if share else 0)
        bars.append(
            f'<rect x="{at * _BAR_WIDTH}" y="{_HEIGHT - height:.1f}" width="{_BAR_WIDTH - 1}" '
            f'height="{height:.1f}"><title>{label}: {100 * share:.3g} %</title></rect>'
        )
    width = len(spread.histogram) * _BAR_WIDTH
    says = "; ".join(f"{label}: {100 * share:.3g} %" for label, share in spread.histogram)
    return (
        f'<svg role="img" aria-label="{says}" width="{width}" height="{_HEIGHT}">'
        + "".join(bars)
        + "</svg>"
    )


def _html_row(name: str, note: ColumnNote | None, spread: Distribution, book: Codebook) -> str:
    shown, definition, unit, origin, years, citation = map(html.escape, _told(name, note))
    missing, *numbers = map(html.escape, _numbers(spread))
    warned = html.escape(" ".join(warnings_of(note, spread, book.years)))
    if note is not None and note.labels:
        definition += "<br>" + html.escape(note.as_metadata()["labels"])
    if warned:
        definition += f'<p class="warning">{warned}</p>'
    cells = [shown, definition, unit, missing, _drawn(spread), *numbers, origin, years, citation]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def codebook_html(book: Codebook) -> str:
    """Return the codebook as one HTML page that needs nothing else."""
    head = "".join(f"<th scope=col>{name}</th>" for name in _HTML_HEAD)
    body = "\n".join(_html_row(name, note, spread, book) for name, note, spread in book.columns)
    sources = "".join(f"<li>{html.escape(line)}</li>" for line in book.sources)
    name = html.escape(book.title)
    command = how_to_cite(book)
    cited = f"<h2>Citations</h2><p>As BibTeX: <code>{command}</code></p>" if command else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Codebook of {name}'
        '</title><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>Codebook of {name}</h1>"
        f"<p>{html.escape(book.lead)}</p>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>'
        f"</div><h2>Sources</h2><ul>{sources}</ul>{cited}</body></html>\n"
    )
