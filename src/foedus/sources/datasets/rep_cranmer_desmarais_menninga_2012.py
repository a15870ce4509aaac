"""Alliance networks of Cranmer, Desmarais & Menninga 2012, as the package btergm gives them.

A workspace of R: twenty networks (1981-2000) of 164 states with capabilities and regimes, and
matrices of the year before, shared partners and disputes, each filled above its diagonal only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from foedus.errors import SourceError
from foedus.sources.rdata import RValue, read_rdata
from foedus.sources.reading import ROW, Raw
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, typed

FILE = "alliances.RData"
_YEAR = Column("year", "int16", "Year", within_coverage=True, required=True)
STATES = (
    Column("state", "text", "COW three-letter abbreviation", required=True),
    _YEAR,
    Column("polity", "int8", "Polity score", low=-10, high=10, required=True),
    Column("cinc", "float64", "Composite index of national capability", low=0, high=1,
           unit="share of the system", required=True),
)  # fmt: skip
DYADS = (
    Column("state1", "text", "State that stands first in the file's order", required=True),
    Column("state2", "text", "State that stands later", required=True),
    _YEAR,
    Column("allied", "int8", "1 if the two are in a defence pact", low=0, high=1, required=True),
    Column("allied_before", "int8", "1 if they were in the year before", low=0, high=1,
           required=True),
    Column("shared_before", "int16", "Allies that both had in the year before", unit="states",
           low=0, required=True),
    Column("dispute", "int8", "1 if the two are in a militarized dispute", low=0, high=1,
           required=True),
    Column("contiguous", "int8", "1 if the two share a border", low=0, high=1, required=True),
)  # fmt: skip


@source("rep_cranmer_desmarais_menninga_2012", tables={"state_years": STATES, "dyad_years": DYADS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read the five objects of the workspace.

    Raises
    ------
    SourceError
        If an object is missing or isn't laid out as the package gives it.
    """
    path = files[FILE]
    objects = read_rdata(path)
    try:
        states, dyads = _tables(objects)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise SourceError(
            f"{path}: the workspace isn't laid out as btergm's alliances ({error}). Fetch the "
            "released file again."
        ) from error
    return {
        "state_years": _checked(path, states, STATES, facts),
        "dyad_years": _checked(path, dyads, DYADS, facts),
    }


def _tables(objects: Mapping[str, RValue]) -> tuple[pl.DataFrame, pl.DataFrame]:
    border = _matrix(objects["contigMat"])
    names = list(objects["contigMat"].attributes["dimnames"].data[0].data)
    first, second = np.triu_indices(len(names), k=1)
    layers = {name: objects[key].named() for name, key in _LAYERS.items()}
    states, dyads = [], []
    for year, network in objects["allyNet"].named().items():
        parts = network.named()
        vertices = [vertex.named() for vertex in parts["val"].data]
        if [vertex["vertex.names"].data[0] for vertex in vertices] != names:
            raise ValueError(f"the network of {year} has other states than contigMat")
        states.append(
            pl.DataFrame(
                {
                    "state": names,
                    "year": [int(year)] * len(names),
                    "polity": [int(vertex["polity"].data[0]) for vertex in vertices],
                    "cinc": [float(vertex["cinc"].data[0]) for vertex in vertices],
                }
            )
        )
        matrices = {name: _matrix(layer[year]) for name, layer in layers.items()}
        matrices |= {"allied": _ties(parts["mel"], len(names)), "contiguous": border}
        for name, matrix in matrices.items():
            if np.tril(matrix, -1).any() and name != "contiguous":
                raise ValueError(f"{name} of {year} is filled below its diagonal")
        at = np.asarray(names)
        dyads.append(
            pl.DataFrame(
                {"state1": at[first], "state2": at[second], "year": np.full(len(first), int(year))}
                | {name: matrix[first, second] for name, matrix in matrices.items()}
            )
        )
    return pl.concat(states), pl.concat(dyads)


_LAYERS = {"allied_before": "lNet", "shared_before": "LSP", "dispute": "warNet"}


def _matrix(value: RValue) -> Any:
    """Return a matrix of R, which runs down its columns, as whole numbers."""
    rows, columns = value.attributes["dim"].data
    return np.asarray(value.data).reshape(columns, rows).T.astype(np.int64)


def _ties(edges: RValue, n: int) -> Any:
    """Return the edges of a network of the package `network` as a matrix."""
    ties = np.zeros((n, n), np.int64)
    for edge in edges.data:
        ends = edge.named()
        ties[ends["outl"].data[0] - 1, ends["inl"].data[0] - 1] = 1
    return ties


def _checked(
    path: Path, frame: pl.DataFrame, columns: tuple[Column, ...], facts: SourceFacts
) -> Rows:
    """Put the values through the rules for text, as those of any other file."""
    text = frame.with_columns(pl.all().cast(pl.String)).with_row_index(ROW)
    raw = Raw(path, tuple(frame.columns), text, "", first_line=1)
    return Rows(typed(raw, columns, facts), raw)
