"""What must hold of the real files together; every exception is listed with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from foedus.config import load_project
from foedus.sources.invariants import check_invariants, invariants
from foedus.sources.tables import Tables

pytestmark = pytest.mark.real


def test_every_rule_holds_but_for_the_listed_rows(
    real_sources: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp("results")
    tables = Tables(load_project(data=data, raw=[real_sources], offline=True))
    found = {one.name: one for one in check_invariants(tables)}
    assert set(found) == set(invariants())
    for name, one in found.items():
        assert one.unexplained == 0, (name, one.examples)
        for known in one.known:
            assert known["found"] == known["rows"], (name, known)
        assert one.checked > 50
