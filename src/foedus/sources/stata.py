"""Stata files: the same rules as for text, with the record's number as the line."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from foedus.errors import SourceError
from foedus.sources.reading import ROW, Raw, corrected, read_bytes
from foedus.sources.registry import SourceFacts
from foedus.sources.schema import Column, Rows, typed


def read_stata(path: Path, columns: Sequence[Column], facts: SourceFacts) -> Rows:
    """Read a .dta file into typed, decoded and checked columns.

    Its values go through the rules for text, so that a Stata missing is an empty field, and a
    number that Stata stores as a float is written as the whole number it is.

    Raises
    ------
    SourceError
        If the file is no Stata file, breaks off, or breaks a rule of its columns.
    """
    return _rows(path, _load(path), columns, facts)


def _load(path: Path) -> pl.DataFrame:
    import pandas as pd  # pandas is slow to import, and only Stata files need it

    content = read_bytes(path)
    try:
        frame = pd.read_stata(path, convert_categoricals=False, convert_dates=False)
    except (ValueError, OSError, KeyError, IndexError, OverflowError, struct.error) as error:
        start = content[:64].lstrip().lower()
        what = "a web page" if start.startswith((b"<!doctype", b"<html")) else "no whole Stata file"
        raise SourceError(
            f"{path}: this is {what} ({error}). Delete it and fetch the released file again."
        ) from error
    return pl.DataFrame({str(name): frame[name].to_numpy() for name in frame.columns}, strict=False)


def _rows(path: Path, frame: pl.DataFrame, columns: Sequence[Column], facts: SourceFacts) -> Rows:
    texts = [_as_text(frame[name]) for name in frame.columns]
    records = pl.DataFrame(texts).with_row_index(ROW)
    raw = Raw(path, tuple(frame.columns), records, "", first_line=1)
    raw = corrected(raw, facts, path.name)
    return Rows(typed(raw, columns, facts), raw)


def _as_text(values: pl.Series) -> pl.Series:
    if values.dtype.is_float():
        values = values.fill_nan(None)
        if ((values.round() == values) | values.is_null()).all():
            values = values.cast(pl.Int64)
    return values.cast(pl.String).fill_null("").alias(values.name)
