"""Small valid files in the official layouts, made from the schemas, and ways to spoil them."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from xml.sax.saxutils import escape

from foedus.sources.excel import cells as excel_cells
from foedus.sources.registry import FileFacts, SourceFacts, reader
from foedus.sources.schema import Column

ROWS = 4


@dataclass(frozen=True)
class Sheet:
    """A file as header and rows of text, with the columns that its schema gives it."""

    file: FileFacts
    columns: tuple[Column, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def set(self, row: int, column: str, value: str) -> Sheet:
        at = self.header.index(column)
        rows = [list(cells) for cells in self.rows]
        rows[row][at] = value
        return replace(self, rows=tuple(tuple(cells) for cells in rows))

    def line(self, record: int) -> str:
        """Return how a message names the line of a record, counted from 1."""
        return f"line {record if self.file.name.endswith('.dta') else record + 1}"

    def encode(self) -> bytes:
        if self.file.name.endswith(".dta"):
            return self._stata()
        if self.file.name.endswith(".xlsx"):
            return self._excel()
        buffer = io.StringIO()
        ends = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
        writer = csv.writer(
            buffer, delimiter=self.file.separator, lineterminator=ends[self.file.line_end]
        )
        writer.writerow([name.split("#")[0] for name in self.header])
        writer.writerows(self.rows)
        content = buffer.getvalue().encode(self.file.encoding)
        return gzip.compress(content, mtime=0) if self.file.name.endswith(".gz") else content

    def _excel(self) -> bytes:
        space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        rows = ""
        for number, row in enumerate((self.header, *self.rows), 1):
            cells = (
                f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'
                for at, text in enumerate(row)
                if text
            )
            rows += f'<row r="{number}">{"".join(cells)}</row>'
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as book:
            book.writestr(
                "xl/worksheets/sheet1.xml",
                f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>',
            )
        return buffer.getvalue()

    def _stata(self) -> bytes:
        import pandas as pd

        frame = pd.DataFrame(self.rows, columns=list(self.header))
        for name in frame.columns:
            numbers = pd.to_numeric(frame[name], errors="coerce")
            if not numbers.isna()[frame[name] != ""].any():
                frame[name] = numbers.astype(float)
        buffer = io.BytesIO()
        frame.to_stata(buffer, write_index=False, version=118)
        return buffer.getvalue()


def stored(facts: SourceFacts, file: FileFacts) -> tuple[Column, ...]:
    """Return the columns that stand in a file: files and tables are listed in the same order."""
    registered = reader(facts)
    tables = list(registered.tables.values())
    columns = registered.layouts.get(file.name) or tables[facts.files.index(file)]
    return tuple(column for column in columns if not column.derived)


def handmade(facts: SourceFacts, file: FileFacts) -> Sheet:
    """Make a valid file of a few rows from nothing but the schema."""
    columns = stored(facts, file)
    order = tuple(column.header for column in columns)
    key = key_of(facts, file)
    rows = tuple(tuple(_value(col, facts, row, key) for col in columns) for row in range(ROWS))
    return Sheet(file, columns, order, rows)


# What the schema alone doesn't say: keys differ between rows, ends follow starts.
_COUNTED = {
    "ccode", "ccode1", "atopid", "member", "dispnum", "warnum", "warid", "polity_ccode", "incidnum",
    "rivalryno", "tssr_id", "init_war_id", "statea", "war", "conflict_id", "crisno", "race_id",
    "number",
}  # fmt: skip
_FIXED = {
    "ineffect": "1", "yrexit": "0", "moexit": "0", "dayexit": "0", "midongoing": "1", "endyr": "0",
    "endmo": "0",
}  # fmt: skip


def key_of(facts: SourceFacts, file: FileFacts) -> list[str]:
    """Return the key of the table that a file becomes."""
    return list(list(facts.tables.values())[facts.files.index(file)].key)


def _value(column: Column, facts: SourceFacts, row: int, key: list[str]) -> str:
    name = column.name
    if name in _FIXED and facts.codes_of(name) != {0: "no"}:
        return _FIXED[name]
    if name in _COUNTED:
        return str(int(column.low or 1) + 100 + row)
    if name in ("ccode2", "stateb"):
        return str(int(column.low or 1) + 500 + row)
    if [name] == key and column.kind != "date":
        return str(facts.coverage[0] + row) if column.kind != "text" else f"name {row}"
    codes = facts.codes_of(name)
    if codes:
        return str(next(iter(codes)))
    if column.kind == "date":
        return f"19{'20' if 'start' in name else '30'}-01-0{row + 1}"
    if column.kind == "text":
        return f"name {row}"
    return _number(column, facts)


def _number(column: Column, facts: SourceFacts) -> str:
    low, high = column.limits(facts.coverage)
    if column.within_coverage:
        return str(facts.coverage[0] + (5 if "end" in column.name else 1))
    if column.low is None and column.high is None:
        return "1"
    middle = int(low if low is not None else 0)
    return str(max(middle, 1) if (high or 2) >= 1 else middle)


def cut_out(path: Path, facts: SourceFacts, file: FileFacts) -> Sheet:
    """Take the first rows of an official file."""
    if path.suffix == ".dta":
        import pandas as pd

        frame = pd.read_stata(path, convert_categoricals=False).head(ROWS)
        cells = [
            tuple("" if value != value else str(value).removesuffix(".0") for value in row)
            for row in frame.itertuples(index=False)
        ]
        return Sheet(file, stored(facts, file), tuple(frame.columns), tuple(cells))
    if path.suffix == ".xlsx":
        first, *records = excel_cells(path)[: ROWS + 1]
        return Sheet(file, stored(facts, file), tuple(first), tuple(map(tuple, records)))
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    text = (
        content.decode(file.encoding)
        .removeprefix("\ufeff")
        .replace("\r\n", "\n")
        .replace("\r", "\n")
    )
    lines = list(csv.reader(io.StringIO(text), delimiter=file.separator))[: ROWS + 1]
    header: list[str] = []
    for name in (part.strip() or "rowname" for part in lines[0]):
        repeats = sum(known.split("#")[0] == name for known in header)
        header.append(f"{name}#{repeats + 1}" if repeats else name)
    return Sheet(file, stored(facts, file), tuple(header), tuple(map(tuple, lines[1:])))


@dataclass(frozen=True)
class Spoilt:
    """A spoilt file, and what its message must say besides the file."""

    content: bytes
    says: tuple[str, ...]


Spoiler = Callable[[Sheet, SourceFacts], "Spoilt | None"]


def truncated(sheet: Sheet, facts: SourceFacts) -> Spoilt | None:
    content = sheet.encode()
    if sheet.file.name.endswith(".dta"):
        return Spoilt(content[: len(content) // 2], ("no whole Stata file",))
    if sheet.file.name.endswith(".xlsx"):
        return Spoilt(content[: len(content) // 2], ("no whole workbook",))
    if sheet.file.name.endswith(".gz"):
        text = gzip.decompress(content)
        return Spoilt(gzip.compress(text[: text.rindex(b",")], mtime=0), (f"line {ROWS + 1}",))
    return Spoilt(content[: content.rindex(sheet.file.separator.encode())], (f"line {ROWS + 1}",))


def truncated_gzip(sheet: Sheet, facts: SourceFacts) -> Spoilt | None:
    if not sheet.file.name.endswith(".gz"):
        return None
    content = sheet.encode()
    return Spoilt(content[: len(content) // 2], ("gzip",))


def missing_column(sheet: Sheet, facts: SourceFacts) -> Spoilt:
    gone = sheet.header[0]
    spoilt = replace(sheet, header=sheet.header[1:], rows=tuple(row[1:] for row in sheet.rows))
    return Spoilt(spoilt.encode(), ("line 1", f'"{gone}"', "lacks"))


def renamed_column(sheet: Sheet, facts: SourceFacts) -> Spoilt:
    spoilt = replace(sheet, header=(sheet.header[0] + "_x", *sheet.header[1:]))
    return Spoilt(spoilt.encode(), ("line 1", f'"{sheet.header[0]}"', f'"{sheet.header[0]}_x"'))


def extra_column(sheet: Sheet, facts: SourceFacts) -> Spoilt:
    spoilt = replace(
        sheet, header=(*sheet.header, "surplus"), rows=tuple((*row, "1") for row in sheet.rows)
    )
    return Spoilt(spoilt.encode(), ("line 1", '"surplus"'))


def unknown_code(sheet: Sheet, facts: SourceFacts) -> Spoilt | None:
    for column in sheet.columns:
        if facts.codes_of(column.name):
            value = "zz" if column.kind == "text" else "77"
            spoilt = sheet.set(1, column.header, value)
            return Spoilt(spoilt.encode(), (sheet.line(2), column.header, f'"{value}', "add it to"))
    return None


def duplicate_key(sheet: Sheet, facts: SourceFacts) -> Spoilt | None:
    if "repeat" in key_of(facts, sheet.file):
        return None  # the source repeats rows, and its table numbers them
    spoilt = replace(sheet, rows=(*sheet.rows, sheet.rows[-1]))
    first, second = (sheet.line(record).split()[1] for record in (ROWS, ROWS + 1))
    return Spoilt(spoilt.encode(), (f"lines {first} and {second}", "the rule is", "Remove the"))


def text_in_number(sheet: Sheet, facts: SourceFacts) -> Spoilt:
    column = next(column for column in sheet.columns if column.kind not in ("text", "date"))
    spoilt = sheet.set(2, column.header, "many")
    return Spoilt(spoilt.encode(), (sheet.line(3), f"column {column.header}", '"many"', "number"))


def empty_file(sheet: Sheet, facts: SourceFacts) -> Spoilt:
    return Spoilt(b"", ("empty",))


def header_only(sheet: Sheet, facts: SourceFacts) -> Spoilt | None:
    if sheet.file.name.endswith(".dta"):
        return None
    return Spoilt(replace(sheet, rows=()).encode(), ("line 2", "no record"))


def web_page(sheet: Sheet, facts: SourceFacts) -> Spoilt:
    return Spoilt(b"<!DOCTYPE html><html><body>404</body></html>\n", ("web page",))


def wrong_encoding(sheet: Sheet, facts: SourceFacts) -> Spoilt | None:
    if sheet.file.name.endswith((".dta", ".xlsx")):
        return None
    text = next(c for c in sheet.columns if c.kind == "text") if _has_text(sheet) else None
    at = text.header if text else sheet.header[0]
    content = sheet.set(1, at, "Se\x01ul").encode()
    zipped = sheet.file.name.endswith(".gz")
    content = gzip.decompress(content) if zipped else content
    letter = "\u00e9".encode("utf-8" if sheet.file.encoding == "cp1252" else "cp1252")
    content = content.replace(b"\x01", letter)
    return Spoilt(gzip.compress(content, mtime=0) if zipped else content, (sheet.line(2), "Fetch"))


def utf16(sheet: Sheet, facts: SourceFacts) -> Spoilt | None:
    if sheet.file.name.endswith((".dta", ".gz", ".xlsx")):
        return None
    text = sheet.encode().decode(sheet.file.encoding)
    return Spoilt(text.encode("utf-16"), ("UTF-16",))


def _has_text(sheet: Sheet) -> bool:
    return any(column.kind == "text" for column in sheet.columns)


def out_of_range(sheet: Sheet, facts: SourceFacts) -> Spoilt | None:
    for column in sheet.columns:
        high = column.limits(facts.coverage)[1]
        if column.within_coverage or (column.name == "year" and high is not None):
            spoilt = sheet.set(3, column.header, "2999")
            return Spoilt(
                spoilt.encode(), (sheet.line(4), f"column {column.header}", '"2999', "from")
            )
    for column in sheet.columns:
        if column.low is not None and column.kind not in ("text", "date"):
            value = str(int(column.low) - 5)
            spoilt = sheet.set(3, column.header, value)
            return Spoilt(spoilt.encode(), (sheet.line(4), f"column {column.header}", "from"))
    return None


def missing_required(sheet: Sheet, facts: SourceFacts) -> Spoilt | None:
    for column in sheet.columns:
        if column.required and column.kind != "text" and not sheet.file.name.endswith(".dta"):
            return Spoilt(sheet.set(0, column.header, "").encode(), (sheet.line(1), column.header))
    return None


SPOILERS: dict[str, Spoiler] = {
    spoiler.__name__: spoiler
    for spoiler in (
        truncated, truncated_gzip, missing_column, renamed_column, extra_column, unknown_code,
        duplicate_key, text_in_number, empty_file, header_only, web_page, wrong_encoding, utf16,
        out_of_range, missing_required,
    )
}  # fmt: skip
