"""A user's covariate from a file and a YAML: right values, and every way to get it wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from foedus.config import Config, Project
from foedus.covariates import registry
from foedus.covariates.assemble import build_panel
from foedus.covariates.codebook import codebook_markdown, panel_codebook
from foedus.covariates.user_files import register_user_covariates
from foedus.errors import ConfigError, FoedusError, InputError
from tests.covariates.conftest import SmallTables

Make = Callable[..., SmallTables]

YAML = """name: {name}
title: Trade
file: barter.csv
key: [{key}]
directed: {directed}
columns:
  barter: {{says: Trade of 1 with 2, unit: million dollars, kind: {kind}, collapse: max}}
absent: {absent}
coverage: [1820, 1830]
citation: A. Trader 1900
"""


@pytest.fixture(autouse=True)
def clean_registry() -> Iterator[None]:
    registry.registry()
    before = dict(registry._COVARIATES)
    yield
    registry._COVARIATES.clear()
    registry._COVARIATES.update(before)


def declare(
    root: Path, csv: str, key: str, kind: str = "number", absent: str = "zero",
    directed: str = "false", name: str = "barter",
) -> Project:  # fmt: skip
    folder = root / "mine"
    folder.mkdir(exist_ok=True)
    (folder / "barter.csv").write_text(csv)
    text = YAML.format(key=key, kind=kind, absent=absent, directed=directed, name=name)
    (folder / "barter.yaml").write_text(text)
    return Project(root=root, config=Config(covariate_dirs=("mine",)))


def made(project: Project, tables: SmallTables, unit: str, years: tuple[int, int]) -> pl.DataFrame:
    assert register_user_covariates(project) == ["barter"]
    frame = pl.from_arrow(build_panel(tables, unit, years, ["barter"]).table)  # type: ignore[arg-type]
    assert isinstance(frame, pl.DataFrame)
    return frame


def value(frame: pl.DataFrame, column: str, **keys: int) -> Any:
    rows = frame.filter(*(pl.col(key) == wanted for key, wanted in keys.items()))
    assert rows.height == 1
    return rows[column][0]


def test_state_years(tmp_path: Path, make_tables: Make, four_states: pl.DataFrame) -> None:
    project = declare(tmp_path, "ccode,year,barter\n10,1821,5\n20,1821,\n", "ccode, year")
    frame = made(project, make_tables(four_states), "dyad-year", (1819, 1822))
    assert value(frame, "barter1", ccode1=10, ccode2=20, year=1821) == 5
    assert value(frame, "barter2", ccode1=10, ccode2=20, year=1821) is None  # empty is not 0
    assert value(frame, "barter1", ccode1=10, ccode2=20, year=1822) == 0  # no row is
    assert value(frame, "barter1", ccode1=10, ccode2=20, year=1819) is None  # outside coverage


def test_states_without_years(tmp_path: Path, make_tables: Make, four_states: pl.DataFrame) -> None:
    project = declare(tmp_path, "ccode,barter\n10,5\n", "ccode", absent="missing")
    frame = made(project, make_tables(four_states), "state-year", (1820, 1831))
    assert value(frame, "barter", ccode=10, year=1830) == 5
    assert value(frame, "barter", ccode=10, year=1831) is None
    assert value(frame, "barter", ccode=20, year=1830) is None


def test_dyads_of_both_kinds(tmp_path: Path, make_tables: Make, four_states: pl.DataFrame) -> None:
    csv = "ccode1,ccode2,year,barter\n10,20,1821,5\n"
    project = declare(tmp_path, csv, "ccode1, ccode2, year", directed="true")
    frame = made(project, make_tables(four_states), "directed-dyad-year", (1821, 1821))
    assert value(frame, "barter", ccode1=10, ccode2=20) == 5
    assert value(frame, "barter", ccode1=20, ccode2=10) == 0
    registry._COVARIATES.pop("barter")
    project = declare(tmp_path, csv, "ccode1, ccode2, year", directed="false")
    frame = made(project, make_tables(four_states), "directed-dyad-year", (1821, 1821))
    assert value(frame, "barter", ccode1=20, ccode2=10) == 5


def test_a_flag_is_an_integer(tmp_path: Path, make_tables: Make, four_states: pl.DataFrame) -> None:
    project = declare(tmp_path, "ccode,year,barter\n10,1821,1\n", "ccode, year", kind="flag")
    frame = made(project, make_tables(four_states), "state-year", (1821, 1821))
    assert frame["barter"].dtype == pl.Int8


@pytest.mark.parametrize(
    ("csv", "error", "words"),
    [
        (
            "ccode,year,barter\n10,1821,5\n10,1821,6\n",
            InputError,
            "rows 1, 2: .* ccode 10, year 1821",
        ),
        ("ccode,year,barter\n999,1821,5\n", InputError, "no COW state \\(999\\)"),
        ("ccode,year,barter\n10,1821,much\n", InputError, "row 1, column barter: found 'much'"),
        ("ccode,year,barter\n10,,5\n", InputError, "column year"),
        ("ccode,year,barter\n10.5,1821,5\n", InputError, "row 1, column ccode"),
        ("ccode,yaer,barter\n10,1821,5\n", InputError, "Nearest: yaer"),
        ("", InputError, "can't be read"),
        ("ccode,year,barter\n", InputError, "no row below the header"),
        ("ccode;year;barter\n10;1821;1,5\n", InputError, "parted by semicolons"),
        ("ccode\tyear\tbarter\n10\t1821\t5\n", InputError, "parted by tabs"),
    ],
)
def test_a_wrong_file_is_refused_with_its_row(
    tmp_path: Path, make_tables: Make, four_states: pl.DataFrame,
    csv: str, error: type[FoedusError], words: str,
) -> None:  # fmt: skip
    project = declare(tmp_path, csv, "ccode, year")
    with pytest.raises(error, match=words) as caught:
        made(project, make_tables(four_states), "state-year", (1821, 1821))
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("absent: zero", "absnet: zero", "Nearest: absent"),
        ("key: [ccode, year]", "key: [country, year]", "is not one of"),
        ("coverage: [1820, 1830]", "coverage: forever", "coverage"),
        ("kind: number", "kind: numbr", "kind"),
        ("title: Trade", "title: [", "not valid YAML"),
    ],
)
def test_a_wrong_yaml_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    project = declare(tmp_path, "ccode,year,barter\n10,1821,5\n", "ccode, year")
    yaml = tmp_path / "mine" / "barter.yaml"
    assert old in yaml.read_text()
    yaml.write_text(yaml.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=words):
        register_user_covariates(project)


def test_one_of_our_names_cannot_be_taken(tmp_path: Path) -> None:
    registry.registry()
    project = declare(tmp_path, "ccode,year,barter\n10,1821,5\n", "ccode, year", name="major")
    with pytest.raises(FoedusError, match="declared twice"):
        register_user_covariates(project)


def test_a_file_in_another_encoding_is_refused_in_words(
    tmp_path: Path, make_tables: Make, four_states: pl.DataFrame
) -> None:
    project = declare(tmp_path, "", "ccode, year")
    text = "ccode,year,barter,note\n10,1821,5,Côte\n".encode("latin-1")
    (tmp_path / "mine" / "barter.csv").write_bytes(text)
    with pytest.raises(InputError, match="isn't UTF-8"):
        made(project, make_tables(four_states), "state-year", (1821, 1821))


def test_the_codebook_names_the_file_and_whom_to_cite(
    tmp_path: Path, make_tables: Make, four_states: pl.DataFrame
) -> None:
    project = declare(tmp_path, "ccode,year,barter\n10,1821,1\n", "ccode, year", kind="flag")
    yaml = tmp_path / "mine" / "barter.yaml"
    yaml.write_text(yaml.read_text().replace("unit: million dollars, ", ""))
    assert register_user_covariates(project) == ["barter"]
    panel = build_panel(make_tables(four_states), "state-year", (1821, 1821), ["barter"])
    told = panel.notes["barter"].as_metadata()
    assert (told["sources"], told["citations"], told["unit"], told["coverage"]) == (
        "barter.csv", "A. Trader 1900", "0/1", "1820-1830",
    )  # fmt: skip
    book = codebook_markdown(panel_codebook(panel, "mine"))
    assert "| barter.csv | 1820-1830 | A. Trader 1900 |" in book
