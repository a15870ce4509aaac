"""Latent external territorial threat: one row a state-year."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table


def _estimate(prefix: str, says: str, required: bool) -> tuple[Column, ...]:
    unit = "latent scale"
    return (
        Column(f"{prefix}lterrthreat", "float64", f"Territorial threat, {says}", unit=unit,
               low=-20, high=20, required=required),
        Column(f"{prefix}sd", "float64", f"Standard deviation of the threat, {says}", unit=unit,
               low=0, high=5, required=required),
        Column(f"{prefix}lwr", "float64", f"Lower end of the threat's interval, {says}", unit=unit,
               low=-20, high=20, required=required),
        Column(f"{prefix}upr", "float64", f"Upper end of the threat's interval, {says}", unit=unit,
               low=-20, high=20, required=required),
    )  # fmt: skip


COLUMNS = (
    state("ccode", "COW state number"),
    year(),
    *_estimate("", "the model without a prefix", required=True),
    *_estimate("m_", "the model with the prefix m", required=False),
)


@source("territorial_threat", tables={"state_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the simulated scores."""
    return {"state_years": read_table(files, facts, "terrthreat.csv", COLUMNS)}
