"""What the pages and the PDF show, as plain values: both are made from the same views."""

from __future__ import annotations

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
from foedus.report.figures import Figures
from foedus.report.inputs import Inputs
from foedus.report.names import name_works
from foedus.report.notes import Node
from foedus.report.numbers import (
    count,
    plural,
)
from foedus.report.recovery import recovery_rows, study_recovery
from foedus.report.shown import (
    View,
    badge,
    figure_view,
    first_figure,
    splits_view,
    study_row,
    tally_view,
    years_words,
)
from foedus.report.study_views import study_view
from foedus.report.synthesis import RULE, Synthesis
from foedus.report.tables import (
    Table,
    covariances_of,
    study_tables,
    verdict_table,
)
from foedus.report.verdicts import VERDICTS, tally


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
        "tally": tally_view(found),
        "tally_sentence": says.tally_sentence(found, inputs.simulated),
        "splits": splits_view([row for study in inputs.studies for row in study.leads]),
        "overview": figure_view(figures.overview),
        "answers": [answer_view(inputs, claim, syntheses) for claim in syntheses],
        "rule": RULE,
        "covariance": inputs.project.config.report.covariance,
        "studies": [study_row(inputs, study) for study in inputs.studies],
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
        "tally": tally_view(found),
        "tally_sentence": says.tally_sentence(found, inputs.simulated),
        "splits": splits_view(rows),
        "together": synthesis_view(inputs, syntheses[claim_id]),
        "forest": first_figure(figures.of_claim(claim_id, "forest")),
        "group_figures": [figure_view(one) for one in figures.of_claim(claim_id, "groups")],
        "apart": heterogeneity_view(inputs, syntheses, figures.of_claim(claim_id, "means"))
        if claim_id == HETEROGENEITY
        else None,
        "tables": [table.name for table in tables],
        "n_studies": plural(len(studies), "study", "studies"),
        "studies": [study_row(inputs, study) for study in studies],
        "readings": [
            {
                "study": one.study, "short": one.short, "label": one.label,
                "sentence": one.sentence, "points": one.points,
                "badge": badge(one.verdict) if one.verdict else None,
            }
            for one in read
        ],
    }  # fmt: skip


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
                "years": years_words(facts.coverage),
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
        "coverage": figure_view(figures.coverage),
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
        "planted_figure": figure_view(figures.recovery),
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
