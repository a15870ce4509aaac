"""Files in, files out: atomic, deterministic, with provenance in the file itself.

The same inputs give the same bytes: sorted rows, sorted metadata keys, no time stamps, no
absolute paths. A file is written under a temporary name beside its place and renamed when whole.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import hashlib
import io
import json
import os
import platform
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from foedus.errors import InputError, MissingDataError

METADATA_KEY = b"foedus"
COLUMN_KEY = b"foedus.column"
_PART = ".part"


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes as 64 hex digits, reading it in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@functools.lru_cache(maxsize=512)
def _sha256_at(path: str, size: int, mtime_ns: int) -> str:
    return sha256_of(Path(path))


def sha256_cached(path: Path) -> str:
    """Return the sha256 of a file, computed once a process for each (path, size, mtime)."""
    stat = path.stat()
    return _sha256_at(str(path), stat.st_size, stat.st_mtime_ns)


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; rename it to `path` if the block ends well.

    On any error the temporary file is removed and `path` is as it was. Two processes that write
    the same file each have their own temporary name, so the last rename wins whole. A temporary
    file of a process that was killed is removed by the next one that writes the same file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_orphans(path)
    descriptor, name = tempfile.mkstemp(
        prefix=f".{path.name}.{_this_process()}.", suffix=_PART, dir=path.parent
    )
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _this_process() -> str:
    """Return a name of this process that others can recognise: its machine's and its number."""
    machine = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
    return f"{machine}-{os.getpid()}"


def _clear_orphans(path: Path) -> None:
    """Remove temporary files beside `path` whose process, on this machine, is no more."""
    machine = _this_process().partition("-")[0]
    start = f".{path.name}.{machine}-"
    left = re.compile(rf"{re.escape(start)}(\d+)\.[^.]+{re.escape(_PART)}")
    with os.scandir(path.parent) as entries:
        ours = [entry for entry in entries if entry.name.startswith(start)]
    found = [(entry.path, match) for entry in ours if (match := left.fullmatch(entry.name))]
    for orphan, match in found:
        if not _alive(int(match.group(1))):
            Path(orphan).unlink(missing_ok=True)


def _alive(process: int) -> bool:
    """Return whether a process of this number runs; one that we may not signal does."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes atomically; leave the file (and its mtime) alone when it holds them already."""
    if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
        return
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8 with LF line ends, atomically."""
    write_bytes(path, text.encode("utf-8"))


def dump_json(value: Any) -> str:
    """Return `value` as JSON text with sorted keys and a final newline."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, atomically."""
    write_text(path, dump_json(value))


def read_json(path: Path) -> Any:
    """Read a JSON file; raise InputError with the place if it isn't JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: not valid JSON: {error}. Delete it and run again.") from error


def with_metadata(
    table: pa.Table,
    metadata: Mapping[str, Any],
    columns: Mapping[str, Mapping[str, str]] | None = None,
) -> pa.Table:
    """Return `table` with one JSON object on the table and one on each described column.

    Parameters
    ----------
    table : pyarrow.Table
    metadata : mapping
        Stored as JSON under the key ``foedus`` of the parquet schema.
    columns : mapping of column name to mapping, optional
        Definition, unit, source and citation of each column, stored with the column.
    """
    schema = described(table.schema, metadata, columns)
    bare = pa.schema(list(schema))
    return table.cast(bare).replace_schema_metadata(schema.metadata)


def described(
    schema: pa.Schema,
    metadata: Mapping[str, Any],
    columns: Mapping[str, Mapping[str, str]] | None = None,
) -> pa.Schema:
    """Return a schema with the metadata that `with_metadata` gives a table."""
    fields = []
    for field in schema:
        note = (columns or {}).get(field.name)
        packed = {COLUMN_KEY: json.dumps(dict(note), sort_keys=True)} if note else None
        fields.append(field.with_metadata(packed))
    return pa.schema(fields, {METADATA_KEY: json.dumps(dict(metadata), sort_keys=True)})


def table_metadata(schema: pa.Schema) -> dict[str, Any]:
    """Return the JSON object stored on a table's schema, empty when there is none."""
    stored = (schema.metadata or {}).get(METADATA_KEY)
    return dict(json.loads(stored)) if stored else {}


def column_metadata(schema: pa.Schema) -> dict[str, dict[str, str]]:
    """Return the JSON objects stored on a schema's columns by column name."""
    notes = {}
    for field in schema:
        stored = (field.metadata or {}).get(COLUMN_KEY)
        if stored:
            notes[field.name] = dict(json.loads(stored))
    return notes


def nullable_types() -> dict[pa.DataType, Any]:
    """Return the pandas types that keep whole numbers and truths whole where some are missing."""
    import pandas as pd

    return {
        pa.int8(): pd.Int8Dtype(),
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }


def write_parquet(
    table: pa.Table,
    path: Path,
    metadata: Mapping[str, Any] | None = None,
    columns: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Write a table as parquet, atomically and with the same bytes for the same content."""
    if metadata is not None:
        table = with_metadata(table, metadata, columns)
    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=1, store_schema=True)


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a parquet file into an Arrow table.

    Raises
    ------
    MissingDataError
        If the file isn't there.
    InputError
        If it isn't parquet (a half-copied file, say).
    """
    if not path.is_file():
        raise MissingDataError(f"{path}: no such table. Make it with `foedus ingest`.")
    try:
        # ParquetFile, not read_table: the latter imports pandas, which takes a second.
        return pq.ParquetFile(path).read(columns=list(columns) if columns else None)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{path}: not a readable parquet file ({error}). Delete it and run the command again."
        ) from error


def format_number(value: float, digits: int = 12) -> str:
    """Return a number in its shortest form with at most `digits` significant digits.

    Twelve digits are far below the noise that a different BLAS makes in the sixteenth, so that the
    text is the same on two machines; missing values are the empty string.
    """
    if value is None or value != value:  # NaN is the only number unequal to itself
        return ""
    return f"{value:.{digits}g}"


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write rows as CSV (UTF-8, LF), floats in at most twelve significant digits, atomically."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(
            [
                format_number(cell) if isinstance(cell, float) else ("" if cell is None else cell)
                for cell in row
            ]
        )
    write_text(path, buffer.getvalue())
