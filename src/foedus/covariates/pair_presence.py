"""For how long two states have been in the system together."""

from __future__ import annotations

import numpy as np

from foedus.covariates.conflict_ahead import years_that_follow
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Rows, Values


@covariate(
    name="pair_presence",
    title="Years that two states have been in the system together",
    columns=[
        ColumnSpec("pair_years_before", "count", "Years just before this one in which both were "
                   "members of the state system, without a break.", unit="years"),
        ColumnSpec("pair_years_ahead", "count", "Years just after this one in which both are, "
                   "without a break, as far as the list of states goes.", unit="years"),
    ],
    sources=["cow_states"],
    citations=["cow_states_2017"],
    examples=[
        Example("India has been a state for three years when 1950 begins.",
                {"ccode1": 2, "ccode2": 750, "year": 1950}, {"pair_years_before": 3}),
        Example("Germany comes back in 1990.", {"ccode1": 2, "ccode2": 255, "year": 1991},
                {"pair_years_before": 1}),
    ],
)  # fmt: skip
def pair_presence(context: Context) -> dict[str, Values]:
    """Make the two counts, from the years of each state's own membership."""
    member = context.system.member
    stays = {
        "pair_years_before": years_that_follow(member[:, ::-1])[:, ::-1],
        "pair_years_ahead": years_that_follow(member),
    }
    made: dict[str, Values] = {}
    for name, stay in stays.items():
        first, second = (
            np.where(position < 0, 0, stay.reshape(-1).take(position, mode="clip"))
            for position in context.spine.state_positions
        )
        made[name] = Rows(np.minimum(first, second).astype(np.int16))
    return made
