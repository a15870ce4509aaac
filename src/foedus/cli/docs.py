"""`foedus docs`: the manual as a site, with the command reference and the codebook made anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from foedus.cli.settings import Command, Settings
from foedus.cli.text import plural


@click.command("docs", cls=Command)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of the site [results/docs/].",
)
@click.pass_obj
def command(settings: Settings, out: Path | None) -> None:
    """Build the manual: the pages of docs/, every command, every unit, covariate and source."""
    from foedus.cli.manual import pages, site
    from foedus.store import write_text

    project = settings.project()
    home = out or project.data / "docs"
    made = site(pages(project))
    for name, text in made.items():
        write_text(home / name, text)
    images = project.root / "docs" / "images"
    if images.is_dir():
        shutil.copytree(images, home / "images", dirs_exist_ok=True)
    index = home / "index.html"
    settings.done({"index": index, "pages": list(made)}, f"{index}: {plural(len(made), 'page')}")
