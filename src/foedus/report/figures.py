"""Draw every figure of the report once and save it in three formats."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foedus.report.draw import choices, coefficients, coverage, curve, effects, ready, style
from foedus.report.draw import verdict_map as verdicts
from foedus.report.draw.style import Drawn
from foedus.report.inputs import Inputs, Study
from foedus.report.names import short_cite
from foedus.report.numbers import number, plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CHOICE_TERMS = 4


@dataclass
class Figures:
    """Figures by place: the overview, the coverage chart, and those of each study by kind."""

    overview: Drawn | None = None
    coverage: Drawn | None = None
    studies: dict[str, dict[str, list[Drawn]]] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)

    def of(self, study: str, kind: str) -> list[Drawn]:
        """Return a study's figures of one kind."""
        return self.studies.get(study, {}).get(kind, [])


@dataclass(frozen=True)
class _Plan:
    kind: str
    name: str
    draw: Callable[[], Figure | None]
    caption: str
    alt: str


def draw_figures(
    inputs: Inputs, folder: Path, progress: Callable[[str], None] | None = None
) -> Figures:
    """Draw all figures into `folder`; a study without the numbers for one goes without it."""
    made = Figures()
    with style.rc():
        for plan in _overall(inputs):
            drawn = _one(made, plan, folder, inputs.simulated)
            if plan.kind == "overview":
                made.overview = drawn
            else:
                made.coverage = drawn
        for study in inputs.studies:
            if progress:
                progress(f"figures of {study.id}")
            kinds = made.studies.setdefault(study.id, {})
            for plan in _of_study(study):
                if drawn := _one(made, plan, folder, inputs.simulated):
                    kinds.setdefault(plan.kind, []).append(drawn)
    return made


def _one(made: Figures, plan: _Plan, folder: Path, simulated: bool) -> Drawn | None:
    drawing = plan.draw()
    if drawing is None:
        return None
    made.paths.extend(style.save(drawing, folder, plan.name, simulated))
    return Drawn(plan.name, plan.caption, plan.alt)


def _overall(inputs: Inputs) -> Iterator[_Plan]:
    names = [short_cite(inputs, study) for study in inputs.studies]
    total = sum(len(study.leads) for study in inputs.studies)
    yield _Plan(
        "overview",
        "verdicts",
        lambda: verdicts.draw(inputs.studies, names),
        "Every published number by its verdict, one tile each, under the covariance that the study "
        "declares.",
        f"Tiles of {plural(total, 'published number')} in "
        f"{plural(len(inputs.studies), 'study', 'studies')}, coloured and signed by verdict.",
    )
    sources = [
        (f"{facts.dataset} {facts.version}", *facts.coverage) for facts in inputs.facts.values()
    ]
    studies = [(short_cite(inputs, study), *study.years) for study in inputs.studies if study.years]
    yield _Plan(
        "coverage",
        "coverage",
        lambda: coverage.draw(sources, studies),
        "Years that each source speaks about, and years that each study asks for. Outside a "
        "source's years its variables are missing, never zero.",
        f"Timeline of {plural(len(sources), 'source')} and "
        f"{plural(len(studies), 'study', 'studies')}.",
    )


def _of_study(study: Study) -> Iterator[_Plan]:
    yield _Plan(
        "coefficients",
        f"{study.id}_coefficients",
        lambda: coefficients.draw(study),
        "Published against rebuilt estimates with 95 % intervals; the rebuilt ones under every "
        "covariance." + _scaled_note(study),
        f"Coefficient plot of {study.title}: published and rebuilt estimates with intervals.",
    )
    yield _Plan(
        "effects",
        f"{study.id}_effects",
        lambda: effects.draw(study),
        "Predicted probabilities before and after a change in one variable, and the first "
        "difference with its 95 % interval under every covariance; above it the change in percent.",
        "Predicted probabilities and first differences: " + _effect_words(study, True) + ".",
    )
    yield _Plan(
        "effects",
        f"{study.id}_expected",
        lambda: effects.draw_means(study),
        "Expected values before and after a change in one variable, and the first difference with "
        "its 95 % interval under every covariance; above it the change in percent.",
        "Expected values and first differences: " + _effect_words(study, False) + ".",
    )
    yield _Plan(
        "ratios",
        f"{study.id}_ratios",
        lambda: ready.ratios(study),
        "Counts, rates and other numbers without a test: rebuilt divided by published.",
        f"Dot plot of rebuilt over published values in {study.title}.",
    )
    yield from _ready(study)
    yield from _choices(study)
    yield _Plan(
        "curve",
        f"{study.id}_curve",
        lambda: curve.draw(study),
        "Specification curve: every specification sorted by its estimate, and below it the choices "
        "that make it. Blue: p < .05.",
        f"Specification curve of {study.title}.",
    )


def _scaled_note(study: Study) -> str:
    scaled = any(coefficients.in_standard_errors(panel) for panel in coefficients.panels(study))
    if not scaled:
        return ""
    return " Where scales differ widely, estimates are divided by the first rebuilt standard error."


def _effect_words(study: Study, probability: bool) -> str:
    parts = [
        f"{one.name}, {number(one.lead['p0'])} to {number(one.lead['p1'])}"
        for one in effects.effects(study)
        if one.probability is probability
    ]
    return "; ".join(parts)


def _ready(study: Study) -> Iterator[_Plan]:
    for name, plot in sorted(study.mapping("plots").items()):
        if isinstance(plot, dict):
            plain = name.replace("_", " ").capitalize()
            words = str(plot.get("caption") or plot.get("title") or plain)
            title = str(plot.get("title") or "")
            caption = f"{title.rstrip('.')}. {words}" if title and title != words else words
            if note := plot.get("note"):
                caption = f"{caption.rstrip('.')}. {note}"
            yield _Plan(
                "ready", f"{study.id}_{file_name(name)}", _ready_drawer(plot), caption, words
            )


def _ready_drawer(plot: dict[str, Any]) -> Callable[[], Figure | None]:
    return lambda: ready.draw(plot)


def _choices(study: Study) -> Iterator[_Plan]:
    for group in choices.groups(study)[:MOST_CHOICE_TERMS]:
        yield _Plan(
            "choices",
            f"{study.id}_choices_{file_name(group.model)}_{file_name(group.term)}",
            _choice_drawer(study, group),
            f"{study.label(group.term)} ({study.model_label(group.model)}): the estimate under "
            "each alternative of one choice at a time. Dashed line: as declared; hollow: p ≥ .05; "
            "red: the alternative that moves it most.",
            f"Estimates of {study.label(group.term)} under alternative coding choices.",
        )


def _choice_drawer(study: Study, group: choices.Group) -> Callable[[], Figure | None]:
    return lambda: choices.draw(study, group)


def file_name(text: str) -> str:
    """Return a text as part of a file name: lower-case letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "x"
