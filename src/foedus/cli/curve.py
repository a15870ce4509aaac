"""`foedus curve`: the specification curve of a study."""

from __future__ import annotations

import click

from foedus.cli.settings import Command, Settings
from foedus.cli.text import plural


@click.command("curve", cls=Command)
@click.argument("study_id", metavar="ID")
@click.option(
    "--max", "most", type=click.IntRange(min=1), metavar="N", help="At most N specifications."
)
@click.pass_obj
def command(settings: Settings, study_id: str, most: int | None) -> None:
    """Estimate a study under every combination of its choices, or a fixed sample of them."""
    from foedus.sources.tables import Tables
    from foedus.studies.curve import run_curve
    from foedus.studies.registry import get_study

    project = settings.project()
    study = get_study(project, study_id)
    limit = most or project.curve_length
    with settings.working(f"specification curve of {study.id}"):
        table = run_curve(project, Tables(project), study.id, limit)
    rows = table.num_rows
    settings.done(
        {"id": study.id, "rows": rows, "columns": table.column_names},
        f"{study.id}: {plural(rows, 'estimate')} along the specification curve",
    )
