"""Units of treaties on pacts small enough to read."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.covariates.conftest import SmallTables, members, states

from foedus.covariates.assemble import Builder
from foedus.covariates.registry import get_covariate
from foedus.errors import UsageError
from foedus.panels.alliance_units import allied_pairs
from foedus.panels.units import build_spine, get_unit

UNITS = ("allied-dyad-year", "alliance", "alliance-year", "alliance-member-year")


def pact(atopid: int, member: int, start: str, end: str | None, **coded: int) -> dict[str, Any]:
    return {"atopid": atopid, "member": member, "start": start, "end": end, **coded}


def small(*rows: dict[str, Any]) -> SmallTables:
    spells = states(
        (10, "1816-01-01", "1840-12-31"),
        (20, "1816-01-01", "1840-12-31"),
        (30, "1816-01-01", "1821-06-30"),
    )
    return SmallTables({("cow_states", "states"): spells, ("atop", "members"): members(*rows)})


def rows_of(tables: SmallTables, unit: str, years: tuple[int, int] = (1815, 1838)) -> list[Any]:
    spine = build_spine(tables, unit, years)  # type: ignore[arg-type]
    return list(zip(*(column.tolist() for column in spine.keys.values()), strict=True))


def test_both_orders_of_a_pair_stand_even_where_only_one_owes() -> None:
    tables = small(
        pact(1, 10, "1820-03-01", "1821-02-01", defense=1),
        pact(1, 20, "1820-03-01", "1821-02-01"),
    )
    assert rows_of(tables, "allied-dyad-year") == [
        (10, 20, 1820), (10, 20, 1821), (20, 10, 1820), (20, 10, 1821),
    ]  # fmt: skip


def test_a_member_outside_the_system_has_rows_but_no_place() -> None:
    tables = small(
        pact(1, 10, "1820-01-01", "1822-12-31", defense=1),
        pact(1, 30, "1820-01-01", "1822-12-31", defense=1),
        pact(1, 777, "1822-01-01", "1822-12-31", defense=1),
    )
    spine = build_spine(tables, "allied-dyad-year", (1815, 1838))  # type: ignore[arg-type]
    rows = list(zip(*(column.tolist() for column in spine.keys.values()), strict=True))
    assert (10, 777, 1822) in rows
    at = rows.index((10, 30, 1822))  # 30 left the system in 1821
    assert spine.places[0].state[at] == 0
    assert spine.places[1].state[at] == -1
    assert spine.places[1].state[rows.index((10, 30, 1821))] == 2
    assert spine.outside is not None
    assert spine.cube_position[at] == -1


def test_a_number_that_cow_does_not_have_is_no_key() -> None:
    tables = small(
        pact(1, 10, "1820-01-01", "1820-12-31", consul=1),
        pact(1, 8152, "1820-01-01", "1820-12-31", consul=1),
    )
    assert rows_of(tables, "allied-dyad-year") == []
    assert rows_of(tables, "alliance-year") == [(1, 1820)]


def test_a_successor_was_never_in_the_pact_with_the_state_it_replaced() -> None:
    tables = small(
        pact(1, 10, "1820-01-01", "1825-12-31", defense=1),
        pact(1, 20, "1820-01-01", "1822-10-03", defense=1),
        pact(1, 30, "1822-10-03", "1825-12-31", defense=1),
    )
    rows = rows_of(tables, "allied-dyad-year")
    assert (20, 30, 1822) not in rows
    assert (30, 20, 1822) not in rows
    assert (10, 20, 1822) in rows
    assert (10, 30, 1822) in rows


def test_a_pact_of_one_day_binds_its_members() -> None:
    tables = small(
        pact(1, 10, "1820-05-05", "1820-05-05", defense=1),
        pact(1, 20, "1820-05-05", "1820-05-05", defense=1),
    )
    assert rows_of(tables, "allied-dyad-year") == [(10, 20, 1820), (20, 10, 1820)]


def test_members_that_share_a_year_but_no_day_are_no_pair() -> None:
    tables = small(
        pact(1, 10, "1819-01-01", "1820-05-31", defense=1),
        pact(1, 20, "1820-07-01", "1825-12-31", defense=1),
        pact(1, 30, "1818-01-01", "1819-12-31", defense=1),
    )
    assert (10, 20, 1820) not in rows_of(tables, "allied-dyad-year")
    assert rows_of(tables, "alliance-year") == [(1, 1819)]


def test_years_are_those_of_the_treaties_not_of_the_system() -> None:
    tables = small(
        pact(1, 10, "1815-06-01", None, defense=1), pact(1, 20, "1815-06-01", None, defense=1)
    )
    years = {year for _, _, year in rows_of(tables, "allied-dyad-year")}
    assert years == set(range(1815, 1839))
    with pytest.raises(UsageError, match="1815-1838"):
        build_spine(tables, "allied-dyad-year", (1815, 1839))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="1816-1840"):
        build_spine(tables, "dyad-year", (1815, 1838))  # type: ignore[arg-type]


def test_alliances_stand_in_their_first_year_and_members_in_theirs() -> None:
    tables = small(
        pact(1, 10, "1820-01-01", "1822-06-30", phase=1, defense=1),
        pact(1, 20, "1820-01-01", "1822-06-30", phase=1, defense=1),
        pact(1, 10, "1822-07-01", "1823-12-31", phase=2, consul=1),
        pact(1, 20, "1822-07-01", "1823-12-31", phase=2, consul=1),
        pact(2, 10, "1830-01-01", None, nonagg=1),
        pact(2, 30, "1830-01-01", None, nonagg=1),
    )
    assert rows_of(tables, "alliance") == [(1,), (2,)]
    assert rows_of(tables, "alliance", (1821, 1838)) == [(2,)]
    assert rows_of(tables, "alliance-year", (1822, 1824)) == [(1, 1822), (1, 1823)]
    assert rows_of(tables, "alliance-member-year", (1822, 1822)) == [(1, 10, 1822), (1, 20, 1822)]


treaties = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([10, 20, 30, 777]), st.integers(1816, 1830), st.integers(0, 5),
            st.integers(0, 1),
        ),
        min_size=2, max_size=5,
    ),
    min_size=1, max_size=3,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(treaties, st.randoms())
def test_rows_and_flags_equal_the_definition_in_any_order(pacts: Any, rng: Any) -> None:
    """Against a loop over treaties, members and years; whole years make the days simple."""
    rows = [
        pact(at, member, f"{first}-01-01", f"{first + more}-12-31", phase=place, defense=defense)
        for at, listed in enumerate(pacts)
        for place, (member, first, more, defense) in enumerate(listed)
    ]
    for row in rows:
        row["phase"] = 0
    kept = list({(row["atopid"], row["member"]): row for row in rows}.values())
    rng.shuffle(kept)
    tables = small(*kept)
    expected: dict[tuple[int, int, int], int] = {}
    for one in kept:
        for other in kept:
            if one["atopid"] != other["atopid"] or one["member"] == other["member"]:
                continue
            for year in range(1815, 1839):
                if all(int(r["start"][:4]) <= year <= int(r["end"][:4]) for r in (one, other)):
                    key = (one["member"], other["member"], year)
                    expected[key] = max(expected.get(key, 0), one["defense"])
    spine = build_spine(tables, "allied-dyad-year", (1815, 1838))  # type: ignore[arg-type]
    found = list(zip(*(column.tolist() for column in spine.keys.values()), strict=True))
    assert found == sorted(expected)
    flags, _ = Builder(tables, spine).column(  # type: ignore[arg-type]
        get_covariate("atop"), "atop_defense", {}
    )
    assert flags.tolist() == [expected[key] for key in found]


@pytest.mark.parametrize("unit", UNITS)
def test_keys_are_sorted_and_do_not_repeat(unit: str) -> None:
    tables = small(
        *[pact(at, who, "1820-01-01", "1823-01-01", nonagg=1) for at in (7, 3) for who in (20, 10)]
    )
    spine = build_spine(tables, unit, (1816, 1838))  # type: ignore[arg-type]
    assert tuple(spine.keys) == get_unit(unit).keys
    rows = rows_of(tables, unit)
    assert rows == sorted(set(rows))
    assert spine.row_years is not None
    assert len(spine.row_years) == spine.n_rows


def test_pairs_keep_the_givers_columns() -> None:
    pairs = allied_pairs(
        members(
            pact(1, 10, "1820-01-01", "1820-12-31", defense=1, statthr1=30),
            pact(1, 20, "1820-01-01", "1820-12-31"),
        )
    )
    assert pairs.select("giver", "receiver", "defense", "statthr1").rows() == [
        (10, 20, 1, 30), (20, 10, 0, 0),
    ]  # fmt: skip
    assert isinstance(pairs, pl.DataFrame)
    assert np.array_equal(pairs["first_year"].to_numpy(), [1820, 1820])
