"""War covariates on a war small enough to read."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from foedus.covariates.assemble import VariableRequest, build_variables
from tests.covariates.conftest import SmallTables, members, states
from tests.panels.test_war_units import WARS, fighters


def nmc(cinc: dict[int, float]) -> pl.DataFrame:
    rows = [(ccode, year, value) for ccode, value in cinc.items() for year in range(1816, 1840)]
    return pl.DataFrame(
        rows, schema={"ccode": pl.Int32, "year": pl.Int16, "cinc": pl.Float64}, orient="row"
    )


def pact(atopid: int, member: int, start: str, end: str | None, **coded: int) -> dict[str, Any]:
    return {"atopid": atopid, "member": member, "start": start, "end": end, **coded}


def small(*pacts: dict[str, Any], wars: pl.DataFrame = WARS) -> SmallTables:
    spells = states(
        *[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30, 40)],
        (50, "1820-06-01", "1840-12-31"),
    )
    contiguity = pl.DataFrame(
        {"ccode1": [10, 20, 30, 20], "ccode2": [20, 10, 20, 30], "year": [1820] * 4,
         "conttype": [1, 1, 4, 4]},
        schema={"ccode1": pl.Int32, "ccode2": pl.Int32, "year": pl.Int16, "conttype": pl.Int8},
    )  # fmt: skip
    majors = pl.DataFrame(
        [{"ccode": 10, "start": states((10, "1816-01-01", "1840-12-31"))["start"][0],
          "end": states((10, "1816-01-01", "1840-12-31"))["end"][0]}]
    )  # fmt: skip
    tables = SmallTables(
        {
            ("cow_states", "states"): spells,
            ("cow_states", "majors"): majors,
            ("cow_interstate_wars", "participants"): wars,
            ("atop", "members"): members(*pacts, pact(9, 10, "1816-01-01", "1816-06-01")),
            ("cow_nmc", "state_years"): nmc({10: 0.4, 20: 0.1, 30: 0.3, 40: 0.2}),
            ("cow_contiguity", "dyad_years"): contiguity,
        }
    )
    return tables


def values(
    tables: SmallTables, unit: str, covariate: str, column: str, **options: Any
) -> dict[Any, Any]:
    panel = build_variables(
        tables,  # type: ignore[arg-type]
        unit,
        (1816, 1830),
        {"value": VariableRequest(covariate, column, options)},
    )
    made = panel.table.to_pydict()
    keys = [made[name] for name in panel.keys]
    rows = list(zip(*keys, strict=True)) if len(keys) > 1 else keys[0]
    return dict(zip(rows, made["value"], strict=True))


def test_size_of_a_war() -> None:
    tables = small()
    assert values(tables, "war", "war_outcome", "n_states") == {1: 4, 2: 2}
    assert values(tables, "war", "war_outcome", "n_states_a") == {1: 3, 2: 1}
    assert values(tables, "war", "war_outcome", "n_states_b") == {1: 2, 2: 1}
    assert values(tables, "war", "war_outcome", "n_first") == {1: 2, 2: 2}
    assert values(tables, "war", "war_outcome", "n_joiners") == {1: 2, 2: 0}
    assert values(tables, "war", "war_outcome", "n_joiners", first_days=30) == {1: 2, 2: 0}
    assert values(tables, "war", "war_outcome", "attacker_won") == {1: 1, 2: 1}


def test_unknown_deaths_are_missing_or_left_out_as_asked() -> None:
    tables = small()
    assert values(tables, "war", "war_outcome", "battle_deaths") == {1: 450.0, 2: None}
    known = values(tables, "war", "war_outcome", "battle_deaths", deaths="known")
    assert known == {1: 450.0, 2: 100.0}
    assert values(tables, "war", "war_outcome", "deaths_unknown") == {1: 0, 2: 1}


def test_days_of_war_leave_out_truces_and_are_missing_without_exact_dates() -> None:
    assert values(small(), "war", "war_outcome", "duration_days")[2] == 20
    assert values(small(), "war", "war_outcome", "span_days")[2] == 41
    vague = fighters(
        {"warnum": 1, "ccode": 10, "side": 1, "start1": "1820-03-01", "end1": "1820-12-31",
         "end1_precision": "month"},
        {"warnum": 1, "ccode": 20, "side": 2, "start1": "1820-03-01", "end1": "1820-12-31"},
    )  # fmt: skip
    assert values(small(wars=vague), "war", "war_outcome", "duration_days") == {1: None}


DEFENCE = (
    pact(1, 20, "1818-01-01", None, defense=1),
    pact(1, 40, "1818-01-01", None, defense=1),
)


def test_an_outside_pledge_counts_on_the_day_before_the_war() -> None:
    assert values(small(*DEFENCE), "war", "war_ties", "tie_defense") == {1: 1, 2: 1}
    assert values(small(*DEFENCE), "war", "war_ties", "tie_attacked_defense") == {1: 1, 2: 1}
    on_the_day = (
        pact(1, 20, "1820-03-01", None, defense=1),
        pact(1, 40, "1820-03-01", None, defense=1),
    )
    assert values(small(*on_the_day), "war", "war_ties", "tie_defense")[1] == 0


def test_a_pledge_against_another_state_does_not_bind() -> None:
    other = [{**row, "defcoadv": 1, "statthr1": 30} for row in DEFENCE]
    tables = small(*other)
    assert values(tables, "war", "war_ties", "tie_defense")[1] == 1
    assert values(tables, "war", "war_ties", "tie_attacked_defense")[1] == 0
    assert values(tables, "war", "war_ties", "tie_attacked_defense", threats="ignore")[1] == 1
    named = [{**row, "defcoadv": 1, "statthr1": 10} for row in DEFENCE]
    assert values(small(*named), "war", "war_ties", "tie_attacked_defense")[1] == 1


def test_allies_outside_are_counted_once_with_their_capabilities() -> None:
    second = (
        pact(2, 20, "1818-01-01", None, offense=1),
        pact(2, 40, "1818-01-01", None, offense=1),
    )
    tables = small(*DEFENCE, *second)
    assert values(tables, "war", "war_ties", "n_allies_any")[1] == 1
    assert values(tables, "war", "war_ties", "allies_cinc")[1] == pytest.approx(0.2)
    assert values(small(), "war", "war_ties", "allies_cinc")[1] == 0.0


def test_opponents_may_be_allied_with_each_other() -> None:
    broken = (pact(1, 10, "1818-01-01", None, nonagg=1), pact(1, 20, "1818-01-01", None, nonagg=1))
    assert values(small(*broken), "war", "war_ties", "opponents_allied")[1] == 1
    assert values(small(*broken), "war", "war_ties", "opponents_allied_share")[1] == 1.0
    assert values(small(*broken), "war", "war_ties", "tie_any")[1] == 0


def test_ties_are_missing_after_the_treaty_data_end() -> None:
    tables = small(*DEFENCE)
    tables.coverages["atop"] = (1815, 1822)
    assert values(tables, "war", "war_ties", "tie_defense") == {1: 1, 2: None}
    joiner = values(tables, "war-joiner", "war_joiner_ties", "allied_any")
    assert joiner[1, 40] == 1
    assert joiner[2, 20] is None


def test_setting_of_a_war() -> None:
    tables = small()
    assert values(tables, "war", "war_setting", "major_first") == {1: 1, 2: 1}
    assert values(tables, "war", "war_setting", "capability_balance")[1] == pytest.approx(0.25)
    assert values(tables, "war", "war_setting", "attacker_share")[1] == pytest.approx(0.8)
    assert values(tables, "war", "war_setting", "contiguous_first") == {1: 1, 2: 0}


def test_joining() -> None:
    tables = small()
    assert values(tables, "war-joiner", "war_joining", "joined_attacked")[1, 30] == 1
    assert values(tables, "war-joiner", "war_joining", "delay_days")[1, 30] == 70
    assert values(tables, "war-joiner", "war_joining", "delay_days")[1, 40] is None
    assert set(values(tables, "war-joiner", "war_joining", "fought_alone").values()) == {1}


def test_a_potential_joiners_ties() -> None:
    tables = small(
        *DEFENCE,
        pact(2, 30, "1819-03-01", None, consul=1),
        pact(2, 10, "1819-03-01", None, consul=1),
        pact(2, 40, "1819-03-01", None, consul=1),
    )

    def of(column: str, **options: Any) -> Any:
        return values(tables, "war-joiner", "war_joiner_ties", column, **options)

    assert of("allied_defense")[1, 40] == 1
    assert of("allied_defense")[1, 30] == 0
    assert of("allied_attacker")[1, 30] == 1
    assert of("allied_both")[1, 40] == 1
    assert of("invoked_defense")[1, 40] == 1
    assert of("n_partners")[1, 40] == 3
    assert of("n_partners_in_war")[1, 40] == 2
    assert of("share_partners_in_war")[1, 30] == pytest.approx(1 / 2)
    assert of("partner_major")[1, 40] == 1
    assert of("partner_minor")[1, 40] == 0
    assert of("alliance_age")[1, 40] == pytest.approx(1.0, abs=0.01)
    assert of("alliance_age", age="oldest")[1, 40] == pytest.approx(2.16, abs=0.01)
    assert of("n_pacts")[1, 40] == 2


def test_roles() -> None:
    tables = small()
    assert values(tables, "war-participant", "war_role", "switched_sides")[1, 30] == 1
    assert values(tables, "war-participant", "war_role", "joiner")[1, 20] == 0
    assert values(tables, "war-participant", "war_role", "entry_delay_days")[1, 50] == 153
    assert values(tables, "war-participant", "war_role", "deaths")[2, 10] is None
    assert values(tables, "war-participant", "war_role", "n_opponents")[1, 20] == 3
