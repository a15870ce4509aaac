"""What the data page says of the data themselves: rules that must hold, and files of users."""

from __future__ import annotations

from typing import Any

from foedus.covariates.user_coverage import kept
from foedus.report.inputs import Inputs
from foedus.report.numbers import count
from foedus.sources.invariants import Finding, check_invariants
from foedus.sources.tables import Tables


def invariant_rows(inputs: Inputs) -> list[dict[str, Any]]:
    """Return a row an invariant: the rule, what was looked at, exceptions with their reasons.

    Only of the sources that this run used, so that the page depends on nothing else.
    """
    used = {str(row.get("id", "")) for row in inputs.sources_used}
    tables = Tables(inputs.project, ingest_missing=False)
    found = check_invariants(tables, simulated=inputs.simulated, among=used)
    return [_row(one) for one in found]


def _row(one: Finding) -> dict[str, Any]:
    exceptions = sum(item["found"] for item in one.known)
    return {
        "name": one.name,
        "says": one.says,
        "checked": count(one.checked),
        "exceptions": count(exceptions),
        "unexplained": count(one.unexplained),
        "holds": one.holds,
        "known": [
            {"where": item["where"], "rows": count(item["found"]), "reason": item["reason"]}
            for item in one.known
        ],
        "examples": [
            ", ".join(f"{name} {value}" for name, value in row.items()) for row in one.examples
        ],
    }


def user_file_rows(inputs: Inputs) -> list[dict[str, Any]]:
    """Return what `foedus covariates check` found of each file of the user's."""
    return [
        {
            "name": one["name"],
            "file": one["file"],
            "unit": one["unit"],
            "years": "{}-{}".format(*one["years"]),
            "rows": count(one["file_rows"]),
            "matched": count(one["file_matched"]),
            "unmatched": count(one["file_unmatched"] + one["file_no_state"]),
            "without": count(one["unit_unmatched"]),
            "duplicates": count(one["duplicates"]),
        }
        for one in kept(inputs.project)
    ]
