"""Counts of a study's rows: what a cross table, or a paragraph on the sample, prints."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foedus.covariates.registry import Option
from foedus.errors import UsageError, nearest
from foedus.studies.expressions import evaluate, names_in
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure


@measure(
    "counts",
    says="How many rows of the study's sample satisfy each of some conditions.",
    citations=["bennett_stam_2000"],
    options={
        "of": Option({}, "Conditions by the name of their count, expressions over the variables."),
    },
)
def counts(context: MeasureContext) -> list[MeasureRow]:
    """Count; a row in which a variable of the condition is missing doesn't satisfy it.

    Raises
    ------
    UsageError
        Without a panel, without conditions, or for a name that is no variable.
    """
    conditions = context.options["of"]
    if context.panel is None:
        raise UsageError("counts works on the study's own rows: say panel: true.")
    if not isinstance(conditions, Mapping) or not conditions:
        raise UsageError("counts: say of: {name: condition, ...}.")
    rows = []
    for name, condition in conditions.items():
        columns = {part: np.asarray(context.panel[part], np.float64)
                   for part in names_in(condition) if part in context.panel}  # fmt: skip
        held = evaluate(condition, columns)
        known = int(np.count_nonzero(~np.isnan(held)))
        count = int(np.count_nonzero(held == 1))
        rows.append(MeasureRow(name, float(count), kind="count", n=known, n_events=count))
    return rows


@measure(
    "cases",
    says="The rows of the study's sample that satisfy a condition, listed one by one.",
    citations=["bennett_stam_2000"],
    options={
        "where": Option("", "Condition, an expression over the variables."),
        "columns": Option("", "Keys and variables to list, separated by commas."),
        "title": Option("Cases", "What the table is called."),
    },
    terms=["cases"],
)
def cases(context: MeasureContext) -> MeasureResult:
    """List the rows; one in which a variable of the condition is missing doesn't satisfy it.

    Raises
    ------
    UsageError
        Without a panel, without a condition, or for a column that is no key or variable.
    """
    options, panel = context.options, context.panel
    if panel is None:
        raise UsageError("cases works on the study's own rows: say panel: true.")
    names = [name.strip() for name in options["columns"].split(",") if name.strip()]
    if not options["where"] or not names:
        raise UsageError("cases: say where: CONDITION and columns: NAME, ....")
    for name in names:
        if name not in panel:
            raise UsageError(f'cases: "{name}" is no key or variable. {nearest(name, panel)}')
    used = {part: np.asarray(panel[part], np.float64)
            for part in names_in(options["where"]) if part in panel}  # fmt: skip
    held = evaluate(options["where"], used)
    at = np.flatnonzero(held == 1)
    listed = {name: np.asarray(panel[name], np.float64)[at] for name in names}
    table = [
        {name: None if np.isnan(values[row]) else _plain(values[row])
         for name, values in listed.items()}
        for row in range(len(at))
    ]  # fmt: skip
    known = int(np.count_nonzero(~np.isnan(held)))
    count = MeasureRow("cases", float(len(at)), kind="count", n=known, n_events=len(at))
    return MeasureResult([count], tables={options["title"]: table})


def _plain(value: float) -> int | float:
    """Return a whole number as one."""
    return int(value) if value == int(value) else float(value)
