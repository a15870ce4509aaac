"""COW inter-governmental organizations 3.0: shared memberships of pairs, memberships of states."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import described, state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

DYADS = (
    state("ccode1", "COW number of the state with the lower number"),
    state("ccode2", "COW number of the other state"),
    year(),
    Column("dyadigos", "int16", "Organizations of which both are full members", low=0, high=400,
           unit="organizations", required=True),
)  # fmt: skip

STATES = (
    state("ccode", "COW state number"),
    year(),
    *described(
        """
sum_igo_full|Organizations of which the state is a full member
sum_igo_associate|Organizations of which the state is an associate member
sum_igo_observer|Organizations in which the state is an observer
sum_igo_anytype|Organizations in which the state is a member of any type
""",
        "int16",
        unit="organizations",
        low=0,
        high=400,
        required=True,
    ),
)


@source("cow_igo", tables={"dyad_years": DYADS, "state_years": STATES})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read both extracts."""
    return {
        "dyad_years": read_table(files, facts, "cow_igo_ndy.csv.gz", DYADS),
        "state_years": read_table(files, facts, "cow_igo_sy.csv.gz", STATES),
    }
