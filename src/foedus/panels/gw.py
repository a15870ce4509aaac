"""Gleditsch and Ward's states as rows, with COW's facts about them.

Every source here but this one speaks of COW states. A row of the Gleditsch-Ward system is therefore
a state (or two) of that list, and its facts are those of the COW state that it is in that year by
`foedus.sources.state_codes`; where COW has no such state, or doesn't count it a member in the
year, they are missing. Nothing about who exists is taken from COW.

Source: Gleditsch & Ward 1999, A Revised List of Independent States since the Congress of Vienna.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from foedus.errors import UsageError
from foedus.panels.spine import Spine, StatePlace, member_place
from foedus.panels.system import StateSystem
from foedus.panels.units import Unit, check_years, load_gw_system
from foedus.sources.state_codes import cow_of_gw
from foedus.sources.tables import Tables

UNITS = ("state-year", "dyad-year", "directed-dyad-year")


def gw_spine(
    tables: Tables, chosen: Unit, years: tuple[int, int], cow: StateSystem, states: str
) -> Spine:
    """Return the rows of a unit of the Gleditsch-Ward system, placed in the COW system.

    Raises
    ------
    UsageError
        For another system, a unit that is made of more than states, or years that it lacks.
    MissingDataError
        If its list isn't at hand; the message says where it is.
    """
    if states != "gw":
        raise UsageError(f'"{states}" is not a state system. Known: cow, gw.')
    if chosen.name not in UNITS:
        raise UsageError(
            f"{chosen.name} is built of COW states only; with the system gw there are "
            f"{', '.join(UNITS)}."
        )
    system = load_gw_system(tables)
    check_years(tables, chosen, system, years)
    spine = chosen.build(tables, system, years)
    places = tuple(_in_cow(system, cow, place) for place in spine.places)
    return replace(spine, system=cow, places=places, states="gw")


def _in_cow(system: StateSystem, cow: StateSystem, place: StatePlace) -> StatePlace:
    """Return the place of a Gleditsch-Ward state in the COW system; -1 where it has none."""
    numbers = pl.DataFrame({"gwcode": system.ccodes[place.state], "year": place.year})
    ccode = numbers.select(cow_of_gw(pl.col("gwcode"), pl.col("year")).fill_null(0)).to_series()
    return member_place(cow, place.suffix, ccode.to_numpy(), place.year)
