"""Covariates of alliances, disputes and the system on facts small enough to read."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from foedus.covariates.assemble import VariableRequest, build_panel, build_variables
from foedus.covariates.system_facts import concentration
from tests.covariates.conftest import SmallTables, members, states

CODED = (
    "wartime", "asymm", "term", "estmode", "milcon", "intcom", "base", "milaid", "subord",
    "contrib", "orgpurp1", "orgpurp2", "organ1", "organ2",
)  # fmt: skip


def pact(atopid: int, member: int, start: str, end: str | None, **coded: Any) -> dict[str, Any]:
    return {"atopid": atopid, "member": member, "start": start, "end": end, **coded}


# Pact 1: 10 and 20, joined by 777 (no state) in 1822, ended by violation in 1825; its second phase
# has bases. Pact 2: 20 and 30, still in force.
PACTS = [
    pact(1, 10, "1820-01-01", "1823-06-30", phase=1, defense=1, bilat=0, estmode=1, asymm=1),
    pact(1, 20, "1820-01-01", "1823-06-30", phase=1, nonagg=1, bilat=0, estmode=1, asymm=1),
    pact(1, 777, "1822-01-01", "1823-06-30", phase=1, nonagg=1, bilat=0, estmode=1, asymm=1),
    pact(1, 10, "1823-07-01", "1825-03-01", phase=2, consul=1, base=2, estmode=1, term=2, organ1=3),
    pact(1, 20, "1823-07-01", "1825-03-01", phase=2, consul=1, base=2, estmode=1, term=2, organ1=3),
    pact(2, 20, "1830-01-01", None, neutral=1, bilat=1, pubsecr=2, wartime=1, milcon=None),
    pact(2, 30, "1830-01-01", None, neutral=1, bilat=1, pubsecr=2, wartime=1, milcon=None),
]


@pytest.fixture
def tables() -> SmallTables:
    frame = members(*[{k: v for k, v in row.items() if k not in CODED} for row in PACTS])
    extra = [pl.Series(name, [row.get(name, 0) for row in PACTS], dtype=pl.Int8) for name in CODED]
    years = range(1816, 1840)
    cinc = {10: 0.5, 20: 0.3, 30: 0.2}
    nmc = pl.DataFrame(
        [(ccode, year, value) for ccode, value in cinc.items() for year in years],
        schema={"ccode": pl.Int32, "year": pl.Int16, "cinc": pl.Float64},
        orient="row",
    ).with_columns(
        pl.col("cinc").alias(name) for name in ("milex", "milper", "irst", "pec", "tpop", "upop")
    )
    polity = pl.DataFrame(
        [(10, year, -6) for year in range(1816, 1839)] + [(20, 1820, 8)],
        schema={"ccode": pl.Int32, "year": pl.Int16, "polity2": pl.Int8},
        orient="row",
    )
    spells = states(*[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30)])
    major = {"ccode": 10, "start": datetime.date(1816, 1, 1), "end": datetime.date(1840, 12, 31)}
    return SmallTables(
        {
            ("cow_states", "states"): spells,
            ("cow_states", "majors"): pl.DataFrame([major, {**major, "ccode": 20}]),
            ("atop", "members"): frame.with_columns(extra),
            ("cow_nmc", "state_years"): nmc,
            ("polity", "state_years"): polity,
        }
    )


def column(
    tables: SmallTables, unit: str, name: str, years: tuple[int, int] = (1816, 1838), **options: Any
) -> dict[Any, Any]:
    covariate, _, of = name.partition(".")
    panel = build_variables(
        tables,  # type: ignore[arg-type]
        unit,
        years,
        {"value": VariableRequest(covariate, of, options)},
    )
    made = panel.table.to_pydict()
    keys = [made[key] for key in panel.keys]
    rows = list(zip(*keys, strict=True)) if len(keys) > 1 else keys[0]
    return dict(zip(rows, made["value"], strict=True))


def test_obligations_are_those_of_the_year(tables: SmallTables) -> None:
    by_year = column(tables, "alliance-year", "alliance_content.alliance_defense")
    assert [by_year[1, year] for year in (1820, 1823, 1824)] == [1, 1, 0]
    assert column(tables, "alliance", "alliance_content.alliance_defense") == {1: 1, 2: 0}
    consulted = column(tables, "alliance-year", "alliance_content.alliance_consultation")
    assert [consulted[1, year] for year in (1822, 1823, 1824)] == [0, 1, 1]


def test_members_outside_the_system_count_as_members(tables: SmallTables) -> None:
    counts = column(tables, "alliance-year", "alliance_content.alliance_members")
    assert [counts[1, year] for year in range(1820, 1826)] == [2, 2, 3, 3, 2, 2]
    assert column(tables, "alliance", "alliance_content.alliance_members") == {1: 2, 2: 2}


def test_form_and_secrecy(tables: SmallTables) -> None:
    assert column(tables, "alliance", "alliance_content.alliance_bilateral") == {1: 0, 2: 1}
    assert column(tables, "alliance", "alliance_content.alliance_secrecy") == {1: 0, 2: 2}
    assert column(tables, "alliance", "alliance_content.alliance_wartime") == {1: 0, 2: 1}
    assert column(tables, "alliance", "alliance_content.alliance_asymmetric") == {1: 1, 2: 0}


def test_course(tables: SmallTables) -> None:
    assert column(tables, "alliance", "alliance_course.alliance_begun") == {1: 1820, 2: 1830}
    assert column(tables, "alliance", "alliance_course.alliance_ended") == {1: 1825, 2: None}
    assert column(tables, "alliance", "alliance_course.alliance_violated") == {1: 1, 2: 0}
    violated = column(tables, "alliance-year", "alliance_course.alliance_violated")
    assert [key for key, flag in violated.items() if flag] == [(1, 1825)]
    age = column(tables, "alliance-year", "alliance_course.alliance_age")
    assert age[1, 1825] == 5
    assert age[2, 1838] == 8


def test_institutions_ever_reached_or_of_the_year(tables: SmallTables) -> None:
    name = "alliance_institution.military_institution"
    ever = column(tables, "alliance-year", name)
    assert ever[1, 1820] == 2
    yearly = column(tables, "alliance-year", name, when="year")
    assert [yearly[1, year] for year in (1820, 1823, 1824)] == [0, 2, 2]
    assert ever[2, 1830] is None  # military contact isn't known, and nothing else stands in for it
    formal = column(tables, "alliance", "alliance_institution.alliance_formality")
    assert formal == {1: 2, 2: 0}


def test_power_is_that_of_members_in_the_system(tables: SmallTables) -> None:
    cinc = column(tables, "alliance-year", "alliance_power.alliance_cinc")
    assert cinc[1, 1822] == pytest.approx(0.8)
    assert cinc[2, 1838] == pytest.approx(0.5)
    mean = column(tables, "alliance-year", "alliance_power.alliance_polity_mean")
    assert mean[1, 1820] == 1.0
    assert mean[1, 1821] == -6.0
    assert mean[2, 1830] is None
    known = column(tables, "alliance-year", "alliance_power.alliance_polity_known")
    assert (known[1, 1820], known[1, 1821], known[2, 1830]) == (2, 1, 0)
    lowest = column(tables, "alliance", "alliance_power.alliance_polity_min")
    assert lowest == {1: -6, 2: None}


def test_power_is_missing_where_a_members_is(tables: SmallTables) -> None:
    frame = tables.frames["cow_nmc", "state_years"]
    gone = (pl.col("ccode") == 20) & (pl.col("year") == 1821)
    tables.frames["cow_nmc", "state_years"] = frame.filter(~gone)
    cinc = column(tables, "alliance-year", "alliance_power.alliance_cinc")
    assert cinc[1, 1821] is None
    assert cinc[1, 1822] == pytest.approx(0.8)
    share = column(tables, "alliance-member-year", "alliance_membership.member_cinc_share")
    assert share[1, 10, 1821] is None
    assert share[1, 10, 1822] == pytest.approx(0.625)
    assert share[1, 777, 1822] is None


def test_a_members_own_place(tables: SmallTables) -> None:
    left = column(tables, "alliance-member-year", "alliance_membership.member_left")
    assert [key for key, flag in left.items() if flag] == [
        (1, 10, 1825), (1, 20, 1825), (1, 777, 1823),
    ]  # fmt: skip
    years = column(tables, "alliance-member-year", "alliance_membership.member_years")
    assert years[1, 777, 1823] == 1
    owes = column(tables, "alliance-member-year", "alliance_membership.member_defense")
    assert (owes[1, 10, 1820], owes[1, 20, 1820], owes[1, 10, 1824]) == (1, 0, 0)


def test_facts_of_a_state_are_missing_outside_the_system(tables: SmallTables) -> None:
    cinc = column(tables, "alliance-member-year", "nmc.cinc")
    assert cinc[1, 777, 1822] is None
    assert cinc[1, 10, 1822] == 0.5
    first = column(tables, "allied-dyad-year", "nmc.cinc1")
    assert first[777, 10, 1822] is None
    assert first[10, 777, 1822] == 0.5


def test_facts_of_a_pair_are_missing_outside_the_system(tables: SmallTables) -> None:
    tables.frames["cow_contiguity", "dyad_years"] = pl.DataFrame(
        {"ccode1": [10, 20], "ccode2": [20, 10], "year": [1822, 1822], "conttype": [1, 1]},
        schema={"ccode1": pl.Int32, "ccode2": pl.Int32, "year": pl.Int16, "conttype": pl.Int8},
    )
    touching = column(tables, "allied-dyad-year", "contiguity.contiguous")
    assert touching[10, 20, 1822] == 1
    assert touching[10, 20, 1823] == 0
    assert touching[10, 777, 1822] is None
    assert column(tables, "allied-dyad-year", "atop.atop_defense")[10, 777, 1822] == 1


def test_edges_of_coverage(tables: SmallTables) -> None:
    """In force to the last covered year; the year after can't be asked for."""
    ended = column(tables, "alliance-year", "alliance_content.alliance_neutrality", (1838, 1838))
    assert ended == {(2, 1838): 1}


def test_order_of_input_does_not_matter(tables: SmallTables) -> None:
    names = ["alliance_content", "alliance_course", "alliance_institution", "alliance_power"]
    before = {
        unit: build_panel(tables, unit, (1816, 1838), names).table  # type: ignore[arg-type]
        for unit in ("alliance", "alliance-year", "alliance-member-year")
    }
    tables.frames["atop", "members"] = tables.frames["atop", "members"].reverse()
    for unit, table in before.items():
        again = build_panel(tables, unit, (1816, 1838), names).table  # type: ignore[arg-type]
        assert again.equals(table)


# --- the system -----------------------------------------------------------------------------------


def test_the_system_by_its_alliances(tables: SmallTables) -> None:
    defended = column(tables, "system-year", "system_alliances.system_share_defense")
    assert defended[1819] == 0
    assert defended[1820] == pytest.approx(2 / 3)
    assert defended[1824] == 0  # the second phase holds consultation only
    dyads = column(tables, "system-year", "system_alliances.system_dyads_allied")
    assert dyads[1824] == pytest.approx(1 / 3)
    standing = column(tables, "system-year", "system_alliances.system_alliances")
    assert (standing[1819], standing[1825], standing[1826], standing[1838]) == (0, 1, 0, 1)
    begun = column(tables, "system-year", "system_alliances.system_alliances_begun")
    assert [year for year, count in begun.items() if count] == [1820, 1830]
    ended = column(tables, "system-year", "system_alliances.system_alliances_ended")
    assert [year for year, count in ended.items() if count] == [1825]


def test_the_system_is_missing_after_each_sources_last_year(tables: SmallTables) -> None:
    allied = column(tables, "system-year", "system_alliances.system_share_allied", (1838, 1839))
    assert allied[1838] is not None
    assert allied[1839] is None
    power = column(tables, "system-year", "system_power.system_largest", (1839, 1840))
    assert power == {1839: 0.5, 1840: None}
    majors = column(tables, "system-year", "system_states.system_majors", (1840, 1840))
    assert majors == {1840: 2}


def test_events_are_counted_in_the_year_in_which_they_begin(tables: SmallTables) -> None:
    tables.frames["mid", "disputes"] = pl.DataFrame(
        {"dispnum": [1, 2, 3], "styear": [1820, 1820, 1836]},
        schema={"dispnum": pl.Int32, "styear": pl.Int16},
    )
    begun = column(tables, "system-year", "system_disputes.system_disputes_begun", (1820, 1837))
    assert begun[1820] == 2
    assert begun[1821] == 0
    assert begun[1836] == 1
    assert begun[1837] is None


def test_concentration_by_its_definition() -> None:
    held = np.array([[0.5, 1.0, 0.4], [0.5, 0.0, 0.2], [0.9, 0.9, 0.2]])
    group = np.array([[True] * 3, [True] * 3, [False, False, True]])
    index = concentration(held, group)
    assert index[:2].tolist() == [0.0, 1.0]
    shares = np.array([0.5, 0.25, 0.25])
    assert index[2] == pytest.approx(np.sqrt((np.sum(shares**2) - 1 / 3) / (1 - 1 / 3)))
    assert np.isnan(concentration(held, group & np.array([[True], [False], [False]]))[0])
    held[0, 0] = np.nan
    assert np.isnan(concentration(held, group)[0])
