"""Counts of a study's rows: missing values, names, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foedus.errors import UsageError
from foedus.studies.measures import MeasureContext, get_measure

PANEL = {"own": np.array([4.0, 4.0, 2.0, np.nan]), "other": np.array([1.0, 5.0, 1.0, 1.0])}


def counted(of: Any, panel: Any = PANEL) -> dict[str, tuple[float | None, int | None]]:
    entry = get_measure("counts")
    made = entry.run(MeasureContext(None, entry.resolve_options({"of": of}), panel))  # type: ignore[arg-type]
    return {row.term: (row.estimate, row.n) for row in made.rows}


def test_a_row_with_a_missing_value_satisfies_nothing() -> None:
    assert counted({"force, unanswered": "own >= 4 and other <= 1"}) == {
        "force, unanswered": (1.0, 3)
    }
    assert counted({"no force": "not (own >= 4)"})["no force"] == (1.0, 3)


@pytest.mark.parametrize(
    ("of", "panel", "says"),
    [
        ({"a": "own > 1"}, None, "panel: true"),
        ({}, PANEL, "condition"),
        ({"a": "hight > 1"}, PANEL, "hight"),
    ],
)
def test_what_cannot_be_counted_is_refused(of: Any, panel: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        counted(of, panel)
