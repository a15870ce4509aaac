"""Undirected ties of alliance between states of the system, by a declared obligation, year by year.

A tie is what networks, blocs, portfolios of partners and counts of shared partners are made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.atop import OBLIGATIONS, PAIRS, RELEASE, SECRET, obligation_cube
from foedus.covariates.context import Context
from foedus.covariates.registry import Option

TIE = Option(
    "defense",
    "The obligation that makes a tie between two states, owed by either to the other; any: one of "
    "the five.",
    (*OBLIGATIONS, "any"),
)
TIE_OPTIONS: dict[str, Option] = {
    "tie": TIE, "release": RELEASE, "secret": SECRET, "pairs": PAIRS,
}  # fmt: skip
# The covariate's first source must be ATOP, so that `release` speaks of it.


@dataclass(frozen=True)
class YearOfTies:
    """The ties of one year.

    Attributes
    ----------
    at : int
        Position of the year in the system's years.
    members : int array (m,)
        Indices of the states that were members of the system in the year.
    tied : bool array (m, m)
        Symmetric, False on the diagonal.
    """

    at: int
    members: NDArray[np.int64]
    tied: NDArray[np.bool_]


def tie_cube(context: Context, tie: str | None = None) -> NDArray[np.bool_]:
    """Return which two members of the system are tied in a year, bool (n, n, years), symmetric."""
    name = tie or context.options["tie"]
    key = ("ties", name, *(context.options.get(each) for each in ("release", "secret", "pairs")))

    def make() -> NDArray[np.bool_]:
        owed = obligation_cube(context, name) == 1
        member = context.system.member
        return np.asarray(
            (owed | owed.transpose(1, 0, 2)) & member[:, None, :] & member[None, :, :]
        )

    return context.shared(key, make)


def each_year_of_ties(context: Context, tie: str | None = None) -> Iterator[YearOfTies]:
    """Yield the ties of each year that the rows ask for, ascending."""
    cube = tie_cube(context, tie)
    for at in years_asked(context):
        members = np.flatnonzero(context.system.member[:, at])
        yield YearOfTies(at, members, cube[:, :, at][np.ix_(members, members)])


def years_asked(context: Context) -> list[int]:
    """Return the positions of the years that the rows of the spine look at, ascending."""
    asked = context.spine.row_years
    assert asked is not None
    at = np.unique(np.asarray(asked, np.int64)) - context.system.first_year
    return [int(each) for each in at if 0 <= each < context.system.n_years]
