"""How a fitted model predicts: from parameters and matrices to numbers by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from foedus.models.arrays import FloatArray, index_of
from foedus.models.families import Family


class Predictor(Protocol):
    """What predictions and quantities of interest need to know of a model."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of prediction, the default first; "response" is the outcome's expectation."""

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return one number a row, or one a row and category (rows by categories).

        Parameters
        ----------
        params : float array
            All parameters, in the order of the fit's terms.
        parts : sequence of float array
            The equations' matrices, the first equation first.
        offset : float array, optional
            The first equation's offset.
        kind : str
            One of `kinds`.
        """


@dataclass(frozen=True, slots=True)
class SingleIndex:
    """Predictions through the index X b of the first equation.

    What else is estimated (variances of random effects, a spread) leaves the mean alone; with
    random effects it is that of a group whose effects are 0.
    """

    family: Family

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return "response" (a probability, a mean) and "link" (the index)."""
        return ("response", "link")

    def predict(
        self,
        params: FloatArray,
        parts: Sequence[FloatArray],
        offset: FloatArray | None,
        kind: str,
    ) -> FloatArray:
        """Return the mean or the index by row."""
        eta = index_of(parts[0], params[: parts[0].shape[1]], offset)
        return eta if kind == "link" else self.family.mean(eta)
