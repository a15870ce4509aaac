"""`foedus world`: a simulated international system as source files, with its truth."""

from __future__ import annotations

from pathlib import Path

import click

from foedus.cli.settings import Command, Settings


@click.command("world", cls=Command)
@click.option("--seed", type=int, required=True, metavar="S", help="Seed of the random draws.")
@click.option(
    "--states",
    type=click.IntRange(min=12),
    metavar="N",
    help="States that ever exist, 12 to 700 [60].",
)
@click.option("--years", nargs=2, type=int, metavar="A B", help="First and last year [1816 2016].")
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    metavar="K",
    help="K times as many dyad-years, by more states.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder to write the source files and truth.json into.",
)
@click.pass_obj
def command(
    settings: Settings,
    seed: int,
    states: int | None,
    years: tuple[int, int] | None,
    scale: float | None,
    out: Path,
) -> None:
    """Draw a simulated international system and write it as the official source files.

    The same seed and size give the same bytes on any machine. Every coefficient stands in
    truth.json. Name the folder with --raw (or put it into FOEDUS_RAW) to run on it; all that is
    made from it says SIMULATED.
    """
    from foedus.world.build import make
    from foedus.world.settings import make_settings

    wanted = make_settings(seed, states, years, scale)
    with settings.working("drawing a world"):
        told = make(wanted, out.resolve())
    counts = told["counts"]
    settings.done(
        {name: told[name] for name in ("seed", "states", "years", "counts")} | {"out": str(out)},
        f"a SIMULATED world of {told['states']} states, {wanted.first_year}-{wanted.last_year}, "
        f"from seed {seed}: {counts['directed_dyad_years']} directed dyad-years, "
        f"{counts['alliances']} alliances, {counts['disputes']} disputes, {counts['wars']} wars; "
        f"{len(told['files'])} source files and truth.json in {out}",
    )
