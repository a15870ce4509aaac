"""Run a study: panel, models, measures, effects, choices one at a time, comparison, files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from foedus import store
from foedus.config import Project
from foedus.errors import ConfigError, EstimationError, MissingDataError, UsageError
from foedus.sources.tables import Tables
from foedus.studies import words
from foedus.studies.check import require_valid
from foedus.studies.comparison import Departure, claim_of, compare
from foedus.studies.design import one_at_a_time
from foedus.studies.estimation import CAUGHT, Estimation, Memo, one_line
from foedus.studies.fit import Fitted, TermEstimate
from foedus.studies.frame import Rows, Workshop
from foedus.studies.measures import MeasureRow
from foedus.studies.outcome import COMPARISON, ESTIMATES, as_table, rounded, to_table
from foedus.studies.portraits import PORTRAITS, portrait_rows
from foedus.studies.recording import RecordingTables
from foedus.studies.registry import Study, get_study
from foedus.studies.scales import scale_of
from foedus.studies.schema import Design
from foedus.studies.subsets import subset_rows
from foedus.studies.truth import against_truth
from foedus.studies.walk import ROWS, TRIALS, diagnose_study

BESIDE = ("rows", "trials", "portraits")
"""Tables that stand beside studies/<id>.json in every run, empty ones too: a step of the DAG says
what it makes."""

UNREBUILT = pa.schema([("study", pa.string())])
"""Of the file of disagreeing rows of a study that rebuilds no author's file."""


@dataclass(frozen=True)
class StudyRun:
    """What a run made.

    Attributes
    ----------
    study : str
    estimates, comparison : pyarrow.Table
        As written to estimates/<id>.parquet and comparison/<id>.parquet.
    detail : dict
        As written to studies/<id>.json.
    rows : pyarrow.Table
        Rows in which a rebuilt variable and the author's file disagree, as written to
        studies/<id>_rows.parquet; empty for studies that rebuild none.
    trials : pyarrow.Table
        What was tried for numbers that aren't met, as written to studies/<id>_trials.parquet.
    portraits : pyarrow.Table
        What the figures of the leading models are drawn from, as written to
        studies/<id>_portraits.parquet.
    memo : Memo
        All that was made on the way: a specification curve goes on from it.
    """

    study: str
    estimates: pa.Table
    comparison: pa.Table
    detail: dict[str, Any]
    rows: pa.Table
    trials: pa.Table
    portraits: pa.Table
    memo: Memo = field(repr=False)

    @property
    def failed(self) -> list[dict[str, str]]:
        """Models and measures that could not be estimated, with their reasons."""
        return list(self.detail["failed"])


def run_study(
    project: Project,
    tables: Tables,
    study_id: str,
    choices: bool = True,
    diagnose: bool = False,
) -> StudyRun:
    """Run one study and write its result files.

    Parameters
    ----------
    project : Project
    tables : Tables
    study_id : str
    choices : bool
        Also vary the declared choices one at a time (the diagnosis needs it).
    diagnose : bool
        Walk towards every number that isn't met, however many rows that takes, and try pairs of
        choices.

    Returns
    -------
    StudyRun

    Raises
    ------
    ConfigError
        If the study isn't valid.
    MissingDataError
        If nothing of it can be had because its sources aren't at hand.
    EstimationError
        If no model and no measure could be estimated.
    """
    study = get_study(project, study_id)
    require_valid(project, study)
    study = against_truth(study, project)
    run = run_design(study, tables, choices, diagnose)
    write_run(project, run)
    return run


def run_design(
    study: Study, tables: Tables, choices: bool = True, diagnose: bool = False
) -> StudyRun:
    """Run one study without writing anything."""
    recording = RecordingTables(tables)
    memo = Memo(recording, Workshop(recording))
    declared = Estimation(memo, study.design)
    estimates, failed = _estimates(study, declared)
    _stop_if_nothing(study, estimates, failed)
    departures = _departures(study, memo) if choices else []
    comparison = compare(study, declared, departures)
    against, rows = _rebuild(study, memo)
    found = diagnose_study(study, memo, declared, None if diagnose else ROWS) if choices else None
    detail = {
        **_identity(study),
        "flow": _flow(declared),
        "coverage": _coverage(declared),
        "choices": _choice_rows(study, declared, departures),
        "effects": _effects(declared),
        "plots": _plots(declared),
        "tables": _small_tables(declared),
        "measure_words": _measure_words(declared),
        "rebuild": against,
        "walks": found.walks if found else [],
        "walks_cut_short": found.cut_short if found else 0,
        "scales": _scales(declared),
        "subsets": subset_rows(study, memo, declared) if choices else [],
        "failed": failed,
        "warnings": _warnings(declared),
        **_provenance(recording, tables),
    }
    return StudyRun(
        study.id,
        to_table(estimates, ESTIMATES),
        to_table(comparison, COMPARISON),
        rounded(detail),
        as_table([], UNREBUILT) if rows is None else rows,
        found.trials if found else as_table([], TRIALS),
        to_table(
            ({"study": study.id, **row} for row in portrait_rows(declared)) if choices else (),
            PORTRAITS,
        ),
        memo,
    )


def write_run(project: Project, run: StudyRun) -> None:
    """Write a run's files, each whole or not at all."""
    metadata = {"study": run.study, "simulated": run.detail["simulated"]}
    for name, table in (("estimates", run.estimates), ("comparison", run.comparison)):
        store.write_parquet(table, project.data / name / f"{run.study}.parquet", metadata)
    store.write_json(project.data / "studies" / f"{run.study}.json", run.detail)
    for name in BESIDE:
        path = project.data / "studies" / f"{run.study}_{name}.parquet"
        store.write_parquet(getattr(run, name), path, metadata)


def _rebuild(study: Study, memo: Memo) -> tuple[dict[str, Any], pa.Table | None]:
    """Compare rebuilt variables with the author's file, when the study says so."""
    if study.design.rebuild is None:
        return {}, None
    from foedus.studies.rebuild import rebuild

    try:
        found = rebuild(study.design, memo.workshop)
    except MissingDataError as error:
        return {"note": one_line(error)}, None
    return found.as_detail(str(study.design.rebuilt_table)), found.rows


def _identity(study: Study) -> dict[str, Any]:
    design = study.design
    universe = design.universe
    return {
        "id": study.id,
        "title": design.title,
        "cite": list(design.cite),
        "claims": list(design.claims),
        "unit": universe.rows if universe else "",
        "years": list(universe.years or ()) if universe else [],
        "fingerprint": study.fingerprint,
        "design": words.describe(design),
        "labels": words.labels(design),
        "model_labels": words.model_labels(design),
        "choice_words": words.choice_words(design),
        "headline": [line.model_dump(exclude_none=True) for line in design.headline],
        "leading": [line.model_dump(exclude_none=True) for line in design.leading],
        "assumptions": list(design.assumptions),
        "design_changes": study.notes.get("changes", []),
    }


def _estimates(
    study: Study, declared: Estimation
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    rows: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    for name in study.design.models:
        try:
            rows.extend(_model_rows(study, declared, name, declared.fit(name)))
        except CAUGHT as error:
            failed.append(_failure(name, error))
    for name in study.design.measures:
        try:
            result = declared.measure(name)
        except CAUGHT as error:
            failed.append(_failure(name, error))
            continue
        rows.extend(_measure_row(study, name, row) for row in result.rows)
    return rows, failed


def _failure(name: str, error: BaseException) -> dict[str, str]:
    return {"model": name, "kind": type(error).__name__, "reason": one_line(error)}


def _stop_if_nothing(
    study: Study, estimates: Sequence[Any], failed: Sequence[Mapping[str, str]]
) -> None:
    if estimates or not failed:
        return
    by_reason: dict[str, list[str]] = {}
    for item in failed:
        by_reason.setdefault(item["reason"], []).append(item["model"])
    reasons = " ".join(f"{', '.join(models)}: {why}" for why, models in by_reason.items())
    kinds = {item["kind"] for item in failed}
    if kinds == {"MissingDataError"}:
        raise MissingDataError(f"{study.id}: {reasons}")
    if kinds == {"UsageError"}:
        raise ConfigError(f"{study.origin}: {reasons}")
    raise EstimationError(f"{study.id}: {reasons}")


def _model_rows(
    study: Study, declared: Estimation, model: str, fitted: Fitted
) -> Iterator[dict[str, Any]]:
    spec = study.design.models[model]
    for covariance in spec.covariance:
        for term in fitted.terms[covariance]:
            yield {
                "study": study.id,
                "claim": claim_of(study.design, model, term.term),
                "model": model,
                "unit": declared.frame.universe.rows,
                "estimator": spec.estimator,
                "covariance": covariance,
                "term": term.term,
                **_numbers(term),
                "n_obs": fitted.n_obs,
                "n_events": fitted.n_events,
                "n_clusters": fitted.n_clusters.get(covariance),
                "loglik": fitted.loglik,
                "small_sample": fitted.small_sample.get(covariance, ""),
                "label": declared.frame.label(term.term),
            }


def _numbers(term: TermEstimate) -> dict[str, float | None]:
    return {
        "estimate": term.estimate,
        "std_error": term.std_error,
        "statistic": term.statistic,
        "p_value": term.p_value,
        "ci_low": term.ci_low,
        "ci_high": term.ci_high,
    }


def _measure_row(study: Study, block: str, row: MeasureRow) -> dict[str, Any]:
    known = row.estimate is not None and row.std_error
    return {
        "study": study.id,
        "claim": claim_of(study.design, block, row.term),
        "model": block,
        "unit": study.design.universe.rows if study.design.universe else "",
        "estimator": "measure",
        "covariance": row.how,
        "term": row.term,
        "estimate": row.estimate,
        "std_error": row.std_error,
        "statistic": row.estimate / row.std_error if known else None,  # type: ignore[operator]
        "p_value": row.p_value,
        "ci_low": row.ci_low,
        "ci_high": row.ci_high,
        "n_obs": row.n,
        "n_events": row.n_events,
        "n_clusters": None,
        "loglik": None,
        "small_sample": row.note or "",
        "label": row.label or study.design.labels.get(row.term) or row.term,
    }


def _departures(study: Study, memo: Memo) -> list[Departure]:
    """Return every single departure from the declared design, not yet estimated."""
    choices = study.design.choices
    found = []
    for spec in one_at_a_time(choices)[1:]:
        place = next(index for index, pick in enumerate(spec.picks) if pick)
        name, choice = list(choices.items())[place]
        overrides = choice.overrides(spec.picks[place])
        path = "; ".join(overrides)
        alternative = choice.names[spec.picks[place]]
        try:
            estimation = Estimation(memo, study.variant(overrides), lead_only=True)
        except ConfigError as error:
            found.append(Departure(name, alternative, path, None, one_line(error)))
            continue
        found.append(Departure(name, alternative, path, estimation))
    return found


def key_terms(design: Design) -> list[tuple[str, str]]:
    """Return (model or measure, term) pairs that the study is about, in order."""
    pairs = [(line.model, line.term) for line in design.headline if line.maps_to is None]
    pairs += [(name, term) for name, spec in design.models.items() for term in spec.key]
    return list(dict.fromkeys(pairs))


def _followed(study: Study) -> list[tuple[str, str]]:
    """Return the key terms that are shown under each alternative.

    Those of models that print, the headline or the curve speaks of, or that come first: what no
    published number stands beside isn't estimated once more for every alternative.
    """
    design = study.design
    spoken = {published.target.name for published in study.published}
    spoken |= {line.model for line in design.headline} | set([*design.models][:1])
    if design.curve is not None:
        spoken.add(design.curve.model)
    return [pair for pair in key_terms(design) if pair[0] in spoken]


def _choice_rows(
    study: Study, declared: Estimation, departures: Sequence[Departure]
) -> list[dict[str, Any]]:
    """Return the key terms under each alternative, the declared one first in each choice."""
    rows: list[dict[str, Any]] = []
    if not departures:
        return rows
    pairs = _followed(study)
    for name, choice in study.design.choices.items():
        path = "; ".join(choice.sets)
        standing = Departure(name, choice.names[0], path, declared)
        own = [departure for departure in departures if departure.choice == name]
        for departure in [standing, *own]:
            for block, term in pairs:
                row = {"choice": name, "alternative": departure.alternative, "path": path}
                is_declared = departure is standing
                rows.append({**row, "declared": is_declared, **term_under(departure, block, term)})
    return rows


def term_under(departure: Departure, block: str, term: str) -> dict[str, Any]:
    """Return one term of a departure's model or measure, or a row with the reason it has none."""
    empty = {
        "model": block, "term": term, "covariance": "", "estimate": None, "std_error": None,
        "p_value": None, "ci_low": None, "ci_high": None, "n_obs": None, "n_events": None,
    }  # fmt: skip
    if departure.estimation is None:
        return {**empty, "note": departure.reason}
    try:
        found = _term_of(departure.estimation, block, term)
    except CAUGHT as error:
        return {**empty, "note": one_line(error)}
    return {**empty, **found}


def _term_of(estimation: Estimation, block: str, term: str) -> dict[str, Any]:
    if block in estimation.design.models:
        fitted = estimation.fit(block)
        covariance = estimation.design.models[block].covariance[0]
        found = fitted.term(covariance, term)
        if found is None:
            return {"n_obs": fitted.n_obs, "note": fitted.absence(term)}
        numbers = _numbers(found)
        del numbers["statistic"]
        return {
            **numbers, "covariance": covariance, "n_obs": fitted.n_obs, "n_events": fitted.n_events,
        }  # fmt: skip
    rows = [row for row in estimation.measure(block).rows if row.term == term]
    if not rows:
        raise UsageError(f"the measure {block} gives no {term}.")
    row = rows[0]
    return {
        "estimate": row.estimate, "std_error": row.std_error, "p_value": row.p_value,
        "ci_low": row.ci_low, "ci_high": row.ci_high, "covariance": row.how, "n_obs": row.n,
        "n_events": row.n_events, **({"note": row.note} if row.note else {}),
    }  # fmt: skip


def _scales(declared: Estimation) -> list[dict[str, Any]]:
    """Return what puts the key terms of models on the claims' common scale."""
    design = declared.design
    named = [*((line.model, line.term) for line in design.leading), *key_terms(design)]
    pairs = [pair for pair in dict.fromkeys(named) if pair[0] in design.models]
    return [
        {"model": model, "term": term, **scale_of(declared, model, term).as_row()}
        for model, term in pairs
    ]


def _flow(declared: Estimation) -> list[dict[str, Any]]:
    """Return the way from the universe to each estimation sample, common steps once."""
    design = declared.design
    if design.universe is None:
        return []
    models: list[str | None] = [*design.models] or [None]
    by_model: list[tuple[str | None, Rows]] = []
    for model in models:
        try:
            rows = declared.frame.rows(design.models[model] if model else None)
        except CAUGHT:
            continue
        by_model.append((model, rows))
    if not by_model:
        return []
    first = by_model[0][1]
    steps = [_step(step) for step in first.flow[: first.shared]]
    tails = {model: _tail(declared, model, rows) for model, rows in by_model}
    one_way = all(tail == tails[by_model[0][0]] for tail in tails.values())
    for model in list(tails)[:1] if one_way else tails:
        tail = tails[model]
        if not one_way:
            tail = [{**step, "model": model} for step in tail]
        steps.extend(tail)
    return steps


def _tail(declared: Estimation, model: str | None, rows: Rows) -> list[dict[str, Any]]:
    """Return a model's own steps, what its estimator left out, and the rows estimated on."""
    steps = [_step(step) for step in rows.flow[rows.shared :]]
    left = rows.count
    for cause, lost in _lost_in_estimation(declared, model).items():
        left -= lost
        steps.append({"step": "estimator", "rows_left": left, "rows_lost": lost, "cause": cause})
    last = {"step": "estimation", "rows_left": left, "rows_lost": 0, "cause": "rows estimated on"}
    return [*steps, last]


def _lost_in_estimation(declared: Estimation, model: str | None) -> dict[str, int]:
    if model is None:
        return {}
    try:
        return declared.fit(model).rows_lost
    except CAUGHT:
        return {}


def _step(step: Any) -> dict[str, Any]:
    return {
        "step": step.step,
        "rows_left": step.rows_left,
        "rows_lost": step.rows_lost,
        "cause": step.cause,
    }


def _coverage(declared: Estimation) -> list[dict[str, Any]]:
    if declared.design.universe is None:
        return []
    notes = {}
    for name in declared.design.variables:
        try:
            declared.frame.values(name)
        except CAUGHT:
            continue
        notes[name] = declared.frame.note(name)
    return words.coverage_rows(notes, declared.design)


def _effects(declared: Estimation) -> list[dict[str, Any]]:
    rows = []
    for name, spec in declared.design.effects.items():
        try:
            values = declared.effect(name)
        except CAUGHT:
            continue
        at = spec.at if isinstance(spec.at, str) else "fixed values, others at their means"
        for covariance, value in values.items():
            rows.append(
                {
                    "name": name, "model": spec.model, "term": spec.of, "at": at,
                    "from": spec.start, "to": spec.end, "covariance": covariance,
                    **value.as_row(),
                }
            )  # fmt: skip
    return rows


def _plots(declared: Estimation) -> dict[str, Any]:
    plots: dict[str, Any] = {}
    for name in declared.design.effects:
        try:
            drawn = declared.curve_of(name)
        except CAUGHT:
            continue
        if drawn is not None:
            plots[name] = drawn
    made = {name: result.plots for name, result in _results(declared).items()}
    for (measure, plot), key in _names_apart(made).items():
        drawn = dict(made[measure][plot])
        if key != plot:
            # The study's words for the measure tell such plots apart better than the measure's own.
            drawn["title"] = declared.design.measures[measure].title or drawn.get("title", measure)
        plots[key] = drawn
    return plots


def _small_tables(declared: Estimation) -> dict[str, Any]:
    made = {name: result.tables for name, result in _results(declared).items()}
    return {
        key: [dict(row) for row in made[measure][table]]
        for (measure, table), key in _names_apart(made).items()
    }


def _names_apart(made: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """Return a name for each measure's plot or table; those alike carry their measure's name too.

    Measures of one kind name their plots alike, and none may take another's place.
    """
    times = Counter(name for things in made.values() for name in things)
    return {
        (measure, name): name if times[name] == 1 else f"{measure}_{name}"
        for measure, things in made.items()
        for name in things
    }


def _measure_words(declared: Estimation) -> list[str]:
    return [said for result in _results(declared).values() for said in result.sentences]


def _results(declared: Estimation) -> dict[str, Any]:
    found = {}
    for name in declared.design.measures:
        try:
            found[name] = declared.measure(name)
        except CAUGHT:
            continue
    return found


def _warnings(declared: Estimation) -> list[str]:
    """Return what the estimators warned of, with the model's name."""
    found: list[str] = []
    for name in declared.design.models:
        try:
            fitted = declared.fit(name)
        except CAUGHT:
            continue
        found.extend(f"{name}: {said}" for said in fitted.warnings)
    return found


def _provenance(recording: RecordingTables, tables: Tables) -> dict[str, Any]:
    """Return the sources read, with version and checksums, and whether any is simulated."""
    used = sorted(recording.used)
    provenance = tables.provenance(used)
    simulated = any(bool(item.get("simulated")) for item in provenance.values())
    return {"sources": provenance, "simulated": simulated}
