"""From bytes to a frame of text: encodings, line ends, compression, and files that are no data.

Nothing is guessed. A file is decoded as its YAML says; a page of HTML, an empty or cut-off file, a
line with too few fields or another encoding stop with the line they stand on.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv

from foedus.errors import SourceError
from foedus.sources.registry import Correction, FileFacts, SourceFacts

ROW = "_row"
LINE_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
_PAGE_STARTS = ("<!doctype", "<html", "<?xml", "<head", "<body")


@dataclass(frozen=True)
class Raw:
    """A delimited file as text.

    Attributes
    ----------
    path : Path
        The file, for messages.
    header : tuple of str
        Column names, blanks at their ends removed; a repeated name gets ``#2``.
    frame : polars.DataFrame
        One text column a header, and ``_row`` (0 for the first record).
    text : str
        The whole file with line ends as LF; empty for a file that isn't text.
    separator : str
    first_line : int
        Line of the first record: 2 below a header, 1 in a Stata file.
    """

    path: Path
    header: tuple[str, ...]
    frame: pl.DataFrame
    text: str
    separator: str = ","
    first_line: int = 2

    def line(self, row: int) -> int:
        """Return the line of the file on which a record begins (the header is line 1)."""
        before = self.first_line - 1  # lines above the first record
        ends = self.text.count("\n") - self.text.endswith("\n")
        if ends in (0, self.frame.height + before - 1):
            return row + self.first_line  # no field holds a line end
        reader = csv.reader(io.StringIO(self.text), delimiter=self.separator)
        last = 0
        for number, _ in enumerate(reader):
            if number == row + before:
                return last + 1
            last = reader.line_num
        return last


def read_delimited(path: Path, facts: SourceFacts, name: str | None = None) -> Raw:
    """Read a delimited text file whole, every field as text, with its corrections applied.

    Parameters
    ----------
    path : Path
    facts : SourceFacts
    name : str, optional
        Name under which the facts know the file; by default the path's own.

    Raises
    ------
    SourceError
        Empty, cut off, no text in the declared encoding, HTML, or a line with another number of
        fields than the header.
    """
    file = facts.file(name or path.name)
    text = _normal_lines(path, file, read_text(path, file))
    header, body = _split_header(path, file, text)
    frame = _fields(path, file, header, body, text)
    return corrected(Raw(path, header, frame, text, file.separator), facts, file.name)


def read_headerless(
    path: Path, facts: SourceFacts, header: Sequence[str], name: str | None = None
) -> Raw:
    """Read a delimited text file that has no header, as `read_delimited` does.

    Parameters
    ----------
    header : sequence of str
        What its columns are called, in their order.
    """
    file = facts.file(name or path.name)
    text = _normal_lines(path, file, read_text(path, file))
    frame = _fields(path, file, header, text, text)
    raw = Raw(path, tuple(header), frame, text, file.separator, first_line=1)
    return corrected(raw, facts, file.name)


def corrected(raw: Raw, facts: SourceFacts, name: str) -> Raw:
    """Apply the corrections that a source declares for one of its files."""
    return correct(raw, [item for item in facts.corrections if item.file == name], facts)


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes, decompressed if its name ends in .gz.

    Raises
    ------
    SourceError
        If it can't be read, is empty, or is no whole gzip file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(
            f"{path}: can't be read ({error.strerror}). Mend its permissions, or fetch it again."
        ) from error
    if not content:
        raise SourceError(f"{path}: the file is empty. Delete it and fetch it again.")
    if path.suffix != ".gz":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        what = "a web page" if _looks_like_page(content[:512]) else "no whole gzip file"
        raise SourceError(
            f"{path}: this is {what} ({error}): the download broke off or went wrong. Delete it "
            "and fetch it again."
        ) from error


def _looks_like_page(start: bytes) -> bool:
    words = start.decode("latin-1").lstrip("\ufeff\xef\xbb\xbf \t\r\n").lower()
    return words.startswith(_PAGE_STARTS)


def read_text(path: Path, file: FileFacts) -> str:
    """Return a file's text, decoded as its facts say.

    Raises
    ------
    SourceError
        With the line on which the bytes stop being text of that encoding.
    """
    content = read_bytes(path)
    if not content.strip():
        raise SourceError(f"{path}: the file is empty. Delete it and fetch it again.")
    if _looks_like_page(content[:512]):
        raise SourceError(
            f"{path}, line 1: this is a web page, not {file.name}: the server answered with HTML. "
            f"Delete it and download it by hand from {file.page or file.url or 'its project'}."
        )
    if b"\x00" in content[:4096]:
        raise SourceError(
            f"{path}, line 1: the file holds binary zeros: it is no text, or was saved as UTF-16. "
            f"Save it as {file.encoding} again, or fetch the released file."
        )
    try:
        text = content.decode("utf-8-sig" if file.encoding == "utf-8" else file.encoding)
    except UnicodeDecodeError as error:
        raise SourceError(_not_decodable(path, file, content, error.start)) from error
    if file.encoding == "cp1252" and not content.isascii():
        _refuse_resaved(path, file, content)
    return text


def _not_decodable(path: Path, file: FileFacts, content: bytes, at: int) -> str:
    before = content[:at].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    line = before.count(b"\n") + 1
    column = before.rsplit(b"\n", 1)[-1].count(file.separator.encode()) + 1
    return (
        f"{path}, line {line}, column {column}: byte 0x{content[at]:02x} is no {file.encoding} "
        f"text, the encoding in which this file is released. Fetch the released file, or save it "
        f"as {file.encoding} again."
    )


def _refuse_resaved(path: Path, file: FileFacts, content: bytes) -> None:
    """Stop at a cp1252 file that someone saved as UTF-8: it would decode, but to wrong letters."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return
    at = next(index for index, byte in enumerate(content) if byte > 127)
    line = content[:at].replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
    raise SourceError(
        f"{path}, line {line}: the file is saved as UTF-8, the release is cp1252, so that letters "
        "with accents would turn out wrong. Fetch the released file, or save it as cp1252."
    )


def shown(value: object, most: int = 40) -> str:
    """Return a value as it is shown in a message: one line, in quotes, cut when long."""
    text = " ".join(str(value).split())
    return f'"{text[:most]}..."' if len(text) > most else f'"{text}"'


def _normal_lines(path: Path, file: FileFacts, text: str) -> str:
    normal = text.replace("\r\n", "\n").replace("\r", "\n")
    if file.final_line_end and not normal.endswith("\n"):
        line = normal.count("\n") + 1
        raise SourceError(
            f"{path}, line {line}: the file breaks off in this line "
            f"({shown(normal.rsplit(chr(10), 1)[-1])} has no line end, which the released file "
            "has). Delete it and fetch it again."
        )
    return normal


def _split_header(path: Path, file: FileFacts, text: str) -> tuple[tuple[str, ...], str]:
    first, _, body = text.partition("\n")
    try:
        names = next(csv.reader([first], delimiter=file.separator, strict=True))
    except (csv.Error, StopIteration) as error:
        raise SourceError(
            f"{path}, line 1: the header can't be read ({error or 'empty'}). Fetch it again."
        ) from error
    header: list[str] = []
    for name in (part.strip() for part in names):
        repeats = sum(known.split("#")[0] == name for known in header)
        header.append(f"{name}#{repeats + 1}" if repeats else name)
    return tuple(header), body


def _fields(
    path: Path, file: FileFacts, header: Sequence[str], body: str, text: str
) -> pl.DataFrame:
    if not body.strip():
        raise SourceError(f"{path}, line 2: no record follows the header. Fetch the file again.")
    wrong: list[Any] = []

    def note(row: Any) -> str:
        wrong.append(row)
        return "skip"

    content = body.encode("utf-8")
    try:
        table = pacsv.read_csv(
            io.BytesIO(content),
            read_options=pacsv.ReadOptions(
                column_names=list(header), use_threads=False, block_size=len(content) + 1024
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=file.separator,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=note,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.large_string() for name in header},
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise SourceError(
            f"{path}: its fields can't be told apart ({shown(error, 160)}). Fetch the file again."
        ) from error
    if wrong:
        _refuse_ragged(path, file, header, text)
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    if not file.multiline and frame.height != body.count("\n") + (not body.endswith("\n")):
        _refuse_open_quote(path, file, text)
    return frame.with_row_index(ROW)


def _refuse_open_quote(path: Path, file: FileFacts, text: str) -> None:
    """Stop at a quote that swallows line ends, and with them records, in a file that has none."""
    reader = csv.reader(io.StringIO(text), delimiter=file.separator)
    begins = 1
    for fields in reader:
        if reader.line_num > begins:
            value = next((field for field in fields if "\n" in field), "")
            raise SourceError(
                f"{path}, line {begins}: a quote that opens in this line isn't closed in it, "
                f"before {shown(value)}, so that the lines that follow would be lost. Close the "
                "quote, or fetch the released file again."
            )
        begins = reader.line_num + 1
    raise SourceError(f"{path}: a quote isn't closed. Fetch the released file again.")


def _refuse_ragged(path: Path, file: FileFacts, header: Sequence[str], text: str) -> None:
    reader = csv.reader(io.StringIO(text), delimiter=file.separator)
    begins = 1
    for number, fields in enumerate(reader):
        if number and len(fields) != len(header):
            broken = "more" if len(fields) > len(header) else "fewer"
            last = fields[-1] if fields else ""
            column = header[len(fields)] if len(fields) < len(header) else header[-1]
            raise SourceError(
                f"{path}, line {begins}, column {column}: the line ends with {shown(last)} after "
                f"{len(fields)} fields, {broken} than the {len(header)} of the header: cut off, or "
                "a quote or separator is wrong. Delete the file and fetch it again."
            )
        begins = reader.line_num + 1
    raise SourceError(f"{path}: a line has another number of fields than the header.")


def correct(raw: Raw, corrections: Sequence[Correction], facts: SourceFacts) -> Raw:
    """Apply a source's declared corrections to its raw text.

    Raises
    ------
    SourceError
        If a correction finds no row, or no longer finds the error it mends: the source has
        changed, and the correction must be looked at again.
    """
    frame = raw.frame
    for item in corrections:
        frame = _correct_one(raw, frame, item, facts)
    return replace(raw, frame=frame)


def _correct_one(
    raw: Raw, frame: pl.DataFrame, item: Correction, facts: SourceFacts
) -> pl.DataFrame:
    origin = f"sources/{facts.id}.corrections.yaml"
    place = ", ".join(f"{name} {value}" for name, value in item.where.items())
    unknown = [name for name in [*item.where, item.column] if name not in raw.header]
    if unknown:
        raise SourceError(f"{origin}: {raw.path.name} has no column {unknown[0]}.")
    here = frame.select(
        pl.all_horizontal(
            pl.col(name).str.strip_chars() == str(value) for name, value in item.where.items()
        )
    ).to_series()
    if not here.any():
        raise SourceError(
            f"{origin}: no row of {raw.path} has {place}. If the source has been mended, remove "
            "the correction."
        )
    found = frame.filter(here)[item.column].str.strip_chars()
    if not (found == str(item.expect)).all():
        row = int(here.arg_true()[0])
        raise SourceError(
            f"{raw.path}, line {raw.line(row)}, column {item.column}: found {shown(found[0])} "
            f'where {origin} expects the error "{item.expect}" ({place}): the source has been '
            "mended or has changed. Look at it and remove or rewrite the correction."
        )
    mended = pl.when(here).then(pl.lit(str(item.set))).otherwise(pl.col(item.column))
    return frame.with_columns(mended.alias(item.column))
