"""How near a state is to those that began a dispute, and what of its power reaches them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context, dyad_positions, empty_dyads
from foedus.covariates.dispute_pairs import SIDES, UNIT, Pairs, pairs_of
from foedus.covariates.distance import between_capitals, capital_of_year
from foedus.covariates.nmc import RELEASE as NMC_RELEASE
from foedus.covariates.nmc import capability_cube
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import Rows, Values

_NONE = 9
_KM_A_MILE = 1.609344
# Miles that troops move a day: to 1918, to 1945, since (Bueno de Mesquita 1981, p. 105).
_MILES_A_DAY = ((1918, 250.0), (1945, 375.0), (9999, 500.0))
JULY_CRISIS, ROMANIA, GERMANY = 257, 360, 255


def _row(name: str, kind: str, says: str, unit: str = "0/1", absent: str = "zero") -> ColumnSpec:
    return ColumnSpec(name, kind, says, unit=unit, level="row", absent=absent)  # type: ignore[arg-type]


@covariate(
    name="dispute_joiner_place",
    title="A potential joiner's distance from a dispute",
    columns=[
        _row("contiguous_a", "flag", "1 if it borders an originator on side A (option border)."),
        _row("contiguous_b", "flag", "1 if it borders one on side B (option border)."),
        _row("contiguous_any", "flag", "1 if it borders an originator (option border)."),
        _row("capital_km_a", "number", "Great-circle distance from its capital to the nearest "
             "capital of an originator on side A.", "km", "missing"),
        _row("capital_km_b", "number", "The same to the nearest on side B.", "km", "missing"),
        _row("nearest_capital_km", "number", "The same to the nearest of all originators.", "km",
             "missing"),
        _row("cinc_discounted", "number", "Its CINC discounted over the distance to the nearest "
             "originator: cinc to the power of log10(miles / miles a day + 10 - e), with 250 "
             "miles a day to 1918, 375 to 1945 and 500 since (Bueno de Mesquita 1981).",
             "share, 0-1", "missing"),
    ],
    sources=["cow_contiguity", "capitals", "cow_nmc", "mid", "cow_states"],
    citations=["stinnett_etal_2002", "miller_2022", "bueno_de_mesquita_1981", "palmer_etal_2022"],
    options={
        "border": Option("land", "What counts as a border: by land or river (conttype 1), or any "
                         "contiguity (1 to 5).", ("land", "any")),
        "nmc": NMC_RELEASE,
    },
    units=(UNIT,),
    coverage_of=("cow_contiguity",),
    examples=[
        Example(
            "Romania borders both Austria-Hungary and Serbia in 1914.",
            {"dispnum": JULY_CRISIS, "ccode": ROMANIA},
            {"contiguous_a": 1, "contiguous_b": 1, "contiguous_any": 1},
            unit=UNIT,
        ),
        Example(
            "Germany borders Austria-Hungary alone; from Berlin to Vienna it is 523 km.",
            {"dispnum": JULY_CRISIS, "ccode": GERMANY},
            {"contiguous_a": 1, "contiguous_b": 0, "capital_km_a": 523.331},
            unit=UNIT,
        ),
    ],
)  # fmt: skip
def dispute_joiner_place(context: Context) -> dict[str, Values]:
    """Make the columns of `dispute_joiner_place`; no record of contiguity is 0 in its years."""
    pairs = pairs_of(context)
    border = pairs.look_up(_borders(context)) == 1
    kilometres = _capital_km(context, pairs)
    made: dict[str, NDArray[np.generic]] = {}
    for side in (*SIDES, "any"):
        made[f"contiguous_{side}"] = pairs.any_of(border & pairs.of(side))
        name = "nearest_capital_km" if side == "any" else f"capital_km_{side}"
        made[name] = pairs.least(kilometres, pairs.of(side))
    made["cinc_discounted"] = _discounted(context, made["nearest_capital_km"].astype(np.float64))
    return {name: Rows(values) for name, values in made.items()}


def _borders(context: Context) -> NDArray[np.int8]:
    """Return 1 over (state, state, year) where two states border on each other."""
    which = context.options["border"]

    def make() -> NDArray[np.int8]:
        facts = context.tables.get("cow_contiguity", "dyad_years")
        if which == "land":
            facts = facts.filter(facts["conttype"] == 1)
        keys = (facts[name].to_numpy() for name in ("ccode1", "ccode2", "year"))
        position, _ = dyad_positions(context.system, *keys)
        flags = empty_dyads(context.system, np.int8)
        flags[position] = 1
        n = context.system.n_states
        return flags.reshape(n, n, -1)

    return context.shared(("dispute borders", which), make)


def _capital_km(context: Context, pairs: Pairs) -> NDArray[np.float64]:
    """Return the distance of the two capitals of each pair, of the start of the year."""
    spells = context.tables.get("capitals", "spells")
    capital = capital_of_year(context.system, spells, "start")
    here, there = capital[pairs.state, pairs.year], capital[pairs.other, pairs.year]
    return between_capitals(spells, here, there)


def _discounted(context: Context, kilometres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each row's CINC as it reaches over the distance."""
    place = context.spine.places[0]
    cinc = capability_cube(context, "cinc", context.options["nmc"])
    own = cinc[place.state, place.year - context.system.first_year]
    until = np.array([year for year, _ in _MILES_A_DAY])
    speed = np.array([miles for _, miles in _MILES_A_DAY])
    days = kilometres / _KM_A_MILE / speed[np.searchsorted(until, place.year)]
    return np.asarray(own ** np.log10(days + 10 - np.e))
