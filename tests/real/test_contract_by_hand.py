"""The contract's columns of all directed dyad-years, made again from the raw files by plain loops.

Nothing here but the panel under test comes from foedus: states, spells and pairs are read with
pandas and written into arrays cell by cell.
"""

from __future__ import annotations

import calendar
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from foedus.covariates.assemble import VariableRequest, build_panel, build_variables
from foedus.sources.tables import Tables

pytestmark = pytest.mark.real

FIRST, LAST = 1816, 2010
N_YEARS = LAST - FIRST + 1
COVARIATES = [
    "major", "contiguity", "capital_distance", "min_distance", "nmc", "capability_share", "mid",
    "gml", "war", "peace_years", "rivalry",
]  # fmt: skip
NMC = ("milex", "milper", "irst", "pec", "tpop", "upop", "cinc")
Spell = tuple[int, int, int, int, int, int]


def first_day(year: int, month: int, day: int) -> int:
    return date(int(year), max(int(month), 1), max(int(day), 1)).toordinal()


def last_day(year: int, month: int, day: int) -> int:
    month = int(month) if month > 0 else 12
    longest = calendar.monthrange(int(year), month)[1]
    return date(int(year), month, int(day) if day > 0 else longest).toordinal()


def year_of(day: int) -> int:
    return date.fromordinal(day).year


def during(first: int, last: int) -> slice:
    """The places of a span's years."""
    return slice(max(int(first), FIRST) - FIRST, max(min(int(last), LAST) - FIRST + 1, 0))


class Raw:
    """The raw files as arrays over (state, state, year), by the words of the contract."""

    def __init__(self, sources: Path) -> None:
        self.sources = sources
        states = self.csv("states2016.csv", encoding="latin1")
        self.codes = sorted(states["ccode"].unique())
        self.at = {code: place for place, code in enumerate(self.codes)}
        self.n = len(self.codes)
        self.spells: dict[int, list[tuple[int, int]]] = {}
        for row in states.itertuples():
            start = first_day(row.styear, row.stmonth, row.stday)
            end = last_day(row.endyear, row.endmonth, row.endday)
            self.spells.setdefault(self.at[row.ccode], []).append((start, end))
        self.together = np.zeros((self.n, self.n, N_YEARS), dtype=bool)
        for one, his in self.spells.items():
            for other, hers in self.spells.items():
                for (a, b), (c, d) in ((x, y) for x in his for y in hers):
                    if one != other and max(a, c) <= min(b, d):
                        years = during(year_of(max(a, c)), year_of(min(b, d)))
                        self.together[one, other, years] = True
        self.place = np.nonzero(self.together)

    def csv(self, name: str, **how: Any) -> pd.DataFrame:
        return pd.read_csv(next(self.sources.rglob(name)), **how)

    def cube(self, fill: float = 0.0) -> np.ndarray:
        return np.full((self.n, self.n, N_YEARS), fill)

    def of_states(self, rows: Iterable[tuple[int, int, float]]) -> np.ndarray:
        made = np.full((self.n, N_YEARS), np.nan)
        for code, year, value in rows:
            if code in self.at and FIRST <= year <= LAST:
                made[self.at[code], int(year) - FIRST] = value
        return made

    def rows(self, cube: np.ndarray, last: int = LAST) -> np.ndarray:
        values = cube[self.place].copy()
        values[self.place[2] + FIRST > last] = np.nan
        return values


def facts_of_states(raw: Raw) -> dict[str, np.ndarray]:
    one, other, year = raw.place
    majors = np.zeros((raw.n, N_YEARS))
    for row in raw.csv("majors2016.csv").itertuples():
        majors[raw.at[row.ccode], during(row.styear, row.endyear)] = 1
    made = {"major1": majors[one, year], "major2": majors[other, year]}
    nmc = raw.csv("NMC-60-abridged.csv")
    for name in NMC:
        values = raw.of_states(
            zip(nmc["ccode"], nmc["year"], nmc[name].replace(-9, np.nan), strict=True)
        )
        made |= {f"{name}1": values[one, year], f"{name}2": values[other, year]}
    with np.errstate(invalid="ignore"):
        made["capability_share"] = made["cinc1"] / (made["cinc1"] + made["cinc2"])
    capitals = raw.csv("cow_capitals.csv").sort_values("stdate", ascending=False)
    where = np.full((raw.n, N_YEARS, 2), np.nan)
    for row in capitals.itertuples():  # the earliest of a year is written last
        if row.ccode in raw.at:
            years = during(row.stdate[:4], row.enddate[:4])
            where[raw.at[row.ccode], years] = (row.lat, row.lng)
    (lat1, lng1), (lat2, lng2) = (np.radians(where[i, year]).T for i in (one, other))
    half = np.sin((lat2 - lat1) / 2) ** 2
    half += np.cos(lat1) * np.cos(lat2) * np.sin((lng2 - lng1) / 2) ** 2
    made["capital_distance_km"] = 2 * 6378.137 * np.arcsin(np.sqrt(half))
    return made


def facts_of_pairs(raw: Raw) -> dict[str, np.ndarray]:
    contiguity = raw.csv("contdird.csv").sort_values("conttype", ascending=False)
    closest, least = raw.cube(), raw.cube(np.nan)
    for a, b, year, kind in contiguity[["state1no", "state2no", "year", "conttype"]].to_numpy():
        if year <= LAST:
            closest[raw.at[a], raw.at[b], year - FIRST] = kind
    distances = raw.csv("cow_mindist.csv.gz")
    known = distances["ccode1"].isin(raw.at) & distances["ccode2"].isin(raw.at)
    distances = distances[known & (distances["year"] <= LAST)]
    a, b = (distances[name].map(raw.at).to_numpy() for name in ("ccode1", "ccode2"))
    year = distances["year"].to_numpy() - FIRST
    least[a, b, year] = least[b, a, year] = distances["mindist"]
    made = {
        "conttype": raw.rows(closest),
        "contiguous": raw.rows(np.where(closest == 1, 1.0, 0.0)),
        "min_distance_km": raw.rows(least),
    }
    # Numbers that no state has in a rivalry's years: see the corrections files of the sources.
    mended = {
        ("td", 93): (670, 678), ("td", 153): (678, 680), ("tss", 19): (255, 300),
        ("tss", 92): (670, 678), ("tss", 140): (670, 678), ("tss", 141): (663, 678),
        ("tss", 158): (680, 698),
    }  # fmt: skip
    for name in ("td", "tss"):
        cube = raw.cube()
        for row in raw.csv(f"{name}_rivalries.csv").itertuples(index=False):
            begun, ended = (row.styear, row.endyear) if name == "td" else (row.start, row.end)
            pair = mended.get((name, row[0]), (row.ccode1, row.ccode2))
            for year in range(max(begun, FIRST), min(ended, LAST) + 1):
                a, b = (raw.at.get(305 if one == 300 and year > 1918 else one) for one in pair)
                if a is not None and b is not None:
                    cube[a, b, year - FIRST] = cube[b, a, year - FIRST] = 1
        made[f"rivalry_{name}"] = raw.rows(cube)
    return made


def opponents(spells: pd.DataFrame) -> list[tuple[int, int, int, int, int]]:
    """Number, the places of two spells on opposite sides that share a day, and its years."""
    found = []
    for number, group in spells.groupby("number"):
        rows = list(group.itertuples())
        for one, other in ((x, y) for x in rows for y in rows):
            start, end = max(one.start, other.start), min(one.end, other.end)
            if one.side != other.side and one.ccode != other.ccode and start <= end:
                found.append((number, one.Index, other.Index, year_of(start), year_of(end)))
    return found


def mid_rows(raw: Raw) -> pd.DataFrame:
    """Dispute-dyad-years of MIDB with what began and the dispute's levels."""
    mida, midb = raw.csv("MIDA 5.0.csv").set_index("dispnum"), raw.csv("MIDB 5.0.csv")
    spells = pd.DataFrame(
        {
            "number": midb["dispnum"], "ccode": midb["ccode"], "side": midb["sidea"],
            "orig": midb["orig"],
            "start": [first_day(*day) for day in midb[["styear", "stmon", "stday"]].to_numpy()],
            "end": [last_day(*day) for day in midb[["endyear", "endmon", "endday"]].to_numpy()],
        }
    )  # fmt: skip
    ever = spells.groupby(["number", "ccode"])["orig"].max()
    rows = [
        (number, spells.ccode[a], spells.ccode[b], year, spells.side[a],
         min(ever[number, spells.ccode[a]], ever[number, spells.ccode[b]]))
        for number, a, b, first, last in opponents(spells)
        for year in range(first, last + 1)
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["number", "ccode1", "ccode2", "year", "side", "origs"])
    frame = frame.groupby(["number", "ccode1", "ccode2", "year"], as_index=False).max()
    first = frame.groupby(["number", "ccode1", "ccode2"])["year"].transform("min")
    frame["onset"] = frame["year"] == first
    return frame.join(mida[["hostlev", "fatality"]], on="number")


def gml_rows(raw: Raw) -> pd.DataFrame:
    gml = raw.csv("gml_dirdisp.csv.gz")
    return gml.assign(
        number=gml["dispnum"], side=gml["sidea1"], origs=gml[["orig1", "orig2"]].min(axis=1),
        onset=gml["midonset"] == 1,
    )  # fmt: skip


def war_rows(raw: Raw) -> pd.DataFrame:
    text = next(raw.sources.rglob("Inter-StateWarData_v4.0.csv")).read_bytes().decode("latin1")
    list_ = pd.read_csv(io.StringIO(text.replace("\r", "\n")), thousands=",")
    parts = []
    for row in list_.itertuples(index=False):
        told = row._asdict()
        for time in "12":
            begin, finish = (
                [told[f"{edge}{part}{time}"] for part in ("Year", "Month", "Day")]
                for edge in ("Start", "End")
            )
            if begin[0] > 0:
                parts.append((row.WarNum, row.ccode, row.Side, int(row.Initiator == 1),
                              first_day(*begin), last_day(*finish)))  # fmt: skip
    spells = pd.DataFrame(parts, columns=["number", "ccode", "side", "began", "start", "end"])
    rows = [
        (number, spells.ccode[a], spells.ccode[b], year, spells.began[a], spells.began[b])
        for number, a, b, first, last in opponents(spells)
        for year in range(first, last + 1)
    ]
    frame = pd.DataFrame(rows, columns=["number", "ccode1", "ccode2", "year", "side", "other"])
    frame = frame.groupby(["number", "ccode1", "ccode2", "year"], as_index=False).max()
    first = frame.groupby(["number", "ccode1", "ccode2"])["year"].transform("min")
    return frame.assign(onset=frame["year"] == first, origs=1 - frame["other"])


def conflicts(raw: Raw, name: str, frame: pd.DataFrame, last: int) -> dict[str, np.ndarray]:
    states = frame["ccode1"].isin(raw.at) & frame["ccode2"].isin(raw.at)
    frame = frame[states & (frame["year"] <= LAST)]
    cell = (
        frame["ccode1"].map(raw.at).to_numpy(), frame["ccode2"].map(raw.at).to_numpy(),
        frame["year"].to_numpy() - FIRST,
    )  # fmt: skip
    ongoing, onset, began = raw.cube(), raw.cube(), raw.cube()
    np.maximum.at(ongoing, cell, 1)
    np.maximum.at(onset, cell, frame["onset"].astype(float))
    np.maximum.at(
        began, cell, (frame["onset"] & (frame["side"] == 1) & (frame["origs"] == 1)).astype(float)
    )
    made = {f"{name}_onset": onset, f"{name}_ongoing": ongoing, f"{name}_initiated": began}
    if name != "war":
        for level, column in (("hostility", "hostlev"), ("fatality", "fatality")):
            highest = raw.cube(-9)
            np.maximum.at(highest, cell, frame[column].astype(float))
            made[f"{name}_{level}"] = np.where(ongoing == 0, 0.0, highest)
            made[f"{name}_{level}"][(ongoing == 1) & (highest < 0)] = np.nan
    peace, running = raw.cube(), np.zeros((raw.n, raw.n))
    for year in range(N_YEARS):
        peace[..., year] = running
        running = np.where(ongoing[..., year] == 1, 0, running + raw.together[..., year])
    made[f"{name}_peace_years"] = peace
    return {column: raw.rows(cube, last) for column, cube in made.items()}


@pytest.fixture(scope="module")
def raw(real_sources: Path) -> Raw:
    return Raw(real_sources)


def test_sums_and_cells_of_every_year(raw: Raw, tables: Tables) -> None:
    one, other, year = raw.place
    hand = facts_of_states(raw) | facts_of_pairs(raw)
    hand |= conflicts(raw, "mid", mid_rows(raw), 2014)
    hand |= conflicts(raw, "gml", gml_rows(raw), 2010)
    hand |= conflicts(raw, "war", war_rows(raw), 2007)
    panel = build_panel(tables, "directed-dyad-year", (FIRST, LAST), COVARIATES)
    codes = np.array(raw.codes)
    order = np.lexsort((year, codes[other], codes[one]))
    keys = {"ccode1": codes[one], "ccode2": codes[other], "year": year + FIRST}
    for name, values in keys.items():
        np.testing.assert_array_equal(panel.columns[name], values[order])
    ours = panel.to_pandas().drop(columns=list(keys))
    assert set(ours.columns) == set(hand)
    when = panel.columns["year"]
    for name in ours.columns:
        mine, theirs = ours[name].to_numpy(float, na_value=np.nan), hand[name][order]
        assert np.array_equal(np.isnan(mine), np.isnan(theirs)), name
        sums = [pd.Series(values).groupby(when).sum().to_numpy() for values in (mine, theirs)]
        # Sums of distances and dollars are of floats, in one order; the arithmetic of a distance
        # differs (haversine here), by less than a centimetre.
        np.testing.assert_allclose(*sums, rtol=1e-9, err_msg=name)
        gone = np.isnan(mine)
        np.testing.assert_allclose(mine[~gone], theirs[~gone], rtol=1e-9, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("year", [1914, 1939, 1985])
def test_third_parties_one_pledge_at_a_time(raw: Raw, tables: Tables, year: int) -> None:
    """With every member's row read as owed to all partners (option pairs: members)."""
    atop = raw.csv("atop5_1m.csv").iloc[:, :80].copy()
    atop = atop[(atop["yrent"] <= year) & ((atop["yrexit"] == 0) | (atop["yrexit"] >= year))]
    atop = atop.assign(
        start=[first_day(*day) for day in atop[["yrent", "moent", "dayent"]].to_numpy()],
        end=[
            last_day(*day) if day[0] else date(2018, 12, 31).toordinal()
            for day in atop[["yrexit", "moexit", "dayexit"]].to_numpy()
        ],
    )
    rules = {
        "target_defense": ("defense", "defcoadv"),
        "challenger_offense": ("offense", "offcoadv"),
        "challenger_neutrality": ("neutral", "neucoadv"),
    }
    binds: dict[str, set[tuple[int, int, int]]] = {name: set() for name in rules}
    in_year = [code for code in raw.codes if raw.together[raw.at[code], :, year - FIRST].any()]
    edges = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    for _, pact in atop.groupby(["atopid", "phase"]):
        members = list(pact.itertuples())
        for giver, holder in ((x, y) for x in members for y in members):
            start, end = max(giver.start, holder.start), min(giver.end, holder.end)
            if giver.member == holder.member or max(start, edges[0]) > min(end, edges[1]):
                continue
            for name, (pledge, limited) in rules.items():
                if getattr(giver, pledge) != 1 or giver.member not in in_year:
                    continue
                named = [one for one in (giver.statthr1, giver.statthr2) if one > 0]
                against = named if getattr(giver, limited) == 1 and named else in_year
                binds[name] |= {(giver.member, holder.member, foe) for foe in against}
    panel = build_variables(
        tables, "directed-dyad-year", (year, year),
        {name: VariableRequest("atop_third_party", f"{name}_n", {"pairs": "members"})
         for name in rules},
    )  # fmt: skip
    ours = panel.to_pandas()
    for name, found in binds.items():
        counted: dict[tuple[int, int], int] = {}
        for giver, holder, foe in found:
            if giver != foe:
                pair = (foe, holder) if name.startswith("target") else (holder, foe)
                counted[pair] = counted.get(pair, 0) + 1
        hand = [counted.get(pair, 0) for pair in zip(ours["ccode1"], ours["ccode2"], strict=True)]
        np.testing.assert_array_equal(ours[name].to_numpy(), hand, err_msg=name)
        assert sum(hand) > 0
