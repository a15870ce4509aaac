"""What must hold of every registered covariate, on whatever tables it is built from.

- a panel's rows are its unit's, whatever is attached;
- the order of the rows of the source tables plays no part;
- a row's values don't depend on which other years are asked for;
- in directed dyads a state's own column of one direction is the other's of the other, and a column
  that declares no direction is the same in both; an undirected dyad is its two directions
  collapsed as the column declares.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import polars as pl

from foedus.covariates.assemble import build_panel
from foedus.covariates.registry import Covariate, applies
from foedus.covariates.values import collapse_directions
from foedus.panels.units import build_spine, get_unit
from foedus.studies.recording import RecordingTables

UNITS = (
    "state-year", "dyad-year", "directed-dyad-year", "system-year", "region-year", "alliance",
    "alliance-year", "alliance-member-year", "allied-dyad-year", "dispute", "dispute-participant",
    "dispute-dyad-year", "dispute-joiner", "war", "war-participant", "war-joiner",
    "war-joiner-year", "war-intervener", "war-intervener-year",
    "ucdp-intervener-year",
)  # fmt: skip
# state 1's share: the two directions add up to one
COMPLEMENTS = {"capability_share"}


class Shuffled(RecordingTables):
    """Tables whose rows come in another order."""

    def __init__(self, inner: Any, seed: int) -> None:
        super().__init__(inner)
        self._seed = seed
        self._made: dict[tuple[str, str], pl.DataFrame] = {}

    def get(self, source: str, table: str, release: str | None = None) -> pl.DataFrame:
        """Return a table, shuffled once."""
        key = self.inner.facts(source, release).id, table
        if key not in self._made:
            frame = self.inner.get(source, table, release)
            self._made[key] = frame.sample(fraction=1.0, shuffle=True, seed=self._seed)
        return self._made[key]


def units_of(entry: Covariate) -> list[str]:
    """Return the units that a covariate can stand on."""
    return [
        unit
        for unit in UNITS
        if any(applies(entry, spec, unit, get_unit(unit).keys) for spec in entry.columns)
    ]


def panel_of(tables: Any, unit: str, years: tuple[int, int], name: str) -> Any:
    """Build a panel and see that its rows are the unit's."""
    panel = build_panel(tables, unit, years, [name])
    spine = build_spine(tables, unit, years)
    for key, wanted in spine.keys.items():
        np.testing.assert_array_equal(panel.columns[key], wanted, err_msg=f"{name}: {key}")
    for column, values in panel.columns.items():
        assert len(values) == spine.n_rows, (name, column)
    return panel


def same(one: Any, other: Any, what: str) -> None:
    """Compare two columns, missings included; sums may differ in their last digit."""
    if np.asarray(one).dtype.kind == "O":
        assert list(one) == list(other), what
    else:
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-12, err_msg=what)


def check(
    tables: Any, entry: Covariate, years: tuple[int, int], seed: int,
    inner: tuple[int, int] | None, written: Collection[str] | None = None,
) -> None:  # fmt: skip
    """Check one covariate on all its units; without `inner`, not against fewer years.

    With `written`, units are left out whose rows come from other data sets than these.
    """
    shuffled = Shuffled(tables, seed)
    panels = {}
    for unit in units_of(entry):
        if written is not None and not set(get_unit(unit).sources) <= set(written):
            continue
        panel = panels[unit] = panel_of(tables, unit, years, entry.name)
        again = panel_of(shuffled, unit, years, entry.name)
        for column, values in panel.columns.items():
            same(again.columns[column], values, f"{entry.name}.{column} of {unit}, shuffled")
        if inner is not None and "year" in panel.columns:
            few = panel_of(tables, unit, inner, entry.name)
            at = (panel.columns["year"] >= inner[0]) & (panel.columns["year"] <= inner[1])
            for column, values in few.columns.items():
                same(values, panel.columns[column][at], f"{entry.name}.{column} of {unit}, years")
    if "directed-dyad-year" in panels:
        _directions(panels, entry)


def _directions(panels: dict[str, Any], entry: Covariate) -> None:
    directed, undirected = panels["directed-dyad-year"], panels.get("dyad-year")
    first, second, year = (directed.columns[key].astype(int) for key in directed.keys)
    code, turned = (first * 1000 + second) * 10_000 + year, (second * 1000 + first) * 10_000 + year
    back, low = np.searchsorted(code, turned), first < second
    for spec in entry.columns:
        if spec.level == "state" and f"{spec.name}1" in directed.columns:
            one, two = directed.columns[f"{spec.name}1"], directed.columns[f"{spec.name}2"]
            same(one, two[back], f"{spec.name} of a state, seen from both sides")
            continue
        if spec.name not in directed.columns:
            continue
        values = directed.columns[spec.name]
        if spec.name in COMPLEMENTS:
            known = values == values
            same((values + values[back])[known], np.ones(int(known.sum())), spec.name)
        elif spec.collapse == "same":
            same(values, values[back], f"{spec.name} declares no direction")
        if undirected is None or spec.name not in undirected.columns or spec.name in COMPLEMENTS:
            continue
        if spec.collapse == "same":
            same(undirected.columns[spec.name], values[low], f"{spec.name} of a pair")
        elif spec.collapse != "none":
            both = collapse_directions(values[low], values[back][low], spec.collapse)
            same(undirected.columns[spec.name], both, f"{spec.name} of a pair, collapsed")
