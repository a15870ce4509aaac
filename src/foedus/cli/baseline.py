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

    Of the two tables, the columns that `foedus diff` reads are kept, of the estimates as one file
    a study. Look at `foedus diff results/baseline results` first: what is copied counts as
    reviewed.
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
    """Copy a result file; of a table, the columns that a comparison reads.

    Estimates are some ten thousand rows: one file a study stays small, and shows in a review which
    studies moved.
    """
    from foedus.store import atomic
    from foedus.studies.diff import COMPARED, PARTED

    if made.name not in COMPARED:
        with atomic(place) as temporary:
            shutil.copyfile(made, temporary)
        return
    with made.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    columns = list(dict.fromkeys(COMPARED[made.name]))
    if made.name not in PARTED:
        _write(place, columns, rows)
        return
    place.unlink(missing_ok=True)
    folder = place.with_suffix("")
    studies = {row["study"]: folder / f"{row['study']}.csv" for row in rows}
    for study, path in studies.items():
        _write(path, columns, [row for row in rows if row["study"] == study])
    for path in set(folder.glob("*.csv")) - set(studies.values()):
        path.unlink()


def _write(place: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    from foedus.store import write_text

    kept = io.StringIO()
    writer = csv.DictWriter(kept, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(place, kept.getvalue())
