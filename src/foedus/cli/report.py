"""`foedus report`: figures, tables, site and PDF from what has been estimated."""

from __future__ import annotations

import click

from foedus.cli.settings import Command, Settings


@click.command("report", cls=Command)
@click.pass_obj
def command(settings: Settings) -> None:
    """Draw figures and write tables, site and PDF; estimates nothing."""
    from foedus.report.build import build_report

    project = settings.project()
    with settings.working("making the report"):
        build_report(project)
    index = project.data / "report" / "index.html"
    settings.done({"report": index}, str(index))
