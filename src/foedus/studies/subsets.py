"""A study's leading estimates again by era, content, formation and management of the alliances.

Large-n work lumps alliances of all kinds together; a pooled effect may hide opposite ones. So every
headline that says which sign supports its claim is estimated once more in each era, all
coefficients free. Where its variable is a tie between two states (ATOP), the tie is also split into
its parts within one model: by what is promised, by how the pact came about, and by how it is run.
A study may declare further groups (``subsets:``). The test is that of one effect in all groups:
Wald's with the model's own covariance for parts of one model, Cochran's Q for separate samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foedus.errors import ConfigError, EstimationError
from foedus.studies.estimation import CAUGHT, Estimation, Memo, one_line
from foedus.studies.fit import Fitted
from foedus.studies.registry import Study
from foedus.studies.scales import Scale, scale_of
from foedus.studies.schema import Design, Headline, ModelSpec, Subset
from foedus.studies.tie_parts import Split, splits

ERAS = (
    ("1816-1918", None, 1918),
    ("1919-1945", 1919, 1945),
    ("1946-1989", 1946, 1989),
    ("1990 on", 1990, None),
)
"""The eras that every claim is looked at by; years before 1816 count to the first."""

LEAST_EVENTS = 10
"""Fewer events than this and a group's estimate is not made: it would say nothing."""

YEAR_OF = {
    "war": "war_outcome.start_year",
    "war-participant": "war_role.entry_year",
    "war-joiner": "war_joining.war_year",
    "alliance": "alliance_course.alliance_begun",
    "dispute": "dispute.dispute_begun",
}
"""What dates a row of units that have no year among their keys."""

DYADIC = "dyadic"
LENIENT = {"collinear": "drop", "separation": "drop"}
"""In a part of the sample a control may not vary, or decide the outcome: it is left out there, by
name, where the whole study would stop."""
Matrix = NDArray[np.float64]


def subset_rows(study: Study, memo: Memo, declared: Estimation) -> list[dict[str, Any]]:
    """Return the estimates by group: one row a group and covariance, tests among them.

    Returns
    -------
    list of dict
        subset, by, says, claim, model, term, group, covariance, estimate, std_error, p_value,
        n_obs, n_events, left_out (terms that the group's sample couldn't tell), test_q, test_df,
        test_p (the same in all rows of a subset and covariance), kind (how the test was made),
        scale (see studies.scales) and note (why there is no estimate).
    """
    rows: list[dict[str, Any]] = []
    for line in _signed(study.design):
        rows += _eras(study, memo, declared, line)
        for split in splits(study.design, line):
            rows += _split(study, memo, declared, line, split)
    for name, spec in study.design.subsets.items():
        rows += _declared(study, memo, declared, name, spec)
    return rows


def _signed(design: Design) -> list[Headline]:
    """Return the headlines that are terms of models and say which sign supports the claim."""
    return [line for line in design.leading if line.expects and line.model in design.models]


def unasked_covariates(design: Design) -> set[str]:
    """Return the covariates that estimates by group take besides those the design names."""
    found: set[str] = set()
    universe = design.universe
    if universe is not None and universe.unit in YEAR_OF and _signed(design):
        found.add(YEAR_OF[universe.unit].split(".")[0])
    for line in _signed(design):
        for split in splits(design, line):
            sources = [one["from"] for one in split.variables.values() if "from" in one]
            found.update(source.split(".")[0] for source in sources)
    return found


# ------------------------------------------------------------------------------------------- eras
def _eras(
    study: Study, memo: Memo, declared: Estimation, line: Headline
) -> Iterator[dict[str, Any]]:
    dated = _dated(study.design)
    if dated is None:
        return
    year, more = dated
    try:
        years = _years(study, memo, declared, line.model, year, more)
    except CAUGHT:
        return
    groups: dict[str, str] = {}
    for name, first, last in ERAS:
        inside = (years >= (first or -np.inf)) & (years <= (last or np.inf))
        if inside.any():
            ends = [f"{year} >= {first}" if first else "", f"{year} <= {last}" if last else ""]
            groups[name] = " and ".join(end for end in ends if end)
    if len(groups) > 1:
        spec = Subset(by="era", model=line.model, term=line.term, groups=dict(groups))
        name = f"era_{line.model}_{line.term}"
        yield from _by_rows(study, memo, declared, name, spec, line.claim, more)


def _dated(design: Design) -> tuple[str, dict[str, Any]] | None:
    """Return the name by which rows are dated, and the variable to declare for it."""
    universe = design.universe
    if universe is None:
        return None
    if universe.table is not None:
        own = "year" if "year" in universe.keys else None
        return (own, {}) if own else None
    assert universe.unit is not None
    if universe.unit not in YEAR_OF:
        from foedus.panels.units import get_unit

        return ("year", {}) if "year" in get_unit(universe.unit).keys else None
    return "dated_by", {"variables.dated_by": {"from": YEAR_OF[universe.unit]}}


def _years(
    study: Study,
    memo: Memo,
    declared: Estimation,
    model: str,
    year: str,
    more: Mapping[str, Any],
) -> Matrix:
    frame = Estimation(memo, study.variant(more)).frame if more else declared.frame
    return np.asarray(frame.values(year)[declared.rows(model).index])


# -------------------------------------------------------------------------------- groups of rows
def _declared(
    study: Study, memo: Memo, declared: Estimation, name: str, spec: Subset
) -> Iterator[dict[str, Any]]:
    claim = spec.claim or _claim_of(study.design, spec.model, spec.term)
    if all(isinstance(what, str) for what in spec.groups.values()):
        yield from _by_rows(study, memo, declared, name, spec, claim, {})
    else:
        yield from _by_terms(declared, name, spec, claim)


def _claim_of(design: Design, model: str, term: str) -> str | None:
    lines = [line for line in design.leading if (line.model, line.term) == (model, term)]
    return lines[0].claim if lines else None


def _by_rows(
    study: Study,
    memo: Memo,
    declared: Estimation,
    name: str,
    spec: Subset,
    claim: str | None,
    more: Mapping[str, Any],
) -> Iterator[dict[str, Any]]:
    model = study.design.models[spec.model]
    scale = scale_of(declared, spec.model, spec.term)
    covariances = _covariances(model)
    found: list[dict[str, Any]] = []
    for group, where in spec.groups.items():
        assert isinstance(where, str)
        both = f"({model.where}) and ({where})" if model.where else where
        overrides = {
            **more,
            f"models.{spec.model}.where": both,
            f"models.{spec.model}.covariance": list(covariances),
            f"models.{spec.model}.options": {**model.options, **LENIENT},
        }
        shared = _shared(study, name, spec, group, claim, scale)
        found += _group(study, memo, spec, overrides, shared)
    yield from _tested(found, covariances)


def _group(
    study: Study, memo: Memo, spec: Subset, overrides: Mapping[str, Any], shared: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    try:
        estimation = Estimation(memo, study.variant(overrides))
        _enough(estimation, spec.model)
        fitted = estimation.fit(spec.model)
    except (*CAUGHT, ConfigError) as error:
        yield {**shared, "covariance": "", "note": one_line(error)}
        return
    for covariance in estimation.design.models[spec.model].covariance:
        yield {**shared, **_numbers(fitted, covariance, spec.term)}


def _enough(estimation: Estimation, model: str) -> None:
    """Refuse a group of a 0/1 outcome that has next to no events.

    Raises
    ------
    EstimationError
        With the number of events.
    """
    spec = estimation.design.models[model]
    rows = estimation.rows(model)
    if spec.outcome in estimation.frame.known and rows.count:
        outcome = estimation.frame.data([spec.outcome], rows)[spec.outcome]
        events = int(np.count_nonzero(outcome))
        binary = outcome.dtype.kind == "f" and bool(np.isin(outcome, (0.0, 1.0)).all())
        if binary and min(events, len(outcome) - events) < LEAST_EVENTS:
            raise EstimationError(
                f"{events} events in {len(outcome)} rows: fewer than {LEAST_EVENTS} on one side."
            )
    elif not rows.count:
        raise EstimationError("no row is left.")


def _covariances(model: ModelSpec) -> tuple[str, ...]:
    """Return the declared covariance, and the dyadic one if the study has it."""
    names = [model.covariance[0], *(one for one in model.covariance if one == DYADIC)]
    return tuple(dict.fromkeys(names))


def _shared(
    study: Study, name: str, spec: Subset, group: str, claim: str | None, scale: Scale
) -> dict[str, Any]:
    return {
        "subset": name, "by": spec.by, "says": spec.says or "",
        "claim": claim or study.design.claims[0], "model": spec.model, "term": spec.term,
        "group": group, "scale": scale.as_row(),
    }  # fmt: skip


def _numbers(fitted: Fitted, covariance: str, term: str) -> dict[str, Any]:
    found = fitted.term(covariance, term)
    if found is None:
        return {"covariance": covariance, "note": fitted.absence(term)}
    return {
        "covariance": covariance, "estimate": found.estimate, "std_error": found.std_error,
        "p_value": found.p_value, "n_obs": fitted.n_obs, "n_events": fitted.n_events,
        "left_out": sorted(fitted.dropped),
    }  # fmt: skip


def _tested(rows: Sequence[dict[str, Any]], covariances: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Add Cochran's Q of one effect in all groups, by covariance."""
    from foedus.models.pooling import between

    tests: dict[str, dict[str, Any]] = {}
    for covariance in covariances:
        own = [row for row in rows if row["covariance"] == covariance and row.get("std_error")]
        if len(own) > 1:
            made = between([r["estimate"] for r in own], [r["std_error"] for r in own])
            tests[covariance] = {
                "test_q": made.q, "test_df": made.df, "test_p": made.p_value,
                "kind": "separate samples",
            }  # fmt: skip
    for row in rows:
        yield {**row, **tests.get(row["covariance"], {})}


# ------------------------------------------------------------------------------- terms of a model
def _by_terms(
    declared: Estimation, name: str, spec: Subset, claim: str | None
) -> Iterator[dict[str, Any]]:
    terms = [
        (group, spec.model if isinstance(what, str) else what.model or spec.model,
         spec.term if isinstance(what, str) else what.term)
        for group, what in spec.groups.items()
    ]  # fmt: skip
    rows: list[dict[str, Any]] = []
    covariances: tuple[str, ...] = ()
    for group, model, term in terms:
        shared = {
            "subset": name, "by": spec.by, "says": spec.says or "",
            "claim": claim or declared.design.claims[0], "model": model, "term": term,
            "group": group, "scale": scale_of(declared, model, term).as_row(),
        }  # fmt: skip
        covariances = _covariances(declared.design.models[model])
        try:
            fitted = declared.fit(model)
        except CAUGHT as error:
            rows.append({**shared, "covariance": "", "note": one_line(error)})
            continue
        rows += [{**shared, **_numbers(fitted, one, term)} for one in covariances]
    models = {model for _, model, _ in terms}
    if len(models) == 1:
        yield from _within(declared, models.pop(), [term for _, _, term in terms], rows)
    else:
        yield from _tested(rows, covariances)


def _within(
    estimation: Estimation, model: str, terms: Sequence[str], rows: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Add Wald's test that terms of one model are equal, by covariance."""
    try:
        fitted = estimation.fit(model)
    except CAUGHT:
        yield from rows
        return
    known = [term for term in terms if term in fitted.names]
    for row in rows:
        covariance = row["covariance"]
        test: dict[str, Any] = {}
        if covariance and len(known) > 1:
            q, df, p = equality(fitted, covariance, known)
            test = {"test_q": q, "test_df": df, "test_p": p, "kind": "one model"}
        yield {**row, **test}


def equality(fitted: Fitted, covariance: str, terms: Sequence[str]) -> tuple[float, int, float]:
    """Return Wald's chi-squared, degrees of freedom and p of terms being equal."""
    places = [fitted.names.index(term) for term in terms]
    b = fitted.params[places]
    V = fitted.vcov[covariance][np.ix_(places, places)]
    contrast = np.hstack([np.ones((len(places) - 1, 1)), -np.eye(len(places) - 1)])
    apart, spread = contrast @ b, contrast @ V @ contrast.T
    q = float(apart @ np.linalg.pinv(spread) @ apart)
    return q, len(places) - 1, float(special.chdtrc(len(places) - 1, q))


# ------------------------------------------------------------------------- the parts of one tie
def _split(
    study: Study, memo: Memo, declared: Estimation, line: Headline, split: Split
) -> Iterator[dict[str, Any]]:
    model = study.design.models[line.model]
    covariances = _covariances(model)
    name = f"{split.by}_{line.model}_{line.term}"
    spec = Subset(
        by=split.by,
        model=line.model,
        term=line.term,
        groups={group: group for group in split.groups},
        says=split.says,
    )
    terms = list(split.groups.values())
    overrides: dict[str, Any] = {
        f"variables.{variable}": dict(declaration)
        for variable, declaration in split.variables.items()
    }
    left, _, right = model.formula.partition("~")
    parts = [one.strip() for one in right.split("+")]
    if line.term not in parts:
        return  # the tie stands in a product or a function, which has no parts of its own
    swapped = [" + ".join(terms) if one == line.term else one for one in parts]
    overrides[f"models.{line.model}.formula"] = f"{left.strip()} ~ {' + '.join(swapped)}"
    overrides[f"models.{line.model}.covariance"] = list(covariances)
    overrides[f"models.{line.model}.options"] = {**model.options, **LENIENT}
    shared = {
        group: _shared(study, name, spec, group, line.claim, Scale(model.estimator, True, None))
        for group in split.groups
    }
    try:
        estimation = Estimation(memo, study.variant(overrides))
        fitted = estimation.fit(line.model)
    except (*CAUGHT, ConfigError) as error:
        why = one_line(error)
        for group in split.groups:
            yield {**shared[group], "covariance": "", "note": why}
        return
    scales = {
        group: scale_of(estimation, line.model, term).as_row()
        for group, term in split.groups.items()
    }
    rows = [
        {**shared[group], "scale": scales[group], **_numbers(fitted, covariance, term)}
        for group, term in split.groups.items()
        for covariance in covariances
    ]
    yield from _within(estimation, line.model, terms, rows)
