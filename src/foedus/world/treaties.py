"""Alliances: who concludes one with whom, what each owes, in which phases, and when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.world.coefficients import Treaties
from foedus.world.settings import Settings
from foedus.world.states import States

OBLIGATIONS = ("defense", "offense", "neutral", "nonagg", "consul")
FIRST_NUMBER, LAST_NUMBER = 1005, 9999
WHOLLY_SECRET = 2
LADDER = (3, 3, 2, 2, 1)
"""Rungs of commitment of OBLIGATIONS, of which a portfolio has the highest."""
HIGHEST = 3


@dataclass(frozen=True)
class Membership:
    """One member in one phase of a pact, as a row of ATOP.

    Attributes
    ----------
    atopid, phase, phases : int
        `phase` is 0 in a pact of one phase, `phases` then too.
    member : int
        Position of the state.
    begins, ends : tuple of (year, month, day)
        `ends` None while in force when the world ends.
    owes : tuple of int
        In the order of OBLIGATIONS.
    bilateral, secret, one_sided, named : bool
        `named`: defence, offence and neutrality bind only against the threat.
    threat : int or None
        Position of the state that the treaty names.
    """

    atopid: int
    phase: int
    phases: int
    member: int
    begins: tuple[int, int, int]
    ends: tuple[int, int, int] | None
    owes: tuple[int, ...]
    bilateral: bool
    secret: bool
    one_sided: bool
    named: bool
    threat: int | None


@dataclass
class Pledges:
    """Growing table of pledges, one row a giver, a receiver and a phase, by year in force.

    Columns of a row: giver, receiver, the five obligations, secret, named, threat (-1: none).
    """

    n_years: int
    rows: list[tuple[int, ...]] = field(default_factory=list)
    of_year: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.of_year = [[] for _ in range(self.n_years)]

    def add(self, row: tuple[int, ...], first: int, last: int) -> None:
        """Add a pledge that is in force from year index `first` to `last`."""
        for year in range(first, last + 1):
            self.of_year[year].append(len(self.rows))
        self.rows.append(row)

    def in_force(self, year: int) -> NDArray[np.int64]:
        """Return the rows in force in a year, int (rows, 10)."""
        chosen = [self.rows[at] for at in self.of_year[year]]
        return np.array(chosen, np.int64).reshape(len(chosen), 10)


@dataclass(frozen=True)
class Standing:
    """What a year's pledges mean, as matrices over states.

    Attributes
    ----------
    owes : int8 array (5, n, n)
        1 when the first owes the second the obligation, whoever the enemy.
    general : dict of str to int8 array (n, n)
        The same for pledges that bind against anyone: ``defense`` without wholly secret pacts,
        ``offense`` and ``neutral`` with them.
    against : dict of str to int array (k, 3)
        Giver, holder and adversary of pledges that bind against named states only.
    """

    owes: NDArray[np.int8]
    general: dict[str, NDArray[np.int8]]
    against: dict[str, NDArray[np.int64]]


def standing(rows: NDArray[np.int64], n: int) -> Standing:
    """Return a year's pledges as matrices."""
    giver, receiver = rows[:, 0], rows[:, 1]
    owes = np.zeros((5, n, n), np.int8)
    for kind in range(5):
        held = rows[:, 2 + kind] == 1
        owes[kind, giver[held], receiver[held]] = 1
    secret, named, threat = rows[:, 7] == 1, rows[:, 8] == 1, rows[:, 9]
    general, against = {}, {}
    for kind, name in enumerate(OBLIGATIONS[:3]):
        held = rows[:, 2 + kind] == 1
        if name == "defense":
            held = held & ~secret
        free = np.zeros((n, n), np.int8)
        free[giver[held & ~named], receiver[held & ~named]] = 1
        general[name] = free
        bound = held & named
        against[name] = np.column_stack([giver[bound], receiver[bound], threat[bound]])
    return Standing(owes, general, against)


class Diplomacy:
    """Concludes the alliances of a world, year by year.

    Parameters
    ----------
    settings, states
    truth : Treaties
    democratic : bool array (n, years)
    rng : numpy Generator
    """

    def __init__(
        self,
        settings: Settings,
        states: States,
        truth: Treaties,
        democratic: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> None:
        self.settings, self.states, self.truth, self.rng = settings, states, truth, rng
        self.democratic = democratic
        self.memberships: list[Membership] = []
        self.pledges = Pledges(settings.n_years)
        self._number = FIRST_NUMBER
        self._ln_km = np.log1p(states.km)

    def conclude(self, year: int, conflict: NDArray[np.float64]) -> None:
        """Draw a year's new alliances.

        Parameters
        ----------
        year : int
            Year index.
        conflict : float array (n, n)
            Recent disputes of each pair, faded with time.
        """
        truth = self.truth
        member = np.flatnonzero(self.states.member[:, year])
        at = np.ix_(member, member)
        rows = self.pledges.in_force(year)
        allied = np.zeros((self.states.n,) * 2)
        allied[rows[:, 0], rows[:, 1]] = 1.0
        enemies = (conflict[at] > 0.3).astype(np.float64)
        partners = allied[at]
        democratic = self.democratic[member, year]
        major = self.states.is_major[member, year]
        eta = (
            truth.constant
            + truth.common_enemy * np.log1p(enemies @ enemies)
            + truth.closure * np.log1p(partners @ partners)
            + truth.ln_distance * (self._ln_km[at] - 8.0)
            + truth.likeness * (democratic[:, None] == democratic[None, :])
            + truth.major * (major[:, None].astype(float) + major[None, :])
        )
        chance = special.expit(eta)
        drawn = self.rng.random(chance.shape) < chance
        drawn &= np.triu(np.ones(chance.shape, dtype=bool), 1)
        # Enemies of the day don't ally, and who is allied already needs no new treaty.
        drawn &= (partners == 0) & (enemies == 0)
        for one, other in np.argwhere(drawn).tolist():
            if self._number > LAST_NUMBER:
                return
            foes = np.flatnonzero(enemies[one] * enemies[other] > 0)
            foes = foes if len(foes) else np.flatnonzero(enemies[one] + enemies[other] > 0)
            threat = int(member[foes[0]]) if len(foes) else None
            self._conclude_one(year, int(member[one]), int(member[other]), threat)
            self._number += 1

    def _conclude_one(self, year: int, one: int, other: int, threat: int | None) -> None:
        truth, rng = self.truth, self.rng
        u = rng.random(12)
        first = self.settings.first_year + year
        begins = (first, 1 + int(3 * u[0]), 1 + int(28 * u[1]))
        parties = [one, other]
        if u[2] < truth.share_open:
            parties += self._acceding(year, one, other)
        last = first + int(np.floor(np.log1p(-u[3]) * -truth.mean_years))
        owed = self._obligations(u[4:9])
        threat = None if threat in parties else threat
        # Half of the treaties that can name an enemy do; some of them bind against it alone.
        threat = threat if u[9] < 0.5 else None
        named = threat is not None and u[9] < truth.share_named and bool(any(owed[:3]))
        secret = u[10] < truth.share_secret
        one_sided = rng.random() < truth.share_one_sided and len(parties) == 2 and owed[0] == 1
        dates = self._dates(parties, begins, last, int(rng.integers(1, 29)))
        ends = max(self.settings.last_year if end is None else end[0] for _, end in dates.values())
        changes = float(rng.random())
        spans: list[tuple[int, int, int, int | None]] = [(0, 0, first, None)]
        if u[11] < truth.share_second_phase and ends - first >= 4:
            middle = first + 2 + int((ends - first - 3) * changes)
            spans = [(1, 2, first, middle), (2, 2, middle + 1, None)]
        for phase, of, since, until in spans:
            content = (1, *owed[1:4], 1) if phase == 2 else owed
            self._enter(
                parties, dates, content, phase, of, since, until, secret, one_sided, named, threat
            )

    def _obligations(self, u: NDArray[np.float64]) -> tuple[int, ...]:
        truth = self.truth
        chances = (
            truth.defense, truth.offense, truth.neutrality, truth.nonaggression, truth.consultation,
        )  # fmt: skip
        owed = tuple(int(draw < chance) for draw, chance in zip(u.tolist(), chances, strict=True))
        return owed if any(owed) else (0, 0, 0, 0, 1)

    def _acceding(self, year: int, one: int, other: int) -> list[int]:
        """Choose up to four neighbours of the two that sign with them."""
        present = self.states.member[:, year].copy()
        present[[one, other]] = False
        nearness = np.minimum(self.states.km[one], self.states.km[other])
        near = np.flatnonzero(present & (nearness < 3000))
        count = min(len(near), 1 + int(4 * self.rng.random()))
        return [int(at) for at in self.rng.permutation(near)[:count]]

    def _dates(
        self,
        parties: Sequence[int],
        begins: tuple[int, int, int],
        last: int,
        day: int,
    ) -> dict[int, tuple[tuple[int, int, int], tuple[int, int, int] | None]]:
        """Return each member's first and last day: one that ceases to exist leaves with its end.

        A pact of which fewer than two members are left ends with the last but one.
        """
        world_end = self.settings.last_year
        first = self.settings.first_year
        exits = {
            state: min(last, self.states.last_year(state, begins[0], first)) for state in parties
        }
        pact_end = sorted(exits.values())[-2]
        dates: dict[int, tuple[tuple[int, int, int], tuple[int, int, int] | None]] = {}
        for state in parties:
            year = min(exits[state], pact_end)
            dates[state] = (begins, None if year >= world_end else (year, 12, day))
        return dates

    def _enter(
        self,
        parties: Sequence[int],
        dates: dict[int, tuple[tuple[int, int, int], tuple[int, int, int] | None]],
        owed: tuple[int, ...],
        phase: int,
        phases: int,
        since: int,
        until: int | None,
        secret: bool,
        one_sided: bool,
        named: bool,
        threat: int | None,
    ) -> None:
        """Write a phase: its members' rows, and their pledges to each other."""
        first_year = self.settings.first_year
        rows: list[Membership] = []
        for place, state in enumerate(parties):
            begins, ends = dates[state]
            if phase == 2:
                begins = (since, 1, 1)
            if ends is not None and ends[0] < since:
                continue
            if until is not None and (ends is None or ends[0] > until):
                ends = (until, 12, 31)
            mine = owed
            if one_sided and place == 1:
                mine = (0, *owed[1:])
                if not any(mine):
                    mine = (0, 0, 0, 0, 1)
            rows.append(
                Membership(
                    self._number, phase, phases, state, begins, ends, mine, len(parties) == 2,
                    secret, one_sided, named, threat,
                )
            )  # fmt: skip
        self.memberships += rows
        last = self.settings.n_years - 1
        for giver in rows:
            for receiver in rows:
                if giver.member == receiver.member:
                    continue
                ends_at = [
                    last if row.ends is None else row.ends[0] - first_year
                    for row in (giver, receiver)
                ]
                self.pledges.add(
                    (
                        giver.member, receiver.member, *giver.owes, int(secret), int(named),
                        -1 if threat is None else threat,
                    ),
                    giver.begins[0] - first_year,
                    min(ends_at),
                )  # fmt: skip
