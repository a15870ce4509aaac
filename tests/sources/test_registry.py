"""Every registered source is complete: facts, citation, a definition for each column."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml
from tests.sources.conftest import ROOT

from foedus.config import Project
from foedus.errors import ConfigError, UsageError
from foedus.references import cite, load_references
from foedus.sources import registry
from foedus.sources.registry import load_facts, reader, resolve_id
from foedus.sources.resolve import CORE

IDS = sorted(load_facts(ROOT / "config"))
REQUIRED = {
    "cow_states", "atop", "atop_4.01", "mid", "mid_4.2", "gml_mid", "gml_mid_2.03",
    "cow_interstate_wars", "cow_contiguity", "cow_nmc", "polity", "capitals", "cow_mindist",
    "rep_berkemeier_fuhrmann_2018", "rep_clauset_2018",
}  # fmt: skip


def test_the_agreed_sources_are_there():
    assert set(IDS) >= REQUIRED
    assert set(CORE) <= set(IDS)


@pytest.mark.parametrize("name", IDS)
def test_source_is_complete(name, facts):
    one = facts[name]
    registered = reader(one)
    assert set(registered.tables) == set(one.tables)
    assert cite(load_references(ROOT / "config"), one.citation)
    assert one.coverage[0] < one.coverage[1]
    assert one.quirks, "what is odd about the files?"
    assert all(quirk.endswith(".") for quirk in one.quirks)
    for table, columns in registered.tables.items():
        names = [column.name for column in columns]
        assert len(names) == len(set(names)), f"{name}/{table}: a column stands twice"
        kept = {column.name for column in columns if column.keep}
        assert set(one.table(table).key) <= kept
        assert one.table(table).description
        for column in columns:
            assert len(column.definition) >= 3, f"{name}/{table}.{column.name}: no definition"


@pytest.mark.parametrize("name", IDS)
def test_code_lists_and_missing_codes_name_columns_that_exist(name, facts):
    one = facts[name]
    columns = {c.name for columns in reader(one).tables.values() for c in columns}
    # The two releases of ATOP share a list that names the marks of both.
    shared = {"new4", "rev4", "new5", "rev5", "ongo2010", "ongo2014", "sidea", "d4", "d5"}
    for listed, codes in one.codes.items():
        named = set(codes.columns or (listed,))
        assert named <= columns | shared, f"{name}: codes.{listed}: {named - columns}"
    assert set(one.missing_codes) <= {*columns, "*"}


@pytest.mark.parametrize("name", IDS)
def test_every_file_has_an_address_or_a_source_of_copies(name, facts):
    one = facts[name]
    for file in one.files:
        assert not (file.url and file.page)
        assert file.url or file.page or one.obtained_from
        if file.url:
            assert file.url.startswith("https://")


@pytest.mark.parametrize("name", IDS)
def test_alias_resolves(name, facts):
    assert resolve_id(facts, facts[name].alias).id == name
    assert resolve_id(facts, facts[name].dataset, facts[name].version).id == name


def test_unknown_source_names_the_nearest(facts):
    with pytest.raises(UsageError, match="Nearest: atop"):
        resolve_id(facts, "atpo")
    with pytest.raises(UsageError, match="no release"):
        resolve_id(facts, "atop", "9.9")


def test_registry_imports_no_data_library():
    code = (
        "import sys, foedus.sources, foedus.sources.registry, foedus.sources.resolve\n"
        "print([m for m in ('pandas', 'polars', 'pyarrow.csv') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def write_source(tmp_path, name, content):
    home = tmp_path / "config" / "sources"
    home.mkdir(parents=True, exist_ok=True)
    (home / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "config"


MINIMAL = {
    "id": "mine",
    "dataset": "mine",
    "version": "1",
    "title": "Mine",
    "edition": "original",
    "coverage": [1900, 1910],
    "citation": ["me_2000"],
    "terms": "free",
    "obtained_from": "me",
    "files": [{"name": "mine.csv", "sha256": "0" * 64, "bytes": 10}],
    "tables": {"rows": {"rows": 2, "key": ["ccode"], "description": "One row a state"}},
}


def test_unknown_key_names_the_nearest(tmp_path):
    config = write_source(tmp_path, "mine", {**MINIMAL, "covrage": [1, 2]})
    with pytest.raises(ConfigError, match=r"covrage: unknown key\. Nearest: coverage"):
        load_facts(config)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": "other"}, "id must be"),
        ({"coverage": [1910, 1900]}, "backwards"),
        ({"citation": []}, "citation"),
        ({"files": [{"name": "a", "sha256": "xyz", "bytes": 1}]}, "sha256"),
    ],
)
def test_wrong_facts_are_refused(tmp_path, change, says):
    config = write_source(tmp_path, "mine", {**MINIMAL, **change})
    with pytest.raises(ConfigError, match=says):
        load_facts(config)


def test_file_name_and_id_must_agree(tmp_path):
    config = write_source(tmp_path, "yours", MINIMAL)
    with pytest.raises(ConfigError, match="the file name says"):
        load_facts(config)


def test_corrections_need_a_source(tmp_path):
    config = write_source(tmp_path, "mine", MINIMAL)
    write_source(tmp_path, "mien.corrections", {"corrections": []})
    with pytest.raises(ConfigError, match="no source of that name"):
        load_facts(config)


def test_source_without_reader_says_where_to_write_it(tmp_path):
    config = write_source(tmp_path, "mine", MINIMAL)
    with pytest.raises(ConfigError, match=r"datasets/mine\.py"):
        reader(load_facts(config)["mine"])


def test_a_source_is_two_files(tmp_path):
    """A new YAML and a registered function are enough, with no edit elsewhere."""
    from foedus.config import Config
    from foedus.sources.schema import Column, read_table
    from foedus.sources.tables import Tables

    columns = (Column("ccode", "int32", "COW state number", required=True),)

    @registry.source("mine", tables={"rows": columns})
    def read(files, facts):
        return {"rows": read_table(files, facts, "mine.csv", columns)}

    try:
        write_source(tmp_path, "mine", MINIMAL)
        raw = tmp_path / "data" / "raw"
        raw.mkdir(parents=True)
        (raw / "mine.csv").write_text("ccode\n2\n20\n")
        project = Project(
            tmp_path, Config(accept_unpinned=("mine",)), tmp_path / "results", offline=True
        )
        assert Tables(project).get("mine", "rows")["ccode"].to_list() == [2, 20]
    finally:
        registry._READERS.pop("mine")
