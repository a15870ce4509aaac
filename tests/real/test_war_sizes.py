"""Studies of the sizes of wars on the real files, against print and independent calculations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foedus.sources.tables import Tables
from foedus.studies.measures import MeasureContext, get_measure
from foedus.studies.registry import get_study
from foedus.studies.run import StudyRun, run_design

pytestmark = pytest.mark.real


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


def test_the_change_of_the_inverse_burr_falls_after_the_korean_war(tables: Tables) -> None:
    found = terms(tables, "war_change_point", draws=10)
    assert found["last year before the change"].estimate == 1950
    # The gain, by the other search of the laws (scipy's), on sizes summed by hand.
    from foedus.models.tail_laws import fit_tail

    fights = tables.get("cow_interstate_wars", "participants").to_dicts()
    years: dict[int, int] = {}
    deaths: dict[int, float] = {}
    for row in fights:
        war = row["warnum"]
        years[war] = min(row["start1"].year, years.get(war, 9999))
        deaths[war] = deaths.get(war, 0.0) + (row["batdeath"] or 0)
    parts = [
        np.array([deaths[war] for war in years if keep(years[war])])
        for keep in (lambda y: y <= 1950, lambda y: y > 1950, lambda y: True)
    ]
    before, since, both = (fit_tail(part, "inverse_burr", xmin=0.0).loglik for part in parts)
    assert found["log-likelihood gained"].estimate == pytest.approx(before + since - both, abs=0.01)


def test_the_risk_of_a_large_war_by_hand(tables: Tables) -> None:
    from foedus.studies.war_scales import cow_sizes

    found = terms(tables, "war_risk", by="severity", draws=10)
    x = cow_sizes(tables, "severity").size
    tail = x[x >= 7061]
    alpha = 1 + tail.size / np.log(tail / 7061).sum()
    people = tables.get("cow_nmc", "state_years")
    world = sum(r["tpop"] or 0 for r in people.to_dicts() if r["year"] == 2016) * 1e3
    one = tail.size / 95 * (0.01 * world / 7061) ** (1 - alpha)
    assert found["chance of such a war"].estimate == pytest.approx(1 - (1 - one) ** 50)
    assert found["dead of such a war, millions"].estimate == pytest.approx(world / 1e8)


def test_shares_above_thresholds_by_hand(tables: Tables) -> None:
    from scipy import stats

    found = terms(tables, "war_exceedance", list="gleditsch", last_before=1944)
    rows = tables.get("gleditsch_wars", "participants").to_dicts()
    people = tables.get("cow_nmc", "state_years").to_dicts()
    wars: dict[str, list[Any]] = {}
    for row in rows:
        year, dead = wars.get(row["warid"], (9999, 0.0))
        wars[row["warid"]] = [min(year, row["sdate1"].year), dead + (row["deaths"] or 0)]
    world: dict[int, float] = {}
    for row in people:
        world[row["year"]] = world.get(row["year"], 0.0) + (row["tpop"] or 0) * 1e3
    sizes = [(year, 1e5 * dead / world[year]) for year, dead in wars.values() if dead > 0]
    table = [
        [sum((y > 1944) == late and (s > 2) == above for y, s in sizes) for above in (True, False)]
        for late in (False, True)
    ]
    assert found["wars"].estimate == sum(map(sum, table))
    assert found["wars"].estimate + found["wars left out"].estimate == len(wars)
    assert found["share since above 2"].estimate == pytest.approx(table[1][0] / sum(table[1]))
    assert found["p above 2"].estimate == pytest.approx(stats.fisher_exact(table).pvalue)


def test_the_lists_of_deaths_side_by_side(tables: Tables) -> None:
    entry = get_measure("war_deaths_reconciled")
    result = entry.run(MeasureContext(tables, entry.resolve_options({})))
    found = {row.term: row.estimate for row in result.rows}
    assert found["wars"] == found["wars in Clauset's file"] == 95
    assert found["same deaths in Clauset's file"] == 94
    assert found["same deaths in Gleditsch's list"] == found["wars in Gleditsch's list"]
    lines = {line["warnum"]: line for line in result.tables["disagreements"]}
    assert len(lines) == found["wars with a disagreement"]
    assert all(line["why"] for line in lines.values())
    assert "-9 dead" in lines[170]["why"]
    assert lines[170]["unknown_cow"] == 1
    assert len(result.tables["wars"]) == 95
