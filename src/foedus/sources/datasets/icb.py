"""International crises (ICB 13, system level): one row a crisis."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources import dates
from foedus.sources.columns import described
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table

_CRISIS = """
gravcr|gravest value threatened in the crisis
crismg|principal technique of crisis management
cenviosy|centrality of violence
sevviosy|severity of violence
viol|violence
timvio|when violence began
iwcmb|whether the crisis is part of a war
noactr|number of crisis actors
gpinv|involvement of great powers
gpinvtp|type of the great powers' involvement
gpefcttp|effectiveness of the great powers' involvement
gpefactp|most effective activity of the great powers
gppacetp|effect of the great powers on the pace of abatement
powinv|involvement of the powers
usinv|involvement of the United States
usefct|effectiveness of the United States
usefac|most effective activity of the United States
uspace|effect of the United States on the pace of abatement
usactor|whether the United States is a crisis actor
suinv|involvement of the Soviet Union or Russia
suefct|effectiveness of the Soviet Union or Russia
suefac|most effective activity of the Soviet Union or Russia
supace|effect of the Soviet Union or Russia on the pace of abatement
suactor|whether the Soviet Union or Russia is a crisis actor
soglact|source of the global organization's activity
globorg|global organization involved
globactm|content of the global organization's activity
globefct|effectiveness of the global organization
globefor|most effective organ of the global organization
globefac|most effective activity of the global organization
globpace|effect of the global organization on the pace of abatement
soract|source of the regional organization's activity
regorg|regional organization involved
regactmb|content of the regional organization's activity
roefct|effectiveness of the regional organization
robody|most effective regional organization
roefac|most effective activity of the regional organization
ropace|effect of the regional organization on the pace of abatement
subout|content of the outcome
forout|form of the outcome
exsat|extent of satisfaction about the outcome
outesr|escalation or reduction of tension after the outcome
cractr|kinds of crisis actors
geostr|geostrategic salience
hetero|heterogeneity of the crisis actors
issues|scope of the issues
chacts|change of actors
chall|change of alliances
powch|change of the distribution of power
rugach|change of the rules of the game
geog|where the crisis took place
geogrel|distance of the crisis from the actors
period|period of the international system
syslevsy|level of the international system
protrac|whether the crisis is part of a protracted conflict
pcid|number of the protracted conflict
powdissy|discrepancy of power between the adversaries
ethnic|whether the crisis is ethnic
ethconf|whether the ethnic conflict goes on
stressad|stress of the adversaries
sourdt|kind of the sources on the crisis
"""
_MEDIATION = """
mediate|whether there was mediation
mednum|number of mediators
medwho|who mediated
medtime|when mediation began
"""
_MEDIATED = """
medgoal|goal of the mediators
medfacl|whether the mediators facilitated communication
medform|whether the mediators formulated proposals
medmanip|whether the mediators manipulated the parties
medstyle|highest style of mediation
medstefc|most effective style of mediation
medefct|effectiveness of mediation
medpace|effect of mediation on the pace of abatement
"""


def _date(which: str, says: str) -> tuple[Column, ...]:
    return (
        Column(f"yr{which}", "int16", f"Year {says}", low=1918, high=2017),
        Column(f"mo{which}", "int8", f"Month {says}", low=1, high=12),
        Column(f"da{which}", "int8", f"Day {says}", low=1, high=31),
    )


COLUMNS = (
    Column("icb1", "text", "Name of the file", required=True, keep=False),
    Column("crisno", "int32", "Number of the crisis", low=1, required=True),
    Column("crisname", "text", "Name of the crisis", required=True),
    Column("start_min", "date", "First day the trigger may mean", derived=True),
    Column("end_max", "date", "Last day the termination may mean", derived=True),
    Column("start_precision", "text", "How much of the trigger's day is known", derived=True),
    Column("end_precision", "text", "How much of the termination's day is known", derived=True),
    Column("break", "int8", "What triggered the crisis"),
    Column("trigent", "int32", "Gleditsch-Ward number of the state that triggered it; 995 "
           "something internal, 996 no state, 997 several, 998 and 999 as in the codebook",
           low=1, high=999),
    *_date("trig", "in which the crisis is triggered"),
    *_date("term", "in which the crisis ends"),
    Column("brexit", "int16", "Days from trigger to end", unit="days", low=1),
    *described(_CRISIS, "int16"),
    *described(_MEDIATION),
    *_date("medst", "in which mediation begins"),
    *_date("medend", "in which mediation ends"),
    *_date("medfin", "in which the last mediation ends"),
    *described(_MEDIATED),
)  # fmt: skip


@source("icb", tables={"crises": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read version 13; an unknown day is a span of days."""
    rows = read_table(files, facts, "icb1v13.csv", COLUMNS)
    assert rows.raw is not None
    begin, finish = ("yrtrig", "motrig", "datrig"), ("yrterm", "moterm", "daterm")
    frame = dates.with_span(rows.frame, rows.raw, begin, finish)
    return {"crises": Rows(frame, rows.raw)}
