"""Russett and Oneal's dyad-years of Triangulating Peace, 1885 to 1991 without the World Wars."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.columns import state, year
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows
from foedus.sources.stata import read_stata

COLUMNS = (
    state("statea", "COW number of the state with the lower number"),
    state("stateb", "COW number of the other state"),
    year("Year in which the right-hand side is measured"),
    Column("dependa", "float64", "Trade of the two over the first state's GDP", low=0, high=1,
           unit="share of GDP", required=True),
    Column("dependb", "float64", "Trade of the two over the second state's GDP", low=0, high=1,
           unit="share of GDP", required=True),
    Column("demauta", "int8", "First state's democracy less autocracy score, Polity III", low=-10,
           high=10, required=True),
    Column("demautb", "int8", "Second state's democracy less autocracy score, Polity III", low=-10,
           high=10, required=True),
    Column("allies", "int8", "1: formally allied", required=True),
    Column("dispute1", "int8", "1: the two are in a militarized dispute in the following year",
           required=True),
    Column("logdstab", "float64", "Logarithm of the distance, the least between ports", low=0,
           high=10, unit="log miles", required=True),
    Column("lcaprat2", "float64", "Logarithm of the larger over the smaller capability", low=0,
           high=15, unit="log ratio", required=True),
    Column("smigoabi", "int16", "Joint memberships in inter-governmental organizations, partly "
           "interpolated", unit="organizations", low=0, high=200, required=True),
    Column("opena", "float64", "First state's imports and exports over its GDP", low=0,
           unit="share of GDP"),
    Column("openb", "float64", "Second state's imports and exports over its GDP", low=0,
           unit="share of GDP"),
    Column("minrpwrs", "int8", "-1: one or both states are major powers; 0: both are minor",
           required=True),
    Column("noncontg", "int8", "-1: contiguous; 0: not contiguous", required=True),
)  # fmt: skip


@source("rep_russett_oneal_2001", tables={"dyad_years": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the authors' Stata file."""
    return {"dyad_years": read_stata(files["russett_oneal_2001.dta"], COLUMNS, facts)}
