"""A state's rivals: how many, how strong, how much they spend."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.rivalry import rivalry_cube
from foedus.covariates.values import StateYears, Values

_LISTS = {"td": "rivalry_td", "tss": "rivalry_tss"}
_SUMS = {"rivals_cinc": "cinc", "rivals_milex": "milex"}


@covariate(
    name="rivals",
    title="A state's rivals: number, capabilities, spending",
    columns=[
        ColumnSpec("rivals_n", "count", "States of the system that are its rivals in any part of "
                   "the year (option rivals).", unit="states", level="state"),
        ColumnSpec("rivals_cinc", "number", "Summed CINC of its rivals; 0 without any, missing if "
                   "one's is.", unit="share, 0-1", level="state", absent="missing"),
        ColumnSpec("rivals_milex", "number", "Summed military expenditure of its rivals; 0 without "
                   "any, missing if one's is.", level="state", absent="missing",
                   unit="thousands of current US dollars (before 1914: pounds)"),
    ],
    sources=["rivalries_td", "rivalries_tss", "cow_nmc", "cow_states"],
    citations=["thompson_dreyer_2011", "thompson_sakuwa_suhas_2021", "singer_etal_1972"],
    options={
        "rivals": Option("td", "td: Thompson & Dreyer (to 2010); tss: Thompson, Sakuwa & Suhas (to "
                         "2020).", ("td", "tss")),
    },
    coverage_of=("cow_nmc",),
    examples=[
        Example(
            "In 1950 the United States' rivals are the Soviet Union and China.",
            {"ccode": 2, "year": 1950},
            {"rivals_n": 2},
            unit="state-year",
        ),
        Example("Switzerland has none.", {"ccode": 225, "year": 1900},
                {"rivals_n": 0, "rivals_cinc": 0.0, "rivals_milex": 0.0}, unit="state-year"),
    ],
)  # fmt: skip
def rivals(context: Context) -> dict[str, Values]:
    """Make the three columns.

    Threat as the capabilities or spending of rivals is one of the measures of Alley & Fuhrmann
    (2021); who is a rival is the list's judgement.
    """
    column = _LISTS[context.options["rivals"]]
    member = context.system.member
    bound = (rivalry_cube(context, column, "any") == 1) & member[:, None, :] & member[None, :, :]
    made: dict[str, Values] = {}
    if "rivals_n" in context.wanted:
        made["rivals_n"] = StateYears(bound.sum(axis=1, dtype=np.int16))
    for name, component in _SUMS.items():
        if name in context.wanted:
            facts = capability_cube(context, component)
            made[name] = StateYears(_summed(bound, facts))
    return made


def _summed(bound: NDArray[np.bool_], facts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum a state's rivals' facts by year; a rival whose fact is unknown makes the sum unknown."""
    unknown = np.isnan(facts)
    sums = np.einsum("ijy,jy->iy", bound, np.where(unknown, 0.0, facts))
    gone = (bound & unknown[None, :, :]).any(axis=1)
    return np.where(gone, np.nan, sums)
