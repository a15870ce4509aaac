"""What designs of one run share: the shelf of arrays, filters and columns on a model's rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from foedus.covariates.assemble import as_float
from foedus.covariates.where import keep_rows
from foedus.errors import UsageError
from foedus.studies import frame as frames
from foedus.studies.estimation import Estimation, Memo
from foedus.studies.frame import Frame, Workshop, in_few_bytes
from foedus.studies.registry import get_study
from foedus.studies.shelf import Shelf

FILTERS = ("x > 0", "treat == 1 and x < 0.5", "not treat", "late == 1 or x > 1", "x + year > 1960")


@given(
    asked=st.lists(st.integers(0, 9), max_size=60),
    most=st.integers(0, 2000),
)
def test_a_shelf_gives_what_was_made_and_holds_no_more_than_it_may(
    asked: list[int], most: int
) -> None:
    shelf = Shelf(most)
    there: list[int] = []  # by hand: the one asked for longest ago goes first
    for key in asked:
        made: list[int] = []

        def make(key: int = key, made: list[int] = made) -> np.ndarray:
            made.append(key)
            return np.full(10 * (key + 1), float(key))

        assert_array_equal(shelf.get(key, make), np.full(10 * (key + 1), float(key)))
        assert bool(made) == (key not in there)
        if 80 * (key + 1) <= most:
            there = [*(one for one in there if one != key), key]
        while sum(80 * (one + 1) for one in there) > most:
            there.pop(0)
        assert {one for one in range(10) if one in shelf} == set(there)
        assert shelf.held == sum(80 * (one + 1) for one in there)
        assert len(shelf) == len(there)


def test_what_is_shared_cannot_be_written_to() -> None:
    found = Shelf(100).get("a", lambda: np.zeros(3))
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1.0


@pytest.fixture
def estimation(project: Any, tables: Any) -> Estimation:
    study = get_study(project, "toy_study")
    return Estimation(Memo(tables, Workshop(tables)), study.design)


def _by_hand(frame: Frame, expression: str, rows: frames.Rows) -> np.ndarray:
    names = ("x", "treat", "late", "year")
    columns = {name: frame.values(name)[rows.index] for name in names}
    return np.asarray(keep_rows(expression, columns))


@pytest.mark.parametrize("expression", FILTERS)
@pytest.mark.parametrize("few", [1, 10**9])
def test_a_filter_is_the_same_from_the_unit_and_from_the_rows(
    expression: str, few: int, estimation: Estimation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "FEW", few)
    frame = estimation.frame
    rows = estimation.rows(next(iter(estimation.design.models)))
    assert 0 < len(rows.index) < frame.n_rows
    assert_array_equal(frame.fits(expression, rows), _by_hand(frame, expression, rows))


@pytest.mark.parametrize("few", [1, 10**9])
def test_a_filter_without_a_variable_is_refused(
    few: int, estimation: Estimation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "FEW", few)
    rows = estimation.rows(next(iter(estimation.design.models)))
    with pytest.raises(UsageError, match="names no variable"):
        estimation.frame.fits("1 == 1", rows)


def test_a_models_columns_are_those_of_the_unit_on_its_rows(estimation: Estimation) -> None:
    frame, model = estimation.frame, next(iter(estimation.design.models))
    rows, data = estimation.rows(model), estimation.data_of(model)
    for name in ("ccode1", "ccode2", "year"):
        assert_array_equal(data[name], frame.ground.keys[name][rows.index])
    for name in frame.of_model(estimation.design.models[model]):
        assert_array_equal(data[name], frame.values(name)[rows.index])
        assert data[name] is estimation.data_of(model)[name]


WHOLE = st.one_of(st.integers(-(2**40), 2**40), st.integers(-130, 130)).map(float)


@given(
    values=st.lists(
        st.one_of(st.just(np.nan), WHOLE, st.floats(allow_nan=False, allow_infinity=False)),
        max_size=12,
    )
)
def test_numbers_in_few_bytes_are_the_same_numbers(values: list[float]) -> None:
    given_ = np.array(values, dtype=np.float64)
    small = in_few_bytes(given_)
    assert_array_equal(as_float(small), given_)
    flags = given_.size and np.isin(given_[~np.isnan(given_)], (0.0, 1.0)).all()
    assert not flags or small.dtype == np.int8


def test_numbers_of_clusters_are_shared_by_fits_that_cluster_on_the_same(
    estimation: Estimation,
) -> None:
    frame, rows = estimation.frame, estimation.rows(next(iter(estimation.design.models)))
    by_key = frame.numbering(["cluster(dyad)", "dyadic"], rows)
    assert frame.numbering(["cluster(year)"], rows) is by_key
    by_variable = frame.numbering(["cluster(treat)"], rows)
    assert by_variable is not by_key
    assert frame.numbering(["cluster(treat)"], rows) is by_variable
    assert frame.numbering(["cluster(late)"], rows) is not by_variable
