"""`foedus panel`: a panel with covariates, and its codebook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from foedus.cli.settings import Command, Settings
from foedus.cli.text import plural
from foedus.errors import UsageError


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
@click.option(
    "--system",
    type=click.Choice(["cow", "gw"]),
    default="cow",
    show_default=True,
    help="Whose list says which states exist: COW's, or Gleditsch and Ward's.",
)
@click.option(
    "--where",
    metavar="EXPR",
    help="Keep the rows where this is known to be true of the columns asked for, such as "
    '"year >= 1946 and (contiguous == 1 or not major1)"; missing(column) and known(column) ask '
    "whether a value is there.",
)
@click.option("--k", type=int, help="k-ad-year: states in a set [3].")
@click.option("--events", metavar="KIND", help="k-ad-year: any alliance, or defense, offense, ...")
@click.option("--controls", type=int, help="k-ad-year: non-events drawn from each year [100].")
@click.option("--seed", type=int, help="k-ad-year: seed of the draws [1].")
@click.option(
    "--aggregates",
    metavar="NAME,...",
    help="k-ad-year: min, max, mean, sum or share over a set's members and pairs.",
)
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
    /,
    unit: str,
    years: tuple[int, int],
    covariates: str,
    where: str | None,
    up: str | None,
    system: str,
    out: Path,
    **sets: Any,
) -> None:
    """Build a panel of UNIT with covariates, and FILE's codebook beside it."""
    from foedus.covariates.export import ending_of, write_panel, write_stream

    ending_of(out)
    asked: Sequence[str] | str = [name.strip() for name in covariates.split(",") if name.strip()]
    if asked == ["all"]:
        asked = "all"
    options = _set_options(unit, sets)
    with settings.working(f"building {unit} {years[0]}-{years[1]}"):
        if unit == "k-ad-year":
            from foedus.covariates.assemble import build_panel

            panel = build_panel(settings.tables(), unit, years, asked, where, up, options, system)
            written, columns, n_rows = write_panel(panel, out), list(panel.columns), panel.n_rows
        else:
            from foedus.covariates.stream import PanelStream

            stream = PanelStream(settings.tables(), unit, years, asked, where, up, system)
            (written, columns), n_rows = write_stream(stream, out), stream.n_rows
    shown = {
        "unit": unit,
        "years": list(years),
        "rows": n_rows,
        "columns": columns,
        "files": written,
    }
    settings.done(
        shown,
        f"{out}: {plural(n_rows, 'row')}, {plural(len(columns), 'column')}\n"
        + "\n".join(str(path) for path in written[1:]),
    )


def _set_options(unit: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of k-ad-year that were given; no other unit has them (UsageError)."""
    chosen = {name: value for name, value in given.items() if value is not None}
    if chosen and unit != "k-ad-year":
        raise UsageError(f"--{', --'.join(sorted(chosen))}: only k-ad-year takes such options.")
    if "aggregates" in chosen:
        chosen["aggregates"] = [name.strip() for name in chosen["aggregates"].split(",")]
    return chosen
