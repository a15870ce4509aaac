"""What `import foedus as fd` offers."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import foedus as fd
from foedus.errors import UsageError


def test_importing_costs_nothing() -> None:
    code = (
        "import foedus, sys; "
        "print(sorted({'numpy', 'pandas', 'polars', 'foedus.api'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_offers_what_its_stub_says(repository: Path) -> None:
    stub = (repository / "src" / "foedus" / "__init__.pyi").read_text(encoding="utf-8")
    named = {
        alias.asname
        for node in ast.parse(stub).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert named | {"__version__"} == set(dir(fd))
    assert all(getattr(fd, str(name)) is not None for name in named)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="panels_of_glass"):
        getattr(fd, "panels_of_glass")  # noqa: B009


def test_estimate_on_a_frame() -> None:
    rows = [(0, 1), (1, 2), (0, 3), (1, 4), (1, 1), (0, 2), (1, 5)]
    result = fd.estimate("y ~ x", pd.DataFrame(rows, columns=["y", "x"]), cov=["classical", "HC1"])
    assert list(result.coef.index) == ["(Intercept)", "x"]
    assert result.se("HC1")["x"] > 0
    assert len(result.table()) == 4


def test_a_study_by_its_id() -> None:
    study = fd.study("johnson_leeds_2011")
    assert study.check() == []
    assert "directed-dyad-year" in study.describe() or "dyad" in study.describe()
    with pytest.raises(UsageError, match="Nearest: johnson_leeds_2011"):
        fd.study("johnson_leeds")
