"""Sheets with a column a year, made long."""

from __future__ import annotations

import polars as pl

from foedus.sources.reading import ROW


def long(frame: pl.DataFrame, keep: list[str]) -> pl.DataFrame:
    """Return one row a record and year with a value, as `year` and `milex`.

    Parameters
    ----------
    frame : polars.DataFrame
        Typed columns of a sheet: ``_row``, those of `keep`, and one a year, named 1949 and so on.
    keep : list of str
        Columns that tell the records apart.
    """
    return (
        frame.unpivot(index=[ROW, *keep], variable_name="year", value_name="milex")
        .drop_nulls("milex")
        .with_columns(pl.col("year").cast(pl.Int16))
    )
