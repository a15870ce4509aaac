"""The unit made of the world's regions: their years."""

from __future__ import annotations

import numpy as np

from foedus.panels.regions import NAMES, regions_of
from foedus.panels.spine import Spine
from foedus.panels.system import StateSystem
from foedus.panels.units import unit
from foedus.sources.tables import Tables


@unit(
    "region-year",
    keys=("region", "year"),
    says=(
        "A region in a year in which it had a member of the COW system: "
        + ", ".join(f"{number} {name}" for number, name in NAMES.items())
        + "."
    ),
    sources=("cow_states",),
)
def region_year(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build region-years, sorted by region and year."""
    region = regions_of(system.ccodes)
    inside = slice(years[0] - system.first_year, years[1] - system.first_year + 1)
    member = system.member[:, inside]
    exists = np.stack([member[region == place].any(axis=0) for place in range(len(NAMES))])
    place, offset = np.nonzero(exists)
    return Spine(
        unit="region-year",
        system=system,
        keys={
            "region": (place + 1).astype(np.int32),
            "year": (offset + years[0]).astype(np.int32),
        },
        places=(),
        directed=False,
        years=years,
    )
