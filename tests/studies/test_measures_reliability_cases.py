"""Case by case against the authors' list: kappa of several codes, and a case of each kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from foedus.covariates.reliability import OPTIONS
from foedus.studies.measures import MeasureContext
from foedus.studies.measures_reliability import kappa
from foedus.studies.measures_reliability_cases import CODES, honour_cases, many_kappa
from tests.covariates.conftest import SmallTables, members, states
from tests.panels.test_war_units import fighters


def test_kappa_of_several_codes_is_statsmodels() -> None:
    table = np.array([[40, 5, 2], [3, 20, 4], [1, 6, 19]])
    one, other = (np.repeat(at.ravel(), table.ravel()) for at in np.indices(table.shape))
    value, error = many_kappa(one, other, 3)
    # statsmodels' std_kappa is the square root of the same equation 13.
    reference = cohens_kappa(table)
    assert value == pytest.approx(reference.kappa, rel=1e-12)
    assert error == pytest.approx(reference.std_kappa, rel=1e-9)


def test_kappa_of_two_codes_is_the_other_formula() -> None:
    rng = np.random.default_rng(3)
    one = rng.random(200) < 0.4
    other = one ^ (rng.random(200) < 0.2)
    made = many_kappa(one.astype(np.int64), other.astype(np.int64), 2)
    assert made == pytest.approx(kappa(one, other), rel=1e-12)


# War 1: 10 attacks 20; 30 comes to 20's side a month later and is then bound to 40.
WAR = fighters(
    {"warnum": 1, "ccode": 10, "side": 1, "start1": "1820-03-01", "end1": "1820-12-31",
     "initiator": 1},
    {"warnum": 1, "ccode": 20, "side": 2, "start1": "1820-03-01", "end1": "1820-12-31"},
    {"warnum": 1, "ccode": 30, "side": 2, "start1": "1820-04-01", "end1": "1820-12-31"},
)  # fmt: skip
OPEN = {"start": "1818-01-01", "end": "1825-01-01"}
NOTHING = dict.fromkeys(
    [f"{kind}{end}" for kind in ("defco", "offco", "neuco")
     for end in ("adv", "loc", "con", "num", "dem", "pr", "att")], 0,
)  # fmt: skip


def pact(number: int, *states_in: int, **more: Any) -> list[dict[str, Any]]:
    return [{"atopid": number, "member": ccode, **OPEN, **more} for ccode in states_in]


def case(number: int, code: str, war: int | None = 1, **more: Any) -> dict[str, Any]:
    """A row of the authors' file: `code` in their first coding, not applicable in the other."""
    row: dict[str, Any] = dict.fromkeys(
        ("defense", "offense", "neutral", "nonagg", "consul", "multilateral", "sample"), 0
    )
    for stem, word in (("LLM", code), ("BF", more.pop("other", "dna"))):
        row |= {f"{kind}{stem}": int(kind == word) for kind in ("dna", "honor", "violate")}
    return row | {"warid": 7, "atopid": number, "cowwarid": war, "warname": "A war", **more}


def decided(rows: list[dict[str, Any]], pacts: list[dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
    frame = members(*pacts).with_columns(
        **{name: pl.lit(0, pl.Int8) for name in NOTHING if name not in ("defcoadv", "offcoadv",
                                                                        "neucoadv")},
        cowwar=pl.lit(0, pl.Int32),
    )  # fmt: skip
    tables = SmallTables(
        {
            ("cow_states", "states"): states(
                *[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30, 40, 50)]
            ),
            ("cow_interstate_wars", "participants"): WAR,
            ("atop", "members"): frame,
            ("rep_berkemeier_fuhrmann_2018", "cases"): pl.DataFrame(
                rows, schema_overrides={"cowwarid": pl.Int32}
            ),
        }
    )
    options = {name: option.default for name, option in OPTIONS.items()} | {"coding": "llm"}
    made = honour_cases(MeasureContext(tables, options, None))  # type: ignore[arg-type]
    return made, {row["alliance"]: row for row in made.tables["cases_one_by_one"]}


def test_a_case_of_each_kind() -> None:
    pacts = [
        *pact(1, 20, 40, defense=1),  # 40 owes 20 defence and stays out
        *pact(2, 30, 40, defense=1),  # 30 came in later
        *pact(3, 10, 50, consul=1),
        *pact(4, 40, 50, defense=1),  # neither fights
        *[{**row, "start": "1821-06-01"} for row in pact(5, 20, 50, defense=1)],
        *pact(6, 20, 50, nonagg=1),
    ]
    made, rows = decided(
        [
            case(1, "violate", defense=1),
            case(2, "violate", defense=1),
            case(3, "violate", consul=1),
            case(4, "dna", defense=1),
            case(5, "dna", defense=1),
            case(6, "violate", nonagg=1, defense=1, other="violate"),
            case(8, "dna"),
            case(9, "dna", war=None),
        ],
        pacts,
    )
    assert {key: row["decided_by"] for key, row in rows.items()} == {
        "1": "same",
        "2": "a rule",
        "3": "the authors' other coding",
        "4": "belligerents",
        "5": "days of the pact",
        "6": "obligations",
        "8": "pact not in ATOP",
        "9": "no war in COW",
    }
    assert "came in late on the attacked side was attacked" in rows["2"]["explanation"]
    assert "20 was in the pact from 1821-06-01" in rows["5"]["explanation"]
    assert "defense owed in the authors' file" in rows["6"]["explanation"]
    counts = {row.term: row.estimate for row in made.rows}
    assert (counts["cases"], counts["cases with the same code"]) == (8, 1)
    assert sum(counts[term] for term in counts if term.startswith("decided by")) == 7


def test_without_a_case_on_both_lists_there_is_no_kappa() -> None:
    made, _ = decided([case(9, "dna", war=None)], pact(1, 20, 40, defense=1))
    (row,) = [row for row in made.rows if row.term.startswith("kappa")]
    assert row.estimate is None
    assert row.note
    assert len(CODES) == 4
