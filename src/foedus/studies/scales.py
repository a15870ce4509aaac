"""What it takes to put a term on the scale on which studies of a claim are compared.

A flag's coefficient speaks of the step from 0 to 1. That of any other variable is made to speak of
a step of two standard deviations, which a flag's own step is about (Gelman 2008, Statistics in
Medicine 27); a coefficient of least squares is divided by its outcome's standard deviation. The
report does the rest (report.common_scale).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from foedus.studies.estimation import CAUGHT, Estimation


@dataclass(frozen=True)
class Scale:
    """A term's and its outcome's spread in a model's sample.

    Attributes
    ----------
    estimator : str
    flag : bool or None
        Whether the variable is 0 or 1 in every row; None when it isn't known.
    sd : float or None
        Its standard deviation.
    outcome_sd : float or None
        The outcome's; None where the formula transforms it.
    outcome : str
        What stands left in the formula.
    """

    estimator: str
    flag: bool | None
    sd: float | None
    outcome_sd: float | None = None
    outcome: str = ""

    def as_row(self) -> dict[str, Any]:
        """Return it as the study's page holds it."""
        return {
            "estimator": self.estimator, "flag": self.flag, "sd": self.sd,
            "outcome_sd": self.outcome_sd, "outcome": self.outcome,
        }  # fmt: skip


def scale_of(estimation: Estimation, model: str, term: str) -> Scale:
    """Return the scale of a term of a model; what can't be known stays None.

    A product's is that of the product in each row.
    """
    spec = estimation.design.models[model]
    frame = estimation.frame
    outcome = spec.outcome
    factors = term.split(":")
    try:
        rows = estimation.rows(model)
        if not set(factors) <= frame.known:
            return Scale(spec.estimator, None, None, outcome=outcome)
        wanted = [*factors, *([outcome] if outcome in frame.known else [])]
        columns = frame.data(dict.fromkeys(wanted), rows)
    except CAUGHT:
        return Scale(spec.estimator, None, None, outcome=outcome)
    if any(column.dtype.kind == "O" or not len(column) for column in columns.values()):
        return Scale(spec.estimator, None, None, outcome=outcome)
    values = columns[factors[0]]
    for factor in factors[1:]:
        values = values * columns[factor]
    flag = bool(((values == 0.0) | (values == 1.0)).all())
    spread = float(np.std(columns[outcome])) if outcome in columns else None
    return Scale(spec.estimator, flag, float(np.std(values)), spread or None, outcome)
