"""The unit made of the state system as a whole: its years."""

from __future__ import annotations

import numpy as np

from foedus.panels.spine import Spine
from foedus.panels.system import StateSystem
from foedus.panels.units import unit
from foedus.sources.tables import Tables


@unit(
    "system-year",
    keys=("year",),
    says="The COW state system in a year.",
    sources=("cow_states",),
)
def system_year(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build the years of the system, ascending."""
    return Spine(
        unit="system-year",
        system=system,
        keys={"year": np.arange(years[0], years[1] + 1).astype(np.int32)},
        places=(),
        directed=False,
        years=years,
    )
