"""Direct contiguity."""

from __future__ import annotations

import numpy as np

from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import DyadYears, Values

# Above every real code, so that the closest of several is the least.
NOT_CONTIGUOUS = 9


@covariate(
    name="contiguity",
    title="Direct contiguity",
    columns=[
        ColumnSpec(
            "conttype",
            "category",
            "How the two are contiguous: 0 not within 400 miles of water, 1 by land or river, 2 by "
            "at most 12 miles of water, 3 by 24, 4 by 150, 5 by 400 (COW conttype).",
            unit="code 0-5",
            labels={
                0: "none",
                1: "land or river",
                2: "at most 12 miles of water",
                3: "at most 24 miles of water",
                4: "at most 150 miles of water",
                5: "at most 400 miles of water",
            },
        ),
        ColumnSpec("contiguous", "flag", "1 if they share a land or river border (conttype 1)."),
    ],
    sources=["cow_contiguity"],
    citations=["stinnett_etal_2002"],
    examples=[
        Example(
            "The United States and Canada share a land border from Canada's entry in 1920.",
            {"ccode1": 2, "ccode2": 20, "year": 1920},
            {"conttype": 1, "contiguous": 1},
        ),
        Example(
            "France and Brazil are not contiguous.",
            {"ccode1": 220, "ccode2": 140, "year": 1900},
            {"conttype": 0, "contiguous": 0},
        ),
    ],
)
def contiguity(context: Context) -> dict[str, Values]:
    """Make `conttype` and `contiguous`; no record is 0 inside the source's years."""
    facts = context.table("cow_contiguity", "dyad_years")
    position, inside = dyad_positions(
        context.system,
        facts["ccode1"].to_numpy(),
        facts["ccode2"].to_numpy(),
        facts["year"].to_numpy(),
    )
    # ASSUME: a year in which the kind of contiguity changes has the closest kind (lowest code).
    conttype = empty_dyads(context.system, np.int8, NOT_CONTIGUOUS)
    np.minimum.at(conttype, position, facts["conttype"].to_numpy()[inside].astype(np.int8))
    conttype[conttype == NOT_CONTIGUOUS] = 0
    return {
        "conttype": DyadYears(dyad_cube(context.system, conttype)),
        "contiguous": DyadYears(dyad_cube(context.system, (conttype == 1).astype(np.int8))),
    }
