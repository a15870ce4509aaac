"""Raw files to tables/<id>/<table>.parquet: typed, keyed, sorted, with provenance inside."""

from __future__ import annotations

import functools
import importlib
import inspect
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import foedus
from foedus import store
from foedus.config import Project
from foedus.errors import SourceError
from foedus.sources.registry import SourceFacts, project_facts, reader
from foedus.sources.resolve import FoundSource, locate, missing_data

if TYPE_CHECKING:
    import polars as pl

Progress = Callable[[str], None]
_SHARED = ("schema", "reading", "dates", "ingest", "columns", "wide", "excel", "stata")


@dataclass(frozen=True)
class IngestReport:
    """What became of one source.

    Attributes
    ----------
    id, version, edition : str
    state : str
        ``found`` or ``accepted unpinned``.
    simulated : bool
    rows : dict
        Table to rows.
    paths : dict
        Table to the parquet file.
    notes : tuple of str
        What a user of the tables should know: another number of rows than pinned, say.
    seconds : float
    fresh : bool
        False when the tables were up to date already and nothing was read.
    """

    id: str
    version: str
    edition: str
    state: str
    simulated: bool
    rows: dict[str, int]
    paths: dict[str, Path]
    notes: tuple[str, ...]
    seconds: float
    fresh: bool = True


def table_path(project: Project, source_id: str, table: str) -> Path:
    """Return where a table stands: <data>/tables/<id>/<table>.parquet."""
    return project.data / "tables" / source_id / f"{table}.parquet"


def ingest(
    project: Project,
    ids: Iterable[str] | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> list[IngestReport]:
    """Read sources and write their tables.

    Parameters
    ----------
    project : Project
    ids : iterable of str, optional
        Source ids, data sets or aliases. By default every source whose files are found; those that
        aren't are passed over (`foedus sources` lists them).
    progress : callable, optional
        Told one line of text a source.
    force : bool
        Read again even what is up to date.

    Returns
    -------
    list of IngestReport
        In the order asked.

    Raises
    ------
    MissingDataError
        If a file of a source that was asked for by name isn't there, or has another checksum.
    SourceError
        If a file breaks a rule. Nothing of that source is written then.
    """
    facts = project_facts(project)
    found = locate(project, ids, facts)
    if ids is None:
        found = {name: one for name, one in found.items() if one.usable}
    else:
        found = _with_fetched(project, found, progress)
    reports = []
    for one in found.values():
        report = ingest_one(project, one, force)
        if progress:
            progress(_line(report))
        reports.append(report)
    return reports


def _with_fetched(
    project: Project, found: dict[str, FoundSource], progress: Progress | None
) -> dict[str, FoundSource]:
    lacking = [one for one in found.values() if one.state == "missing"]
    failures: list[str] = []
    if lacking and not project.offline:
        from foedus.sources.fetch import fetch_missing

        reports = fetch_missing(project, lacking, progress)
        failures = [report.message for report in reports if report.outcome == "failed"]
        found = locate(project, list(found))
    if unusable := [one for one in found.values() if not one.usable]:
        raise missing_data(project, unusable, failures)
    return found


def _line(report: IngestReport) -> str:
    rows = ", ".join(f"{name} {count} rows" for name, count in report.rows.items())
    done = f"{report.seconds:.2f} s" if report.fresh else "up to date"
    return f"{report.id} {report.version}: {rows} ({done})"


def ingest_one(project: Project, found: FoundSource, force: bool = False) -> IngestReport:
    """Make all tables of one source whose files were found.

    Raises
    ------
    SourceError
        If a file breaks a rule; no table of the source has been touched.
    """
    began = time.perf_counter()
    facts = found.facts
    paths = {name: table_path(project, facts.id, name) for name in facts.tables}
    wanted = provenance(found)
    if not force and (rows := _up_to_date(paths, wanted)) is not None:
        return _report(found, rows, paths, (), time.perf_counter() - began, fresh=False)
    frames, notes = read_tables(found)
    _write(frames, paths, found, wanted)
    rows = {name: frame.height for name, frame in frames.items()}
    return _report(found, rows, paths, notes, time.perf_counter() - began, fresh=True)


def _report(
    found: FoundSource,
    rows: dict[str, int],
    paths: dict[str, Path],
    notes: tuple[str, ...],
    seconds: float,
    fresh: bool,
) -> IngestReport:
    facts = found.facts
    return IngestReport(
        facts.id, facts.version, facts.edition, found.state, found.simulated, rows, paths, notes,
        seconds, fresh,
    )  # fmt: skip


def read_tables(found: FoundSource) -> tuple[dict[str, pl.DataFrame], tuple[str, ...]]:
    """Read and check a source's files; return its finished tables and notes.

    Raises
    ------
    SourceError
        If a file breaks a rule, or pinned files give another number of rows than pinned.
    """
    from foedus.sources import schema

    facts = found.facts
    registered = reader(facts)
    if found.simulated:  # a simulated file has none of the errors of the real one
        facts = facts.model_copy(update={"corrections": ()})
    frames = registered.read(found.paths(), facts)
    assert set(frames) == set(facts.tables) == set(registered.tables), f"{facts.id}: tables"
    made = {
        name: schema.finish(frames[name], columns, facts, name)
        for name, columns in registered.tables.items()
    }
    return made, _check_rows(found, made)


def _check_rows(found: FoundSource, made: Mapping[str, pl.DataFrame]) -> tuple[str, ...]:
    notes: list[str] = []
    if found.simulated:  # a world has as many rows as it has
        return ()
    for name, frame in made.items():
        pinned = found.facts.table(name).rows
        if pinned is None or frame.height == pinned:
            continue
        text = f"{found.facts.id}/{name}: {frame.height} rows, the pinned release has {pinned}"
        if found.state == "found":
            raise SourceError(
                f"{text}, though the files are the pinned ones: the reader has changed. Put the "
                f"new count into sources/{found.facts.id}.yaml if it is meant."
            )
        notes.append(text + ".")
    return tuple(notes)


def _write(
    frames: Mapping[str, pl.DataFrame],
    paths: Mapping[str, Path],
    found: FoundSource,
    wanted: Mapping[str, Any],
) -> None:
    from foedus.sources import schema

    registered = reader(found.facts)
    for name, frame in frames.items():
        facts = found.facts.table(name)
        metadata = {
            **wanted,
            "table": name,
            "rows": frame.height,
            "key": list(facts.key),
            "description": facts.description,
        }
        columns = schema.notes(registered.tables[name], found.facts)
        store.write_parquet(frame.to_arrow(), paths[name], metadata, columns)


def provenance(found: FoundSource) -> dict[str, Any]:
    """Return what is stamped on every table of a source: files, checksums, version, code."""
    facts = found.facts
    return {
        "source": facts.id,
        "dataset": facts.dataset,
        "version": facts.version,
        "title": facts.title,
        "edition": facts.edition,
        "coverage": list(facts.coverage),
        "directed": facts.directed,
        "citation": list(facts.citation),
        "terms": facts.terms,
        "obtained_from": facts.obtained_from,
        "files": [{"name": file.facts.name, "sha256": file.sha256} for file in found.files],
        "accepted_unpinned": found.state == "accepted unpinned",
        "simulated": found.simulated,
        "foedus": foedus.__version__,
        "code": fingerprint(facts),
    }


def fingerprint(facts: SourceFacts) -> str:
    """Return 16 hex digits that change when a source's YAML, its module or the shared code does."""
    text = facts.model_dump_json() + "".join(item.model_dump_json() for item in facts.corrections)
    code = _code_of(reader(facts).module)
    return sha256((text + code).encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=128)
def _code_of(module: str) -> str:
    names = [module, *(f"foedus.sources.{name}" for name in _SHARED)]
    digest = sha256()
    for name in names:
        digest.update(inspect.getsource(importlib.import_module(name)).encode())
    return digest.hexdigest()


def _up_to_date(paths: Mapping[str, Path], wanted: Mapping[str, Any]) -> dict[str, int] | None:
    """Return rows by table when every table stands there, made from these bytes by this code."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = {}
    for name, path in paths.items():
        try:
            stored = store.table_metadata(pq.read_schema(path)) if path.is_file() else {}
        except (pa.ArrowInvalid, OSError):
            return None
        if {key: stored.get(key) for key in wanted} != dict(wanted):
            return None
        rows[name] = int(stored["rows"])
    return rows
