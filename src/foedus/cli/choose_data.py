"""`foedus choose-data`: the first line of a run, which data it uses and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from foedus.cli.settings import Command, Settings
from foedus.cli.text import plural
from foedus.cli.world import NOT_YET
from foedus.errors import MissingDataError, UsageError, nearest

if TYPE_CHECKING:
    from foedus.config import Project
    from foedus.sources.resolve import FoundSource

MODES = ("auto", "real", "simulated")


@click.command("choose-data", cls=Command)
@click.argument("mode", default="auto", metavar="[auto|real|simulated]")
@click.pass_obj
def command(settings: Settings, mode: str) -> None:
    """Say which data a run would use, and why; exit 4 when there are none.

    Real data need at least states, ATOP, MID, wars, contiguity and NMC. What isn't in a folder is
    sought at the official addresses, unless --offline.
    """
    from foedus.lineage import plan
    from foedus.studies.registry import load_studies

    if mode not in MODES:
        raise UsageError(f'DATA is auto, real or simulated, not "{mode}". {nearest(mode, MODES)}')
    if mode == "simulated":
        raise UsageError(f"DATA=simulated: {NOT_YET} Use DATA=real.")
    project = settings.project()
    load_studies(project)  # a study file that breaks a rule stops here, with one paragraph
    found = find(project, settings.say)
    lacking = [one for name, one in found.items() if not one.usable]
    settings.done(
        {
            "data": "real",
            "sources": {name: one.state for name, one in found.items()},
        },
        _first_line(mode, found),
    )
    for one in lacking:
        settings.say(f"data: {one.facts.id} is {one.state}")
    left_out = plan(str(project.data), project.root).left_out if lacking else {}
    for name, needed in left_out.items():
        settings.say(f"data: the study {name} is left out, as it needs {', '.join(needed)}")


def find(project: Project, say: Callable[[str], None]) -> dict[str, FoundSource]:
    """Find every source, asking the official addresses for what isn't in a folder.

    Raises
    ------
    MissingDataError
        If a core source can't be had: each missing file, where it was looked for, how to get it.
    """
    from foedus.sources.resolve import CORE, locate, missing_data

    found = locate(project)
    if any(one.state == "missing" for one in found.values()) and not project.offline:
        _try_fetching(project, found, say)
        found = locate(project)
    lacking = [found[name] for name in CORE if name not in found or not found[name].usable]
    if lacking:
        raise MissingDataError(
            f"no real data: {plural(len(lacking), 'core data set')} of {len(CORE)} can't be read. "
            f"{missing_data(project, lacking)} DATA=auto would fall back on a simulated world, "
            f"but {NOT_YET}"
        )
    return found


def _try_fetching(
    project: Project, found: dict[str, FoundSource], say: Callable[[str], None]
) -> None:
    """Ask the official addresses, core data first; end at the first that doesn't answer.

    One that fails is no error here, only a missing file; the others would mostly fail alike, each
    after its own waiting time.
    """
    from foedus.sources.fetch import fetch_missing
    from foedus.sources.resolve import CORE

    lacking = sorted(
        (one for one in found.values() if one.state == "missing" and _has_address(one)),
        key=lambda one: one.facts.id not in CORE,
    )
    for one in lacking:
        say(f"data: {one.facts.id} is in no folder, trying its official address")
        if any(report.outcome == "failed" for report in fetch_missing(project, [one])):
            say("data: no answer from there, so the others aren't asked")
            return


def _has_address(one: FoundSource) -> bool:
    return any(file.state == "missing" and file.facts.url for file in one.files)


def _first_line(mode: str, found: dict[str, FoundSource]) -> str:
    usable = sum(one.usable for one in found.values())
    unpinned = [name for name, one in found.items() if one.state == "accepted unpinned"]
    simulated = [name for name, one in found.items() if one.simulated]
    why = "DATA=real asks for them" if mode == "real" else "DATA=auto takes them when it can"
    text = (
        f"data: real ({why}; states, ATOP, MID, wars, contiguity and NMC were found, "
        f"{usable} of {len(found)} data sets in all, checksums as pinned)"
    )
    if unpinned:
        text = text.replace("checksums as pinned", f"accepted unpinned: {', '.join(unpinned)}")
    if simulated:
        text += f" SIMULATED files stand in for: {', '.join(simulated)}"
    return text
