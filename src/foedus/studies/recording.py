"""Tables that remember which sources were read, so that provenance is what was used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foedus.sources.registry import SourceFacts
from foedus.sources.tables import Tables

if TYPE_CHECKING:
    import polars as pl


class RecordingTables(Tables):
    """Another Tables, with the ids of all sources that were read through it.

    Attributes
    ----------
    used : set of str
        Source ids, filled as tables are read.
    """

    def __init__(self, inner: Tables) -> None:
        self.inner = inner
        self.used: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        """Hand everything that isn't recorded to the tables within."""
        if name in ("inner", "used"):
            raise AttributeError(name)
        return getattr(self.inner, name)

    def facts(self, source: str, release: str | None = None) -> SourceFacts:
        """Return the facts of a source."""
        return self.inner.facts(source, release)

    def coverage(self, source: str, release: str | None = None) -> tuple[int, int]:
        """Return the first and last year that a source covers."""
        return self.inner.coverage(source, release)

    def has(self, source: str, release: str | None = None) -> bool:
        """Say whether the tables of a source can be had."""
        return self.inner.has(source, release)

    def get(self, source: str, table: str, release: str | None = None) -> pl.DataFrame:
        """Return a table and note its source."""
        frame = self.inner.get(source, table, release)
        self.used.add(self.inner.facts(source, release).id)
        return frame

    def metadata(self, source: str, table: str, release: str | None = None) -> dict[str, Any]:
        """Return the provenance stamped on a table."""
        return self.inner.metadata(source, table, release)

    def columns(
        self, source: str, table: str, release: str | None = None
    ) -> dict[str, dict[str, str]]:
        """Return the notes of a table's columns."""
        return self.inner.columns(source, table, release)
