"""Alliance × war cases by rule: was a pledge invoked by a war, and was it honoured.

Follows the definitions of Leeds, Long & Mitchell 2000 as Berkemeier & Fuhrmann 2018 restate them:
an alliance stands for every war in which at least one member fights; it is a performance
opportunity if the war meets the conditions under which the treaty obliges its members; it is
honoured if the members do what they promised. Registers no covariate; the measures of reliability
read it.

Source of pledges: ATOP (Leeds et al. 2002). Source of wars: COW inter-state wars 4.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from foedus.covariates.registry import Option
from foedus.panels.system import StateSystem, day_number
from foedus.panels.war_list import NEVER, WarList

FOREVER = int(np.iinfo(np.int64).max)
OBLIGATIONS = ("defense", "offense", "neutral", "nonagg", "consul")
_CONDITIONS = ("adv", "loc", "con", "num", "dem", "pr")
_PREFIX = {"defense": "defco", "offense": "offco", "neutral": "neuco"}

OPTIONS: dict[str, Option] = {
    "release": Option("5.1", "Release of ATOP.", ("5.1", "4.01")),
    "pairing": Option(
        "during",
        "When a pact must be in force for a war in which a member fights. during: on any day from "
        "the day before the member's entry to its last day of fighting; entry: on the day before "
        "the member's entry; outset: on the day before the war's first day.",
        ("during", "entry", "outset"),
    ),
    "threats": Option(
        "apply",
        "Whom a pledge binds against. apply: the states the treaty names, where the obligation is "
        "conditional on the adversary; named: the named states wherever any are named; ignore: "
        "anyone.",
        ("apply", "named", "ignore"),
    ),
    "conditions": Option(
        "met",
        "Conditions whose content ATOP doesn't code (place, conflict, demand, provocation) are "
        "held to be met, or unmet.",
        ("met", "unmet"),
    ),
    "joiners": Option(
        "chose",
        "Whether a state that came into the war on the attacked side after the first day counts "
        "as attacked. COW names initiators only for the war as a whole.",
        ("chose", "attacked"),
    ),
    "wartime": Option(
        "invoked",
        "Whether a pact that ATOP codes as made for this war (cowwar) is invoked by it for every "
        "member that fights, or only by an attack after it.",
        ("invoked", "by_attack"),
    ),
}


@dataclass(frozen=True)
class Case:
    """One alliance in one war.

    Attributes
    ----------
    atopid, warnum : int
    warname : str
    year : int
        Year in which the war began.
    types : dict of str to bool
        Obligations that any member in force in the war owes (ATOP names).
    multilateral : bool
        More than two members in force in the war.
    fighters : tuple of int
        Members that fought.
    fought_each_other : bool
        Two members fought on opposite sides while bound.
    fought_together : bool
        Two members fought on the same side at the same time, whatever they owed.
    invoked : bool
        A performance opportunity: some pledge fell due, or members fought each other.
    invoked_by : tuple of str
        Which: defense, offense, neutral, fight.
    honoured : bool
        Strict: every member did what it owed and none fought another. Meaningless unless invoked.
    honoured_lenient : bool
        At least one member did, and none fought another (Sabrosky's rule).
    broke : tuple of int
        Members that owed and didn't deliver, or fought a partner.
    """

    atopid: int
    warnum: int
    warname: str
    year: int
    types: dict[str, bool]
    multilateral: bool
    fighters: tuple[int, ...]
    fought_each_other: bool
    fought_together: bool
    invoked: bool
    invoked_by: tuple[str, ...]
    honoured: bool
    honoured_lenient: bool
    broke: tuple[int, ...]


@dataclass(frozen=True)
class _Spell:
    ccode: int
    side: int
    start: int
    end: int
    initiator: bool
    original: bool
    phases: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Member:
    """A member's row: its days in the pact, and what it owes under which conditions."""

    ccode: int
    start: int
    end: int
    facts: Mapping[str, Any]

    def owes(self, kind: str) -> bool:
        return bool(self.facts[kind] == 1)

    def stands(self, day: int) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True)
class _Verdict:
    """Whether a giver did what it owed a holder, once the pledge fell due."""

    obligation: str
    giver: int
    holder: int
    kept: bool


@dataclass
class _War:
    """One war's spells, and what the rules ask of them."""

    warnum: int
    name: str
    year: int
    first_day: int
    last_day: int
    spells: list[_Spell]
    attacker: int
    by_state: dict[int, list[tuple[_Spell, list[_Spell]]]] = field(default_factory=dict)
    """Each belligerent's spells, each with those of its opponents on any day of it."""

    def __post_init__(self) -> None:
        for spell in self.spells:
            against = [
                other
                for other in self.spells
                if other.side != spell.side and _overlap(other, spell)
            ]
            self.by_state.setdefault(spell.ccode, []).append((spell, against))

    def of(self, ccode: int) -> list[_Spell]:
        """Return a state's spells; none if it didn't fight."""
        return [spell for spell, _ in self.by_state.get(ccode, ())]


def _overlap(one: _Spell, other: _Spell, since: int = NEVER, until: int = FOREVER) -> bool:
    """Say whether two spells share a day of fighting, truces apart, from `since` to `until`."""
    for start, end in one.phases:
        for other_start, other_end in other.phases:
            if max(start, other_start, since) <= min(end, other_end, until):
                return True
    return False


def _spell(wars: WarList, row: int) -> _Spell:
    start, resume = int(wars.start[row]), int(wars.resume[row])
    end = FOREVER if wars.end[row] == NEVER else int(wars.end[row])
    broken = resume != NEVER
    return _Spell(
        ccode=int(wars.ccode[row]),
        side=int(wars.side[row]),
        start=start,
        end=end,
        initiator=bool(wars.initiator[row] == 1),
        original=bool(wars.original[row]),
        phases=((start, int(wars.pause[row])), (resume, end)) if broken else ((start, end),),
    )


def _war(wars: WarList, at: int) -> _War:
    spells = [_spell(wars, int(row)) for row in np.flatnonzero(wars.of_spell == at)]
    sides = [spell.side for spell in spells if spell.initiator]
    return _War(
        warnum=int(wars.numbers[at]),
        name=str(wars.name[np.flatnonzero(wars.of_spell == at)[0]]),
        year=int(wars.start_year[at]),
        first_day=int(wars.first_day[at]),
        last_day=max(spell.end for spell in spells),
        spells=spells,
        attacker=sides[0] if sides else 0,
    )


def _pacts(members: pl.DataFrame, last_day: int) -> dict[int, list[_Member]]:
    """Return the rows of each pact, by ATOP number."""
    conditions = [f"{prefix}{name}" for prefix in _PREFIX.values() for name in _CONDITIONS]
    # ATOP spells the condition on provocation with an n, and has none on offence.
    spelled = {"defcopr": "defconpr", "neucopr": "neuconpr"}
    names = ["statthr1", "statthr2", "cowwar", *OBLIGATIONS, "neucoatt", *conditions]
    facts = members.select(
        pl.col(spelled.get(name, name)).fill_null(0).alias(name)
        if spelled.get(name, name) in members.columns
        else pl.lit(0).alias(name)
        for name in names
    ).to_dicts()
    start = day_number(members["start"]).tolist()
    end = np.where(members["end"].is_null().to_numpy(), last_day, day_number(members["end"]))
    pacts: dict[int, list[_Member]] = {}
    keys = members.select("atopid", "member").iter_rows()
    for (atopid, ccode), first, last, found in zip(keys, start, end.tolist(), facts, strict=True):
        pacts.setdefault(atopid, []).append(_Member(ccode, first, last, found))
    return pacts


def build_cases(
    members: pl.DataFrame,
    wars: WarList,
    system: StateSystem,
    options: Mapping[str, Any],
    coverage: tuple[int, int],
) -> list[Case]:
    """Return every alliance × war case, sorted by war and alliance.

    Parameters
    ----------
    members : polars.DataFrame
        atop/members of some release.
    wars : WarList
    system : StateSystem
    options : mapping
        A value for each of OPTIONS.
    coverage : tuple of int
        First and last year of the treaty data; wars that begin outside them are left out, since
        an absent pact would mean nothing there.
    """
    days = _days_in_system(system)
    cases = []
    for war, atopid, rows in _meetings(members, wars, options, coverage):
        cases.append(_case(atopid, _bound(rows, war), war, days, options))
    return cases


def _meetings(
    members: pl.DataFrame, wars: WarList, options: Mapping[str, Any], coverage: tuple[int, int]
) -> Iterator[tuple[_War, int, list[_Member]]]:
    """Yield each war with each pact that it concerns under the pairing rule, and its members."""
    last_day = int(np.datetime64(f"{coverage[1]}-12-31").astype("datetime64[D]").astype(np.int64))
    pacts = _pacts(members, last_day)
    # Most pacts have no belligerent: looking from the belligerents leaves them out unread.
    pacts_of: dict[int, set[int]] = {}
    for atopid, rows in pacts.items():
        for row in rows:
            pacts_of.setdefault(row.ccode, set()).add(atopid)
    for at in range(len(wars.numbers)):
        war = _war(wars, at)
        if not coverage[0] <= war.year <= coverage[1]:
            continue
        for atopid in sorted(set().union(*(pacts_of.get(ccode, ()) for ccode in war.by_state))):
            fighting = (row for row in pacts[atopid] if row.ccode in war.by_state)
            if any(_in_time(row, war, options["pairing"]) for row in fighting):
                yield war, atopid, pacts[atopid]


def _bound(rows: list[_Member], war: _War) -> list[_Member]:
    """Return the members' rows in force on some day from the eve of a war to its last."""
    return [row for row in rows if row.start <= war.last_day and row.end >= war.first_day - 1]


def _days_in_system(system: StateSystem) -> dict[int, list[tuple[int, int]]]:
    """Return each state's first and last days in the system, by its number."""
    days: dict[int, list[tuple[int, int]]] = {}
    spells = zip(system.spell_state, system.spell_start, system.spell_end, strict=True)
    for at, start, end in spells:
        days.setdefault(int(system.ccodes[at]), []).append((int(start), int(end)))
    return days


def build_verdicts(
    members: pl.DataFrame,
    wars: WarList,
    system: StateSystem,
    options: Mapping[str, Any],
    coverage: tuple[int, int],
) -> pl.DataFrame:
    """Return every pledge that fell due in a war, under the rules of `build_cases`.

    Returns
    -------
    polars.DataFrame
        warnum, atopid, year (in which the war began), obligation, giver, holder, kept; one row a
        pledge that fell due, kept or not; members that fought each other while bound stand twice,
        each as the giver that broke faith (obligation "fight").
    """
    days = _days_in_system(system)
    rows: list[tuple[int, int, int, str, int, int, bool]] = []
    for war, atopid, of_pact in _meetings(members, wars, options, coverage):
        bound = _bound(of_pact, war)
        key = (war.warnum, atopid, war.year)
        rows += [
            (*key, one.obligation, one.giver, one.holder, one.kept)
            for one in _verdicts(bound, war, days, options)
        ]
        rows += [(*key, "fight", one, other, False) for one, other in _fighting(bound, war)]
    columns = {
        "warnum": pl.Int64, "atopid": pl.Int64, "year": pl.Int64, "obligation": pl.String,
        "giver": pl.Int64, "holder": pl.Int64, "kept": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=columns, orient="row").unique().sort(list(columns))


def _in_time(member: _Member, war: _War, rule: str) -> bool:
    """Say whether a belligerent's row brings its pact into the war under the pairing rule."""
    spells = war.of(member.ccode)
    if rule == "outset":
        return member.stands(war.first_day - 1)
    if rule == "entry":
        return any(member.stands(spell.start - 1) for spell in spells)
    return any(member.start <= spell.end and member.end >= spell.start - 1 for spell in spells)


def _case(
    atopid: int,
    bound: list[_Member],
    war: _War,
    days: Mapping[int, list[tuple[int, int]]],
    options: Mapping[str, Any],
) -> Case:
    verdicts = [
        (verdict.obligation, verdict.giver, verdict.kept)
        for verdict in _verdicts(bound, war, days, options)
    ]
    fights = _fights(bound, war)
    kinds = {kind for kind, _, _ in verdicts} | ({"fight"} if fights else set())
    broke = {ccode for _, ccode, kept in verdicts if not kept} | fights
    kept = any(kept for _, _, kept in verdicts)
    return Case(
        atopid=atopid,
        warnum=war.warnum,
        warname=war.name,
        year=war.year,
        types={kind: any(member.owes(kind) for member in bound) for kind in OBLIGATIONS},
        multilateral=len({member.ccode for member in bound}) > 2,
        fighters=tuple(sorted({m.ccode for m in bound if m.ccode in war.by_state})),
        fought_each_other=bool(fights),
        fought_together=_together(bound, war),
        invoked=bool(kinds),
        invoked_by=tuple(sorted(kinds)),
        honoured=bool(kinds) and not broke,
        honoured_lenient=kept and not fights,
        broke=tuple(sorted(broke)),
    )


def _fights(bound: list[_Member], war: _War) -> set[int]:
    """Return the members that fought another member while both were bound."""
    return {one for one, _ in _fighting(bound, war)}


def _fighting(bound: list[_Member], war: _War) -> set[tuple[int, int]]:
    """Return the pairs of members, both orders, that fought each other while both were bound.

    Bound means: both in the pact on the day before they first met as enemies.
    """
    pairs: set[tuple[int, int]] = set()
    for one in bound:
        for other in bound:
            if one.ccode >= other.ccode:
                continue
            for mine in war.of(one.ccode):
                for theirs in war.of(other.ccode):
                    meets = max(mine.start, theirs.start) - 1
                    if mine.side == theirs.side or not _overlap(mine, theirs):
                        continue
                    if one.stands(meets) and other.stands(meets):
                        pairs |= {(one.ccode, other.ccode), (other.ccode, one.ccode)}
    return pairs


def _together(bound: list[_Member], war: _War) -> bool:
    """Say whether two members fought side by side."""
    members = sorted({member.ccode for member in bound} & set(war.by_state))
    return any(
        mine.side == theirs.side and _overlap(mine, theirs)
        for place, one in enumerate(members)
        for other in members[place + 1 :]
        for mine in war.of(one)
        for theirs in war.of(other)
    )


def _verdicts(
    bound: list[_Member],
    war: _War,
    days: Mapping[int, list[tuple[int, int]]],
    options: Mapping[str, Any],
) -> Iterator[_Verdict]:
    """Yield a verdict on each pledge of one member to another that fell due, by giver."""
    members = {member.ccode for member in bound}
    occasions = [
        (holder, spell, outside)
        for holder in bound
        for spell, against in war.by_state.get(holder.ccode, ())
        if (outside := [enemy for enemy in against if enemy.ccode not in members])
    ]
    for giver in bound:
        for holder, spell, outside in occasions:
            if holder.ccode == giver.ccode or not _exists(giver.ccode, spell.start, war, days):
                continue
            due = _due(giver, holder, spell, outside, war, options)
            if due is None:
                continue
            # ASSUME: a pledge is judged by what the two did while bound, the day after included (an
            # attack may end the pact); what they did before and later is no matter.
            since = max(giver.start, holder.start)
            until = min(giver.end, holder.end) + 1
            met = {
                mine.side == spell.side
                for mine in war.of(giver.ccode)
                if _overlap(mine, spell, since, until)
            }
            beside, against = True in met, False in met
            kept = (not against) if due == "neutral" else (beside and not against)
            yield _Verdict(due, giver.ccode, holder.ccode, kept)


def _exists(ccode: int, day: int, war: _War, days: Mapping[int, list[tuple[int, int]]]) -> bool:
    # ASSUME: a member that was no state of the COW system when its partner entered the war, and
    # didn't fight in it, can't have broken a pledge: it isn't counted.
    return ccode in war.by_state or any(start <= day <= end for start, end in days.get(ccode, ()))


def _due(
    giver: _Member,
    holder: _Member,
    spell: _Spell,
    outside: list[_Spell],
    war: _War,
    options: Mapping[str, Any],
) -> str | None:
    """Return the obligation that fell due, the strongest first; None if none did."""
    attacked = spell.side != war.attacker and any(
        enemy.initiator or not spell.original for enemy in outside
    )
    # ASSUME: a state is attacked if it is at war on the first day on the side opposite to COW's
    # initiators, and one of them is outside the pact; one that comes in later chose to (option
    # joiners), since COW doesn't say who opened fire on whom within a war.
    attacked = attacked and (spell.original or options["joiners"] == "attacked")
    before = giver.stands(spell.start - 1) and holder.stands(spell.start - 1)
    # ASSUME: a pact that ATOP says was made for this war obliges its members in it.
    made_for = (
        options["wartime"] == "invoked"
        and giver.facts["cowwar"] == war.warnum
        and giver.start <= spell.end
    )
    armed = {
        "defense": made_for or (before and attacked),
        "offense": made_for or (before and spell.initiator),
    }
    for kind, occasion in armed.items():
        if occasion and giver.owes(kind) and _applies(giver, kind, outside, options, made_for):
            return kind
    neutral = giver.owes("neutral") and (before or made_for)
    if neutral and giver.facts["neucoatt"] == 1 and not attacked:
        neutral = False
    if neutral and giver.facts["neucopr"] == 1 and spell.initiator:
        neutral = False
    if neutral and _applies(giver, "neutral", outside, options, made_for):
        return "neutral"
    return None


def _applies(
    giver: _Member,
    kind: str,
    outside: list[_Spell],
    options: Mapping[str, Any],
    made_for: bool,
) -> bool:
    """Say whether a pledge's conditions on adversary, number and the rest hold."""
    prefix = _PREFIX[kind]
    named = {giver.facts["statthr1"], giver.facts["statthr2"]} - {0}
    limited = {
        "apply": bool(named) and giver.facts[f"{prefix}adv"] == 1,
        "named": bool(named),
        "ignore": False,
    }[options["threats"]]
    if limited and not named & {enemy.ccode for enemy in outside}:
        return False
    if giver.facts[f"{prefix}num"] == 1 and len({enemy.ccode for enemy in outside}) < 2:
        # ASSUME: a pledge that asks for a number of adversaries asks for at least two.
        return False
    others = [f"{prefix}{name}" for name in ("loc", "con", "dem", "pr")]
    open_ended = any(giver.facts.get(name, 0) == 1 for name in others)
    return made_for or not open_ended or options["conditions"] == "met"
