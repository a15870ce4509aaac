"""`foedus diff OLD NEW`: what moved between two results folders."""

from __future__ import annotations

from pathlib import Path

import click

from foedus.cli.settings import Command, Settings

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("diff", cls=Command)
@click.argument("old", type=FOLDER)
@click.argument("new", type=FOLDER)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
@click.pass_obj
def command(settings: Settings, old: Path, new: Path, shape: str) -> int:
    """Say which estimates, verdicts, row counts and source versions moved, and by how much.

    Exit 1 if any verdict changed.
    """
    from foedus.studies.diff import diff_results

    moved = diff_results(old, new)
    chosen = "json" if settings.json else shape
    written = {"text": moved.text, "markdown": moved.markdown, "json": moved.json}[chosen]()
    click.echo(written if isinstance(written, str) else str(written))
    return 1 if moved.verdicts_changed else 0
