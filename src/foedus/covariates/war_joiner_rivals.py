"""Quarrels and likeness of a potential joiner and the first belligerents of a war."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context
from foedus.covariates.nmc import RELEASE as NMC_RELEASE
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.rivalry import rivalry_cube
from foedus.covariates.values import Rows, Values
from foedus.covariates.war_outset import FIRST_DAYS, JOINER_UNITS, first_sides, wars_of

WORLD_WAR_I, RUSSIA, SPAIN = 106, 365, 230


def _flag(name: str, says: str) -> ColumnSpec:
    return ColumnSpec(name, "flag", says, level="row")


@covariate(
    name="war_joiner_rivals",
    title="A potential joiner's rivals among the first belligerents, and their strength",
    columns=[
        _flag("rival_any", "1 if a first belligerent is its rival in the year the war began."),
        _flag("rival_attacker", "1 if one on the initiators' side is."),
        _flag("rival_attacked", "1 if one on the other side is."),
        ColumnSpec("attacker_cinc", "number", "Summed CINC of the first belligerents on the "
                   "initiators' side in the year the war began; missing if one's is.",
                   unit="share, 0-1", level="row", absent="missing"),
        ColumnSpec("attacked_cinc", "number", "The same of the other side.", unit="share, 0-1",
                   level="row", absent="missing"),
        ColumnSpec("cinc_before", "number", "Its own CINC in the year the war began; missing if it "
                   "wasn't a state then.", unit="share, 0-1", level="row", absent="missing"),
    ],
    sources=["rivalries_td", "rivalries_tss", "cow_interstate_wars", "cow_nmc"],
    citations=["thompson_dreyer_2011", "thompson_sakuwa_suhas_2021", "sarkees_wayman_2010",
               "singer_etal_1972"],
    options={
        "first_days": FIRST_DAYS,
        "list": Option("rivalry_td", "Which list of rivalries.", ("rivalry_td", "rivalry_tss")),
        "nmc": NMC_RELEASE,
    },
    units=JOINER_UNITS,
    coverage_of=("cow_interstate_wars",),
    examples=[
        Example(
            "Russia is a rival of Austria-Hungary, which attacked Serbia in 1914.",
            {"warnum": WORLD_WAR_I, "ccode": RUSSIA},
            {"rival_any": 1, "rival_attacker": 1, "rival_attacked": 0},
            unit="war-joiner",
        ),
        Example(
            "Spain has no rival among the two.",
            {"warnum": WORLD_WAR_I, "ccode": SPAIN},
            {"rival_any": 0},
            unit="war-joiner",
        ),
    ],
)  # fmt: skip
def war_joiner_rivals(context: Context) -> dict[str, Values]:
    """Make the columns of `war_joiner_rivals`, as things were in the year the war began."""
    options = context.options
    wars, system = wars_of(context), context.system
    which = options["list"]
    rivals = context.shared(("rivals", which), lambda: rivalry_cube(context, which, "any"))
    cinc = capability_cube(context, "cinc", options["nmc"])
    war = context.spine.extra["war"].astype(np.int64)
    state = context.spine.places[0].state
    year = context.spine.extra["start_year"].astype(np.int64) - system.first_year
    made = {
        name: np.zeros(len(war), np.int8) for name in ("rival_any", "rival_attacker",
                                                       "rival_attacked")
    }  # fmt: skip
    strength = {
        name: np.full(len(war), np.nan) for name in ("attacker_cinc", "attacked_cinc",
                                                     "cinc_before")
    }  # fmt: skip
    for at in np.unique(war).tolist():
        rows = np.flatnonzero(war == at)
        side, attacker = first_sides(context, wars, at, options["first_days"])
        when = int(year[rows[0]])
        sides: dict[str, NDArray[np.bool_]] = {
            "any": side > 0,
            "attacker": (side > 0) & (side == attacker),
            "attacked": (side > 0) & (side != attacker),
        }
        opposed = rivals[state[rows], :, when] > 0
        for name, members in sides.items():
            made[f"rival_{name}"][rows] = (opposed & members).any(axis=1)
            if name != "any":
                strength[f"{name}_cinc"][rows] = cinc[members, when].sum()
        strength["cinc_before"][rows] = cinc[state[rows], when]
    return {name: Rows(values) for name, values in (made | strength).items()}
