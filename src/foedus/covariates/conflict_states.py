"""A state's conflicts in a year, and its wars outside and within the state system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.conflict_choice import (
    EXCLUDE,
    SOURCE,
    SOURCES,
    WAR,
    kept_conflicts,
    refuse_uncoded,
)
from foedus.covariates.conflict_dyads import CITATIONS
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import StateYears, Values
from foedus.panels.spans import each_year
from foedus.panels.system import StateSystem


def _count(name: str, says: str) -> ColumnSpec:
    return ColumnSpec(f"state_conflicts_{name}", "count", says, unit="conflicts", level="state")


COLUMNS = [
    _count("ongoing", "Conflicts in which the state opposes another on any day of the year."),
    _count("entered", "Conflicts that the state enters this year for the first time."),
    _count("initiated", "Conflicts that it enters this year as an originator on side A."),
    _count("targeted", "Conflicts that it enters this year as an originator on side B."),
    _count("joined", "Conflicts that it enters this year after their first day."),
    _count("wars", "Conflicts that it enters this year that are or become wars (hostility 5)."),
    ColumnSpec(
        "state_hostility",
        "category",
        "Highest hostility level (1-5) of the state's conflicts of the year, 0 without one.",
        unit="code 0-5",
        level="state",
    ),
    ColumnSpec(
        "state_opponents",
        "count",
        "States that it opposes in a conflict on any day of the year.",
        unit="states",
        level="state",
    ),
]
_NEEDS = {"initiated": "side", "targeted": "side", "joined": "originator1", "wars": "hostility"}


@covariate(
    name="state_conflict",
    title="A state's conflicts of the year, from any of eight lists",
    columns=COLUMNS,
    sources=list(dict.fromkeys(SOURCES.values())),
    choices=SOURCES,
    citations=CITATIONS,
    options={"source": SOURCE, "exclude": EXCLUDE},
    extras=[spec.name for spec in COLUMNS if not spec.name.endswith(("ongoing", "entered"))],
    examples=[
        Example(
            "The United States enters the Mexican-American war in 1846.",
            {"ccode": 2, "year": 1846},
            {"state_conflicts_entered": 1, "state_conflicts_initiated": 1,
             "state_conflicts_joined": 0, "state_opponents": 1},
            unit="state-year",
            options={"source": "war"},
        ),
        Example(
            "It joins the First World War in 1917.",
            {"ccode": 2, "year": 1917},
            {"state_conflicts_entered": 1, "state_conflicts_joined": 1,
             "state_conflicts_targeted": 0},
            unit="state-year",
            options={"source": "war"},
        ),
        Example(
            "Switzerland has no dispute in 1950.",
            {"ccode": 225, "year": 1950},
            {"state_conflicts_ongoing": 0, "state_conflicts_entered": 0, "state_hostility": 0},
            unit="state-year",
        ),
    ],
)  # fmt: skip
def state_conflict(context: Context) -> dict[str, Values]:
    """Make counts of a state's conflicts; a conflict with several opponents counts once.

    Raises
    ------
    UsageError
        If the list doesn't code what is asked.
    """
    asked = {name.removeprefix("state_conflicts_") for name in context.wanted}
    for name in asked & _NEEDS.keys():
        refuse_uncoded(context.options["source"], _NEEDS[name], f"state_conflicts_{name}")
    if "state_hostility" in asked:
        refuse_uncoded(context.options["source"], "hostility", "state_hostility")
    rows = kept_conflicts(context)
    taking_part = (
        rows.group_by("conflict", "ccode1", "year")
        .agg(
            pl.col("side").max(),
            originator=pl.col("originator1").max(),
            hostility=pl.col("hostility").max(),
        )
        .with_columns(first=pl.col("year") == pl.col("year").min().over("conflict", "ccode1"))
    )
    entered, originator = pl.col("first"), pl.col("originator") == 1
    opponents = pl.col("ccode2").n_unique()
    facts = taking_part.group_by("ccode1", "year").agg(
        state_conflicts_ongoing=pl.len(),
        state_conflicts_entered=entered.sum(),
        state_conflicts_initiated=(entered & originator & (pl.col("side") == 1)).sum(),
        state_conflicts_targeted=(entered & originator & (pl.col("side") == 0)).sum(),
        state_conflicts_joined=(entered & (pl.col("originator") == 0)).sum(),
        state_conflicts_wars=(entered & (pl.col("hostility") == WAR)).sum(),
        state_hostility=pl.col("hostility").max(),
    )
    facts = facts.join(
        rows.group_by("ccode1", "year").agg(state_opponents=opponents), on=["ccode1", "year"]
    )
    return {
        name: StateYears(_counts(context.system, facts.rename({"ccode1": "ccode"}), name))
        for name in sorted(context.wanted)
    }


def _counts(system: StateSystem, facts: pl.DataFrame, column: str) -> NDArray[np.int16]:
    """Return a count over (state, year): 0 where no row stands."""
    cube = np.zeros((system.n_states, system.n_years), np.int16)
    state = system.index(facts["ccode"].to_numpy())
    year = facts["year"].to_numpy() - system.first_year
    inside = (state >= 0) & (year >= 0) & (year < system.n_years)
    values = facts[column].cast(pl.Int16).fill_null(np.iinfo(np.int16).min).to_numpy()
    cube[state[inside], year[inside]] = values[inside]
    return cube


def _spell_years(wars: pl.DataFrame, ccodes: Mapping[str, str], spells: int) -> pl.DataFrame:
    """Return war, ccode, year and whether the war begins for it then; an open end is the last year.

    Parameters
    ----------
    ccodes : mapping
        Column with the state's number to what it is.
    spells : int
        Number of pairs of columns start1, end1, ...
    """
    parts = [
        wars.select("warnum", ccode=column, start=f"start{n}", end=f"end{n}", first=pl.lit(n == 1))
        for column in ccodes
        for n in range(1, spells + 1)
    ]
    rows = pl.concat(parts).drop_nulls(["ccode", "start"])
    last = rows["end"].dt.year().fill_null(9999).to_numpy()
    # ASSUME: a war without an end goes on until the coverage ends, which the builder bounds.
    last = np.minimum(last, 2100)
    span, year = each_year(rows["start"].dt.year().to_numpy(), last)
    return (
        rows[span]
        .with_columns(year=pl.Series(year, dtype=pl.Int32))
        .group_by("warnum", "ccode", "year")
        .agg(begins=(pl.col("first") & (pl.col("start").dt.year() == pl.col("year"))).any())
    )


_OTHER: dict[str, tuple[str, str, dict[str, str], int, str]] = {
    "extra": ("cow_extrastate_wars", "participants", {"ccode1": "a", "ccode2": "b"}, 2,
              "extra-state war (against a party outside the state system)"),
    "intra": ("cow_intrastate_wars", "wars", {"ccodea": "government"}, 4,
              "intra-state war on side A"),
}  # fmt: skip


def _other_columns(kind: str) -> list[ColumnSpec]:
    what = _OTHER[kind][-1]
    return [
        ColumnSpec(
            f"{kind}_war_ongoing", "flag", f"1 if the state fights an {what} on any day of the "
            "year.", level="state",
        ),
        ColumnSpec(
            f"{kind}_war_onset", "flag", f"1 if an {what} begins for it this year.", level="state",
        ),
        ColumnSpec(
            f"{kind}_wars", "count", f"Wars of that kind ({kind}-state) that it fights this year.",
            unit="wars", level="state",
        ),
    ]  # fmt: skip


def _other_wars(context: Context, kind: str, source: str, table: str) -> dict[str, Values]:
    ccodes, spells = _OTHER[kind][2:4]
    wars = context.tables.get(source, table)
    known = [n for n in range(1, spells + 1) if f"start{n}" in wars.columns]
    ccodes = {name: says for name, says in ccodes.items() if name in wars.columns}
    facts = (
        _spell_years(wars, ccodes, len(known))
        .group_by("ccode", "year")
        .agg(wars=pl.col("warnum").n_unique(), begins=pl.col("begins").any())
    )
    counts = _counts(context.system, facts, "wars")
    begins = _counts(context.system, facts, "begins")
    return {
        f"{kind}_war_ongoing": StateYears((counts > 0).astype(np.int8)),
        f"{kind}_war_onset": StateYears(begins.astype(np.int8)),
        f"{kind}_wars": StateYears(counts),
    }


@covariate(
    name="extrastate_war",
    title="War against parties outside the state system",
    columns=_other_columns("extra"),
    sources=["cow_extrastate_wars"],
    citations=["sarkees_wayman_2010"],
    examples=[
        Example(
            "The allied bombardment of Algiers, August 1816: the United Kingdom takes part.",
            {"ccode": 200, "year": 1816},
            {"extra_war_ongoing": 1, "extra_war_onset": 1},
            unit="state-year",
        ),
        Example(
            "Switzerland fights none.",
            {"ccode": 225, "year": 1900},
            {"extra_war_ongoing": 0, "extra_war_onset": 0, "extra_wars": 0},
            unit="state-year",
        ),
    ],
)
def extrastate_war(context: Context) -> dict[str, Values]:
    """Make the three `extra_` columns; no war is 0 in 1816-2007 and missing after."""
    return _other_wars(context, "extra", "cow_extrastate_wars", "participants")


INTRA: dict[Any, tuple[str, str]] = {
    "5.1": ("cow_intrastate_wars", "wars"),
    "4.1": ("cow_intrastate_wars_4.1", "participants"),
}


@covariate(
    name="intrastate_war",
    title="War within the state, in COW's list",
    columns=_other_columns("intra"),
    sources=["cow_intrastate_wars", "cow_intrastate_wars_4.1"],
    choices={release: source for release, (source, _) in INTRA.items()},
    citations=["dixon_sarkees_2016", "sarkees_wayman_2010"],
    options={
        "source": Option(
            "5.1",
            "Release of the list; in 4.1 states that intervene on side A have rows of their own.",
            tuple(INTRA),
        ),
    },
    examples=[
        Example(
            "The American Civil War begins in 1861.",
            {"ccode": 2, "year": 1861},
            {"intra_war_ongoing": 1, "intra_war_onset": 1, "intra_wars": 1},
            unit="state-year",
        ),
        Example(
            "In 1863 it goes on, in release 4.1 as well.",
            {"ccode": 2, "year": 1863},
            {"intra_war_ongoing": 1, "intra_war_onset": 0},
            unit="state-year",
            options={"source": "4.1"},
        ),
    ],
)
def intrastate_war(context: Context) -> dict[str, Values]:
    """Make the three `intra_` columns: wars in which the state is coded on side A.

    No war is 0 inside the release's years and missing after.
    """
    return _other_wars(context, "intra", *INTRA[context.options["source"]])
