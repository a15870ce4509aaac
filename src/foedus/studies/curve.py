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
from foedus.studies.run import key_terms, term_under

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
    if most < 1:
        raise UsageError(f"--max {most}: ask for at least one specification.")
    if not study.design.choices:
        raise UsageError(f"{study.origin} declares no choices, so there is no curve to draw.")
    require_valid(project, study)
    table = curve_table(study, tables, most)
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


def curve_table(study: Study, tables: Tables, most: int) -> pa.Table:
    """Estimate the specifications without writing anything."""
    recording = RecordingTables(tables)
    memo = Memo(recording, Workshop(recording))
    names = list(study.design.choices)
    terms = curve_terms(study)
    rows: list[dict[str, Any]] = []
    for number, spec in enumerate(specifications(study.design.choices, most, SEED)):
        rows.extend(_rows(study, memo, spec, number, terms))
    choices = [(name, _TEXT) for name in names]
    return to_table(rows, pa.schema([*_LEADING, *choices, *_NUMBERS]))


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
