"""Which states have nuclear weapons."""

from __future__ import annotations

import numpy as np

from foedus.covariates.alliance_pledges import NUCLEAR, nuclear_cube
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import StateYears, Values


@covariate(
    name="nuclear",
    title="Nuclear weapons",
    columns=[
        ColumnSpec("nuclear", "flag", "1 if the state has nuclear weapons in the year (option "
                   "nuclear: from their acquisition, or from its first test).", level="state"),
    ],
    sources=["cow_states"],
    citations=["bleek_2017"],
    options={"nuclear": NUCLEAR},
    examples=[
        Example("The United States in 1950.", {"ccode": 2, "year": 1950}, {"nuclear": 1},
                unit="state-year"),
        Example("South Africa gave its weapons up.", {"ccode": 560, "year": 1995},
                {"nuclear": 0}, unit="state-year"),
    ],
)  # fmt: skip
def nuclear(context: Context) -> dict[str, Values]:
    """Make the flag from the years in `alliance_pledges` (Bleek 2017); no source lists them."""
    armed = nuclear_cube(context, context.options["nuclear"])
    return {"nuclear": StateYears(armed.astype(np.int8))}
