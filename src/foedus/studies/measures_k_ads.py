"""How many sets of states could have made an alliance: the population that a sample stands for."""

from __future__ import annotations

import math

import numpy as np

from foedus.covariates.registry import Option
from foedus.panels.k_ads import count_sets
from foedus.panels.units import load_system
from foedus.studies.measures import MeasureContext, MeasureRow, measure


@measure(
    "k_ad_population",
    says="Sets of some sizes that the states of some years could form: all of them at once, as "
    "though all had lived together, and year by year, of states that shared a day.",
    citations=["poast_2010"],
    options={
        "sizes": Option((2, 3, 4, 5), "How many states a set has.", many=True),
        "years": Option((1816, 2000), "First and last year.", many=True),
    },
    terms=["states", "sets of all states", "sets of a year"],
)
def k_ad_population(context: MeasureContext) -> list[MeasureRow]:
    """Count states that were members in the years, and their sets."""
    sizes = tuple(int(size) for size in context.options["sizes"])
    first, last = (int(year) for year in context.options["years"])
    system = load_system(context.tables)
    spell = slice(max(first - system.first_year, 0), last - system.first_year + 1)
    member = system.member[:, spell]
    states = int(member.any(axis=1).sum())
    at_once = sum(math.comb(states, size) for size in sizes)
    yearly = 0
    for at in range(spell.start, spell.start + member.shape[1]):
        present = np.flatnonzero(system.member[:, at])
        yearly += sum(count_sets(system.together[:, :, at], present, size) for size in sizes)
    return [
        MeasureRow("states", float(states), kind="count"),
        MeasureRow("sets of all states", float(at_once), kind="count"),
        MeasureRow("sets of a year", float(yearly), kind="count"),
    ]
