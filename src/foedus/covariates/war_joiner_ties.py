"""What binds a state to the first belligerents of a war that it could join."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.atop import WORDS
from foedus.covariates.context import Context
from foedus.covariates.major import major_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import Rows, Values
from foedus.covariates.war_outset import (
    FIRST_DAYS,
    JOINER_UNITS,
    KINDS,
    TIE_OPTIONS,
    Outset,
    count_rows,
    flag_rows,
    number_rows,
    outsets,
)

DEFENSE, OFFENSE, NEUTRALITY = (KINDS.index(kind) for kind in ("defense", "offense", "neutrality"))
WORLD_WAR_I, FRANCE, BRITAIN, RUSSIA, GERMANY = 106, 220, 200, 365, 255


def _flag(name: str, says: str) -> ColumnSpec:
    return ColumnSpec(name, "flag", says, level="row")


def _count(name: str, says: str, unit: str) -> ColumnSpec:
    return ColumnSpec(name, "count", says, unit=unit, level="row")


@covariate(
    name="war_joiner_ties",
    title="A potential joiner's treaties with the first belligerents",
    columns=[
        _flag("allied_any", "1 if it owes a first belligerent any of ATOP's five obligations."),
        *(
            _flag(f"allied_{kind}", f"1 if it owes a first belligerent {word}, whoever the enemy.")
            for kind, word in WORDS.items()
        ),
        _flag("allied_attacker", "1 if it owes anything to a first belligerent on the "
              "initiators' side."),
        _flag("allied_attacked", "1 if it owes anything to one on the other side."),
        _flag("allied_both", "1 if it has such ties to both sides."),
        _flag("invoked_defense", "1 if it owes defence to a first belligerent on the attacked "
              "side, and the pledge binds against an attacker (option threats)."),
        _flag("invoked_offense", "1 if it owes offence to a first belligerent on the initiators' "
              "side, and the pledge binds against an attacked state (option threats)."),
        _flag("invoked_neutrality", "1 if it owes neutrality to a first belligerent, and the "
              "pledge binds against one on the other side (option threats)."),
        _count("n_pacts", "Alliances it is in with any other state of the system.", "alliances"),
        _count("n_partners", "States of the system to which it owes any obligation.", "states"),
        _count("n_partners_in_war", "First belligerents to which it owes any obligation.",
               "states"),
        ColumnSpec("share_partners_in_war", "number", "n_partners_in_war / n_partners; missing "
                   "for a state without partners.", unit="share, 0-1", level="row",
                   absent="missing"),
        _flag("partner_major", "1 if a partner among the first belligerents is a COW major power."),
        _flag("partner_minor", "1 if it has a partner among the first belligerents and none of "
              "them is a major power."),
        ColumnSpec("alliance_age", "number", "Years for which it had been bound to a first "
                   "belligerent (option age for several pacts); missing without such a pact.",
                   unit="years", level="row", absent="missing"),
    ],
    sources=["atop", "cow_interstate_wars", "cow_states"],
    citations=["leeds_etal_2002", "sarkees_wayman_2010", "siverson_king_1980"],
    options={
        **TIE_OPTIONS,
        "first_days": FIRST_DAYS,
        "age": Option("youngest", "Which pact's age, of several that bind it to the belligerents.",
                      ("youngest", "oldest", "mean")),
    },
    units=JOINER_UNITS,
    coverage_of=("atop",),
    examples=[
        Example(
            "France owes Russia defence in 1914, but Russia isn't at war on the first day: only "
            "Austria-Hungary and Serbia are.",
            {"warnum": WORLD_WAR_I, "ccode": FRANCE},
            {"invoked_defense": 0},
            unit="war-joiner",
        ),
        Example(
            "Germany is bound to Austria-Hungary, a partner that is a major power.",
            {"warnum": WORLD_WAR_I, "ccode": GERMANY},
            {"allied_any": 1, "allied_defense": 1, "partner_major": 1, "partner_minor": 0},
            unit="war-joiner",
        ),
    ],
)  # fmt: skip
def war_joiner_ties(context: Context) -> dict[str, Values]:
    """Make the columns of `war_joiner_ties`; no pact is 0 in ATOP's years, missing outside them."""
    built = outsets(context)
    war = context.spine.extra["war"].astype(np.int64)
    state = context.spine.places[0].state
    majors = context.shared(
        "major", lambda: major_cube(context.system, context.tables.get("cow_states", "majors"))
    )
    # On units by year and month too, everything is as it was when the war began.
    year = context.spine.extra["start_year"].astype(np.int64) - context.system.first_year
    made: dict[str, list[NDArray[np.generic]]] = {}
    order: list[NDArray[np.int64]] = []
    for at in np.unique(war).tolist():
        rows = np.flatnonzero(war == at)
        order.append(rows)
        powers = majors[:, int(year[rows[0]])] == 1
        facts = _ties(built[at], state[rows], powers, context.options["age"])
        for name, values in facts.items():
            made.setdefault(name, []).append(values)
    if not order:
        return {name: Rows(np.zeros(0)) for name in sorted(context.wanted)}
    back = np.argsort(np.concatenate(order), kind="stable")
    return {name: Rows(np.concatenate(parts)[back]) for name, parts in made.items()}


def _ties(
    outset: Outset, state: NDArray[np.int64], major: NDArray[np.bool_], age: str
) -> dict[str, NDArray[np.generic]]:
    """Return the columns for the potential joiners of one war."""
    n = len(outset.side)
    known = np.full(len(state), outset.covered)
    to_first = outset.to_first & outset.owes.any(axis=1)
    receiver_side = outset.side[outset.receiver]
    attacked = 3 - outset.attacker if outset.attacker else -1

    def some(pledges: NDArray[np.bool_]) -> NDArray[np.int8]:
        held = np.zeros(n, dtype=bool)
        held[outset.giver[pledges]] = True
        return flag_rows(held[state], known)

    anything = np.asarray(outset.owes.any(axis=1))
    partners = _distinct(outset.giver, outset.receiver, anything, n)
    in_war = _distinct(outset.giver, outset.receiver, to_first, n)
    pacts = _distinct(outset.giver, outset.pact, anything, n)
    big = some(to_first & major[outset.receiver])
    allied = some(to_first)
    with_attacker, with_attacked = (
        some(to_first & (receiver_side == side)) for side in (outset.attacker, attacked)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        share = in_war[state] / partners[state]
    made: dict[str, NDArray[np.generic]] = {
        "allied_any": allied,
        "allied_attacker": with_attacker,
        "allied_attacked": with_attacked,
        "allied_both": np.minimum(with_attacker, with_attacked),
        "invoked_defense": some(to_first & outset.binds[:, DEFENSE] & (receiver_side == attacked)),
        "invoked_offense": some(
            to_first & outset.binds[:, OFFENSE] & (receiver_side == outset.attacker)
        ),
        "invoked_neutrality": some(to_first & outset.binds[:, NEUTRALITY]),
        "n_pacts": count_rows(pacts[state], known),
        "n_partners": count_rows(partners[state], known),
        "n_partners_in_war": count_rows(in_war[state], known),
        "share_partners_in_war": number_rows(share, known),
        "partner_major": big,
        "partner_minor": np.where(known, (allied == 1) & (big == 0), allied).astype(np.int8),
        "alliance_age": number_rows(_age(outset, to_first, age)[state], known),
    }
    for place, kind in enumerate(KINDS):
        made[f"allied_{kind}"] = some(to_first & outset.owes[:, place])
    return made


def _distinct(
    giver: NDArray[np.int64], other: NDArray[np.int64], chosen: NDArray[np.bool_], n: int
) -> NDArray[np.int64]:
    """Count the distinct others of each giver among the chosen pledges, (n,)."""
    pairs = np.unique(np.column_stack([giver[chosen], other[chosen]]), axis=0)
    return np.bincount(pairs[:, 0], minlength=n).astype(np.int64)


def _age(outset: Outset, chosen: NDArray[np.bool_], which: str) -> NDArray[np.float64]:
    years = outset.age()[chosen]
    giver = outset.giver[chosen]
    n = len(outset.side)
    if which == "mean":
        with np.errstate(invalid="ignore"):
            return np.asarray(
                np.bincount(giver, weights=years, minlength=n) / np.bincount(giver, minlength=n)
            )
    picked = np.full(n, np.inf if which == "youngest" else -np.inf)
    (np.minimum if which == "youngest" else np.maximum).at(picked, giver, years)
    return np.where(np.isinf(picked), np.nan, picked)
