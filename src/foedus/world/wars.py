"""From disputes to wars: escalation, companions, joiners, days and deaths."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.world.coefficients import Coefficients, Joining
from foedus.world.history import History
from foedus.world.power import Power
from foedus.world.settings import Settings
from foedus.world.states import States, great_circle_km

MOST_WARS = 950
"""COW numbers wars with at most three digits."""
LAST_WAR_YEAR = 2006
LAST_WAR_DAY = datetime.date(2007, 12, 31)
LAST_DISPUTE_DAY = datetime.date(2014, 12, 31)
_SHARE_COMPANION = 0.20


@dataclass
class Participation:
    """One state in one dispute or war.

    Attributes
    ----------
    state : int
    side : int
        0 for the side that began it, 1 for the other.
    begins, ends : date
    original : bool
        In the dispute from its first day.
    """

    state: int
    side: int
    begins: datetime.date
    ends: datetime.date
    original: bool


@dataclass
class Dispute:
    """A militarized dispute.

    Attributes
    ----------
    number, challenger, target : int
    parts : list of Participation
    level : int
        Hostility, 1 to 5.
    fatality : int
    day_known : bool
    """

    number: int
    challenger: int
    target: int
    parts: list[Participation]
    level: int
    fatality: int
    day_known: bool


@dataclass
class War:
    """A war.

    Attributes
    ----------
    number : int
    dispute : int
        Number of the dispute that it grew out of.
    parts : list of Participation
    first : frozenset of int
        The states at war on the first day.
    deaths : int
        Of all participants together.
    shares : list of int
        Of each participant, in the order of `parts`; -9 where COW wouldn't know.
    side_of_challengers : int
        COW's number of the side that began it, 1 or 2.
    winner : int
        0 the side that began it, 1 the other, 2 neither.
    """

    number: int
    dispute: int
    parts: list[Participation]
    first: frozenset[int]
    deaths: int
    shares: list[int] = field(default_factory=list)
    side_of_challengers: int = 1
    winner: int = 2


@dataclass(frozen=True)
class Conflicts:
    """All disputes and wars, with what the world knows about its draws.

    Attributes
    ----------
    disputes, wars : list
    escalation_constant : float
        As it was used: lowered in a world with too many disputes to have them all numbered.
    """

    disputes: list[Dispute]
    wars: list[War]
    escalation_constant: float


class _Chronicle:
    """What the draws of wars look up: the world as it was on a day."""

    def __init__(self, settings: Settings, states: States, power: Power, history: History) -> None:
        self.settings, self.states, self.power = settings, states, power
        self._pledges = history.diplomacy.pledges
        self._standing: dict[int, NDArray[np.int8]] = {}

    def owes(self, year: int) -> NDArray[np.int8]:
        """Return (5, n, n) of a year: treaties begin by March and end in December."""
        if year not in self._standing:
            rows = self._pledges.in_force(year)
            made = np.zeros((5, self.states.n, self.states.n), np.int8)
            for kind in range(5):
                held = rows[:, 2 + kind] == 1
                made[kind, rows[held, 0], rows[held, 1]] = 1
            self._standing = {year: made}
        return self._standing[year]

    def exit_of(self, state: int, year: int) -> datetime.date:
        """Return the last day of the spell that a state is in."""
        first = self.settings.first_year
        return datetime.date(self.states.last_year(state, first + year, first), 12, 31)

    def nearest_km(self, year: int, first: list[int]) -> NDArray[np.float64]:
        """Return each state's distance to the nearest of some states' capitals."""
        lat, lng = self.states.lat[:, year], self.states.lng[:, year]
        km = great_circle_km(lat[:, None], lng[:, None], lat[None, first], lng[None, first])
        return np.asarray(km.min(axis=1))


def fight(
    settings: Settings,
    states: States,
    power: Power,
    history: History,
    truth: Coefficients,
    streams: dict[str, np.random.Generator],
) -> Conflicts:
    """Turn the disputes that began into disputes with days and participants, and some into wars."""
    chronicle = _Chronicle(settings, states, power, history)
    disputes = _disputes(chronicle, history, streams["details"])
    escalates, constant = _escalation(states, history, truth, disputes, streams["wars"])
    wars: list[War] = []
    step = 2 if escalates.sum() < 450 else 1
    for at in np.flatnonzero(escalates).tolist():
        number = 1 + step * len(wars)
        wars.append(
            _war(number, disputes[at], int(history.begun.year[at]), chronicle, truth, streams)
        )
        _merge(disputes[at], wars[-1])
    return Conflicts(disputes, wars, constant)


def _disputes(chronicle: _Chronicle, history: History, rng: np.random.Generator) -> list[Dispute]:
    """Give each dispute its days (from April to October), level, fatalities and hangers-on."""
    begun = history.begun
    draws = rng.random((len(begun.year), 10))
    made = []
    last_day = min(datetime.date(chronicle.settings.last_year, 12, 31), LAST_DISPUTE_DAY)
    rows = zip(
        begun.year.tolist(), begun.challenger.tolist(), begun.target.tolist(), draws.tolist(),
        strict=True,
    )  # fmt: skip
    number = 0
    for year, one, other, u in rows:
        calendar = chronicle.settings.first_year + year
        number += 1 if len(begun.year) > 45_000 or u[0] < 0.6 else 2
        day = datetime.date(calendar, 4, 1) + datetime.timedelta(int(210 * u[1]))
        length = int(-120 * math.log1p(-u[2])) if u[3] < 0.7 else 0
        ends = min(
            day + datetime.timedelta(length),
            chronicle.exit_of(one, year), chronicle.exit_of(other, year),
            max(last_day, day),
        )  # fmt: skip
        level = 2 + int(u[4] > 0.10) + int(u[4] > 0.45)
        fatality = int(5.99 * max(0.0, u[5] - 0.75) * 4) if level == 4 else 0
        parts = [
            Participation(one, 0, day, ends, original=True),
            Participation(other, 1, day, ends, original=True),
        ]
        if u[6] < 0.06 and length > 3:
            parts += _hangers_on(chronicle, year, one, other, day, ends, u)
        made.append(Dispute(number, one, other, parts, level, fatality, u[7] > 0.08))
    return made


def _hangers_on(
    chronicle: _Chronicle,
    year: int,
    one: int,
    other: int,
    day: datetime.date,
    ends: datetime.date,
    u: list[float],
) -> list[Participation]:
    """Let one more state come into a dispute after its first day, on either side."""
    present = np.flatnonzero(chronicle.states.member[:, year])
    present = present[(present != one) & (present != other)]
    if len(present) == 0 or ends <= day:
        return []
    state = int(present[int(u[8] * len(present))])
    last = min(ends, chronicle.exit_of(state, year))
    after = day + datetime.timedelta(1)
    if last < after:
        return []
    return [Participation(state, int(u[9] < 0.5), after, last, original=False)]


def _escalation(
    states: States,
    history: History,
    truth: Coefficients,
    disputes: list[Dispute],
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], float]:
    """Draw which disputes become wars; in a large world the constant is lowered, and says so."""
    begun, coefficients = history.begun, truth.escalation
    neighbours = states.contiguity[begun.challenger, begun.target] == 1
    powers = (
        states.is_major[begun.challenger, begun.year] | states.is_major[begun.target, begun.year]
    )
    calendar = np.array([item.parts[0].begins.year for item in disputes])
    in_time = calendar <= LAST_WAR_YEAR
    rest = coefficients.contiguous * neighbours + coefficients.major * powers
    constant = coefficients.constant
    while special.expit(constant + rest)[in_time].sum() > 0.8 * MOST_WARS:
        constant = round(constant - 0.1, 4)
    drawn = rng.random(len(disputes)) < special.expit(constant + rest)
    drawn &= in_time
    drawn[np.flatnonzero(drawn)[MOST_WARS:]] = False
    return drawn, constant


def bridge(u: float, attenuation: float) -> float:
    """Return a draw of the bridge distribution for the logit from a uniform one.

    With it as a random effect, a logit's marginal coefficients are the conditional ones times
    `attenuation` (Wang & Louis 2003, Biometrika 90:765-775).
    """
    if attenuation >= 1:
        return 0.0
    angle = attenuation * math.pi
    return math.log(math.sin(angle * u) / math.sin(angle * (1 - u))) / attenuation


def _war(
    number: int,
    dispute: Dispute,
    year: int,
    chronicle: _Chronicle,
    truth: Coefficients,
    streams: dict[str, np.random.Generator],
) -> War:
    """Draw one war: its days, a companion of the challenger, joiners and deaths."""
    u = streams["wars"].random(8)
    one, other = dispute.challenger, dispute.target
    begins = dispute.parts[0].begins + datetime.timedelta(1 + int(30 * u[0]))
    limit = min(LAST_WAR_DAY, datetime.date(chronicle.settings.last_year, 12, 31))
    length = 15 + int(-400 * math.log1p(-u[1]))
    ends = min(begins + datetime.timedelta(length), limit)
    ends = min(ends, chronicle.exit_of(one, year), chronicle.exit_of(other, year))
    parts = [
        Participation(one, 0, begins, ends, original=True),
        Participation(other, 1, begins, ends, original=True),
    ]
    if u[2] < _SHARE_COMPANION:
        companion = _companion(chronicle, year, one, other, float(u[3]))
        if companion is not None:
            last = min(ends, chronicle.exit_of(companion, year))
            parts.append(Participation(companion, 0, begins, last, original=True))
    first = [part.state for part in parts]
    parts += _joiners(chronicle, year, parts, begins, ends, truth.joining, streams["joiners"])
    war = War(
        number, dispute.number, parts, frozenset(first), 0,
        side_of_challengers=1 + int(u[4] < 0.3), winner=int(3 * u[5]),
    )  # fmt: skip
    _bury(war, chronicle, year, truth, streams["deaths"])
    return war


def _companion(chronicle: _Chronicle, year: int, one: int, other: int, u: float) -> int | None:
    """Choose a state that goes to war with the challenger on the first day: a near one."""
    present = np.flatnonzero(chronicle.states.member[:, year])
    present = present[(present != one) & (present != other)]
    if len(present) == 0:
        return None
    near = present[np.argsort(chronicle.states.km[one, present], kind="stable")][:5]
    return int(near[int(u * len(near))])


def _joiners(
    chronicle: _Chronicle,
    year: int,
    parts: list[Participation],
    begins: datetime.date,
    ends: datetime.date,
    truth: Joining,
    rng: np.random.Generator,
) -> list[Participation]:
    """Draw who comes in after the first day, when, and on which side: mostly beside an ally."""
    states = chronicle.states
    n = states.n
    first = [part.state for part in parts]
    sides = np.array([part.side for part in parts])
    owes = chronicle.owes(year)[:4, :, first]
    tie = np.asarray(owes.any(axis=2))
    common = bridge(float(rng.random()), truth.attenuation)
    marginal = (
        truth.constant
        + truth.defense * tie[0]
        + truth.offense * tie[1]
        + truth.neutrality * tie[2]
        + truth.nonaggression * tie[3]
        + truth.contiguous * (states.contiguity[:, first] == 1).any(axis=1)
        + truth.major * states.is_major[:, year]
        + truth.ln_distance * np.log1p(chronicle.nearest_km(year, first))
    )
    u = rng.random((3, n))
    joins = u[0] < special.expit(marginal / truth.attenuation + common)
    joins &= states.member[:, year]
    joins[first] = False
    armed = (owes[0] + owes[1]) > 0
    made = []
    for state in np.flatnonzero(joins).tolist():
        last = min(ends, chronicle.exit_of(state, year))
        room = (last - begins).days
        day = begins + datetime.timedelta(1 + int(min(room, 300) * 0.999 * u[1, state] ** 2))
        with_side = set(sides[armed[state]].tolist())
        side = int(u[2, state] < 0.5)
        if len(with_side) == 1:
            ally = with_side.pop()
            side = ally if u[2, state] < truth.beside_ally else 1 - ally
        made.append(Participation(state, side, min(day, last), last, original=False))
    return made


def _bury(
    war: War,
    chronicle: _Chronicle,
    year: int,
    truth: Coefficients,
    rng: np.random.Generator,
) -> None:
    """Draw a war's battle deaths from what was known at its outset, and share them out."""
    deaths, states = truth.deaths, chronicle.states
    first = sorted(war.first)
    owes = chronicle.owes(year)[0].copy()
    owes[first, :] = 0
    owes[~states.member[:, year], :] = 0
    cinc = chronicle.power.cinc[:, year]
    begun = [part for part in war.parts if part.state in war.first]
    on = [[part.state for part in begun if part.side == side] for side in (0, 1)]
    strength = sorted(float(cinc[side].sum()) for side in on)
    scale = (
        deaths.tie_defense * bool(owes[:, first].any())
        + deaths.n_first * len(first)
        + deaths.major_first * bool(states.is_major[first, year].any())
        + deaths.balance * (strength[0] / strength[1] if strength[1] > 0 else 0.0)
        + deaths.contiguous * bool((states.contiguity[np.ix_(on[0], on[1])] == 1).any())
    )
    u = rng.random(2 + len(war.parts))
    log = math.log(deaths.least) + scale - math.log1p(-float(u[0])) / (deaths.exponent - 1)
    war.deaths = round(math.exp(min(log, 20.5)))
    weights = 0.2 + u[2:]
    counts = np.floor(war.deaths * weights / weights.sum()).astype(np.int64)
    counts[0] += war.deaths - int(counts.sum())
    war.shares = counts.tolist()
    if u[1] < 0.01 and len(war.parts) > 2:
        war.shares[-1] = -9


def _merge(dispute: Dispute, war: War) -> None:
    """Let the war's participants stand in its dispute, which lasts at least as long."""
    dispute.level, dispute.day_known = 5, True
    dispute.fatality = 6
    ends = max(part.ends for part in war.parts)
    kept = [part for part in dispute.parts if part.original]
    for part in kept:
        mine = next(other for other in war.parts if other.state == part.state)
        part.ends = max(mine.ends, part.begins)
    late = [
        Participation(part.state, part.side, part.begins, part.ends, original=False)
        for part in war.parts
        if part.state not in {item.state for item in kept}
    ]
    dispute.parts = kept + late
    assert max(part.ends for part in dispute.parts) == ends
