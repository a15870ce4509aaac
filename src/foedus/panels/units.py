"""The units of analysis that can be built, each declared once with its keys and its builder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from foedus.errors import UsageError, nearest
from foedus.panels.spine import Spine
from foedus.panels.system import StateSystem
from foedus.sources.tables import Tables

Builder = Callable[[Tables, StateSystem, tuple[int, int]], Spine]
Step = Literal["year", "month", "day"]


@dataclass(frozen=True)
class Unit:
    """One unit of analysis.

    Attributes
    ----------
    name : str
        As on the command line, with hyphens.
    keys : tuple of str
        Key columns, in sort order.
    says : str
        What one row is, and which rows exist.
    sources : tuple of str
        Data sets that decide which rows exist.
    build : callable
        (tables, system, years) -> Spine.
    years_of : str
        Data set whose coverage bounds the years that can be asked for.
    parent : str
        For a unit finer than the year: the yearly unit that it refines, whose rows `build` makes;
        see `foedus.panels.fine_units`.
    step : str
        What a row's date is: "year", "month" or "day".
    """

    name: str
    keys: tuple[str, ...]
    says: str
    sources: tuple[str, ...]
    build: Builder
    years_of: str = "cow_states"
    parent: str = ""
    step: Step = "year"


_UNITS: dict[str, Unit] = {}


def unit(
    name: str,
    keys: tuple[str, ...],
    says: str,
    sources: tuple[str, ...],
    years_of: str = "cow_states",
    parent: str = "",
    step: Step = "year",
) -> Callable[[Builder], Builder]:
    """Register a function as the builder of a unit."""

    def register(build: Builder) -> Builder:
        assert name not in _UNITS, f"the unit {name} is declared twice"
        _UNITS[name] = Unit(name, keys, says, sources, build, years_of, parent, step)
        return build

    return register


def units() -> dict[str, Unit]:
    """Return every unit by name."""
    from foedus.panels import (  # noqa: F401  (they register on import)
        alliance_units,
        dispute_joiner_units,
        dispute_units,
        fine_units,
        intervener_units,
        k_ad_unit,
        region_units,
        state_units,
        system_units,
        war_joiner_units,
        war_units,
    )

    return dict(sorted(_UNITS.items()))


def get_unit(name: str) -> Unit:
    """Return a unit by name.

    Raises
    ------
    UsageError
        For an unknown name, with the nearest known ones.
    """
    known = units()
    if name not in known:
        raise UsageError(f'"{name}" is not a unit. {nearest(name, known)} See `foedus units`.')
    return known[name]


def load_system(tables: Tables) -> StateSystem:
    """Return the state system from the ingested COW membership list."""
    return StateSystem.from_spells(
        tables.get("cow_states", "states"), tables.coverage("cow_states")
    )


def load_gw_system(tables: Tables) -> StateSystem:
    """Return Gleditsch and Ward's system of states, by their own numbers."""
    spells = tables.get("gw_states", "states").rename({"gwcode": "ccode"})
    return StateSystem.from_spells(spells, tables.coverage("gw_states"))


def check_years(tables: Tables, chosen: Unit, system: StateSystem, years: tuple[int, int]) -> None:
    """Raise UsageError for years in the wrong order or outside those of the unit's source."""
    first, last = years
    if first > last:
        raise UsageError(f"--years {first} {last}: the first year comes after the last.")
    covered = (system.first_year, system.last_year)
    what = "the state system is"
    if chosen.years_of != "cow_states":
        covered, what = tables.coverage(chosen.years_of), f"the rows of {chosen.name} are"
    if first < covered[0] or last > covered[1]:
        raise UsageError(
            f"--years {first} {last}: {what} known for {covered[0]}-{covered[1]}. "
            "Ask for years within it."
        )


def build_spine(
    tables: Tables,
    name: str,
    years: tuple[int, int],
    system: StateSystem | None = None,
    states: str = "cow",
    of_years: bool = False,
) -> Spine:
    """Build the rows of a unit for the years from `years[0]` to `years[1]`, both included.

    Parameters
    ----------
    system : StateSystem, optional
        COW's, if it is at hand.
    states : str
        Whose list says who exists: "cow", or "gw" (see `foedus.panels.gw`).
    of_years : bool
        For a unit finer than the year: the rows of the yearly unit that it refines, which
        `foedus.panels.fine_units.fine_rows` goes on from.

    Raises
    ------
    UsageError
        For an unknown unit, years in the wrong order, or years that the unit's source (mostly the
        state list) doesn't cover.
    """
    chosen = get_unit(name)
    if chosen.parent and not of_years:
        raise UsageError(
            f"{name} is made by `foedus panel` (in Python, fd.panel); here a unit by year is "
            f"needed: {chosen.parent}."
        )
    system = system or load_system(tables)
    if states != "cow":
        from foedus.panels.gw import gw_spine

        return gw_spine(tables, chosen, years, system, states)
    check_years(tables, chosen, system, years)
    spine = chosen.build(tables, system, years)
    assert tuple(spine.keys) == (get_unit(chosen.parent) if chosen.parent else chosen).keys
    return spine
