"""A few worlds: estimates lie around the truth (benchmarks/recover.py does 200)."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import pytest

from foedus.studies.published import Published
from foedus.studies.registry import get_study
from foedus.studies.truth import UNKNOWN, against_truth
from foedus.studies.verdict import Rebuilt, verdict
from foedus.world.recovery import STUDIES, Found, Recovered, recover, summarise
from foedus.world.wars import bridge
from tests.world.conftest import Made


@pytest.fixture(scope="module")
def recovered(made: Made, tmp_path_factory: pytest.TempPathFactory) -> list[Recovered]:
    """Four worlds, all default studies that have a truth."""
    project = dataclasses.replace(made.project, data=tmp_path_factory.mktemp("recovery"))
    rows = summarise(recover(project, range(101, 105)))
    assert list(project.data.iterdir()) == [], "a world was left behind"
    return rows


def test_every_default_study_has_a_truth_that_is_estimated(recovered: list[Recovered]) -> None:
    assert {row.study for row in recovered} == set(STUDIES)
    assert len({(row.study, row.target) for row in recovered}) > 60


def test_estimates_lie_around_the_truth(recovered: list[Recovered]) -> None:
    tested = [row for row in recovered if row.coverage is not None]
    assert len(tested) > 60
    for row in tested:
        # Of four worlds the mean is off by more than five of its own errors once in a million.
        error = (row.mean_se or 0.0) / math.sqrt(row.worlds)
        assert abs(row.bias) < 5 * error + 1e-9, (row.study, row.target, row.covariance)
    covered = [row.coverage or 0.0 for row in tested]
    assert sum(covered) / len(covered) > 0.85


def test_large_effects_are_found(recovered: list[Recovered]) -> None:
    power = {row.target: row.power for row in recovered if row.covariance in ("dyadic", "HC1")}
    for term in ("ptargdef", "ln_distance"):
        assert power[f"models.table1.{term}"] == 1.0


def test_what_the_world_counts_is_met_to_the_last_one(recovered: list[Recovered]) -> None:
    counted = [row for row in recovered if row.quantity == "count"]
    assert len(counted) > 30
    assert all(row.exact == 1.0 for row in counted)


def test_summaries_by_hand() -> None:
    rows = [
        Found(1, "s", "models.m.x", "coefficient", "HC1", 1.0, 1.5, 0.2),
        Found(2, "s", "models.m.x", "coefficient", "HC1", 1.0, 0.9, 0.2),
        Found(3, "s", "models.m.x", "coefficient", "HC1", 1.0, 0.3, 0.2),
    ]
    one = summarise(rows)[0]
    assert one.worlds == 3
    assert one.bias == pytest.approx(-0.1)
    assert one.sd == pytest.approx(0.6)
    assert one.coverage == pytest.approx(1 / 3)
    assert one.power == pytest.approx(2 / 3)


def test_bridge_effects_have_their_stated_spread() -> None:
    # Wang & Louis 2003, eq. 2: the variance is pi^2 / 3 (phi^-2 - 1).
    draws = [bridge((place + 0.5) / 20000, 0.85) for place in range(20000)]
    variance = sum(draw**2 for draw in draws) / len(draws)
    assert variance == pytest.approx(math.pi**2 / 3 * (0.85**-2 - 1), rel=0.01)
    assert sum(draws) == pytest.approx(0.0, abs=1e-6)
    assert bridge(0.3, 1.0) == 0.0


def test_truths_take_the_place_of_print(made: Made) -> None:
    study = get_study(made.project, "johnson_leeds_2011")
    beside = against_truth(study, made.project)
    by_target = {one.maps_to: one for one in beside.published}
    truth = by_target["models.table1.ptargdef"]
    assert truth.estimate == made.world.truth.disputes.target_defense
    assert truth.where_in_print == "truth.json: coefficients.disputes.target_defense"
    unknown = by_target["models.teaching.ptargdef"]
    assert math.isnan(unknown.estimate)
    assert unknown.target.kind == "none"
    assert unknown.target.reason == UNKNOWN
    printed = {one.text for one in study.published}
    assert not printed & {one.text for one in beside.published if one.text}
    real = dataclasses.replace(made.project, world=None)
    assert against_truth(study, real) is study


@pytest.mark.parametrize(
    ("value", "error", "wanted"),
    [
        (-0.3, 0.1, "exact"),
        (-0.36, 0.1, "close"),
        (-0.15, 0.1, "agrees"),
        (-0.6, 0.1, "agrees"),
        (0.3, 0.1, "contradicts"),
    ],
)
def test_verdicts_on_a_truth(made: Made, value: float, error: float, wanted: str) -> None:
    beside = against_truth(get_study(made.project, "johnson_leeds_2011"), made.project)
    truth = next(one for one in beside.published if one.maps_to == "models.table1.ptargdef")
    assert isinstance(truth, Published)
    p_value = 0.0001 if abs(value / error) > 1.96 else 0.5
    assert verdict(truth, Rebuilt(value, error, p_value, 100)) == wanted


def test_stored_results_cover_the_default_studies(repository: Path) -> None:
    path = repository / "docs" / "recovery" / "recovery.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["study"] for row in rows} == set(STUDIES)
    assert min(int(row["worlds"]) for row in rows) >= 100
