"""Values on their way to a column: dense over (state, year) or (state, state, year), or by row.

Missing is NaN in floats, and the least value of the type in integers: one array, no second mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.registry import Collapse
from foedus.errors import PanelError
from foedus.panels.spine import Spine

Array = NDArray[Any]


def missing_of(dtype: np.dtype[Any]) -> Any:
    """Return the value that stands for missing in arrays of `dtype`."""
    return np.nan if dtype.kind == "f" else np.iinfo(dtype).min


def is_missing(values: Array) -> NDArray[np.bool_]:
    """Return where values are missing."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    return np.asarray(values == missing_of(values.dtype))


def within_years(values: Array, year: NDArray[np.integer], coverage: tuple[int, int]) -> Array:
    """Return values by row, missing in the years outside a source's coverage: never 0 there."""
    first, last = coverage
    if not len(year) or (first <= year.min() and year.max() <= last):
        return values
    outside = (year < first) | (year > last)
    bounded = values.copy()
    bounded[outside] = missing_of(bounded.dtype)
    return bounded


@dataclass(frozen=True)
class StateYears:
    """A fact about each state in each year: array (n, years)."""

    data: Array


@dataclass(frozen=True)
class DyadYears:
    """A fact about two states in each year: array (n, n, years); [i, j, y] is from i to j."""

    data: Array


@dataclass(frozen=True)
class Rows:
    """A fact about each row of the spine, in its order; collapse and suffix are already settled."""

    data: Array


Values = StateYears | DyadYears | Rows


def take_state(values: StateYears, spine: Spine, place: int) -> Array:
    """Return a state-level fact for each row; missing where the state or year is outside."""
    position = spine.state_positions[place]
    taken = values.data.reshape(-1).take(position, mode="clip")
    outside = position < 0
    if outside.any():
        taken[outside] = missing_of(taken.dtype)
    return np.asarray(taken)


def take_dyad(values: DyadYears, spine: Spine, collapse: Collapse) -> Array:
    """Return a dyad-level fact for each row, collapsed as declared when the unit is undirected.

    Missing where a state or the year is outside the system.
    """
    flat = values.data.reshape(-1)
    forward = flat.take(spine.cube_position, mode="clip")
    if spine.outside is not None:
        forward[spine.outside] = missing_of(forward.dtype)
    if spine.directed or collapse == "same":
        return forward
    backward = flat.take(spine.reverse_position)
    return collapse_directions(forward, backward, collapse)


def collapse_directions(forward: Array, backward: Array, collapse: Collapse) -> Array:
    """Return one value for two directions; missing if either is.

    Raises
    ------
    PanelError
        If no way was declared.
    """
    combine = {"max": np.maximum, "min": np.minimum, "sum": np.add}
    if collapse == "mean":
        return (forward + backward) / 2
    if collapse not in combine:
        raise PanelError(f"a directed value has no declared way to an undirected one ({collapse}).")
    result = combine[collapse](forward, backward)
    if result.dtype.kind != "f":
        gone = is_missing(forward) | is_missing(backward)
        result[gone] = missing_of(result.dtype)
    return np.asarray(result)
