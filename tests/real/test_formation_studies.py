"""Why states ally and for how long, on the real files: against pandas on the sources' own rows."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from foedus.covariates.assemble import VariableRequest, build_variables
from foedus.covariates.k_ads import build_k_ads
from foedus.panels.k_ads import count_sets
from foedus.panels.units import load_system
from foedus.sources.tables import Tables
from foedus.studies.design import overridden
from foedus.studies.estimation import Estimation, Memo
from foedus.studies.frame import Workshop
from foedus.studies.k_ad_ground import KAdGround
from foedus.studies.measures import MeasureContext
from foedus.studies.measures_k_ads import k_ad_population
from foedus.studies.registry import get_study
from foedus.studies.run import run_design
from foedus.studies.schema import KAdSets, Universe

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


def test_sets_of_three_have_the_columns_of_the_panel_of_triads(tables: Tables) -> None:
    ground = KAdGround(
        tables, load_system(tables),
        Universe(unit="k-ad-year", years=(1951, 1953), sets=KAdSets(sizes=(3,), controls=30)),
    )  # fmt: skip
    panel = build_k_ads(
        tables, (1951, 1953), ["nmc", "capital_distance", "rivalry"], controls=30
    ).table.to_pandas()
    for key in ("ccode1", "ccode2", "ccode3", "year", "formed", "weight"):
        np.testing.assert_array_equal(ground.own(key), panel[key])
    for covariate, column in (
        ("nmc", "cinc_max"), ("nmc", "cinc_mean"), ("capital_distance", "capital_distance_km_min"),
        ("rivalry", "rivalry_tss_share"),
    ):  # fmt: skip
        made, _ = ground.column(covariate, column, {})
        np.testing.assert_allclose(made, panel[column], rtol=1e-12)


def test_sets_of_two_and_four_look_at_the_year_before(tables: Tables) -> None:
    sets = KAdSets(sizes=(2, 4), controls=25, lag=1)
    system = load_system(tables)
    ground = KAdGround(tables, system, Universe(unit="k-ad-year", years=(1955, 1960), sets=sets))
    rows = pd.DataFrame({name: ground.own(name) for name in ground.names})
    rows["total"], _ = ground.column("nmc", "cinc_sum", {})
    rows["allied"], _ = ground.column("atop", "atop_any_mean", {})
    states = built(tables, "state-year", (1954, 1959), cinc=("nmc", "cinc"))
    cinc = states.set_index(["ccode", "year"])["cinc"]
    pairs = built(tables, "dyad-year", (1954, 1959), any=("atop", "atop_any"))
    tied = pairs.set_index(["ccode1", "ccode2", "year"])["any"]
    codes = [f"ccode{at}" for at in (1, 2, 3, 4)]
    for row in rows.iloc[::11].itertuples():
        members = [int(getattr(row, code)) for code in codes if not np.isnan(getattr(row, code))]
        assert len(members) == row.members
        year = int(row.year) - 1
        total = sum(cinc.get((one, year), np.nan) for one in members)
        if np.isnan(total):
            assert np.isnan(row.total)
            continue
        assert row.total == pytest.approx(total, rel=1e-9)
        found = [tied.get((*pair, year), 0) for pair in itertools.combinations(members, 2)]
        assert row.allied == pytest.approx(np.mean(found))
    # weights add up to all sets of states that share a day of the year
    for (size, year), part in rows.groupby(["members", "year"]):
        at = int(year) - system.first_year
        present = np.flatnonzero(system.member[:, at])
        every = count_sets(system.together[:, :, at], present, int(size))
        assert part["weight"].sum() == pytest.approx(every, rel=1e-9)


def test_the_authors_population_is_that_of_196_states(tables: Tables) -> None:
    found = {
        row.term: row.estimate
        for row in k_ad_population(MeasureContext(tables, {"sizes": (2, 3), "years": (1990, 1991)}))
    }
    together = built(tables, "dyad-year", (1990, 1991), major=("major", "major1"))
    states = set(together["ccode1"]) | set(together["ccode2"])
    assert found["states"] == len(states)
    assert found["sets of all states"] == math.comb(len(states), 2) + math.comb(len(states), 3)
    assert found["sets of a year"] > len(together)
    # the number in Poast's program
    assert sum(math.comb(196, size) for size in (2, 3, 4, 5)) == 2_350_534_459


def test_a_weighted_logit_of_sets_is_that_of_newtons_method(tables: Tables) -> None:
    study = get_study(tables.project, "poast_2010_gibler_wolford_2006")
    run = run_design(study, tables, choices=False)
    rows = run.estimates.to_pandas().query("model == 'capabilities' and covariance == 'HC1'")
    ground = KAdGround(tables, load_system(tables), study.design.universe)
    most, total = (ground.column("nmc", f"cinc_{how}", {})[0] for how in ("max", "sum"))
    ratio = most / total
    kept = ~np.isnan(ratio) & (ratio != 1)
    X = np.column_stack([np.ones(kept.sum()), ratio[kept]])
    y, w = ground.own("formed")[kept], ground.own("weight")[kept]
    b = np.array([np.log(y @ w / w.sum()), 0.0])
    for _ in range(40):
        p = 1 / (1 + np.exp(-X @ b))
        hessian = (X * (w * p * (1 - p))[:, None]).T @ X
        b = b + np.linalg.solve(hessian, X.T @ (w * (y - p)))
    bread = np.linalg.inv(hessian)
    scores = X * (w * (y - p))[:, None]
    n, k = X.shape
    errors = np.sqrt(np.diag(bread @ (scores.T @ scores) @ bread) * n / (n - k))
    np.testing.assert_allclose(rows["estimate"], b, rtol=1e-6)
    np.testing.assert_allclose(rows["std_error"], errors, rtol=1e-6)


def test_pacts_on_cows_list_are_those_with_its_number(tables: Tables) -> None:
    asked = {
        name: VariableRequest("atop", "atop_any", {"listed": name})
        for name in ("any", "cow3", "cow4")
    }
    asked["made"] = VariableRequest("alliance_formation", "formation", {"listed": "cow3"})
    rows = build_variables(tables, "dyad-year", (1934, 1934), asked).table.to_pandas()
    rows = rows.set_index(["ccode1", "ccode2"])
    assert (rows["any"] >= rows["cow3"]).all()
    assert rows["any"].sum() > rows["cow3"].sum() > 0
    members = tables.get("atop", "members").to_pandas()
    for column in ("start", "end"):
        members[column] = pd.to_datetime(members[column]).dt.year
    standing = members[(members["start"] <= 1934) & ~(members["end"] < 1934)]
    for name, number in (("cow3", "cowid"), ("cow4", "cow4id")):
        numbered = standing[standing[number].notna()]
        tied = set()
        for _, pact in numbered.groupby(["atopid", "phase"]):
            tied |= set(itertools.combinations(sorted(set(pact["member"])), 2))
        # a tie needs an obligation between the two on a common day, which these may lack
        found = set(rows.index[rows[name] == 1])
        assert found <= tied
        assert len(found) > 0.9 * len(tied & set(rows.index))
    # Germany and Poland promise each other peace in January 1934
    assert rows.loc[(255, 290), ["cow3", "made"]].tolist() == [1, 1]


def test_johnsons_targets_make_pacts_as_counted_by_pandas(tables: Tables) -> None:
    study = get_study(tables.project, "johnson_2017_isq")
    design = overridden(study.raw, {"universe.years": [1870, 1900]}, study.origin)
    made = Estimation(Memo(tables, Workshop(tables)), design).fit("win")
    rows = built(
        tables, "directed-dyad-year", (1870, 1900),
        held=("atop_third_party", "target_defense"), cinc1=("nmc", "cinc1"),
        cinc2=("nmc", "cinc2"), t_maj=("major", "major2"), contig=("contiguity", "contiguous"),
        c_ally=("atop_third_party", "challenger_offense"),
    ).sort_values(["ccode1", "ccode2", "year"])  # fmt: skip
    pair = rows.groupby(["ccode1", "ccode2"])
    before = pair["held"].shift().where(pair["year"].diff() == 1)
    # years in a row without a pact before this one, counted row by row
    lacking, count = [], 0
    for was, follows in zip(before, before.notna(), strict=True):
        count = count + 1 if follows and was == 0 else 0
        lacking.append(count)
    rows["lacking"] = lacking
    rows["c_win"] = rows["cinc1"] / (rows["cinc1"] + rows["cinc2"])
    used = rows[(before == 0)].dropna(subset=["c_win", "t_maj", "contig", "c_ally", "held"])
    assert (made.n_obs, made.n_events) == (len(used), int(used["held"].sum()))
    columns = [used[name].to_numpy(float) for name in ("c_win", "t_maj", "contig", "c_ally")]
    time = used["lacking"].to_numpy(float)
    X = np.column_stack([np.ones(len(used)), *columns, time, time**2, time**3])
    probit = sm.Probit(used["held"].to_numpy(float), X).fit(disp=0, tol=1e-12, maxiter=100)
    found = dict(zip(made.names, made.params, strict=True))
    for place, name in enumerate(("(Intercept)", "c_win", "t_maj", "ct_contig", "c_ally")):
        assert found[name] == pytest.approx(probit.params[place], abs=1e-6), name
