"""Alliance covariates on the real files, beside what other projects' files say of the same."""

from __future__ import annotations

import time

import igraph
import numpy as np
import pandas as pd
import polars as pl
import pytest

from foedus.covariates.assemble import VariableRequest, build_panel, build_variables
from foedus.sources.tables import Tables

pytestmark = pytest.mark.real

OLD = {"release": "4.01"}


def variables(
    tables: Tables, unit: str, years: tuple[int, int], asked: dict[str, VariableRequest]
) -> pl.DataFrame:
    frame = pl.from_arrow(build_variables(tables, unit, years, asked).table)
    assert isinstance(frame, pl.DataFrame)
    keys = [name for name in frame.columns if name not in asked]
    return frame.with_columns(pl.col(keys).cast(pl.Int64))


def test_types_from_flags_agree_with_bensons_reading(tables: Tables) -> None:
    """487 of the authors' 492 alliances are in ATOP 4.01.

    Deterrent and compellent are told apart in 478 and 449 of them. The finer types agree less, as
    they must: ATOP codes no aim of revision. No rule was chosen for the agreement.
    """
    names = ("compel_unconditional", "compel_conditional", "deter_unconditional",
             "deter_conditional", "deter_probabilistic")  # fmt: skip
    ours, theirs = (
        variables(
            tables, "alliance", (1815, 2016),
            {name: VariableRequest("alliance_types", f"alliance_{name}", options)
             for name in names},
        )
        for options in (OLD, {"coding": "authors"})
    )  # fmt: skip
    both = ours.join(theirs, on="atopid", suffix="_theirs").drop_nulls()
    assert both.height == 487
    agree = {name: int((both[name] == both[f"{name}_theirs"]).sum()) for name in names}
    assert agree == {
        "compel_unconditional": 452, "compel_conditional": 428, "deter_unconditional": 452,
        "deter_conditional": 416, "deter_probabilistic": 450,
    }  # fmt: skip
    for kind, least in (("deter", 478), ("compel", 449)):
        of_kind = [name for name in names if name.startswith(kind)]
        one = both.select(pl.max_horizontal(of_kind)).to_series()
        other = both.select(pl.max_horizontal(f"{name}_theirs" for name in of_kind)).to_series()
        assert (one == other).sum() == least


def test_depth_ranks_alliances_as_benson_and_clinton_do(tables: Tables) -> None:
    found = variables(
        tables, "alliance", (1815, 2018),
        {
            "index": VariableRequest("alliance_depth", "alliance_depth", {"when": "ever"}),
            "theirs": VariableRequest("alliance_depth", "alliance_depth_bc"),
            "institution": VariableRequest("alliance_institution", "military_institution"),
        },
    ).drop_nulls()  # fmt: skip
    assert found.height == 484
    ranks = found.select(pl.corr("index", "theirs", method="spearman")).item()
    assert ranks == pytest.approx(0.873, abs=0.005)
    means = found.group_by("institution").agg(pl.col("index").mean()).sort("institution")
    assert means["index"].is_sorted()


def test_scores_follow_haeges(tables: Tables) -> None:
    """By alliance and year, beside a file made from his scores by another project.

    What the file calls S is weighted by capabilities, as its numbers show, and ends with NMC 5's
    2012. His ties are COW's alliances, so that scores part where the two lists of alliances do.
    """
    ours = variables(
        tables, "alliance-year", (1816, 2012),
        {name: VariableRequest("alliance_cohesion", f"alliance_{name}_mean", OLD)
         for name in ("kappa", "pi", "s_weighted")},
    )  # fmt: skip
    theirs = tables.get("fp_similarity", "alliance_years").with_columns(
        pl.col("atopid", "year").cast(pl.Int64)
    )
    both = ours.join(theirs, on=["atopid", "year"]).drop_nulls()
    assert both.height > 12_000
    gaps = {"kappa": 0.05, "pi": 0.05, "s_weighted": 0.05}
    for name, most in gaps.items():
        column = f"mean_{name.removesuffix('_weighted')}"
        assert both.select(pl.corr(name, column)).item() > 0.92
        gap = (both[name] - both[column]).abs().median()
        assert isinstance(gap, float)
        assert gap < most
    early = both.filter(pl.col("year") <= 1870)
    assert early.height == 380
    for name in gaps:
        same = (early[name] - early[f"mean_{name.removesuffix('_weighted')}"]).abs() < 1e-5
        assert same.sum() == 264


def test_networks_are_igraphs(tables: Tables) -> None:
    """Ties of one year handed to igraph as edges: degrees, triangles, components, distances."""
    year = 1955
    ties = variables(
        tables, "dyad-year", (year, year), {"tie": VariableRequest("atop", "atop_defense")}
    )
    states = variables(
        tables, "state-year", (year, year),
        {name: VariableRequest("network", f"network_{name}")
         for name in ("degree", "triangles", "component_size", "clustering")},
    )  # fmt: skip
    apart = variables(
        tables, "dyad-year", (year, year),
        {"apart": VariableRequest("network_dyad", "network_distance", {"cap": 6})},
    )  # fmt: skip
    at = {code: place for place, code in enumerate(states["ccode"].to_list())}
    edges = ties.filter(pl.col("tie") == 1).select("ccode1", "ccode2").rows()
    graph = igraph.Graph(n=len(at), edges=[(at[a], at[b]) for a, b in edges])
    assert states["degree"].to_list() == graph.degree()
    sizes = {node: len(part) for part in graph.connected_components() for node in part}
    assert states["component_size"].to_list() == [sizes[node] for node in range(len(at))]
    local = graph.transitivity_local_undirected()
    ours = states["clustering"].fill_null(np.nan).to_numpy()
    np.testing.assert_allclose(ours, local, equal_nan=True)
    assert states["triangles"].sum() == 3 * len(graph.list_triangles())
    walks = graph.distances()
    for one, other, steps in apart.select("ccode1", "ccode2", "apart").iter_rows():
        expected = walks[at[one]][at[other]]
        assert steps == (0 if np.isinf(expected) else min(expected, 6))


def test_counts_of_pacts_add_up(tables: Tables) -> None:
    """A state's partners are its rows of the dyadic panel; its pacts are its member-years."""
    years = (1816, 2016)
    dyads = variables(
        tables, "directed-dyad-year", years, {"owed": VariableRequest("atop", "atop_any")}
    )
    counted = dyads.group_by("ccode2", "year").agg(pl.col("owed").sum()).rename({"ccode2": "ccode"})
    held = variables(
        tables, "state-year", years, {"held": VariableRequest("partner_counts", "holds_any_n")}
    )
    both = held.join(counted, on=["ccode", "year"])
    # Two members of a year that share no day of it are no dyad, and still in force with each other
    # by the year.
    assert (both["held"] >= both["owed"]).all()
    assert (both["held"] != both["owed"]).sum() < 20
    begun = variables(
        tables, "system-year", years, {"n": VariableRequest("system_pacts", "system_pacts",
                                                            {"tie": "any"})},
    )  # fmt: skip
    assert begun["n"].min() > 0


def test_agreements_of_dcad(tables: Tables) -> None:
    """Sums over dyads equal the file's own rows: each agreement and year once.

    But for 86 years of agreements with a state that isn't in the system: the Czech Republic (1991,
    two of 1992) and Brunei (1981) signed before they were, which leaves out four beginnings;
    agreements of Czechoslovakia and West Germany outlive them in the file.
    """
    rows = tables.get("dca", "agreements").filter(pl.col("ccode1") != pl.col("ccode2"))
    expected = int((rows["endyearestimate"] - rows["signyear"] + 1).sum())
    found = variables(
        tables, "dyad-year", (1980, 2010), {"n": VariableRequest("dca", "dca_n"),
                                            "begun": VariableRequest("dca", "dca_begun")},
    )  # fmt: skip
    assert found["begun"].sum() == rows.height - 4
    assert found["n"].sum() == expected - 86


def test_all_scores_take_less_than_ten_seconds(tables: Tables) -> None:
    tables.get("atop", "members")
    asked = {
        name: VariableRequest("similarity", name)
        for name in ("s_atop", "s_atop_weighted", "tau_b_atop", "kappa_atop", "pi_atop")
    }
    began = time.process_time()
    built = build_variables(tables, "dyad-year", (1816, 2016), asked)
    assert time.process_time() - began < 10.0  # 1.6 s when it was written
    for name in asked:
        values = built.columns[name]
        known = values[~np.isnan(values)]
        assert len(known) == len(values)
        assert known.max() <= 1 + 1e-6
        assert known.min() >= -1 - 1e-6


def test_every_alliance_column_has_values_on_the_system(tables: Tables) -> None:
    panel = build_panel(
        tables, "system-year", (1900, 1960),
        ["system_pacts", "system_blocs", "system_network", "system_polarity"],
    )  # fmt: skip
    frame = pd.DataFrame(panel.columns)
    assert not frame.isna().any().any()
    assert (frame["bloc_two"] <= 1).all()
    assert (frame["system_modularity"] <= 1).all()
    # 1955: NATO, Rio and Warsaw hold most of the system.
    assert frame.loc[frame["year"] == 1955, "system_tied_states"].item() > 0.7
