"""Whether third states came to the help of either side of a dispute that 1 began against 2."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import DyadYears, Values, missing_of

SIDE_A = 1
_SAYS = "missing where 1 began no dispute against 2 that year"


def helped_pairs(participants: pl.DataFrame) -> pl.DataFrame:
    """Return one row a directed pair and year in which 1 began a dispute against 2.

    1 is an originator on side A, 2 an originator on side B; the year is the dispute's first.
    Columns: ccode1, ccode2, year, target_helped and challenger_helped (whether a state that is no
    originator stands on the side in any of the disputes that the one began against the other).
    """
    by_dispute = participants.group_by("dispnum").agg(
        year=pl.col("styear").min().cast(pl.Int64),
        helped_a=((pl.col("orig") == 0) & (pl.col("sidea") == SIDE_A)).any(),
        helped_b=((pl.col("orig") == 0) & (pl.col("sidea") != SIDE_A)).any(),
    )
    began = participants.filter(pl.col("orig") == 1)
    one = began.filter(pl.col("sidea") == SIDE_A).select("dispnum", ccode1="ccode")
    other = began.filter(pl.col("sidea") != SIDE_A).select("dispnum", ccode2="ccode")
    pairs = one.join(other, on="dispnum").join(by_dispute, on="dispnum")
    return (
        pairs.group_by("ccode1", "ccode2", "year")
        .agg(target_helped=pl.col("helped_b").any(), challenger_helped=pl.col("helped_a").any())
        .sort("ccode1", "ccode2", "year")
    )


@covariate(
    name="dispute_help",
    title="Third states in a dispute that 1 began against 2",
    columns=[
        ColumnSpec("target_helped", "flag", "1 if a state that is no originator of the dispute "
                   f"stands on the target's side; {_SAYS}.", absent="missing", collapse="none"),
        ColumnSpec("challenger_helped", "flag", "1 if one stands on the challenger's side; "
                   f"{_SAYS}.", absent="missing", collapse="none"),
    ],
    sources=["mid"],
    citations=["palmer_etal_2022"],
    options={"release": Option("5.0", "Release of the MID data.", ("5.0", "4.2"))},
    units=("directed-dyad-year",),
    examples=[
        Example(
            "France and Brazil had no dispute in 1990.",
            {"ccode1": 220, "ccode2": 140, "year": 1990},
            {"target_helped": None, "challenger_helped": None},
        ),
        Example(
            "Iraq moves on Kuwait in 1990, to whose help many states come.",
            {"ccode1": 645, "ccode2": 690, "year": 1990},
            {"target_helped": 1},
        ),
    ],
)  # fmt: skip
def dispute_help(context: Context) -> dict[str, Values]:
    """Make both flags, missing where there is no such dispute."""
    # ASSUME: a state that MID doesn't code as an originator joined for the side on which it
    # stands, whatever it was promised; pairs with several disputes in a year have help if any has.
    release = context.options["release"]
    pairs = helped_pairs(context.tables.get("mid", "participants", release=release))
    columns: tuple[Any, ...] = tuple(pairs[name].to_numpy() for name in ("ccode1", "ccode2",
                                                                         "year"))  # fmt: skip
    position, inside = dyad_positions(context.system, *columns)
    made: dict[str, Values] = {}
    for name in ("target_helped", "challenger_helped"):
        kind = np.dtype(np.int8)
        cube = empty_dyads(context.system, kind, missing_of(kind))
        cube[position] = pairs[name].to_numpy().astype(np.int8)[inside]
        made[name] = DyadYears(dyad_cube(context.system, cube))
    return made
