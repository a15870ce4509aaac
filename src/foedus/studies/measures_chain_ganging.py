"""Wars that spread along the network of treaties: what it foretells, and what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.atop import OBLIGATIONS
from foedus.covariates.registry import Option
from foedus.covariates.war_outset import Treaties
from foedus.models.arrays import BoolArray, FloatArray
from foedus.panels.system import StateSystem
from foedus.panels.units import load_system
from foedus.panels.war_list import WarList, load_wars
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure

PLEDGES = {
    "defense": ("defense",),
    "defense_offense": ("defense", "offense"),
    "any": tuple(OBLIGATIONS.values()),
}


@dataclass(frozen=True)
class _Network:
    """One war's states on its eve: who owes whom, who began it, who came in later.

    Attributes
    ----------
    owes : bool array (n, n)
        Whether the row's state owes the column's help, the day before the war.
    first, joined : bool array (n,)
    """

    warnum: int
    name: str
    year: int
    owes: BoolArray
    first: BoolArray
    joined: BoolArray

    @property
    def exposed(self) -> BoolArray:
        """States that owe help to a state that was ever in the war, first belligerents apart."""
        in_war = self.first | self.joined
        return np.asarray((self.owes & in_war[None, :]).any(axis=1) & ~self.first)


def _networks(context: MeasureContext) -> list[_Network]:
    tables, options = context.tables, context.options
    wars, system = load_wars(tables), load_system(tables)
    treaties = Treaties.of(tables, options["release"])
    kinds = PLEDGES[options["pledges"]]
    owed = pl.any_horizontal([pl.col(kind).fill_null(0) == 1 for kind in kinds])
    last = tables.coverage("atop", release=options["release"])[1]
    made = []
    for war in range(len(wars.numbers)):
        year = int(wars.start_year[war])
        # ASSUME: a war after the years of the treaty data isn't simulated.
        if options["from_year"] <= year <= min(options["to_year"], last):
            pledges = treaties.standing(int(wars.first_day[war]) - 1).filter(owed)
            made.append(_network(wars, system, war, pledges))
    return made


def _network(wars: WarList, system: StateSystem, war: int, pledges: pl.DataFrame) -> _Network:
    day = int(wars.first_day[war])
    inside = (system.spell_start <= day) & (system.spell_end >= day)
    members = np.unique(system.spell_state[inside])
    place = np.full(system.n_states, -1)
    place[members] = np.arange(len(members))

    def at(ccodes: NDArray[Any]) -> NDArray[np.int64]:
        state = system.index(ccodes)
        return np.where(state >= 0, place[state], -1)

    giver, receiver = (at(pledges[name].to_numpy()) for name in ("giver", "receiver"))
    known = (giver >= 0) & (receiver >= 0)
    owes = np.zeros((len(members), len(members)), dtype=bool)
    owes[giver[known], receiver[known]] = True
    states = wars.states
    here = states.warnum == wars.numbers[war]
    entered, original = at(states.ccode[here]), states.original[here]
    first, joined = np.zeros(len(members), dtype=bool), np.zeros(len(members), dtype=bool)
    first[entered[(entered >= 0) & original]] = True
    joined[entered[(entered >= 0) & ~original]] = True
    name = str(wars.name[np.flatnonzero(wars.of_spell == war)[0]])
    return _Network(int(wars.numbers[war]), name, int(wars.start_year[war]), owes, first, joined)


def spread(
    owes: BoolArray, first: BoolArray, chance: float, base: float, draws: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:  # fmt: skip
    """Simulate a war's spread along pledges: how many states join in each draw.

    A state that owes help to a state in the war follows it with probability `chance`, decided
    once, however many pledges it has; those that follow draw in others in turn. Beforehand every
    other state enters with probability `base`, pledges or not.

    Parameters
    ----------
    owes : bool array (n, n)
        Whether the row's state owes the column's.
    first : bool array (n,)
        First belligerents.
    chance, base : float
    draws : int
    rng : Generator

    Returns
    -------
    int array (draws,)
    """
    n = first.size
    willing = rng.random((draws, n)) < chance
    inside = first[None, :] | (rng.random((draws, n)) < base)
    # only states that someone owes help can call, and only those that owe some can follow
    called_by, followers = np.flatnonzero(owes.any(axis=0)), np.flatnonzero(owes.any(axis=1))
    pulls = owes[np.ix_(followers, called_by)].T.astype(np.float32)
    new = inside
    while new[:, called_by].any():
        called = new[:, called_by].astype(np.float32) @ pulls > 0
        joins = np.zeros_like(inside)
        joins[:, followers] = called & willing[:, followers]
        joins &= ~inside
        inside = inside | joins
        new = joins
    return np.asarray(inside.sum(axis=1) - first.sum(), dtype=np.int64)


@measure(
    "chain_ganging",
    says="How many states each war would draw in if allies followed allies along the treaties of "
    "its eve, with the rate of following learnt from the other wars, against those it drew in.",
    citations=["christensen_snyder_1990", "leeds_etal_2002", "sarkees_wayman_2010"],
    options={
        "pledges": Option(
            "defense_offense",
            "Which pledges pull. defense; defense_offense: either; any: any obligation.",
            tuple(PLEDGES),
        ),
        "release": Option("5.1", "Release of ATOP.", ("5.1", "4.01")),
        "from_year": Option(1816, "Wars that began in this year or later."),
        "to_year": Option(2010, "Wars that began in this year or earlier."),
        "draws": Option(500, "Simulations of each war."),
    },
    terms=["wars", "wars that grew", "states that joined", "rate of following",
           "rate of joining without a pledge", "states expected to join",
           "states expected to join without treaties", "share expected through treaties",
           "wars expected to grow", "of those, wars that grew", "area under the ROC curve",
           "rank correlation of expected and seen", "joiners bound by a pledge"],
)  # fmt: skip
def chain_ganging(context: MeasureContext) -> MeasureResult:
    """Simulate each war on its own treaty network, and compare with what happened.

    A state is exposed if it owes help to a state that was ever in the war. The rate of following
    is the share of exposed states that joined, over all other wars; the base rate that of the
    states that weren't exposed. A war is expected to grow if most of its simulations do.
    """
    from scipy import stats

    networks = _networks(context)
    draws, rng = int(context.options["draws"]), context.rng()
    exposed = np.array([int(one.exposed.sum()) for one in networks])
    followed = np.array([int((one.exposed & one.joined).sum()) for one in networks])
    free = np.array([int((~one.exposed & ~one.first).sum()) for one in networks])
    came = np.array([int((~one.exposed & one.joined).sum()) for one in networks])
    seen = np.array([int(one.joined.sum()) for one in networks])
    expected, bare, grows = (np.zeros(len(networks)) for _ in range(3))
    for at, one in enumerate(networks):
        chance = (followed.sum() - followed[at]) / max(exposed.sum() - exposed[at], 1)
        base = (came.sum() - came[at]) / max(free.sum() - free[at], 1)
        joiners = spread(one.owes, one.first, chance, base, draws, rng)
        expected[at], grows[at] = joiners.mean(), (joiners > 0).mean()
        bare[at] = base * (~one.first).sum()
    grew = seen > 0
    auc, error = _auc(expected, grew)
    rank = stats.spearmanr(expected, seen)
    foretold = grows > 0.5
    total, without = float(expected.sum()), float(bare.sum())
    return MeasureResult(
        [
            MeasureRow("wars", float(len(networks)), kind="count"),
            MeasureRow("wars that grew", float(grew.sum()), kind="count", n=len(networks)),
            MeasureRow("states that joined", float(seen.sum()), kind="count"),
            _rate("rate of following", int(followed.sum()), int(exposed.sum())),
            _rate("rate of joining without a pledge", int(came.sum()), int(free.sum())),
            MeasureRow("states expected to join", total, n=len(networks)),
            MeasureRow("states expected to join without treaties", without, n=len(networks)),
            MeasureRow("share expected through treaties", 1 - without / total, kind="share"),
            MeasureRow("wars expected to grow", float(foretold.sum()), kind="count"),
            MeasureRow("of those, wars that grew", float((foretold & grew).sum()), kind="count",
                       n=int(foretold.sum())),
            MeasureRow("area under the ROC curve", auc, std_error=error,
                       ci_low=auc - 1.96 * error, ci_high=min(1.0, auc + 1.96 * error),
                       p_value=float(stats.mannwhitneyu(expected[grew], expected[~grew]).pvalue),
                       n=len(networks), how="Hanley and McNeil; p of Mann and Whitney's test"),
            MeasureRow("rank correlation of expected and seen", float(rank.statistic),
                       p_value=float(rank.pvalue), n=len(networks)),
            _rate("joiners bound by a pledge", int(followed.sum()), int(seen.sum())),
        ],
        plots={"largest": _plot(networks, expected, seen)},
        tables={"wars": _lines(networks, expected, grows, seen, exposed)},
    )  # fmt: skip


def _rate(term: str, hits: int, n: int) -> MeasureRow:
    share = hits / max(n, 1)
    return MeasureRow(term, share, kind="share", std_error=float(np.sqrt(share * (1 - share) / n)),
                      n=n, n_events=hits, how="binomial")  # fmt: skip


def _auc(score: FloatArray, positive: BoolArray) -> tuple[float, float]:
    """Return the chance that a war that grew was expected to grow more than one that didn't."""
    yes, no = score[positive], score[~positive]
    wins = (yes[:, None] > no[None, :]).mean() + 0.5 * (yes[:, None] == no[None, :]).mean()
    auc = float(wins)
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (yes.size - 1) * (q1 - auc**2) + (no.size - 1) * (q2 - auc**2)
    return auc, float(np.sqrt(variance / (yes.size * no.size)))


def _plot(
    networks: list[_Network], expected: FloatArray, seen: NDArray[np.int64]
) -> dict[str, Any]:
    order = np.argsort(-np.maximum(expected, seen), kind="stable")[:12]
    return {
        "type": "bars",
        "labels": [f"{networks[at].name} {networks[at].year}" for at in order],
        "rebuilt": expected[order].tolist(),
        "published": seen[order].astype(float).tolist(),
        "unit": "count",
        "rebuilt_label": "expected on the treaty network",
        "published_label": "joined",
        "title": "States that join, by war",
    }


def _lines(
    networks: list[_Network], expected: FloatArray, grows: FloatArray, seen: NDArray[np.int64],
    exposed: NDArray[np.int64],
) -> list[dict[str, Any]]:  # fmt: skip
    order = np.argsort(-expected, kind="stable")
    return [
        {
            "warnum": networks[at].warnum,
            "war": networks[at].name,
            "year": networks[at].year,
            "pledges_to_first": int(networks[at].owes[:, networks[at].first].sum()),
            "exposed": int(exposed[at]),
            "expected_joiners": round(float(expected[at]), 2),
            "chance_of_growing": round(float(grows[at]), 3),
            "joined": int(seen[at]),
        }
        for at in order
    ]
