"""Enemies in common: third states that both of two states have lately been in conflict with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.conflict_choice import EXCLUDE, SOURCE, SOURCES, kept_conflicts, scatter
from foedus.covariates.conflict_dyads import CITATIONS
from foedus.covariates.conflict_history import before
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import DyadYears, Values

WINDOW = Option(10, "Years before this one in which a conflict makes an enemy.", least=1)


def enemies(context: Context, window: int) -> NDArray[np.bool_]:
    """Return who was in conflict with whom in the `window` years before each, (n, n, years)."""

    def make() -> NDArray[np.bool_]:
        rows = kept_conflicts(context).unique(["year", "ccode1", "ccode2"])
        return before(scatter(context, rows, np.ones(rows.height, np.int16)), window) > 0

    options = context.options
    return context.shared(("enemies", options["source"], options["exclude"], window), make)


def common_enemies(context: Context, window: int) -> NDArray[np.int16]:
    """Return how many third members of the system are enemies of both, (n, n, years)."""

    def make() -> NDArray[np.int16]:
        member = context.system.member
        opposed = enemies(context, window) & member[None, :, :]
        shared = np.empty(opposed.shape, np.int16)
        for at in range(opposed.shape[2]):
            # float32 counts of some two hundred states are exact, and use the fast product
            year = opposed[:, :, at].astype(np.float32)
            shared[:, :, at] = year @ year.T
        return shared

    options = context.options
    return context.shared(("common enemies", options["source"], options["exclude"], window), make)


@covariate(
    name="shared_enemies",
    title="Third states that both have lately been in conflict with",
    columns=[
        ColumnSpec("shared_enemies", "count", "Third states of the system with which each of the "
                   "two was in conflict in the years before this one (option window).",
                   unit="states"),
        ColumnSpec("enemy_in_common", "flag", "1 if there is a third state with which each of the "
                   "two was in conflict in the years before (option window)."),
    ],
    sources=list(dict.fromkeys(SOURCES.values())),
    choices=SOURCES,
    citations=[*CITATIONS, "lai_reiter_2000", "gibler_wolford_2006"],
    options={"source": SOURCE, "exclude": EXCLUDE, "window": WINDOW},
    examples=[
        Example(
            "Before the Balkan wars Austria-Hungary and the Ottoman Empire share one enemy, after "
            "three years of world war ten.",
            {"ccode1": 300, "ccode2": 640, "year": 1917},
            {"shared_enemies": 10, "enemy_in_common": 1},
        ),
    ],
)  # fmt: skip
def shared_enemies(context: Context) -> dict[str, Values]:
    """Count enemies in common, as studies of formation measure a joint threat."""
    shared = common_enemies(context, context.options["window"])
    made: dict[str, Values] = {"shared_enemies": DyadYears(shared)}
    if "enemy_in_common" in context.wanted:
        made["enemy_in_common"] = DyadYears((shared > 0).astype(np.int8))
    return made
