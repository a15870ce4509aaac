"""Overrides on dotted paths, fingerprints, and which specifications a curve holds."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from foedus.errors import ConfigError, UsageError
from foedus.studies.design import (
    ABSENT,
    fingerprint,
    one_at_a_time,
    overridden,
    specifications,
    value_at,
    with_overrides,
)
from foedus.studies.schema import Choice

from .conftest import TOY


def raw() -> dict[str, Any]:
    return copy.deepcopy(TOY)


def test_a_value_replaces_and_the_original_stays() -> None:
    before = raw()
    changed = with_overrides(before, {"universe.where": "late == 1"})
    assert changed["universe"]["where"] == "late == 1"
    assert before == TOY


def test_a_mapping_merges_and_null_removes() -> None:
    changed = with_overrides(raw(), {"variables.treat": {"from": "toy.x", "label": None}})
    assert changed["variables"]["treat"] == {"from": "toy.x"}


def test_missing_parts_are_made() -> None:
    changed = with_overrides(raw(), {"sample.drop.new": "x > 0", "variables.x.coding": "strict"})
    assert changed["sample"]["drop"] == {"extremes": "x > 2.5", "new": "x > 0"}
    assert changed["variables"]["x"] == {"from": "toy.x", "coding": "strict"}


@pytest.mark.parametrize("path", ["title.deep", "models.main.formula.x"])
def test_nothing_can_be_set_below_a_value(path: str) -> None:
    with pytest.raises(UsageError, match="nothing can be set below it"):
        with_overrides(raw(), {path: 1})


def test_an_unknown_part_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="Nearest: variables"):
        with_overrides(raw(), {"variable.x.from": "toy.x"})


def test_an_override_that_breaks_the_schema_says_which() -> None:
    with pytest.raises(ConfigError, match=r"This design was made with universe\.years"):
        overridden(raw(), {"universe.years": [1970, 1950]}, "studies/toy/study.yaml")


def test_value_at() -> None:
    assert value_at(TOY, "variables.treat.label") == "Treated"
    assert value_at(TOY, "variables.treat.nothing") is ABSENT
    assert value_at(TOY, "title.nothing") is ABSENT


SAME = [
    ("title", "Another title"),
    ("labels", {"x": "X"}),
    ("variables.treat.label", "Other words"),
    ("models.main.title", "Table 9"),
    ("choices.coding", {"sets": {"variables.outcome.coding": ["loose", "strict"]}, "says": "s"}),
]
OTHER = [
    ("universe.years", [1951, 1969]),
    ("variables.outcome.coding", "strict"),
    ("models.main.formula", "outcome ~ treat"),
    ("models.main.covariance", ["dyadic"]),
    ("sample.drop.extremes", None),
    ("measures.rate.options", {"fail": "yes"}),
    ("effects.treatment.at", "means"),
]


@pytest.mark.parametrize(("path", "value"), SAME)
def test_words_do_not_change_the_fingerprint(path: str, value: Any) -> None:
    assert fingerprint(with_overrides(raw(), {path: value})) == fingerprint(TOY)


@pytest.mark.parametrize(("path", "value"), OTHER)
def test_substance_changes_the_fingerprint(path: str, value: Any) -> None:
    assert fingerprint(with_overrides(raw(), {path: value})) != fingerprint(TOY)


def test_spaces_and_order_do_not_change_the_fingerprint() -> None:
    turned = dict(reversed(list(raw().items())))
    turned["models"]["main"]["formula"] = "outcome  ~ treat +\n x"
    assert fingerprint(turned) == fingerprint(TOY)


def choices(*sizes: int) -> dict[str, Choice]:
    return {
        f"c{place}": Choice.model_validate({f"variables.v{place}.o": list(range(size))})
        for place, size in enumerate(sizes)
    }


def test_one_at_a_time() -> None:
    picks = [spec.picks for spec in one_at_a_time(choices(2, 3))]
    assert picks == [(0, 0), (1, 0), (0, 1), (0, 2)]


def test_all_combinations_when_few() -> None:
    specs = specifications(choices(2, 3), most=6, seed=1)
    assert len({spec.picks for spec in specs}) == len(specs) == 6
    assert specs[0].declared


def test_a_sample_when_many() -> None:
    given = choices(2, 2, 3, 2, 2, 2, 2)
    specs = specifications(given, most=20, seed=1)
    picks = {spec.picks for spec in specs}
    assert len(picks) == len(specs) == 20
    assert specs[0].declared
    assert {spec.picks for spec in one_at_a_time(given)} <= picks
    assert specs == specifications(given, most=20, seed=1)
    assert specs != specifications(given, most=20, seed=2)


def test_fewer_than_the_single_departures() -> None:
    specs = specifications(choices(2, 2, 2, 2), most=3, seed=1)
    assert len(specs) == 3
    assert specs[0].declared


def test_a_choice_sets_several_paths_at_once() -> None:
    choice = Choice.model_validate({"sets": {"a.b": [1, 2], "a.c": [3, 4]}, "labels": ["x", "y"]})
    assert choice.overrides(0) == {}
    assert choice.overrides(1) == {"a.b": 2, "a.c": 4}
    assert choice.names == ("x", "y")


@pytest.mark.parametrize(
    "content",
    [{"a.b": [1]}, {"a.b": [1, 2], "a.c": [1, 2, 3]}, {"a.b": [1, 1]}, {"sets": {}}],
)
def test_choices_that_are_none(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"alternative|at least 1"):
        Choice.model_validate(content)
