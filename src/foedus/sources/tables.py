"""The made tables, by the names people use: ``Tables(project).get("atop", "members")``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from foedus import store
from foedus.config import Project
from foedus.errors import MissingDataError
from foedus.sources.ingest import ingest_one, table_path
from foedus.sources.registry import SourceFacts, project_facts, resolve_id
from foedus.sources.resolve import FoundSource, locate

if TYPE_CHECKING:
    import polars as pl


class Tables:
    """Tables of a project, ingested when asked for the first time.

    Parameters
    ----------
    project : Project
    ingest_missing : bool
        Make a table that isn't there, or whose source, YAML or code has changed since. When False,
        only what stands in the data folder is read.
    """

    def __init__(self, project: Project, ingest_missing: bool = True) -> None:
        self.project = project
        self.ingest_missing = ingest_missing
        self._facts = project_facts(project)
        self._frames: dict[tuple[str, str], pl.DataFrame] = {}
        self._ready: set[str] = set()
        self._found: dict[str, FoundSource] = {}

    def facts(self, source: str, release: str | None = None) -> SourceFacts:
        """Return the facts of a source by data set or id, and release.

        Raises
        ------
        UsageError
            If there is no such source.
        """
        return resolve_id(self._facts, source, release)

    def coverage(self, source: str, release: str | None = None) -> tuple[int, int]:
        """Return the first and last year that a source covers."""
        return self.facts(source, release).coverage

    def has(self, source: str, release: str | None = None) -> bool:
        """Say whether the tables of a source stand there or can be made without a network."""
        facts = self.facts(source, release)
        standing = all(table_path(self.project, facts.id, name).is_file() for name in facts.tables)
        return standing or (self.ingest_missing and self._locate(facts).usable)

    def get(self, source: str, table: str, release: str | None = None) -> pl.DataFrame:
        """Return a table, kept in memory for the next call.

        Parameters
        ----------
        source : str
            Data set (its current release), id, or dataset_version.
        table : str
            Name of the table.
        release : str, optional
            Version, when `source` is a data set.

        Raises
        ------
        UsageError
            For an unknown source, release or table.
        MissingDataError
            If neither the table nor its files are there.
        SourceError
            If a file breaks a rule.
        """
        import polars as pl

        facts = self.facts(source, release)
        facts.table(table)
        if (facts.id, table) not in self._frames:
            self._prepare(facts)
            stored = store.read_parquet(table_path(self.project, facts.id, table))
            frame = pl.from_arrow(stored)
            assert isinstance(frame, pl.DataFrame)
            self._frames[facts.id, table] = frame
        return self._frames[facts.id, table]

    def metadata(self, source: str, table: str, release: str | None = None) -> dict[str, Any]:
        """Return the provenance stamped on a table (files, checksums, simulated, unpinned)."""
        return store.table_metadata(self._schema(source, table, release))

    def columns(
        self, source: str, table: str, release: str | None = None
    ) -> dict[str, dict[str, str]]:
        """Return definition, unit, codes and missing rule of each column of a table."""
        return store.column_metadata(self._schema(source, table, release))

    def provenance(self, sources: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return version, edition and files with checksums of sources, by id, for made panels."""
        kept = ("version", "edition", "files", "accepted_unpinned", "simulated")
        stamped = {}
        for source in sources:
            facts = self.facts(source)
            told = self.metadata(facts.id, next(iter(facts.tables)))
            stamped[facts.id] = {name: told[name] for name in kept}
        return stamped

    def _schema(self, source: str, table: str, release: str | None) -> Any:
        import pyarrow.parquet as pq

        facts = self.facts(source, release)
        facts.table(table)
        self._prepare(facts)
        path = table_path(self.project, facts.id, table)
        if not path.is_file():
            raise MissingDataError(f"{path}: no such table. Make it with `foedus ingest`.")
        return pq.read_schema(path)

    def _prepare(self, facts: SourceFacts) -> None:
        if facts.id in self._ready or not self.ingest_missing:
            return
        found = self._locate(facts)
        if found.usable:
            ingest_one(self.project, found)
        elif not self._made_from_pinned(facts):
            self._fetch_or_stop(found)
        self._ready.add(facts.id)

    def _locate(self, facts: SourceFacts) -> FoundSource:
        # One source at a time: finding is checking, and a panel reads a dozen of seventy.
        if facts.id not in self._found:
            self._found.update(locate(self.project, [facts.id], self._facts))
        return self._found[facts.id]

    def _fetch_or_stop(self, found: FoundSource) -> None:
        from foedus.sources.ingest import ingest

        ingest(self.project, [found.facts.id])

    def _made_from_pinned(self, facts: SourceFacts) -> bool:
        """Say whether tables made earlier, from the pinned bytes, can stand in for absent files."""
        pinned = [{"name": file.name, "sha256": file.sha256} for file in facts.files]
        for name in facts.tables:
            path = table_path(self.project, facts.id, name)
            if not path.is_file():
                return False
            if store.table_metadata(store.read_parquet(path).schema).get("files") != pinned:
                return False
        return True
