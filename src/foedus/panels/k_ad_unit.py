"""The unit made of k states: registered for its name, built by `foedus.panels.k_ads`."""

from __future__ import annotations

import numpy as np

from foedus.panels.k_ads import KAdOptions, KAds, sample
from foedus.panels.spine import Spine
from foedus.panels.system import StateSystem
from foedus.panels.units import unit
from foedus.sources.tables import Tables

UNIT = "k-ad-year"


def k_ad_spine(system: StateSystem, years: tuple[int, int], sets: KAds) -> Spine:
    """Return sampled sets as a spine: ccode1 to ccodek, ascending, and year."""
    k = sets.states.shape[1]
    keys = {f"ccode{at + 1}": system.ccodes[sets.states[:, at]] for at in range(k)}
    return Spine(
        unit=UNIT,
        system=system,
        keys={**keys, "year": sets.year.astype(np.int32)},
        places=(),
        directed=False,
        years=years,
        extra={
            "year": sets.year,
            "formed": sets.formed,
            "n_formed": sets.n_formed,
            "weight": sets.weight,
        },
    )


@unit(
    UNIT,
    keys=("ccode1", "ccode2", "ccode3", "year"),
    says=(
        "A set of k states (3 by default; keys ccode1 to ccodek, ascending) in a year of which "
        "every two were members of the COW system on the same day. All sets that found an ATOP "
        "alliance in the year (exactly its founding members) stand, and of the others a stated "
        "number drawn from each year, with weights; facts about states and dyads are aggregated "
        "over the members."
    ),
    sources=("atop", "cow_states"),
)
def k_ad_year(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build sampled sets of three states under the default options."""
    return k_ad_spine(system, years, sample(tables, system, years, KAdOptions()))
