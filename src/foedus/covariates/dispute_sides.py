"""How strong the two sides of a dispute are, for a state that could join one of them."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.context import Context
from foedus.covariates.dispute_pairs import SIDES, UNIT, originators_of, with_cinc
from foedus.covariates.major import major_cube
from foedus.covariates.nmc import RELEASE as NMC_RELEASE
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import Rows, Values
from foedus.panels.dispute_joiner_units import SIDE_A

JULY_CRISIS, SPAIN = 257, 230
_WHERE = {"a": "side A", "b": "side B"}


def _row(name: str, kind: str, says: str, unit: str = "0/1", absent: str = "zero") -> ColumnSpec:
    return ColumnSpec(name, kind, says, unit=unit, level="row", absent=absent)  # type: ignore[arg-type]


@covariate(
    name="dispute_sides",
    title="The strength of a dispute's two sides",
    columns=[
        *(_row(f"states_{side}", "count", f"States on {where} other than the row's (option "
               "states).", "states") for side, where in _WHERE.items()),
        *(_row(f"cinc_{side}", "number", f"Their summed CINC on {where}; missing if one's is.",
               "share, 0-1", "missing") for side, where in _WHERE.items()),
        *(_row(f"major_{side}", "flag", f"1 if one of them on {where} is a COW major power.")
          for side, where in _WHERE.items()),
    ],
    sources=["mid", "cow_nmc", "cow_states"],
    citations=["palmer_etal_2022", "singer_etal_1972", "cow_states_2017"],
    options={
        "states": Option("originators", "Whose: those of the states that were in it on its first "
                         "day, or of all that ever took part.", ("originators", "all")),
        "nmc": NMC_RELEASE,
    },
    units=(UNIT,),
    coverage_of=("mid",),
    examples=[
        Example(
            "Austria-Hungary alone moves on Serbia alone in 1914.",
            {"dispnum": JULY_CRISIS, "ccode": SPAIN},
            {"states_a": 1, "states_b": 1, "major_a": 1, "major_b": 0},
            unit=UNIT,
        ),
    ],
)  # fmt: skip
def dispute_sides(context: Context) -> dict[str, Values]:
    """Make the columns of `dispute_sides`, with strengths of the dispute's first year."""
    asked = {name: values.astype(np.int64) for name, values in context.spine.keys.items()}
    members = _with_facts(context, _members(context))
    totals = members.group_by("dispnum").agg(
        expr for side, number in SIDES.items() for expr in _sums(side, number)
    )
    rows = pl.DataFrame(asked).join(totals, on="dispnum", how="left", maintain_order="left")
    own = pl.DataFrame(asked).join(
        members, on=["dispnum", "ccode"], how="left", maintain_order="left"
    )
    made: dict[str, NDArray[np.generic]] = {}
    for side, number in SIDES.items():
        here = (own["side"] == number).fill_null(value=False).to_numpy()
        states, known, majors = (
            rows[f"{name}_{side}"].fill_null(0).to_numpy().astype(np.int64)
            for name in ("states", "known", "majors")
        )
        cinc = rows[f"cinc_{side}"].fill_null(0.0).to_numpy().astype(np.float64)
        own_cinc = own["cinc"].fill_null(np.nan).to_numpy()
        has = here & ~np.isnan(own_cinc)
        states, known = states - here, known - has
        majors = majors - (here & (own["major"].fill_null(0).to_numpy() == 1))
        total = np.where(has, cinc - own_cinc, cinc)
        made[f"states_{side}"] = states.astype(np.int32)
        # A difference of sums is 0 only up to rounding.
        total = np.where(states == 0, 0.0, np.maximum(total, 0.0))
        made[f"cinc_{side}"] = np.where(known == states, total, np.nan)
        made[f"major_{side}"] = (majors > 0).astype(np.int8)
    return {name: Rows(values) for name, values in made.items()}


def _members(context: Context) -> pl.DataFrame:
    """Return the states whose strength counts: dispnum, ccode, side."""
    participants = context.tables.get("mid", "participants")
    if context.options["states"] == "originators":
        return originators_of(participants)
    return (
        participants.sort("dispnum", "ccode", "start_min")
        .group_by("dispnum", "ccode", maintain_order=True)
        .agg(sidea=pl.col("sidea").first())
        .select(
            pl.col("dispnum").cast(pl.Int64),
            pl.col("ccode").cast(pl.Int64),
            side=pl.when(pl.col("sidea") == SIDE_A).then(1).otherwise(2).cast(pl.Int64),
        )
    )


def _with_facts(context: Context, members: pl.DataFrame) -> pl.DataFrame:
    """Add cinc and major of the dispute's first year; null cinc where it is unknown."""
    members, held = with_cinc(context, members)
    majors = context.shared(
        "major", lambda: major_cube(context.system, context.tables.get("cow_states", "majors"))
    )
    return members.with_columns(major=pl.Series(held.take(majors == 1, 0).astype(np.int8)))


def _sums(side: str, number: int) -> list[pl.Expr]:
    here = pl.col("side") == number
    return [
        here.sum().alias(f"states_{side}"),
        (here & pl.col("cinc").is_not_null()).sum().alias(f"known_{side}"),
        pl.col("cinc").filter(here).sum().alias(f"cinc_{side}"),
        pl.col("major").filter(here).sum().alias(f"majors_{side}"),
    ]
