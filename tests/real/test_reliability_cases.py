"""The authors' 576 cases beside the rule's, on the real files: what decides, read from raw rows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from foedus.covariates.reliability import OPTIONS
from foedus.sources.tables import Tables
from foedus.studies.measures import MeasureContext
from foedus.studies.measures_reliability import rule_cases
from foedus.studies.measures_reliability_cases import _READINGS, honour_cases, word_of

pytestmark = pytest.mark.real
DECLARED: dict[str, Any] = {name: option.default for name, option in OPTIONS.items()}


def test_every_case_and_what_decides_it(tables: Tables) -> None:
    made = honour_cases(MeasureContext(tables, {**DECLARED, "coding": "llm"}, None))
    rows = pd.DataFrame(made.tables["cases_one_by_one"])
    file = tables.get("rep_berkemeier_fuhrmann_2018", "cases").to_pandas()
    assert len(rows) == len(file) == 576
    words = {"does not apply": 430, "honoured": 73, "violated": 73}  # as printed
    assert rows.code_by_authors.value_counts().to_dict() == words
    assert (rows.code_by_authors == rows.code_by_rule).sum() == (rows.decided_by == "same").sum()
    assert (rows.explanation == "").sum() == (rows.decided_by == "same").sum()
    assert (rows.decided_by == "no war in COW").sum() == file.cowwarid.isna().sum()

    readings = {
        says: {
            (case.warnum, case.atopid): word_of(case)
            for case in rule_cases(tables, {**DECLARED, name: value})
        }
        for (name, value), says in _READINGS.items()
    }
    ruled = rows[rows.decided_by == "a rule"]
    assert len(ruled) > 10
    for row in ruled.itertuples():
        named = [words for says, words in readings.items() if says in row.explanation]
        assert named
        for words_of in named:
            got = words_of.get((int(row.war_cow), int(row.alliance)), "not listed")
            assert got == row.code_by_authors


def test_pacts_and_wars_without_a_day_in_common(tables: Tables) -> None:
    made = honour_cases(MeasureContext(tables, {**DECLARED, "coding": "llm"}, None))
    rows = pd.DataFrame(made.tables["cases_one_by_one"])
    atop = tables.get("atop", "members").to_pandas()
    wars = tables.get("cow_interstate_wars", "participants").to_pandas()
    wars["last"] = wars.end2.fillna(wars.end1).fillna(pd.Timestamp("2100-01-01"))
    for row in rows[rows.decided_by.isin(["days of the pact", "belligerents"])].itertuples():
        pact = atop[atop.atopid == int(row.alliance)]
        both = pact.merge(wars[wars.warnum == int(row.war_cow)], left_on="member", right_on="ccode")
        assert both.empty == (row.decided_by == "belligerents")
        ends = both.end.fillna(pd.Timestamp("2100-01-01"))
        eve = both.start1 - pd.Timedelta(1, "D")
        assert not ((both.start <= both["last"]) & (ends >= eve)).any()
