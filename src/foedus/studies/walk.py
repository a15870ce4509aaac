"""The walk from the declared design towards print: choices that bring a number nearer, one by one.

For each published number that isn't met, the declared choices are varied one at a time and in
pairs, and a greedy walk takes at each step the single further change that brings the rebuilt number
nearest to print. The verdict stays that of the declared design: the walk says what the difference
hangs on, not what should have been declared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pyarrow as pa

from foedus.errors import ConfigError
from foedus.studies.comparison import distance
from foedus.studies.design import Specification
from foedus.studies.estimation import CAUGHT, Estimation, Memo
from foedus.studies.outcome import as_table
from foedus.studies.published import Published
from foedus.studies.registry import Study
from foedus.studies.verdict import Rebuilt, verdict

MET = ("exact", "close")
"""Verdicts that need no diagnosis."""

STEPS = 6
"""Most changes that a walk takes."""

TRIED = 8
"""Single changes that a step tries (those that bring the number nearest by themselves)."""

PAIRED = 6
"""Single changes that are tried in pairs (those that move the number most)."""

LEAST_GAIN = 0.01
"""Share of the declared distance that a step must gain to be taken."""

ROWS = 5_000_000
"""Rows that a run may estimate on for walks, all numbers together, unless it is asked to diagnose.
A count of rows, not of seconds, so that two machines walk alike."""

_TEXT, _REAL, _WHOLE = pa.string(), pa.float64(), pa.int64()
TRIALS = pa.schema(
    [
        ("study", _TEXT), ("maps_to", _TEXT), ("table", _TEXT), ("model", _TEXT), ("term", _TEXT),
        ("quantity", _TEXT), ("published", _REAL), ("kind", _TEXT), ("step", _WHOLE),
        ("changes", _TEXT), ("estimate", _REAL), ("std_error", _REAL), ("n_obs", _WHOLE),
        ("distance", _REAL), ("gain", _REAL), ("verdict", _TEXT),
    ]
)  # fmt: skip


class SpentError(Exception):
    """The rows that walks may be estimated on are used up."""


@dataclass
class _Bench:
    """Estimates published numbers under combinations of alternatives, within a number of rows."""

    study: Study
    memo: Memo
    most: int | None
    rows: int = 0
    _designs: dict[Specification, Estimation | None] = field(default_factory=dict)

    def rebuilt(self, published: Published, spec: Specification) -> Rebuilt | None:
        """Return the number under a specification; None when the design can't be estimated.

        Raises
        ------
        SpentError
            If it would have to be estimated anew and no rows are left for that.
        """
        if self.most is not None and self.rows >= self.most:
            raise SpentError
        estimation = self._estimation(spec)
        if estimation is None:
            return None
        before = len(self.memo.fits) + len(self.memo.measures)
        found = estimation.rebuilt(published)[0][1]
        made = len(self.memo.fits) + len(self.memo.measures) - before
        self.rows += made * (estimation.frame.n_rows if self.study.design.universe else 1)
        return found if found.value is not None else None

    def _estimation(self, spec: Specification) -> Estimation | None:
        if spec not in self._designs:
            overrides = spec.overrides(list(self.study.design.choices.values()))
            try:
                design = self.study.variant(overrides)
                self._designs[spec] = Estimation(self.memo, design, lead_only=True)
            except (ConfigError, *CAUGHT):
                self._designs[spec] = None
        return self._designs[spec]


@dataclass(frozen=True)
class _Trial:
    """A specification tried, and where it takes the number."""

    spec: Specification
    rebuilt: Rebuilt
    distance: float


@dataclass(frozen=True)
class Diagnosis:
    """What was tried for a study's numbers.

    Attributes
    ----------
    trials : pyarrow.Table
        A row a trial: number, kind (declared, single, pair, walk), changes, estimate, distance to
        print and the gain against the declared design.
    walks : list of dict
        One a number: where it starts, its steps, where it ends; ready for the study's page.
    cut_short : int
        Numbers not met whose walk no rows were left to finish.
    """

    trials: pa.Table
    walks: list[dict[str, Any]]
    cut_short: int


def diagnose_study(
    study: Study, memo: Memo, declared: Estimation, most: int | None = ROWS
) -> Diagnosis:
    """Vary the declared choices for each published number that isn't met.

    Parameters
    ----------
    study : Study
    memo : Memo
        What the run has estimated already; shared, so that nothing is estimated twice.
    declared : Estimation
    most : int or None
        Rows to estimate on, all trials together; None for no bound (``--diagnose``), with which
        pairs are tried too.
    """
    bench = _Bench(study, memo, most)
    rows: list[dict[str, Any]] = []
    walks: list[dict[str, Any]] = []
    cut_short = 0
    for published in _unmet(study, declared) if study.design.choices else []:
        number = _Number(study, bench, published)
        try:
            number.walk(declared)
            if most is None:
                number.pair()
        except SpentError:
            cut_short += 1
        rows.extend(number.rows())
        if number.steps:
            walks.append(number.page())
    return Diagnosis(as_table(rows, TRIALS), walks, cut_short)


def _unmet(study: Study, declared: Estimation) -> list[Published]:
    """Return numbers whose verdict is neither exact nor close, the headline's first, none twice."""
    lead = {f"models.{line.model}.{line.term}" for line in study.design.headline}
    lead |= {line.maps_to for line in study.design.headline if line.maps_to}
    found: dict[tuple[str, str, str], Published] = {}
    for published in study.published:
        rebuilt = declared.rebuilt(published)[0][1]
        if rebuilt.value is None or verdict(published, rebuilt) in MET:
            continue
        if published.quantity == "direction" and verdict(published, rebuilt) == "agrees":
            continue
        found.setdefault((published.maps_to, published.quantity, published.text), published)
    return sorted(found.values(), key=lambda published: published.maps_to not in lead)


class _Number:
    """One published number under trial."""

    def __init__(self, study: Study, bench: _Bench, published: Published) -> None:
        self.study = study
        self.bench = bench
        self.published = published
        self.choices = list(study.design.choices.values())
        self.steps: list[_Trial] = []
        self.singles: list[_Trial] = []
        self.pairs: list[_Trial] = []

    def walk(self, declared: Estimation) -> None:
        """Try single changes, then walk greedily while a further change brings it nearer."""
        nothing = Specification((0,) * len(self.choices))
        start = declared.rebuilt(self.published)[0][1]
        assert start.value is not None
        here = _Trial(nothing, start, distance(self.published, start.value))
        whole = here.distance
        self.steps = [here]
        self.singles = list(self._tried(self._further(nothing, self._all())))
        ranked = sorted(self.singles, key=lambda trial: trial.distance)
        moves = [_change(trial.spec) for trial in ranked if trial.distance != whole][:TRIED]
        while len(self.steps) <= STEPS and not self._arrived(here):
            tried = self.singles if here.spec == nothing else list(
                self._tried(self._further(here.spec, moves))
            )  # fmt: skip
            best = min(tried, key=lambda trial: trial.distance, default=None)
            if best is None or here.distance - best.distance < LEAST_GAIN * abs(whole):
                return
            here = best
            self.steps.append(here)

    def pair(self) -> None:
        """Try pairs of the single changes that move the number most."""
        start = self.steps[0].distance
        moved = [trial for trial in self.singles if trial.distance != start]
        ranked = sorted(moved, key=lambda trial: -abs(trial.distance - start))
        most = [_change(trial.spec) for trial in ranked[:PAIRED]]
        specs = []
        for (one, pick), (other, second) in combinations(most, 2):
            if one == other:
                continue
            picks = [0] * len(self.choices)
            picks[one], picks[other] = pick, second
            specs.append(Specification(tuple(picks)))
        self.pairs = list(self._tried(specs))

    def _all(self) -> list[tuple[int, int]]:
        return [
            (place, pick)
            for place, choice in enumerate(self.choices)
            for pick in range(1, len(choice))
        ]

    def _further(
        self, spec: Specification, moves: Sequence[tuple[int, int]]
    ) -> Iterator[Specification]:
        """Yield the specifications that change one more choice."""
        for place, pick in moves:
            if spec.picks[place] == 0:
                picks = list(spec.picks)
                picks[place] = pick
                yield Specification(tuple(picks))

    def _tried(self, specs: Iterator[Specification] | list[Specification]) -> Iterator[_Trial]:
        for spec in specs:
            rebuilt = self.bench.rebuilt(self.published, spec)
            if rebuilt is not None and rebuilt.value is not None:
                yield _Trial(spec, rebuilt, distance(self.published, rebuilt.value))

    def _arrived(self, trial: _Trial) -> bool:
        found = verdict(self.published, trial.rebuilt)
        return found in MET or (self.published.quantity == "direction" and found == "agrees")

    def _changes(self, spec: Specification) -> list[str]:
        words = spec.words(self.study.design.choices)
        return [
            f"{name} = {said}"
            for (name, said), pick in zip(words.items(), spec.picks, strict=True)
            if pick
        ]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the trials as rows."""
        kinds = (("single", self.singles), ("pair", self.pairs), ("walk", self.steps))
        for kind, trials in kinds:
            for step, trial in enumerate(trials):
                is_start = kind == "walk" and step == 0
                yield self._row("declared" if is_start else kind, step, trial)

    def _row(self, kind: str, step: int, trial: _Trial) -> dict[str, Any]:
        published, rebuilt = self.published, trial.rebuilt
        return {
            "study": self.study.id, "maps_to": published.maps_to, "table": published.table,
            "model": published.model, "term": published.term, "quantity": published.quantity,
            "published": published.estimate, "kind": kind,
            "step": step if kind in ("walk", "declared") else None,
            "changes": "; ".join(self._changes(trial.spec)), "estimate": rebuilt.value,
            "std_error": rebuilt.std_error, "n_obs": rebuilt.n, "distance": trial.distance,
            "gain": self.steps[0].distance - trial.distance,
            "verdict": verdict(published, rebuilt),
        }  # fmt: skip

    def page(self) -> dict[str, Any]:
        """Return the walk for the study's page."""
        shown, before = [], Specification((0,) * len(self.choices))
        for trial in self.steps:
            now = self._changes(trial.spec)
            added = [text for text in now if text not in self._changes(before)]
            shown.append(
                {
                    "change": "; ".join(added), "estimate": trial.rebuilt.value,
                    "std_error": trial.rebuilt.std_error, "n_obs": trial.rebuilt.n,
                    "verdict": verdict(self.published, trial.rebuilt),
                }
            )  # fmt: skip
            before = trial.spec
        best = min([*self.singles, *self.pairs, *self.steps], key=lambda trial: trial.distance)
        return {
            "maps_to": self.published.maps_to, "table": self.published.table,
            "model": self.published.model, "term": self.published.term,
            "quantity": self.published.quantity, "published": self.published.text,
            "steps": shown, "tried": len(self.singles) + len(self.pairs),
            "nearest": {"changes": self._changes(best.spec), "estimate": best.rebuilt.value},
        }  # fmt: skip


def _change(spec: Specification) -> tuple[int, int]:
    """Return the one change of a single departure: which choice, which alternative."""
    place = next(index for index, pick in enumerate(spec.picks) if pick)
    return place, spec.picks[place]
