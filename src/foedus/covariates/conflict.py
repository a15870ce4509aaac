"""Disputes and wars between two states: shared reductions of dispute spells to dyad-years."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.context import Context, dyad_cube, dyad_positions, empty_dyads
from foedus.covariates.values import missing_of
from foedus.panels.spans import each_year, opposing
from foedus.panels.system import StateSystem


@dataclass(frozen=True)
class DisputeYears:
    """Directed dispute-dyad-years: one row a conflict, a pair on opposite sides, a year.

    Attributes
    ----------
    conflict : int array (rows,)
        dispnum or warnum.
    ccode1, ccode2, year : int arrays
    onset : bool array
        The pair's first year in the conflict.
    began : bool array
        1 stands on the side that began it and both are originators.
    started : bool array
        1 is an originator on the side that began it, whether 2 is one or joined against it.
    joined : bool array
        1 stands on the side that began it, originator or not, and this is the pair's first year.
    hostility, fatality : int8 arrays
        Highest level of either of the two in the conflict; missing is the least int8.
    """

    conflict: NDArray[np.int64]
    ccode1: NDArray[np.int64]
    ccode2: NDArray[np.int64]
    year: NDArray[np.int64]
    onset: NDArray[np.bool_]
    began: NDArray[np.bool_]
    started: NDArray[np.bool_]
    joined: NDArray[np.bool_]
    hostility: NDArray[np.int8]
    fatality: NDArray[np.int8]


def _either(first: pl.Series, second: pl.Series) -> NDArray[np.int8]:
    """Return the higher of two nullable codes; missing if either is missing."""
    one = first.cast(pl.Int8).fill_null(-128).to_numpy()
    other = second.cast(pl.Int8).fill_null(-128).to_numpy()
    higher = np.maximum(one, other)
    higher[(one == -128) | (other == -128)] = missing_of(higher.dtype)
    return np.asarray(higher)


def mid_dyad_years(participants: pl.DataFrame) -> DisputeYears:
    """Return COW dispute-dyad-years from MIDB spells of participation.

    Two states are a dyad of a dispute when they stood on opposite sides of it on the same day;
    where a day or month is unknown, the earliest start and the latest end that the record allows
    are taken. A year belongs to it if they shared a day of it.
    """
    # ASSUME: unknown days of a dispute are read generously (earliest start, latest end).
    spells = participants.select(
        "dispnum", "ccode", "sidea", "orig", "hostlev", "fatality",
        start=pl.col("start_min"), end=pl.col("end_max"),
    )  # fmt: skip
    pairs = opposing(spells, by="dispnum", side="sidea")
    # A state's orig is 1 if any of its spells is that of an originator.
    spans = pairs.sort("dispnum", "ccode1", "ccode2", "from_day")
    span, year = each_year(spans["first_year"].to_numpy(), spans["last_year"].to_numpy())
    long = (
        spans.select("dispnum", "ccode1", "ccode2", "sidea1", "orig1", "orig2")
        .with_columns(
            hostility=pl.Series(_either(spans["hostlev1"], spans["hostlev2"])),
            fatality=pl.Series(_either(spans["fatality1"], spans["fatality2"])),
        )[span]
        .with_columns(year=pl.Series(year))
        .group_by("dispnum", "ccode1", "ccode2", "year")
        .agg(
            pl.col("sidea1").max(),
            pl.col("orig1").max(),
            pl.col("orig2").max(),
            pl.col("hostility").max(),
            pl.col("fatality").max(),
        )
        .sort("dispnum", "ccode1", "ccode2", "year")
        .with_columns(first=pl.col("year").min().over("dispnum", "ccode1", "ccode2"))
    )
    onset = (long["year"] == long["first"]).to_numpy()
    side_a = (long["sidea1"] == 1).to_numpy()
    originators = ((long["orig1"] == 1) & (long["orig2"] == 1)).to_numpy()
    return DisputeYears(
        conflict=long["dispnum"].to_numpy(),
        ccode1=long["ccode1"].to_numpy(),
        ccode2=long["ccode2"].to_numpy(),
        year=long["year"].to_numpy(),
        onset=onset,
        began=onset & side_a & originators,
        started=onset & side_a & (long["orig1"] == 1).to_numpy(),
        joined=onset & side_a,
        hostility=long["hostility"].to_numpy(),
        fatality=long["fatality"].to_numpy(),
    )


def gml_dyad_years(directed: pl.DataFrame) -> DisputeYears:
    """Return GML dispute-dyad-years from its directed dispute-year file, as it has them."""
    onset = (directed["midonset"] == 1).to_numpy()
    side_a = (directed["sidea1"] == 1).to_numpy()
    originators = ((directed["orig1"] == 1) & (directed["orig2"] == 1)).to_numpy()
    return DisputeYears(
        conflict=directed["dispnum"].to_numpy(),
        ccode1=directed["ccode1"].to_numpy(),
        ccode2=directed["ccode2"].to_numpy(),
        year=directed["year"].to_numpy(),
        onset=onset,
        began=onset & side_a & originators,
        started=onset & side_a & (directed["orig1"] == 1).to_numpy(),
        joined=onset & side_a,
        hostility=_either(directed["hostlev1"], directed["hostlev2"]),
        fatality=_either(directed["fatality1"], directed["fatality2"]),
    )


def level_of_conflict(
    facts: DisputeYears, conflicts: pl.DataFrame, column: str
) -> NDArray[np.int8]:
    """Return a whole dispute's level for each of its dyad-years; unknown is the least int8.

    Parameters
    ----------
    conflicts : polars.DataFrame
        dispnum and `column`, in any order; the first row of a dispute counts.
    """
    known = conflicts.select("dispnum", column).unique("dispnum", keep="first")
    asked = pl.DataFrame({"dispnum": facts.conflict}).cast({"dispnum": known["dispnum"].dtype})
    levels = asked.join(known, on="dispnum", how="left", maintain_order="left")[column]
    return levels.cast(pl.Int8).fill_null(missing_of(np.dtype(np.int8))).to_numpy()


def mark(system: StateSystem, facts: DisputeYears, which: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return 1 over (state 1, state 2, year) where a chosen row stands, int8 (n, n, years)."""
    position, _ = dyad_positions(
        system, facts.ccode1[which], facts.ccode2[which], facts.year[which]
    )
    flags = empty_dyads(system, np.int8)
    flags[position] = 1
    return dyad_cube(system, flags)


def highest(system: StateSystem, facts: DisputeYears, level: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the highest level over the disputes of a dyad-year, 0 without one.

    A dyad-year in which the level of one dispute is unknown has the highest of the known ones, and
    is missing if none is known.
    """
    position, inside = dyad_positions(system, facts.ccode1, facts.ccode2, facts.year)
    values = empty_dyads(system, np.int8)
    values[position] = missing_of(values.dtype)
    np.maximum.at(values, position, level[inside])
    return dyad_cube(system, values)


def dispute_columns(
    context: Context, prefix: str, facts: DisputeYears, conflicts: Callable[[], pl.DataFrame]
) -> dict[str, NDArray[np.int8]]:
    """Return the dispute columns of CONTRACT that are wanted as cubes, by name.

    Parameters
    ----------
    conflicts : callable
        Returns one row a dispute (or more, alike) with dispnum, hostlev and fatality; called only
        when a level of the whole dispute is wanted.
    """
    system = context.system
    whole = context.options["levels"] == "dispute"
    rules = {"originators": facts.began, "challenger": facts.started, "any": facts.joined}
    began = rules[context.options["who"]]
    flags = {"onset": facts.onset, "ongoing": np.ones(len(began), bool), "initiated": began}
    made = {
        f"{prefix}_{name}": mark(system, facts, which)
        for name, which in flags.items()
        if f"{prefix}_{name}" in context.wanted
    }
    pairs = {"hostility": ("hostlev", facts.hostility), "fatality": ("fatality", facts.fatality)}
    for name, (column, of_pair) in pairs.items():
        if f"{prefix}_{name}" in context.wanted:
            level = level_of_conflict(facts, conflicts(), column) if whole else of_pair
            made[f"{prefix}_{name}"] = highest(system, facts, level)
    return made
