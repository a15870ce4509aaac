"""Every covariate on the real files at the edges of its years, and months beside years."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from foedus.cli.front import run
from foedus.covariates.assemble import Builder, build_panel
from foedus.covariates.codebook import codebook_markdown, panel_codebook
from foedus.covariates.registry import Covariate, applies, registry
from foedus.covariates.values import is_missing
from foedus.panels.spine import Spine, StatePlace
from foedus.panels.units import build_spine, get_unit, load_system
from foedus.panels.war_joiner_units import unseen_joiners
from foedus.panels.war_list import load_wars
from foedus.sources.tables import Tables

pytestmark = pytest.mark.real

UNITS = ("state-year", "dyad-year", "directed-dyad-year")
SYSTEM = (1816, 2016)
# Columns of which the sources know nothing yet in the first year, or no more in the last.
EMPTY_AT_AN_EDGE = {
    "past_kept_share": "no pact had been called on before 1816",
    "maddison_population": "no state has an estimate for 1816 itself; most begin in 1820",
    "external_threat": "the last rows of the file, to 2015, name no state",
    "rival_pact_1": "no rivalry is coded after 2010",
    "rival_pact_3": "no rivalry is coded after 2010",
    "rival_pact_5": "no rivalry is coded after 2010",
    "rival_pact_10": "no rivalry is coded after 2010",
}


@pytest.fixture(scope="module")
def whole(tables: Tables) -> dict[str, Spine]:
    system = load_system(tables)
    return {unit: build_spine(tables, unit, SYSTEM, system) for unit in UNITS}


def unit_of(entry: Covariate) -> str | None:
    for unit in UNITS:
        if any(applies(entry, spec, unit, get_unit(unit).keys) for spec in entry.columns):
            return unit
    return None


def at_years(spine: Spine, years: list[int]) -> Spine:
    """The rows of a spine in some years."""
    kept = np.isin(spine.places[0].year, years)
    return replace(
        spine,
        keys={name: values[kept] for name, values in spine.keys.items()},
        places=tuple(
            StatePlace(place.suffix, place.state[kept], place.year[kept]) for place in spine.places
        ),
    )


def test_every_covariate_is_known_at_its_edges_and_missing_beyond(
    tables: Tables, whole: dict[str, Spine]
) -> None:
    system, empty = whole["state-year"].system, []
    for entry in registry().values():
        unit = unit_of(entry)
        if unit is None or not all(tables.has(source) for source in entry.sources):
            continue
        coverage = Builder(tables, whole[unit]).coverage(entry, entry.resolve_options({}))
        if coverage is None:
            continue
        first, last = max(coverage[0], SYSTEM[0]), min(coverage[1], SYSTEM[1])
        builder = Builder(tables, at_years(whole[unit], [first, last, last + 1]))
        year = builder.spine.places[0].year
        for spec in entry.columns:
            if not applies(entry, spec, unit, builder.keys) or spec.name in entry.extras:
                continue
            for shown in builder.names(entry, spec):
                values, _ = builder.column(entry, shown, {}, with_siblings=True)
                if values.dtype.kind not in "fi":
                    continue
                gone = is_missing(values)
                assert gone[year == last + 1].all(), f"{shown} goes on after {last}"
                empty += [spec.name for edge in (first, last) if gone[year == edge].all()]
    assert system.last_year == SYSTEM[1]
    assert sorted(set(empty) - set(EMPTY_AT_AN_EDGE)) == []


def test_months_make_the_year_but_where_no_month_was_shared(tables: Tables) -> None:
    """Differences are facts on days on which the two weren't in the system together."""
    asked = ((1900, 1960), ["atop", "war", "mid"])
    yearly = build_panel(tables, "dyad-year", *asked)
    raised = build_panel(tables, "dyad-month", *asked, up="year")
    differ: dict[tuple[int, ...], set[str]] = {}
    for name, values in yearly.columns.items():
        for row in np.flatnonzero(values != raised.columns[name]):
            key = tuple(int(yearly.columns[one][row]) for one in yearly.keys)
            differ.setdefault(key, set()).add(name.split("_")[0])
    assert differ == {
        (200, 713, 1949): {"mid"},  # Taiwan enters the system in December
        (305, 345, 1919): {"mid"},  # Austria, in September
        (600, 652, 1958): {"atop"},  # Syria leaves it in February
        (616, 652, 1958): {"atop"},
        (640, 652, 1958): {"mid"},
        (652, 663, 1958): {"mid"},
    }


def test_who_could_join_the_wars(tables: Tables) -> None:
    wars, system = load_wars(tables), load_system(tables)
    years = tables.coverage("cow_interstate_wars")
    # Ethiopia fought from January 1941 and is in the system from May.
    assert unseen_joiners(wars, system, years[1]) == [(139, 530)]
    monthly = build_panel(tables, "war-joiner-month", years, ["war_joining", "war_clock"])
    yearly = build_panel(tables, "war-joiner-year", years, ["war_joining"])
    assert (monthly.n_rows, yearly.n_rows) == (110_504, 16_333)
    assert monthly.columns["joined"].sum() == yearly.columns["joined"].sum() == 97
    frame: Any = pl.from_arrow(monthly.table)
    italy = frame.filter(warnum=106, ccode=325, joined=1).row(0, named=True)
    assert (italy["year"], italy["month"], italy["joined_side"]) == (1915, 5, 1)


def test_k_ads_hold_every_founding(tables: Tables) -> None:
    panel = build_panel(
        tables, "k-ad-year", (1816, 2010), ["nmc"], options={"k": 12, "controls": 5}
    )
    frame: Any = pl.from_arrow(panel.table)
    nato = frame.filter(formed=1, year=1949)
    assert nato.height == 1
    assert nato.select(panel.keys[:-1]).row(0) == (
        2,
        20,
        200,
        210,
        211,
        212,
        220,
        235,
        325,
        385,
        390,
        395,
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("dyad-yaer --years 1816 1820", "Nearest: dyad-year"),
        ("dyad-year --years 1700 1820", "known for 1816-2016"),
        ("dyad-year --years 1830 1820", "comes after the last"),
        ("dyad-year --years 1820 1830 --covariates atopp", "Nearest: atop"),
        ("dyad-year --years 1820 1830 --k 3", "only k-ad-year"),
        ("dyad-year --years 1820 1830 --where yaer==1820", "Nearest: year"),
        ("dyad-day --years 1816 2010", "302707556 rows"),
        ("dyad-month --years 1820 1830 --up decade", "up to year"),
        ("k-ad-year --years 1820 1830 --events defence", "Nearest: defense"),
        ("war-joiner-month --years 1816 2010", "1816-2007"),
    ],
)
def test_what_cannot_be_built_is_refused_with_what_can(
    words: str, says: str, tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables.get("cow_states", "states")
    out = tmp_path / "panel.parquet"
    data = str(tables.project.data)
    assert run(["panel", *words.split(), "--out", str(out), "--data", data, "--offline"]) == 2
    assert says in " ".join(capsys.readouterr().err.split())
    assert not out.exists()


def test_columns_of_several_data_sets_tell_their_own_years(tables: Tables) -> None:
    panel = build_panel(tables, "dyad-year", (2009, 2016), ["peace_years", "rivalry"])
    told = {name: (note.sources, note.coverage) for name, note in panel.notes.items()}
    assert told == {
        "mid_peace_years": (("mid",), (1816, 2014)),
        "gml_peace_years": (("gml_mid",), (1816, 2010)),
        "war_peace_years": (("cow_interstate_wars",), (1816, 2007)),
        "rivalry_td": (("rivalries_td",), (1494, 2010)),
        "rivalry_tss": (("rivalries_tss",), (1494, 2020)),
    }
    book = codebook_markdown(panel_codebook(panel, "mine"))
    assert book.count("Missing after 2010.") == 2
