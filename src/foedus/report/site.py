"""The site: plain HTML that opens from disk, figures inlined so that they follow the theme."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

import foedus
from foedus.report.draw import style
from foedus.report.inputs import Inputs
from foedus.report.shown import View
from foedus.report.views import Views
from foedus.store import write_text

TEMPLATES = Path(__file__).parent / "templates"

_COLOURS = {
    style.INK: "ink", style.MUTED: "muted", style.GRID: "grid", style.PAPER: "paper",
    style.SHADE: "shade", style.BLUE: "blue", style.RED: "red", style.GREEN: "green",
    style.PURPLE: "purple", style.ORANGE: "orange", style.SKY: "sky",
}  # fmt: skip
_ID = re.compile(r'\bid="([^"]+)"')
_LINK = re.compile(r'(xlink:href="#|url\(#)([^")]+)')
_STYLE_BLOCK = re.compile(r"<style\b.*?</style>", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_SIZE = re.compile(r'(<svg\b[^>]*?)\s(?:width|height)="[^"]*"')

DOWNLOADS = ("estimates.csv", "comparison.csv", "provenance.json", "ro-crate-metadata.json")


def inline_svg(text: str, name: str, alt: str) -> Markup:
    """Make an SVG file fit to stand inside a page.

    Ids get the figure's name (ids of a page are unique), colours become the page's variables with
    the printed colour to fall back on, and the picture gets words for those who can't see it.
    """
    start = text.index("<svg")
    body = _METADATA.sub("", _STYLE_BLOCK.sub("", text[start:])).strip()
    body = _SIZE.sub(r"\1", _SIZE.sub(r"\1", body, count=1), count=1)
    body = _ID.sub(lambda found: f'id="{name}-{found[1]}"', body)
    body = _LINK.sub(lambda found: f"{found[1]}{name}-{found[2]}", body)
    for colour, variable in _COLOURS.items():
        body = re.sub(re.escape(colour), f"var(--fig-{variable},{colour})", body, flags=re.I)
    return Markup(body.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1))


def build_site(inputs: Inputs, views: Views, folder: Path, figures: Path, pdf: bool) -> list[Path]:
    """Write every page into `folder`; figures are read from `figures`."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        front=views.front,
        claims=views.claims,
        data=views.data,
        method=views.method,
        version=foedus.__version__,
        css=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        js=Markup((TEMPLATES / "theme.js").read_text(encoding="utf-8")),
        svg=_svg_reader(figures),
        pdf=pdf,
        downloads=[name for name in DOWNLOADS if (inputs.project.data / name).is_file()],
        references=references(inputs),
    )
    pages: list[tuple[str, str, dict[str, Any]]] = [
        ("index.html", "index", {}),
        ("data.html", "data", {}),
        ("method.html", "method", {}),
        ("references.html", "references", {}),
    ]
    pages += [(f"claim-{one['id']}.html", "claim", {"claim": one}) for one in views.claims]
    for one in views.studies:
        shown = {**one, "raw": _raw_files(inputs.project.data, one["id"])}
        pages.append((f"study-{one['id']}.html", "study", {"study": shown}))
    paths = []
    for page, template, context in pages:
        text = environment.get_template(f"{template}.html.j2").render(page=page, **context)
        write_text(folder / page, text.strip() + "\n")
        paths.append(folder / page)
    return paths


def _svg_reader(figures: Path) -> Callable[[View], Markup]:
    def read(figure: View) -> Markup:
        text = (figures / f"{figure['name']}.svg").read_text(encoding="utf-8")
        return inline_svg(text, figure["name"], figure["alt"])

    return read


def _raw_files(data: Path, study: str) -> list[str]:
    """Return the result files of a study that are there, relative to the results folder."""
    names = (
        f"estimates/{study}.parquet", f"comparison/{study}.parquet", f"studies/{study}.json",
        f"curves/{study}.parquet",
    )  # fmt: skip
    return [name for name in names if (data / name).is_file()]


def references(inputs: Inputs) -> list[dict[str, str]]:
    """Return the works behind the claims met, the studies and the sources, sorted by author."""
    keys: set[str] = set()
    for claim in inputs.claims_met:
        keys.update(claim.argued_by, claim.tested_by, claim.contested_by)
    for study in inputs.studies:
        keys.update(study.cite)
    for facts in inputs.facts.values():
        keys.update(facts.citation)
    works = [(key, inputs.works[key]) for key in sorted(keys) if key in inputs.works]
    works.sort(key=lambda pair: (pair[1].author.lower(), pair[1].year, pair[1].title))
    return [{"key": key, "text": work.text(), "bibtex": work.bibtex(key)} for key, work in works]
