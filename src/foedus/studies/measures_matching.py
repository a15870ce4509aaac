"""The effect of a treatment among rows matched exactly on coarsened variables (CEM).

Iacus, King & Porro's (2012) matching, as Leeds & Johnson (2017), Kenwick, Vasquez & Powers (2015)
and Morrow (2017) put it to alliances: strata of coarsened conditions, weights that make the
untreated rows of a stratum count as many as its treated ones, then a weighted regression.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.registry import Option
from foedus.errors import EstimationError, UsageError, nearest
from foedus.studies.measures import MeasureContext, MeasureResult, MeasureRow, measure

Array = NDArray[np.float64]
NORMAL_95 = 1.959963984540054


@measure(
    "coarsened_matching",
    says="Effect of a treatment in a weighted regression on rows matched exactly on coarsened "
    "variables, and the outcome's rates among them.",
    citations=["iacus_king_porro_2012"],
    options={
        "outcome": Option("dispute", "Variable that is 1 for the outcome."),
        "treatment": Option("treated", "Variable that is 1 for treated rows, 0 for others."),
        "exact": Option([], "Variables that are matched exactly."),
        "coarsened": Option({}, "Variables that are matched in bins: a number of bins of equal "
                            "width, or their inner edges, for each."),
        "controls": Option([], "Variables in the weighted regression besides the treatment."),
        "within": Option({}, "Variables that have to have a value: the part of the sample that is "
                             "matched; first and last year stand under year."),
        "estimator": Option("logit", "The weighted regression.", ("logit", "probit", "ols")),
    },
    terms=["effect", "odds ratio", "rate treated", "rate untreated", "difference", "matched rows",
           "matched treated", "treated without a match", "outcomes"],
)  # fmt: skip
def coarsened_matching(context: MeasureContext) -> MeasureResult:
    """Match, weigh, and compare; rows with an unknown value in any variable named are left out.

    Standard errors are those of the weighted regression with weights taken as known counts, as the
    articles have them; "dyadic" lets rows that share a state depend on each other where the panel
    has two states a row.

    Raises
    ------
    UsageError
        If the study has no such variable.
    EstimationError
        If no stratum holds both treated and untreated rows, or the outcome doesn't vary.
    """
    from foedus.models.matching import match_coarsened

    options = context.options
    exact, coarse = list(options["exact"]), dict(options["coarsened"])
    controls = list(options["controls"])
    names = dict.fromkeys([options["outcome"], options["treatment"], *exact, *coarse, *controls])
    columns = _known(context, list(names), dict(options["within"]))
    treated = columns[options["treatment"]]
    if not exact and not coarse:
        raise UsageError("coarsened_matching: name variables under exact or coarsened.")
    matched = match_coarsened(
        np.array([columns[name] for name in [*exact, *coarse]]).T,  # column by column in memory
        treated,
        bins=[*(None for _ in exact), *coarse.values()],
    )
    kept = matched.weights > 0
    taken = {name: values[kept] for name, values in columns.items()}
    rows = _effects(taken, matched.weights[kept], options, controls)
    rows += _rates(taken, matched.weights[kept], options)
    counts = {
        "matched rows": int(kept.sum()),
        "matched treated": int((kept & (treated == 1)).sum()),
        "treated without a match": int(matched.rows_lost.get("treated without a match", 0)),
        "outcomes": int((taken[options["outcome"]] == 1).sum()),
    }
    rows += [
        MeasureRow(term, count, "count", n=len(treated), how="count")
        for term, count in counts.items()
    ]
    said = (
        f"Rows were matched exactly on {_listed(exact)} and in bins of {_listed(list(coarse))}; "
        f"{counts['matched rows']:,} of {len(treated):,} rows lie in strata with treated and "
        "untreated rows."
    )
    return MeasureResult(rows, sentences=[said])


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "nothing"


def _known(context: MeasureContext, names: list[str], within: dict[str, Any]) -> dict[str, Array]:
    """Return the variables, and the panel's states, of rows on which all of them are known."""
    panel = context.panel or {}
    for name in [*names, *within]:
        if name not in panel:
            raise UsageError(
                f'coarsened_matching: "{name}" is not a variable of the study. '
                f"{nearest(name, panel)}"
            )
    states = [name for name in ("ccode1", "ccode2") if name in panel and name not in names]
    columns = {name: np.asarray(panel[name], np.float64) for name in [*names, *states]}
    known = ~np.isnan(columns[names[0]])
    for name in names[1:]:
        known &= ~np.isnan(columns[name])
    for name, value in within.items():
        first, last = value if isinstance(value, list | tuple) else (value, value)
        known &= (panel[name] >= first) & (panel[name] <= last)
    if not known.any():
        raise EstimationError(f"coarsened_matching: no complete row fits {within}.")
    return {name: values[known] for name, values in columns.items()}


def _effects(
    columns: dict[str, Array], weights: Array, options: dict[str, Any], controls: list[str]
) -> list[MeasureRow]:
    from foedus.models import estimate

    outcome, treatment = options["outcome"], options["treatment"]
    if len(np.unique(columns[outcome])) < 2:
        raise EstimationError(f"coarsened_matching: {outcome} doesn't vary among matched rows.")
    covariances = ["classical", "HC1"]
    if {"ccode1", "ccode2"} <= set(columns):
        covariances.append("dyadic")
    formula = " + ".join([treatment, *controls])
    result = estimate(
        f"{outcome} ~ {formula}",
        {**columns, "matching_weight": weights},
        estimator=options["estimator"],
        cov=covariances,
        weights="matching_weight",
    )
    place = list(result.terms).index(treatment)
    value = float(result.params[place])
    rows = []
    for covariance in covariances:
        error = float(result.std_errors(covariance)[place])
        low, high = value - NORMAL_95 * error, value + NORMAL_95 * error
        shared: dict[str, Any] = {"n": result.n_obs, "n_events": result.n_events, "how": covariance}
        p_value = _p(value / error)
        rows.append(
            MeasureRow("effect", value, std_error=error, ci_low=low, ci_high=high,
                       p_value=p_value, **shared)
        )  # fmt: skip
        if options["estimator"] == "logit":
            ratio = float(np.exp(value))
            rows.append(
                MeasureRow("odds ratio", ratio, std_error=ratio * error,
                           ci_low=float(np.exp(low)), ci_high=float(np.exp(high)),
                           p_value=p_value, **shared)
            )  # fmt: skip
    return sorted(rows, key=lambda row: row.term)


def _p(z: float) -> float:
    from scipy import special

    return float(2 * special.ndtr(-abs(z)))


def _rates(columns: dict[str, Array], weights: Array, options: dict[str, Any]) -> list[MeasureRow]:
    """Return the outcome's weighted share among treated and untreated rows, and the difference."""
    outcome, treated = columns[options["outcome"]] == 1, columns[options["treatment"]] == 1
    shares, errors = [], []
    for group in (treated, ~treated):
        own = weights[group]
        share = float(own @ outcome[group] / own.sum())
        # Kish's effective number of rows of unequal weight.
        effective = own.sum() ** 2 / (own**2).sum()
        shares.append(share)
        errors.append(float(np.sqrt(share * (1 - share) / effective)))
    difference = shares[0] - shares[1]
    spread = float(np.hypot(errors[0], errors[1]))
    return [
        MeasureRow("rate treated", shares[0], "share", std_error=errors[0], n=int(treated.sum()),
                   how="weighted binomial"),
        MeasureRow("rate untreated", shares[1], "share", std_error=errors[1],
                   n=int((~treated).sum()), how="weighted binomial"),
        MeasureRow("difference", difference, std_error=spread,
                   ci_low=difference - NORMAL_95 * spread, ci_high=difference + NORMAL_95 * spread,
                   p_value=_p(difference / spread) if spread else None, n=len(treated),
                   how="two weighted binomials"),
    ]  # fmt: skip
