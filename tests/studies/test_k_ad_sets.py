"""Studies on sets of states: what a design may say, and how members' values become a set's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from foedus.covariates.k_ads import reduced, set_columns
from foedus.covariates.registry import get_covariate
from foedus.errors import UsageError
from foedus.studies.check_rebuild import check_variable
from foedus.studies.k_ad_ground import key_names
from foedus.studies.schema import KAdSets, Universe, Variable

numbers = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(numbers, min_size=1, max_size=6), min_size=1, max_size=8))
def test_a_sets_value_is_that_of_its_members_or_missing(sets: list[list[float]]) -> None:
    flat = np.array([value for members in sets for value in members])
    starts = np.cumsum([0, *(len(members) for members in sets[:-1])])
    for how, function in {"min": np.min, "max": np.max, "mean": np.mean, "sum": np.sum}.items():
        expected = [function(members) for members in sets]
        np.testing.assert_allclose(reduced(flat, starts, how), expected, rtol=1e-9, atol=1e-6)


def test_columns_of_sets_are_those_of_states_and_of_pairs_alike_from_both_sides() -> None:
    assert {"cinc_max", "cinc_sum"} <= set(set_columns(get_covariate("nmc")))
    assert "capital_distance_miles_max" in set_columns(get_covariate("capital_distance"))
    ties = set_columns(get_covariate("atop"))
    assert "atop_defense_share" in ties
    assert ties["atop_defense_share"].unit == "share, 0-1"
    # what only one side owes the other isn't a fact of a set
    assert not set_columns(get_covariate("atop_third_party"))


@pytest.mark.parametrize("sizes", [(3, 2), (2, 2), (1, 2), ()])
def test_sizes_are_ascending_numbers_from_two(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError):
        KAdSets(sizes=sizes)


def test_only_sets_have_sets() -> None:
    with pytest.raises(ValidationError, match="k-ad-year"):
        Universe(unit="dyad-year", years=(1900, 1910), sets=KAdSets())


def test_keys_reach_to_the_largest_size() -> None:
    universe = Universe(unit="k-ad-year", years=(1900, 1910), sets=KAdSets(sizes=(2, 4)))
    assert key_names(universe) == ("ccode1", "ccode2", "ccode3", "ccode4", "year")


def test_a_variable_of_sets_says_how_it_is_put_together() -> None:
    check_variable(Variable(**{"from": "nmc.cinc_max"}), "k-ad-year", [])
    with pytest.raises(UsageError, match="cinc_m"):
        check_variable(Variable(**{"from": "nmc.cinc"}), "k-ad-year", [])
