"""Dates with honest precision: an unknown day is a span of days, never an invented one."""

from __future__ import annotations

import polars as pl

from foedus.errors import SourceError
from foedus.sources.reading import ROW, Raw


def _text(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    return pl.format(
        "{}-{}-{}",
        year.cast(pl.String),
        month.cast(pl.String).str.zfill(2),
        day.cast(pl.String).str.zfill(2),
    ).str.to_date("%Y-%m-%d", strict=False)


def earliest(year: str, month: str, day: str) -> pl.Expr:
    """Return the first day a date may mean: an unknown day is the 1st, an unknown month January."""
    no_month = pl.col(month).is_null()
    first = pl.when(no_month).then(1).otherwise(pl.col(day).fill_null(1))
    return _text(pl.col(year), pl.col(month).fill_null(1), first)


def latest(year: str, month: str, day: str) -> pl.Expr:
    """Return the last day a date may mean: an unknown day is the month's last."""
    no_month = pl.col(month).is_null()
    month_end = _text(pl.col(year), pl.col(month).fill_null(12), pl.lit(1)).dt.month_end()
    exact = _text(pl.col(year), pl.col(month), pl.col(day))
    return pl.when(no_month | pl.col(day).is_null()).then(month_end).otherwise(exact)


def precision(year: str, month: str, day: str) -> pl.Expr:
    """Return "day", "month" or "year": how much of a date is known; null without a year."""
    return (
        pl.when(pl.col(year).is_null())
        .then(None)
        .when(pl.col(month).is_null())
        .then(pl.lit("year"))
        .when(pl.col(day).is_null())
        .then(pl.lit("month"))
        .otherwise(pl.lit("day"))
    )


def with_span(
    frame: pl.DataFrame, raw: Raw, begin: tuple[str, str, str], finish: tuple[str, str, str]
) -> pl.DataFrame:
    """Add the widest span of days that two dates may mean, and how much of each is known.

    Parameters
    ----------
    begin, finish : tuple of str
        Columns of year, month and day.

    Returns
    -------
    polars.DataFrame
        With start_min, end_max, start_precision and end_precision.

    Raises
    ------
    SourceError
        If a day doesn't exist, or the span ends before it begins.
    """
    made = frame.with_columns(
        start_min=earliest(*begin),
        end_max=latest(*finish),
        start_precision=precision(*begin),
        end_precision=precision(*finish),
    )
    check_exists(raw, made, "start_min", *begin)
    check_exists(raw, made, "end_max", *finish)
    check_order(raw, made, "start_min", "end_max")
    return made


def check_exists(raw: Raw, frame: pl.DataFrame, made: str, year: str, month: str, day: str) -> None:
    """Stop if a date that has a year doesn't exist in the calendar (30 February).

    Raises
    ------
    SourceError
        With the line and the parts.
    """
    wrong = frame.filter(pl.col(made).is_null() & pl.col(year).is_not_null())
    if wrong.height:
        row = wrong.row(0, named=True)
        raise SourceError(
            f"{raw.path}, line {raw.line(row[ROW])}, column {day}: "
            f'found "{row[year]}-{row[month]}-{row[day]}" where the rule asks for a day that '
            "exists. Mend the date, or put it in a corrections file."
        )


def parse(raw: Raw, frame: pl.DataFrame, column: str, layout: str) -> pl.Series:
    """Return a text column as days.

    Parameters
    ----------
    layout : str
        As strftime has it, ``%d:%m:%Y``.

    Raises
    ------
    SourceError
        If a text isn't a day of the calendar in this layout, with its line.
    """
    days = frame[column].str.to_date(layout, strict=False)
    wrong = frame.filter(days.is_null() & frame[column].is_not_null())
    if wrong.height:
        row = wrong.row(0, named=True)
        raise SourceError(
            f"{raw.path}, line {raw.line(row[ROW])}, column {column}: found "
            f'"{row[column]}" where the rule asks for a day that exists, as {layout}. Mend the '
            "date, or put it in a corrections file."
        )
    return days


def check_order(raw: Raw, frame: pl.DataFrame, start: str, end: str) -> None:
    """Stop if a spell ends before it begins, even when dates are read at their widest.

    Raises
    ------
    SourceError
        With the line and both dates.
    """
    wrong = frame.filter(pl.col(end) < pl.col(start))
    if wrong.height:
        row = wrong.row(0, named=True)
        raise SourceError(
            f"{raw.path}, line {raw.line(row[ROW])}, column {end}: found {row[end]}, before the "
            f"{start} {row[start]}; the rule is that a spell ends on or after its first day. Mend "
            "the dates, or put a known error in a corrections file."
        )


def check_no_overlap(raw: Raw, frame: pl.DataFrame, key: str) -> None:
    """Stop if two spells (`start` to `end`) of one `key` share a day.

    Raises
    ------
    SourceError
        With the lines of both spells and the day.
    """
    ordered = frame.sort(key, "start", ROW).with_columns(
        before_row=pl.col(ROW).shift(1).over(key), before_end=pl.col("end").shift(1).over(key)
    )
    wrong = ordered.filter(pl.col("start") <= pl.col("before_end"))
    if wrong.height:
        row = wrong.row(0, named=True)
        lines = sorted([raw.line(row["before_row"]), raw.line(row[ROW])])
        raise SourceError(
            f"{raw.path}, lines {lines[0]} and {lines[1]}, column {key}: the spells of {key} "
            f"{row[key]} overlap on {row['start']}; the rule is that a {key} has one spell a day. "
            "Remove the repeated spell, or mend its dates."
        )
