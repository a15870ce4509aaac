"""COW diplomatic exchange 2006.1 (Bayer 2006): one row a pair of states and a counted year.

Written against the documented layout; no copy of the file was at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    state("ccode1", "COW number of the first state"),
    state("ccode2", "COW number of the second state"),
    year(),
    Column("dr_at_1", "int8", "Level of representation at state 1", "DR_at_1"),
    Column("dr_at_2", "int8", "Level of representation at state 2", "DR_at_2"),
    Column("de", "int8", "1 if there is any exchange between the two", "DE"),
    Column("version", "text", "Release stamp of the file", keep=False),
)


@source("cow_diplomatic_exchange", tables={"dyad_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the file."""
    return {"dyad_years": read_table(files, facts, "Diplomatic_Exchange_2006v1.csv", COLUMNS)}
