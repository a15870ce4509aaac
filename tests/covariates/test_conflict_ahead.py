"""Conflicts ahead against conflicts behind: both are made of the same beginnings."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from foedus.covariates.conflict_ahead import after, years_that_follow
from foedus.covariates.conflict_history import before

YEARS = 12


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(np.int16, (2, 2, YEARS), elements=st.integers(0, 3)), st.integers(1, YEARS - 1)
)
def test_ahead_is_the_sum_of_the_years_after(events: np.ndarray, window: int) -> None:
    made = after(events, window)
    for year in range(YEARS):
        wanted = events[:, :, year + 1 : year + 1 + window].sum(axis=2)
        assert np.array_equal(made[:, :, year], wanted)
    # What lies ahead of a year is behind the one that ends the window, but for its own.
    later = before(events, window)
    for year in range(YEARS - window - 1):
        assert np.array_equal(made[:, :, year], later[:, :, year + window + 1])


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.bool_, (3, YEARS)))
def test_a_state_stays_until_it_leaves(member: np.ndarray) -> None:
    stay = years_that_follow(member)
    for state in range(3):
        for year in range(YEARS):
            length = 0
            while year + length + 1 < YEARS and member[state, year + length + 1]:
                length += 1
            assert stay[state, year] == length
