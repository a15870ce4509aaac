"""`foedus panel`: a panel with covariates, and its codebook."""

from __future__ import annotations

from pathlib import Path

import click

from foedus.cli.settings import Command, Settings
from foedus.cli.text import plural


@click.command("panel", cls=Command)
@click.argument("unit")
@click.option("--years", nargs=2, type=int, required=True, metavar="A B", help="First and last.")
@click.option(
    "--covariates",
    default="",
    metavar="NAME,...|all",
    help="Covariates by name, separated by commas, or all that the unit takes.",
)
@click.option(
    "--up",
    metavar="month|year",
    help="Aggregate a unit by month or day up to this period, as each column declares.",
)
@click.option("--where", metavar="EXPR", help="Keep the rows where this is true of the columns.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A .parquet, .csv, .csv.gz or .dta file; its codebook is written beside it.",
)
@click.pass_obj
def command(
    settings: Settings,
    unit: str,
    years: tuple[int, int],
    covariates: str,
    where: str | None,
    up: str | None,
    out: Path,
) -> None:
    """Build a panel of UNIT with covariates, and FILE's codebook beside it."""
    from foedus.covariates.export import ending_of, write_stream
    from foedus.covariates.stream import PanelStream

    ending_of(out)
    asked = [name.strip() for name in covariates.split(",") if name.strip()]
    with settings.working(f"building {unit} {years[0]}-{years[1]}"):
        stream = PanelStream(
            settings.tables(), unit, years, "all" if asked == ["all"] else asked, where, up
        )
        written, columns = write_stream(stream, out)
    shown = {
        "unit": unit,
        "years": list(years),
        "rows": stream.n_rows,
        "columns": columns,
        "files": written,
    }
    settings.done(
        shown,
        f"{out}: {plural(stream.n_rows, 'row')}, {plural(len(columns), 'column')}\n"
        + "\n".join(str(path) for path in written[1:]),
    )
