"""One DuckDB file over everything made: each table, panel and result as a view, for SQL.

The file holds no data. Its views read the parquet files beside it by paths relative to their
folder, so that the folder can be moved or copied whole; `connect` (or starting ``duckdb`` in the
folder) tells DuckDB where that is.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foedus import store
from foedus.errors import MissingDataError, UsageError

if TYPE_CHECKING:
    import duckdb

NAME = "foedus.duckdb"
_RESULTS = ("estimates", "comparison")
_BLOCK, _IDENTIFIER = 4096, slice(124, 140)


@dataclass(frozen=True)
class View:
    """A view and the parquet file that it reads.

    Attributes
    ----------
    schema, name : str
        ``atop.members``, ``panels.directed_dyad_year``, ``main.estimates``.
    file : Path
        Relative to the folder.
    """

    schema: str
    name: str
    file: Path

    @property
    def quoted(self) -> str:
        """The view's name in SQL."""
        return f'"{self.schema}"."{self.name}"'


def _identifier(text: str) -> str:
    """Return a name that needs no quotes: ``atop_4.01`` → ``atop_4_01``."""
    return re.sub(r"\W", "_", text)


def views(data: Path) -> list[View]:
    """Return the views that the parquet files of a results folder make, in order."""
    return sorted(_views(data), key=lambda view: (view.schema, view.name))


def _views(data: Path) -> Iterator[View]:
    for path in data.glob("tables/*/*.parquet"):
        yield View(_identifier(path.parent.name), _identifier(path.stem), path.relative_to(data))
    for folder in ("panels", "curves"):
        for path in data.glob(f"{folder}/*.parquet"):
            yield View(folder, _identifier(path.stem), path.relative_to(data))
    for name in _RESULTS:
        if (data / f"{name}.parquet").is_file():
            yield View("main", name, Path(f"{name}.parquet"))


def write_database(data: Path) -> tuple[Path, list[View]]:
    """Write DATA/foedus.duckdb, atomically, and return it with its views.

    Besides the views there is one table, ``main.dictionary``: view, column, type, definition,
    unit, sources, citations and coverage of every column, as far as the files say.

    Raises
    ------
    MissingDataError
        If nothing has been made there yet.
    """
    import duckdb

    listed = views(data)
    if not listed:
        raise MissingDataError(
            f"{data}: no table, panel or result to query. Make some with `foedus ingest` or "
            "`foedus panel`."
        )
    out = data / NAME
    with store.atomic(out) as temporary:
        temporary.unlink()  # DuckDB makes its own file and takes no empty one
        with duckdb.connect(str(temporary)) as connection:
            _look_in(connection, data)
            for schema in sorted({view.schema for view in listed} - {"main"}):
                connection.execute(f'create schema "{schema}"')
            for view in listed:
                connection.execute(
                    f"create view {view.quoted} as "
                    f"select * from read_parquet('{view.file.as_posix()}')"
                )
            _describe(connection, data, listed)
            connection.execute("checkpoint")
        _settle(temporary)
    return out, listed


def connect(data: Path) -> duckdb.DuckDBPyConnection:
    """Open a results folder's database for reading, wherever the folder stands.

    Raises
    ------
    MissingDataError
        If there is none.
    """
    import duckdb

    path = data / NAME
    if not path.is_file():
        raise MissingDataError(f"{path}: no such database. Make it with `foedus database`.")
    connection = duckdb.connect(str(path), read_only=True)
    _look_in(connection, data)
    return connection


def _look_in(connection: duckdb.DuckDBPyConnection, data: Path) -> None:
    folder = str(data.resolve()).replace("'", "''")
    connection.execute(f"set file_search_path = '{folder}'")


def _describe(connection: duckdb.DuckDBPyConnection, data: Path, listed: list[View]) -> None:
    """Write what each column is into ``main.dictionary``."""
    import pyarrow.parquet as pq

    told = ("definition", "unit", "sources", "citations", "coverage")
    names = ", ".join(f'"{name}" varchar' for name in ("view", "column", "type", *told))
    connection.execute(f"create table main.dictionary ({names})")
    rows: list[list[Any]] = []
    for view in listed:
        schema = pq.read_schema(data / view.file)
        notes = store.column_metadata(schema)
        for field in schema:
            note = notes.get(field.name, {})
            shown = f"{view.schema}.{view.name}"
            rows.append(
                [shown, field.name, str(field.type), *(note.get(name) or None for name in told)]
            )
    marks = ", ".join("?" * (3 + len(told)))
    connection.executemany(f"insert into main.dictionary values ({marks})", rows)


def _settle(path: Path) -> None:
    """Put fixed bytes where DuckDB writes a random identifier: the same views, the same file.

    The identifier stands in the first block, whose first eight bytes are a checksum of the rest of
    it. Should another release of DuckDB lay the block out differently, the file is left as it is.
    """
    with path.open("r+b") as file:
        block = bytearray(file.read(_BLOCK))
        if len(block) < _BLOCK or block[:8] != _checksum(block):
            return
        block[_IDENTIFIER] = b"foedus".ljust(_IDENTIFIER.stop - _IDENTIFIER.start, b"\0")
        block[:8] = _checksum(block)
        file.seek(0)
        file.write(block)


def _checksum(block: bytearray) -> bytes:
    """Return DuckDB's checksum of a block: each word times a constant, all of them xored."""
    result = 5381
    for (word,) in struct.iter_unpack("<Q", block[8:]):
        result ^= word * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    return struct.pack("<Q", result)


def answer(data: Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the column names and rows that a query gives.

    Raises
    ------
    UsageError
        If DuckDB can't run it, with what it says.
    """
    import duckdb

    with connect(data) as connection:
        try:
            result = connection.execute(sql)
            return [column[0] for column in result.description or ()], result.fetchall()
        except duckdb.Error as error:
            raise UsageError(f"the query can't be answered: {error}") from error
