"""A user's own covariate from a file and a YAML, with no Python: declared, checked, attached.

The YAML names a CSV, parquet or Stata file beside it, the key, the columns and what a missing row
means; it stands in config/covariates/ or in a folder of config's `covariate_dirs`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from foedus.config import Project, Strict, parse_model, read_yaml
from foedus.covariates.context import (
    Context,
    dyad_cube,
    dyad_positions,
    empty_dyads,
    refuse_repeats,
    state_cube,
)
from foedus.covariates.registry import Collapse, ColumnSpec, Kind, covariate
from foedus.covariates.values import DyadYears, StateYears, Values, missing_of
from foedus.errors import ConfigError, InputError, nearest

KEYS = (("ccode",), ("ccode", "year"), ("ccode1", "ccode2"), ("ccode1", "ccode2", "year"))


class UserColumn(Strict):
    """One column of a user's file."""

    says: str = Field(description="Definition, shown in the codebook")
    unit: str = Field("", description="Unit of measurement")
    kind: Kind = Field("number", description="flag, count, category, integer or number")
    collapse: Collapse = Field("none", description="How two directions become one: max, min, ...")


class UserCovariate(Strict):
    """A user's covariate YAML.

    Attributes
    ----------
    name, title : str
    file : str
        CSV, CSV.gz, parquet or Stata file, relative to the YAML.
    key : tuple of str
        (ccode), (ccode, year), (ccode1, ccode2) or (ccode1, ccode2, year), COW codes.
    directed : bool
        In dyads: whether a row speaks of 1 -> 2 only. When False a row holds for both directions.
    columns : mapping of column name to UserColumn
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


def register_user_covariates(project: Project) -> list[str]:
    """Register every user covariate YAML of a project and return their names.

    Raises
    ------
    ConfigError
        If a YAML breaks a rule.
    """
    folders = [project.root / "config" / "covariates"]
    folders += [project.root / folder for folder in project.config.covariate_dirs]
    names = []
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            names.append(_register(path))
    return names


def _register(path: Path) -> str:
    declared = parse_model(UserCovariate, read_yaml(path), path.name)
    if declared.key not in KEYS:
        shown = "; ".join(", ".join(key) for key in KEYS)
        raise ConfigError(f"{path.name}: key: {list(declared.key)} is not one of: {shown}.")
    dyadic = "ccode1" in declared.key
    covariate(
        name=declared.name,
        title=declared.title,
        columns=[
            ColumnSpec(
                column,
                facts.kind,
                facts.says,
                unit=facts.unit,
                level="dyad" if dyadic else "state",
                collapse=facts.collapse if declared.directed else "same",
                absent=declared.absent,
            )
            for column, facts in declared.columns.items()
        ],
        sources=(),
        citations=(),
        window=declared.coverage,
        says_citation=declared.citation,
    )(partial(_build, declared, path))
    return declared.name


def _build(declared: UserCovariate, path: Path, context: Context) -> dict[str, Values]:
    facts = read_facts(declared, path.parent / declared.file)
    scatter = _dyad_values if "ccode1" in declared.key else _state_values
    return {name: scatter(declared, context, facts, name) for name in declared.columns}


_READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".csv": partial(pl.read_csv, infer_schema_length=None),
    ".csv.gz": partial(pl.read_csv, infer_schema_length=None),
    ".parquet": pl.read_parquet,
}


def _read_stata(path: Path) -> pl.DataFrame:
    import pandas as pd

    return pl.from_pandas(pd.read_stata(path, convert_categoricals=False))


def read_facts(declared: UserCovariate, path: Path) -> pl.DataFrame:
    """Read a user's file: its keys as integers and its columns as numbers.

    Raises
    ------
    InputError
        Naming the file, the row, the column, the value and the rule: file absent or unreadable, a
        column missing, a key that is empty or no whole number, a value that is no number.
    """
    readers = {**_READERS, ".dta": _read_stata}
    fitting = [ending for ending in readers if path.name.endswith(ending)]
    ending = max(fitting, key=len, default=None)
    if ending is None:
        raise InputError(f"{path.name}: a covariate's file ends in {', '.join(sorted(readers))}.")
    if not path.is_file():
        raise InputError(f"{declared.name}: no file {path.name} beside its YAML. Put it there.")
    try:
        facts = readers[ending](path)
    except (pl.exceptions.PolarsError, ValueError, OSError) as error:
        raise InputError(f"{path.name}: can't be read as {ending}: {error}.") from error
    for column in (*declared.key, *declared.columns):
        if column not in facts.columns:
            raise InputError(f'{path.name}: no column "{column}". {nearest(column, facts.columns)}')
    keys = [_whole(path, facts, column) for column in declared.key]
    values = [_numbers(path, facts, column) for column in declared.columns]
    return pl.DataFrame([*keys, *values])


def _whole(path: Path, facts: pl.DataFrame, column: str) -> pl.Series:
    numbers = _numbers(path, facts, column)
    wrong = numbers.is_null() | (numbers != numbers.floor())
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise InputError(
            f"{path.name}, row {row + 1}, column {column}: found {facts[column][row]!r} where the "
            "key asks for a whole number (COW code or year)."
        )
    return numbers.cast(pl.Int64)


def _numbers(path: Path, facts: pl.DataFrame, column: str) -> pl.Series:
    numbers = facts[column].cast(pl.Float64, strict=False).fill_nan(None)
    wrong = numbers.is_null() & facts[column].is_not_null()
    if facts[column].dtype.is_float():
        wrong &= facts[column].is_not_nan()
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise InputError(
            f"{path.name}, row {row + 1}, column {column}: found {facts[column][row]!r} where a "
            "number belongs; leave missing values empty."
        )
    return numbers


def _state_values(
    declared: UserCovariate, context: Context, facts: pl.DataFrame, column: str
) -> Values:
    system = context.system
    ccode, values = facts["ccode"].to_numpy(), _floats(facts[column])
    _refuse_unknown(declared, ccode, system.index(ccode))
    if "year" in declared.key:
        year = facts["year"].to_numpy()
        cube = state_cube(system, ccode, year, values, declared.file)
        has_row = ~np.isnan(state_cube(system, ccode, year, np.ones(len(ccode)), declared.file))
    else:
        state = system.index(ccode)
        refuse_repeats(state, np.ones(len(state), bool), {"ccode": ccode}, declared.file)
        cube = np.full((system.n_states, system.n_years), np.nan)
        cube[state] = values[:, None]
        has_row = np.isin(np.arange(system.n_states), state)[:, None]
    if declared.absent == "zero":
        cube = np.where(has_row, cube, 0.0)
    return StateYears(_typed(declared, column, cube))


def _dyad_values(
    declared: UserCovariate, context: Context, facts: pl.DataFrame, column: str
) -> Values:
    system = context.system
    first, second = facts["ccode1"].to_numpy(), facts["ccode2"].to_numpy()
    for ccode in (first, second):
        _refuse_unknown(declared, ccode, system.index(ccode))
    values = _floats(facts[column])
    # A row whose value is empty stays missing; only the absence of a row can mean 0.
    cube = empty_dyads(system, np.float64, 0.0 if declared.absent == "zero" else np.nan)
    keys: dict[str, NDArray[Any]] = {"ccode1": first, "ccode2": second}
    years = [facts["year"].to_numpy()] if "year" in declared.key else [
        np.full(len(first), year) for year in system.years
    ]  # fmt: skip
    pairs = [(first, second)] if declared.directed else [(first, second), (second, first)]
    for year in years:
        if "year" in declared.key:
            keys["year"] = year
        for sender, receiver in pairs:
            position, inside = dyad_positions(system, sender, receiver, year)
            refuse_repeats(position, inside, keys, declared.file)
            cube[position] = values[inside]
    return DyadYears(_typed(declared, column, dyad_cube(system, cube)))


def _floats(values: pl.Series) -> NDArray[np.float64]:
    return values.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _typed(declared: UserCovariate, column: str, cube: NDArray[np.float64]) -> NDArray[Any]:
    """Make whole-numbered kinds integers."""
    kind = declared.columns[column].kind
    if kind == "number":
        return cube
    broken = ~np.isnan(cube) & (cube != np.floor(cube))
    if broken.any():
        raise InputError(
            f"{declared.file}, column {column}: found {cube[broken][0]:g} where kind {kind} asks "
            "for whole numbers; declare kind: number."
        )
    dtype = np.dtype(np.int8 if kind == "flag" else np.int32)
    return np.where(np.isnan(cube), missing_of(dtype), np.nan_to_num(cube)).astype(dtype)


def _refuse_unknown(declared: UserCovariate, ccode: NDArray[Any], state: NDArray[np.int64]) -> None:
    unknown = np.unique(ccode[state < 0])
    if len(unknown):
        shown = ", ".join(map(str, unknown[:8].tolist()))
        raise InputError(
            f"{declared.file}: {len(unknown)} codes are no COW state ({shown}); mend them, or "
            "leave those rows out."
        )
