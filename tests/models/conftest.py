from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / "tests" / "reference"


def find_shared() -> Path | None:
    """Look for the public samples in ../shared of the repository, then of its parents."""
    for parent in REPOSITORY.parents:
        if (parent / "shared" / "samples" / "r_estimates_public.csv").is_file():
            return parent / "shared"
    return None


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    found = find_shared()
    if found is None:
        warnings.warn(
            "SKIPPED: no ../shared/samples; 124 numbers of R on the public samples and the "
            "published tail are not compared",
            stacklevel=1,
        )
        pytest.skip("no ../shared/samples beside the repository")
    return found


@pytest.fixture(scope="session")
def dyads() -> pd.DataFrame:
    """420 synthetic directed dyad-years (tests/reference/make_models.R)."""
    return pd.read_csv(REFERENCE / "models_data.csv")
