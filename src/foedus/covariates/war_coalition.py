"""Who fought beside whom: sides of a war as coalitions, and whether a treaty stood behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.atop import RELEASE, SECRET
from foedus.covariates.context import Context
from foedus.covariates.nmc import RELEASE as NMC_RELEASE
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Rows, Values, missing_of
from foedus.covariates.war_outset import (
    FIRST_DAYS,
    KINDS,
    count_rows,
    flag_rows,
    number_rows,
    outsets,
    wars_of,
)
from foedus.panels.war_list import WarList

WON, LOST = 1, 2
# COW Outcome: compromise, stalemate and what fell below the level of war are draws.
DRAWN = (3, 6, 7)
CRIMEA = 22


def _row(name: str, kind: Any, says: str, unit: str = "0/1") -> ColumnSpec:
    return ColumnSpec(name, kind, says, unit=unit, level="row", absent="missing")


@covariate(
    name="war_coalition",
    title="Sides of a war as coalitions",
    columns=[
        _row("multilateral", "flag", "1 if more than two states fought in the war."),
        _row("coalition", "flag", "1 if two states or more fought on one side of the war (each "
             "state on the side that it entered on)."),
        _row("attackers", "count", "States that entered on the initiators' side.", "states"),
        _row("attacked", "count", "States that entered on the other side.", "states"),
        _row("attackers_joined", "count", "Of the attackers, those that came in after the first "
             "belligerents (option first_days).", "states"),
        _row("attacked_joined", "count", "The same for the attacked.", "states"),
    ],
    sources=["cow_interstate_wars"],
    citations=["sarkees_wayman_2010", "gartner_siverson_1996", "morey_2016"],
    options={"first_days": FIRST_DAYS},
    units=("war",),
    examples=[
        Example(
            "The Crimean war: COW has Turkey begin it; Britain, France and Italy join Turkey.",
            {"warnum": CRIMEA},
            {"multilateral": 1, "coalition": 1, "attackers": 4, "attacked": 1,
             "attacked_joined": 0, "attackers_joined": 3},
            unit="war",
        ),
        Example(
            "The Franco-Spanish war of 1823: one against one.",
            {"warnum": 1},
            {"multilateral": 0, "coalition": 0, "attackers": 1, "attacked": 1},
            unit="war",
        ),
    ],
)  # fmt: skip
def war_coalition(context: Context) -> dict[str, Values]:
    """Count the sides of each war; those of attackers are missing where COW names no initiator."""
    wars = wars_of(context)
    states = wars.states
    of_war = np.searchsorted(wars.numbers, states.warnum)
    size = len(wars.numbers)
    attacker = wars.attacking_side
    late = states.start - wars.first_day[of_war] > int(context.options["first_days"])
    on_attack = states.side == attacker[of_war]
    known = attacker > 0

    def count(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(of_war[chosen], minlength=size)

    sides = np.maximum(count(states.side == 1), count(states.side != 1))
    at = context.spine.extra["war"].astype(np.int64)
    everywhere = np.ones(size, bool)
    return {
        "multilateral": Rows(flag_rows(count(np.ones(len(of_war), bool)) > 2, everywhere)[at]),
        "coalition": Rows(flag_rows(sides > 1, everywhere)[at]),
        "attackers": Rows(count_rows(count(on_attack), known)[at]),
        "attacked": Rows(count_rows(count(~on_attack), known)[at]),
        "attackers_joined": Rows(count_rows(count(on_attack & late), known)[at]),
        "attacked_joined": Rows(count_rows(count(~on_attack & late), known)[at]),
    }


@covariate(
    name="war_partners",
    title="Partners and opponents of a state in a war",
    columns=[
        _row("partners", "count", "States that entered the war on the state's side, itself left "
             "out.", "states"),
        _row("in_coalition", "flag", "1 if there is one."),
        _row("partners_cinc", "number", "Their summed CINC in the war's first year; 0 without "
             "partners, missing if one's is.", "share, 0-1"),
        _row("opponents_cinc", "number", "Summed CINC of the states that entered on the other "
             "side, in the war's first year; missing if one's is.", "share, 0-1"),
        _row("partners_pledged", "count", "Partners to which it owed, or which owed it, defence or "
             "offence on the day before the war.", "states"),
        _row("prior_pact", "flag", "1 if there is such a partner; missing without partners."),
        _row("result", "category", "2 won, 1 drew (compromise, stalemate or below the level of "
             "war), 0 lost (COW Outcome); missing for wars that became part of another, went on "
             "in 2007, or in which it changed sides.", "code 0-2"),
        _row("won", "flag", "1 if it won (COW Outcome 1); missing as result is."),
    ],
    sources=["atop", "cow_interstate_wars", "cow_nmc"],
    citations=["sarkees_wayman_2010", "graham_gartzke_fariss_2017", "leeds_etal_2002",
               "singer_etal_1972"],
    options={"release": RELEASE, "secret": SECRET, "first_days": FIRST_DAYS, "nmc": NMC_RELEASE},
    units=("war-participant",),
    coverage_of=["cow_interstate_wars"],
    examples=[
        Example(
            "Britain fights the Crimean war beside France, Italy and Turkey, and wins.",
            {"warnum": CRIMEA, "ccode": 200},
            {"partners": 3, "in_coalition": 1, "result": 2, "won": 1},
            unit="war-participant",
        ),
        Example(
            "Spain stands alone in 1823, so no pact can stand behind its coalition.",
            {"warnum": 1, "ccode": 230},
            {"partners": 0, "prior_pact": None, "partners_cinc": 0.0, "result": 0},
            unit="war-participant",
        ),
    ],
)  # fmt: skip
def war_partners(context: Context) -> dict[str, Values]:
    """Make the columns of `war_partners`, one value a state a war."""
    wars = wars_of(context)
    entry = context.spine.extra["entry"].astype(np.int64)
    states = wars.states
    of_war = np.searchsorted(wars.numbers, states.warnum)[entry]
    together = np.equal.outer(of_war, of_war)
    side = states.side[entry]
    beside = together & np.equal.outer(side, side)
    np.fill_diagonal(beside, False)
    against = together & ~np.equal.outer(side, side)
    power = _power(context, wars, states.ccode[entry], of_war)
    pledged, covered = _pledged(context, states.ccode[entry], of_war, beside)
    partners = beside.sum(axis=1)
    everyone = np.ones(len(entry), bool)
    result = _result(states.outcome[entry])
    return {
        "partners": Rows(partners.astype(np.int32)),
        "in_coalition": Rows((partners > 0).astype(np.int8)),
        "partners_cinc": Rows(_summed(beside, power)),
        "opponents_cinc": Rows(number_rows(_summed(against, power), everyone)),
        "partners_pledged": Rows(count_rows(pledged, covered)),
        "prior_pact": Rows(flag_rows(pledged > 0, covered & (partners > 0))),
        "result": Rows(result),
        "won": Rows(
            np.where(result < 0, missing_of(np.dtype(np.int8)), result == 2).astype(np.int8)
        ),
    }


def _power(
    context: Context, wars: WarList, ccode: NDArray[np.int64], of_war: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return each entry's CINC in its war's first year, NaN where unknown."""
    system = context.system
    cinc = capability_cube(context, "cinc", context.options["nmc"])
    state = system.index(ccode)
    year = wars.start_year[of_war] - system.first_year
    inside = (state >= 0) & (year >= 0) & (year < system.n_years)
    found = np.full(len(ccode), np.nan)
    found[inside] = cinc[state[inside], year[inside]]
    return found


def _summed(who: NDArray[np.bool_], power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum the power of the entries in each row of `who`, NaN if that of one is unknown."""
    known = np.where(np.isnan(power), 0.0, power)
    total = who @ known
    return np.where(who @ np.isnan(power).astype(np.int64) > 0, np.nan, total)


def _pledged(
    context: Context,
    ccode: NDArray[np.int64],
    of_war: NDArray[np.int64],
    beside: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Count each entry's partners with a military pact, and say where the treaties are known."""
    military = [KINDS.index(kind) for kind in ("defense", "offense")]
    state = context.system.index(ccode)
    count = np.zeros(len(ccode), np.int64)
    covered = np.zeros(len(ccode), bool)
    for war, outset in outsets(context).items():
        rows = np.flatnonzero(of_war == war)
        covered[rows] = outset.covered
        owed = outset.owes[:, military].any(axis=1)
        bound = set(zip(outset.giver[owed].tolist(), outset.receiver[owed].tolist(), strict=True))
        for row in rows:
            partners = np.flatnonzero(beside[row])
            pairs = ((int(state[row]), int(state[partner])) for partner in partners)
            count[row] = sum(pair in bound or pair[::-1] in bound for pair in pairs)
    return count, covered


def _result(outcome: NDArray[np.int64]) -> NDArray[np.int8]:
    result = np.full(len(outcome), missing_of(np.dtype(np.int8)), np.int8)
    result[outcome == WON] = 2
    result[np.isin(outcome, DRAWN)] = 1
    result[outcome == LOST] = 0
    return result
