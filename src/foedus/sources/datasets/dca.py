"""Defence cooperation agreements (DCAD 1.0): one row a bilateral agreement."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources import dates
from foedus.sources.columns import state
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

COLUMNS = (
    Column("dcaid", "text", "Number of the agreement", "DCAid", required=True),
    state("ccode1", "COW number of state 1"),
    Column("cowname1", "text", "COW abbreviation of state 1", "cowName1", required=True),
    state("ccode2", "COW number of state 2"),
    Column("cowname2", "text", "COW abbreviation of state 2", "cowName2", required=True),
    Column("sign_min", "date", "First day the signature may mean", derived=True),
    Column("sign_max", "date", "Last day the signature may mean", derived=True),
    Column("sign_precision", "text", "How much of the signature's day is known", derived=True),
    Column("signyear", "int16", "Year of signature", "signYear", within_coverage=True,
           required=True),
    Column("signmonth", "int8", "Month of signature", "signMonth", low=1, high=12),
    Column("signday", "int8", "Day of signature", "signDay", low=1, high=31),
    Column("eifyear", "int16", "Year in which it enters into force", "EIFYear", low=1980,
           high=2013),
    Column("eifmonth", "int8", "Month in which it enters into force", "EIFMonth", low=1, high=12),
    Column("eifday", "int8", "Day on which it enters into force", "EIFDay", low=1, high=31),
    Column("type", "text", "General or of one sector", required=True),
    Column("category1", "text", "Kind of agreement", required=True),
    Column("category2", "text", "Second kind it also is"),
    Column("category3", "text", "Third kind it also is"),
    Column("span", "int16", "How long it is to last", unit="years", low=1, high=99),
    Column("renewtype", "int8", "How it is renewed", "renewType"),
    Column("renewyears", "int16", "For how long it is renewed", "renewYears", unit="years", low=1,
           high=99),
    Column("terminated", "int8", "Whether it was terminated"),
    Column("durationactual", "int16", "How long it lasted", "durationActual", unit="years", low=0,
           high=99),
    Column("endyearestimate", "int16", "Last year in force, estimated by the authors",
           "endYearEstimate", within_coverage=True, required=True),
    Column("asymmetry", "int8", "Asymmetry of the agreement", required=True),
    Column("categoryconf", "text", "How sure its kind is", "categoryConf", required=True),
    Column("unts", "int32", "Number in the United Nations Treaty Series", "UNTS", low=1),
    Column("fulltext", "text", "Whether the text is at hand", "fullText"),
    Column("sourcetype", "text", "Treaty text or press report", "sourceType", required=True),
    Column("source", "text", "Where it was found"),
    Column("factivaconf", "int8", "How sure a press report is", "factivaConf"),
    Column("factivasign", "int8", "1: the day of signature is the press report's", "factivaSign"),
    Column("factivaeif", "int8", "1: the day of entry into force is the press report's",
           "factivaEIF"),
)  # fmt: skip


@source("dca", tables={"agreements": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read version 1.0; an unknown day or month of signature is a span of days."""
    rows = read_table(files, facts, "DCAD-v1.0-main.csv", COLUMNS)
    assert rows.raw is not None
    parts = ("signyear", "signmonth", "signday")
    frame = rows.frame.with_columns(
        sign_min=dates.earliest(*parts),
        sign_max=dates.latest(*parts),
        sign_precision=dates.precision(*parts),
    )
    dates.check_exists(rows.raw, frame, "sign_min", *parts)
    return {"agreements": Rows(frame, rows.raw)}
