"""States by whatever they are called: right numbers by year, and what is refused with its rows."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from foedus.errors import ConfigError
from foedus.sources.country_keys import NO_STATE, Codes, Crosswalk, load_country_codes
from foedus.sources.state_codes import GW_DIFFERENCES

CONFIG = Path(__file__).resolve().parents[2] / "config"
DECLARED = load_country_codes(CONFIG)


def read(codes: Codes, value: object, year: int | None) -> tuple[int | None, str]:
    years = None if year is None else [year]
    ccodes, problems = Crosswalk(codes, DECLARED).read([value], years)
    return ccodes[0], problems[0].why if problems else ""


@pytest.mark.parametrize(
    ("codes", "value", "year", "ccode"),
    [
        ("name", "Prussia", 1850, 255), ("name", "germany", 1900, 255),
        ("name", "Germany", 2000, 255), ("name", "West Germany", 1970, 260),
        ("name", "German Democratic Republic", 1970, 265),
        ("name", "Austria-Hungary", 1900, 300), ("name", "Austria", 1900, 300),
        ("name", "Austria", 1930, 305), ("name", "Czechoslovakia", 1938, 315),
        ("name", "U.S.S.R.", 1950, 365), ("name", "Russia", 1950, 365),
        ("name", "Yugoslavia", 1950, 345), ("name", "Serbia", 2010, 345),
        ("name", "North Vietnam", 1960, 816), ("name", "Republic of Vietnam", 1960, 817),
        ("name", "Viet Nam", 1990, 816), ("name", "Yemen", 1950, 678), ("name", "Yemen", 2000, 679),
        ("name", "Yemen People's Republic", 1980, 680), ("name", "Ottoman Empire", 1900, 640),
        ("name", "The United States", 1900, 2), ("name", "C\u00f4te d\u2019Ivoire", 1990, 437),
        ("name", "Republic of China", 1930, 710), ("name", "Republic of China", 1960, 713),
        ("name", "Niger", 1990, 436), ("name", "Nigeria", 1990, 475), ("name", "Guinea", 1990, 438),
        ("name", "Guinea-Bissau", 1990, 404), ("name", "Equatorial Guinea", 1990, 411),
        ("iso3", "USA", 1900, 2), ("iso3", "deu", 1960, 260), ("iso3", "DEU", 1990, 255),
        ("iso3", "DDR", 1960, 265), ("iso3", "SUN", 1960, 365), ("iso3", "YMD", 1980, 680),
        ("iso3", "CZE", 2000, 316), ("iso3", "YEM", 1980, 678), ("iso3", "YEM", 1990, 679),
        ("iso3", "KIR", 2005, 946), ("iso3", "HKG", 2000, NO_STATE),
        ("iso_numeric", 840, 1990, 2), ("iso_numeric", "036", 1990, 900),
        ("iso_numeric", 280.0, 1980, 260), ("iso_numeric", 278, 1980, 265),
        ("gw", 2, 1990, 2), ("gw", 260, 1989, 260), ("gw", 260, 1990, 255), ("gw", 340, 1900, 345),
        ("gw", 563, 1890, NO_STATE),
        ("iso3", "FRA", None, 220), ("name", "Prussia", None, 255), ("iso3", "KIR", None, 946),
    ],
)  # fmt: skip
def test_a_state_by_any_name_in_its_year(
    codes: Codes, value: object, year: int | None, ccode: int
) -> None:
    assert read(codes, value, year) == (ccode, "")


@pytest.mark.parametrize(
    ("codes", "value", "year", "words"),
    [
        ("name", "Germany", 1960, "COW state 260 or 265 in 1960"),
        ("name", "Vietnam", 1960, "COW state 816 or 817"),
        ("iso3", "VNM", 1960, "COW state 816 or 817"), ("name", "Yemen", 1980, "678 or 680"),
        ("name", "Korea", 1960, "731 or 732"), ("name", "Congo", 1990, "484 or 490"),
        ("name", "Czechoslovakia", 2000, "names no state in 2000 .*1918-1992"),
        ("name", "Atlantis", 1900, "no name of a state"), ("iso3", "XXX", 2000, "no ISO alpha-3"),
        ("iso_numeric", 999, 2000, "no ISO numeric"), ("gw", "x", 1900, "no Gleditsch-Ward"),
        ("iso3", "DEU", None, "255 or 260 without a year"), ("iso3", None, 1900, "is empty"),
        ("iso3", "", 1900, "is empty"), ("name", float("nan"), 1900, "is empty"),
    ],
)  # fmt: skip
def test_what_is_ambiguous_or_unknown_is_no_state(
    codes: Codes, value: object, year: int | None, words: str
) -> None:
    import re

    ccode, why = read(codes, value, year)
    assert ccode is None
    assert re.search(words, why), why


def test_a_problem_knows_its_first_row_and_how_many() -> None:
    ccodes, problems = Crosswalk("iso3", DECLARED).read(
        ["USA", "XXX", "USA", "XXX"], [1990, 1990, 1991, 1990]
    )
    assert ccodes.to_list() == [2, None, 2, None]
    assert [(one.row, one.rows, one.value) for one in problems] == [(1, 2, "XXX")]


def test_declared_spans_of_one_name_do_not_overlap() -> None:
    """But for two states that share a spelling's years on purpose: DEU is one of them by code."""
    spans: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    kinds: tuple[Codes, ...] = ("name", "iso3", "iso_numeric")
    for state in DECLARED.states:
        for codes in kinds:
            for text in state.spellings(codes):
                spans.setdefault((codes, text), []).append((state.first, state.last, state.ccode))
    for key, listed in spans.items():
        ordered = sorted(listed)
        for one, other in pairwise(ordered):
            assert one[1] < other[0] or one[2] == other[2], key


def cow_states(shared: Path) -> pl.DataFrame:
    return pl.read_csv(
        shared / "cow_states_2016" / "states2016.csv", columns=["ccode", "statenme", "endyear"]
    )


def test_cows_own_names_are_read_as_its_numbers(shared: Path) -> None:
    """All but one that two states share; none is read as another state."""
    states = cow_states(shared)
    ccodes, problems = Crosswalk("name", DECLARED).read(
        states["statenme"].to_list(), states["endyear"].to_list()
    )
    assert [(one.value, one.why[:22]) for one in problems] == [("Congo", "can mean COW state 484")]
    read = states.with_columns(read=ccodes).drop_nulls("read")
    assert read.filter(pl.col("ccode") != pl.col("read")).is_empty()


def test_every_declared_state_is_one_of_cows(shared: Path) -> None:
    known = set(cow_states(shared)["ccode"])
    assert {state.ccode for state in DECLARED.states} <= known
    assert {code for one in DECLARED.ambiguous for code in one.between} <= known
    assert {one.ccode for one in GW_DIFFERENCES if one.ccode} <= known
    assert not {one.gwcode for one in GW_DIFFERENCES if one.ccode is None} & known


def test_a_broken_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "country_codes.yaml").write_text("states: [{ccode: 2, first: 1900, last: 1800}]\n")
    with pytest.raises(ConfigError, match="years run backwards"):
        load_country_codes(tmp_path)
    assert load_country_codes(tmp_path / "none").states == ()
