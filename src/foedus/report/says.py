"""Sentences made from numbers: what the evidence on a claim says, as rebuilt in this run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foedus.report.draw.choices import Group, groups
from foedus.report.inputs import Inputs, Study
from foedus.report.names import short_cite
from foedus.report.numbers import (
    MINUS,
    is_number,
    number,
    p_clause,
    percent,
    plural,
    printed,
    rebuilt,
)
from foedus.report.rows import Comparison, Estimate
from foedus.report.verdicts import Tally, tally, verdict_of

MOST_READINGS = 3

SUPPORTS = "supports"
AGAINST = "speaks against"
UNDECIDED = "undecided"


@dataclass(frozen=True)
class Reading:
    """What one leading estimate says: a sentence, and where it points if the study says so."""

    study: str
    short: str
    label: str
    sentence: str
    points: str
    verdict: str


def lead_estimate(inputs: Inputs, rows: Sequence[Estimate]) -> Estimate:
    """Return the estimate under the report's covariance, else under the study's declared one."""
    wanted = inputs.project.config.report.covariance
    return next((row for row in rows if row.covariance == wanted), rows[0])


def readings(inputs: Inputs, study: Study, claim: str) -> list[Reading]:
    """Return what a study's leading numbers say about a claim."""
    heads = [item for item in study.part("headline") if isinstance(item, dict)]
    own = [item for item in heads if str(item.get("claim") or claim) == claim]
    found = [one for item in own if (one := _of_headline(inputs, study, item))]
    if not found:
        found = [
            _reading(inputs, study, study.rows_of(model, term), {})
            for model, term in study.key_terms
        ]
    return found[:MOST_READINGS] or _from_print(inputs, study, study.leads)


def _of_headline(inputs: Inputs, study: Study, head: Mapping[str, Any]) -> Reading | None:
    """Read one headline: a term of a model, else a published number by what it maps to."""
    rows = study.rows_of(str(head.get("model", "")), str(head.get("term", "")))
    if rows and rows[0].estimate is not None:
        return _reading(inputs, study, rows, head)
    named = [row for row in study.leads if row.maps_to and row.maps_to == head.get("maps_to")]
    return next(iter(_from_print(inputs, study, named)), None)


def _reading(
    inputs: Inputs, study: Study, rows: Sequence[Estimate], head: Mapping[str, Any]
) -> Reading:
    lead = lead_estimate(inputs, rows)
    beside = _beside(study, lead)
    parts = [_in_print(beside), _rebuilt(lead), _covariances(rows), _alternatives(study, lead)]
    sentence = "; ".join(part for part in parts if part) + "."
    return Reading(
        study.id,
        short_cite(inputs, study),
        str(head.get("says") or study.label(lead.term)).rstrip("."),
        sentence,
        _points(lead, head.get("expects")),
        beside.verdict if beside else "",
    )


def _beside(study: Study, row: Estimate) -> Comparison | None:
    return next((one for one in study.leads if one.place == (row.model, row.term)), None)


def _in_print(row: Comparison | None) -> str:
    if row is None or row.published is None:
        if row is not None and row.is_truth:
            return "no truth known"
        return "in print no number that could be compared"
    if row.is_truth:
        return f"in truth {row.in_print}"
    if row.quantity == "direction":
        return f"in print {_sign_word(row.published)} (sign only)"
    se = f" (SE {printed(row.published_se, 'coefficient')})" if row.published_se is not None else ""
    return f"in print {row.in_print}{se}"


def _sign_word(value: float) -> str:
    return "positive" if value > 0 else "negative" if value < 0 else "no effect"


def _rebuilt(row: Estimate) -> str:
    text = f"rebuilt {number(row.estimate)}"
    if row.std_error is None:
        return text
    how = f"{row.covariance} SE" if row.covariance else "SE"
    tail = f", {p_clause(row.p_value)}" if row.p_value is not None else ""
    return f"{text} ({how} {number(row.std_error)}{tail})"


def _covariances(rows: Sequence[Estimate]) -> str:
    tested = [row for row in rows if row.p_value is not None]
    if len(tested) < 2:
        return ""
    return f"p < .05 under {sum(row.significant for row in tested)} of {len(tested)} covariances"


def _alternatives(study: Study, lead: Estimate) -> str:
    for group in groups(study):
        if (group.model, group.term) == (lead.model, lead.term):
            return _alternatives_of(group)
    return ""


def _alternatives_of(group: Group) -> str:
    others = [r for r in group.rows if not r.get("declared") and is_number(r.get("estimate"))]
    if not others or group.declared is None:
        return ""
    same = sum((row["estimate"] > 0) == (group.declared > 0) for row in others)
    tested = [row for row in others if is_number(row.get("p_value"))]
    sure = sum(row["p_value"] < 0.05 for row in tested)
    text = f"sign kept in {same} of {len(others)} alternative codings"
    return text + (f", p < .05 in {sure}" if tested else "")


def _points(row: Estimate, expects: object) -> str:
    if not is_number(expects) or row.estimate is None or row.p_value is None:
        return ""
    if expects == 0:
        return UNDECIDED if row.significant else SUPPORTS
    if not row.significant:
        return UNDECIDED
    return SUPPORTS if row.estimate * expects > 0 else AGAINST


def _from_print(inputs: Inputs, study: Study, leads: Sequence[Comparison]) -> list[Reading]:
    """Read the first comparable numbers when the study singles nothing out."""
    rows = [r for r in leads if r.published is not None and r.rebuilt is not None]
    return [
        Reading(
            study.id,
            short_cite(inputs, study),
            _label(study, row),
            f"{_in_print(row)}; rebuilt {rebuilt(row.rebuilt, row.quantity, row.published_text)}.",
            "",
            row.verdict,
        )
        for row in rows[:MOST_READINGS]
    ]


def _label(study: Study, row: Comparison) -> str:
    return study.label(row.term) + (f" ({row.model})" if row.model else "")


def tally_of(studies: Sequence[Study]) -> Tally:
    """Count the verdicts of studies under their declared covariance."""
    return tally(row.verdict for study in studies for row in study.leads)


def tally_sentence(found: Tally, truth: bool = False) -> str:
    """Say how many published numbers stand, or truths of a simulated world are found."""
    if not found.total:
        return "No published number has been set beside a rebuilt one."
    if truth and not found.compared:
        return "Nothing that this study estimates has a known truth in the simulated world."
    if truth:
        words = ", ".join(f"{count} {verdict.name}" for verdict, count in found.present)
        return (
            f"{found.upheld} of {plural(found.compared, 'known truth')} of the simulated world "
            f"were found: {words}. What could not be compared has no known truth."
        )
    if not found.compared:
        return f"None of {plural(found.total, 'published number')} could be compared."
    share = percent(found.upheld / found.compared, 0)
    words = ", ".join(f"{count} {verdict.name}" for verdict, count in found.present)
    return (
        f"{found.upheld} of {plural(found.compared, 'published number')} that could be compared "
        f"stand ({share}): {words}."
    )


EXPECTATION = "expectation"
BASES = (
    ("file", "Re-estimated on the authors' own files"),
    ("raw", "Rebuilt from raw files"),
    (EXPECTATION, "Other works' findings, asked of designs of our own"),
)
"""What a rebuilt number can rest on, with the words of its tally."""


def tallies_by_basis(rows: Sequence[Comparison]) -> list[tuple[str, Tally]]:
    """Count the verdicts on authors' own files apart from those on numbers rebuilt from raw.

    A finding that a design of our own was asked for is no replication and is counted apart too.

    Returns
    -------
    list of (words, Tally)
        Those that have a number; results without the distinction give nothing.
    """
    counted = [
        (words, tally(row.verdict for row in rows if _stands_on(row) == basis))
        for basis, words in BASES
    ]
    return [(words, found) for words, found in counted if found.total]


def _stands_on(row: Comparison) -> str:
    return EXPECTATION if row.print_kind == EXPECTATION and row.basis else row.basis


OWN_DESIGN = (
    "A design of this project's own, not a replication. What stands under print are findings of "
    "other works, as expectations: their authors used other rows and models, so that a verdict "
    "says whether the finding is met here too, and nothing of whether theirs can be had again."
)
"""What the page of a study with a design of our own says of its verdicts."""


def mover_sentence(study: Study, group: Group) -> str:
    """Say which alternative moves an estimate most."""
    row = group.largest
    if row is None or group.declared is None:
        return ""
    move = group.move(row)
    declared = next((r for r in group.rows if r.get("declared")), {})
    models = {one.model for one in groups(study)}
    where = f" ({study.model_label(group.model)})" if len(models) > 1 else ""
    text = (
        f"{study.label(group.term)}{where}: “{row.get('choice', '')}: "
        f"{row.get('alternative', '')}” moves it most, "
        f"from {number(group.declared)} to {number(row['estimate'])}"
    ).replace("_", " ")
    se = declared.get("std_error")
    if is_number(se) and se > 0 and move is not None:
        text += f" ({_plus(move / se)} declared standard errors)"
    return text + "."


def _plus(value: float) -> str:
    text = number(value, 2)
    return text if text.startswith(MINUS) else f"+{text}"


def curve_sentence(summary: Mapping[str, str] | None) -> str:
    """Say how many specifications agree in sign and significance."""
    if summary is None:
        return ""
    return (
        f"Of {summary['n']} specifications, {summary['same_sign']} ({summary['same_sign_share']}) "
        f"have the declared sign and {summary['significant']} ({summary['significant_share']}) "
        f"have it at p < .05; the median estimate is {summary['median']}."
    )


def stamp_sentence(inputs: Inputs) -> str:
    """Say what data the report was built from."""
    files = inputs.sources_used
    if inputs.simulated:
        return "SIMULATED: built from a simulated world with known effects, not from real data."
    if not inputs.provenance:
        return "Provenance unknown: provenance.json was not found beside the results."
    loose = [str(row.get("id")) for row in files if row.get("accepted_unpinned")]
    if loose:
        return (
            f"Built from real data: {plural(len(files), 'source file')}; checksums differ from the "
            f"pinned ones, as accepted in the config, for {', '.join(sorted(set(loose)))}."
        )
    return f"Built from real data: {plural(len(files), 'source file')}, every checksum as pinned."


def diagnosis_words(rows: Sequence[Comparison]) -> list[str]:
    """Return the distinct diagnoses of numbers that do not stand."""
    from foedus.report.verdicts import UPHELD

    found = [
        row.diagnosis or row.reason
        for row in rows
        if verdict_of(row.verdict).name not in UPHELD and (row.diagnosis or row.reason)
    ]
    return list(dict.fromkeys(found))
