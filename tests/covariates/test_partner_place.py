"""Where a state's partners are and what they share with it, against loops over treaties."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.covariates.distance import haversine_km
from tests.covariates.alliance_worlds import (
    CAPITALS,
    CINC,
    CODES,
    Treaty,
    column,
    present,
    small_tables,
    tied,
    worlds,
)

YEARS = (1819, 1822, 1827)
BORDERS = {(10, 20): 1, (230, 240): 4}


def bordering(year: int) -> pl.DataFrame:
    rows = [
        (*pair, year, kind)
        for (one, other), kind in BORDERS.items()
        for pair in ((one, other), (other, one))
    ]
    return pl.DataFrame(
        rows,
        schema={
            "ccode1": pl.Int32,
            "ccode2": pl.Int32,
            "year": pl.Int16,
            "conttype": pl.Int8,
        },
        orient="row",
    )


@settings(max_examples=25, deadline=None)
@given(worlds(), st.sampled_from(YEARS), st.sampled_from(["land", "water"]))
def test_places_equal_the_definition(treaties: list[Treaty], when: int, border: str) -> None:
    tables = small_tables(treaties)
    tables.frames["cow_contiguity", "dyad_years"] = bordering(when)
    got = {
        name: column(
            tables, "state-year", f"partner_place.allies_{name}", (when, when), border=border
        )
        for name in ("contiguous_n", "contiguous_cinc", "apart_cinc", "log_miles")
    }
    farthest = 1 if border == "land" else 5
    for code in CODES:
        if not present(code, when):
            continue
        partners = [other for other in CODES if other != code and tied(treaties, code, other, when)]
        beside = [
            other
            for other in partners
            if BORDERS.get((min(code, other), max(code, other)), 9) <= farthest
        ]
        key = (code, when)
        assert got["contiguous_n"][key] == len(beside)
        assert got["contiguous_cinc"][key] == pytest.approx(sum(CINC[each] for each in beside))
        apart = sum(CINC[each] for each in partners if each not in beside)
        assert got["apart_cinc"][key] == pytest.approx(apart)
        if not partners:
            assert got["log_miles"][key] is None
            continue
        logs = []
        for other in partners:
            here, there = (np.array(part) for part in (CAPITALS[code], CAPITALS[other]))
            km = float(haversine_km(here[:1], here[1:], there[:1], there[1:])[0])
            logs.append(math.log(km / 1.609344))
        assert got["log_miles"][key] == pytest.approx(sum(logs) / len(logs))


@settings(max_examples=15, deadline=None)
@given(worlds(), st.sampled_from(YEARS))
def test_likeness_is_the_mean_of_s_over_partners(treaties: list[Treaty], when: int) -> None:
    tables = small_tables(treaties)
    got = column(tables, "state-year", "partner_bonds.allies_s", (when, when))
    s = column(tables, "dyad-year", "similarity.s_atop", (when, when))
    for code in CODES:
        if not present(code, when):
            continue
        scores = [
            s[min(code, other), max(code, other), when]
            for other in CODES
            if other != code and tied(treaties, code, other, when)
        ]
        if scores:
            assert got[code, when] == pytest.approx(sum(scores) / len(scores), abs=1e-6)
        else:
            assert got[code, when] is None
