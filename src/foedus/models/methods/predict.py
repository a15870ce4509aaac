"""How the models of this folder predict: means of two-part counts, probabilities of categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from foedus.models.arrays import FloatArray, index_of
from foedus.models.methods.count_parts import COUNTS


def _log_none(dist: str, eta: FloatArray, spread: float) -> FloatArray:
    """Return log P(0) of a count distribution."""
    parts, n_indices = COUNTS[dist]
    etas = np.stack([eta, np.full_like(eta, spread)])[:n_indices]
    return parts(np.zeros_like(eta), etas)[0]


@dataclass(frozen=True, slots=True)
class CountPredictor:
    """A count of one equation; with `truncated`, the mean is that of the positive counts."""

    dist: str
    truncated: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return "response", "link" and, if truncated, "count" (the mean before truncation)."""
        return ("response", "link", "count") if self.truncated else ("response", "link")

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return one number a row."""
        k = parts[0].shape[1]
        eta = index_of(parts[0], params[:k], offset)
        if kind == "link":
            return eta
        mu: FloatArray = np.exp(eta)
        if kind == "count" or not self.truncated:
            return mu
        spread = float(params[k]) if params.size > k else 0.0
        out: FloatArray = mu / -np.expm1(_log_none(self.dist, eta, spread))
        return out


@dataclass(frozen=True, slots=True)
class TwoPartPredictor:
    """A zero-inflated count, or a hurdle."""

    dist: str
    hurdle: bool

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds.

        "response": the mean; "count": the count part's own mean; "zero": the probability of never
        being at risk (zero-inflated) or of a positive count (hurdle); "none": P(y = 0); "link".
        """
        return ("response", "count", "zero", "none", "link")

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return one number a row."""
        k, m = parts[0].shape[1], parts[1].shape[1]
        eta = index_of(parts[0], params[:k], offset)
        if kind == "link":
            return eta
        mu = np.exp(eta)
        p: FloatArray = special.expit(index_of(parts[1], params[k : k + m]))
        spread = float(params[k + m]) if params.size > k + m else 0.0
        log_none = _log_none(self.dist, eta, spread)
        positive = -np.expm1(log_none)
        made = {
            "count": mu,
            "zero": p,
            "none": 1.0 - p if self.hurdle else p + (1.0 - p) * np.exp(log_none),
            "response": p * mu / positive if self.hurdle else (1.0 - p) * mu,
        }
        return np.asarray(made[kind], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class MultinomialPredictor:
    """Probabilities of unordered categories, in the order of the fit's levels."""

    base: int

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return "response" (rows by categories) and "link" (indices, 0 for the base)."""
        return ("response", "link")

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return one number a row and category."""
        X = parts[0]
        etas = np.asarray(X @ params.reshape(-1, X.shape[1]).T)
        if offset is not None:
            etas = etas + offset[:, None]
        full = np.insert(etas, self.base, 0.0, axis=1)
        if kind == "link":
            return full
        out: FloatArray = special.softmax(full, axis=1)
        return out


@dataclass(frozen=True, slots=True)
class OrderedPredictor:
    """Probabilities of ordered categories."""

    link: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return "response" (rows by categories) and "link" (the index, without cutpoints)."""
        return ("response", "link")

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return one number a row and category, or the index by row."""
        k = parts[0].shape[1]
        eta = index_of(parts[0], params[:k], offset)
        if kind == "link":
            return eta
        F = special.expit if self.link == "logit" else special.ndtr
        below = F(params[None, k:] - eta[:, None])
        n = eta.size
        out: FloatArray = np.diff(np.hstack([np.zeros((n, 1)), below, np.ones((n, 1))]), axis=1)
        return out


@dataclass(frozen=True, slots=True)
class LinkOnly:
    """A model that says nothing of the outcome's level: only the index is predicted."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return "link" and "ratio" (odds, relative to a row of zeros)."""
        return ("link", "ratio")

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return the index, or its exponential."""
        eta = index_of(parts[0], params[: parts[0].shape[1]], offset)
        return eta if kind == "link" else np.asarray(np.exp(eta))
