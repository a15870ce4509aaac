"""What a study file can get wrong, and what is said about it; every study of ours is valid."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from foedus.config import Config, Project, load_project
from foedus.errors import ConfigError, UsageError
from foedus.studies.check import check_study, require_valid
from foedus.studies.design import with_overrides
from foedus.studies.registry import Study, get_study, load_studies

from .conftest import PUBLISHED, TOY, write_study

OURS = load_project(Path(__file__).resolve().parents[2])


@pytest.mark.parametrize("study_id", list(load_studies(OURS)))
def test_every_study_of_ours_is_valid(study_id: str) -> None:
    assert check_study(OURS, get_study(OURS, study_id)) == []


def test_the_toy_study_is_valid(project: Project, study: Study) -> None:
    assert check_study(project, study) == []
    assert list(load_studies(project)) == ["toy_study"]


WRONG = [
    ("universe.unit", "directed-dyad-yaer", '"directed-dyad-yaer" is not a unit'),
    ("universe.where", "politicaly_relevant", "Nearest: politically_relevant"),
    ("variables.treat.from", "toi.treat", '"toi" is not a covariate. Nearest: toy'),
    (
        "variables.treat.from",
        "toy.treet",
        'no column "treet" on directed-dyad-year. Nearest: treat',
    ),
    ("variables.treat.codin", "strict", 'no option "codin". Nearest: coding'),
    ("variables.treat.coding", "odd", "is not one of loose, strict"),
    ("variables.late.expression", "yaer >= 1960", '"yaer" is not declared above it. Nearest: year'),
    ("sample.drop.extremes", "z > 2", '"z" is not a variable of the study'),
    ("sample.complete_on", ["treet"], '"treet" is not a variable of the study. Nearest: treat'),
    ("models.main.formula", "outcome ~ treet", '"treet" is not a variable of the study'),
    ("models.main.formula", "outcome ~ treat +", "models.main.formula"),
    ("models.main.estimator", "logid", '"logid" is not an estimator. Nearest: logit'),
    ("models.main.covariance", ["clusterd(dyad)"], "is not a covariance"),
    ("models.main.options", {"weight": "x"}, '"weight" is not an option'),
    ("models.late.where", "ccode3 > 10", '"ccode3" is not a variable of the study'),
    ("measures.rate.measure", "toy_rat", '"toy_rat" is not a measure. Nearest: toy_rate'),
    ("measures.rate.options", {"fails": "no"}, 'no option "fails". Nearest: fail'),
    ("effects.treatment.model", "mian", '"mian" is no model. Nearest: main'),
    ("effects.treatment.of", "late", '"late" is not in model main'),
    ("effects.treatment.at", "medians", 'is not means, observed or "means where ..."'),
    ("cite", "toy_1999", '"toy_1999" is not in config/references. Nearest: toy_2000'),
    ("claims", ["deterence"], '"deterence" is not a claim. Nearest: deterrence'),
    ("choices.coding", {"variables.outcome.coding": ["strict", "loose"]}, "the design declares"),
    ("choices.coding", {"variables.outcome.coding": ["loose", "odd"]}, "choices: coding = odd"),
    ("choices.coding", {"variables.nothing.coding": ["a", "b"]}, "nothing stands at"),
    ("headline", [{"model": "mian", "term": "treat"}], '"mian" is no model'),
    ("headline", [{"maps_to": "models.main.treet"}], "is no maps_to of it. Nearest"),
    ("curve", {"model": "mian", "terms": ["treat"]}, "curve.model"),
]


@pytest.mark.parametrize(("path", "value", "message"), WRONG)
def test_what_is_wrong_is_said(project: Project, path: str, value: Any, message: str) -> None:
    content = copy.deepcopy(TOY)
    *way, last = path.split(".")
    at = content
    for part in way:
        at = at[part]
    at[last] = value
    write_study(project.root / "config" / "studies", content)
    study = get_study(project, "toy_study")
    said = " ".join(check_study(project, study))
    assert message in said
    assert "studies/toy_study/" in said
    with pytest.raises(ConfigError):
        require_valid(project, study)


SCHEMA = [
    ("univers", {"unit": "x"}, "univers: unknown key. Nearest: universe"),
    ("models.main.formular", "y ~ x", "models.main.formular: unknown key. Nearest: formula"),
    ("models.main.formula", "outcome treat", "models.main.formula"),
    ("universe.years", [1970, 1950], "years run backwards"),
    ("variables.treat.expression", "x", "not both"),
    ("models", {"a b": {"estimator": "logit", "formula": "y ~ x"}}, "names are letters"),
]


@pytest.mark.parametrize(("path", "value", "message"), SCHEMA)
def test_a_broken_file_names_file_and_path(
    project: Project, path: str, value: Any, message: str
) -> None:
    content = with_overrides(TOY, {path: value}) if path != "univers" else {**TOY, path: value}
    write_study(project.root / "config" / "studies", content, stamp="x")
    with pytest.raises(ConfigError) as caught:
        load_studies(project)
    assert message in str(caught.value)
    assert "studies/toy_study/study.yaml" in str(caught.value)
    assert caught.value.exit_code == 3


TARGETS = [
    ("models.mian.treat", 'maps_to models.mian.treat: "mian" is not declared. Nearest: main'),
    ("models.main.treet", '"treet" is no term of model main. Nearest: treat'),
    ("sample.share(z == 1)", '"z" is not a variable of the study'),
    ("sample.mean(treet)", "Nearest: treat"),
    ("effects.treatmen", '"treatmen" is not declared. Nearest: treatment'),
    ("measures.rate.rat", 'the measure rate gives no "rat". Nearest: rate'),
]


@pytest.mark.parametrize(("maps_to", "message"), TARGETS)
def test_targets_must_resolve(project: Project, maps_to: str, message: str) -> None:
    rows = [{**PUBLISHED[0], "maps_to": maps_to}]
    write_study(project.root / "config" / "studies", TOY, rows)
    said = " ".join(check_study(project, get_study(project, "toy_study")))
    assert message in said
    assert "studies/toy_study/published.csv: row 2" in said


def test_a_design_may_not_change_without_its_notes(project: Project) -> None:
    stamp = get_study(project, "toy_study").fingerprint
    changed = with_overrides(TOY, {"models.main.formula": "outcome ~ treat + x + late"})
    write_study(project.root / "config" / "studies", changed, stamp=stamp)
    said = " ".join(check_study(project, get_study(project, "toy_study")))
    assert "the declared design has changed since the notes were written" in said
    assert get_study(project, "toy_study").fingerprint in said


def test_unknown_ids_and_twins(project: Project) -> None:
    with pytest.raises(UsageError, match="Nearest: toy_study"):
        get_study(project, "toy_studi")
    write_study(project.root / "mine", TOY)
    twice = Project(project.root, Config(study_dirs=("mine",)), project.data)
    with pytest.raises(ConfigError, match="stands in two folders"):
        load_studies(twice)
    absent = Project(project.root, Config(study_dirs=("nowhere",)), project.data)
    with pytest.raises(ConfigError, match="study_dirs: nowhere is not a folder"):
        load_studies(absent)


def test_a_users_own_folder(project: Project) -> None:
    write_study(project.root / "mine", {**TOY, "id": "my_study"})
    own = Project(project.root, Config(study_dirs=("mine",)), project.data)
    assert list(load_studies(own)) == ["my_study", "toy_study"]
    single = Project(project.root, Config(study_dirs=("mine/my_study",)), project.data)
    assert list(load_studies(single)) == ["my_study", "toy_study"]


def test_a_folder_is_named_after_its_study(project: Project) -> None:
    home = project.root / "config" / "studies"
    (home / "toy_study").rename(home / "another")
    with pytest.raises(ConfigError, match='id is "toy_study"; the folder says "another"'):
        load_studies(project)


@pytest.mark.parametrize("name", ["published.csv", "notes.md"])
def test_a_study_has_three_files(project: Project, name: str) -> None:
    (project.root / "config" / "studies" / "toy_study" / name).unlink()
    with pytest.raises(ConfigError, match="missing; every study has one"):
        load_studies(project)
