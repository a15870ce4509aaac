"""How often pledges were honoured when war invoked them: on the authors' list, and by rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.covariates.registry import Option
from foedus.covariates.reliability import OPTIONS, Case, build_cases
from foedus.panels.units import load_system
from foedus.panels.war_list import load_wars
from foedus.sources.tables import Tables
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure

LAST_YEAR_BEFORE = 1944
TYPES = {
    "defense": "defense",
    "offense": "offense",
    "neutrality": "neutral",
    "nonaggression": "nonagg",
}
PERIODS = ("1816-1944", "1945-2003")
_Z = special.ndtri(0.975)
_MOST_BUILT = 24
_BUILT: dict[tuple[Any, ...], tuple[Any, list[Case]]] = {}

PERIOD = Option(
    "1816-2003", "Wars by the year in which they began.", ("1816-2003", "1816-1944", "1945-2003")
)
MULTILATERAL = Option(
    "strict",
    "When a pact of many members is honoured: strict, all that owed delivered; lenient, at least "
    "one did and none fought a partner.",
    ("strict", "lenient"),
)


def wilson(events: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 percent interval of a share."""
    share, square = events / n, _Z**2
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = _Z / (1 + square / n) * np.sqrt(share * (1 - share) / n + square / (4 * n * n))
    low = 0.0 if events == 0 else float(middle - half)
    high = 1.0 if events == n else float(middle + half)
    return low, high


def exact_binomial(events: int, n: int) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) 95 percent interval of a share."""
    low = special.betaincinv(events, n - events + 1, 0.025) if events else 0.0
    high = special.betaincinv(events + 1, n - events, 0.975) if events < n else 1.0
    return float(low), float(high)


def share_rows(term: str, events: int, n: int, label: str | None = None) -> list[MeasureRow]:
    """Return a share with both intervals; without a denominator it is missing, with the reason."""
    if n == 0:
        return [MeasureRow(term, None, kind="share", n=0, note="No case falls in this group.")]
    share = events / n
    error = float(np.sqrt(share * (1 - share) / n))
    rows = []
    for how, interval in (
        ("binomial, Wilson interval", wilson),
        ("binomial, exact interval", exact_binomial),
    ):
        low, high = interval(events, n)
        rows.append(
            MeasureRow(
                term, share, kind="share", std_error=error, ci_low=low, ci_high=high, n=n,
                n_events=events, how=how, label=label,
            )
        )  # fmt: skip
    return rows


@dataclass(frozen=True)
class Flags:
    """Alliance × war cases as aligned bool arrays.

    Attributes
    ----------
    opportunity, honoured : bool array (cases,)
    early : bool array (cases,)
        The war began by 1944.
    types : dict of str to bool array
        By the names in TYPES.
    multilateral : bool array (cases,)
    """

    opportunity: NDArray[np.bool_]
    honoured: NDArray[np.bool_]
    early: NDArray[np.bool_]
    types: Mapping[str, NDArray[np.bool_]]
    multilateral: NDArray[np.bool_]

    def groups(self) -> dict[str, NDArray[np.bool_]]:
        """Return every group that rates are given for."""
        everyone = np.ones(len(self.early), dtype=bool)
        periods = {PERIODS[0]: self.early, PERIODS[1]: ~self.early}
        chosen = {"all": everyone, **periods}
        for name, owed in self.types.items():
            chosen[name] = owed
            chosen.update({f"{name} {period}": owed & inside for period, inside in periods.items()})
        chosen["defense or offense"] = self.types["defense"] | self.types["offense"]
        chosen["multilateral"] = self.multilateral
        chosen["bilateral"] = ~self.multilateral
        return chosen


def rows_of(flags: Flags) -> list[MeasureRow]:
    """Return cases, cases that don't apply, opportunities, honoured and rate of every group."""
    rows: list[MeasureRow] = []
    for name, inside in flags.groups().items():
        faced = inside & flags.opportunity
        cases, chances = int(inside.sum()), int(faced.sum())
        kept = int((faced & flags.honoured).sum())
        counts = {
            "cases": cases,
            "does not apply": cases - chances,
            "opportunities": chances,
            "honoured": kept,
        }
        rows += share_rows(f"rate {name}", kept, chances, f"Honoured, {name}")
        rows += [
            MeasureRow(f"{word} {name}", float(count), kind="count", n=cases)
            for word, count in counts.items()
        ]
    return rows


_GROUPS = (
    "all", *PERIODS,
    *(f"{name}{tail}" for name in TYPES for tail in ("", *(f" {p}" for p in PERIODS))),
    "defense or offense", "multilateral", "bilateral",
)  # fmt: skip
_TERMS = tuple(
    f"{word} {group}"
    for group in _GROUPS
    for word in ("rate", "cases", "does not apply", "opportunities", "honoured")
)


def _bars(rows: Sequence[MeasureRow], title: str) -> dict[str, Any]:
    """Return a bar chart of the rates by period and by type."""
    wanted = [f"rate {name}" for name in ("all", *PERIODS, *TYPES)]
    leads = {row.term: row for row in reversed(rows) if row.estimate is not None}
    shown = [leads[term] for term in wanted if term in leads]
    return {
        "type": "bars",
        "title": title,
        "labels": [row.term.removeprefix("rate ") for row in shown],
        "rebuilt": [row.estimate for row in shown],
        "ci_low": [row.ci_low for row in shown],
        "ci_high": [row.ci_high for row in shown],
        "n": [row.n for row in shown],
        "unit": "share",
        "xlabel": "Share of invoked pledges that were honoured (95 % Wilson interval)",
    }


def author_flags(cases: Any, coding: str, rule: str) -> Flags:
    """Return the authors' case list as flags.

    Parameters
    ----------
    cases : polars.DataFrame
        rep_berkemeier_fuhrmann_2018/cases, whose coding columns hold 1 or nothing.
    coding : str
        "llm" or "bf".
    rule : str
        "strict" or "lenient" on multilateral pacts.
    """

    def yes(name: str) -> NDArray[np.bool_]:
        return np.asarray(cases[name].fill_null(0).to_numpy() == 1)

    stem = coding.upper()
    honoured = yes(f"honor{stem}") if rule == "strict" else yes(f"sabroskyhonor{coding}")
    return Flags(
        opportunity=~yes(f"dna{stem}"),
        honoured=honoured,
        early=yes("sample"),
        types={name: yes(column) for name, column in TYPES.items()},
        multilateral=yes("multilateral"),
    )


@measure(
    "honour_case_list",
    says="Counts and honour rates on the authors' own list of alliance × war cases.",
    citations=["berkemeier_fuhrmann_2018", "leeds_long_mitchell_2000"],
    options={
        "coding": Option("llm", "Which of the authors' two codings.", ("llm", "bf")),
        "multilateral": MULTILATERAL,
    },
    terms=[*_TERMS, "wars in the IWD list", "wars with a COW number", "alliances"],
)
def honour_case_list(context: MeasureContext) -> MeasureResult:
    """Re-count the authors' file; every printed number must come out to the last digit."""
    cases = context.tables.get("rep_berkemeier_fuhrmann_2018", "cases")
    flags = author_flags(cases, context.options["coding"], context.options["multilateral"])
    rows = rows_of(flags)
    for term, column in (
        ("wars in the IWD list", "warid"),
        ("wars with a COW number", "cowwarid"),
        ("alliances", "atopid"),
    ):
        rows.append(MeasureRow(term, float(cases[column].drop_nulls().n_unique()), kind="count"))
    title = f"The authors' list, {context.options['coding'].upper()} coding"
    return MeasureResult(rows, plots={"by_period_and_type": _bars(rows, title)})


def rule_cases(tables: Tables, options: Mapping[str, Any]) -> list[Case]:
    """Return the cases rebuilt from ATOP and the COW wars under the options given.

    The tables are read each time, so that a study's provenance names them; the cases of tables and
    options seen before are not built again.
    """
    release = options["release"]
    members = tables.get("atop", "members", release=release)
    wars, system = load_wars(tables), load_system(tables)
    chosen = {name: options[name] for name in OPTIONS}
    frames = (
        members,
        tables.get("cow_interstate_wars", "participants"),
        tables.get("cow_states", "states"),
    )
    key = (*map(id, frames), *chosen.values())
    if key not in _BUILT:
        coverage = tables.coverage("atop", release=release)
        cases = build_cases(members, wars, system, chosen, coverage)
        if len(_BUILT) >= _MOST_BUILT:
            _BUILT.pop(next(iter(_BUILT)))
        # The frames are kept beside the cases, so that their ids aren't given to others.
        _BUILT[key] = (frames, cases)
    return _BUILT[key][1]


def _in_period(year: int, period: str) -> bool:
    first, last = (int(part) for part in period.split("-"))
    return first <= year <= last


def rule_flags(cases: Sequence[Case], rule: str) -> Flags:
    """Return rebuilt cases as flags."""

    def column(values: Iterable[bool]) -> NDArray[np.bool_]:
        return np.array(list(values), dtype=bool)

    return Flags(
        opportunity=column(case.invoked for case in cases),
        honoured=column(
            case.honoured if rule == "strict" else case.honoured_lenient for case in cases
        ),
        early=column(case.year <= LAST_YEAR_BEFORE for case in cases),
        types={name: column(case.types[kind] for case in cases) for name, kind in TYPES.items()},
        multilateral=column(case.multilateral for case in cases),
    )


@measure(
    "honour_by_rule",
    says="Counts and honour rates of alliance × war cases rebuilt by rule from ATOP and COW wars.",
    citations=["leeds_long_mitchell_2000", "berkemeier_fuhrmann_2018", "sabrosky_1980"],
    options={**OPTIONS, "period": PERIOD, "multilateral": MULTILATERAL},
    terms=[
        *_TERMS,
        "fought together", "stayed out", "fought each other",
        "wars", "alliances", "first war", "last war",
    ],
)  # fmt: skip
def honour_by_rule(context: MeasureContext) -> MeasureResult:
    """Rebuild the cases and count them; besides, what partners did whatever they had promised."""
    everything = rule_cases(context.tables, context.options)
    cases = [case for case in everything if _in_period(case.year, context.options["period"])]
    rows = rows_of(rule_flags(cases, context.options["multilateral"]))
    rows += _whatever_promised(cases)
    years = [case.year for case in cases]
    for term, value in (
        ("wars", len({case.warnum for case in cases})),
        ("alliances", len({case.atopid for case in cases})),
        ("first war", min(years, default=0)),
        ("last war", max(years, default=0)),
    ):
        rows.append(MeasureRow(term, float(value), kind="count"))
    plots = {"by_rule": _bars(rows, "Rebuilt by rule from ATOP and COW wars")}
    return MeasureResult(rows, plots=plots, tables={"cases": [_flat(case) for case in cases]})


def _whatever_promised(cases: Sequence[Case]) -> list[MeasureRow]:
    """Return Sabrosky's three-way split over all cases, invoked or not."""
    each_other = sum(case.fought_each_other for case in cases)
    together = sum(case.fought_together and not case.fought_each_other for case in cases)
    rest = len(cases) - each_other - together
    return [
        *share_rows("fought together", together, len(cases), "Partners fought side by side"),
        *share_rows("stayed out", rest, len(cases), "Partner stayed out"),
        *share_rows("fought each other", each_other, len(cases), "Partners fought each other"),
    ]


def _flat(case: Case) -> dict[str, Any]:
    return {
        "warnum": case.warnum,
        "warname": case.warname,
        "year": case.year,
        "atopid": case.atopid,
        "types": ", ".join(name for name, kind in TYPES.items() if case.types[kind]),
        "multilateral": int(case.multilateral),
        "fighters": ", ".join(map(str, case.fighters)),
        "opportunity": int(case.invoked),
        "invoked_by": ", ".join(case.invoked_by),
        "honoured": int(case.honoured) if case.invoked else None,
        "broke": ", ".join(map(str, case.broke)),
    }


def kappa(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[float, float]:
    """Return Cohen's kappa of two codings, and its large-sample standard error (Fleiss 1969)."""
    n = len(one)
    table = np.array(
        [[(one & other).sum(), (one & ~other).sum()], [(~one & other).sum(), (~one & ~other).sum()]]
    )
    p = table / n
    row, col = p.sum(axis=1), p.sum(axis=0)
    seen, chance = float(np.trace(p)), float(row @ col)
    if chance == 1:
        return float("nan"), float("nan")
    value = (seen - chance) / (1 - chance)
    same = sum(p[i, i] * ((1 - chance) - (row[i] + col[i]) * (1 - seen)) ** 2 for i in range(2))
    cross = (1 - seen) ** 2 * sum(
        p[i, j] * (col[i] + row[j]) ** 2 for i in range(2) for j in range(2) if i != j
    )
    spare = (seen * chance - 2 * chance + seen) ** 2
    return value, float(np.sqrt(max(same + cross - spare, 0) / (n * (1 - chance) ** 4)))


@measure(
    "honour_agreement",
    says="Case by case: the rule-built list against the authors' list.",
    citations=["berkemeier_fuhrmann_2018", "cohen_1960", "fleiss_cohen_everitt_1969"],
    options={
        **OPTIONS,
        "coding": Option("llm", "Which of the authors' two codings.", ("llm", "bf")),
    },
    terms=[
        "pairs on both lists", "pairs rebuilt only", "pairs on the authors' list only",
        "pairs without a COW number", "pairs rebuilt only, war on both lists",
        "share of the authors' pairs found",
        "agreement on opportunity", "kappa of opportunity", "opportunities on both lists",
        "agreement on honour", "kappa of honour",
    ],
)  # fmt: skip
def honour_agreement(context: MeasureContext) -> MeasureResult:
    """Match the lists by COW war and ATOP number; give every difference its likely cause."""
    cases = {
        (case.warnum, case.atopid): case for case in rule_cases(context.tables, context.options)
    }
    authors = context.tables.get("rep_berkemeier_fuhrmann_2018", "cases")
    numbered = authors.drop_nulls("cowwarid")
    stem = context.options["coding"].upper()
    theirs = {
        (row["cowwarid"], row["atopid"]): (
            row[f"dna{stem}"] != 1, row[f"honor{stem}"] == 1, row["warname"]
        )
        for row in numbered.to_dicts()
    }  # fmt: skip
    both = sorted(cases.keys() & theirs.keys())
    wars = {war for war, _ in theirs}
    ours_only = sorted(cases.keys() - theirs.keys())
    theirs_only = sorted(theirs.keys() - cases.keys())
    rows = [
        MeasureRow("pairs on both lists", float(len(both)), kind="count"),
        MeasureRow("pairs rebuilt only", float(len(ours_only)), kind="count"),
        MeasureRow("pairs on the authors' list only", float(len(theirs_only)), kind="count"),
        MeasureRow(
            "pairs without a COW number", float(authors.height - numbered.height), kind="count"
        ),
        MeasureRow(
            "pairs rebuilt only, war on both lists",
            float(sum(war in wars for war, _ in ours_only)),
            kind="count",
        ),
        *share_rows("share of the authors' pairs found", len(both), len(theirs)),
        *_agreements(both, cases, theirs),
    ]
    differences = [
        *_differences(both, cases, theirs),
        *(_absent(key, cases[key], key[0] in wars) for key in ours_only),
        *(_missed(key, theirs[key]) for key in theirs_only),
    ]
    return MeasureResult(rows, tables={"disagreements": differences})


def _agreements(
    both: Sequence[tuple[int, int]],
    cases: Mapping[tuple[int, int], Case],
    theirs: Mapping[tuple[int, int], tuple[bool, bool, str]],
) -> list[MeasureRow]:
    ours = np.array([cases[key].invoked for key in both], dtype=bool)
    print_ = np.array([theirs[key][0] for key in both], dtype=bool)
    shared = [key for key, one, other in zip(both, ours, print_, strict=True) if one and other]
    kept = np.array([cases[key].honoured for key in shared], dtype=bool)
    kept_print = np.array([theirs[key][1] for key in shared], dtype=bool)
    rows = [*share_rows("agreement on opportunity", int((ours == print_).sum()), len(both))]
    value, error = kappa(ours, print_)
    rows.append(
        MeasureRow("kappa of opportunity", value, std_error=error, n=len(both), how="Fleiss")
    )
    rows.append(MeasureRow("opportunities on both lists", float(len(shared)), kind="count"))
    rows += share_rows("agreement on honour", int((kept == kept_print).sum()), len(shared))
    value, error = kappa(kept, kept_print)
    rows.append(MeasureRow("kappa of honour", value, std_error=error, n=len(shared), how="Fleiss"))
    return rows


def _line(
    key: tuple[int, int], warname: str, what: str, ours: str, print_: str, cause: str
) -> dict[str, Any]:
    return {
        "warnum": key[0],
        "warname": warname,
        "atopid": key[1],
        "difference": what,
        "rebuilt": ours,
        "authors": print_,
        "likely_cause": cause,
    }


def _words(opportunity: bool, honoured: bool) -> str:
    if not opportunity:
        return "does not apply"
    return "honoured" if honoured else "violated"


def _differences(
    both: Sequence[tuple[int, int]],
    cases: Mapping[tuple[int, int], Case],
    theirs: Mapping[tuple[int, int], tuple[bool, bool, str]],
) -> list[dict[str, Any]]:
    lines = []
    for key in both:
        case, (chance, kept, _) = cases[key], theirs[key]
        if case.invoked == chance and (not chance or case.honoured == kept):
            continue
        what = "opportunity" if case.invoked != chance else "honour"
        lines.append(
            _line(
                key,
                case.warname,
                what,
                _words(case.invoked, case.honoured),
                _words(chance, kept),
                _cause(case, chance),
            )
        )
    return lines


def _cause(case: Case, chance: bool) -> str:
    """Return the likeliest reason of a difference on one case."""
    if case.invoked and not chance:
        due = " and ".join(case.invoked_by)
        return f"Rule reads {due} as due; the authors find the treaty's terms unmet."
    if chance and not case.invoked:
        if any(case.types[kind] for kind in ("defense", "offense", "neutral")):
            return (
                "The authors split the war by who attacked whom (Interstate War Data) and read the "
                "treaty's text; COW's first day and ATOP's codes show no pledge falling due."
            )
        return "No armed or neutrality pledge in ATOP, and no fight between members in COW."
    if case.multilateral:
        return "Many members: the rule asks all that owed; the authors judge the pact as a whole."
    return (
        "The authors date participation otherwise than COW, or take promised help short of "
        "fighting as enough."
    )


def _absent(key: tuple[int, int], case: Case, war_listed: bool) -> dict[str, Any]:
    cause = (
        "The belligerents of this war, or the pact's dates, differ between COW 4.0 with this ATOP "
        "release and the Interstate War Data with ATOP 3.0."
        if war_listed
        else "The authors' list has no case of this war under its COW number."
    )
    return _line(
        key, case.warname, "pair", _words(case.invoked, case.honoured), "not listed", cause
    )


def _missed(key: tuple[int, int], theirs: tuple[bool, bool, str]) -> dict[str, Any]:
    cause = (
        "No member is a COW belligerent while the pact is in force; the Interstate War Data have "
        "more belligerents."
    )
    return _line(key, theirs[2], "pair", "not listed", _words(theirs[0], theirs[1]), cause)
