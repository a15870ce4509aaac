"""Columns encoded side by side make the file that pyarrow would have made of the whole table."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus import footer, parquet, store

KINDS = {
    "int8": pa.int8(), "int16": pa.int16(), "int32": pa.int32(), "int64": pa.int64(),
    "float64": pa.float64(), "text": pa.string(),
}  # fmt: skip


def write(table: pa.Table, out: Path) -> None:
    """Write a table through ColumnWriter, with the metadata of a panel."""
    with parquet.ColumnWriter(out, table.num_rows) as writer:
        for name, column in zip(table.column_names, table.columns, strict=True):
            whole = column.combine_chunks()
            writer.put(name, whole.type, lambda a, b, whole=whole: whole.slice(a, b - a))
        writer.finish(
            lambda schema: store.described(schema, {"unit": "test"}, {"int8": {"unit": "0/1"}})
        )


def made(n_rows: int, share_missing: float = 0.2) -> pa.Table:
    """A table with a column of each kind, some of it missing."""
    draw = np.random.default_rng(n_rows)
    columns = {}
    for name, kind in KINDS.items():
        values = [
            None if draw.random() < share_missing else int(draw.integers(-100, 100))
            for _ in range(n_rows)
        ]
        typed = [None if v is None else f"x{v}" if name == "text" else v for v in values]
        columns[name] = pa.array(typed, pa.string() if name == "text" else None).cast(kind)
    return pa.table(columns)


@pytest.mark.parametrize("n_rows", [0, 1, 7, 8, 9, 250])
@pytest.mark.parametrize("size", [7, 1 << 20])
def test_any_reader_finds_every_cell(
    n_rows: int, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP", size)
    table, out = made(n_rows), tmp_path / "a.parquet"
    write(table, out)
    read = pq.ParquetFile(out)
    assert read.read().equals(table)
    assert read.metadata.num_rows == n_rows
    assert store.table_metadata(read.schema_arrow) == {"unit": "test"}
    assert store.column_metadata(read.schema_arrow) == {"int8": {"unit": "0/1"}}
    assert pl.read_parquet(out).equals(pl.DataFrame(pl.from_arrow(table)))
    (rows,) = duckdb.sql(f"select count(*) from '{out}'").fetchall()
    assert rows == (n_rows,)
    if n_rows:
        assert read.metadata.num_row_groups == -(-n_rows // size)


def test_what_recurs_at_once_is_written_without_a_dictionary(tmp_path: Path) -> None:
    draw, n_rows = np.random.default_rng(1), 40_000
    table = pa.table(
        {
            "challengers": pa.array(np.repeat(draw.random(n_rows // 100), 100)),
            "targets": pa.array(draw.choice(draw.random(500), n_rows)),
            "unknown": pa.nulls(n_rows, pa.float64()),
        }
    )
    write(table, tmp_path / "a.parquet")
    group = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    assert [group.column(at).has_dictionary_page for at in range(2)] == [False, True]
    assert pq.read_table(tmp_path / "a.parquet").equals(table)


def test_only_keys_say_their_bounds_where_so_asked(tmp_path: Path) -> None:
    year = pa.array([1816, 1817, 1818], pa.int32())
    with parquet.ColumnWriter(tmp_path / "a.parquet", 3) as writer:
        writer.put("year", year.type, lambda a, b: year.slice(a, b - a))
        writer.put("other", year.type, lambda a, b: year.slice(a, b - a), bounds=False)
        writer.finish(lambda schema: schema)
    group = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    assert group.column(0).statistics.max == 1818
    assert group.column(1).statistics is None


def test_the_maker_of_columns_lends_a_hand_and_nothing_is_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MOST_WAITING", 1)
    table = pa.table({f"c{at}": pa.array(range(1000)) for at in range(40)})
    done: list[int] = []
    with parquet.ColumnWriter(tmp_path / "a.parquet", 1000) as writer:
        counted = []
        for at, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
            whole = column.combine_chunks()
            writer.put(name, whole.type, lambda a, b, whole=whole: whole.slice(a, b - a))
            counted.append(writer.beside(lambda at=at: done.append(at)))
        writer.help_out()
        for one in counted:
            one.result()
        writer.finish(lambda schema: schema)
    assert sorted(done) == list(range(40))
    assert pq.read_table(tmp_path / "a.parquet").equals(table)


def test_an_error_beside_comes_out_where_its_outcome_is_asked_for(tmp_path: Path) -> None:
    def broken() -> None:
        raise ValueError("no such value")

    with parquet.ColumnWriter(tmp_path / "a.parquet", 1) as writer:
        outcome = writer.beside(broken)
        writer.help_out()
        with pytest.raises(ValueError, match="no such value"):
            outcome.result()


def test_statistics_let_a_reader_pass_over_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP", 10)
    out = tmp_path / "a.parquet"
    write(pa.table({"int32": pa.array(range(30), pa.int32())}), out)
    groups = pq.ParquetFile(out).metadata
    parts = [groups.row_group(at).column(0).statistics for at in range(3)]
    spans = [(part.min, part.max) for part in parts]
    assert spans == [(0, 9), (10, 19), (20, 29)]
    assert pq.ParquetFile(out).read_row_group(1)["int32"].to_pylist() == list(range(10, 20))


def test_the_same_values_make_the_same_bytes(tmp_path: Path) -> None:
    table = made(500)
    write(table, tmp_path / "a.parquet")
    write(table, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_an_error_in_a_column_leaves_no_file(tmp_path: Path) -> None:
    def broken(start: int, stop: int) -> pa.Array:
        raise ValueError("no such column")

    def attempt() -> None:
        with parquet.ColumnWriter(tmp_path / "a.parquet", 3) as writer:
            writer.put("a", pa.int8(), broken)
            writer.finish(lambda schema: schema)

    with pytest.raises(ValueError, match="no such column"):
        attempt()
    assert list(tmp_path.iterdir()) == []


# Any value of the protocol that parquet's footers use, by Thrift's number of its type.
SCALARS = st.one_of(
    st.tuples(st.just(6), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(8), st.binary(max_size=300)),
    st.tuples(st.sampled_from([1, 2]), st.none()),
    st.tuples(st.just(7), st.binary(min_size=8, max_size=8)),
    st.tuples(st.just(3), st.binary(min_size=1, max_size=1)),
    st.tuples(
        st.just(9),
        st.tuples(st.just(5), st.lists(st.integers(-(2**31), 2**31 - 1), max_size=40)),
    ),
)
STRUCTS = st.recursive(
    st.dictionaries(st.integers(1, 400), SCALARS, max_size=6),
    lambda inner: st.dictionaries(
        st.integers(1, 400),
        st.one_of(SCALARS, st.tuples(st.just(12), inner)),
        max_size=4,
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(STRUCTS)
def test_a_footer_comes_back_as_it_was(fields: footer.Struct) -> None:
    assert footer.footer_of(memoryview(footer.packed(fields))) == fields
