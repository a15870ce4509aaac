"""How far two states are from each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foedus.covariates.context import Context, dyad_cube, empty_dyads
from foedus.covariates.registry import ColumnSpec, Example, Option, covariate
from foedus.covariates.values import DyadYears, Rows, Values, take_dyad
from foedus.panels.spans import each_year
from foedus.panels.system import StateSystem

# WGS 84, as geodesic software uses it.
EQUATOR_KM = 6378.137
FLATTENING = 1 / 298.257223563


def haversine_km(
    lat1: NDArray[np.float64],
    lng1: NDArray[np.float64],
    lat2: NDArray[np.float64],
    lng2: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return great-circle distances on a sphere of the earth's equatorial radius, in kilometres.

    The radius is the one of R's geosphere, which the field's dyadic panels are made with; with it
    distances are up to 0.5 % longer or shorter than geodesics.
    """
    phi1, phi2 = np.radians(lat1), np.radians(lat2)
    half_lat, half_lng = (phi2 - phi1) / 2, np.radians(lng2 - lng1) / 2
    chord = np.sin(half_lat) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin(half_lng) ** 2
    return np.asarray(2 * EQUATOR_KM * np.arcsin(np.sqrt(np.clip(chord, 0, 1))))


def vincenty_km(
    lat1: NDArray[np.float64],
    lng1: NDArray[np.float64],
    lat2: NDArray[np.float64],
    lng2: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return geodesic distances on the WGS 84 ellipsoid (Vincenty 1975, inverse), in kilometres.

    Nearly antipodal points, where the iteration doesn't settle, get the great-circle distance,
    which is there within 0.5 % of the geodesic.
    """
    pole_km = EQUATOR_KM * (1 - FLATTENING)
    u1 = np.arctan((1 - FLATTENING) * np.tan(np.radians(lat1)))
    u2 = np.arctan((1 - FLATTENING) * np.tan(np.radians(lat2)))
    sin1, cos1, sin2, cos2 = np.sin(u1), np.cos(u1), np.sin(u2), np.cos(u2)
    apart = np.radians(lng2 - lng1)
    turn = apart.copy()
    settled = np.zeros(len(apart), dtype=bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        for _ in range(200):
            sin_turn, cos_turn = np.sin(turn), np.cos(turn)
            sin_arc = np.hypot(cos2 * sin_turn, cos1 * sin2 - sin1 * cos2 * cos_turn)
            cos_arc = sin1 * sin2 + cos1 * cos2 * cos_turn
            arc = np.arctan2(sin_arc, cos_arc)
            sin_azimuth = np.where(sin_arc == 0, 0, cos1 * cos2 * sin_turn / sin_arc)
            cos2_azimuth = 1 - sin_azimuth**2
            middle = np.where(cos2_azimuth == 0, 0, cos_arc - 2 * sin1 * sin2 / cos2_azimuth)
            c = FLATTENING / 16 * cos2_azimuth * (4 + FLATTENING * (4 - 3 * cos2_azimuth))
            series = arc + c * sin_arc * (middle + c * cos_arc * (2 * middle**2 - 1))
            renewed = apart + (1 - c) * FLATTENING * sin_azimuth * series
            settled = np.abs(renewed - turn) < 1e-12
            turn = renewed
            if settled.all():
                break
        squash = cos2_azimuth * (EQUATOR_KM**2 - pole_km**2) / pole_km**2
        a = 1 + squash / 16384 * (4096 + squash * (-768 + squash * (320 - 175 * squash)))
        b = squash / 1024 * (256 + squash * (-128 + squash * (74 - 47 * squash)))
        third = b / 6 * middle * (4 * sin_arc**2 - 3) * (4 * middle**2 - 3)
        bend = b * sin_arc * (middle + b / 4 * (cos_arc * (2 * middle**2 - 1) - third))
        geodesic = pole_km * a * (arc - bend)
    return np.where(settled, geodesic, haversine_km(lat1, lng1, lat2, lng2))


def capital_of_year(system: StateSystem, spells: pl.DataFrame, when: str) -> NDArray[np.int64]:
    """Return the row of `spells` that holds each state's capital in each year, -1 where none does.

    Parameters
    ----------
    spells : polars.DataFrame
        capitals/spells: ccode, start, end, in any order.
    when : str
        "end": the capital on 31 December (on its last day, for a spell that ends in the year with
        no successor); "start": the one on 1 January.
    """
    rows = np.full((system.n_states, system.n_years), -1, np.int64)
    order = spells.with_row_index("row").sort(
        ["ccode", "start"], descending=[False, when == "start"]
    )
    # Later assignments win: for "end" the latest spell of a year comes last, for "start" the first.
    span, year = each_year(order["start"].dt.year().to_numpy(), order["end"].dt.year().to_numpy())
    state = system.index(order["ccode"].to_numpy())[span]
    inside = (state >= 0) & (year >= system.first_year) & (year <= system.last_year)
    rows[state[inside], year[inside] - system.first_year] = order["row"].to_numpy()[span[inside]]
    return rows


def _distance_rows(context: Context) -> NDArray[np.float64]:
    """Return each row's distance."""
    spells = context.table("capitals", "spells")
    capital = capital_of_year(context.system, spells, context.options["when"])
    measure = vincenty_km if context.options["earth"] == "ellipsoid" else haversine_km
    here, there = (_capital_at(capital, place) for place in context.spine.state_positions)
    return between_capitals(spells, here, there, measure)


def between_capitals(
    spells: pl.DataFrame,
    here: NDArray[np.int64],
    there: NDArray[np.int64],
    measure: Callable[..., NDArray[np.float64]] = haversine_km,
) -> NDArray[np.float64]:
    """Return kilometres between capitals: all pairs are measured once, then looked up.

    Parameters
    ----------
    spells : polars.DataFrame
        capitals/spells.
    here, there : int64 arrays
        Rows of `spells`, as `capital_of_year` gives them; missing where either is -1.
    measure : callable
        `haversine_km` or `vincenty_km`.
    """
    lat, lng = (spells[name].to_numpy().astype(np.float64) for name in ("lat", "lng"))
    n = spells.height
    if n == 0:
        return np.full(len(here), np.nan)
    one, other = np.divmod(np.arange(n * n), n)
    table = measure(lat[one], lng[one], lat[other], lng[other])
    kilometres = table.take(here * n + there, mode="clip")
    kilometres[(here < 0) | (there < 0)] = np.nan
    return np.asarray(kilometres)


def _capital_at(capital: NDArray[np.int64], positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each row's capital; -1 where it has none, and where the system has no such state."""
    found = capital.reshape(-1).take(positions, mode="clip")
    found[positions < 0] = -1
    return found


@covariate(
    name="capital_distance",
    title="Distance between capitals",
    columns=[
        ColumnSpec(
            "capital_distance_km",
            "number",
            "Distance between the two capitals, as the crow flies.",
            unit="km",
            level="row",
            absent="missing",
        ),
        ColumnSpec(
            "capital_distance_miles",
            "number",
            "The same in statute miles, the measure of older studies.",
            unit="miles",
            level="row",
            absent="missing",
        ),
    ],
    sources=["capitals"],
    citations=["miller_2022", "vincenty_1975"],
    options={
        "when": Option(
            "start", "In a year with two capitals: the one at its start or end.", ("start", "end")
        ),
        "earth": Option(
            "sphere",
            "Shape of the earth: a sphere (great circles) or the WGS 84 ellipsoid (geodesics).",
            ("sphere", "ellipsoid"),
        ),
    },
    units=("directed-dyad-year", "dyad-year"),
    extras=["capital_distance_miles"],
    examples=[
        Example(
            "Washington to Ottawa.",
            {"ccode1": 2, "ccode2": 20, "year": 1920},
            {"capital_distance_km": 734.87},
        )
    ],
)
def capital_distance(context: Context) -> dict[str, Values]:
    """Make `capital_distance_km` (and miles); missing where a state has no capital on the list."""
    # ASSUME: a year with two capitals takes the one at its start (option `when`).
    # ASSUME: distances are great circles on a sphere, as in the field's panels (option `earth`).
    kilometres = context.shared(
        ("capital_distance", context.options["when"], context.options["earth"]),
        lambda: _distance_rows(context),
    )
    return {
        "capital_distance_km": Rows(kilometres),
        "capital_distance_miles": Rows(kilometres / 1.609344),
    }


@covariate(
    name="min_distance",
    title="Minimum distance between territories",
    columns=[
        ColumnSpec(
            "min_distance_km",
            "number",
            "Least distance between the two states' territories (0 for neighbours).",
            unit="km",
            absent="missing",
        )
    ],
    sources=["cow_mindist"],
    citations=["weidmann_etal_2010", "schvitz_etal_2022"],
    examples=[
        Example(
            "The United States and Haiti in 1886, the first row of the file.",
            {"ccode1": 2, "ccode2": 41, "year": 1886},
            {"min_distance_km": 932.508131769762},
        )
    ],
)
def min_distance(context: Context) -> dict[str, Values]:
    """Make `min_distance_km`; a pair that the source doesn't have is missing."""
    facts = context.table("cow_mindist", "dyad_years")
    low, high = facts["ccode1"].to_numpy(), facts["ccode2"].to_numpy()
    year, km = facts["year"].to_numpy(), facts["min_distance_km"].to_numpy()
    # A cube of rows of the source, one on, takes half the memory of one of distances, and its 0,
    # which takes none until it is written to, stands for a pair that the source doesn't have.
    system = context.system
    row = empty_dyads(system, np.int32)
    number = np.arange(1, len(km) + 1, dtype=np.int32)
    first, second, since = system.index(low), system.index(high), year - system.first_year
    inside = (first >= 0) & (second >= 0) & (since >= 0) & (since < system.n_years)
    if not inside.all():
        first, second, since = first[inside], second[inside], since[inside]
        number = number[inside]
    for one, other in ((first, second), (second, first)):
        row[(one * system.n_states + other) * system.n_years + since] = number
    taken = take_dyad(DyadYears(dyad_cube(system, row)), context.spine, "same")
    # Rows outside the system have a negative number, and are clipped to the first: missing too.
    known = np.concatenate([[np.nan], km])
    return {"min_distance_km": Rows(known.take(taken, mode="clip"))}
