"""The front door of the room: a formula and a frame, or arrays, in; a Result out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foedus.errors import UsageError
from foedus.models.arrays import AnyArray, BoolArray
from foedus.models.covariance import CovarianceSpec, Identifiers, parse_covariance
from foedus.models.design import (
    Labels,
    build_sample,
    column_names,
    missing_in,
    read_column,
    take_rows,
)
from foedus.models.fit import Fit, fit
from foedus.models.formula import parse_formula
from foedus.models.result import Result, covariances_for

if TYPE_CHECKING:
    import pandas as pd

DYAD = ("ccode1", "ccode2")


def estimate(
    formula: str,
    data: pd.DataFrame | Mapping[str, Any] | Any,
    estimator: str = "logit",
    cov: str | Sequence[str] = ("classical",),
    dyad: tuple[str, str] | None = DYAD,
    weights: str | npt.ArrayLike | None = None,
    *,
    small_sample: str = "R",
    information: str = "expected",
    collinear: str = "error",
    separation: str = "error",
    repairs: str = "eigen",
) -> Result:
    """Fit a model to the rows of a frame.

    Parameters
    ----------
    formula : str
        ``outcome ~ terms``; see `foedus.models.formula`.
    data : frame
        One row an observation of whatever unit; pandas, polars, pyarrow or a dict of arrays.
        Nullable columns are read; a row missing any of the formula's variables is left out.
    estimator : str
        logit, probit, cloglog, ols, poisson or negbin (NB2 with log link).
    cov : str or sequence of str
        Covariances, the declared one first: classical, HC0 to HC3, ``cluster(a)``,
        ``cluster(a, b)``, dyadic. ``dyad`` and ``ddyad`` may be clustered on by name.
    dyad : pair of str, optional
        The columns of the two states of a row's dyad.
    weights : str or array_like, optional
        Prior weights (a column's name, or values): each row's log-likelihood counts this often.
    small_sample : str
        Rule of clustered covariances: R, stata, none, clusters, clusters_and_terms; see
        `foedus.models.covariance.small_sample_factor`.
    information : str
        "expected" (R's glm, MASS::glm.nb) or "observed" (Stata's ml); they differ for probit,
        cloglog and negbin only.
    collinear, separation : str
        "error", or "drop" to leave terms out and say so in `dropped_terms` and `rows_lost`.
    repairs : str
        "eigen" or "never": what to do with negative eigenvalues of multi-way and dyadic
        covariances; see `foedus.models.covariance.covariance_of`.

    Returns
    -------
    Result
        The fitted model.

    Raises
    ------
    EstimationError
        No rows, collinear or perfectly predicting terms (named), no convergence.
    UsageError
        An unknown column, estimator, covariance or function; a formula that is not one.
    """
    specs = _specs(cov, small_sample)
    sample = build_sample(parse_formula(formula), data, weights)
    fitted = fit(
        estimator,
        sample.X,
        sample.y,
        sample.names,
        weights=sample.weights,
        offset=sample.offset,
        information=information,
        collinear=collinear,
        separation=separation,
    )
    kept = _inside(sample.kept, fitted.kept)
    ids = _identifiers(specs, data, dyad, kept)
    columns = sample.columns
    if fitted.kept is not None:
        columns = {name: take_rows(column, fitted.kept) for name, column in columns.items()}
    return _result(
        fitted,
        covariances_for(fitted, specs, ids, repairs),
        formula=formula,
        rows_lost={**sample.rows_lost, **fitted.rows_lost},
        design=sample.design,
        columns=columns,
        kept=kept,
    )


def fit_arrays(
    estimator: str,
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    names: Sequence[str] | None = None,
    *,
    cov: str | Sequence[str] = ("classical",),
    ids: Mapping[str, npt.ArrayLike] | None = None,
    sides: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    weights: npt.ArrayLike | None = None,
    offset: npt.ArrayLike | None = None,
    small_sample: str = "R",
    information: str = "expected",
    collinear: str = "error",
    separation: str = "error",
    repairs: str = "eigen",
) -> Result:
    """Fit a model to arrays; frames and formulas play no part.

    Parameters
    ----------
    estimator : str
        As in `estimate`.
    X, y : array_like
        The design matrix (with its constant column, if any) and the outcome, without missings.
    names : sequence of str, optional
        The columns' names.
    cov : str or sequence of str
        As in `estimate`.
    ids : mapping, optional
        Cluster variables by name, one value a row.
    sides : pair of array_like, optional
        The two states of each row's dyad.
    weights, offset : array_like, optional
        Prior weights; a term with coefficient 1.
    small_sample, information, collinear, separation, repairs : str
        As in `estimate`.

    Returns
    -------
    Result
        The fitted model; its `predict` takes a matrix.
    """
    specs = _specs(cov, small_sample)
    fitted = fit(
        estimator,
        np.asarray(X, dtype=np.float64),
        np.asarray(y, dtype=np.float64),
        names,
        weights=None if weights is None else np.asarray(weights, dtype=np.float64),
        offset=None if offset is None else np.asarray(offset, dtype=np.float64),
        information=information,
        collinear=collinear,
        separation=separation,
    )
    used = {name: _rows_of(values, fitted.kept) for name, values in (ids or {}).items()}
    both = None
    if sides is not None:
        both = (_rows_of(sides[0], fitted.kept), _rows_of(sides[1], fitted.kept))
    made = covariances_for(fitted, specs, Identifiers(used, both), repairs)
    return _result(fitted, made, formula="", rows_lost=fitted.rows_lost, kept=fitted.kept)


def fit_logit(X: npt.ArrayLike, y: npt.ArrayLike, names: Sequence[str], **options: Any) -> Result:
    """Fit a logit to arrays; options as in `fit_arrays`."""
    return fit_arrays("logit", X, y, names, **options)


def fit_probit(X: npt.ArrayLike, y: npt.ArrayLike, names: Sequence[str], **options: Any) -> Result:
    """Fit a probit to arrays; options as in `fit_arrays`."""
    return fit_arrays("probit", X, y, names, **options)


def fit_ols(X: npt.ArrayLike, y: npt.ArrayLike, names: Sequence[str], **options: Any) -> Result:
    """Fit a linear model to arrays; options as in `fit_arrays`."""
    return fit_arrays("ols", X, y, names, **options)


def fit_poisson(X: npt.ArrayLike, y: npt.ArrayLike, names: Sequence[str], **options: Any) -> Result:
    """Fit a Poisson model to arrays; options as in `fit_arrays`."""
    return fit_arrays("poisson", X, y, names, **options)


def fit_negbin(X: npt.ArrayLike, y: npt.ArrayLike, names: Sequence[str], **options: Any) -> Result:
    """Fit a negative binomial (NB2) model to arrays; options as in `fit_arrays`."""
    return fit_arrays("negbin", X, y, names, **options)


def _specs(cov: str | Sequence[str], rule: str) -> list[CovarianceSpec]:
    asked = [cov] if isinstance(cov, str) else list(cov)
    if not asked:
        raise UsageError("ask for at least one covariance, e.g. classical or dyadic.")
    return [parse_covariance(text, rule) for text in asked]


def _inside(outer: BoolArray | None, inner: BoolArray | None) -> BoolArray | None:
    if outer is None or inner is None:
        return inner if outer is None else outer
    both = outer.copy()
    both[both] = inner
    return both


def _rows_of(values: npt.ArrayLike, kept: BoolArray | None) -> AnyArray:
    array = np.asarray(values)
    return array if kept is None else array[kept]


def _identifiers(
    specs: Sequence[CovarianceSpec],
    data: Any,
    dyad: tuple[str, str] | None,
    kept: BoolArray | None,
) -> Identifiers:
    """Read the cluster variables and dyad sides that the covariances need, for the rows used."""
    wanted = dict.fromkeys(name for spec in specs for name in spec.by)
    known = column_names(data)
    with_sides = dyad is not None and all(side in known for side in dyad)
    sided = [s for s in specs if s.kind == "dyadic" or {"dyad", "ddyad"} & set(s.by)]
    sides = None
    if sided and with_sides and dyad is not None:
        sides = (_id_column(data, dyad[0], kept), _id_column(data, dyad[1], kept))
    special = {"dyad", "ddyad"} if sides is not None else set()
    columns = {
        name: _id_column(data, name, kept)
        for name in wanted
        if name in known and name not in special
    }
    return Identifiers(columns, sides, dyad or DYAD)


def _id_column(data: Any, name: str, kept: BoolArray | None) -> AnyArray:
    """Return an identifier of the rows used; missing ones can't be grouped, so they are refused."""
    column = take_rows(read_column(data, name), kept)
    missing = missing_in(column)
    if missing.any():
        raise UsageError(
            f'column "{name}" is missing in {int(missing.sum())} of the rows used, so they belong '
            "to no cluster; drop them or cluster on another column."
        )
    if isinstance(column, Labels):
        return np.array(column.levels)[column.codes]
    return column


def _events(fitted: Fit) -> int | None:
    if fitted.estimator == "ols":
        return None
    return int((fitted.y > 0).sum())


def _result(
    fitted: Fit,
    covariances: Mapping[str, Any],
    *,
    formula: str,
    rows_lost: dict[str, int],
    design: Any = None,
    columns: Any = None,
    kept: BoolArray | None = None,
) -> Result:
    df: float | None = fitted.ancillary.get("df_residual")
    return Result(
        estimator=fitted.estimator,
        formula=formula,
        terms=fitted.names,
        params=fitted.coef,
        covariances=dict(covariances),
        n_obs=int(fitted.y.size),
        n_events=_events(fitted),
        loglik=float(fitted.loglik),
        rows_lost=rows_lost,
        dropped_terms=fitted.dropped_terms,
        ancillary=fitted.ancillary,
        iterations=fitted.iterations,
        df=df,
        fit=fitted,
        design=design,
        columns=columns or {},
        kept=kept,
    )
