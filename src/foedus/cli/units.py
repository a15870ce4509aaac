"""`foedus units`: the units of analysis that can be built."""

from __future__ import annotations

import click

from foedus.cli.settings import Command, Settings


@click.command("units", cls=Command)
@click.pass_obj
def command(settings: Settings) -> None:
    """List the units of analysis: what a row is, its keys, and the data that decide which exist."""
    from foedus.panels.units import units

    listed = [
        {"name": one.name, "keys": list(one.keys), "says": one.says, "sources": list(one.sources)}
        for one in units().values()
    ]
    lines = [
        f"{one.name} ({', '.join(one.keys)}; from {', '.join(one.sources)})\n  {one.says}"
        for one in units().values()
    ]
    settings.show(listed, "\n".join(lines))
