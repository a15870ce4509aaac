"""Excel workbooks (.xlsx): the first sheet, by the same rules as for text.

A workbook is a zip of XML, so that the standard library reads it; only plain cells are known here
(numbers and words), no dates, which Excel stores as numbers.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from foedus.errors import SourceError
from foedus.sources.reading import ROW, Raw, corrected, read_bytes
from foedus.sources.registry import SourceFacts
from foedus.sources.schema import Column, Rows, typed

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_SHEET = "xl/worksheets/sheet1.xml"
_WORDS = "xl/sharedStrings.xml"


def read_excel(path: Path, columns: Sequence[Column], facts: SourceFacts) -> Rows:
    """Read a workbook's first sheet into typed, decoded and checked columns.

    Raises
    ------
    SourceError
        If the file is no workbook, breaks off, has no record, or breaks a rule of its columns.
    """
    header, *records = cells(path)
    if not records:
        raise SourceError(f"{path}, line 2: no record follows the header. Fetch the file again.")
    columnwise = list(zip(*records, strict=True))
    frame = pl.DataFrame(
        [
            pl.Series(name, values, pl.String)
            for name, values in zip(header, columnwise, strict=True)
        ]
    )
    raw = Raw(path, tuple(header), frame.with_row_index(ROW), "")
    raw = corrected(raw, facts, path.name)
    return Rows(typed(raw, columns, facts), raw)


def cells(path: Path) -> list[list[str]]:
    """Return the text of the first sheet's cells, row by row, each as long as the header.

    Raises
    ------
    SourceError
        If the file is no workbook, or a row is longer than the header.
    """
    content = read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            words = _shared(book)
            sheet = ET.fromstring(book.read(_SHEET))
        found = [_row(row, words) for row in sheet.iter(f"{_MAIN}row")]
    except (zipfile.BadZipFile, KeyError, ET.ParseError, ValueError, IndexError, OSError) as error:
        start = content[:64].lstrip().lower()
        what = "a web page" if start.startswith((b"<!doctype", b"<html")) else "no whole workbook"
        raise SourceError(
            f"{path}: this is {what} ({error}). Delete it and fetch the released file again."
        ) from error
    width = len(found[0]) if found else 0
    for number, row in enumerate(found):
        if not width or len(row) > width:
            raise SourceError(
                f"{path}, line {number + 1}: the row has {len(row)} cells, the header {width}. "
                "Fetch the released file again."
            )
    return [row + [""] * (width - len(row)) for row in found]


def _shared(book: zipfile.ZipFile) -> list[str]:
    if _WORDS not in book.namelist():
        return []
    items = ET.fromstring(book.read(_WORDS)).iter(f"{_MAIN}si")
    return ["".join(part.text or "" for part in item.iter(f"{_MAIN}t")) for item in items]


def _row(row: ET.Element, words: Sequence[str]) -> list[str]:
    texts: list[str] = []
    for cell in row.iter(f"{_MAIN}c"):
        at = _position(cell.get("r", ""))
        texts += [""] * (at - len(texts))
        texts.append(_text(cell, words))
    return texts


def _position(reference: str) -> int:
    """Return the column (0 for A) of a cell's reference, such as ``AB12``."""
    letters = re.match(r"[A-Z]+", reference)
    if letters is None:
        raise ValueError(f"a cell has no place: {reference}")
    at = 0
    for letter in letters.group():
        at = at * 26 + ord(letter) - ord("A") + 1
    return at - 1


def _text(cell: ET.Element, words: Sequence[str]) -> str:
    if cell.get("t") == "inlineStr":
        return "".join(part.text or "" for part in cell.iter(f"{_MAIN}t"))
    value = cell.find(f"{_MAIN}v")
    text = (value.text or "") if value is not None else ""
    return words[int(text)] if cell.get("t") == "s" else text
