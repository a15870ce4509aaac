"""`foedus baseline`: keep the present estimates as the reviewed ones that CI compares with."""

from __future__ import annotations

import shutil

import click

from foedus.cli.settings import Command, Settings
from foedus.errors import MissingDataError

KEPT = ("estimates.csv", "comparison.csv", "provenance.json")


@click.command("baseline", cls=Command)
@click.pass_obj
def command(settings: Settings) -> None:
    """Copy estimates, comparison and provenance into results/baseline/ of the project.

    Look at `foedus diff results/baseline results` first: what is copied counts as reviewed.
    """
    from foedus.store import atomic

    project = settings.project()
    home = project.root / "results" / "baseline"
    for name in KEPT:
        made = project.data / name
        if not made.is_file():
            raise MissingDataError(f"{made}: not there. Run `make report` first.")
        with atomic(home / name) as temporary:
            shutil.copyfile(made, temporary)
    settings.done({"baseline": home}, f"{home}: {', '.join(KEPT)}")
