"""`foedus doctor`: what is installed, which data were found, what can run, how to mend the rest."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import click

from foedus.cli.settings import Command, Settings
from foedus.cli.text import listing, plural
from foedus.errors import FoedusError

if TYPE_CHECKING:
    from foedus.config import Project
    from foedus.sources.resolve import FoundSource

PACKAGES = (
    "foedus", "numpy", "scipy", "pandas", "polars", "pyarrow", "statsmodels",
    "matplotlib", "snakemake", "typst",
)  # fmt: skip


@click.command("doctor", cls=Command)
@click.pass_obj
def command(settings: Settings) -> None:
    """Say what is installed, which data were found and verified, and what can run.

    Where something can't run, the last lines say how to mend it. Nothing is downloaded.
    """
    project = settings.project()
    state = examine(project)
    settings.show(state, lambda: "\n".join(describe(state)))


def examine(project: Project) -> dict[str, Any]:
    """Return everything that doctor says, as plain values."""
    from foedus.sources.resolve import CORE, locate, raw_folders

    found = locate(project)
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "packages": {name: _version(name) for name in PACKAGES},
        "root": str(project.root),
        "data": str(project.data),
        "raw": [{"folder": str(path), "exists": path.is_dir()} for path in raw_folders(project)],
        "sources": [
            {"id": name, "version": one.facts.version, "state": one.state, "core": name in CORE}
            for name, one in found.items()
            if not one.facts.optional
        ],
        "optional": [
            {
                "id": name,
                "title": one.facts.title,
                "version": one.facts.version,
                "state": one.state,
                "adds": one.facts.adds,
                "files": [file.name for file in one.facts.files],
                "page": next((file.page for file in one.facts.files if file.page), None),
            }
            for name, one in found.items()
            if one.facts.optional
        ],
        "real_data": all(found[name].usable for name in CORE if name in found),
        "studies": _studies(project, found),
        "mend": _mend(project, found),
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _studies(project: Project, found: dict[str, FoundSource]) -> list[dict[str, Any]]:
    """Say of each study whether it can run; one whose file breaks a rule can't."""
    from foedus.lineage import study_sources
    from foedus.studies.registry import load_study, study_folders

    listed: list[dict[str, Any]] = []
    for folder in study_folders(project):
        try:
            needed = study_sources(project, load_study(folder))
        except FoedusError as error:
            listed.append({"id": folder.name, "can_run": False, "lacks": [], "wrong": str(error)})
            continue
        lacking = [one for one in needed if not found[one].usable]
        listed.append({"id": folder.name, "can_run": not lacking, "lacks": lacking, "wrong": ""})
    return listed


def _mend(project: Project, found: dict[str, FoundSource]) -> list[str]:
    from foedus.sources.resolve import missing_data

    lines = [
        f"{name} is not installed: run `make setup`." for name in PACKAGES if not _version(name)
    ]
    lines += [
        str(missing_data(project, [one]))
        for one in found.values()
        if not one.usable and (one.state != "missing" or not one.facts.optional)
    ]
    lines += [
        f"{one.facts.id}: another version than the pinned one is used, as config/config.yaml says."
        for one in found.values()
        if one.state == "accepted unpinned"
    ]
    return lines


def _why_not(study: dict[str, Any]) -> str:
    return study["wrong"] or "lacks " + ", ".join(study["lacks"])


def describe(state: dict[str, Any]) -> list[str]:
    """Return the examination as lines for people."""
    versions = state["packages"].items()
    packages = ", ".join(f"{name} {version or 'MISSING'}" for name, version in versions)
    sources = [
        (one["id"], one["version"], one["state"], "core" if one["core"] else "")
        for one in state["sources"]
    ]
    good = sum(one["state"] in ("found", "accepted unpinned") for one in state["sources"])
    lines = [
        f"Python {state['python']} ({state['executable']})",
        packages,
        f"Project {state['root']}, made tables in {state['data']}",
        "Source files are looked for in:",
        *(f"  {one['folder']}{'' if one['exists'] else ' (not there)'}" for one in state["raw"]),
        "",
        f"{plural(good, 'data set')} of {len(sources)} found:",
        listing(("source", "version", "state", ""), sources),
        "",
    ]
    if state["studies"]:
        rows = [
            (one["id"], "can run" if one["can_run"] else _why_not(one)) for one in state["studies"]
        ]
        lines += [listing(("study", ""), rows), ""]
    if state["real_data"]:
        lines.append("`make report` will run on real data.")
    else:
        lines.append("Core data are missing, so `make report` can't run on real data yet.")
    if state["optional"]:
        lines += ["", "Official releases of which no copy is pinned here; nothing needs them:"]
        for one in state["optional"]:
            lines.append(
                f"- {one['id']} ({one['title']} {one['version']}): {one['state']}. It adds "
                f"{one['adds']} Get {', '.join(one['files'])} from {one['page']}, put it under "
                f"data/raw/ and accept it in config/config.yaml: accept_unpinned: [{one['id']}]"
            )
    if state["mend"]:
        lines += ["", "To mend:", *(f"- {line}" for line in state["mend"])]
    return lines
