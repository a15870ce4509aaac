"""Measures of one kind name their plots alike; each must keep its own."""

from __future__ import annotations

from foedus.studies.run import _names_apart


def test_plots_of_one_name_carry_their_measure() -> None:
    made = {"posted": {"tail": 1}, "rebuilt": {"tail": 2, "gaps": 3}, "other": {}}
    assert _names_apart(made) == {
        ("posted", "tail"): "posted_tail",
        ("rebuilt", "tail"): "rebuilt_tail",
        ("rebuilt", "gaps"): "gaps",
    }
