"""COW dyadic trade 4.0: one row a pair of states, ccode1 < ccode2, and a year.

Written against the documented layout; no copy of the file was at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import described, state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

_DOLLARS = "millions of current US dollars"
COLUMNS = (
    state("ccode1", "COW number of the first state"),
    state("ccode2", "COW number of the second state"),
    year(),
    Column("importer1", "text", "Name of the first state", keep=False),
    Column("importer2", "text", "Name of the second state", keep=False),
    *described(
        """
        flow1|Imports of state 1 from state 2
        flow2|Imports of state 2 from state 1
        smoothflow1|Imports of state 1 from state 2, smoothed
        smoothflow2|Imports of state 2 from state 1, smoothed
        smoothtotrade|Trade between the two, smoothed
        """,
        "float64",
        unit=_DOLLARS,
        low=0,
    ),
    *described(
        """
        spike1|1 if flow1 leaps up this year
        spike2|1 if flow2 leaps up this year
        dip1|1 if flow1 drops this year
        dip2|1 if flow2 drops this year
        trdspike|1 if the trade between the two leaps up this year
        tradedip|1 if the trade between the two drops this year
        """,
        "float64",
    ),
    *described(
        """
        bel_lux_alt_flow1|flow1 with Belgium and Luxembourg counted apart
        bel_lux_alt_flow2|flow2 with Belgium and Luxembourg counted apart
        china_alt_flow1|flow1 with China's own figures
        china_alt_flow2|flow2 with China's own figures
        """,
        "float64",
        unit=_DOLLARS,
        low=0,
    ),
    Column("source1", "text", "Where flow1 comes from", keep=False),
    Column("source2", "text", "Where flow2 comes from", keep=False),
    Column("version", "text", "Release stamp of the file", keep=False),
)


@source("cow_trade_dyads", tables={"dyad_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the file."""
    return {"dyad_years": read_table(files, facts, "Dyadic_COW_4.0.csv", COLUMNS)}
