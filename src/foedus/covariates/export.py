"""A panel as a file, by the file's ending, with its codebook beside it."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from foedus import store
from foedus.covariates.assemble import Panel, arrow_array, arrow_type
from foedus.covariates.codebook import (
    Codebook,
    codebook,
    codebook_html,
    codebook_markdown,
    key_says,
    panel_codebook,
)
from foedus.covariates.stream import Column, PanelStream
from foedus.errors import UsageError
from foedus.parquet import ColumnWriter

ENDINGS = (".parquet", ".csv", ".csv.gz", ".dta")
_STATA_LABEL = 80
_STATA_NAME = 32
_STATA_TAIL = 10


def ending_of(out: Path) -> str:
    """Return which of the known endings a file has.

    Raises
    ------
    UsageError
        For any other.
    """
    for ending in sorted(ENDINGS, key=len, reverse=True):
        if out.name.endswith(ending):
            return ending
    raise UsageError(
        f'"{out.name}": a panel is written as {", ".join(ENDINGS)}; choose one of these endings.'
    )


def write_panel(panel: Panel, out: Path) -> list[Path]:
    """Write a panel and its codebook (<name>.codebook.html and .md) and return the files.

    Each is written under a temporary name and renamed, so that an interrupted run leaves the old
    file or the new one, never half of one.
    """
    ending = ending_of(out)
    writer = {
        ".parquet": _write_parquet,
        ".csv": _write_csv,
        ".csv.gz": _write_csv_gz,
        ".dta": _write_dta,
    }[ending]
    # The file is written while the codebook is made: both read the panel, neither changes it.
    with ThreadPoolExecutor(max_workers=1) as beside:
        writing = beside.submit(writer, panel, out)
        book = panel_codebook(panel, out.name[: -len(ending)])
        writing.result()
    return [out, *_write_codebook(book, out)]


def write_stream(stream: PanelStream, out: Path) -> tuple[list[Path], list[str]]:
    """Write a panel and its codebook as its columns are made; return the files and the columns.

    A parquet file never has more than one covariate in memory uncompressed; the other kinds hold
    rows side by side and need the whole panel.
    """
    if ending_of(out) != ".parquet":
        panel = stream.panel()
        return write_panel(panel, out), list(panel.columns)
    counted = []
    with ColumnWriter(out, stream.n_rows) as writer:
        for column in stream:
            kind = arrow_type(column.dtype)
            # People filter by keys: only their bounds save a reader anything.
            part = partial(_arrow_part, stream, column)
            writer.put(column.name, kind, part, bounds=column.note is None)
            counted.append((column, writer.beside(partial(stream.distribution, column))))
        provenance = stream.provenance()
        writer.help_out()
        listed = [(column.name, column.note, spread.result()) for column, spread in counted]
        title = out.name.removesuffix(".parquet")
        book = codebook(title, stream.unit, stream.years, listed, provenance)
        notes = {name: note.as_metadata() for name, note, _ in listed if note is not None}
        metadata = {"unit": stream.unit, **provenance}
        writer.finish(lambda schema: store.described(schema, metadata, notes))
    return [out, *_write_codebook(book, out)], [name for name, _, _ in listed]


def _arrow_part(stream: PanelStream, column: Column, start: int, stop: int) -> pa.Array:
    return arrow_array(stream.part(column, start, stop))


def _write_codebook(book: Codebook, out: Path) -> list[Path]:
    html, markdown = (out.with_name(f"{book.title}.codebook.{kind}") for kind in ("html", "md"))
    store.write_text(html, codebook_html(book))
    store.write_text(markdown, codebook_markdown(book))
    return [html, markdown]


def _write_parquet(panel: Panel, out: Path) -> None:
    store.write_parquet(panel.table, out)


def _write_csv(panel: Panel, out: Path) -> None:
    with store.atomic(out) as temporary:
        pa_csv.write_csv(_plain(panel), temporary)


def _write_csv_gz(panel: Panel, out: Path) -> None:
    # mtime=0 and no name: the header would carry the clock and the temporary name otherwise.
    with (
        store.atomic(out) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed,
    ):
        pa_csv.write_csv(_plain(panel), packed)


def _plain(panel: Panel) -> pa.Table:
    """Return a panel as a CSV can hold it: without metadata, so that a world's mark is a column."""
    table = panel.table.replace_schema_metadata(None)
    if not panel.simulated:
        return table
    return table.append_column("data", pa.array(["SIMULATED"] * panel.n_rows, pa.string()))


def _value_labels(panel: Panel) -> dict[Any, dict[int | float, str]]:
    """Return what the codes of each column mean: those declared, and no and yes for flags."""
    made: dict[Any, dict[int | float, str]] = {}
    for name, note in panel.notes.items():
        if note.labels:
            made[name] = {int(code): text for code, text in note.labels.items()}
        elif note.kind == "flag":
            made[name] = {0: "no", 1: "yes"}
    return made


def stata_names(columns: Sequence[str]) -> dict[str, str]:
    """Return a name that Stata allows for each column whose own is longer than 32 letters.

    The first 21 letters and the last 10 with an underscore between them, whatever the other
    columns are, so that a do-file holds for every panel.

    Raises
    ------
    UsageError
        If two columns would have one name.
    """
    head = _STATA_NAME - _STATA_TAIL - 1
    short = {
        name: f"{name[:head]}_{name[-_STATA_TAIL:]}" for name in columns if len(name) > _STATA_NAME
    }
    names = [short.get(name, name) for name in columns]
    twice = [name for name in columns if names.count(short.get(name, name)) > 1]
    if twice:
        raise UsageError(
            f"Stata allows {_STATA_NAME} letters in a name, and {' and '.join(twice)} are the same "
            "when cut. Write .parquet or .csv, or ask for fewer covariates."
        )
    return short


def _write_dta(panel: Panel, out: Path) -> None:
    """Write Stata 118 with variable and value labels and a fixed time stamp: the same bytes.

    Names that are too long for Stata are cut (`stata_names`).
    """
    import datetime

    frame = panel.to_pandas()
    # pandas copies a frame's attrs whole at every look at a column: hundreds of columns of notes.
    frame.attrs = {}
    kinds = {"Int8": "float64", "Int16": "float64", "Int32": "float64", "Int64": "float64",
             "int64": "int32"}  # fmt: skip
    frame = frame.astype(
        {name: kinds[str(kind)] for name, kind in frame.dtypes.items() if str(kind) in kinds}
    )
    short = stata_names(list(frame.columns))
    frame = frame.rename(columns=short)
    # A name that had to be cut stands whole at the head of its label.
    labels: dict[Any, str] = {
        short.get(name, name): (f"{name}: " * (name in short) + note.definition)[:_STATA_LABEL]
        for name, note in panel.notes.items()
    }
    labels |= {key: key_says(key) for key in panel.keys}
    codes = {short.get(name, name): told for name, told in _value_labels(panel).items()}
    with store.atomic(out) as temporary:
        frame.to_stata(
            temporary,
            write_index=False,
            version=118,
            variable_labels=labels,
            value_labels=codes,
            time_stamp=datetime.datetime(2000, 1, 1),
            data_label=f"{'SIMULATED ' if panel.simulated else ''}foedus {panel.unit} "
            f"{panel.years[0]}-{panel.years[1]}",
        )
