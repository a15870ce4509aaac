"""ATOP alliances: one row an alliance, with its members and Leeds and Anac's institutionalization.

The definitions of the content columns are those of the member-level table of the same release.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from foedus.sources import dates
from foedus.sources.columns import described
from foedus.sources.datasets import atop
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

_CONTENT = """
wartime estmode pubsecr secrart proadd futmem speclgth length renounce proren renewlgt term defense
offense neutral nonagg consul active conditio defcon offcon neucon concon asymm notaiden dipaid
terrres seppeace thirdcom noothall specthrt statthr1 statthr2 conwtin medarb milcon milaid intcom
subord organ1 orgpurp1 organ2 orgpurp2 base contrib armred acqterr divgains demwith reflnun refothio
natrefal compag nomicoop conres agprois conmen ecaid interv
"""
_MEMBER_LEVEL = {column.name: column for column in atop.OLD}

COLUMNS = (
    Column("atopid", "int32", "ATOP alliance number", low=1000, high=9999, required=True),
    _MEMBER_LEVEL["cowid"],
    _MEMBER_LEVEL["cow4id"],
    Column("start", "date", "First day the beginning may mean", derived=True),
    Column("end", "date", "Last day the end may mean; missing while in force", derived=True),
    Column("start_precision", "text", "How much of the beginning is known", derived=True),
    Column("end_precision", "text", "How much of the end is known", derived=True),
    Column("in_force", "bool", "In force when the coverage ends", derived=True),
    Column("begyr", "int16", "Year in which it begins", within_coverage=True, required=True),
    Column("begmo", "int8", "Month in which it begins", low=1, high=12),
    Column("begday", "int8", "Day on which it begins", low=1, high=31),
    Column("endyr", "int16", "Year in which it ends; missing while in force", low=1815, high=2016),
    Column("endmo", "int8", "Month in which it ends; missing while in force", low=1, high=12),
    Column("endday", "int8", "Day on which it ends; missing while in force", low=1, high=31),
    Column("ineffect", "int8", "1 if in force when the coverage ends", required=True),
    Column("bilat", "int8", "1 if the alliance has two members", required=True),
    Column("maxphase", "int8", "Number of phases; 0 when there is only one", low=0, high=20,
           required=True),
    *(_MEMBER_LEVEL[name] for name in _CONTENT.split()),
    *(
        Column(f"mem{number}", "int32", f"Member {number}: COW state number, or ATOP's own",
               low=1, high=9999)
        for number in range(1, 60)
    ),
    _MEMBER_LEVEL["source"],
    _MEMBER_LEVEL["new4"],
    _MEMBER_LEVEL["rev4"],
    Column("version", "float64", "Release stamp of the file", required=True, keep=False),
    *described(
        """
hinst|1: high military institutionalization
minst|1: middle military institutionalization
milorg|1: the treaty makes a military organization
milinst|military institutionalization: 0 none, 1 middle, 2 high (Leeds & Anac 2005)
pubtreat|1: the treaty is public
formorg|1: the treaty makes a formal organization
formal|formality: 0 low, 1 middle, 2 high (Leeds & Anac 2005)
"""
    ),
)  # fmt: skip


@source("atop_alliances", tables={"alliances": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read ATOP 4.01, alliance level."""
    rows = read_table(files, facts, "atop4_01a.csv", COLUMNS)
    assert rows.raw is not None
    begin, finish = ("begyr", "begmo", "begday"), ("endyr", "endmo", "endday")
    frame = rows.frame.with_columns(
        start=dates.earliest(*begin),
        end=dates.latest(*finish),
        start_precision=dates.precision(*begin),
        end_precision=dates.precision(*finish),
        in_force=pl.col("ineffect") == 1,
    )
    dates.check_exists(rows.raw, frame, "start", *begin)
    dates.check_exists(rows.raw, frame, "end", *finish)
    dates.check_order(rows.raw, frame, "start", "end")
    return {"alliances": Rows(frame, rows.raw)}
