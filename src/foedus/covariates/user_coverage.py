"""What of a user's file found a row of a unit, and what of the unit found none in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from foedus import store
from foedus.covariates.user_files import UserCovariate
from foedus.covariates.user_reading import STATES, read_facts
from foedus.errors import UsageError
from foedus.panels.units import build_spine, get_unit
from foedus.sources.country_keys import NO_STATE
from foedus.sources.tables import Tables

if TYPE_CHECKING:
    from foedus.config import Project

SHOWN = 10
_UNIT_OF: Mapping[tuple[str, ...], str] = {
    ("ccode",): "state-year",
    ("ccode", "year"): "state-year",
    ("year",): "system-year",
    ("atopid",): "alliance",
    ("atopid", "year"): "alliance-year",
    ("atopid", "ccode"): "alliance-member-year",
    ("atopid", "ccode", "year"): "alliance-member-year",
    ("warnum",): "war",
    ("warnum", "ccode"): "war-participant",
    ("dispnum",): "dispute",
    ("dispnum", "ccode"): "dispute-participant",
    ("dispnum", "ccode1", "ccode2"): "dispute-dyad-year",
}


@dataclass(frozen=True)
class Coverage:
    """How a user's file and a unit's rows meet.

    Attributes
    ----------
    name, file, unit : str
    years : tuple of int
        Years of the unit's rows that were looked at.
    key : tuple of str
    file_rows : int
    file_matched : int
        Rows of the file whose key stands among the unit's rows.
    file_no_state : int
        Rows of territories that are known and no COW state.
    file_unmatched : int
        Other rows whose key stands in none (a state that was no member that year, another year).
    file_examples : tuple of dict
        The first of those.
    unit_rows, unit_matched, unit_unmatched : int
        Rows of the unit inside the coverage, with a row of the file, and without.
    unit_examples : tuple of dict
        The first without.
    missing : dict
        Column to the number of matched rows of the file in which it is empty.
    duplicates : int
        Repeated keys of the file: 0, since a file with any is refused with its rows.
    """

    name: str
    file: str
    unit: str
    years: tuple[int, int]
    key: tuple[str, ...]
    file_rows: int
    file_matched: int
    file_no_state: int
    file_unmatched: int
    file_examples: tuple[dict[str, int], ...]
    unit_rows: int
    unit_matched: int
    unit_unmatched: int
    unit_examples: tuple[dict[str, int], ...]
    missing: dict[str, int]
    duplicates: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def unit_of(declared: UserCovariate) -> str:
    """Return the unit that a file's rows are mostly about."""
    if declared.level == "dyad":
        return "directed-dyad-year" if declared.directed else "dyad-year"
    return _UNIT_OF[declared.key]


def coverage_of(
    tables: Tables,
    declared: UserCovariate,
    yaml: Path,
    unit: str | None = None,
    years: tuple[int, int] | None = None,
) -> Coverage:
    """Compare a user's file with the rows of a unit.

    Parameters
    ----------
    tables : Tables
    declared : UserCovariate
    yaml : Path
        Where it is declared; its file stands beside it.
    unit : str, optional
        By default the unit that its rows are mostly about.
    years : tuple of int, optional
        By default the years of its coverage that the unit has.

    Raises
    ------
    InputError
        If the file breaks a rule.
    UsageError
        If the unit hasn't the file's key, or no year of its coverage.
    """
    chosen = get_unit(unit or unit_of(declared))
    if not set(declared.key) <= set(chosen.keys):
        raise UsageError(
            f"{declared.name}: its key is {', '.join(declared.key)}, the rows of {chosen.name} are "
            f"told apart by {', '.join(chosen.keys)}. Ask for {unit_of(declared)}."
        )
    known = tables.coverage(chosen.years_of)
    asked = years or declared.coverage
    span = (max(asked[0], known[0]), min(asked[1], known[1]))
    if span[0] > span[1]:
        raise UsageError(
            f"{declared.name}: of the years {asked[0]}-{asked[1]} {chosen.name} has none; its rows "
            f"are known for {known[0]}-{known[1]}."
        )
    facts = read_facts(declared.reading(yaml, tables.project.config_dir))
    keys = list(declared.key)
    rows = pl.DataFrame(
        {name: values.astype("int64") for name, values in build_spine(tables, chosen.name, span)
         .keys.items()}
    )  # fmt: skip
    both = facts
    if "ccode1" in keys and not declared.directed:
        turned = facts.rename({"ccode1": "ccode2", "ccode2": "ccode1"}).select(facts.columns)
        both = pl.concat([facts, turned])
    found = rows.join(both.select(keys).unique(), on=keys, how="semi", maintain_order="left")
    without = rows.join(both.select(keys), on=keys, how="anti", maintain_order="left")
    matched = both.join(rows.select(keys).unique(), on=keys, how="semi").unique("row")
    no_state = facts.filter(
        pl.any_horizontal(pl.col(key) == NO_STATE for key in keys if key in STATES)
        if set(keys) & set(STATES)
        else pl.lit(value=False)
    )
    unmatched = facts.filter(
        ~pl.col("row").is_in(pl.concat([matched["row"], no_state["row"]]).implode())
    )
    return Coverage(
        name=declared.name,
        file=declared.file,
        unit=chosen.name,
        years=span,
        key=declared.key,
        file_rows=facts.height,
        file_matched=matched.height,
        file_no_state=no_state.height,
        file_unmatched=unmatched.height,
        file_examples=_examples(unmatched.select("row", *keys)),
        unit_rows=rows.height,
        unit_matched=found.height,
        unit_unmatched=without.height,
        unit_examples=_examples(without),
        missing={column: matched[column].null_count() for column in declared.columns},
    )


def _examples(rows: pl.DataFrame) -> tuple[dict[str, int], ...]:
    return tuple(rows.head(SHOWN).iter_rows(named=True))


def describe(coverage: Coverage) -> list[str]:
    """Return a coverage as lines for people."""
    first, last = coverage.years
    lines = [
        f"{coverage.name}: {coverage.file} on {coverage.unit} {first}-{last}, by "
        f"{', '.join(coverage.key)}",
        f"  rows of the file: {coverage.file_rows:,}; {coverage.file_matched:,} matched, "
        f"{coverage.file_unmatched:,} unmatched, {coverage.file_no_state:,} of territories that "
        f"are no COW state, {coverage.duplicates} repeated keys",
        f"  rows of the unit: {coverage.unit_rows:,}; {coverage.unit_matched:,} with a row of the "
        f"file, {coverage.unit_unmatched:,} without",
    ]
    for column, empty in coverage.missing.items():
        if empty:
            lines.append(f"  {column}: empty in {empty:,} matched rows of the file")
    lines += [f"  no row of the unit: {_said(one)}" for one in coverage.file_examples]
    lines += [f"  no row of the file: {_said(one)}" for one in coverage.unit_examples]
    return lines


def _said(row: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items())


def stored_path(project: Project, name: str) -> Path:
    """Return where a covariate's coverage is kept for the report."""
    return project.data / "user_covariates" / f"{name}.json"


def keep(project: Project, coverage: Coverage) -> Path:
    """Write a coverage where the report looks for it."""
    path = stored_path(project, coverage.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    store.write_json(path, coverage.as_dict())
    return path


def kept(project: Project) -> list[dict[str, Any]]:
    """Return the coverages that were kept, by name."""
    folder = project.data / "user_covariates"
    return [store.read_json(path) for path in sorted(folder.glob("*.json"))]
