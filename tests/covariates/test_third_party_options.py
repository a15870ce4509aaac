"""Third states' pledges under every choice, against loops over challenger, target and giver."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.covariates.alliance_pledges import NUCLEAR_YEARS, numbers
from foedus.errors import UsageError
from tests.covariates.alliance_worlds import (
    CINC,
    CODES,
    POLITY,
    Treaty,
    column,
    present,
    small_tables,
    worlds,
)

YEARS = (1819, 1822, 1827)  # 650 is in the system in the second only
HOLDINGS = ("target_defense", "challenger_offense", "target_neutrality")

choices = st.fixed_dictionaries(
    {},
    optional={
        "threats": st.sampled_from(["apply", "named", "ignore"]),
        "common": st.sampled_from(["count", "drop"]),
        "givers": st.sampled_from(["any", "major", "minor", "democratic"]),
        "wartime": st.sampled_from(["include", "exclude", "only"]),
        "form": st.sampled_from(["any", "bilateral", "multilateral"]),
        "symmetry": st.sampled_from(["any", "symmetric", "asymmetric"]),
        "secret": st.sampled_from(["include", "exclude"]),
        "without": st.sampled_from(["", "1", "1, 2"]),
        "location": st.sampled_from(["ignore", "exclude"]),
        "provocation": st.sampled_from(["ignore", "exclude"]),
    },
)


def counts(each: Treaty, options: dict[str, Any], obligation: str) -> bool:
    """Whether a treaty passes the choices about pacts and conditions."""
    coded = each.coded
    wanted = {
        "wartime": {"exclude": coded["wartime"] == 0, "only": coded["wartime"] == 1},
        "form": {"bilateral": coded["bilat"] == 1, "multilateral": coded["bilat"] == 0},
        "symmetry": {"symmetric": coded["asymm"] == 0, "asymmetric": coded["asymm"] == 1},
        "secret": {"exclude": coded["pubsecr"] != 2},
        "location": {"exclude": obligation != "defense" or coded["defcoloc"] == 0},
        "provocation": {"exclude": obligation != "defense" or coded["defconpr"] == 0},
    }
    passed = all(rules.get(options.get(name, ""), True) for name, rules in wanted.items())
    return passed and str(each.atopid) not in options.get("without", "").replace(" ", "").split(",")


def applies(each: Treaty, adversary: int, options: dict[str, Any], obligation: str) -> bool:
    named = {each.coded["statthr1"], each.coded["statthr2"]} - {0}
    rule = options.get("threats", "apply")
    limited = bool(named) and rule != "ignore"
    if rule == "apply":
        limited = limited and obligation == "defense" and each.coded["defcoadv"] == 1
    return not limited or adversary in named


def counting(giver: int, options: dict[str, Any]) -> bool:
    return {
        "any": True,
        "major": giver in (10, 230),
        "minor": giver not in (10, 230),
        "democratic": POLITY.get(giver, -99) >= 6,
    }[options.get("givers", "any")]


@settings(max_examples=50, deadline=None)
@given(worlds(), choices, st.sampled_from(HOLDINGS), st.sampled_from(YEARS))
def test_counts_equal_the_definition(
    treaties: list[Treaty], options: dict[str, Any], name: str, when: int
) -> None:
    tables = small_tables(treaties)
    unit, years = "directed-dyad-year", (when, when)
    got = column(tables, unit, f"atop_third_party.{name}_n", years, **options)
    summed = column(tables, unit, f"atop_third_party.{name}_cinc", years, **options)
    flags = column(tables, unit, f"atop_third_party.{name}", years, **options)
    side, obligation = name.split("_")
    states = sum(present(code, when) for code in CODES)
    assert len(got) == states * (states - 1)
    for (challenger, target, year), count in got.items():
        holder, adversary = (
            (target, challenger) if side == "target" else (challenger, target)
        )  # fmt: skip
        givers = {
            giver
            for each in treaties
            for giver in CODES
            if giver not in (challenger, target)
            and present(giver, year)
            and counting(giver, options)
            and counts(each, options, obligation)
            and each.owed(giver, holder, year, obligation)
            and applies(each, adversary, options, obligation)
            and not (options.get("common") == "drop" and each.bound(adversary, holder, year))
        }
        assert count == len(givers), (challenger, target)
        assert flags[challenger, target, year] == int(bool(givers))
        assert summed[challenger, target, year] == pytest.approx(sum(CINC[g] for g in givers))


TYPES = {
    "target_deter_conditional": ("target", lambda o, c: "defense" in o and "offense" not in o
                                 and c["defconpr"] == 0),
    "target_deter_probabilistic": ("target", lambda o, c: "defense" in o and c["defconpr"] == 1),
    "challenger_compel_unconditional": ("challenger", lambda o, c: "offense" in o
                                        and c["offcon"] == 0),
}  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(worlds(), st.sampled_from(sorted(TYPES)), st.sampled_from(YEARS))
def test_types_equal_the_definition(treaties: list[Treaty], name: str, when: int) -> None:
    side, rule = TYPES[name]
    got = column(
        small_tables(treaties), "directed-dyad-year", f"third_party_types.{name}_n", (when, when),
        threats="ignore",
    )  # fmt: skip
    for (challenger, target, year), count in got.items():
        holder = target if side == "target" else challenger
        givers = {
            giver
            for each in treaties
            for giver in CODES
            if giver not in (challenger, target)
            and present(giver, year)
            and each.bound(giver, holder, year)
            and rule(each.owes[giver], each.coded)
        }
        assert count == len(givers)


def test_authors_types_are_those_of_their_file_and_of_its_years() -> None:
    pact = Treaty(
        1, {10: (1820, 1840), 20: (1820, 1840)},
        {10: frozenset({"defense"}), 20: frozenset()},
        {"bilat": 1, "defconpr": 1},
    )  # fmt: skip
    other = Treaty(
        2, {230: (1820, 1840), 240: (1820, 1840)},
        dict.fromkeys((230, 240), frozenset({"defense"})),
        {"bilat": 1},
    )  # fmt: skip
    tables = small_tables([pact, other])
    ours = column(tables, "dyad-year", "pledge_types.pledge_deter_conditional", (1836, 1838))
    assert (ours[10, 20, 1836], ours[230, 240, 1838]) == (0, 1)
    theirs = column(
        tables, "directed-dyad-year", "pledge_types.pledge_deter_conditional", (1836, 1838),
        coding="authors",
    )  # fmt: skip
    assert theirs[10, 20, 1837] == 1  # as they read it, whatever ATOP's flags say
    assert theirs[20, 10, 1837] == 0  # 20 owes no arms
    assert theirs[230, 240, 1837] == 0  # not on their list
    assert theirs[10, 20, 1838] is None  # after their years
    held = column(
        tables, "directed-dyad-year", "third_party_types.target_deter_conditional", (1836, 1838),
        coding="authors",
    )  # fmt: skip
    assert held[240, 20, 1836] == 1
    assert held[240, 20, 1838] is None
    alliances = column(
        tables, "alliance", "alliance_types.alliance_deter_conditional", coding="authors"
    )
    assert alliances == {1: 1, 2: None}


def test_numbers_of_pacts_are_numbers() -> None:
    assert numbers(" 3075, 3180,") == [3075, 3180]
    with pytest.raises(UsageError, match="3075;3180"):
        numbers("3075;3180")


def test_nuclear_years_are_in_order_and_tests_follow_acquisition() -> None:
    for spans in NUCLEAR_YEARS.values():
        assert all(last is None or first <= last for first, last in spans.values())
    tested, acquired = NUCLEAR_YEARS["tested"], NUCLEAR_YEARS["acquired"]
    assert set(tested) <= set(acquired)
    # India's test of 1974 came before the weapon.
    assert {c for c in tested if tested[c][0] < acquired[c][0]} == {750}
