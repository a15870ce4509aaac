"""Are great powers' alliances followed by war: counts, shares and base rates, by century.

Levy 1981 counts alliances by whether war follows within five years. A share alone says little,
since a century with many wars has one in most windows of five years. Beside each share stands the
one to be expected if the same states had allied on the same day of any other year of the century.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.atop import OBLIGATIONS, RELEASE
from foedus.covariates.registry import Option
from foedus.panels.alliance_units import memberships
from foedus.panels.system import day_number
from foedus.panels.war_list import NEVER, WarList, load_wars
from foedus.sources.tables import Tables
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure
from foedus.studies.measures_reliability import share_rows

DAYS_A_YEAR = 365.25
# ASSUME: the great powers of 1815 are those of the first day of COW's list, 1 January 1816.
FIRST_DAY_OF_MAJORS = (datetime.date(1816, 1, 1) - datetime.date(1970, 1, 1)).days
CENTURIES = {"19th century": (1815, 1899), "20th century": (1900, 1999)}
POWERS = ("with a great power", "among great powers")
OUTCOMES = ("an ally at war", "two allies at war", "great-power war")
_PLEDGES = {
    "military": ("defense", "offense"),
    "military or neutrality": ("defense", "offense", "neutrality"),
    "any": tuple(OBLIGATIONS),
}


@dataclass(frozen=True)
class Pact:
    """An alliance on its first day: its founders, and whether any or all were great powers."""

    atopid: int
    day: int
    year: int
    founders: frozenset[int]
    with_major: bool
    all_major: bool


def pacts_of(tables: Tables, release: str, pledge: str, wartime: bool) -> list[Pact]:
    """Return ATOP's alliances that promise one of a set of obligations, by first day.

    Parameters
    ----------
    tables : Tables
    release : str
        Release of ATOP.
    pledge : str
        Key of the sets of obligations: military, "military or neutrality", any.
    wartime : bool
        Whether pacts formed while members were at war (ATOP wartime) count.
    """
    members = memberships(tables, release)
    if not wartime:
        members = members.filter(pl.col("wartime").fill_null(0) != 1)
    columns = [OBLIGATIONS[name] for name in _PLEDGES[pledge]]
    founding = members.filter(pl.col("start") == pl.col("start").min().over("atopid"))
    facts = (
        founding.with_columns(owed=pl.max_horizontal(pl.col(columns).fill_null(0)))
        .group_by("atopid")
        .agg(pl.col("start").first(), pl.col("owed").max(), pl.col("member"))
        .filter(pl.col("owed") == 1)
        .sort("start", "atopid")
    )
    majors = tables.get("cow_states", "majors")
    spells = list(
        zip(majors["ccode"], day_number(majors["start"]), day_number(majors["end"]), strict=True)
    )
    days = day_number(facts["start"])
    found = []
    for atopid, start, day, states in zip(
        facts["atopid"], facts["start"], days, facts["member"], strict=True
    ):
        great = {
            ccode
            for ccode, first, last in spells
            if first <= max(int(day), FIRST_DAY_OF_MAJORS) <= last
        }
        founders = frozenset(int(state) for state in states)
        found.append(
            Pact(int(atopid), int(day), start.year, founders,
                 bool(founders & great), len(founders) > 1 and founders <= great)
        )  # fmt: skip
    return found


@dataclass(frozen=True)
class Entries:
    """Who entered which war when, and on which days wars between great powers broke out."""

    warnum: NDArray[np.int64]
    ccode: NDArray[np.int64]
    day: NDArray[np.int64]
    major_wars: NDArray[np.int64]


def entries_of(tables: Tables) -> Entries:
    """Return entries into COW inter-state wars, and the first days of wars of majors on majors."""
    wars = load_wars(tables)
    known = wars.start != NEVER
    return Entries(
        wars.warnum[known], wars.ccode[known], wars.start[known],
        np.sort(np.array(list(_major_wars(wars, tables)), np.int64)),
    )  # fmt: skip


def _major_wars(wars: WarList, tables: Tables) -> Iterator[int]:
    majors = tables.get("cow_states", "majors")
    first, last = day_number(majors["start"]), day_number(majors["end"])
    ccodes = majors["ccode"].to_numpy()
    for at, warnum in enumerate(wars.numbers):
        spells = np.flatnonzero(wars.warnum == warnum)
        great = [
            bool(((ccodes == wars.ccode[spell]) & (first <= wars.start[spell])
                  & (wars.start[spell] <= last)).any())
            for spell in spells
        ]  # fmt: skip
        if len(set(wars.side[spells][great])) > 1:
            yield int(wars.first_day[at])


def outcomes(
    pact: Pact, starts: NDArray[np.int64], entries: Entries, years: float
) -> dict[str, NDArray[np.bool_]]:
    """Return for each start of a window whether each outcome falls within `years` after it."""
    width = round(years * DAYS_A_YEAR)
    own = np.isin(entries.ccode, list(pact.founders))
    after = entries.day[own][None, :] - starts[:, None]
    inside = (after > 0) & (after <= width)
    wars = entries.warnum[own]
    together = np.zeros(len(starts), bool)
    for warnum in np.unique(wars):
        states = entries.ccode[own][wars == warnum]
        rows = inside[:, wars == warnum]
        for state in np.unique(states):
            # two different founders in the same war, both within the window
            together |= rows[:, states == state].any(1) & rows[:, states != state].any(1)
    gap = entries.major_wars[None, :] - starts[:, None]
    return {
        "an ally at war": np.asarray(inside.any(axis=1)),
        "two allies at war": together,
        "great-power war": np.asarray(((gap > 0) & (gap <= width)).any(axis=1)),
    }


def binomials_tail(chances: NDArray[np.float64], hits: int) -> float:
    """Return the two-sided p-value of `hits` successes of independent trials of unequal chances.

    The exact distribution, by convolution (Poisson binomial); twice the smaller tail, at most 1.
    """
    mass = np.ones(1)
    for chance in chances:
        mass = np.convolve(mass, [1 - chance, chance])
    return float(min(1.0, 2 * min(mass[: hits + 1].sum(), mass[hits:].sum())))


_TERMS = [
    *(f"alliances {power}, {when}" for power in POWERS for when in (*CENTURIES, "all")),
    *(f"share among great powers, {when}" for when in (*CENTURIES, "all")),
    *(
        f"{part} {outcome} {power}, {when}"
        for part in ("count", "share", "expected", "excess")
        for outcome in OUTCOMES
        for power in POWERS
        for when in (*CENTURIES, "all")
    ),
    "wars with a great power, 1495-1975",
]


@measure(
    "alliances_then_war",
    says="How many alliances of great powers are followed by war within some years, by century, "
    "and how many would be if the same states had allied in another year of the century.",
    citations=["levy_1981", "leeds_etal_2002", "sarkees_wayman_2010"],
    options={
        "release": RELEASE,
        "pledge": Option("military", "Which obligations make an alliance.", tuple(_PLEDGES)),
        "wartime": Option(
            False, "Whether pacts formed in war count (ATOP wartime).", (False, True)
        ),
        "years": Option(5, "Years within which war must follow."),
        "last_year": Option(1975, "Last year in which an alliance is formed."),
    },
    terms=_TERMS,
)
def alliances_then_war(context: MeasureContext) -> MeasureResult:
    """Count, and compare with the base rate; alliances whose window runs past 2007 are left out."""
    options = context.options
    years, last = float(options["years"]), int(options["last_year"])
    pacts = pacts_of(context.tables, options["release"], options["pledge"], options["wartime"])
    last = min(last, int(context.tables.coverage("cow_interstate_wars")[1] - years))
    pacts = [pact for pact in pacts if pact.year <= last]
    entries = entries_of(context.tables)
    rows: list[MeasureRow] = []
    bars: list[MeasureRow] = []
    spans = {**CENTURIES, "all": (1815, last)}
    for when, span in spans.items():
        rows += _counts(pacts, when, span)
        for power in POWERS:
            chosen = [pact for pact in pacts if _counts_as(pact, power) and _within(pact, span)]
            made = _followed(
                chosen, f"{power}, {when}", (span[0], min(span[1], last)), entries, years
            )
            rows += made
            bars += [row for row in made if row.term.startswith(("share", "expected"))]
    listed = context.tables.get("great_power_wars", "wars")
    early = int((listed["year"] <= 1975).sum())
    rows.append(MeasureRow("wars with a great power, 1495-1975", float(early), kind="count"))
    return MeasureResult(rows, plots={"shares": _bars(bars)})


def _counts_as(pact: Pact, power: str) -> bool:
    return pact.with_major if power == POWERS[0] else pact.all_major


def _within(pact: Pact, span: Sequence[int]) -> bool:
    return span[0] <= pact.year <= span[1]


def _counts(pacts: Sequence[Pact], when: str, span: Sequence[int]) -> list[MeasureRow]:
    inside = [pact for pact in pacts if _within(pact, span)]
    any_, all_ = sum(pact.with_major for pact in inside), sum(pact.all_major for pact in inside)
    counts = [
        MeasureRow(f"alliances {POWERS[0]}, {when}", float(any_), kind="count"),
        MeasureRow(f"alliances {POWERS[1]}, {when}", float(all_), kind="count"),
    ]
    return [*counts, *share_rows(f"share among great powers, {when}", all_, any_)]


def _followed(
    pacts: Sequence[Pact], name: str, span: tuple[int, int], entries: Entries, years: float
) -> list[MeasureRow]:
    """Return count, share, expected share and excess of each outcome for some alliances."""
    calendar = np.arange(span[0], span[1] + 1)
    seen: dict[str, list[bool]] = {outcome: [] for outcome in OUTCOMES}
    chances: dict[str, list[float]] = {outcome: [] for outcome in OUTCOMES}
    for pact in pacts:
        shifted = pact.day + np.round((calendar - pact.year) * DAYS_A_YEAR).astype(np.int64)
        found = outcomes(pact, np.append(shifted, pact.day), entries, years)
        for outcome in OUTCOMES:
            seen[outcome].append(bool(found[outcome][-1]))
            chances[outcome].append(float(found[outcome][:-1].mean()))
    rows = []
    for outcome in OUTCOMES:
        rows += _compared(f"{outcome} {name}", sum(seen[outcome]), np.array(chances[outcome]))
    return rows


def _compared(name: str, hits: int, chances: NDArray[np.float64]) -> list[MeasureRow]:
    n = len(chances)
    count = MeasureRow(f"count {name}", float(hits), kind="count", n=n)
    if n == 0:
        none = "there is no such alliance"
        return [count, *(MeasureRow(f"{part} {name}", None, note=none)
                         for part in ("share", "expected", "excess"))]  # fmt: skip
    expected = float(chances.mean())
    spread = float(np.sqrt((chances * (1 - chances)).sum())) / n
    excess = hits / n - expected
    return [
        count,
        *share_rows(f"share {name}", hits, n),
        MeasureRow(f"expected {name}", expected, kind="share", n=n),
        MeasureRow(
            f"excess {name}", excess, std_error=spread, n=n, n_events=hits,
            ci_low=excess - 1.96 * spread, ci_high=excess + 1.96 * spread,
            p_value=binomials_tail(chances, hits), how="against other years",
        ),
    ]  # fmt: skip


def _bars(rows: Sequence[MeasureRow]) -> Mapping[str, Any]:
    leads = {row.term: row for row in reversed(rows) if row.estimate is not None}
    shown = [
        leads[term]
        for outcome in OUTCOMES
        for when in CENTURIES
        for term in (
            f"share {outcome} {POWERS[1]}, {when}",
            f"expected {outcome} {POWERS[1]}, {when}",
        )
        if term in leads
    ]
    return {
        "type": "bars",
        "title": "Alliances among great powers that war follows, and the share to be expected",
        "labels": [row.term.replace(f" {POWERS[1]}", "") for row in shown],
        "rebuilt": [row.estimate for row in shown],
        "ci_low": [row.ci_low for row in shown],
        "ci_high": [row.ci_high for row in shown],
        "n": [row.n for row in shown],
        "unit": "share",
        "xlabel": "Share of alliances (95 % Wilson interval)",
    }
