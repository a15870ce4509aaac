"""Build the report of a project: figures, tables, site, PDF; the same bytes each time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from foedus.config import Project
from foedus.report.evidence import evidence_of
from foedus.report.figures import draw_figures
from foedus.report.inputs import read_inputs
from foedus.report.manifest import NAME, replace_manifest
from foedus.report.notes import notes_tree
from foedus.report.pdf import build_pdf
from foedus.report.site import build_site
from foedus.report.synthesis import synthesise
from foedus.report.tables import write_tables
from foedus.report.views import build_views

Progress = Callable[[str], None]


def build_report(project: Project, progress: Progress | None = None) -> list[Path]:
    """Make figures/, tables/, report/index.html with its pages, and report/report.pdf.

    Reads result files and config only; estimates nothing. Files that an earlier report made and
    this one doesn't are removed.

    Parameters
    ----------
    project : Project
        `project.data` holds the results and receives the report.
    progress : callable, optional
        Told in a few words what is being made.

    Returns
    -------
    list of Path
        Every file made, sorted.

    Raises
    ------
    MissingDataError
        If nothing has been estimated yet.
    InputError
        If a result file, a study's notes or a claim breaks a rule.
    """
    say = progress or (lambda text: None)
    say("reading results")
    inputs = read_inputs(project)
    for study in inputs.studies:
        notes_tree(study)  # a wrong placeholder stops here, before anything is drawn
    syntheses = {claim: synthesise(evidence_of(inputs, claim)) for claim in inputs.claims}
    figures = draw_figures(inputs, syntheses, project.data / "figures", say)
    say("views")
    views = build_views(inputs, syntheses, figures)
    paths = [*figures.paths]
    folder, pdf = project.data / "report", project.config.report.pdf
    # Typst works outside Python's lock: with a second core, beside tables and site.
    with ThreadPoolExecutor(1) as beside:
        typeset = partial(build_pdf, inputs, views, folder / "report.pdf", project.data / "figures")
        begun = beside.submit(typeset) if pdf and project.jobs > 1 else None
        say("tables and site")
        paths += write_tables(views.tables, project.data / "tables", inputs.simulated)
        paths += build_site(inputs, views, folder, project.data / "figures", pdf)
        if pdf:
            say("PDF")
            paths.append(begun.result() if begun else typeset())
    replace_manifest(project.data, paths)
    return sorted([*paths, project.data / NAME])
