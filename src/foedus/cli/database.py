"""`foedus database`: everything made as views of one DuckDB file, for SQL."""

from __future__ import annotations

import click

from foedus.cli.settings import Command, Settings
from foedus.cli.text import plural


@click.command("database", cls=Command)
@click.option("--sql", metavar="QUERY", help="Also answer this query, on standard output.")
@click.pass_obj
def command(settings: Settings, sql: str | None) -> None:
    """Write foedus.duckdb: every table, panel and result as a view.

    It holds no data, and reads the files beside it by relative paths. In the results folder:
    duckdb foedus.duckdb "select * from atop.members limit 5".
    """
    from foedus.database import answer, write_database

    data = settings.project().data
    out, listed = write_database(data)
    if sql is None:
        names = [f"{view.schema}.{view.name}" for view in listed]
        settings.done({"file": out, "views": names}, f"{out}: {plural(len(names), 'view')}")
        return
    columns, rows = answer(data, sql)
    shown = [dict(zip(columns, row, strict=True)) for row in rows]
    lines = ["\t".join(columns)]
    lines += ["\t".join("" if cell is None else str(cell) for cell in row) for row in rows]
    settings.show(shown, "\n".join(lines))
