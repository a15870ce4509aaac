"""What a claim's page says: scale, mean, verdict and groups, against numbers made by hand."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from typing import get_args

import pytest

from foedus.config import Project
from foedus.models.pooling import pool
from foedus.report.claim_views import _design_caveat
from foedus.report.common_scale import measure_of
from foedus.report.draw.forest import NOT_POOLED, _lines
from foedus.report.evidence import Bearing, Evidence, Point, evidence_of
from foedus.report.inputs import read_inputs
from foedus.report.key_terms import KINDS, kind_of, unit_of
from foedus.report.names import short_cite
from foedus.report.synthesis import (
    AGAINST,
    MIXED,
    NONE,
    SUPPORTED,
    UNDECIDED,
    designs_words,
    odds,
    odds_interval,
    synthesise,
)
from foedus.studies.schema import TermKind

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


def test_means_by_design_take_like_with_like() -> None:
    target, tie = ("target", "directed-dyad-year"), ("tie", "dyad-year")
    rows = (
        bearing("a", 0.9, 0.2, kind=tie[0], unit=tie[1]),
        bearing("b", 0.1, 0.2, kind=target[0], unit=target[1]),
        bearing("c", 0.5, 0.1, kind=tie[0], unit=tie[1]),
        bearing("d", -0.3, 0.1, kind=target[0], unit=target[1]),
        bearing("e", 0.2, 0.3, kind=tie[0], unit="directed-dyad-year"),
    )
    found = synthesise(Evidence("c", rows))
    made = {(one.kind, one.unit): one for one in found.designs}
    assert list(made) == [target, ("tie", "directed-dyad-year"), tie]
    of_ties = pool([0.9, 0.5], [0.2, 0.1])
    assert made[tie].value == pytest.approx(of_ties.estimate)
    assert made[tie].ends == pytest.approx((of_ties.ci_low, of_ties.ci_high))
    lone = made["tie", "directed-dyad-year"]
    assert lone.pooled is None
    assert lone.ends == pytest.approx((0.2 - 1.959964 * 0.3, 0.2 + 1.959964 * 0.3))
    # Cochran's Q of the three means by hand
    values = [one.value for one in found.designs]
    weights = [1 / one.se**2 for one in found.designs]
    middle = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
    q = sum(w * (v - middle) ** 2 for w, v in zip(weights, values, strict=True))
    assert found.apart is not None
    assert (found.apart.q, found.apart.df) == (pytest.approx(q), 2)
    said = designs_words(found)
    assert f"the two states' own tie, dyad-year {odds(of_ties.estimate)}" in said
    # The mean of all is what it was without designs.
    assert found.robust == synthesise(Evidence("c", tuple(map(of_no_design, rows)))).robust
    assert designs_words(synthesise(Evidence("c", tuple(map(of_no_design, rows))))) == ""


def of_no_design(one: Bearing) -> Bearing:
    return replace(one, kind="other", unit="")


def test_the_front_page_names_designs_that_studies_share() -> None:
    rows = (
        bearing("a", 0.9, 0.1, kind="tie", unit="dyad-year"),
        bearing("b", 0.7, 0.1, kind="tie", unit="dyad-year"),
        bearing("c", -0.5, 0.1, kind="target", unit="directed-dyad-year"),
    )
    (said,) = _design_caveat(synthesise(Evidence("c", rows)))
    assert said.startswith("Designs differ: the two states' own tie, dyad-year 2.23 [")
    assert said.endswith("(2 studies).")
    assert "target" not in said
    assert _design_caveat(synthesise(Evidence("c", rows[:2]))) == []


def test_estimates_stand_under_their_design() -> None:
    rows = (
        bearing("a", 0.9, 0.2, kind="tie", unit="dyad-year"),
        bearing("b", 0.1, 0.2, kind="target", unit="directed-dyad-year"),
        bearing("c", 0.5, 0.1, kind="tie", unit="dyad-year"),
        bearing("c", 0.4, 0.1, kind="likeness", unit="dyad-year", term="second"),
    )
    found = synthesise(Evidence("c", rows))
    lines = _lines(rows, found)
    names = [
        one
        if isinstance(one, str)
        else one.study
        if isinstance(one, Bearing)
        else len(one.bearings)
        for one in lines
    ]
    target, tie = (one.words for one in found.designs)
    assert names == [target, "b", tie, "a", "c", 2, NOT_POOLED, "c"]
    alone = synthesise(Evidence("c", rows[:1]))
    assert _lines(rows[:1], alone) == list(rows[:1])


@pytest.mark.parametrize(
    ("variables", "line", "kind"),
    [
        ({"p": {"from": "atop_third_party.target_defense"}}, {"term": "p"}, "target"),
        ({"p": {"from": "atop_third_party.challenger_defense"}}, {"term": "p"}, "challenger"),
        ({"p": {"from": "atop.atop_any"}}, {"term": "p"}, "tie"),
        ({"p": {"from": "nmc.cinc1"}}, {"term": "p"}, "other"),
        ({"p": {"from": "similarity.tau_b_atop"}}, {"term": "5:p"}, "likeness"),
        ({}, {"term": "allies"}, "other"),
        ({}, {"term": "allies", "kind": "tie"}, "tie"),
        ({"a": {"from": "atop.atop_defense"}, "b": {"from": "atop.atop_neutrality"},
          "p": {"expression": "a == 1 or b == 1"}}, {"term": "p"}, "tie"),
        ({"a": {"from": "partner_counts.holds_any_n1"}, "p": {"expression": "a > q"},
          "q": {"expression": "q + 1"}}, {"term": "p"}, "holdings"),
        ({"a": {"from": "atop_third_party.target_defense"},
          "b": {"from": "atop_third_party.challenger_defense"}}, {"term": "a:b"}, "target"),
    ],
)  # fmt: skip
def test_the_kind_of_a_term(
    variables: dict[str, object], line: dict[str, object], kind: str
) -> None:
    assert kind_of({"variables": variables}, line) == kind


def test_a_declared_kind_goes_before_its_covariates() -> None:
    declared = {
        "variables": {"p": {"from": "state_pacts.new_pacts1"}},
        "headline": [
            {"model": "m", "term": "p", "kind": "tie"},
            {"maps_to": "measures.matched.effect", "kind": "target"},
        ],
    }
    assert kind_of(declared, {"model": "m", "term": "p"}) == "tie"
    assert kind_of(declared, {"model": "n", "term": "p"}) == "holdings"
    assert kind_of(declared, {"model": "matched", "term": "effect"}) == "target"


def test_what_a_row_of_an_authors_file_is() -> None:
    pair = {"table": "rep_a.rows", "keys": {"ccode1": "a", "ccode2": "b", "year": "year"}}
    assert unit_of({"universe": {"unit": "war"}}, "war") == "war"
    assert unit_of({"universe": pair}, "row of rep_a.rows") == "dyad-year"
    assert unit_of({"universe": pair, "rebuild": {"unit": "dispute"}}, "") == "dispute"
    assert unit_of({"universe": {"table": "rep_a.rows"}}, "") == "author's rows"
    assert unit_of({}, "") == "no rows"


def test_kinds_are_those_that_a_study_may_declare() -> None:
    assert set(KINDS) == set(get_args(TermKind))


def test_studies_of_one_work_have_names_of_their_own(built: Project) -> None:
    inputs = read_inputs(built)
    work = next(iter(inputs.works))
    one = replace(inputs.studies[0], id=f"{work}_pledges", page={"cite": [work]}, declared={})
    two = replace(one, id=f"{work}_rates", declared={"short": "how often"})
    lone = replace(inputs, studies=(one,))
    assert short_cite(lone, one) == inputs.works[work].short()
    both = replace(inputs, studies=(one, two))
    names = [short_cite(both, study) for study in both.studies]
    assert names == [f"{inputs.works[work].short()} ({word})" for word in ("pledges", "how often")]


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
