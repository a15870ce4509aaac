"""What a claim's page and the front page's answers show, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foedus.models.pooling import holm
from foedus.report import synthesis as so
from foedus.report.claims import Answer
from foedus.report.draw.style import Drawn
from foedus.report.evidence import Bearing, GroupPoint, Point
from foedus.report.inputs import Inputs
from foedus.report.key_terms import KINDS, OTHER
from foedus.report.names import short_cite
from foedus.report.numbers import (
    MISSING,
    count,
    interval,
    number,
    p_clause,
    p_value,
    percent,
    percent_digits,
    plural,
)
from foedus.report.rows import Estimate
from foedus.report.synthesis import Apart, DesignMean, Synthesis
from foedus.report.tables import Table

View = dict[str, Any]
HETEROGENEITY = "heterogeneity"
SLUGS = {
    so.SUPPORTED: "supports", so.AGAINST: "against", so.MIXED: "mixed", so.UNDECIDED: "undecided",
    so.NONE: "none",
}  # fmt: skip
SHORT = {
    so.SUPPORTED: "supported", so.AGAINST: "contradicted", so.MIXED: "both ways",
    so.UNDECIDED: "undecided", so.NONE: "no estimate",
}  # fmt: skip


def synthesis_view(inputs: Inputs, found: Synthesis) -> View:
    """Return what is said of a claim's estimates together."""
    covariance = inputs.project.config.report.covariance
    return {
        "verdict": SHORT[found.verdict],
        "slug": SLUGS[found.verdict],
        "rule": so.RULE,
        "sentence": so.verdict_sentence(found, covariance),
        "spread": so.spread_words(found),
        "limits": so.limits_words(found),
        "by_design": so.designs_words(found),
        "designs": [_design_view(one) for one in found.designs] if len(found.designs) > 1 else [],
        "rows": [_row(found, one) for one in found.evidence.leading],
        "groups": [_group_view(apart) for apart in found.groups],
    }


def _row(found: Synthesis, one: Bearing) -> View:
    adjusted = next((each for each in found.adjusted if each.bearing is one), None)
    common = one.measure is not None
    return {
        "study": one.study,
        "short": one.short,
        "says": one.says,
        "scale": one.measure.says if one.measure else "own standard errors",
        "published": _shown(one.published, common) or ("sign only" if one.printed_sign else ""),
        "classical": _shown(one.classical, common),
        "robust": _shown(one.point, common),
        "covariance": one.lead,
        "p": p_value(one.point.p),
        "holm": p_value(adjusted.holm) if adjusted else MISSING,
        "bh": p_value(adjusted.bh) if adjusted else MISSING,
        "weight": _weight(found, one),
        "basis": "author's file" if one.file.startswith("rep_") else "raw files",
        "design": f"{KINDS.get(one.kind, one.kind)}, {one.unit}",
    }


def _design_view(one: DesignMean) -> View:
    made = one.pooled
    ends = so.predicted(made)
    return {
        "kind": KINDS.get(one.kind, one.kind),
        "unit": one.unit,
        "k": count(len(one.bearings)),
        "studies": "; ".join(bearing.short for bearing in one.bearings),
        "mean": one.shown,
        "p": p_value(one.p),
        "i2": percent(made.i2, 0) if made else MISSING,
        "tau2": number(made.tau2) if made else MISSING,
        "q": f"{number(made.q)} ({made.k - 1}), {p_clause(made.q_p)}" if made else MISSING,
        "predicted": so.odds_interval(*ends) if ends is not None else MISSING,
    }


def _shown(point: Point | None, common: bool) -> str:
    if point is None:
        return ""
    if common:
        return so.odds_of(point)
    return number(point.value) + (
        "" if point.low is None else f" {interval(point.low, point.high)}"
    )


def _weight(found: Synthesis, one: Bearing) -> str:
    if found.robust is None:
        return MISSING
    for place, other in enumerate(found.pooled):
        if other is one:
            return percent(found.robust.weights[place], 0)
    return MISSING


def _group_view(apart: Apart) -> View:
    return {
        "by": apart.by,
        "title": {
            "era": "By era", "content": "By what is promised", "formation": "By formation",
            "management": "By management", "other": "By other groups",
        }[apart.by],
        "sentence": so.apart_words(apart),
        "rows": [
            {
                "study": test.study,
                "short": test.short,
                "says": test.says,
                "groups": "; ".join(f"{p.group} {so.odds_of(p.point)}" for p in test.points),
                "missing": "; ".join(f"{group}: {why}" for group, why in test.missing),
                "left_out": _left_out(test.points),
                "test": f"{number(test.q)} ({test.df})",
                "kind": test.kind,
                "p": p_value(test.p),
                "holm": p_value(adjusted),
                "opposite": test.opposite,
            }
            for test, adjusted in apart.tests
        ],
    }  # fmt: skip


def _left_out(points: Sequence[GroupPoint]) -> str:
    parts = [f"{one.group} without {', '.join(one.left_out)}" for one in points if one.left_out]
    return "; ".join(parts)


# -------------------------------------------------------------------------------------- the front
def answer_view(inputs: Inputs, claim: str, syntheses: Mapping[str, Synthesis]) -> View:
    """Return a claim's line on the front page: number, interval, caveat."""
    stated, found = inputs.claims[claim], syntheses[claim]
    if claim == HETEROGENEITY:
        return _apart_answer(stated.title, syntheses)
    return {
        "id": claim,
        "title": stated.title,
        "verdict": SHORT[found.verdict],
        "slug": SLUGS[found.verdict],
        "numbers": [*_stated(inputs, stated.answers), *_pooled_number(found)],
        "caveat": " ".join(_caveats(inputs, claim, found)),
    }


def _apart_answer(title: str, syntheses: Mapping[str, Synthesis]) -> View:
    """Return the line on hidden opposites: how many tests find groups that differ."""
    tests = [test for found in syntheses.values() for apart in found.groups for test in apart.tests]
    made = [test for test, _ in tests]
    verdict = so.NONE
    numbers, caveat = [], "No study of this run has estimates by group."
    if made:
        adjusted = holm([test.p for test in made])
        sure = [test for test, p in zip(made, adjusted, strict=True) if p < so.LEVEL]
        turned = [test for test in sure if test.opposite]
        verdict = so.SUPPORTED if turned else so.UNDECIDED
        low, high = so.share_interval(len(sure), len(made))
        numbers = [
            f"In {len(sure)} of {plural(len(made), 'test')} ({percent(len(sure) / len(made), 0)} "
            f"[{percent(low, 0)}, {percent(high, 0)}]) groups of one study differ; in "
            f"{len(turned)} of these two groups have opposite effects."
        ]
        names = "; ".join(dict.fromkeys(test.short for test in turned))
        caveat = (
            "After Holm's correction over all claims, eras, contents and ways of formation and "
            "management; tests share rows, so they aren't independent."
            + (f" Opposite in {names}." if names else "")
            + " The word is: supported, if one of them finds opposite effects."
        )
    return {
        "id": HETEROGENEITY,
        "title": title,
        "verdict": SHORT[verdict],
        "slug": SLUGS[verdict],
        "numbers": numbers,
        "caveat": caveat,
    }


def _stated(inputs: Inputs, answers: Sequence[Answer]) -> list[str]:
    """Return the numbers that config/claims.yaml names for a claim, as far as they were made."""
    shown = []
    for answer in answers:
        study = next((one for one in inputs.studies if one.id == answer.study), None)
        rows = study.rows_of(answer.model, answer.term) if study else []
        if study is None or not rows or rows[0].estimate is None:
            continue
        shown.append(f"{answer.says}: {_value(rows[0], answer)} ({short_cite(inputs, study)}).")
    return shown


def _value(row: Estimate, answer: Answer) -> str:
    unit, sign = (100.0, " %") if answer.unit == "share" else (1.0, "")
    assert row.estimate is not None
    if answer.unit == "share":
        low, high, digits = row.ci_low, row.ci_high, percent_digits(row.estimate)
        ends = f" [{percent(low, digits)}, {percent(high, digits)}]" if low is not None else ""
        return f"{percent(row.estimate, digits)}{ends}"
    ends = (
        "" if row.ci_low is None else f" {interval(unit * row.ci_low, unit * (row.ci_high or 0))}"
    )
    return f"{number(unit * row.estimate)}{sign}{ends}"


def _pooled_number(found: Synthesis) -> list[str]:
    mean = found.mean
    if mean is None:
        return []
    value, low, high = mean
    what = (
        f"mean of {found.robust.k} studies"
        if found.robust is not None
        else f"one study ({found.pooled[0].short})"
    )
    return [f"Odds ratio {so.odds(value)} {so.odds_interval(low, high)}, {what}."]


def _caveats(inputs: Inputs, claim: str, found: Synthesis) -> list[str]:
    """Return what must be known before a claim's number is quoted, from the numbers themselves."""
    said: list[str] = []
    if found.verdict == so.NONE:
        if not inputs.of_claim(claim):
            return ["No study of this run bears on it."]
        return ["The studies that bear on it give rates and counts, which no sign decides."]
    made = found.robust
    ends = so.predicted(made)
    if ends is not None:
        said.append(f"One more study would lie in {so.odds_interval(*ends)}.")
    elif found.single is not None or made is not None:
        said.append("Too few studies to say how far such studies differ.")
    said += _design_caveat(found)
    if found.mean is None:
        said.append(so.counts(found, inputs.project.config.report.covariance))
        said.append("None has an odds ratio, so nothing is pooled.")
    files = [one for one in found.pooled if one.file.startswith("rep_")]
    if files:
        said.append(f"{plural(len(files), 'study', 'studies')} on authors' files.")
    for apart in found.groups:
        if apart.by == "era" and apart.opposite:
            names = "; ".join(dict.fromkeys(test.short for test in apart.opposite))
            said.append(f"The sign turns between eras in {names}.")
        elif apart.by == "era" and apart.apart:
            n = plural(len(apart.tests), "estimate")
            said.append(f"Eras differ in {len(apart.apart)} of {n}.")
    return said


def _design_caveat(found: Synthesis) -> list[str]:
    """Say the ties that several studies share, where the mean takes unlike designs together."""
    shared = [one for one in found.designs if one.pooled is not None and one.kind != OTHER]
    if len(found.designs) < 2 or not shared:
        return []
    means = "; ".join(
        f"{one.words} {one.shown} ({plural(len(one.bearings), 'study', 'studies')})"
        for one in shared
    )
    differ = found.apart is not None and found.apart.p_value < so.LEVEL
    return [f"Designs {'differ' if differ else 'are not told apart'}: {means}."]


# ---------------------------------------------------------------------------------- heterogeneity
def heterogeneity_view(
    inputs: Inputs, syntheses: Mapping[str, Synthesis], figures: Sequence[Drawn]
) -> View:
    """Return what the page on hidden opposites shows: every claim by every kind of group."""
    rows = []
    tests = opposite = apart_n = 0
    for claim, found in syntheses.items():
        for apart in found.groups:
            tests += len(apart.tests)
            apart_n += len(apart.apart)
            opposite += len(apart.opposite)
            rows.append(
                {
                    "id": claim,
                    "title": inputs.claims[claim].title,
                    "by": apart.by,
                    "means": "; ".join(
                        f"{one.group} {so.odds_of(one.point)} ({one.k})" for one in apart.means
                    ),
                    "test": ""
                    if apart.test is None
                    else f"{number(apart.test.q)} ({apart.test.df})",
                    "p": p_value(apart.test.p_value) if apart.test else MISSING,
                    "within": f"{len(apart.apart)} of {len(apart.tests)}",
                    "opposite": f"{len(apart.opposite)} of {len(apart.tests)}",
                }
            )
    sentence = (
        f"Of {plural(tests, 'test')} of one effect in all groups of a study's rows or ties, "
        f"{apart_n} reject it (p < .05 after Holm's correction within each claim and kind of "
        f"group), and in {opposite} two groups have opposite effects, each with p < .05."
        if tests
        else "No study of this run has estimates by group."
    )
    return {
        "answer": _apart_answer(inputs.claims[HETEROGENEITY].title, syntheses),
        "sentence": sentence,
        "rows": rows,
        "figures": [{"name": one.name, "caption": one.caption, "alt": one.alt} for one in figures],
    }


# ------------------------------------------------------------------------------------------ tables
def claim_tables(inputs: Inputs, claim: str, found: Synthesis) -> list[Table]:
    """Return the tables behind a claim's figures."""
    made = []
    if found.evidence.bearings:
        made.append(_estimates_table(inputs, claim, found))
    if len(found.designs) > 1:
        made.append(_designs_table(inputs, claim, found))
    if found.groups:
        made.append(_groups_table(inputs, claim, found))
    return made


def _estimates_table(inputs: Inputs, claim: str, found: Synthesis) -> Table:
    rows: list[tuple[str, ...]] = []
    raw: list[tuple[Any, ...]] = []
    pooled = {id(one): place for place, one in enumerate(found.pooled)}
    for one in found.evidence.bearings:
        adjusted = next((each for each in found.adjusted if each.bearing is one), None)
        shown = _row(found, one)
        rows.append(
            (
                one.short, one.says + (" (other model)" if one.variant else ""),
                str(shown["published"]), str(shown["classical"]), str(shown["robust"]), one.lead,
                str(shown["p"]), str(shown["holm"]), str(shown["bh"]), str(shown["weight"]),
            )
        )  # fmt: skip
        classical, print_ = one.classical, one.published
        place = pooled.get(id(one))
        weight = found.robust.weights[place] if found.robust and place is not None else None
        raw.append(
            (
                one.study, one.model, one.term, one.says, one.expects,
                one.measure.says if one.measure else "own standard errors",
                one.measure.factor if one.measure else None,
                print_.value if print_ else None, print_.se if print_ else None,
                classical.se if classical else None, one.point.value, one.point.se, one.lead,
                one.point.p, adjusted.holm if adjusted else None, adjusted.bh if adjusted else None,
                weight,
                int(one.variant), one.file, int(one.n) if one.n is not None else None,
                one.kind, one.unit,
            )
        )  # fmt: skip
    rules: frozenset[int] = frozenset()
    made = found.robust
    if made is not None:
        rules = frozenset([len(rows)])
        rows.append(
            (
                "Mean (random effects)", "", "", "",
                f"{so.odds(made.estimate)} {so.odds_interval(made.ci_low, made.ci_high)}", "",
                p_value(made.p_value), "", "", "100 %",
            )
        )  # fmt: skip
        raw.append(
            (
                "mean", "", "", "random effects, REML, Knapp-Hartung", None, "log odds ratio", None,
                None, None, None, made.estimate, made.std_error, "", made.p_value, None, None, 1.0,
                0, "", None, "", "",
            )
        )  # fmt: skip
    return Table(
        name=f"claim_{claim}",
        caption=f"{inputs.claims[claim].title}: leading estimates as odds ratios, above 1 for it",
        head=(
            "Study", "What it says", "In print", "Rebuilt, classical", "Rebuilt", "Errors", "p",
            "Holm", "BH", "Weight",
        ),
        rows=tuple(rows),
        csv_head=(
            "study", "model", "term", "says", "expects", "scale", "factor", "published",
            "published_se", "classical_se", "log_odds_ratio", "std_error", "covariance", "p_value",
            "p_holm", "p_bh", "weight", "variant", "file", "n_obs", "kind", "unit",
        ),
        csv_rows=tuple(raw),
        notes=tuple(
            part
            for part in (
                "Intervals of 95 %. Values without an odds ratio are in their own standard errors.",
                so.spread_words(found),
                so.designs_words(found),
                so.limits_words(found),
            )
            if part
        ),
        rules=rules,
        left=2,
    )  # fmt: skip


def _designs_table(inputs: Inputs, claim: str, found: Synthesis) -> Table:
    views = [_design_view(one) for one in found.designs]
    raw = []
    for one in found.designs:
        made, ends = one.pooled, so.predicted(one.pooled)
        raw.append(
            (
                one.kind, one.unit, len(one.bearings), one.value, one.se, *one.ends, one.p,
                *((made.tau2, made.i2, made.q, made.q_p) if made else (None,) * 4),
                *(ends or (None, None)), " ".join(bearing.study for bearing in one.bearings),
            )
        )  # fmt: skip
    keys = ("kind", "unit", "k", "mean", "p", "i2", "tau2", "q", "predicted")
    return Table(
        name=f"claim_{claim}_designs",
        caption=f"{inputs.claims[claim].title}: means by design, odds ratios, above 1 for it",
        head=("Key term", "Unit", "Studies", "Mean", "p", "I²", "τ²", "Q (df)", "One more study"),
        rows=tuple(tuple(str(view[key]) for key in keys) for view in views),
        csv_head=(
            "kind", "unit", "studies_n", "log_odds_ratio", "std_error", "ci_low", "ci_high",
            "p_value", "tau2", "i2", "q", "q_p", "predict_low", "predict_high", "studies",
        ),
        csv_rows=tuple(raw),
        notes=(so.designs_words(found),),
        left=2,
    )  # fmt: skip


def _groups_table(inputs: Inputs, claim: str, found: Synthesis) -> Table:
    rows: list[tuple[str, ...]] = []
    raw: list[tuple[Any, ...]] = []
    rules: list[int] = []
    for apart in found.groups:
        rules.append(len(rows))
        for test, adjusted in apart.tests:
            for one in test.points:
                rows.append(
                    (
                        one.short, one.by, one.group, so.odds_of(one.point), p_value(one.point.p),
                        count(one.n), count(one.events), p_value(test.p), p_value(adjusted),
                    )
                )  # fmt: skip
                raw.append(
                    (
                        one.study, one.subset, one.by, one.group, one.point.value, one.point.se,
                        one.point.p, test.covariance, one.n, one.events, test.q, test.df, test.p,
                        adjusted, test.kind, " ".join(one.left_out),
                    )
                )  # fmt: skip
    return Table(
        name=f"claim_{claim}_groups",
        caption=f"{inputs.claims[claim].title}: leading estimates by group, odds ratios",
        head=("Study", "By", "Group", "Odds ratio", "p", "N", "Events", "Test p", "Holm"),
        rows=tuple(rows),
        csv_head=(
            "study", "subset", "by", "group", "log_odds_ratio", "std_error", "p_value",
            "covariance", "n_obs", "n_events", "test_q", "test_df", "test_p", "test_p_holm",
            "test_kind", "left_out",
        ),
        csv_rows=tuple(raw),
        rules=frozenset(rules[1:]),
        left=3,
    )  # fmt: skip
