"""What exp(b) is in a model: odds ratios, hazard ratios, rate ratios, ratios of means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foedus.errors import UsageError
from foedus.models.result import LEVEL, Result, inference

if TYPE_CHECKING:
    import pandas as pd

RATIOS = {
    "logit": "odds ratio",
    "firth": "odds ratio",
    "jeffreys": "odds ratio",
    "relogit": "odds ratio",
    "clogit": "odds ratio",
    "mixed_logit": "odds ratio",
    "ordered_logit": "odds ratio",
    "multinomial": "relative risk ratio",
    "cloglog": "hazard ratio",
    "poisson": "rate ratio",
    "negbin": "rate ratio",
    "negbin1": "rate ratio",
    "quasipoisson": "rate ratio",
    "mixed_poisson": "rate ratio",
    "truncated_poisson": "rate ratio",
    "truncated_negbin": "rate ratio",
    "zip": "rate ratio",
    "zinb": "rate ratio",
    "hurdle_poisson": "rate ratio",
    "hurdle_negbin": "rate ratio",
    "beta": "odds ratio",
    "cox": "hazard ratio",
    "fine_gray": "subdistribution hazard ratio",
    "aft_weibull": "time ratio",
    "aft_exponential": "time ratio",
    "aft_lognormal": "time ratio",
    "aft_loglogistic": "time ratio",
    "aft_gengamma": "time ratio",
    "split_population": "time ratio",
}
"""Estimator -> what exp(b) is in its first equation."""

LINK_RATIOS = {"logit": "odds ratio", "cloglog": "hazard ratio", "log": "ratio of means"}
FIXED_LINKS = {"logit": "logit", "cloglog": "cloglog", "poisson": "log"}


def _ratio_word(result: Result) -> str | None:
    """Return what exp(b) is, None where it is nothing; the link decides where it is chosen."""
    family = result.fit.family
    link = getattr(family, "link", FIXED_LINKS.get(getattr(family, "name", "")))
    if result.estimator in ("firth", "jeffreys", "gee"):
        return LINK_RATIOS.get(str(link))
    if result.estimator in RATIOS:
        return RATIOS[result.estimator]
    if result.estimator == "binomial" and link == "log":
        return "risk ratio"
    return LINK_RATIOS.get(str(link)) if hasattr(family, "link") else None


def ratios(result: Result, cov: str | None = None, level: float = LEVEL) -> pd.DataFrame:
    """Return exp(b): odds ratios (logit), hazard ratios (cloglog), rate ratios (counts).

    Parameters
    ----------
    result : Result
        The fitted model.
    cov : str, optional
        The covariance; the first computed for None.
    level : float
        Of the intervals, whose ends are those of b, exponentiated.

    Returns
    -------
    DataFrame
        term, ratio, estimate, std_error (delta method), p_value (of b = 0), ci_low, ci_high,
        percent_change (100 (exp(b) - 1)), covariance.

    Raises
    ------
    UsageError
        For an estimator whose exp(b) means nothing (probit, OLS).
    """
    import pandas as pd

    word = _ratio_word(result)
    if word is None:
        raise UsageError(f"exp(b) is not a ratio in a {result.estimator}; use effects.")
    made = result.covariance(cov)
    taken = [j for j, term in enumerate(result.terms) if not term.startswith("/")]
    params, errors = result.params[taken], result.std_errors(made.name)[taken]
    terms = [result.terms[j] for j in taken]
    block = inference(params, errors, result.df, level)
    estimate = np.exp(params)
    return pd.DataFrame(
        {
            "term": terms,
            "ratio": ["odds ratio" if term.startswith("zero:") else word for term in terms],
            "estimate": estimate,
            "std_error": estimate * block["std_error"],
            "p_value": block["p_value"],
            "ci_low": np.exp(block["ci_low"]),
            "ci_high": np.exp(block["ci_high"]),
            "percent_change": 100.0 * np.expm1(params),
            "covariance": made.name,
        }
    )
