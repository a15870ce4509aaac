"""What a claim's page says: scale, mean, verdict and groups, against numbers made by hand."""

from __future__ import annotations

import csv
import math
from dataclasses import replace

import pytest

from foedus.config import Project
from foedus.models.pooling import pool
from foedus.report.common_scale import measure_of
from foedus.report.evidence import Bearing, Evidence, Point, evidence_of
from foedus.report.inputs import read_inputs
from foedus.report.synthesis import (
    AGAINST,
    MIXED,
    NONE,
    SUPPORTED,
    UNDECIDED,
    odds,
    odds_interval,
    synthesise,
)

from . import sample

LOGISTIC = math.pi / math.sqrt(3)


@pytest.mark.parametrize(
    ("scale", "factor"),
    [
        ({"estimator": "logit", "flag": True, "sd": 0.4}, 1.0),
        ({"estimator": "logit", "flag": False, "sd": 3.0}, 6.0),
        ({"estimator": "probit", "flag": True, "sd": 0.4}, LOGISTIC),
        ({"estimator": "ols", "flag": False, "sd": 2.0, "outcome_sd": 5.0}, 4 / 5 * LOGISTIC),
        ({"estimator": "ols", "flag": True, "sd": 0.5, "outcome_sd": None}, None),
        ({"estimator": "negbin", "flag": True, "sd": 0.5}, 1.0),
        ({"estimator": "logit", "flag": None, "sd": None}, None),
        ({"estimator": "pareto_tail", "flag": True, "sd": 0.5}, None),
        (None, None),
    ],
)
def test_the_common_scale(scale: dict[str, object] | None, factor: float | None) -> None:
    made = measure_of(scale)
    assert (made.factor if made else None) == (None if factor is None else pytest.approx(factor))


def test_leading_estimates_are_turned_to_the_claims_side(built: Project) -> None:
    found = evidence_of(read_inputs(built), "deterrence")
    pact, offence = found.leading
    # In the sample a pact is expected to lower disputes, an offence pact to raise them.
    assert pact.point == Point(0.0712, pytest.approx(0.062 * 1.9), pact.point.p)
    assert offence.point.value == pytest.approx(0.311)
    assert pact.lead == "dyadic"
    assert pact.classical is not None
    assert pact.classical.se == pytest.approx(0.062)
    assert pact.published == Point(0.07, 0.06)
    assert offence.published == Point(-0.08, 0.12)
    assert pact.verdict == "exact"
    # The other model of the same outcome stands beside, and isn't counted.
    (variant,) = [one for one in found.bearings if one.variant]
    assert (variant.model, variant.point.value) == ("nuclear", pytest.approx(0.0712 - 0.15))
    assert [one.term for one in found.pooled] == ["ptargdef"]


def test_groups_are_those_of_the_study(built: Project) -> None:
    found = synthesise(evidence_of(read_inputs(built), "deterrence"))
    (apart,) = found.groups
    values = {one.group: one.point.value for one in apart.means}
    assert values == {era: pytest.approx(-b) for era, (b, _) in sample.ERAS.items()}
    assert apart.test is not None
    assert apart.test.df == 2
    (test,) = apart.opposite
    assert test.p == pytest.approx(apart.test.p_value)
    assert test.missing == (("1990 on", "3 events in 900 rows: fewer than 10 <on one side>."),)


def bearing(study: str, value: float, se: float, **more: object) -> Bearing:
    point = Point(value, se, math.erfc(abs(value / se) / math.sqrt(2)))
    made = Bearing(
        study, study, "says", "m", "x", 1, measure_of({"estimator": "logit", "flag": True}),
        {"dyadic": point}, "dyadic",
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([(0.5, 0.1), (0.6, 0.1), (0.4, 0.1)], SUPPORTED),
        ([(-0.5, 0.1), (-0.6, 0.1), (-0.4, 0.1)], AGAINST),
        ([(0.5, 0.1), (-0.6, 0.1)], MIXED),
        ([(0.1, 0.3), (-0.2, 0.3)], UNDECIDED),
        ([(0.5, 0.1)], SUPPORTED),
        ([(0.1, 0.1)], UNDECIDED),
        ([], NONE),
    ],
)
def test_the_verdict_follows_its_rule(values: list[tuple[float, float]], verdict: str) -> None:
    rows = tuple(bearing(f"s{place}", *one) for place, one in enumerate(values))
    assert synthesise(Evidence("c", rows)).verdict == verdict


def test_the_mean_takes_a_study_and_a_file_once() -> None:
    rows = (
        bearing("late", 0.9, 0.2, file="rep_a.rows", year=2016),
        bearing("early", 0.3, 0.2, file="rep_a.rows", year=2001),
        bearing("own", 0.5, 0.1, year=2011),
        bearing("own", -0.5, 0.1, year=2011, term="second"),
        bearing("rate", 2.0, 1.0, measure=None),
    )
    found = synthesise(Evidence("c", rows))
    assert [one.study for one in found.pooled] == ["early", "own"]
    assert found.robust is not None
    assert found.robust.estimate == pytest.approx(pool([0.3, 0.5], [0.2, 0.1]).estimate)
    assert len(found.adjusted) == 5
    # Holm's step of the smallest of five p-values
    least = min(found.adjusted, key=lambda one: one.p)
    assert least.holm == pytest.approx(5 * least.p)


def test_odds_ratios_as_text() -> None:
    assert odds(math.log(2)) == "2.00"
    assert odds_interval(math.log(0.5), math.log(2)) == "[0.50, 2.00]"
    assert odds_interval(-30.0, 0.0) == "[below 0.001, 1.00]"
    assert odds(9.0) == "above 1000"


def test_pages_and_tables_say_it(built: Project) -> None:
    text = (built.data / "report/claim-deterrence.html").read_text(encoding="utf-8")
    assert "The estimates leave the claim undecided." in text
    assert "The one estimate on the common scale is an odds ratio of 1.07 [0.85, 1.35]" in text
    assert "3 events in 900 rows: fewer than 10 &lt;on one side&gt;." in text
    with (built.data / "tables/claim_deterrence.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["term"] for row in rows] == ["ptargdef", "pchaloff", "ptargdef"]
    assert float(rows[0]["log_odds_ratio"]) == pytest.approx(0.0712)
    with (built.data / "tables/claim_deterrence_groups.csv").open(encoding="utf-8") as handle:
        groups = {row["group"]: float(row["log_odds_ratio"]) for row in csv.DictReader(handle)}
    assert groups == {era: pytest.approx(-b) for era, (b, _) in sample.ERAS.items()}
    front = (built.data / "report/index.html").read_text(encoding="utf-8")
    assert "Odds ratio 1.07 [0.85, 1.35], one study (Alpha &amp; Beta 2011)." in front
    assert "The sign turns between eras in Alpha &amp; Beta 2011." in front
    empty = (built.data / "report/claim-new_forms.html").read_text(encoding="utf-8")
    assert "No estimate that says which sign would support the claim bears on it." in empty
    apart = (built.data / "report/claim-heterogeneity.html").read_text(encoding="utf-8")
    assert "1 test of one effect in all groups" in apart


def test_many_numbers_are_folded_by_table(built: Project) -> None:
    text = (built.data / "report/study-beta_2018.html").read_text(encoding="utf-8")
    assert text.count('<details class="fold wide"') == 6
    assert 'class="fold wide" open="open"><summary>Fig1: 7 numbers' in text
    assert 'class="fold' not in (built.data / "report/study-alpha_2011.html").read_text("utf-8")


def test_the_leading_models_are_portrayed(built: Project) -> None:
    text = (built.data / "report/study-alpha_2011.html").read_text(encoding="utf-8")
    assert "0.8123" in text
    assert 'id="fig-alpha_2011_performance_table1"' in text
    assert 'id="fig-alpha_2011_interaction_table1_ptargdef"' in text
    assert "One effect in all groups: Q" in text


def test_processes_draw_the_same_bytes(built: Project, tmp_path: object) -> None:
    from foedus.report.build import build_report

    other = sample.make_project(tmp_path / "two")  # type: ignore[operator]
    build_report(replace(other, jobs=2))
    for path in sorted((built.data / "figures").iterdir()):
        assert path.read_bytes() == (other.data / "figures" / path.name).read_bytes(), path.name
