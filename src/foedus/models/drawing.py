"""Outcomes drawn from a model with stated coefficients, to see whether its estimator finds them.

A law says, for one estimator, how an outcome is drawn from the rows of a fit (`Inputs`), which
coefficients are planted, and how large one standard deviation of its latent error is. The laws
stand in `foedus.models.draws`, one module a family, with the model and its source.

Every outcome is drawn by inverting a distribution at one uniform number a row (two where a model
has two outcomes). Rows may share part of what their uniform numbers are made of: a normal copula
(Nelsen 2006, An Introduction to Copulas, ch. 2), so that rows of one state, dyad or war depend on
each other while each row alone follows the model exactly, and its coefficients stay the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np
from scipy import special

from foedus.errors import UsageError, nearest
from foedus.models.arrays import BoolArray, FloatArray, IntArray
from foedus.models.formula import CONSTANT
from foedus.models.inputs import Inputs, Part

Truth = Mapping[str, float]
"""Coefficient by term, as results name them, and what else a law needs, as ``(baseline)``."""
_FAMILIES = ("binary", "categories", "counts", "durations", "linear", "tails")
_LEAST = 1e-13
"""Uniform numbers are kept this far from 0 and 1: a law may have no end there."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One drawn outcome.

    Attributes
    ----------
    y : float array
        The outcome; numbers into the outcome's `levels` for categories, a time for durations.
    second : float array, optional
        The outcome of the second equation, 0 or 1.
    event : float array, optional
        Durations: 1 where the spell ends with the event, 0 where it is cut off.
    """

    y: FloatArray
    second: FloatArray | None = None
    event: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """What rows of one group share.

    Attributes
    ----------
    codes : tuple of int array
        The groups of each row, numbered 0, 1, ...: one array, or one a member (the states of a
        dyad) where a row belongs to several groups of one kind. -1: to none.
    n : int
        How many groups there are.
    part : float
        Part of the latent variance that each membership shares.
    """

    codes: tuple[IntArray, ...]
    n: int
    part: float


@dataclass(frozen=True)
class Chance:
    """Random numbers of one draw.

    Attributes
    ----------
    rng : numpy Generator
    shared : tuple of Shared
        What rows have in common; independent rows without any.
    """

    rng: np.random.Generator
    shared: tuple[Shared, ...] = ()

    def normal(self, n: int) -> FloatArray:
        """Return one standard normal number a row, dependent as `shared` says."""
        own, left = self.rng.standard_normal(n), np.ones(n)
        total = np.zeros(n)
        for one in self.shared:
            effects = self.rng.standard_normal(one.n) * np.sqrt(one.part)
            for codes in one.codes:
                member = codes >= 0
                total[member] += effects[codes[member]]
                left[member] -= one.part
        made: FloatArray = total + np.sqrt(left) * own
        return made

    def uniform(self, n: int) -> FloatArray:
        """Return one uniform number a row, inside (0, 1)."""
        made: FloatArray = np.clip(special.ndtr(self.normal(n)), _LEAST, 1.0 - _LEAST)
        return made

    def effects(self, n: int) -> FloatArray:
        """Return independent standard normal numbers: the effects of groups in the model."""
        made: FloatArray = self.rng.standard_normal(n)
        return made


@dataclass(frozen=True, slots=True)
class Rule:
    """How coefficients are chosen; print plays no part.

    Attributes
    ----------
    size : float
        What one standard deviation of a column moves the index by, in standard deviations of the
        model's latent error.
    share : float
        Share of rows that have the event at the mean of the index.
    """

    size: float = 0.2
    share: float = 0.2


@dataclass(frozen=True, slots=True)
class Law:
    """How an estimator's outcome is drawn.

    Attributes
    ----------
    draw : callable
        Rows, truth and chance to an outcome.
    plant : callable
        Rows and rule to the coefficients.
    says : str
        The model, in a line.
    grouped : bool
        Whether the model has effects of groups of its own, so that rows can't share more.
    """

    draw: Callable[[Inputs, Truth, Chance], Drawn]
    plant: Callable[[Inputs, Rule], dict[str, float]]
    says: str
    grouped: bool = False


_LAWS: dict[str, Law] = {}


def law(
    *names: str, plant: Callable[[Inputs, Rule], dict[str, float]], says: str, grouped: bool = False
) -> Callable[[Callable[[Inputs, Truth, Chance], Drawn]], Callable[[Inputs, Truth, Chance], Drawn]]:
    """Register the decorated function as the law of these estimators."""

    def keep(
        function: Callable[[Inputs, Truth, Chance], Drawn],
    ) -> Callable[[Inputs, Truth, Chance], Drawn]:
        for name in names:
            _LAWS[name] = Law(function, plant, says, grouped)
        return function

    return keep


def laws() -> dict[str, Law]:
    """Return the law of every estimator that has one."""
    for family in _FAMILIES:
        import_module(f"foedus.models.draws.{family}")
    return dict(_LAWS)


def find_law(estimator: str) -> Law:
    """Return an estimator's law.

    Raises
    ------
    UsageError
        If outcomes of it can't be drawn.
    """
    known = laws()
    if estimator not in known:
        raise UsageError(f"no outcome can be drawn for a {estimator}. {nearest(estimator, known)}")
    return known[estimator]


def index_of(inputs: Inputs, truth: Truth, place: int = 0, prefix: str | None = None) -> FloatArray:
    """Return an equation's index X b; a term that isn't planted has no effect.

    Parameters
    ----------
    inputs : Inputs
    truth : mapping
    place : int
        The equation.
    prefix : str, optional
        What terms begin with, where it isn't the equation's name (a category of the outcome).
    """
    part = inputs.parts[place]
    names = part.terms() if prefix is None else tuple(f"{prefix}{name}" for name in part.names)
    eta: FloatArray = part.X @ np.array([truth.get(name, 0.0) for name in names])
    return eta + inputs.row_offset() if place == 0 and inputs.offset is not None else eta


def planted(
    part: Part, step: float, centre: float | None, prefix: str | None = None, first: int = 0
) -> dict[str, float]:
    """Return one equation's coefficients.

    Signs alternate in the order of the columns. A column's coefficient is `step` over its standard
    deviation, or over a quarter of its range if that is more: a flag that is nearly always 0, or a
    cube, would otherwise move single rows without bound. A column that never varies gets `step`.

    Parameters
    ----------
    part : Part
    step : float
        What one standard deviation of a column moves the index by.
    centre : float or None
        The mean of the index, which sets the constant; None without one.
    prefix : str, optional
        As in `index_of`.
    first : int
        0 if the first column's sign is plus, 1 if minus.
    """
    names = part.terms() if prefix is None else tuple(f"{prefix}{name}" for name in part.names)
    made, total, sign = {}, 0.0, (-1) ** first
    for place, name in enumerate(names):
        if part.names[place] == CONSTANT:
            continue
        column = part.X[:, place]
        spread = max(float(column.std()), float(np.ptp(column)) / 4.0)
        slope = float(f"{sign * step / (spread or 1.0):.3g}")
        made[name] = slope
        total += slope * float(column.mean())
        sign = -sign
    if centre is not None and CONSTANT in part.names:
        made[names[part.names.index(CONSTANT)]] = float(f"{centre - total:.4g}")
    return made


def follow_up(inputs: Inputs) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return when each row comes under risk, when it leaves, and whether it can be cut off.

    Without a column of events every spell runs until it ends, and nothing cuts it off.
    """
    start = inputs.numbers.get("start")
    began = np.zeros(inputs.n) if start is None else start
    cut = np.full(inputs.n, "event" in inputs.numbers)
    return began, inputs.y, cut


def timed(times: FloatArray, inputs: Inputs) -> Drawn:
    """Return spells that end at drawn times, or are cut off where the row's follow-up ends."""
    _, stop, cut = follow_up(inputs)
    late: BoolArray = cut & (times > stop)
    return Drawn(np.where(late, stop, times), event=np.where(late, 0.0, 1.0))


def sharing(columns: Sequence[IntArray], part: float) -> Shared:
    """Return what rows share that have a value in common in any of these columns.

    Parameters
    ----------
    columns : sequence of int array
        One a member of the row; -1 where there is none.
    part : float
        Part of the latent variance, all memberships of a row together.
    """
    values = np.concatenate(columns)
    present, codes = np.unique(values[values >= 0], return_inverse=True)
    numbered = np.full(values.size, -1, dtype=np.int64)
    numbered[values >= 0] = codes
    split = np.split(numbered, len(columns))
    return Shared(tuple(split), int(present.size), part / len(columns))
