"""Who owed what in which war, and who delivered: the world's own book of kept and broken pledges.

It follows the rules that Leeds, Long and Mitchell (2000) and Berkemeier and Fuhrmann (2018) state,
as far as the world's treaties go: their only condition is a named adversary, none is made for a
war, and a state that comes in after the first day chose to.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from foedus.world.states import States
from foedus.world.treaties import OBLIGATIONS, Membership
from foedus.world.wars import Participation, War

DEFENSE, OFFENSE, NEUTRAL = 0, 1, 2
_DAY = datetime.timedelta(1)
_OPEN = datetime.date(2018, 12, 31)
UNKNOWN_EXIT_DAY = 97
"""One pact in so many ends on a day that isn't known, as in ATOP."""


@dataclass(frozen=True)
class Entry:
    """One pact in one war.

    Attributes
    ----------
    war : War
    atopid : int
    owed : tuple of bool
        Whether any bound member owes each of OBLIGATIONS.
    multilateral, invoked, honoured, one_honoured : bool
        `honoured`: every member did what it owed and none fought a partner; `one_honoured`: at
        least one did, and none fought a partner.
    """

    war: War
    atopid: int
    owed: tuple[bool, ...]
    multilateral: bool
    invoked: bool
    honoured: bool
    one_honoured: bool

    @property
    def year(self) -> int:
        """Year in which the war began."""
        return self.war.parts[0].begins.year


@dataclass(frozen=True)
class _Bound:
    state: int
    begins: datetime.date
    ends: datetime.date
    row: Membership

    def stands(self, day: datetime.date) -> bool:
        return self.begins <= day <= self.ends


def keep_book(
    states: States,
    memberships: Sequence[Membership],
    wars: Sequence[War],
    first_year: int,
) -> list[Entry]:
    """Return an entry for each pact of which a member fought while bound, by war and pact."""
    of_state: dict[int, list[_Bound]] = {}
    of_pact: dict[int, list[_Bound]] = {}
    for row in memberships:
        bound = _Bound(row.member, datetime.date(*row.begins), exit_day(row), row)
        of_state.setdefault(row.member, []).append(bound)
        of_pact.setdefault(row.atopid, []).append(bound)
    book = []
    for war in wars:
        met = {
            bound.row.atopid
            for part in war.parts
            for bound in of_state.get(part.state, [])
            if bound.begins <= part.ends and bound.ends >= part.begins - _DAY
        }
        book += [_entry(war, number, of_pact[number], states, first_year) for number in sorted(met)]
    return book


def exit_day(row: Membership) -> datetime.date:
    """Return the last day on which a membership may stand: an unknown day is the month's last."""
    if row.ends is None:
        return _OPEN
    year, month, day = row.ends
    unknown = row.atopid % UNKNOWN_EXIT_DAY == 0
    return datetime.date(year, month, 31 if unknown else day)


def _entry(war: War, number: int, rows: Sequence[_Bound], states: States, first_year: int) -> Entry:
    opens = war.parts[0].begins
    closes = max(part.ends for part in war.parts)
    bound = [row for row in rows if row.begins <= closes and row.ends >= opens - _DAY]
    results = [
        kept
        for giver in bound
        for holder in bound
        if giver.state != holder.state
        for kept in _kept(giver, holder, bound, war, states, first_year)
    ]
    quarrel = _quarrel(bound, war)
    return Entry(
        war=war,
        atopid=number,
        owed=tuple(any(one.row.owes[at] for one in bound) for at in range(len(OBLIGATIONS))),
        multilateral=len({one.state for one in bound}) > 2,
        invoked=bool(results) or quarrel,
        honoured=bool(results) and all(results) and not quarrel,
        one_honoured=any(results) and not quarrel,
    )


def _overlap(one: Participation, other: Participation) -> bool:
    return max(one.begins, other.begins) <= min(one.ends, other.ends)


def _quarrel(bound: Sequence[_Bound], war: War) -> bool:
    """Say whether two members that were both bound the day before fought each other."""
    parts = {part.state: part for part in war.parts}
    for one in bound:
        for other in bound:
            mine, theirs = parts.get(one.state), parts.get(other.state)
            if mine is None or theirs is None or mine.side == theirs.side:
                continue
            eve = max(mine.begins, theirs.begins) - _DAY
            if _overlap(mine, theirs) and one.stands(eve) and other.stands(eve):
                return True
    return False


def _kept(
    giver: _Bound,
    holder: _Bound,
    bound: Sequence[_Bound],
    war: War,
    states: States,
    first_year: int,
) -> list[bool]:
    """Return whether the giver kept the pledge that fell due to the holder; empty if none did."""
    parts = {part.state: part for part in war.parts}
    held = parts.get(holder.state)
    if held is None:
        return []
    inside = {one.state for one in bound}
    foes = [
        part
        for part in war.parts
        if part.side != held.side and part.state not in inside and _overlap(part, held)
    ]
    there = giver.state in parts or states.member[giver.state, held.begins.year - first_year]
    if not foes or not there:
        return []
    due = _due(giver, holder, held, foes, war)
    if due is None:
        return []
    beside = against = False
    fought = parts.get(giver.state)
    since = max(giver.begins, holder.begins)
    until = min(giver.ends, holder.ends) + _DAY
    if fought is not None:
        shared = max(fought.begins, held.begins, since) <= min(fought.ends, held.ends, until)
        beside, against = shared and fought.side == held.side, shared and fought.side != held.side
    return [not against if due == NEUTRAL else beside]


def _due(
    giver: _Bound,
    holder: _Bound,
    held: Participation,
    foes: Sequence[Participation],
    war: War,
) -> int | None:
    eve = held.begins - _DAY
    if not (giver.stands(eve) and holder.stands(eve)):
        return None
    row = giver.row
    if row.named and row.threat not in {foe.state for foe in foes}:
        return None
    challenger = war.parts[0].state
    attacked = (
        held.side == 1 and held.state in war.first and any(foe.state == challenger for foe in foes)
    )
    if attacked and row.owes[DEFENSE]:
        return DEFENSE
    if held.state == challenger and row.owes[OFFENSE]:
        return OFFENSE
    return NEUTRAL if row.owes[NEUTRAL] else None
