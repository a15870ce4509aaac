"""Covariates of sources that no simulated world writes, on the real files: `covariates.every`."""

from __future__ import annotations

import pytest
from tests.covariates.every import check
from tests.covariates.test_every_covariate import NAMES as IN_WORLDS

from foedus.covariates.registry import registry
from foedus.sources.tables import Tables

pytestmark = pytest.mark.real

YEARS = (1987, 1987)
# COW's alliances are a user's own file
NAMES = [name for name in registry() if name not in (*IN_WORLDS, "cow_alliance")]


@pytest.mark.parametrize("name", NAMES)
def test_holds_of_every_covariate(tables: Tables, name: str) -> None:
    check(tables, registry()[name], YEARS, 7, None)
