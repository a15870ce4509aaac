"""Miller and Gibler's disputes: one row a pair of opponents and year, negotiated or not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import described, state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    state("ccode1", "COW number of state 1"),
    state("ccode2", "COW number of state 2"),
    year("Year of the dispute"),
    Column("cap_1", "float64", "State 1's share of the system's capabilities (CINC)", low=0, high=1,
           unit="share", required=True),
    Column("cap_2", "float64", "State 2's share of the system's capabilities (CINC)", low=0, high=1,
           unit="share", required=True),
    Column("alliance", "int8", "Kind of the two states' alliance"),
    Column("contig", "int8", "1: contiguous by land or sea", required=True),
    Column("dyaddur", "int16", "How long the dyad has existed", unit="years", low=0, high=200,
           required=True),
    Column("polity21", "int8", "State 1's polity2", low=-10, high=10),
    Column("polity22", "int8", "State 2's polity2", low=-10, high=10),
    *described(
        """
demdA|1: state 1 is a democracy
demdB|1: state 2 is a democracy
""",
        required=True,
    ),
    Column("allied", "int8", "1: allied by any kind of alliance"),
    *described(
        """
jointdem|1: both states are democracies
anyweak|1: at least one of the states is weak
hegemon|1: a hegemon is among the two
terrmid|1: the dispute is over territory
""",
        required=True,
    ),
    Column("lncapratdir", "float64", "Logarithm of state 1's capabilities over state 2's",
           unit="log ratio", low=-20, high=20, required=True),
    Column("NEGOC", "int8", "1: the dispute ends in a negotiated compromise", required=True),
    Column("terrcontig", "int8", "1: territorial dispute of contiguous states", required=True),
)  # fmt: skip


@source("rep_miller_gibler_2011", tables={"disputes": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the authors' file."""
    return {"disputes": read_table(files, facts, "miller_gibler_2011.csv", COLUMNS)}
