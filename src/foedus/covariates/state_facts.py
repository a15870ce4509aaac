"""Facts of states by year, from a table with a row a state-year."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.context import Context, state_cube
from foedus.covariates.registry import ColumnSpec
from foedus.covariates.values import StateYears, Values, missing_of


def number(name: str, says: str, unit: str, kind: Any = "number") -> ColumnSpec:
    """Return the declaration of a state-level column in which no row is missing, never 0."""
    return ColumnSpec(name, kind, says, unit=unit, level="state", absent="missing")


def state_numbers(
    context: Context, facts: pl.DataFrame, columns: dict[str, str], says: str
) -> dict[str, Values]:
    """Return floats by state-year for the columns that are wanted.

    Parameters
    ----------
    facts : polars.DataFrame
        ccode, year (no key twice) and the columns.
    columns : dict
        Names of the covariate's columns to those of `facts`.
    says : str
        What the facts are, for the message when a key repeats.
    """
    made: dict[str, Values] = {}
    for name, column in columns.items():
        if name in context.wanted:
            known = facts.drop_nulls(column)
            made[name] = StateYears(
                state_cube(
                    context.system,
                    known["ccode"].to_numpy(),
                    known["year"].to_numpy(),
                    known[column].cast(pl.Float64).to_numpy(),
                    says,
                )
            )
    return made


def state_flags(
    context: Context, facts: pl.DataFrame, column: str, kind: Any = np.int16
) -> NDArray[Any]:
    """Return whole numbers over (state, year); the least integer where no row or value stands."""
    known = facts.drop_nulls(column)
    values = known[column].cast(pl.Int64).to_numpy().astype(kind)
    cube = state_cube(
        context.system, known["ccode"].to_numpy(), known["year"].to_numpy(), values, column
    )
    assert cube.dtype == np.dtype(kind)
    assert missing_of(cube.dtype) == np.iinfo(kind).min
    return cube
