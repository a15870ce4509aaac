"""`foedus fetch`: source files from their official addresses into data/raw/."""

from __future__ import annotations

import dataclasses

import click

from foedus.cli.settings import Command, Settings
from foedus.errors import UsageError


@click.command("fetch", cls=Command)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.pass_obj
def command(settings: Settings, ids: tuple[str, ...]) -> None:
    """Download source files from the official addresses into data/raw/.

    Without an ID: every source whose file isn't found yet. Broken downloads are resumed, zips are
    opened, and a file is kept only if its sha256 is the pinned one.
    """
    from foedus.sources.fetch import fetch

    if settings.offline:
        raise UsageError("fetch downloads and --offline forbids it; drop one of the two.")
    project = settings.project()
    with settings.working("downloading"):
        reports = fetch(project, list(ids) or None, settings.progress())
    settings.done(
        [dataclasses.asdict(one) for one in reports],
        "\n".join(f"{one.id}: {one.file}: {one.outcome}" for one in reports),
    )
