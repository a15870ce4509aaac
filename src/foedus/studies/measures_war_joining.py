"""Rates of an outcome in two groups of a study's sample: joining with and without an alliance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.registry import Option
from foedus.errors import UsageError, nearest
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure
from foedus.studies.measures_reliability import share_rows
from foedus.studies.measures_spending import WHERE, kept_rows


@measure(
    "group_rates",
    says="Share of rows with the outcome in each of two groups, and how the shares compare.",
    citations=["wilson_1927"],
    options={
        "outcome": Option("joined", "Variable that is 1 for the outcome."),
        "group": Option("allied", "Variable that is 1 for the first group and 0 for the second."),
        "where": WHERE,
    },
    terms=["rate group", "rate others", "difference", "ratio", "share of outcomes in group"],
)
def group_rates(context: MeasureContext) -> MeasureResult:
    """Compare the outcome's share where `group` is 1 and where it is 0; missing rows are left out.

    Raises
    ------
    UsageError
        If the study has no such variable.
    """
    options = context.options
    panel = kept_rows(context.panel or {}, options["where"])
    outcome, group = (_variable(panel, options[name]) for name in ("outcome", "group"))
    known = ~np.isnan(outcome) & ~np.isnan(group)
    outcome, group = outcome[known] == 1, group[known] == 1
    inside, outside = int(group.sum()), int((~group).sum())
    hits, misses = int((outcome & group).sum()), int((outcome & ~group).sum())
    rows = [*share_rows("rate group", hits, inside), *share_rows("rate others", misses, outside)]
    rows += _compared(hits, inside, misses, outside)
    rows += share_rows("share of outcomes in group", hits, hits + misses)
    shown = [
        row for row in rows if row.term.startswith("rate") and row.how.endswith("Wilson interval")
    ]
    plots = {
        "rates": {
            "type": "bars",
            "labels": [f"{context.options['group']} = {value}" for value in (1, 0)],
            "rebuilt": [row.estimate for row in shown],
            "ci_low": [row.ci_low for row in shown],
            "ci_high": [row.ci_high for row in shown],
            "n": [row.n for row in shown],
            "unit": "share",
            "title": f"Share of rows with {context.options['outcome']} = 1 (95 % Wilson interval)",
        }
    }
    return MeasureResult(rows, plots=plots)


def _variable(panel: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.float64]:
    if name not in panel:
        raise UsageError(
            f'measure group_rates: "{name}" is not a variable of the study. {nearest(name, panel)}'
        )
    return np.asarray(panel[name], np.float64)


def _compared(hits: int, inside: int, misses: int, outside: int) -> list[MeasureRow]:
    """Return the difference of two shares and their ratio, with large-sample intervals."""
    if not (hits and misses):
        why = "One of the groups has no case with the outcome."
        return [MeasureRow(term, None, note=why) for term in ("difference", "ratio")]
    first, second = hits / inside, misses / outside
    error = float(np.sqrt(first * (1 - first) / inside + second * (1 - second) / outside))
    log_error = float(np.sqrt((1 - first) / hits + (1 - second) / misses))
    ratio = first / second
    spread = np.exp(1.96 * log_error)
    return [
        MeasureRow(
            "difference", first - second, std_error=error, n=inside + outside,
            ci_low=first - second - 1.96 * error, ci_high=first - second + 1.96 * error,
            how="two binomials",
        ),
        MeasureRow(
            "ratio", ratio, std_error=ratio * log_error, n=inside + outside,
            ci_low=float(ratio / spread), ci_high=float(ratio * spread),
            how="delta method, log scale",
        ),
    ]  # fmt: skip
