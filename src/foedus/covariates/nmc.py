"""National material capabilities, and a dyad's balance of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context, state_cube
from foedus.covariates.registry import ALL_DYADS, ColumnSpec, Example, Option, covariate
from foedus.covariates.values import Rows, StateYears, Values, take_state

COMPONENTS = ("milex", "milper", "irst", "pec", "tpop", "upop", "cinc")
RELEASE = Option("6.0", "Release of the National Material Capabilities data.", ("6.0", "7.0"))


def capability_cube(
    context: Context, column: str, release: str | None = None
) -> NDArray[np.float64]:
    """Return one NMC column over (state, year); NaN where NMC has no value."""

    def scatter() -> NDArray[np.float64]:
        facts = context.tables.get("cow_nmc", "state_years", release=release)
        return state_cube(
            context.system,
            facts["ccode"].to_numpy(),
            facts["year"].to_numpy(),
            facts[column].cast(float).fill_null(np.nan).to_numpy(),
            "cow_nmc/state_years",
        )

    return context.shared(("nmc", column, release), scatter)


_SAYS = {
    "milex": ("Military expenditure.", "thousands of current US dollars (before 1914: pounds)"),
    "milper": ("Military personnel.", "thousands"),
    "irst": ("Iron and steel production.", "thousands of tons"),
    "pec": ("Primary energy consumption.", "thousands of coal-ton equivalents"),
    "tpop": ("Total population.", "thousands"),
    "upop": ("Urban population (cities over 100,000).", "thousands"),
    "cinc": (
        "Composite Index of National Capability: mean share of the system's total over the six "
        "components.",
        "share, 0-1",
    ),
}


@covariate(
    name="nmc",
    title="National material capabilities",
    columns=[
        ColumnSpec(name, "number", says, unit=unit, level="state", absent="missing")
        for name, (says, unit) in _SAYS.items()
    ],
    sources=["cow_nmc"],
    citations=["singer_etal_1972", "singer_1987"],
    options={"release": RELEASE},
    examples=[
        Example(
            "The United States in 1816, as the first row of the file has it.",
            {"ccode": 2, "year": 1816},
            {"milex": 3823.0, "milper": 17.0, "cinc": 0.039697491},
            unit="state-year",
        )
    ],
)
def nmc(context: Context) -> dict[str, Values]:
    """Make the seven NMC columns; a state-year without a value is missing, never 0."""
    release = context.options["release"]
    return {name: StateYears(capability_cube(context, name, release)) for name in COMPONENTS}


@covariate(
    name="capability_share",
    title="Share of the dyad's capabilities that state 1 holds",
    columns=[
        ColumnSpec(
            "capability_share",
            "number",
            "cinc1 / (cinc1 + cinc2); missing if either is, or if both are 0.",
            unit="share, 0-1",
            level="row",
            absent="missing",
        )
    ],
    sources=["cow_nmc"],
    citations=["singer_etal_1972"],
    options={"release": RELEASE},
    units=ALL_DYADS,
    examples=[
        Example(
            "The United States holds 97 % of its dyad's capabilities with Canada in 1920.",
            {"ccode1": 2, "ccode2": 20, "year": 1920},
            {"capability_share": 0.9663},
        )
    ],
)
def capability_share(context: Context) -> dict[str, Values]:
    """Make `capability_share`; in undirected dyads 1 is the state with the lower ccode."""
    cube = StateYears(capability_cube(context, "cinc", context.options["release"]))
    first = take_state(cube, context.spine, 0)
    second = take_state(cube, context.spine, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {"capability_share": Rows(first / (first + second))}
