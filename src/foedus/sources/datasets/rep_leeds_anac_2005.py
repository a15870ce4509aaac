"""Leeds and Anac's alliances put to the test by war: one row a war and alliance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import described
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows
from foedus.sources.stata import read_stata

CASES = (
    Column("war", "int32", "COW number of the war", low=1, high=999, required=True),
    Column("atopid", "int32", "ATOP alliance number", low=1000, high=9999, required=True),
    Column("ccode1", "int32", "COW number of the state in the war, ccode1 in the file", low=1,
           high=999, required=True),
    *described(
        """
honor3|1: honoured, as the authors' variable honor3 has it
milinst|peacetime military institutionalization: 0 none, 1 some, 2 much
formal|formality of the alliance: 0 low, 1 middle, 2 high
chcap2d|1: a member's power changed since the alliance was formed
dinstch2|1: a member's domestic institutions changed since the alliance was formed
origtar1|1: the war is against the alliance's original target
honor2|1: honoured, as the authors' variable honor2 has it
chalcapd|1: an ally's capabilities changed (chalcapd)
chcp2d20|1: power changed, by another threshold (chcp2d20)
regch2|1: a member's regime changed (regch2)
wartime|1: the alliance was formed in wartime
active|1: the alliance holds a promise of active help
bilat|1: the alliance is bilateral
""",
        required=True,
    ),
)  # fmt: skip


@source("rep_leeds_anac_2005", tables={"cases": CASES})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the authors' Stata file."""
    return {"cases": read_stata(files["LeedsAnacIIrep.dta"], CASES, facts)}
