"""Potential joiners of disputes beside those that began them: the pairs of which facts are made.

Shared by the covariates of the unit dispute-joiner; registers none itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.context import Context
from foedus.covariates.nmc import capability_cube
from foedus.panels.dispute_joiner_units import SIDE_A
from foedus.panels.system import StateSystem

UNIT = "dispute-joiner"
SIDES = {"a": 1, "b": 2}


@dataclass(frozen=True)
class Pairs:
    """Each row of the unit beside each originator of its dispute that was in the system.

    Attributes
    ----------
    row : int64 array (pairs,)
        Row of the spine.
    state, other : int64 arrays (pairs,)
        Indices in the system of the potential joiner and of the originator.
    year : int64 array (pairs,)
        Position of the dispute's first year in the system's years.
    side : int64 array (pairs,)
        Side of the originator: 1 A, 2 B.
    n_rows : int
        Rows of the spine.
    """

    row: NDArray[np.int64]
    state: NDArray[np.int64]
    other: NDArray[np.int64]
    year: NDArray[np.int64]
    side: NDArray[np.int64]
    n_rows: int

    def of(self, side: str) -> NDArray[np.bool_]:
        """Return the pairs whose originator stands on "a", on "b", or on either ("any")."""
        if side == "any":
            return np.ones(len(self.side), dtype=bool)
        return np.asarray(self.side == SIDES[side])

    def look_up(self, cube: NDArray[Any]) -> NDArray[Any]:
        """Return a fact of (joiner, originator, year) for each pair."""
        n, n_years = cube.shape[1], cube.shape[2]
        flat = (self.state * n + self.other) * n_years + self.year
        return np.asarray(cube.reshape(-1).take(flat))

    def any_of(self, holds: NDArray[np.bool_]) -> NDArray[np.int8]:
        """Return 1 for the rows with a pair for which it holds."""
        flags = np.zeros(self.n_rows, np.int8)
        flags[self.row[holds]] = 1
        return flags

    def least(self, values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the least value over a row's chosen pairs; NaN if there is none, or one is NaN."""
        found = np.full(self.n_rows, np.inf)
        np.minimum.at(found, self.row[chosen], values[chosen])
        return np.where(np.isinf(found), np.nan, found)


def originators_of(participants: pl.DataFrame) -> pl.DataFrame:
    """Return the states in each dispute from its first day, once each: dispnum, ccode, side."""
    return (
        participants.sort("dispnum", "ccode", "start_min")
        .group_by("dispnum", "ccode", maintain_order=True)
        .agg(orig=pl.col("orig").max(), sidea=pl.col("sidea").first())
        .filter(pl.col("orig") == 1)
        .select(
            pl.col("dispnum").cast(pl.Int64),
            pl.col("ccode").cast(pl.Int64),
            side=pl.when(pl.col("sidea") == SIDE_A).then(1).otherwise(2).cast(pl.Int64),
        )
    )


def pairs_of(context: Context) -> Pairs:
    """Return the pairs of the context's spine, made once a build."""
    return context.shared("dispute pairs", lambda: _make(context))


def _make(context: Context) -> Pairs:
    spine, system = context.spine, context.system
    began = originators_of(context.tables.get("mid", "participants"))
    began = began.with_columns(other=pl.Series(system.index(began["ccode"].to_numpy())))
    # ASSUME: an originator that was no member of the system has no facts to look at, and no pair.
    began = began.filter(pl.col("other") >= 0).select("dispnum", "other", "side")
    place = spine.places[0]
    rows = pl.DataFrame(
        {
            "dispnum": spine.keys["dispnum"].astype(np.int64),
            "row": np.arange(spine.n_rows, dtype=np.int64),
            "state": place.state,
            "year": place.year - system.first_year,
        }
    )
    both = rows.join(began, on="dispnum", how="inner", maintain_order="left_right")
    columns = {name: both[name].to_numpy() for name in ("row", "state", "other", "year", "side")}
    return Pairs(**columns, n_rows=spine.n_rows)


def with_cinc(context: Context, members: pl.DataFrame) -> tuple[pl.DataFrame, Held]:
    """Add each state's CINC of its dispute's first year; null where it is unknown.

    Parameters
    ----------
    context : Context
        Its option ``nmc`` is the release.
    members : polars.DataFrame
        dispnum, ccode and what else is to be kept.

    Returns
    -------
    polars.DataFrame
        By dispute and state.
    Held
        Where each row's state and year stand in an array over (states, years).
    """
    system = context.system
    begun = context.tables.get("mid", "disputes").select(
        pl.col("dispnum").cast(pl.Int64), year=pl.col("styear").cast(pl.Int64)
    )
    members = members.join(begun, on="dispnum", how="inner").sort("dispnum", "ccode")
    held = Held.of(system, members["ccode"].to_numpy(), members["year"].to_numpy())
    cinc = held.take(capability_cube(context, "cinc", context.options["nmc"]), np.nan)
    return members.drop("year").with_columns(cinc=pl.Series(cinc).fill_nan(None)), held


@dataclass(frozen=True)
class Held:
    """Where states in years stand in an array over (states, years), and which do at all."""

    at: tuple[NDArray[np.int64], NDArray[np.int64]]
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, system: StateSystem, ccode: NDArray[Any], year: NDArray[Any]) -> Held:
        """Find states by number."""
        state, since = system.index(ccode), year - system.first_year
        inside = (state >= 0) & (since >= 0) & (since < system.n_years)
        return cls((np.where(inside, state, 0), np.where(inside, since, 0)), inside)

    def take(self, cube: NDArray[Any], otherwise: float) -> NDArray[Any]:
        """Return each one's value, `otherwise` for those that aren't in the system."""
        return np.where(self.inside, cube[self.at], otherwise)
