"""What the pipeline says about a world, against what the world itself knows.

The world shares no code with the pipeline: it knows its pledges, disputes and wars from having
drawn them. Each test here catches at least one of the planted bugs in tests/mutations.
"""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from foedus.covariates.assemble import VariableRequest, as_float, build_variables
from foedus.covariates.reliability import OPTIONS, build_cases
from foedus.panels.units import load_system
from foedus.panels.war_list import load_wars
from foedus.world.history import TERMS, Peace, terms_of_year
from foedus.world.states import great_circle_km
from foedus.world.treaties import standing
from foedus.world.wars import Dispute
from tests.world.conftest import Made

YEARS = (1816, 2010)
DIRECTED = "directed-dyad-year"


@pytest.fixture(scope="module")
def known(made: Made) -> dict[str, NDArray[np.float64]]:
    """What the world knows of each directed dyad-year, (n, n, years), missing where no dyad is."""
    world = made.world
    n, years = world.states.member.shape
    cubes = np.full((len(TERMS) + 2, n, n, years), np.nan)
    began = np.zeros((n, n, years), dtype=bool)
    begun = world.history.begun
    began[begun.challenger, begun.target, begun.year] = True
    peace = Peace(n)
    for year in range(years):
        member = world.states.member[:, year]
        together = member[:, None] & member[None, :]
        np.fill_diagonal(together, val=False)
        peace.enter(together)
        stands = standing(world.history.diplomacy.pledges.in_force(year), n)
        terms = terms_of_year(world.states, world.power, world.regimes, stands, peace.years, year)
        cubes[: len(TERMS), :, :, year] = np.where(together, terms, np.nan)
        cubes[-2, :, :, year] = np.where(together, began[:, :, year], np.nan)
        cubes[-1, :, :, year] = np.where(together, stands.owes[0], np.nan)
        peace.leave(began[:, :, year])
    names = [*TERMS, "began", "owes_defense"]
    return {name: cubes[place] for place, name in enumerate(names)}


def _column(
    made: Made, covariate: str, column: str, years: tuple[int, int] = YEARS, **options: Any
) -> tuple[dict[str, NDArray[Any]], NDArray[np.float64]]:
    panel = build_variables(
        made.tables, DIRECTED, years, {"x": VariableRequest(covariate, column, options)}
    )
    keys = {name: np.asarray(panel.columns[name]) for name in ("ccode1", "ccode2", "year")}
    return keys, as_float(panel.columns["x"])


def _known_rows(
    made: Made, keys: dict[str, NDArray[Any]], cube: NDArray[np.float64]
) -> NDArray[np.float64]:
    codes = made.world.states.ccode
    one, other = (np.searchsorted(codes, keys[name]) for name in ("ccode1", "ccode2"))
    return np.asarray(cube[one, other, keys["year"] - made.settings.first_year])


def _same(
    made: Made, known: dict[str, NDArray[np.float64]], name: str, covariate: str, column: str,
    tolerance: float = 0.0, **options: Any,
) -> NDArray[np.float64]:  # fmt: skip
    keys, found = _column(made, covariate, column, **options)
    wanted = _known_rows(made, keys, known[name])
    assert not np.isnan(wanted).any(), "the panel has a row that is no dyad of the world"
    assert len(found) == np.isfinite(known[name][:, :, : YEARS[1] - YEARS[0] + 1]).sum()
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance, equal_nan=False)
    return found


def test_who_begins_disputes_against_whom(made: Made, known: dict[str, Any]) -> None:
    found = _same(made, known, "began", "mid", "mid_initiated", who="originators")
    assert found.sum() > 300


def test_joiners_begin_nothing_unless_any_is_asked(made: Made, known: dict[str, Any]) -> None:
    keys, found = _column(made, "mid", "mid_initiated", who="any")
    more = found - _known_rows(made, keys, known["began"])
    assert more.min() == 0
    assert more.sum() > 20


def test_opponents_of_a_dispute_are_its_two_sides(made: Made) -> None:
    keys, found = _column(made, "mid", "mid_ongoing")
    wanted = np.zeros((made.world.states.n,) * 2 + (made.settings.n_years,))
    for dispute in _until(made, 2014):
        for one in dispute.parts:
            for other in dispute.parts:
                if one.side == other.side:
                    continue
                begins, ends = max(one.begins, other.begins), min(one.ends, other.ends)
                if begins <= ends:
                    first = begins.year - made.settings.first_year
                    last = ends.year - made.settings.first_year
                    wanted[one.state, other.state, first : last + 1] = 1
    np.testing.assert_array_equal(found, _known_rows(made, keys, wanted))


def _until(made: Made, year: int) -> list[Dispute]:
    return [item for item in made.world.conflicts.disputes if item.parts[0].begins.year <= year]


@pytest.mark.parametrize(
    ("name", "column", "options"),
    [
        ("target_defense", "target_defense", {"threats": "apply", "secret": "exclude"}),
        ("challenger_defense", "challenger_defense", {"threats": "ignore"}),
        ("challenger_offense", "challenger_offense", {"threats": "apply"}),
        ("challenger_neutrality", "challenger_neutrality", {"threats": "apply"}),
    ],
)
def test_third_party_pledges(
    made: Made, known: dict[str, Any], name: str, column: str, options: dict[str, str]
) -> None:
    found = _same(made, known, name, "atop_third_party", column, **options)
    assert 0.01 < found.mean() < 0.99


def test_pledges_between_the_two(made: Made, known: dict[str, Any]) -> None:
    found = _same(made, known, "owes_defense", "atop", "atop_defense")
    assert found.sum() > 100


def test_peace_years(made: Made, known: dict[str, Any]) -> None:
    found = _same(
        made, known, "peace", "peace_years", "mid_peace_years", since="initiated",
        counting="calendar",
    )  # fmt: skip
    assert found.max() > 100


def test_similarity_of_portfolios(made: Made, known: dict[str, Any]) -> None:
    # The pipeline keeps S in single precision.
    found = _same(made, known, "similarity", "similarity", "s_atop", tolerance=1e-6)
    assert found.std() > 0.05


def test_capability_share(made: Made, known: dict[str, Any]) -> None:
    _same(made, known, "capability_share", "capability_share", "capability_share", 1e-12)


def test_distance_between_capitals(made: Made, known: dict[str, Any]) -> None:
    keys, found = _column(made, "capital_distance", "capital_distance_miles")
    wanted = _known_rows(made, keys, known["ln_distance"])
    np.testing.assert_allclose(np.log(found), wanted, rtol=0, atol=1e-9)
    assert made.world.states.moved, "no capital moves in this world, so half of this is untested"


def test_joint_democracy_is_missing_where_a_score_is(made: Made, known: dict[str, Any]) -> None:
    keys, found = _column(made, "polity", "joint_democracy")
    codes = made.world.states.ccode
    at = keys["year"] - made.settings.first_year
    both = np.ones(len(at), dtype=bool)
    for name in ("ccode1", "ccode2"):
        both &= made.world.regimes.known[np.searchsorted(codes, keys[name]), at]
    wanted = np.where(both, _known_rows(made, keys, known["joint_democracy"]), np.nan)
    np.testing.assert_array_equal(found, wanted)
    assert np.isnan(found).sum() > 10


def test_outside_a_source_its_columns_are_missing(made: Made) -> None:
    keys, found = _column(made, "mid", "mid_onset", years=(2012, 2016))
    late = keys["year"] > 2014
    assert late.any()
    assert np.isnan(found[late]).all()
    assert not np.isnan(found[~late]).any()
    keys, found = _column(made, "min_distance", "min_distance_km", years=(1884, 1888))
    early = keys["year"] < 1886
    assert np.isnan(found[early]).all()
    assert not np.isnan(found[~early]).any()


def test_contiguity_and_major_powers(made: Made) -> None:
    states = made.world.states
    keys, found = _column(made, "contiguity", "contiguous")
    cube = np.repeat((states.contiguity == 1)[:, :, None], made.settings.n_years, axis=2)
    np.testing.assert_array_equal(found, _known_rows(made, keys, cube.astype(float)))
    keys, found = _column(made, "major", "major1")
    cube = np.repeat(states.is_major[:, None, :], states.n, axis=1)
    np.testing.assert_array_equal(found, _known_rows(made, keys, cube.astype(float)))


def test_unknown_capabilities_stay_unknown(made: Made) -> None:
    found = made.tables.get("cow_nmc", "state_years")
    member = made.world.states.member
    for place, name in enumerate(("milex", "milper", "irst", "pec", "tpop", "upop")):
        gone = int((made.world.power.indicators[place] == -9)[member].sum())
        assert found[name].null_count() == gone, name
    assert found["milex"].null_count() > 0


def test_who_could_join_a_war_and_who_did(made: Made) -> None:
    spine = build_variables(
        made.tables, "war-joiner", YEARS, {"x": VariableRequest("war_joining", "joined", {})}
    )
    states = made.world.states
    wanted = {}
    for war in made.world.conflicts.wars:
        begins = war.parts[0].begins
        joined = {part.state for part in war.parts} - war.first
        present = states.member[:, begins.year - made.settings.first_year]
        for state in np.flatnonzero(present).tolist():
            if state not in war.first:
                wanted[war.number, int(states.ccode[state])] = float(state in joined)
    keys = zip(
        np.asarray(spine.columns["warnum"]).tolist(),
        np.asarray(spine.columns["ccode"]).tolist(),
        strict=True,
    )
    found = dict(zip(keys, as_float(spine.columns["x"]).tolist(), strict=True))
    assert found == wanted
    assert sum(found.values()) > 50


@pytest.mark.parametrize("kind", ["defense", "offense", "neutrality", "nonaggression"])
def test_pledges_to_first_belligerents(made: Made, kind: str) -> None:
    place = ("defense", "offense", "neutrality", "nonaggression").index(kind)
    panel = build_variables(
        made.tables,
        "war-joiner",
        YEARS,
        {
            "tie": VariableRequest("war_joiner_ties", f"allied_{kind}", {"first_days": 0}),
            "km": VariableRequest("war_joiner_place", "nearest_capital_km", {"first_days": 0}),
        },
    )
    states = made.world.states
    wars = {war.number: war for war in made.world.conflicts.wars}
    wanted, nearest = [], []
    for number, code in zip(
        np.asarray(panel.columns["warnum"]).tolist(),
        np.asarray(panel.columns["ccode"]).tolist(),
        strict=True,
    ):
        war = wars[number]
        year = war.parts[0].begins.year - made.settings.first_year
        state, first = int(np.searchsorted(states.ccode, code)), sorted(war.first)
        stands = standing(made.world.history.diplomacy.pledges.in_force(year), states.n)
        wanted.append(float(stands.owes[place, state, first].any()))
        lat, lng = states.lat[:, year], states.lng[:, year]
        km = great_circle_km(lat[[state]], lng[[state]], lat[first], lng[first])
        nearest.append(float(km.min()))
    np.testing.assert_array_equal(as_float(panel.columns["tie"]), wanted)
    np.testing.assert_allclose(as_float(panel.columns["km"]), nearest, rtol=0, atol=1e-6)
    assert 0 < sum(wanted) < len(wanted)


def test_sizes_of_wars(made: Made) -> None:
    panel = build_variables(
        made.tables,
        "war",
        YEARS,
        {
            "n_first": VariableRequest("war_outcome", "n_first", {"first_days": 0}),
            "n_states": VariableRequest("war_outcome", "n_states", {}),
            "deaths": VariableRequest("war_outcome", "battle_deaths", {"deaths": "complete"}),
            "tie": VariableRequest("war_ties", "tie_defense", {"first_days": 0}),
        },
    )
    wars = made.world.conflicts.wars
    columns = {name: as_float(panel.columns[name]) for name in panel.columns if name != "warnum"}
    assert np.asarray(panel.columns["warnum"]).tolist() == [war.number for war in wars]
    np.testing.assert_array_equal(columns["n_first"], [len(war.first) for war in wars])
    np.testing.assert_array_equal(columns["n_states"], [len(war.parts) for war in wars])
    deaths = [np.nan if min(war.shares) < 0 else war.deaths for war in wars]
    np.testing.assert_array_equal(columns["deaths"], deaths)
    assert 0 < np.isnan(deaths).sum() < len(deaths)
    assert columns["tie"].tolist() == [_third_party(made, war) for war in wars]
    assert 0 < columns["tie"].sum() < len(wars)


def _third_party(made: Made, war: Any) -> float:
    states = made.world.states
    year = war.parts[0].begins.year - made.settings.first_year
    owes = standing(made.world.history.diplomacy.pledges.in_force(year), states.n).owes[0].copy()
    first = sorted(war.first)
    owes[first] = 0
    return float(owes[:, first].any())


def test_kept_and_broken_pledges(made: Made) -> None:
    tables = made.tables
    chosen = {name: option.default for name, option in OPTIONS.items()}
    cases = build_cases(
        tables.get("atop", "members"), load_wars(tables), load_system(tables), chosen, (1815, 2018)
    )
    found = {
        (case.warnum, case.atopid): (
            case.invoked, case.honoured, case.honoured_lenient, case.multilateral,
            tuple(case.types.values()),
        )
        for case in cases
    }  # fmt: skip
    wanted = {
        (entry.war.number, entry.atopid): (
            entry.invoked, entry.honoured, entry.one_honoured, entry.multilateral,
            tuple(entry.owed),
        )
        for entry in made.world.book
    }  # fmt: skip
    assert found == wanted
    assert sum(entry.invoked for entry in made.world.book) > 30


def test_dates_of_wars_are_kept_to_the_day(made: Made) -> None:
    found = made.tables.get("cow_interstate_wars", "participants")
    wanted = {
        (war.number, int(made.world.states.ccode[part.state])): (part.begins, part.ends)
        for war in made.world.conflicts.wars
        for part in war.parts
    }
    rows = found.select("warnum", "ccode", "start1", "end1").iter_rows()
    assert {(war, ccode): (begins, ends) for war, ccode, begins, ends in rows} == wanted
    assert max(ends for _, ends in wanted.values()) <= datetime.date(2007, 12, 31)
