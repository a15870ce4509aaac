"""The one door for columns: names, coverage, collapse, refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from foedus.covariates.assemble import (
    Builder,
    VariableRequest,
    as_float,
    build_panel,
    build_variables,
    transformed,
)
from foedus.covariates.context import state_cube
from foedus.covariates.registry import get_covariate
from foedus.covariates.values import DyadYears, collapse_directions, missing_of
from foedus.errors import PanelError, UsageError
from foedus.panels.system import StateSystem
from tests.covariates.conftest import SmallTables, states

Make = Callable[..., SmallTables]


def nmc(*rows: tuple[int, int, float | None]) -> pl.DataFrame:
    frame = pl.DataFrame(
        rows, schema={"ccode": pl.Int32, "year": pl.Int16, "cinc": pl.Float64}, orient="row"
    )
    parts = ["milex", "milper", "irst", "pec", "tpop", "upop"]
    return frame.with_columns(**{part: pl.col("cinc") for part in parts})


def contiguity(*rows: tuple[int, int, int, int]) -> pl.DataFrame:
    return pl.DataFrame(
        rows,
        schema={"ccode1": pl.Int32, "ccode2": pl.Int32, "year": pl.Int16, "conttype": pl.Int8},
        orient="row",
    )


@pytest.fixture
def tables(make_tables: Make, four_states: pl.DataFrame) -> SmallTables:
    return make_tables(
        four_states,
        cow_nmc__state_years=nmc((10, 1820, 0.2), (20, 1820, 0.6), (30, 1820, None)),
        cow_contiguity__dyad_years=contiguity((10, 20, 1830, 1), (20, 10, 1830, 1)),
    )


def cell(panel: Any, column: str, **keys: int) -> Any:
    frame = pl.from_arrow(panel.table)
    assert isinstance(frame, pl.DataFrame)
    rows = frame.filter(*(pl.col(key) == value for key, value in keys.items()))
    assert rows.height == 1
    return rows[column][0]


def test_state_columns_take_the_side_as_suffix(tables: SmallTables) -> None:
    panel = build_panel(tables, "directed-dyad-year", (1820, 1820), ["nmc"])  # type: ignore[arg-type]
    assert panel.n_rows == 12
    assert cell(panel, "cinc1", ccode1=10, ccode2=20) == 0.2
    assert cell(panel, "cinc2", ccode1=10, ccode2=20) == 0.6
    assert cell(panel, "cinc2", ccode1=10, ccode2=40) is None
    assert "cinc" not in panel.columns
    assert "cinc" in build_panel(tables, "state-year", (1820, 1820), ["nmc"]).columns  # type: ignore[arg-type]


def test_capability_share_is_missing_when_either_is(tables: SmallTables) -> None:
    panel = build_panel(tables, "directed-dyad-year", (1820, 1820), ["capability_share"])  # type: ignore[arg-type]
    assert cell(panel, "capability_share", ccode1=10, ccode2=20) == pytest.approx(0.25)
    assert cell(panel, "capability_share", ccode1=20, ccode2=10) == pytest.approx(0.75)
    assert cell(panel, "capability_share", ccode1=10, ccode2=30) is None


def test_absence_is_zero_inside_coverage_and_missing_after_it(tables: SmallTables) -> None:
    panel = build_panel(tables, "dyad-year", (1829, 1840), ["contiguity"])  # type: ignore[arg-type]
    assert cell(panel, "conttype", ccode1=10, ccode2=20, year=1830) == 1
    assert cell(panel, "conttype", ccode1=10, ccode2=20, year=1829) == 0
    assert cell(panel, "conttype", ccode1=10, ccode2=20, year=1838) == 0
    assert cell(panel, "conttype", ccode1=10, ccode2=20, year=1839) is None
    assert cell(panel, "contiguous", ccode1=10, ccode2=20, year=1839) is None


def test_two_kinds_of_contiguity_in_a_year_keep_the_closest(
    make_tables: Make, four_states: pl.DataFrame
) -> None:
    rows = contiguity((10, 20, 1830, 4), (10, 20, 1830, 2), (20, 10, 1830, 2), (20, 10, 1830, 4))
    tables = make_tables(four_states, cow_contiguity__dyad_years=rows)
    panel = build_panel(tables, "directed-dyad-year", (1830, 1830), ["contiguity"])  # type: ignore[arg-type]
    assert cell(panel, "conttype", ccode1=10, ccode2=20) == 2
    assert cell(panel, "conttype", ccode1=20, ccode2=10) == 2


def test_input_order_changes_nothing(make_tables: Make, four_states: pl.DataFrame) -> None:
    rows = contiguity((10, 20, 1830, 1), (20, 10, 1830, 1), (30, 40, 1831, 5), (40, 30, 1831, 5))
    panels = [
        build_panel(
            make_tables(four_states, cow_contiguity__dyad_years=frame),  # type: ignore[arg-type]
            "directed-dyad-year",
            (1830, 1832),
            ["contiguity"],
        ).table
        for frame in (rows, rows.reverse())
    ]
    assert panels[0].equals(panels[1])


def test_a_filter_keeps_rows_where_it_is_true_and_not_where_missing(tables: SmallTables) -> None:
    panel = build_panel(
        tables,  # type: ignore[arg-type]
        "directed-dyad-year",
        (1820, 1820),
        ["nmc"],
        where="cinc1 > 0.1 and ccode2 in (20, 40)",
    )
    pairs = list(
        zip(panel.columns["ccode1"].tolist(), panel.columns["ccode2"].tolist(), strict=True)
    )
    assert pairs == [(10, 20), (10, 40), (20, 40)]


def test_repeated_state_years_are_refused_by_name() -> None:
    system = StateSystem.from_spells(states((2, "1816-01-01", "1820-12-31")), (1816, 1820))
    with pytest.raises(PanelError, match="ccode 2, year 1817"):
        state_cube(
            system, np.array([2, 2]), np.array([1817, 1817]), np.array([1.0, 2.0]), "some/table"
        )


def test_two_covariates_with_one_column_name_are_refused(tables: SmallTables) -> None:
    with pytest.raises(PanelError, match="already has a column"):
        build_variables(
            tables,  # type: ignore[arg-type]
            "dyad-year",
            (1820, 1820),
            {"ccode1": VariableRequest("contiguity", "conttype")},
        )


@pytest.mark.parametrize(
    ("covariate", "column", "options", "words"),
    [
        ("contigity", "conttype", {}, "contiguity"),
        ("contiguity", "contype", {}, "conttype"),
        ("nmc", "cinc1", {"relase": "6.0"}, "release"),
        ("nmc", "cinc1", {"release": "5.0"}, "6.0, 7.0"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(
    tables: SmallTables, covariate: str, column: str, options: dict[str, str], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        build_variables(
            tables,  # type: ignore[arg-type]
            "dyad-year",
            (1820, 1820),
            {"v": VariableRequest(covariate, column, options)},
        )


@pytest.mark.parametrize(
    ("unit", "years", "words"),
    [
        ("dyad-yaer", (1820, 1820), "dyad-year"),
        ("dyad-year", (1830, 1820), "after the last"),
        ("dyad-year", (1800, 1820), "1816-1840"),
        ("dyad-year", (1820, 1999), "1816-1840"),
    ],
)
def test_wrong_units_and_years_are_usage_errors(
    tables: SmallTables, unit: str, years: tuple[int, int], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        build_panel(tables, unit, years)  # type: ignore[arg-type]


def test_a_directed_only_covariate_is_refused_on_undirected_dyads(tables: SmallTables) -> None:
    with pytest.raises(UsageError, match="no column on dyad-year"):
        build_panel(tables, "dyad-year", (1820, 1820), ["atop_third_party"])  # type: ignore[arg-type]


def test_collapse_is_missing_if_either_direction_is() -> None:
    gone = missing_of(np.dtype(np.int8))
    forward, backward = np.array([0, 1, 1, gone], np.int8), np.array([0, 0, gone, 1], np.int8)
    assert collapse_directions(forward, backward, "max").tolist() == [0, 1, gone, gone]
    assert collapse_directions(forward, backward, "min").tolist() == [0, 0, gone, gone]
    with pytest.raises(PanelError, match="no declared way"):
        collapse_directions(forward, backward, "none")


def test_transformations_keep_missing_and_refuse_the_log_of_zero() -> None:
    gone = missing_of(np.dtype(np.int16))
    values = np.array([3, gone], np.int16)
    assert np.isnan(transformed(values, "log", "v")[1])
    assert as_float(values)[0] == 3.0
    with pytest.raises(UsageError, match="log of 0 is not defined"):
        transformed(np.array([0, 1], np.int16), "log", "v")


def test_notes_carry_definition_source_citation_and_coverage(tables: SmallTables) -> None:
    panel = build_panel(tables, "dyad-year", (1820, 1820), ["contiguity"])  # type: ignore[arg-type]
    note = panel.notes["conttype"].as_metadata()
    assert note["coverage"] == "1816-1838"
    assert note["sources"] == "cow_contiguity"
    assert note["citations"] == "stinnett_etal_2002"
    assert get_covariate("contiguity").column("conttype").says == note["definition"]


def test_large_arrays_that_are_shared_go_when_newer_ones_come() -> None:
    builder = Builder.__new__(Builder)
    small, cube = np.zeros(10), np.zeros((40, 40, 10))
    builder.shared = {
        "first": DyadYears(cube), "small": small, "second": (cube, small), "third": {"a": cube},
    }  # fmt: skip
    builder.forget_large(cube.nbytes, 2)
    assert list(builder.shared) == ["small", "second", "third"]
    builder.forget_large(cube.nbytes + 1, 0)
    assert list(builder.shared) == ["small", "third"]
