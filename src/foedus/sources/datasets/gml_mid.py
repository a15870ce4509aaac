"""Gibler, Miller and Little's revised disputes: directed dyad-years, disputes, participants."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources.datasets.mid import DISPNUM, spans
from foedus.sources.datasets.mid import SPAN as _SPAN
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

_DISPUTE = (
    Column("hiact", "int8", "Highest action in the dispute", low=0, high=22),
    Column("hostlev", "int8", "Level of hostility the dispute reached"),
    Column("mindur", "int32", "Shortest duration the dates allow", unit="days", low=0),
    Column("maxdur", "int32", "Longest duration the dates allow", unit="days", low=0),
    Column("outcome", "int8", "Outcome"),
    Column("settle", "int8", "Kind of settlement"),
    Column("fatality", "int8", "Level of battle deaths in the dispute"),
)


def _sides() -> tuple[Column, ...]:
    made = []
    for side in (1, 2):
        whose = f"of state {side}"
        made += [
            Column(f"sidea{side}", "int8", f"1 if state {side} is on the side that acted first"),
            Column(f"revstate{side}", "int8", f"1 if state {side} wanted to revise the status quo"),
            Column(f"revtype1{side}", "int8", f"First kind of revision wanted, {whose}"),
            Column(f"revtype2{side}", "int8", f"Second kind of revision wanted, {whose}"),
            Column(f"fatality{side}", "int8", f"Level of battle deaths {whose}"),
            Column(f"fatalpre{side}", "int32", f"Battle deaths {whose} where known",
                   unit="persons", low=0),
            Column(f"hiact{side}", "int8", f"Highest action {whose}", low=0, high=22),
            Column(f"hostlev{side}", "int8", f"Level of hostility {whose}"),
            Column(f"orig{side}", "int8", f"1 if state {side} was in it from its first day"),
        ]  # fmt: skip
    return tuple(made)


DIRECTED = (
    DISPNUM,
    Column("ccode1", "int32", "COW number of state 1", low=1, high=999, required=True),
    Column("ccode2", "int32", "COW number of state 2, its opponent", low=1, high=999,
           required=True),
    Column("year", "int16", "Year", within_coverage=True, required=True),
    Column("midongoing", "int8", "1: the dispute went on in the year (every row)", required=True),
    Column("midonset", "int8", "1 in the year in which the pair's dispute began", required=True),
    *_sides(),
    *_DISPUTE,
    Column("fatalpre", "int32", "Battle deaths in the dispute where known", unit="persons", low=0),
    Column("stmon", "int8", "Month in which the dispute began", low=1, high=12),
    Column("endmon", "int8", "Month in which the dispute ended", low=1, high=12),
    Column("recip", "int8", "1 if the target answered with a militarized action"),
    Column("numa", "int16", "States on side A", unit="states", low=1, high=500),
    Column("numb", "int16", "States on side B", unit="states", low=1, high=500),
    Column("ongo2010", "int8", "1 if the dispute went on when the coverage ends"),
    Column("version", "text", "Release stamp of the file", required=True, keep=False),
)  # fmt: skip
DISPUTES = (
    DISPNUM,
    Column("styear", "int16", "Year of the beginning", within_coverage=True, required=True),
    Column("stmon", "int8", "Month of the beginning", low=1, high=12),
    *_DISPUTE,
    Column("recip", "int8", "1 if the target answered with a militarized action"),
)
PARTICIPANTS = (
    DISPNUM,
    Column("ccode", "int32", "COW state number", low=1, high=999, required=True),
    *_SPAN,
    Column("styear", "int16", "Year of the beginning", within_coverage=True, required=True),
    Column("stmon", "int8", "Month of the beginning", low=1, high=12),
    Column("stday", "int8", "Day of the beginning; missing when unknown", low=1, high=31),
    Column("endyear", "int16", "Year of the end", within_coverage=True, required=True),
    Column("endmon", "int8", "Month of the end", low=1, high=12),
    Column("endday", "int8", "Day of the end; missing when unknown", low=1, high=31),
    Column("dummy_stday", "int8", "Day of the beginning with unknown days put at the 1st by its "
           "makers", low=1, high=31),
    Column("dummy_endday", "int8", "Day of the end with unknown days put at the month's last by "
           "its makers", low=1, high=31),
    Column("obsid_start", "text", "Leader in office at the beginning (Archigos)"),
    Column("obsid_end", "text", "Leader in office at the end (Archigos)"),
    Column("sidea", "int8", "1 if on the side that took the first action", required=True),
    Column("hiact", "int8", "Highest action of the state", low=0, high=22),
    Column("orig", "int8", "1 if in the dispute from its first day", required=True),
    Column("anymiss_leader_start", "int8", "1 if any participant's leader is unknown at the start"),
    Column("anymiss_leader_end", "int8", "1 if any participant's leader is unknown at the end"),
    Column("allmiss_leader_start", "int8", "1 if all participants' leaders are unknown at the "
           "start"),
    Column("allmiss_leader_end", "int8", "1 if all participants' leaders are unknown at the end"),
)  # fmt: skip


@source(
    "gml_mid", tables={"directed": DIRECTED, "disputes": DISPUTES, "participants": PARTICIPANTS}
)
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read version 2.2.1."""
    return {
        "directed": read_table(files, facts, "gml_dirdisp.csv.gz", DIRECTED),
        "disputes": read_table(files, facts, "gml_mid_disps.csv.gz", DISPUTES),
        "participants": spans(read_table(files, facts, "gml_part.csv.gz", PARTICIPANTS)),
    }


@source("gml_mid_2.03", tables={"directed": DIRECTED})
def read_old(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read version 2.03, directed dyad-years only."""
    return {"directed": read_table(files, facts, "gml-ddy-disputes-2.03.csv", DIRECTED)}
