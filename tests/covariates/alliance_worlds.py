"""Random small worlds of treaties, and plain loops to hold alliance covariates against."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st

from foedus.covariates.assemble import VariableRequest, build_variables
from foedus.sources.datasets.atop import CURRENT
from tests.covariates.conftest import SmallTables, day, states
from tests.panels.test_war_units import fighters

CODES = (10, 20, 230, 240, 650)  # two Americans, two Europeans, one of the Middle East
FIRST, LAST = 1816, 1840
COVERED = (1815, 1838)
# 650 is a state of the system from July 1820 to June 1826 only.
SPELLS = {650: ("1820-07-01", "1826-06-30")}
CINC = {10: 0.1, 20: 0.2, 230: 0.3, 240: 0.25, 650: 0.15}
POLITY = {10: 8, 20: -5, 230: 7, 240: 2}  # of 650 nothing is known
CAPITALS = {10: (0.0, 0.0), 20: (0.0, 10.0), 230: (45.0, 5.0), 240: (50.0, 20.0), 650: (30.0, 30.0)}
KINDS = {"int8": pl.Int8, "int16": pl.Int16, "int32": pl.Int32, "date": pl.Date, "bool": pl.Boolean,
         "text": pl.String}  # fmt: skip
SCHEMA = {column.name: KINDS[column.kind] for column in CURRENT if column.keep}
OBLIGATIONS = {"defense": "defense", "offense": "offense", "neutrality": "neutral",
               "nonaggression": "nonagg", "consultation": "consul"}  # fmt: skip


@dataclass(frozen=True)
class Treaty:
    """A pact: its members with first and last year, what all rows say, and what each owes."""

    atopid: int
    members: dict[int, tuple[int, int]]
    owes: dict[int, frozenset[str]]
    coded: dict[str, Any]

    def bound(self, one: int, other: int, year: int) -> bool:
        """Whether two members are in it in the same year."""
        return (
            one != other
            and one in self.members
            and other in self.members
            and all(self.members[who][0] <= year <= self.members[who][1] for who in (one, other))
        )

    def owed(self, giver: int, holder: int, year: int, name: str) -> bool:
        """Whether a giver owes a holder an obligation ("any": one of the five)."""
        if not self.bound(giver, holder, year):
            return False
        owes = self.owes[giver]
        return bool(owes) if name == "any" else OBLIGATIONS[name] in owes

    def rows(self) -> list[dict[str, Any]]:
        """Return rows of the member file."""
        return [
            {
                "atopid": self.atopid, "member": member, "phase": 0,
                "start": day(f"{first}-01-01"), "end": day(f"{last}-12-31"), "in_force": False,
                **dict.fromkeys(self.owes[member], 1), **self.coded,
            }
            for member, (first, last) in self.members.items()
        ]  # fmt: skip


CODED = {
    "wartime": st.integers(0, 1), "asymm": st.integers(0, 1), "pubsecr": st.sampled_from([0, 0, 2]),
    "statthr1": st.sampled_from([0, 0, *CODES]), "statthr2": st.sampled_from([0, 0, 0, *CODES]),
    "defcoadv": st.integers(0, 1), "defcoloc": st.integers(0, 1), "defconpr": st.integers(0, 1),
    "offcon": st.integers(0, 1), "milcon": st.sampled_from([None, 0, 1, 2, 3]),
    "base": st.sampled_from([None, 0, 0, 3]), "length": st.sampled_from([0, 0, 60, 120]),
    "speclgth": st.integers(0, 3), "term": st.integers(0, 3), "intcom": st.integers(0, 1),
}  # fmt: skip


@st.composite
def treaty(draw: st.DrawFn, atopid: int) -> Treaty:
    """Draw one pact among two or more of the five states."""
    who = draw(st.lists(st.sampled_from(CODES), min_size=2, max_size=4, unique=True))
    begun = draw(st.integers(1817, 1830))
    members = {}
    for member in who:
        first = begun + draw(st.sampled_from([0, 0, 0, 2]))
        members[member] = (first, first + draw(st.integers(0, 6)))
    names = sorted(OBLIGATIONS.values())
    owes = {member: draw(st.frozensets(st.sampled_from(names), max_size=3)) for member in who}
    coded = {name: draw(values) for name, values in CODED.items()}
    coded["bilat"] = int(len(who) == 2)
    return Treaty(atopid, members, owes, coded)


@st.composite
def worlds(draw: st.DrawFn, most: int = 4) -> list[Treaty]:
    """Draw up to `most` pacts."""
    return [draw(treaty(at + 1)) for at in range(draw(st.integers(1, most)))]


def member_rows(treaties: list[Treaty]) -> pl.DataFrame:
    """Return the member file of a world; what no row says is 0."""
    filled = [
        {name: row.get(name, None if kind == pl.Date else 0) for name, kind in SCHEMA.items()}
        for each in treaties
        for row in each.rows()
    ]
    for row in filled:
        for name, kind in SCHEMA.items():
            if kind == pl.String:
                row[name] = "day"
            if kind == pl.Boolean:
                row[name] = bool(row[name])
    return pl.DataFrame(filled, schema=SCHEMA)


RIVALS = {"td": [(10, 20, 1816, 1825), (230, 240, 1820, 1837)], "tss": [(10, 230, 1816, 1838)]}


def small_tables(treaties: list[Treaty]) -> SmallTables:
    """Return every table that alliance covariates read, with the treaties' rows in it."""
    years = range(FIRST, LAST)
    nmc = pl.DataFrame(
        [(ccode, year, value) for ccode, value in CINC.items() for year in years],
        schema={"ccode": pl.Int32, "year": pl.Int16, "cinc": pl.Float64}, orient="row",
    )  # fmt: skip
    polity = pl.DataFrame(
        [(ccode, year, value) for ccode, value in POLITY.items() for year in range(FIRST, 1839)],
        schema={"ccode": pl.Int32, "year": pl.Int16, "polity2": pl.Int8}, orient="row",
    )  # fmt: skip
    first, last = datetime.date(FIRST, 1, 1), datetime.date(LAST, 12, 31)
    capitals = pl.DataFrame(
        [{"ccode": ccode, "start": first, "end": last, "lat": lat, "lng": lng}
         for ccode, (lat, lng) in CAPITALS.items()]
    )  # fmt: skip
    majors = pl.DataFrame([{"ccode": ccode, "start": first, "end": last} for ccode in (10, 230)])
    wars = fighters(
        {"warnum": 1, "ccode": 10, "side": 1, "initiator": 1, "start1": "1821-03-01",
         "end1": "1821-12-31"},
        {"warnum": 1, "ccode": 20, "side": 2, "start1": "1821-03-01", "end1": "1821-12-31"},
        {"warnum": 1, "ccode": 230, "side": 2, "start1": "1821-03-01", "end1": "1821-12-31"},
    )  # fmt: skip
    frames = {
        ("cow_states", "states"): states(
            *[(c, *SPELLS.get(c, ("1816-01-01", "1840-12-31"))) for c in CODES]
        ),
        ("cow_states", "majors"): majors,
        ("atop", "members"): member_rows(treaties),
        ("cow_nmc", "state_years"): nmc,
        ("polity", "state_years"): polity,
        ("capitals", "spells"): capitals,
        ("cow_interstate_wars", "participants"): wars,
        ("rivalries_td", "spells"): rivals("td").with_columns(
            type1=pl.lit("spatial"), type2=pl.lit(None, pl.String), type3=pl.lit(None, pl.String)
        ),
        ("rivalries_tss", "spells"): rivals("tss").with_columns(
            **{name: pl.lit(1, pl.Int8)
               for name in ("spatial", "positional", "ideological", "interventionary")}
        ),
        ("rep_benson_clinton_2016", "alliances"): pl.DataFrame(
            {"atopid": [1], "compel": [0], "deter": [1], "unconditional": [0], "prob": [0],
             "depth_score": [0.5], "scope_score": [0.1], "capacity_score": [-0.2]},
            schema_overrides={"atopid": pl.Int32},
        ),
        ("dca", "agreements"): AGREEMENTS,
    }  # fmt: skip
    tables = SmallTables(frames)
    tables.coverages |= {
        "rivalries_td": (1816, 1837), "rivalries_tss": (1816, 1838), "dca": (1825, 1836),
        "rep_benson_clinton_2016": (1816, 1837),
    }  # fmt: skip
    return tables


def rivals(short: str) -> pl.DataFrame:
    return pl.DataFrame(
        RIVALS[short],
        schema={"ccode1": pl.Int32, "ccode2": pl.Int32, "styear": pl.Int16, "endyear": pl.Int16},
        orient="row",
    )


AGREEMENTS = pl.DataFrame(
    [
        {"ccode1": 20, "ccode2": 10, "signyear": 1826, "eifyear": 1828, "type": "general",
         "category1": "DCA", "category2": "TREX", "categoryconf": "high", "endyearestimate": 1836},
        {"ccode1": 10, "ccode2": 20, "signyear": 1830, "eifyear": None, "type": "sector",
         "category1": "PROCUREMENT", "category2": None, "categoryconf": "low",
         "endyearestimate": 1833},
        {"ccode1": 230, "ccode2": 240, "signyear": 1827, "eifyear": None, "type": "general",
         "category1": "DCA", "category2": None, "categoryconf": "med", "endyearestimate": 1829},
        {"ccode1": 650, "ccode2": 650, "signyear": 1827, "eifyear": None, "type": "general",
         "category1": "DCA", "category2": None, "categoryconf": "med", "endyearestimate": 1829},
    ],
    schema={
        "ccode1": pl.Int32, "ccode2": pl.Int32, "signyear": pl.Int16, "eifyear": pl.Int16,
        "type": pl.String, "category1": pl.String, "category2": pl.String,
        "categoryconf": pl.String, "endyearestimate": pl.Int16,
    },
).with_columns(category3=pl.lit(None, pl.String))  # fmt: skip


def column(
    tables: SmallTables,
    unit: str,
    name: str,
    years: tuple[int, int] = (FIRST, 1838),
    **options: Any,
) -> dict[Any, Any]:
    """Return one column of a panel by the keys of its rows; missing is None."""
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


def present(code: int, year: int) -> bool:
    """Whether a state is in the system on any day of a year."""
    first, last = SPELLS.get(code, ("1816", "1840"))
    return int(first[:4]) <= year <= int(last[:4])


def tied(treaties: list[Treaty], one: int, other: int, year: int, name: str = "defense") -> bool:
    """Whether one of two states of the system owes the other the obligation in a year."""
    return (
        present(one, year)
        and present(other, year)
        and any(
            each.owed(*pair, year, name)
            for each in treaties
            for pair in ((one, other), (other, one))
        )
    )


def matrix(treaties: list[Treaty], year: int, name: str = "defense") -> np.ndarray[Any, Any]:
    """Return the ties of a year among the states of the system, in the order of CODES."""
    who = [code for code in CODES if present(code, year)]
    return np.array([[tied(treaties, a, b, year, name) for b in who] for a in who])
