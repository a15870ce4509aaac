"""Conflict between two states from any of eight lists, under declared choices."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.conflict_choice import (
    EXCLUDE,
    SEVERAL,
    SOURCE,
    SOURCES,
    WAR,
    chosen_conflicts,
    codes,
    kept_conflicts,
    refuse_uncoded,
    scatter,
)
from foedus.covariates.context import Context
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import DyadYears, Values, missing_of

CITATIONS = [
    "palmer_etal_2022", "gibler_miller_little_2016", "sarkees_wayman_2010",
    "reiter_stam_horowitz_2016", "gleditsch_2004", "gleditsch_etal_2002", "miller_2022",
]  # fmt: skip
LEVELS = Option(
    "dispute",
    "Whose hostility and fatality: the whole conflict's, or the higher of the two states' own.",
    ("dispute", "dyad"),
)
_OWN_SAYS = "of the conflict that speaks for the year; 0 without one"


def _flag(name: str, says: str, collapse: Any = "same") -> ColumnSpec:
    return ColumnSpec(f"conflict_{name}", "flag", says, collapse=collapse)


def _code(name: str, says: str, unit: str, collapse: Any = "same", kind: Any = "category") -> Any:
    return ColumnSpec(f"conflict_{name}", kind, says, unit=unit, collapse=collapse)


COLUMNS = [
    _flag("onset", "1 in the first year in which the two oppose each other in a conflict."),
    _flag("ongoing", "1 if the two oppose each other in a conflict on any day of the year."),
    _flag("initiated", "1 if state 1 began a conflict against state 2 this year (option who); in "
          "undirected dyads, either against the other.", "max"),
    _flag("joined", "1 if the two begin to oppose each other this year in a conflict that state 1 "
          "was not in on its first day; in undirected dyads, either.", "max"),
    _flag("opponent_joined", "The same of state 2: it was not in the conflict on its first day.",
          "max"),
    _flag("targeted", "1 if state 2 began a conflict against state 1 this year (option who); in "
          "undirected dyads, either against the other.", "max"),
    _code("side", f"Side of state 1: 1 the side that began it (A), 2 the other, {_OWN_SAYS}.",
          "code 0-2", "none"),
    _code("hostility", f"Hostility level, 1 to 5, {_OWN_SAYS} (option levels). Lists of wars: 5; "
          "UCDP: 4 a conflict, 5 a war by that year's deaths.", "code 0-5"),
    _code("own_hostility", f"Highest level of hostility of state 1 itself, 1 to 5, {_OWN_SAYS}.",
          "code 0-5", "max"),
    _code("opponent_hostility", f"Highest level of hostility of state 2 itself, 1 to 5, {_OWN_SAYS}"
          ".", "code 0-5", "max"),
    _code("fatality", f"Deaths, 0 to 6, {_OWN_SAYS}, missing where unknown (option levels).",
          "code 0-6"),
    _code("own_fatality", f"Deaths of state 1 itself, 0 to 6, {_OWN_SAYS}, missing where unknown.",
          "code 0-6", "max"),
    _flag("reciprocated", f"1 if side B did something military too, {_OWN_SAYS}."),
    _flag("war", f"1 if it is or becomes a war (hostility 5), {_OWN_SAYS}."),
    _flag("war_onset", "1 in the first year in which the two oppose each other in a conflict that "
          "is or becomes a war (hostility 5)."),
    _flag("revisionist", f"1 if state 1 wanted to change the status quo, {_OWN_SAYS}; in "
          "undirected dyads, either.", "max"),
    _code("revision_type", f"What state 1 wanted to change: 0 nothing, 1 territory, 2 policy, 3 "
          f"regime, 4 other, {_OWN_SAYS}.", "code 0-4", "none"),
    _code("outcome", "How it ended: 1, 2 victory of A, B; 3, 4 A, B yields; 5 stalemate; 6 "
          f"compromise; 7 released; 8 unclear; 9 joins an ongoing war; {_OWN_SAYS}.", "code 0-9"),
    _code("won", f"1 if state 1's side won or the other yielded, 0 if not or undecided, {_OWN_SAYS}"
          ".", "0/1", "max", "flag"),
    _code("settlement", f"1 negotiated, 2 imposed, 3 none, 4 unclear, {_OWN_SAYS}.", "code 0-4"),
    _code("days_min", f"Shortest duration that the dates allow, {_OWN_SAYS}.", "days",
          kind="count"),
    _code("days_max", f"Longest duration that the dates allow, {_OWN_SAYS}.", "days",
          kind="count"),
    _code("number", "Number in its list of the conflict that speaks for the year; 0 without one.",
          "number", kind="integer"),
    _code("count", "Conflicts in which the two oppose each other this year.", "conflicts",
          kind="count"),
    _code("onsets", "Conflicts in which the two begin to oppose each other this year.",
          "conflicts", kind="count"),
]  # fmt: skip
_ALWAYS = ("onset", "ongoing")
# Columns of the chosen conflict, and what a list must code for them.
_CHOSEN = {
    "own_hostility": "own_hostility", "own_fatality": "own_fatality",
    "reciprocated": "reciprocated", "revisionist": "revisionist",
    "revision_type": "revision_type", "outcome": "outcome", "settlement": "settlement",
}  # fmt: skip
_BEGINNINGS = ("onset", "initiated", "targeted", "joined", "opponent_joined")


@covariate(
    name="conflict",
    title="Conflict between the two, from any of eight lists",
    columns=COLUMNS,
    sources=list(dict.fromkeys(SOURCES.values())),
    choices=SOURCES,
    citations=CITATIONS,
    options={
        "source": SOURCE,
        "who": Option(
            "originators",
            "Who counts as having begun a conflict: pairs of originators only; an originator of "
            "the side that began it, against joiners of the other too (challenger); or any state "
            "of that side.",
            ("originators", "challenger", "any"),
        ),
        "several": SEVERAL,
        "levels": LEVELS,
        "exclude": EXCLUDE,
        "continuing": Option(
            "zero",
            "A year in which a conflict goes on and none begins: 0 in conflict_onset, _initiated, "
            "_targeted and both _joined, or missing, which drops it from a study of onsets.",
            ("zero", "missing"),
        ),
    },
    extras=[spec.name for spec in COLUMNS if spec.name.removeprefix("conflict_") not in _ALWAYS],
    examples=[
        Example(
            "Dispute 3 (1913): Austria-Hungary against Serbia, a use of force.",
            {"ccode1": 300, "ccode2": 345, "year": 1913},
            {"conflict_onset": 1, "conflict_initiated": 1, "conflict_targeted": 0,
             "conflict_side": 1, "conflict_number": 3},
        ),
        Example(
            "Serbia's side of it.",
            {"ccode1": 345, "ccode2": 300, "year": 1913},
            {"conflict_onset": 1, "conflict_initiated": 0, "conflict_targeted": 1,
             "conflict_side": 2, "conflict_own_hostility": 1, "conflict_opponent_hostility": 3,
             "conflict_opponent_joined": 0},
        ),
        Example(
            "The United States joins the war against Germany in 1917.",
            {"ccode1": 2, "ccode2": 255, "year": 1917},
            {"conflict_onset": 1, "conflict_joined": 1, "conflict_initiated": 0},
            options={"source": "war"},
        ),
        Example(
            "Interstate War Data: the United States attacks Mexico in 1846.",
            {"ccode1": 2, "ccode2": 70, "year": 1846},
            {"conflict_onset": 1, "conflict_initiated": 1},
            options={"source": "iwd"},
        ),
        Example(
            "Gleditsch's list: winners and losers of that war, which goes on in 1847.",
            {"ccode1": 2, "ccode2": 70, "year": 1847},
            {"conflict_onset": 0, "conflict_ongoing": 1},
            options={"source": "gleditsch"},
        ),
        Example(
            "UCDP/PRIO: India and Pakistan fight a war again in 1971, after five years without.",
            {"ccode1": 750, "ccode2": 770, "year": 1971},
            {"conflict_onset": 1, "conflict_war": 1},
            options={"source": "ucdp"},
        ),
        Example(
            "A dispute that only goes on is no case of a beginning.",
            {"ccode1": 2, "ccode2": 70, "year": 1847},
            {"conflict_onset": None, "conflict_ongoing": 1},
            options={"continuing": "missing"},
        ),
    ],
)  # fmt: skip
def conflict(context: Context) -> dict[str, Values]:
    """Make the `conflict_` columns; no conflict is 0 inside the chosen list's years.

    Raises
    ------
    UsageError
        If a column is asked for that the chosen list doesn't code.
    """
    made: dict[str, NDArray[Any]] = {}
    asked = {name.removeprefix("conflict_") for name in context.wanted}
    for name in asked:
        _check_coded(context.options["source"], name, context.options["levels"])
    made.update(_marked(context, asked))
    made.update(_chosen(context, asked))
    made.update(_counted(context, asked))
    return {f"conflict_{name}": DyadYears(cube) for name, cube in made.items()}


def _check_coded(source: str, name: str, levels: str) -> None:
    own = levels == "dyad"
    needs = {
        **_CHOSEN, "initiated": "side", "targeted": "side", "joined": "originator1",
        "opponent_joined": "originator1", "opponent_hostility": "own_hostility",
        "side": "side", "won": "outcome", "war": "hostility", "war_onset": "hostility",
        "hostility": "dyad_hostility" if own else "hostility", "days_min": "mindur",
        "fatality": "dyad_fatality" if own else "fatality", "days_max": "maxdur",
    }  # fmt: skip
    if name in needs:
        refuse_uncoded(source, needs[name], f"conflict_{name}")


def _marked(context: Context, asked: set[str]) -> dict[str, NDArray[np.int8]]:
    """Return flags that any of a dyad-year's conflicts can raise."""
    rows = kept_conflicts(context)
    onset = pl.col("onset")
    pair = (pl.col("originator1") == 1) & (pl.col("originator2") == 1)
    # Who has to be an originator: both, the one that began it, or nobody.
    fitting = {
        "originators": (pair, pair),
        "any": (pl.lit(value=True),) * 2,
        "challenger": (pl.col("originator1") == 1, pl.col("originator2") == 1),
    }
    own, other = fitting[context.options["who"]]
    which = {
        "onset": onset,
        "ongoing": pl.lit(value=True),
        "initiated": onset & (pl.col("side") == 1) & own,
        "targeted": onset & (pl.col("side") == 0) & other,
        "joined": onset & (pl.col("originator1") == 0),
        "opponent_joined": onset & (pl.col("originator2") == 0),
        "war_onset": onset & (pl.col("hostility") == WAR),
    }
    made = {}
    for name in sorted(asked & which.keys()):
        raised = rows.filter(which[name]).unique(["year", "ccode1", "ccode2"])
        made[name] = scatter(context, raised, np.ones(raised.height, np.int8))
    if context.options["continuing"] == "missing":
        going_on = rows.filter(onset.any().over("year", "ccode1", "ccode2").not_())
        going_on = going_on.unique(["year", "ccode1", "ccode2"])
        none_begins = scatter(context, going_on, np.ones(going_on.height, np.int8)) == 1
        for name in made.keys() & set(_BEGINNINGS):
            made[name][none_begins] = missing_of(np.dtype(np.int8))
    return made


def _chosen(context: Context, asked: set[str]) -> dict[str, NDArray[Any]]:
    """Return what the one conflict that speaks for a dyad-year says."""
    whose = "dyad_" if context.options["levels"] == "dyad" else ""
    # Of the sides that COW's outcomes name: A won (1) or B yielded (4); B won (2), A yielded (3).
    a_won, b_won = pl.col("outcome").is_in([1, 4]), pl.col("outcome").is_in([2, 3])
    won = ((pl.col("side") == 1) & a_won) | ((pl.col("side") == 0) & b_won)
    says: dict[str, tuple[pl.Expr, Any]] = {
        **{name: (pl.col(column), np.int8) for name, column in _CHOSEN.items()},
        "side": (2 - pl.col("side"), np.int8),
        "hostility": (pl.col(f"{whose}hostility"), np.int8),
        "fatality": (pl.col(f"{whose}fatality"), np.int8),
        "war": (pl.col("hostility") == WAR, np.int8),
        "won": (won, np.int8),
        "days_min": (pl.col("mindur"), np.int32),
        "days_max": (pl.col("maxdur"), np.int32),
        "number": (pl.col("conflict"), np.int32),
    }
    also = {"own_hostility"} if "opponent_hostility" in asked else set()
    wanted = sorted((asked | also) & says.keys())
    if not wanted:
        return {}
    settings = (context.options[name] for name in ("source", "several", "exclude"))
    rows = context.shared(("chosen conflicts", *settings), lambda: chosen_conflicts(context))
    made = {
        name: scatter(context, rows, codes(rows.select(says[name][0]).to_series(), says[name][1]))
        for name in wanted
    }
    if "opponent_hostility" in asked:
        # the other direction's row is of the same conflict, and speaks of state 2
        made["opponent_hostility"] = made["own_hostility"].swapaxes(0, 1)
        if "own_hostility" not in asked:
            del made["own_hostility"]
    return made


def _counted(context: Context, asked: set[str]) -> dict[str, NDArray[np.int16]]:
    if not asked & {"count", "onsets"}:
        return {}
    rows = (
        kept_conflicts(context)
        .group_by("year", "ccode1", "ccode2")
        .agg(count=pl.len(), onsets=pl.col("onset").sum())
    )
    return {
        name: scatter(context, rows, rows[name].cast(pl.Int16).to_numpy())
        for name in sorted(asked & {"count", "onsets"})
    }
