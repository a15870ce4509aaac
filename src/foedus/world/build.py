"""A whole world: drawn, written as the official files, with truth.json and their checksums."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foedus import store
from foedus.config import TRUTH
from foedus.errors import InputError, UsageError
from foedus.world import truth as stated
from foedus.world.coefficients import Coefficients
from foedus.world.dispute_files import dispute_files
from foedus.world.history import History, live
from foedus.world.ledger import Entry, keep_book
from foedus.world.power import Power, Regimes, draw_power, draw_regimes
from foedus.world.settings import Settings
from foedus.world.state_files import state_files
from foedus.world.states import States, draw_states
from foedus.world.treaty_files import treaty_files
from foedus.world.war_files import war_files
from foedus.world.wars import Conflicts, fight

MODEL = 1
"""Number of the generating model: another number draws other worlds from the same seeds."""


@dataclass(frozen=True)
class World:
    """Everything that a world knows about itself."""

    settings: Settings
    truth: Coefficients
    states: States
    power: Power
    regimes: Regimes
    history: History
    conflicts: Conflicts
    book: list[Entry]


def draw(settings: Settings, truth: Coefficients | None = None) -> World:
    """Draw a world.

    Parameters
    ----------
    settings : Settings
    truth : Coefficients, optional
        By default those of a world of this size.
    """
    truth = truth or Coefficients().for_size(settings.states)
    streams = settings.streams()
    states = draw_states(settings, streams)
    power = draw_power(states, streams["power"])
    regimes = draw_regimes(states, streams["regimes"])
    history = live(settings, states, power, regimes, truth, streams)
    conflicts = fight(settings, states, power, history, truth, streams)
    book = keep_book(states, history.diplomacy.memberships, conflicts.wars, settings.first_year)
    return World(settings, truth, states, power, regimes, history, conflicts, book)


def files(world: World) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every source file."""
    yield from state_files(world.settings, world.states, world.power, world.regimes)
    memberships = world.history.diplomacy.memberships
    if memberships:
        yield from treaty_files(world.states, memberships)
    yield from dispute_files(world.settings, world.states, world.conflicts.disputes)
    yield from war_files(world.states, world.conflicts.wars, world.book)


def write(world: World, folder: Path) -> dict[str, Any]:
    """Write a world's files and truth.json, whole or not at all; return what truth.json says.

    A world that stands in the folder is replaced. Nothing else is: a folder with other files is
    refused, since a simulated file must never stand among real ones.

    Raises
    ------
    UsageError
        If the folder holds files that no world wrote, or the world drew no war or no alliance.
    """
    check_folder(folder)
    if not world.conflicts.wars or not world.history.diplomacy.memberships:
        raise UsageError(
            "this world has no war or no alliance, so that no source file could be written. Ask "
            "for more --states or more --years."
        )
    building = folder.with_name(f".{folder.name}.part-{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    listed = {}
    for name, content in files(world):
        (building / name).write_bytes(content)
        listed[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    told = describe(world, listed)
    store.write_json(building / TRUTH, told)
    if stands(world.settings, folder, world.truth) is not None:  # another run was faster
        shutil.rmtree(building)
        return told
    if folder.exists():
        shutil.rmtree(folder)
    building.rename(folder)
    return told


def check_folder(folder: Path) -> None:
    """Stop at a folder that holds anything but a world.

    Raises
    ------
    UsageError
    """
    if folder.is_file():
        raise UsageError(f"{folder} is a file. Name a folder for the world with --out.")
    if not folder.is_dir() or (folder / TRUTH).is_file() or not any(folder.iterdir()):
        return
    raise UsageError(
        f"{folder} holds files that no world wrote; simulated files must not stand among others. "
        "Name a new folder with --out."
    )


def describe(world: World, listed: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return what truth.json holds."""
    conflicts, settings = world.conflicts, world.settings
    member = world.states.member.sum(axis=0)
    return {
        "simulated": True,
        "model": MODEL,
        "code": code(),
        "seed": settings.seed,
        "states": settings.states,
        "years": [settings.first_year, settings.last_year],
        "coefficients": world.truth.as_dict(),
        "derived": {
            "escalation_constant_used": conflicts.escalation_constant,
            "disputes_latent_over_marginal": world.truth.disputes.inflation,
        },
        "counts": {
            "directed_dyad_years": int((member * (member - 1)).sum()),
            "alliances": len({row.atopid for row in world.history.diplomacy.memberships}),
            "disputes": len(conflicts.disputes),
            "wars": len(conflicts.wars),
            "joiners": sum(len(war.parts) - len(war.first) for war in conflicts.wars),
        },
        "studies": stated.studies(world.truth, conflicts.wars, world.book),
        "files": dict(sorted(listed.items())),
    }


def make(settings: Settings, folder: Path, truth: Coefficients | None = None) -> dict[str, Any]:
    """Draw a world and write it; return what truth.json says."""
    check_folder(folder)
    return write(draw(settings, truth), folder)


@functools.cache
def code() -> str:
    """Return 16 hex digits that change with the code of this room."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def stands(
    settings: Settings, folder: Path, truth: Coefficients | None = None
) -> dict[str, Any] | None:
    """Return what truth.json says if this very world, whole and unchanged, is in the folder."""
    try:
        told = store.read_json(folder / TRUTH)
    except (InputError, OSError):
        return None
    if not isinstance(told, dict):
        return None
    wanted = {
        "model": MODEL, "code": code(), "seed": settings.seed, "states": settings.states,
        "years": [settings.first_year, settings.last_year],
        "coefficients": (truth or Coefficients().for_size(settings.states)).as_dict(),
    }  # fmt: skip
    if any(told.get(name) != value for name, value in wanted.items()):
        return None
    listed = told.get("files", {})
    whole = all(
        (folder / name).is_file() and store.sha256_of(folder / name) == facts["sha256"]
        for name, facts in listed.items()
    )
    return told if whole and listed else None
