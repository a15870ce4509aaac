"""Outcomes in categories: multinomial logit, ordered logit and probit; fits to arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy import special

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray, IntArray
from foedus.models.methods.categories_parts import LINKS, multinomial_parts, ordered_parts
from foedus.models.methods.handover import Assembly, Estimated, inverse, scaled
from foedus.models.methods.indices import (
    Index,
    RowModel,
    RowParts,
    maximise_rows,
)
from foedus.models.scaling import constant_column

CATEGORIES_MOST = 50

LARGE = 50_000
"""Rows from which a multinomial logit of rare outcomes starts from the estimate on some of them."""

BASE_ROWS = 10
"""Of the base category that many rows for each other row, in such a start."""


def check_categories(y: FloatArray, levels: Sequence[str], name: str, least: int) -> IntArray:
    """Return each row's category number, refusing too few categories or far too many."""
    counts = np.bincount(y.astype(np.int64), minlength=len(levels))
    if len(levels) < least:
        said = ", ".join(levels)
        raise EstimationError(
            f"{name}: the outcome has {len(levels)} categories ({said}) in the {y.size} rows used; "
            f"at least {least} are needed."
        )
    if len(levels) > CATEGORIES_MOST:
        raise EstimationError(
            f"{name}: the outcome has {len(levels)} different values; that is a quantity, not "
            "categories."
        )
    if (counts == 0).any():
        empty = ", ".join(levels[int(j)] for j in np.flatnonzero(counts == 0))
        raise EstimationError(
            f"{name}: no row used has the outcome {empty}; leave the category out."
        )
    return y.astype(np.int64)


def _shares(codes: IntArray, n: int, weights: FloatArray | None) -> FloatArray:
    counts = np.bincount(codes, weights=weights, minlength=n).astype(np.float64)
    out: FloatArray = counts / counts.sum()
    return out


def fit_multinomial(
    codes: IntArray,
    labels: Sequence[str],
    X: FloatArray,
    names: Sequence[str],
    weights: FloatArray | None = None,
    offset: FloatArray | None = None,
    base: int = 0,
) -> Estimated:
    """Fit a multinomial logit.

    Parameters
    ----------
    codes, labels : each row's category number and the categories' labels.
    X, names : the matrix and its columns' names, the same for every category.
    weights : float array, optional
        Prior weights.
    offset : float array, optional
        Added to the index of every category but the base.
    base : int
        The number of the category that the others are compared with.

    Returns
    -------
    Estimated
        Terms are ``CATEGORY:NAME``, category by category.

    Raises
    ------
    EstimationError
        Collinear terms; a term that predicts a category perfectly (named).
    """
    order = [base, *(j for j in range(len(labels)) if j != base)]
    place = np.empty(len(labels), dtype=np.int64)
    place[order] = np.arange(len(labels))
    category = place[codes]
    others = [labels[j] for j in order[1:]]
    assembly = Assembly(codes.size)
    shared = scaled(X, names)
    indices = [assembly.linear(X, names, label, offset, shared) for label in others]
    start = np.zeros(len(assembly.terms))
    constant = constant_column(X)
    if constant is not None:
        shares = _shares(category, len(labels), weights)
        k = X.shape[1]
        for number in range(len(others)):
            start[number * k + constant] = np.log(shares[number + 1] / shares[0]) * np.sign(
                X[0, constant]
            )

    parts = partial(_multinomial_rows, category)
    name = "multinomial logit"
    thin = _thinned(category, weights)
    if thin is not None:
        rows, counted = thin
        start = _from_some(name, category[rows], indices, rows, assembly.terms, counted, start)
    found = maximise_rows(RowModel(name, parts, indices, assembly.terms, weights), start)
    return assembly.estimated(found, name, {"n_categories": float(len(labels))})


def _thinned(category: IntArray, weights: FloatArray | None) -> tuple[IntArray, FloatArray] | None:
    """Return all rows of rare categories and every m-th of the base's, which count m times.

    None where the rows are few or the base is no large majority of them.
    """
    rare = np.flatnonzero(category > 0)
    every = (category.size - rare.size) // max(BASE_ROWS * rare.size, 20_000)
    if category.size < LARGE or every < 2:
        return None
    some = np.arange(0, category.size, every)
    base = some[category[some] == 0]
    rows = np.sort(np.concatenate([rare, base]))
    counted = np.where(category[rows] > 0, 1.0, float(every))
    return rows, counted if weights is None else counted * weights[rows]


def _from_some(
    name: str,
    category: IntArray,
    indices: Sequence[Index],
    rows: IntArray,
    terms: Sequence[str],
    weights: FloatArray,
    start: FloatArray,
) -> FloatArray:
    """Return where some of the rows have their maximum, from which few steps are left.

    What these rows can't tell (a category perfectly predicted among them) is for all rows to say:
    then the start is as it was.
    """
    Z = indices[0].Z[rows]
    offsets = [None if one.offset is None else one.offset[rows] for one in indices]
    few = [Index(Z, one.places, own) for one, own in zip(indices, offsets, strict=True)]
    parts = partial(_multinomial_rows, category)
    try:
        return maximise_rows(RowModel(name, parts, few, terms, weights), start).params
    except EstimationError:
        return start


def _multinomial_rows(category: IntArray, rows: slice, etas: FloatArray) -> RowParts:
    return multinomial_parts(category[rows], etas)


def fit_ordered(
    codes: IntArray,
    labels: Sequence[str],
    X: FloatArray,
    names: Sequence[str],
    link: str = "logit",
    weights: FloatArray | None = None,
    offset: FloatArray | None = None,
) -> Estimated:
    """Fit an ordered logit or probit: P(y <= c) = F(cutpoint_c - X b).

    McKelvey and Zavoina 1975, J. Mathematical Sociology 4; McCullagh 1980, JRSS B 42. Signs are
    those of MASS::polr: a positive coefficient raises the outcome.

    Parameters
    ----------
    codes, labels : each row's category number and the categories' labels, in ascending order.
    X, names : the matrix without a constant (the cutpoints take its place), and names.
    link : str
        logit or probit.
    weights, offset : float array, optional
        Prior weights; a term with coefficient 1.

    Returns
    -------
    Estimated
        Terms are the names, then the cutpoints ``/cut1``, ``/cut2``, ...

    Raises
    ------
    EstimationError
        A constant among the terms, collinear terms, perfect prediction (the term is named).
    """
    name = f"ordered {link}"
    n, k, cuts = codes.size, X.shape[1], len(labels) - 1
    # a constant is what the cutpoints already are: with it the columns are collinear
    with_constant = np.column_stack([np.ones(n), X])
    Z, scaling = scaled(with_constant, ["(cutpoints)", *names])
    Z = Z[:, 1:]
    parameters = [*names, *(f"/cut{c + 1}" for c in range(cuts))]
    low, high = (codes == 0).astype(np.float64), (codes == cuts).astype(np.float64)
    numbers = np.arange(cuts)
    upper = (codes[:, None] == numbers).astype(np.float64)
    lower = (codes[:, None] == numbers + 1).astype(np.float64)
    places = np.arange(k + cuts, dtype=np.int64)
    minus = None if offset is None else -offset
    indices = [
        Index(np.hstack([-Z, upper]), places, minus),
        Index(np.hstack([-Z, lower]), places, minus),
    ]
    cumulative = LINKS[link]

    def parts(rows: slice, etas: FloatArray) -> RowParts:
        return ordered_parts(cumulative, low[rows], high[rows], etas)

    shares = np.cumsum(_shares(codes, len(labels), weights))[:-1]
    quantile = special.logit if link == "logit" else special.ndtri
    start = np.concatenate([np.zeros(k), quantile(shares)])
    if offset is not None:
        start[k:] += offset.mean()
    found = maximise_rows(RowModel(name, parts, indices, parameters, weights), start)
    back = _cutpoints_back(scaling.shift[1:], scaling.inverse_scale[1:], cuts)
    return Estimated(
        tuple(parameters),
        back @ found.params,
        found.loglik,
        found.scores,
        inverse(found.information, name, parameters),
        back,
        found.iterations,
        {"n_categories": float(len(labels))},
    )


def _cutpoints_back(shift: FloatArray, inverse_scale: FloatArray, cuts: int) -> FloatArray:
    """Return the matrix from scaled coefficients and cutpoints to the user's.

    With Z = (X - shift) / scale, cut - Z b_z = (cut + shift b) - X b, where b = b_z / scale.
    """
    k = shift.size
    back = np.zeros((k + cuts, k + cuts))
    back[:k, :k] = np.diag(inverse_scale)
    back[k:, :k] = shift * inverse_scale
    back[k:, k:] = np.eye(cuts)
    return back
