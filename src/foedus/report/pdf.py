"""The PDF: the same views, typeset by Typst from a template that reads them as JSON.

Texts reach the template as JSON strings, never as markup, so no character of a source, a study or
a user's notes can change the layout. Only fonts inside the Typst wheel are used.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import foedus
from foedus.errors import InputError
from foedus.report.inputs import Inputs
from foedus.report.site import TEMPLATES, references
from foedus.report.views import Views, tree_json
from foedus.store import dump_json, write_bytes


def build_pdf(inputs: Inputs, views: Views, path: Path, figures: Path) -> Path:
    """Typeset the report into `path`.

    Raises
    ------
    InputError
        If Typst can't typeset it, with its own words.
    """
    import typst

    content: dict[str, Any] = {
        "front": views.front,
        "claims": views.claims,
        "studies": [tree_json(study) for study in views.studies],
        "data": views.data,
        "method": views.method,
        "references": references(inputs),
        "version": foedus.__version__,
    }
    with tempfile.TemporaryDirectory(prefix="foedus-report-") as name:
        root = Path(name)
        shutil.copyfile(TEMPLATES / "report.typ", root / "report.typ")
        (root / "data.json").write_text(dump_json(content), encoding="utf-8")
        (root / "figures").mkdir()
        for figure in _figures_of(content):
            shutil.copyfile(figures / f"{figure}.svg", root / "figures" / f"{figure}.svg")
        try:
            made = typst.compile(
                str(root / "report.typ"), root=name, format="pdf", ignore_system_fonts=True,
                font_paths=[],
            )  # fmt: skip
        except typst.TypstError as error:
            raise InputError(f"report.pdf: Typst can't typeset it: {error}") from error
    write_bytes(path, bytes(made))
    return path


def _figures_of(content: dict[str, Any]) -> list[str]:
    """Return the names of all figures that the template shows."""
    shown = [content["front"]["overview"], content["data"]["coverage"]]
    for claim in content["claims"]:
        shown += [claim["forest"], *claim["group_figures"]]
        shown += claim["apart"]["figures"] if claim["apart"] else []
    for study in content["studies"]:
        shown.extend(one for listed in study["figures"].values() for one in listed)
    return sorted({figure["name"] for figure in shown if figure})
