"""A source of the user's own, in a folder of theirs: facts in a YAML, a decorated function."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from foedus.config import Config, Project
from foedus.errors import ConfigError, SourceError
from foedus.sources import registry
from foedus.sources.ingest import ingest
from foedus.sources.tables import Tables

CSV = "ccode,year,embassies\n2,1990,150\n220,1990,140\n"
YAML = """id: embassies
dataset: embassies
version: "1"
title: "Embassies"
edition: original
coverage: [1980, 2000]
citation: [family_2014]
terms: "Mine."
obtained_from: "my own counting"
files:
  - {{name: embassies.csv, sha256: {digest}, bytes: {size}, rows: 2}}
tables:
  counts: {{rows: 2, key: [ccode, year], description: "One row a state-year"}}
quirks: ["None."]
"""
CODE = """import foedus as fd
from foedus.sources.columns import state, year
from foedus.sources.schema import Column, read_table

COLUMNS = (state("ccode", "COW state number"), year(),
           Column("embassies", "int32", "Embassies that it receives", low=0))

@fd.source("embassies", tables={"counts": COLUMNS})
def read(files, facts):
    return {"counts": read_table(files, facts, "embassies.csv", COLUMNS)}
"""


@pytest.fixture(autouse=True)
def clean_readers() -> Iterator[None]:
    before = dict(registry._READERS)
    yield
    registry._READERS.clear()
    registry._READERS.update(before)


def project_of(root: Path, repository: Path, csv: str = CSV, code: str = CODE) -> Project:
    mine = root / "mine"
    mine.mkdir()
    digest = sha256(csv.encode()).hexdigest()
    (mine / "embassies.yaml").write_text(YAML.format(digest=digest, size=len(csv)))
    (mine / "embassies_reader.py").write_text(code)
    (mine / "embassies.csv").write_text(csv)
    (root / "config").mkdir()
    (root / "config" / "sources").symlink_to(repository / "config" / "sources")
    config = Config(source_dirs=("mine",), raw_dirs=())
    return Project(root, config, root / "results", (mine,), offline=True)


def test_a_users_source_is_one_like_ours(tmp_path: Path, repository: Path) -> None:
    project = project_of(tmp_path, repository)
    (report,) = ingest(project, ["embassies"])
    assert (report.state, report.rows) == ("found", {"counts": 2})
    tables = Tables(project)
    assert tables.coverage("embassies") == (1980, 2000)
    assert tables.get("embassies", "counts")["embassies"].to_list() == [150, 140]
    # The code that reads it is part of what a table is made from.
    assert ingest(project, ["embassies"])[0].fresh is False


def test_its_files_keep_the_same_rules(tmp_path: Path, repository: Path) -> None:
    project = project_of(tmp_path, repository, CSV.replace("150", "many"))
    with pytest.raises(SourceError, match="line 2, column embassies"):
        ingest(project, ["embassies"])


def test_it_may_not_take_one_of_our_names(tmp_path: Path, repository: Path) -> None:
    project = project_of(tmp_path, repository)
    ours = (repository / "config" / "sources" / "cow_nmc.yaml").read_text()
    (tmp_path / "mine" / "cow_nmc.yaml").write_text(ours)
    with pytest.raises(ConfigError, match="there is a source cow_nmc already"):
        ingest(project, ["embassies"])


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, repository: Path) -> None:
    project = project_of(tmp_path, repository)
    astray = Project(project.root, Config(source_dirs=("none",)), project.data)
    with pytest.raises(ConfigError, match="source_dirs: none is not a folder"):
        registry.project_facts(astray)
