"""A user's own covariate from a file and a YAML, with no Python: declared, checked, attached.

The YAML names a CSV, parquet, Excel or Stata file beside it, the key, what states are called there,
the columns and what a missing row means; it stands in config/covariates/ or in a folder of config's
`covariate_dirs`. A Python file in such a folder may declare covariates with ``@fd.covariate``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from foedus.config import Project, Strict, parse_model, read_yaml
from foedus.covariates.alliance_facts import on_rows
from foedus.covariates.context import (
    Context,
    dyad_cube,
    dyad_positions,
    empty_dyads,
    state_cube,
)
from foedus.covariates.registry import (
    Collapse,
    ColumnSpec,
    Kind,
    Level,
    covariate,
    covariate_names,
)
from foedus.covariates.user_reading import ROW, STATES, UserFile, read_facts
from foedus.covariates.values import DyadYears, Rows, StateYears, Values, missing_of
from foedus.errors import InputError
from foedus.panels.units import units
from foedus.sources.country_keys import NO_STATE, Codes
from foedus.sources.user_code import run_user_code

STATE_KEYS = (("ccode",), ("ccode", "year"))
DYAD_KEYS = (("ccode1", "ccode2"), ("ccode1", "ccode2", "year"))
ROW_KEYS = (
    ("year",),
    ("atopid",), ("atopid", "year"), ("atopid", "ccode"), ("atopid", "ccode", "year"),
    ("warnum",), ("warnum", "ccode"),
    ("dispnum",), ("dispnum", "ccode"), ("dispnum", "ccode1", "ccode2"),
)  # fmt: skip
KEYS = (*STATE_KEYS, *DYAD_KEYS, *ROW_KEYS)


class UserColumn(Strict):
    """One column of a user's file."""

    says: str = Field(description="Definition, shown in the codebook")
    unit: str = Field("", description='Unit of measurement; "0/1" of a flag that names none')
    kind: Kind = Field("number", description="flag, count, category, integer or number")
    collapse: Collapse = Field("none", description="How two directions become one: max, min, ...")


class UserCovariate(Strict):
    """A user's covariate YAML.

    Attributes
    ----------
    name, title : str
    file : str
        CSV, CSV.gz, parquet, Excel (.xlsx) or Stata file, relative to the YAML.
    sheet : str or int
        Of a workbook: a sheet's name, or its place (1 is the first).
    key : tuple of str
        One of `KEYS`: what a row is about.
    key_columns : mapping
        The file's column for each key that is called otherwise there.
    codes : str
        What states are called in the file: cow or gw (numbers), iso3, iso_numeric, or name.
    directed : bool
        In dyads: whether a row speaks of 1 -> 2 only. When False a row holds for both directions.
    columns : mapping of column name to UserColumn
    present : str, optional
        Name of a column that is 1 where the file has a row and 0 where not: a panel of one's own
        is the rows of a unit where it is 1.
    absent : str
        What no row means inside the coverage: "zero" or "missing".
    coverage : tuple of int
        First and last year for which the file can be asked; outside them all is missing.
    citation : str
        Where the data come from, in words.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    file: str
    key: tuple[str, ...]
    columns: dict[str, UserColumn]
    absent: Literal["zero", "missing"]
    coverage: tuple[int, int]
    citation: str
    directed: bool = False
    sheet: str | int = 1
    key_columns: dict[str, str] = Field(default_factory=dict)
    codes: Codes = "cow"
    present: str | None = Field(None, pattern=r"^[a-z][a-z0-9_]*$")

    @model_validator(mode="after")
    def _consistent(self) -> UserCovariate:
        if self.key not in KEYS:
            shown = "; ".join(", ".join(key) for key in KEYS)
            raise ValueError(f"key: {list(self.key)} is not one of: {shown}")
        for key in self.key_columns:
            if key not in self.key:
                raise ValueError(f"key_columns: {key} is no part of the key {list(self.key)}")
        if self.coverage[0] > self.coverage[1]:
            raise ValueError(f"coverage runs backwards: {self.coverage[0]} to {self.coverage[1]}")
        if self.present in self.columns:
            raise ValueError(f"present: {self.present} is the name of a column of the file")
        wordy = [name for name, one in self.columns.items() if one.kind == "text"]
        if wordy:
            raise ValueError(f"columns: {wordy[0]}: text can't be a variable; give codes a number")
        return self

    @property
    def level(self) -> Level:
        """Whether a row is about a state, a dyad, or rows of units that have its key."""
        if self.key in STATE_KEYS:
            return "state"
        return "dyad" if self.key in DYAD_KEYS else "row"

    @property
    def units(self) -> tuple[str, ...]:
        """Units that a covariate by rows stands on: those that have all of its key."""
        if self.level != "row":
            return ()
        return tuple(one.name for one in units().values() if set(self.key) <= set(one.keys))

    def reading(self, path: Path, config_dir: Path) -> UserFile:
        """Return what is to be read of its file, which stands beside the YAML at `path`."""
        return UserFile(
            self.name, path.parent / self.file, self.key, self.key_columns, self.codes,
            tuple(self.columns), self.directed, self.sheet, config_dir,
        )  # fmt: skip


def user_folders(project: Project) -> list[Path]:
    """Return config/covariates and the folders of `covariate_dirs`."""
    folders = [project.root / "config" / "covariates"]
    return folders + [project.root / folder for folder in project.config.covariate_dirs]


def user_covariates(project: Project) -> Iterator[tuple[Path, UserCovariate]]:
    """Yield each YAML of a project's user covariates with what it declares, sorted by name.

    Raises
    ------
    ConfigError
        If a YAML breaks a rule.
    """
    for folder in user_folders(project):
        for path in sorted(folder.glob("*.yaml")):
            yield path, parse_model(UserCovariate, read_yaml(path), path.name)


def register_user_covariates(project: Project) -> list[str]:
    """Register every user covariate of a project, YAML or Python, and return their names.

    Raises
    ------
    ConfigError
        If a YAML breaks a rule or a Python file can't be run.
    """
    names = [_register(path, one, project) for path, one in user_covariates(project)]
    before = set(covariate_names())
    for folder in user_folders(project):
        run_user_code(folder)
    return names + [name for name in covariate_names() if name not in before]


def _register(path: Path, declared: UserCovariate, project: Project) -> str:
    columns = [
        ColumnSpec(
            column,
            facts.kind,
            facts.says,
            unit=facts.unit or ("0/1" if facts.kind == "flag" else ""),
            level=declared.level,
            collapse=facts.collapse if declared.directed else "same",
            absent=declared.absent,
        )
        for column, facts in declared.columns.items()
    ]
    if declared.present:
        says = f"1 where {declared.file} has a row, 0 where it has none."
        collapse: Collapse = "max" if declared.directed else "same"
        flag = ColumnSpec(declared.present, "flag", says, level=declared.level, collapse=collapse)
        columns.append(flag)
    covariate(
        name=declared.name,
        title=declared.title,
        columns=columns,
        sources=(),
        citations=(),
        units=declared.units,
        window=declared.coverage,
        says_citation=declared.citation,
        says_source=declared.file,
    )(partial(_build, declared, path, project.config_dir))
    return declared.name


def _build(
    declared: UserCovariate, path: Path, config_dir: Path, context: Context
) -> dict[str, Values]:
    facts = context.shared(
        ("user file", declared.name), lambda: read_facts(declared.reading(path, config_dir))
    )
    facts = _known_states(declared, context, facts)
    if declared.present:
        facts = facts.with_columns(pl.lit(1.0).alias(declared.present))
    scatter = {"state": _state_values, "dyad": _dyad_values, "row": _row_values}[declared.level]
    asked = [name for name in (*declared.columns, declared.present) if name]
    return {name: scatter(declared, context, facts, name) for name in asked}


def _known_states(declared: UserCovariate, context: Context, facts: pl.DataFrame) -> pl.DataFrame:
    """Leave out territories that are no states; stop at a number that is no state of the system."""
    for key in set(declared.key) & set(STATES):
        facts = facts.filter(pl.col(key) != NO_STATE)
        unknown = facts.filter(context.system.index(facts[key].to_numpy()) < 0)
        # ATOP's members outside the system stand in units of alliances.
        if unknown.height and declared.level != "row":
            shown = ", ".join(map(str, unknown[key].unique().sort().to_list()[:8]))
            rows = ", ".join(map(str, unknown[ROW].to_list()[:8]))
            raise InputError(
                f"{declared.file}: {unknown[key].n_unique()} codes are no COW state ({shown}), in "
                f"{unknown.height} rows (the first: {rows}); mend them, or leave those rows out."
            )
    return facts


def _state_values(
    declared: UserCovariate, context: Context, facts: pl.DataFrame, column: str
) -> Values:
    system = context.system
    ccode, values = facts["ccode"].to_numpy(), _floats(facts[column])
    if "year" in declared.key:
        year = facts["year"].to_numpy()
        cube = state_cube(system, ccode, year, values, declared.file)
        has_row = ~np.isnan(state_cube(system, ccode, year, np.ones(len(ccode)), declared.file))
    else:
        state = system.index(ccode)
        cube = np.full((system.n_states, system.n_years), np.nan)
        cube[state] = values[:, None]
        has_row = np.isin(np.arange(system.n_states), state)[:, None]
    if _zero_without(declared, column):
        cube = np.where(has_row, cube, 0.0)
    return StateYears(_typed(declared, column, cube))


def _dyad_values(
    declared: UserCovariate, context: Context, facts: pl.DataFrame, column: str
) -> Values:
    system = context.system
    first, second = facts["ccode1"].to_numpy(), facts["ccode2"].to_numpy()
    values = _floats(facts[column])
    # A row whose value is empty stays missing; only the absence of a row can mean 0.
    cube = empty_dyads(system, np.float64, 0.0 if _zero_without(declared, column) else np.nan)
    years = [facts["year"].to_numpy()] if "year" in declared.key else [
        np.full(len(first), year) for year in system.years
    ]  # fmt: skip
    pairs = [(first, second)] if declared.directed else [(first, second), (second, first)]
    for year in years:
        for sender, receiver in pairs:
            position, inside = dyad_positions(system, sender, receiver, year)
            cube[position] = values[inside]
    return DyadYears(_typed(declared, column, dyad_cube(system, cube)))


def _row_values(
    declared: UserCovariate, context: Context, facts: pl.DataFrame, column: str
) -> Values:
    with_mark = facts.with_columns(__has_row=pl.lit(1.0)).select(
        *declared.key, pl.col(column), "__has_row"
    )
    kinds = {column: np.float64, "__has_row": np.float64}
    made = on_rows(context, with_mark, declared.key, kinds)
    values = made[column].data
    if _zero_without(declared, column):
        values = np.where(np.isnan(made["__has_row"].data), 0.0, values)
    return Rows(_typed(declared, column, values))


def _zero_without(declared: UserCovariate, column: str) -> bool:
    return declared.absent == "zero" or column == declared.present


def _floats(values: pl.Series) -> NDArray[np.float64]:
    return values.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _typed(declared: UserCovariate, column: str, cube: NDArray[np.float64]) -> NDArray[Any]:
    """Make whole-numbered kinds integers."""
    kind = "flag" if column == declared.present else declared.columns[column].kind
    if kind == "number":
        return cube
    broken = ~np.isnan(cube) & (cube != np.floor(cube))
    if broken.any():
        raise InputError(
            f"{declared.file}, column {column}: found {cube[broken][0]:g} where kind {kind} asks "
            "for whole numbers; declare kind: number."
        )
    dtype = np.dtype(np.int8 if kind == "flag" else np.int32)
    limits = np.iinfo(np.int32)
    if kind == "flag":
        broken = ~np.isnan(cube) & (cube != 0) & (cube != 1)
    else:
        broken = (cube <= limits.min) | (cube > limits.max)
    if broken.any():
        rule = "0 and 1" if kind == "flag" else f"numbers up to {limits.max}"
        raise InputError(
            f"{declared.file}, column {column}: found {cube[broken][0]:g} where kind {kind} asks "
            f"for {rule}."
        )
    return np.where(np.isnan(cube), missing_of(dtype), np.nan_to_num(cube)).astype(dtype)


def declared_covariate(project: Project, name: str) -> tuple[Path, UserCovariate] | None:
    """Return the YAML that declares a user's covariate, or None if none does."""
    for path, one in user_covariates(project):
        if one.name == name:
            return path, one
    return None
