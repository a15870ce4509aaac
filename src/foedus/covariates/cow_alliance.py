"""COW formal alliances between two states, where a user has brought the official file."""

from __future__ import annotations

import numpy as np

from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import DyadYears, Values

KINDS = {
    "defense": "a defence pact (COW type I)",
    "neutrality": "a neutrality pact (COW type II)",
    "nonaggression": "a non-aggression pact (COW type II)",
    "entente": "an entente (COW type III)",
}


@covariate(
    name="cow_alliance",
    title="COW formal alliances between the two (a user's own copy)",
    columns=[
        *(
            ColumnSpec(
                f"cow_{kind}",
                "flag",
                f"1 if state 1 is bound to state 2 by {says} on any day of the year; in undirected "
                "dyads, either to the other.",
                collapse="max",
            )
            for kind, says in KINDS.items()
        ),
        ColumnSpec(
            "cow_allied",
            "flag",
            "1 if state 1 is bound to state 2 by any of the four; in undirected dyads, either.",
            collapse="max",
        ),
    ],
    sources=["cow_alliances"],
    citations=["gibler_2009"],
    on_request=True,
    examples=[
        Example(
            "The United States and Canada in the North Atlantic alliance.",
            {"ccode1": 2, "ccode2": 20, "year": 1950},
            {"cow_defense": 1, "cow_allied": 1},
        )
    ],
)
def cow_alliance(context: Context) -> dict[str, Values]:
    """Make the five flags; no row is 0 in 1816-2012 and missing after.

    Raises
    ------
    MissingDataError
        If the official file isn't in data/raw/, or config doesn't accept it by name.
    """
    pacts = context.table("cow_alliances", "directed_years")
    position, inside = dyad_positions(
        context.system,
        pacts["ccode1"].to_numpy(),
        pacts["ccode2"].to_numpy(),
        pacts["year"].to_numpy(),
    )
    made: dict[str, Values] = {}
    any_kind = empty_dyads(context.system, np.int8)
    for kind in KINDS:
        flags = empty_dyads(context.system, np.int8)
        bound = (pacts[kind] == 1).fill_null(value=False).to_numpy()[inside]
        # A pair can stand in several alliances in one year.
        flags[position[bound]] = 1
        any_kind |= flags
        made[f"cow_{kind}"] = DyadYears(dyad_cube(context.system, flags))
    made["cow_allied"] = DyadYears(dyad_cube(context.system, any_kind))
    return made
