"""Re-estimates on authors' own files: every printed digit, standard errors included."""

from __future__ import annotations

from typing import Any

import pytest

from foedus.sources.tables import Tables
from foedus.studies.registry import get_study
from foedus.studies.run import StudyRun, run_design

pytestmark = pytest.mark.real

ALL_DIGITS = (
    "leeds_anac_2005",
    "miller_gibler_2011",
    "oneal_russett_1997_onset",
    "rainey_2016_oneal_russett",
)
GEE = "oneal_russett_2001_clear_clean"
STOPS_SOON = 3e-6
"""R's geepack stops iterating at a relative change of 1e-4, and its seventh digit shows it."""


def run(tables: Tables, study: str) -> StudyRun:
    return run_design(get_study(tables.project, study), tables, choices=False)


def leads(done: StudyRun) -> list[dict[str, Any]]:
    return [row for row in done.comparison.to_pylist() if row["lead"]]


@pytest.mark.parametrize("study", ALL_DIGITS)
def test_every_digit_is_met(tables: Tables, study: str) -> None:
    rows = leads(run(tables, study))
    # What takes a covariate of ours beside the file's columns is no re-estimate.
    rows = [row for row in rows if row["basis"] == "file"]
    assert len(rows) >= 15
    missed = [row["maps_to"] for row in rows if row["verdict"] != "exact"]
    errors = [row["maps_to"] for row in rows if row["se_exact"] is False]
    assert missed == []
    assert errors == []
    assert any(row["se_exact"] for row in rows)


def test_the_gee_is_met_to_where_the_reference_stops(tables: Tables) -> None:
    rows = leads(run(tables, GEE))
    for row in rows:
        if row["maps_to"].startswith("models.gee"):
            gap = abs(row["rebuilt"] / row["published"] - 1)
            assert gap < (1e-4 if "Intercept" in row["maps_to"] else STOPS_SOON), row["maps_to"]
            assert row["rebuilt_se"] == pytest.approx(row["published_se"], rel=STOPS_SOON, abs=6e-8)
        else:
            assert row["verdict"] == "exact", row["maps_to"]


def test_the_files_rows_meet_the_state_system(tables: Tables) -> None:
    done = run(tables, "oneal_russett_1997_onset")
    counts = done.detail["rebuild"]["counts"]
    assert counts["rows_matched"] == counts["rows_in_file"] == 20448
    by_name = {row["variable"]: row for row in done.detail["rebuild"]["variables"]}
    # An independent count on the raw file and the raw states: 405 disputes, 7,286 allied rows.
    assert by_name["dispute"]["mean_in_file"] * 20448 == pytest.approx(405)
    assert by_name["allies"]["mean_in_file"] * 20448 == pytest.approx(7286)
    assert by_name["within150"]["share"] > by_name["contig"]["share"]
    assert done.rows is not None
    kinds = done.rows["kind"].to_pylist()
    assert kinds.count("row only rebuilt") == counts["rows_only_rebuilt"]
    disagree = sum(row["known_in_both"] - row["agree"] for row in by_name.values())
    assert kinds.count("differs") == disagree
