"""Files about states and pairs of states: membership, capabilities, regimes, places, borders."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from foedus.world import layout
from foedus.world.power import INDICATORS, INTERRUPTION, Power, Regimes
from foedus.world.settings import Settings
from foedus.world.states import States

_MINDIST_YEARS = (1886, 2019)
_POLITY_PARTS = ("xrreg", "xrcomp", "xropen", "xconst", "parreg", "parcomp", "exrec", "exconst",
                 "polcomp")  # fmt: skip
_POLITY_LOWS = {"xrreg": 1, "xrcomp": 0, "xropen": 0, "xconst": 1, "parreg": 1, "parcomp": 0,
                "exrec": 1, "exconst": 1, "polcomp": 1}  # fmt: skip
_POLITY_SPANS = {"xrreg": 2, "xrcomp": 3, "xropen": 4, "xconst": 6, "parreg": 4, "parcomp": 5,
                 "exrec": 7, "exconst": 6, "polcomp": 9}  # fmt: skip


def state_files(
    settings: Settings, states: States, power: Power, regimes: Regimes
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file about states."""
    yield from _membership(settings, states)
    yield from _capabilities(settings, states, power)
    yield "p5v2018.csv", _polity(settings, states, regimes, 2018)
    yield "p4v2015.csv", _polity(settings, states, regimes, 2015)
    yield from _capitals(settings, states)
    yield from _contiguity(settings, states)
    yield "cow_mindist.csv.gz", _distances(settings, states)


def _membership(settings: Settings, states: States) -> Iterator[tuple[str, bytes]]:
    at = [state for state, _, _ in states.spells]
    dates = {
        name: [(begins if first else ends)[part] for _, begins, ends in states.spells]
        for name, first, part in (
            ("styear", True, 0), ("stmonth", True, 1), ("stday", True, 2),
            ("endyear", False, 0), ("endmonth", False, 1), ("endday", False, 2),
        )
    }  # fmt: skip
    names = {
        "stateabb": [states.abbreviation[one] for one in at],
        "ccode": states.ccode[at],
        "statenme": [states.name[one] for one in at],
    }
    yield "states2016.csv", layout.table({**names, **dates, "version": 2016}, final=False).encode()
    great = [state for state, _, _ in states.majors]
    yield "majors2016.csv", layout.table(
        {
            "stateabb": [states.abbreviation[one] for one in great],
            "ccode": states.ccode[great],
            **{
                name: [(begins if first else ends)[part] for _, begins, ends in states.majors]
                for name, first, part in (
                    ("styear", True, 0), ("stmonth", True, 1), ("stday", True, 2),
                    ("endyear", False, 0), ("endmonth", False, 1), ("endday", False, 2),
                )
            },
            "version": 2016,
        },
        final=False,
    ).encode()  # fmt: skip
    year, state = np.nonzero(states.member.T)
    yield (
        "system2016.csv",
        layout.table(
            {
                "stateabb": np.array(states.abbreviation)[state],
                "ccode": states.ccode[state],
                "year": year + settings.first_year,
                "version": 2016,
            },
            final=False,
        ).encode(),
    )


def _capabilities(settings: Settings, states: States, power: Power) -> Iterator[tuple[str, bytes]]:
    state, year = np.nonzero(states.member)
    values = {name: power.indicators[at, state, year] for at, name in enumerate(INDICATORS)}
    cinc = layout.decimals(power.cinc[state, year], 9)
    keys = {"ccode": states.ccode[state], "year": year + settings.first_year}
    yield (
        "NMC-60-abridged.csv",
        layout.table(
            {
                "stateabb": np.array(states.abbreviation)[state],
                **keys,
                **values,
                "cinc": cinc,
                "version": 2021,
            },
            line_end="crlf",
            final=False,
        ).encode(),
    )
    known = {
        name: [None if value < 0 else value for value in column.tolist()]
        for name, column in values.items()
    }
    for name in ("tpop", "upop"):
        known[name] = [None if value is None else f"{value}.0" for value in known[name]]
    yield "cow_nmc.csv", layout.table({**keys, **known, "cinc": cinc}).encode()


def _polity(settings: Settings, states: States, regimes: Regimes, release: int) -> bytes:
    """Return Polity in the release of 2018 (with p5, CRLF) or of 2015."""
    chosen = states.member.copy()
    chosen[:, max(release - settings.first_year + 1, 0) :] = False
    state, year = np.nonzero(chosen)
    polity, polity2 = regimes.polity[state, year], regimes.polity2[state, year]
    special = polity < -10
    before = regimes.polity[state, np.maximum(year - 1, 0)]
    was_there = (year > 0) & states.member[state, np.maximum(year - 1, 0)]
    moved = was_there & (before != polity) & (before >= -10) & ~special
    calendar = year + settings.first_year
    ccode = states.ccode[state]
    empty = [None] * len(state)

    def where_moved(values: object) -> list[object]:
        spread = np.broadcast_to(np.asarray(values), moved.shape).tolist()
        return [value if yes else None for yes, value in zip(moved.tolist(), spread, strict=True)]

    share = (np.where(special, 0, polity) + 10) / 20
    parts = {
        name: np.where(
            special, polity, _POLITY_LOWS[name] + np.floor(share * _POLITY_SPANS[name] + 0.5)
        ).astype(np.int64)
        for name in _POLITY_PARTS
    }
    columns = {
        **({"p5": np.zeros(len(state), np.int64)} if release == 2018 else {}),
        "cyear": ccode * 10000 + calendar,
        "ccode": ccode,
        "scode": np.array(states.abbreviation)[state],
        "country": np.array(states.name)[state],
        "year": calendar,
        "flag": np.zeros(len(state), np.int64),
        "fragment": empty,
        "democ": np.where(special, polity, np.maximum(polity, 0)),
        "autoc": np.where(special, polity, np.maximum(-polity, 0)),
        "polity": polity,
        "polity2": [
            None if gone else value
            for gone, value in zip((polity == INTERRUPTION).tolist(), polity2.tolist(), strict=True)
        ],
        "durable": empty,
        **parts,
        "prior": where_moved(before),
        "emonth": where_moved(12),
        "eday": where_moved(31),
        "eyear": where_moved(calendar - 1),
        "eprec": where_moved(1),
        "interim": empty,
        "bmonth": where_moved(1),
        "bday": where_moved(1),
        "byear": where_moved(calendar),
        "bprec": where_moved(1),
        "post": where_moved(polity),
        "change": where_moved(polity.astype(np.int64) - before),
        ("d5" if release == 2018 else "d4"): where_moved(1),
        "sf": empty,
        "regtrans": empty,
    }
    late = release == 2018
    return layout.table(columns, line_end="crlf" if late else "lf", final=not late).encode()


def _capitals(settings: Settings, states: States) -> Iterator[tuple[str, bytes]]:
    """Yield the spells with coordinates, and the maker's list of them without."""
    rows = []
    for state, begins, ends in states.spells:
        year = states.moved.get(state)
        if year is not None and begins[0] <= year and year < ends[0]:
            rows.append((state, 0, begins, (year, 6, 30)))
            rows.append((state, 1, (year, 7, 1), ends))
        else:
            rows.append((state, int(year is not None and begins[0] > year), begins, ends))
    at = [row[0] for row in rows]
    place = [0 if which == 0 else settings.n_years - 1 for _, which, _, _ in rows]
    named = [
        f"{'Nouvelle ' if which else ''}{states.name[state]}ville" for state, which, _, _ in rows
    ]
    # The mapping is by day: a list that goes on after the system's last day, as its maker's does.
    last = [(2024, 12, 31) if end[0] == settings.last_year else end for *_, end in rows]
    yield (
        "cow_capitals.csv",
        layout.table(
            {
                "ccode": states.ccode[at],
                "statenme": [states.name[one] for one in at],
                "capital": named,
                "stdate": [_day(begins) for _, _, begins, _ in rows],
                "enddate": [_day(end) for end in last],
                "lat": layout.with_point(states.lat[at, place], 7),
                "lng": layout.with_point(states.lng[at, place], 7),
            }
        ).encode(),
    )
    yield (
        "capitals.csv",
        layout.table(
            {
                "ccode": states.ccode[at],
                "gwcode": states.ccode[at],
                "statenme": [states.name[one] for one in at],
                "capital": named,
                "styear": [begins[0] for _, _, begins, _ in rows],
                "endyear": [end[0] for end in last],
                "stmon": [begins[1] for _, _, begins, _ in rows],
                "stday": [begins[2] for _, _, begins, _ in rows],
                "endmon": [end[1] for end in last],
                "endday": [end[2] for end in last],
                "comments": ["a simulated state’s capital" if one % 7 == 0 else None for one in at],
            }
        ).encode(),
    )


def _day(date: tuple[int, int, int]) -> str:
    return f"{date[0]:04d}-{date[1]:02d}-{date[2]:02d}"


def _contiguity(settings: Settings, states: States) -> Iterator[tuple[str, bytes]]:
    one, other = np.nonzero(states.contiguity)
    together = states.member[one] & states.member[other]
    pair, year = np.nonzero(together)
    first, second = one[pair], other[pair]
    names = np.array(states.abbreviation)
    yield (
        "contdird.csv",
        layout.table(
            {
                "dyad": states.ccode[first] * 1000 + states.ccode[second],
                "state1no": states.ccode[first],
                "state1ab": names[first],
                "state2no": states.ccode[second],
                "state2ab": names[second],
                "year": year + settings.first_year,
                "conttype": states.contiguity[first, second],
                "version": "3.2",
            },
            quoted=("state1ab", "state2ab"),
        ).encode(),
    )
    edges = np.diff(np.pad(together.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    pair, begins = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    first, second = one[pair], other[pair]
    yield (
        "contdir_spells.csv",
        layout.table(
            {
                "ccode1": states.ccode[first],
                "ccode2": states.ccode[second],
                "conttype": states.contiguity[first, second],
                "stdate": [f"{settings.first_year + at}-01-01" for at in begins.tolist()],
                "enddate": [f"{settings.first_year + at - 1}-12-01" for at in ends.tolist()],
            }
        ).encode(),
    )


def _distances(settings: Settings, states: States) -> bytes:
    """Return the distances between territories, lower number first, from 1886 on."""
    one, other = np.triu_indices(states.n, 1)
    since = max(_MINDIST_YEARS[0] - settings.first_year, 0)
    together = (states.member[one] & states.member[other])[:, since:]
    pair, year = np.nonzero(together)
    texts = np.array(layout.with_point(states.gap_km[one, other], 6))
    content = layout.table(
        {
            "ccode1": states.ccode[one[pair]],
            "ccode2": states.ccode[other[pair]],
            "year": year + since + settings.first_year,
            "mindist": texts[pair],
        }
    )
    return layout.gzipped(content.encode())
