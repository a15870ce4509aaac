"""What must hold of the tables together, and where the real files don't, each with a reason.

An invariant names the rows that break it. config/invariants.yaml lists the rows that are known to,
with the reason; rows that break a rule and are not listed there, and listed ones that no longer
break it, are what a test and the report's data page show.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from foedus.config import Strict, parse_model, read_yaml
from foedus.errors import ConfigError, nearest
from foedus.sources.tables import Tables

Scalar = int | float | str


class KnownException(Strict):
    """Rows that are known to break a rule.

    Attributes
    ----------
    where : mapping
        Column to the value that the rows have, or to the values among which it is.
    rows : int
        How many they are.
    reason : str
    """

    where: dict[str, Scalar | tuple[Scalar, ...]] = Field(default_factory=dict)
    rows: int = Field(gt=0)
    reason: str = Field(min_length=10)


class InvariantFile(Strict):
    """config/invariants.yaml: exceptions by the invariant's name."""

    exceptions: dict[str, tuple[KnownException, ...]] = Field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """What came of one invariant.

    Attributes
    ----------
    name : str
    says : str
        The rule.
    checked : int
        Rows that were looked at.
    known : tuple
        Known exceptions: reason, rows that are listed and rows that break the rule so.
    unexplained : int
        Rows that break the rule and are listed nowhere.
    examples : tuple of dict
        The first of those.
    """

    name: str
    says: str
    checked: int
    known: tuple[dict[str, Any], ...]
    unexplained: int
    examples: tuple[dict[str, Any], ...]

    @property
    def holds(self) -> bool:
        """Whether every row keeps the rule or is listed, and every listed one still breaks it."""
        return not self.unexplained and all(one["found"] == one["rows"] for one in self.known)


Check = Callable[[Any], tuple[int, pl.DataFrame]]


@dataclass(frozen=True)
class Invariant:
    """A rule over tables: the sources it reads, and what finds the rows that break it."""

    name: str
    says: str
    sources: tuple[str, ...]
    check: Check


_INVARIANTS: dict[str, Invariant] = {}


def invariant(says: str, *sources: str) -> Callable[[Check], Check]:
    """Register a function that returns the rows looked at and the rows that break the rule."""

    def register(check: Check) -> Check:
        name = check.__name__
        _INVARIANTS[name] = Invariant(name, says, sources, check)
        return check

    return register


def invariants() -> Mapping[str, Invariant]:
    """Return every invariant by name."""
    return dict(_INVARIANTS)


def load_exceptions(config_dir: Path) -> dict[str, tuple[KnownException, ...]]:
    """Read config/invariants.yaml; none if there is no such file.

    Raises
    ------
    ConfigError
        If it breaks a rule or names an invariant that doesn't exist.
    """
    path = config_dir / "invariants.yaml"
    if not path.is_file():
        return {}
    listed = parse_model(InvariantFile, read_yaml(path), path.name).exceptions
    for name in listed:
        if name not in _INVARIANTS:
            raise ConfigError(
                f'{path.name}: there is no invariant "{name}". {nearest(name, _INVARIANTS)}'
            )
    return listed


class _Among:
    """Tables of which only some sources are looked at."""

    def __init__(self, tables: Tables, among: Collection[str]) -> None:
        self.project = tables.project
        self.get = tables.get
        self.coverage = tables.coverage
        self._tables, self._among = tables, among

    def has(self, source: str) -> bool:
        """Whether a source is among them and its tables stand there."""
        return source in self._among and self._tables.has(source)


def check_invariants(
    tables: Tables,
    names: Sequence[str] | None = None,
    simulated: bool = False,
    among: Collection[str] | None = None,
) -> list[Finding]:
    """Check every invariant whose tables are at hand.

    Parameters
    ----------
    tables : Tables
    names : sequence of str, optional
        Only these.
    simulated : bool
        The tables are a simulated world's: the known exceptions of the real files aren't theirs.
    among : collection of str, optional
        Look at these sources only, so that what is found depends on nothing else.
    """
    seen = tables if among is None else _Among(tables, among)
    known = {} if simulated else load_exceptions(tables.project.config_dir)
    chosen = _INVARIANTS if names is None else {name: _INVARIANTS[name] for name in names}
    return [
        _find(one, seen, known.get(one.name, ()))
        for one in chosen.values()
        if all(seen.has(source) for source in one.sources)
    ]


def _find(one: Invariant, tables: Tables | _Among, known: Sequence[KnownException]) -> Finding:
    checked, broken = one.check(tables)
    left = broken.with_columns(_explained=pl.lit(value=False))
    listed = []
    for item in known:
        here = pl.all_horizontal(
            [
                pl.col(column).is_in(list(value)) if isinstance(value, tuple) else
                pl.col(column) == value
                for column, value in item.where.items()
            ]
        ) if item.where else pl.lit(value=True)  # fmt: skip
        fitting = here.fill_null(value=False) & ~pl.col("_explained")
        found = left.filter(fitting).height
        left = left.with_columns(_explained=pl.col("_explained") | fitting)
        shown = ", ".join(
            f"{column} {' or '.join(map(str, value)) if isinstance(value, tuple) else value}"
            for column, value in item.where.items()
        )
        listed.append({"where": shown, "rows": item.rows, "found": found, "reason": item.reason})
    rest = left.filter(~pl.col("_explained")).drop("_explained")
    return Finding(
        one.name, one.says, checked, tuple(listed), rest.height,
        tuple(rest.head(10).iter_rows(named=True)),
    )  # fmt: skip


def _members(tables: Tables) -> pl.DataFrame:
    return tables.get("cow_states", "states").select("ccode", entered="start", left="end")


def _outside(rows: pl.DataFrame, tables: Tables, day_from: str, day_to: str) -> pl.DataFrame:
    """Return rows whose state (ccode) was a member on no day from `day_from` to `day_to`."""
    numbered = rows.with_row_index("_at")
    inside = (
        numbered.join(_members(tables), on="ccode")
        .filter((pl.col("entered") <= pl.col(day_to)) & (pl.col("left") >= pl.col(day_from)))
        .select("_at")
        .unique()
    )
    return numbered.join(inside, on="_at", how="anti").drop("_at")


@invariant(
    "A member of an ATOP alliance is a member of the COW system on the day it enters if ATOP says "
    "so (cowsys), and is not if ATOP says not.",
    "atop", "cow_states",
)  # fmt: skip
def alliance_members_are_states(tables: Tables) -> tuple[int, pl.DataFrame]:
    """Compare ATOP's cowsys with the membership list, on the first day of each row."""
    last = pl.date(tables.coverage("cow_states")[1], 12, 31)
    rows = (
        tables.get("atop", "members")
        .select("atopid", "phase", "start", "cowsys", ccode="member")
        .filter(pl.col("start").dt.year().ge(1816) & (pl.col("start") <= last))
    )
    outside = _outside(rows, tables, "start", "start")
    inside = rows.join(outside, on=rows.columns, how="anti", nulls_equal=True)
    broken = pl.concat([outside.filter(cowsys=1), inside.filter(cowsys=0)])
    return rows.height, broken.sort("atopid", "ccode", "phase")


@invariant(
    "A state that fights a COW inter-state war is a member of the system on the day it enters.",
    "cow_interstate_wars", "cow_states",
)  # fmt: skip
def war_participants_existed(tables: Tables) -> tuple[int, pl.DataFrame]:
    """Look each spell of fighting up in the membership list."""
    wars = tables.get("cow_interstate_wars", "participants")
    spells = pl.concat(
        [
            wars.select("warnum", "ccode", start=f"start{spell}", end=f"end{spell}")
            for spell in (1, 2)
        ]
    ).drop_nulls("start")
    return spells.height, _outside(spells, tables, "start", "start").sort("warnum", "ccode")


@invariant("A COW inter-state war has a state on each of two sides.", "cow_interstate_wars")
def wars_have_two_sides(tables: Tables) -> tuple[int, pl.DataFrame]:
    """Count the sides of each war."""
    wars = tables.get("cow_interstate_wars", "participants")
    sides = wars.group_by("warnum").agg(sides=pl.col("side").n_unique()).sort("warnum")
    return sides.height, sides.filter(pl.col("sides") != 2)


@invariant(
    "A state in a COW dispute is a member of the system on a day on which it may have been in it.",
    "mid", "cow_states",
)  # fmt: skip
def dispute_participants_existed(tables: Tables) -> tuple[int, pl.DataFrame]:
    """Look each spell of participation up in the membership list."""
    rows = tables.get("mid", "participants").select("dispnum", "ccode", "start_min", "end_max")
    return rows.height, _outside(rows, tables, "start_min", "end_max").sort("dispnum", "ccode")


@invariant("A COW dispute has a state on each of two sides.", "mid")
def disputes_have_two_sides(tables: Tables) -> tuple[int, pl.DataFrame]:
    """Count the sides of each dispute."""
    rows = tables.get("mid", "participants")
    sides = rows.group_by("dispnum").agg(sides=pl.col("sidea").n_unique()).sort("dispnum")
    return sides.height, sides.filter(pl.col("sides") != 2)


@invariant(
    "Both states of a GML dispute-dyad-year are members of the system on a day of the year.",
    "gml_mid", "cow_states",
)  # fmt: skip
def gml_dyads_existed(tables: Tables) -> tuple[int, pl.DataFrame]:
    """Look the first state of each directed row up; the other direction has the other."""
    rows = tables.get("gml_mid", "directed").select(
        "dispnum", "ccode2", "year", ccode="ccode1",
        first=pl.date(pl.col("year"), 1, 1), last=pl.date(pl.col("year"), 12, 31),
    )  # fmt: skip
    broken = _outside(rows, tables, "first", "last").drop("first", "last")
    return rows.height, broken.sort("dispnum", "ccode", "year")


@invariant("GML has every dispute-dyad-year in both directions.", "gml_mid")
def gml_dyads_are_mirrored(tables: Tables) -> tuple[int, pl.DataFrame]:
    """Look for rows without their mirror."""
    rows = tables.get("gml_mid", "directed").select("dispnum", "ccode1", "ccode2", "year")
    mirror = rows.select("dispnum", "year", ccode1="ccode2", ccode2="ccode1")
    return rows.height, rows.join(mirror, on=rows.columns, how="anti")


@invariant("Contiguity is the same from both sides.", "cow_contiguity")
def contiguity_is_symmetric(tables: Tables) -> tuple[int, pl.DataFrame]:
    """Look for pairs without their mirror, or with another kind of contiguity there."""
    rows = tables.get("cow_contiguity", "dyad_years").select("ccode1", "ccode2", "year", "conttype")
    mirror = rows.select("year", "conttype", ccode1="ccode2", ccode2="ccode1")
    return rows.height, rows.join(mirror, on=rows.columns, how="anti")


@invariant(
    "Two contiguous states are both members of the system on a day of the year.",
    "cow_contiguity", "cow_states",
)  # fmt: skip
def contiguous_states_existed(tables: Tables) -> tuple[int, pl.DataFrame]:
    """Look the first state of each pair up; contiguity is symmetric."""
    rows = tables.get("cow_contiguity", "dyad_years").select(
        "ccode2", "year", ccode="ccode1",
        first=pl.date(pl.col("year"), 1, 1), last=pl.date(pl.col("year"), 12, 31),
    )  # fmt: skip
    broken = _outside(rows, tables, "first", "last").drop("first", "last")
    return rows.height, broken.sort("ccode", "ccode2", "year")


CINC_SLACK = 5e-4


@invariant(
    "The capability shares (CINC) of all states sum to one in each year, to three digits.",
    "cow_nmc",
)  # fmt: skip
def capabilities_sum_to_one(tables: Tables) -> tuple[int, pl.DataFrame]:
    """Sum CINC by year; `gaps` is 1 in a year in which an indicator of some state is unknown."""
    indicators = ("milex", "milper", "irst", "pec", "tpop", "upop")
    unknown = pl.any_horizontal(pl.col(name).is_null() for name in indicators)
    sums = (
        tables.get("cow_nmc", "state_years")
        .group_by("year")
        .agg(total=pl.col("cinc").sum(), gaps=unknown.any().cast(pl.Int8))
        .sort("year")
    )
    off = (pl.col("total") - 1).abs() > CINC_SLACK
    return sums.height, sums.filter(off)


@invariant(
    "Capabilities are known for every state-year of the system, and for no other.",
    "cow_nmc", "cow_states",
)  # fmt: skip
def capabilities_cover_the_system(tables: Tables) -> tuple[int, pl.DataFrame]:
    """Compare the keys of both."""
    system = tables.get("cow_states", "system").select("ccode", "year")
    known = tables.get("cow_nmc", "state_years").select("ccode", "year")
    broken = pl.concat(
        [
            system.join(known, on=system.columns, how="anti").with_columns(of=pl.lit("system")),
            known.join(system, on=system.columns, how="anti").with_columns(of=pl.lit("nmc")),
        ]
    )
    return system.height, broken.sort("ccode", "year")


# Tables with a beginning and an end, as days or years.
_SPELLS = (
    ("atop", "members", "start", "end"), ("cow_states", "states", "start", "end"),
    ("cow_states", "majors", "start", "end"), ("mid", "participants", "start_min", "end_max"),
    ("mid", "disputes", "start_min", "end_max"),
    ("cow_interstate_wars", "participants", "start1", "end1"),
    ("cow_interstate_wars", "participants", "start2", "end2"),
    ("cow_extrastate_wars", "participants", "start1", "end1"),
    ("cow_intrastate_wars", "wars", "start1", "end1"), ("archigos", "leaders", "start", "end"),
    ("capitals", "spells", "start", "end"), ("icb", "crises", "start_min", "end_max"),
    ("gleditsch_wars", "participants", "sdate1", "edate1"), ("iwd", "initiation_years", "start1",
    "end1"), ("rivalries_td", "spells", "styear", "endyear"),
    ("rivalries_tss", "spells", "styear", "endyear"), ("arms_races", "spells", "styear", "endyear"),
    ("cow_contiguity_spells", "spells", "start", "end_max"),
)  # fmt: skip


@invariant("Nothing ends before it begins.", "atop", "cow_states", "mid", "cow_interstate_wars")
def durations_are_not_negative(tables: Tables) -> tuple[int, pl.DataFrame]:
    """Compare the beginning and the end of every spell in the tables that are at hand."""
    checked, broken = 0, []
    for source, table, begins, ends in _SPELLS:
        if not tables.has(source):
            continue
        rows = tables.get(source, table).drop_nulls([begins, ends])
        checked += rows.height
        wrong = rows.filter(pl.col(ends) < pl.col(begins))
        broken.append(
            wrong.select(
                source=pl.lit(f"{source}/{table}"),
                begins=pl.col(begins).cast(pl.String),
                ends=pl.col(ends).cast(pl.String),
            )
        )
    return checked, pl.concat(broken)


@invariant("An ATOP alliance has two members or more at some time.", "atop")
def alliances_have_two_members(tables: Tables) -> tuple[int, pl.DataFrame]:
    """Count the members of each alliance."""
    counted = (
        tables.get("atop", "members")
        .group_by("atopid")
        .agg(members=pl.col("member").n_unique())
        .sort("atopid")
    )
    return counted.height, counted.filter(pl.col("members") < 2)
