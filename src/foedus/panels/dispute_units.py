"""Units made of militarized disputes: the dispute, the state in one, and the pair in one by year.

Source: Palmer et al. 2022, Militarized Interstate Disputes, version 5.0 (COW).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from foedus.panels.spans import each_year, opposing
from foedus.panels.spine import Spine, member_place
from foedus.panels.system import StateSystem
from foedus.panels.units import unit
from foedus.sources.tables import Tables

SOURCES = ("mid", "cow_states")


def opposed(participants: pl.DataFrame) -> pl.DataFrame:
    """Return pairs that stood on opposite sides of a dispute on the same day, by year.

    Parameters
    ----------
    participants : polars.DataFrame
        mid/participants: one row a spell of a state's participation.

    Returns
    -------
    polars.DataFrame
        Directed: dispnum, ccode1, ccode2, year, once each and sorted, and `first`, the pair's first
        year in the dispute.
    """
    # ASSUME: unknown days of a dispute are read generously (earliest start, latest end).
    spells = participants.select("dispnum", "ccode", "sidea", start="start_min", end="end_max")
    pairs = opposing(spells, by="dispnum", side="sidea")
    span, year = each_year(pairs["first_year"].to_numpy(), pairs["last_year"].to_numpy())
    keys = ["dispnum", "ccode1", "ccode2"]
    return (
        pairs.select(keys)[span]
        .with_columns(year=pl.Series(year))
        .unique()
        .sort(*keys, "year")
        .with_columns(first=pl.col("year").min().over(keys))
    )


@unit(
    "dispute",
    keys=("dispnum",),
    says="A COW militarized interstate dispute, in the year in which it began.",
    sources=SOURCES,
)
def dispute(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build disputes, sorted by number; `extra` holds year (the first)."""
    begun = (
        tables.get("mid", "disputes").filter(pl.col("styear").is_between(*years)).sort("dispnum")
    )
    return Spine(
        unit="dispute",
        system=system,
        keys={"dispnum": begun["dispnum"].to_numpy().astype(np.int32)},
        places=(),
        directed=False,
        years=years,
        extra={"year": begun["styear"].to_numpy().astype(np.int64)},
    )


@unit(
    "dispute-participant",
    keys=("dispnum", "ccode"),
    says=(
        "A state in a COW militarized interstate dispute, once even if it left and came back; "
        "facts about the state are those of the year in which it entered the dispute."
    ),
    sources=SOURCES,
)
def dispute_participant(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build dispute participants, sorted by dispute and state; `extra` holds year (of entry)."""
    entered = (
        tables.get("mid", "participants")
        .group_by("dispnum", "ccode")
        .agg(pl.col("styear").min())
        .filter(pl.col("styear").is_between(*years))
        .sort("dispnum", "ccode")
    )
    ccode = entered["ccode"].to_numpy().astype(np.int32)
    year = entered["styear"].to_numpy().astype(np.int64)
    return Spine(
        unit="dispute-participant",
        system=system,
        keys={"dispnum": entered["dispnum"].to_numpy().astype(np.int32), "ccode": ccode},
        places=(member_place(system, "", ccode, year),),
        directed=False,
        years=years,
        extra={"year": year},
    )


@unit(
    "dispute-dyad-year",
    keys=("dispnum", "ccode1", "ccode2", "year"),
    says=(
        "An ordered pair of states that stood on opposite sides of a COW militarized interstate "
        "dispute on the same day of a year; both orders of each pair."
    ),
    sources=SOURCES,
)
def dispute_dyad_year(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build dispute dyad-years, sorted by dispute, state 1, state 2 and year."""
    rows = opposed(tables.get("mid", "participants"))
    rows = rows.filter(pl.col("year").is_between(*years))
    keys = {
        name: rows[name].to_numpy().astype(np.int32)
        for name in ("dispnum", "ccode1", "ccode2", "year")
    }
    year = keys["year"].astype(np.int64)
    return Spine(
        unit="dispute-dyad-year",
        system=system,
        keys=keys,
        places=(
            member_place(system, "1", keys["ccode1"], year),
            member_place(system, "2", keys["ccode2"], year),
        ),
        directed=True,
        years=years,
    )
