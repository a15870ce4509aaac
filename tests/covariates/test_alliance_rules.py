"""Rules that every alliance covariate keeps: order of input, rows, symmetry, and coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings

from foedus.covariates.assemble import Panel, VariableRequest, build_variables
from foedus.covariates.registry import Covariate, applies, registry
from foedus.panels.units import build_spine, get_unit
from tests.covariates.alliance_worlds import FIRST, LAST, Treaty, small_tables, worlds
from tests.covariates.conftest import SmallTables

MODULES = {
    "alliance_blocs", "alliance_bonds", "alliance_cohesion", "alliance_content",
    "alliance_formation",
    "alliance_network", "alliance_partners", "alliance_reputation", "alliance_shared",
    "alliance_terms", "alliance_types", "atop", "atop_third_party", "dca", "similarity",
}  # fmt: skip
ENTRIES = [
    entry for entry in registry().values() if entry.module.rpartition(".")[2] in MODULES
]  # fmt: skip
UNITS = (
    "alliance", "alliance-year", "alliance-member-year", "state-year", "dyad-year",
    "directed-dyad-year", "system-year",
)  # fmt: skip
PACTS = [
    Treaty(1, dict.fromkeys((10, 20), (1820, 1840)),
           dict.fromkeys((10, 20), frozenset({"defense"})), {"bilat": 1}),
    Treaty(2, dict.fromkeys((10, 230, 240), (1819, 1832)),
           dict.fromkeys((10, 230, 240), frozenset({"offense", "defense"})), {"term": 2}),
]  # fmt: skip


def requests(entry: Covariate, unit: str) -> dict[str, VariableRequest]:
    """Return every column of a covariate on a unit, by its own name."""
    keys = get_unit(unit).keys
    sides = ("1", "2") if "ccode1" in keys else ("",)
    return {
        spec.name + side: VariableRequest(entry.name, spec.name + side)
        for spec in entry.columns
        if applies(entry, spec, unit, keys)
        for side in (sides if spec.level == "state" else ("",))
    }


def build(
    tables: SmallTables, unit: str, years: tuple[int, int], asked: dict[str, VariableRequest]
) -> Panel:
    return build_variables(tables, unit, years, asked)  # type: ignore[arg-type]


def all_requests(unit: str) -> dict[str, VariableRequest]:
    return {name: one for entry in ENTRIES for name, one in requests(entry, unit).items()}


def reversed_tables(tables: SmallTables) -> SmallTables:
    """Return the same tables, every one's rows from the last to the first."""
    turned = SmallTables({key: frame.reverse() for key, frame in tables.frames.items()})
    turned.coverages = tables.coverages
    return turned


@settings(max_examples=2, deadline=None)
@given(worlds())
def test_no_column_depends_on_the_order_of_input(treaties: list[Treaty]) -> None:
    tables = small_tables(treaties)
    years = (1818, 1825)
    for unit in UNITS:
        asked = all_requests(unit)
        one = build(tables, unit, years, asked)
        other = build(reversed_tables(tables), unit, years, asked)
        rows = build_spine(tables, unit, years).n_rows  # type: ignore[arg-type]
        assert one.n_rows == other.n_rows == rows
        for name in asked:
            np.testing.assert_allclose(
                one.columns[name].astype(float), other.columns[name].astype(float),
                atol=1e-7, err_msg=f"{unit}: {name}",
            )  # fmt: skip


@settings(max_examples=3, deadline=None)
@given(worlds())
def test_what_is_declared_symmetric_is(treaties: list[Treaty]) -> None:
    """Columns of collapse "same" are equal both ways, and directed ones collapse as declared."""
    tables, years = small_tables(treaties), (1820, 1823)
    same = {
        spec.name: VariableRequest(entry.name, spec.name)
        for entry in ENTRIES
        for spec in entry.columns
        if spec.level == "dyad" and spec.collapse in ("same", "max", "min", "sum", "mean")
    }
    how = {spec.name: spec.collapse for entry in ENTRIES for spec in entry.columns}
    directed = build(tables, "directed-dyad-year", years, same).columns
    undirected = build(tables, "dyad-year", years, same).columns
    keys = ("ccode1", "ccode2", "year")
    rows = {key: at for at, key in enumerate(zip(*(directed[k] for k in keys), strict=True))}
    low = list(zip(*(undirected[k] for k in keys), strict=True))
    forward = np.array([rows[key] for key in low])
    backward = np.array([rows[b, a, y] for a, b, y in low])
    combine: dict[str, Any] = {
        "same": lambda a, b: a, "max": np.maximum, "min": np.minimum, "sum": np.add,
        "mean": lambda a, b: (a + b) / 2,
    }  # fmt: skip
    for name in same:
        values = directed[name].astype(float)
        if how[name] == "same":
            np.testing.assert_allclose(values[forward], values[backward], err_msg=name)
        expected = combine[how[name]](values[forward], values[backward])
        gone = directed[name].dtype.kind != "f"
        least = np.iinfo(directed[name].dtype).min if gone else 0
        either = (values[forward] == least) | (values[backward] == least) if gone else False
        expected = np.where(either, least, expected)
        np.testing.assert_allclose(undirected[name].astype(float), expected, err_msg=name)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_missing_outside_coverage_and_known_at_its_ends(entry: Covariate) -> None:
    tables = small_tables(PACTS)
    windows = [tables.coverage(source) for source in entry.coverage_of]
    first = max(FIRST, *(one for one, _ in windows))
    last = min(last for _, last in windows)
    looked = False
    for unit in UNITS:
        asked = requests(entry, unit)
        if not asked or unit == "alliance":
            continue
        zero = {spec.name for spec in entry.columns if spec.absent == "zero"}
        for year, inside in ((first - 1, False), (first, True), (last, True), (last + 1, False)):
            if not FIRST <= year <= LAST or (unit.startswith("alliance") and not inside):
                continue
            table = build(tables, unit, (year, year), asked).table
            if table.num_rows == 0:
                continue
            looked = True
            for name in asked:
                known = table.num_rows - table.column(name).null_count
                if not inside:
                    assert known == 0, f"{name} has values in {year}"
                elif name.rstrip("12") in zero or name in zero:
                    assert known > 0, f"{name} has no value in {year}"
    assert looked


def test_every_alliance_module_is_looked_at() -> None:
    found = {entry.module.rpartition(".")[2] for entry in ENTRIES}
    assert found == MODULES


def test_tables_turned_round_are_not_the_same_tables() -> None:
    tables = small_tables(PACTS)
    turned = reversed_tables(tables)
    members = tables.get("atop", "members")
    assert not members.equals(turned.get("atop", "members"))
    assert members.sort(pl.all()).equals(turned.get("atop", "members").sort(pl.all()))
