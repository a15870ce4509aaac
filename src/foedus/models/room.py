"""Memory for the design matrix of one fit after the other."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np

from foedus.models.arrays import AnyArray, FloatArray
from foedus.models.workers import share

SHARED = 100_000
"""Rows from which columns are copied in by several threads."""


class Room:
    """One matrix's memory, filled anew for each fit.

    To have the memory of a million rows from the system takes as long as to fill it, and a study
    fits a hundred such models one after the other. Columns that stand in it already, because the
    fit before had the same, aren't copied again.

    Only who is done with the rows of each result before the next fit may give them one room: the
    next one writes over them.
    """

    def __init__(self) -> None:
        self._memory: FloatArray = np.empty(0)
        self._rows = 0
        self._held: list[object] = []

    def filled(self, columns: Sequence[AnyArray | float], n: int) -> FloatArray:
        """Return columns side by side.

        Parameters
        ----------
        columns : sequence of array or float
            Numbers by row, or one number for every row (the constant).
        n : int
            Rows.

        Returns
        -------
        float array, rows by columns
            Column by column in memory. Arrays that are read-only count as never changing.
        """
        k = len(columns)
        if self._memory.size < n * k:
            self.empty()  # or both would be held at once
            self._memory = np.empty(n * k)
        if n != self._rows:
            self._held = []
        X = self._memory[: n * k].reshape(k, n).T
        wanted = [_known(column) for column in columns]
        stale = [j for j, known in enumerate(wanted) if known is None or not self._has(j, known)]

        def copy(place: int) -> None:
            X[:, stale[place]] = columns[stale[place]]

        if n >= SHARED:
            share(copy, len(stale))
        else:
            for place in range(len(stale)):
                copy(place)
        # columns beyond these still hold what they held
        self._held[:k] = wanted
        self._rows = n
        return X

    def empty(self) -> None:
        """Give the memory back, where something else needs it for a while."""
        self._memory, self._rows, self._held = np.empty(0), 0, []

    def _has(self, place: int, known: object) -> bool:
        if place >= len(self._held):
            return False
        held = self._held[place]
        if isinstance(held, weakref.ref) and isinstance(known, weakref.ref):
            return held() is not None and held() is known()
        return held is not None and held == known


def _known(column: AnyArray | float) -> object:
    """Return by what a column is known again: a number, an array that can't change; else None."""
    if not isinstance(column, np.ndarray):
        return column
    return None if column.flags.writeable else weakref.ref(column)
