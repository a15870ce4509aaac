"""Small pieces of what is shown: verdicts, tallies, a study's line, figures with their words."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from foedus.report import says
from foedus.report.draw.curve import main_rows
from foedus.report.draw.style import Drawn
from foedus.report.inputs import Inputs, Study
from foedus.report.names import short_cite
from foedus.report.numbers import (
    MISSING,
    count,
    is_number,
    number,
    percent,
)
from foedus.report.rows import Comparison
from foedus.report.verdicts import Tally, verdict_of

View = dict[str, Any]


def badge(name: str) -> View:
    """Return a verdict as shown."""
    verdict = verdict_of(name)
    return {
        "name": verdict.name, "slug": verdict.slug, "sign": verdict.sign,
        "colour": verdict.colour, "ink": verdict.ink, "says": verdict.says,
    }  # fmt: skip


def tally_view(found: Tally) -> list[View]:
    """Return the verdicts met, each with how often and its share."""
    return [
        {**badge(verdict.name), "count": n, "share": n / found.total}
        for verdict, n in found.present
    ]


def splits_view(rows: Sequence[Comparison]) -> list[View]:
    """Return the tallies on authors' files and from raw files; nothing when there is only one."""
    found = says.tallies_by_basis(rows)
    if len(found) < 2:
        return []
    truth = any(row.is_truth for row in rows)
    return [
        {"words": words, "tally": tally_view(one), "sentence": says.tally_sentence(one, truth)}
        for words, one in found
    ]


def study_row(inputs: Inputs, study: Study) -> View:
    """Return what a list of studies says of one."""
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
        "years": years_words(study.years),
        "n": count(max(sizes)) if sizes else MISSING,
        "n_known": bool(sizes),
        "upheld": f"{found.upheld} of {found.compared}" if found.compared else MISSING,
        "tally": tally_view(found),
    }


def _heading(short: str, title: str) -> str:
    return short if short.endswith(title) else f"{short}: {title}"


def years_words(years: tuple[int, int] | None) -> str:
    """Return the first and last year with a dash between, nothing where they are unknown."""
    return f"{years[0]}–{years[1]}" if years else ""


def figure_view(drawn: Drawn | None) -> View | None:
    """Return a figure's name and words, None where it wasn't drawn."""
    if drawn is None:
        return None
    return {"name": drawn.name, "caption": drawn.caption, "alt": drawn.alt}


def first_figure(drawn: Sequence[Drawn]) -> View | None:
    """Return the first of several figures, None where there is none."""
    return figure_view(drawn[0]) if drawn else None


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
