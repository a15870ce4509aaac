"""One file of views over everything made: it answers SQL, wherever its folder stands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from foedus import store
from foedus.cli.front import run
from foedus.database import answer, connect, views, write_database
from foedus.errors import MissingDataError, UsageError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A results folder with a table of two releases, a panel and an estimate."""
    folder = tmp_path / "it's results"
    for source, ccode in (("atop", 2), ("atop_4.01", 20)):
        table = pa.table({"ccode": pa.array([ccode, 200], pa.int32())})
        notes = {"ccode": {"definition": "COW number of the state", "unit": "code"}}
        store.write_parquet(table, folder / f"tables/{source}/members.parquet", {}, notes)
    panel = pa.table({"ccode1": [2, 20], "cinc1": [0.5, None]})
    store.write_parquet(panel, folder / "panels/directed-dyad-year.parquet", {})
    store.write_parquet(pa.table({"estimate": [1.5]}), folder / "estimates.parquet", {})
    return folder


def test_every_parquet_file_is_a_view(data: Path) -> None:
    out, listed = write_database(data)
    assert out == data / "foedus.duckdb"
    assert [f"{view.schema}.{view.name}" for view in listed] == [
        "atop.members", "atop_4_01.members", "main.estimates", "panels.directed_dyad_year",
    ]  # fmt: skip
    assert listed == views(data)
    sql = (
        "select p.cinc1 from panels.directed_dyad_year p join atop.members m on m.ccode = p.ccode1"
    )
    assert answer(data, sql) == (["cinc1"], [(0.5,)])
    assert answer(data, "select estimate from estimates")[1] == [(1.5,)]


def test_the_folder_can_be_moved(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_database(data)
    moved = data.parent / "elsewhere"
    shutil.move(data, moved)
    assert answer(moved, "select sum(ccode) from atop_4_01.members")[1] == [(220,)]
    monkeypatch.chdir(moved)  # as the duckdb command is used
    with duckdb.connect("foedus.duckdb", read_only=True) as plain:
        assert plain.execute("select count(*) from atop.members").fetchall() == [(2,)]


def test_the_dictionary_says_what_columns_are(data: Path) -> None:
    write_database(data)
    sql = "select definition, unit, type from dictionary where view = 'atop.members'"
    assert answer(data, sql)[1] == [("COW number of the state", "code", "int32")]


def test_the_same_views_make_the_same_bytes(data: Path) -> None:
    first = write_database(data)[0].read_bytes()
    assert write_database(data)[0].read_bytes() == first


def test_it_is_read_only_and_an_error_says_what_duckdb_says(data: Path) -> None:
    write_database(data)
    with connect(data) as connection, pytest.raises(duckdb.Error):
        connection.execute("drop view atop.members")
    with pytest.raises(UsageError, match="can't be answered"):
        answer(data, "select nothing from nowhere")


def test_nothing_made_yet(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="foedus ingest"):
        write_database(tmp_path)
    with pytest.raises(MissingDataError, match="foedus database"):
        connect(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_answers_a_query(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = "select count(*) as n from atop.members"
    assert run(["database", "--data", str(data), "--json", "--sql", query]) == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 2}]
    assert run(["database", "--data", str(data), "--sql", "selekt"]) == 2
