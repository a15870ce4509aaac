"""Uniform confidence bands: intervals that hold all effects at once, not each by itself.

The multiplier bootstrap of Callaway and Sant'Anna (2021, J. Econometrics 225, algorithm 1): the
clusters' influences are multiplied by random numbers of mean 0 and variance 1, nothing is
estimated again, and the band's width is the quantile of the largest t statistic of a draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from foedus.errors import UsageError, nearest
from foedus.models.arrays import FloatArray, codes_of
from foedus.models.covariance import CovarianceSpec, scores_of
from foedus.models.influence import column_of

if TYPE_CHECKING:
    import pandas as pd

    from foedus.models.result import Result

MULTIPLIERS = ("mammen", "rademacher")
AT_ONCE = 500


def uniform_bands(
    result: Result,
    data: Any,
    by: str,
    terms: Sequence[str] | None = None,
    *,
    level: float = 0.95,
    draws: int = 9_999,
    seed: int = 1,
    multiplier: str = "mammen",
) -> pd.DataFrame:
    """Return intervals that hold all terms at once with the level's probability.

    Parameters
    ----------
    result : Result
        An event study, or any model with scores by row.
    data : frame
        The rows it was estimated from.
    by : str
        The column of clusters that are independent of each other (the unit, or what holds it).
    terms : sequence of str, optional
        The terms that the band is for; all but ``average`` for None.
    level, draws, seed
        Of the band, and of its random numbers.
    multiplier : str
        "mammen" (two points, the third moment 1) or "rademacher" (1 and -1).

    Returns
    -------
    DataFrame
        term, estimate, std_error (clustered, no small-sample factor), ci_low, ci_high, critical
        (the multiple of the standard error, 1.96 for one term at 95 %).

    Raises
    ------
    UsageError
        For an estimator without scores by row, an unknown term, column or multiplier.
    """
    import pandas as pd

    if multiplier not in MULTIPLIERS:
        raise UsageError(f'"{multiplier}" is no multiplier. {nearest(multiplier, MULTIPLIERS)}')
    if not 0.0 < level < 1.0 or draws < 100:
        raise UsageError("a band needs a level between 0 and 1 and at least 100 draws.")
    made = result.fit.made
    codes, n_clusters = codes_of(column_of(result, data, by))
    sums = scores_of(CovarianceSpec("a uniform band", "cluster", (by,)), made)
    influence = sums.sums(codes, n_clusters) @ made.bread @ made.back.T
    chosen = [term for term in result.terms if term != "average"] if terms is None else list(terms)
    places = [result.index_of(term) for term in chosen]
    own = influence[:, places]
    spread = np.sqrt((own**2).sum(axis=0))
    if not bool((spread > 0).all()):
        flat = [term for term, s in zip(chosen, spread, strict=True) if not s > 0]
        raise UsageError(f"{', '.join(flat)}: no standard error, so no band.")
    critical = _critical(own / spread, level, draws, seed, multiplier)
    value = result.params[places]
    return pd.DataFrame(
        {
            "term": [result.terms[place] for place in places],
            "estimate": value,
            "std_error": spread,
            "ci_low": value - critical * spread,
            "ci_high": value + critical * spread,
            "critical": critical,
        }
    )


def _critical(influence: FloatArray, level: float, draws: int, seed: int, multiplier: str) -> float:
    """Return the quantile of the largest absolute t statistic over the draws."""
    rng = np.random.default_rng(seed)
    root = np.sqrt(5.0)
    low, high, chance = (1.0 - root) / 2.0, (1.0 + root) / 2.0, (root + 1.0) / (2.0 * root)
    most = np.empty(draws)
    for start in range(0, draws, AT_ONCE):
        some = slice(start, min(start + AT_ONCE, draws))
        size = (some.stop - some.start, influence.shape[0])
        if multiplier == "mammen":
            v = np.where(rng.random(size) < chance, low, high)
        else:
            v = np.where(rng.random(size) < 0.5, -1.0, 1.0)
        most[some] = np.abs(v @ influence).max(axis=1)
    return float(np.quantile(most, level))
