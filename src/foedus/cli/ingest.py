"""`foedus ingest`: raw files to checked tables."""

from __future__ import annotations

import dataclasses

import click

from foedus.cli.settings import Command, Settings
from foedus.cli.text import plural


@click.command("ingest", cls=Command)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--force", is_flag=True, help="Read again even what is up to date.")
@click.pass_obj
def command(settings: Settings, ids: tuple[str, ...], force: bool) -> None:
    """Read raw files, check them against their schema, and write tables/<ID>/<table>.parquet.

    Without an ID: every source whose files are found. A file that breaks a rule stops with its
    row, column and value, and nothing of that source is written.
    """
    from foedus.sources.ingest import ingest

    with settings.working("reading source files"):
        reports = ingest(settings.project(), list(ids) or None, settings.progress(), force)
    for report in reports:
        for note in report.notes:
            settings.say(f"{report.id}: {note}")
    lines = [
        f"{one.id} {one.version}: "
        + ", ".join(f"{name} {plural(rows, 'row')}" for name, rows in one.rows.items())
        + ("" if one.fresh else " (up to date)")
        for one in reports
    ]
    settings.done([dataclasses.asdict(one) for one in reports], "\n".join(lines))
