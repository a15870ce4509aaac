"""Text as the official files have it: separators, quotes, line ends, compression."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

LINE_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
_STORED_BLOCK = 65535


def table(
    columns: Mapping[str, Any],
    *,
    header: str | None = None,
    line_end: str = "lf",
    final: bool = True,
    separator: str = ",",
    quoted: Sequence[str] = (),
) -> str:
    """Return a delimited file's text.

    Parameters
    ----------
    columns : mapping of name to values
        Arrays or lists of one length, or one value for all rows; None is an empty field.
    header : str, optional
        The first line, when it isn't just the names.
    line_end : str
        lf, crlf or cr.
    final : bool
        Whether the last line ends.
    separator : str
    quoted : sequence of str
        Columns whose values stand in quotes in every row.
    """
    length = max(_length(values) for values in columns.values())
    parts = [_texts(name, values, length, name in quoted) for name, values in columns.items()]
    end = LINE_ENDS[line_end]
    first = separator.join(columns) if header is None else header
    lines = pl.select(pl.concat_str(parts, separator=separator).alias("line"))["line"]
    body = pl.DataFrame({"line": lines}).select(pl.col("line").str.join(end)).item()
    return first + end + str(body) + (end if final else "")


def _length(values: Any) -> int:
    return 1 if values is None or isinstance(values, str | int | float) else len(values)


def _texts(name: str, values: Any, length: int, quoted: bool) -> pl.Series:
    if _length(values) == 1 and not isinstance(values, list | tuple | np.ndarray | pl.Series):
        values = [values] * length
    series = values if isinstance(values, pl.Series) else pl.Series(name, values, strict=False)
    if series.dtype == pl.Null:
        series = pl.Series(name, [""] * length)
    text = series.cast(pl.String).fill_null("")
    return ('"' + text + '"' if quoted else text).alias(name)


def decimals(values: NDArray[np.float64], places: int) -> list[str]:
    """Return numbers in fixed notation without trailing zeros: 0.039697491, 4, 0."""
    made = (f"{value:.{places}f}".rstrip("0").rstrip(".") for value in values.tolist())
    return [text if text not in ("", "-0") else "0" for text in made]


def with_point(values: NDArray[np.float64], places: int) -> list[str]:
    """Return numbers in fixed notation with at least one decimal: 0.0, 932.508131."""
    made = (f"{value:.{places}f}".rstrip("0") for value in values.tolist())
    return [text + "0" if text.endswith(".") else text for text in made]


def gzipped(content: bytes) -> bytes:
    """Return a gzip file that stores its content uncompressed.

    How well a compressor does differs between its builds, and with it the bytes; stored blocks are
    the same everywhere.
    """
    blocks = [content[at : at + _STORED_BLOCK] for at in range(0, len(content), _STORED_BLOCK)]
    parts = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"]
    for place, block in enumerate(blocks or [b""]):
        last = place == max(len(blocks) - 1, 0)
        parts.append(struct.pack("<BHH", int(last), len(block), len(block) ^ 0xFFFF) + block)
    parts.append(struct.pack("<II", binascii.crc32(content), len(content) & 0xFFFFFFFF))
    return b"".join(parts)
