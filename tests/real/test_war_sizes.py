"""Studies of the sizes of wars on the real files, against print and independent calculations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foedus.config import Project
from foedus.sources.tables import Tables
from foedus.studies.measures import MeasureContext, get_measure
from foedus.studies.registry import get_study
from foedus.studies.run import StudyRun, run_design

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def tables(real_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    data = tmp_path_factory.mktemp("results")
    return Tables(Project(ROOT, data=data, raw_dirs=(real_sources,), offline=True))


def run(tables: Tables, study: str) -> StudyRun:
    return run_design(get_study(tables.project, study), tables, choices=False)


def leads(done: StudyRun) -> list[dict[str, Any]]:
    return [row for row in done.comparison.to_pylist() if row["lead"]]


def terms(tables: Tables, name: str, **options: Any) -> dict[str, Any]:
    entry = get_measure(name)
    result = entry.run(MeasureContext(tables, entry.resolve_options(options)))
    return {row.term: row for row in reversed(result.rows)}


def test_williams_every_number_but_the_bootstraps_shares(tables: Tables) -> None:
    rows = leads(run(tables, "williams_2024_powerlaw"))
    drawn = [row for row in rows if row["quantity"] == "predicted_probability"]
    assert len(rows) == 99
    assert len(drawn) == 18
    assert [row["maps_to"] for row in rows if row not in drawn and row["verdict"] != "exact"] == []
    # A power law's fit is drawn as print draws it: two shares of draws, ours of 300.
    for scale in ("severity", "prevalence", "intensity"):
        (row,) = (r for r in drawn if r["maps_to"] == f"measures.{scale}.power law: fit p")
        p = row["published"]
        assert abs(row["rebuilt"] - p) < 3.5 * np.sqrt(p * (1 - p) / 300)


def test_sizes_on_three_scales_by_hand(tables: Tables) -> None:
    from foedus.studies.war_scales import cow_sizes

    sizes = {scale: cow_sizes(tables, scale) for scale in ("severity", "prevalence", "intensity")}
    people = tables.get("cow_nmc", "state_years")
    fights = tables.get("cow_interstate_wars", "participants").to_dicts()
    known = {(row["ccode"], row["year"]): row["tpop"] for row in people.to_dicts()}
    for warnum in (1, 106, 139, 170, 227):
        rows = [row for row in fights if row["warnum"] == warnum]
        first = min(row["start1"] for row in rows).year
        deaths = sum(row["batdeath"] or 0 for row in rows)
        world = sum(n for (_, year), n in known.items() if year == first and n is not None)
        entered: dict[int, int] = {}
        for row in rows:
            year = row["start1"].year
            entered[row["ccode"]] = min(year, entered.get(row["ccode"], year))
        fighting = sum(known[code, year] for code, year in entered.items())
        for scale, expected in (
            ("severity", deaths),
            ("prevalence", deaths / world * 1e3),
            ("intensity", deaths / fighting * 1e3),
        ):
            at = np.flatnonzero(sizes[scale].warnum == warnum)
            assert sizes[scale].size[at] == pytest.approx([expected])
    assert [len(part.size) + part.unknown for part in sizes.values()] == [95, 95, 95]
