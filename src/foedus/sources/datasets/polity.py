"""Polity: regime characteristics a state-year, with Polity's own state codes read as COW's.

Polity numbers some states otherwise than COW (341 is Kosovo there and Montenegro in COW), and two
of its states can share one COW state-year when one succeeds the other within the year. The mapping
is data (`code_map` in the YAML): which code, which years, why. Rows that no COW state-year gets
stand in `unmatched`, with the reason; none is lost silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, check_unique, read_table

# Polity's own rows reach past its coverage for one state (the United States, 2019 and 2020).
LAST_ROW = 2020
_SCORES = (
    Column("flag", "int8", "Confidence of the coders: 0 confident, 1 moderate, 2 tentative", low=0,
           high=2),
    Column("fragment", "int8", "Operational existence of the polity: 0 whole, 1 to 3 fragmented",
           low=0, high=3),
    Column("democ", "int8", "Institutionalized democracy", low=0, high=10),
    Column("autoc", "int8", "Institutionalized autocracy", low=0, high=10),
    Column("polity", "int8", "democ less autoc; missing in interruption, interregnum, transition",
           low=-10, high=10),
    Column("polity2", "int8", "Revised combined score: interregnum 0, transition interpolated, "
           "interruption missing", low=-10, high=10),
    Column("durable", "int16", "Years since the last regime change", unit="years", low=0,
           high=400),
    Column("xrreg", "int8", "Regulation of chief executive recruitment", low=1, high=3),
    Column("xrcomp", "int8", "Competitiveness of executive recruitment", low=0, high=3),
    Column("xropen", "int8", "Openness of executive recruitment", low=0, high=4),
    Column("xconst", "int8", "Constraints on the executive", low=1, high=7),
    Column("parreg", "int8", "Regulation of participation", low=1, high=5),
    Column("parcomp", "int8", "Competitiveness of participation", low=0, high=5),
    Column("exrec", "int8", "Concept: executive recruitment", low=1, high=8),
    Column("exconst", "int8", "Concept: executive constraints", low=1, high=7),
    Column("polcomp", "int8", "Concept: political competition", low=1, high=10),
)  # fmt: skip
_CHANGES = (
    Column("prior", "int8", "Polity score before the change; 99 creation"),
    Column("emonth", "int8", "Month in which the earlier polity ends", low=1, high=12),
    Column("eday", "int8", "Day on which the earlier polity ends", low=1, high=31),
    Column("eyear", "int16", "Year in which the earlier polity ends", low=1700, high=LAST_ROW),
    Column("eprec", "int8", "Precision of the end date, 1 exact to 4 assigned; 9 unknown"),
    Column("interim", "int8", "Polity score in the interim; codes as in Polity's manual"),
    Column("bmonth", "int8", "Month in which the later polity begins", low=1, high=12),
    Column("bday", "int8", "Day on which the later polity begins", low=1, high=31),
    Column("byear", "int16", "Year in which the later polity begins", low=1700, high=LAST_ROW),
    Column("bprec", "int8", "Precision of the begin date, 1 exact to 4 assigned; 9 unknown"),
    Column("post", "int8", "Polity score after the change"),
    Column("change", "int8", "Total change; 96 to 99 and 88 are codes of Polity's manual"),
)
_MARKS = (
    Column("sf", "int8", "1 in years of state failure"),
    Column("regtrans", "int8", "Regime transition; 96 to 99 are codes of Polity's manual"),
)
_STATE = (
    Column("polity_ccode", "int32", "Polity's own state number", "ccode", low=1, high=999,
           required=True),
    Column("country", "text", "Polity's name of the state", required=True),
    Column("year", "int16", "Year", low=1776, high=LAST_ROW, required=True),
    Column("cyear", "int32", "Polity's number of the row, ccode and year", keep=False),
    Column("scode", "text", "Polity's own abbreviation", keep=False),
)  # fmt: skip
_COW = Column("ccode", "int32", "COW state number (see the code map)", derived=True)


def _columns(release: str) -> tuple[Column, ...]:
    moved = Column(f"d{release}", "int8", "1 where a change of regime is recorded")
    first = (Column("p5", "int8", "1 if the row is new in Polity 5", keep=False),)
    return (
        *_STATE, *(first if release == "5" else ()), *_SCORES, *_CHANGES, moved, *_MARKS,
    )  # fmt: skip


READ = _columns("5")
STATE_YEARS = (_COW, *READ)
READ_OLD = _columns("4")
STATE_YEARS_OLD = (_COW, *READ_OLD)
UNMATCHED = (
    Column("polity_ccode", "int32", "Polity's own state number", derived=True),
    Column("year", "int16", "Year", derived=True),
    Column("country", "text", "Polity's name of the state", derived=True),
    Column("polity", "int8", "Polity score", derived=True),
    Column("polity2", "int8", "Revised combined score", derived=True),
    Column("reason", "text", "Why no COW state-year has this row", derived=True),
)


@source("polity", tables={"state_years": STATE_YEARS, "unmatched": UNMATCHED})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read Polity 5 (2018)."""
    return mapped(read_table(files, facts, "p5v2018.csv", READ), facts)


@source("polity_iv_v2015", tables={"state_years": STATE_YEARS_OLD, "unmatched": UNMATCHED})
def read_old(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read Polity IV (2015)."""
    return mapped(read_table(files, facts, "p4v2015.csv", READ_OLD), facts)


def mapped(rows: Rows, facts: SourceFacts) -> dict[str, Rows]:
    """Give each row its COW state by the code map; set apart those that have none.

    Raises
    ------
    SourceError
        If two rows would be the same COW state-year.
    """
    check_unique(rows, ["polity_ccode", "year"], facts, "state_years")
    frame = rows.frame.join(_codes(facts), on=["polity_ccode", "year"], how="left")
    listed = pl.col("polity_ccode").is_in(sorted({item.code for item in facts.code_map}))
    late = pl.col("year") > facts.coverage[1]
    frame = frame.with_columns(
        # ASSUME: a code that the map doesn't name is COW's own code of the same state.
        ccode=pl.when(listed).then("mapped").otherwise("polity_ccode"),
        reason=pl.when(late)
        .then(pl.lit(f"after the coverage, which ends in {facts.coverage[1]}"))
        .when(listed & pl.col("mapped").is_null())
        .then(pl.lit("no COW state in that year, or another row of Polity has its place")),
    )
    set_apart = pl.col("reason").is_not_null() | (pl.col("ccode") == 0)
    left_out = frame.filter(set_apart).with_columns(
        pl.col("reason").fill_null(pl.lit("COW has no such state"))
    )
    return {
        "state_years": Rows(frame.filter(~set_apart), rows.raw),
        "unmatched": Rows(left_out, rows.raw),
    }


def _codes(facts: SourceFacts) -> pl.DataFrame:
    """Return one row a mapped code and year."""
    entries = [
        (item.code, year, item.ccode)
        for item in facts.code_map
        for year in range(item.first, item.last + 1)
    ]
    return pl.DataFrame(
        entries,
        schema={"polity_ccode": pl.Int32, "year": pl.Int16, "mapped": pl.Int32},
        orient="row",
    )
