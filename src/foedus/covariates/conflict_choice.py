"""Which conflict of a dyad-year speaks for it: exclusions, and a declared order of tie-breaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.conflict_lists import LISTS, conflict_years
from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import Option
from foedus.covariates.values import missing_of
from foedus.errors import UsageError

SOURCES = {name: one.source for name, one in LISTS.items()}
SOURCE = Option(
    "mid",
    "The list of conflicts: COW MID 5.0 or 4.2, Gibler-Miller-Little 2.2.1 or 2.03, COW "
    "inter-state wars, Interstate War Data, Gleditsch's wars, or UCDP/PRIO inter-state armed "
    "conflicts.",
    tuple(LISTS),
)
# What each rule looks at, and whether the highest value wins.
_RULES: dict[str, tuple[str, bool]] = {
    "onset": ("onset", True),
    "originators": ("both_originators", True),
    "fatality": ("fatality_rank", True),
    "hostility": ("hostility", True),
    "mindur": ("mindur", True),
    "maxdur": ("maxdur", True),
    "reciprocated": ("reciprocated", True),
    "first": ("begun", False),
    "last": ("begun", True),
    "number": ("conflict", False),
}
SEVERAL = Option(
    ("onset", "fatality", "hostility", "mindur", "maxdur", "reciprocated", "first"),
    "Which conflict speaks for a dyad-year with several: rules in this order, each applied to "
    "those that the ones before left equal. onset: one that begins; originators: between two "
    "originators; fatality, hostility, mindur, maxdur, reciprocated: the highest; first, last: the "
    "earliest, the latest to begin; number: the lowest number, which also ends every order. "
    "Unknown ranks last, but unknown deaths rank between none and some.",
    tuple(_RULES),
    many=True,
)
EXCLUDE = Option(
    (),
    "Conflicts that are passed over as though the list had none: those in which either of the two "
    "is a joiner (joiners), that become wars (war), or that don't (below_war).",
    ("joiners", "war", "below_war"),
    many=True,
)
WAR = 5
_NEEDS = {"joiners": "originator1", "war": "hostility", "below_war": "hostility"}


def refuse_uncoded(name: str, column: str, asked: str) -> None:
    """Stop when a list doesn't code what is asked of it.

    Raises
    ------
    UsageError
        Naming the lists that do.
    """
    if column in LISTS[name].codes:
        return
    able = [other for other, one in LISTS.items() if column in one.codes]
    raise UsageError(
        f"{asked}: {LISTS[name].says} does not code it; with source "
        f"{', '.join(able)} it can be asked for."
    )


def kept_conflicts(context: Context) -> pl.DataFrame:
    """Return the conflict-dyad-years of the list that `source` names, without the excluded ones.

    Raises
    ------
    UsageError
        If the list doesn't code what an exclusion needs.
    """
    name = context.options["source"]
    rows = conflict_years(context, name)
    for rule in context.options.get("exclude", ()):
        refuse_uncoded(name, _NEEDS[rule], f"exclude {rule}")
        keep = {
            "joiners": (pl.col("originator1") == 1) & (pl.col("originator2") == 1),
            "war": pl.col("hostility") != WAR,
            "below_war": pl.col("hostility") == WAR,
        }[rule]
        rows = rows.filter(keep)
    return rows


def chosen_conflicts(context: Context) -> pl.DataFrame:
    """Return one row a directed dyad-year: the conflict that the option `several` chooses.

    The rules see what is the same from both sides, so that both directions have one conflict.
    """
    rules = [*context.options["several"], "number"]
    rows = kept_conflicts(context).with_columns(
        both_originators=(pl.col("originator1") == 1) & (pl.col("originator2") == 1),
        # ASSUME: a conflict whose deaths are unknown is more likely to have had some than one coded
        # without any (so Miller 2022 ranks them).
        fatality_rank=pl.col("fatality").cast(pl.Float32).fill_null(0.5),
    )
    return rows.sort(
        ["year", "ccode1", "ccode2", *(_RULES[rule][0] for rule in rules)],
        descending=[False] * 3 + [_RULES[rule][1] for rule in rules],
        nulls_last=True,
        maintain_order=True,
    ).unique(["year", "ccode1", "ccode2"], keep="first", maintain_order=True)


def scatter(
    context: Context, rows: pl.DataFrame, values: NDArray[Any], none: Any = 0
) -> NDArray[Any]:
    """Return values by directed dyad-year over (state, state, year); `none` where no row stands.

    The rows must not repeat a directed dyad-year.
    """
    system = context.system
    position, inside = dyad_positions(
        system, rows["ccode1"].to_numpy(), rows["ccode2"].to_numpy(), rows["year"].to_numpy()
    )
    cube = empty_dyads(system, values.dtype, none)
    cube[position] = values[inside]
    return dyad_cube(system, cube)


def codes(values: pl.Series, dtype: Any = np.int8) -> NDArray[Any]:
    """Return nullable codes as an integer array with the least integer for unknown."""
    kind = {1: pl.Int8, 2: pl.Int16, 4: pl.Int32}[np.dtype(dtype).itemsize]
    return values.cast(kind).fill_null(missing_of(np.dtype(dtype))).to_numpy()
