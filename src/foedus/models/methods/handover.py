"""What an estimator of this folder hands over: coefficients, row scores, bread.

Everything is kept for the scaled parameters and turned to the user's columns at the end
(`back`), because cross-products of t, t^2 and t^3 would lose their digits otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import linalg

from foedus.errors import EstimationError
from foedus.models.arrays import FloatArray
from foedus.models.covariance import DenseScores, Ingredients
from foedus.models.fit import Fit
from foedus.models.inputs import Inputs
from foedus.models.methods.indices import Index, Maximum
from foedus.models.predictor import Predictor
from foedus.models.scaling import Scaling, collinear_columns, refuse_collinear, scale_columns


@dataclass(frozen=True, slots=True)
class Estimated:
    """A fitted model in arrays.

    Attributes
    ----------
    terms : tuple of str
        The coefficients' names.
    params : float array
        Their values, for the user's columns.
    loglik : float
        At the estimate.
    scores : float array, rows by inner parameters
        The derivative of each row's log-likelihood by the scaled parameters.
    bread : float array
        The inverse information of the scaled parameters.
    back : float array, terms by inner parameters
        Turns scaled parameters into `params`; covariances follow as back V back'.
    iterations : int
        Steps taken.
    ancillary : dict
        Parameters beside the coefficients.
    """

    terms: tuple[str, ...]
    params: FloatArray
    loglik: float
    scores: FloatArray
    bread: FloatArray
    back: FloatArray
    iterations: int
    ancillary: dict[str, float] = field(default_factory=dict)

    def vcov(self) -> FloatArray:
        """Return the classical covariance of the coefficients."""
        out: FloatArray = self.back @ self.bread @ self.back.T
        return out

    def fit(
        self,
        inputs: Inputs,
        predictor: Predictor | None,
        *,
        likelihood: bool = True,
        dispersion: float = 1.0,
        **facts: Any,
    ) -> Fit:
        """Return the fit that the front door hands on; `facts` are other fields of it."""
        n, k = self.scores.shape
        made = Ingredients(
            DenseScores(self.scores, None),
            self.bread,
            self.back,
            None,
            dispersion,
            n,
            k,
            likelihood,
        )
        given: dict[str, Any] = {
            "parts": inputs.parts,
            "loglik": self.loglik,
            "ancillary": self.ancillary,
            "levels": inputs.levels,
            **facts,
        }
        return Fit(
            estimator=inputs.estimator,
            names=self.terms,
            y=inputs.y,
            coef=self.params,
            made=made,
            predictor=predictor,
            weights=inputs.weights,
            offset=inputs.offset,
            iterations=self.iterations,
            **given,
        )


def scaled(X: FloatArray, names: Sequence[str]) -> tuple[FloatArray, Scaling]:
    """Return the scaled copy of a matrix, refusing collinear columns by name."""
    scaling = scale_columns(X)
    refuse_collinear(collinear_columns(scaling.correlation), names)
    return scaling.block(X), scaling


def inverse(information: FloatArray, name: str, parameters: Sequence[str]) -> FloatArray:
    """Return the inverse of an information matrix, or name the parameter that it says least of.

    Raises
    ------
    EstimationError
        If the matrix is not positive definite.
    """
    try:
        factor = linalg.cho_factor(information)
        out: FloatArray = linalg.cho_solve(factor, np.eye(information.shape[0]))
    except (linalg.LinAlgError, ValueError):
        values, vectors = np.linalg.eigh(np.nan_to_num(information))
        flat = parameters[int(np.abs(vectors[:, int(values.argmin())]).argmax())]
        raise EstimationError(
            f"{name}: the likelihood is flat in the direction of {flat}, so it has no standard "
            "error; leave the term out or use a simpler estimator."
        ) from None
    return 0.5 * (out + out.T)


@dataclass(slots=True)
class Assembly:
    """Collects parameters and the way back to the user's columns, equation by equation."""

    n: int
    terms: list[str] = field(default_factory=list)
    _back: list[FloatArray] = field(default_factory=list)

    def linear(
        self,
        X: FloatArray,
        names: Sequence[str],
        equation: str = "",
        offset: FloatArray | None = None,
        shared: tuple[FloatArray, Scaling] | None = None,
    ) -> Index:
        """Add the coefficients of an index X b, reported as ``equation:name``."""
        Z, scaling = scaled(X, names) if shared is None else shared
        prefix = f"{equation}:" if equation else ""
        first = len(self.terms)
        self.terms += [prefix + name for name in names]
        self._back.append(scaling.matrix())
        return Index(Z, np.arange(first, len(self.terms), dtype=np.int64), offset)

    def ancillary(self, name: str) -> Index:
        """Add a parameter that is the same in every row, reported as ``/name``."""
        self.terms.append(f"/{name}")
        self._back.append(np.ones((1, 1)))
        return Index(np.ones((self.n, 1)), np.array([len(self.terms) - 1], dtype=np.int64))

    def back(self) -> FloatArray:
        """Return the matrix from scaled parameters to terms."""
        out: FloatArray = linalg.block_diag(*self._back)
        return out

    def estimated(
        self, found: Maximum, name: str, ancillary: dict[str, float] | None = None
    ) -> Estimated:
        """Return the hand-over of a maximum."""
        back = self.back()
        return Estimated(
            tuple(self.terms),
            back @ found.params,
            found.loglik,
            found.scores,
            inverse(found.information, name, self.terms),
            back,
            found.iterations,
            ancillary or {},
        )
