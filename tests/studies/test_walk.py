"""The walk towards print: greedy steps by definition, bounded rows, verdicts left as declared."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest

from foedus.config import Project
from foedus.studies.design import Specification
from foedus.studies.estimation import Estimation, Memo
from foedus.studies.frame import Workshop
from foedus.studies.registry import Study, get_study
from foedus.studies.run import run_design
from foedus.studies.walk import diagnose_study

from .conftest import TOY, write_study

TERM = "models.main.treat"


def under(study: Study, tables: Any, picks: tuple[int, ...]) -> float:
    overrides = Specification(picks).overrides(list(study.design.choices.values()))
    memo = Memo(tables, Workshop(tables))
    found = Estimation(memo, study.variant(overrides)).fit("main").term("classical", "treat")
    assert found is not None
    return found.estimate


def with_print(project: Project, estimate: str, quantity: str = "coefficient") -> Study:
    rows = [{"term": "treat", "quantity": quantity, "estimate": estimate, "maps_to": TERM}]
    write_study(project.root / "config" / "studies", copy.deepcopy(TOY), rows)
    return get_study(project, "toy_study")


def diagnosed(study: Study, tables: Any, most: int | None = None) -> Any:
    memo = Memo(tables, Workshop(tables))
    return diagnose_study(study, memo, Estimation(memo, study.design), most)


def test_the_walk_is_greedy_by_definition(project: Project, study: Study, tables: Any) -> None:
    sizes = [range(len(choice)) for choice in study.design.choices.values()]
    every = {picks: under(study, tables, picks) for picks in itertools.product(*sizes)}
    goal = every[1, 1, 1] + 0.003
    target = with_print(project, f"{goal:.4f}")
    (walk,) = diagnosed(target, tables).walks
    here, way = (0, 0, 0), [every[0, 0, 0]]
    whole = abs(every[here] - goal)
    while True:
        further = [(*here[:place], 1, *here[place + 1 :]) for place in range(3) if here[place] == 0]
        best = min(further, key=lambda picks: abs(every[picks] - goal), default=here)
        if abs(every[here] - goal) - abs(every[best] - goal) < 0.01 * whole:
            break
        here = best
        way.append(every[here])
    assert len(way) > 1
    assert [step["estimate"] for step in walk["steps"]] == pytest.approx(way, rel=1e-9)
    assert walk["steps"][0]["change"] == ""
    assert walk["steps"][1]["change"].count("=") == 1


def test_singles_and_pairs_are_told_with_their_gain(
    project: Project, study: Study, tables: Any
) -> None:
    goal = under(study, tables, (1, 0, 1))
    target = with_print(project, f"{goal:.6f}")
    found = diagnosed(target, tables)
    trials = found.trials.to_pylist()
    assert [row["kind"] for row in trials].count("single") == 3
    pairs = {row["changes"]: row for row in trials if row["kind"] == "pair"}
    both = pairs["coding = strict; extremes = none"]
    assert both["verdict"] == "exact"
    declared = next(row for row in trials if row["kind"] == "declared")
    assert both["gain"] == pytest.approx(declared["distance"], abs=1e-6)
    assert found.walks[0]["nearest"]["changes"] == ["coding = strict", "extremes = none"]


def test_numbers_that_are_met_are_not_walked(project: Project, study: Study, tables: Any) -> None:
    standing = under(study, tables, (0, 0, 0))
    assert diagnosed(with_print(project, f"{standing:.3f}"), tables).walks == []
    assert diagnosed(with_print(project, "-", "direction"), tables).walks == []
    assert len(diagnosed(with_print(project, "+", "direction"), tables).walks) == 1


def test_a_run_walks_within_its_rows_and_says_what_it_left(project: Project, tables: Any) -> None:
    target = with_print(project, "-3.0")
    short = diagnosed(target, tables, most=1)
    assert short.cut_short == 1
    assert diagnosed(target, tables, most=10**9).cut_short == 0
    assert (
        diagnosed(target, tables, most=10**9).trials.num_rows
        < diagnosed(target, tables).trials.num_rows
    )  # pairs are for --diagnose


def test_the_verdict_stays_that_of_the_declared_design(project: Project, tables: Any) -> None:
    target = with_print(project, "-3.0")
    before = run_design(target, tables, choices=False).comparison.to_pylist()
    after = run_design(target, tables, diagnose=True)
    assert [row["verdict"] for row in after.comparison.to_pylist()] == [
        row["verdict"] for row in before
    ]
    assert after.detail["walks"][0]["maps_to"] == TERM
    assert after.trials is not None
