"""Planted outcomes: found where they are, missed where a column is wrong, and no study left out."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from foedus.errors import InputError
from foedus.lineage import study_sources
from foedus.models.drawing import find_law
from foedus.sources.resolve import locate
from foedus.studies import registry
from foedus.studies.estimation import Estimation, Memo
from foedus.studies.frame import Workshop
from foedus.world import planting
from foedus.world.planted_tables import (
    StudyLine,
    Term,
    by_covariance,
    kind_of,
    leading,
    read_told,
    study_lines,
    summarise_terms,
)
from foedus.world.planting import Planted, Truths, leading_models, planted_in, read_truths
from foedus.world.planting_measures import KINDS, leading_measures
from foedus.world.reviewed import names_of
from tests.world.conftest import ROOT, Made

STUDIES = (
    "bennett_stam_1996", "coalition_outcomes", "formation_balancing", "johnson_leeds_2011",
    "oren_1990", "shirkey_2012", "war_size_alliances", "war_tail_alliances",
)  # fmt: skip
"""Of the estimators AFT, ordered probit, logit, probit, Poisson, least squares, negbin, tails."""


@pytest.fixture(scope="module")
def truths() -> Truths:
    """The coefficients that are planted."""
    return read_truths(ROOT / planting.FILE)


@pytest.fixture(scope="module")
def worlds(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Any]]:
    """Two small worlds: what their studies share."""
    project = dataclasses.replace(made.project, data=tmp_path_factory.mktemp("planting"))
    with planting.world_of(project, 77, 20) as (_, other):
        yield {made.settings.seed: Memo(made.tables, Workshop(made.tables)), 77: other}


def _found(made: Made, worlds: Mapping[int, Memo], truths: Truths, studies: Any) -> list[Planted]:
    return [
        row
        for seed, memo in worlds.items()
        for study in studies
        for row in planted_in(
            seed, study, Estimation(memo, registry.get_study(made.project, study).design), truths
        )
    ]


def _z(rows: list[Planted], covariance: str = "classical") -> dict[tuple[str, str, str], float]:
    """Return how far each estimate lies from its truth, in standard errors: the worst world's."""
    worst: dict[tuple[str, str, str], float] = {}
    for row in rows:
        if row.estimate is None or row.truth is None or not row.std_error:
            continue
        if row.draw == planting.INDEPENDENT and row.covariance == covariance:
            key = (row.study, row.model, row.term)
            z = abs(row.estimate - row.truth) / row.std_error
            worst[key] = max(z, worst.get(key, 0.0))
    return worst


@pytest.fixture(scope="module")
def found(made: Made, worlds: Mapping[int, Memo], truths: Truths) -> list[Planted]:
    """Every leading model of some studies in two worlds."""
    return _found(made, worlds, truths, STUDIES)


def test_estimates_lie_around_what_was_planted(found: list[Planted]) -> None:
    assert {row.study for row in found if row.estimate is not None} == set(STUDIES)
    z = _z(found)
    assert len(z) > 60
    # One in a million is off by more than 5 standard errors; wars are few, so a little more.
    assert max(z.values()) < 5.5, max(z, key=lambda key: z[key])
    covered = [
        row.covered for row in found
        if row.draw == planting.INDEPENDENT and row.covariance == "classical"
    ]  # fmt: skip
    assert np.mean([one for one in covered if one is not None]) > 0.85


def test_shared_errors_are_for_covariances_that_allow_them(found: list[Planted]) -> None:
    shared = [row for row in found if row.draw == planting.SHARED and row.covered is not None]
    assert "shirkey_2012" not in {row.study for row in shared}
    big = [row for row in shared if row.study == "johnson_leeds_2011"]
    held = {
        covariance: np.mean([row.covered for row in big if row.covariance == covariance])
        for covariance in ("classical", "cluster(ccode1,ccode2)", "dyadic")
    }
    assert held["classical"] < held["dyadic"]
    assert held["classical"] < held["cluster(ccode1,ccode2)"]


@pytest.mark.parametrize("term", ["ptargdef", "ln_distance", "capprop"])
def test_a_column_with_the_wrong_sign_is_caught(
    made: Made, worlds: Mapping[int, Memo], truths: Truths, term: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    fit = planting.fit_model

    def with_a_bug(formula: str, estimator: str, options: Any, covariances: Any, data: Any,
                   **more: Any) -> Any:  # fmt: skip
        wrong = {**data, term: -np.asarray(data[term], dtype=float)}
        return fit(formula, estimator, options, covariances, wrong, **more)

    monkeypatch.setattr(planting, "fit_model", with_a_bug)
    z = _z(_found(made, worlds, truths, ["johnson_leeds_2011"]))
    assert z[("johnson_leeds_2011", "table1", term)] > 5.5


def test_a_shifted_truth_is_caught(made: Made, worlds: Mapping[int, Memo], truths: Truths) -> None:
    key = ("johnson_leeds_2011", "table1")
    moved = {**truths, key: {**truths[key], "ptargdef": truths[key]["ptargdef"] + 0.4}}
    rows = _found(made, worlds, moved, ["johnson_leeds_2011"])
    beside = [dataclasses.replace(row, truth=truths[key][row.term]) for row in rows]
    assert _z(beside)[(*key, "ptargdef")] > 5.5


def test_rows_shifted_against_their_outcome_are_caught(
    made: Made, worlds: Mapping[int, Memo], truths: Truths, monkeypatch: pytest.MonkeyPatch
) -> None:
    redrawn = planting.redrawn

    def shifted(spec: Any, rows: Any, truth: Any, chance: Any) -> Any:
        data = redrawn(spec, rows, truth, chance)
        return {**data, "dispute": np.roll(data["dispute"], 1000)}

    monkeypatch.setattr(planting, "redrawn", shifted)
    assert max(_z(_found(made, worlds, truths, ["johnson_leeds_2011"])).values()) > 5.5


def test_the_same_seed_draws_the_same(
    made: Made, worlds: Mapping[int, Memo], truths: Truths, found: list[Planted]
) -> None:
    again = _found(made, worlds, truths, ["oren_1990"])
    assert again == [row for row in found if row.study == "oren_1990"]


@pytest.mark.parametrize(
    ("study", "block"),
    [("war_tail_alliances", "defence"), ("leeds_johnson_2017", "own_bins"),
     ("leeds_2003_io", "violation"), ("war_size_counterfactuals", "mediation"),
     ("war_size_counterfactuals", "joiners"), ("pact_between_rivals", "events")],
)  # fmt: skip
def test_measures_find_what_was_planted(
    made: Made, worlds: Mapping[int, Memo], truths: Truths, study: str, block: str
) -> None:
    rows = [row for row in _found(made, worlds, truths, [study]) if row.model == block]
    known = [row for row in rows if row.estimate is not None]
    assert known, [row.reason for row in rows]
    # Standard errors of some are resampled or clustered by few: the mean is what is tested.
    z = [(row.estimate - row.truth) / row.std_error for row in known if row.std_error]
    assert abs(float(np.mean(z))) < 3.5
    assert all(row.truth == truths[(study, block)].get(row.term, row.truth) for row in known)


def test_no_default_study_that_runs_in_a_world_is_left_out(made: Made, truths: Truths) -> None:
    usable = {name for name, one in locate(made.project).items() if one.usable}
    running = {
        name
        for name, study in registry.load_studies(made.project).items()
        if set(study_sources(made.project, study)) <= usable
    }
    told = read_told(ROOT)
    planted = {study for study, _ in truths}
    assert planted | set(told["counts"]) == running
    assert not planted & set(told["counts"])
    assert set(told["notes"]) <= planted
    for study in told["counts"]:
        design = registry.get_study(made.project, study).design
        assert not design.models
        assert not leading_measures(design)
    for study in planted:
        design = registry.get_study(made.project, study).design
        blocks = {block for name, block in truths if name == study}
        assert blocks == {*leading_models(design), *leading_measures(design)}
        for model in leading_models(design):
            spec = design.models[model]
            find_law(spec.estimator)


def test_a_term_for_which_nothing_is_planted_is_refused(
    made: Made, worlds: Mapping[int, Memo], truths: Truths
) -> None:
    key = ("oren_1990", "wars")
    fewer = {
        **truths,
        key: {name: value for name, value in truths[key].items() if name != "ln_size"},
    }
    with pytest.raises(InputError, match="nothing is planted for ln_size"):
        _found(made, worlds, fewer, ["oren_1990"])


def test_planted_coefficients_are_those_of_the_rule(
    made: Made, worlds: Mapping[int, Memo], truths: Truths
) -> None:
    # Chosen in another world, they have the same terms and signs.
    design = registry.get_study(made.project, "johnson_leeds_2011").design
    estimation = Estimation(worlds[77], design)
    here = {row["term"]: float(row["value"]) for row in planting.choose("x", estimation)}
    there = truths[("johnson_leeds_2011", "table1")]
    assert set(here) == set(there)
    slopes = [term for term in there if term != "(Intercept)"]
    assert [np.sign(there[term]) for term in slopes] == [(-1) ** n for n in range(len(slopes))]
    assert [np.sign(here[term]) for term in slopes] == [np.sign(there[term]) for term in slopes]


def test_truths_that_stand_twice_or_are_no_numbers_are_refused(tmp_path: Path) -> None:
    head = ",".join(planting.COLUMNS)
    for body in ("s,m,logit,x,1\ns,m,logit,x,2\n", "s,m,logit,x,much\n", "s,m,logit,x,inf\n"):
        path = tmp_path / "planted.csv"
        path.write_text(f"{head}\n{body}", encoding="utf-8")
        with pytest.raises(InputError, match=r"row [23]"):
            read_truths(path)
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="the columns must be"):
        read_truths(path)


def _row(seed: int, estimate: float | None, **more: Any) -> Planted:
    base: dict[str, Any] = {
        "seed": seed, "study": "s", "model": "m", "estimator": "logit", "draw": "independent",
        "term": "x", "covariance": "classical", "truth": 1.0, "estimate": estimate,
        "std_error": 0.2, "covered": None if estimate is None else abs(estimate - 1) < 0.4,
        "rejected": None if estimate is None else estimate > 0.4, "n_obs": 9, "reason": "",
    }  # fmt: skip
    return Planted(**{**base, **more})


def _frame(rows: list[Planted]) -> pl.DataFrame:
    frame = pl.from_arrow(planting.as_table(rows))
    assert isinstance(frame, pl.DataFrame)
    return frame


def test_summaries_by_hand() -> None:
    rows = [_row(1, 1.5), _row(2, 0.9), _row(3, 0.3)]
    term = summarise_terms(_frame(rows))[0]
    assert term.worlds == 3
    assert term.bias == pytest.approx(-0.1)
    assert term.sd == pytest.approx(0.6)
    assert term.bias_error == pytest.approx(0.6 / np.sqrt(3))
    assert term.coverage == pytest.approx(1 / 3)
    assert term.power == pytest.approx(2 / 3)


def test_a_study_s_line_counts_what_is_found_and_says_what_is_not() -> None:
    rng = np.random.default_rng(2)
    rows = []
    for seed in range(40):
        off = float(rng.normal(0, 0.2))
        rows.append(_row(seed, 1.0 + off))
        rows.append(_row(seed, 2.0 + off, term="z"))
        rows.append(_row(seed, 1.0 + off, draw="shared", covered=False))
        rows.append(_row(seed, 1.0 + off, draw="shared", covered=True, covariance="dyadic"))
    rows.append(_row(41, None, term="", covariance="", reason="logit: x is separated."))
    table = _frame(rows)
    told = {"counts": {"a": "counted by hand"}, "notes": {"s": "A note."}}
    a, s = study_lines(table, summarise_terms(table), told)
    assert (a.verdict, a.why) == ("counts only", "counted by hand")
    assert (s.worlds, s.asked, s.terms, s.found) == (40, 41, 2, 1)
    assert s.verdict == "recovered but for 1 of 2"
    assert "z of m (bias +" in s.why
    assert "No estimate in 1 of 41: m, 1 world: a rare term decides" in s.why
    assert s.why.endswith("A note.")
    assert (s.shared, s.widest) == (0.0, 1.0)
    terms = summarise_terms(table)
    (name, n, alone, shared), (other, m, nothing, whole) = by_covariance(terms)
    assert (name, n, shared) == ("classical", 2, 0.0)
    assert alone == pytest.approx(np.mean([term.coverage for term in leading(
        [term for term in terms if term.draw == "independent"])]))  # fmt: skip
    assert (other, m, nothing, whole) == ("dyadic", 0, None, 1.0)


def test_reasons_have_kinds() -> None:
    assert kind_of("Cox: the coefficient of a runs off to infinity: ...").endswith("(separation)")
    assert kind_of("x was left out: collinear: x.") == "a term never varies or is collinear"
    assert kind_of("something else.") == "something else"


def test_stored_results_have_every_study_and_planted_term(truths: Truths) -> None:
    with (ROOT / "docs" / "recovery" / "studies.csv").open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        lines = list(reader)
    assert reader.fieldnames == names_of(StudyLine)
    told = read_told(ROOT)
    assert {line["study"] for line in lines} == {study for study, _ in truths} | set(told["counts"])
    assert all(line["verdict"] and (line["why"] or line["found"] == line["terms"])
               for line in lines)  # fmt: skip
    with (ROOT / "docs" / "recovery" / "planted.csv").open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        terms = list(reader)
    assert reader.fieldnames == names_of(Term)
    told_of = {(row["study"], row["model"]) for row in terms}
    missing = set(truths) - told_of
    unestimated = {line["study"] for line in lines if "No estimate" in line["why"]}
    assert {study for study, _ in missing} <= unestimated
    for row in terms:
        stated = truths[(row["study"], row["model"])]
        if row["term"] in stated:
            assert float(row["truth"]) == pytest.approx(stated[row["term"]], rel=1e-3)


def test_leading_takes_the_classical_covariance_or_the_first() -> None:
    none: Any = None
    base = ("s", "m", "logit", "independent", "x")
    one = Term(*base, "HC1", 30, 1.0, 0.0, 0.1, 0.1, none, none, none)
    two = dataclasses.replace(one, covariance="classical")
    assert leading([one, two]) == [two]
    assert leading([one, two], classical=False) == [one]


def test_coverage_is_held_against_the_binomial_distribution() -> None:
    none: Any = None
    base = ("s", "m", "logit", "independent", "x", "classical")
    for worlds in (33, 200):
        for held in range(worlds // 2, worlds + 1):
            term = Term(*base, worlds, 1.0, 0.0, 0.1, 0.1, none, held / worlds, none)
            below = stats.binom.cdf(held, worlds, 0.95)
            above = stats.binom.sf(held - 1, worlds, 0.95)
            assert term.covers == (min(below, above) > stats.norm.sf(3.0)), (worlds, held)


def test_kinds_of_measures_are_measures() -> None:
    from foedus.studies.measures import get_measure

    for name in KINDS:
        assert get_measure(name).name == name
