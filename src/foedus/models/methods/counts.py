"""Counts with excess zeros, without zeros, and the NB1: fits to arrays.

Zero-inflated counts (Lambert 1992, Technometrics 34) mix rows that are never at risk with a
count; hurdles (Mullahy 1986, J. Econometrics 33) let one process decide whether the count is
positive and a zero-truncated count how large it is; both as in R's pscl.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray
from foedus.models.methods.count_parts import (
    COUNTS,
    CountParts,
    hurdle,
    plain,
    truncated,
    zero_inflated,
)
from foedus.models.methods.handover import Assembly, Estimated, scaled
from foedus.models.methods.indices import (
    Index,
    Maximum,
    PartsOf,
    RowModel,
    RowParts,
    maximise_rows,
)
from foedus.models.scaling import constant_column

LOG_SPREAD = {"negbin": "lntheta", "negbin1": "lndelta"}
SPREAD_MOST = 18.0
"""Log theta beyond this is a Poisson model to all digits."""


def check_counts(y: FloatArray, name: str, least: int = 0) -> None:
    """Refuse outcomes that are no counts, never vary, or lie below the least allowed."""
    odd = y[(y < least) | (y != np.floor(y))]
    if odd.size:
        said = "0, 1, 2, ..." if least == 0 else "1, 2, ...; leave out the zeros"
        raise EstimationError(
            f"the outcome of a {name} model must be a count ({said}), but {odd.size} rows hold "
            f"other values, e.g. {odd[0]:g}."
        )
    if (y == y[0]).all():
        raise EstimationError(
            f"the outcome of a {name} model is {y[0]:g} in all {y.size} rows used: nothing to "
            "explain."
        )


def check_zeros(y: FloatArray, name: str) -> None:
    """Refuse outcomes without a zero, or with nothing but zeros and ones above them."""
    check_counts(y, name)
    if (y > 0).all():
        raise EstimationError(
            f"{name}: no row has the outcome 0, so there is no excess of zeros to explain; use "
            "poisson, negbin or a zero-truncated model."
        )


def _parts_of(combine: object, distribution: CountParts, y: FloatArray) -> PartsOf:
    assert callable(combine)

    def parts(rows: slice, etas: FloatArray) -> RowParts:
        made: RowParts = combine(distribution, y[rows], etas)
        return made

    return parts


def _count_start(y: FloatArray, offset: FloatArray | None, weights: FloatArray | None) -> float:
    mean = float(np.average(y, weights=weights))
    level = 0.0 if offset is None else float(offset.mean())
    return float(np.log(max(mean, 1e-8))) - level


def _constant_start(start: FloatArray, X: FloatArray, first: int, level: float) -> None:
    """Put a level into the (scaled) constant of a linear index, where it has one."""
    place = constant_column(X)
    if place is not None:
        start[first + place] = level * float(np.sign(X[0, place]))


def _spread_facts(found: Maximum, place: int, dist: str, name: str) -> dict[str, float]:
    """Return theta (or delta) with its standard error, refusing a spread without bound."""
    log_spread = float(found.params[place])
    gone = log_spread > SPREAD_MOST if dist == "negbin" else log_spread < -SPREAD_MOST
    if gone:
        raise _no_spread(name)
    value = float(np.exp(log_spread))
    variance = np.linalg.inv(found.information)[place, place]
    word = "theta" if dist == "negbin" else "delta"
    spread = float(np.sqrt(variance))
    return {word: value, f"{word}_se": value * spread}


def fit_plain_count(
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    dist: str,
    weights: FloatArray | None = None,
    offset: FloatArray | None = None,
    *,
    zero_truncated: bool = False,
) -> Estimated:
    """Fit a count model of one equation, on request zero-truncated.

    Parameters
    ----------
    y, X, names : the outcome, the matrix and its columns' names.
    dist : str
        poisson, negbin (NB2: variance mu + mu^2/theta) or negbin1 (NB1: mu (1 + delta)).
    weights, offset : float array, optional
        Prior weights; a term with coefficient 1 (the log of the exposure).
    zero_truncated : bool
        Whether only positive counts could be observed.

    Returns
    -------
    Estimated
        With ``/lntheta`` or ``/lndelta`` as the last term; the bread is the inverse observed
        information of all parameters together.

    Raises
    ------
    EstimationError
        No counts, collinear terms, no maximum.
    """
    name = f"zero-truncated {dist}" if zero_truncated else dist
    check_counts(y, name, 1 if zero_truncated else 0)
    parts, n_indices = COUNTS[dist]
    assembly = Assembly(y.size)
    indices = [assembly.linear(X, names, offset=offset)]
    spread = None
    if n_indices == 2:
        spread = len(assembly.terms)
        indices.append(assembly.ancillary(LOG_SPREAD[dist]))
    start = np.zeros(len(assembly.terms))
    _constant_start(start, X, 0, _count_start(y, offset, weights))
    made = _parts_of(truncated if zero_truncated else plain, parts, y)
    found = _minding_spread(RowModel(name, made, indices, assembly.terms, weights), start, spread)
    facts = {} if spread is None else _spread_facts(found, spread, dist, name)
    return assembly.estimated(found, name, facts)


def _minding_spread(model: RowModel, start: FloatArray, spread: int | None) -> Maximum:
    """Maximise; where the spread runs off to a Poisson model, say so."""
    try:
        return maximise_rows(model, start)
    except EstimationError as error:
        said = str(error)
        if spread is not None and model.parameters[spread] in said:
            raise _no_spread(model.name) from None
        if "as zero:(Intercept) grows" in said and model.name.startswith("zero-inflated"):
            raise EstimationError(
                f"{model.name}: there are no more zeros than the count itself explains (the share "
                "of rows never at risk goes to 0); use the model without zero inflation."
            ) from None
        raise


def _no_spread(name: str) -> EstimationError:
    return EstimationError(
        f"{name}: the counts vary no more than a Poisson model says (the spread has no maximum); "
        "use the Poisson version of the estimator."
    )


def fit_two_part_count(
    kind: str,
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    W: FloatArray,
    zero_names: Sequence[str],
    dist: str,
    weights: FloatArray | None = None,
    offset: FloatArray | None = None,
) -> Estimated:
    """Fit a zero-inflated or hurdle count.

    Parameters
    ----------
    kind : str
        "zero_inflated": the zero part is the log-odds that a row is never at risk;
        "hurdle": the log-odds that the count is positive.
    y, X, names : the outcome, the count's matrix and its columns' names.
    W, zero_names : the zero part's matrix and names.
    dist : str
        poisson, negbin or negbin1.
    weights, offset : float array, optional
        Prior weights; an offset of the count's index.

    Returns
    -------
    Estimated
        Terms are ``NAME``, ``zero:NAME``, then ``/lntheta`` or ``/lndelta``.

    Raises
    ------
    EstimationError
        No counts, no zeros, collinear terms, no maximum (the term is named).
    """
    name = kind.replace("_", "-") + " " + dist
    check_zeros(y, name)
    parts, n_indices = COUNTS[dist]
    assembly = Assembly(y.size)
    count = assembly.linear(X, names, offset=offset)
    zero_first = len(assembly.terms)
    zero = assembly.linear(W, zero_names, "zero")
    indices, spread = [count, zero], None
    if n_indices == 2:
        spread = len(assembly.terms)
        indices.insert(1, assembly.ancillary(LOG_SPREAD[dist]))
    start = np.zeros(len(assembly.terms))
    start[:zero_first] = _poisson_start(y, X, names, weights, offset, kind == "hurdle")
    positive = float(np.average(y > 0, weights=weights))
    share = positive if kind == "hurdle" else _excess(y, weights)
    _constant_start(start, W, zero_first, float(np.log(share / (1.0 - share))))
    made = _parts_of(hurdle if kind == "hurdle" else zero_inflated, parts, y)
    found = _minding_spread(RowModel(name, made, indices, assembly.terms, weights), start, spread)
    facts = {} if spread is None else _spread_facts(found, spread, dist, name)
    return assembly.estimated(found, name, facts)


def _excess(y: FloatArray, weights: FloatArray | None) -> float:
    """Return a first guess at the share of rows never at risk."""
    mean = float(np.average(y, weights=weights))
    zeros = float(np.average(y == 0, weights=weights))
    base = float(np.exp(-mean))
    return float(np.clip((zeros - base) / (1.0 - base), 0.1, 0.9))


def _poisson_start(
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    weights: FloatArray | None,
    offset: FloatArray | None,
    positive: bool,
) -> FloatArray:
    """Return scaled coefficients of a Poisson model: all rows, or the positive ones truncated."""
    Z, _ = scaled(X, names)
    rows = y > 0 if positive else np.ones(y.size, dtype=bool)
    taken = y[rows]
    level = np.zeros(X.shape[1])
    _constant_start(level, X, 0, _count_start(taken, None, None))
    index = Index(Z[rows], np.arange(X.shape[1]), None if offset is None else offset[rows])
    parts = _parts_of(truncated if positive else plain, COUNTS["poisson"][0], taken)
    own = None if weights is None else weights[rows]
    try:
        return maximise_rows(
            RowModel("poisson start", parts, [index], names, own), level, 60
        ).params
    except EstimationError:
        return level
