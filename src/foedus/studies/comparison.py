"""Print beside rebuilt: a verdict for each published number under every covariance, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foedus.studies.estimation import Estimation
from foedus.studies.expressions import names_in
from foedus.studies.fit import formula_names
from foedus.studies.published import Published
from foedus.studies.registry import Study
from foedus.studies.schema import Design
from foedus.studies.targets import Target
from foedus.studies.verdict import Rebuilt, error_is_exact, verdict

DIGITS = 4
REPLICATION = "rep_"
"""How the ids of sources begin that are files of a study's authors."""


EXPECTATION, REPLICATION_OF = "expectation", "replication"
"""What a printed number is to the study: another work's finding, asked of a design of ours, or a
number of the work that the study rebuilds."""


@dataclass(frozen=True)
class Departure:
    """One alternative of one choice, estimated.

    Attributes
    ----------
    choice, alternative : str
        Names; both empty for the declared design.
    estimation : Estimation or None
        None when the design itself isn't valid; `reason` says why.
    """

    choice: str
    alternative: str
    path: str
    estimation: Estimation | None
    reason: str = ""


def compare(
    study: Study, declared: Estimation, departures: Sequence[Departure]
) -> list[dict[str, Any]]:
    """Return the comparison's rows: one a published number and covariance, in the file's order."""
    rows = []
    for published in study.published:
        found = declared.rebuilt(published)
        diagnosis = diagnose(published, found[0][1], departures)
        for place, (covariance, rebuilt) in enumerate(found):
            rows.append(
                {
                    "study": study.id,
                    "table": published.table,
                    "model": published.model,
                    "term": published.term,
                    "quantity": published.quantity,
                    "published": published.estimate,
                    "published_se": published.std_error,
                    "n_published": published.n_obs,
                    "rebuilt": rebuilt.value,
                    "rebuilt_se": rebuilt.std_error,
                    "covariance": covariance,
                    "n_rebuilt": rebuilt.n,
                    "verdict": verdict(published, rebuilt),
                    "diagnosis": diagnosis,
                    "claim": claim_of(study.design, published.target.name, published.target.part),
                    "where_in_print": published.where_in_print,
                    "maps_to": published.maps_to,
                    "rebuilt_p": rebuilt.p_value,
                    "lead": place == 0,
                    "published_text": published.text,
                    "published_low": published.ci_low,
                    "published_high": published.ci_high,
                    "n_ratio": _ratio(rebuilt.n, published.n_obs),
                    "reason": rebuilt.reason or None,
                    "se_text": published.error_text or None,
                    "se_exact": error_is_exact(published, rebuilt),
                    "basis": basis_of(study.design, published.target),
                    "print_kind": EXPECTATION if study.design.own else REPLICATION_OF,
                }
            )
    return rows


def _ratio(rebuilt: int | None, published: int | None) -> float | None:
    return rebuilt / published if rebuilt is not None and published else None


def basis_of(design: Design, target: Target) -> str | None:
    """Return what a rebuilt number rests on: the author's own file, or raw files.

    A model rests on an author's file when the study's rows are those of a replication table and
    none of its variables is a covariate of ours; of a measure its block says so. None for what
    isn't comparable.
    """
    if target.kind == "none":
        return None
    if target.kind == "measure" and target.name in design.measures:
        return design.measures[target.name].basis
    universe = design.universe
    on_file = universe is not None and (universe.table or "").startswith(REPLICATION)
    block = design.effects[target.name].model if target.kind == "effect" else target.name
    return "file" if on_file and not _takes_ours(design, block) else "raw"


def _takes_ours(design: Design, block: str) -> bool:
    """Whether a model uses a covariate, also through derived variables."""
    model = design.models.get(block)
    asked = list(formula_names(model.formula)) if model is not None else []
    seen: set[str] = set()
    while asked:
        name = asked.pop()
        variable = design.variables.get(name)
        if variable is None or name in seen:
            continue
        seen.add(name)
        if variable.expression is None:
            return True
        asked += names_in(variable.expression)
    return False


def claim_of(design: Design, block: str, term: str) -> str:
    """Return the claim a term bears on: its headline's, its model's, else the study's first."""
    for headline in design.headline:
        if (headline.model, headline.term) == (block, term) and headline.claim:
            return headline.claim
    spec: Any = design.models.get(block) or design.measures.get(block)
    if spec is None and block in design.effects:
        effect = design.effects[block]
        return claim_of(design, effect.model, effect.of)
    return (spec.claim if spec is not None else None) or design.claims[0]


@dataclass(frozen=True)
class _Move:
    departure: Departure
    value: float

    @property
    def words(self) -> str:
        return f"{self.departure.choice} = {self.departure.alternative}"


def diagnose(published: Published, declared: Rebuilt, departures: Sequence[Departure]) -> str:
    """Say which declared choice moves a rebuilt number most, and which brings it nearest to print.

    Parameters
    ----------
    published : Published
    declared : Rebuilt
        Under the declared design and covariance.
    departures : sequence of Departure
        Every single departure from the declared design.
    """
    if declared.value is None:
        return f"Not comparable: {declared.reason}" if declared.reason else "Not comparable."
    if not departures:
        return "No choices are declared, so nothing was varied."
    moves, failed = [], 0
    for departure in departures:
        value = _value(published, departure)
        if value is None:
            failed += 1
        elif value != declared.value:
            moves.append(_Move(departure, value))
    tail = f" {failed} could not be estimated." if failed else ""
    if not moves:
        return f"None of {len(departures)} alternatives moves it.{tail}"
    most = max(moves, key=lambda move: abs(move.value - float(declared.value or 0.0)))
    sentence = (
        f"Of {len(departures)} alternatives, {most.words} moves it most: from "
        f"{number(declared.value)} to {number(most.value)}, "
        f"{_towards(published, declared.value, most.value)} {_aim(published)} ({published.text})."
    )
    return sentence + _nearest(published, declared.value, moves, most) + tail


def _value(published: Published, departure: Departure) -> float | None:
    if departure.estimation is None:
        return None
    return departure.estimation.rebuilt(published)[0][1].value


def distance(published: Published, value: float) -> float:
    """Return how far a value is from print; for a bare sign, how far on the wrong side."""
    if published.quantity == "direction":
        return -value * published.estimate if published.estimate else abs(value)
    return abs(value - published.estimate)


def _aim(published: Published) -> str:
    return "the truth" if published.truth else "print"


def _towards(published: Published, declared: float, moved: float) -> str:
    nearer = distance(published, moved) < distance(published, declared)
    return "towards" if nearer else "away from"


def _nearest(published: Published, declared: float, moves: Sequence[_Move], most: _Move) -> str:
    best = min(moves, key=lambda move: distance(published, move.value))
    if best is most:
        return ""
    if distance(published, best.value) >= distance(published, declared):
        return f" None brings it nearer to {_aim(published)}."
    return f" {best.words} brings it nearest to {_aim(published)}: {number(best.value)}."


def number(value: float) -> str:
    """Return a number for a sentence: whole numbers whole, others at four significant digits."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.{DIGITS}g}"


def verdicts_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Count the verdicts under the declared covariance."""
    counted: dict[str, int] = {}
    for row in rows:
        if row["lead"]:
            counted[row["verdict"]] = counted.get(row["verdict"], 0) + 1
    return counted
