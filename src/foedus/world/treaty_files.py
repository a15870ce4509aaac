"""ATOP's member files, releases 5.1 and 4.01."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from foedus.world import layout
from foedus.world.ledger import UNKNOWN_EXIT_DAY
from foedus.world.states import States
from foedus.world.treaties import OBLIGATIONS, WHOLLY_SECRET, Membership

HEADER = (
    "atopid,cowid,cow4id,member,cowsys,yrent,moent,dayent,yrexit,moexit,dayexit,ineffect,bilat,"
    "phase,maxphase,wartime,cowwar,estmode,pubsecr,secrart,proadd,futmem,speclgth,length,renounce,"
    "proren,renewlgt,term,termmode,termcaus,defense,offense,neutral,nonagg,consul,active,conditio,"
    "defcon,offcon,neucon,concon,defcoadv,defcoloc,defcocon,defconum,defcodem,defconpr,offcoadv,"
    "offcoloc,offcocon,offconum,offcodem,neucoadv,neucoloc,neucocon,neuconum,neucodem,neuconpr,"
    "neucoatt,concoadv,concoloc,concocon,concoreq,olimob,asymm,obvary,notaiden,dipaid,terrres,"
    "seppeace,thirdcom,noothall,specthrt,statthr1,statthr2,conwtin,medarb,milcon,milaid,intcom,"
    "subord,organ1,orgpurp1,organ2,orgpurp2,base,contrib,armred,acqterr,divgains,demwith,reflnun,"
    "refothio,natrefal,compag,nomicoop,conres,agprois,conmen,ecaid,interv,source"
)


def treaty_files(states: States, memberships: Sequence[Membership]) -> Iterator[tuple[str, bytes]]:
    """Yield both releases; the older one lacks what begins after 2016, and a pact in fifty."""
    rows = sorted(memberships, key=lambda row: (row.atopid, row.phase, row.member))
    yield "atop5_1m.csv", _members(states, rows, "5", "5.1", "crlf")
    old = [row for row in rows if row.atopid % 50 != 7]
    yield "atop4_01m.csv", _members(states, old or rows, "4", "4.01", "lf")


def _members(
    states: States, rows: Sequence[Membership], mark: str, version: str, line_end: str
) -> bytes:
    names = [*HEADER.split(","), f"new{mark}", f"rev{mark}", "version"]
    columns: dict[str, object] = dict.fromkeys(names, 0)
    ccode = states.ccode.tolist()
    columns.update(
        atopid=[row.atopid for row in rows],
        cowid=[None] * len(rows),
        cow4id=[None] * len(rows),
        member=[ccode[row.member] for row in rows],
        cowsys=[1] * len(rows),
        yrent=[row.begins[0] for row in rows],
        moent=[row.begins[1] for row in rows],
        dayent=[row.begins[2] for row in rows],
        yrexit=[row.ends[0] if row.ends else 0 for row in rows],
        moexit=[row.ends[1] if row.ends else 0 for row in rows],
        dayexit=[_exit_day(row) for row in rows],
        ineffect=[int(row.ends is None) for row in rows],
        bilat=[int(row.bilateral) for row in rows],
        phase=[row.phase for row in rows],
        maxphase=[row.phases for row in rows],
        estmode=1,
        pubsecr=[WHOLLY_SECRET if row.secret else 0 for row in rows],
        secrart=[8 if row.secret else 0 for row in rows],
        term=[0 if row.ends is None else 1 for row in rows],
        termmode=[0 if row.ends is None else 1 for row in rows],
        termcaus=[0 if row.ends is None else 2 for row in rows],
        active=[int(row.owes[0] or row.owes[1]) for row in rows],
        conditio=[int(row.named) for row in rows],
        asymm=[int(row.one_sided) for row in rows],
        specthrt=[0 if row.threat is None else 3 for row in rows],
        statthr1=[0 if row.threat is None else ccode[row.threat] for row in rows],
        source=1,
        version=version,
    )
    for place, name in enumerate(OBLIGATIONS):
        columns[name] = [row.owes[place] for row in rows]
    for flag, condition, place in (
        ("defcon", "defcoadv", 0), ("offcon", "offcoadv", 1), ("neucon", "neucoadv", 2),
    ):  # fmt: skip
        bound = [int(row.named and row.owes[place] == 1) for row in rows]
        columns[flag] = columns[condition] = bound
    return layout.table(columns, line_end=line_end).encode()


def _exit_day(row: Membership) -> int | None:
    if row.ends is None:
        return 0
    return None if row.atopid % UNKNOWN_EXIT_DAY == 0 else row.ends[2]
