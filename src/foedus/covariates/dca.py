"""Defence cooperation agreements: framework treaties and agreements of one sector, 1980-2010."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import DyadYears, StateYears, Values
from foedus.panels.spans import each_year

KINDS = {
    "general": ("of general cooperation", pl.col("type") == "general"),
    "sector": ("of one sector", pl.col("type") == "sector"),
    "training": ("on training and exercises", "TREX"),
    "procurement": ("on procurement", "PROCUREMENT"),
    "industry": ("on defence industry", "DIC"),
    "research": ("on research", "RESEARCH"),
    "commission": ("that sets up a joint commission", "COMMISSION"),
}
OPTIONS = {
    "since": Option(
        "signature",
        "From when an agreement counts: its signature, or its entry into force (the signature "
        "where that is unknown).",
        ("signature", "force"),
    ),
    "certain": Option(
        "all", "All agreements, or those whose kind the coders are fairly sure of.",
        ("all", "sure"),
    ),
}  # fmt: skip


def _rule(kind: str) -> pl.Expr:
    rule = KINDS[kind][1]
    if isinstance(rule, pl.Expr):
        return rule
    return pl.any_horizontal(pl.col(f"category{at}") == rule for at in (1, 2, 3))


def agreements(context: Context) -> pl.DataFrame:
    """Return agreements that count, with ccode1 < ccode2, first_year and last_year."""
    rows = context.tables.get("dca", "agreements")
    if context.options["certain"] == "sure":
        rows = rows.filter(pl.col("categoryconf").is_in(["high", "med"]))
    begun = pl.col("signyear").cast(pl.Int64)
    if context.options["since"] == "force":
        begun = pl.coalesce(pl.col("eifyear").cast(pl.Int64), begun)
    # Three rows name one state twice; no pair can take them (a quirk of the source).
    return rows.filter(pl.col("ccode1") != pl.col("ccode2")).with_columns(
        low=pl.min_horizontal("ccode1", "ccode2"),
        high=pl.max_horizontal("ccode1", "ccode2"),
        first_year=begun,
        last_year=pl.col("endyearestimate").cast(pl.Int64),
    )


def in_force(context: Context, rows: pl.DataFrame) -> NDArray[np.int16]:
    """Count the agreements in force over (state, state, year), symmetric."""
    span, year = each_year(rows["first_year"].to_numpy(), rows["last_year"].to_numpy())
    return _counted(context, rows, span, year)


def signed(context: Context, rows: pl.DataFrame) -> NDArray[np.int16]:
    """Count the agreements that begin in the year."""
    return _counted(context, rows, np.arange(rows.height), rows["first_year"].to_numpy())


def _counted(
    context: Context, rows: pl.DataFrame, row: NDArray[np.int64], year: NDArray[np.int64]
) -> NDArray[np.int16]:
    made = empty_dyads(context.system, np.int16)
    low, high = rows["low"].to_numpy()[row], rows["high"].to_numpy()[row]
    for one, other in ((low, high), (high, low)):
        place, _ = dyad_positions(context.system, one, other, year)
        np.add.at(made, place, 1)
    return dyad_cube(context.system, made)


@covariate(
    name="dca",
    title="Defence cooperation agreements",
    columns=[
        ColumnSpec("dca", "flag", "1 if an agreement between the two is in force in the year."),
        ColumnSpec("dca_n", "count", "Agreements between the two in force.", unit="agreements"),
        ColumnSpec("dca_begun", "count", "Agreements between the two that begin in the year.",
                   unit="agreements"),
        ColumnSpec("dca_cumulative", "count", "Agreements between the two begun by the end of the "
                   "year, since 1980, over or not.", unit="agreements"),
        *(
            ColumnSpec(f"dca_{kind}", "flag", f"1 if one {says} is in force.")
            for kind, (says, _) in KINDS.items()
        ),
        ColumnSpec("dca_partners", "count", "States of the system with which an agreement is in "
                   "force.", unit="states", level="state"),
        ColumnSpec("dca_state_n", "count", "Agreements in force with states of the system.",
                   unit="agreements", level="state"),
        ColumnSpec("dca_state_begun", "count", "Agreements with states of the system that begin "
                   "in the year.", unit="agreements", level="state"),
    ],
    sources=["dca", "cow_states"],
    citations=["kinne_2020"],
    options=OPTIONS,
    coverage_of=("dca",),
    examples=[
        Example(
            "The United States and Canada have had one on procurement since 1984 at the latest.",
            {"ccode1": 2, "ccode2": 20, "year": 1990},
            {"dca": 1, "dca_procurement": 1},
        ),
        Example(
            "The data begin with 1980: before that nothing is known.",
            {"ccode1": 2, "ccode2": 20, "year": 1979},
            {"dca": None, "dca_n": None},
        ),
    ],
)  # fmt: skip
def dca(context: Context) -> dict[str, Values]:
    """Make agreements in force by kind, new and cumulative, between two states and by state.

    Kinne (2020) codes bilateral agreements signed 1980-2010 and estimates how long they last; his
    dyadic file has flags of agreements in force, as here. An agreement counts from the year of its
    signature (option since) through the estimated last year. Some agreements are in force that were
    signed before 1980; the data don't hold them, so that early years know too few.
    """
    # ASSUME: agreements don't pass to successors (of Czechoslovakia, of West Germany), under whose
    # numbers the file has none of them.
    rows, wanted = agreements(context), context.wanted
    made: dict[str, Values] = {}
    if wanted & {"dca", "dca_n", "dca_partners", "dca_state_n"}:
        number = in_force(context, rows)
        member = context.system.member
        inside = number * (member[:, None, :] & member[None, :, :])
        made["dca_n"] = DyadYears(number)
        made["dca"] = DyadYears((number > 0).astype(np.int8))
        made["dca_partners"] = StateYears((inside > 0).sum(axis=1, dtype=np.int32))
        made["dca_state_n"] = StateYears(inside.sum(axis=1, dtype=np.int32))
    if wanted & {"dca_begun", "dca_cumulative", "dca_state_begun"}:
        begun = signed(context, rows)
        member = context.system.member
        inside = begun * (member[:, None, :] & member[None, :, :])
        made["dca_begun"] = DyadYears(begun)
        made["dca_cumulative"] = DyadYears(np.cumsum(begun, axis=2, dtype=np.int16))
        made["dca_state_begun"] = StateYears(inside.sum(axis=1, dtype=np.int32))
    for kind in KINDS:
        if f"dca_{kind}" in wanted:
            number = in_force(context, rows.filter(_rule(kind)))
            made[f"dca_{kind}"] = DyadYears((number > 0).astype(np.int8))
    return made
