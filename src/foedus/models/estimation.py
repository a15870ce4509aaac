"""The front door of the room: a formula and a frame, or arrays, in; a Result out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foedus.errors import UsageError, nearest
from foedus.models.arrays import AnyArray, BoolArray, IntArray
from foedus.models.covariance import CovarianceSpec, Identifiers, parse_covariance
from foedus.models.design import (
    Design,
    Labels,
    Sample,
    Wanted,
    build_sample,
    column_names,
    missing_in,
    stored_column,
    take_rows,
)
from foedus.models.fit import INFORMATION, RULES, Fit
from foedus.models.formula import Formula, parse_formula
from foedus.models.inputs import Inputs
from foedus.models.registry import Estimator, find_estimator
from foedus.models.result import Result, covariances_for
from foedus.models.room import Room
from foedus.models.running import (
    CATEGORIES,
    inputs_of_arrays,
    inputs_of_sample,
    named_columns,
    run,
)

if TYPE_CHECKING:
    import pandas as pd

DYAD = ("ccode1", "ccode2")
Near = Result | Mapping[str, float]
Numbering = dict[str, tuple[IntArray, int]]


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
    repairs: str = "variances",
    near: Near | None = None,
    numbering: Numbering | None = None,
    room: Room | None = None,
    **options: Any,
) -> Result:
    """Fit a model to the rows of a frame.

    Parameters
    ----------
    formula : str
        ``outcome ~ terms``, ``outcome ~ terms | terms`` for estimators with a second equation;
        see `foedus.models.formula`.
    data : frame
        One row an observation of whatever unit; pandas, polars, pyarrow or a dict of arrays.
        Nullable columns are read; a row missing any of the formula's variables is left out.
    estimator : str
        A name of the registry, such as logit, ols or negbin; `foedus.models.ESTIMATORS` lists
        them and docs/estimators.md describes them.
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
        "variances", "eigen" or "never": when negative eigenvalues are mended in multi-way and
        dyadic covariances; see `foedus.models.covariance.covariance_of`.
    near : Result or mapping of term to number, optional
        Where Newton's method begins, for models of one index: a neighbouring specification's
        estimates save steps and change no digit that counts. Terms it lacks begin at 0; one that
        is worse than the usual beginning is not used.
    numbering : dict, optional
        Filled with the numbers of clusters and dyads of these rows, and read by the next fit that
        is given it: only for fits to the same rows, with the same columns to cluster on.
    room : Room, optional
        Memory for the design matrix, for one fit after the other: see `foedus.models.room.Room`.
    **options : object
        The estimator's own: settings, and columns by name (``strata="dyad"``, ``event="failed"``).

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
    entry = find_estimator(estimator)
    common = _common(information, collinear, separation)
    sample, inputs = _rows_of_fit(entry, formula, data, weights, common, options, room)
    inputs = replace(inputs, near=_starting(entry, near))
    fitted = run(entry, inputs)
    kept = _inside(sample.kept, fitted.kept)
    ids = _identifiers(specs, data, dyad, kept, numbering if kept is None else None)
    used = sample.columns
    if fitted.kept is not None:
        used = {name: take_rows(column, fitted.kept) for name, column in used.items()}
    return _result(
        fitted,
        covariances_for(fitted, specs, ids, repairs),
        formula=formula,
        rows_lost={**sample.rows_lost, **fitted.rows_lost},
        designs=tuple(equation.design for equation in sample.equations),
        columns=used,
        kept=kept,
        asked={
            **options,
            **({} if weights is None else {"weights": weights}),
            "information": information,
            "collinear": collinear,
            "separation": separation,
        },
    )


def fit_inputs(
    formula: str,
    data: Any,
    estimator: str,
    weights: str | npt.ArrayLike | None = None,
    *,
    collinear: str = "error",
    separation: str = "error",
    information: str = "expected",
    **options: Any,
) -> tuple[Inputs, BoolArray | None]:
    """Return the rows that `estimate` would fit, before anything is estimated.

    Parameters
    ----------
    formula, data, estimator, weights, collinear, separation, information, **options
        As in `estimate`.

    Returns
    -------
    inputs, kept : Inputs, bool array or None
        Matrices, outcomes and options, and which rows of the frame they are (None: all).

    Raises
    ------
    UsageError
        An unknown column, estimator or function; a formula that is not one.
    """
    entry = find_estimator(estimator)
    common = _common(information, collinear, separation)
    sample, inputs = _rows_of_fit(entry, formula, data, weights, common, options)
    return inputs, sample.kept


def _rows_of_fit(
    entry: Estimator,
    formula: str,
    data: Any,
    weights: str | npt.ArrayLike | None,
    common: Mapping[str, str],
    options: Mapping[str, Any],
    room: Room | None = None,
) -> tuple[Sample, Inputs]:
    """Make the sample of a formula and a frame, and an estimator's inputs from it."""
    parsed, chosen = _read_formula(entry, formula, entry.settle(options))
    wanted = Wanted(
        weights, named_columns(entry, chosen), entry.outcome in CATEGORIES, entry.selects, room
    )
    sample = build_sample(parsed, data, wanted)
    return sample, inputs_of_sample(entry, sample, chosen, common)


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
    repairs: str = "variances",
    equations: Sequence[tuple[npt.ArrayLike, Sequence[str] | None]] = (),
    outcomes: Sequence[npt.ArrayLike] = (),
    near: Near | None = None,
    **options: Any,
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
    equations : sequence of (array_like, names)
        Matrices of the equations after the first.
    outcomes : sequence of array_like
        Their outcomes, where they have their own.
    near : Result or mapping, optional
        As in `estimate`.
    **options : object
        The estimator's own; columns are arrays here, one value a row.

    Returns
    -------
    Result
        The fitted model; its `predict` takes a matrix.
    """
    specs = _specs(cov, small_sample)
    entry = find_estimator(estimator)
    common = _common(information, collinear, separation)
    given = [(X, names), *equations]
    inputs = inputs_of_arrays(
        entry, given, y, outcomes, weights, offset, entry.settle(options), common
    )
    fitted = run(entry, replace(inputs, near=_starting(entry, near)))
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


def _common(information: str, collinear: str, separation: str) -> dict[str, str]:
    for value, known, what in (
        (information, INFORMATION, "kind of information"),
        (collinear, RULES, "rule for collinear terms"),
        (separation, RULES, "rule for perfect predictors"),
    ):
        if value not in known:
            raise UsageError(f'"{value}" is no {what}. {nearest(value, known)}')
    return {"information": information, "collinear": collinear, "separation": separation}


def _starting(entry: Estimator, near: Near | None) -> Mapping[str, float] | None:
    """Return the coefficients to begin from.

    Raises
    ------
    UsageError
        If the estimator can't begin from given coefficients, or one of them is no finite number.
    """
    if near is None:
        return None
    if not entry.starts:
        raise UsageError(f"a {entry.name} takes no near=; models of one index do (logit, ...).")
    given = (
        dict(zip(near.terms, near.params.tolist(), strict=True))
        if isinstance(near, Result)
        else {name: float(value) for name, value in near.items()}
    )
    for name, value in given.items():
        if not np.isfinite(value):
            raise UsageError(f"near: {name} is {value}; leave it out, it then begins at 0.")
    return given


def _read_formula(
    entry: Estimator, formula: str, options: dict[str, Any]
) -> tuple[Formula, dict[str, Any]]:
    """Parse a formula; parts that name groups move into the option they stand for."""
    parsed = parse_formula(formula)
    if entry.bars_are_groups is not None and parsed.others:
        named = [":".join(term) for other in parsed.others for term in other.terms]
        options = {**options, entry.bars_are_groups: named}
        parsed = replace(parsed, others=())
    most = len(entry.equations)
    if len(parsed.others) > most:
        raise UsageError(
            f"{entry.name} has {1 + most} equation{'s' if most else ''}, but the formula "
            f'"{formula}" has {1 + len(parsed.others)} (parts between bars).'
        )
    if len(parsed.others) < most:
        # an equation the formula leaves out has the terms of the first
        more = (replace(parsed, others=()),) * (most - len(parsed.others))
        parsed = replace(parsed, others=parsed.others + more)
    return parsed, options


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
    numbering: Numbering | None = None,
) -> Identifiers:
    """Read the cluster variables and dyad sides that the covariances need, for the rows used."""
    wanted = dict.fromkeys(name for spec in specs for name in spec.by)
    known = column_names(data)
    with_sides = dyad is not None and all(side in known for side in dyad)
    sided = [
        s
        for s in specs
        if s.name in ("dyadic", "jackknife")
        or s.kind == "dyadic+cluster"
        or {"dyad", "ddyad"} & set(s.by)
    ]
    members = {name for spec in specs if spec.kind == "dyadic" for name in spec.by}
    sides = None
    if sided and with_sides and dyad is not None:
        sides = (_id_column(data, dyad[0], kept), _id_column(data, dyad[1], kept))
    special = {"dyad", "ddyad"} if sides is not None else set()
    columns = {
        name: _id_column(data, name, kept, may_miss=name in members)
        for name in wanted
        if name in known and name not in special
    }
    return Identifiers(columns, sides, dyad or DYAD, {} if numbering is None else numbering)


def _id_column(data: Any, name: str, kept: BoolArray | None, may_miss: bool = False) -> AnyArray:
    """Return an identifier of the rows used; missing ones can't be grouped, so they are refused."""
    column = take_rows(stored_column(data, name), kept)
    missing = missing_in(column)
    if missing.any() and not may_miss:
        raise UsageError(
            f'column "{name}" is missing in {int(missing.sum())} of the rows used, so they belong '
            "to no cluster; drop them or cluster on another column."
        )
    if isinstance(column, Labels):
        return np.array(column.levels)[column.codes]
    return column


def _result(
    fitted: Fit,
    covariances: Mapping[str, Any],
    *,
    formula: str,
    rows_lost: dict[str, int],
    designs: tuple[Design, ...] = (),
    columns: Any = None,
    kept: BoolArray | None = None,
    asked: Mapping[str, Any] | None = None,
) -> Result:
    return Result(
        estimator=fitted.estimator,
        formula=formula,
        terms=fitted.names,
        params=fitted.coef,
        covariances=dict(covariances),
        n_obs=int(fitted.y.size),
        n_events=fitted.n_events,
        loglik=None if fitted.loglik is None else float(fitted.loglik),
        rows_lost=rows_lost,
        dropped_terms=fitted.dropped_terms,
        ancillary=fitted.ancillary,
        iterations=fitted.iterations,
        df=fitted.df,
        fit=fitted,
        designs=designs,
        columns=columns or {},
        kept=kept,
        asked=asked or {},
    )
