"""Checks of the kind of outcome an estimator is for; each refuses in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foedus.errors import EstimationError
from foedus.models.arrays import BoolArray, FloatArray
from foedus.models.registry import OUTCOMES


def check_outcome(kind: str, y: FloatArray, levels: Sequence[str], estimator: str) -> None:
    """Refuse an outcome that is not of its kind or that never varies.

    Parameters
    ----------
    kind : str
        A key of `foedus.models.registry.OUTCOMES`.
    y : float array
        The outcome.
    levels : sequence of str
        Its categories, where it is one.
    estimator : str
        For the message.

    Raises
    ------
    EstimationError
        Naming how many rows hold what they shouldn't, with an example.
    """
    if kind in ("ordered", "categories"):
        if len(levels) < 2:
            raise EstimationError(
                f"{estimator}: the outcome has one category in all {y.size} rows used: nothing to "
                "explain."
            )
        return
    wrong = _wrong(kind, y)
    if wrong.any():
        raise EstimationError(
            f"{estimator}: the outcome must be {OUTCOMES[kind]}, but {int(wrong.sum())} rows hold "
            f"other values, e.g. {y[wrong][0]:g}. Recode it, or use another estimator."
        )
    if kind != "duration" and bool((y == y[0]).all()):
        raise EstimationError(
            f"{estimator}: the outcome is {y[0]:g} in all {y.size} rows used: nothing to explain."
        )


def _wrong(kind: str, y: FloatArray) -> BoolArray:
    right: BoolArray = np.isfinite(y)
    if kind == "binary":
        right = (y == 0.0) | (y == 1.0)
    elif kind == "count":
        right = (y >= 0.0) & (y == np.floor(y))
    elif kind == "positive_count":
        right = (y >= 1.0) & (y == np.floor(y))
    elif kind in ("positive", "duration"):
        right = y > 0.0
    elif kind == "share":
        right = (y >= 0.0) & (y <= 1.0)
    elif kind == "proportion":
        right = (y > 0.0) & (y < 1.0)
    return ~right
