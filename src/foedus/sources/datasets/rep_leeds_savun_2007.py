"""Leeds and Savun's external threat: one row a state-year."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    state("ccode", "COW state number", required=False),
    year(),
    Column("lsthreat", "float64", "External threat: summed capabilities of the states that may "
           "threaten this one", low=0, high=1, unit="share of the system's capabilities",
           required=True),
)  # fmt: skip


@source("rep_leeds_savun_2007", tables={"state_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the measure."""
    return {"state_years": read_table(files, facts, "leeds-savun-threat.csv", COLUMNS)}
