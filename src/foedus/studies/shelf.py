"""A bounded shelf of arrays: what was used last stays, what wasn't for long goes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from numpy.typing import NDArray


class Shelf:
    """Arrays by key, up to a number of bytes.

    Parameters
    ----------
    most : int
        Bytes that the arrays may hold together; an array that alone holds more isn't kept.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0
        self._arrays: OrderedDict[Hashable, NDArray[Any]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._arrays)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._arrays

    def get(self, key: Hashable, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return the array under a key, made where it isn't there; it is shared, so read-only."""
        found = self._arrays.get(key)
        if found is not None:
            self._arrays.move_to_end(key)
            return found
        made = make()
        made.flags.writeable = False
        if made.nbytes <= self.most:
            self._arrays[key] = made
            self.held += made.nbytes
            while self.held > self.most:
                _, gone = self._arrays.popitem(last=False)
                self.held -= gone.nbytes
        return made
