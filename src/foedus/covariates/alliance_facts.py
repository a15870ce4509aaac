"""ATOP's members by year, and facts about an alliance in a year brought to a unit's rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from foedus.covariates.context import Context
from foedus.covariates.values import Rows, Values, missing_of
from foedus.panels.alliance_units import memberships
from foedus.panels.spans import each_year

ALLIANCE_UNITS = ("alliance", "alliance-year", "alliance-member-year")


def members_of(context: Context) -> pl.DataFrame:
    """Return ATOP's members in the release asked for, with first_year and last_year of each row."""
    release = context.options.get("release")

    def make() -> pl.DataFrame:
        return memberships(context.tables, release).with_columns(
            first_year=pl.col("start").dt.year().cast(pl.Int64),
            last_year=pl.col("end").dt.year().cast(pl.Int64),
        )

    return context.shared(("alliance members", release), make)


def member_years(context: Context) -> pl.DataFrame:
    """Return one row a member, a phase and a year in which it was in it, with all its columns."""
    release = context.options.get("release")

    def make() -> pl.DataFrame:
        members = members_of(context)
        row, year = each_year(members["first_year"].to_numpy(), members["last_year"].to_numpy())
        return members[row].with_columns(year=pl.Series(year))

    return context.shared(("alliance member-years", release), make)


def on_rows(
    context: Context, facts: pl.DataFrame, keys: tuple[str, ...], kinds: Mapping[str, type]
) -> dict[str, Values]:
    """Bring facts to the rows of the spine by key; a row without one is missing.

    Parameters
    ----------
    facts : polars.DataFrame
        The keys, each once, and a column for each of `kinds`.
    keys : tuple of str
        Among atopid, ccode and year; an alliance's year is its first.
    kinds : mapping of str to numpy type
        Columns to make and how to hold them.
    """
    spine = context.spine
    year = spine.row_years
    assert year is not None
    columns = {name: values.astype(np.int64) for name, values in spine.keys.items()}
    asked = pl.DataFrame({**columns, "year": year.astype(np.int64)}).select(keys)
    found = asked.join(
        facts.with_columns(pl.col(keys).cast(pl.Int64)), on=keys, how="left", maintain_order="left"
    )
    made: dict[str, Values] = {}
    for name, kind in kinds.items():
        gone = missing_of(np.dtype(kind))
        made[name] = Rows(found[name].cast(pl.Float64).fill_null(np.nan).to_numpy())
        if np.dtype(kind).kind != "f":
            values = found[name].cast(pl.Int64).fill_null(int(gone)).to_numpy()
            made[name] = Rows(values.astype(kind))
    return made
