"""`foedus choose-data`: the first line of a run, which data it uses and why; and its last lines."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from foedus.cli.settings import Command, Settings
from foedus.cli.text import plural
from foedus.config import TRUTH, WORLD
from foedus.errors import MissingDataError, UsageError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from foedus.config import Project
    from foedus.sources.resolve import FoundSource

MODES = ("auto", "real", "simulated")
_CORE_WORDS = "states, ATOP, MID, wars, contiguity and NMC"


@click.command("choose-data", cls=Command)
@click.argument("mode", default="auto", metavar="[auto|real|simulated]")
@click.option("--end", is_flag=True, help="Say what a run that has ended was made of.")
@click.pass_obj
def command(settings: Settings, mode: str, end: bool) -> None:
    """Say which data a run uses, and why; make a simulated world when there are no real ones.

    Real data need at least states, ATOP, MID, wars, contiguity and NMC. What isn't in a folder is
    sought at the official addresses, unless --offline. `auto` takes real data when it can, and
    else a simulated world, in the folder world/ of the results; `real` ends with exit 4 when data
    are missing; `simulated` makes a world whatever data there are.
    """
    from foedus.studies.registry import load_studies

    if mode not in MODES:
        raise UsageError(f'DATA is auto, real or simulated, not "{mode}". {nearest(mode, MODES)}')
    project = settings.project()
    if end:
        last_lines(settings, project)
        return
    load_studies(project)  # a study file that breaks a rule stops here, with one paragraph
    bare = dataclasses.replace(project, world=None, offline=settings.offline)
    if mode == "simulated":
        use_world(settings, bare, "DATA=simulated asks for one")
        return
    try:
        found = find(bare, settings.say)
    except MissingDataError:
        if mode == "real":
            raise
        use_world(settings, bare, f"DATA=auto found no real data: {_CORE_WORDS} aren't all here")
        settings.say("data: `foedus doctor` names each file that is missing, and how to get it")
        return
    use_real(settings, bare, mode, found)


def use_real(
    settings: Settings, project: Project, mode: str, found: dict[str, FoundSource]
) -> None:
    """Say that real data are used; a world of an earlier run goes, so that nothing takes it."""
    world = project.data / WORLD
    if (world / TRUTH).is_file():
        shutil.rmtree(world)
    settings.done(
        {"data": "real", "sources": {name: one.state for name, one in found.items()}},
        _first_line(mode, found),
    )
    lacking = [one for one in found.values() if not one.usable]
    for one in lacking:
        settings.say(f"data: {one.facts.id} is {one.state}")
    if lacking:
        _say_left_out(settings, project)


def use_world(settings: Settings, project: Project, why: str) -> None:
    """Make the default world in the results folder, unless it stands there, and say so."""
    from foedus.sources.resolve import locate
    from foedus.world.build import make, stands
    from foedus.world.settings import make_settings

    folder = project.data / WORLD
    wanted = make_settings()
    told = stands(wanted, folder) or make(wanted, folder)
    found = locate(dataclasses.replace(project, world=folder, offline=True))
    usable = [name for name, one in found.items() if one.usable]
    settings.done(
        {"data": "simulated", "world": str(folder), "seed": wanted.seed, "sources": usable},
        f"data: SIMULATED ({why}). A world of {told['states']} states, "
        f"{told['years'][0]}-{told['years'][1]}, from seed {told['seed']}, with known effects "
        f"({folder / TRUTH}); {len(usable)} of {len(found)} data sets, written as the official "
        "files; every page, figure, table and file says SIMULATED",
    )
    _say_left_out(settings, project)


def _say_left_out(settings: Settings, project: Project) -> None:
    from foedus.lineage import plan

    for name, needed in plan(str(project.data), project.root).left_out.items():
        settings.say(f"data: the study {name} is left out, as it needs {', '.join(needed)}")


def last_lines(settings: Settings, project: Project) -> None:
    """Say where the report is, and after a simulated run how to get the real data."""
    from foedus.sources.resolve import locate

    page = project.data / "report" / "index.html"
    value: dict[str, Any] = {"report": str(page), "simulated": project.world is not None}
    lines = [f"report: {_near(page)}"]
    if project.world is not None:
        bare = dataclasses.replace(project, world=None)
        found = locate(bare)
        lacking = [one for one in found.values() if not one.usable]
        fetched = [one.facts.id for one in lacking if _has_address(one)]
        by_hand = [one.facts.id for one in lacking if not _has_address(one)]
        steps = [*_how_to_get(fetched, by_hand, bare.raw_home), "`make report DATA=real`"]
        lines += [
            "",
            "All of it is SIMULATED: a made-up world with known effects, not a record of history.",
            "To run on the real data:",
            *(f"  {number}. {step}" for number, step in enumerate(steps, 1)),
        ]
    settings.done(value, "\n".join(lines))


def _how_to_get(fetched: list[str], by_hand: list[str], home: Path) -> list[str]:
    """Return the steps towards the data sets that aren't here; none when all of them are."""
    steps = []
    if fetched:
        more = ", ..." if len(fetched) > 6 else ""
        steps.append(
            f"`foedus fetch` downloads {plural(len(fetched), 'data set')} from official "
            f"addresses ({', '.join(fetched[:6])}{more})."
        )
    if by_hand:
        rest = "the other " if fetched else ""
        steps.append(
            f"Put {rest}{plural(len(by_hand), 'data set')} by hand anywhere under {home}; `foedus "
            "doctor` names each file, where it comes from and what is still missing."
        )
    return steps


def _near(path: Path) -> str:
    import os

    return os.path.relpath(path)


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
            f"{missing_data(project, lacking)} DATA=auto and DATA=simulated run on a simulated "
            "world instead."
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
        f"data: real ({why}; {_CORE_WORDS} were found, "
        f"{usable} of {len(found)} data sets in all, checksums as pinned)"
    )
    if unpinned:
        text = text.replace("checksums as pinned", f"accepted unpinned: {', '.join(unpinned)}")
    if simulated:
        text += f" SIMULATED files stand in for: {', '.join(simulated)}"
    return text
