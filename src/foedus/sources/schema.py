"""Columns and the rules they keep; every broken rule is one sentence with line, column and value.

All checks are vectorised. The frame that is checked carries ``_row`` (0 for the first record), from
which the line in the raw file is worked out only when there is something to report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from foedus.errors import SourceError, nearest
from foedus.sources.reading import ROW, Raw, read_delimited, shown
from foedus.sources.registry import Scalar, SourceFacts

Kind = Literal["int8", "int16", "int32", "int64", "float64", "text", "date", "bool"]

TYPES: Mapping[str, type[pl.DataType]] = {
    "int8": pl.Int8,
    "int16": pl.Int16,
    "int32": pl.Int32,
    "int64": pl.Int64,
    "float64": pl.Float64,
    "text": pl.String,
    "date": pl.Date,
    "bool": pl.Boolean,
}
_LIMITS = {"int8": 2**7, "int16": 2**15, "int32": 2**31, "int64": 2**63}
THOUSANDS = r"^-?\d{1,3}(,\d{3})+(\.\d+)?$"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        Name in the table.
    kind : str
        Type.
    definition : str
        What it says, for the codebook.
    raw : str, optional
        Header in the file, when it differs from `name`.
    unit : str
        Unit of measurement ("thousands of persons"); empty for codes, names and flags.
    low, high : float, optional
        Valid range, both ends included.
    within_coverage : bool
        The value is a year that must lie inside the source's coverage.
    required : bool
        A missing value breaks a rule.
    thousands : bool
        Commas may separate thousands ("1,250").
    derived : bool
        Made by the reader; no such column stands in the file.
    keep : bool
        False for a column that is checked but not kept (the version stamp, say).
    label : str
        The name the source's own codebook gives, when it differs.
    """

    name: str
    kind: Kind
    definition: str
    raw: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    within_coverage: bool = False
    required: bool = False
    thousands: bool = False
    derived: bool = False
    keep: bool = True
    label: str = ""

    @property
    def header(self) -> str:
        """Name of the column in the file."""
        return self.raw or self.name

    def limits(self, coverage: tuple[int, int]) -> tuple[float | None, float | None]:
        """Return the lowest and highest valid value."""
        if self.within_coverage:
            return float(coverage[0]), float(coverage[1])
        most = _LIMITS.get(self.kind)
        low = self.low if self.low is not None or most is None else float(-most)
        high = self.high if self.high is not None or most is None else float(most - 1)
        return low, high


def typed(raw: Raw, columns: Sequence[Column], facts: SourceFacts) -> pl.DataFrame:
    """Turn the text of a raw file into typed, decoded, checked columns.

    Parameters
    ----------
    raw : Raw
        What `reading.read_delimited` returned.
    columns : sequence of Column
        Columns of the table; the derived ones are left to the reader.
    facts : SourceFacts
        Missing codes, closed code lists and coverage.

    Returns
    -------
    polars.DataFrame
        One column for each that stands in the file, in that order, and ``_row``.

    Raises
    ------
    SourceError
        Missing, renamed or unknown column; text where a number belongs; a value out of range; an
        unknown code; a missing value where one is required.
    """
    stored = [column for column in columns if not column.derived]
    _check_header(raw, stored, facts)
    parsed = [_parse(raw, column, facts) for column in stored]
    return pl.DataFrame([raw.frame[ROW], *parsed])


def _check_header(raw: Raw, columns: Sequence[Column], facts: SourceFacts) -> None:
    expected = [column.header for column in columns]
    absent = [name for name in expected if name not in raw.header]
    unknown = [name for name in raw.header if name not in expected]
    if absent:
        hint = (
            f"The file has {_quoted(unknown)} that nobody knows: renamed?"
            if unknown
            else f"It has {len(raw.header)} columns of {len(expected)}."
        )
        raise SourceError(
            f"{raw.path}, line 1: the header lacks {_quoted(absent)}. {hint} "
            f"{_restore(facts, raw.path.name)}"
        )
    if unknown:
        raise SourceError(
            f"{raw.path}, line 1: {_quoted(unknown)} is no column of {facts.title} "
            f"{facts.version}. {nearest(unknown[0], expected)} {_restore(facts, raw.path.name)}"
        )


def _quoted(names: Iterable[str], most: int = 5) -> str:
    listed = [f'"{name}"' for name in names]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return (
        "column " * (len(listed) == 1)
        + "columns " * (len(listed) > 1)
        + (", ".join(listed[:most]) + more)
    )


def _restore(facts: SourceFacts, file: str) -> str:
    return (
        f"Take the file as {facts.dataset} {facts.version} releases it, or, if this is another "
        f"release, describe it in a YAML of its own beside sources/{facts.id}.yaml."
    )


def _parse(raw: Raw, column: Column, facts: SourceFacts) -> pl.Series:
    text = raw.frame[column.header].str.strip_chars()
    text = text.set(text == "", None)
    if column.kind == "text":
        values = text
        for code in facts.missing_codes.get(column.name, {}):
            values = values.set(values == str(code), None)
        _check_codes(raw, column, values, facts)
    elif column.kind == "date":
        values = text.str.to_date("%Y-%m-%d", strict=False)
        _stop_at(raw, column, values.is_null() & text.is_not_null(), "a date as 1914-07-28")
    else:
        values = _number(raw, column, text, facts)
    if column.required:
        _stop_at(raw, column, values.is_null(), "a value: this column is never empty or missing")
    return values.alias(column.name)


def _number(raw: Raw, column: Column, text: pl.Series, facts: SourceFacts) -> pl.Series:
    if column.thousands:
        grouped = text.str.contains(THOUSANDS).fill_null(value=False)
        text = text.zip_with(~grouped, text.str.replace_all(",", ""))
    missing = facts.missing_of(column.name)
    for code in missing:
        if isinstance(code, str):
            text = text.set(text == code, None)
    wide: type[pl.DataType] = pl.Float64 if column.kind == "float64" else pl.Int64
    values = text.cast(wide, strict=False)
    wrong = values.is_null() & text.is_not_null()
    if column.kind == "float64":
        wrong = wrong | values.is_finite().not_().fill_null(value=False)
    _stop_at(raw, column, wrong, "a number" if wide is pl.Float64 else "a whole number")
    for code in missing:
        if isinstance(code, str):
            continue
        values = values.set((values == code).fill_null(value=False), None)
    _check_codes(raw, column, values, facts)
    _check_range(raw, column, values, facts)
    return values.cast(TYPES[column.kind])


def _check_range(raw: Raw, column: Column, values: pl.Series, facts: SourceFacts) -> None:
    low, high = column.limits(facts.coverage)
    for bound, wrong in (
        (low, values < low if low is not None else None),
        (high, values > high if high is not None else None),
    ):
        if wrong is None or bound is None:
            continue
        rule = f"a value from {_plain(low)} to {_plain(high)}"
        if column.within_coverage:
            rule = (
                f"a year from {_plain(low)} to {_plain(high)}, the coverage in "
                f"sources/{facts.id}.yaml"
            )
        _stop_at(raw, column, wrong.fill_null(value=False), rule)


def _check_codes(raw: Raw, column: Column, values: pl.Series, facts: SourceFacts) -> None:
    known = facts.codes_of(column.name)
    if known is None:
        return
    wanted: list[Scalar] = [str(code) if column.kind == "text" else code for code in known]
    listed_values = pl.Series(wanted, dtype=values.dtype, strict=False).implode()
    wrong = values.is_not_null() & ~values.is_in(listed_values).fill_null(value=True)
    if wrong.any():
        unknown = sorted(values.filter(wrong).unique().to_list())
        new = ", ".join(shown(code) for code in unknown[:8])
        listed = ", ".join(str(code) for code in list(known)[:20])
        _stop_at(
            raw,
            column,
            wrong,
            f"one of the known codes {listed}",
            f"Unknown: {new}. If the source has a new code, decide what it means and add it to "
            f"codes in sources/{facts.id}.yaml; else mend the file.",
        )


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"


def _stop_at(
    raw: Raw, column: Column, wrong: pl.Series, rule: str, remedy: str = "", most: int = 3
) -> None:
    """Raise SourceError at the first row where `wrong` is true; say nothing when there is none."""
    if not wrong.any():
        return
    rows = wrong.arg_true()
    value = raw.frame[column.header][int(rows[0])]
    more = f" ({len(rows)} rows break this rule)" if len(rows) > 1 else ""
    raise SourceError(
        f"{raw.path}, line {raw.line(int(rows[0]))}, column {column.header}: found "
        f"{shown(value)} where the rule asks for {rule}{more}. "
        + (remedy or "Take the file as released, or put a known error in a corrections file.")
    )


@dataclass(frozen=True)
class Rows:
    """A table as a reader returns it: its frame, and the file it was read from.

    The frame keeps ``_row``, so that a broken rule found later still names its line.
    """

    frame: pl.DataFrame
    raw: Raw | None = None


def read_table(
    files: Mapping[str, Path], facts: SourceFacts, name: str, columns: Sequence[Column]
) -> Rows:
    """Read one delimited file into typed, decoded and checked columns.

    Raises
    ------
    SourceError
        See `reading.read_delimited` and `typed`.
    """
    raw = read_delimited(files[name], facts, name)
    return Rows(typed(raw, columns, facts), raw)


def finish(rows: Rows, columns: Sequence[Column], facts: SourceFacts, table: str) -> pl.DataFrame:
    """Check a table's key, put its columns in the declared order and types, and sort by the key.

    Parameters
    ----------
    rows : Rows
        What a reader returned.
    columns : sequence of Column
        The table's schema.
    facts : SourceFacts
        Holds the key.
    table : str
        Name of the table.

    Raises
    ------
    SourceError
        If a key is repeated.
    """
    frame = rows.frame
    kept = [column for column in columns if column.keep]
    absent = [column.name for column in kept if column.name not in frame.columns]
    assert not absent, f"{facts.id}/{table}: the reader made no {absent}"
    key = list(facts.table(table).key)
    check_unique(rows, key, facts, table)
    order = [pl.col(column.name).cast(TYPES[column.kind]) for column in kept]
    return frame.sort(key, nulls_last=True, maintain_order=True).select(order)


def check_unique(rows: Rows, key: Sequence[str], facts: SourceFacts, table: str) -> None:
    """Stop if a key is repeated.

    Raises
    ------
    SourceError
        With the lines on which the first repeated key stands.
    """
    key = list(key)
    frame, raw = rows.frame, rows.raw
    repeated = frame.select(pl.struct(key).is_duplicated()).to_series()
    if not repeated.any():
        return
    found = frame.filter(repeated).sort(key, maintain_order=True)
    first = found.row(0, named=True)
    same = found.filter(
        pl.all_horizontal(pl.col(name).eq_missing(pl.lit(first[name])) for name in key)
    )
    where = facts.files[0].name if raw is None else str(raw.path)
    lines = ""
    if raw is not None and ROW in same.columns:
        numbers = [str(raw.line(row)) for row in same[ROW].to_list()[:5]]
        lines = f", lines {' and '.join(numbers)}"
    where_key = ", ".join(f"{name} {first[name]}" for name in key)
    raise SourceError(
        f"{where}{lines}, column {', '.join(key)}: the key {where_key} stands {same.height} times "
        f"({found.height} rows in all); the rule is one row a key in {facts.id}/{table}. Remove "
        f"the repeated rows, or take the file as {facts.dataset} {facts.version} releases it."
    )


def check_years(rows: Rows, first: str, last: str) -> None:
    """Stop if a spell of years ends before it begins.

    Raises
    ------
    SourceError
        With the line and both years.
    """
    wrong = rows.frame.filter(pl.col(last) < pl.col(first))
    if wrong.height:
        assert rows.raw is not None
        row = wrong.row(0, named=True)
        raise SourceError(
            f"{rows.raw.path}, line {rows.raw.line(row[ROW])}, column {last}: found {row[last]}, "
            f"before {first} {row[first]}; the rule is that a spell doesn't end before it begins. "
            "Mend the years, or put a known error in a corrections file."
        )


def notes(columns: Sequence[Column], facts: SourceFacts) -> dict[str, dict[str, str]]:
    """Return definition, unit, codes, range and missing rule of each kept column, as text."""
    return {column.name: _note(column, facts) for column in columns if column.keep}


def _note(column: Column, facts: SourceFacts) -> dict[str, str]:
    note = {"definition": column.definition, "source": facts.id}
    if column.unit:
        note["unit"] = column.unit
    if column.label or column.raw:
        note["source_name"] = column.label or column.raw
    codes = facts.codes_of(column.name)
    if codes:
        note["codes"] = "; ".join(f"{code} = {says}" for code, says in codes.items())
    low, high = (None, None) if codes else _declared_range(column, facts)
    if low is not None or high is not None:
        note["range"] = f"{_plain(low)} to {_plain(high)}"
    note["missing"] = _missing_rule(column, facts)
    return note


def _declared_range(column: Column, facts: SourceFacts) -> tuple[float | None, float | None]:
    if column.within_coverage:
        return column.limits(facts.coverage)
    return column.low, column.high


def _missing_rule(column: Column, facts: SourceFacts) -> str:
    if column.required:
        return "never missing"
    if column.derived:
        return "missing when what it is made of is"
    numeric = column.kind not in ("text", "date")
    listed = facts.missing_of(column.name) if numeric else facts.missing_codes.get(column.name, {})
    rules = [f"{code} ({says})" for code, says in listed.items()]
    return "missing when empty" + (" or " + ", ".join(rules) if rules else "")
