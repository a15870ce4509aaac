"""Every number in print that is at hand stands in a study, digit by digit, and no work is missing.

The lists of printed numbers come with the source files and not with this repository; where they
aren't, these tests are skipped, and say so.
"""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUDIES = ROOT / "config" / "studies"
SIDES = ("onset", "warsize")

# A work whose study has another name, for it is one of several or stands with another work's.
NAMED_OTHERWISE = {
    "clare_2013_democratic_allies": "clare_2013",
    "conrad_2017_bjps": "conrad_2017",
    "morrow_2017_jop": "morrow_2017",
    "johnson_2017": "johnson_2017_isq",
    "melin_koch_2010": "joyce_ghosn_bayer_2014",
}
# Works without a study: docs/method.md names the data that each would need.
NOT_BUILT = {
    "allen_digiuseppe_2013",
    "fuhrmann_2020",
    "kim_sciubba_2015",
    "kuo_blankenship_2022",
    "troops_defense_burden_2016",
    "uncertainty_alliance_formation_2018",
    "weisiger_2016",
}
# Numbers of one work's list that stand in the study of the work which they are about.
STANDS_IN = {
    "alley_2021_depth_milex": ["leeds_anac_2005", "alley_2021_pledges"],
    "gibler_wolford_2006": ["poast_2010_gibler_wolford_2006"],
    "poast_2010_gibler_wolford_2006": ["gibler_wolford_2006"],
}
# Words in the place of a number, and how the study says them.
SAID_AS = {"none": "0", "+ (on balance)": "+", "1830s": "1835"}
# A count that one fits's cells sum to, taken from the authors' file and not from print.
NOT_PRINTED = {("leeds_anac_2005", "112")}


@pytest.fixture(scope="module")
def printed(real_sources: Path) -> Path:
    folder = real_sources.parent / "published"
    if not folder.is_dir():
        pytest.skip("the lists of printed numbers are not here: no folder published")
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def digits(text: str) -> str:
    """Return a number with its decimals (trailing zeros kept), a sign or word as it stands."""
    plain = SAID_AS.get(text.strip(), text.strip()).replace("\N{MINUS SIGN}", "-").replace(",", "")
    try:
        return format(Decimal(plain), "f")
    except InvalidOperation:
        return plain


def numbers_of(study: str) -> list[tuple[str, str]]:
    """Return estimate and standard error of each number of the studies that hold a work's."""
    held = [study, *STANDS_IN.get(study, [])]
    files = [STUDIES / name / "published.csv" for name in held]
    found = [row for path in files if path.is_file() for row in rows(path)]
    return [(digits(row["estimate"]), digits(row["std_error"])) for row in found]


def same(ours: str, theirs: str) -> bool:
    """Whether two texts are one number to the digits of both, `.9` and `0.90` told apart by value.

    A trailing zero that a spreadsheet lost isn't a digit that print lost: values are compared.
    """
    try:
        return Decimal(ours) == Decimal(theirs)
    except InvalidOperation:
        return ours == theirs


@pytest.mark.parametrize("side", SIDES)
def test_every_work_has_a_study_or_a_stated_lack_of_data(printed: Path, side: str) -> None:
    manual = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    for row in rows(printed / side / "STUDIES.csv"):
        work = row["study_id"]
        if work in NOT_BUILT:
            assert f"`{work}`" in manual, f"docs/method.md doesn't say why {work} has no study"
            assert not (STUDIES / work).exists()
        else:
            assert (STUDIES / NAMED_OTHERWISE.get(work, work)).is_dir(), work


@pytest.mark.parametrize("side", SIDES)
def test_every_printed_number_stands_in_its_study(printed: Path, side: str) -> None:
    missing = []
    for path in sorted((printed / side / "estimates").glob("*.csv")):
        study = path.stem
        if study in NOT_BUILT:
            continue
        ours = numbers_of(study)
        for row in rows(path):
            estimate, error = digits(row["estimate"]), digits(row["std_error"])
            if (study, estimate) in NOT_PRINTED:
                continue
            at = [number for number in ours if same(number[0], estimate)]
            derived = "derived" in row.get("how_obtained", "")  # from an interval, which we keep
            if error and row["verified"] == "yes" and not derived:
                # A variance's "standard error" is its root, and no number of its own.
                at = [
                    number for number in at if same(number[1], error) or "variance" in row["term"]
                ]
            if not at:
                missing.append(f"{study}: {row['model']}, {row['term']}: {estimate} ({error})")
    assert not missing, "\n".join(missing)


def test_a_number_that_a_list_has_twice_stands_twice(printed: Path) -> None:
    for study in ("oneal_russett_1997_onset", "reiter_stam_2003", "bennett_stam_2000_isq"):
        theirs = Counter(
            digits(row["estimate"])
            for row in rows(printed / "onset" / "estimates" / f"{study}.csv")
        )
        ours = Counter(number[0] for number in numbers_of(study))
        lost = {text: n for text, n in theirs.items() if ours[text] < n}
        assert not lost, f"{study}: {lost}"


def test_no_number_is_set_aside_without_naming_what_is_missing() -> None:
    for path in sorted(STUDIES.glob("*/published.csv")):
        for row in rows(path):
            target = row["maps_to"].strip()
            if target.startswith("none"):
                words = target.removeprefix("none").lstrip(": ").split()
                assert len(words) >= 5, f"{path.parent.name}: {row['term']}: {target}"
