"""Rows of small tables that people review: dataclasses as text, in a CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def as_texts(row: DataclassInstance) -> dict[str, str]:
    """Return a row as text, four significant digits; what is None is empty."""
    return {name: _text(value) for name, value in asdict(row).items()}


def names_of(kind: type[DataclassInstance]) -> list[str]:
    """Return the names of a row's fields."""
    return [field.name for field in fields(kind)]


def write_rows(path: Path, names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a CSV with these columns, in this order."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
