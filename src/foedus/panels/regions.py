"""Regions of the world by COW number: the hundreds that state numbers begin with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# First COW number of each region.
# ASSUME: numbers 600 to 626 (Morocco to Sudan) are the Middle East's, as Singer and Small (1968)
# have the Muslim countries of North Africa; COW's dispute data count some of them as Africa.
FIRST = (0, 200, 400, 600, 700)
NAMES = {
    1: "Americas",
    2: "Europe",
    3: "Africa",
    4: "Middle East with North Africa",
    5: "Asia with Oceania",
}


def regions_of(ccodes: NDArray[Any]) -> NDArray[np.int64]:
    """Return the place of each COW number's region among NAMES, from 0."""
    return np.asarray(np.searchsorted(np.array(FIRST), ccodes, side="right") - 1, np.int64)
