"""A user's file in any of its forms: file types, what states are called, rows of other units."""

from __future__ import annotations

import json
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from foedus.config import Config, Project
from foedus.covariates import registry
from foedus.covariates.assemble import build_panel
from foedus.covariates.user_coverage import coverage_of, describe, keep, kept
from foedus.covariates.user_files import declared_covariate, register_user_covariates
from foedus.errors import ConfigError, FoedusError, InputError, UsageError
from tests.covariates.conftest import SmallTables, states

Make = Callable[..., SmallTables]
CODES = Path(__file__).resolve().parents[2] / "config" / "country_codes.yaml"

YAML = """name: aid
title: Aid
file: {file}
key: [{key}]
columns:
  aid: {{says: Aid given., unit: dollars}}
absent: missing
coverage: [1980, 1995]
citation: A. Donor 1999
"""


@pytest.fixture(autouse=True)
def clean_registry() -> Iterator[None]:
    registry.registry()
    before = dict(registry._COVARIATES)
    yield
    registry._COVARIATES.clear()
    registry._COVARIATES.update(before)


@pytest.fixture
def modern() -> SmallTables:
    """Both Germanies and both Yemens, the states that follow them, France and Kiribati."""
    tables = SmallTables(
        {
            ("cow_states", "states"): states(
                (220, "1816-01-01", "2016-12-31"),
                (255, "1990-10-03", "2016-12-31"),
                (260, "1955-05-05", "1990-10-02"),
                (265, "1954-03-25", "1990-10-02"),
                (678, "1926-09-02", "1990-05-21"),
                (679, "1990-05-22", "2016-12-31"),
                (946, "1999-09-14", "2016-12-31"),
            )
        }
    )
    tables.coverages["cow_states"] = (1816, 2016)
    return tables


def project_of(root: Path, yaml: str, **files: bytes | str) -> Project:
    folder = root / "mine"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "aid.yaml").write_text(yaml)
    (root / "config" / "sources").mkdir(parents=True, exist_ok=True)
    (root / "config" / "country_codes.yaml").write_text(CODES.read_text())
    return Project(root=root, config=Config(covariate_dirs=("mine",)), data=root / "results")


def built(project: Project, tables: SmallTables, unit: str, years: tuple[int, int]) -> pl.DataFrame:
    register_user_covariates(project)
    frame = pl.from_arrow(build_panel(tables, unit, years, ["aid"]).table)  # type: ignore[arg-type]
    assert isinstance(frame, pl.DataFrame)
    return frame


ROWS = pl.DataFrame({"land": ["FRA", "DEU", "DDR"], "jahr": [1985, 1985, 1985], "aid": [1.5, 2, 3]})


def written(folder: Path, ending: str) -> str:
    """Write ROWS in a file type and return its name."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"aid{ending}"
    if ending == ".csv":
        ROWS.write_csv(path)
    elif ending == ".parquet":
        ROWS.write_parquet(path)
    elif ending == ".dta":
        ROWS.to_pandas().to_stata(path, write_index=False)
    else:
        import openpyxl

        book = openpyxl.Workbook()
        sheet = book.create_sheet("data")
        for row in [ROWS.columns, *ROWS.rows()]:
            sheet.append(list(row))
        book.save(path)
    return path.name


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".dta", ".xlsx"])
def test_every_file_type_with_columns_called_otherwise(
    tmp_path: Path, modern: SmallTables, ending: str
) -> None:
    name = written(tmp_path / "mine", ending)
    yaml = YAML.format(file=name, key="ccode, year") + (
        "codes: iso3\nkey_columns: {ccode: land, year: jahr}\n"
        + ("sheet: data\n" if ending == ".xlsx" else "")
    )
    frame = built(project_of(tmp_path, yaml), modern, "state-year", (1985, 1986))
    known = frame.drop_nulls("aid").select("ccode", "year", "aid").rows()
    assert known == [(220, 1985, 1.5), (260, 1985, 2.0), (265, 1985, 3.0)]
    assert frame.height == 8


@pytest.mark.parametrize(
    ("codes", "csv", "expected"),
    [
        ("gw", "ccode,year,aid\n260,1985,1\n260,1991,2\n678,1985,3\n678,1991,4\n",
         [(255, 1991, 2), (260, 1985, 1), (678, 1985, 3), (679, 1991, 4)]),
        ("iso_numeric", "ccode,year,aid\n250,1985,1\n280,1985,2\n887,1991,3\n",
         [(220, 1985, 1), (260, 1985, 2), (679, 1991, 3)]),
        ("name", "ccode,year,aid\nFrance,1985,1\nEast Germany,1985,2\nGermany,1991,3\n",
         [(220, 1985, 1), (255, 1991, 3), (265, 1985, 2)]),
    ],
)  # fmt: skip
def test_states_by_what_they_are_called(
    tmp_path: Path, modern: SmallTables, codes: str, csv: str, expected: list[Any]
) -> None:
    yaml = YAML.format(file="aid.csv", key="ccode, year") + f"codes: {codes}\n"
    frame = built(project_of(tmp_path, yaml, aid__csv=csv), modern, "state-year", (1985, 1991))
    assert frame.drop_nulls("aid").select("ccode", "year", "aid").rows() == expected


def test_dyads_by_name_hold_in_both_directions(tmp_path: Path, modern: SmallTables) -> None:
    yaml = YAML.format(file="aid.csv", key="ccode1, ccode2, year") + "codes: name\n"
    csv = "ccode1,ccode2,year,aid\nWest Germany,France,1985,7\n"
    frame = built(project_of(tmp_path, yaml, aid__csv=csv), modern, "directed-dyad-year",
                  (1985, 1985))  # fmt: skip
    assert frame.drop_nulls("aid").select("ccode1", "ccode2", "aid").rows() == [
        (220, 260, 7), (260, 220, 7),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "csv", "words"),
    [
        ("codes: name", "ccode,year,aid\nFrance,1985,1\nAtlantis,1985,2\nAtlantis,1985,3\n",
         'row 2 "Atlantis" is no name of a state that is known \\(2 rows\\)'),
        ("codes: name", "ccode,year,aid\nGermany,1985,1\n", "COW state 260 or 265 in 1985"),
        ("codes: iso3", "ccode,year,aid\nFRA,1985,1\nFRA,1985,2\n", "rows 1, 2: the key ccode 220"),
        ("codes: cow", "ccode,year,aid\nFRA,1985,1\n", "rows? 1, column ccode: found 'FRA'"),
        ("codes: iso3", "ccode,year,aid\nFRA,1985,much\nFRA,1986,more\n",
         "rows 1, 2, column aid: found 'much'"),
        ("codes: iso3", "ccode,year,aid\nFRA,1985,inf\n", "row 1, column aid"),
        ("sheet: none", "", "ends in"),
    ],
)  # fmt: skip
def test_a_wrong_file_names_its_rows(
    tmp_path: Path, modern: SmallTables, more: str, csv: str, words: str
) -> None:
    file = "aid.csv" if csv else "aid.odt"
    yaml = YAML.format(file=file, key="ccode, year") + more + "\n"
    project = project_of(tmp_path, yaml, **({"aid__csv": csv} if csv else {}))
    with pytest.raises(InputError, match=words) as caught:
        built(project, modern, "state-year", (1985, 1985))
    assert caught.value.exit_code == 3


def test_one_pair_in_both_orders_is_repeated_unless_directed(
    tmp_path: Path, modern: SmallTables
) -> None:
    csv = "ccode1,ccode2,year,aid\n220,260,1985,1\n260,220,1985,2\n"
    yaml = YAML.format(file="aid.csv", key="ccode1, ccode2, year")
    project = project_of(tmp_path, yaml, aid__csv=csv)
    with pytest.raises(InputError, match=r"rows 1, 2: .* stands 2 times in either direction"):
        built(project, modern, "dyad-year", (1985, 1985))
    registry._COVARIATES.pop("aid")
    directed = yaml.replace("unit: dollars", "unit: dollars, collapse: sum") + "directed: true\n"
    project = project_of(tmp_path, directed, aid__csv=csv)
    frame = built(project, modern, "dyad-year", (1985, 1985))
    assert frame.drop_nulls("aid")["aid"].to_list() == [3.0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not a workbook", "no Excel workbook"),
        (b"PK\x03\x04" + b"\x00" * 40, "Excel workbook"),
        (b"", "Excel workbook"),
    ],
)
def test_a_broken_workbook_is_refused(
    tmp_path: Path, modern: SmallTables, content: bytes, words: str
) -> None:
    project = project_of(
        tmp_path, YAML.format(file="aid.xlsx", key="ccode, year"), aid__xlsx=content
    )
    with pytest.raises(InputError, match=words):
        built(project, modern, "state-year", (1985, 1985))


def test_a_workbook_that_unpacks_without_end_is_refused(
    tmp_path: Path, modern: SmallTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foedus.covariates.user_reading._LARGEST", 10_000)
    folder = tmp_path / "mine"
    folder.mkdir()
    with zipfile.ZipFile(folder / "aid.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", "0" * 100_000)
    project = project_of(tmp_path, YAML.format(file="aid.xlsx", key="ccode, year"))
    with pytest.raises(InputError, match="more than a gigabyte"):
        built(project, modern, "state-year", (1985, 1985))


def test_a_sheet_that_is_not_there_is_refused(tmp_path: Path, modern: SmallTables) -> None:
    name = written(tmp_path / "mine", ".xlsx")
    for sheet, words in (("dta", "Nearest: data"), (3, "there is no sheet 3; it has 2")):
        yaml = YAML.format(file=name, key="ccode, year") + f"sheet: {sheet}\n"
        with pytest.raises(InputError, match=words):
            built(project_of(tmp_path, yaml), modern, "state-year", (1985, 1985))
        registry._COVARIATES.pop("aid")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("codes: iso2", "codes"),
        ("key_columns: {state: land}", "no part of the key"),
        ("present: aid", "name of a column"),
    ],
)
def test_a_wrong_declaration_is_refused(tmp_path: Path, more: str, words: str) -> None:
    yaml = YAML.format(file="aid.csv", key="ccode, year") + more + "\n"
    with pytest.raises(ConfigError, match=words):
        register_user_covariates(project_of(tmp_path, yaml))


def test_facts_of_an_alliance_stand_on_its_units(
    tmp_path: Path, make_tables: Make, four_states: pl.DataFrame
) -> None:
    from tests.covariates.conftest import members

    pacts = members(
        {"atopid": 1000, "member": 10, "start": "1820-01-01", "end": "1822-12-31"},
        {"atopid": 1000, "member": 20, "start": "1820-01-01", "end": "1822-12-31"},
        {"atopid": 2000, "member": 30, "start": "1821-01-01", "end": "1821-12-31"},
        {"atopid": 2000, "member": 40, "start": "1821-01-01", "end": "1821-12-31"},
    )
    tables = make_tables(four_states, atop__members=pacts)
    yaml = YAML.format(file="aid.csv", key="atopid").replace("[1980, 1995]", "[1815, 1838]")
    yaml = yaml.replace("absent: missing", "absent: zero") + "present: in_aid\n"
    project = project_of(tmp_path, yaml, aid__csv="atopid,aid\n1000,5\n")
    frame = built(project, tables, "alliance-year", (1820, 1822))
    assert frame.select("atopid", "year", "aid", "in_aid").rows() == [
        (1000, 1820, 5, 1), (1000, 1821, 5, 1), (1000, 1822, 5, 1), (2000, 1821, 0, 0),
    ]  # fmt: skip


def test_years_of_the_system(tmp_path: Path, modern: SmallTables) -> None:
    yaml = YAML.format(file="aid.csv", key="year")
    project = project_of(tmp_path, yaml, aid__csv="year,aid\n1985,2\n1986,3\n")
    frame = built(project, modern, "system-year", (1985, 1987))
    assert frame["aid"].to_list() == [2, 3, None]


def test_a_panel_of_ones_own_is_the_rows_where_the_file_has_one(
    tmp_path: Path, modern: SmallTables
) -> None:
    csv = "ccode1,ccode2,year,aid\n220,260,1985,1\n220,265,1986,\n"
    yaml = YAML.format(file="aid.csv", key="ccode1, ccode2, year") + "present: mine\n"
    project = project_of(tmp_path, yaml, aid__csv=csv)
    register_user_covariates(project)
    panel = build_panel(modern, "dyad-year", (1985, 1986), ["aid"], where="mine == 1")  # type: ignore[arg-type]
    made = panel.table.select(["ccode1", "ccode2", "year", "aid"]).to_pylist()
    assert [tuple(row.values()) for row in made] == [(220, 260, 1985, 1), (220, 265, 1986, None)]


def test_coverage_says_what_met_and_what_did_not(tmp_path: Path, modern: SmallTables) -> None:
    csv = "ccode,year,aid\nFRA,1985,1\nFRA,1986,\nDEU,1986,2\nHKG,1985,3\nKIR,1985,4\nFRA,1970,5\n"
    yaml = YAML.format(file="aid.csv", key="ccode, year") + "codes: iso3\n"
    project = project_of(tmp_path, yaml, aid__csv=csv)
    register_user_covariates(project)
    modern.project = project  # type: ignore[attr-defined]
    found = declared_covariate(project, "aid")
    assert found is not None
    path, declared = found
    made = coverage_of(modern, declared, path, years=(1985, 1986))  # type: ignore[arg-type]
    assert (made.file_rows, made.file_matched, made.file_no_state, made.file_unmatched) == (
        6, 3, 1, 2,
    )  # fmt: skip
    assert [one["row"] for one in made.file_examples] == [5, 6]
    assert (made.unit_rows, made.unit_matched, made.unit_unmatched) == (8, 3, 5)
    assert made.missing == {"aid": 1}
    text = "\n".join(describe(made))
    assert "3 matched, 2 unmatched, 1 of territories" in text
    assert "no row of the unit: row 5, ccode 946, year 1985" in text
    keep(project, made)
    assert kept(project) == [json.loads(json.dumps(made.as_dict()))]
    with pytest.raises(UsageError, match="Ask for state-year"):
        coverage_of(modern, declared, path, "system-year")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="has none"):
        coverage_of(modern, declared, path, years=(2017, 2020))  # type: ignore[arg-type]


def test_undirected_coverage_counts_a_pair_once(tmp_path: Path, modern: SmallTables) -> None:
    csv = "ccode1,ccode2,year,aid\n260,220,1985,1\n"
    yaml = YAML.format(file="aid.csv", key="ccode1, ccode2, year")
    project = project_of(tmp_path, yaml, aid__csv=csv)
    modern.project = project  # type: ignore[attr-defined]
    found = declared_covariate(project, "aid")
    assert found is not None
    made = coverage_of(modern, found[1], found[0], years=(1985, 1985))  # type: ignore[arg-type]
    assert (made.file_matched, made.unit_matched, made.unit_rows) == (1, 1, 6)
    made = coverage_of(modern, found[1], found[0], "directed-dyad-year", (1985, 1985))  # type: ignore[arg-type]
    assert (made.file_matched, made.unit_matched, made.unit_rows) == (1, 2, 12)


CODE = """import numpy as np
import foedus as fd
from foedus.covariates.registry import ColumnSpec
from foedus.covariates.values import StateYears

@fd.covariate(
    name="aid", title="Twice the year", window=(1980, 1990),
    columns=[ColumnSpec("aid", "integer", "Twice the year.", unit="years", level="state")],
    sources=[], citations=[], says_citation="A. Donor 1999",
)
def aid(context):
    "Make `aid`."
    years = np.tile(2 * context.system.years, (context.system.n_states, 1))
    return {"aid": StateYears(years.astype(np.int32))}
"""


def test_a_decorated_function_in_the_users_folder(tmp_path: Path, modern: SmallTables) -> None:
    project = project_of(tmp_path, "", aid__py=CODE)
    (tmp_path / "mine" / "aid.yaml").unlink()
    assert register_user_covariates(project) == ["aid"]
    frame = pl.from_arrow(build_panel(modern, "state-year", (1990, 1991), ["aid"]).table)  # type: ignore[arg-type]
    assert isinstance(frame, pl.DataFrame)
    assert set(frame.filter(year=1990)["aid"]) == {3980}
    assert frame.filter(year=1991)["aid"].null_count() == frame.filter(year=1991).height
    # The file ran once; a second project in this process doesn't declare it twice.
    assert register_user_covariates(project) == []


def test_the_manuals_function_runs_as_it_stands(tmp_path: Path, modern: SmallTables) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "python.md").read_text()
    begun = manual.index("    import numpy as np")
    code = textwrap.dedent(manual[begun : manual.index("Facts of states are arrays")])
    project = project_of(tmp_path, "", decade__py=code)
    (tmp_path / "mine" / "aid.yaml").unlink()
    assert register_user_covariates(project) == ["decade"]
    panel = build_panel(modern, "dyad-year", (1985, 1985), ["decade"])  # type: ignore[arg-type]
    assert set(panel.columns["decade1"]) == set(panel.columns["decade2"]) == {1980}


@pytest.mark.parametrize(
    ("code", "line", "words"),
    [
        ("import foedus\nx = 1 / 0\n", 2, "ZeroDivisionError"),
        ("def f(:\n", 1, "SyntaxError"),
        ("import no_such_module_of_mine\n", 1, "ModuleNotFoundError"),
    ],
)
def test_a_users_code_that_cannot_run_is_an_input_error(
    tmp_path: Path, code: str, line: int, words: str
) -> None:
    project = project_of(tmp_path, "", broken__py=code)
    (tmp_path / "mine" / "aid.yaml").unlink()
    with pytest.raises(FoedusError, match=rf"broken.py, line {line}: .*{words}") as caught:
        register_user_covariates(project)
    assert caught.value.exit_code == 3


def test_the_command_names_the_nearest_covariate_of_ones_own(
    bare: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from foedus.cli.front import run

    folder = bare / "config" / "covariates"
    (folder / "aid.yaml").write_text(YAML.format(file="aid.csv", key="ccode, year"))
    (folder / "aid.csv").write_text("ccode,year,aid\n2,1985,1\n")
    assert run(["covariates", "check", "ade", "--quiet"]) == 2
    assert "Nearest: aid." in capsys.readouterr().err
    # Without the state list there is nothing to compare with.
    assert run(["covariates", "check", "aid", "--quiet", "--offline"]) == 4
