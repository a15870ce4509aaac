"""COW inter-state wars 4.0: one row a state and side of a war, with up to two spells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foedus.sources import dates
from foedus.sources.registry import SourceFacts, source
from foedus.sources.schema import Column, Rows, read_table


def _spell(number: int) -> tuple[Column, ...]:
    required = number == 1
    which = "first" if required else "second"
    made = []
    for name, verb in (("start", "begins"), ("end", "ends")):
        header = name.capitalize()
        made += [
            Column(f"{name}month{number}", "int8", f"Month in which the {which} spell {verb}",
                   f"{header}Month{number}", low=1, high=12),
            Column(f"{name}day{number}", "int8", f"Day on which the {which} spell {verb}",
                   f"{header}Day{number}", low=1, high=31),
            Column(f"{name}year{number}", "int16", f"Year in which the {which} spell {verb}",
                   f"{header}Year{number}", within_coverage=True, required=required),
        ]  # fmt: skip
    return tuple(made)


def _dates(number: int) -> tuple[Column, ...]:
    which = "first" if number == 1 else "second"
    return (
        Column(f"start{number}", "date", f"First day of the {which} spell", derived=True),
        Column(f"end{number}", "date", f"Last day of the {which} spell", derived=True),
        Column(f"start{number}_precision", "text", f"How much of start{number} is known",
               derived=True),
        Column(f"end{number}_precision", "text", f"How much of end{number} is known", derived=True),
    )  # fmt: skip


COLUMNS = (
    Column("warnum", "int32", "COW war number", "WarNum", low=1, high=999, required=True),
    Column("warname", "text", "Name of the war", "WarName", required=True),
    Column("wartype", "int8", "Type of war: 1, inter-state", "WarType", required=True),
    Column("ccode", "int32", "COW state number", low=1, high=999, required=True),
    Column("statename", "text", "Name of the state", "StateName", required=True),
    Column("side", "int8", "Side; a state that changed sides stands on both", "Side",
           required=True),
    *_dates(1),
    *_dates(2),
    *_spell(1),
    *_spell(2),
    Column("transfrom", "text", "War (or wars) that became this one", "TransFrom"),
    Column("wherefought", "int8", "Where it was fought", "WhereFought", required=True),
    Column("initiator", "int8", "1 if the state began the war, 0 if not", "Initiator",
           required=True),
    Column("outcome", "int8", "Outcome for the state", "Outcome", required=True),
    Column("transto", "int32", "War that this one became", "TransTo", low=1, high=9999),
    Column("batdeath", "int32", "Battle deaths of the state", "BatDeath", unit="persons", low=0,
           thousands=True),
    Column("version", "float64", "Release stamp of the file", "Version", required=True, keep=False),
)  # fmt: skip


@source("cow_interstate_wars", tables={"participants": COLUMNS})
def read(files: Mapping[str, Path], facts: SourceFacts) -> dict[str, Rows]:
    """Read version 4.0, whose lines end in a bare CR."""
    rows = read_table(files, facts, "Inter-StateWarData_v4.0.csv", COLUMNS)
    assert rows.raw is not None
    frame = rows.frame.with_columns(initiator=(rows.frame["initiator"] == 1).cast(int))
    for number in (1, 2):
        begin = tuple(f"start{part}{number}" for part in ("year", "month", "day"))
        finish = tuple(f"end{part}{number}" for part in ("year", "month", "day"))
        frame = frame.with_columns(
            dates.earliest(*begin).alias(f"start{number}"),
            dates.latest(*finish).alias(f"end{number}"),
            dates.precision(*begin).alias(f"start{number}_precision"),
            dates.precision(*finish).alias(f"end{number}_precision"),
        )
        dates.check_exists(rows.raw, frame, f"start{number}", *begin)
        dates.check_exists(rows.raw, frame, f"end{number}", *finish)
        dates.check_order(rows.raw, frame, f"start{number}", f"end{number}")
    return {"participants": Rows(frame, rows.raw)}
