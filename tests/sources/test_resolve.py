"""Where files are found, in which order, and what happens to a file with other bytes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.sources.conftest import ROOT

from foedus.config import Config, Project
from foedus.errors import ConfigError, MissingDataError, UsageError
from foedus.sources import resolve
from foedus.sources.ingest import ingest
from foedus.sources.registry import load_facts
from foedus.sources.resolve import locate, missing_data

CONTENT = b"index\tyear\tbattle_deaths\tyear\r\n1\t1823\t1000\t1823\r\n"
NAME = "clauset_2018_wars_cow_v4.txt"
ID = "rep_clauset_2018"


@pytest.fixture
def home(tmp_path):
    """A project whose one source is pinned to CONTENT."""
    sources = tmp_path / "config" / "sources"
    sources.mkdir(parents=True)
    text = (ROOT / "config" / "sources" / f"{ID}.yaml").read_text()
    pinned = load_facts(ROOT / "config")[ID].files[0].sha256
    text = text.replace(pinned, hashlib.sha256(CONTENT).hexdigest()).replace("rows: 95", "rows: 1")
    (sources / f"{ID}.yaml").write_text(text)
    return tmp_path


def project(home: Path, *raw: Path, accept: tuple[str, ...] = ()) -> Project:
    return Project(home, Config(accept_unpinned=accept), home / "results", tuple(raw), offline=True)


def put(folder: Path, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    path.write_bytes(content)
    return path


def state(project: Project):
    return locate(project)[ID]


def test_missing(home):
    assert state(project(home)).state == "missing"


def test_found_at_any_depth_and_own_folder_first(home, tmp_path):
    mirror = tmp_path / "mirror"
    deep = put(mirror / "a" / "b", CONTENT)
    found = state(project(home, mirror))
    assert (found.state, found.paths()) == ("found", {NAME: deep})
    own = put(home / "data" / "raw" / "x", CONTENT)
    assert state(project(home, mirror)).paths() == {NAME: own}


def test_mirrors_keep_their_order(home, tmp_path):
    first, second = put(tmp_path / "one", CONTENT), put(tmp_path / "two", CONTENT)
    assert state(project(home, first.parent, second.parent)).paths()[NAME] == first
    assert state(project(home, second.parent, first.parent)).paths()[NAME] == second


def test_another_checksum_is_never_used_silently(home, tmp_path):
    other = put(tmp_path / "one", CONTENT + b"2\t1824\t5\t1824\r\n")
    found = state(project(home, other.parent))
    assert found.state == "wrong checksum"
    assert not found.usable
    with pytest.raises(MissingDataError) as caught:
        ingest(project(home, other.parent), [ID])
    text = str(caught.value)
    assert caught.value.exit_code == 4
    for part in (
        str(other),
        hashlib.sha256(other.read_bytes()).hexdigest(),
        hashlib.sha256(CONTENT).hexdigest(),
        f"accept_unpinned: [{ID}]",
    ):
        assert part in text
    assert not (home / "results").exists()


def test_pinned_file_further_on_beats_a_refused_one(home, tmp_path):
    put(tmp_path / "one", CONTENT + b"#")
    right = put(tmp_path / "two", CONTENT)
    found = state(project(home, tmp_path / "one", tmp_path / "two"))
    assert (found.state, found.paths()[NAME]) == ("found", right)


def test_accepted_version_is_used_and_stamped(home, tmp_path):
    from foedus.sources.tables import Tables

    put(tmp_path / "one", CONTENT + b"2\t1824\t5\t1824\r\n")
    chosen = project(home, tmp_path / "one", accept=(ID,))
    assert state(chosen).state == "accepted unpinned"
    (report,) = ingest(chosen)
    assert report.rows == {"wars": 2}
    assert "the pinned release has 1" in report.notes[0]
    metadata = Tables(chosen).metadata(ID, "wars")
    assert metadata["accepted_unpinned"] is True
    assert metadata["files"][0]["sha256"] == state(chosen).files[0].sha256


def test_no_longer_accepted_table_is_not_served(home, tmp_path):
    from foedus.sources.tables import Tables

    put(tmp_path / "one", CONTENT + b"2\t1824\t5\t1824\r\n")
    ingest(project(home, tmp_path / "one", accept=(ID,)))
    with pytest.raises(MissingDataError, match="accept_unpinned"):
        Tables(project(home, tmp_path / "one")).get(ID, "wars")


def test_accepting_an_unknown_source_is_refused(home):
    with pytest.raises(ConfigError, match=r"Nearest: rep_clauset_2018"):
        locate(project(home, accept=("rep_clauset_2019",)))


def test_unknown_id(home):
    with pytest.raises(UsageError, match="no source"):
        locate(project(home), ["nothing"])


def test_simulated_file_is_known_by_the_truth_beside_it(home, tmp_path):
    put(tmp_path / "world" / "cow", CONTENT + b"2\t1824\t5\t1824\r\n")
    (tmp_path / "world" / "truth.json").write_text("{}")
    chosen = project(home, tmp_path / "world", accept=(ID,))
    assert state(chosen).simulated
    (report,) = ingest(chosen)
    assert report.simulated


def test_missing_message_says_where_it_looked_and_how_to_get_it(home, tmp_path):
    found = state(project(home, tmp_path / "mirror"))
    text = str(missing_data(project(home, tmp_path / "mirror"), [found]))
    for part in (NAME, str(home / "data" / "raw"), str(tmp_path / "mirror"), "FOEDUS_RAW"):
        assert part in text
    with_url = replace(
        found.files[0], facts=found.files[0].facts.model_copy(update={"url": "https://x.org/a"})
    )
    text = str(missing_data(project(home), [replace(found, files=(with_url,))]))
    assert "`foedus fetch` gets it from https://x.org/a" in text


def test_dangling_link_counts_as_refused(home, tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / NAME).symlink_to(tmp_path / "nowhere")
    assert state(project(home, folder)).state == "wrong checksum"


def test_core_sources(make_project):
    found = resolve.core_sources(make_project())
    assert list(found) == list(resolve.CORE)
    assert not resolve.has_core(make_project())


def test_listing_names_state_and_citation(make_project):
    from foedus.sources.listing import list_sources

    lines = {line.id: line for line in list_sources(make_project())}
    atop = lines["atop"].as_dict()
    assert atop["state"] == "missing"
    assert (atop["first"], atop["last"], atop["rows"]) == (1815, 2018, 2510)
    assert atop["files"][0]["address"].startswith("https://www.atopdata.org")
    assert "leeds" in atop["citation"].lower()
