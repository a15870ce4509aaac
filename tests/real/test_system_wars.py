"""Wars by the year in which they begin, against a recount of the table of participants."""

from __future__ import annotations

import pandas as pd
import pytest

from foedus.covariates.assemble import VariableRequest, build_variables
from foedus.sources.tables import Tables

pytestmark = pytest.mark.real


def test_nation_months_and_deaths_are_those_of_the_wars_that_begin(tables: Tables) -> None:
    names = ("system_wars_begun", "system_war_months", "system_war_deaths")
    wanted = {name: VariableRequest("system_wars", name) for name in names}
    made = build_variables(tables, "system-year", (1816, 2007), wanted).table.to_pandas()
    ours = made.set_index("year")
    rows = tables.get("cow_interstate_wars", "participants").to_pandas()
    begun = pd.to_datetime(rows.groupby("warnum")["start1"].transform("min")).dt.year
    spans = [pd.to_datetime(rows[f"end{n}"]) - pd.to_datetime(rows[f"start{n}"]) for n in (1, 2)]
    first, second = ((span.dt.days + 1) for span in spans)
    days = first + second.fillna(0)
    months = (days / 30.4375).groupby(begun).sum()
    deaths = rows["batdeath"].fillna(0).groupby(begun).sum()
    wars = rows.groupby("warnum")["start1"].min()
    assert ours["system_wars_begun"].sum() == len(wars) == 95
    for year in ours.index:
        assert ours.loc[year, "system_war_months"] == pytest.approx(months.get(year, 0.0))
        assert ours.loc[year, "system_war_deaths"] == pytest.approx(deaths.get(year, 0.0))
