"""A matrix's memory that fits share holds what a matrix of its own would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.models import estimate, room, workers
from foedus.models.room import Room

KINDS = (np.int8, np.int16, np.float32, np.float64)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_series_of_matrices(data: st.DataObject) -> None:
    """Columns that stay, move, come anew or are written to; rows that grow and shrink."""
    rng = np.random.default_rng(data.draw(st.integers(0, 1_000)))
    shared = Room()
    kept: dict[int, list[np.ndarray]] = {}
    for _ in range(data.draw(st.integers(1, 6))):
        n = data.draw(st.sampled_from([1, 2, 7, 40]))
        columns: list[np.ndarray | float] = [1.0] if data.draw(st.booleans()) else []
        for _ in range(data.draw(st.integers(0, 5))):
            held = kept.setdefault(n, [])
            if held and data.draw(st.booleans()):
                columns.append(held[data.draw(st.integers(0, len(held) - 1))])
                continue
            made = (rng.normal(size=n) * 9).astype(data.draw(st.sampled_from(KINDS)))
            made.flags.writeable = data.draw(st.booleans())
            held.append(made)
            columns.append(made)
        for column in columns:
            if isinstance(column, np.ndarray) and column.flags.writeable:
                column += 1  # what may be written to is copied each time
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(room, "SHARED", data.draw(st.sampled_from([1, 1_000])))
            patch.setattr(workers, "threads", lambda: 3)
            X = shared.filled(columns, n)
        assert X.shape == (n, len(columns))
        for j, column in enumerate(columns):
            np.testing.assert_array_equal(X[:, j], np.broadcast_to(column, n).astype(float))


def test_an_array_in_the_place_of_one_that_is_gone_is_copied() -> None:
    shared = Room()
    for value in range(40):
        column = np.full(1_000, float(value))
        column.flags.writeable = False
        assert (shared.filled([1.0, column], 1_000)[:, 1] == value).all()
        del column


def test_a_column_that_stays_is_not_copied_again() -> None:
    shared = Room()
    column = np.arange(5.0)
    column.flags.writeable = False
    X = shared.filled([1.0, column], 5)
    X[2, 1] = -1.0
    assert shared.filled([1.0, column, column], 5)[2, 1] == 2.0, "the memory had to grow"
    shared.filled([1.0, column], 5)[2, 1] = -1.0
    assert shared.filled([1.0, column], 5)[2, 1] == -1.0


def test_a_room_that_was_emptied_is_filled_anew() -> None:
    shared = Room()
    column = np.arange(5.0)
    column.flags.writeable = False
    before = shared.filled([1.0, column], 5)
    shared.empty()
    X = shared.filled([1.0, column], 5)
    assert not np.shares_memory(before, X)
    np.testing.assert_array_equal(X, before)


def test_fits_in_one_room_are_those_of_fits_alone() -> None:
    rng = np.random.default_rng(2)
    frame = {name: rng.normal(size=3_000) for name in ("a", "b", "c")}
    frame["y"] = (frame["a"] + rng.normal(size=3_000) > 0).astype(float)
    frame["half"] = np.where(rng.random(3_000) < 0.5, np.nan, frame["c"])
    for column in frame.values():
        column.flags.writeable = False
    shared = Room()
    formulas = [
        "y ~ a + b",
        "y ~ a + c",
        "y ~ b + c + a",
        "y ~ a + half",
        "y ~ a",
        "y ~ a + log(b)",
    ]
    for formula in formulas:
        for estimator in ("logit", "ols"):
            alone = estimate(formula, frame, estimator, cov=["classical", "HC1"])
            found = estimate(formula, frame, estimator, cov=["classical", "HC1"], room=shared)
            assert found.rows_lost == alone.rows_lost
            np.testing.assert_array_equal(found.params, alone.params)
            for cov in ("classical", "HC1"):
                np.testing.assert_array_equal(found.vcov(cov), alone.vcov(cov))


def test_two_equations_have_matrices_of_their_own() -> None:
    rng = np.random.default_rng(3)
    n = 400
    frame = {name: rng.normal(size=n) for name in ("a", "b")}
    frame["y"] = rng.poisson(np.exp(0.3 * frame["a"])) * (rng.random(n) < 0.7).astype(float)
    alone = estimate("y ~ a | b", frame, "zip")
    found = estimate("y ~ a | b", frame, "zip", room=Room())
    np.testing.assert_array_equal(found.params, alone.params)
