"""Units made of the state system alone: state-years and dyad-years."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.panels.spine import Spine, StatePlace
from foedus.panels.system import StateSystem
from foedus.panels.units import unit
from foedus.sources.tables import Tables


def _year_slice(system: StateSystem, years: tuple[int, int]) -> slice:
    return slice(years[0] - system.first_year, years[1] - system.first_year + 1)


@unit(
    "state-year",
    keys=("ccode", "year"),
    says="A state in a year in which it was a member of the COW system on at least one day.",
    sources=("cow_states",),
)
def state_year(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build state-years, sorted by ccode and year."""
    state, offset = np.nonzero(system.member[:, _year_slice(system, years)])
    year = offset + years[0]
    return Spine(
        unit="state-year",
        system=system,
        keys={"ccode": system.ccodes[state], "year": year.astype(np.int32)},
        places=(StatePlace("", state, year),),
        directed=False,
        years=years,
    )


def _places(shared: NDArray[np.bool_]) -> tuple[NDArray[np.int64], ...]:
    """Return where a cube (n, n, years) is true, as numpy's nonzero does, in half the time."""
    n, _, n_years = shared.shape
    flat = np.flatnonzero(shared)
    counts = shared.sum(axis=2, dtype=np.int64)
    first = np.repeat(np.arange(n), counts.sum(axis=1))
    second = np.repeat(np.tile(np.arange(n), n), counts.reshape(-1))
    offset = flat - np.repeat(np.arange(n * n) * n_years, counts.reshape(-1))
    return first, second, offset


def _dyads(
    name: str, system: StateSystem, years: tuple[int, int], shared: NDArray[np.bool_]
) -> Spine:
    first, second, offset = _places(shared)
    year = offset + years[0]
    return Spine(
        unit=name,
        system=system,
        keys={
            "ccode1": system.ccodes[first],
            "ccode2": system.ccodes[second],
            "year": year.astype(np.int32),
        },
        places=(StatePlace("1", first, year), StatePlace("2", second, year)),
        directed=name.startswith("directed"),
        years=years,
    )


@unit(
    "directed-dyad-year",
    keys=("ccode1", "ccode2", "year"),
    says=(
        "An ordered pair of states in a year; 1 is the potential challenger, 2 the target. A pair "
        "exists in a year only if both were members of the COW system on the same day of it."
    ),
    sources=("cow_states",),
)
def directed_dyad_year(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build directed dyad-years, sorted by ccode1, ccode2 and year."""
    shared = system.together[:, :, _year_slice(system, years)]
    return _dyads("directed-dyad-year", system, years, shared)


@unit(
    "dyad-year",
    keys=("ccode1", "ccode2", "year"),
    says=(
        "An unordered pair of states in a year, ccode1 < ccode2. A pair exists in a year only if "
        "both were members of the COW system on the same day of it."
    ),
    sources=("cow_states",),
)
def dyad_year(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build undirected dyad-years, sorted by ccode1, ccode2 and year."""
    upper = np.triu(np.ones((system.n_states, system.n_states), dtype=bool), k=1)
    shared = system.together[:, :, _year_slice(system, years)] & upper[:, :, None]
    return _dyads("dyad-year", system, years, shared)
