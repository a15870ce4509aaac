"""Studies on a table's rows, and rebuilt variables beside an author's file."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from foedus.config import Project
from foedus.errors import ConfigError, InputError, UsageError
from foedus.sources.registry import project_facts
from foedus.studies.check import check_design, check_study
from foedus.studies.design import fingerprint
from foedus.studies.estimation import Estimation, Memo
from foedus.studies.frame import Workshop
from foedus.studies.rebuild import rebuild
from foedus.studies.registry import get_study
from foedus.studies.run import run_design
from foedus.studies.schema import Design

from .conftest import TOY, HandmadeTables, write_study

CONFIG = Path(__file__).resolve().parents[2] / "config"
FILE = pl.DataFrame(
    {
        "a": [10, 20, 30, 10, 999, 20],
        "b": [20, 10, 40, 20, 10, 30],
        "when": [1950, 1950, 1951, 1952, 1950, 1953],
        "treat": [None, 1, 0, 1, 1, 0],
        "x": [0.5, 1.5, 2.5, 3.5, 4.5, 5.5],
        "y": [1, 0, 1, 1, 0, 0],
        "name": ["p", "q", None, "p", "q", "q"],
    }
)


class WithFile(HandmadeTables):
    def get(self, source: str, table: str, release: str | None = None) -> pl.DataFrame:
        if source == "rep_toy":
            return FILE
        return super().get(source, table, release)


def design(**parts: Any) -> Design:
    content = {
        "id": "toy_study",
        "cite": "toy_2000",
        "title": "T",
        "claims": ["deterrence"],
        "universe": {
            "table": "rep_toy.rows",
            "keys": {"ccode1": "a", "ccode2": "b", "year": "when"},
        },
        "variables": {"x2": {"expression": "x ** 2"}},
        "models": {"main": {"estimator": "ols", "formula": "y ~ x"}},
        **parts,
    }
    return Design.model_validate(content)


def estimation(**parts: Any) -> Estimation:
    tables: Any = WithFile()
    return Estimation(Memo(tables, Workshop(tables)), design(**parts))


def test_a_tables_columns_are_variables() -> None:
    fitted = estimation().fit("main")
    slope, constant = np.polyfit(FILE["x"].to_numpy(), FILE["y"].to_numpy(), 1)
    assert [term.term for term in fitted.terms["classical"]] == ["(Intercept)", "x"]
    assert fitted.params == pytest.approx([constant, slope])


def test_rows_lose_what_is_missing_in_the_table_text_included() -> None:
    models = {"main": {"estimator": "ols", "formula": "y ~ treat", "covariance": ["cluster(name)"]}}
    rows = estimation(models=models).rows("main")
    assert rows.index.tolist() == [1, 3, 4, 5]
    assert rows.flow[0].cause == "every row of rep_toy.rows"


def test_keys_serve_dyadic_errors_and_periods() -> None:
    models = {
        "main": {
            "estimator": "ols", "formula": "y ~ x", "covariance": ["dyadic"], "years": [1950, 1951],
        }
    }  # fmt: skip
    fitted = estimation(models=models).fit("main")
    assert fitted.n_obs == 4
    assert fitted.terms["dyadic"][1].std_error is not None


def test_expressions_and_filters_read_the_table() -> None:
    made = estimation(
        universe={"table": "rep_toy.rows", "where": 'name == "q"'},
        models={"main": {"estimator": "ols", "formula": "y ~ x2"}},
    )
    assert made.rows("main").index.tolist() == [1, 4, 5]
    assert made.frame.values("x2").tolist() == [value**2 for value in FILE["x"]]


def test_a_table_has_no_covariates(toys: None) -> None:
    variables = {"treat2": {"from": "toy.treat"}}
    models = {"main": {"estimator": "ols", "formula": "y ~ treat2"}}
    with pytest.raises(UsageError, match="compare it with covariates under rebuild"):
        estimation(variables=variables, models=models).fit("main")


def test_a_tables_rows_take_an_attached_units_covariates(toys: None) -> None:
    made = estimation(
        universe={
            "table": "rep_toy.rows",
            "keys": {"ccode1": "a", "ccode2": "b", "year": "when"},
            "attach": "directed-dyad-year",
        },
        variables={"treat2": {"from": "toy.treat"}},
        models={"main": {"estimator": "ols", "formula": "y ~ x"}},
    )
    whole = estimation(
        universe={"unit": "directed-dyad-year", "years": [1950, 1953]},
        variables={"treat2": {"from": "toy.treat"}},
        models={"main": {"estimator": "ols", "formula": "treat2 ~ treat2"}},
    ).frame
    own = list(
        zip(*(whole.ground.keys[key].tolist() for key in ("ccode1", "ccode2", "year")), strict=True)
    )
    known = dict(zip(own, whole.values("treat2").tolist(), strict=True))
    wanted = [known.get(key, np.nan) for key in FILE.select("a", "b", "when").iter_rows()]
    np.testing.assert_allclose(made.frame.values("treat2"), wanted)
    assert np.isnan(wanted).any()
    assert not np.isnan(wanted).all()


@pytest.mark.parametrize(
    "universe",
    [
        {"unit": "dyad-year"},
        {"years": [1950, 1951]},
        {"unit": "dyad-year", "table": "rep_toy.rows", "years": [1950, 1951]},
        {"unit": "dyad-year", "years": [1950, 1951], "keys": {"year": "when"}},
        {"table": "rows"},
    ],
)
def test_a_universe_is_a_unit_or_a_table(universe: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"unit|table|keys"):
        design(universe=universe)


def test_an_expression_with_a_comma_needs_quotes() -> None:
    with pytest.raises(ValueError, match="needs quotes"):
        design(variables={"low": {"expression": "min(x", "y)": None}})


REBUILD: dict[str, Any] = {
    "unit": "directed-dyad-year",
    "years": [1950, 1969],
    "expected": "year == 1950 and ccode1 == 10",
    "variables": {"treat": {"from": "toy.treat"}, "double": {"expression": "2 * treat"}},
    "compare": {"double": "x"},
    "tolerance": {"double": 0.6},
}


def test_rebuilt_variables_are_compared_row_by_row(toys: None) -> None:
    tables: Any = WithFile()
    workshop = Workshop(tables)
    found = rebuild(design(rebuild=REBUILD), workshop)
    assert found.counts == {
        "rows_in_file": 6,
        "rows_matched": 5,
        "rows_only_in_file": 1,  # 999 is no state
        "rows_expected": 11,
        "rows_only_rebuilt": 10,
    }
    # By definition: look each row of the file up among the unit's rows.
    frame = workshop.frame(
        design(universe={"unit": "directed-dyad-year", "years": [1950, 1969]},
               variables=REBUILD["variables"])
    )  # fmt: skip
    keys = frame.ground.keys
    ours: list[float] = []
    for row in FILE.filter(pl.col("a") < 999).to_dicts():
        here = np.flatnonzero(
            (keys["ccode1"] == row["a"]) & (keys["ccode2"] == row["b"])
            & (keys["year"] == row["when"])
        )  # fmt: skip
        assert len(here) == 1
        ours.append(float(frame.values("treat")[here[0]]))
    theirs = FILE.filter(pl.col("a") < 999)["treat"].to_list()
    treat, double = found.variables
    known = [(mine, other) for mine, other in zip(ours, theirs, strict=True) if other is not None]
    assert treat["known_in_both"] == 4
    assert treat["agree"] == sum(mine == other for mine, other in known)
    assert treat["missing_in_file"] == 1
    assert treat["only_rebuilt"] == sum(mine == 1 and other == 0 for mine, other in known)
    gaps = np.abs(2 * np.array(ours) - FILE.filter(pl.col("a") < 999)["x"].to_numpy())
    assert double["agree"] == int((gaps <= 0.6).sum())
    assert double["largest_difference"] == pytest.approx(gaps.max())
    kinds = pl.Series(found.rows["kind"].to_pylist()).value_counts().rows()
    assert dict(kinds)["row only rebuilt"] == 10
    assert dict(kinds)["differs"] == 4 - treat["agree"] + 5 - double["agree"]


def test_undirected_pairs_are_put_in_order(toys: None) -> None:
    tables: Any = WithFile()
    spec = {
        "unit": "dyad-year",
        "years": [1950, 1969],
        "variables": {"x": {"expression": "ccode1 * 1"}},
    }
    found = rebuild(design(rebuild=spec), Workshop(tables))
    # 10-20 of 1950 stands twice in the file, once each way round.
    assert found.counts["rows_matched"] == 5
    assert found.variables[0]["mean_rebuilt"] == pytest.approx((10 + 10 + 30 + 10 + 20) / 5)


def test_a_rebuild_that_meets_nothing_says_so(toys: None) -> None:
    tables: Any = WithFile()
    spec = {**REBUILD, "keys": {"ccode1": "x", "ccode2": "b", "year": "when"}}
    with pytest.raises(InputError, match=r"Check rebuild\.keys"):
        rebuild(design(rebuild=spec), Workshop(tables))


def test_the_rebuild_is_part_of_the_run_and_of_the_fingerprint(
    project: Project, tables: Any
) -> None:
    spec = {**REBUILD, "table": "rep_toy.rows", "keys": {"ccode1": "a", "ccode2": "b",
            "year": "when"}}  # fmt: skip
    content = {**copy.deepcopy(TOY), "rebuild": spec}
    assert fingerprint(content) != fingerprint(TOY)
    write_study(project.root / "config" / "studies", content)
    done = run_design(get_study(project, "toy_study"), WithFile())  # type: ignore[arg-type]
    assert done.rows is not None
    assert done.detail["rebuild"]["counts"]["rows_matched"] == 5
    assert done.detail["rebuild"]["disagreeing"] == done.rows.num_rows


@pytest.fixture
def with_source(project: Project) -> Project:
    name = "rep_oneal_russett_1997.yaml"
    shutil.copy(CONFIG / "sources" / name, project.root / "config" / "sources" / name)
    return project


def on_file(**parts: Any) -> Design:
    universe = {"table": "rep_oneal_russett_1997.dyad_years", "keys": {"year": "year"}}
    models = {"main": {"estimator": "logit", "formula": "dispute ~ allies"}}
    return design(**{"universe": universe, "variables": {}, "models": models, **parts})


def test_a_design_on_a_file_is_checked_without_reading_it(with_source: Project) -> None:
    facts = project_facts(with_source)
    assert check_design(on_file(), facts) == []
    wrong = {"main": {"estimator": "logit", "formula": "dispute ~ alies"}}
    assert any("Nearest: allies" in said for said in check_design(on_file(models=wrong), facts))
    nowhere = {"table": "rep_oneal_russett_1997.pairs"}
    assert "universe.table" in check_design(on_file(universe=nowhere), facts)[0]
    key = {"table": "rep_oneal_russett_1997.dyad_years", "keys": {"year": "yr"}}
    assert 'no column "yr"' in check_design(on_file(universe=key), facts)[0]
    lacking = {**on_file().universe.model_dump(exclude_none=True), "attach": "state-year"}  # type: ignore[union-attr]
    assert "ccode of a state-year" in check_design(on_file(universe=lacking), facts)[0]
    variables = {"more": {"from": "toy.treat"}}
    assert "under rebuild" in check_design(on_file(variables=variables), facts)[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unit": "dyad-yaer"}, "dyad-yaer"),
        ({"keys": {"ccode1": "statea", "year": "year"}}, "ccode2 of a directed-dyad-year isn't"),
        ({"variables": {"allies": {"from": "toy.nothing"}}}, "no column"),
        ({"compare": {"alies": "allies"}}, "not a variable of the rebuild"),
        ({"compare": {"allies": "ally"}}, "not a column there"),
        ({"tolerance": {"trade": 1.0}}, "is not compared"),
        ({"where": "yaer > 1950"}, "rebuild.where"),
        ({"expected": "allies2 == 1"}, "rebuild.expected"),
        ({"variables": {"treat": {"from": "toy.treat"}}}, "named like a column of the file"),
    ],
)
def test_a_wrong_rebuild_is_said(with_source: Project, change: dict[str, Any], said: str) -> None:
    spec = {
        "unit": "directed-dyad-year",
        "years": [1951, 1969],
        "keys": {"ccode1": "statea", "ccode2": "stateb", "year": "year"},
        "variables": {"allies": {"from": "toy.treat"}},
    }
    facts = project_facts(with_source)
    assert check_design(on_file(rebuild=spec), facts) == []
    problems = check_design(on_file(rebuild={**spec, **change}), facts)
    assert any(said in problem for problem in problems), problems


def test_signing_says_what_changed(project: Project) -> None:
    from foedus.studies.sign import sign

    content = copy.deepcopy(TOY)
    folder = write_study(project.root / "config" / "studies", content, stamp="0123456789ab")
    (folder / "notes.md").write_text(
        '---\ndesign: "0123456789ab"\n---\n# Body\n\n---\nline\n', encoding="utf-8"
    )
    study = get_study(project, "toy_study")
    assert "foedus study sign toy_study" in " ".join(check_study(project, study))
    with pytest.raises(UsageError, match="--why"):
        sign(study, None)
    assert sign(study, "the  years\nare longer") == study.fingerprint
    signed = get_study(project, "toy_study")
    assert check_study(project, signed) == []
    assert signed.notes["changes"] == [
        {"from": "0123456789ab", "to": study.fingerprint, "why": "the years are longer"}
    ]
    assert (folder / "notes.md").read_text(encoding="utf-8").endswith("---\n# Body\n\n---\nline\n")
    before = (folder / "notes.md").read_bytes()
    sign(signed, None)
    assert (folder / "notes.md").read_bytes() == before


def test_every_study_of_ours_is_signed() -> None:
    """A declared design that was changed without its notes fails here."""
    from foedus.studies.registry import load_studies

    unsigned = {
        study.id: study.fingerprint
        for study in load_studies(Project(root=CONFIG.parent)).values()
        if study.notes_fingerprint != study.fingerprint
    }
    assert unsigned == {}, 'run `foedus study sign ID --why "..."` once the notes say it'


def test_a_changed_design_stops_the_run(project: Project, tables: Any) -> None:
    from foedus.studies.run import run_study

    write_study(project.root / "config" / "studies", TOY, stamp="0123456789ab")
    with pytest.raises(ConfigError, match="has changed since the notes were written"):
        run_study(project, tables, "toy_study")
