"""Who could come into wars of a state with a party that is none: against every day of three."""

from __future__ import annotations

import datetime
from typing import Any

import polars as pl
import pytest
from tests.covariates.conftest import SmallTables, members, states
from tests.covariates.test_conflict_lists import ucdp_rows

from foedus.covariates.assemble import build_panel
from foedus.errors import PanelError
from foedus.panels.intervention_list import NO_STATE, load_interventions, load_ucdp
from foedus.panels.units import build_spine, load_system
from foedus.panels.war_joiner_units import unseen_joiners

SPELLS = (
    *[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30, 40)],
    (50, "1820-06-01", "1840-12-31"),
)  # fmt: skip
_DATES = ("start1", "end1", "start2", "end2")
_SCHEMA = {
    "warnum": pl.Int32, "warname": pl.String, "wartype": pl.Int8, "sidea": pl.String,
    "sideb": pl.String, "a": pl.Int32, "b": pl.Int32, **dict.fromkeys(_DATES, pl.Date),
    "start1_precision": pl.String,
}  # fmt: skip


def rows(intra: bool, *given: dict[str, Any]) -> pl.DataFrame:
    """Rows of a COW list; a side is a number, a name for a party that is no state, or absent."""
    filled = []
    for row in given:
        full: dict[str, Any] = {
            "warname": "A war", "wartype": 4, "start1_precision": "day", "start2": None,
            "end2": None, **row,
        }  # fmt: skip
        for side, name in (("a", "sidea"), ("b", "sideb")):
            party = full.get(side)
            full[name] = None if party is None else str(party)
            full[side] = party if isinstance(party, int) else None
        for name in _DATES:
            full[name] = datetime.date.fromisoformat(full[name]) if full[name] else None
        filled.append(full)
    frame = pl.DataFrame(filled, schema=_SCHEMA)
    return frame.rename({"a": "ccodea", "b": "ccodeb"} if intra else {"a": "ccode1", "b": "ccode2"})


# War 500: 10 against rebels; 20 is there on the first day, 30 comes in against it in May and goes
# over in July, 50 (a state since June) in August. War 501: no state among its parties, 20 comes in.
INTRA = rows(
    True,
    {"warnum": 500, "a": 10, "b": "rebels", "start1": "1820-03-01", "end1": "1820-12-31"},
    {"warnum": 500, "a": 20, "start1": "1820-03-01", "end1": "1820-04-30"},
    {"warnum": 500, "b": 30, "start1": "1820-05-10", "end1": "1820-06-30"},
    {"warnum": 500, "a": 30, "start1": "1820-07-01", "end1": "1820-12-31"},
    {"warnum": 500, "b": 50, "start1": "1820-08-01", "end1": "1820-12-31",
     "start1_precision": "month"},
    {"warnum": 501, "a": "one", "b": "other", "start1": "1822-01-10", "end1": "1822-03-20",
     "wartype": 7},
    {"warnum": 501, "a": 20, "start1": "1822-02-05", "end1": "1822-03-20", "wartype": 7},
)  # fmt: skip
# War 300: 20 against a people, with a truce; goes on.
EXTRA = rows(
    False,
    {"warnum": 300, "a": 20, "b": "people", "start1": "1830-11-15", "end1": "1831-01-02",
     "start2": "1831-03-01", "end2": None, "wartype": 2},
    {"warnum": 300, "b": 40, "start1": "1831-02-10", "end1": "1831-02-20", "wartype": 2},
)  # fmt: skip


def tables_of(*spells: tuple[int, str, str], **frames: pl.DataFrame) -> SmallTables:
    made = {
        ("cow_states", "states"): states(*(spells or SPELLS)),
        ("cow_intrastate_wars_4.1", "participants"): INTRA,
        ("cow_extrastate_wars", "participants"): EXTRA,
    }
    made |= {tuple(name.split("__")): frame for name, frame in frames.items()}  # type: ignore[misc]
    return SmallTables(made)


def entries(monthly: bool) -> list[tuple[int, ...]]:
    """The definition, day by day: a member that isn't the state whose war it is, nor in it yet."""
    day = datetime.date
    wars = {
        300: (day(1830, 11, 15), day(1832, 12, 31), 20, {40: (day(1831, 2, 10), 2)}),
        500: (
            day(1820, 3, 1), day(1820, 12, 31), 10,
            {20: (day(1820, 3, 1), 1), 30: (day(1820, 5, 10), 2), 50: (day(1820, 8, 1), 2)},
        ),
        501: (day(1822, 1, 10), day(1822, 3, 20), None, {20: (day(1822, 2, 5), 1)}),
    }  # fmt: skip
    found: dict[tuple[int, ...], int] = {}
    for warnum, (first, last, own, came) in wars.items():
        for ccode, enters, leaves in SPELLS:
            entry, side = came.get(ccode, (last, 0))
            at = first
            while at <= min(entry, last):
                member = day.fromisoformat(enters) <= at <= day.fromisoformat(leaves)
                if ccode != own and member:
                    key = (warnum, ccode, at.year, *((at.month,) if monthly else ()))
                    found[key] = max(found.get(key, 0), side if at == entry else 0)
                at += datetime.timedelta(1)
    return sorted((*key, side) for key, side in found.items())


@pytest.mark.parametrize("step", ["year", "month"])
def test_rows_are_those_of_the_definition(step: str) -> None:
    spine = build_spine(tables_of(), f"war-intervener-{step}", (1816, 1832))  # type: ignore[arg-type]
    columns = [values.tolist() for values in spine.keys.values()]
    assert (
        list(zip(*columns, spine.extra["joined_side"].tolist(), strict=True))
    ) == entries(step == "month")  # fmt: skip


def test_sides_are_those_of_the_state_whose_war_it_is() -> None:
    panel = build_panel(tables_of(), "war-intervener", (1816, 1832), ["intervention"])  # type: ignore[arg-type]
    made = {(row["warnum"], row["ccode"]): row for row in panel.table.to_pylist()}
    assert sorted(made) == [
        (300, 10), (300, 30), (300, 40), (300, 50), (500, 20), (500, 30), (500, 40), (501, 10),
        (501, 20), (501, 30), (501, 40), (501, 50),
    ]  # fmt: skip
    assert [made[500, 20][name] for name in ("joined_for", "joined_against", "delay_days")] == [
        1, 0, 0,
    ]  # fmt: skip
    assert [made[500, 30][name] for name in ("joined_for", "joined_against")] == [0, 1]
    assert [made[500, 40][name] for name in ("joined", "joined_for", "delay_days")] == [0, 0, None]
    assert made[501, 20]["joined"] == 1
    assert made[501, 20]["joined_for"] is made[501, 20]["joined_against"] is None
    assert made[501, 20]["state_party"] == 0
    assert [made[300, 40][name] for name in ("joined_against", "outside", "delay_days")] == [
        1, 1, 87,
    ]  # fmt: skip
    assert [made[war, 40]["over_government"] for war in (300, 500, 501)] == [0, 1, 0]


def test_entries_before_and_their_days() -> None:
    panel = build_panel(tables_of(), "war-intervener-month", (1816, 1832), ["intervention"])  # type: ignore[arg-type]
    rows = pl.DataFrame(pl.from_arrow(panel.table)).filter(warnum=500)
    december = rows.filter(month=12)
    assert december["ccode"].to_list() == [40]
    assert december["joined_before"].to_list() == [3]
    assert december["joined_before_side1"].to_list() == [1]
    assert december["elapsed"].to_list() == [9]
    assert rows.filter(joined=1).sort("ccode")["entry_dated"].to_list() == [1, 1, 0]


def test_a_state_that_came_in_from_outside_the_system_is_named() -> None:
    tables = tables_of((10, "1816-01-01", "1840-12-31"), (20, "1816-01-01", "1840-12-31"))
    wars = load_interventions(tables)  # type: ignore[arg-type]
    unseen = unseen_joiners(wars, load_system(tables), 1832)  # type: ignore[arg-type]
    assert unseen == [(300, 40), (500, 30), (500, 50)]
    assert (wars.ccode == NO_STATE).sum() == 4


PACT = members(
    {"atopid": 1, "member": 20, "start": "1818-01-01", "end": "1820-02-29", "defense": 1},
    {"atopid": 1, "member": 10, "start": "1818-01-01", "end": "1820-02-29", "defense": 1},
    {"atopid": 2, "member": 30, "start": "1820-03-01", "end": "1825-01-01", "offense": 1},
    {"atopid": 2, "member": 10, "start": "1820-03-01", "end": "1825-01-01", "offense": 0},
    {"atopid": 3, "member": 40, "start": "1819-01-01", "end": None, "defense": 1, "defcoadv": 1,
     "statthr1": 20},
    {"atopid": 3, "member": 10, "start": "1819-01-01", "end": None, "nonagg": 1},
)  # fmt: skip


def test_treaties_are_those_of_the_day_before() -> None:
    tables = tables_of(atop__members=PACT)
    panel = build_panel(tables, "war-intervener", (1820, 1820), ["intervention_ties"])  # type: ignore[arg-type]
    made = {row["ccode"]: row for row in panel.table.to_pylist()}
    names = ("owes_any", "owes_defense", "owes_offense", "owes_defense_open", "is_owed_defense")
    assert {ccode: [made[ccode][name] for name in names] for ccode in made} == {
        20: [1, 1, 0, 1, 1],  # its last day is the eve of the war
        30: [0, 0, 0, 0, 0],  # signed on its first day
        40: [1, 1, 0, 0, 0],  # against a named adversary only
    }


UCDP_STATES = tuple((ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30, 40))


def ucdp(*given: tuple[int, int, str, int | None, int | None]) -> pl.DataFrame:
    """Conflict, year, first day of the episode, supporter of the government, of the rebels."""
    base = ucdp_rows(*[(conflict, year, 10, None, None, None) for conflict, year, *_ in given])
    return base.with_columns(
        gwno_a_2nd=pl.Series([row[3] for row in given], dtype=pl.Int32),
        gwno_b_2nd=pl.Series([row[4] for row in given], dtype=pl.Int32),
        gwno_b=pl.lit(None, pl.Int32),
        type_of_conflict=pl.lit("II"),
        incompatibility=pl.lit("government"),
        start_date2=pl.Series([datetime.date.fromisoformat(row[2]) for row in given]),
        start_prec2=pl.lit(1, pl.Int8),
        ep_end_date=pl.lit(None, pl.Date),
    )


def test_ucdp_supporters_by_year_of_the_episode() -> None:
    conflicts = ucdp(
        (1, 1820, "1820-06-01", None, None),
        (1, 1821, "1820-06-01", 20, None),
        (1, 1822, "1820-06-01", 20, 30),
        (1, 1825, "1825-02-01", 20, None),
    )
    tables = tables_of(*UCDP_STATES, ucdp_acd__conflict_years=conflicts, atop__members=PACT)
    tables.coverages["ucdp_acd"] = (1816, 1832)
    panel = build_panel(
        tables,  # type: ignore[arg-type]
        "ucdp-intervener-year",
        (1820, 1830),
        ["ucdp_support", "ucdp_support_ties"],
    )
    made = {(row["ccode"], row["year"]): row for row in panel.table.to_pylist()}
    assert sorted(made) == [
        (20, 1820), (20, 1821), (20, 1825), (30, 1820), (30, 1821), (30, 1822), (30, 1825),
        (40, 1820), (40, 1821), (40, 1822), (40, 1825),
    ]  # fmt: skip
    assert {key for key, row in made.items() if row["joined_for"]} == {(20, 1821), (20, 1825)}
    assert {key for key, row in made.items() if row["joined_against"]} == {(30, 1822)}
    assert made[30, 1822]["joined_before"] == 1
    assert made[40, 1825]["elapsed"] == 0
    assert made[40, 1820]["owes_defense"] == made[40, 1825]["owes_defense"] == 1
    # the pact of 30 ended on the first day of 1825: it stood on the last of 1824
    assert [made[30, year]["owes_offense"] for year in (1820, 1821, 1825)] == [1, 1, 0]


def test_two_active_episodes_in_one_year_are_refused() -> None:
    conflicts = ucdp((1, 1820, "1820-02-01", None, None), (1, 1820, "1820-09-01", None, None))
    tables = tables_of(*UCDP_STATES, ucdp_acd__conflict_years=conflicts)
    tables.coverages["ucdp_acd"] = (1816, 1832)
    assert len(load_ucdp(tables).numbers) == 2  # type: ignore[arg-type]
    with pytest.raises(PanelError, match="two active episodes in 1820"):
        build_spine(tables, "ucdp-intervener-year", (1820, 1830))  # type: ignore[arg-type]
