"""Every registered covariate in a random small world; see `tests.covariates.every`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foedus.config import load_project
from foedus.covariates.registry import registry
from foedus.sources.tables import Tables
from foedus.world.build import draw, write
from foedus.world.settings import make_settings
from tests.covariates.every import check, units_of

ROOT = Path(__file__).resolve().parents[2]
YEARS = (1932, 1943)
# Data sets that a world has files of; covariates of others are checked on the real ones, in
# tests/real/test_every_covariate.py.
WRITTEN = {
    "atop", "capitals", "cow_contiguity", "cow_contiguity_spells", "cow_interstate_wars",
    "cow_mindist", "cow_nmc", "cow_states", "gml_mid", "mid", "polity",
    "rep_berkemeier_fuhrmann_2018", "rep_clauset_2018", "rivalries_td", "rivalries_tss",
}  # fmt: skip
NAMES = [name for name, entry in registry().items() if entry.sources_said(set()) <= WRITTEN]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    root = tmp_path_factory.mktemp("small_world")
    shutil.copytree(ROOT / "config", root / "config")
    write(draw(make_settings(seed=5, states=12, years=(1919, 1950))), root / "sources")
    return Tables(load_project(root=root, raw=[root / "sources"], data=root / "results"))


windows = st.tuples(st.integers(*YEARS), st.integers(*YEARS)).map(lambda w: (min(w), max(w)))


@pytest.mark.parametrize("name", NAMES)
@settings(
    max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10_000), window=windows)
def test_holds_of_every_covariate(
    tables: Tables, name: str, seed: int, window: tuple[int, int]
) -> None:
    check(tables, registry()[name], YEARS, seed, window, WRITTEN)


def test_no_covariate_is_left_out() -> None:
    assert len(NAMES) > 70
    assert all(units_of(entry) for entry in registry().values())
