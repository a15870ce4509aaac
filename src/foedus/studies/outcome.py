"""The rows that a study's result files are made of, and their fixed columns.

One place says what estimates.csv and comparison.csv look like; CONTRACT's columns come first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from foedus.store import format_number

_TEXT, _REAL, _WHOLE = pa.string(), pa.float64(), pa.int64()
_POLARS = {_TEXT: pl.String, _REAL: pl.Float64, _WHOLE: pl.Int64, pa.bool_(): pl.Boolean}

ESTIMATES = pa.schema(
    [
        ("study", _TEXT), ("claim", _TEXT), ("model", _TEXT), ("unit", _TEXT),
        ("estimator", _TEXT), ("covariance", _TEXT), ("term", _TEXT), ("estimate", _REAL),
        ("std_error", _REAL), ("statistic", _REAL), ("p_value", _REAL), ("ci_low", _REAL),
        ("ci_high", _REAL), ("n_obs", _WHOLE), ("n_events", _WHOLE), ("n_clusters", _WHOLE),
        ("loglik", _REAL), ("small_sample", _TEXT), ("label", _TEXT),
    ]
)  # fmt: skip
COMPARISON = pa.schema(
    [
        ("study", _TEXT), ("table", _TEXT), ("model", _TEXT), ("term", _TEXT),
        ("quantity", _TEXT), ("published", _REAL), ("published_se", _REAL),
        ("n_published", _WHOLE), ("rebuilt", _REAL), ("rebuilt_se", _REAL),
        ("covariance", _TEXT), ("n_rebuilt", _WHOLE), ("verdict", _TEXT), ("diagnosis", _TEXT),
        ("claim", _TEXT), ("where_in_print", _TEXT), ("maps_to", _TEXT), ("rebuilt_p", _REAL),
        ("lead", pa.bool_()), ("published_text", _TEXT), ("published_low", _REAL),
        ("published_high", _REAL), ("n_ratio", _REAL), ("reason", _TEXT),
        ("se_text", _TEXT), ("se_exact", pa.bool_()), ("basis", _TEXT),
        ("print_kind", _TEXT),
    ]
)  # fmt: skip
CONTRACT_ESTIMATES = tuple(ESTIMATES.names[:17])
CONTRACT_COMPARISON = tuple(COMPARISON.names[:14])


def rounded(value: Any) -> Any:
    """Return a value with every float at twelve significant digits, not-a-number as None.

    Twelve digits are the same on two machines, sixteen aren't.
    """
    if isinstance(value, float):
        return float(format_number(value)) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):
        return rounded(value.item())
    return value


def to_table(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return rows as an Arrow table of a schema; a column that a row lacks is null there."""
    return as_table([rounded(row) for row in rows], schema)


def as_table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return rows as they are as an Arrow table of a schema.

    By way of polars: ``pa.array`` of a list imports pandas, a third of a second in every run of a
    study.
    """
    arrays = [
        pl.Series([row.get(field.name) for row in rows], dtype=_POLARS[field.type], strict=True)
        .to_arrow()
        .cast(field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
