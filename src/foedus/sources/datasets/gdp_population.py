"""GDP and population as estimates of a latent variable, with their uncertainty: state-years."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    state("ccode", "COW state number"),
    year(),
    Column("mrgdppc", "float64", "GDP a head on Maddison's scale", low=0,
           unit="2011 international dollars"),
    Column("sd_mrgdppc", "float64", "Standard deviation of mrgdppc", low=0,
           unit="2011 international dollars"),
    Column("pwtrgdp", "float64", "GDP on the scale of the Penn World Table", low=0,
           unit="millions of 2017 international dollars"),
    Column("sd_pwtrgdp", "float64", "Standard deviation of pwtrgdp", low=0,
           unit="millions of 2017 international dollars"),
    Column("pwtpop", "float64", "Population on the scale of the Penn World Table", low=0,
           unit="millions of persons"),
    Column("sd_pwtpop", "float64", "Standard deviation of pwtpop", low=0,
           unit="millions of persons"),
)  # fmt: skip


@source("gdp_population", tables={"state_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the extract."""
    return {"state_years": read_table(files, facts, "cw_gdppop.csv.gz", COLUMNS)}
