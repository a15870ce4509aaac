"""Where the effect of a variable turns: the summit or the bottom of its parabola in a logit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from foedus.covariates.registry import Option
from foedus.errors import UsageError, nearest
from foedus.models.estimation import estimate
from foedus.studies.measures import MeasureContext, MeasureRow, measure

_Z = 1.959963984540054


@measure(
    "turning_point",
    says="Where the predicted chance turns in a variable that enters a logit with its square.",
    citations=["grant_2013"],
    options={
        "outcome": Option("", "Variable that is 1 for the outcome."),
        "of": Option("", "The variable; its square is added."),
        "controls": Option("", "Further variables, separated by commas."),
        "cluster": Option("", "Variable or key by which errors are clustered; none: HC1."),
    },
    terms=["turning point", "turning ratio", "linear", "square"],
)
def turning_point(context: MeasureContext) -> list[MeasureRow]:
    """Return -b1 / (2 b2) with its error by the delta method, and both coefficients.

    For a share s the turning ratio is (1 - s) / s: how many times what the share is a part of
    stands beside it there.

    Raises
    ------
    UsageError
        Without a panel, or for a name that is no variable of the study.
    """
    options, panel = context.options, context.panel
    if panel is None:
        raise UsageError("turning_point works on the study's own rows: say panel: true.")
    outcome, of, cluster = options["outcome"], options["of"], options["cluster"]
    controls = [name.strip() for name in options["controls"].split(",") if name.strip()]
    for name in (outcome, of, *controls, *([cluster] if cluster else [])):
        if name not in panel:
            raise UsageError(f'turning_point: "{name}" is no variable. {nearest(name, panel)}')
    columns = {name: np.asarray(panel[name], np.float64) for name in (outcome, of, *controls)}
    columns["of_squared"] = columns[of] ** 2
    if cluster:
        columns[cluster] = np.asarray(panel[cluster], np.float64)
    cov = f"cluster({cluster})" if cluster else "HC1"
    formula = f"{outcome} ~ " + " + ".join([of, "of_squared", *controls])
    fit = estimate(formula, pd.DataFrame(columns), "logit", [cov], collinear="drop")
    first, second = fit.terms.index(of), fit.terms.index("of_squared")
    one, two = float(fit.params[first]), float(fit.params[second])
    covariance = np.asarray(fit.vcov(cov))[np.ix_([first, second], [first, second])]
    point = -one / (2 * two)
    slope = np.array([-1 / (2 * two), one / (2 * two**2)])
    error = float(np.sqrt(slope @ covariance @ slope))
    rows = [
        _row("turning point", point, error, fit.n_obs, "delta method"),
        # The ratio's slope in the share is -1 / s².
        _row("turning ratio", 1 / point - 1, error / point**2, fit.n_obs, "delta method"),
    ]
    for name, value, place in (("linear", one, 0), ("square", two, 1)):
        rows.append(_row(name, value, float(np.sqrt(covariance[place, place])), fit.n_obs, cov))
    return rows


def _row(term: str, value: float, error: float, n: int, how: str) -> MeasureRow:
    return MeasureRow(
        term, value, std_error=error, ci_low=value - _Z * error, ci_high=value + _Z * error,
        n=n, how=how,
    )  # fmt: skip
