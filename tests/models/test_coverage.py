"""95 % intervals on a simulated dyadic process with effects of states (benchmarks/coverage_dyadic).

The script makes the method page's figure from 600 draws a size; here a smaller run, seeded, so it
gives the same shares every time. 250 draws have a standard error of 1.4 points at 95 %.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "coverage_dyadic", ROOT / "benchmarks" / "coverage_dyadic.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_dyadic_intervals_cover_and_classical_ones_do_not(script: ModuleType) -> None:
    found = script.coverage("ols", states=80, draws=250)
    assert 0.92 <= found["dyadic"] <= 0.97
    assert 0.92 <= found["jackknife"] <= 0.97
    assert found["classical"] < 0.6
    assert found["cluster(dyad)"] < 0.6


def test_the_figure_s_numbers_say_so_too() -> None:
    rows = pd.read_csv(ROOT / "docs" / "images" / "dyadic_coverage.csv")
    # the field's panels have some 200 states
    many = rows[rows["states"] >= 120].set_index(["covariance", "estimator"])["coverage"]
    assert many["dyadic"].between(0.92, 0.97).all()
    assert (many["classical"] < 0.6).all()
