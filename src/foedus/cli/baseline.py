"""`foedus baseline`: keep the present estimates as the reviewed ones that CI compares with."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import click

from foedus.cli.settings import Command, Settings
from foedus.errors import MissingDataError

KEPT = ("estimates.csv", "comparison.csv", "provenance.json")


@click.command("baseline", cls=Command)
@click.pass_obj
def command(settings: Settings) -> None:
    """Keep estimates, comparison and provenance in results/baseline/ of the project.

    Of the two tables, the columns that `foedus diff` reads are kept. Look at
    `foedus diff results/baseline results` first: what is copied counts as reviewed.
    """
    project = settings.project()
    home = project.root / "results" / "baseline"
    for name in KEPT:
        made = project.data / name
        if not made.is_file():
            raise MissingDataError(f"{made}: not there. Run `make report` first.")
        keep(made, home / name)
    settings.done({"baseline": home}, f"{home}: {', '.join(KEPT)}")


def keep(made: Path, place: Path) -> None:
    """Copy a result file; of a table, the columns that a comparison reads."""
    from foedus.store import atomic, write_text
    from foedus.studies.diff import COMPARED

    if made.name not in COMPARED:
        with atomic(place) as temporary:
            shutil.copyfile(made, temporary)
        return
    with made.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    kept = io.StringIO()
    columns = dict.fromkeys(COMPARED[made.name])
    writer = csv.DictWriter(kept, list(columns), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(place, kept.getvalue())
