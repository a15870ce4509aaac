"""Networks, blocs and polarity against walks and sums written out."""

from __future__ import annotations

import itertools
from typing import Any

import igraph
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foedus.covariates.alliance_blocs import esteban_ray, linkage_clusters, tightness
from foedus.covariates.alliance_network import (
    by_first,
    clustering,
    communities,
    components,
    distances,
    modularity,
    triangles,
)
from foedus.covariates.system_facts import concentration
from tests.covariates.alliance_worlds import (
    CINC,
    CODES,
    OBLIGATIONS,
    column,
    matrix,
    present,
    small_tables,
    worlds,
)

Matrix = np.ndarray[Any, Any]


@st.composite
def networks(draw: st.DrawFn) -> Matrix:
    n = draw(st.integers(1, 9))
    drawn = np.triu(draw(hnp.arrays(np.bool_, (n, n))), 1)
    return np.asarray(drawn | drawn.T)


def walk(tied: Matrix, one: int) -> dict[int, int]:
    """Return the distance from one node to every node that it reaches."""
    seen = {one: 0}
    front = [one]
    while front:
        front = [
            k for node in front for k in np.flatnonzero(tied[node]) if k not in seen
        ]  # fmt: skip
        step = max(seen.values()) + 1
        seen |= dict.fromkeys(front, step)
    return seen


@settings(max_examples=80, deadline=None)
@given(networks(), st.integers(2, 4))
def test_distances_are_shortest_walks(tied: Matrix, cap: int) -> None:
    found = distances(tied, cap)
    for one, other in np.ndindex(tied.shape):
        reached = walk(tied, one).get(other, 0)
        assert found[one, other] == min(reached, cap)
    parts = components(tied)
    for one in range(len(tied)):
        assert set(np.flatnonzero(parts == parts[one])) == set(walk(tied, one))
        assert parts[one] == min(walk(tied, one))


@settings(max_examples=80, deadline=None)
@given(networks())
def test_triangles_are_pairs_of_partners_that_are_tied(tied: Matrix) -> None:
    closed, shares = triangles(tied), clustering(tied)
    for one in range(len(tied)):
        pairs = list(itertools.combinations(np.flatnonzero(tied[one]), 2))
        count = sum(bool(tied[a, b]) for a, b in pairs)
        assert closed[one] == count
        expected = count / len(pairs) if pairs else np.nan
        assert shares[one] == pytest.approx(expected, nan_ok=True)


@settings(max_examples=80, deadline=None)
@given(networks(), st.sampled_from(["fastgreedy", "walktrap"]))
def test_communities_lie_in_components_and_have_igraphs_modularity(
    tied: Matrix, groups: str
) -> None:
    label = communities(tied, groups)
    parts = components(tied)
    assert (by_first(label) == label).all()
    for one, other in np.ndindex(tied.shape):
        if label[one] == label[other]:
            assert parts[one] == parts[other]
    graph = igraph.Graph.Adjacency(tied.tolist(), mode="max")
    if tied.any():
        theirs = graph.modularity(by_first(label).tolist())
        assert modularity(tied, label) == pytest.approx(theirs, abs=1e-12)
        # No worse than one community a component, which every tree of mergers reaches.
        assert theirs >= graph.modularity(parts.tolist()) - 1e-12
    else:
        assert np.isnan(modularity(tied, label))
    assert (communities(tied, groups) == label).all()


def test_two_cliques_with_one_bridge_are_two_communities() -> None:
    tied = np.zeros((8, 8), bool)
    for group in (range(4), range(4, 8)):
        for one, other in itertools.permutations(group, 2):
            tied[one, other] = True
    tied[3, 4] = tied[4, 3] = True
    for groups in ("fastgreedy", "walktrap"):
        assert communities(tied, groups).tolist() == [0, 0, 0, 0, 4, 4, 4, 4]


@settings(max_examples=10, deadline=None)
@given(worlds(), st.sampled_from([*OBLIGATIONS, "any"]))
def test_columns_of_a_world(treaties: list[Any], tie: str) -> None:
    tables, years = small_tables(treaties), (1819, 1828)
    degree = column(tables, "state-year", "network.network_degree", years, tie=tie)
    part = column(tables, "state-year", "network.network_component", years, tie=tie)
    apart = column(tables, "dyad-year", "network_dyad.network_distance", years, tie=tie)
    whole = {
        name: column(tables, "system-year", f"system_network.system_{name}", years, tie=tie)
        for name in ("density", "components", "largest_component")
    }
    pacts = {
        name: column(tables, "system-year", f"system_pacts.system_{name}", years, tie=tie)
        for name in ("tied_states", "tied_cinc", "tied_majors", "mean_partners", "pacts")
    }
    region = column(tables, "state-year", "region_pacts.region_density", years, tie=tie)
    for year in range(years[0], years[1] + 1):
        tied = matrix(treaties, year, tie)
        who = [code for code in CODES if present(code, year)]
        n = len(who)
        walks = [walk(tied, at) for at in range(n)]
        for at, code in enumerate(who):
            assert degree[code, year] == tied[at].sum()
            assert part[code, year] == who[min(walks[at])]
        for one, other in itertools.combinations(range(n), 2):
            expected = min(walks[one].get(other, 0), 3)
            assert apart[who[one], who[other], year] == expected
        sizes = {min(each): len(each) for each in walks}
        assert whole["density"][year] == pytest.approx(tied.sum() / (n * (n - 1)))
        assert whole["components"][year] == sum(size > 1 for size in sizes.values())
        assert whole["largest_component"][year] == max(sizes.values()) / n
        allied = tied.any(axis=1)
        assert pacts["tied_states"][year] == pytest.approx(allied.mean())
        assert pacts["mean_partners"][year] == pytest.approx(tied.sum() / n)
        assert pacts["tied_majors"][year] == np.mean([allied[0], allied[2]])
        held = sum(CINC[code] for code, yes in zip(who, allied, strict=True) if yes)
        assert pacts["tied_cinc"][year] == pytest.approx(held / sum(CINC[code] for code in who))
        names = list(OBLIGATIONS.values()) if tie == "any" else [OBLIGATIONS[tie]]
        standing = [
            each
            for each in treaties
            if any(name in owes for owes in each.owes.values() for name in names)
            and any(each.bound(a, b, year) for a, b in itertools.combinations(CODES, 2))
        ]
        assert pacts["pacts"][year] == len(standing)
        assert region[10, year] == region[20, year] == float(tied[0, 1])
        assert region.get((650, year)) is None


def test_linkage_follows_the_highest_score() -> None:
    tau = np.array(
        [
            [1.0, 0.9, 0.1, -0.2, np.nan],
            [0.9, 1.0, 0.2, -0.1, np.nan],
            [0.1, 0.2, 1.0, 0.05, np.nan],
            [-0.2, -0.1, -0.3, 1.0, np.nan],
            [np.nan, np.nan, np.nan, np.nan, 1.0],
        ]
    )
    label = linkage_clusters(tau.copy())
    # 0 and 1 like each other best, 2 likes 1; 3's best score isn't above 0; 4's are unknown.
    assert label.tolist() == [0, 0, 0, 3, 4]
    within, between = tightness(tau, label)
    assert within == pytest.approx((0.9 + 0.1 + 0.2) / 3)
    assert between == pytest.approx((-0.2 - 0.1 + 0.05) / 3)
    assert np.isnan(tightness(tau[:2, :2], np.array([0, 0]))[1])


def test_esteban_ray_is_one_for_two_equal_blocs_and_0_for_one() -> None:
    for alpha in (0.5, 1.0, 1.6):
        assert esteban_ray(np.array([5.0, 5.0]), alpha) == pytest.approx(1)
        assert esteban_ray(np.array([7.0]), alpha) == 0
        sizes = np.array([3.0, 2.0, 1.0])
        share = sizes / 6
        total = sum(
            share[i] ** (1 + alpha) * share[j] for i in range(3) for j in range(3) if i != j
        )
        assert esteban_ray(sizes, alpha) == pytest.approx(2 ** (1 + alpha) * total)


def test_blocs_by_components() -> None:
    """One bloc of three and one of two among five, by states and by CINC."""
    from tests.covariates.alliance_worlds import Treaty

    pacts = [
        Treaty(1, dict.fromkeys((10, 20, 230), (1820, 1830)),
               dict.fromkeys((10, 20, 230), frozenset({"defense"})), {"bilat": 0}),
        Treaty(2, dict.fromkeys((240, 650), (1820, 1830)),
               dict.fromkeys((240, 650), frozenset({"defense"})), {"bilat": 1}),
    ]  # fmt: skip
    tables = small_tables(pacts)

    def value(of: str, **options: Any) -> float:
        got = column(
            tables, "system-year", f"system_blocs.{of}", (1822, 1822), blocs="components", **options
        )
        return float(got[1822])

    assert value("bloc_largest") == pytest.approx(0.6)
    assert value("bloc_second") == pytest.approx(0.4)
    assert value("bloc_parity") == pytest.approx(2 / 3)
    assert value("bloc_polarity") == pytest.approx(1 / (0.36 + 0.16))
    assert value("bloc_largest", weight="cinc") == pytest.approx(0.6)
    assert value("tau_clusters") == 2
    # Portfolios within a bloc are the same, ties to oneself included: tau-b 1.
    assert value("tau_tightness") == pytest.approx(1)
    assert value("tau_discreteness") == pytest.approx(1)


def test_polarity_by_its_sums() -> None:
    tables = small_tables(_one_pact())
    years = (1816, 1839)

    def values(of: str, **options: Any) -> dict[int, Any]:
        return column(tables, "system-year", f"system_polarity.{of}", years, **options)

    share = np.array([0.1, 0.3]) / 0.4
    assert values("system_herfindahl")[1820] == pytest.approx((share**2).sum())
    assert values("system_effective_powers")[1820] == pytest.approx(1 / (share**2).sum())
    assert values("system_herfindahl", among="states")[1820] == pytest.approx(
        sum(value**2 for value in CINC.values())
    )
    assert values("system_poles")[1820] == 4  # 0.15 and more
    assert values("system_second_share")[1820] == pytest.approx(0.25 / 0.3)
    assert values("system_con_change")[1821] == pytest.approx(0)
    assert values("system_con_change")[1820] is None  # five years before aren't covered
    assert values("system_move")[1821] == pytest.approx(0)


def _one_pact() -> list[Any]:
    from tests.covariates.alliance_worlds import Treaty

    return [Treaty(1, dict.fromkeys((10, 20), (1820, 1830)),
                   dict.fromkeys((10, 20), frozenset({"defense"})), {"bilat": 1})]  # fmt: skip


def test_movement_is_what_changed_hands() -> None:
    from foedus.covariates.alliance_blocs import _movement

    shares = np.array([[0.5, 0.3], [0.5, 0.5], [0.0, 0.2]])
    group = np.array([[True, True], [True, True], [False, True]])
    moved = _movement(shares, group, np.array([0, 1]), 1)
    assert np.isnan(moved[0])
    assert moved[1] == pytest.approx((0.2 + 0.0 + 0.2) / (2 * (1 - 0.2)))
    assert concentration(shares, group)[0] == 0
