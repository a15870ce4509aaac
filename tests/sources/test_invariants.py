"""Rules over several tables: what breaks them is found, and a known exception is counted."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from foedus.config import Config, Project
from foedus.errors import ConfigError
from foedus.sources.invariants import check_invariants, invariants, load_exceptions

DAY = datetime.date.fromisoformat


class Given:
    """Tables given in memory."""

    def __init__(self, root: Path, frames: dict[tuple[str, str], pl.DataFrame]) -> None:
        self.project = Project(root, Config())
        self.frames = frames

    def has(self, source: str) -> bool:
        return source in {name for name, _ in self.frames}

    def get(self, source: str, table: str) -> pl.DataFrame:
        return self.frames[source, table]

    def coverage(self, source: str) -> tuple[int, int]:
        return (1816, 1840)


STATES = pl.DataFrame(
    {"ccode": [10, 20], "start": [DAY("1816-01-01"), DAY("1820-06-01")],
     "end": [DAY("1840-12-31"), DAY("1840-12-31")]}
)  # fmt: skip


def found(tmp_path: Path, name: str, yaml: str = "", **frames: pl.DataFrame) -> Any:
    config = tmp_path / "config"
    (config / "sources").mkdir(parents=True)
    if yaml:
        (config / "invariants.yaml").write_text(yaml)
    named = {tuple(key.split("__")): frame for key, frame in frames.items()}
    tables = Given(tmp_path, {("cow_states", "states"): STATES, **named})  # type: ignore[dict-item]
    (one,) = check_invariants(tables, [name])  # type: ignore[arg-type]
    return one


def atop(*rows: tuple[int, int, str, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [(atopid, 0, member, DAY(start), cowsys) for atopid, member, start, cowsys in rows],
        schema=["atopid", "phase", "member", "start", "cowsys"],
        orient="row",
    )


def test_a_member_before_its_time_is_found(tmp_path: Path) -> None:
    members = atop((1, 10, "1819-01-01", 1), (1, 20, "1819-01-01", 1), (2, 20, "1819-01-01", 0),
                   (3, 20, "1821-01-01", 0), (4, 99, "1815-01-01", 1))  # fmt: skip
    one = found(tmp_path, "alliance_members_are_states", atop__members=members)
    assert (one.checked, one.unexplained, one.holds) == (4, 2, False)
    assert [(row["atopid"], row["ccode"]) for row in one.examples] == [(1, 20), (3, 20)]


EXCEPTION = """exceptions:
  war_participants_existed:
    - {{where: {{warnum: 1, ccode: [20, 30]}}, rows: {rows}, reason: Known since the release.}}
"""


def wars(*rows: tuple[int, int, int, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (warnum, ccode, side, DAY(start), DAY("1830-01-01"))
            for warnum, ccode, side, start in rows
        ],
        schema=["warnum", "ccode", "side", "start1", "end1"],
        orient="row",
    ).with_columns(start2=pl.lit(None, pl.Date), end2=pl.lit(None, pl.Date))


def test_a_known_exception_explains_its_rows_and_no_other(tmp_path: Path) -> None:
    listed = wars((1, 10, 1, "1817-01-01"), (1, 20, 2, "1817-01-01"), (2, 20, 1, "1818-01-01"))
    one = found(tmp_path, "war_participants_existed", EXCEPTION.format(rows=1),
                cow_interstate_wars__participants=listed)  # fmt: skip
    assert one.known[0]["found"] == 1
    assert one.known[0]["where"] == "warnum 1, ccode 20 or 30"
    assert [row["warnum"] for row in one.examples] == [2]
    assert not one.holds


def test_an_exception_that_is_mended_is_noticed(tmp_path: Path) -> None:
    one = found(tmp_path, "war_participants_existed", EXCEPTION.format(rows=1),
                cow_interstate_wars__participants=wars((1, 10, 1, "1817-01-01")))  # fmt: skip
    assert one.unexplained == 0
    assert not one.holds


def test_one_sided_wars_and_disputes_are_found(tmp_path: Path) -> None:
    one = found(tmp_path, "wars_have_two_sides",
                cow_interstate_wars__participants=wars((1, 10, 1, "1817-01-01")))  # fmt: skip
    assert one.examples == ({"warnum": 1, "sides": 1},)


def test_contiguity_from_one_side_is_found(tmp_path: Path) -> None:
    pairs = pl.DataFrame({"ccode1": [10, 20, 10], "ccode2": [20, 10, 20],
                          "year": [1821, 1821, 1822], "conttype": [1, 2, 1]})  # fmt: skip
    one = found(tmp_path, "contiguity_is_symmetric", cow_contiguity__dyad_years=pairs)
    assert (one.checked, one.unexplained) == (3, 3)


def test_shares_that_do_not_sum_are_found(tmp_path: Path) -> None:
    known = {name: [1, 1, 1] for name in ("milper", "irst", "pec", "tpop", "upop")}
    nmc = pl.DataFrame({"ccode": [10, 20, 10], "year": [1821, 1821, 1822],
                        "cinc": [0.4, 0.6, 0.9], "milex": [1, 1, None], **known})  # fmt: skip
    one = found(tmp_path, "capabilities_sum_to_one", cow_nmc__state_years=nmc)
    assert one.examples == ({"year": 1822, "total": 0.9, "gaps": 1},)


def test_an_end_before_its_beginning_is_found(tmp_path: Path) -> None:
    spans = {"start_min": [DAY("1820-02-01")], "end_max": [DAY("1820-01-01")]}
    one = found(
        tmp_path,
        "durations_are_not_negative",
        atop__members=pl.DataFrame({"start": [DAY("1820-01-01")], "end": [None]},
                                   schema_overrides={"end": pl.Date}),
        cow_states__majors=pl.DataFrame({"start": [DAY("1820-01-01")], "end": [DAY("1820-01-01")]}),
        mid__participants=pl.DataFrame(spans),
        mid__disputes=pl.DataFrame(spans),
        cow_interstate_wars__participants=wars((1, 10, 1, "1817-01-01")),
    )  # fmt: skip
    assert one.unexplained == 2
    assert {row["source"] for row in one.examples} == {"mid/participants", "mid/disputes"}


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("exceptions: {war_participants_exist: [{rows: 1, reason: Known since long.}]}",
         "Nearest: war_participants_existed"),
        ("exceptions: {war_participants_existed: [{rows: 0, reason: Known since long.}]}", "rows"),
        ("exceptions: {war_participants_existed: [{rows: 1, reason: why}]}", "reason"),
    ],
)  # fmt: skip
def test_a_wrong_list_of_exceptions_is_refused(tmp_path: Path, yaml: str, words: str) -> None:
    (tmp_path / "invariants.yaml").write_text(yaml)
    with pytest.raises(ConfigError, match=words):
        load_exceptions(tmp_path)


def test_every_invariant_says_what_it_is(repository: Path) -> None:
    for name, one in invariants().items():
        assert one.says.endswith("."), name
        assert one.sources
        assert one.check.__doc__
        for source in one.sources:
            assert (repository / "config" / "sources" / f"{source}.yaml").is_file()
    listed = load_exceptions(repository / "config")
    assert set(listed) <= set(invariants())
