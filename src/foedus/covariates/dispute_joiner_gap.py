"""How far a state's territory is from that of those that began a dispute."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context, dyad_positions, empty_dyads
from foedus.covariates.dispute_pairs import SIDES, UNIT, Pairs, pairs_of
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Rows, Values

JULY_CRISIS, GERMANY = 257, 255


def _column(name: str, of: str) -> ColumnSpec:
    says = f"Least distance between its territory and that of {of} (0 for neighbours)."
    return ColumnSpec(name, "number", says, unit="km", level="row", absent="missing")


@covariate(
    name="dispute_joiner_gap",
    title="A potential joiner's least distance to the territory of those that began a dispute",
    columns=[
        _column("nearest_territory_km", "the nearest originator"),
        _column("territory_km_a", "the nearest originator on side A"),
        _column("territory_km_b", "the nearest originator on side B"),
    ],
    sources=["cow_mindist", "mid", "cow_states"],
    citations=["weidmann_etal_2010", "schvitz_etal_2022", "palmer_etal_2022"],
    units=(UNIT,),
    coverage_of=("cow_mindist",),
    examples=[
        Example(
            "Germany borders Austria-Hungary, which moves on Serbia in 1914.",
            {"dispnum": JULY_CRISIS, "ccode": GERMANY},
            {"nearest_territory_km": 0.0, "territory_km_a": 0.0},
            unit=UNIT,
        ),
    ],
)  # fmt: skip
def dispute_joiner_gap(context: Context) -> dict[str, Values]:
    """Make the columns of `dispute_joiner_gap`; a pair that the source doesn't have is missing."""
    # ASSUME: the nearest of those whose distance is known is the nearest.
    pairs = pairs_of(context)
    kilometres = _kilometres(context, pairs)
    known = ~np.isnan(kilometres)
    made = {f"territory_km_{side}": pairs.least(kilometres, pairs.of(side) & known)
            for side in SIDES}  # fmt: skip
    made["nearest_territory_km"] = pairs.least(kilometres, known)
    return {name: Rows(values) for name, values in made.items()}


def _kilometres(context: Context, pairs: Pairs) -> NDArray[np.float64]:
    facts = context.tables.get("cow_mindist", "dyad_years")
    low, high = facts["ccode1"].to_numpy(), facts["ccode2"].to_numpy()
    year, distance = facts["year"].to_numpy(), facts["min_distance_km"].to_numpy()
    # Rows of the source, one on: 0 stands for a pair that it doesn't have.
    row = empty_dyads(context.system, np.int32)
    number = np.arange(1, len(distance) + 1, dtype=np.int32)
    for one, other in ((low, high), (high, low)):
        position, inside = dyad_positions(context.system, one, other, year)
        row[position] = number[inside]
    n = context.system.n_states
    found = pairs.look_up(row.reshape(n, n, -1))
    return np.asarray(np.concatenate([[np.nan], distance])[found])
