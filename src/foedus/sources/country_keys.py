"""States in a user's file, by whatever they are called there, as COW numbers.

Codes: COW or Gleditsch-Ward numbers, ISO 3166 alpha-3 or numeric codes, or names. Today's countries
come from the table of the package country_converter (its Gleditsch-Ward numbers and its patterns
for names); states of the past, and spellings that mean several, stand in config/country_codes.yaml.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field, model_validator

from foedus.config import Strict, parse_model, read_yaml
from foedus.sources.state_codes import GW_DIFFERENCES

Codes = Literal["cow", "gw", "iso3", "iso_numeric", "name"]
CODES: tuple[Codes, ...] = ("cow", "gw", "iso3", "iso_numeric", "name")
_FIRST, _FOREVER = 1816, 9999
# No state of today's lists, but a territory that they name: no COW state, and no error.
NO_STATE = -1
# country_converter 1.3.2 gives these Gleditsch-Ward numbers, which mean another or no state.
_MENDED = {"CZE": 316, "VNM": 816, "YEM": 678}


class _Spelling(Strict):
    first: int
    last: int
    names: tuple[str, ...] = ()
    iso3: tuple[str, ...] = ()
    iso_numeric: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> _Spelling:
        if self.first > self.last:
            raise ValueError(f"years run backwards: {self.first} to {self.last}")
        return self

    def spellings(self, codes: Codes) -> Iterable[str]:
        """Return the spellings of one kind, as they are compared."""
        if codes == "name":
            return map(plain_name, self.names)
        return self.iso3 if codes == "iso3" else map(str, self.iso_numeric)


class State(_Spelling):
    """A state by its names and codes in some years."""

    ccode: int


class Ambiguous(_Spelling):
    """A spelling that can mean any of several states in some years."""

    between: tuple[int, ...] = Field(min_length=2)


class CountryCodes(Strict):
    """config/country_codes.yaml."""

    states: tuple[State, ...]
    ambiguous: tuple[Ambiguous, ...] = ()


@dataclass(frozen=True)
class Problem:
    """A state that can't be read: the row it stands in first (0 is the first record), and why."""

    row: int
    rows: int
    value: str
    why: str


@dataclass(frozen=True)
class _Meaning:
    """What a spelling means in a span of years: a COW number, NO_STATE, or several numbers."""

    first: int
    last: int
    ccodes: tuple[int, ...]


def plain_name(name: str) -> str:
    """Return a name as it is compared: no accents, case, full stops or leading "the"."""
    bare = unicodedata.normalize("NFKD", name)
    letters = "".join(part for part in bare if not unicodedata.combining(part))
    words = " ".join(letters.casefold().replace(".", "").replace("\u2019", "'").split())
    return words.removeprefix("the ")


@functools.cache
def _library() -> pl.DataFrame:
    """Return country_converter's table as text; it imports neither the package nor pandas."""
    # Found without an import, which would bring pandas with it: a second.
    found = importlib.util.find_spec("country_converter")
    assert found is not None
    assert found.origin is not None
    table = Path(found.origin).with_name("country_data.tsv")
    return pl.read_csv(
        table.read_bytes(), separator="\t", infer_schema=False, null_values=["", "nan"]
    ).select("name_short", "name_official", "regex", "ISO3", "ISOnumeric", "GWcode")


def _library_meaning(iso3: str, gwcode: str | None) -> tuple[_Meaning, ...]:
    number = _MENDED.get(iso3, None if gwcode is None else int(float(gwcode)))
    if number is None:
        return (_Meaning(0, _FOREVER, (NO_STATE,)),)
    for item in GW_DIFFERENCES:
        if item.gwcode == number:
            ccode = NO_STATE if item.ccode is None else item.ccode
            if item.first <= _FIRST and item.last == _FOREVER:
                return (_Meaning(0, _FOREVER, (ccode,)),)
            return (
                _Meaning(0, item.first - 1, (number,)),
                _Meaning(item.first, _FOREVER, (ccode,)),
            )
    return (_Meaning(0, _FOREVER, (number,)),)


class Crosswalk:
    """Reads states of one kind of spelling as COW numbers.

    Parameters
    ----------
    codes : str
        "gw", "iso3", "iso_numeric" or "name".
    declared : CountryCodes
        States of the past and ambiguous spellings.
    """

    def __init__(self, codes: Codes, declared: CountryCodes) -> None:
        self.codes = codes
        self._declared: dict[str, list[_Meaning]] = {}
        for state in declared.states:
            self._add(state, (state.ccode,))
        for several in declared.ambiguous:
            self._add(several, several.between)

    def _add(self, spelling: _Spelling, ccodes: tuple[int, ...]) -> None:
        for text in spelling.spellings(self.codes):
            meaning = _Meaning(spelling.first, spelling.last, ccodes)
            self._declared.setdefault(text, []).append(meaning)

    def read(
        self, values: Sequence[object], years: Sequence[int] | None
    ) -> tuple[pl.Series, list[Problem]]:
        """Return COW numbers (NO_STATE for a known territory that is none) and what can't be read.

        Parameters
        ----------
        values : sequence
            Spellings, as they stand in the file.
        years : sequence of int, optional
            The year of each row; without it a spelling must mean one state in every year.
        """
        frame = pl.DataFrame(
            {"value": [_text(value) for value in values]}
            | ({"year": list(years)} if years is not None else {})
        ).with_row_index("row")
        keys = [name for name in frame.columns if name != "row"]
        distinct = frame.group_by(keys, maintain_order=True).agg(
            first=pl.col("row").first(), rows=pl.len()
        )
        ccodes: list[int | None] = []
        problems = []
        for found in distinct.iter_rows(named=True):
            ccode, why = self._one(found["value"], found.get("year"))
            ccodes.append(ccode)
            if ccode is None:
                problems.append(Problem(found["first"], found["rows"], found["value"], why))
        meant = distinct.select(keys).with_columns(ccode=pl.Series(ccodes, dtype=pl.Int64))
        read = frame.join(meant, on=keys, how="left", nulls_equal=True, maintain_order="left")
        return read["ccode"], problems

    def _one(self, text: str, year: int | None) -> tuple[int | None, str]:
        if not text:
            return None, "is empty"
        meanings = self._meanings(text)
        if not meanings:
            return None, f"is no {_KIND[self.codes]} that is known"
        fitting = [one for one in meanings if year is None or one.first <= year <= one.last]
        if not fitting:
            spans = ", ".join(f"{one.first}-{one.last}" for one in meanings)
            return None, f"names no state in {year} (it does in {spans})".replace("-9999", " on")
        # The first declared meaning goes before the library's.
        known = {code for one in fitting for code in one.ccodes}
        if year is not None:
            known = set(fitting[0].ccodes)
        if len(known) > 1:
            which = " or ".join(map(str, sorted(known)))
            when = "without a year" if year is None else f"in {year}"
            return None, f"can mean COW state {which} {when}"
        return known.pop(), ""

    def _meanings(self, text: str) -> list[_Meaning]:
        key = plain_name(text) if self.codes == "name" else text.upper()
        declared = self._declared.get(key, [])
        # A spelling that is declared at all is explained there alone.
        return declared or list(self._from_library(key))

    def _from_library(self, key: str) -> tuple[_Meaning, ...]:
        if self.codes == "gw":
            return _library_meaning("", key) if key.isdigit() else ()
        found = _named(key) if self.codes == "name" else _coded(self.codes, key)
        if len(found) == 1:
            return _library_meaning(*found[0])
        several = tuple(
            meaning.ccodes[0] for one in found for meaning in _library_meaning(*one)[-1:]
        )
        return (_Meaning(0, _FOREVER, several),) if several else ()


_KIND = {
    "cow": "COW number", "gw": "Gleditsch-Ward number", "iso3": "ISO alpha-3 code",
    "iso_numeric": "ISO numeric code", "name": "name of a state",
}  # fmt: skip


def _text(value: object) -> str:
    """Return a spelling as text: whole numbers without a decimal, no blanks at the ends."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    return str(int(text)) if re.fullmatch(r"0*\d{1,4}", text) else text


@functools.cache
def _coded(codes: Codes, key: str) -> tuple[tuple[str, str | None], ...]:
    column = "ISO3" if codes == "iso3" else "ISOnumeric"
    return tuple(_library().filter(pl.col(column) == key).select("ISO3", "GWcode").rows())


@functools.cache
def _named(key: str) -> tuple[tuple[str, str | None], ...]:
    """Return countries whose short or official name is this; else those whose pattern fits."""
    if key in _exact_names():
        return _exact_names()[key]
    return tuple(country for pattern, country in _patterns() if pattern.search(key))


@functools.cache
def _exact_names() -> dict[str, tuple[tuple[str, str | None], ...]]:
    """Return countries by their short and official names, as names are compared."""
    listed: dict[str, list[tuple[str, str | None]]] = {}
    rows = _library().select("name_short", "name_official", "ISO3", "GWcode").rows()
    for short, official, iso3, gwcode in rows:
        for name in {plain_name(short), plain_name(official or "")} - {""}:
            listed.setdefault(name, []).append((iso3, gwcode))
    return {name: tuple(countries) for name, countries in listed.items()}


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], tuple[str, str | None]], ...]:
    listed = _library().select("regex", "ISO3", "GWcode").drop_nulls("regex").rows()
    return tuple((re.compile(text, re.IGNORECASE), (iso3, gw)) for text, iso3, gw in listed)


def load_country_codes(config_dir: Path) -> CountryCodes:
    """Read config/country_codes.yaml; a folder without one has no states of the past.

    Raises
    ------
    ConfigError
        If it breaks a rule.
    """
    path = config_dir / "country_codes.yaml"
    if not path.is_file():
        return CountryCodes(states=())
    return parse_model(CountryCodes, read_yaml(path), path.name)
