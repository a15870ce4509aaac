"""Files about disputes: COW MID 5.0 and 4.2, Gibler, Miller and Little's, and rivalries."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from foedus.world import layout
from foedus.world.settings import Settings
from foedus.world.states import States
from foedus.world.wars import Dispute, Participation

_ACTIONS = {1: 0, 2: 1, 3: 7, 4: 16, 5: 20}
_FIRST_INCIDENT_YEAR = 1993
_LAST = {"5.0": 2014, "4.2": 2010, "gml": 2010}
_RIVALS_AFTER, _RIVALS_WITHIN = 3, 20
_RIVALRY_LAST = {"td": 2010, "tss": 2020}


def dispute_files(
    settings: Settings, states: States, disputes: Sequence[Dispute]
) -> Iterator[tuple[str, bytes]]:
    """Yield every file about disputes that has a record."""
    current = _until(disputes, _LAST["5.0"])
    if not current:
        return
    yield "MIDA 5.0.csv", _disputes(current, "5.0")
    yield "MIDB 5.0.csv", _participants(states, current, "5.0")
    late = [one for one in current if one.parts[0].begins.year >= _FIRST_INCIDENT_YEAR]
    # Incidents are coded from 1993 on; a world that ends before has those of its last dispute.
    yield "MIDI 5.0.csv", _incidents(late or current[-1:])
    yield "MIDIP 5.0.csv", _incident_participants(states, late or current[-1:])
    older = _until(disputes, _LAST["4.2"])
    if older:
        # Releases differ: 4.2 lacks a dispute in fifty, and GML drop one in twenty-five.
        kept = [one for one in older if one.number % 50 != 17] or older
        yield "MIDA_4.2.csv", _disputes(kept, "4.2")
        yield "MIDB_4.2.csv", _participants(states, kept, "4.2")
        yield from _gml(states, [one for one in older if one.number % 25 != 11] or older)
    yield from _rivalries(settings, states, disputes)


def _until(disputes: Sequence[Dispute], year: int) -> list[Dispute]:
    """Return the disputes that began by a year, with what comes after it cut off."""
    last = datetime.date(year, 12, 31)
    made = []
    for one in disputes:
        if one.parts[0].begins > last:
            continue
        parts = [
            Participation(part.state, part.side, part.begins, min(part.ends, last), part.original)
            for part in one.parts
            if part.begins <= last
        ]
        made.append(
            Dispute(
                one.number, one.challenger, one.target, parts, one.level, one.fatality,
                one.day_known,
            )
        )  # fmt: skip
    return made


def _span(dispute: Dispute) -> tuple[datetime.date, datetime.date]:
    return (
        min(part.begins for part in dispute.parts),
        max(part.ends for part in dispute.parts),
    )


def _first_day(dispute: Dispute, begins: datetime.date) -> int:
    unknown = not dispute.day_known and begins == dispute.parts[0].begins
    return -9 if unknown else begins.day


def _disputes(disputes: Sequence[Dispute], release: str) -> bytes:
    spans = [_span(one) for one in disputes]
    number = [one.number for one in disputes]
    old = release == "4.2"
    days = [(ends - begins).days + 1 for begins, ends in spans]
    columns: dict[str, Any] = {
        **({"dispnum3": number, "dispnum4": -9} if old else {"dispnum": number}),
        "stday": [_first_day(one, span[0]) for one, span in zip(disputes, spans, strict=True)],
        "stmon": [begins.month for begins, _ in spans],
        "styear": [begins.year for begins, _ in spans],
        "endday": [ends.day for _, ends in spans],
        "endmon": [ends.month for _, ends in spans],
        "endyear": [ends.year for _, ends in spans],
        "outcome": [1 + one.number % 6 for one in disputes],
        "settle": [1 + one.number % 3 for one in disputes],
        "fatality": [one.fatality for one in disputes],
        "fatalpre": [0 if one.fatality == 0 else -9 for one in disputes],
        "maxdur": days,
        "mindur": days,
        "hiact": [_ACTIONS[one.level] for one in disputes],
        "hostlev": [one.level for one in disputes],
        "recip": [one.number % 2 for one in disputes],
        "numa": [sum(part.side == 0 for part in one.parts) for one in disputes],
        "numb": [sum(part.side == 1 for part in one.parts) for one in disputes],
        **({"link1": 0, "link2": 0, "link3": 0} if old else {}),
        ("ongo2010" if old else "ongo2014"): 0,
        "version": release.removesuffix(".0"),
        **({"changes_1": 0, "changes_2": 0} if old else {}),
    }
    return layout.table(columns, line_end="crlf", final=not old).encode()


def _pairs(disputes: Sequence[Dispute]) -> list[tuple[Dispute, Participation]]:
    return [(one, part) for one in disputes for part in one.parts]


def _participants(states: States, disputes: Sequence[Dispute], release: str) -> bytes:
    rows = _pairs(disputes)
    old = release == "4.2"
    number = [one.number for one, _ in rows]
    columns: dict[str, Any] = {
        **({"dispnum3": number, "dispnum4": -9} if old else {"dispnum": number}),
        "stabb": [states.abbreviation[part.state] for _, part in rows],
        "ccode": [int(states.ccode[part.state]) for _, part in rows],
        "stday": [_first_day(one, part.begins) for one, part in rows],
        "stmon": [part.begins.month for _, part in rows],
        "styear": [part.begins.year for _, part in rows],
        "endday": [part.ends.day for _, part in rows],
        "endmon": [part.ends.month for _, part in rows],
        "endyear": [part.ends.year for _, part in rows],
        "sidea": [1 - part.side for _, part in rows],
        "revstate": [int(part.side == 0) for _, part in rows],
        "revtype1": [1 + one.number % 3 if part.side == 0 else 0 for one, part in rows],
        "revtype2": -9,
        "fatality": [one.fatality if part.original else -9 for one, part in rows],
        "fatalpre": [0 if one.fatality == 0 else -9 for one, _ in rows],
        "hiact": [_ACTIONS[_level(one, part)] for one, part in rows],
        "hostlev": [_level(one, part) for one, part in rows],
        "orig": [int(part.original) for _, part in rows],
        "version": release.removesuffix(".0"),
        **({"changes_1": 0, "changes_2": 0, "changes_3": 0} if old else {}),
    }
    return layout.table(
        columns, line_end="crlf", final=not old, quoted=() if old else ("stabb",)
    ).encode()


def _level(dispute: Dispute, part: Participation) -> int:
    """Return a participant's own hostility: a target often does nothing militarized."""
    passive = part.side == 1 and dispute.level < 5 and dispute.number % 2 == 0
    return 1 if passive else dispute.level


def _incidents(disputes: Sequence[Dispute]) -> bytes:
    """Return one incident a dispute, on its first day."""
    first = [one.parts[0].begins for one in disputes]
    return layout.table(
        {
            "dispnum": [one.number for one in disputes],
            "incidnum": [one.number * 1000 + 1 for one in disputes],
            "stday": [day.day for day in first],
            "stmon": [day.month for day in first],
            "styear": [day.year for day in first],
            "endday": [day.day for day in first],
            "endmon": [day.month for day in first],
            "endyear": [day.year for day in first],
            "duration": 1,
            "tbi": -9,
            "fatality": 0,
            "fatalpre": 0,
            "action": [_ACTIONS[min(one.level, 4)] for one in disputes],
            "hostlev": [min(one.level, 4) for one in disputes],
            "numa": 1,
            "version": "5",
        },
        line_end="crlf",
    ).encode()


def _incident_participants(states: States, disputes: Sequence[Dispute]) -> bytes:
    rows = [(one, part) for one in disputes for part in one.parts[:2]]
    return layout.table(
        {
            "dispnum": [one.number for one, _ in rows],
            "incidnum": [one.number * 1000 + 1 for one, _ in rows],
            "stabb": [states.abbreviation[part.state] for _, part in rows],
            "ccode": [int(states.ccode[part.state]) for _, part in rows],
            "stday": [one.parts[0].begins.day for one, _ in rows],
            "stmon": [one.parts[0].begins.month for one, _ in rows],
            "styear": [one.parts[0].begins.year for one, _ in rows],
            "endday": [one.parts[0].begins.day for one, _ in rows],
            "endmon": [one.parts[0].begins.month for one, _ in rows],
            "endyear": [one.parts[0].begins.year for one, _ in rows],
            "insidea": [1 - part.side for _, part in rows],
            "sidea": [1 - part.side for _, part in rows],
            "fatality": 0,
            "fatalpre": 0,
            "action": [_ACTIONS[min(one.level, 4)] if part.side == 0 else 0 for one, part in rows],
            "hostlev": [min(one.level, 4) if part.side == 0 else 1 for one, part in rows],
            "revtype1": 0,
            "revtype2": 0,
            "version": "5",
        },
        line_end="crlf",
        quoted=("stabb",),
    ).encode()


def _opponents(
    dispute: Dispute,
) -> Iterator[tuple[Participation, Participation, int, bool]]:
    """Yield (1, 2, year, first) for each ordered pair of opponents and year that they share."""
    for one in dispute.parts:
        for other in dispute.parts:
            begins, ends = max(one.begins, other.begins), min(one.ends, other.ends)
            if one.side == other.side or ends < begins:
                continue
            for year in range(begins.year, ends.year + 1):
                yield one, other, year, year == begins.year


def _gml(states: States, disputes: Sequence[Dispute]) -> Iterator[tuple[str, bytes]]:
    rows = [
        (one, *found)
        for one in disputes
        for found in sorted(
            _opponents(one),
            key=lambda found: (found[0].state, found[1].state, found[2]),
        )
    ]
    sides: dict[str, Callable[[Dispute, Participation], int]] = {
        "sidea": lambda one, part: 1 - part.side,
        "revstate": lambda one, part: int(part.side == 0),
        "revtype1": lambda one, part: 1 + one.number % 3 if part.side == 0 else 0,
        "revtype2": lambda one, part: -9,
        "fatality": lambda one, part: one.fatality if part.original else -9,
        "fatalpre": lambda one, part: 0 if one.fatality == 0 else -9,
        "hiact": lambda one, part: _ACTIONS[_level(one, part)],
        "hostlev": _level,
        "orig": lambda one, part: int(part.original),
    }
    both: dict[str, list[int]] = {}
    for name, value in sides.items():
        both[f"{name}1"] = [value(row[0], row[1]) for row in rows]
        both[f"{name}2"] = [value(row[0], row[2]) for row in rows]
    spans = {one.number: _span(one) for one in disputes}
    days = {number: (ends - begins).days + 1 for number, (begins, ends) in spans.items()}
    whole: dict[str, Any] = {
        "hiact": [_ACTIONS[row[0].level] for row in rows],
        "hostlev": [row[0].level for row in rows],
        "mindur": [days[row[0].number] for row in rows],
        "maxdur": [days[row[0].number] for row in rows],
        "outcome": [1 + row[0].number % 6 for row in rows],
        "settle": [1 + row[0].number % 3 for row in rows],
        "fatality": [row[0].fatality for row in rows],
        "fatalpre": [0 if row[0].fatality == 0 else -9 for row in rows],
        "stmon": [spans[row[0].number][0].month for row in rows],
        "endmon": [spans[row[0].number][1].month for row in rows],
        "recip": [row[0].number % 2 for row in rows],
        "numa": [sum(part.side == 0 for part in row[0].parts) for row in rows],
        "numb": [sum(part.side == 1 for part in row[0].parts) for row in rows],
        "ongo2010": 0,
        "version": "gml-2.2.1",
    }
    yield (
        "gml_dirdisp.csv.gz",
        layout.gzipped(
            layout.table(
                {
                    "dispnum": [row[0].number for row in rows],
                    "ccode1": [int(states.ccode[row[1].state]) for row in rows],
                    "ccode2": [int(states.ccode[row[2].state]) for row in rows],
                    "year": [row[3] for row in rows],
                    "midongoing": 1,
                    "midonset": [int(row[4]) for row in rows],
                    **both,
                    **whole,
                }
            ).encode()
        ),
    )
    begun = [spans[one.number][0] for one in disputes]
    yield (
        "gml_mid_disps.csv.gz",
        layout.gzipped(
            layout.table(
                {
                    "dispnum": [one.number for one in disputes],
                    "styear": [day.year for day in begun],
                    "stmon": [day.month for day in begun],
                    "outcome": [1 + one.number % 6 for one in disputes],
                    "settle": [1 + one.number % 3 for one in disputes],
                    "fatality": [one.fatality for one in disputes],
                    "mindur": [days[one.number] for one in disputes],
                    "maxdur": [days[one.number] for one in disputes],
                    "hiact": [_ACTIONS[one.level] for one in disputes],
                    "hostlev": [one.level for one in disputes],
                    "recip": [one.number % 2 for one in disputes],
                }
            ).encode()
        ),
    )
    yield "gml_part.csv.gz", layout.gzipped(_gml_participants(states, disputes))


def _gml_participants(states: States, disputes: Sequence[Dispute]) -> bytes:
    rows = _pairs(disputes)
    leader = [f"{states.abbreviation[part.state]}-{part.begins.year - 3}" for _, part in rows]
    return layout.table(
        {
            "dispnum": [one.number for one, _ in rows],
            "ccode": [int(states.ccode[part.state]) for _, part in rows],
            "styear": [part.begins.year for _, part in rows],
            "stmon": [part.begins.month for _, part in rows],
            "stday": [_first_day(one, part.begins) for one, part in rows],
            "endyear": [part.ends.year for _, part in rows],
            "endmon": [part.ends.month for _, part in rows],
            "endday": [part.ends.day for _, part in rows],
            "obsid_start": leader,
            "obsid_end": leader,
            "dummy_stday": [max(_first_day(one, part.begins), 1) for one, part in rows],
            "dummy_endday": [part.ends.day for _, part in rows],
            "sidea": [1 - part.side for _, part in rows],
            "hiact": [_ACTIONS[_level(one, part)] for one, part in rows],
            "orig": [int(part.original) for _, part in rows],
            "anymiss_leader_start": 0,
            "anymiss_leader_end": 0,
            "allmiss_leader_start": 0,
            "allmiss_leader_end": 0,
        }
    ).encode()


def _rivalries(
    settings: Settings, states: States, disputes: Sequence[Dispute]
) -> Iterator[tuple[str, bytes]]:
    """Yield two lists of rivalries: pairs with three disputes in twenty years, from the first on.

    A rivalry ends ten years after the last such dispute.
    """
    years: dict[tuple[int, int], list[int]] = {}
    for one in disputes:
        pair = (min(one.challenger, one.target), max(one.challenger, one.target))
        years.setdefault(pair, []).append(one.parts[0].begins.year)
    spells = []
    for (first, second), found in sorted(years.items()):
        begun = np.array(sorted(found))
        if len(begun) < _RIVALS_AFTER:
            continue
        dense = begun[_RIVALS_AFTER - 1 :] - begun[: -(_RIVALS_AFTER - 1)] <= _RIVALS_WITHIN
        if dense.any():
            at = int(np.flatnonzero(dense)[0])
            last = int(begun[int(np.flatnonzero(dense)[-1]) + _RIVALS_AFTER - 1]) + 10
            spells.append((first, second, int(begun[at]), last))
    for name in ("td", "tss"):
        chosen = [spell for spell in spells if spell[2] <= _RIVALRY_LAST[name]]
        if not chosen:
            continue
        last_year = min(settings.last_year, _RIVALRY_LAST[name])
        shared: dict[str, Any] = {
            "ccode1": [int(states.ccode[one]) for one, *_ in chosen],
            "ccode2": [int(states.ccode[two]) for _, two, *_ in chosen],
        }
        begins = [begun for *_, begun, _ in chosen]
        ends = [min(max(last, begun), last_year) for *_, begun, last in chosen]
        names = [f"{states.name[one]}-{states.name[two]}" for one, two, *_ in chosen]
        number = list(range(1, len(chosen) + 1))
        kinds = [(one + two) % 2 for one, two, *_ in chosen]
        if name == "td":
            columns = {
                "rivalryno": number, "rivalryname": names, **shared, "styear": begins,
                "endyear": ends, "region": "simulated",
                "type1": ["spatial" if kind else "positional" for kind in kinds],
                "type2": [None] * len(chosen), "type3": [None] * len(chosen),
            }  # fmt: skip
        else:
            columns = {
                "tssr_id": number, "rivalry": names, **shared, "start": begins, "end": ends,
                "positional": [None if kind else 1 for kind in kinds],
                "spatial": [1 if kind else None for kind in kinds],
                "ideological": [None] * len(chosen), "interventionary": [None] * len(chosen),
                "principal": [None] * len(chosen), "aprin": [None] * len(chosen),
            }  # fmt: skip
        yield f"{name}_rivalries.csv", layout.table(columns).encode()
