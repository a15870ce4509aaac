"""Why states ally and for how long, on the real files: against pandas on the sources' own rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from foedus.covariates.assemble import VariableRequest, build_variables
from foedus.sources.tables import Tables

pytestmark = pytest.mark.real


def built(
    tables: Tables, unit: str, years: tuple[int, int], **asked: tuple[str, str]
) -> pd.DataFrame:
    requests = {name: VariableRequest(*what, {}) for name, what in asked.items()}
    return build_variables(tables, unit, years, requests).table.to_pandas()


def test_enemies_in_common_are_counted_from_the_disputes(tables: Tables) -> None:
    rows = built(tables, "dyad-year", (1938, 1938), shared=("shared_enemies", "shared_enemies"))
    disputes = built(
        tables, "directed-dyad-year", (1928, 1937), ongoing=("mid", "mid_ongoing")
    ).query("ongoing == 1")
    now = set(rows["ccode1"]) | set(rows["ccode2"])
    enemies = disputes.groupby("ccode1")["ccode2"].agg(lambda codes: set(codes) & now)
    for one, other, shared in rows[["ccode1", "ccode2", "shared"]].iloc[::37].to_numpy():
        both = enemies.get(one, set()) & enemies.get(other, set())
        assert shared == len(both), (one, other)
    assert rows["shared"].max() == 3


def test_strains_of_an_alliance_are_those_of_its_members(tables: Tables) -> None:
    names = ("concentration", "power_shift", "regime_change", "mutual_threat", "war_ended")
    rows = built(
        tables, "alliance-year", (1925, 1936),
        **{name: ("alliance_strains", f"alliance_{name}") for name in names},
    )  # fmt: skip
    locarno = rows[rows["atopid"] == 2130].set_index("year")
    members = [200, 211, 220, 255, 325]
    states = built(
        tables, "state-year", (1925, 1936), cinc=("nmc", "cinc"), polity=("polity", "polity2")
    )
    cinc = states.pivot(index="year", columns="ccode", values="cinc")[members]
    polity = states.pivot(index="year", columns="ccode", values="polity")[members]
    share = cinc.div(cinc.sum(axis=1), axis=0)
    spread = np.sqrt(((share**2).sum(axis=1) - 1 / 5) / (1 - 1 / 5))
    for year in (1925, 1930, 1935):
        assert locarno.loc[year, "concentration"] == pytest.approx(spread[year], abs=1e-12)
        shift = (cinc.loc[year] - cinc.loc[1925]).abs().mean()
        assert locarno.loc[year, "power_shift"] == pytest.approx(shift, abs=1e-12)
    # Germany's regime of 1933
    moved = polity.diff().abs().max(axis=1) >= 3
    assert list(locarno.loc[1926:1935, "regime_change"]) == list(moved.loc[1926:1935].astype(int))
    assert locarno.loc[1933, "regime_change"] == 1
    enemies = built(tables, "dyad-year", (1930, 1930), n=("shared_enemies", "shared_enemies"))
    pairs = enemies[enemies["ccode1"].isin(members) & enemies["ccode2"].isin(members)]
    assert len(pairs) == 10
    assert locarno.loc[1930, "mutual_threat"] == pytest.approx((pairs["n"] > 0).mean())
    # Italy's war against Ethiopia ends in May 1936
    assert locarno.loc[1936, "war_ended"] == 1
    assert locarno.loc[1934, "war_ended"] == 0


def test_war_after_an_alliance_is_an_entry_of_a_founder_within_five_years(tables: Tables) -> None:
    rows = built(
        tables, "alliance", (1816, 2000),
        war=("alliance_outlook", "alliance_war_ahead"),
        won=("alliance_outlook", "alliance_last_war_won"),
        major=("alliance_outlook", "alliance_all_major"),
    )  # fmt: skip
    members = tables.get("atop", "members").to_pandas()
    members["start"] = pd.to_datetime(members["start"])
    founding = members[
        members["start"] == members.groupby("atopid")["start"].transform("min")
    ].drop_duplicates(["atopid", "member"])
    wars = tables.get("cow_interstate_wars", "participants").to_pandas()
    wars["entry"] = pd.to_datetime(wars["start1"])
    wars["over"] = pd.to_datetime(wars["end2"].fillna(wars["end1"]))
    for row in rows.iloc[::9].itertuples():
        own = founding[founding["atopid"] == row.atopid]
        day = own["start"].iloc[0]
        theirs = wars[wars["ccode"].isin(own["member"])]
        gap = (theirs["entry"] - day).dt.days
        assert row.war == int(((gap > 0) & (gap <= 1826)).any()), row.atopid
        results = []
        for state in own["member"]:
            before = wars[(wars["ccode"] == state) & (wars["over"] <= day)]
            if len(before):
                last = before.sort_values(["over", "warnum"]).iloc[-1]
                results.append(last["outcome"] == 1)
        if results:
            assert row.won == pytest.approx(np.mean(results)), row.atopid
        else:
            assert np.isnan(row.won)
    assert rows.set_index("atopid").loc[1335, "major"] == 1
    assert rows.set_index("atopid").loc[3180, "major"] == 0
