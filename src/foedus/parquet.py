"""A parquet file whose columns are encoded side by side, each as soon as it is known.

pyarrow writes a file's columns one after the other on one core, and only once the whole table is
in memory. A panel is built column by column: here each column is encoded by a thread of its own
while the next one is built, and then let go, so that what stays in memory is the compressed bytes.
The bytes of the file depend on the values alone, never on which thread was the first.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from foedus.footer import MAGIC, Struct, footer_of, packed
from foedus.store import atomic

# pyarrow's own default: big enough to compress well, small enough to be read in pieces.
ROW_GROUP = 1 << 20

# A fifth less time than zstd, for a file an eighth larger.
COMPRESSION = "lz4"

# Rows from which a column's writing is chosen, and how many times smaller LZ4 must make them to do
# without a dictionary.
SAMPLE = 1 << 15
LZ4_ALONE = 12

# Columns that may wait to be encoded, uncompressed.
MOST_WAITING = 12

Part = Callable[[int, int], pa.Array]
"""(first row, row after the last) -> the column's values in between."""

# Numbers of fields in parquet.thrift.
_NUM_ROWS, _ROW_GROUPS = 3, 4
_COLUMNS, _BYTES, _ROWS, _OFFSET, _COMPRESSED, _ORDINAL = 1, 2, 3, 5, 6, 7
_CHUNK_OFFSET, _META = 2, 3
_CHUNK_COMPRESSED, _DATA_PAGE, _DICTIONARY_PAGE = 7, 9, 11
_I16, _I64, _LIST, _STRUCT = 4, 6, 9, 12


def encode_column(
    name: str, kind: pa.DataType, part: Part, n_rows: int, bounds: bool = True
) -> memoryview:
    """Return a parquet file of one column, in row groups of ROW_GROUP rows.

    Parameters
    ----------
    name : str
    kind : DataType
    part : function
    n_rows : int
    bounds : bool
        Whether each row group says its least and greatest value, by which readers skip it.
    """
    schema = pa.schema([pa.field(name, kind)])
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        schema,
        compression=COMPRESSION,
        use_dictionary=_takes_dictionary(kind, part, n_rows),
        store_schema=False,
        write_statistics=bounds,
    ) as writer:
        for start in range(0, n_rows, ROW_GROUP):
            values = part(start, min(start + ROW_GROUP, n_rows))
            table = pa.Table.from_arrays([values], schema=schema)
            writer.write_table(table, row_group_size=ROW_GROUP)
    return memoryview(sink.getvalue())


def _takes_dictionary(kind: pa.DataType, part: Part, n_rows: int) -> bool:
    """Say whether a column is to be written as places in a list of its values.

    That pays where values are long and recur far apart (the target's capabilities). What recurs at
    once (the challenger's, year by year with each target) LZ4 packs as well alone, in half the
    time, and small integers likewise.
    """
    if pa.types.is_string(kind):
        return True
    if not pa.types.is_floating(kind) or not n_rows:
        return False
    sample = part(0, min(SAMPLE, n_rows)).buffers()[1]
    if sample is None:
        return True
    packed_size = len(pa.compress(sample, codec=COMPRESSION, asbytes=True))
    return bool(packed_size * LZ4_ALONE > sample.size)


def write_columns(path: Path, schema: pa.Schema, columns: list[memoryview], n_rows: int) -> None:
    """Write one file of columns that `encode_column` made, in the order of the schema, atomically.

    The layout is the usual one: row group after row group, in each the columns in their order.
    """
    footer = _footer_of_schema(schema)
    parts = [_row_groups(column) for column in columns]
    groups: list[Struct] = []
    with atomic(path) as temporary, temporary.open("wb") as out:
        at = out.write(MAGIC)
        for number in range(len(parts[0])):
            chunks, begins, rows = [], at, parts[0][number][_ROWS][1]
            for content, groups_of_column in zip(columns, parts, strict=True):
                (chunk,) = groups_of_column[number][_COLUMNS][1][1]
                start, length = _where(chunk)
                at += out.write(content[start : start + length])
                chunks.append(_moved(chunk, at - length - start))
            sizes = [part[number][_BYTES][1] for part in parts]
            groups.append(
                {
                    _COLUMNS: (_LIST, (_STRUCT, chunks)),
                    _BYTES: (_I64, sum(sizes)),
                    _ROWS: (_I64, rows),
                    _OFFSET: (_I64, begins),
                    _COMPRESSED: (_I64, at - begins),
                    _ORDINAL: (_I16, number),
                }
            )
        footer[_NUM_ROWS] = (_I64, n_rows)
        footer[_ROW_GROUPS] = (_LIST, (_STRUCT, groups))
        out.write(packed(footer))


def _footer_of_schema(schema: pa.Schema) -> Struct:
    """Return what pyarrow says of an empty table: schema, metadata, versions."""
    sink = pa.BufferOutputStream()
    # Not schema.empty_table(), which imports pandas.
    pq.write_table(pa.Table.from_batches([], schema), sink)
    return footer_of(memoryview(sink.getvalue()))


def _row_groups(column: memoryview) -> list[Struct]:
    groups: list[Struct] = footer_of(column)[_ROW_GROUPS][1][1]
    return groups


def _where(chunk: Struct) -> tuple[int, int]:
    """Return where a chunk's bytes begin in its file, and how many they are."""
    meta: Struct = chunk[_META][1]
    pages = [meta[field][1] for field in (_DATA_PAGE, _DICTIONARY_PAGE) if field in meta]
    return min(page for page in pages if page > 0), meta[_CHUNK_COMPRESSED][1]


def _moved(chunk: Struct, by: int) -> Struct:
    """Return a chunk's entry with its places moved by so many bytes."""
    meta = dict(chunk[_META][1])
    for field in (_DATA_PAGE, _DICTIONARY_PAGE):
        if field in meta:
            meta[field] = (_I64, meta[field][1] + by)
    # file_offset is deprecated: 0 says that the entry itself stands in the footer only.
    return {**chunk, _META: (_STRUCT, meta), _CHUNK_OFFSET: (_I64, 0)}


class _Task:
    """A piece of work that whoever comes first does, once."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.outcome: Future[Any] = Future()
        self._work: Callable[[], Any] | None = work
        self._taken = threading.Lock()

    def run(self) -> bool:
        """Do it unless it was taken; say whether it was done here."""
        if not self._taken.acquire(blocking=False):
            return False
        assert self._work is not None
        try:
            self.outcome.set_result(self._work())
        except BaseException as error:
            self.outcome.set_exception(error)
            if not isinstance(error, Exception):
                raise
        self._work = None  # it holds a column
        return True


class ColumnWriter:
    """Encodes columns beside whatever else goes on, and writes them as one file at the end.

    Use as a context manager; `finish` writes. Leaving without it writes nothing.

    Parameters
    ----------
    path : Path
    n_rows : int
    """

    def __init__(self, path: Path, n_rows: int) -> None:
        self.path, self.n_rows = path, n_rows
        # One core is left to whoever makes the columns: on two cores one thread encodes.
        self._pool = ThreadPoolExecutor(max_workers=min(2, max((os.cpu_count() or 1) - 1, 1)))
        self._fields: list[tuple[str, pa.DataType]] = []
        self._tasks: list[_Task] = []
        self._encoded: list[Future[memoryview]] = []

    def __enter__(self) -> ColumnWriter:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drop what hasn't begun, and wait for the rest."""
        self._pool.shutdown(cancel_futures=True)

    def put(self, name: str, kind: pa.DataType, part: Part, bounds: bool = True) -> None:
        """Take the next column; `part` may be called later, from another thread.

        While too many columns are waiting, one is encoded here: what they hold is what memory is
        spent on.
        """
        while sum(not encoded.done() for encoded in self._encoded) > MOST_WAITING:
            self._lend_a_hand()
        self._fields.append((name, kind))
        self._encoded.append(
            self.beside(partial(encode_column, name, kind, part, self.n_rows, bounds))
        )

    def beside(self, work: Callable[[], Any]) -> Future[Any]:
        """Run other work on the same threads (a column's distribution, say)."""
        task = _Task(work)
        self._tasks.append(task)
        self._pool.submit(task.run)
        return task.outcome

    def _lend_a_hand(self) -> None:
        """Do the last piece of work that hasn't begun; wait for one where all have."""
        while self._tasks:
            if self._tasks.pop().run():
                return
        wait([one for one in self._encoded if not one.done()], return_when=FIRST_COMPLETED)

    def help_out(self) -> None:
        """Do what hasn't begun, once there is nothing else to do here."""
        while self._tasks:
            self._tasks.pop().run()

    def finish(self, describe: Callable[[pa.Schema], pa.Schema]) -> None:
        """Write the file; `describe` adds metadata to the schema."""
        self.help_out()
        schema = describe(pa.schema([pa.field(name, kind) for name, kind in self._fields]))
        columns = [encoded.result() for encoded in self._encoded]
        write_columns(self.path, schema, columns, self.n_rows)


def arrow_of(values: NDArray[Any], gone: NDArray[np.bool_]) -> pa.Array:
    """Return numbers as an Arrow array over the same memory, null where `gone`.

    From buffers, because ``pa.array`` of numpy imports pandas: a second that no panel needs.
    """
    known = np.packbits(~gone, bitorder="little") if gone.any() else None
    buffers = [
        None if known is None else pa.py_buffer(known),
        pa.py_buffer(np.ascontiguousarray(values)),
    ]
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), buffers, int(gone.sum()))
