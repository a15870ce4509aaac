"""What bears on a claim: leading estimates on one scale, in print and rebuilt, and by group."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from foedus.report.common_scale import Measure, measure_of, side_of
from foedus.report.inputs import Inputs, Study
from foedus.report.key_terms import OTHER, kind_of, unit_of
from foedus.report.names import short_cite, works_of
from foedus.report.numbers import is_number
from foedus.report.rows import Z95, Comparison, Estimate

CLASSICAL = "classical"
LATE = 9999


@dataclass(frozen=True)
class Point:
    """A value with its standard error (None: not known) and p-value."""

    value: float
    se: float | None = None
    p: float | None = None

    @property
    def low(self) -> float | None:
        """Lower end of the 95 % interval."""
        return None if self.se is None else self.value - Z95 * self.se

    @property
    def high(self) -> float | None:
        """Upper end."""
        return None if self.se is None else self.value + Z95 * self.se


@dataclass(frozen=True)
class Bearing:
    """One leading estimate that bears on a claim.

    Attributes
    ----------
    study, short, says, model, term : str
        Whose it is, and what it says in words.
    expects : int
        The sign that supports the claim: 1 or -1; values are multiplied by it.
    measure : Measure or None
        How it came to the common scale; None: values are in its own standard errors.
    rebuilt : dict of str to Point
        By covariance, the declared one first.
    lead : str
        The covariance that counts: the report's where the study has it, else the declared one.
    published : Point or None
        What print has.
    printed_sign : int
        The sign, where print gives no more.
    variant : bool
        Whether it is another model of the same study with the same term and outcome.
    file : str
        The author's table that it is estimated on, empty when rebuilt from raw files.
    year : int
        Of the work's publication.
    verdict : str
    n : float or None
    kind, unit : str
        The design: what kind of tie the term is (`key_terms.KINDS`), and what a row is.
    """

    study: str
    short: str
    says: str
    model: str
    term: str
    expects: int
    measure: Measure | None
    rebuilt: Mapping[str, Point]
    lead: str
    published: Point | None = None
    printed_sign: int = 0
    variant: bool = False
    file: str = ""
    year: int = LATE
    verdict: str = ""
    n: float | None = None
    kind: str = OTHER
    unit: str = ""

    @property
    def design(self) -> tuple[str, str]:
        """Kind of term and unit: estimates that share them speak of one thing."""
        return self.kind, self.unit

    @property
    def point(self) -> Point:
        """The estimate under the covariance that counts."""
        return self.rebuilt[self.lead]

    @property
    def classical(self) -> Point | None:
        """The estimate with classical errors, if the study has them."""
        return self.rebuilt.get(CLASSICAL)

    @property
    def can_be_pooled(self) -> bool:
        """Whether it stands on the common scale with a standard error."""
        return self.measure is not None and bool(self.point.se) and not self.variant


@dataclass(frozen=True)
class GroupPoint:
    """One leading estimate in one group of its study's rows or ties."""

    study: str
    short: str
    says: str
    by: str
    subset: str
    group: str
    point: Point
    n: float | None
    events: float | None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class GroupTest:
    """The test of one effect in all groups of a subset."""

    study: str
    short: str
    says: str
    by: str
    subset: str
    q: float
    df: int
    p: float
    kind: str
    points: tuple[GroupPoint, ...]
    covariance: str
    missing: tuple[tuple[str, str], ...] = ()

    @property
    def opposite(self) -> bool:
        """Whether two groups have opposite effects, each with p < .05."""
        signs = {
            p.point.value > 0 for p in self.points if p.point.p is not None and p.point.p < 0.05
        }
        return len(signs) == 2


@dataclass(frozen=True)
class Evidence:
    """Everything that bears on a claim.

    Attributes
    ----------
    bearings : tuple of Bearing
        Leading estimates whose study says which sign supports the claim, variants after their own.
    tests : tuple of GroupTest
    """

    claim: str
    bearings: tuple[Bearing, ...]
    tests: tuple[GroupTest, ...] = field(default=())

    @property
    def leading(self) -> list[Bearing]:
        """Without variants."""
        return [one for one in self.bearings if not one.variant]

    @property
    def pooled(self) -> list[Bearing]:
        """One a study and, of studies on one author's file, that of the first published."""
        first: dict[str, Bearing] = {}
        for one in self.leading:
            if one.can_be_pooled:
                first.setdefault(one.study, one)
        by_file: dict[str, Bearing] = {}
        for one in sorted(first.values(), key=lambda bearing: (bearing.year, bearing.study)):
            by_file.setdefault(one.file or f"raw {one.study}", one)
        kept = set(map(id, by_file.values()))
        return [one for one in first.values() if id(one) in kept]


def evidence_of(inputs: Inputs, claim: str) -> Evidence:
    """Gather what bears on a claim, studies in the report's order."""
    bearings: list[Bearing] = []
    tests: list[GroupTest] = []
    for study in inputs.of_claim(claim):
        own = list(_leading(inputs, study, claim))
        bearings += own
        bearings += _variants(inputs, study, claim, own)
        tests += _tests(inputs, study, claim)
    return Evidence(claim, tuple(bearings), tuple(tests))


# --------------------------------------------------------------------------------------- leading
def _leading(inputs: Inputs, study: Study, claim: str) -> Iterator[Bearing]:
    for line in _lines(study, claim):
        sign = line.get("expects")
        if sign not in (-1, 1):
            continue
        made = _bearing(inputs, study, str(line["model"]), str(line["term"]), sign)
        if made is not None:
            said = str(line.get("says") or study.label(made.term)).rstrip(".")
            kind = kind_of(study.declared, line)
            yield replace(made, says=said, kind=kind, unit=unit_of(study.declared, study.unit))


def _lines(study: Study, claim: str) -> Iterator[Mapping[str, Any]]:
    """Yield the headlines of a claim that name a term."""
    for line in study.part("leading") or study.part("headline"):
        if not isinstance(line, dict) or not line.get("model") or not line.get("term"):
            continue
        if str(line.get("claim") or study.claims[0]) == claim:
            yield line


def _bearing(inputs: Inputs, study: Study, model: str, term: str, sign: int) -> Bearing | None:
    rows = [row for row in study.rows_of(model, term) if row.estimate is not None]
    if not rows:
        return None
    measure = None if rows[0].is_measure else measure_of(_scale(study, model, term))
    lead = _lead(inputs, rows)
    unit = _unit(measure, lead)
    if unit is None:
        return None
    factor = sign * unit
    beside = [one for one in study.leads if one.place == (model, term)]
    return Bearing(
        study=study.id,
        short=short_cite(inputs, study),
        says=study.label(term),
        model=model,
        term=term,
        expects=sign,
        measure=measure,
        rebuilt={row.covariance: _point(row, factor) for row in rows},
        lead=lead.covariance,
        published=_published(beside, factor, sign, measure),
        printed_sign=_printed_sign(beside, sign),
        file=str(_universe(study).get("table") or ""),
        year=_year(inputs, study),
        verdict=beside[0].verdict if beside else "",
        n=rows[0].n_obs,
    )


def _lead(inputs: Inputs, rows: Sequence[Estimate]) -> Estimate:
    wanted = inputs.project.config.report.covariance
    return next((row for row in rows if row.covariance == wanted), rows[0])


def _unit(measure: Measure | None, lead: Estimate) -> float | None:
    """Return what coefficients are multiplied by: the common scale's factor, else 1 / own error."""
    if measure is not None:
        return measure.factor
    return 1.0 / lead.std_error if lead.std_error else None


def _point(row: Estimate, factor: float) -> Point:
    assert row.estimate is not None
    se = abs(factor) * row.std_error if row.std_error else None
    return Point(factor * row.estimate, se, row.p_value)


def _universe(study: Study) -> Mapping[str, Any]:
    universe = study.declared.get("universe")
    return universe if isinstance(universe, dict) else {}


def _year(inputs: Inputs, study: Study) -> int:
    years = [work.year for _, work in works_of(inputs, study)[:1]]
    return next((int(year) for year in years if str(year).isdigit()), LATE)


def _scale(study: Study, model: str, term: str) -> Mapping[str, Any] | None:
    return next(
        (
            row
            for row in study.part("scales")
            if isinstance(row, dict) and (row.get("model"), row.get("term")) == (model, term)
        ),
        None,
    )


def _published(
    rows: Iterable[Comparison], factor: float, sign: int, measure: Measure | None
) -> Point | None:
    """Return print's number on the scale of the rebuilt one; the first that has a place there."""
    for row in rows:
        if row.published is None or (row.is_truth and row.published is None):
            continue
        if row.quantity == "coefficient":
            error = row.published_se or _error_of_interval(row)
            return Point(factor * row.published, abs(factor) * error if error else None)
        logged = _logged(row)
        if logged is not None and measure is not None:
            # A ratio's logarithm is the coefficient that `factor` is for.
            value, error = logged
            return Point(factor * value, abs(factor) * error if error else None)
    return None


def _error_of_interval(row: Comparison) -> float | None:
    if row.published_low is None or row.published_high is None:
        return None
    return (row.published_high - row.published_low) / (2 * Z95)


def _logged(row: Comparison) -> tuple[float, float | None] | None:
    """Return a published ratio as a coefficient with its standard error."""
    assert row.published is not None
    ratio = row.published
    if row.quantity == "percent_change":
        ratio = 1.0 + row.published / 100.0
    elif row.quantity not in ("hazard_ratio", "odds_ratio", "incidence_rate_ratio"):
        return None
    if ratio <= 0:
        return None
    error = row.published_se
    unit = 100.0 if row.quantity == "percent_change" else 1.0
    return math.log(ratio), error / unit / ratio if error else None


def _printed_sign(rows: Iterable[Comparison], sign: int) -> int:
    for row in rows:
        if row.quantity == "direction" and row.published is not None:
            return sign * ((row.published > 0) - (row.published < 0))
    return 0


def _variants(
    inputs: Inputs, study: Study, claim: str, leading: Sequence[Bearing]
) -> Iterator[Bearing]:
    """Yield the same term of other models of the same outcome, which speak of the same thing."""
    taken = {(one.model, one.term) for one in leading}
    outcomes = {
        (str(row.get("model")), str(row.get("term"))): (
            row.get("outcome"),
            side_of(str(row.get("estimator"))),
        )
        for row in study.part("scales")
        if isinstance(row, dict)
    }
    for one in leading:
        like = outcomes.get((one.model, one.term))
        for (model, term), outcome in outcomes.items():
            if term != one.term or outcome != like or like is None or (model, term) in taken:
                continue
            taken.add((model, term))
            made = _bearing(inputs, study, model, term, one.expects)
            if made is not None:
                yield replace(
                    made, says=study.model_label(model), variant=True, kind=one.kind, unit=one.unit
                )


# ---------------------------------------------------------------------------------------- groups
def _tests(inputs: Inputs, study: Study, claim: str) -> Iterator[GroupTest]:
    signs = {
        (str(line["model"]), str(line["term"])): line
        for line in _lines(study, claim)
        if line.get("expects") in (-1, 1)
    }
    by_subset: dict[str, list[Mapping[str, Any]]] = {}
    for row in study.part("subsets"):
        if isinstance(row, dict) and row.get("claim") == claim:
            by_subset.setdefault(str(row.get("subset")), []).append(row)
    for subset, rows in by_subset.items():
        line = next(
            (signs[key] for row in rows if (key := (row["model"], row["term"])) in signs),
            next(iter(signs.values()), None),
        )
        if line is not None:
            made = _test(inputs, study, subset, rows, line)
            if made is not None:
                yield made


def _test(
    inputs: Inputs,
    study: Study,
    subset: str,
    rows: Sequence[Mapping[str, Any]],
    line: Mapping[str, Any],
) -> GroupTest | None:
    wanted = inputs.project.config.report.covariance
    names = list(dict.fromkeys(str(row.get("covariance")) for row in rows if row.get("estimate")))
    if not names:
        return None
    covariance = wanted if wanted in names else names[0]
    says = str(line.get("says") or study.label(str(line["term"]))).rstrip(".")
    shared = {"study": study.id, "short": short_cite(inputs, study), "says": says}
    shared |= {"by": str(rows[0]["by"]), "subset": subset}
    points = []
    for row in rows:
        if row.get("covariance") != covariance or not is_number(row.get("estimate")):
            continue
        measure = measure_of(row.get("scale"))
        error = row.get("std_error")
        if measure is None or not is_number(error) or not error > 0:
            continue
        factor = int(line["expects"]) * measure.factor
        point = Point(factor * row["estimate"], abs(factor) * error, row.get("p_value"))
        points.append(
            GroupPoint(
                **shared,
                group=str(row["group"]),
                point=point,
                n=row.get("n_obs"),
                events=row.get("n_events"),
                left_out=tuple(map(str, row.get("left_out") or ())),
            )
        )
    tested = next((row for row in rows if row.get("covariance") == covariance), rows[0])
    if len(points) < 2 or not is_number(tested.get("test_p")):
        return None
    return GroupTest(
        **shared,
        q=float(tested["test_q"]),
        df=int(tested["test_df"]),
        p=float(tested["test_p"]),
        kind=str(tested.get("kind") or ""),
        points=tuple(points),
        covariance=covariance,
        missing=tuple((str(row["group"]), str(row["note"])) for row in rows if row.get("note")),
    )
