"""Fixed effects absorbed, however many: exact residuals, exact degrees of freedom, leverages.

The largest factor is taken out by its group means. What is left of the other factors' dummies
has a small cross-product (years by years, say), which is factorised once with pivoting: its rank
is the number of effects that can be told apart, and every column is then projected by two
passes over the rows. Where the other factors have more levels than `DENSE`, columns are projected
by conjugate gradients on the same cross-product (Correia 2016, "A feasible estimator for linear
models with multi-way fixed effects"), and the rank of a third and further factor is bounded by
connected components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.csgraph import connected_components

from foedus.errors import EstimationError
from foedus.models.arrays import BoolArray, FloatArray, IntArray, codes_of

DENSE = 3000
"""Levels of all factors but the largest, up to which their cross-product is factorised."""

RANK_TOLERANCE = 1e-10
CG_TOLERANCE = 1e-13
LEVERAGE_CELLS = 60_000_000


@dataclass(frozen=True, slots=True)
class Factor:
    """One set of effects: its name, each row's level, how many levels."""

    name: str
    codes: IntArray
    n_levels: int


def factor_of(name: str, values: Any) -> Factor:
    """Return an identifier as a factor, its levels numbered."""
    codes, n_levels = codes_of(values)
    return Factor(name, codes, n_levels)


def singletons(factors: Sequence[Factor]) -> BoolArray:
    """Mark rows that are alone in some level, once those are out, and so on until none is.

    Parameters
    ----------
    factors : sequence of Factor
        The sets of effects.

    Returns
    -------
    bool array
        True where a row tells nothing about any coefficient.
    """
    alone: BoolArray = np.zeros(factors[0].codes.size, dtype=bool)
    while True:
        newly: BoolArray = np.zeros_like(alone)
        for factor in factors:
            counts = np.bincount(factor.codes[~alone], minlength=factor.n_levels)
            newly |= (counts[factor.codes] == 1) & ~alone
        if not newly.any():
            return alone
        alone |= newly


@dataclass(slots=True)
class Absorber:
    """Projects columns off the dummies of one or more factors.

    Attributes
    ----------
    factors : tuple of Factor
        Largest first.
    rank : int
        Effects that can be told apart: what the factors take from the degrees of freedom.
    exact : bool
        Whether `rank` is exact (it may be an upper bound for three and more large factors).
    """

    factors: tuple[Factor, ...]
    weights: FloatArray | None = None
    rank: int = 0
    exact: bool = True
    _size: FloatArray = field(default_factory=lambda: np.empty(0))
    _dummies: Any = None
    _cross: Any = None
    _inverse: FloatArray | None = None

    @classmethod
    def of(cls, factors: Sequence[Factor], weights: FloatArray | None = None) -> Absorber:
        """Prepare the projection.

        Parameters
        ----------
        factors : sequence of Factor
            At least one.
        weights : float array, optional
            Positive prior weights of the rows.
        """
        ordered = tuple(sorted(factors, key=lambda factor: -factor.n_levels))
        self = cls(ordered, weights)
        first = ordered[0]
        w = np.ones(first.codes.size) if weights is None else weights
        self._size = np.asarray(
            np.bincount(first.codes, weights=w, minlength=first.n_levels), dtype=np.float64
        )
        self.rank = first.n_levels
        if len(ordered) > 1:
            self._prepare(ordered[1:])
        return self

    def _prepare(self, others: Sequence[Factor]) -> None:
        """Cross the other factors' dummies, less their means in the first factor's levels."""
        first, n = self.factors[0], self.factors[0].codes.size
        rows = np.arange(n)
        ones = np.ones(n)
        starts = np.cumsum([0, *(factor.n_levels for factor in others)])
        self._dummies = sparse.hstack(
            [
                sparse.csr_array((ones, (rows, factor.codes)), shape=(n, factor.n_levels))
                for factor in others
            ],
            format="csr",
        )
        w = ones if self.weights is None else self.weights
        weighted = self._dummies.multiply(w[:, None]).tocsr()
        own = sparse.csr_array((ones, (first.codes, rows)), shape=(first.n_levels, n))
        between = (own @ weighted).tocsr()
        scaled = between.multiply((1.0 / self._size)[:, None]).tocsr()
        self._cross = (self._dummies.T @ weighted - between.T @ scaled).tocsr()
        if int(starts[-1]) <= DENSE:
            self._factorise()
        else:
            self._count(others)

    def _factorise(self) -> None:
        """Factorise with pivoting, so that the rank is found and a generalised inverse made."""
        dense = self._cross.toarray()
        whole = np.asarray(self._dummies.sum(axis=0)).ravel()
        scale = 1.0 / np.sqrt(whole)
        scaled = dense * scale[:, None] * scale[None, :]
        _, pivots, rank, _ = linalg.lapack.dpstrf(scaled, tol=RANK_TOLERANCE, lower=1)
        kept = np.sort(pivots[:rank] - 1)
        inverse = np.zeros_like(dense)
        if rank:
            part = linalg.inv(scaled[np.ix_(kept, kept)])
            inverse[np.ix_(kept, kept)] = part * scale[kept][:, None] * scale[kept][None, :]
        self._inverse = inverse
        self.rank += int(rank)

    def _count(self, others: Sequence[Factor]) -> None:
        """Bound the rank: each factor less its components with the first."""
        first = self.factors[0]
        for factor in others:
            shape = (first.n_levels, factor.n_levels)
            ones = np.ones(first.codes.size)
            links = sparse.csr_array((ones, (first.codes, factor.codes)), shape=shape)
            graph: Any = sparse.block_array([[None, links], [links.T, None]], format="csr")
            components, _ = connected_components(graph, directed=False)
            self.rank += factor.n_levels - int(components)
        self.exact = len(others) == 1

    def residual(self, columns: FloatArray) -> FloatArray:
        """Return columns (or one) less their projection on the dummies."""
        left = self._demean(columns)
        if self._dummies is None:
            return self._demean(left)
        # a second pass removes what rounding left of the first
        for _ in range(1 if self._inverse is None else 2):
            weighted = left if self.weights is None else (left.T * self.weights).T
            effects = self._solve(self._dummies.T @ weighted)
            left = self._demean(left - self._dummies @ effects)
        return left

    def _demean(self, columns: FloatArray) -> FloatArray:
        codes, levels = self.factors[0].codes, self.factors[0].n_levels
        if columns.ndim == 1:
            weighted = columns if self.weights is None else columns * self.weights
            means = np.bincount(codes, weights=weighted, minlength=levels) / self._size
            return columns - means[codes]
        out = np.empty_like(columns)
        for j in range(columns.shape[1]):
            out[:, j] = self._demean(np.ascontiguousarray(columns[:, j]))
        return out

    def _solve(self, right: FloatArray) -> FloatArray:
        if self._inverse is not None:
            return self._inverse @ right
        columns = right if right.ndim == 2 else right[:, None]
        diagonal = np.maximum(self._cross.diagonal(), 1e-300)
        preconditioner = sparse.diags_array(1.0 / diagonal)
        out = np.empty_like(columns)
        for j in range(columns.shape[1]):
            out[:, j], trouble = sparse.linalg.cg(
                self._cross, columns[:, j], rtol=CG_TOLERANCE, maxiter=10_000, M=preconditioner
            )
            if trouble:
                raise EstimationError(
                    "the fixed effects could not be absorbed: the projection does not converge. "
                    "Use fewer sets of effects, or coarser ones."
                )
        return out if right.ndim == 2 else out[:, 0]

    def leverage(self) -> FloatArray:
        """Return the diagonal of the projection on the dummies.

        Raises
        ------
        EstimationError
            If the factors are too large for it.
        """
        first = self.factors[0]
        w = np.ones(first.codes.size) if self.weights is None else self.weights
        own = w / self._size[first.codes]
        if self._dummies is None:
            return own
        width = self._dummies.shape[1]
        if self._inverse is None or first.n_levels * width > LEVERAGE_CELLS:
            raise EstimationError(
                "HC2 and HC3 need the leverages of the fixed effects, which are too many here; "
                "use HC1."
            )
        rows = np.arange(first.codes.size)
        groups = sparse.csr_array((w, (first.codes, rows)), shape=(first.n_levels, rows.size))
        share = np.asarray((groups @ self._dummies).todense()) / self._size[:, None]
        spread = share @ self._inverse
        inner = np.einsum("ij,ij->i", spread, share)
        others = [factor.codes for factor in self.factors[1:]]
        places = np.cumsum([0, *(factor.n_levels for factor in self.factors[1:-1])])
        at = [codes + start for codes, start in zip(others, places, strict=True)]
        total = inner[first.codes]
        for left in at:
            total = total - 2.0 * spread[first.codes, left]
            for right in at:
                total = total + self._inverse[left, right]
        out: FloatArray = own + w * total
        return out
