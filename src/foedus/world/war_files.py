"""Files about wars: COW's participants, and the lists that authors posted."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from foedus.world import layout
from foedus.world.ledger import Entry
from foedus.world.states import States
from foedus.world.wars import War

HEADER = (
    "WarNum,WarName,WarType,ccode,StateName,Side,StartMonth1,StartDay1,StartYear1,EndMonth1,"
    "EndDay1,EndYear1,StartMonth2,StartDay2,StartYear2,EndMonth2,EndDay2,EndYear2,TransFrom,"
    "WhereFought,Initiator,Outcome,TransTo,BatDeath,Version"
)
# COW's code of where a war was fought, by our region of the state that was attacked.
_WHERE = (1, 2, 4, 6, 7)
_POSTED = (1823, 2003)
_CASES_UNTIL = 2003
_EARLY = 1944
_STAMP = datetime.datetime(2018, 3, 3)


def war_files(
    states: States, wars: Sequence[War], book: Sequence[Entry]
) -> Iterator[tuple[str, bytes]]:
    """Yield every file about wars that has a record."""
    if wars:
        yield "Inter-StateWarData_v4.0.csv", _participants(states, wars)
    if posted := posted_wars(wars):
        yield "clauset_2018_wars_cow_v4.txt", _posted(posted)
    if cases := book_cases(book):
        yield "BerkemeierFuhrmannRAP2018_0303.dta", _cases(states, cases)


def posted_wars(wars: Sequence[War]) -> list[War]:
    """Return the wars that a list of 1823 to 2003 has."""
    return [
        war
        for war in wars
        if war.parts[0].begins.year >= _POSTED[0]
        and max(part.ends for part in war.parts).year <= _POSTED[1]
    ]


def book_cases(book: Sequence[Entry]) -> list[Entry]:
    """Return the entries that a list of wars begun by 2003 has."""
    return [entry for entry in book if entry.year <= _CASES_UNTIL]


def name_of(states: States, war: War) -> str:
    """Return a war's name, after the two that it began between."""
    one, other = (states.name[part.state] for part in war.parts[:2])
    return f"{one}-{other} of {war.parts[0].begins.year}"


def _participants(states: States, wars: Sequence[War]) -> bytes:
    rows = [
        (war, place, part)
        for war in wars
        for place, part in sorted(enumerate(war.parts), key=lambda item: -item[1].side)
    ]
    none = [-8] * len(rows)
    columns: dict[str, Any] = {
        "WarNum": [war.number for war, _, _ in rows],
        "WarName": [name_of(states, war) for war, _, _ in rows],
        "WarType": 1,
        "ccode": [int(states.ccode[part.state]) for _, _, part in rows],
        "StateName": [states.name[part.state] for _, _, part in rows],
        "Side": [_side(war, part.side) for war, _, part in rows],
        "StartMonth1": [part.begins.month for _, _, part in rows],
        "StartDay1": [part.begins.day for _, _, part in rows],
        "StartYear1": [part.begins.year for _, _, part in rows],
        "EndMonth1": [part.ends.month for _, _, part in rows],
        "EndDay1": [part.ends.day for _, _, part in rows],
        "EndYear1": [part.ends.year for _, _, part in rows],
        "StartMonth2": none, "StartDay2": none, "StartYear2": none,
        "EndMonth2": none, "EndDay2": none, "EndYear2": none,
        "TransFrom": none,
        "WhereFought": [_WHERE[int(states.region[war.parts[1].state])] for war, _, _ in rows],
        "Initiator": [1 if place == 0 else 2 for _, place, _ in rows],
        "Outcome": [_outcome(war, part.side) for war, _, part in rows],
        "TransTo": none,
        "BatDeath": [war.shares[place] for war, place, _ in rows],
        "Version": 4,
    }  # fmt: skip
    return layout.table(columns, header=HEADER, line_end="cr", final=False).encode("ascii")


def _side(war: War, side: int) -> int:
    return war.side_of_challengers if side == 0 else 3 - war.side_of_challengers


def _outcome(war: War, side: int) -> int:
    return 6 if war.winner == 2 else 1 if war.winner == side else 2


def _posted(wars: Sequence[War]) -> bytes:
    """Return the tab-separated list of sizes, with its two columns named year."""
    return layout.table(
        {
            "index": [war.number for war in wars],
            "year": [war.parts[0].begins.year for war in wars],
            "battle_deaths": [known_deaths(war) for war in wars],
            "end": [max(part.ends for part in war.parts).year for war in wars],
        },
        header="index\tyear\tbattle_deaths\tyear",
        separator="\t",
        line_end="crlf",
    ).encode()


def known_deaths(war: War) -> int:
    """Return a war's deaths without those of a participant whose deaths COW doesn't know."""
    return sum(share for share in war.shares if share >= 0)


def _cases(states: States, book: Sequence[Entry]) -> bytes:
    """Return the book as the authors' Stata file: codings hold 1 or nothing."""
    import pandas as pd

    numbers = {
        number: at for at, number in enumerate(sorted({one.war.number for one in book}), start=1)
    }

    def flag(values: Sequence[bool]) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.where(np.array(values, dtype=bool), 1.0, np.nan)

    nothing = np.full(len(book), np.nan)
    columns: dict[str, Any] = {
        "sample": np.array([one.year <= _EARLY for one in book], np.float32),
        "warid": np.array([numbers[one.war.number] for one in book], np.int16),
        "atopid": np.array([one.atopid for one in book], np.float32),
        "cowwarid": np.array([one.war.number for one in book], np.float64),
        "warname": [name_of(states, one.war) for one in book],
        "cowid": nothing,
        "multilateral": np.array([one.multilateral for one in book], np.int8),
        "sabhon": nothing,
        "sabvio": nothing,
    }
    for who in ("BF", "LLM"):
        columns |= {
            f"nonagg{who}": nothing,
            f"consul{who}": nothing,
            f"cfna{who}": nothing,
            f"dna{who}": flag([not one.invoked for one in book]),
            f"honor{who}": flag([one.honoured for one in book]),
            f"violate{who}": flag([one.invoked and not one.honoured for one in book]),
        }
    columns["sabroskyhonorbf"] = flag([one.one_honoured for one in book])
    columns["sabroskyhonorllm"] = flag([one.one_honoured for one in book])
    for place, name in enumerate(("defense", "offense", "neutral", "nonagg", "consul")):
        columns[name] = np.array([one.owed[place] for one in book], np.float32)
    handle = io.BytesIO()
    pd.DataFrame(columns).to_stata(handle, write_index=False, version=118, time_stamp=_STAMP)
    return handle.getvalue()
