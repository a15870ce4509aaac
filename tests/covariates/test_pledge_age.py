"""Ages of a target's pledges against loops over pacts and years, and third-party pledges."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.covariates.alliance_worlds import (
    CODES,
    FIRST,
    Treaty,
    column,
    present,
    small_tables,
    worlds,
)
from tests.covariates.test_third_party_options import applies, counts

YEARS = (1819, 1822, 1827)
NAMES = ("inherited", "later", "gained", "oldest", "newest")
choices = st.fixed_dictionaries(
    {},
    optional={
        "threats": st.sampled_from(["apply", "named", "ignore"]),
        "secret": st.sampled_from(["include", "exclude"]),
        "form": st.sampled_from(["any", "bilateral", "multilateral"]),
    },
)


def named(each: Treaty, options: dict[str, Any]) -> bool:
    """Whether the pact binds against named states only."""
    return not applies(each, -1, options, "defense")


def held(each: Treaty, adversary: int, target: int, year: int, third: bool) -> bool:
    """Whether some member of the system owes the target defence; by a third state, if asked."""
    return any(
        present(giver, year)
        and each.owed(giver, target, year, "defense")
        and not (third and giver == adversary)
        for giver in CODES
    )


def starts(
    treaties: list[Treaty], options: dict[str, Any], challenger: int, target: int, year: int
) -> list[int]:
    """Since when the target has held each pact that it can call on against the challenger."""
    found = []
    for each in treaties:
        if not counts(each, options, "defense") or not applies(
            each, challenger, options, "defense"
        ):
            continue
        if not held(each, challenger, target, year, True):
            continue
        since, third = year, named(each, options)
        while held(each, challenger, target, since - 1, third):
            since -= 1
        found.append(since)
    return found


@settings(max_examples=60, deadline=None)
@given(worlds(), choices, st.sampled_from(YEARS))
def test_ages_equal_the_definition(
    treaties: list[Treaty], options: dict[str, Any], when: int
) -> None:
    tables = small_tables(treaties)
    unit, years = "directed-dyad-year", (when, when)
    got = {
        name: column(tables, unit, f"pledge_age.target_defense_{name}", years, **options)
        for name in NAMES
    }
    flags = column(tables, unit, "atop_third_party.target_defense", years, **options)
    for (challenger, target, year), flag in flags.items():
        since = starts(treaties, options, challenger, target, year)
        first = next(
            y for y in range(FIRST, year + 1) if present(challenger, y) and present(target, y)
        )
        key = (challenger, target, year)
        assert flag == int(bool(since))
        assert got["inherited"][key] == int(any(each <= first for each in since))
        assert got["later"][key] == int(any(each > first for each in since))
        assert got["gained"][key] == int(year > first and year in since)
        assert got["oldest"][key] == (year - min(since) if since else None)
        assert got["newest"][key] == (year - max(since) if since else None)


def test_a_pact_with_the_challenger_alone_is_none_against_it() -> None:
    pair = Treaty(
        1, {10: (1820, 1830), 20: (1820, 1830)},
        dict.fromkeys((10, 20), frozenset({"defense"})), {"bilat": 1},
    )  # fmt: skip
    tables = small_tables([pair])
    newest = column(tables, "directed-dyad-year", "pledge_age.target_defense_newest", (1825, 1825))
    assert newest[10, 20, 1825] is None
    assert newest[230, 20, 1825] == 5
