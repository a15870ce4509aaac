"""The treaties that bound a war's first belligerents to others, and to each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.atop import WORDS
from foedus.covariates.context import Context
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Rows, Values
from foedus.covariates.war_outset import (
    FIRST_DAYS,
    KINDS,
    TIE_OPTIONS,
    Outset,
    count_rows,
    flag_rows,
    number_rows,
    outsets,
)

DEFENSE, OFFENSE = KINDS.index("defense"), KINDS.index("offense")
_FRANCO_SPANISH, _WORLD_WAR_I, _KOREA = 1, 106, 151


def _flag(name: str, says: str) -> ColumnSpec:
    return ColumnSpec(name, "flag", says, level="row")


def _count(name: str, says: str) -> ColumnSpec:
    return ColumnSpec(name, "count", says, unit="states", level="row")


@covariate(
    name="war_ties",
    title="Alliance ties of a war's first belligerents",
    columns=[
        _flag("tie_any", "1 if a third state owes a first belligerent any of ATOP's obligations."),
        *(
            _flag(f"tie_{kind}", f"1 if a third state owes a first belligerent {word}.")
            for kind, word in WORDS.items()
        ),
        _flag("tie_attacked_defense", "1 if a third state owes defence to a first belligerent on "
              "the attacked side, binding against an attacker (option threats)."),
        _flag("tie_attacker_offense", "1 if a third state owes offence to a first belligerent on "
              "the initiators' side, binding against an attacked state (option threats)."),
        _flag("tie_both_sides", "1 if both sides hold a third state's defence or offence pledge."),
        _count("n_allies_any", "Third states that owe a first belligerent any obligation."),
        *(
            _count(f"n_allies_{kind}", f"Third states that owe a first belligerent {word}.")
            for kind, word in WORDS.items()
        ),
        ColumnSpec("allies_cinc", "number", "Summed CINC of the third states that owe a first "
                   "belligerent defence or offence; 0 without any, missing if none's is known.",
                   unit="share, 0-1", level="row", absent="missing"),
        _flag("opponents_allied", "1 if two first belligerents on opposite sides owe each other "
              "anything, either way."),
        ColumnSpec("opponents_allied_share", "number", "Share of the pairs of opposed first "
                   "belligerents that do.", unit="share, 0-1", level="row"),
        _flag("comembers", "1 if two first belligerents on the same side owe each other defence "
              "or offence."),
    ],
    sources=["atop", "cow_interstate_wars", "cow_nmc"],
    citations=["leeds_etal_2002", "sarkees_wayman_2010"],
    options={**TIE_OPTIONS, "first_days": FIRST_DAYS},
    units=("war",),
    coverage_of=("atop",),
    examples=[
        Example(
            "Serbia and Austria-Hungary in 1914: Germany, Italy and Romania are bound to the one.",
            {"warnum": _WORLD_WAR_I},
            {"tie_any": 1, "tie_defense": 1, "opponents_allied": 0},
            unit="war",
        ),
    ],
)  # fmt: skip
def war_ties(context: Context) -> dict[str, Values]:
    """Make the columns of `war_ties`; no pact is 0 in ATOP's years, missing outside them."""
    cinc = capability_cube(context, "cinc")
    built = outsets(context)
    rows: list[dict[str, float]] = []
    covered: list[bool] = []
    wars = context.spine.extra["war"].astype(np.int64).tolist()
    years = context.spine.extra["start_year"].astype(np.int64) - context.system.first_year
    for war, year in zip(wars, years.tolist(), strict=True):
        rows.append(_ties(built[war], cinc[:, year]))
        covered.append(built[war].covered)
    known = np.array(covered, dtype=bool)
    columns = {
        name: np.array([row[name] for row in rows])
        for name in (rows[0] if rows else sorted(context.wanted))
    }
    return {name: Rows(_typed(name, values, known)) for name, values in columns.items()}


def _typed(name: str, values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.generic]:
    if name in ("allies_cinc", "opponents_allied_share"):
        return number_rows(values, known)
    if name.startswith("n_"):
        return count_rows(values.astype(np.int64), known)
    return flag_rows(values > 0, known)


def _ties(outset: Outset, cinc: NDArray[np.float64]) -> dict[str, float]:
    """Return one war's values, as floats."""
    outside = outset.to_first
    receiver_side = outset.side[outset.receiver]
    attacked = 3 - outset.attacker if outset.attacker else -1
    arms = outset.owes[:, DEFENSE] | outset.owes[:, OFFENSE]
    facts: dict[str, float] = {}
    any_owed = np.asarray(outset.owes.any(axis=1))
    pledges = {"any": any_owed, **{kind: outset.owes[:, at] for at, kind in enumerate(KINDS)}}
    for kind, owed in pledges.items():
        givers = np.unique(outset.giver[outside & owed])
        facts[f"tie_{kind}"] = float(len(givers) > 0)
        facts[f"n_allies_{kind}"] = float(len(givers))
    facts["tie_attacked_defense"] = float(
        (outside & outset.binds[:, DEFENSE] & (receiver_side == attacked)).any()
    )
    facts["tie_attacker_offense"] = float(
        (outside & outset.binds[:, OFFENSE] & (receiver_side == outset.attacker)).any()
    )
    facts["tie_both_sides"] = float(
        all((outside & arms & (receiver_side == side)).any() for side in (1, 2))
    )
    facts["allies_cinc"] = _summed(cinc[np.unique(outset.giver[outside & arms])])
    facts.update(_between(outset, any_owed, arms))
    return facts


def _summed(values: NDArray[np.float64]) -> float:
    """Sum the known values; 0 of none at all, NaN if all that there are are unknown."""
    if len(values) == 0:
        return 0.0
    return float("nan") if np.isnan(values).all() else float(np.nansum(values))


def _between(
    outset: Outset, any_owed: NDArray[np.bool_], arms: NDArray[np.bool_]
) -> dict[str, float]:
    """Return the ties among the first belligerents themselves."""
    giver_side, receiver_side = outset.side[outset.giver], outset.side[outset.receiver]
    inside = (giver_side > 0) & (receiver_side > 0)
    opposed = inside & (giver_side != receiver_side) & any_owed
    pairs = np.sort(np.column_stack([outset.giver[opposed], outset.receiver[opposed]]), axis=1)
    allied = len(np.unique(pairs, axis=0))
    possible = int((outset.side == 1).sum() * (outset.side == 2).sum())
    return {
        "opponents_allied": float(allied > 0),
        "opponents_allied_share": allied / possible if possible else float("nan"),
        "comembers": float((inside & (giver_side == receiver_side) & arms).any()),
    }
