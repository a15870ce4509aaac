"""The first and the last year that a source covers are known, the years beside them are missing."""

from __future__ import annotations

import pytest

from foedus.covariates.assemble import Builder, column_names
from foedus.covariates.registry import get_covariate
from foedus.covariates.values import is_missing
from foedus.panels.units import build_spine
from foedus.sources.tables import Tables

pytestmark = pytest.mark.real

# Covariates whose every column has the same years, of which one edge at least lies within the state
# system's, and a unit on which to look at them.
STATES = (
    "trade", "military_spending", "leader", "territorial_threat", "extrastate_war",
    "intrastate_war", "state_conflict", "igo",
)  # fmt: skip
DYADS = ("conflict", "conflict_history", "trade_dependence", "arms_race")
SYSTEM = (1816, 2016)
BY_SOURCE = [
    ("conflict", {"source": source})
    for source in ("mid", "mid_4.2", "gml", "gml_2.03", "war", "iwd", "gleditsch", "ucdp")
]
ASKED = [
    *((name, "state-year", {}) for name in STATES),
    *((name, "dyad-year", {}) for name in DYADS),
    *((name, "dyad-year", options) for name, options in BY_SOURCE),
    ("intrastate_war", "state-year", {"source": "4.1"}),
    ("system_crises", "system-year", {}),
]


@pytest.mark.parametrize(("name", "unit", "options"), ASKED)
def test_edges(tables: Tables, name: str, unit: str, options: dict[str, str]) -> None:
    entry = get_covariate(name)
    resolved = entry.resolve_options(options)
    windows = [tables.coverage(source) for source in entry.coverage_under(resolved)]
    first, last = max(a for a, _ in windows), min(b for _, b in windows)
    edges = [(first, first - 1)] if first > SYSTEM[0] else []
    edges += [(last, last + 1)] if last < SYSTEM[1] else []
    assert edges
    for edge, beside in edges:
        spine = build_spine(tables, unit, (min(edge, beside), max(edge, beside)))
        builder = Builder(tables, spine)
        year = spine.keys["year"]
        for column in column_names(unit, [name])[name]:
            values, note = builder.column(entry, column, options)
            gone = is_missing(values)
            assert note.coverage == (first, last)
            assert not gone[year == edge].all(), (column, edge)
            assert gone[year == beside].all(), (column, beside)
