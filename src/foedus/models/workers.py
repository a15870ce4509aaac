"""Work on the pieces of one large array, on as many threads as there are processors.

What is shared out must release the interpreter (compiled loops, copies of numpy) and write to
places of its own: then it doesn't matter which thread does what, and when.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def threads() -> int:
    """Return how many threads may share work: FOEDUS_THREADS, else every processor."""
    said = os.environ.get("FOEDUS_THREADS", "")
    if said.isdigit() and int(said) > 0:
        return int(said)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share(work: Callable[[int], None], pieces: int) -> None:
    """Do the work of every piece, on several threads where there are several pieces.

    Parameters
    ----------
    work : callable
        Takes the number of a piece, from 0 to `pieces` - 1.
    pieces : int
        How many there are.
    """
    workers = min(threads(), pieces)
    if workers <= 1:
        for piece in range(pieces):
            work(piece)
        return

    def some(first: int) -> None:
        for piece in range(first, pieces, workers):
            work(piece)

    # made for each walk, not kept: threads that wait don't outlive a fork
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(some, range(workers)):
            pass
