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


def test_cases_are_listed_with_their_columns() -> None:
    entry = get_measure("cases")

    def listed(panel: Any = PANEL, **options: Any) -> Any:
        return entry.run(MeasureContext(None, entry.resolve_options(options), panel))  # type: ignore[arg-type]

    made = listed(where="other <= 1", columns="own, other", title="Unanswered")
    assert made.tables["Unanswered"] == [
        {"own": 4, "other": 1}, {"own": 2, "other": 1}, {"own": None, "other": 1},
    ]  # fmt: skip
    assert made.rows[0].estimate == 3
    assert listed(where="own > 9", columns="own").rows[0].estimate == 0
    with pytest.raises(UsageError, match="no key or variable"):
        listed(where="own > 1", columns="owm")
    with pytest.raises(UsageError, match="where: CONDITION"):
        listed(columns="own")
    with pytest.raises(UsageError, match="panel: true"):
        listed(None, where="own > 1", columns="own")
