"""A study's page: design, numbers in print beside rebuilt, models, effects, choices, figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from foedus.report import says
from foedus.report.draw import portraits
from foedus.report.draw.choices import groups
from foedus.report.draw.effects import Effect, effects
from foedus.report.figures import Figures
from foedus.report.inputs import Inputs, Study
from foedus.report.names import works_of
from foedus.report.notes import notes_tree
from foedus.report.numbers import (
    MISSING,
    count,
    interval,
    is_number,
    number,
    p_clause,
    p_value,
    percent,
    plural,
    printed,
    rebuilt,
)
from foedus.report.rebuilding import change_words, rebuild_view, walk_views
from foedus.report.rows import Comparison
from foedus.report.shown import (
    View,
    badge,
    curve_summary,
    figure_view,
    splits_view,
    study_row,
    tally_view,
)
from foedus.report.synthesis import Synthesis, odds_of
from foedus.report.tables import (
    Table,
    covariances_of,
    shown_covariances,
)
from foedus.report.verdicts import tally, verdict_of

SCORES = ("auc", "average_precision", "brier", "log_score")
MOST_UNFOLDED = 24
"""More published numbers than this are folded, a table of print each."""


def study_view(
    inputs: Inputs,
    study: Study,
    syntheses: Mapping[str, Synthesis],
    figures: Figures,
    tables: Sequence[Table],
) -> View:
    """Return a study's page."""
    works = works_of(inputs, study)
    found = says.tally_of([study])
    kinds = (
        "coefficients", "effects", "ratios", "ready", "performance", "influence", "interaction",
        "choices", "curve",
    )  # fmt: skip
    notes = notes_tree(study)
    drawn = {kind: [figure_view(one) for one in figures.of(study.id, kind)] for kind in kinds}
    return {
        **study_row(inputs, study),
        "claims": [
            {"id": claim, "title": inputs.claims[claim].title}
            for claim in study.claims
            if claim in inputs.claims
        ],
        "tally_sentence": says.tally_sentence(found, inputs.simulated),
        "own_sentence": _own_words(inputs, study),
        "splits": splits_view(study.leads),
        **_design(study),
        "models": _models(study),
        "flow": _flow(study),
        "coverage": _records(study.part("coverage")),
        "published": _published(study),
        "rebuild": rebuild_view(study),
        "walks": walk_views(study),
        "walks_cut": _cut_short(study),
        "changes": change_words(study),
        "effects": _effects(study),
        "choices": _choices(study),
        "movers": [text for group in groups(study) if (text := says.mover_sentence(study, group))],
        "curve": says.curve_sentence(curve_summary(study)),
        "scores": _scores(study),
        "groups": _groups(syntheses, study),
        "diagnoses": says.diagnosis_words(study.leads),
        "assumptions": [str(item) for item in study.part("assumptions")],
        "small_tables": _small_tables(study),
        "measure_words": _sentences(study.page.get("measure_words")),
        "failed": _failed(study),
        "notes": notes,
        "figures": drawn,
        "tables": [table.name for table in tables],
        "works": [{"key": k, "text": work.text(), "bibtex": work.bibtex(k)} for k, work in works],
    }  # fmt: skip


def _own_words(inputs: Inputs, study: Study) -> str:
    """Say that print is an expectation; a simulated world's truth is none."""
    return says.OWN_DESIGN if study.declared.get("own") and not inputs.simulated else ""


def _scores(study: Study) -> list[View]:
    """Return how well the leading models predict, in the sample and for what is left out."""
    return [
        {
            "model": study.model_label(model),
            "rows": [
                {"series": series, **{name: number(values.get(name), 4) for name in SCORES}}
                for series, values in portraits.scores(study, model)
            ],
        }
        for model in portraits.models_of(study, "measures")
    ]


def _groups(syntheses: Mapping[str, Synthesis], study: Study) -> list[View]:
    """Return the study's leading estimates by era and by other groups."""
    return [
        {
            "title": f"{test.says}, by {test.by}",
            "rows": [
                {
                    "group": one.group,
                    "odds": odds_of(one.point),
                    "p": p_value(one.point.p),
                    "n": count(one.n),
                    "events": count(one.events),
                    "left_out": ", ".join(one.left_out),
                }
                for one in test.points
            ],
            "missing": [f"{group}: {why}" for group, why in test.missing],
            "sentence": f"One effect in all groups: Q {number(test.q)} on "
            f"{plural(test.df, 'degree')} of freedom, {p_clause(test.p)} ({test.kind}; "
            f"{test.covariance} errors).",
        }
        for found in syntheses.values()
        for test in found.evidence.tests
        if test.study == study.id
    ]


def _cut_short(study: Study) -> str:
    cut = study.page.get("walks_cut_short")
    return plural(cut, "number") if isinstance(cut, int) and cut else ""


def _design(study: Study) -> View:
    """Return the design's sentences: about rows, about single variables, about models."""
    variables = study.declared.get("variables")
    names = [f"{name} is " for name in variables] if isinstance(variables, dict) else []
    parts: dict[str, list[str]] = {"design": [], "variables": [], "in_full": []}
    for item in study.part("design"):
        text = str(item)
        if text.startswith(tuple(names)):
            parts["variables"].append(text)
        elif text.startswith(("Model ", "Effect ")) and study.models:
            parts["in_full"].append(text)
        else:
            parts["design"].append(text)
    return dict(parts)


def _models(study: Study) -> list[View]:
    declared = study.declared.get("models")
    formulas = declared if isinstance(declared, dict) else {}
    found = []
    for model in study.models:
        rows = [row for row in study.estimates if row.model == model]
        content = formulas.get(model)
        small = {row.covariance: row.small_sample for row in rows}
        found.append(
            {
                "id": model,
                "label": study.model_label(model),
                "estimator": rows[0].estimator,
                "formula": str(content.get("formula", "")) if isinstance(content, dict) else "",
                "covariances": [
                    {"name": name, "small": small[name]} for name in covariances_of(rows)
                ],
                "n": count(rows[0].n_obs),
                "events": count(rows[0].n_events),
            }
        )
    return found


def _flow(study: Study) -> View:
    """Return the way to each sample: steps that lost no row are counted, not shown."""
    rows = [row for row in study.part("flow") if isinstance(row, dict)]
    sizes = [row["rows_left"] for row in rows if is_number(row.get("rows_left"))]
    whole = max(sizes, default=0) or 1
    kept = [
        row
        for place, row in enumerate(rows)
        if row.get("rows_lost") or place == 0 or _ends(rows, place)
    ]
    shown = [
        {
            "step": str(row.get("step", "")).replace("_", " "),
            "left": count(row.get("rows_left")),
            "lost": count(row.get("rows_lost")) if row.get("rows_lost") else "",
            "cause": _cause(study, row),
            "model": study.model_label(str(row.get("model") or "")),
            "share": row["rows_left"] / whole if is_number(row.get("rows_left")) else 0.0,
        }
        for row in kept
    ]
    return {"rows": shown, "silent": plural(len(rows) - len(kept), "step") if rows != kept else ""}


def _cause(study: Study, row: Mapping[str, Any]) -> str:
    """Return what a step lost rows to; of the last one, how many rows print has."""
    said = str(row.get("cause") or "")
    if row.get("step") != "estimation":
        return said
    model = row.get("model")
    name = re.escape(str(model)) if model else r"[^.]+"
    target = re.compile(rf"^(models\.{name}|sample)\.n$")
    sizes = {one.published for one in study.leads if target.match(one.maps_to)}
    known = sorted(value for value in sizes if is_number(value))
    if not known or not is_number(row.get("rows_left")):
        return said
    against = " or ".join(
        f"{count(value)} (ratio {number(row['rows_left'] / value, 4, 3)})" for value in known
    )
    return f"{said}; print has {against}"


def _ends(rows: Sequence[Mapping[str, Any]], place: int) -> bool:
    """Whether a step is the last of its model's."""
    return place + 1 == len(rows) or rows[place].get("model") != rows[place + 1].get("model")


def _records(rows: Sequence[Any]) -> View | None:
    """Return flat mappings as a table of text, columns in order of first appearance."""
    kept = [row for row in rows if isinstance(row, dict)]
    if not kept:
        return None
    head = list(dict.fromkeys(str(name) for row in kept for name in row))
    body = [[_cell(row.get(name)) for name in head] for row in kept]
    return {"head": [name.replace("_", " ") for name in head], "rows": body}


def _cell(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_number(value):
        return count(value) if float(value).is_integer() else number(value)
    if isinstance(value, list | tuple):
        return "–".join(_cell(item) for item in value)
    return str(value)


def _published(study: Study) -> View | None:
    leads = study.leads
    if not leads:
        return None
    names = shown_covariances(study)
    by_key = {(row.key, row.covariance): row for row in study.comparison}
    rows = [_published_row(study, row, names, by_key) for row in leads]
    return {"covariances": names, "rows": rows, "folds": _folds(leads, rows)}


def _folds(leads: Sequence[Comparison], rows: Sequence[View]) -> list[View]:
    """Return the rows by their place in print where there are many; else nothing.

    By table, or by the table's models when print has but one.
    """
    if len(rows) <= MOST_UNFOLDED:
        return []
    one_table = len({lead.table for lead in leads}) == 1
    places: dict[str, list[int]] = {}
    for index, lead in enumerate(leads):
        parts = (lead.table, lead.model) if one_table else (lead.table,)
        name = " · ".join(part for part in parts if part) or "elsewhere"
        places.setdefault(name, []).append(index)
    return [
        {
            "name": name,
            "rows": [rows[index] for index in found],
            "tally": tally_view(tally(leads[index].verdict for index in found)),
            "n": plural(len(found), "number"),
        }
        for name, found in places.items()
    ]


def _published_row(
    study: Study,
    row: Comparison,
    names: Sequence[str],
    by_key: Mapping[tuple[tuple[str, str, str, str, str], str], Comparison],
) -> View:
    others = [by_key.get((row.key, name)) for name in names]
    both = is_number(row.n_published) and is_number(row.n_rebuilt) and row.n_published > 0
    ratio = number(row.n_rebuilt / row.n_published, 3, 2) if both else MISSING  # type: ignore[operator]
    place = row.where_in_print or " · ".join(part for part in (row.table, row.model) if part)
    return {
        "label": study.label(row.term),
        "term": row.term,
        "where": place,
        "quantity": row.quantity.replace("_", " "),
        "published": row.in_print,
        "published_se": _as_printed(row.published_se),
        "rebuilt": rebuilt(row.rebuilt, row.quantity, row.published_text),
        "rebuilt_se": _own_se(row, names),
        "ses": [_se_cell(row, other) for other in others],
        "n_published": count(row.n_published),
        "n_rebuilt": count(row.n_rebuilt),
        "ratio": ratio,
        "badge": badge(row.verdict),
        "diagnosis": "" if row.verdict == "exact" else row.diagnosis or row.reason,
    }


def _own_se(row: Comparison, names: Sequence[str]) -> str:
    """Return the standard error of a number that has no column of its own, and how it was had."""
    if not row.rebuilt_se or row.covariance in names:
        return ""
    how = "" if row.covariance in ("", "none") else f", {row.covariance}"
    return f"SE {number(row.rebuilt_se)}{how}"


def _as_printed(value: float | None) -> str:
    return printed(value, "coefficient") if value is not None else ""


def _se_cell(lead: Comparison, other: Comparison | None) -> View:
    if other is None or other.rebuilt_se is None:
        return {"se": "", "p": "", "exact": False, "badge": None}
    differs = verdict_of(other.verdict) is not verdict_of(lead.verdict)
    return {
        "se": number(other.rebuilt_se),
        "exact": bool(other.lead and other.se_exact),
        "p": p_value(other.rebuilt_p) if other.rebuilt_p is not None else "",
        "badge": badge(other.verdict) if differs else None,
    }


def _effects(study: Study) -> list[View]:
    return [_effect(study, one) for one in effects(study)]


def _effect(study: Study, one: Effect) -> View:
    """Return an effect; probabilities in percent, their difference in percentage points."""
    scale, unit, points = (100.0, " %", " pp") if one.probability else (1.0, "", "")
    lead = one.lead

    def ends(row: Mapping[str, Any]) -> str:
        low, high = (row.get(name) for name in ("ci_low", "ci_high"))
        both = is_number(low) and is_number(high)
        return interval(scale * low, scale * high) if both else MISSING  # type: ignore[operator]

    difference = lead.get("difference")
    return {
        "name": one.name,
        "model": study.model_label(one.model),
        "at": str(lead.get("at") or ""),
        "p0": number(scale * lead["p0"]) + unit,
        "p1": number(scale * lead["p1"]) + unit,
        "difference": number(scale * difference) + points if is_number(difference) else MISSING,
        "cis": [
            {"covariance": str(row.get("covariance") or ""), "ci": ends(row)} for row in one.rows
        ],
        "change": _percent_change(lead.get("percent_change")),
    }


def _percent_change(value: object) -> str:
    return percent(value / 100 if is_number(value) else None, 0)


def _small_tables(study: Study) -> list[View]:
    """Return the small tables that a study made (cases that two lists code otherwise, say)."""
    found = []
    for name, rows in sorted(study.mapping("tables").items()):
        shown = _records(rows) if isinstance(rows, list) else None
        if shown:
            found.append({"name": name.replace("_", " "), **shown})
    return found


def _sentences(value: object) -> list[str]:
    """Return the sentences of a list or of a mapping of names to one or several."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for name in sorted(value) for text in _sentences(value[name])]
    return [text for one in value for text in _sentences(one)] if isinstance(value, list) else []


def _failed(study: Study) -> list[str]:
    rows = [row for row in study.part("failed") if isinstance(row, dict)]
    return [f"{study.model_label(str(r.get('model', '')))}: {r.get('reason', '')}" for r in rows]


def _choices(study: Study) -> list[View]:
    words = study.mapping("choice_words")
    found = []
    for group in groups(study):
        largest = group.largest
        rows = [
            {
                "choice": str(row.get("choice", "")).replace("_", " "),
                "says": str(words.get(str(row.get("choice"))) or ""),
                "alternative": str(row.get("alternative", "")),
                "path": str(row.get("path") or ""),
                "estimate": number(row.get("estimate")),
                "se": number(row.get("std_error")),
                "p": p_value(row.get("p_value")),
                "n": count(row.get("n_obs")),
                "move": number(group.move(row), 2) if not row.get("declared") else "",
                "declared": bool(row.get("declared")),
                "largest": row is largest,
                "note": str(row.get("note") or ""),
            }
            for row in group.rows
        ]
        found.append(
            {
                "label": study.label(group.term),
                "model": study.model_label(group.model),
                "rows": rows,
                "mover": says.mover_sentence(study, group),
            }
        )
    return found
