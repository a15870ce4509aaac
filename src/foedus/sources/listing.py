"""The data sets as `foedus sources` and `foedus doctor` list them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from foedus.config import Project
from foedus.references import load_references
from foedus.sources.registry import project_facts
from foedus.sources.resolve import FoundSource, locate


@dataclass(frozen=True)
class SourceLine:
    """One data set: what it is, and whether its files are here.

    Attributes
    ----------
    id, title, version, edition : str
    first, last : int
        Coverage.
    rows : int
        Rows of all its tables, as pinned.
    state : str
        ``found``, ``missing``, ``wrong checksum`` or ``accepted unpinned``.
    files : tuple of dict
        Name, state, path and sha256 of each file.
    citation : str
        The works to cite, in short.
    """

    id: str
    title: str
    version: str
    edition: str
    first: int
    last: int
    rows: int
    state: str
    files: tuple[dict[str, Any], ...]
    citation: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**self.__dict__, "files": list(self.files)}


def list_sources(project: Project) -> list[SourceLine]:
    """Return every data set with its state, sorted by id; asks no network.

    Raises
    ------
    ConfigError
        If a YAML breaks a rule or cites a work that isn't in config/references.
    """
    facts = project_facts(project)
    works = load_references(project.config_dir)
    lines = []
    for found in locate(project, facts=facts).values():
        one = found.facts
        cited = [works[key].short() if key in works else key for key in one.citation]
        lines.append(
            SourceLine(
                one.id, one.title, one.version, one.edition, *one.coverage,
                sum(table.rows or 0 for table in one.tables.values()), found.state, _files(found),
                "; ".join(cited),
            )
        )  # fmt: skip
    return lines


def _files(found: FoundSource) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "name": file.facts.name,
            "state": file.state,
            "path": str(file.path) if file.path else None,
            "sha256": file.sha256,
            "address": file.facts.url or file.facts.page,
        }
        for file in found.files
    )
