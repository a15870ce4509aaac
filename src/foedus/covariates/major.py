"""Major powers."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import StateYears, Values
from foedus.panels.spans import each_year
from foedus.panels.system import StateSystem


def major_cube(system: StateSystem, majors: pl.DataFrame) -> NDArray[np.int8]:
    """Return 1 where a state was a major power on any day of a year, int8 (n, years)."""
    flags = np.zeros((system.n_states, system.n_years), np.int8)
    span, year = each_year(majors["start"].dt.year().to_numpy(), majors["end"].dt.year().to_numpy())
    state = system.index(majors["ccode"].to_numpy())[span]
    inside = (state >= 0) & (year >= system.first_year) & (year <= system.last_year)
    flags[state[inside], year[inside] - system.first_year] = 1
    return flags


@covariate(
    name="major",
    title="COW major power",
    columns=[
        ColumnSpec(
            "major",
            "flag",
            "1 if COW counts the state as a major power on any day of the year.",
            level="state",
        )
    ],
    sources=["cow_states"],
    citations=["cow_states_2017"],
    examples=[
        Example(
            "The United States becomes a major power on 13 August 1898; Germany loses the status "
            "in 1918 and has it again from 1925.",
            {"ccode1": 2, "ccode2": 255, "year": 1898},
            {"major1": 1, "major2": 1},
        ),
        Example(
            "Between 1919 and 1924 Germany is not a major power.",
            {"ccode1": 2, "ccode2": 255, "year": 1920},
            {"major1": 1, "major2": 0},
        ),
    ],
)
def major(context: Context) -> dict[str, Values]:
    """Make `major`; the list covers the years of the state system, so absence is 0 there."""
    cube = context.shared(
        "major", lambda: major_cube(context.system, context.table("cow_states", "majors"))
    )
    return {"major": StateYears(cube)}
