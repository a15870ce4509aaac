"""Panels of k-ads: facts about states and dyads aggregated over a set's members and pairs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from foedus.covariates.assemble import (
    Builder,
    ColumnNote,
    Panel,
    as_float,
    provenance_of,
    refuse_overwrite,
)
from foedus.covariates.registry import ColumnSpec, Covariate, applies, get_covariate, registry
from foedus.covariates.where import keep_rows
from foedus.errors import UsageError, nearest
from foedus.panels.k_ad_unit import UNIT, k_ad_spine
from foedus.panels.k_ads import KAdOptions, KAds, sample
from foedus.panels.spine import Spine, StatePlace
from foedus.panels.system import StateSystem
from foedus.panels.units import check_years, get_unit, load_system
from foedus.sources.tables import Tables

Aggregate = Literal["min", "max", "mean", "sum", "share"]
AGGREGATES: tuple[Aggregate, ...] = ("min", "max", "mean", "sum", "share")
_FLAG_DEFAULT: tuple[Aggregate, ...] = ("share", "max")
_NUMBER_DEFAULT: tuple[Aggregate, ...] = ("min", "max", "mean", "sum")
_SAYS = {
    "min": "Least over the set's {over}",
    "max": "Greatest over the set's {over}",
    "mean": "Mean over the set's {over}",
    "sum": "Sum over the set's {over}",
    "share": "Share of the set's {over} with it",
}
_REDUCE: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "min": lambda stacked: stacked.min(axis=0),
    "max": lambda stacked: stacked.max(axis=0),
    "mean": lambda stacked: stacked.mean(axis=0),
    "sum": lambda stacked: stacked.sum(axis=0),
    "share": lambda stacked: stacked.mean(axis=0),
}
# Made by row, but the same from either side of a pair.
_SYMMETRIC = ("capital_distance",)
_OWN = {
    "formed": ("flag", "0/1", "1 if exactly these states founded an alliance of the kind asked "
               "for in the year."),
    "n_formed": ("count", "alliances", "How many such alliances."),
    "weight": ("number", "sets", "Sets that the row stands for: 1 if formed, else the year's sets "
               "that formed none divided by those drawn (King & Zeng 2001)."),
}  # fmt: skip


def build_k_ads(
    tables: Tables,
    years: tuple[int, int],
    covariates: Sequence[str] | str = (),
    where: str | None = None,
    *,
    aggregates: Sequence[str] = (),
    **options: Any,
) -> Panel:
    """Build a panel of k-ads.

    Parameters
    ----------
    covariates : sequence of str or "all"
        Covariates with columns about states or about symmetric dyads.
    aggregates : sequence of str, optional
        min, max, mean, sum, share (flags only); by default the first four of numbers, and share
        and max of flags. A value missing for one member is missing for the set.
    **options : object
        Fields of `foedus.panels.k_ads.KAdOptions`: k, events, controls, seed.

    Returns
    -------
    Panel
        ccode1 to ccodek and year; formed, n_formed, weight; `<column>_<aggregate>`.

    Raises
    ------
    UsageError
        Unknown covariate, aggregate or option; years outside the state list or ATOP.
    """
    for name in aggregates:
        if name not in AGGREGATES:
            raise UsageError(f'"{name}" is no aggregate. {nearest(name, AGGREGATES)}')
    known = [one.name for one in fields(KAdOptions)]
    for name in options:
        if name not in known:
            raise UsageError(f'{UNIT} has no option "{name}". {nearest(name, known)}')
    chosen = KAdOptions(**options)
    system = load_system(tables)
    check_years(tables, get_unit(UNIT), system, years)
    sets = sample(tables, system, years, chosen)
    spine = k_ad_spine(system, years, sets)
    columns: dict[str, NDArray[Any]] = dict(spine.keys)
    notes = {}
    for name, (kind, unit, says) in _OWN.items():
        columns[name] = np.asarray(spine.extra[name])
        notes[name] = _own_note(tables, chosen, kind, unit, says)
    for level, one in _levels(tables, system, years, sets).items():
        for entry, spec in _asked(covariates, level):
            made = _aggregated(one, entry, spec, len(sets.year), level, aggregates)
            for name, (values, note) in made.items():
                refuse_overwrite(columns, name, entry.name)
                columns[name], notes[name] = values, note
    if where:
        kept = keep_rows(where, columns)
        columns = {name: values[kept] for name, values in columns.items()}
    return Panel(
        unit=UNIT,
        years=years,
        keys=tuple(spine.keys),
        columns=columns,
        notes=notes,
        provenance={
            **provenance_of(Builder(tables, spine), notes, where),
            "k": chosen.k, "events": chosen.events, "controls": chosen.controls,
            "seed": chosen.seed,
        },
    )  # fmt: skip


@dataclass(frozen=True)
class SetColumn:
    """A column about states or pairs, and how a set's value is made of theirs."""

    spec: ColumnSpec
    level: str
    how: str

    @property
    def says(self) -> str:
        """The column in words."""
        over = "members" if self.level == "state" else "pairs"
        return f"{_SAYS[self.how].format(over=over)}: {self.spec.says}"

    @property
    def unit(self) -> str:
        """Its unit of measurement."""
        return "share, 0-1" if self.how == "share" else self.spec.unit


def set_columns(entry: Covariate) -> dict[str, SetColumn]:
    """Return by name the columns that a covariate has on sets: ``<column>_<aggregate>``."""
    found = {}
    for level in ("state", "dyad"):
        for spec in _fitting(entry, level):
            for how in AGGREGATES:
                if how != "share" or spec.kind == "flag":
                    found[f"{spec.name}_{how}"] = SetColumn(spec, level, how)
    return found


def reduced(
    values: NDArray[np.float64], starts: NDArray[np.int64], how: str
) -> NDArray[np.float64]:
    """Put members' (or pairs') values together, those of one set from each of `starts` on.

    A value missing for one is missing for the set.
    """
    if how in ("min", "max"):
        least_or_most = np.minimum if how == "min" else np.maximum
        return np.asarray(least_or_most.reduceat(values, starts))
    total = np.add.reduceat(values, starts)
    return np.asarray(total if how == "sum" else total / np.diff(np.append(starts, len(values))))


def _levels(
    tables: Tables, system: StateSystem, years: tuple[int, int], sets: KAds
) -> dict[str, Builder]:
    """Return builders over all members and over all pairs of the sets, member after member."""
    k = sets.states.shape[1]
    pairs = list(itertools.combinations(range(k), 2))
    one, other = (np.concatenate([sets.states[:, pair[at]] for pair in pairs]) for at in (0, 1))
    member = sets.states.T.reshape(-1)
    of_members, of_pairs = (np.tile(sets.year, times) for times in (k, len(pairs)))
    ccodes = system.ccodes
    states = Spine(
        "state-year", system, {"ccode": ccodes[member], "year": of_members.astype(np.int32)},
        (StatePlace("", member, of_members),), False, years,
    )  # fmt: skip
    dyads = Spine(
        "dyad-year",
        system,
        {"ccode1": ccodes[one], "ccode2": ccodes[other], "year": of_pairs.astype(np.int32)},
        (StatePlace("1", one, of_pairs), StatePlace("2", other, of_pairs)),
        False,
        years,
    )
    return {"state": Builder(tables, states), "dyad": Builder(tables, dyads)}


def _asked(covariates: Sequence[str] | str, level: str) -> list[tuple[Covariate, ColumnSpec]]:
    """Return the columns of a level that were asked for, in order."""
    if covariates == "all":
        entries = [entry for entry in registry().values() if not entry.on_request]
    else:
        names = [covariates] if isinstance(covariates, str) else covariates
        entries = [get_covariate(name) for name in names]
    chosen = []
    for entry in entries:
        fitting = _fitting(entry, level)
        levels = {spec.level for spec in entry.columns}
        if levels == {"row"} and entry.name not in _SYMMETRIC and covariates != "all":
            raise UsageError(
                f"covariate {entry.name} has no column about states or dyads, which {UNIT} "
                "aggregates. See `foedus covariates`."
            )
        chosen += [(entry, spec) for spec in fitting if spec.name not in entry.extras]
    return chosen


def _fitting(entry: Covariate, level: str) -> list[ColumnSpec]:
    """Return a covariate's columns about states, or about pairs from whichever side."""
    unit = "state-year" if level == "state" else "dyad-year"
    keys = get_unit(unit).keys
    return [
        spec
        for spec in entry.columns
        if (spec.level == level or (level == "dyad" and entry.name in _SYMMETRIC))
        and spec.kind != "text"
        and applies(entry, spec, unit, keys)
    ]


def _aggregated(
    builder: Builder,
    entry: Covariate,
    spec: ColumnSpec,
    n_rows: int,
    level: str,
    aggregates: Sequence[str],
) -> dict[str, tuple[NDArray[Any], ColumnNote]]:
    values, note = builder.column(entry, spec.name, {}, with_siblings=True)
    stacked = as_float(values).reshape(-1, n_rows)
    flag = spec.kind == "flag"
    wanted = aggregates or (_FLAG_DEFAULT if flag else _NUMBER_DEFAULT)
    over = "members" if level == "state" else "pairs"
    made = {}
    for how in wanted:
        if how == "share" and not flag:
            continue
        said = f"{_SAYS[how].format(over=over)}: {spec.says}"
        unit = "share, 0-1" if how == "share" else spec.unit
        made[f"{spec.name}_{how}"] = (
            _REDUCE[how](stacked),
            ColumnNote(
                definition=said, unit=unit, kind="number", sources=note.sources,
                citations=note.citations, covariate=entry.name, options=note.options,
                coverage=note.coverage,
            ),
        )  # fmt: skip
    return made


def _own_note(tables: Tables, options: KAdOptions, kind: str, unit: str, says: str) -> ColumnNote:
    return ColumnNote(
        definition=says,
        unit=unit,
        kind=kind,
        sources=tuple(tables.facts(source).id for source in ("atop", "cow_states")),
        citations=("leeds_etal_2002", "poast_2010", "king_zeng_2001"),
        covariate=UNIT,
        options={"events": options.events, "controls": options.controls, "seed": options.seed},
        coverage=tables.coverage("atop"),
    )
