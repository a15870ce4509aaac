"""Tables: deterministic bytes, provenance inside, nothing half-written, made again when stale."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from tests.sources import handmade as hand
from tests.sources.conftest import ROOT

from foedus.errors import MissingDataError, SourceError, UsageError
from foedus.sources import ingest as ingesting
from foedus.sources.ingest import ingest, table_path
from foedus.sources.registry import load_facts
from foedus.sources.tables import Tables

FACTS = load_facts(ROOT / "config")
STATES = FACTS["cow_states"]


def lay_out(folder, **changed):
    folder.mkdir(parents=True, exist_ok=True)
    for file in STATES.files:
        content = changed.get(file.name.split(".")[0]) or hand.handmade(STATES, file).encode()
        (folder / file.name).write_bytes(content)
    return folder


@pytest.fixture
def project(tmp_path, make_project):
    return make_project(lay_out(tmp_path / "raw"), accept=("cow_states",))


def read_all(project):
    return {name: table_path(project, "cow_states", name).read_bytes() for name in STATES.tables}


def test_same_bytes_twice(project):
    ingest(project, ["cow_states"])
    first = read_all(project)
    ingest(project, ["cow_states"], force=True)
    assert read_all(project) == first


def test_rows_in_another_order_give_the_same_table(tmp_path, make_project, project):
    ingest(project, ["cow_states"])
    sheet = hand.handmade(STATES, STATES.file("system2016.csv"))
    turned = hand.replace(sheet, rows=sheet.rows[::-1]).encode()
    raw = lay_out(tmp_path / "turned", system2016=turned)
    before = Tables(project).get("cow_states", "system")
    after = Tables(make_project(raw, accept=("cow_states",))).get("cow_states", "system")
    assert before.equals(after)


def test_provenance_and_column_notes(project):
    ingest(project, ["cow_states"])
    tables = Tables(project)
    metadata = tables.metadata("cow_states", "states")
    assert metadata["source"] == "cow_states"
    assert metadata["version"] == "2016"
    assert metadata["edition"] == "original"
    assert metadata["coverage"] == [1816, 2016]
    assert metadata["key"] == ["ccode", "spell"]
    assert len(metadata["files"]) == 3
    assert str(project.root) not in str(metadata)
    notes = tables.columns("cow_states", "states")
    assert notes["end"]["definition"] == "Last day of the spell, itself included"
    assert set(notes) == set(tables.get("cow_states", "states").columns)


def test_up_to_date_tables_are_left_alone(project):
    (first,) = ingest(project, ["cow_states"])
    path = first.paths["states"]
    stamp = path.stat().st_mtime_ns
    (second,) = ingest(project, ["cow_states"])
    assert (first.fresh, second.fresh) == (True, False)
    assert second.rows == first.rows
    assert path.stat().st_mtime_ns == stamp


def test_changed_file_or_code_makes_tables_again(tmp_path, project, monkeypatch):
    ingest(project, ["cow_states"])
    sheet = hand.handmade(STATES, STATES.file("system2016.csv"))
    lay_out(tmp_path / "raw", system2016=hand.replace(sheet, rows=sheet.rows[:2]).encode())
    (report,) = ingest(project, ["cow_states"])
    assert report.fresh
    assert report.rows["system"] == 2
    monkeypatch.setattr(ingesting, "_code_of", lambda module: "other code")
    (report,) = ingest(project, ["cow_states"])
    assert report.fresh


def test_unreadable_table_is_made_again(project):
    (report,) = ingest(project, ["cow_states"])
    report.paths["states"].write_bytes(b"PAR1 cut off")
    (again,) = ingest(project, ["cow_states"])
    assert again.fresh
    assert pq.read_table(again.paths["states"]).num_rows == hand.ROWS


def test_a_broken_file_leaves_older_tables_as_they_were(tmp_path, project):
    ingest(project, ["cow_states"])
    before = read_all(project)
    spoilt = hand.text_in_number(hand.handmade(STATES, STATES.file("system2016.csv")), STATES)
    lay_out(tmp_path / "raw", system2016=spoilt.content)
    with pytest.raises(SourceError):
        ingest(project, ["cow_states"])
    assert read_all(project) == before
    assert not list(project.data.rglob("*.part"))


def test_pinned_files_must_give_the_pinned_rows(project):
    found = ingesting.locate(project, ["cow_states"])["cow_states"]
    pinned = ingesting.FoundSource(
        found.facts, tuple(hand.replace(file, state="found") for file in found.files)
    )
    with pytest.raises(SourceError, match="the pinned release has 243"):
        ingesting.read_tables(pinned)


def test_simulated_files_have_no_errors_to_correct(tmp_path, make_project):
    raw = tmp_path / "world"
    for file in FACTS["gml_mid"].files:
        (raw / "gml").mkdir(parents=True, exist_ok=True)
        content = hand.handmade(FACTS["gml_mid"], file).encode()
        (raw / "gml" / file.name).write_bytes(content)
    project = hand.replace(make_project(raw, accept=("gml_mid",)), root=ROOT)
    with pytest.raises(SourceError, match=r"gml_mid\.corrections\.yaml: no row"):
        ingest(project, ["gml_mid"])
    (raw / "truth.json").write_text("{}")
    (report,) = ingest(project, ["gml_mid"])
    assert report.simulated
    assert Tables(project).metadata("gml_mid", "directed")["simulated"] is True


def test_ingest_of_everything_passes_over_what_is_missing(project):
    assert [report.id for report in ingest(project)] == ["cow_states"]


def test_asking_for_a_missing_source_is_exit_4(project):
    with pytest.raises(MissingDataError, match=r"atop5_1m\.csv was not found") as caught:
        ingest(project, ["atop"])
    assert caught.value.exit_code == 4


def test_tables_ingest_on_demand_and_know_aliases(project):
    tables = Tables(project)
    assert tables.has("cow_states")
    assert not tables.has("atop")
    frame = tables.get("cow_states_2016", "states")
    assert frame.columns[:2] == ["ccode", "stateabb"]
    assert tables.get("cow_states", "states", release="2016") is frame
    assert tables.coverage("cow_states") == (1816, 2016)
    with pytest.raises(UsageError, match='no table "state"'):
        tables.get("cow_states", "state")


def test_tables_without_ingest_read_only_what_stands_there(project):
    tables = Tables(project, ingest_missing=False)
    assert not tables.has("cow_states")
    with pytest.raises(MissingDataError, match="foedus ingest"):
        tables.get("cow_states", "states")
    ingest(project, ["cow_states"])
    assert tables.get("cow_states", "states").height == hand.ROWS
