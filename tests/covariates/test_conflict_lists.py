"""Conflict from any list: which conflict speaks for a year, what a list doesn't code, the edges."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.covariates.assemble import VariableRequest, build_variables
from foedus.covariates.conflict_history import before
from foedus.covariates.conflict_lists import (
    gleditsch_facts,
    gml_facts,
    iwd_facts,
    mid_facts,
    ucdp_facts,
    war_facts,
)
from foedus.covariates.time_terms import decay, natural_spline, spline_terms
from foedus.errors import UsageError
from foedus.sources.state_codes import cow_of_gw
from tests.covariates.conftest import SmallTables, states

DAY = datetime.date.fromisoformat


def spell(dispnum: int, ccode: int, side: int, start: str, end: str, **more: Any) -> dict[str, Any]:
    return {
        "dispnum": dispnum, "ccode": ccode, "sidea": side, "orig": 1, "start_min": DAY(start),
        "end_max": DAY(end), "hostlev": 3, "fatality": 0, "revstate": 0, "revtype1": 0, **more,
    }  # fmt: skip


def dispute(dispnum: int, **more: Any) -> dict[str, Any]:
    return {
        "dispnum": dispnum, "styear": 1820, "stmon": 1, "hostlev": 3, "fatality": 0, "recip": 0,
        "mindur": 10, "maxdur": 10, "outcome": 5, "settle": 3, **more,
    }  # fmt: skip


# 10 and 20 have two disputes in 1820: 1, longer and of unknown deaths, goes on in 1821, when 30
# joins it on 20's side; 2 begins later, ends as a war and is begun by 20.
SPELLS = [
    spell(1, 10, 1, "1820-02-01", "1821-06-30", revstate=1, revtype1=1, hostlev=4),
    spell(1, 20, 0, "1820-02-01", "1821-06-30", fatality=None),
    spell(1, 30, 0, "1821-03-01", "1821-06-30", orig=0),
    spell(2, 20, 1, "1820-08-01", "1820-09-30", hostlev=5, fatality=6),
    spell(2, 10, 0, "1820-08-01", "1820-09-30", hostlev=5, fatality=6),
]
DISPUTES = [
    dispute(1, stmon=2, hostlev=4, fatality=None, mindur=500, maxdur=510, outcome=1, settle=2),
    dispute(2, stmon=8, hostlev=5, fatality=6, mindur=61, maxdur=61, recip=1, outcome=6),
]


@pytest.fixture
def tables() -> SmallTables:
    members = states(*[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30)])
    small = SmallTables(
        {
            ("cow_states", "states"): members,
            ("mid", "participants"): pl.DataFrame(SPELLS, infer_schema_length=None),
            ("mid", "disputes"): pl.DataFrame(DISPUTES, infer_schema_length=None),
        }
    )
    small.coverages["ucdp_acd"] = (1825, 1836)
    return small


def value(
    tables: SmallTables, name: str, key: tuple[int, int, int], unit: str = "directed-dyad-year",
    **options: Any,
) -> Any:  # fmt: skip
    covariate, _, column = name.partition(".")
    panel = build_variables(
        tables,  # type: ignore[arg-type]
        unit,
        (key[2], key[2]),
        {"value": VariableRequest(covariate, column, options)},
        where=f"ccode1 == {key[0]} and ccode2 == {key[1]}",
    )
    return panel.table["value"].to_pylist()[0]


@pytest.mark.parametrize(
    ("several", "number"),
    [
        (["fatality"], 2), (["hostility"], 2), (["mindur"], 1), (["maxdur"], 1), (["first"], 1),
        (["last"], 2), (["reciprocated"], 2), (["number"], 1), ([], 1), (["onset"], 1),
        (["onset", "last"], 2), (["originators", "first"], 1),
    ],
)  # fmt: skip
def test_the_declared_order_decides_which_dispute_speaks(
    tables: SmallTables, several: list[str], number: int
) -> None:
    for key in ((10, 20, 1820), (20, 10, 1820)):
        assert value(tables, "conflict.conflict_number", key, several=several) == number
    assert value(tables, "conflict.conflict_count", (10, 20, 1820), several=several) == 2


def test_unknown_deaths_rank_between_none_and_some(tables: SmallTables) -> None:
    frame = tables.frames["mid", "disputes"]
    none = frame.with_columns(fatality=pl.Series([None, 0]))
    tables.frames["mid", "disputes"] = none
    assert value(tables, "conflict.conflict_number", (10, 20, 1820), several=["fatality"]) == 1
    some = frame.with_columns(fatality=pl.Series([None, 1]))
    tables.frames["mid", "disputes"] = some
    assert value(tables, "conflict.conflict_number", (10, 20, 1820), several=["fatality"]) == 2


def test_what_the_chosen_dispute_says_of_state_1(tables: SmallTables) -> None:
    long = {"several": ["mindur"]}
    for name, of_10, of_20 in [
        ("side", 1, 2), ("revisionist", 1, 0), ("revision_type", 1, 0), ("won", 1, 0),
        ("outcome", 1, 1), ("settlement", 2, 2), ("own_hostility", 4, 3), ("hostility", 4, 4),
        ("own_fatality", 0, None), ("fatality", None, None), ("war", 0, 0), ("reciprocated", 0, 0),
        ("days_min", 500, 500), ("days_max", 510, 510),
    ]:  # fmt: skip
        column = f"conflict.conflict_{name}"
        assert value(tables, column, (10, 20, 1820), **long) == of_10, name
        assert value(tables, column, (20, 10, 1820), **long) == of_20, name
        assert value(tables, column, (10, 30, 1820), **long) == 0, name


def test_joiners_and_wars_are_passed_over_as_though_they_were_not_listed(
    tables: SmallTables,
) -> None:
    onset = "conflict.conflict_onset"
    assert value(tables, onset, (10, 30, 1821)) == 1
    assert value(tables, "conflict.conflict_joined", (30, 10, 1821)) == 1
    assert value(tables, "conflict.conflict_joined", (10, 30, 1821)) == 0
    assert value(tables, onset, (10, 30, 1821), exclude=["joiners"]) == 0
    assert value(tables, "conflict.conflict_count", (10, 20, 1820), exclude=["war"]) == 1
    only_war = {"exclude": ["below_war"]}
    assert value(tables, "conflict.conflict_number", (10, 20, 1820), **only_war) == 2
    assert value(tables, "conflict.conflict_ongoing", (10, 20, 1821), **only_war) == 0


def test_a_year_that_only_continues_a_conflict_can_be_left_out(tables: SmallTables) -> None:
    missing = {"continuing": "missing"}
    for name in ("onset", "initiated", "targeted", "joined"):
        column = f"conflict.conflict_{name}"
        assert value(tables, column, (10, 20, 1821)) == 0
        assert value(tables, column, (10, 20, 1821), **missing) is None
        assert value(tables, column, (10, 20, 1822), **missing) == 0
    assert value(tables, "conflict.conflict_ongoing", (10, 20, 1821), **missing) == 1
    assert value(tables, "conflict.conflict_onset", (10, 20, 1820), **missing) == 1


def test_history_counts_years_and_conflicts_before_the_year(tables: SmallTables) -> None:
    history = "conflict_history.conflict_"
    assert value(tables, f"{history}prior", (10, 20, 1820)) == 0
    assert value(tables, f"{history}prior", (10, 20, 1821)) == 2
    assert value(tables, f"{history}prior", (10, 20, 1826), window=5) == 0
    assert value(tables, f"{history}prior_all", (10, 20, 1826)) == 2
    assert value(tables, f"{history}prior_initiated", (10, 20, 1821)) == 1
    assert value(tables, f"{history}prior_initiated", (10, 20, 1821), unit="dyad-year") == 2
    assert value(tables, f"{history}peace_years", (10, 20, 1830)) == 8
    assert value(tables, f"{history}peace_years", (10, 20, 1830), exclude=["below_war"]) == 9
    assert value(tables, f"{history}peace_years_decay", (10, 20, 1830), half_life=4) == 0.25
    for bad, words in ((0, "at least 1"), (1.5, "whole number of years"), ("5", "at least 1")):
        with pytest.raises(UsageError, match=words):
            value(tables, f"{history}prior", (10, 20, 1821), window=bad)
    for bad in (0, -1, "eight", None):
        with pytest.raises(UsageError, match="half_life"):
            value(tables, f"{history}peace_years_decay", (10, 20, 1830), half_life=bad)


def test_years_of_peace_can_begin_after_the_list_does(tables: SmallTables) -> None:
    name = "conflict_history.conflict_peace_years"
    assert value(tables, name, (10, 20, 1830)) == 8
    assert value(tables, name, (10, 20, 1829), begins=1830) is None
    assert value(tables, name, (10, 20, 1830), begins=1830) == 0
    assert value(tables, name, (10, 20, 1833), begins=1830) == 3
    assert value(tables, name, (10, 20, 1830), begins=1800) == 8
    with pytest.raises(UsageError, match="begins='1830'"):
        value(tables, name, (10, 20, 1830), begins="1830")


def test_a_list_knows_nothing_before_it_begins(tables: SmallTables) -> None:
    tables.frames["ucdp_acd", "conflict_years"] = ucdp_rows((1, 1830, 10, None, 20, None))
    name, ucdp = "conflict_history.conflict_peace_years", {"source": "ucdp"}
    assert value(tables, name, (10, 20, 1824), **ucdp) is None
    assert value(tables, name, (10, 20, 1825), **ucdp) == 0
    assert value(tables, name, (10, 20, 1830), **ucdp) == 5
    assert value(tables, name, (10, 20, 1832), **ucdp) == 1
    assert value(tables, name, (10, 20, 1837), **ucdp) is None


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("conflict.conflict_onset", "dyad-year"),
        ("conflict.conflict_fatality", "dyad-year"),
        ("conflict.conflict_count", "directed-dyad-year"),
        ("conflict_history.conflict_peace_years", "dyad-year"),
        ("conflict_history.conflict_peace_years_s1", "dyad-year"),
        ("conflict_history.conflict_prior", "dyad-year"),
    ],
)
def test_the_last_year_of_coverage_and_the_one_after(
    tables: SmallTables, name: str, unit: str
) -> None:
    covariate, _, column = name.partition(".")
    panel = build_variables(
        tables,  # type: ignore[arg-type]
        unit,
        (1816, 1837),
        {"value": VariableRequest(covariate, column, {})},
        where="ccode1 == 20 and ccode2 == 30",
    )
    by_year = dict(
        zip(panel.columns["year"].tolist(), panel.table["value"].to_pylist(), strict=True)
    )
    assert by_year[1816] is not None
    assert by_year[1836] is not None
    assert by_year[1837] is None


def ucdp_rows(*rows: tuple[int, int, int, int | None, int, int | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "conflict_id": number, "year": year, "gwno_a": a, "gwno_a_2nd": a2, "gwno_b": b,
                "gwno_b_2nd": b2, "intensity_level": 2, "type_of_conflict": "interstate",
                "start_date": DAY(f"{year}-01-01"),
            }
            for number, year, a, a2, b, b2 in rows
        ],
        schema_overrides={
            "conflict_id": pl.Int32, "year": pl.Int16, "gwno_a": pl.Int32, "gwno_a_2nd": pl.Int32,
            "gwno_b": pl.Int32, "gwno_b_2nd": pl.Int32, "intensity_level": pl.Int8,
        },
    )  # fmt: skip


def test_ucdp_supporters_oppose_the_other_side_and_a_pause_ends_an_episode() -> None:
    rows = ucdp_facts(
        ucdp_rows(
            (1, 1950, 750, None, 770, None),
            (1, 1951, 750, 2, 770, None),
            (1, 1953, 750, None, 770, None),
            (2, 1991, 260, None, 678, None),
        )
    )
    india = rows.filter((pl.col("ccode1") == 750) & (pl.col("ccode2") == 770)).sort("year")
    assert india.select("year", "onset").rows() == [(1950, True), (1951, False), (1953, True)]
    helper = rows.filter(ccode1=2)
    assert helper.select("ccode2", "year", "originator1").rows() == [(770, 1951, 0)]
    united = rows.filter(conflict=2).select("ccode1", "ccode2").rows()
    assert sorted(united) == [(255, 679), (679, 255)]


def test_what_a_list_does_not_code_is_refused_with_those_that_do(tables: SmallTables) -> None:
    tables.frames["ucdp_acd", "conflict_years"] = ucdp_rows((1, 1830, 10, None, 20, None))
    key, ucdp = (10, 20, 1830), {"source": "ucdp"}
    assert value(tables, "conflict.conflict_war", key, **ucdp) == 1
    for name in ("initiated", "fatality", "reciprocated", "side"):
        with pytest.raises(UsageError, match=r"UCDP.*does not code it; with source mid"):
            value(tables, f"conflict.conflict_{name}", key, **ucdp)
    with pytest.raises(UsageError, match="conflicts that 1 began"):
        value(tables, "conflict_history.conflict_prior_initiated", key, **ucdp)


def test_wars_have_sides_only_where_one_state_began_them() -> None:
    wars = pl.DataFrame(
        [
            (1, 10, 1, 1, DAY("1820-01-05"), DAY("1821-02-01")),
            (1, 20, 2, 0, DAY("1820-01-05"), DAY("1821-02-01")),
            (1, 30, 2, 0, DAY("1820-07-01"), DAY("1821-02-01")),
            (2, 10, 1, 1, DAY("1825-01-01"), DAY("1825-02-01")),
            (2, 20, 2, 1, DAY("1825-01-01"), DAY("1825-02-01")),
        ],
        schema={"warnum": pl.Int32, "ccode": pl.Int32, "side": pl.Int8, "initiator": pl.Int8,
                "start1": pl.Date, "end1": pl.Date},
        orient="row",
    ).with_columns(start2=pl.lit(None, pl.Date), end2=pl.lit(None, pl.Date))  # fmt: skip
    rows = war_facts(wars)
    first = rows.filter((pl.col("conflict") == 1) & (pl.col("year") == 1820)).sort(
        "ccode1", "ccode2"
    )
    assert first.select("ccode1", "ccode2", "side", "originator1").rows() == [
        (10, 20, 1, 1), (10, 30, 1, 1), (20, 10, 0, 1), (30, 10, 0, 0),
    ]  # fmt: skip
    assert rows.filter(conflict=2)["side"].null_count() == 2
    assert set(rows["hostility"]) == {5}


def test_iwd_has_an_attacker_and_a_target_each_year() -> None:
    rows = iwd_facts(
        pl.DataFrame(
            {"init_war_id": [7, 7], "init_ccode": [10, 10], "target_ccode": [20, 20],
             "year": [1820, 1821], "joiner": [1, 1]}
        )
    ).sort("year", "ccode1")  # fmt: skip
    assert rows.select("ccode1", "year", "side", "originator1", "onset").rows() == [
        (10, 1820, 1, 0, True), (20, 1820, 0, 1, True),
        (10, 1821, 1, 0, False), (20, 1821, 0, 1, False),
    ]  # fmt: skip


def test_gleditschs_pairs_are_those_that_can_be_told_apart() -> None:
    def part(warid: str, state: int, outcome: int) -> dict[str, Any]:
        return {
            "warid": warid, "statenum": state, "outcome": outcome, "sdate1": DAY("1850-03-01"),
            "edate1": DAY("1851-04-01"), "sdate2": None, "edate2": None,
        }  # fmt: skip

    rows = gleditsch_facts(
        pl.DataFrame(
            [
                part("EIW2.1-100-IW-1", 10, 6), part("EIW2.1-100-IW-1", 20, 6),
                part("EIW2.1-200", 10, 1), part("EIW2.1-200", 20, 2), part("EIW2.1-200", 30, 6),
                part("ECW2.1-300", 10, 1), part("ECW2.1-300", 20, 2),
            ],
            schema_overrides={"sdate2": pl.Date, "edate2": pl.Date},
        )
    )  # fmt: skip
    pairs = rows.filter(year=1850).select("conflict", "ccode1", "ccode2").rows()
    assert sorted(pairs) == [(100, 10, 20), (100, 20, 10), (200, 10, 20), (200, 20, 10)]


def test_gml_rows_are_taken_as_they_stand() -> None:
    row = {
        "dispnum": 1, "ccode1": 10, "ccode2": 20, "year": 1820, "midonset": 1, "sidea1": 1,
        "orig1": 1, "orig2": 1, "hostlev1": 2, "hostlev2": 4, "fatality1": 0, "fatality2": None,
        "revstate1": 1, "revtype11": 2, "hostlev": 4, "fatality": 0, "recip": 1, "mindur": 1,
        "maxdur": 2, "outcome": 5, "settle": 3, "stmon": 6,
    }  # fmt: skip
    rows = gml_facts(pl.DataFrame([row, row], infer_schema_length=None))
    assert rows.height == 1
    made = rows.row(0, named=True)
    assert (made["dyad_hostility"], made["own_hostility"], made["dyad_fatality"]) == (4, 2, None)
    assert made["begun"] == 1820 * 12 + 6


def test_gleditsch_ward_numbers_by_year() -> None:
    frame = pl.DataFrame(
        {"gw": [260, 260, 678, 678, 340, 972, 563, 2, None],
         "year": [1989, 1990, 1989, 1990, 1900, 2000, 1899, 1900, 1900]}
    )  # fmt: skip
    codes = frame.select(cow_of_gw(pl.col("gw"), pl.col("year"))).to_series().to_list()
    assert codes == [260, 255, 678, 679, 345, 955, None, 2, None]


def test_splines_are_natural_and_straight_outside() -> None:
    inside = natural_spline(np.linspace(0, 40, 400), (1, 4, 7), (0, 40))
    assert inside.shape == (400, 4)
    assert np.linalg.matrix_rank(np.c_[np.ones(400), inside]) == 5
    outside = natural_spline(np.array([40.0, 45.0, 50.0, 0.0, -1.0, -2.0]), (1, 4, 7), (0, 40))
    np.testing.assert_allclose(np.diff(outside[:3], axis=0)[0], np.diff(outside[:3], axis=0)[1])
    np.testing.assert_allclose(np.diff(outside[3:], axis=0)[0], np.diff(outside[3:], axis=0)[1])
    with pytest.raises(UsageError, match="three knots"):
        spline_terms(np.arange(9.0), (4, 1, 7), None)
    with pytest.raises(UsageError, match="three knots"):
        spline_terms(np.arange(5.0), (1, 4, 7), None)
    assert np.isnan(spline_terms(np.array([np.nan]), (1, 4, 7), None)).all()
    for knots, outer in (((1, "4", 7), (0, 40)), ((1, 4, 7), (0, 40, 50)), ((1, 4, 7), (0, None))):
        with pytest.raises(UsageError, match="all of them numbers"):
            spline_terms(np.arange(9.0), knots, outer)  # type: ignore[arg-type]
    assert decay(np.array([0.0, 8.0, 16.0]), 8).tolist() == [1, 0.5, 0.25]


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(1, 14)
)  # fmt: skip
def test_earlier_events_are_what_a_loop_counts(events: list[int], window: int) -> None:
    cube = np.array(events, np.int16)[None, None, :]
    expected = [sum(events[max(0, at - window) : at]) for at in range(len(events))]
    assert before(cube, window)[0, 0].tolist() == expected


SPELL = st.tuples(
    st.integers(1, 3),  # dispute
    st.sampled_from([10, 20, 30]),
    st.integers(0, 1),  # side
    st.integers(1816, 1822),
    st.integers(0, 2),  # length
    st.integers(1, 5),
    st.integers(0, 1),  # originator
)


@settings(max_examples=60, deadline=None)
@given(st.lists(SPELL, max_size=10), st.randoms(use_true_random=False), st.permutations(
    ["onset", "fatality", "hostility", "mindur", "first"]
))  # fmt: skip
def test_small_worlds(spells: list[Any], shuffled: Any, several: list[str]) -> None:
    """Whatever the disputes: rows stay, both directions agree, order of input is nothing."""
    rows = [
        spell(number, ccode, side, f"{year}-03-01", f"{year + length}-05-01", hostlev=level,
              orig=orig)
        for number, ccode, side, year, length, level, orig in spells
    ] or [spell(9, 10, 1, "1816-01-01", "1816-02-01")]  # fmt: skip
    disputes = [
        dispute(number, hostlev=number + 2, mindur=number * 7 % 5, fatality=None, stmon=number)
        for number in (1, 2, 3, 9)
    ]
    columns = {
        name: VariableRequest("conflict", f"conflict_{name}", {"several": several})
        for name in ("onset", "ongoing", "initiated", "targeted", "number", "count", "side")
    }
    members = states(*[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30)])

    def panel(order: list[Any], unit: str) -> pl.DataFrame:
        small = SmallTables(
            {
                ("cow_states", "states"): members,
                ("mid", "participants"): pl.DataFrame(order, infer_schema_length=None),
                ("mid", "disputes"): pl.DataFrame(
                    disputes, infer_schema_length=None, schema_overrides={"fatality": pl.Int8}
                ),
            }
        )
        asked = {
            name: one for name, one in columns.items() if unit != "dyad-year" or name != "side"
        }
        made = build_variables(small, unit, (1816, 1824), asked)  # type: ignore[arg-type]
        frame = pl.from_arrow(made.table)
        assert isinstance(frame, pl.DataFrame)
        return frame

    directed = panel(rows, "directed-dyad-year")
    assert directed.height == 6 * 9
    turned = directed.select(
        "year", "onset", "ongoing", "number", "count",
        ccode1="ccode2", ccode2="ccode1", initiated="targeted", targeted="initiated",
    )  # fmt: skip
    same = directed.drop("side").join(turned, on=turned.columns, nulls_equal=True)
    assert same.height == directed.height
    sides = directed.filter(pl.col("number") != 0)["side"]
    assert set(sides) <= {1, 2}
    assert (directed["onset"] <= directed["ongoing"]).all()
    assert (directed["initiated"] <= directed["onset"]).all()
    mixed = list(rows)
    shuffled.shuffle(mixed)
    assert panel(mixed, "directed-dyad-year").equals(directed)
    undirected = panel(rows, "dyad-year")
    upper = directed.filter(pl.col("ccode1") < pl.col("ccode2")).drop("side")
    either = pl.max_horizontal("initiated", "targeted").alias("initiated")
    expected = upper.with_columns(either, either.alias("targeted"))
    assert undirected.select(expected.columns).equals(expected)


def test_mid_facts_repeat_no_key() -> None:
    rows = mid_facts(
        pl.DataFrame(SPELLS, infer_schema_length=None),
        pl.DataFrame(DISPUTES, infer_schema_length=None),
    )
    key = ["conflict", "ccode1", "ccode2", "year"]
    assert not rows.select(pl.struct(key).is_duplicated().any()).item()
    assert rows.filter(conflict=1, year=1821).height == 4
