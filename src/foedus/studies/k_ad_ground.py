"""A study's rows where they are sets of states: k-ads of one or several sizes, year by year."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.assemble import Builder, ColumnNote, as_float
from foedus.covariates.k_ads import reduced, set_columns
from foedus.covariates.registry import get_covariate
from foedus.errors import UsageError, nearest
from foedus.panels.k_ads import KAdOptions, sample
from foedus.panels.spine import Spine, StatePlace
from foedus.panels.system import StateSystem
from foedus.sources.tables import Tables
from foedus.studies.schema import KAdSets, Universe

Values = NDArray[Any]
FACTS = ("members", "formed", "n_formed", "weight")


def key_names(universe: Universe) -> tuple[str, ...]:
    """Return the keys of sets: ccode1 to that of the largest size, and year."""
    sets = universe.sets or KAdSets()
    return (*(f"ccode{at + 1}" for at in range(sets.sizes[-1])), "year")


class KAdGround:
    """Sets of states in years: every one that founded an alliance, and a sample of the others.

    Rows stand by size, members and year. Keys ccode1 to ccodek are missing beyond a set's size.
    `weight` is how many sets of its size and year a row stands for (King & Zeng 2001), `members`
    the set's size.
    """

    def __init__(self, tables: Tables, system: StateSystem, universe: Universe) -> None:
        assert universe.years is not None
        self.universe = universe
        self.sets = universe.sets or KAdSets()
        drawn = [
            sample(
                tables, system, universe.years,
                KAdOptions(k, self.sets.events, self.sets.controls, self.sets.seed),
            )
            for k in self.sets.sizes
        ]  # fmt: skip
        widest = self.sets.sizes[-1]
        self._size = np.repeat(self.sets.sizes, [len(one.year) for one in drawn])
        self._facts: dict[str, Values] = {
            "members": self._size.astype(np.int32),
            **{
                name: np.concatenate([getattr(one, name) for one in drawn])
                for name in ("formed", "n_formed", "weight")
            },
        }
        year = np.concatenate([one.year for one in drawn])
        states = np.full((len(year), widest), -1)
        for one, k, first in zip(
            drawn, self.sets.sizes, np.searchsorted(self._size, self.sets.sizes), strict=True
        ):
            states[first : first + len(one.year), :k] = one.states
        codes = np.where(states >= 0, system.ccodes[np.maximum(states, 0)], np.nan)
        self._keys = {f"ccode{at + 1}": codes[:, at] for at in range(widest)}
        self._keys["year"] = year.astype(np.float64)
        self._levels = {
            "state": self._builder(tables, system, states, year, 1),
            "dyad": self._builder(tables, system, states, year, 2),
        }

    def _builder(
        self, tables: Tables, system: StateSystem, states: Values, year: Values, of: int
    ) -> tuple[Builder, NDArray[np.int64]]:
        """Return a builder over all members (or pairs), set after set, and where sets begin."""
        rows, parts = [], []
        for k in self.sets.sizes:
            here = np.flatnonzero(self._size == k)
            chosen = np.array(list(itertools.combinations(range(k), of)))
            rows.append(np.repeat(here, len(chosen)))
            parts.append(states[here][:, chosen].reshape(-1, of))
        row, part = np.concatenate(rows), np.concatenate(parts)
        years = year[row] - self.sets.lag
        ccodes = system.ccodes
        suffixes = ("",) if of == 1 else ("1", "2")
        keys = {f"ccode{suffix}": ccodes[part[:, at]] for at, suffix in enumerate(suffixes)}
        assert self.universe.years is not None
        first, last = self.universe.years
        spine = Spine(
            "state-year" if of == 1 else "dyad-year",
            system,
            {**keys, "year": years.astype(np.int32)},
            tuple(StatePlace(suffix, part[:, at], years) for at, suffix in enumerate(suffixes)),
            False,
            (first - self.sets.lag, last),
        )
        return Builder(tables, spine), np.searchsorted(row, np.arange(len(year)))

    @property
    def keys(self) -> Mapping[str, Values]:
        """States and year."""
        return self._keys

    @property
    def n_rows(self) -> int:
        """Sets, those drawn among them."""
        return len(self._size)

    @property
    def place(self) -> list[Any]:
        """Unit, years and sample."""
        return [self.universe.unit, self.universe.years, self.sets.model_dump()]

    @property
    def says(self) -> str:
        """The rows in words."""
        assert self.universe.years is not None
        first, last = self.universe.years
        return (
            f"every set of {', '.join(map(str, self.sets.sizes))} states {first}-{last} that "
            f"founded an alliance, and {self.sets.controls} others of each size and year"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Keys and what the sample knows of a set."""
        return (*self._keys, *FACTS)

    def own(self, name: str) -> Values:
        """Return one of those columns."""
        return self._keys[name] if name in self._keys else self._facts[name]

    def column(
        self, covariate: str, column: str, options: Mapping[str, Any]
    ) -> tuple[Values, ColumnNote]:
        """Return a column about states or pairs, put together over each set.

        Raises
        ------
        UsageError
            If there is no such column, or no such way to put it together.
        """
        entry = get_covariate(covariate)
        known = set_columns(entry)
        if column not in known:
            raise UsageError(
                f'covariate {covariate} has no column "{column}" on sets of states. '
                f"{nearest(column, list(known))}"
            )
        found = known[column]
        builder, starts = self._levels[found.level]
        values, note = builder.column(entry, found.spec.name, options)
        made = reduced(as_float(values), starts, found.how)
        return made, replace(note, definition=found.says, unit=found.unit, kind="number")
