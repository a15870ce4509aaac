"""A state's place in the network of alliances, how far two states are apart in it, and its groups.

Nodes are the members of the system in a year, ties are obligations (`alliance_ties`). Counts and
distances are matrix products; communities are igraph's, by algorithms without chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.alliance_ties import TIE_OPTIONS, YearOfTies, each_year_of_ties
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import DyadYears, Rows, StateYears, Values, missing_of

Labels = NDArray[np.int64]

GROUPS = Option(
    "fastgreedy",
    "How communities are found: greedy gain of modularity (Clauset, Newman & Moore 2004) or short "
    "random walks (Pons & Latapy 2006), both without chance.",
    ("fastgreedy", "walktrap"),
)
OPTIONS: dict[str, Option] = {**TIE_OPTIONS, "groups": GROUPS}


def components(tied: NDArray[np.bool_]) -> Labels:
    """Return the component of each state, numbered by the place of its first member."""
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(tied, directed=False)
    return by_first(np.asarray(label, np.int64))


def by_first(label: Labels) -> Labels:
    """Return labels renamed to the position of the first state that has each."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], np.int64)


def graph_of(tied: NDArray[np.bool_]) -> Any:
    """Return the ties as an igraph graph, nodes and edges in their order."""
    import igraph

    one, other = np.nonzero(np.triu(tied))
    edges = np.column_stack([one, other]).tolist()
    return igraph.Graph(n=len(tied), edges=edges)


def communities(tied: NDArray[np.bool_], groups: str = "fastgreedy") -> Labels:
    """Return the community of each state; a state without a tie is one of its own.

    The division with the highest modularity in the algorithm's tree of mergers.
    """
    tied_at_all = np.flatnonzero(tied.any(axis=1))
    label = np.arange(len(tied), dtype=np.int64)
    if len(tied_at_all) == 0:
        return label
    graph = graph_of(tied[np.ix_(tied_at_all, tied_at_all)])
    tree = (
        graph.community_fastgreedy() if groups == "fastgreedy" else graph.community_walktrap()
    )  # fmt: skip
    found = np.asarray(_best_cut(graph, tree), np.int64)
    label[tied_at_all] = tied_at_all[by_first(found)]
    return label


def _best_cut(graph: Any, tree: Any) -> list[int]:
    """Return the membership of the tree's cut with the highest modularity.

    A tree has no cut with fewer groups than the graph has components.
    """
    # ASSUME: of cuts with the same modularity the one that igraph counts as best stands.
    fewest = len(graph.connected_components())
    count = max(int(tree.optimal_count), fewest)
    return list(tree.as_clustering(count).membership)


def modularity(tied: NDArray[np.bool_], label: Labels) -> float:
    """Return Newman's modularity of a division; NaN without ties."""
    degree = tied.sum(axis=1).astype(np.float64)
    total = degree.sum()
    if total == 0:
        return np.nan
    _, place = np.unique(label, return_inverse=True)
    inside = np.bincount(place, (tied * (place[:, None] == place[None, :])).sum(axis=1))
    share = np.bincount(place, degree) / total
    return float((inside / total - share**2).sum())


def triangles(tied: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how many pairs of each state's partners are partners of each other."""
    numbers = tied.astype(np.float64)
    return np.asarray(((numbers @ numbers) * numbers).sum(axis=1) / 2)


def clustering(tied: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of pairs of partners that are partners; NaN with fewer than two."""
    degree = tied.sum(axis=1).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = triangles(tied) / (degree * (degree - 1) / 2)
    return np.where(degree > 1, share, np.nan)


def distances(tied: NDArray[np.bool_], cap: int) -> NDArray[np.int8]:
    """Return the ties on the shortest path, `cap` for that many or more, 0 for no path."""
    label = components(tied)
    made = np.where(label[:, None] == label[None, :], cap, 0).astype(np.int8)
    numbers = tied.astype(np.float32)
    seen = np.eye(len(tied), dtype=bool)
    front = tied
    for step in range(1, cap):
        fresh = front & ~seen
        made[fresh] = step
        seen |= fresh
        front = (fresh.astype(np.float32) @ numbers) > 0
    np.fill_diagonal(made, 0)
    return made


@dataclass
class _Sizes:
    """Group sizes of a year, by state."""

    label: Labels

    def by_state(self) -> NDArray[np.int64]:
        _, inverse, count = np.unique(self.label, return_inverse=True, return_counts=True)
        return np.asarray(count[inverse], np.int64)


_STATE = {
    "network_degree": "Number of states that it is tied to.",
    "network_triangles": "Pairs of its partners that are tied to each other.",
    "network_component_size": "States that it reaches over ties, itself included.",
    "network_component": "COW number of the first state in its component.",
    "network_community": "COW number of the first state in its community.",
    "network_community_size": "States in its community, itself included.",
}


@covariate(
    name="network",
    title="A state's place in the network of alliances",
    columns=[
        *(
            ColumnSpec(
                name,
                "category" if name.endswith(("component", "community")) else "count",
                says,
                unit="COW number" if name.endswith(("component", "community"))
                else "pairs" if name == "network_triangles" else "states",
                level="state",
            )
            for name, says in _STATE.items()
        ),
        ColumnSpec("network_clustering", "number", "Share of pairs of its partners that are tied; "
                   "missing with fewer than two.", unit="share, 0-1", level="state",
                   absent="missing"),
    ],
    sources=["atop", "cow_states"],
    citations=["leeds_etal_2002", "cranmer_desmarais_menninga_2012",
               "clauset_newman_moore_2004", "pons_latapy_2006", "newman_2006"],
    options=OPTIONS,
    coverage_of=("atop", "cow_states"),
    examples=[
        Example(
            "Germany in 1900 has three partners by defence, of which two pairs are tied.",
            {"ccode": 255, "year": 1900},
            {"network_degree": 3, "network_triangles": 2, "network_clustering": 2 / 3,
             "network_component_size": 4, "network_component": 255},
            unit="state-year",
        ),
        Example(
            "Switzerland is alone.",
            {"ccode": 225, "year": 1900},
            {"network_degree": 0, "network_component_size": 1, "network_clustering": None},
            unit="state-year",
        ),
    ],
)  # fmt: skip
def network(context: Context) -> dict[str, Values]:
    """Make degree, triangles, clustering, component and community of each state.

    The measures of the network literature on alliances (Cranmer, Desmarais & Menninga 2012), on
    undirected ties by the obligation under option tie. A community is not a treaty: it is a set of
    states with more ties among themselves than their numbers of ties lead to expect.
    """
    system = context.system
    shape = (system.n_states, system.n_years)
    gone = missing_of(np.dtype(np.int32))
    grouped = {"network_community", "network_community_size"}
    made = {
        name: np.full(shape, gone, np.int32)
        for name in _STATE
        if name not in grouped or context.wanted & grouped
    }
    close = np.full(shape, np.nan)
    for year in each_year_of_ties(context):
        at, who, tied = year.at, year.members, year.tied
        made["network_degree"][who, at] = tied.sum(axis=1)
        made["network_triangles"][who, at] = triangles(tied)
        close[who, at] = clustering(tied)
        label = components(tied)
        made["network_component"][who, at] = system.ccodes[who[label]]
        made["network_component_size"][who, at] = _Sizes(label).by_state()
        if "network_community" in made:
            label = communities(tied, context.options["groups"])
            made["network_community"][who, at] = system.ccodes[who[label]]
            made["network_community_size"][who, at] = _Sizes(label).by_state()
    columns: dict[str, Values] = {name: StateYears(values) for name, values in made.items()}
    return columns | {"network_clustering": StateYears(close)}


@covariate(
    name="network_dyad",
    title="How far two states are apart in the network of alliances",
    columns=[
        ColumnSpec("network_distance", "category", "Ties on the shortest path between the two, "
                   "the cap (3) standing for that many or more; 0 if there is no path.",
                   unit="ties, 0 none", labels={0: "no path", 1: "direct tie"}),
        ColumnSpec("network_connected", "flag", "1 if a path of ties connects them."),
        ColumnSpec("network_same_community", "flag", "1 if they are in one community."),
        ColumnSpec("network_degree_product", "count", "Product of their numbers of ties.",
                   unit="states squared"),
    ],
    sources=["atop", "cow_states"],
    citations=["leeds_etal_2002", "cranmer_desmarais_menninga_2012",
               "clauset_newman_moore_2004", "pons_latapy_2006"],
    options={**OPTIONS, "cap": Option(3, "Distance at which counting stops.", (2, 3, 4, 5, 6))},
    coverage_of=("atop", "cow_states"),
    extras=["network_same_community", "network_degree_product"],
    examples=[
        Example(
            "Italy and Romania meet in Germany in 1900.",
            {"ccode1": 325, "ccode2": 360, "year": 1900},
            {"network_distance": 2, "network_connected": 1},
        ),
        Example(
            "No path leads from Germany to France.",
            {"ccode1": 220, "ccode2": 255, "year": 1900},
            {"network_distance": 0, "network_connected": 0, "network_same_community": 0},
        ),
    ],
)  # fmt: skip
def network_dyad(context: Context) -> dict[str, Values]:
    """Make distance, connection and common community of two states of the system.

    Distances beyond three ties are told apart by no theory of alliances, so that they are capped
    (option cap); no path is 0 and not a long one. Direct partners have distance 1.
    """
    system, wanted = context.system, context.wanted
    shape = (system.n_states, system.n_states, system.n_years)
    apart = np.zeros(shape, np.int8)
    product = np.zeros(shape, np.int16) if "network_degree_product" in wanted else None
    same = np.zeros(shape, np.int8) if "network_same_community" in wanted else None
    for year in each_year_of_ties(context):
        grid = np.ix_(year.members, year.members)
        apart[:, :, year.at][grid] = distances(year.tied, context.options["cap"])
        if product is not None:
            degree = year.tied.sum(axis=1).astype(np.int16)
            product[:, :, year.at][grid] = degree[:, None] * degree[None, :]
        if same is not None:
            label = communities(year.tied, context.options["groups"])
            same[:, :, year.at][grid] = label[:, None] == label[None, :]
    made: dict[str, Values] = {
        "network_distance": DyadYears(apart),
        "network_connected": DyadYears((apart > 0).astype(np.int8)),
    }
    if product is not None:
        made["network_degree_product"] = DyadYears(product)
    if same is not None:
        made["network_same_community"] = DyadYears(same)
    return made


_SYSTEM = {
    "system_density": ("Share of pairs of states that are tied.", "share, 0-1"),
    "system_clustering": ("Share of paths of two ties that close; missing without one.",
                          "share, 0-1"),
    "system_largest_component": ("Share of states in the largest component.", "share, 0-1"),
    "system_modularity": ("Modularity of the communities; missing without ties.",
                          "index, -0.5 to 1"),
}  # fmt: skip
_SYSTEM_COUNTS = {
    "system_components": "Components of two states or more.",
    "system_communities": "Communities of two states or more.",
}


@covariate(
    name="system_network",
    title="The network of alliances as a whole",
    columns=[
        *(
            ColumnSpec(name, "number", says, unit=unit, level="row", absent="missing")
            for name, (says, unit) in _SYSTEM.items()
        ),
        *(
            ColumnSpec(name, "count", says, unit="groups", level="row")
            for name, says in _SYSTEM_COUNTS.items()
        ),
    ],
    sources=["atop", "cow_states"],
    citations=["leeds_etal_2002", "newman_2006", "clauset_newman_moore_2004", "pons_latapy_2006"],
    options=OPTIONS,
    units=("system-year",),
    examples=[
        Example(
            "In 1900, among 42 states: the Triple Alliance with Romania (5 ties), Russia with "
            "France and China (2), Britain with Portugal (1).",
            {"year": 1900},
            {"system_components": 3, "system_largest_component": 4 / 42,
             "system_density": 8 / 861},
            unit="system-year",
        ),
    ],
)  # fmt: skip
def system_network(context: Context) -> dict[str, Values]:
    """Make density, clustering, components, communities and modularity by year."""
    years = context.spine.keys["year"].astype(np.int64) - context.system.first_year
    numbers = {name: np.full(len(years), np.nan) for name in _SYSTEM}
    counts = {name: np.zeros(len(years), np.int32) for name in _SYSTEM_COUNTS}
    for row, year in enumerate(each_year_of_ties(context)):
        assert year.at == years[row]
        for name, value in _whole(year, context.options["groups"]).items():
            (numbers if name in numbers else counts)[name][row] = value
    return {name: Rows(values) for name, values in (numbers | counts).items()}


def _whole(year: YearOfTies, groups: str) -> dict[str, float]:
    """Return every measure of one year's network."""
    tied = year.tied
    n = len(tied)
    degree = tied.sum(axis=1).astype(np.float64)
    paths = (degree * (degree - 1) / 2).sum()
    part, group = components(tied), communities(tied, groups)
    part_sizes = np.unique(part, return_counts=True)[1]
    group_sizes = np.unique(group, return_counts=True)[1]
    return {
        "system_density": degree.sum() / (n * (n - 1)) if n > 1 else np.nan,
        "system_clustering": triangles(tied).sum() / paths if paths else np.nan,
        "system_largest_component": part_sizes.max() / n if n else np.nan,
        "system_modularity": modularity(tied, group),
        "system_components": int((part_sizes > 1).sum()),
        "system_communities": int((group_sizes > 1).sum()),
    }
