"""Variables rebuilt from raw beside an author's file: row by row, and which rows disagree.

A row of the file is matched with the unit's row of the same keys. For each variable the two values
are compared where both are known; what is known on one side only is counted apart, and so are rows
that only one side has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from foedus.covariates.where import columns_in, keep_rows
from foedus.errors import InputError, MissingDataError
from foedus.studies.expressions import evaluate, names_in
from foedus.studies.frame import Frame, Workshop
from foedus.studies.ground import TableGround, UnitGround, split_table
from foedus.studies.schema import Design, Rebuild, Universe

TOLERANCE = 1e-5
"""Relative difference that still agrees by default: a file's single precision."""

SHOWN = 12
"""Groups of disagreeing rows of each variable that the study's page shows."""

_NUMBERS = ("in_file", "rebuilt", "difference")

DIFFERS, OURS_MISSING, THEIRS_MISSING = "differs", "not rebuilt", "missing in the file"
ONLY_THEIRS, ONLY_OURS = "row only in the file", "row only rebuilt"

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Rebuilt:
    """What the comparison found.

    Attributes
    ----------
    counts : dict
        rows_in_file, rows_matched, rows_only_in_file, rows_expected, rows_only_rebuilt.
    variables : list of dict
        One a comparison: known on both sides, agreeing, known on one side, correlation, means.
    rows : pyarrow.Table
        Every disagreeing row: keys, variable, kind, in_file, rebuilt, difference.
    """

    counts: dict[str, int | None]
    variables: list[dict[str, Any]]
    rows: pa.Table

    def as_detail(self, table: str) -> dict[str, Any]:
        """Return what the study's page shows."""
        return {
            "table": table,
            "counts": self.counts,
            "variables": self.variables,
            "first": _first(self.rows),
            "disagreeing": self.rows.num_rows,
        }


def rebuild(design: Design, workshop: Workshop) -> Rebuilt:
    """Rebuild the variables of a design's author and compare them with the file.

    Raises
    ------
    MissingDataError
        If the file or a source isn't at hand.
    InputError
        If no row of the file meets a row of the unit.
    """
    spec = design.rebuild
    table = design.rebuilt_table
    assert spec is not None
    assert table is not None
    frame = _ours(design, spec, workshop)
    keys = tuple(frame.ground.keys)
    source, name = split_table(table)
    theirs = TableGround(table, workshop.tables.get(source, name), {})
    their_rows = _kept(theirs, spec.where)
    their_keys = _their_keys(design, spec, theirs, their_rows, frame)
    position = _positions(frame, their_keys)
    matched = position >= 0
    if not matched.any():
        raise InputError(
            f"rebuild: no row of {table} has the {', '.join(keys)} of a {spec.unit} of "
            f"{spec.years[0]}-{spec.years[1]}. Check rebuild.keys."
        )
    sides = _Sides(frame, theirs, their_rows, their_keys, position)
    variables, parts = [], [_only_theirs(their_keys, matched)]
    for ours, expression in comparisons(spec, theirs.names).items():
        found, disagreeing = _compare(sides, ours, expression, spec.tolerance.get(ours))
        variables.append(found)
        parts.append(disagreeing)
    absent, expected = _only_ours(frame, spec, position)
    parts.append(absent)
    counts = {
        "rows_in_file": len(their_rows),
        "rows_matched": int(matched.sum()),
        "rows_only_in_file": int((~matched).sum()),
        "rows_expected": expected,
        "rows_only_rebuilt": None if expected is None else absent.height,
    }
    return Rebuilt(counts, variables, pl.concat(parts, how="diagonal").to_arrow())


def comparisons(spec: Rebuild, columns: tuple[str, ...]) -> dict[str, str]:
    """Return each rebuilt variable that is compared, and with what in the file."""
    alike = {name: name for name in spec.variables if name in columns}
    return {**alike, **spec.compare}


def _ours(design: Design, spec: Rebuild, workshop: Workshop) -> Frame:
    universe = Universe(unit=spec.unit, years=spec.years)
    return Frame(
        workshop, design.model_copy(update={"universe": universe, "variables": spec.variables})
    )


def _kept(theirs: TableGround, where: str | None) -> NDArray[np.int64]:
    if where is None:
        return np.arange(theirs.n_rows)
    columns = {name: theirs.own(name) for name in sorted(columns_in(where))}
    return np.flatnonzero(keep_rows(where, columns))


def _their_keys(
    design: Design, spec: Rebuild, theirs: TableGround, rows: NDArray[np.int64], frame: Frame
) -> pl.DataFrame:
    """Return the unit's keys as the file gives them; undirected pairs in order."""
    said = spec.keys or (design.universe.keys if design.universe else {})
    made: dict[str, Array] = {}
    for key in frame.ground.keys:
        if key not in said:
            raise InputError(f"rebuild.keys: {key} of a {spec.unit} isn't named.")
        made[key] = _value(said[key], theirs)[rows]
    assert isinstance(frame.ground, UnitGround)
    if "ccode1" in made and not frame.ground.builder.spine.directed:
        low = np.minimum(made["ccode1"], made["ccode2"])
        made["ccode2"] = np.maximum(made["ccode1"], made["ccode2"])
        made["ccode1"] = low
    return pl.DataFrame(made).with_columns(pl.all().fill_nan(None).cast(pl.Int32))


def _value(expression: str, theirs: TableGround) -> Array:
    if expression in theirs.names:
        return np.asarray(theirs.own(expression), np.float64)
    used = {name: theirs.own(name) for name in names_in(expression)}
    return evaluate(expression, used)


def _positions(frame: Frame, keys: pl.DataFrame) -> NDArray[np.int64]:
    """Return the unit's row of each row of the file, -1 where it has none."""
    own = {name: np.asarray(values, np.int32) for name, values in frame.ground.keys.items()}
    ours = pl.DataFrame(own).with_row_index("place")
    met = keys.join(ours, on=list(own), how="left", maintain_order="left", validate="m:1")
    return met["place"].cast(pl.Int64).fill_null(-1).to_numpy()


@dataclass(frozen=True)
class _Sides:
    """Both sides of the comparison: the file's rows that are compared, and where each is ours."""

    frame: Frame
    theirs: TableGround
    rows: NDArray[np.int64]
    keys: pl.DataFrame
    position: NDArray[np.int64]

    def ours(self, name: str) -> Array:
        """Return a rebuilt variable for each of the file's rows, NaN where none is matched."""
        values = self.frame.values(name)
        taken = values[np.maximum(self.position, 0)]
        return np.where(self.position >= 0, taken, np.nan)


def _compare(
    sides: _Sides, ours: str, expression: str, tolerance: float | None
) -> tuple[dict[str, Any], pl.DataFrame]:
    theirs = _value(expression, sides.theirs)[sides.rows]
    found = {"variable": ours, "in_file": expression, "label": sides.frame.label(ours)}
    try:
        made = sides.ours(ours)
    except MissingDataError as error:
        return {**found, "note": " ".join(str(error).split())}, pl.DataFrame()
    matched = sides.position >= 0
    here, there = ~np.isnan(made), ~np.isnan(theirs)
    both = matched & here & there
    agree = both & _near(made, theirs, tolerance)
    kinds = np.full(len(made), "", dtype=object)
    kinds[both & ~agree] = DIFFERS
    kinds[matched & there & ~here] = OURS_MISSING
    kinds[matched & here & ~there] = THEIRS_MISSING
    listed = np.flatnonzero(kinds != "")
    rows = sides.keys[listed].with_columns(
        variable=pl.lit(ours),
        kind=pl.Series(list(kinds[listed]), dtype=pl.String),
        in_file=pl.Series(theirs[listed]).fill_nan(None),
        rebuilt=pl.Series(made[listed]).fill_nan(None),
        difference=pl.Series(made[listed] - theirs[listed]).fill_nan(None),
    )
    counted = {
        "known_in_both": int(both.sum()),
        "agree": int(agree.sum()),
        "share": float(agree.sum() / both.sum()) if both.any() else None,
        "not_rebuilt": int((matched & there & ~here).sum()),
        "missing_in_file": int((matched & here & ~there).sum()),
    }
    return {**found, **counted, **_likeness(made[both], theirs[both])}, rows


def _near(made: Array, theirs: Array, tolerance: float | None) -> Mask:
    with np.errstate(invalid="ignore"):
        gap = np.abs(made - theirs)
        if tolerance is not None:
            return np.asarray(gap <= tolerance)
        return np.asarray(gap <= TOLERANCE * np.maximum(np.abs(theirs), 1e-3))


def _likeness(made: Array, theirs: Array) -> dict[str, Any]:
    """Return means, correlation and, for flags, the off-diagonal counts and Cohen's kappa."""
    if len(made) == 0:
        return {}
    found: dict[str, Any] = {
        "mean_in_file": float(theirs.mean()),
        "mean_rebuilt": float(made.mean()),
        "largest_difference": float(np.abs(made - theirs).max()),
    }
    if made.std() > 0 and theirs.std() > 0:
        found["correlation"] = float(np.corrcoef(made, theirs)[0, 1])
    if np.isin(made, (0, 1)).all() and np.isin(theirs, (0, 1)).all():
        found["only_in_file"] = int(((theirs == 1) & (made == 0)).sum())
        found["only_rebuilt"] = int(((theirs == 0) & (made == 1)).sum())
        found["kappa"] = _kappa(made, theirs)
    return found


def _kappa(made: Array, theirs: Array) -> float | None:
    """Return Cohen's kappa; None where chance alone would agree in every row."""
    p, q = made.mean(), theirs.mean()
    chance = p * q + (1 - p) * (1 - q)
    return None if chance >= 1 else float(((made == theirs).mean() - chance) / (1 - chance))


def _only_theirs(keys: pl.DataFrame, matched: Mask) -> pl.DataFrame:
    absent = keys.filter(pl.Series(~matched))
    return absent.with_columns(variable=pl.lit(None, pl.String), kind=pl.lit(ONLY_THEIRS))


def _only_ours(
    frame: Frame, spec: Rebuild, position: NDArray[np.int64]
) -> tuple[pl.DataFrame, int | None]:
    """Return the unit's rows that ought to be in the file and aren't, and how many ought to be."""
    if spec.expected is None:
        return pl.DataFrame(), None
    expected = frame.keep(spec.expected)
    met = np.zeros(frame.n_rows, dtype=bool)
    met[position[position >= 0]] = True
    absent = np.flatnonzero(expected & ~met)
    own = {name: np.asarray(v, np.int32)[absent] for name, v in frame.ground.keys.items()}
    rows = pl.DataFrame(own).with_columns(variable=pl.lit(None, pl.String), kind=pl.lit(ONLY_OURS))
    return rows, int(expected.sum())


def _first(rows: pa.Table) -> list[dict[str, Any]]:
    """Return where most of the disagreement sits: rows of the same states (war, alliance) as one.

    For each variable and kind the SHOWN groups with the largest summed difference, then the most
    rows; years are the first and last of the rows, which need not follow each other.
    """
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    if frame.height == 0:
        return []
    numbers = [name for name in _NUMBERS if name in frame.columns]
    keys = [name for name in frame.columns if name not in (*_NUMBERS, "variable", "kind", "year")]
    totals = [pl.col(name).mean() for name in numbers]
    if "difference" in numbers:
        totals.append(pl.col("difference").abs().sum().alias("_size"))
    if "year" in frame.columns:
        totals += [pl.col("year").min().alias("first"), pl.col("year").max().alias("last")]
    grouped = frame.group_by(["variable", "kind", *keys], maintain_order=True).agg(
        pl.len().alias("rows"), *totals
    )
    size = ["_size"] if "difference" in numbers else []
    ordered = grouped.sort(
        [*size, "rows", *keys], descending=[True] * (len(size) + 1) + [False] * len(keys),
        nulls_last=True,
    )  # fmt: skip
    first = ordered.group_by(["variable", "kind"], maintain_order=True).head(SHOWN)
    years = [name for name in ("first", "last") if name in first.columns]
    shown = first.sort("variable", "kind", nulls_last=True, maintain_order=True)
    return shown.select("variable", "kind", *keys, *years, "rows", *numbers).to_dicts()
