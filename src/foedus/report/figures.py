"""Draw every figure of the report once and save it in three formats."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foedus.report.draw import (
    choices,
    coefficients,
    coverage,
    curve,
    effects,
    forest,
    portraits,
    ready,
    recovery,
    style,
)
from foedus.report.draw import verdict_map as verdicts
from foedus.report.draw.style import Drawn
from foedus.report.inputs import Inputs, Study
from foedus.report.names import short_cite
from foedus.report.numbers import number, plural
from foedus.report.recovery import STUDIES, recovered
from foedus.report.synthesis import Synthesis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CHOICE_TERMS = 4
LEAST_BATCHES = 6
"""With fewer studies and claims, other processes would take longer to start than to draw."""


@dataclass
class Figures:
    """Figures by place: the overview, coverage, recovery, those of each study and claim by kind."""

    overview: Drawn | None = None
    coverage: Drawn | None = None
    recovery: Drawn | None = None
    studies: dict[str, dict[str, list[Drawn]]] = field(default_factory=dict)
    claims: dict[str, dict[str, list[Drawn]]] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)

    def of(self, study: str, kind: str) -> list[Drawn]:
        """Return a study's figures of one kind."""
        return self.studies.get(study, {}).get(kind, [])

    def of_claim(self, claim: str, kind: str) -> list[Drawn]:
        """Return a claim's figures of one kind."""
        return self.claims.get(claim, {}).get(kind, [])


@dataclass(frozen=True)
class _Plan:
    kind: str
    name: str
    draw: Callable[[], Figure | None]
    caption: str
    alt: str


@dataclass(frozen=True)
class _Batch:
    """Figures that one process draws: of a study, or of a claim."""

    study: Study | None
    claim: str
    synthesis: Synthesis | None
    words: _Words
    folder: Path

    @property
    def title(self) -> str:
        """What is being drawn, for the progress line."""
        return self.study.id if self.study is not None else f"the claim {self.claim}"

    def plans(self) -> Iterator[_Plan]:
        """Yield what there is to draw."""
        if self.study is not None:
            return _of_study(self.study, self.words)
        assert self.synthesis is not None
        return _of_claim(self.claim, self.synthesis, self.words)


@dataclass(frozen=True)
class _Words:
    """What figures need to know besides their numbers."""

    names: Mapping[str, Mapping[str, str]]
    covariance: str
    simulated: bool
    titles: Mapping[str, str]


def draw_figures(
    inputs: Inputs,
    syntheses: Mapping[str, Synthesis],
    folder: Path,
    progress: Callable[[str], None] | None = None,
) -> Figures:
    """Draw all figures into `folder`; a study without the numbers for one goes without it.

    Several processes share the work when the project allows more than one; each file is made by
    one of them, so that the bytes are the same.
    """
    say = progress or (lambda text: None)
    made = Figures()
    batches = _batches(inputs, syntheses, folder)
    with _drawn(inputs.project.jobs, batches) as results:
        _draw_overall(inputs, syntheses, folder, made)
        for batch in batches:
            say(f"figures of {batch.title}")
            kinds, paths = next(results)
            made.paths += paths
            home = made.claims if batch.study is None else made.studies
            held = home.setdefault(batch.claim if batch.study is None else batch.study.id, {})
            for kind, drawn_ones in kinds.items():
                held.setdefault(kind, []).extend(drawn_ones)
    return made


def _draw_overall(
    inputs: Inputs, syntheses: Mapping[str, Synthesis], folder: Path, made: Figures
) -> None:
    """Draw what is of no single study or claim."""
    with style.rc():
        for plan in _overall(inputs):
            drawn, paths = _one(plan, folder, inputs.simulated)
            made.paths += paths
            if plan.kind == "overview":
                made.overview = drawn
            elif plan.kind == "coverage":
                made.coverage = drawn
            elif plan.kind == "recovery":
                made.recovery = drawn
        for plan in _of_heterogeneity(inputs, syntheses):
            drawn, paths = _one(plan, folder, inputs.simulated)
            made.paths += paths
            if drawn:
                made.claims.setdefault(HETEROGENEITY, {}).setdefault(plan.kind, []).append(drawn)


def _batches(inputs: Inputs, syntheses: Mapping[str, Synthesis], folder: Path) -> list[_Batch]:
    words = _Words(
        inputs.names,
        inputs.project.config.report.covariance,
        inputs.simulated,
        {claim.id: claim.title for claim in inputs.claims.values()},
    )
    studies = [_Batch(study, "", None, words, folder) for study in inputs.studies]
    claims = [_Batch(None, claim, found, words, folder) for claim, found in syntheses.items()]
    return [*studies, *claims]


_Made = tuple[dict[str, list[Drawn]], list[Path]]


@contextmanager
def _drawn(jobs: int, batches: Sequence[_Batch]) -> Iterator[Iterator[_Made]]:
    """Yield each batch's figures, in order; where other processes draw, they begin at once."""
    workers = min(jobs, len(batches))
    if workers < 2 or len(batches) < LEAST_BATCHES:
        yield map(_draw_batch, batches)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Spawned, since a fork of a process with running threads (polars, pyarrow) may hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_draw_batch, batch) for batch in batches]
        yield (one.result() for one in waiting)


def _draw_batch(batch: _Batch) -> _Made:
    kinds: dict[str, list[Drawn]] = {}
    paths: list[Path] = []
    with style.rc():
        for plan in batch.plans():
            drawn, made = _one(plan, batch.folder, batch.words.simulated)
            paths += made
            if drawn is not None:
                kinds.setdefault(plan.kind, []).append(drawn)
    return kinds, paths


def _one(plan: _Plan, folder: Path, simulated: bool) -> tuple[Drawn | None, list[Path]]:
    drawing = plan.draw()
    if drawing is None:
        return None, []
    paths = style.save(drawing, folder, plan.name, simulated)
    return Drawn(plan.name, plan.caption, plan.alt), paths


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
    known, worlds = recovered(inputs.project.root / STUDIES)
    yield _Plan(
        "recovery",
        "recovery",
        lambda: recovery.draw(known, worlds),
        "Planted outcomes: each coefficient's bias, and the coverage of its intervals, mean of a "
        f"study's coefficients, over {worlds} simulated worlds.",
        f"Biases and coverages of {plural(len(known), 'study', 'studies')} in simulated worlds.",
    )


def _of_study(study: Study, words: _Words) -> Iterator[_Plan]:
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
    yield from _portraits(study, words)
    yield from _choices(study)
    yield _Plan(
        "curve",
        f"{study.id}_curve",
        lambda: curve.draw(study),
        "Specification curve: every specification sorted by its estimate, and below it the choices "
        "that make it. Blue: p < .05.",
        f"Specification curve of {study.title}.",
    )


def _portraits(study: Study, words: _Words) -> Iterator[_Plan]:
    """Yield the figures of the leading models."""
    for model in portraits.models_of(study, "roc"):
        yield _Plan(
            "performance",
            f"{study.id}_performance_{file_name(model)}",
            partial(portraits.performance, study, model),
            f"How well “{study.model_label(model)}” tells events from other rows, in the sample. "
            "Calibration: ten groups of like prediction with Wilson's 95 % intervals. Separation "
            "plot: Greenhill, Ward and Sacks (2011).",
            f"ROC curve, precision and recall, calibration and separation plot of "
            f"{study.model_label(model)}.",
        )
    for model in portraits.models_of(study, "influence"):
        for term in portraits.terms_of(study, "influence", model):
            yield _Plan(
                "influence",
                f"{study.id}_influence_{file_name(model)}_{file_name(term)}",
                partial(portraits.influence, study, model, term, words.names),
                f"{study.label(term)} ({study.model_label(model)}): the estimate when one unit's "
                f"rows are left out, for those that move it most.",
                f"Estimates of {study.label(term)} without one unit at a time.",
            )
    for model in portraits.models_of(study, "interaction"):
        for term in portraits.terms_of(study, "interaction", model):
            yield _Plan(
                "interaction",
                f"{study.id}_interaction_{file_name(model)}_{file_name(term)}",
                partial(portraits.interaction, study, model, term),
                f"{study.label(term)} ({study.model_label(model)}): the change in the prediction "
                "at values of the other variable of its product, with 95 % intervals under the "
                "declared covariance.",
                f"Effect of {study.label(term)} by another variable.",
            )


HETEROGENEITY = "heterogeneity"
_SORTED_BY = {
    "era": "era", "content": "what the pact promises", "formation": "how the pact came about",
    "management": "how the pact is run", "other": "other groups",
}  # fmt: skip


def _of_claim(claim: str, found: Synthesis, words: _Words) -> Iterator[_Plan]:
    yield _Plan(
        "forest",
        f"claim_{claim}",
        partial(forest.draw, found, words.covariance, words.simulated),
        "Leading estimates on one scale, turned so that right of 1 supports the claim, with 95 % "
        "intervals. A flag is followed from 0 to 1, anything else over two standard deviations. "
        "Estimates stand under their design, the kind of leading term on one unit, where there "
        "are several. A diamond is a random-effects mean with its interval, of a design or of all; "
        "the dashed line what one more study would find; † marks what isn't in a mean.",
        f"Forest plot of the leading estimates on the claim “{words.titles.get(claim, claim)}”.",
    )
    for apart in found.groups:
        yield _Plan(
            "groups",
            f"claim_{claim}_{apart.by}",
            partial(forest.draw_groups, apart),
            f"The same estimates by {_SORTED_BY[apart.by]}, each study's groups side by side; last "
            "the means over studies.",
            f"Estimates by {_SORTED_BY[apart.by]}.",
        )


def _of_heterogeneity(inputs: Inputs, syntheses: Mapping[str, Synthesis]) -> Iterator[_Plan]:
    """Yield one figure a kind of group: the means of every claim that has them."""
    for by in ("era", "content", "formation", "management"):
        rows = [
            (inputs.claims[claim].title, apart)
            for claim, found in syntheses.items()
            for apart in found.groups
            if apart.by == by
        ]
        yield _Plan(
            "means",
            f"claim_{HETEROGENEITY}_means_{by}",
            partial(forest.draw_means, rows),
            f"Means over studies by {_SORTED_BY[by]}, turned so that right of 1 supports the "
            "claim; beside each the number of studies.",
            f"Means of each claim by {_SORTED_BY[by]}.",
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
