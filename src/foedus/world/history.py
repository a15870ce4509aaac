"""Disputes between states, year by year: a probit in directed dyads, on what the year holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.world.coefficients import Coefficients, Disputes
from foedus.world.power import Power, Regimes
from foedus.world.settings import Settings
from foedus.world.states import KM_A_MILE, States, great_circle_km
from foedus.world.treaties import HIGHEST, LADDER, Diplomacy, Standing, standing

FADING = 0.80
TERMS = (
    "target_defense", "challenger_defense", "challenger_offense", "challenger_neutrality",
    "ln_distance", "capability_share", "joint_democracy", "similarity", "peace",
)  # fmt: skip
"""What the linear predictor of disputes is made of, in the order of `Year.terms`."""


@dataclass(frozen=True)
class Begun:
    """Disputes as they begin, sorted by year, challenger and target.

    Attributes
    ----------
    year, challenger, target : int arrays (k,)
        Year index and positions of the two.
    """

    year: NDArray[np.int64]
    challenger: NDArray[np.int64]
    target: NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """What happened, and the pacts that stood while it did."""

    begun: Begun
    diplomacy: Diplomacy


class Peace:
    """Years since 1 last began a dispute against 2, counted on through gaps of membership.

    0 in a pair's first year together and in the year after a dispute.
    """

    def __init__(self, n: int) -> None:
        self.years = np.zeros((n, n), np.int64)
        self._met = np.zeros((n, n), dtype=bool)

    def enter(self, together: NDArray[np.bool_]) -> None:
        """Start the count of the pairs that are together for the first time."""
        self.years[together & ~self._met] = 0
        self._met |= together

    def leave(self, began: NDArray[np.bool_]) -> None:
        """End a year in which some began disputes."""
        self.years = np.where(began, 0, self.years + self._met)


def terms_of_year(
    states: States,
    power: Power,
    regimes: Regimes,
    stands: Standing,
    peace: NDArray[np.int64],
    year: int,
) -> NDArray[np.float64]:
    """Return the nine TERMS over (challenger, target), float (9, n, n); rows of absent states too.

    Parameters
    ----------
    stands : Standing
        The year's pledges.
    peace : int array (n, n)
    year : int
        Year index.
    """
    n = states.n
    lat, lng = states.lat[:, year], states.lng[:, year]
    miles = great_circle_km(lat[:, None], lng[:, None], lat[None, :], lng[None, :]) / KM_A_MILE
    cinc = power.cinc[:, year]
    both = cinc[:, None] + cinc[None, :]
    democratic = regimes.democratic[:, year]
    made = np.zeros((len(TERMS), n, n))
    made[0] = held_by_target(stands, "defense")
    made[1] = held_against_anyone(stands.owes[0])
    made[2] = held_by_challenger(stands, "offense")
    made[3] = held_by_challenger(stands, "neutral")
    made[4] = np.log(np.where(miles > 0, miles, 1.0))
    made[5] = cinc[:, None] / np.where(both > 0, both, 1.0)
    made[6] = democratic[:, None] & democratic[None, :]
    made[7] = likeness(stands.owes, states.member[:, year])
    made[8] = peace
    return made


def held_by_target(stands: Standing, name: str) -> NDArray[np.bool_]:
    """Return over (challenger, target) whether a third state owes the target the obligation."""
    general = stands.general[name]
    held = (general.sum(axis=0)[None, :] - general) > 0
    giver, holder, foe = stands.against[name].T
    other = giver != foe
    held[foe[other], holder[other]] = True
    return np.asarray(held)


def held_by_challenger(stands: Standing, name: str) -> NDArray[np.bool_]:
    """Return over (challenger, target) whether a third state owes the challenger it."""
    general = stands.general[name]
    held = (general.sum(axis=0)[:, None] - general.T) > 0
    giver, holder, foe = stands.against[name].T
    other = giver != foe
    held[holder[other], foe[other]] = True
    return np.asarray(held)


def held_against_anyone(owed: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return whether a third state owes the challenger a pledge, whomever the treaty names."""
    return np.asarray((owed.sum(axis=0)[:, None] - owed.T) > 0)


def likeness(owes: NDArray[np.int8], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return S of the portfolios of the states that are there (Signorino & Ritter 1999)."""
    level = np.zeros(owes.shape[1:], np.int64)
    for kind, rung in enumerate(LADDER):
        level = np.maximum(level, rung * owes[kind])
    level = np.maximum(level, level.T)
    np.fill_diagonal(level, HIGHEST)
    here = np.flatnonzero(present)
    at = np.ix_(here, here)
    portfolio = level[at]
    apart = np.zeros(portfolio.shape)
    for rung in range(1, HIGHEST + 1):
        reached = (portfolio >= rung).astype(np.float64)
        alone = reached.sum(axis=1)
        apart += alone[:, None] + alone[None, :] - 2 * (reached @ reached.T)
    scores = np.zeros(level.shape)
    scores[at] = 1 - 2 * apart / (HIGHEST * len(here))
    return scores


def linear(terms: NDArray[np.float64], truth: Disputes) -> NDArray[np.float64]:
    """Return the marginal linear predictor of disputes."""
    eta = np.full(terms.shape[1:], truth.constant)
    for place, name in enumerate(TERMS):
        eta = eta + getattr(truth, name) * terms[place]
    peace = terms[TERMS.index("peace")]
    return np.asarray(eta + truth.peace2 * peace**2 + truth.peace3 * peace**3)


def live(
    settings: Settings,
    states: States,
    power: Power,
    regimes: Regimes,
    truth: Coefficients,
    streams: dict[str, np.random.Generator],
) -> History:
    """Let the years pass: alliances first, then disputes, which next year's alliances answer to."""
    diplomacy = Diplomacy(settings, states, truth.treaties, regimes.democratic, streams["treaties"])
    n = states.n
    peace = Peace(n)
    conflict = np.zeros((n, n))
    found: list[NDArray[np.int64]] = []
    for year in range(settings.n_years):
        member = states.member[:, year]
        together = member[:, None] & member[None, :]
        np.fill_diagonal(together, val=False)
        peace.enter(together)
        diplomacy.conclude(year, conflict)
        stands = standing(diplomacy.pledges.in_force(year), n)
        terms = terms_of_year(states, power, regimes, stands, peace.years, year)
        began = _began(terms, together, truth.disputes, streams)
        peace.leave(began)
        conflict = FADING * conflict + (began | began.T)
        one, other = np.nonzero(began)
        found.append(np.column_stack([np.full(len(one), year), one, other]))
    rows = np.concatenate(found)
    return History(Begun(rows[:, 0], rows[:, 1], rows[:, 2]), diplomacy)


def _began(
    terms: NDArray[np.float64],
    together: NDArray[np.bool_],
    truth: Disputes,
    streams: dict[str, np.random.Generator],
) -> NDArray[np.bool_]:
    """Draw who begins a dispute against whom in a year.

    Rows depend on each other through effects of the year's challenger, of its target, and of the
    pair in either direction.
    """
    n = len(together)
    shocks = streams["shocks"]
    challenger = shocks.normal(0.0, 1.0, n) * truth.state_sd
    target = shocks.normal(0.0, 1.0, n) * truth.state_sd
    pair = np.triu(shocks.normal(0.0, 1.0, (n, n)), 1) * truth.dyad_sd
    latent = truth.inflation * linear(terms, truth)
    latent += challenger[:, None] + target[None, :] + pair + pair.T
    return np.asarray((streams["disputes"].random((n, n)) < special.ndtr(latent)) & together)
