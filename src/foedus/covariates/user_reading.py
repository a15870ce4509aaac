"""A user's file as facts: keys as whole numbers, states as COW numbers, columns checked.

CSV, parquet, Excel and Stata. Every broken rule names the file, the rows (1 is the first below the
header), the column, what was found and what to do.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from foedus.errors import InputError, nearest
from foedus.sources.country_keys import NO_STATE, Codes, Crosswalk, Problem, load_country_codes

STATES = ("ccode", "ccode1", "ccode2")
ENDINGS = (".csv", ".csv.gz", ".dta", ".parquet", ".xlsx")
_LARGEST = 1 << 30
ROW = "row"


@dataclass(frozen=True)
class UserFile:
    """What is to be read of a user's file.

    Attributes
    ----------
    name : str
        What the file belongs to, for messages.
    path : Path
    key : tuple of str
        Keys by their names here (ccode1, ccode2, year).
    key_columns : mapping
        The file's column for each key that is called otherwise there.
    codes : str
        What states are called in the file.
    values : tuple of str
        Columns of numbers.
    directed : bool
        In dyads: whether 1, 2 and 2, 1 are two rows.
    sheet : str or int
        Of a workbook: the name of a sheet, or its place (1 is the first).
    config_dir : Path
        Where the states of the past are declared.
    """

    name: str
    path: Path
    key: tuple[str, ...]
    key_columns: Mapping[str, str]
    codes: Codes
    values: tuple[str, ...]
    directed: bool
    sheet: str | int
    config_dir: Path


def read_facts(file: UserFile) -> pl.DataFrame:
    """Read a user's file.

    Returns
    -------
    polars.DataFrame
        The keys as whole numbers (a state as its COW number, `NO_STATE` for a territory that is
        known and no COW state), the columns as floats, and ``row`` (1 is the first record).

    Raises
    ------
    InputError
        File absent or unreadable, a column missing, a key that is empty or no whole number, a
        state that is unknown or ambiguous, a repeated key, a value that is no number.
    """
    table = read_file(file.path, file.name, file.sheet)
    if table.is_empty():
        # Every value would be 0 by `absent: zero`, and nothing would say that the file was empty.
        raise InputError(
            f"{file.path.name}: no row below the header. A file without rows says nothing; fill "
            "it, or take its YAML away."
        )
    called = {key: file.key_columns.get(key, key) for key in file.key}
    for column in (*called.values(), *file.values):
        if column not in table.columns:
            raise InputError(
                f'{file.path.name}: no column "{column}". {nearest(column, table.columns)}'
            )
    others = {
        key: _whole(file.path, table, column).alias(key)
        for key, column in called.items()
        if key not in STATES
    }
    years = others["year"].to_list() if "year" in others else None
    states = {
        key: _states(file, table[column], years).alias(key)
        for key, column in called.items()
        if key in STATES
    }
    keys = [(others | states)[key] for key in file.key]
    values = [_numbers(file.path, table, column) for column in file.values]
    rows = pl.int_range(1, table.height + 1, eager=True).alias(ROW)
    facts = pl.DataFrame([*keys, *values, rows])
    _refuse_repeats(file, facts)
    return facts


def read_file(path: Path, name: str, sheet: str | int = 1) -> pl.DataFrame:
    """Read a table by its ending, every column as it stands there.

    Raises
    ------
    InputError
        For another ending, an absent file, or one that can't be read as what its name says.
    """
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".csv": _read_csv,
        ".csv.gz": _read_csv,
        ".parquet": pl.read_parquet,
        ".dta": _read_stata,
        ".xlsx": partial(_read_workbook, sheet=sheet),
    }
    fitting = [ending for ending in readers if path.name.endswith(ending)]
    ending = max(fitting, key=len, default=None)
    if ending is None:
        raise InputError(f"{path.name}: a user's file ends in {', '.join(ENDINGS)}.")
    if not path.is_file():
        raise InputError(f"{name}: no file {path.name} beside its YAML. Put it there.")
    try:
        return readers[ending](path)
    except (pl.exceptions.PolarsError, ValueError, OSError, KeyError, EOFError) as error:
        raise InputError(f"{path.name}: can't be read as {ending}: {error}.") from error
    except zipfile.BadZipFile as error:
        raise InputError(f"{path.name}: this is no Excel workbook ({error}).") from error


def _read_csv(path: Path) -> pl.DataFrame:
    """Read a CSV with commas between its fields, in UTF-8; say so of one that has neither."""
    opened = gzip.open if path.name.endswith(".gz") else open
    with opened(path, "rb") as stream:
        header = stream.readline()
    if b"," not in header:
        for mark, called in ((b";", "semicolons"), (b"\t", "tabs")):
            if mark in header:
                raise ValueError(
                    f"its header is parted by {called}. Save it with commas between the fields and "
                    "a point before decimals, or as .xlsx or .parquet"
                )
    try:
        return pl.read_csv(path, infer_schema_length=None)
    except pl.exceptions.ComputeError as error:
        if "utf-8" not in str(error).lower():
            raise
        raise ValueError("its text isn't UTF-8. Save it as UTF-8, or as .xlsx") from error


def _read_stata(path: Path) -> pl.DataFrame:
    import pandas as pd

    return pl.from_pandas(pd.read_stata(path, convert_categoricals=False))


def _read_workbook(path: Path, sheet: str | int) -> pl.DataFrame:
    """Read one sheet: its first row is the header; formulas count as the values they last had."""
    import openpyxl

    with zipfile.ZipFile(path) as packed:
        if sum(item.file_size for item in packed.infolist()) > _LARGEST:
            raise ValueError("it unpacks to more than a gigabyte; save it as parquet or CSV")
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        names = book.sheetnames
        if isinstance(sheet, str) and sheet not in names:
            raise ValueError(f'there is no sheet "{sheet}". {nearest(sheet, names)}')
        if isinstance(sheet, int) and not 1 <= sheet <= len(names):
            raise ValueError(f"there is no sheet {sheet}; it has {len(names)}")
        chosen = book[sheet if isinstance(sheet, str) else names[sheet - 1]]
        header, *rows = list(chosen.iter_rows(values_only=True)) or [()]
    finally:
        book.close()
    full = [row for row in rows if any(cell is not None for cell in row)]
    columns: dict[str, list[Any]] = {}
    for place, name in enumerate(header):
        if name is not None:
            columns[str(name).strip()] = [row[place] if place < len(row) else None for row in full]
    return pl.DataFrame(
        {name: pl.Series(name, values, strict=False) if _plain(values) else
         pl.Series(name, [None if v is None else str(v) for v in values])
         for name, values in columns.items()}
    )  # fmt: skip


def _plain(values: Iterable[Any]) -> bool:
    """Whether cells are numbers or empty, so that a column of them is one of numbers."""
    return all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        for value in values
    )


def _at(rows: Sequence[int], most: int = 5) -> str:
    """Return rows in words: "row 3", "rows 3, 4 and 9 more"."""
    listed = ", ".join(str(row) for row in rows[:most])
    more = f" and {len(rows) - most} more" if len(rows) > most else ""
    return f"row{'s' if len(rows) > 1 else ''} {listed}{more}"


def _whole(path: Path, table: pl.DataFrame, column: str) -> pl.Series:
    numbers = _numbers(path, table, column)
    wrong = numbers.is_null() | (numbers != numbers.floor())
    if wrong.any():
        rows = wrong.arg_true().to_list()
        raise InputError(
            f"{path.name}, {_at([row + 1 for row in rows])}, column {column}: found "
            f"{table[column][rows[0]]!r} where the key asks for a whole number."
        )
    return numbers.cast(pl.Int64)


def _numbers(path: Path, table: pl.DataFrame, column: str) -> pl.Series:
    values = table[column]
    if values.dtype == pl.String:
        text = values.str.strip_chars()
        values = text.set(text == "", None)
    numbers = values.cast(pl.Float64, strict=False).fill_nan(None)
    wrong = numbers.is_null() & values.is_not_null()
    if values.dtype.is_float():
        wrong &= values.is_not_nan()
    wrong |= numbers.is_infinite().fill_null(value=False)
    if wrong.any():
        rows = wrong.arg_true().to_list()
        raise InputError(
            f"{path.name}, {_at([row + 1 for row in rows])}, column {column}: found "
            f"{table[column][rows[0]]!r} where a number belongs; leave missing values empty."
        )
    return numbers


def _states(file: UserFile, values: pl.Series, years: list[int] | None) -> pl.Series:
    if file.codes == "cow":
        return _whole(file.path, values.to_frame(), values.name)
    crosswalk = Crosswalk(file.codes, load_country_codes(file.config_dir))
    ccodes, problems = crosswalk.read(values.to_list(), years)
    if problems:
        raise InputError(_unread(file, values.name, problems))
    return ccodes


def _unread(file: UserFile, column: str, problems: Sequence[Problem], most: int = 8) -> str:
    rows = sum(one.rows for one in problems)
    shown = "; ".join(
        f'row {one.row + 1} "{one.value}" {one.why}'
        + (f" ({one.rows} rows)" if one.rows > 1 else "")
        for one in problems[:most]
    )
    more = f"; and {len(problems) - most} more" if len(problems) > most else ""
    return (
        f"{file.path.name}, column {column}: {rows} rows can't be read as states by {file.codes}: "
        f"{shown}{more}. Mend them, write COW numbers instead, or declare the spelling with its "
        "years in config/country_codes.yaml."
    )


def _refuse_repeats(file: UserFile, facts: pl.DataFrame) -> None:
    """Stop at a key that stands twice; territories that are no states may."""
    is_state = [pl.col(key) != NO_STATE for key in file.key if key in STATES]
    known = facts.filter(pl.all_horizontal(is_state)) if is_state else facts
    keys = list(file.key)
    if "ccode1" in keys and not file.directed:
        known = known.with_columns(
            ccode1=pl.min_horizontal("ccode1", "ccode2"),
            ccode2=pl.max_horizontal("ccode1", "ccode2"),
        )
    repeated = known.filter(pl.struct(keys).is_duplicated())
    if repeated.is_empty():
        return
    groups = repeated.group_by(keys, maintain_order=True).agg(pl.col(ROW))
    first = groups.row(0, named=True)
    shown = ", ".join(f"{key} {first[key]}" for key in keys)
    either = " in either direction" if "ccode1" in keys and not file.directed else ""
    raise InputError(
        f"{file.path.name}, {_at(first[ROW])}: the key {shown} stands {len(first[ROW])} times"
        f"{either} ({groups.height} keys are repeated, in {repeated.height} rows); keys must be "
        "unique. Remove or merge the rows."
    )
