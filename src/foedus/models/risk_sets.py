"""Risk sets of durations as intervals of event times, and sums over them without a loop.

An event time is a distinct time with at least one event, within a stratum. A row is at risk at
those in its stratum with start < t <= stop, which are neighbours once event times are sorted by
stratum and time: so each row is an interval of them, and a sum over every risk set is two counts
and a running sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foedus.errors import EstimationError
from foedus.models.arrays import BoolArray, FloatArray, IntArray, codes_of

TIES = ("efron", "breslow")


def tally(codes: IntArray, values: FloatArray, n: int) -> FloatArray:
    """Return the sum of values by code."""
    return np.asarray(np.bincount(codes, weights=values, minlength=n), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class RiskSets:
    """Who is at risk when.

    Attributes
    ----------
    first, last : int array
        Row i is at risk at event times ``first[i]`` to ``last[i] - 1``.
    place : int array
        The event time of each event, in the order of ``events``.
    events : int array
        Rows with an event.
    times, stratum : array
        Time and stratum of each event time.
    owner, fraction : array
        Terms of the log-likelihood's sum: the event time each belongs to, and the share of the
        tied events that is taken out of its risk set (Efron; 0 for Breslow).
    share : float array
        Weight of each term: the tied events' total weight over the number of its terms.
    """

    first: IntArray
    last: IntArray
    place: IntArray
    events: IntArray
    times: FloatArray
    stratum: IntArray
    owner: IntArray
    fraction: FloatArray
    share: FloatArray

    @property
    def n_times(self) -> int:
        """The number of event times."""
        return int(self.times.size)

    def sums(self, values: FloatArray) -> FloatArray:
        """Return the sum of a value (or of columns) over each risk set."""
        if values.ndim == 2:
            return np.column_stack([self.sums(column) for column in values.T])
        m = self.n_times
        # from the last time backwards: rows that never leave are never added and taken away again
        left = tally(self.last, values, m + 1)
        entered = tally(self.first, values, m + 1)
        change = left - entered
        total: FloatArray = np.cumsum(change[::-1])[::-1][1:]
        return total

    def at_events(self, values: FloatArray) -> FloatArray:
        """Return the sum of a value (or of columns) over the events at each time."""
        if values.ndim == 2:
            return np.column_stack([self.at_events(column) for column in values.T])
        return tally(self.place, values[self.events], self.n_times)

    def terms(self, at_risk: FloatArray, tied: FloatArray) -> FloatArray:
        """Return sums over risk sets less the tied events' share, one row a term."""
        fraction = self.fraction if at_risk.ndim == 1 else self.fraction[:, None]
        out: FloatArray = at_risk[self.owner] - fraction * tied[self.owner]
        return out

    def spread(self, values: FloatArray) -> FloatArray:
        """Return, by row, the sum of a term's value over the times that the row is at risk.

        A tied event counts each term of its own time by one less the term's fraction.
        """
        if values.ndim == 2:
            return np.column_stack([self.spread(column) for column in values.T])
        m = self.n_times
        by_time = tally(self.owner, values, m)
        running = np.concatenate([[0.0], np.cumsum(by_time)])
        total: FloatArray = running[self.last] - running[self.first]
        less = tally(self.owner, values * self.fraction, m)
        total[self.events] -= less[self.place]
        return total


def risk_sets(
    stop: FloatArray,
    event: BoolArray,
    start: FloatArray | None = None,
    strata: IntArray | None = None,
    weights: FloatArray | None = None,
    ties: str = "efron",
) -> RiskSets:
    """Arrange rows into risk sets.

    Parameters
    ----------
    stop : float array
        When each row's spell ends.
    event : bool array
        Whether it ends with an event.
    start : float array, optional
        When the row comes under risk (after it); from the beginning for None.
    strata : int array, optional
        Numbers of strata: risk sets never mix them.
    weights : float array, optional
        Case weights.
    ties : str
        efron or breslow.

    Raises
    ------
    EstimationError
        No event at all, or a row that ends before it starts.
    """
    if not event.any():
        raise EstimationError("no row ends with an event: every risk set is empty.")
    if start is not None and bool((stop <= start).any()):
        bad = int(np.flatnonzero(stop <= start)[0])
        raise EstimationError(
            f"row {bad} of the rows used starts at {start[bad]:g} and ends at {stop[bad]:g}; a "
            "spell must end after it starts."
        )
    group = np.zeros(stop.size, dtype=np.int64) if strata is None else strata
    both = stop if start is None else np.concatenate([stop, start])
    ranks, n_ranks = codes_of_times(both)
    width = np.int64(n_ranks + 2)
    stops = group * width + ranks[: stop.size] + 1
    starts = group * width + (0 if start is None else ranks[stop.size :] + 1)
    keys, first_row = np.unique(stops[event], return_index=True)
    events = np.flatnonzero(event)
    place = np.searchsorted(keys, stops[event])
    times = stop[events][first_row]
    w = np.ones(events.size) if weights is None else weights[events]
    count = np.bincount(place, minlength=keys.size)
    mass = np.bincount(place, weights=w, minlength=keys.size)
    if ties == "efron":
        owner = np.repeat(np.arange(keys.size), count)
        within = np.arange(owner.size) - np.repeat(np.cumsum(count) - count, count)
        fraction = within / count[owner]
        share = (mass / count)[owner]
    else:
        owner, fraction, share = np.arange(keys.size), np.zeros(keys.size), mass
    return RiskSets(
        np.searchsorted(keys, starts, side="right").astype(np.int64),
        np.searchsorted(keys, stops, side="right").astype(np.int64),
        place.astype(np.int64),
        events,
        times,
        group[events][first_row],
        owner,
        fraction,
        share,
    )


def codes_of_times(values: FloatArray) -> tuple[IntArray, int]:
    """Return ranks of times, taking those that differ by rounding only as equal.

    As R's survival does (timefix): differences below the square root of the machine's precision,
    relative to the spread, are noise of subtraction.
    """
    distinct, inverse = np.unique(values, return_inverse=True)
    scale = max(float(np.abs(distinct).mean()), 1e-300)
    apart = np.concatenate([[0], np.cumsum(np.diff(distinct) > 1.5e-8 * scale)])
    return codes_of(apart[inverse.reshape(-1)])
