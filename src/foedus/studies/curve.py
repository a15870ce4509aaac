"""The specification curve of a study: its key terms under every combination of its choices."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from foedus import store
from foedus.config import Project
from foedus.errors import ConfigError, UsageError
from foedus.sources.tables import Tables
from foedus.studies.check import require_valid
from foedus.studies.comparison import Departure, claim_of
from foedus.studies.design import Specification, specifications
from foedus.studies.estimation import Estimation, Memo, one_line
from foedus.studies.frame import Workshop
from foedus.studies.outcome import to_table
from foedus.studies.recording import RecordingTables
from foedus.studies.registry import Study, get_study
from foedus.studies.run import StudyRun, key_terms, run_study, term_under

SEED = 1816
"""Seed of the sample of specifications when there are more than are asked for."""

_TEXT, _REAL, _WHOLE = pa.string(), pa.float64(), pa.int64()
_LEADING = [("study", _TEXT), ("specification", _WHOLE), ("declared", pa.bool_())]
_NUMBERS = [
    ("model", _TEXT), ("term", _TEXT), ("claim", _TEXT), ("covariance", _TEXT),
    ("estimate", _REAL), ("std_error", _REAL), ("p_value", _REAL), ("ci_low", _REAL),
    ("ci_high", _REAL), ("n_obs", _WHOLE), ("n_events", _WHOLE), ("note", _TEXT),
]  # fmt: skip


def run_curve(project: Project, tables: Tables, study_id: str, most: int) -> pa.Table:
    """Estimate a study's specifications and write curves/<id>.parquet.

    Parameters
    ----------
    project : Project
    tables : Tables
    study_id : str
    most : int
        All combinations are estimated when there are no more; else a seeded sample that holds the
        declared design and every single departure from it.

    Returns
    -------
    pyarrow.Table
        One row a specification and key term: study, specification, declared, a column a choice,
        then model, term, estimate and the rest. A specification that can't be estimated keeps its
        row, with the reason in `note`.

    Raises
    ------
    UsageError
        If the study declares no choices, or `most` is below 1.
    ConfigError
        If the study isn't valid.
    """
    study = get_study(project, study_id)
    _require_choices(study, most)
    require_valid(project, study)
    recording = RecordingTables(tables)
    return _written(project, study, Memo(recording, Workshop(recording)), most)


def run_with_curve(
    project: Project, tables: Tables, study_id: str, most: int, diagnose: bool = False
) -> StudyRun:
    """Run a study, then its specification curve on what the run has made, and write both.

    The files are the same, byte for byte, as those of `run_study` and `run_curve` one after the
    other; columns and models that both need are made once. A study without choices has no curve.

    Parameters
    ----------
    project, tables, study_id, diagnose
        See `run_study`.
    most : int
        See `run_curve`.

    Returns
    -------
    StudyRun

    Raises
    ------
    UsageError
        If `most` is below 1; else as `run_study` does.
    """
    study = get_study(project, study_id)
    if study.design.choices:
        _require_choices(study, most)
    run = run_study(project, tables, study_id, diagnose=diagnose)
    if study.design.choices:
        _written(project, study, run.memo, most)
    return run


def _require_choices(study: Study, most: int) -> None:
    if most < 1:
        raise UsageError(f"--max {most}: ask for at least one specification.")
    if not study.design.choices:
        raise UsageError(f"{study.origin} declares no choices, so there is no curve to draw.")


def _written(project: Project, study: Study, memo: Memo, most: int) -> pa.Table:
    table = curve_table(study, memo, most)
    metadata = {"study": study.id, "seed": SEED, "combinations": combinations(study)}
    if project.world is not None:
        metadata["simulated"] = True
    store.write_parquet(table, project.data / "curves" / f"{study.id}.parquet", metadata)
    return table


def combinations(study: Study) -> int:
    """Return how many specifications the study's choices span."""
    total = 1
    for choice in study.design.choices.values():
        total *= len(choice)
    return total


def curve_terms(study: Study) -> list[tuple[str, str]]:
    """Return what the curve follows: as declared, else key terms of the first block with any."""
    curve = study.design.curve
    if curve is not None:
        return [(curve.model, term) for term in curve.terms]
    pairs = key_terms(study.design)
    if not pairs:
        raise UsageError(f"{study.origin}: no key term, headline or curve says what to follow.")
    return [pair for pair in pairs if pair[0] == pairs[0][0]]


def curve_table(study: Study, memo: Memo, most: int) -> pa.Table:
    """Estimate the specifications without writing anything."""
    terms = curve_terms(study)
    listed = list(enumerate(specifications(study.design.choices, most, SEED)))
    # Single departures first, as a run of the study takes them: where Newton's method begins is
    # then the same in both, and so is the last digit.
    rows: dict[int, list[dict[str, Any]]] = {}
    for number, spec in sorted(listed, key=lambda item: _departs(item[1])):
        rows[number] = _rows(study, memo, spec, number, terms)
    choices = [(name, _TEXT) for name in study.design.choices]
    ordered = [row for number, _ in listed for row in rows[number]]
    return to_table(ordered, pa.schema([*_LEADING, *choices, *_NUMBERS]))


def _departs(spec: Specification) -> tuple[int, int]:
    """Return where a specification stands in line: declared, departures one at a time, the rest."""
    changed = [place for place, pick in enumerate(spec.picks) if pick]
    return min(len(changed), 2), changed[0] if len(changed) == 1 else 0


def _rows(
    study: Study, memo: Memo, spec: Specification, number: int, terms: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    departure = _departure(study, memo, spec)
    return [
        {
            "study": study.id,
            "specification": number,
            "declared": spec.declared,
            **spec.words(study.design.choices),
            "claim": claim_of(study.design, block, term),
            **term_under(departure, block, term),
        }
        for block, term in terms
    ]


def _departure(study: Study, memo: Memo, spec: Specification) -> Departure:
    overrides = spec.overrides(list(study.design.choices.values()))
    try:
        estimation = Estimation(memo, study.variant(overrides), lead_only=True)
    except ConfigError as error:
        return Departure("", "", "", None, one_line(error))
    return Departure("", "", "", estimation)
