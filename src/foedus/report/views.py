"""What the pages and the PDF show, as plain values: both are made from the same views."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foedus.report import says
from foedus.report.checks import invariant_rows, user_file_rows
from foedus.report.claim_views import (
    HETEROGENEITY,
    answer_view,
    claim_tables,
    heterogeneity_view,
    synthesis_view,
)
from foedus.report.draw import portraits
from foedus.report.draw.choices import groups
from foedus.report.draw.curve import main_rows
from foedus.report.draw.effects import Effect, effects
from foedus.report.draw.style import Drawn
from foedus.report.figures import Figures
from foedus.report.inputs import Inputs, Study
from foedus.report.names import name_works, short_cite, works_of
from foedus.report.notes import Node, notes_tree
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
from foedus.report.recovery import recovery_rows, study_recovery
from foedus.report.rows import Comparison
from foedus.report.synthesis import RULE, Synthesis, odds_of
from foedus.report.tables import (
    Table,
    covariances_of,
    shown_covariances,
    study_tables,
    verdict_table,
)
from foedus.report.verdicts import VERDICTS, Tally, tally, verdict_of

View = dict[str, Any]

SCORES = ("auc", "average_precision", "brier", "log_score")
MOST_UNFOLDED = 24
"""More published numbers than this are folded, a table of print each."""


@dataclass(frozen=True)
class Views:
    """Everything shown, and the tables that are written beside it."""

    front: View
    claims: list[View]
    studies: list[View]
    data: View
    method: View
    tables: list[Table]


def build_views(inputs: Inputs, syntheses: Mapping[str, Synthesis], figures: Figures) -> Views:
    """Turn inputs, what their estimates say together, and figures into what is shown."""
    studies, tables = [], [verdict_table(inputs)]
    for study in inputs.studies:
        own = study_tables(inputs, study)
        tables.extend(own)
        studies.append(study_view(inputs, study, syntheses, figures, own))
    claims = []
    for claim, found in syntheses.items():
        own = claim_tables(inputs, claim, found)
        tables.extend(own)
        claims.append(claim_view(inputs, claim, syntheses, figures, own))
    return Views(
        front=front_view(inputs, syntheses, figures),
        claims=claims,
        studies=studies,
        data=data_view(inputs, figures),
        method=method_view(inputs, figures),
        tables=tables,
    )


def badge(name: str) -> View:
    """Return a verdict as shown."""
    verdict = verdict_of(name)
    return {
        "name": verdict.name, "slug": verdict.slug, "sign": verdict.sign,
        "colour": verdict.colour, "ink": verdict.ink, "says": verdict.says,
    }  # fmt: skip


def _tally(found: Tally) -> list[View]:
    return [
        {**badge(verdict.name), "count": n, "share": n / found.total}
        for verdict, n in found.present
    ]


def _splits(rows: Sequence[Comparison]) -> list[View]:
    """Return the tallies on authors' files and from raw files; nothing when there is only one."""
    found = says.tallies_by_basis(rows)
    if len(found) < 2:
        return []
    truth = any(row.is_truth for row in rows)
    return [
        {"words": words, "tally": _tally(one), "sentence": says.tally_sentence(one, truth)}
        for words, one in found
    ]


def front_view(inputs: Inputs, syntheses: Mapping[str, Synthesis], figures: Figures) -> View:
    """Return the front page: counts, tally, overview, studies; claims have their own views."""
    found = says.tally_of(inputs.studies)
    return {
        "title": inputs.project.config.report.title,
        "simulated": inputs.simulated,
        "stamp": says.stamp_sentence(inputs),
        "n_studies": plural(len(inputs.studies), "study", "studies"),
        "n_claims": plural(len(inputs.claims_met), "claim"),
        "n_published": plural(found.compared, "known truth")
        if inputs.simulated
        else plural(found.total, "published number"),
        "left_out": _left_out(inputs),
        "against": "Truth" if inputs.simulated else "Published",
        "n_estimates": plural(sum(len(study.estimates) for study in inputs.studies), "estimate"),
        "tally": _tally(found),
        "tally_sentence": says.tally_sentence(found, inputs.simulated),
        "splits": _splits([row for study in inputs.studies for row in study.leads]),
        "overview": _figure(figures.overview),
        "answers": [answer_view(inputs, claim, syntheses) for claim in syntheses],
        "rule": RULE,
        "covariance": inputs.project.config.report.covariance,
        "studies": [_study_row(inputs, study) for study in inputs.studies],
        "provenance": _provenance(inputs),
    }  # fmt: skip


def _left_out(inputs: Inputs) -> str:
    """Say which studies the run left out for want of data, and which data those are."""
    named = inputs.provenance.get("left_out")
    if not isinstance(named, dict) or not named:
        return ""
    why = "which the simulated world doesn't hold" if inputs.simulated else "which are not here"
    parts = [
        f"{study} needs {', '.join(map(str, lacks))}" for study, lacks in sorted(named.items())
    ]
    return f"Left out for want of data {why}: {'; '.join(parts)}."


def _study_row(inputs: Inputs, study: Study) -> View:
    found = says.tally_of([study])
    models = [row for row in study.estimates if not row.is_measure]
    sizes = [row.n_obs for row in models or study.estimates[:1] if row.n_obs is not None]
    return {
        "id": study.id,
        "short": short_cite(inputs, study),
        "title": study.title,
        "heading": _heading(short_cite(inputs, study), study.title),
        "own": bool(study.declared.get("own")),
        "unit": study.unit,
        "years": _years(study.years),
        "n": count(max(sizes)) if sizes else MISSING,
        "n_known": bool(sizes),
        "upheld": f"{found.upheld} of {found.compared}" if found.compared else MISSING,
        "tally": _tally(found),
    }


def _heading(short: str, title: str) -> str:
    return short if short.endswith(title) else f"{short}: {title}"


def _years(years: tuple[int, int] | None) -> str:
    return f"{years[0]}–{years[1]}" if years else ""


def _figure(drawn: Drawn | None) -> View | None:
    if drawn is None:
        return None
    return {"name": drawn.name, "caption": drawn.caption, "alt": drawn.alt}


def _first(drawn: Sequence[Drawn]) -> View | None:
    return _figure(drawn[0]) if drawn else None


def claim_view(
    inputs: Inputs,
    claim_id: str,
    syntheses: Mapping[str, Synthesis],
    figures: Figures,
    tables: Sequence[Table],
) -> View:
    """Return a claim: who argues it, the studies that bear on it, what their numbers say."""
    claim = inputs.claims[claim_id]
    studies = inputs.of_claim(claim_id)
    read = [reading for study in studies for reading in says.readings(inputs, study, claim_id)]
    rows = [row for study in studies for row in study.leads if row.claim in ("", claim_id)]
    found = tally(row.verdict for row in rows)
    return {
        "id": claim.id,
        "title": claim.title,
        "sentence": claim.sentence,
        "estimate": claim.estimate,
        "data": list(claim.data),
        "argued": name_works(inputs, claim.argued_by),
        "tested": name_works(inputs, claim.tested_by),
        "contested": name_works(inputs, claim.contested_by),
        "tally": _tally(found),
        "tally_sentence": says.tally_sentence(found, inputs.simulated),
        "splits": _splits(rows),
        "together": synthesis_view(inputs, syntheses[claim_id]),
        "forest": _first(figures.of_claim(claim_id, "forest")),
        "group_figures": [_figure(one) for one in figures.of_claim(claim_id, "groups")],
        "apart": heterogeneity_view(inputs, syntheses, figures.of_claim(claim_id, "means"))
        if claim_id == HETEROGENEITY
        else None,
        "tables": [table.name for table in tables],
        "n_studies": plural(len(studies), "study", "studies"),
        "studies": [_study_row(inputs, study) for study in studies],
        "readings": [
            {
                "study": one.study, "short": one.short, "label": one.label,
                "sentence": one.sentence, "points": one.points,
                "badge": badge(one.verdict) if one.verdict else None,
            }
            for one in read
        ],
    }  # fmt: skip


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
    return {
        **_study_row(inputs, study),
        "claims": [
            {"id": claim, "title": inputs.claims[claim].title}
            for claim in study.claims
            if claim in inputs.claims
        ],
        "tally_sentence": says.tally_sentence(found, inputs.simulated),
        "own_sentence": _own_words(inputs, study),
        "splits": _splits(study.leads),
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
        "figures": {kind: [_figure(one) for one in figures.of(study.id, kind)] for kind in kinds},
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
            "tally": _tally(tally(leads[index].verdict for index in found)),
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


def curve_summary(study: Study) -> dict[str, str] | None:
    """Count the specifications of a study's curve, as text; None when it has no curve."""
    if study.curve is None:
        return None
    rows = main_rows(study, study.curve)
    median = statistics.median(row["estimate"] for row in rows)
    declared = next((row["estimate"] for row in rows if row.get("declared")), median)
    same = [row for row in rows if (row["estimate"] > 0) == (declared > 0)]
    sure = [row for row in same if is_number(row.get("p_value")) and row["p_value"] < 0.05]
    return {
        "n": count(len(rows)),
        "same_sign": count(len(same)),
        "same_sign_share": percent(len(same) / len(rows), 0),
        "significant": count(len(sure)),
        "significant_share": percent(len(sure) / len(rows), 0),
        "median": number(median),
        "lowest": number(rows[0]["estimate"]),
        "highest": number(rows[-1]["estimate"]),
        "declared": number(declared),
    }


def data_view(inputs: Inputs, figures: Figures) -> View:
    """Return the data page: sources with files, checksums, terms and quirks; panels; coverage."""
    used: dict[str, list[Mapping[str, Any]]] = {}
    for row in inputs.sources_used:
        used.setdefault(str(row.get("id", "")), []).append(row)
    sources = []
    for facts in inputs.facts.values():
        made = {str(row.get("file")): row for row in used.get(facts.id, [])}
        sources.append(
            {
                "id": facts.id,
                "title": facts.title,
                "version": facts.version,
                "edition": facts.edition,
                "years": _years(facts.coverage),
                "used": facts.id in used,
                "files": [
                    {
                        "name": file.name,
                        "sha256": str(made.get(file.name, {}).get("sha256") or file.sha256),
                        "size": _size(file.bytes),
                        "accepted": bool(made.get(file.name, {}).get("accepted_unpinned")),
                    }
                    for file in facts.files
                ],
                "tables": [
                    {
                        "name": name,
                        "rows": "?" if table.rows is None else count(table.rows),
                        "says": table.description,
                    }
                    for name, table in facts.tables.items()
                ],
                "works": [
                    inputs.works[k].text() if k in inputs.works else k for k in facts.citation
                ],
                "terms": facts.terms,
                "obtained": facts.obtained_from,
                "quirks": list(facts.quirks),
            }
        )
    panels = [
        {**panel, "rows": count(panel["rows"]), "columns": count(panel["columns"])}
        for panel in inputs.panels
    ]
    return {
        "sources": sources,
        "panels": panels,
        "coverage": _figure(figures.coverage),
        "rules": invariant_rows(inputs),
        "user_files": user_file_rows(inputs),
    }


def _size(size: int | None) -> str:
    if size is None:
        return "unknown"
    for unit, scale in (("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} B"


def method_view(inputs: Inputs, figures: Figures) -> View:
    """Return the method page: units, covariances used, verdict rules, assumptions in the code."""
    used = sorted({study.unit for study in inputs.studies if study.unit})
    rows = [row for study in inputs.studies for row in study.estimates if not row.is_measure]
    names = covariances_of(rows)
    return {
        "units": [{"name": name, "says": _unit_words().get(name, "")} for name in used],
        "covariances": sorted(names),
        "verdicts": [badge(verdict.name) for verdict in VERDICTS],
        "recovery": recovery_rows(inputs.project.root),
        "planted": study_recovery(inputs.project.root),
        "planted_figure": _figure(figures.recovery),
        "assumptions": [
            {"file": item.file, "line": item.line, "text": item.text} for item in inputs.assumptions
        ],
    }


def _unit_words() -> dict[str, str]:
    from foedus.panels.units import units

    return {name: unit.says for name, unit in units().items()}


def _provenance(inputs: Inputs) -> View:
    found = inputs.provenance
    versions = found.get("versions")
    revision = found.get("git_revision") or found.get("revision") or found.get("git") or ""
    return {
        "revision": str(revision),
        "versions": [
            {"name": str(name), "version": str(version)}
            for name, version in sorted((versions if isinstance(versions, dict) else {}).items())
        ],
        "files": [
            {
                "id": str(row.get("id", "")),
                "file": str(row.get("file", "")),
                "version": str(row.get("version", "")),
                "edition": str(row.get("edition", "")),
                "sha256": str(row.get("sha256", "")),
            }
            for row in inputs.sources_used
        ],
    }


def tree_json(view: View) -> View:
    """Return a study's view with its notes as plain values, for the PDF."""
    notes = view["notes"]
    return {**view, "notes": notes.json() if isinstance(notes, Node) else None}
