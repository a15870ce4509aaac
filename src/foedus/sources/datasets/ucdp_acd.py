"""UCDP/PRIO armed conflicts: one row a conflict, year and pair of state participants."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources import dates
from foedus.sources.columns import year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table


def _gwno(name: str, definition: str, required: bool = False) -> Column:
    return Column(name, "int32", definition, low=1, high=999, required=required)


COLUMNS = (
    Column("conflict_id", "int32", "UCDP number of the conflict", low=1, required=True),
    year(),
    _gwno("gwno_a", "Gleditsch-Ward number of the state on side A", required=True),
    _gwno("gwno_a_2nd", "Gleditsch-Ward number of a state that supports side A with troops"),
    _gwno("gwno_b", "Gleditsch-Ward number of the state on side B"),
    _gwno("gwno_b_2nd", "Gleditsch-Ward number of a state that supports side B with troops"),
    Column("incompatibility", "text", "What the conflict is over", required=True),
    Column("intensity_level", "int8", "Intensity in the year", required=True),
    Column("type_of_conflict", "text", "Type of conflict", required=True),
    Column("start_date", "date", "Day of the conflict's first battle-related death",
           required=True),
    Column("start_prec", "int8", "Precision of start_date", required=True),
    Column("start_date2", "date", "Day on which the episode reached 25 deaths in a year",
           required=True),
    Column("start_prec2", "int8", "Precision of start_date2", required=True),
    Column("ep_end", "int8", "1: the episode ends in the year", required=True),
    Column("ep_end_date", "date", "Last day of the episode"),
)  # fmt: skip


@source("ucdp_acd", tables={"conflict_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the extract; an episode ends on or after its first day."""
    rows = read_table(files, facts, "ucdp_acd.csv", COLUMNS)
    assert rows.raw is not None
    dates.check_order(rows.raw, rows.frame, "start_date2", "ep_end_date")
    return {"conflict_years": rows}
