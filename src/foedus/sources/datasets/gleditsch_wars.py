"""Gleditsch's expanded list of wars since 1816: one row a state's time in a war."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from foedus.sources import dates
from foedus.sources.reading import read_delimited
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, typed

COLUMNS = (
    Column("warid", "text", "Number of the war", required=True),
    Column("warname", "text", "Name of the war", required=True),
    Column("statenum", "int32", "Gleditsch-Ward state number", low=1, high=999, required=True),
    Column("stateacr", "text", "Abbreviation of the state", required=True),
    Column("sdate1", "date", "First day of the first spell", required=True),
    Column("edate1", "date", "Last day of the first spell", required=True),
    Column("sdate2", "date", "First day of the second spell"),
    Column("edate2", "date", "Last day of the second spell"),
    Column("deaths", "float64", "Battle deaths", unit="persons", low=0),
    Column("outcome", "int8", "Outcome for the state"),
    Column("newcow", "text", "Number of the war in COW 4.0"),
    Column("cow94", "text", "Number of the war in COW of 1994"),
    Column("cow00", "text", "Number of the war in COW of 2000"),
    Column("oldwid", "int32", "Older number of the war", low=1),
)
_DATES = ("sdate1", "edate1", "sdate2", "edate2")


@source("gleditsch_wars", tables={"participants": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read version 2.1, in which NA stands for a date that isn't there."""
    raw = read_delimited(files["expandedWarData.csv"], facts)
    empty = [
        pl.when(pl.col(name) == "NA").then(pl.lit("")).otherwise(pl.col(name)).alias(name)
        for name in _DATES
        if name in raw.header
    ]
    frame = typed(replace(raw, frame=raw.frame.with_columns(empty)), COLUMNS, facts)
    for number in (1, 2):
        dates.check_order(raw, frame, f"sdate{number}", f"edate{number}")
    return {"participants": Rows(frame, raw)}
