"""Units made of treaties: the pair that one binds, the alliance, its years and its members' years.

Source: Leeds, Ritter, Mitchell & Long 2002, Alliance Treaty Obligations and Provisions (ATOP).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.panels.spans import each_year, shared_days
from foedus.panels.spine import Spine, member_place
from foedus.panels.system import StateSystem, day_number
from foedus.panels.units import unit
from foedus.sources.tables import Tables

# COW numbers have at most three digits; ATOP numbers what COW never lists with four.
HIGHEST_COW_NUMBER = 999


def memberships(tables: Tables, release: str | None = None) -> pl.DataFrame:
    """Return ATOP's members, an obligation still in force ending on the last day covered."""
    last_year = tables.coverage("atop", release=release)[1]
    return tables.get("atop", "members", release=release).with_columns(
        end=pl.when(pl.col("in_force")).then(pl.date(last_year, 12, 31)).otherwise(pl.col("end"))
    )


def allied_pairs(members: pl.DataFrame) -> pl.DataFrame:
    """Pair the members of one phase of a pact for the days on which both are in it.

    Parameters
    ----------
    members : polars.DataFrame
        One row a member, a phase and a spell: atopid, phase, member, start, end and whatever else.

    Returns
    -------
    polars.DataFrame
        Directed: one row a (giver, receiver, pact, phase, spell), with the giver's other columns,
        from_day, to_day, first_year and last_year; sorted.
    """
    partners = members.select("atopid", "phase", receiver="member", start2="start", end2="end")
    pairs = members.rename({"member": "giver"}).join(partners, on=["atopid", "phase"])
    pairs = pairs.filter(pl.col("giver") != pl.col("receiver"))
    # ASSUME: a member that comes in on the very day on which another goes out (unified Germany and
    # unified Yemen for the states that they replaced) was never in the pact together with it.
    succeeds = (pl.col("start") == pl.col("end2")) & (pl.col("start") > pl.col("start2"))
    precedes = (pl.col("start2") == pl.col("end")) & (pl.col("start2") > pl.col("start"))
    return shared_days(pairs.filter(~(succeeds | precedes)), "start", "end", "start2", "end2").sort(
        "atopid", "phase", "giver", "receiver", "from_day"
    )


def pair_years(
    pairs: pl.DataFrame, years: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each pair's years within `years`: the pair's position, and the year."""
    first = np.maximum(pairs["first_year"].to_numpy(), years[0])
    last = np.minimum(pairs["last_year"].to_numpy(), years[1])
    return each_year(first, last)


def pair_codes(giver: NDArray[Any], receiver: NDArray[Any], year: NDArray[Any]) -> NDArray[Any]:
    """Return one integer a (giver, receiver, year) of COW numbers, in the order of the three."""
    size = HIGHEST_COW_NUMBER + 1
    code = giver.astype(np.int64) * size + receiver.astype(np.int64)
    return np.asarray(code * 10_000 + year.astype(np.int64))


@unit(
    "allied-dyad-year",
    keys=("ccode1", "ccode2", "year"),
    says=(
        "An ordered pair of states in a year in which both were in the same phase of an ATOP pact "
        "on the same day, members outside the COW system included; 1 is the giver of obligations, "
        "2 their receiver. Both orders stand even where only one of the two owes anything. Facts "
        "about a state are missing in years in which it was no member of the COW system."
    ),
    sources=("atop", "cow_states"),
    years_of="atop",
)
def allied_dyad_year(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build allied directed dyad-years, sorted by ccode1, ccode2 and year."""
    # ASSUME: keys are COW numbers, so that the one member that COW never numbers (8152 in pact
    # 1320, 1874-83) has no rows; ATOP's own dyad numbers leave no room for it either.
    members = memberships(tables).filter(pl.col("member") <= HIGHEST_COW_NUMBER)
    pairs = allied_pairs(members.select("atopid", "phase", "member", "start", "end"))
    pair, year = pair_years(pairs, years)
    giver, receiver = (pairs[name].to_numpy()[pair] for name in ("giver", "receiver"))
    code = np.unique(pair_codes(giver, receiver, year))
    both, year = np.divmod(code, 10_000)
    first, second = np.divmod(both, HIGHEST_COW_NUMBER + 1)
    return Spine(
        unit="allied-dyad-year",
        system=system,
        keys={
            "ccode1": first.astype(np.int32),
            "ccode2": second.astype(np.int32),
            "year": year.astype(np.int32),
        },
        places=(member_place(system, "1", first, year), member_place(system, "2", second, year)),
        directed=True,
        years=years,
    )


def alliance_spans(members: pl.DataFrame) -> pl.DataFrame:
    """Return each alliance's first and last day over its members and phases, sorted by atopid.

    Columns: atopid, start, end, first_year, last_year, in_force (any member still in it).
    """
    return (
        members.group_by("atopid")
        .agg(pl.col("start").min(), pl.col("end").max(), pl.col("in_force").any())
        .sort("atopid")
        .with_columns(
            first_year=pl.col("start").dt.year().cast(pl.Int64),
            last_year=pl.col("end").dt.year().cast(pl.Int64),
        )
    )


@unit(
    "alliance",
    keys=("atopid",),
    says=(
        "An ATOP alliance, in the year in which its first members entered it; all its phases are "
        "one alliance."
    ),
    sources=("atop", "cow_states"),
    years_of="atop",
)
def alliance(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build alliances, sorted by number; `extra` holds year (the first) and start_day."""
    spans = alliance_spans(memberships(tables))
    begun = spans.filter(pl.col("first_year").is_between(*years))
    return Spine(
        unit="alliance",
        system=system,
        keys={"atopid": begun["atopid"].to_numpy().astype(np.int32)},
        places=(),
        directed=False,
        years=years,
        extra={
            "year": begun["first_year"].to_numpy().astype(np.int64),
            "start_day": day_number(begun["start"]),
        },
    )


@unit(
    "alliance-year",
    keys=("atopid", "year"),
    says=(
        "An ATOP alliance in a year on at least one day of which two members or more were in it."
    ),
    sources=("atop", "cow_states"),
    years_of="atop",
)
def alliance_year(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build alliance-years, sorted by atopid and year; `extra` holds year."""
    members = memberships(tables).select("atopid", "phase", "member", "start", "end")
    pairs = allied_pairs(members)
    pair, year = pair_years(pairs, years)
    code = np.unique(pairs["atopid"].to_numpy().astype(np.int64)[pair] * 10_000 + year)
    atopid, year = np.divmod(code, 10_000)
    return Spine(
        unit="alliance-year",
        system=system,
        keys={"atopid": atopid.astype(np.int32), "year": year.astype(np.int32)},
        places=(),
        directed=False,
        years=years,
        extra={"year": year},
    )


@unit(
    "alliance-member-year",
    keys=("atopid", "ccode", "year"),
    says=(
        "A state in an ATOP alliance on at least one day of a year, members outside the COW system "
        "included. Facts about the state are missing in years in which it was no member of it."
    ),
    sources=("atop", "cow_states"),
    years_of="atop",
)
def alliance_member_year(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build member-years, sorted by atopid, ccode and year; `extra` holds year."""
    members = memberships(tables).filter(pl.col("member") <= HIGHEST_COW_NUMBER)
    first = members["start"].dt.year().to_numpy().astype(np.int64)
    last = members["end"].dt.year().to_numpy().astype(np.int64)
    row, year = each_year(np.maximum(first, years[0]), np.minimum(last, years[1]))
    atopid, ccode = (
        members[name].to_numpy().astype(np.int64)[row] for name in ("atopid", "member")
    )
    code = np.unique((atopid * (HIGHEST_COW_NUMBER + 1) + ccode) * 10_000 + year)
    both, year = np.divmod(code, 10_000)
    atopid, ccode = np.divmod(both, HIGHEST_COW_NUMBER + 1)
    return Spine(
        unit="alliance-member-year",
        system=system,
        keys={
            "atopid": atopid.astype(np.int32),
            "ccode": ccode.astype(np.int32),
            "year": year.astype(np.int32),
        },
        places=(member_place(system, "", ccode, year),),
        directed=False,
        years=years,
        extra={"year": year},
    )
