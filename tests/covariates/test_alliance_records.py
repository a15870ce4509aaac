"""Records, reputation and defence cooperation agreements, against the definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foedus.covariates.alliance_reputation import decayed, past_sum, weighted_reputation
from foedus.covariates.reliability import OPTIONS, build_cases, build_verdicts
from foedus.panels.system import StateSystem
from foedus.panels.war_list import WarList
from tests.covariates.alliance_worlds import Treaty, column, small_tables, worlds

# 10 attacks 20 and 230 in 1821: 20's ally 230 fights beside it, its ally 240 stays out.
PACTS = [
    Treaty(1, dict.fromkeys((20, 230), (1818, 1830)),
           dict.fromkeys((20, 230), frozenset({"defense"})), {"bilat": 1}),
    Treaty(2, dict.fromkeys((20, 240), (1818, 1830)),
           dict.fromkeys((20, 240), frozenset({"defense"})), {"bilat": 1}),
]  # fmt: skip


def test_record_of_pledges() -> None:
    tables = small_tables(PACTS)
    years = (1816, 1832)
    kept = column(tables, "directed-dyad-year", "alliance_record.past_kept_to", years)
    broken = column(tables, "directed-dyad-year", "alliance_record.past_broken_to", years)
    assert [kept[230, 20, year] for year in (1821, 1822, 1832)] == [0, 1, 1]
    assert kept[20, 230, 1822] == 1  # both were attacked on the first day
    assert [broken[240, 20, year] for year in (1821, 1822, 1832)] == [0, 1, 1]
    assert broken[20, 240, 1822] == 0
    share = column(tables, "state-year", "alliance_record.past_kept_share", years)
    assert share[20, 1821] is None
    assert share[20, 1822] == 1
    assert share[240, 1822] == 0
    recent = column(
        tables, "directed-dyad-year", "alliance_record.past_kept_to", years, window=2
    )  # fmt: skip
    assert [recent[230, 20, year] for year in (1822, 1823, 1824)] == [1, 1, 0]
    assert (
        column(tables, "state-year", "alliance_record.past_kept", (1832, 1833))[230, 1833] is None
    )


@settings(max_examples=15, deadline=None)
@given(worlds())
def test_verdicts_agree_with_cases(treaties: list[Treaty]) -> None:
    tables = small_tables(treaties)
    chosen = {name: option.default for name, option in OPTIONS.items()}
    members = tables.get("atop", "members").with_columns(in_force=pl.lit(value=False))
    wars = WarList.from_table(tables.get("cow_interstate_wars", "participants"))
    system = StateSystem.from_spells(tables.get("cow_states", "states"), (1816, 1840))
    verdicts = build_verdicts(members, wars, system, chosen, (1816, 1838))
    cases = build_cases(members, wars, system, chosen, (1816, 1838))
    broke = {(case.atopid, who) for case in cases for who in case.broke}
    theirs = verdicts.filter(~pl.col("kept")).select("atopid", "giver").rows()
    assert set(theirs) == broke
    assert {case.atopid for case in cases if case.invoked} == set(verdicts["atopid"].to_list())


def test_the_past_is_the_years_before() -> None:
    yearly = np.array([1, 0, 2, 0, 0], np.int16)
    assert past_sum(yearly, 0).tolist() == [0, 1, 1, 3, 3]
    assert past_sum(yearly, 1).tolist() == [0, 1, 0, 2, 0]
    assert past_sum(yearly, 2).tolist() == [0, 1, 1, 2, 2]
    faded = decayed(np.array([1.0, 0, 2, 0, 0]), 1.0)
    assert faded.tolist() == [0, 0.5, 0.25, 1.125, 0.5625]


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.float64, (5, 5), elements=st.floats(-2, 2)),
    hnp.arrays(np.float64, (5, 5), elements=st.floats(0, 1) | st.just(np.nan)),
)
def test_reputation_is_a_weighted_mean_over_third_states(
    history: np.ndarray[Any, Any], weight: np.ndarray[Any, Any]
) -> None:
    np.fill_diagonal(history, 0.0)
    ours = weighted_reputation(history, weight)
    for i, j in np.ndindex(5, 5):
        if i == j:
            continue
        third = [k for k in range(5) if k not in (i, j)]
        heed = {k: 0.0 if np.isnan(weight[j, k]) else weight[j, k] for k in third}
        total = sum(heed.values())
        if total < 1e-9:
            continue
        expected = sum(heed[k] * history[i, k] for k in third) / total
        assert ours[i, j] == pytest.approx(expected, abs=1e-6)


def test_reputation_of_a_world() -> None:
    tables = small_tables(PACTS)
    equal = {"weight": "equal", "half_life": 1.0}
    got = column(
        tables, "directed-dyad-year", "alliance_reputation.reputation", (1822, 1823), **equal
    )
    # 230 kept faith with 20: of the three states that 10 hears from, one has something to tell.
    assert got[230, 10, 1822] == pytest.approx(0.5 / 3)
    assert got[230, 10, 1823] == pytest.approx(0.25 / 3)
    assert got[230, 20, 1822] == 0  # what 20 saw itself is no hearsay
    assert got[240, 10, 1822] == pytest.approx(-0.5 / 3)
    own = column(
        tables, "directed-dyad-year", "alliance_reputation.own_history", (1822, 1822), **equal
    )
    assert own[230, 20, 1822] == 0.5
    undirected = column(
        tables, "dyad-year", "alliance_reputation.own_history", (1822, 1822), **equal
    )
    assert undirected[20, 240, 1822] == pytest.approx(-0.25)


def test_agreements_by_year_kind_and_state() -> None:
    tables = small_tables(PACTS)
    years = (1824, 1837)
    number = column(tables, "dyad-year", "dca.dca_n", years)
    assert [number[10, 20, year] for year in (1824, 1825, 1826, 1830, 1834, 1836, 1837)] == [
        None, 0, 1, 2, 1, 1, None,
    ]  # fmt: skip
    forced = column(tables, "dyad-year", "dca.dca", years, since="force")
    assert [forced[10, 20, year] for year in (1826, 1827, 1828)] == [0, 0, 1]
    sure = column(tables, "dyad-year", "dca.dca_n", years, certain="sure")
    assert sure[10, 20, 1831] == 1
    training = column(tables, "dyad-year", "dca.dca_training", years)
    assert training[10, 20, 1827] == 1  # its second category
    procurement = column(tables, "dyad-year", "dca.dca_procurement", years)
    assert [procurement[10, 20, year] for year in (1829, 1830, 1834)] == [0, 1, 0]
    total = column(tables, "dyad-year", "dca.dca_cumulative", years)
    assert [total[10, 20, year] for year in (1825, 1826, 1830, 1836)] == [0, 1, 2, 2]
    begun = column(tables, "dyad-year", "dca.dca_begun", years)
    assert sum(count or 0 for count in begun.values()) == 3  # a state has none with itself
    partners = column(tables, "state-year", "dca.dca_partners", years)
    assert (partners[10, 1831], partners[650, 1826], partners[230, 1830]) == (1, 0, 0)
    state = column(tables, "state-year", "dca.dca_state_n", years)
    assert state[20, 1831] == 2
    directed = column(tables, "directed-dyad-year", "dca.dca", years)
    assert all(flag == directed[b, a, year] for (a, b, year), flag in directed.items())
