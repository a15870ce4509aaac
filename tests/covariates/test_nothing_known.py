"""Missing is never zero, for every covariate: what it says where nothing at all is recorded.

Every table is there and empty, with the coverage that its source declares. Inside it, its first and
last year included, no record means what the column declares (0, or missing); in the year before,
the year after and all others outside, everything is missing.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from foedus.config import load_project
from foedus.covariates.assemble import Builder
from foedus.covariates.registry import ColumnSpec, Covariate, applies, registry
from foedus.covariates.values import is_missing
from foedus.panels.units import build_spine, get_unit
from foedus.sources.registry import project_facts, reader, resolve_id
from foedus.sources.schema import TYPES

ROOT = Path(__file__).resolve().parents[2]
UNITS = ("state-year", "dyad-year", "directed-dyad-year")
YEARS = (1816, 2016)

# Columns that know something of a world without records, and why.
OF_NOTHING = {
    "pair_years_before": "who is in the system is known without records",
    "pair_years_ahead": "who is in the system is known without records",
    "conflict_peace_years": "peace counts up from the first year",
    "mid_peace_years": "peace counts up from the first year",
    "gml_peace_years": "peace counts up from the first year",
    "war_peace_years": "peace counts up from the first year",
    "reputation": "no pact has been broken: the score of a clean record",
    "own_history": "no pact between the two has been broken",
    "bond_tether_td": "no bond, so none with a rival",
    "bond_tether_tss": "no bond, so none with a rival",
    "bond_after_war": "no bond, so none after a war",
    "rival_pact_1": "no rival, so none with a pact",
    "rival_pact_3": "no rival, so none with a pact",
    "rival_pact_5": "no rival, so none with a pact",
    "rival_pact_10": "no rival, so none with a pact",
    "network_component": "a state without ties is a component, named by itself",
    "network_component_size": "a state without ties is a component of one",
    "network_community": "a state without ties is a community, named by itself",
    "network_community_size": "a state without ties is a community of one",
    "allies_cinc": "the sum over no partners",
    "allies_cinc_max": "the greatest of no partners",
    "shared_partners_cinc": "the sum over no partners",
    "region_tied_states": "the share of states with ties, of states without",
    "region_density": "the share of pairs with ties, of pairs without",
    "region_states": "the state list itself",
    "alliances_n": "the count of no alliances",
    "rivals_cinc": "the sum over no rivals",
    "rivals_milex": "the sum over no rivals",
    "s_atop": "two portfolios without ties have no spread to compare",
}
# Columns of covariates that leave it to each column's source when it knows anything.
OWN_WINDOW = ("peace_years", "rivalry")


class EmptyTables:
    """Every table of every source without a row; four states that are always there."""

    def __init__(self) -> None:
        self.project = load_project(root=ROOT)
        self._facts = project_facts(self.project)

    def facts(self, source: str, release: str | None = None) -> Any:
        return resolve_id(self._facts, source, release)

    def coverage(self, source: str, release: str | None = None) -> tuple[int, int]:
        return self.facts(source, release).coverage  # type: ignore[no-any-return]

    def has(self, source: str, release: str | None = None) -> bool:
        return True

    def get(self, source: str, table: str, release: str | None = None) -> pl.DataFrame:
        facts = self.facts(source, release)
        columns = [column for column in reader(facts).tables[table] if column.keep]
        frame = pl.DataFrame(schema={column.name: TYPES[column.kind] for column in columns})
        if (facts.id, table) != ("cow_states", "states"):
            return frame
        first, last = datetime.date(YEARS[0], 1, 1), datetime.date(YEARS[1], 12, 31)
        return pl.DataFrame(
            {"ccode": [10, 20, 30, 40], "start": [first] * 4, "end": [last] * 4},
            schema_overrides={"ccode": pl.Int32},
        )


@pytest.fixture(scope="module")
def tables() -> EmptyTables:
    return EmptyTables()


def unit_of(entry: Covariate) -> str | None:
    """The first yearly unit of states that has one of its columns."""
    for unit in UNITS:
        if any(applies(entry, spec, unit, get_unit(unit).keys) for spec in entry.columns):
            return unit
    return None


YEARLY = [entry for entry in registry().values() if unit_of(entry)]


@pytest.mark.parametrize("entry", YEARLY, ids=lambda entry: entry.name)
def test_no_record_is_what_is_declared_inside_and_missing_outside(
    entry: Covariate, tables: EmptyTables
) -> None:
    unit = unit_of(entry)
    assert unit is not None
    builder = Builder(tables, build_spine(tables, unit, YEARS))  # type: ignore[arg-type]
    first, last = builder.coverage(entry, entry.resolve_options({})) or YEARS
    year = builder.spine.places[0].year
    inside = (year >= first) & (year <= last)
    for spec in entry.columns:
        if not applies(entry, spec, unit, builder.keys) or spec.name in entry.extras:
            continue
        for shown in builder.names(entry, spec):
            values, _ = builder.column(entry, shown, {}, with_siblings=True)
            if values.dtype.kind not in "fi":
                continue
            gone = is_missing(values)
            assert gone[~inside].all(), f"{shown} says something outside {first}-{last}"
            if spec.name not in OF_NOTHING:
                _as_declared(spec, values[inside], gone[inside], entry.name in OWN_WINDOW)


def _as_declared(
    spec: ColumnSpec, values: np.ndarray[Any, Any], gone: np.ndarray[Any, Any], own: bool
) -> None:
    if spec.absent == "missing":
        assert gone.all(), f"{spec.name} is made up"
        return
    assert (values[~gone] == 0).all(), f"{spec.name} is not 0 without a record"
    assert own or not gone.any(), f"{spec.name} is missing inside its coverage"


def test_what_is_excused_is_there() -> None:
    known = {spec.name for entry in YEARLY for spec in entry.columns}
    assert [name for name in OF_NOTHING if name not in known] == []
