"""Likeness of the members' foreign policies: one row an ATOP alliance and year."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import described, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    Column("atopid", "int32", "ATOP alliance number", low=1000, high=9999, required=True),
    year(),
    *described(
        """
mean_s=mean.s.sc|Mean S over the pairs of members
low_s=low.s.sc|Lowest S of a pair of members
mean_pi=mean.pi.sc|Mean Scott's pi over the pairs of members
low_pi=low.pi.sc|Lowest Scott's pi of a pair of members
mean_kappa=mean.kap.sc|Mean Cohen's kappa over the pairs of members
low_kappa=low.kap.sc|Lowest Cohen's kappa of a pair of members
""",
        "float64",
        low=-1,
        high=1,
    ),
)


@source("fp_similarity", tables={"alliance_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the scores."""
    return {"alliance_years": read_table(files, facts, "all-fp-sim.csv", COLUMNS)}
