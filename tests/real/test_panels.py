"""Panels on the real files, beside panels that another package made from the same releases.

The samples in shared/samples were built in R by peacesciencer, from public releases of the same
data; cells that differ are counted and explained here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from foedus.covariates.assemble import (
    Builder,
    VariableRequest,
    build_panel,
    build_variables,
    column_names,
)
from foedus.covariates.registry import Covariate, Example, registry
from foedus.panels.units import build_spine, get_unit
from foedus.sources.tables import Tables

pytestmark = pytest.mark.real

YEARS = (1816, 2010)


@pytest.fixture(scope="module")
def directed(real_samples: Path) -> pl.DataFrame:
    return pl.read_csv(real_samples / "sample_ddy.csv.gz")


@pytest.fixture(scope="module")
def relevant(real_samples: Path) -> pl.DataFrame:
    return pl.read_csv(real_samples / "sample_prd.csv.gz")


def beside(
    tables: Tables, sample: pl.DataFrame, unit: str, covariate: str, column: str
) -> pl.DataFrame:
    """The sample with our column `ours` joined to it; every row of it must be one of ours."""
    panel = build_variables(tables, unit, YEARS, {"ours": VariableRequest(covariate, column)})
    rebuilt = pl.from_arrow(panel.table)
    assert isinstance(rebuilt, pl.DataFrame)
    keys = ["ccode1", "ccode2", "year"]
    joined = sample.join(rebuilt.with_columns(found=pl.lit(1)), on=keys, how="left")
    assert joined["found"].null_count() == 0
    return joined


def test_directed_dyad_years_number_what_they_must(tables: Tables) -> None:
    spine = build_spine(tables, "directed-dyad-year", YEARS)
    assert spine.n_rows == 1_685_310
    assert np.all(np.diff(spine.cube_position) > 0)
    assert build_spine(tables, "dyad-year", YEARS).n_rows == 1_685_310 // 2


def test_state_years_are_those_of_the_released_list(tables: Tables) -> None:
    spine = build_spine(tables, "state-year", (1816, 2016))
    released = tables.get("cow_states", "system").select("ccode", "year").sort("ccode", "year")
    np.testing.assert_array_equal(spine.keys["ccode"], released["ccode"].to_numpy())
    np.testing.assert_array_equal(spine.keys["year"], released["year"].to_numpy())


@pytest.mark.parametrize(
    ("covariate", "column", "theirs"),
    [
        ("major", "major1", "major1"),
        ("major", "major2", "major2"),
        ("contiguity", "contiguous", "contig"),
        ("peace_years", "gml_peace_years", "t"),
    ],
)
def test_directed_columns_equal_the_other_packages(
    tables: Tables, directed: pl.DataFrame, covariate: str, column: str, theirs: str
) -> None:
    joined = beside(tables, directed, "directed-dyad-year", covariate, column)
    assert joined.filter(pl.col("ours").is_null() | (pl.col("ours") != pl.col(theirs))).height == 0


def test_distances_equal_the_other_packages(tables: Tables, directed: pl.DataFrame) -> None:
    column = "capital_distance_km"
    joined = beside(tables, directed, "directed-dyad-year", "capital_distance", column)
    # The sample has log(km + 1), printed to seven digits.
    gap = (joined["ours"] + 1).log() - joined["lndist"]
    assert gap.abs().max() < 1e-6  # type: ignore[operator]


def test_capability_shares_equal_the_other_packages(tables: Tables, directed: pl.DataFrame) -> None:
    joined = beside(tables, directed, "directed-dyad-year", "capability_share", "capability_share")
    gap = (joined["ours"].log() - joined["lncapshare"]).abs()
    # Another release of NMC lies behind the sample: most cells agree to its printed digits.
    assert (gap < 1e-4).mean() > 0.95  # type: ignore[operator]


def test_gml_onsets_equal_the_other_packages(tables: Tables, relevant: pl.DataFrame) -> None:
    joined = beside(tables, relevant, "dyad-year", "gml", "gml_onset")
    assert joined.filter(pl.col("ours") != pl.col("y")).height == 0
    assert joined["ours"].sum() == 2619


def test_war_onsets_differ_in_one_known_cell(tables: Tables, relevant: pl.DataFrame) -> None:
    """France fought Japan from 1944 on after it had left the war; R's package has no onset then."""
    joined = beside(tables, relevant, "dyad-year", "war", "war_onset")
    # The sample leaves out ongoing years (32), and both are empty after 2007.
    unlike = joined.filter(pl.col("ours").is_null() != pl.col("y_war").is_null())
    assert unlike.height == 32
    assert (unlike["ours"] == 0).all()
    differing = joined.filter(pl.col("ours") != pl.col("y_war"))
    assert differing.select("ccode1", "ccode2", "year").rows() == [(220, 740, 1944)]


def test_the_dispute_that_speaks_for_a_year_is_the_other_packages(
    tables: Tables, relevant: pl.DataFrame
) -> None:
    """Onset first, then fatality, hostility and duration: the order in which it whittles them."""
    gml = {"source": "gml"}
    variables = {
        "level": VariableRequest("conflict", "conflict_hostility", gml),
        "deaths": VariableRequest("conflict", "conflict_fatality", gml),
        "days": VariableRequest("conflict", "conflict_days_min", gml),
        "began": VariableRequest("conflict", "conflict_onset", {**gml, "continuing": "missing"}),
    }
    frame = pl.from_arrow(build_variables(tables, "dyad-year", YEARS, variables).table)
    assert isinstance(frame, pl.DataFrame)
    joined = relevant.join(frame, on=["ccode1", "ccode2", "year"], how="left")
    # Its rows are those left when years that only continue a dispute are dropped.
    assert joined.filter(pl.col("began").ne_missing(pl.col("y"))).is_empty()
    onsets = joined.filter(y=1)
    assert onsets.height == 2619
    for ours, theirs in (("level", "hostlev"), ("deaths", "fatality"), ("days", "mindur")):
        assert onsets.filter(pl.col(ours).fill_null(-9).ne_missing(pl.col(theirs))).is_empty()


@pytest.mark.parametrize("unit", ["dyad-year", "directed-dyad-year"])
@pytest.mark.parametrize("source", ["mid", "gml", "war"])
def test_conflict_by_source_is_the_contracts_column(tables: Tables, unit: str, source: str) -> None:
    who = {} if source == "war" else {"who": "any"}
    pairs = ("onset", "ongoing", "initiated")
    variables = {name: VariableRequest(source, f"{source}_{name}", who) for name in pairs}
    variables |= {
        f"other_{name}": VariableRequest(
            "conflict", f"conflict_{name}", {"source": source, "who": "any"}
        )
        for name in pairs
    }
    variables["years"] = VariableRequest("peace_years", f"{source}_peace_years")
    variables["other_years"] = VariableRequest(
        "conflict_history", "conflict_peace_years", {"source": source}
    )
    frame = pl.from_arrow(build_variables(tables, unit, YEARS, variables).table)
    assert isinstance(frame, pl.DataFrame)
    for name in (*pairs, "years"):
        assert frame[name].equals(frame[f"other_{name}"].alias(name), null_equal=True), name


def test_spline_terms_equal_rs(tables: Tables, real_samples: Path, relevant: pl.DataFrame) -> None:
    """splines::ns with knots 1, 4, 7 on the years of the politically relevant dyads, 0 to 194."""
    basis = pl.read_csv(real_samples / "spline_basis_prd.csv")
    options = {"boundary": [0, 194]}
    terms = [f"gml_peace_years_s{term}" for term in (1, 2, 3, 4)]
    variables = {name: VariableRequest("peace_years", name, options) for name in terms}
    frame = pl.from_arrow(build_variables(tables, "dyad-year", YEARS, variables).table)
    assert isinstance(frame, pl.DataFrame)
    joined = relevant.join(frame, on=["ccode1", "ccode2", "year"], how="left").join(basis, on="t")
    assert joined.height == relevant.height
    for name, theirs in zip(terms, ("b1", "b2", "b3", "b4"), strict=True):
        # Both are doubles of a few operations each.
        assert (joined[name] - joined[theirs]).abs().max() < 1e-12  # type: ignore[operator]


def test_disputes_that_states_enter_equal_the_samples_but_for_second_spells(
    tables: Tables, real_samples: Path
) -> None:
    """The sample counts spells of participation: a state that comes back into a dispute twice."""
    sample = pl.read_csv(real_samples / "sample_symid.csv.gz")
    request = VariableRequest("state_conflict", "state_conflicts_entered", {"source": "gml"})
    frame = pl.from_arrow(build_variables(tables, "state-year", YEARS, {"ours": request}).table)
    assert isinstance(frame, pl.DataFrame)
    joined = sample.join(frame, on=["ccode", "year"], how="left")
    differing = joined.filter(pl.col("ours").ne_missing(pl.col("n_onset")))
    assert differing.height == 19
    spells = (
        tables.get("gml_mid", "participants").group_by("ccode", year="styear").agg(spells=pl.len())
    )
    again = differing.join(spells, on=["ccode", "year"], how="left")
    assert again.filter(pl.col("spells") == pl.col("n_onset")).height >= 18


def test_relevant_dyads_are_the_other_packages(tables: Tables, relevant: pl.DataFrame) -> None:
    """Every row of its politically relevant sample, by land or water or with a major power."""
    joined = beside(tables, relevant, "dyad-year", "political_relevance", "politically_relevant")
    assert (joined["ours"] == 1).all()


def test_power_ratios_equal_the_other_packages(tables: Tables, relevant: pl.DataFrame) -> None:
    joined = beside(tables, relevant, "dyad-year", "capability_ratio", "log_capability_ratio")
    # Another release of NMC lies behind the sample: most cells agree to four digits.
    assert ((joined["ours"] - joined["lncaprat"]).abs() < 1e-4).mean() > 0.94  # type: ignore[operator]


def test_countries_by_name_or_code_find_their_states(tables: Tables) -> None:
    """SIPRI's names and Maddison's codes: one row a state and year, few left over."""
    for covariate, column, least in (
        ("military_spending", "sipri_milex", 7100),
        ("maddison", "maddison_population", 11000),
    ):
        request = {"v": VariableRequest(covariate, column)}
        panel = build_variables(tables, "state-year", (1816, 2016), request)
        known = panel.table.num_rows - panel.table["v"].null_count
        assert known > least, covariate


@pytest.mark.parametrize("unit", ["dyad-year", "directed-dyad-year"])
def test_defence_equals_atops_dyadic_file(
    tables: Tables, directed: pl.DataFrame, relevant: pl.DataFrame, unit: str
) -> None:
    """R's package takes it from ATOP's dyadic file, coded by hand where obligations vary."""
    sample = directed if unit.startswith("directed") else relevant
    joined = beside(tables, sample, unit, "atop", "atop_defense")
    assert joined.filter(pl.col("ours") != pl.col("defense")).height == 0


def test_columns_outside_coverage_are_missing_and_inside_are_not(tables: Tables) -> None:
    """The last covered year, and the year after it, of every source that ends before 2016."""
    for column, covariate, last in [
        ("mid_onset", "mid", 2014),
        ("gml_onset", "gml", 2010),
        ("war_onset", "war", 2007),
        ("mid_peace_years", "peace_years", 2014),
        ("rivalry_td", "rivalry", 2010),
        ("conflict_onset", "conflict", 2014),
        ("conflict_prior_all", "conflict_history", 2014),
        ("extra_war_ongoing1", "extrastate_war", 2007),
        ("intra_war_onset2", "intrastate_war", 2014),
        ("state_conflicts_ongoing1", "state_conflict", 2014),
        ("arms_race", "arms_race", 1984),
    ]:
        panel = build_variables(
            tables, "dyad-year", (last, last + 1), {"v": VariableRequest(covariate, column)}
        )
        frame = pl.from_arrow(panel.table)
        assert isinstance(frame, pl.DataFrame)
        assert frame.filter(pl.col("year") == last)["v"].null_count() == 0
        assert frame.filter(pl.col("year") == last + 1)["v"].is_null().all()


# Those made on request read files that only a user can bring.
EXAMPLES = [
    (entry, example)
    for entry in registry().values()
    if not entry.on_request
    for example in entry.examples
]


@pytest.mark.parametrize(
    ("entry", "example"), EXAMPLES, ids=[f"{e.name}-{at}" for at, (e, _) in enumerate(EXAMPLES)]
)
def test_every_example_row_holds(tables: Tables, entry: Covariate, example: Example) -> None:
    year = example.ask.get("year")
    years = (year, year) if year else YEARS
    spine = build_spine(tables, example.unit, years)
    row = np.ones(spine.n_rows, dtype=bool)
    for key, value in example.ask.items():
        row &= spine.keys[key] == value
    assert row.sum() == 1, f"{example.ask} is not one row of {example.unit}"
    builder = Builder(tables, spine)
    for column, expected in example.expect.items():
        values, _ = builder.column(entry, column, example.options)
        got = values[row][0]
        gone = np.isnan(got) if values.dtype.kind == "f" else (
            values.dtype.kind == "i" and got == np.iinfo(values.dtype).min
        )  # fmt: skip
        if expected is None:
            assert gone, f"{column}: {got} where missing is expected"
        elif isinstance(expected, str):
            assert got == expected
        else:
            assert not gone
            assert got == pytest.approx(expected, rel=1e-4), column


def test_every_covariate_has_columns_on_the_units_it_claims(tables: Tables) -> None:
    for unit in ("state-year", "dyad-year", "directed-dyad-year"):
        keys = set(get_unit(unit).keys)
        for columns in column_names(unit, "all").values():
            assert not keys & set(columns)


def test_undirected_columns_are_the_collapse_of_the_directed(tables: Tables) -> None:
    years = (1910, 1914)
    columns = ["atop", "mid", "contiguity", "peace_years", "similarity", "min_distance"]
    both = build_panel(tables, "directed-dyad-year", years, columns)
    one = pl.from_arrow(build_panel(tables, "dyad-year", years, columns).table)
    frame = pl.from_arrow(both.table)
    assert isinstance(one, pl.DataFrame)
    assert isinstance(frame, pl.DataFrame)
    names = [name for name in one.columns if name not in ("ccode1", "ccode2", "year")]
    collapsed = (
        frame.with_columns(
            low=pl.min_horizontal("ccode1", "ccode2"), high=pl.max_horizontal("ccode1", "ccode2")
        )
        .group_by("low", "high", "year")
        .agg(pl.col(names).max())
        .sort("low", "high", "year")
    )
    assert one.select(names).equals(collapsed.select(names), null_equal=True)
