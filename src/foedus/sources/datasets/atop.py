"""ATOP members: one row a member of an alliance in one of its phases, with what it owes.

A row's dates are the member's within that phase. Phases follow each other when the obligations
change, but after a member split two can run side by side, one with each successor: partners are the
members of the same `atopid` and `phase`. A member that left and came back stands twice in one
phase, so that the key needs the first day. `cowsys` is 0 where the membership began
while the member was no COW state; it may become one later, so select years by the system
membership list, never by this flag.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from foedus.errors import SourceError
from foedus.sources import dates
from foedus.sources.reading import ROW
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Kind, Rows, read_table

_CONTENT = """
wartime|formed during a war in which members took part
estmode|how the treaty came into force
pubsecr|secrecy of the treaty
secrart|which articles are secret
proadd|provision for adding members
futmem|whether others are invited to join
speclgth|how the treaty fixes its length
renounce|provision for renouncing the treaty during its term
proren|provision for renewal
term|whether and how the phase ended
termmode|how the phase ended
termcaus|why the phase ended
defense|the member promises to help actively if a partner's sovereignty or territory is attacked
offense|the member promises active help under conditions not set off by an attack on a partner
neutral|the member promises to stay neutral if a partner is in conflict
nonagg|the member promises not to use force against its partners
consul|the member promises to consult or cooperate if a crisis may lead to conflict
active|any member promises active help in the phase, by defence or offence
conditio|any obligation of the phase is limited by conditions
defcon|the defence obligation is conditional
offcon|the offence obligation is conditional
neucon|the neutrality obligation is conditional
concon|the consultation obligation is conditional
defcoadv|defence only against named adversaries
defcoloc|defence only in named places
defcocon|defence only in an ongoing or named conflict
defconum|defence only if there is a given number of adversaries
defcodem|defence only if the partner makes, or the adversary doesn't meet, a given demand
defconpr|defence only if the partner was not the provoker
offcoadv|offence only against named adversaries
offcoloc|offence only in named places
offcocon|offence only in an ongoing or named conflict
offconum|offence only if there is a given number of adversaries
offcodem|offence only if a given demand is not met
neucoadv|neutrality only towards named adversaries
neucoloc|neutrality only in named places
neucocon|neutrality only in an ongoing or named conflict
neuconum|neutrality only if there is a given number of adversaries
neucodem|neutrality only if a given demand is not met
neuconpr|neutrality only if the partner was not the provoker
neucoatt|neutrality only if the partner is attacked
concoadv|consultation only about named adversaries
concoloc|consultation only about named places
concocon|consultation only about an ongoing or named conflict
concoreq|consultation only at a member's request
olimob|a limit to the obligations that the condition variables don't hold
asymm|obligations differ between the members
obvary|the member's obligations vary with the partner or over time within the phase
notaiden|promise not to aid a partner's enemy
dipaid|promise of diplomatic aid in a conflict
terrres|promise to leave or restore territory
seppeace|promise to make no separate peace
thirdcom|agreement on third parties' commitments
noothall|promise not to join alliances against a partner
specthrt|kind of specific threat the treaty names
conwtin|treatment of conflicts among members
medarb|provision for mediation or arbitration among members
milcon|military contact in peace
milaid|military aid
intcom|integrated military command
subord|subordination of one member's forces to another's command
organ1|first organization the treaty makes
orgpurp1|purpose of the first organization
organ2|second organization the treaty makes
orgpurp2|purpose of the second organization
base|provision for bases
contrib|fixed contributions of troops, money or material
armred|provision on armament levels
acqterr|provision on acquiring territory
divgains|provision on dividing gains
demwith|promise to demobilize or withdraw
reflnun|reference to the League of Nations or the United Nations
refothio|reference to another international organization
natrefal|relation to other treaties that it refers to
compag|companion agreement
nomicoop|non-military cooperation
conres|provision on non-military conflict resolution or on conflicting claims
agprois|provision for further agreements
conmen|members' concessions to each other are mentioned
ecaid|economic aid
interv|provision on intervention in domestic affairs
source|kind of text that was coded
"""

_IDENTITY = (
    Column("atopid", "int32", "ATOP alliance number; the same in all phases", low=1000, high=9999,
           required=True),
    Column("member", "int32",
           "COW number of the member (ATOP's own number for a member COW never lists)", low=1,
           high=9999, required=True),
    Column("phase", "int8", "Phase of the treaty; 0 when it has only one", low=0, high=20,
           required=True),
    Column("maxphase", "int8", "Number of phases; 0 when there is only one", low=0, high=20,
           required=True),
    Column("cowsys", "int8", "1 if the member was in the COW state system when the row begins",
           required=True),
)  # fmt: skip
_MADE = (
    Column("start", "date", "First day the member's entry into the phase may mean", derived=True),
    Column("end", "date", "Last day its exit may mean; missing while in force", derived=True),
    Column("start_precision", "text", "How much of the entry date is known: day, month or year",
           derived=True),
    Column("end_precision", "text", "How much of the exit date is known; missing while in force",
           derived=True),
    Column("in_force", "bool", "The obligation was in force when the coverage ends", derived=True),
)  # fmt: skip
_DATES = (
    Column("yrent", "int16", "Year of entry", within_coverage=True, required=True),
    Column("moent", "int8", "Month of entry", low=1, high=12),
    Column("dayent", "int8", "Day of entry; missing when unknown", low=1, high=31),
    Column("yrexit", "int16", "Year of exit; missing while in force", within_coverage=True),
    Column("moexit", "int8", "Month of exit; missing while in force", low=1, high=12),
    Column("dayexit", "int8", "Day of exit; missing while in force or unknown", low=1, high=31),
    Column("ineffect", "int8", "1 if in force when the coverage ends", required=True),
)
_NUMBERS = (
    Column("cowid", "int32", "Number in the COW alliance data, version 3", low=1, high=9999),
    Column("cow4id", "int32", "Number in the COW alliance data, version 4", low=1, high=9999),
    Column("bilat", "int8", "1 if the alliance has two members", required=True),
    Column("cowwar", "int32", "COW number of the war it was formed in; 0 for none", low=0,
           high=999),
    Column("length", "int16", "Length the treaty fixes; 0 for none", unit="months", low=0,
           high=1200),
    Column("renewlgt", "int16", "Length of a renewal; 0 for none", unit="months", low=0, high=1200),
    Column("statthr1", "int32", "COW number of the first state named as a threat; 0 for none",
           low=0, high=999),
    Column("statthr2", "int32", "COW number of the second state named as a threat; 0 for none",
           low=0, high=999),
)  # fmt: skip
_OBLIGATIONS = ("defense", "offense", "neutral", "nonagg", "consul")


def _content(line: str) -> Column:
    name, definition = line.split("|")
    kind: Kind = "int8"
    return Column(name, kind, definition, required=name in _OBLIGATIONS)


def columns(release: int) -> tuple[Column, ...]:
    """Return the columns of a release, whose file marks new and revised rows by its own number."""
    content = tuple(_content(line) for line in _CONTENT.strip().splitlines())
    marks = (
        Column(f"new{release}", "int8", f"1 if the alliance is new in version {release}"),
        Column(f"rev{release}", "int8", f"1 if the row was revised in version {release}"),
        Column("version", "float64", "Release stamp of the file", required=True, keep=False),
    )
    return (*_IDENTITY, *_MADE, *_DATES, *_NUMBERS, *content, *marks)


CURRENT = columns(5)
OLD = columns(4)


@source("atop", tables={"members": CURRENT})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read ATOP 5.1, member level."""
    return {"members": _members(read_table(files, facts, "atop5_1m.csv", CURRENT), facts)}


@source("atop_4.01", tables={"members": OLD})
def read_old(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read ATOP 4.01, member level."""
    return {"members": _members(read_table(files, facts, "atop4_01m.csv", OLD), facts)}


def _members(rows: Rows, facts: SourceFacts) -> Rows:
    assert rows.raw is not None
    frame = rows.frame.with_columns(
        start=dates.earliest("yrent", "moent", "dayent"),
        end=dates.latest("yrexit", "moexit", "dayexit"),
        start_precision=dates.precision("yrent", "moent", "dayent"),
        end_precision=dates.precision("yrexit", "moexit", "dayexit"),
        in_force=pl.col("ineffect") == 1,
    )
    made = Rows(frame, rows.raw)
    dates.check_exists(rows.raw, frame, "start", "yrent", "moent", "dayent")
    dates.check_exists(rows.raw, frame, "end", "yrexit", "moexit", "dayexit")
    dates.check_order(rows.raw, frame, "start", "end")
    _check_in_force(made, facts)
    return made


def _check_in_force(rows: Rows, facts: SourceFacts) -> None:
    """Stop where an obligation is in force and yet has an exit year, or the other way round."""
    wrong = rows.frame.filter(pl.col("in_force") != pl.col("yrexit").is_null())
    if wrong.height:
        assert rows.raw is not None
        row = wrong.row(0, named=True)
        raise SourceError(
            f"{rows.raw.path}, line {rows.raw.line(row[ROW])}, column ineffect: found "
            f'"{row["ineffect"]}" with yrexit {row["yrexit"] or 0}; the rule is that ineffect is 1 '
            f"exactly when yrexit is 0 (in force at the end of {facts.coverage[1]}). Mend the row, "
            "or put a known error in a corrections file."
        )
