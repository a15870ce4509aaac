"""Who has troops beside whom in third parties' conflicts, on two small ones."""

from __future__ import annotations

import polars as pl

from foedus.covariates.assemble import build_panel
from tests.covariates.conftest import SmallTables, states
from tests.panels.test_intervener_units import UCDP_STATES, ucdp

YEARS = (1819, 1826)
CONFLICTS = pl.concat(
    [
        ucdp(
            (1, 1820, "1820-01-01", 20, None),
            (1, 1821, "1820-01-01", 20, None),
            (1, 1822, "1820-01-01", 20, None),
            (1, 1825, "1825-01-01", 20, None),
            (2, 1820, "1820-01-01", 20, 40),
        ),
        # 30 stands beside 20 from 1821, on the same side, and against 40 in the other conflict
        ucdp(
            (1, 1821, "1820-01-01", 30, None),
            (1, 1822, "1820-01-01", 30, None),
            (1, 1825, "1825-01-01", 30, None),
            (2, 1820, "1820-01-01", 30, None),
        ),
    ]
)


def test_pairs_on_one_side_and_their_first_year() -> None:
    tables = SmallTables(
        {
            ("cow_states", "states"): states(*UCDP_STATES),
            ("ucdp_acd", "conflict_years"): CONFLICTS,
        }
    )
    tables.coverages["ucdp_acd"] = (1820, 1832)
    panel = build_panel(tables, "dyad-year", YEARS, ["joint_support"])  # type: ignore[arg-type]
    rows = panel.table.to_pylist()
    pair = {row["year"]: row for row in rows if (row["ccode1"], row["ccode2"]) == (20, 30)}
    assert {year for year, row in pair.items() if row["joint_support"]} == {1820, 1821, 1822, 1825}
    # conflict 2 in 1820, conflict 1 in 1821, its next episode in 1825
    assert {year for year, row in pair.items() if row["joint_support_begun"]} == {1820, 1821, 1825}
    assert [pair[1820]["support_begun1"], pair[1820]["support_begun2"]] == [2, 1]
    assert pair[1819]["joint_support"] is None  # before the list
    others = [row for row in rows if row["ccode2"] == 40 and row["year"] >= 1820]
    assert {row["joint_support"] for row in others} == {0}  # 40 is on the other side
    assert {row["support_begun2"] for row in others} == {0, 1}
