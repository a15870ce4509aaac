"""A tiny international system with known facts, as the tables that covariates read."""

from __future__ import annotations

import datetime
import types
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

COVERAGE = {
    "cow_states": (1816, 1840),
    "atop": (1815, 1838),
    "cow_contiguity": (1816, 1838),
    "cow_nmc": (1816, 1839),
    "polity": (1800, 1838),
    "mid": (1816, 1836),
    "gml_mid": (1816, 1834),
    "cow_interstate_wars": (1816, 1832),
    "capitals": (1816, 1840),
    "cow_mindist": (1820, 1838),
    "cow_extrastate_wars": (1816, 1832),
    "cow_intrastate_wars_4.1": (1816, 1832),
}


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


class SmallTables:
    """Stands in for foedus.sources.tables.Tables with tables given in memory."""

    def __init__(self, frames: dict[tuple[str, str], pl.DataFrame]) -> None:
        self.frames = frames
        self.coverages = dict(COVERAGE)

    def get(self, source: str, table: str, release: str | None = None) -> pl.DataFrame:
        return self.frames[source, table]

    def coverage(self, source: str, release: str | None = None) -> tuple[int, int]:
        return self.coverages[source]

    def facts(self, source: str, release: str | None = None) -> Any:
        return types.SimpleNamespace(id=source, coverage=self.coverages[source])

    def provenance(self, sources: list[str]) -> dict[str, Any]:
        return {
            name: {
                "version": "test",
                "edition": "made",
                "files": [{"name": f"{name}.csv", "sha256": "0" * 64}],
            }
            for name in sources
        }


def states(*rows: tuple[int, str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"ccode": ccode, "start": day(start), "end": day(end)} for ccode, start, end in rows],
        schema={"ccode": pl.Int32, "start": pl.Date, "end": pl.Date},
    )


MEMBER_COLUMNS = {
    "atopid": pl.Int32, "phase": pl.Int8, "member": pl.Int32, "start": pl.Date, "end": pl.Date,
    "in_force": pl.Boolean, "defense": pl.Int8, "offense": pl.Int8, "neutral": pl.Int8,
    "nonagg": pl.Int8, "consul": pl.Int8, "specthrt": pl.Int8, "statthr1": pl.Int32,
    "statthr2": pl.Int32, "defcoadv": pl.Int8, "offcoadv": pl.Int8, "neucoadv": pl.Int8,
    "pubsecr": pl.Int8, "bilat": pl.Int8,
}  # fmt: skip


def members(*rows: dict[str, Any]) -> pl.DataFrame:
    """ATOP members: what a row doesn't say is 0; `end` None means still in force."""
    filled = []
    for row in rows:
        full: dict[str, Any] = dict.fromkeys(MEMBER_COLUMNS, 0)
        full.update(row)
        full["in_force"] = row["end"] is None
        full["start"] = day(row["start"])
        full["end"] = day(row["end"]) if row["end"] else None
        filled.append(full)
    return pl.DataFrame(filled, schema=MEMBER_COLUMNS)


def participants(*rows: tuple[int, int, int, int, str, str]) -> pl.DataFrame:
    """MIDB: (dispnum, ccode, sidea, orig, start, end), hostility 3, fatality 0."""
    return pl.DataFrame(
        [
            {
                "dispnum": dispnum, "ccode": ccode, "sidea": sidea, "orig": orig,
                "start_min": day(start), "start_max": day(start),
                "end_min": day(end), "end_max": day(end), "hostlev": 3, "fatality": 0,
            }
            for dispnum, ccode, sidea, orig, start, end in rows
        ],
        schema={
            "dispnum": pl.Int32, "ccode": pl.Int32, "sidea": pl.Int8, "orig": pl.Int8,
            "start_min": pl.Date, "start_max": pl.Date, "end_min": pl.Date, "end_max": pl.Date,
            "hostlev": pl.Int8, "fatality": pl.Int8,
        },
    )  # fmt: skip


@pytest.fixture
def make_tables() -> Callable[..., SmallTables]:
    """Build SmallTables from a membership list and any other frames."""

    def make(spells: pl.DataFrame, **frames: pl.DataFrame) -> SmallTables:
        named = {tuple(key.split("__")): frame for key, frame in frames.items()}
        return SmallTables({("cow_states", "states"): spells, **named})  # type: ignore[dict-item]

    return make


@pytest.fixture
def four_states() -> pl.DataFrame:
    """Four states, all members from 1816 to 1840."""
    return states(*[(ccode, "1816-01-01", "1840-12-31") for ccode in (10, 20, 30, 40)])
