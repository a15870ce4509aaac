"""Obligations that are owed to some partners only."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from foedus.covariates.alliance_pairs import LIMITED, Limited, without_exceptions
from foedus.covariates.assemble import VariableRequest, build_variables
from tests.covariates.conftest import SmallTables, members, states

LOCARNO = (200, 211, 220, 255, 325)


def locarno(obvary: int | None = 1) -> SmallTables:
    rows = [
        {"atopid": 2130, "member": who, "start": "1825-01-01", "end": "1830-12-31", "defense": 1,
         "nonagg": int(who in (211, 220, 255)), "consul": 1}
        for who in LOCARNO
    ]  # fmt: skip
    frame = members(*rows)
    if obvary is not None:
        frame = frame.with_columns(obvary=pl.lit(obvary, pl.Int8))
    spells = states(*[(who, "1816-01-01", "1840-12-31") for who in LOCARNO])
    return SmallTables({("cow_states", "states"): spells, ("atop", "members"): frame})


def owed(tables: SmallTables, column: str, **options: Any) -> set[tuple[int, int]]:
    panel = build_variables(
        tables,  # type: ignore[arg-type]
        "directed-dyad-year",
        (1826, 1826),
        {"value": VariableRequest("atop", column, options)},
    )
    made = panel.table.to_pydict()
    rows = zip(made["ccode1"], made["ccode2"], made["value"], strict=True)
    return {(giver, receiver) for giver, receiver, value in rows if value}


def test_guarantors_are_guaranteed_nothing() -> None:
    defended = owed(locarno(), "atop_defense")
    assert defended == {
        *((giver, receiver) for giver in (200, 325) for receiver in (211, 220, 255)),
        (211, 220), (211, 255), (220, 211), (220, 255),
    }  # fmt: skip
    peace = owed(locarno(), "atop_nonaggression")
    assert peace == {(211, 255), (255, 211), (220, 255), (255, 220)}


def test_other_obligations_stay_as_members_have_them() -> None:
    assert len(owed(locarno(), "atop_consultation")) == 20


def test_the_option_gives_the_members_obligations_to_every_partner() -> None:
    assert len(owed(locarno(), "atop_defense", pairs="members")) == 20


@pytest.mark.parametrize("obvary", [0, None])
def test_only_where_atop_says_that_obligations_vary(obvary: int | None) -> None:
    assert len(owed(locarno(obvary), "atop_defense")) == 20


@pytest.mark.parametrize("one", LIMITED, ids=lambda one: f"{one.atopid}-{one.obligations[0]}")
def test_every_exception_is_a_fact_with_a_reason(one: Limited) -> None:
    assert one.reason.endswith(".")
    assert set(one.obligations) <= {"defense", "offense", "neutral", "nonagg", "consul"}
    for giver, receivers in one.owed.items():
        assert giver not in receivers
        assert len(set(receivers)) == len(receivers)


def test_pledges_of_other_pacts_pass_unchanged() -> None:
    rows = pl.DataFrame({"atopid": [1, 2], "giver": [10, 20], "receiver": [20, 10],
                         "defense": [1, 1], "obvary": [1, 1]})  # fmt: skip
    assert without_exceptions(rows) is rows
