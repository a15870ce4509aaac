"""Capabilities and regimes of states, year by year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.world.states import States

INDICATORS = ("milex", "milper", "irst", "pec", "tpop", "upop")
UNKNOWN = -9
# Level (log) and yearly growth of each indicator; spread of states' sizes, of an indicator between
# states of one size, and of the yearly wobble, with its persistence.
_LEVELS = (8.5, 3.4, 4.0, 6.5, 8.6, 6.0)
_GROWTH = (0.022, 0.008, 0.030, 0.028, 0.010, 0.020)
_SPREAD, _OWN, _WOBBLE, _PERSISTENCE = 1.1, 0.5, 0.06, 0.95
_SHARE_UNKNOWN = 0.006
INTERRUPTION, INTERREGNUM, TRANSITION = -66, -77, -88


@dataclass(frozen=True)
class Power:
    """Capabilities.

    Attributes
    ----------
    indicators : int64 array (6, n, years)
        In the order of INDICATORS; -9 where unknown.
    cinc : float array (n, years)
        As written, at nine decimals; 0 where the state doesn't exist.
    """

    indicators: NDArray[np.int64]
    cinc: NDArray[np.float64]


@dataclass(frozen=True)
class Regimes:
    """Regimes.

    Attributes
    ----------
    polity : int16 array (n, years)
        -10 to 10, or -66, -77, -88.
    polity2 : int16 array (n, years)
        -10 to 10; -99 where it is missing (an interruption).
    """

    polity: NDArray[np.int16]
    polity2: NDArray[np.int16]

    MISSING = -99

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where polity2 has a value."""
        return np.asarray(self.polity2 != self.MISSING)

    @property
    def democratic(self) -> NDArray[np.bool_]:
        """Where polity2 is at least 6."""
        return np.asarray(self.polity2 >= 6)


def draw_power(states: States, rng: np.random.Generator) -> Power:
    """Draw six indicators that grow, wobble and share a state's size, and their index."""
    n, years = states.member.shape
    size = rng.normal(0.0, _SPREAD, n) + 1.4 * states.is_major.any(axis=1)
    own = rng.normal(0.0, _OWN, (6, n))
    shocks = rng.normal(0.0, _WOBBLE, (6, n, years))
    wobble = np.zeros((6, n, years))
    wobble[:, :, 0] = shocks[:, :, 0]
    for year in range(1, years):
        wobble[:, :, year] = _PERSISTENCE * wobble[:, :, year - 1] + shocks[:, :, year]
    level = np.array(_LEVELS)[:, None, None]
    growth = np.array(_GROWTH)[:, None, None] * np.arange(years)
    log = level + growth + (size + own)[:, :, None] + wobble
    indicators = np.floor(np.exp(np.round(log, 6))).astype(np.int64)
    late = np.array([2])  # iron and steel: many states make none
    indicators[late] = np.where(indicators[late] < 40, 0, indicators[late])
    unknown = rng.random((6, n, years)) < _SHARE_UNKNOWN
    unknown[4] = False  # a state's population is always known
    indicators[unknown] = UNKNOWN
    return Power(indicators, _index(indicators, states.member))


def _index(indicators: NDArray[np.int64], member: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean of the known shares of the six totals, at nine decimals."""
    known = (indicators != UNKNOWN) & member
    values = np.where(known, indicators, 0)
    totals = values.sum(axis=1)
    shares = values / np.maximum(totals, 1)[:, None, :]
    counted = known & (totals > 0)[:, None, :]
    mean = np.where(counted, shares, 0.0).sum(axis=0) / np.maximum(counted.sum(axis=0), 1)
    return np.asarray(np.round(np.where(member, mean, 0.0), 9), np.float64)


def draw_regimes(states: States, rng: np.random.Generator) -> Regimes:
    """Draw scores that stay, change now and then, and drift towards democracy."""
    n, years = states.member.shape
    lean = rng.normal(-2.0, 5.0, n)
    moves = rng.random((n, years)) < 0.04
    drawn = rng.normal(0.0, 4.0, (n, years))
    kind = rng.random((n, years))
    polity = np.zeros((n, years), np.int16)
    for year in range(years):
        trend = 4.0 * year / max(years - 1, 1)
        new = np.clip(np.round(lean + trend + drawn[:, year]), -10, 10).astype(np.int16)
        before = polity[:, year - 1] if year else new
        polity[:, year] = np.where(moves[:, year] | (year == 0), new, before)
    polity2 = polity.copy()
    special = moves & (kind < 0.30)
    special[:, 0] = False
    code = np.where(kind < 0.12, TRANSITION, np.where(kind < 0.24, INTERREGNUM, INTERRUPTION))
    before = np.roll(polity, 1, axis=1)
    middle = np.trunc((before.astype(np.int64) + polity) / 2).astype(np.int16)
    values = np.where(code == TRANSITION, middle, np.where(code == INTERREGNUM, 0, Regimes.MISSING))
    polity2[special] = values[special]
    raw = polity.copy()
    raw[special] = code[special]
    return Regimes(raw, polity2)
