"""Sets of k states by year: all that form an alliance, and a sample of those that don't.

Most alliances have more than two founders, and cutting one into dyads counts one decision many
times (Poast 2010). The unit is the set of k states, whatever k is. There are more such sets than
can be held (a million and more triads a year), so that non-events are drawn: every event is kept,
a stated number of non-events is drawn from each year, and weights say how many sets each stands
for (King & Zeng 2001).

Source: Poast 2010, "(Mis)Using Dyadic Data to Analyze Multilateral Events", Political Analysis 18.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.errors import UsageError, nearest
from foedus.panels.alliance_units import HIGHEST_COW_NUMBER
from foedus.panels.system import StateSystem
from foedus.sources.tables import Tables

OBLIGATIONS = {
    "defense": "defense",
    "offense": "offense",
    "neutrality": "neutral",
    "nonaggression": "nonagg",
    "consultation": "consul",
}
MOST_SETS = 20_000_000
# Numbers drawn at once, one a state for each set.
_DRAWN_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class KAdOptions:
    """Which sets are built.

    Attributes
    ----------
    k : int
        States in a set, 2 or more.
    events : str
        "any" alliance, or one with an obligation of this kind: defense, offense, neutrality,
        nonaggression, consultation.
    controls : int
        Non-events drawn from each year; all of them where there are no more.
    seed : int
        Of the draws; those of a year don't depend on the other years asked for.
    """

    k: int = 3
    events: str = "any"
    controls: int = 100
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what makes no sample (UsageError)."""
        if self.k < 2:
            raise UsageError(f"--k {self.k}: a set has two states or more.")
        if self.controls < 0:
            raise UsageError(f"--controls {self.controls}: a number of sets is 0 or more.")
        if self.events not in ("any", *OBLIGATIONS):
            raise UsageError(
                f'--events "{self.events}" is no kind of obligation. '
                f"{nearest(self.events, ['any', *OBLIGATIONS])}"
            )


@dataclass(frozen=True)
class KAds:
    """Sampled sets of states, sorted by members and year.

    Attributes
    ----------
    states : int64 array (rows, k)
        Indices in the system, ascending within a row.
    year : int64 array (rows,)
    formed : int8 array (rows,)
        1 for an event: an alliance of the kind asked for was founded by exactly these states.
    n_formed : int32 array (rows,)
        How many such alliances.
    weight : float64 array (rows,)
        Sets that a row stands for: 1 for an event; for a non-event, the year's non-events divided
        by those drawn.
    """

    states: NDArray[np.int64]
    year: NDArray[np.int64]
    formed: NDArray[np.int8]
    n_formed: NDArray[np.int32]
    weight: NDArray[np.float64]


def founders(members: pl.DataFrame, events: str = "any") -> pl.DataFrame:
    """Return each alliance's founding members and year.

    Parameters
    ----------
    members : polars.DataFrame
        atop/members.
    events : str
        As in `KAdOptions`; an alliance has the obligation if a founder owes it in its first phase.

    Returns
    -------
    polars.DataFrame
        atopid, year, founders (COW numbers, ascending); sorted by atopid.
    """
    # ASSUME: the founders are the members that entered in the calendar year of the alliance's
    # first day: signatures of one treaty are up to some weeks apart (pact 1227).
    first = members.with_columns(
        begun=pl.col("start").min().over("atopid"),
        phase_one=pl.col("phase").min().over("atopid"),
    ).filter(
        pl.col("start").dt.year() == pl.col("begun").dt.year(),
        pl.col("phase") == pl.col("phase_one"),
    )
    owed = pl.lit(value=True) if events == "any" else (pl.col(OBLIGATIONS[events]) == 1).any()
    return (
        first.group_by("atopid")
        .agg(
            year=pl.col("begun").first().dt.year().cast(pl.Int64),
            founders=pl.col("member").unique().sort(),
            owed=owed,
        )
        .filter(pl.col("owed"))
        .drop("owed")
        .sort("atopid")
    )


def formations(
    tables: Tables, system: StateSystem, years: tuple[int, int], options: KAdOptions
) -> dict[int, dict[tuple[int, ...], int]]:
    """Return by year the sets of k states that founded alliances, and how many each."""
    found = founders(tables.get("atop", "members"), options.events).filter(
        pl.col("founders").list.len() == options.k, pl.col("year").is_between(*years)
    )
    by_year: dict[int, dict[tuple[int, ...], int]] = {}
    for year, ccodes in found.select("year", "founders").iter_rows():
        states = tuple(system.index(np.asarray(ccodes)).tolist())
        # ASSUME: an alliance with a founder outside the COW system is no event of the system.
        if max(ccodes) > HIGHEST_COW_NUMBER or min(states) < 0:
            continue
        together = system.together[:, :, year - system.first_year]
        if not all(together[pair] for pair in itertools.combinations(states, 2)):
            continue
        sets = by_year.setdefault(year, {})
        sets[states] = sets.get(states, 0) + 1
    return by_year


def count_sets(together: NDArray[np.bool_], present: NDArray[np.int64], k: int) -> int:
    """Return how many sets of k of the `present` states have no two that never meet.

    Nearly all pairs share a day of a year. The few states with a pair that doesn't are gone
    through set by set; the others combine with all.
    """
    apart = ~together[np.ix_(present, present)]
    np.fill_diagonal(apart, val=False)
    odd = np.flatnonzero(apart.any(axis=1))
    free = len(present) - len(odd)
    total = 0
    # Sets of odd states that all meet, by size, grown one state at a time in ascending order.
    layer: list[tuple[int, ...]] = [()]
    for size in range(min(k, len(odd)) + 1):
        total += len(layer) * math.comb(free, k - size)
        layer = [
            (*chosen, one)
            for chosen in layer
            for one in odd.tolist()
            if (not chosen or one > chosen[-1]) and not apart[one, list(chosen)].any()
        ]
    return total


def sample(
    tables: Tables, system: StateSystem, years: tuple[int, int], options: KAdOptions
) -> KAds:
    """Return all events and the drawn non-events of each year.

    Raises
    ------
    UsageError
        If more sets than MOST_SETS are asked for.
    """
    n_years = years[1] - years[0] + 1
    if options.controls * n_years > MOST_SETS:
        raise UsageError(
            f"--controls {options.controls} in {n_years} years are "
            f"{options.controls * n_years} sets, more than the {MOST_SETS} that are built at "
            "once. Ask for fewer."
        )
    events = formations(tables, system, years, options)
    parts = [
        _year_sample(system, year, events.get(year, {}), options)
        for year in range(years[0], years[1] + 1)
    ]
    states, year, formed, weight = (np.concatenate([part[at] for part in parts]) for at in range(4))
    order = np.lexsort((year, *states.T[::-1]))
    return KAds(
        states=states[order],
        year=year[order],
        formed=(formed[order] > 0).astype(np.int8),
        n_formed=formed[order].astype(np.int32),
        weight=weight[order],
    )


_Part = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def _year_sample(
    system: StateSystem, year: int, events: dict[tuple[int, ...], int], options: KAdOptions
) -> _Part:
    at_year = year - system.first_year
    present = np.flatnonzero(system.member[:, at_year])
    together = system.together[:, :, at_year]
    n_others = count_sets(together, present, options.k) - len(events)
    wanted = min(options.controls, n_others)
    if wanted == n_others:
        drawn = _all_sets(together, present, set(events), options.k)
    else:
        # The draws of a year are its own: other years asked for don't change them.
        draw = np.random.default_rng([options.seed, year, options.k])
        drawn = _drawn_sets(together, present, set(events), options.k, wanted, draw)
    sets = np.array([*events, *map(tuple, drawn.tolist())], np.int64).reshape(-1, options.k)
    return (
        sets,
        np.full(len(sets), year, np.int64),
        np.array([*events.values(), *[0] * wanted], np.int64),
        np.array([*[1.0] * len(events), *[n_others / max(wanted, 1)] * wanted]),
    )


def _all_sets(
    together: NDArray[np.bool_], present: NDArray[np.int64], events: set[tuple[int, ...]], k: int
) -> NDArray[np.int64]:
    """Return every non-event, where they are few."""
    sets = [
        chosen
        for chosen in itertools.combinations(present.tolist(), k)
        if chosen not in events
        and all(together[pair] for pair in itertools.combinations(chosen, 2))
    ]
    return np.array(sets, np.int64).reshape(-1, k)


def _drawn_sets(
    together: NDArray[np.bool_],
    present: NDArray[np.int64],
    events: set[tuple[int, ...]],
    k: int,
    wanted: int,
    draw: np.random.Generator,
) -> NDArray[np.int64]:
    """Return non-events drawn uniformly without replacement, by throwing back what doesn't fit."""
    found: dict[tuple[int, ...], None] = {}
    at_once = max(1, min(2 * wanted + 16, _DRAWN_AT_ONCE // len(present)))
    while len(found) < wanted:
        # The k least of n random numbers are a uniformly drawn set of k.
        numbers = draw.random((at_once, len(present)))
        chosen = np.argpartition(numbers, k - 1, axis=1)[:, :k] if k < len(present) else None
        sets = np.sort(present[chosen] if chosen is not None else present[None, :], axis=1)
        fits = np.ones(len(sets), dtype=bool)
        for one, other in itertools.combinations(range(k), 2):
            fits &= together[sets[:, one], sets[:, other]]
        for chosen_set in map(tuple, sets[fits].tolist()):
            if chosen_set not in events and chosen_set not in found:
                found[chosen_set] = None
                if len(found) == wanted:
                    break
    return np.array(list(found), np.int64).reshape(-1, k)
