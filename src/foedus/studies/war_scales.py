"""The size of a war on three scales: battle deaths, and deaths a million people of two populations.

Braumoeller's (2019) words: severity is the number of the dead, prevalence the dead a million of the
world's population, intensity the dead a million of the belligerents' population.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.registry import Option
from foedus.covariates.war_outcome import battle_deaths
from foedus.panels.system import year_of
from foedus.panels.war_list import WarList, load_wars
from foedus.sources.tables import Tables

SCALE = Option(
    "severity",
    "What a war's size is. severity: battle deaths; prevalence: battle deaths a million of the "
    "world's population in the year the war began; intensity: a million of the belligerents' "
    "population, each in the year of its entry.",
    ("severity", "prevalence", "intensity"),
)
PERIOD = {
    "from_year": Option(1816, "Wars that began in this year or later."),
    "to_year": Option(2010, "Wars that began in this year or earlier."),
}
THOUSAND, MILLION = 1e3, 1e6


@dataclass(frozen=True)
class Sizes:
    """Wars in order of their onset: number, year, size, and how many have no size.

    A war has none on the scale of intensity if the population of one of its belligerents is
    unknown; on the other scales every war of COW's list has one.
    """

    warnum: NDArray[np.int64]
    year: NDArray[np.int64]
    size: NDArray[np.float64]
    unknown: int = 0

    def within(self, first: int, last: int) -> Sizes:
        """Return the wars that began in some years, both included."""
        inside = (self.year >= first) & (self.year <= last)
        return Sizes(self.warnum[inside], self.year[inside], self.size[inside], self.unknown)


def cow_sizes(tables: Tables, scale: str) -> Sizes:
    """Return the inter-state wars of COW 4.0 with their sizes, in order of their onset.

    Parameters
    ----------
    tables : Tables
    scale : str
        As in `SCALE`.
    """
    # ASSUME: unknown deaths of a participant count as none in the sum of its war (COW 4.0: one
    # participant, Thailand in the second Laotian war), so that no war is left out for them.
    wars = load_wars(tables)
    deaths, _ = battle_deaths(wars, "known")
    people = tables.get("cow_nmc", "state_years").select("ccode", "year", "tpop")
    if scale == "severity":
        size = deaths
    elif scale == "prevalence":
        size = MILLION * deaths / (THOUSAND * _world(people, wars.start_year))
    else:
        size = MILLION * deaths / (THOUSAND * _belligerents(people, wars))
    order = np.lexsort((wars.numbers, wars.start_year))
    known = order[np.isfinite(size[order])]
    return Sizes(wars.numbers[known], wars.start_year[known], size[known], len(order) - len(known))


def world_population(tables: Tables, year: int) -> float:
    """Return the summed population of the states of the system in a year, in persons."""
    people = tables.get("cow_nmc", "state_years").select("ccode", "year", "tpop")
    return float(THOUSAND * _world(people, np.array([year]))[0])


def _world(people: pl.DataFrame, year: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the world's population in each year, in thousands: the sum over known states."""
    # ASSUME: the world is the states of COW's system with a known population; colonies whose
    # people the NMC doesn't count with their owner's, and states outside the system, aren't in it.
    summed = people.group_by("year").agg(pl.col("tpop").sum()).sort("year")
    wanted = pl.DataFrame({"year": year}).join(
        summed.with_columns(pl.col("year").cast(pl.Int64)), on="year", how="left",
        maintain_order="left",
    )  # fmt: skip
    return wanted["tpop"].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _belligerents(people: pl.DataFrame, wars: WarList) -> NDArray[np.float64]:
    """Return the summed population of each war's belligerents, in thousands; NaN if one's is."""
    states = wars.states
    asked = pl.DataFrame({"ccode": states.ccode, "year": year_of(states.start)})
    known = people.with_columns(pl.col("ccode", "year").cast(pl.Int64))
    found = asked.join(known, on=["ccode", "year"], how="left", maintain_order="left")
    number = found["tpop"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    of_war = np.searchsorted(wars.numbers, states.warnum)
    summed = np.bincount(of_war, weights=number, minlength=len(wars.numbers))
    return summed.astype(np.float64)
