"""Wars of a state with a party that is none × the states that could come in from outside."""

from __future__ import annotations

import numpy as np

from foedus.errors import PanelError
from foedus.panels.intervention_list import EXTRA, INTRA, load_interventions, load_ucdp
from foedus.panels.spine import Spine, StatePlace
from foedus.panels.system import StateSystem
from foedus.panels.units import Step, unit
from foedus.panels.war_joiner_units import risk_rows
from foedus.panels.war_units import joiner_rows
from foedus.sources.tables import Tables

SOURCES = ("cow_states", INTRA, EXTRA)
_WARS = (
    "COW's intra-state wars (4.1, numbers from 500 on) and extra-state wars (4.0, below 500) and a "
    "state that could intervene"
)
_RULES = (
    "The state whose war it is (that faces a party that is no state) has no row; every other "
    "member of the COW system is a potential intervener, and one that comes in on the war's first "
    "day has intervened on it. An entry or beginning known to the month or year is read as its "
    "first day, an end as its last; a war without a known end goes on to the last day covered. "
    "Wars between parties none of which is a state have rows too. A state that changes sides "
    "intervenes once, on its first side."
)


@unit(
    "war-intervener",
    keys=("warnum", "ccode"),
    says=(
        f"{_WARS}: every member of the COW system on the war's first day. {_RULES} Facts about the "
        "state are those of the year in which the war began."
    ),
    sources=SOURCES,
)
def war_intervener(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build wars × potential interveners, sorted by war and state; `extra` as in `war-joiner`."""
    return joiner_rows("war-intervener", load_interventions(tables), system, years)


def _rows(tables: Tables, system: StateSystem, years: tuple[int, int], step: Step) -> Spine:
    last_year = tables.coverage(EXTRA)[1]
    return risk_rows(
        f"war-intervener-{step}", load_interventions(tables), last_year, system, years, step
    )


@unit(
    "war-intervener-year",
    keys=("warnum", "ccode", "year"),
    says=(
        f"{_WARS}, and a year, until the state comes in, the war ends or the state leaves the "
        f"system. {_RULES}"
    ),
    sources=SOURCES,
    years_of=EXTRA,
)
def war_intervener_year(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build wars × potential interveners × years; `extra` as in `war-joiner-year`."""
    return _rows(tables, system, years, "year")


@unit(
    "war-intervener-month",
    keys=("warnum", "ccode", "year", "month"),
    says=(
        f"{_WARS}, and a month, until the state comes in, the war ends or the state leaves the "
        f"system. {_RULES}"
    ),
    sources=SOURCES,
    years_of=EXTRA,
    step="month",
)
def war_intervener_month(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build wars × potential interveners × months; `extra` as in `war-joiner-month`."""
    return _rows(tables, system, years, "month")


@unit(
    "ucdp-intervener-year",
    keys=("conflict_id", "ccode", "year"),
    says=(
        "A UCDP armed conflict of a government with a party that is no state, a state that could "
        "send troops, and a year in which the conflict is active. A member of the COW system other "
        "than the government has a row in each year of an episode (from 25 deaths in a year until "
        "a year without) until that in which UCDP first names it with its troops on either side; "
        "in the next episode it starts anew. One named on both sides at once is on the "
        "government's. Gleditsch-Ward numbers are brought to COW's; a government that COW doesn't "
        "count (Hyderabad in 1947) leaves rows without one."
    ),
    sources=("cow_states", "ucdp_acd"),
)
def ucdp_intervener_year(tables: Tables, system: StateSystem, years: tuple[int, int]) -> Spine:
    """Build conflicts × potential interveners × years, sorted so; `extra` as in `war-joiner-year`.

    Raises
    ------
    PanelError
        If two episodes of one conflict were active in one year: a state would stand in it twice.
    """
    wars = load_ucdp(tables)
    made = risk_rows(
        "ucdp-intervener-year", wars, tables.coverage("ucdp_acd")[1], system, years, "year"
    )
    war = made.extra["war"].astype(np.int64)
    keys = {
        "conflict_id": wars.conflict[war].astype(np.int32),
        "ccode": made.keys["ccode"],
        "year": made.keys["year"],
    }
    order = np.lexsort(tuple(reversed(list(keys.values()))))
    keys = {name: values[order] for name, values in keys.items()}
    again = np.all([values[1:] == values[:-1] for values in keys.values()], axis=0)
    if again.any():
        at = int(np.flatnonzero(again)[0])
        raise PanelError(
            f"ucdp-intervener-year: conflict {keys['conflict_id'][at]} has two active episodes in "
            f"{keys['year'][at]}; a year belongs to one. See ucdp_acd/conflict_years, start_date2."
        )
    place = made.places[0]
    return Spine(
        unit="ucdp-intervener-year",
        system=system,
        keys=keys,
        places=(StatePlace("", place.state[order], place.year[order]),),
        directed=False,
        years=years,
        extra={name: values[order] for name, values in made.extra.items()},
    )
