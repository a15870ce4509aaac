"""`foedus collect`: all studies' numbers in one table each, with their provenance."""

from __future__ import annotations

import click

from foedus.cli.settings import Command, Settings


@click.command("collect", cls=Command)
@click.pass_obj
def command(settings: Settings) -> None:
    """Write estimates, comparison and provenance from what the studies have made."""
    from foedus.lineage import plan
    from foedus.studies.collect import collect

    project = settings.project()
    collect(project, plan(str(project.data), project.root).left_out)
    names = ("estimates.csv", "comparison.csv", "provenance.json")
    written = [project.data / name for name in names]
    settings.done({"files": written}, "\n".join(str(path) for path in written))
