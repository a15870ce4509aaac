"""What a covariate's function is given: the spine, the tables, its options, and shared arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.values import missing_of
from foedus.errors import PanelError
from foedus.panels.spine import Spine
from foedus.panels.system import StateSystem
from foedus.sources.tables import Tables

Made = TypeVar("Made")


@dataclass
class Context:
    """One covariate's view of a build.

    Attributes
    ----------
    spine : Spine
        The rows asked for.
    tables : Tables
        Ingested tables, by data set and name.
    options : dict
        Every option of the covariate with its value.
    wanted : frozenset of str
        Columns asked for; a function may skip costly ones that are not in it.
    cache : dict
        Arrays shared by covariates of one build (CINC, the alliance cubes); see `shared`.
    """

    spine: Spine
    tables: Tables
    options: dict[str, Any]
    wanted: frozenset[str]
    cache: dict[Any, Any] = field(default_factory=dict)

    @property
    def system(self) -> StateSystem:
        """The state system of the spine."""
        return self.spine.system

    def table(self, source: str, table: str) -> pl.DataFrame:
        """Return a table, in the release that the option `release` names where there is one."""
        return self.tables.get(source, table, release=self.options.get("release"))

    def shared(self, key: Any, make: Callable[[], Made]) -> Made:
        """Return an array made once a build; `key` must name everything it depends on."""
        if key not in self.cache:
            self.cache[key] = make()
        made: Made = self.cache[key]
        return made


def state_cube(
    system: StateSystem, ccode: NDArray[Any], year: NDArray[Any], values: NDArray[Any], says: str
) -> NDArray[Any]:
    """Scatter state-year facts into an array (n, years); states and years outside are left out.

    Parameters
    ----------
    system : StateSystem
    ccode, year, values : arrays (facts,)
    says : str
        What the facts are, for the message when a key repeats.

    Raises
    ------
    PanelError
        If two facts stand for one state-year.
    """
    state = system.index(ccode)
    at_year = np.asarray(year, np.int64) - system.first_year
    inside = (state >= 0) & (at_year >= 0) & (at_year < system.n_years)
    position = (state * system.n_years + at_year)[inside]
    refuse_repeats(position, inside, {"ccode": ccode, "year": year}, says)
    cube = np.full(system.n_states * system.n_years, missing_of(values.dtype), values.dtype)
    cube[position] = values[inside]
    return cube.reshape(system.n_states, system.n_years)


def dyad_positions(
    system: StateSystem, ccode1: NDArray[Any], ccode2: NDArray[Any], year: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return flat positions in (n, n, years) of the facts inside the system, and which they are."""
    first, second = system.index(ccode1), system.index(ccode2)
    at_year = np.asarray(year, np.int64) - system.first_year
    inside = (first >= 0) & (second >= 0) & (at_year >= 0) & (at_year < system.n_years)
    position = (first * system.n_states + second) * system.n_years + at_year
    return (position if inside.all() else position[inside]), inside


def empty_dyads(system: StateSystem, dtype: Any, fill: Any = 0) -> NDArray[Any]:
    """Return a flat array over (n, n, years), filled."""
    size = system.n_states * system.n_states * system.n_years
    # zeros takes no memory until it is written to, and most cells never are.
    return np.zeros(size, dtype) if not fill else np.full(size, fill, dtype)


def dyad_cube(system: StateSystem, flat: NDArray[Any]) -> NDArray[Any]:
    """Return a flat array as (n, n, years)."""
    return flat.reshape(system.n_states, system.n_states, system.n_years)


def refuse_repeats(
    position: NDArray[np.int64], inside: NDArray[np.bool_], keys: dict[str, NDArray[Any]], says: str
) -> None:
    """Raise PanelError when a position stands twice, naming one such key."""
    order = np.sort(position)
    repeated = order[1:][order[1:] == order[:-1]]
    if len(repeated) == 0:
        return
    row = np.flatnonzero(inside)[np.flatnonzero(position == repeated[0])[0]]
    shown = ", ".join(f"{name} {values[row]}" for name, values in keys.items())
    raise PanelError(
        f"{says}: {len(repeated)} repeated keys, the first at {shown}; keys must be unique."
    )
