"""Beta regression; fit to arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from foedus.models.arrays import FloatArray
from foedus.models.methods.beta import beta_parts
from foedus.models.methods.handover import Assembly, Estimated
from foedus.models.methods.indices import RowModel, RowParts, maximise_rows
from foedus.models.scaling import constant_column


def fit_beta(
    y: FloatArray,
    X: FloatArray,
    names: Sequence[str],
    weights: FloatArray | None = None,
    offset: FloatArray | None = None,
    precision: tuple[FloatArray, Sequence[str]] | None = None,
) -> Estimated:
    """Fit a beta regression, its precision constant or the exponential of an index.

    Parameters
    ----------
    y, X, names : the outcome (between 0 and 1), the matrix and its columns' names.
    weights, offset : float array, optional
        Prior weights; a term with coefficient 1.
    precision : (float array, names), optional
        The columns of the log precision; a constant for None.

    Returns
    -------
    Estimated
        With ``/lnphi`` as the last term and phi among `ancillary`, or the precision's terms as
        ``phi:x1``; the bread is the inverse observed information of all parameters together.

    Raises
    ------
    EstimationError
        Collinear terms, no maximum.
    """
    assembly = Assembly(y.size)
    indices = [assembly.linear(X, names, offset=offset)]
    if precision is None:
        indices.append(assembly.ancillary("lnphi"))
    else:
        indices.append(assembly.linear(*precision, equation="phi"))
    mean = float(np.average(y, weights=weights))
    spread = float(np.average((y - mean) ** 2, weights=weights))
    start = np.zeros(len(assembly.terms))
    constant = constant_column(X)
    if constant is not None:
        level = special.logit(mean) - (0.0 if offset is None else offset.mean())
        start[constant] = level * np.sign(X[0, constant])
    lnphi = np.log(max(mean * (1.0 - mean) / max(spread, 1e-12) - 1.0, 0.1))
    if precision is None:
        start[-1] = lnphi
    elif (place := constant_column(precision[0])) is not None:
        start[X.shape[1] + place] = lnphi * np.sign(precision[0][0, place])

    def parts(rows: slice, etas: FloatArray) -> RowParts:
        return beta_parts(y[rows], etas)

    found = maximise_rows(
        RowModel("beta regression", parts, indices, assembly.terms, weights), start
    )
    if precision is not None:
        return assembly.estimated(found, "beta regression")
    phi = float(np.exp(found.params[-1]))
    spread_of_log = float(np.sqrt(np.linalg.inv(found.information)[-1, -1]))
    facts = {"phi": phi, "phi_se": phi * spread_of_log}
    return assembly.estimated(found, "beta regression", facts)
