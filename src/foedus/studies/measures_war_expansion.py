"""How many wars grow beyond those that began them, and how deadly these are."""

from __future__ import annotations

import numpy as np

from foedus.covariates.registry import Option
from foedus.panels.war_list import load_wars
from foedus.studies.measures import MeasureContext, MeasureRow, measure
from foedus.studies.measures_reliability import share_rows


@measure(
    "war_expansion",
    says="Share of wars that a third state joins after they began, and their share of all deaths.",
    citations=["sarkees_wayman_2010", "joyce_ghosn_bayer_2014"],
    options={
        "first": Option(1816, "First year in which a war begins.", least=1816, most=2007),
        "last": Option(2007, "Last such year.", least=1816, most=2007),
        "days": Option(0, "States that enter within so many days belong to those that began it.",
                       (0, 1, 7, 30)),
    },
    terms=["share expanded", "share of deaths", "wars", "wars expanded", "deaths unknown"],
)  # fmt: skip
def war_expansion(context: MeasureContext) -> list[MeasureRow]:
    """Count COW inter-state wars with a state that entered after the first day (option days).

    Battle deaths are summed over states; a state whose deaths are unknown adds none, and is
    counted (``deaths unknown``).
    """
    wars = load_wars(context.tables)
    states = wars.states
    of_war = np.searchsorted(wars.numbers, states.warnum)
    late = states.start - wars.first_day[of_war] > context.options["days"]
    expanded = np.bincount(of_war, weights=late, minlength=len(wars.numbers)) > 0
    year = wars.start_year
    asked = (year >= context.options["first"]) & (year <= context.options["last"])
    inside = asked[of_war]
    unknown = np.isnan(states.deaths) & inside
    deaths = np.bincount(
        of_war, weights=np.where(inside, np.nan_to_num(states.deaths), 0.0),
        minlength=len(wars.numbers),
    )  # fmt: skip
    n, grown = int(asked.sum()), int((asked & expanded).sum())
    all_deaths = float(deaths.sum())
    share = float(deaths[expanded].sum()) / all_deaths if all_deaths else None
    note = None if all_deaths else "No deaths are known."
    return [
        *share_rows("share expanded", grown, n),
        MeasureRow("share of deaths", share, kind="share", n=n, note=note),
        MeasureRow("wars", float(n), kind="count", n=n),
        MeasureRow("wars expanded", float(grown), kind="count", n=n),
        MeasureRow("deaths unknown", float(unknown.sum()), kind="count", n=int(inside.sum())),
    ]
