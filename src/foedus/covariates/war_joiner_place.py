"""How near a potential joiner is to the first belligerents of a war."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.context import Context
from foedus.covariates.distance import capital_of_year, haversine_km
from foedus.covariates.registry import ColumnSpec, Example, covariate
from foedus.covariates.values import Rows, Values
from foedus.covariates.war_outset import FIRST_DAYS, JOINER_UNITS, first_sides, wars_of

_NONE = 9


@covariate(
    name="war_joiner_place",
    title="A potential joiner's distance from a war",
    columns=[
        ColumnSpec("contiguous_any", "flag", "1 if it shares a land or river border with a first "
                   "belligerent.", level="row"),
        ColumnSpec("nearest_conttype", "category", "Its closest contiguity to a first "
                   "belligerent: 1 by land or river, 2-5 by water, 0 none (COW conttype).",
                   unit="code 0-5", level="row"),
        ColumnSpec("n_contiguous", "count", "First belligerents that it borders by land or river.",
                   unit="states", level="row"),
        ColumnSpec("nearest_capital_km", "number", "Great-circle distance from its capital to the "
                   "nearest first belligerent's capital.", unit="km", level="row",
                   absent="missing"),
    ],
    sources=["cow_contiguity", "capitals", "cow_interstate_wars"],
    citations=["stinnett_etal_2002", "miller_2022", "sarkees_wayman_2010"],
    options={"first_days": FIRST_DAYS},
    units=JOINER_UNITS,
    coverage_of=("cow_contiguity",),
    examples=[
        Example(
            "Portugal borders Spain, which France attacked in 1823; Russia borders neither.",
            {"warnum": 1, "ccode": 235},
            {"contiguous_any": 1, "nearest_conttype": 1, "n_contiguous": 1},
            unit="war-joiner",
        ),
    ],
)  # fmt: skip
def war_joiner_place(context: Context) -> dict[str, Values]:
    """Make the columns of `war_joiner_place`; no record of contiguity is 0 in its years."""
    wars = wars_of(context)
    system = context.system
    war = context.spine.extra["war"].astype(np.int64)
    state = context.spine.places[0].state
    # On units by year and month too, everything is as it was when the war began.
    at_year = context.spine.extra["start_year"].astype(np.int64) - system.first_year
    closest = np.zeros(len(war), np.int8)
    bordering = np.zeros(len(war), np.int32)
    nearest = np.full(len(war), np.nan)
    types = contiguity_of_years(context)
    for at in np.unique(war).tolist():
        rows = np.flatnonzero(war == at)
        side, _ = first_sides(context, wars, at, context.options["first_days"])
        first = np.flatnonzero(side > 0)
        year = int(at_year[rows[0]])
        found = types(year)[np.ix_(state[rows], first)]
        closest[rows] = np.where(found.min(axis=1) == _NONE, 0, found.min(axis=1))
        bordering[rows] = (found == 1).sum(axis=1)
        nearest[rows] = _nearest_km(context, state[rows], first, year)
    return {
        "contiguous_any": Rows((bordering > 0).astype(np.int8)),
        "nearest_conttype": Rows(closest),
        "n_contiguous": Rows(bordering),
        "nearest_capital_km": Rows(nearest),
    }


class _Contiguity:
    """Contiguity codes of one year at a time, (n, n), 9 where there is no record."""

    def __init__(self, context: Context) -> None:
        facts = context.tables.get("cow_contiguity", "dyad_years")
        self._n = context.system.n_states
        one = context.system.index(facts["ccode1"].to_numpy())
        other = context.system.index(facts["ccode2"].to_numpy())
        year = facts["year"].to_numpy().astype(np.int64) - context.system.first_year
        inside = (one >= 0) & (other >= 0)
        order = np.argsort(year[inside], kind="stable")
        self._one, self._other, self._year = (part[inside][order] for part in (one, other, year))
        self._type = facts["conttype"].to_numpy()[inside][order]

    def __call__(self, year: int) -> NDArray[np.int8]:
        low, high = np.searchsorted(self._year, [year, year + 1])
        codes = np.full((self._n, self._n), _NONE, np.int8)
        codes[self._one[low:high], self._other[low:high]] = self._type[low:high]
        return codes


def contiguity_of_years(context: Context) -> _Contiguity:
    """Return what gives the contiguity codes of a year, by the year's place in the system's."""
    return context.shared("war_contiguity", lambda: _Contiguity(context))


def _nearest_km(
    context: Context, state: NDArray[np.int64], first: NDArray[np.int64], year: int
) -> NDArray[np.float64]:
    """Return each state's distance to the nearest of the first belligerents' capitals."""
    spells = context.tables.get("capitals", "spells")
    # The capital in which the year began: wars that move capitals move them afterwards.
    capital = context.shared(
        "war_capitals", lambda: capital_of_year(context.system, spells, "start")
    )
    lat, lng = (spells[name].to_numpy().astype(np.float64) for name in ("lat", "lng"))
    here, there = capital[state, year], capital[first, year]
    there = there[there >= 0]
    if len(there) == 0:
        return np.full(len(state), np.nan)
    one = np.maximum(here, 0)
    kilometres = haversine_km(
        lat[one][:, None], lng[one][:, None], lat[there][None, :], lng[there][None, :]
    ).min(axis=1)
    return np.where(here >= 0, kilometres, np.nan)
