"""`foedus world`: promised, not built yet; it says so."""

from __future__ import annotations

from pathlib import Path

import click

from foedus.cli.settings import Command
from foedus.errors import UsageError

NOT_YET = "the simulated world is not built yet; it comes in a later version of foedus."


@click.command("world", cls=Command)
@click.option("--seed", type=int, required=True, metavar="S", help="Seed of the random draws.")
@click.option("--states", type=click.IntRange(min=3), metavar="N", help="Number of states.")
@click.option("--years", nargs=2, type=int, metavar="A B", help="First and last year.")
@click.option("--scale", type=click.FloatRange(min=0), metavar="K", help="Size of the world.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder to write the source files and truth.json into.",
)
def command(**_options: object) -> None:
    """Draw a simulated international system as source files (not built yet)."""
    raise UsageError(f"{NOT_YET} Use real data: `foedus doctor` says which are found.")
