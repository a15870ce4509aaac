"""Disputes × the states that could have joined them.

Source: Palmer et al. 2022, Militarized Interstate Disputes, version 5.0 (COW).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.panels.dispute_units import SOURCES
from foedus.panels.spine import Spine, StatePlace
from foedus.panels.system import StateSystem, day_number
from foedus.panels.units import unit
from foedus.sources.tables import Tables

SIDE_A = 1
STAYED_OUT = np.iinfo(np.int64).min
"""Day of joining of a state that didn't."""
_HIGHEST_CODE = 10_000


@dataclass(frozen=True)
class Joiners:
    """States that came into disputes after their first day, sorted by dispute and state.

    Attributes
    ----------
    dispnum, ccode : int64 arrays (joiners,)
    side : int64 array (joiners,)
        1 for side A, 2 for side B: that of the first spell.
    day : int64 array (joiners,)
        First day on which it may have been in the dispute, since 1970-01-01.
    hostility : int64 array (joiners,)
        Its highest level of hostility, 1 to 5; -1 where it is unknown.
    """

    dispnum: NDArray[np.int64]
    ccode: NDArray[np.int64]
    side: NDArray[np.int64]
    day: NDArray[np.int64]
    hostility: NDArray[np.int64]


def joiners_of(participants: pl.DataFrame) -> Joiners:
    """Return the states that take part in a dispute and are no originator of it.

    Parameters
    ----------
    participants : polars.DataFrame
        mid/participants: one row a spell of a state's participation.
    """
    # ASSUME: a state with several spells is an originator if any of them is; one that joins twice
    # joins once, on the side and the earliest possible day of its first spell.
    joined = (
        participants.sort("dispnum", "ccode", "start_min")
        .group_by("dispnum", "ccode", maintain_order=True)
        .agg(
            orig=pl.col("orig").max(),
            sidea=pl.col("sidea").first(),
            day=pl.col("start_min").first(),
            hostility=pl.when(pl.col("hostlev").null_count() == 0).then(pl.col("hostlev").max()),
        )
        .filter(pl.col("orig") == 0)
    )
    return Joiners(
        dispnum=joined["dispnum"].to_numpy().astype(np.int64),
        ccode=joined["ccode"].to_numpy().astype(np.int64),
        side=np.where(joined["sidea"].to_numpy() == SIDE_A, 1, 2).astype(np.int64),
        day=day_number(joined["day"]),
        hostility=joined["hostility"].cast(pl.Int64).fill_null(-1).to_numpy(),
    )


def _codes(dispnum: NDArray[np.integer], ccode: NDArray[np.integer]) -> NDArray[np.int64]:
    return dispnum.astype(np.int64) * _HIGHEST_CODE + ccode.astype(np.int64)


def _begun(tables: Tables, years: tuple[int, int]) -> pl.DataFrame:
    """Return the disputes that began within the years, by number."""
    disputes = tables.get("mid", "disputes")
    return disputes.filter(pl.col("styear").is_between(*years)).sort("dispnum")


@unit(
    "dispute-joiner",
    keys=("dispnum", "ccode"),
    says=(
        "A COW militarized interstate dispute and a state that could have joined it: every member "
        "of the COW system on the dispute's first day that was no originator of it (MIDB orig). An "
        "unknown first day is the earliest that it can have been. Facts about the state are those "
        "of the year in which the dispute began."
    ),
    sources=SOURCES,
)
def dispute_joiner(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build disputes × potential joiners, sorted by dispute and state.

    `extra` holds, for each row, `year` (of the dispute's first day), `start_day`, `joined`,
    `join_side` (1 A, 2 B, 0 for a state that stayed out) and `join_day` (STAYED_OUT likewise).
    """
    # ASSUME: a state that enters the system after a dispute's first day can't join it here, even
    # if it did (`unseen_dispute_joiners` lists them): its ties and capabilities when the dispute
    # began don't exist.
    begun = _begun(tables, years)
    day = day_number(begun["start_min"])
    inside = (system.spell_start <= day[:, None]) & (system.spell_end >= day[:, None])
    at, spell = np.nonzero(inside)
    state = system.spell_state[spell]
    dispnum = begun["dispnum"].to_numpy().astype(np.int64)[at]
    ccode = system.ccodes[state].astype(np.int64)
    participants = tables.get("mid", "participants")
    began = participants.filter(pl.col("orig") == 1)
    originators = _codes(began["dispnum"].to_numpy(), began["ccode"].to_numpy())
    code = _codes(dispnum, ccode)
    kept = np.flatnonzero(~np.isin(code, originators))
    kept = kept[np.argsort(code[kept], kind="stable")]
    at, state, code = at[kept], state[kept], code[kept]
    found = joiners_of(participants)
    entry = _entry_of(found, code)
    joined = entry >= 0
    year = begun["styear"].to_numpy().astype(np.int64)[at]
    return Spine(
        unit="dispute-joiner",
        system=system,
        keys={
            "dispnum": dispnum[kept].astype(np.int32),
            "ccode": ccode[kept].astype(np.int32),
        },
        places=(StatePlace("", state, year),),
        directed=False,
        years=years,
        extra={
            "year": year,
            "start_day": day[at],
            "joined": joined,
            "join_side": _of(found.side, entry, 0),
            "join_day": _of(found.day, entry, STAYED_OUT),
            "join_hostility": _of(found.hostility, entry, 0),
        },
    )


def _entry_of(found: Joiners, code: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position among the joiners of each (dispute, state), -1 for one that isn't."""
    known = _codes(found.dispnum, found.ccode)
    if len(known) == 0:
        return np.full(len(code), -1)
    at = np.minimum(np.searchsorted(known, code), len(known) - 1)
    return np.where(known[at] == code, at, -1).astype(np.int64)


def _of(values: NDArray[np.int64], entry: NDArray[np.int64], otherwise: int) -> NDArray[np.int64]:
    """Return each row's joiner's value, `otherwise` for a row that has none."""
    if len(values) == 0:
        return np.full(len(entry), otherwise, np.int64)
    return np.where(entry >= 0, values[entry], otherwise).astype(np.int64)


def unseen_dispute_joiners(
    tables: Tables, system: StateSystem, years: tuple[int, int]
) -> list[tuple[int, int]]:
    """Return (dispnum, ccode) of joiners without a row: no members on the dispute's first day."""
    spine = dispute_joiner(tables, system, years)
    found = joiners_of(tables.get("mid", "participants"))
    of_years = np.isin(found.dispnum, _begun(tables, years)["dispnum"].to_numpy())
    seen = _codes(spine.keys["dispnum"], spine.keys["ccode"])
    gone = of_years & ~np.isin(_codes(found.dispnum, found.ccode), seen)
    pairs = zip(found.dispnum[gone].tolist(), found.ccode[gone].tolist(), strict=True)
    return sorted((int(dispnum), int(ccode)) for dispnum, ccode in pairs)
