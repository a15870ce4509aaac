"""Sets of k states: counts by brute force, draws without bias, events kept, weights that add up."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.covariates.conftest import SmallTables, members, states
from tests.covariates.test_assemble import contiguity, nmc

from foedus.covariates.assemble import build_panel
from foedus.covariates.k_ads import _asked
from foedus.errors import UsageError
from foedus.panels.k_ads import KAdOptions, count_sets, founders, sample
from foedus.panels.units import load_system

CCODES = (10, 20, 30, 40, 50, 60)
YEARS = (1820, 1822)


def tables_of(*treaties: dict[str, Any]) -> SmallTables:
    spells = [(ccode, "1816-01-01", "1840-12-31") for ccode in CCODES]
    # Two states that never meet: one leaves in March 1821, the other comes in June.
    spells[4] = (50, "1816-01-01", "1821-03-01")
    spells[5] = (60, "1821-06-01", "1840-12-31")
    return SmallTables(
        {
            ("cow_states", "states"): states(*spells),
            ("atop", "members"): members(*treaties),
            ("cow_nmc", "state_years"): nmc(*[(c, 1820, c / 100) for c in CCODES[:4]]),
            ("cow_contiguity", "dyad_years"): contiguity((10, 20, 1820, 1), (20, 10, 1820, 1)),
        }
    )


def treaty(atopid: int, who: tuple[int, ...], start: str, **owed: int) -> list[dict[str, Any]]:
    return [
        {"atopid": atopid, "phase": 0, "member": one, "start": start, "end": None, **owed}
        for one in who
    ]


TREATIES = [
    *treaty(1, (10, 20, 30), "1820-02-01", defense=1),
    *treaty(2, (10, 20, 30), "1820-11-01", neutral=1),  # the same set again, in the same year
    *treaty(3, (20, 40), "1820-05-01", defense=1),  # no triad
    *treaty(4, (10, 30, 40), "1821-05-01", nonagg=1),
    {"atopid": 4, "phase": 0, "member": 20, "start": "1824-01-01", "end": None},  # joins later
]


def drawn(options: KAdOptions, years: tuple[int, int] = YEARS, **more: Any) -> Any:
    tables = tables_of(*TREATIES)
    return sample(tables, load_system(tables), years, options)  # type: ignore[arg-type]


def test_founders_are_those_of_the_first_year() -> None:
    found = founders(members(*TREATIES))
    assert found.rows() == [
        (1, 1820, [10, 20, 30]), (2, 1820, [10, 20, 30]), (3, 1820, [20, 40]),
        (4, 1821, [10, 30, 40]),
    ]  # fmt: skip
    assert founders(members(*TREATIES), "defense")["atopid"].to_list() == [1, 3]


@pytest.mark.parametrize(("events", "n_events"), [("any", 2), ("defense", 1), ("offense", 0)])
def test_every_event_stands_once(events: str, n_events: int) -> None:
    sets = drawn(KAdOptions(k=3, events=events, controls=1))
    assert sets.formed.sum() == n_events
    assert sets.n_formed.max(initial=0) == (2 if events == "any" else n_events)
    assert (sets.weight[sets.formed == 1] == 1).all()


@pytest.mark.parametrize("k", [2, 3, 4, 5])
@pytest.mark.parametrize("controls", [0, 3, 10_000])
def test_weights_add_up_to_all_sets_of_a_year(k: int, controls: int) -> None:
    sets = drawn(KAdOptions(k=k, controls=controls))
    for year, present in ((1820, 5), (1821, 6), (1822, 5)):
        here = sets.year == year
        total = sum(
            1
            for chosen in itertools.combinations(range(present), k)
            if not (year == 1821 and {4, 5} <= set(chosen))  # the two that never meet
        )
        if controls:
            assert sets.weight[here].sum() == pytest.approx(total)
        else:
            assert (sets.formed[here] == 1).all()
        if controls > total:
            assert here.sum() == total
    rows = [
        (*row, year) for row, year in zip(sets.states.tolist(), sets.year.tolist(), strict=True)
    ]
    assert len(set(rows)) == len(rows)
    assert rows == sorted(rows)


def test_the_draws_of_a_year_do_not_depend_on_the_others() -> None:
    options = KAdOptions(k=3, controls=4, seed=7)
    both, one = drawn(options), drawn(options, (1821, 1821))
    assert both.states[both.year == 1821].tolist() == one.states.tolist()
    assert drawn(options).states.tolist() == both.states.tolist()
    other = drawn(KAdOptions(k=3, controls=4, seed=8))
    assert other.states.tolist() != both.states.tolist()


def test_every_set_is_drawn_as_often_as_any_other() -> None:
    counts: dict[tuple[int, ...], int] = {}
    for seed in range(300):
        sets = drawn(KAdOptions(k=3, controls=3, seed=seed), (1822, 1822))
        for row in sets.states.tolist():
            counts[tuple(row)] = counts.get(tuple(row), 0) + 1
    assert len(counts) == 10  # of 5 states
    expected = 300 * 3 / 10
    # Sampling without replacement: variance below the binomial's 300 * .3 * .7 = 63.
    assert max(abs(count - expected) for count in counts.values()) < 4.5 * np.sqrt(63)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 8), st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7))), st.integers(2, 6)
)
def test_sets_are_counted_as_by_hand(n: int, apart: set[tuple[int, int]], k: int) -> None:
    together = ~np.eye(8, dtype=bool)
    for one, other in apart:
        together[one, other] = together[other, one] = False
    present = np.arange(n)
    by_hand = sum(
        all(together[pair] for pair in itertools.combinations(chosen, 2))
        for chosen in itertools.combinations(range(n), k)
    )
    assert count_sets(together, present, k) == by_hand


def test_facts_are_aggregated_over_members_and_pairs() -> None:
    panel = build_panel(
        tables_of(*TREATIES), "k-ad-year", (1820, 1820), ["nmc", "contiguity"],  # type: ignore[arg-type]
        options={"k": 3, "controls": 1000},
    )  # fmt: skip
    assert panel.keys == ("ccode1", "ccode2", "ccode3", "year")
    frame = pl.DataFrame(pl.from_arrow(panel.table))
    row = frame.filter(ccode1=10, ccode2=20, ccode3=30).row(0, named=True)
    assert (row["formed"], row["n_formed"], row["weight"]) == (1, 2, 1.0)
    told = {name: row[f"cinc_{name}"] for name in ("min", "max", "mean", "sum")}
    assert told == pytest.approx({"min": 0.1, "max": 0.3, "mean": 0.2, "sum": 0.6})
    assert row["contiguous_share"] == pytest.approx(1 / 3)
    assert row["contiguous_max"] == 1
    unknown = frame.filter(ccode1=10, ccode2=20, ccode3=50).row(0, named=True)
    assert unknown["cinc_sum"] is None  # one member's CINC is missing
    assert unknown["contiguous_max"] == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"k": 1}, "two states or more"),
        ({"events": "defence"}, "Nearest: defense"),
        ({"controls": -1}, "0 or more"),
        ({"control": 5}, "Nearest: controls"),
        ({"controls": 10**9}, "Ask for fewer"),
        ({"aggregates": ["median"]}, "no aggregate"),
    ],
)
def test_what_makes_no_sample_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        build_panel(tables_of(*TREATIES), "k-ad-year", YEARS, ["nmc"], options=options)  # type: ignore[arg-type]


def test_only_k_ads_take_these_options() -> None:
    with pytest.raises(UsageError, match="only k-ad-year"):
        build_panel(tables_of(), "dyad-year", YEARS, [], options={"k": 3})  # type: ignore[arg-type]


def test_all_leaves_out_what_is_made_on_request_only() -> None:
    """COW's own alliances are a user's to bring; asking for all covariates doesn't ask for them."""
    names = {entry.name for level in ("state", "dyad") for entry, _ in _asked("all", level)}
    assert "atop" in names
    assert "cow_alliance" not in names
    assert _asked(["cow_alliance"], "dyad")
