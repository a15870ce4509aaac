"""Each of the authors' alliance × war cases beside the rule's, and what decides where they differ.

A difference is put down to a rule if another reading of one rule gives the authors' word; else to
what the data sets hold (the war, its belligerents, the pact's days, its obligations); else to a
second reading by the authors themselves (their other coding, their lenient rule); what is left is
their judgement of the single case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.registry import Option
from foedus.covariates.reliability import OPTIONS, Case
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure
from foedus.studies.measures_reliability import TYPES, rule_cases, share_rows

Key = tuple[int, int]
CODES = ("does not apply", "honoured", "violated", "not listed")
_SAME = "same"
_READINGS = {
    ("pairing", "entry"): "a pact counts only if it stood when the member entered",
    ("pairing", "outset"): "a pact counts only if it stood when the war began",
    ("threats", "named"): "named adversaries limit every pledge of the treaty",
    ("threats", "ignore"): "named adversaries limit no pledge",
    ("conditions", "unmet"): "conditions that ATOP doesn't spell out are unmet",
    ("joiners", "attacked"): "a state that came in late on the attacked side was attacked",
    ("wartime", "by_attack"): "a pact made for the war is invoked by an attack only",
    ("release", "4.01"): "ATOP 4.01's dates and obligations",
}
_CLASSES = (
    "a rule", "no war in COW", "pact not in ATOP", "belligerents", "days of the pact",
    "obligations", "the authors' other coding", "the lenient rule", "judgement",
)  # fmt: skip


@dataclass(frozen=True)
class Decision:
    """What decides a difference: one of `_CLASSES`, and the sentence that says so."""

    by: str
    says: str


def word_of(case: Case | None) -> str:
    """Return the rule's word on a case; None is one that it doesn't list."""
    if case is None:
        return "not listed"
    if not case.invoked:
        return "does not apply"
    return "honoured" if case.honoured else "violated"


def authors_word(row: Mapping[str, Any], coding: str) -> str:
    """Return the authors' word on a row of their file, by their coding LLM or BF."""
    if row[f"dna{coding}"] == 1:
        return "does not apply"
    return "honoured" if row[f"honor{coding}"] == 1 else "violated"


def many_kappa(
    one: NDArray[np.int64], other: NDArray[np.int64], n_codes: int
) -> tuple[float, float]:
    """Return Cohen's kappa of two codings in several codes, and its standard error.

    The error is that of Fleiss, Cohen & Everitt 1969 for large samples, equation 13.
    """
    p = np.zeros((n_codes, n_codes))
    np.add.at(p, (one, other), 1 / len(one))
    row, col = p.sum(axis=1), p.sum(axis=0)
    seen, chance = float(np.trace(p)), float(row @ col)
    if chance == 1:
        return float("nan"), float("nan")
    value = (seen - chance) / (1 - chance)
    both = row[None, :] + col[:, None]  # of cell (i, j): p.i + pj.
    diagonal = np.diag(p) * ((1 - chance) - (row + col) * (1 - seen)) ** 2
    cross = p * both**2
    np.fill_diagonal(cross, 0.0)
    spread = diagonal.sum() + (1 - seen) ** 2 * cross.sum()
    spread -= (seen * chance - 2 * chance + seen) ** 2
    return value, float(np.sqrt(max(spread, 0.0) / (len(one) * (1 - chance) ** 4)))


class _Readings:
    """The cases under the declared rules and under each other reading of one of them."""

    def __init__(self, context: MeasureContext) -> None:
        self._context = context
        self.declared = self._under({})
        self._others = {
            reading: self._under(dict([reading]))
            for reading in _READINGS
            if context.options[reading[0]] != reading[1]
        }

    def _under(self, changed: Mapping[str, str]) -> dict[Key, Case]:
        options = {name: self._context.options[name] for name in OPTIONS} | dict(changed)
        return {
            (case.warnum, case.atopid): case for case in rule_cases(self._context.tables, options)
        }

    def singly(self, key: Key, wanted: str) -> list[tuple[str, str]]:
        """Return the readings that alone give the wanted word."""
        return [
            reading for reading, cases in self._others.items() if word_of(cases.get(key)) == wanted
        ]


@dataclass(frozen=True)
class _Records:
    """What ATOP and COW hold of a pact and a war."""

    members: pl.DataFrame
    fights: pl.DataFrame

    @classmethod
    def of(cls, context: MeasureContext) -> _Records:
        members = context.tables.get("atop", "members", release=context.options["release"])
        fights = context.tables.get("cow_interstate_wars", "participants")
        started = pl.col("start1") == pl.col("start1").min().over("warnum")
        began = (pl.col("initiator") == 1) & started
        return cls(
            members.select("atopid", "member", "start", "end", "statthr1", "statthr2"),
            fights.select(
                "warnum", "ccode", "side", start="start1", end=pl.coalesce("end2", "end1"),
                initiator=pl.col("initiator") == 1, first=started,
                attacking=(pl.col("side") == pl.col("side").filter(began).first()).over("warnum"),
            ).sort("warnum", "ccode", "start"),
        )  # fmt: skip

    def unlisted(self, key: Key) -> Decision:
        """Say why the rule has no case of a pact and a war that COW has."""
        war, pact = key
        own = self.members.filter(atopid=pact)
        if own.is_empty():
            return Decision("pact not in ATOP", f"This release of ATOP has no pact {pact}.")
        fought = self.fights.filter(warnum=war)
        both = own.join(fought, left_on="member", right_on="ccode").sort("member", "start")
        if both.is_empty():
            return Decision(
                "belligerents",
                "No member is a belligerent in COW's war; the Interstate War Data have more of "
                "them.",
            )
        spans = [
            f"{row['member']} was in the pact from {row['start']} to {row['end'] or 'now'} and at "
            f"war from {row['start_right']} to {row['end_right'] or 'the end'}"
            for row in both.unique("member", keep="first", maintain_order=True).to_dicts()
        ]
        more = f"; and {len(spans) - 3} more" if len(spans) > 3 else ""
        return Decision("days of the pact", f"No day in common: {'; '.join(spans[:3])}{more}.")

    def roles(self, case: Case) -> str:
        """Return what part COW has each member at war take."""
        fought = self.fights.filter(warnum=case.warnum)
        lines = []
        for ccode in case.fighters:
            row = fought.filter(ccode=ccode).row(0, named=True)
            if row["initiator"]:
                part = "began it"
            elif row["first"]:
                part = "with those that began it" if row["attacking"] else "attacked"
            else:
                side = "attackers'" if row["attacking"] else "attacked"
                part = f"came in later on the {side} side"
            lines.append(f"{ccode} ({part})")
        return ", ".join(lines)

    def named(self, pact: int) -> str:
        """Return the adversaries that a treaty names, or nothing."""
        own = self.members.filter(atopid=pact)
        named = {*own["statthr1"].drop_nulls(), *own["statthr2"].drop_nulls()} - {0}
        return f", against {_states(sorted(named))} by name" if named else ""


def _obligations(case: Case, row: Mapping[str, Any]) -> str:
    """Return where the authors' obligations of a pact differ from ATOP's in force in the war."""
    lines = []
    for name, kind in TYPES.items():
        theirs = row[kind] == 1
        if theirs != case.types[kind]:
            lines.append(f"{name} {'owed' if theirs else 'not owed'} in the authors' file")
    return ", ".join(lines)


def _decide(
    key: Key,
    row: Mapping[str, Any],
    wanted: str,
    coding: str,
    readings: _Readings,
    records: _Records,
) -> Decision:
    """Return what decides that the rule's word isn't the authors'."""
    if row["cowwarid"] is None:
        return Decision("no war in COW", "COW has no inter-state war of it.")
    case = readings.declared.get(key)
    alone = readings.singly(key, wanted)
    if alone:
        return Decision("a rule", "As the authors if " + "; or if ".join(map(_said, alone)) + ".")
    if case is None:
        return records.unlisted(key)
    other = "BF" if coding == "LLM" else "LLM"
    held = _obligations(case, row)
    if held:
        return Decision("obligations", f"ATOP's obligations differ: {held}.")
    if authors_word(row, other) == word_of(case):
        return Decision(
            "the authors' other coding", f"Their other coding ({other}) has it as the rule does."
        )
    lenient = "honoured" if case.honoured_lenient else "violated"
    if case.invoked and case.multilateral and lenient == wanted:
        return Decision(
            "the lenient rule",
            "As the authors if one member's help is enough in a pact of many: "
            f"{_states(case.broke)} did not deliver.",
        )
    return Decision("judgement", _judgement(case, records))


def _said(reading: tuple[str, str]) -> str:
    return _READINGS[reading]


def _states(ccodes: Sequence[int]) -> str:
    return ", ".join(map(str, ccodes)) if ccodes else "nobody"


def _judgement(case: Case, records: _Records) -> str:
    """Return what the rule saw in a case on which no reading of it agrees with the authors."""
    owed = ", ".join(name for name, kind in TYPES.items() if case.types[kind]) or "consultation"
    saw = f"At war: {records.roles(case)}; owed in ATOP: {owed}{records.named(case.atopid)}."
    if not case.invoked:
        return (
            f"{saw} By the rule nothing fell due; the authors find a pledge due in the treaty's "
            "text or in who attacked whom."
        )
    due = " and ".join("a fight between members" if k == "fight" else k for k in case.invoked_by)
    return (
        f"{saw} By the rule due: {due}; not delivered by: {_states(case.broke)}. The authors read "
        "the treaty, or what was done, otherwise."
    )


@measure(
    "honour_cases",
    says="Each of the authors' cases beside the rule's, and what decides where they differ.",
    citations=["berkemeier_fuhrmann_2018", "leeds_long_mitchell_2000", "cohen_1960",
               "fleiss_cohen_everitt_1969"],
    options={
        **OPTIONS,
        "coding": Option("llm", "Which of the authors' two codings.", ("llm", "bf")),
    },
    terms=[
        "cases", "cases with the same code", "share with the same code",
        "kappa of the codes, cases on both lists", "share with the same code, cases on both lists",
        *(f"decided by: {name}" for name in _CLASSES),
    ],
)  # fmt: skip
def honour_cases(context: MeasureContext) -> MeasureResult:
    """Put every case of the authors' file beside the rule's; count what decides the differences.

    The table `cases_one_by_one` has one row a case of the file: the pact, the war's name, the
    authors' code and the rule's, by what it is decided where they differ and the sentence that
    says so, how many members the pact has, what it owes, and COW's and the authors' war numbers.
    """
    coding = context.options["coding"].upper()
    authors = context.tables.get("rep_berkemeier_fuhrmann_2018", "cases")
    readings, records = _Readings(context), _Records.of(context)
    lines, pairs, by = [], [], Counter[str]()
    for row in authors.sort("warid", "atopid").to_dicts():
        key = (row["cowwarid"] or 0, row["atopid"])
        theirs = authors_word(row, coding)
        case = readings.declared.get(key)
        ours = word_of(case)
        decision = Decision(_SAME, "")
        if ours != theirs:
            decision = _decide(key, row, theirs, coding, readings, records)
            by[decision.by] += 1
        if case is not None:
            pairs.append((CODES.index(ours), CODES.index(theirs)))
        lines.append(_line(row, theirs, ours, decision))
    same = len(lines) - by.total()
    one, other = np.array(pairs, np.int64).reshape(-1, 2).T
    rows = [
        MeasureRow("cases", float(len(lines)), kind="count"),
        MeasureRow("cases with the same code", float(same), kind="count"),
        *share_rows("share with the same code", same, len(lines)),
        _kappa_row(one, other),
        *share_rows(
            "share with the same code, cases on both lists", int((one == other).sum()), len(pairs)
        ),
        *(
            MeasureRow(f"decided by: {name}", float(by[name]), kind="count", n=by.total())
            for name in _CLASSES
        ),
    ]  # fmt: skip
    return MeasureResult(rows, tables={"cases_one_by_one": lines})


def _kappa_row(one: NDArray[np.int64], other: NDArray[np.int64]) -> MeasureRow:
    term = "kappa of the codes, cases on both lists"
    value, error = many_kappa(one, other, len(CODES)) if len(one) else (np.nan, np.nan)
    if np.isnan(value):
        return MeasureRow(term, None, note="No case is on both lists, or all have one code.")
    return MeasureRow(term, value, std_error=error, n=len(one), how="Fleiss")


def _line(row: Mapping[str, Any], theirs: str, ours: str, decision: Decision) -> dict[str, Any]:
    # Results keep columns in the order of the alphabet.
    return {
        "alliance": str(row["atopid"]),
        "case_war": row["warname"],
        "code_by_authors": theirs,
        "code_by_rule": ours,
        "decided_by": decision.by,
        "explanation": decision.says,
        "members": "many" if row["multilateral"] == 1 else "two",
        "obligations": ", ".join(name for name, kind in TYPES.items() if row[kind] == 1)
        or "consultation",
        "war_cow": str(row["cowwarid"]) if row["cowwarid"] is not None else "none",
        "war_iwd": str(row["warid"]),
    }
