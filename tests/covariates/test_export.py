"""A panel as a file: each ending holds the same cells, the same bytes twice, and its codebook."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from foedus import store
from foedus.covariates.assemble import Panel, build_panel
from foedus.covariates.export import write_panel
from foedus.errors import UsageError
from tests.covariates.conftest import SmallTables
from tests.covariates.test_assemble import contiguity


@pytest.fixture
def panel(make_tables: Callable[..., SmallTables], four_states: pl.DataFrame) -> Panel:
    rows = contiguity((10, 20, 1838, 1), (20, 10, 1838, 1))
    tables = make_tables(four_states, cow_contiguity__dyad_years=rows)
    return build_panel(tables, "dyad-year", (1838, 1839), ["contiguity"])  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".csv.gz", ".dta"])
def test_every_ending_holds_the_same_cells_and_bytes(
    panel: Panel, tmp_path: Path, ending: str
) -> None:
    first, second = tmp_path / f"a{ending}", tmp_path / "other" / f"a{ending}"
    write_panel(panel, first)
    write_panel(panel, second)
    assert first.read_bytes() == second.read_bytes()
    reader = {".parquet": pd.read_parquet, ".dta": pd.read_stata}.get(ending, pd.read_csv)
    frame = reader(first)
    assert list(frame.columns) == ["ccode1", "ccode2", "year", "conttype", "contiguous"]
    assert len(frame) == 12
    assert frame["conttype"].sum() == 1
    assert frame["conttype"].isna().sum() == 6  # 1839 is past coverage: missing, not 0


def test_parquet_and_stata_carry_definitions(panel: Panel, tmp_path: Path) -> None:
    write_panel(panel, tmp_path / "a.parquet")
    notes = store.column_metadata(pq.read_schema(tmp_path / "a.parquet"))
    assert notes["contiguous"]["definition"].startswith("1 if they share a land")
    write_panel(panel, tmp_path / "a.dta")
    with pd.io.stata.StataReader(tmp_path / "a.dta") as stata:
        assert stata.variable_labels()["contiguous"].startswith("1 if they share a land")


def test_codebook_tells_definition_coverage_and_share_missing(panel: Panel, tmp_path: Path) -> None:
    write_panel(panel, tmp_path / "a.csv.gz")
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).startswith(b'"ccode1"')
    for name in ("a.codebook.md", "a.codebook.html"):
        text = (tmp_path / name).read_text()
        for words in ("1816-1838", "50.00 %", "stinnett_etal_2002", "code 0-5"):
            assert words in text


def test_another_ending_is_refused(panel: Panel, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.parquet"):
        write_panel(panel, tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_pandas_gets_nullable_integers_only_where_something_is_missing(panel: Panel) -> None:
    frame = panel.to_pandas()
    assert str(frame["conttype"].dtype) == "Int8"
    assert str(frame["year"].dtype) == "int32"
    assert frame.attrs["columns"]["conttype"]["unit"] == "code 0-5"
