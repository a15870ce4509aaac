"""Where each source file is found, and whether its bytes are the pinned ones.

Order: <root>/data/raw, then the project's raw folders, searched to any depth by file name; the
official address is `fetch`'s business. A file of the right name with other bytes is never used
silently: it is refused with both checksums, or used because config's `accept_unpinned` names its
source, and everything made from it then says so.

A simulated world is another matter: where the project has one, it is the only folder, its own list
of checksums (in truth.json) is what its files are held to, and everything made from it says
SIMULATED. Real files are never mixed with a world's, and a world's checksums never stand in for
the pinned ones elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from foedus.config import TRUTH, Project
from foedus.errors import ConfigError, InputError, MissingDataError, nearest
from foedus.sources.registry import FileFacts, SourceFacts, project_facts, resolve_id
from foedus.store import read_json, sha256_cached

State = Literal["found", "missing", "wrong checksum", "accepted unpinned", "not accepted"]
STATES: tuple[State, ...] = (
    "found", "accepted unpinned", "not accepted", "wrong checksum", "missing",
)  # fmt: skip
CORE = ("cow_states", "atop", "mid", "cow_interstate_wars", "cow_contiguity", "cow_nmc")
_SKIPPED = (".git", ".venv", "node_modules", "__pycache__")


@dataclass(frozen=True)
class FoundFile:
    """One source file as it was found.

    Attributes
    ----------
    facts : FileFacts
    state : str
        ``found`` (pinned bytes, or those that a world wrote), ``accepted unpinned``,
        ``wrong checksum``, ``not accepted`` (no bytes are pinned and config doesn't name the
        source) or ``missing``.
    path : Path or None
        The file that is used, or, with a wrong checksum, the one that is refused.
    sha256 : str or None
        Checksum of the file at `path`.
    simulated : bool
        Written by `foedus world`: a truth.json stands in its folder or above, inside the raw one.
    """

    facts: FileFacts
    state: State
    path: Path | None = None
    sha256: str | None = None
    simulated: bool = False


@dataclass(frozen=True)
class FoundSource:
    """One source with its files; its state is the worst of theirs."""

    facts: SourceFacts
    files: tuple[FoundFile, ...] = field(default=())

    @property
    def state(self) -> State:
        """``found``, ``accepted unpinned``, ``not accepted``, ``wrong checksum`` or ``missing``."""
        return max((file.state for file in self.files), key=STATES.index)

    @property
    def usable(self) -> bool:
        """True when every file can be read."""
        return self.state in ("found", "accepted unpinned")

    @property
    def simulated(self) -> bool:
        """True when any file comes from a simulated world."""
        return any(file.simulated for file in self.files)

    def paths(self) -> dict[str, Path]:
        """Return file name to path, for the reader."""
        return {file.facts.name: file.path for file in self.files if file.path is not None}


def raw_folders(project: Project) -> list[Path]:
    """Return the folders that are searched, in order, without repeats: a world alone, if any."""
    if project.world is not None:
        return [project.world]
    return list(dict.fromkeys([project.raw_home, *project.raw_dirs]))


def index(folder: Path) -> dict[str, list[Path]]:
    """Return file name to the places where it stands under a folder, to any depth, sorted."""
    found: dict[str, list[Path]] = {}
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(names):
            found.setdefault(name, []).append(Path(here) / name)
    return found


def check_accepted(project: Project, facts: Mapping[str, SourceFacts]) -> None:
    """Stop when config accepts an unpinned version of a source that doesn't exist.

    Raises
    ------
    ConfigError
        With the nearest known id.
    """
    known = {*facts, *(one.alias for one in facts.values())}
    for name in project.config.accept_unpinned:
        if name not in known:
            raise ConfigError(
                f'config/config.yaml: accept_unpinned: there is no source "{name}". '
                f"{nearest(name, known)}"
            )


def locate(
    project: Project,
    ids: Iterable[str] | None = None,
    facts: Mapping[str, SourceFacts] | None = None,
) -> dict[str, FoundSource]:
    """Find the files of sources, without any network.

    Parameters
    ----------
    project : Project
    ids : iterable of str, optional
        Source ids, data sets or aliases; all by default.
    facts : mapping, optional
        Facts already read.

    Returns
    -------
    dict
        Source id to what was found, in the order asked.

    Raises
    ------
    UsageError
        For an id that isn't known.
    """
    known = facts if facts is not None else project_facts(project)
    check_accepted(project, known)
    wanted = [resolve_id(known, name) for name in (ids if ids is not None else known)]
    if project.world is not None:
        listed = world_files(project.world)
        return {
            one.id: FoundSource(
                one, tuple(_find_in_world(file, project.world, listed) for file in one.files)
            )
            for one in wanted
        }
    indexes = [(folder, index(folder)) for folder in raw_folders(project) if folder.is_dir()]
    return {
        one.id: FoundSource(one, tuple(_find(file, one, project, indexes) for file in one.files))
        for one in wanted
    }


def world_files(world: Path) -> dict[str, str]:
    """Return file name to the sha256 that a simulated world wrote it with.

    Raises
    ------
    InputError
        If its truth.json lists no files.
    """
    told = read_json(world / TRUTH)
    files = told.get("files") if isinstance(told, dict) and told.get("simulated") is True else None
    if not isinstance(files, dict):
        raise InputError(
            f"{world / TRUTH}: this isn't what `foedus world` writes: it lists no files with their "
            "checksums. Delete the folder and make the world again."
        )
    return {str(name): str(facts.get("sha256")) for name, facts in files.items()}


def _find_in_world(file: FileFacts, world: Path, listed: Mapping[str, str]) -> FoundFile:
    path = world / file.name
    if file.name not in listed or not path.is_file():
        return FoundFile(file, "missing", simulated=True)
    digest = _digest(path)
    state: State = "found" if digest == listed[file.name] else "wrong checksum"
    return FoundFile(file, state, path, digest, simulated=True)


def _find(
    file: FileFacts,
    source: SourceFacts,
    project: Project,
    indexes: Sequence[tuple[Path, Mapping[str, list[Path]]]],
) -> FoundFile:
    accepted = {source.id, source.alias} & set(project.config.accept_unpinned)
    refused: FoundFile | None = None
    for folder, names in indexes:
        for path in names.get(file.name, ()):
            digest = _digest(path)
            if digest == file.sha256:
                return FoundFile(file, "found", path, digest)
            simulated = _simulated(path, folder)
            if accepted and digest is not None:
                return FoundFile(file, "accepted unpinned", path, digest, simulated)
            state: State = "wrong checksum" if file.pinned else "not accepted"
            refused = refused or FoundFile(file, state, path, digest, simulated)
    return refused or FoundFile(file, "missing")


def _digest(path: Path) -> str | None:
    try:
        return sha256_cached(path)
    except OSError:  # a dangling link or a file we may not read
        return None


def _simulated(path: Path, folder: Path) -> bool:
    inside = [place for place in path.parents if place == folder or folder in place.parents]
    return any((place / TRUTH).is_file() for place in inside)


def core_sources(project: Project) -> dict[str, FoundSource]:
    """Find the sources that decide whether a run uses real data: states, ATOP, MID, wars, ..."""
    return locate(project, CORE)


def has_core(project: Project) -> bool:
    """Say whether every core source can be read (what ``auto`` asks)."""
    return all(one.usable for one in core_sources(project).values())


def missing_data(
    project: Project, sources: Iterable[FoundSource], failures: Iterable[str] = ()
) -> MissingDataError:
    """Make the error (exit 4) that says what is missing, where it was sought and how to get it.

    Parameters
    ----------
    project : Project
    sources : iterable of FoundSource
        Those that aren't usable are named; the others are passed over.
    failures : iterable of str
        Why downloading them failed, if that was tried.
    """
    parts = []
    if project.world is not None:
        return _missing_in_world(project.world, sources)
    for one in sources:
        for file in one.files:
            if file.state == "missing":
                how = _how(file.facts, one.facts)
                parts.append(f"{one.facts.id}: {file.facts.name} was not found; {how}.")
            elif file.state in ("wrong checksum", "not accepted"):
                parts.append(_refused(one.facts, file))
    parts += failures
    looked = ", ".join(str(folder) for folder in raw_folders(project))
    return MissingDataError(
        " ".join(parts) + f" Looked by file name, to any depth, in {looked}. "
        f"Put downloaded files (unzipped) anywhere under {project.raw_home}, or name their folder "
        "with --raw or FOEDUS_RAW."
    )


def _missing_in_world(world: Path, sources: Iterable[FoundSource]) -> MissingDataError:
    absent = [
        f"{one.facts.id}: {file.facts.name}"
        for one in sources
        for file in one.files
        if file.state == "missing"
    ]
    changed = [
        f"{one.facts.id}: {file.path} is not the file that the world wrote (its sha256 is "
        f"{file.sha256 or 'unreadable'}); make the world again."
        for one in sources
        for file in one.files
        if file.state == "wrong checksum"
    ]
    lacks = [f"the simulated world in {world} has no {', '.join(absent)}; a world holds the core "
             "sources and what the default studies need."] if absent else []  # fmt: skip
    return MissingDataError(" ".join([*lacks, *changed]))


def _how(file: FileFacts, source: SourceFacts) -> str:
    note = f" ({file.note})" if file.note else ""
    if not file.pinned:
        note += f" and accept it by name in config/config.yaml: `accept_unpinned: [{source.id}]`"
    if file.url:
        return f"`foedus fetch` gets it from {file.url}{note}"
    if file.page:
        return f"download it by hand from {file.page}{note}"
    return f"no official address is known for it; our copy came from {source.obtained_from}{note}"


def _refused(source: SourceFacts, file: FoundFile) -> str:
    found = file.sha256 or "unreadable"
    if file.state == "not accepted":
        return (
            f"{source.id}: {file.path} (sha256 {found}) is there, but no copy of this release was "
            "ever at hand, so nothing vouches for its bytes. To use it, accept it by name in "
            f"config/config.yaml: `accept_unpinned: [{source.id}]`; all that is made from it will "
            "say so."
        )
    return (
        f"{source.id}: {file.path} has the right name but sha256 {found}, where "
        f"{source.dataset} {source.version} has {file.facts.sha256}. To use this other version, "
        f"accept it by name in config/config.yaml: `accept_unpinned: [{source.id}]`; all that is "
        "made from it will say so."
    )
