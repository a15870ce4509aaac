"""Counts of a study's rows: what a cross table, or a paragraph on the sample, prints."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foedus.covariates.registry import Option
from foedus.errors import UsageError
from foedus.studies.expressions import evaluate, names_in
from foedus.studies.measures import MeasureContext, MeasureRow, measure


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
