"""One scale for the estimates of a claim: log odds ratios, turned so that above 0 supports it.

A logit's coefficient is a log odds ratio. A probit's is multiplied by pi / sqrt(3), the ratio of
the two laws' standard deviations; that of least squares is first divided by its outcome's standard
deviation (Hasselblad and Hedges 1995, Psychological Bulletin 117; Chinn 2000, Statistics in
Medicine 19). Log hazard, rate and time ratios stand as they are: they come near a log odds ratio
where events are rare. A flag is followed from 0 to 1, anything else over two standard deviations
(Gelman 2008, Statistics in Medicine 27). What has no place on this scale (a rate, an exponent) is
shown in its own standard errors and isn't pooled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foedus.report.numbers import is_number

LOGISTIC_SD = math.pi / math.sqrt(3.0)

ODDS = frozenset(
    {
        "logit", "relogit", "firth", "jeffreys", "clogit", "gee", "mixed_logit", "ordered_logit",
        "multinomial", "fractional", "beta",
    }
)  # fmt: skip
NORMAL = frozenset({"probit", "ordered_probit", "bivariate_probit", "selection_probit"})
RATIOS = frozenset(
    {
        "cloglog", "cox", "cox_frailty", "fine_gray", "poisson", "quasipoisson", "negbin",
        "negbin1", "truncated_poisson", "truncated_negbin", "zip", "zinb", "hurdle_poisson",
        "hurdle_negbin", "mixed_poisson", "gamma", "lognormal", "aft_exponential", "aft_weibull",
        "aft_loglogistic", "aft_lognormal", "aft_gengamma",
    }
)  # fmt: skip
LINEAR = frozenset(
    {
        "ols", "fixed_effects", "random_effects", "between", "first_difference", "gaussian", "iv",
        "heckman", "heckman_two_step",
    }
)  # fmt: skip
KINDS = {
    "odds": "log odds ratio",
    "normal": "probit coefficient × π/√3",
    "ratio": "log hazard, rate or time ratio",
    "linear": "coefficient in standard deviations of the outcome × π/√3",
}


@dataclass(frozen=True)
class Measure:
    """How a coefficient comes to the common scale.

    Attributes
    ----------
    factor : float
        What it is multiplied by.
    kind : str
        A key of KINDS.
    step : str
        The change of the variable that it then speaks of.
    """

    factor: float
    kind: str
    step: str

    @property
    def says(self) -> str:
        """The scale in words."""
        return f"{KINDS[self.kind]}, {self.step}"


def measure_of(scale: Mapping[str, Any] | None) -> Measure | None:
    """Return how a term comes to the common scale, from what its study says of its spread.

    Parameters
    ----------
    scale : mapping or None
        estimator, flag, sd, outcome_sd (see foedus.studies.scales).

    Returns
    -------
    Measure or None
        None where it has no place there, or its spread isn't known.
    """
    kind = _kind(str(scale.get("estimator", ""))) if scale else None
    if scale is None or kind is None or not isinstance(scale.get("flag"), bool):
        return None
    factor, step = 1.0, "0 to 1"
    if not scale["flag"]:
        if not is_number(scale.get("sd")) or not scale["sd"] > 0:
            return None
        factor, step = 2.0 * scale["sd"], "two standard deviations"
    if kind == "normal":
        factor *= LOGISTIC_SD
    elif kind == "linear":
        if not is_number(scale.get("outcome_sd")):
            return None
        factor *= LOGISTIC_SD / scale["outcome_sd"]
    return Measure(factor, kind, step)


def _kind(estimator: str) -> str | None:
    named = {"odds": ODDS, "normal": NORMAL, "ratio": RATIOS, "linear": LINEAR}
    return next((kind for kind, names in named.items() if estimator in names), None)


def side_of(estimator: str) -> str:
    """Return which way a coefficient of durations points: a hazard's against the time's."""
    if estimator.startswith("aft_"):
        return "time"
    return "hazard" if estimator in ("cox", "cox_frailty", "fine_gray") else ""
