"""War units, covariates and measures on the real files, against independent counts."""

from __future__ import annotations

import csv
import datetime
import gzip
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foedus.covariates.assemble import VariableRequest, build_variables
from foedus.sources.tables import Tables
from foedus.studies.measures import MeasureContext, get_measure
from foedus.studies.registry import get_study
from foedus.studies.run import run_design

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.real

# A war in which a state changed sides: the sample keeps the first of its rows only.
SWITCHED = {108: 450.0, 139: 65900.0}


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as handle:
        yield from csv.DictReader(handle)


def variables(tables: Tables, unit: str, **wanted: VariableRequest) -> dict[str, list[Any]]:
    return build_variables(tables, unit, (1816, 2010), wanted).table.to_pydict()


def terms(tables: Tables, name: str, **options: Any) -> dict[str, Any]:
    entry = get_measure(name)
    result = entry.run(MeasureContext(tables, entry.resolve_options(options)))
    return {row.term: row for row in reversed(result.rows)}


def test_wars_agree_with_another_packages(tables: Tables, real_samples: Path) -> None:
    known = {"deaths": "known"}
    made = variables(
        tables,
        "war",
        n_states=VariableRequest("war_outcome", "n_states"),
        start=VariableRequest("war_outcome", "start_year"),
        deaths=VariableRequest("war_outcome", "battle_deaths", known),
        unknown=VariableRequest("war_outcome", "deaths_unknown"),
    )
    ours = {row[0]: row[1:] for row in zip(*made.values(), strict=True)}
    theirs = {int(row["warnum"]): row for row in rows_of(real_samples / "sample_wars.csv.gz")}
    assert ours.keys() == theirs.keys()
    assert len(ours) == 95
    for warnum, row in theirs.items():
        n_states, start, deaths, unknown = ours[warnum]
        assert (n_states, start) == (int(row["nstates"]), int(row["y0"]))
        assert deaths == float(row["deaths"]) + SWITCHED.get(warnum, 0.0)
        assert (unknown > 0) == (int(row["anymiss"]) == 1)


def test_participants_agree_with_another_packages(tables: Tables, real_samples: Path) -> None:
    made = variables(
        tables,
        "war-participant",
        side=VariableRequest("war_role", "side"),
        initiator=VariableRequest("war_role", "initiator"),
        entry=VariableRequest("war_role", "entry_year"),
        deaths=VariableRequest("war_role", "deaths"),
        switched=VariableRequest("war_role", "switched_sides"),
        cinc=VariableRequest("nmc", "cinc"),
    )
    ours = {(row[0], row[1]): row[2:] for row in zip(*made.values(), strict=True)}
    theirs = {
        (int(row["warnum"]), int(row["ccode"])): row
        for row in rows_of(real_samples / "sample_warpart.csv.gz")
    }
    assert ours.keys() == theirs.keys()
    assert len(ours) == 332
    differing = []
    for key, row in theirs.items():
        side, initiator, entry, deaths, switched, cinc = ours[key]
        if switched:
            continue
        assert (side, initiator, entry) == (int(row["side"]), int(row["initiator"]), int(row["y0"]))
        # The sample keeps COW's code for unknown deaths as a number.
        assert deaths == (None if row["batdeath"] == "-9" else float(row["batdeath"]))
        if row["cinc"] and not math.isclose(cinc or 0.0, float(row["cinc"]), rel_tol=1e-6):
            differing.append(key)
    assert differing == []
    assert sum(row[4] for row in ours.values()) == 5


def test_joiners_are_members_and_no_originators(tables: Tables) -> None:
    made = variables(
        tables,
        "war-joiner",
        joined=VariableRequest("war_joining", "joined"),
        delay=VariableRequest("war_joining", "delay_days"),
    )
    joined = sum(made["joined"])
    assert all(
        (delay is None) == (flag == 0)
        for delay, flag in zip(made["delay"], made["joined"], strict=True)
    )
    assert min(delay for delay in made["delay"] if delay is not None) > 0
    first = variables(tables, "war", n=VariableRequest("war_outcome", "n_joiners"))
    # Ethiopia in 1941 and Angola in 1975 enter the system after their war's first day.
    assert sum(first["n"]) - joined == 2


def test_every_printed_count_of_the_authors_file(tables: Tables) -> None:
    blocks = {
        "authors": terms(tables, "honour_case_list"),
        "authors_bf": terms(tables, "honour_case_list", coding="bf"),
        "authors_lenient": terms(tables, "honour_case_list", multilateral="lenient"),
    }
    checked = 0
    path = ROOT / "config" / "studies" / "berkemeier_fuhrmann_2018" / "published.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            _, block, term = row["maps_to"].split(".", 2)
            if block not in blocks:
                continue
            found = blocks[block][term].estimate
            digits = len(row["estimate"].partition(".")[2])
            shown = 100 * found if row["quantity"] == "rate_percent" else found
            assert round(shown, digits) == float(row["estimate"]), row
            checked += 1
    assert checked > 60


def test_rebuilt_cases_against_the_authors(tables: Tables) -> None:
    """Values of the rule as reviewed; they move only with the data or the rule, on purpose."""
    found = terms(tables, "honour_by_rule")
    assert (found["cases all"].estimate, found["opportunities all"].estimate) == (746, 155)
    assert found["honoured all"].estimate == 79
    agreement = terms(tables, "honour_agreement")
    assert agreement["pairs on both lists"].estimate == 499
    assert agreement["kappa of opportunity"].estimate == pytest.approx(0.648, abs=0.001)
    assert agreement["kappa of honour"].estimate == pytest.approx(0.808, abs=0.001)


def test_disagreements_are_all_listed(tables: Tables) -> None:
    entry = get_measure("honour_agreement")
    result = entry.run(MeasureContext(tables, entry.resolve_options({})))
    rows = {row.term: row.estimate for row in reversed(result.rows)}
    lines = result.tables["disagreements"]
    pairs = [line for line in lines if line["difference"] == "pair"]
    assert len(pairs) == rows["pairs rebuilt only"] + rows["pairs on the authors' list only"]
    chance = [line for line in lines if line["difference"] == "opportunity"]
    assert len(chance) == round(
        rows["pairs on both lists"] * (1 - rows["agreement on opportunity"])
    )
    assert all(line["likely_cause"] for line in lines)


def test_clausets_numbers(tables: Tables) -> None:
    fit = terms(tables, "war_tail", draws=0)
    assert fit["xmin"].estimate == 7061
    assert fit["alpha"].estimate == pytest.approx(1.525, abs=0.0005)
    assert fit["wars in tail"].estimate == 51
    discrete = terms(tables, "war_tail", draws=0, discrete=True)
    assert discrete["xmin"].estimate == 5002
    assert discrete["alpha"].estimate == pytest.approx(1.485, abs=0.0005)
    gaps = terms(tables, "war_onsets")
    assert (gaps["gaps"].estimate, gaps["zero gaps"].estimate) == (94, 17)
    assert gaps["mean gap"].estimate == pytest.approx(1.915, abs=0.0005)


def test_the_posted_list_differs_in_one_war_by_the_code_for_unknown(tables: Tables) -> None:
    entry = get_measure("war_list_match")
    result = entry.run(MeasureContext(tables, entry.resolve_options({})))
    (line,) = result.tables["differences"]
    assert line["warnum"] == 170
    assert line["deaths"] - line["deaths_rebuilt"] == -9


def test_ties_agree_with_a_reading_of_the_raw_rows(tables: Tables) -> None:
    """Outside defence pledges of each war's first belligerents, counted row by row."""
    made = variables(
        tables, "war", n=VariableRequest("war_ties", "n_allies_defense", {"threats": "ignore"})
    )
    rows = tables.get("atop", "members").to_dicts()
    spells = tables.get("cow_states", "states").to_dicts()
    fights = tables.get("cow_interstate_wars", "participants").to_dicts()
    rng = np.random.default_rng(5)
    for at in rng.choice(95, 25, replace=False).tolist():
        warnum, found = made["warnum"][at], made["n"][at]
        of_war = [row for row in fights if row["warnum"] == warnum]
        day = min(row["start1"] for row in of_war)
        first = {row["ccode"] for row in of_war if row["start1"] == day}
        alive = {row["ccode"] for row in spells if row["start"] <= day <= row["end"]}
        eve = day - datetime.timedelta(days=1)
        standing = [
            row for row in rows if row["start"] <= eve and (row["end"] is None or row["end"] >= eve)
        ]
        givers = {
            one["member"]
            for one in standing
            if one["defense"] == 1 and one["member"] in alive - first
            for other in standing
            if (other["atopid"], other["phase"]) == (one["atopid"], one["phase"])
            and other["member"] in first
        }
        assert found == len(givers), warnum


def test_every_tail_has_its_own_plot_with_all_its_wars(tables: Tables) -> None:
    """The plot of one sample once took the place of another's: the world wars were missing."""
    run = run_design(get_study(tables.project, "clauset_2018"), tables, choices=False)
    plots = run.detail["plots"]
    assert max(plots["posted_tail"]["values_x"]) == 16_634_907
    assert min(plots["rebuilt_tail"]["ccdf"]) == pytest.approx(1 / 95)
    assert {"before_1950_tail", "since_1950_tail"} <= set(plots)
