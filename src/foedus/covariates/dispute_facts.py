"""Disputes, their participants and their pairs: the main columns of COW's MID data."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from foedus.covariates.alliance_facts import on_rows
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import Values
from foedus.panels.dispute_units import opposed

DISPUTE_UNITS = ("dispute", "dispute-participant", "dispute-dyad-year", "dispute-joiner")
RELEASE = Option(
    "5.0", "Release of the MID data; the rows of the unit are always 5.0's.", ("5.0", "4.2")
)
_WAR = 5
_KIND: dict[str, type] = {
    "dispute_begun": np.int16, "dispute_ended": np.int16, "dispute_hostility": np.int8,
    "dispute_war": np.int8, "dispute_fatality": np.int8, "dispute_deaths": np.int32,
    "dispute_days_min": np.int32, "dispute_days_max": np.int32, "dispute_reciprocated": np.int8,
    "dispute_outcome": np.int8, "dispute_settlement": np.int8, "dispute_states_a": np.int16,
    "dispute_states_b": np.int16,
}  # fmt: skip


def _row(name: str, kind: Any, says: str, unit: str = "0/1", absent: Any = "missing") -> ColumnSpec:
    return ColumnSpec(name, kind, says, unit=unit, level="row", absent=absent)


@covariate(
    name="dispute",
    title="A dispute as a whole",
    columns=[
        _row("dispute_begun", "integer", "Year in which it began (MIDA styear).", "year"),
        _row("dispute_ended", "integer", "Year in which it ended (endyear).", "year"),
        _row("dispute_hostility", "category", "Highest level: 1 none, 2 threat, 3 display, 4 use "
             "of force, 5 war (hostlev).", "code 1-5"),
        _row("dispute_war", "flag", "1 if it became a war (hostlev 5)."),
        _row("dispute_fatality", "category", "Deaths of all sides: 0 none, 1 to 25, to 100, to "
             "250, to 500, to 999, 6 more (fatality); missing where unknown.", "code 0-6"),
        _row("dispute_deaths", "count", "Deaths of all sides, where the number is known "
             "(fatalpre).", "deaths"),
        _row("dispute_days_min", "count", "Shortest duration that the dates allow (mindur).",
             "days"),
        _row("dispute_days_max", "count", "Longest duration that the dates allow (maxdur).",
             "days"),
        _row("dispute_reciprocated", "flag", "1 if side B did something military too (recip)."),
        _row("dispute_outcome", "category", "How it ended (outcome): 1, 2 victory of A, B; 3, 4 A, "
             "B yields; 5 stalemate; 6 compromise; 7 released; 8 unclear; 9 joins an ongoing war.",
             "code 1-9"),
        _row("dispute_settlement", "category", "1 negotiated, 2 imposed, 3 none, 4 unclear "
             "(settle).", "code 1-4"),
        _row("dispute_states_a", "count", "States on side A (numa).", "states"),
        _row("dispute_states_b", "count", "States on side B (numb).", "states"),
    ],
    sources=["mid"],
    citations=["palmer_etal_2022"],
    options={"release": RELEASE},
    units=DISPUTE_UNITS,
    examples=[
        Example(
            "Dispute 2, over Alaska's border: a display of force that Britain left unanswered; its "
            "first day is unknown.",
            {"dispnum": 2},
            {"dispute_begun": 1902, "dispute_ended": 1903, "dispute_hostility": 3,
             "dispute_war": 0, "dispute_fatality": 0, "dispute_reciprocated": 0,
             "dispute_days_min": 178, "dispute_days_max": 208, "dispute_states_a": 1},
            unit="dispute",
        ),
        Example(
            "Dispute 7: between 26 and 100 deaths, their number unknown.",
            {"dispnum": 7},
            {"dispute_fatality": 2, "dispute_deaths": None, "dispute_reciprocated": 1},
            unit="dispute",
        ),
    ],
)  # fmt: skip
def dispute(context: Context) -> dict[str, Values]:
    """Make the columns of `dispute` from MIDA; what the release doesn't have is missing."""
    facts = context.table("mid", "disputes").select(
        "dispnum",
        dispute_begun="styear",
        dispute_ended="endyear",
        dispute_hostility="hostlev",
        dispute_war=(pl.col("hostlev") == _WAR).cast(pl.Int8),
        dispute_fatality="fatality",
        dispute_deaths="fatalpre",
        dispute_days_min="mindur",
        dispute_days_max="maxdur",
        dispute_reciprocated="recip",
        dispute_outcome="outcome",
        dispute_settlement="settle",
        dispute_states_a="numa",
        dispute_states_b="numb",
    )
    return on_rows(context, facts, ("dispnum",), _KIND)


def _highest(name: str) -> pl.Expr:
    """Return the highest value of a state's spells; null if any of them is unknown."""
    return pl.when(pl.col(name).null_count() == 0).then(pl.col(name).max())


def states_in(participants: pl.DataFrame) -> pl.DataFrame:
    """Put a state's spells in a dispute together: one row a (dispnum, ccode).

    Columns: side_a (of the first spell), originator, revisionist, revision_type, hostility,
    fatality, deaths, days_min, days_max, spells.
    """
    # ASSUME: a state with several spells in a dispute is an originator, a revisionist, as hostile
    # and as bloodied as in the spell in which it was most so; its days are summed.
    shortest = ((pl.col("end_min") - pl.col("start_max")).dt.total_days() + 1).clip(lower_bound=1)
    longest = (pl.col("end_max") - pl.col("start_min")).dt.total_days() + 1
    return (
        participants.sort("dispnum", "ccode", "start_min")
        .group_by("dispnum", "ccode", maintain_order=True)
        .agg(
            side_a=pl.col("sidea").first(),
            originator=pl.col("orig").max(),
            revisionist=pl.col("revstate").max(),
            revision_type=pl.col("revtype1").max(),
            hostility=_highest("hostlev"),
            fatality=_highest("fatality"),
            deaths=pl.when(pl.col("fatalpre").null_count() == 0).then(pl.col("fatalpre").sum()),
            days_min=shortest.sum(),
            days_max=longest.sum(),
            spells=pl.len(),
        )
    )


_STATE_KIND: dict[str, type] = {
    "side_a": np.int8, "originator": np.int8, "revisionist": np.int8, "revision_type": np.int8,
    "hostility": np.int8, "fatality": np.int8, "deaths": np.int32, "days_min": np.int32,
    "days_max": np.int32, "spells": np.int16,
}  # fmt: skip


@covariate(
    name="dispute_participant",
    title="A state's part in a dispute",
    columns=[
        _row("side_a", "flag", "1 on side A, which took the first military action (MIDB sidea); "
             "of the first spell."),
        _row("originator", "flag", "1 if in the dispute on its first day (orig)."),
        _row("revisionist", "flag", "1 if it wanted to change the status quo (revstate)."),
        _row("revision_type", "category", "What it wanted to change: 0 nothing, 1 territory, 2 "
             "policy, 3 regime, 4 other (revtype1).", "code 0-4"),
        _row("hostility", "category", "Its highest level of hostility, 1 to 5 (hostlev).",
             "code 1-5"),
        _row("fatality", "category", "Its own deaths, 0 to 6 (fatality); missing where unknown.",
             "code 0-6"),
        _row("deaths", "count", "Its own deaths, where the number is known (fatalpre).", "deaths"),
        _row("days_min", "count", "Fewest days in the dispute that its dates allow.", "days"),
        _row("days_max", "count", "Most days in the dispute that its dates allow.", "days"),
        _row("spells", "count", "Spells of participation.", "spells"),
    ],
    sources=["mid"],
    citations=["palmer_etal_2022"],
    options={"release": RELEASE},
    units=("dispute-participant",),
    examples=[
        Example(
            "Dispute 2: the United States began it, over territory.",
            {"dispnum": 2, "ccode": 2},
            {"side_a": 1, "originator": 1, "revisionist": 1, "revision_type": 1, "hostility": 3,
             "fatality": 0, "days_min": 178, "days_max": 208, "spells": 1},
            unit="dispute-participant",
        ),
        Example(
            "Dispute 3: Serbia did nothing military in it.",
            {"dispnum": 3, "ccode": 345},
            {"side_a": 0, "originator": 1, "revisionist": 0, "hostility": 1},
            unit="dispute-participant",
        ),
    ],
)  # fmt: skip
def dispute_participant(context: Context) -> dict[str, Values]:
    """Make the columns of `dispute_participant` from MIDB."""
    facts = states_in(context.table("mid", "participants"))
    return on_rows(context, facts, ("dispnum", "ccode"), _STATE_KIND)


_PAIR_KIND: dict[str, type] = dict.fromkeys(
    [
        "dispute_onset", "dispute_initiated", "both_originators",
        *(f"{name}_{side}" for name in ("side_a", "revisionist", "hostility", "fatality")
          for side in ("1", "2")),
    ],
    np.int8,
)  # fmt: skip


@covariate(
    name="dispute_dyad",
    title="A pair's part in a dispute",
    columns=[
        _row("dispute_onset", "flag", "1 in the pair's first year in the dispute."),
        _row("dispute_initiated", "flag", "1 in the pair's first year if state 1 stands on side A "
             "and both are originators."),
        _row("both_originators", "flag", "1 if both were in the dispute on its first day (orig)."),
        *(
            _row(f"{name}_{side}", kind, f"State {side}: {says}", unit)
            for name, kind, says, unit in (
                ("side_a", "flag", "1 on side A.", "0/1"),
                ("revisionist", "flag", "1 if it wanted to change the status quo.", "0/1"),
                ("hostility", "category", "its highest level of hostility, 1 to 5.", "code 1-5"),
                ("fatality", "category", "its own deaths, 0 to 6.", "code 0-6"),
            )
            for side in ("1", "2")
        ),
    ],
    sources=["mid"],
    citations=["palmer_etal_2022"],
    options={"release": RELEASE},
    units=("dispute-dyad-year",),
    examples=[
        Example(
            "Dispute 2, seen from the United States, in its first year.",
            {"dispnum": 2, "ccode1": 2, "ccode2": 200, "year": 1902},
            {"dispute_onset": 1, "dispute_initiated": 1, "both_originators": 1, "side_a_1": 1,
             "side_a_2": 0, "revisionist_1": 1},
            unit="dispute-dyad-year",
        ),
        Example(
            "And from Britain, in its second.",
            {"dispnum": 2, "ccode1": 200, "ccode2": 2, "year": 1903},
            {"dispute_onset": 0, "dispute_initiated": 0, "side_a_1": 0, "side_a_2": 1},
            unit="dispute-dyad-year",
        ),
    ],
)  # fmt: skip
def dispute_dyad(context: Context) -> dict[str, Values]:
    """Make the columns of `dispute_dyad` from MIDB."""
    participants = context.table("mid", "participants")
    part = states_in(participants).select(
        "dispnum", "ccode", "side_a", "originator", "revisionist", "hostility", "fatality"
    )
    rows = opposed(participants)
    for side in ("1", "2"):
        named = {name: f"{name}_{side}" for name in part.columns[2:]}
        own = part.rename({"ccode": f"ccode{side}", **named})
        rows = rows.join(own, on=["dispnum", f"ccode{side}"], how="left")
    first = pl.col("year") == pl.col("first")
    both = (pl.col("originator_1") == 1) & (pl.col("originator_2") == 1)
    facts = rows.with_columns(
        dispute_onset=first.cast(pl.Int8),
        both_originators=both.cast(pl.Int8),
        dispute_initiated=(first & both & (pl.col("side_a_1") == 1)).cast(pl.Int8),
    )
    return on_rows(context, facts, ("dispnum", "ccode1", "ccode2", "year"), _PAIR_KIND)
