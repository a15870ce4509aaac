"""A panel as a file: each ending holds the same cells, the same bytes twice, and its codebook."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foedus import store
from foedus.covariates.assemble import Panel, build_panel
from foedus.covariates.codebook import key_says
from foedus.covariates.distribution import QUANTILES, distribution_of, tabulate
from foedus.covariates.export import stata_names, write_panel, write_stream
from foedus.covariates.stream import PanelStream
from foedus.covariates.values import is_missing
from foedus.errors import UsageError
from foedus.panels.units import units
from tests.covariates.conftest import SmallTables
from tests.covariates.test_assemble import contiguity


@pytest.fixture
def panel(make_tables: Callable[..., SmallTables], four_states: pl.DataFrame) -> Panel:
    rows = contiguity((10, 20, 1838, 1), (20, 10, 1838, 1))
    tables = make_tables(four_states, cow_contiguity__dyad_years=rows)
    return build_panel(tables, "dyad-year", (1838, 1839), ["contiguity"])  # type: ignore[arg-type]


def _read_stata(path: Path) -> pd.DataFrame:
    return pd.read_stata(path, convert_categoricals=False)


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".csv.gz", ".dta"])
def test_every_ending_holds_the_same_cells_and_bytes(
    panel: Panel, tmp_path: Path, ending: str
) -> None:
    first, second = tmp_path / f"a{ending}", tmp_path / "other" / f"a{ending}"
    write_panel(panel, first)
    write_panel(panel, second)
    assert first.read_bytes() == second.read_bytes()
    reader = {".parquet": pd.read_parquet, ".dta": _read_stata}.get(ending, pd.read_csv)
    frame = reader(first)
    assert list(frame.columns) == ["ccode1", "ccode2", "year", "conttype", "contiguous"]
    assert len(frame) == 12
    assert frame["conttype"].sum() == 1
    assert frame["conttype"].isna().sum() == 6  # 1839 is past coverage: missing, not 0


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".dta"])
def test_a_worlds_panel_carries_its_mark_in_the_file(
    panel: Panel, tmp_path: Path, ending: str
) -> None:
    sources = {
        name: {**facts, "simulated": True} for name, facts in panel.provenance["sources"].items()
    }
    made_up = dataclasses.replace(panel, provenance={**panel.provenance, "sources": sources})
    path = tmp_path / f"a{ending}"
    write_panel(made_up, path)
    if ending == ".dta":
        with pd.io.stata.StataReader(path) as stata:
            assert stata.data_label == "SIMULATED foedus dyad-year 1838-1839"
        return
    frame = pd.read_csv(path)
    assert set(frame.pop("data")) == {"SIMULATED"}
    write_panel(panel, tmp_path / f"b{ending}")
    assert frame.equals(pd.read_csv(tmp_path / f"b{ending}"))


def test_parquet_and_stata_carry_definitions(panel: Panel, tmp_path: Path) -> None:
    write_panel(panel, tmp_path / "a.parquet")
    notes = store.column_metadata(pq.read_schema(tmp_path / "a.parquet"))
    assert notes["contiguous"]["definition"].startswith("1 if they share a land")
    write_panel(panel, tmp_path / "a.dta")
    with pd.io.stata.StataReader(tmp_path / "a.dta") as stata:
        assert stata.variable_labels()["contiguous"].startswith("1 if they share a land")
        assert stata.variable_labels()["ccode2"] == "COW number of state 2"
        assert stata.variable_labels()["year"] == "Year"
        labels = stata.value_labels()
        assert labels["contiguous"] == {0: "no", 1: "yes"}
        assert labels["conttype"][1] == "land or river"
    assert notes["conttype"]["labels"].startswith("0 none; 1 land or river")


def test_codebook_tells_definition_coverage_and_share_missing(panel: Panel, tmp_path: Path) -> None:
    write_panel(panel, tmp_path / "a.csv.gz")
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).startswith(b'"ccode1"')
    for name in ("a.codebook.md", "a.codebook.html"):
        text = (tmp_path / name).read_text()
        for words in (
            "1816-1838", "50.00 %", "stinnett_etal_2002", "code 0-5", "Missing after 1838.",
            "foedus cite stinnett_etal_2002",
        ):  # fmt: skip
            assert words in text
    page = (tmp_path / "a.codebook.html").read_text()
    assert "<title>1: 16.7 %</title>" in page  # one of six known values of conttype


def test_another_ending_is_refused(panel: Panel, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.parquet"):
        write_panel(panel, tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_pandas_gets_nullable_integers_only_where_something_is_missing(panel: Panel) -> None:
    frame = panel.to_pandas()
    assert str(frame["conttype"].dtype) == "Int8"
    assert str(frame["year"].dtype) == "int32"
    assert frame.attrs["columns"]["conttype"]["unit"] == "code 0-5"


def test_a_panel_written_as_it_is_made_is_the_panel(
    make_tables: Callable[..., SmallTables], four_states: pl.DataFrame, tmp_path: Path
) -> None:
    rows = contiguity((10, 20, 1838, 1), (20, 10, 1838, 1))
    tables = make_tables(four_states, cow_contiguity__dyad_years=rows)
    asked = ("dyad-year", (1838, 1839), ["contiguity"], "ccode1 == 10 and year >= 1838")
    panel = build_panel(tables, *asked)  # type: ignore[arg-type]
    write_panel(panel, tmp_path / "a.parquet")
    files, columns = write_stream(
        PanelStream(tables, *asked),  # type: ignore[arg-type]
        tmp_path / "b" / "a.parquet",
    )
    assert columns == list(panel.columns)
    assert panel.n_rows == 6
    one, other = (pq.ParquetFile(tmp_path / name).read() for name in ("a.parquet", files[0]))
    assert one.equals(other, check_metadata=True)
    for kind in ("html", "md"):
        book = f"a.codebook.{kind}"
        assert (tmp_path / book).read_bytes() == (tmp_path / "b" / book).read_bytes()
    for ending in (".csv", ".dta"):
        write_panel(panel, tmp_path / f"c{ending}")
        write_stream(PanelStream(tables, *asked), tmp_path / f"d{ending}")  # type: ignore[arg-type]
    assert (tmp_path / "c.csv").read_bytes() == (tmp_path / "d.csv").read_bytes()


@given(
    st.lists(st.integers(-128, 127), max_size=50),
    st.sampled_from([np.int8, np.int16, np.int32, np.float64]),
    st.sampled_from([1, 3, 9]),
)
def test_a_distribution_is_that_of_the_values(
    values: list[int], kind: type, run_length: int
) -> None:
    values = [value for value in values for _ in range(run_length)]
    array = np.array(values, dtype=kind)
    if kind is np.float64:
        array[array == -128] = np.nan
    gone = is_missing(array)
    distinct, counts = tabulate(array)
    spread = distribution_of(distinct, counts)
    assert counts.sum() == len(values)
    assert spread.n == len(values)
    if not len(values):
        return
    assert spread.share_missing == pytest.approx(gone.mean())
    known = array[~gone].astype(float)
    if len(known) == 0:
        assert spread.mean is None
        return
    assert spread.mean == pytest.approx(known.mean())
    assert (spread.least, spread.greatest) == (known.min(), known.max())
    expected = np.quantile(known, QUANTILES, method="inverted_cdf")
    assert spread.quantiles == pytest.approx(expected)
    assert sum(share for _, share in spread.histogram) == pytest.approx(1)
    twice = tabulate(array, np.full(len(array), 2))
    assert (twice[1] == 2 * counts).all()


def test_names_too_long_for_stata_are_cut_and_told_whole(panel: Panel, tmp_path: Path) -> None:
    long = "challenger_compel_unconditional_n"
    renamed = dataclasses.replace(
        panel,
        columns={long if name == "contiguous" else name: v for name, v in panel.columns.items()},
        notes={long if name == "contiguous" else name: v for name, v in panel.notes.items()},
    )
    write_panel(renamed, tmp_path / "a.dta")
    cut = "challenger_compel_unc_ditional_n"
    with pd.io.stata.StataReader(tmp_path / "a.dta") as stata:
        assert stata.variable_labels()[cut].startswith(f"{long}: 1 if they share a")
        assert stata.value_labels()[cut] == {0: "no", 1: "yes"}
        frame = stata.read(convert_categoricals=False)
    np.testing.assert_array_equal(frame[cut], panel.to_pandas()["contiguous"].astype(float))
    assert len(cut) == 32
    twins = ["a" * 21 + "b" * 4 + "c" * 10, "a" * 21 + "d" * 4 + "c" * 10]
    with pytest.raises(UsageError, match="are the same when cut"):
        stata_names(twins)


def test_every_key_of_every_unit_is_told() -> None:
    told = {key: key_says(key) for one in units().values() for key in one.keys}
    assert [key for key, says in told.items() if says == key] == []
