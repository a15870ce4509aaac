"""Gather the studies' results into the contract's files, with where they come from beside them."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

import foedus
from foedus import store
from foedus.config import Project
from foedus.errors import ConfigError, MissingDataError, nearest
from foedus.studies.crate import crate_metadata
from foedus.studies.outcome import COMPARISON, ESTIMATES
from foedus.studies.registry import study_folders

PACKAGES = (
    "foedus", "numpy", "pandas", "polars", "pyarrow", "pydantic", "scipy",
    "statsmodels",
)  # fmt: skip
"""Packages whose versions can change a number."""


def collect(
    project: Project, left_out: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Path]:
    """Write estimates, comparison, provenance.json and ro-crate-metadata.json.

    Parameters
    ----------
    project : Project
        Its config's `studies` says which studies belong to the results; by default every declared
        one that has been run.
    left_out : mapping of str to sequence of str, optional
        Studies that couldn't run, with the sources that they lack; provenance.json says so.

    Returns
    -------
    dict of name to Path
        The files written.

    Raises
    ------
    MissingDataError
        If a study that the config names hasn't been run, or none has.
    """
    # A study that can't run with the data of today may have results of another day's data.
    studies = [name for name in _studies(project) if name not in (left_out or {})]
    provenance = provenance_of(project, studies)
    written: dict[str, Path] = {}
    for name, schema in (("estimates", ESTIMATES), ("comparison", COMPARISON)):
        table = _gathered(project, name, studies, schema)
        written[f"{name}.parquet"] = project.data / f"{name}.parquet"
        written[f"{name}.csv"] = project.data / f"{name}.csv"
        simulated = bool(provenance["simulated"])
        metadata = {"studies": studies, **({"simulated": True} if simulated else {})}
        store.write_parquet(table, written[f"{name}.parquet"], metadata)
        # A CSV has no metadata: in a simulated run one more column says so in every row.
        rows = [[*row.values(), *(["simulated"] if simulated else [])] for row in table.to_pylist()]
        header = [*table.column_names, *(["data"] if simulated else [])]
        store.write_csv(written[f"{name}.csv"], header, rows)
    if left_out:
        provenance["left_out"] = {name: list(lacks) for name, lacks in left_out.items()}
    written["provenance.json"] = project.data / "provenance.json"
    store.write_json(written["provenance.json"], provenance)
    written["ro-crate-metadata.json"] = project.data / "ro-crate-metadata.json"
    crate = crate_metadata(project, provenance, studies)
    store.write_json(written["ro-crate-metadata.json"], crate)
    return written


def _studies(project: Project) -> list[str]:
    declared = [folder.name for folder in study_folders(project)]
    run = [name for name in declared if _page(project, name).is_file()]
    wanted = list(project.config.studies) or run
    for name in wanted:
        if name not in declared:
            raise ConfigError(
                f'config/config.yaml: studies: "{name}" is not a study. {nearest(name, declared)}'
            )
        if name not in run:
            raise MissingDataError(
                f"{name} has no results yet. Run `foedus study run {name}` first."
            )
    if not wanted:
        raise MissingDataError("no study has results yet. Run `foedus study run --all` first.")
    return sorted(wanted)


def _page(project: Project, study: str) -> Path:
    return project.data / "studies" / f"{study}.json"


def _gathered(project: Project, name: str, studies: Sequence[str], schema: pa.Schema) -> pa.Table:
    parts = []
    for study in studies:
        table = store.read_parquet(project.data / name / f"{study}.parquet")
        parts.append(table.select(schema.names).replace_schema_metadata(None).cast(schema))
    return pa.concat_tables(parts)


def provenance_of(project: Project, studies: Sequence[str]) -> dict[str, Any]:
    """Return what provenance.json says: no clock, no absolute path.

    Sources are those that the studies read, one entry a file.
    """
    pages = [store.read_json(_page(project, study)) for study in studies]
    sources: dict[str, Any] = {}
    for page in pages:
        sources.update(page.get("sources", {}))
    return {
        "simulated": any(bool(page.get("simulated")) for page in pages),
        "data": "simulated" if any(page.get("simulated") for page in pages) else "real",
        "studies": {page["id"]: page.get("fingerprint", "") for page in pages},
        "sources": [row for key in sorted(sources) for row in _files(key, sources[key])],
        "versions": versions(),
        "python": platform.python_version(),
        "git_revision": git_revision(project.root),
        "revision_date": _git(project.root, "log", "-1", "--format=%cs"),
        "config": project.config.model_dump(mode="json"),
    }


def _files(source: str, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    shared = {
        "id": source,
        "version": facts.get("version", ""),
        "edition": facts.get("edition", ""),
        "accepted_unpinned": bool(facts.get("accepted_unpinned")),
    }
    if facts.get("simulated"):
        shared["simulated"] = True
    return [
        {**shared, "file": file["name"], "sha256": file["sha256"]}
        for file in facts.get("files", [])
    ]


def versions() -> dict[str, str]:
    """Return the versions of the packages that can change a number."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = foedus.__version__ if name == "foedus" else "absent"
    return found


def git_revision(root: Path) -> str:
    """Return the revision of the folder's repository, "-dirty" when it has changes, or "unknown".

    Untracked files don't make it dirty (results and raw data are untracked).
    """
    revision = _git(root, "rev-parse", "HEAD")
    if not revision:
        return "unknown"
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{revision}-dirty" if changed else revision


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
