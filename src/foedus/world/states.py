"""Who exists, where and when: states, their spells in the system, capitals, borders, majors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foedus.world.settings import Settings

EQUATOR_KM = 6378.137
KM_A_MILE = 1.609344
# COW's ranges of numbers by region, a share of all states, and a box of latitudes and longitudes.
_REGIONS = (
    ("Americas", 2, 199, 0.20, (-35.0, 50.0), (-115.0, -45.0)),
    ("Europe", 200, 399, 0.22, (37.0, 62.0), (-9.0, 40.0)),
    ("Africa", 400, 625, 0.24, (-30.0, 20.0), (-12.0, 40.0)),
    ("Middle East", 630, 699, 0.09, (15.0, 40.0), (30.0, 60.0)),
    ("Asia", 700, 990, 0.25, (-10.0, 48.0), (66.0, 145.0)),
)
# Numbers that Polity gives to another state than COW does, or to none of COW's.
_TAKEN = frozenset(
    {89, 99, 300, 305, 324, 325, 341, 342, 345, 347, 348, 364, 365, 525, 529, 530, 564, 626,
     769, 770, 816, 818}
)  # fmt: skip
_HEADS = ("Al", "Bor", "Cal", "Dor", "El", "Fen", "Gal", "Hel", "Il", "Kor", "Lor", "Mar", "Nor",
          "Or", "Pel", "Quor", "Ral", "Sar", "Tal", "Ur", "Val", "Wes", "Zan")  # fmt: skip
_MIDDLES = ("a", "an", "ar", "e", "en", "i", "in", "o", "on", "u", "ad", "el")
_TAILS = ("dia", "land", "mark", "nia", "ria", "sia", "stan", "via")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Share of the states that are there from the start, and years after which those that leave return.
_AT_START, _LEAVERS, _RETURNERS = 0.35, 0.12, 0.5


@dataclass(frozen=True)
class States:
    """The states of a world, sorted by COW number.

    Attributes
    ----------
    ccode, region : int arrays (n,)
    abbreviation, name, capital : tuple of str
    spells : tuple of (state, (year, month, day), (year, month, day))
        Days of membership, both ends included.
    member : bool array (n, years)
    majors : tuple of (state, (year, month, day), (year, month, day))
    is_major : bool array (n, years)
    lat, lng : float arrays (n, years)
        Where the capital is when the year begins.
    moved : dict of int to int
        States that move their capital, on 1 July of the year.
    km : float array (n, n)
        Between the first capitals, in kilometres.
    contiguity : int8 array (n, n)
        COW's type, 0 for none; as long as both exist.
    gap_km : float array (n, n)
        Between the territories.
    """

    ccode: NDArray[np.int64]
    region: NDArray[np.int64]
    abbreviation: tuple[str, ...]
    name: tuple[str, ...]
    spells: tuple[tuple[int, tuple[int, int, int], tuple[int, int, int]], ...]
    member: NDArray[np.bool_]
    majors: tuple[tuple[int, tuple[int, int, int], tuple[int, int, int]], ...]
    is_major: NDArray[np.bool_]
    lat: NDArray[np.float64]
    lng: NDArray[np.float64]
    moved: dict[int, int]
    km: NDArray[np.float64]
    contiguity: NDArray[np.int8]
    gap_km: NDArray[np.float64]

    @property
    def n(self) -> int:
        """Number of states."""
        return len(self.ccode)

    def last_year(self, state: int, year: int, first_year: int) -> int:
        """Return the last year of the spell that a state is in in a year."""
        gone = np.flatnonzero(~self.member[state, year - first_year :])
        return year + int(gone[0]) - 1 if len(gone) else first_year + self.member.shape[1] - 1


def great_circle_km(
    lat1: NDArray[np.float64],
    lng1: NDArray[np.float64],
    lat2: NDArray[np.float64],
    lng2: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return great-circle distances by the haversine formula."""
    one, other = np.deg2rad(lat1), np.deg2rad(lat2)
    inner = (
        np.sin((other - one) / 2) ** 2
        + np.cos(one) * np.cos(other) * np.sin(np.deg2rad(lng2 - lng1) / 2) ** 2
    )
    return np.asarray(2 * EQUATOR_KM * np.arcsin(np.minimum(1.0, np.sqrt(inner))))


def draw_states(settings: Settings, streams: dict[str, np.random.Generator]) -> States:
    """Draw the states of a world."""
    ccode, region = _numbers(settings.states)
    lat, lng = _places(region, streams["places"])
    names = _names(len(ccode), streams["places"])
    spells, member = _spells(settings, len(ccode), streams["spells"])
    majors, is_major = _majors(settings, member, streams["spells"])
    lats, lngs, moved = _capitals(settings, lat, lng, streams["capitals"])
    km = great_circle_km(lat[:, None], lng[:, None], lat[None, :], lng[None, :])
    contiguity = _borders(km, region)
    return States(
        ccode=ccode,
        region=region,
        abbreviation=tuple(_abbreviation(place) for place in range(len(ccode))),
        name=names,
        spells=spells,
        member=member,
        majors=majors,
        is_major=is_major,
        lat=lats,
        lng=lngs,
        moved=moved,
        km=km,
        contiguity=contiguity,
        gap_km=_gaps(km, contiguity),
    )


def _numbers(states: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return COW numbers spread over each region's range, and regions 0 to 4."""
    counts = [max(1, int(states * share)) for _, _, _, share, _, _ in _REGIONS]
    counts[-1] += states - sum(counts)
    codes: list[int] = []
    regions: list[int] = []
    for place, ((_, low, high, _, _, _), count) in enumerate(zip(_REGIONS, counts, strict=True)):
        free = [code for code in range(low, high + 1) if code not in _TAKEN]
        chosen = [free[at * len(free) // count] for at in range(count)]
        codes += chosen
        regions += [place] * count
    return np.array(codes, np.int64), np.array(regions, np.int64)


def _places(
    region: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    draws = rng.random((2, len(region)))
    boxes = [(lat, lng) for _, _, _, _, lat, lng in _REGIONS]
    low = np.array([[box[0][0], box[1][0]] for box in boxes]).T[:, region]
    high = np.array([[box[0][1], box[1][1]] for box in boxes]).T[:, region]
    lat, lng = np.round(low + draws * (high - low), 7)
    return lat, lng


def _names(n: int, rng: np.random.Generator) -> tuple[str, ...]:
    every = [head + middle + tail for head in _HEADS for middle in _MIDDLES for tail in _TAILS]
    order = rng.permutation(len(every))[:n]
    return tuple(every[int(at)] for at in order)


def _abbreviation(place: int) -> str:
    first, rest = divmod(place, 26 * 26)
    return _LETTERS[first] + _LETTERS[rest // 26] + _LETTERS[rest % 26]


def _spells(
    settings: Settings, n: int, rng: np.random.Generator
) -> tuple[tuple[tuple[int, tuple[int, int, int], tuple[int, int, int]], ...], NDArray[np.bool_]]:
    """Draw entries in January to March, exits on 31 December, and some returns."""
    first, last = settings.first_year, settings.last_year
    draws = rng.random((n, 6))
    days = rng.integers(1, 29, size=(n, 2))
    months = rng.integers(1, 4, size=(n, 2))
    spells = []
    member = np.zeros((n, settings.n_years), dtype=bool)
    # One state in five is always there, so that no world is without powers that last.
    draws[::5, 0], draws[::5, 2] = 0.0, 1.0
    for state in range(n):
        u = draws[state]
        early = u[0] < _AT_START
        entry = first if early else first + 1 + int((last - first - 10) * u[1] ** 0.8)
        begins = (first, 1, 1) if early else (entry, int(months[state, 0]), int(days[state, 0]))
        ends = last
        if u[2] < _LEAVERS and entry + 12 < last - 2:
            ends = entry + 10 + int((last - 2 - entry - 10) * u[3])
        spells.append((state, begins, (ends, 12, 31)))
        member[state, entry - first : ends - first + 1] = True
        back = ends + 3 + int(15 * u[5])
        if ends < last and u[4] < _RETURNERS and back <= last - 3:
            again = (back, int(months[state, 1]), int(days[state, 1]))
            spells.append((state, again, (last, 12, 31)))
            member[state, back - first :] = True
    return tuple(spells), member


def _majors(
    settings: Settings, member: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[tuple[tuple[int, tuple[int, int, int], tuple[int, int, int]], ...], NDArray[np.bool_]]:
    """Choose great powers among the states that are always there; one falls, one rises."""
    n = len(member)
    lasting = np.flatnonzero(member.all(axis=1))
    wanted = max(3, round(0.07 * n))
    chosen = np.sort(rng.permutation(lasting)[: wanted + 1])
    first, last = settings.first_year, settings.last_year
    middle = first + (last - first) // 2
    spells = []
    is_major = np.zeros(member.shape, dtype=bool)
    for place, state in enumerate(chosen.tolist()):
        begins, ends = (first, 1, 1), (last, 12, 31)
        if place == 0 and len(chosen) > 2:
            ends = (middle, 11, 11)
        if place == 1 and len(chosen) > 2:
            begins = (middle - 20, 1, 9)
        spells.append((state, begins, ends))
        is_major[state, begins[0] - first : ends[0] - first + 1] = True
    return tuple(spells), is_major


def _capitals(
    settings: Settings,
    lat: NDArray[np.float64],
    lng: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[int, int]]:
    """Draw the few capitals that move, on 1 July; a year has the one that it began with."""
    n = len(lat)
    draws = rng.random((n, 4))
    lats = np.repeat(lat[:, None], settings.n_years, axis=1)
    lngs = np.repeat(lng[:, None], settings.n_years, axis=1)
    moved = {}
    for state in np.flatnonzero(draws[:, 0] < 0.05).tolist():
        year = settings.first_year + 5 + int((settings.n_years - 10) * draws[state, 1])
        moved[state] = year
        at = year + 1 - settings.first_year
        lats[state, at:] = np.round(lat[state] + 2 * draws[state, 2] - 1, 7)
        lngs[state, at:] = np.round(lng[state] + 2 * draws[state, 3] - 1, 7)
    return lats, lngs, moved


def _borders(km: NDArray[np.float64], region: NDArray[np.int64]) -> NDArray[np.int8]:
    """Give each state its three nearest of the region by land and the next two by water."""
    n = len(km)
    far = np.where(region[:, None] == region[None, :], km, np.inf)
    np.fill_diagonal(far, np.inf)
    rank = np.argsort(np.argsort(far, axis=1, kind="stable"), axis=1, kind="stable")
    kinds = np.zeros((n, n), np.int8)
    near = np.isfinite(far)
    kinds[near & (rank < 3)] = 1
    kinds[near & (rank == 3)] = 4
    kinds[near & (rank == 4)] = 5
    either = np.stack([kinds, kinds.T])
    closest = np.where(either == 0, 99, either).min(axis=0)
    return np.where(closest == 99, 0, closest).astype(np.int8)


def _gaps(km: NDArray[np.float64], contiguity: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return distances between territories: 0 for land neighbours, some of the way for others."""
    gaps: NDArray[np.float64] = np.where(contiguity == 1, 0.0, 0.75 * km)
    return np.asarray(np.round(gaps, 6), np.float64)
