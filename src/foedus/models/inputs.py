"""What an estimator is given: arrays of the rows used, checked, and nothing of frames.

`Inputs` is made once, by `foedus.models.estimation`, from a formula and a frame or from arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from foedus.errors import EstimationError
from foedus.models.arrays import BoolArray, FloatArray, IntArray
from foedus.models.scaling import collinear_columns, describe_collinear, scale_columns


@dataclass(frozen=True, slots=True)
class Part:
    """One equation's columns: a matrix and their names, and the equation's name ("" the first)."""

    X: FloatArray
    names: tuple[str, ...]
    equation: str = ""

    def terms(self) -> tuple[str, ...]:
        """Return the names of its coefficients: ``zero:x1`` in the equation ``zero``."""
        prefix = f"{self.equation}:" if self.equation else ""
        return tuple(f"{prefix}{name}" for name in self.names)


@dataclass(frozen=True, slots=True)
class Groups:
    """An identifier by row: numbers 0, 1, ... into its distinct values."""

    name: str
    codes: IntArray
    labels: tuple[str, ...]

    @property
    def n(self) -> int:
        """How many distinct values there are."""
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Inputs:
    """The rows of one fit.

    Attributes
    ----------
    estimator : str
        Its name, for messages.
    y : float array
        The outcome; numbers 0, 1, ... into `levels` where it is a category.
    parts : tuple of Part
        The equations' matrices, the first equation first; never change them.
    outcomes : tuple of float array
        The outcomes of the equations after the first, where these have their own.
    levels : tuple of str
        The outcome's categories, in order; empty for other outcomes.
    weights, offset : float array, optional
        Prior weights (each row's log-likelihood counts this often); a term with coefficient 1 in
        the first equation.
    numbers : dict
        Columns named by options of kind "numbers": float arrays, complete.
    groups : dict
        Columns named by options of kind "groups": a tuple of Groups each.
    options : dict
        Every setting of the estimator.
    information, separation : str
        As in `foedus.models.estimate`.
    near : dict, optional
        Coefficients by term to begin from, where the estimator says that it `starts`.
    """

    estimator: str
    y: FloatArray
    parts: tuple[Part, ...]
    outcomes: tuple[FloatArray, ...] = ()
    levels: tuple[str, ...] = ()
    weights: FloatArray | None = None
    offset: FloatArray | None = None
    numbers: Mapping[str, FloatArray] = field(default_factory=dict)
    groups: Mapping[str, tuple[Groups, ...]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    information: str = "expected"
    collinear: str = "error"
    separation: str = "error"
    near: Mapping[str, float] | None = None

    @property
    def X(self) -> FloatArray:  # noqa: N802
        """The first equation's matrix."""
        return self.parts[0].X

    @property
    def names(self) -> tuple[str, ...]:
        """The first equation's columns."""
        return self.parts[0].names

    @property
    def n(self) -> int:
        """How many rows there are."""
        return int(self.y.size)

    def row_weights(self) -> FloatArray:
        """Return the prior weights, 1 where there are none."""
        return np.ones(self.n) if self.weights is None else self.weights

    def row_offset(self) -> FloatArray:
        """Return the offset, 0 where there is none."""
        return np.zeros(self.n) if self.offset is None else self.offset

    def group(self, option: str) -> Groups | None:
        """Return the one identifier of an option, or None where it was not given."""
        found = self.groups.get(option, ())
        if len(found) > 1:
            raise EstimationError(f"{self.estimator}: {option}= takes one column.")
        return found[0] if found else None

    def take(self, keep: BoolArray) -> Inputs:
        """Return the rows marked."""
        return replace(
            self,
            y=self.y[keep],
            parts=tuple(replace(part, X=part.X[keep]) for part in self.parts),
            outcomes=tuple(other[keep] for other in self.outcomes),
            weights=None if self.weights is None else self.weights[keep],
            offset=None if self.offset is None else self.offset[keep],
            numbers={name: values[keep] for name, values in self.numbers.items()},
            groups={
                name: tuple(_taken(one, keep) for one in found)
                for name, found in self.groups.items()
            },
        )


def _taken(groups: Groups, keep: BoolArray) -> Groups:
    """Return an identifier on fewer rows, numbered anew."""
    present, codes = np.unique(groups.codes[keep], return_inverse=True)
    labels = tuple(groups.labels[code] for code in present)
    return Groups(groups.name, codes.reshape(-1).astype(np.int64), labels)


def screen(inputs: Inputs) -> tuple[Inputs, dict[str, str]]:
    """Find collinear columns in every equation.

    Parameters
    ----------
    inputs : Inputs
        Rows and columns.

    Returns
    -------
    inputs, dropped : Inputs, dict
        Without collinear columns, and the terms left out with the reason.

    Raises
    ------
    EstimationError
        If there are any and `inputs.collinear` is "error"; they are named.
    """
    parts, dropped = [], {}
    for part in inputs.parts:
        found = collinear_columns(scale_columns(part.X).correlation) if part.names else []
        if not found:
            parts.append(part)
            continue
        said = describe_collinear(found, part.names)
        if inputs.collinear == "error":
            where = f" in the equation {part.equation}" if part.equation else ""
            raise EstimationError(
                f"collinear terms{where}: {said}. Leave them out of the formula, "
                'or say collinear="drop" to have them left out and named.'
            )
        gone = {column for column, _ in found}
        for one in found:
            name = part.terms()[one[0]]
            dropped[name] = f"collinear: {describe_collinear([one], part.names)}"
        kept = [j for j in range(len(part.names)) if j not in gone]
        parts.append(replace(part, X=part.X[:, kept], names=tuple(part.names[j] for j in kept)))
    return replace(inputs, parts=tuple(parts)), dropped
