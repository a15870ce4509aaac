"""Alliance columns on treaties small enough to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.covariates.assemble import VariableRequest, build_variables
from foedus.covariates.similarity import chance_corrected, s_scores
from foedus.panels.system import StateSystem
from tests.covariates.conftest import SmallTables, members, states

Make = Callable[..., SmallTables]


def nmc(cinc: dict[int, float]) -> pl.DataFrame:
    rows = [(ccode, year, value) for ccode, value in cinc.items() for year in range(1816, 1840)]
    frame = pl.DataFrame(
        rows, schema={"ccode": pl.Int32, "year": pl.Int16, "cinc": pl.Float64}, orient="row"
    )
    return frame.with_columns(milex=pl.col("cinc"))


def world(make: Make, four: pl.DataFrame, *rows: dict[str, Any]) -> SmallTables:
    cinc = {10: 0.1, 20: 0.2, 30: 0.3, 40: 0.4}
    return make(four, atop__members=members(*rows), cow_nmc__state_years=nmc(cinc))


def values(
    tables: SmallTables, covariate: str, column: str, year: int, unit: str = "directed-dyad-year",
    **options: Any,
) -> dict[tuple[int, int], Any]:  # fmt: skip
    panel = build_variables(
        tables,  # type: ignore[arg-type]
        unit,
        (year, year),
        {"value": VariableRequest(covariate, column, options)},
    )
    table = panel.table.to_pydict()
    return {
        (a, b): value
        for a, b, value in zip(table["ccode1"], table["ccode2"], table["value"], strict=True)
    }


def pact(atopid: int, member: int, start: str, end: str | None, **coded: int) -> dict[str, Any]:
    return {"atopid": atopid, "member": member, "start": start, "end": end, **coded}


def test_an_obligation_runs_from_giver_to_receiver(
    make_tables: Make, four_states: pl.DataFrame
) -> None:
    tables = world(
        make_tables,
        four_states,
        pact(1, 10, "1820-03-01", "1822-02-01", defense=1),
        pact(1, 20, "1820-03-01", "1822-02-01", defense=0, consul=1),
    )
    got = values(tables, "atop", "atop_defense", 1821)
    assert got[10, 20] == 1
    assert got[20, 10] == 0
    assert values(tables, "atop", "atop_any", 1821)[20, 10] == 1
    undirected = values(tables, "atop", "atop_defense", 1821, unit="dyad-year")
    assert undirected[10, 20] == 1


def test_a_pact_counts_in_every_year_it_touches_and_no_other(
    make_tables: Make, four_states: pl.DataFrame
) -> None:
    tables = world(
        make_tables,
        four_states,
        pact(1, 10, "1820-12-31", "1822-01-01", defense=1),
        pact(1, 20, "1819-01-01", "1830-01-01", defense=1),
    )
    years = {y: values(tables, "atop", "atop_defense", y)[10, 20] for y in range(1818, 1826)}
    assert [year for year, flag in years.items() if flag] == [1820, 1821, 1822]


def test_in_force_runs_to_the_last_covered_year_and_is_missing_after(
    make_tables: Make, four_states: pl.DataFrame
) -> None:
    tables = world(
        make_tables,
        four_states,
        pact(1, 10, "1830-01-01", None, defense=1),
        pact(1, 20, "1830-01-01", None, defense=1),
    )
    assert values(tables, "atop", "atop_defense", 1838)[10, 20] == 1
    assert values(tables, "atop", "atop_defense", 1838)[10, 30] == 0
    assert values(tables, "atop", "atop_defense", 1839)[10, 20] is None
    assert values(tables, "atop", "atop_defense", 1839)[10, 30] is None


def test_phases_do_not_bind_members_of_different_phases(
    make_tables: Make, four_states: pl.DataFrame
) -> None:
    tables = world(
        make_tables,
        four_states,
        pact(1, 10, "1820-01-01", "1825-12-31", phase=1, defense=1),
        pact(1, 20, "1820-01-01", "1825-12-31", phase=2, defense=1),
    )
    assert values(tables, "atop", "atop_any", 1821)[10, 20] == 0


def test_a_third_state_is_neither_challenger_nor_target(
    make_tables: Make, four_states: pl.DataFrame
) -> None:
    tables = world(
        make_tables,
        four_states,
        pact(1, 10, "1820-01-01", "1825-12-31", defense=1),
        pact(1, 20, "1820-01-01", "1825-12-31", defense=1),
    )
    flags = values(tables, "atop_third_party", "target_defense", 1821)
    assert flags[10, 20] == 0  # the only defender of 20 is the challenger itself
    assert flags[30, 20] == 1
    assert flags[30, 10] == 1
    assert flags[20, 30] == 0
    counts = values(tables, "atop_third_party", "target_defense_n", 1821)
    cinc = values(tables, "atop_third_party", "target_defense_cinc", 1821)
    assert counts[30, 20] == 1
    assert cinc[30, 20] == pytest.approx(0.1)
    assert cinc[20, 30] == 0.0


def named_world(make: Make, four: pl.DataFrame) -> SmallTables:
    against_30 = {"specthrt": 1, "statthr1": 30, "defcoadv": 1}
    return world(
        make,
        four,
        pact(1, 10, "1820-01-01", "1825-12-31", defense=1, **against_30),
        pact(1, 20, "1820-01-01", "1825-12-31", defense=1, **against_30),
    )


def test_a_pledge_against_a_named_state_binds_against_it_only(
    make_tables: Make, four_states: pl.DataFrame
) -> None:
    tables = named_world(make_tables, four_states)
    applied = values(tables, "atop_third_party", "target_defense", 1821)
    assert applied[30, 20] == 1
    assert applied[40, 20] == 0
    ignored = values(tables, "atop_third_party", "target_defense", 1821, threats="ignore")
    assert ignored[40, 20] == 1


def test_a_giver_with_a_general_and_a_named_pledge_counts_once(
    make_tables: Make, four_states: pl.DataFrame
) -> None:
    rows = [
        pact(1, 10, "1820-01-01", "1825-12-31", defense=1, statthr1=30, statthr2=30, defcoadv=1),
        pact(1, 20, "1820-01-01", "1825-12-31", defense=1, statthr1=30, defcoadv=1),
        pact(2, 10, "1820-01-01", "1825-12-31", defense=1),
        pact(2, 20, "1820-01-01", "1825-12-31", defense=1),
    ]
    tables = world(make_tables, four_states, *rows)
    assert values(tables, "atop_third_party", "target_defense_n", 1821)[30, 20] == 1


def test_secret_pacts_can_be_left_out(make_tables: Make, four_states: pl.DataFrame) -> None:
    tables = world(
        make_tables,
        four_states,
        pact(1, 10, "1820-01-01", "1825-12-31", defense=1, pubsecr=2),
        pact(1, 20, "1820-01-01", "1825-12-31", defense=1, pubsecr=2),
    )
    assert values(tables, "atop_third_party", "target_defense", 1821)[30, 20] == 1
    hidden = values(tables, "atop_third_party", "target_defense", 1821, secret="exclude")
    assert hidden[30, 20] == 0


def test_challenger_offense_and_neutrality_look_at_the_challengers_partners(
    make_tables: Make, four_states: pl.DataFrame
) -> None:
    tables = world(
        make_tables,
        four_states,
        pact(1, 10, "1820-01-01", "1825-12-31", offense=1),
        pact(1, 20, "1820-01-01", "1825-12-31", neutral=1),
    )
    offense = values(tables, "atop_third_party", "challenger_offense", 1821)
    neutrality = values(tables, "atop_third_party", "challenger_neutrality", 1821)
    assert offense[20, 30] == 1  # 10 will join 20 against 30
    assert offense[10, 30] == 0
    assert neutrality[10, 30] == 1  # 20 will stay out of a war of 10 with 30
    assert neutrality[20, 30] == 0


CODES = [10, 20, 30, 40]
treaty = st.fixed_dictionaries(
    {
        "who": st.sets(st.sampled_from(CODES), min_size=2, max_size=4),
        "defense": st.integers(0, 1),
        "named": st.sampled_from([0, 0, *CODES]),
        "conditional": st.integers(0, 1),
        "years": st.tuples(st.integers(1820, 1824), st.integers(0, 4)),
    }
)


@settings(max_examples=60, deadline=None)
@given(st.lists(treaty, min_size=1, max_size=4), st.sampled_from(["apply", "named", "ignore"]))
def test_third_party_counts_equal_the_definition(treaties: list[Any], threats: str) -> None:
    """Against a loop over every challenger, target and third state."""
    rows = [
        pact(
            at,
            member,
            f"{each['years'][0]}-01-01",
            f"{each['years'][0] + each['years'][1]}-12-31",
            defense=each["defense"],
            statthr1=each["named"],
            defcoadv=each["conditional"],
        )
        for at, each in enumerate(treaties)
        for member in sorted(each["who"])
    ]
    four = states(*[(ccode, "1816-01-01", "1840-12-31") for ccode in CODES])
    cinc = {10: 0.1, 20: 0.2, 30: 0.3, 40: 0.4}
    tables = SmallTables(
        {
            ("cow_states", "states"): four,
            ("atop", "members"): members(*rows),
            ("cow_nmc", "state_years"): nmc(cinc),
        }
    )
    year = 1822
    counts = values(tables, "atop_third_party", "target_defense_n", year, threats=threats)
    summed = values(tables, "atop_third_party", "target_defense_cinc", year, threats=threats)
    for (challenger, target), count in counts.items():
        givers = {
            giver
            for each in treaties
            for giver in each["who"]
            if each["defense"]
            and {giver, target} <= each["who"]
            and giver not in (challenger, target)
            and each["years"][0] <= year <= sum(each["years"])
            and binds(each, challenger, threats)
        }
        assert count == len(givers)
        assert summed[challenger, target] == pytest.approx(sum(cinc[g] for g in givers))


def binds(each: dict[str, Any], challenger: int, threats: str) -> bool:
    restricted = each["named"] > 0 and threats != "ignore"
    if threats == "apply":
        restricted = restricted and each["conditional"] == 1
    return not restricted or each["named"] == challenger


def test_s_of_the_published_definition() -> None:
    """S by its formula, over pairs and partners one at a time."""
    rng = np.random.default_rng(4)
    codes = [(code, "1816-01-01", "1817-12-31") for code in range(1, 8)]
    system = StateSystem.from_spells(states(*codes), (1816, 1817))
    level = rng.integers(0, 4, (7, 7, 2)).astype(np.int8)
    level = np.maximum(level, level.transpose(1, 0, 2))
    level[np.arange(7), np.arange(7), :] = 3
    weight = rng.random((7, 2))
    got = s_scores(system, level, weight)
    for i, j, y in np.ndindex(7, 7, 2):
        gap = sum(weight[k, y] * abs(int(level[i, k, y]) - int(level[j, k, y])) for k in range(7))
        assert got[i, j, y] == pytest.approx(1 - 2 * gap / (3 * weight[:, y].sum()), abs=1e-6)


def test_kappa_and_pi_of_the_published_definition() -> None:
    """Against the expected disagreement of every pair of entries, one at a time."""
    rng = np.random.default_rng(7)
    codes = [(code, "1816-01-01", "1816-12-31") for code in range(1, 7)]
    system = StateSystem.from_spells(states(*codes), (1816, 1816))
    level = rng.integers(0, 4, (6, 6, 1)).astype(np.int8)
    level[0], level[1] = 2, 2  # two constant and equal portfolios agree in full
    kappa, pi = chance_corrected(system, level)
    for i, j in np.ndindex(6, 6):
        x, y = level[i, :, 0].astype(float), level[j, :, 0].astype(float)
        observed = ((x - y) ** 2).mean()
        own = np.mean([(a - b) ** 2 for a in x for b in y])
        pool = np.concatenate([x, y])
        shared = np.mean([(a - b) ** 2 for a in pool for b in pool])
        assert kappa[i, j, 0] == pytest.approx(1 - observed / own if own else 1.0, abs=1e-6)
        assert pi[i, j, 0] == pytest.approx(1 - observed / shared if shared else 1.0, abs=1e-6)
